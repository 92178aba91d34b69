//! What lies over everything and has the keyboard: a question, an offer, the help.

use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::action::Context;

/// An overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// Whether a session is to end; no unless somebody says yes.
    Confirm {
        /// Which.
        id: SessionId,
        /// At once, without asking the program.
        is_hard: bool,
        /// What it is about.
        lines: Vec<String>,
    },
    /// Somebody else has control.
    Offer {
        /// Who, in a sentence.
        error: String,
    },
    /// All keys of a context.
    Help {
        /// Which.
        context: Context,
        /// Lines scrolled.
        top: u16,
    },
}

impl Overlay {
    /// Asks whether a session is to end.
    #[must_use]
    pub fn confirm(status: &Status, is_hard: bool) -> Self {
        let clean = text::clean;
        let question = if is_hard { "Kill" } else { "Stop" };
        let how = if is_hard {
            "Every process of it is killed at once; nothing can be saved."
        } else {
            "It is asked to end, and killed after 5 seconds."
        };
        let mut lines = vec![
            format!("{question} {}?", clean(&status.name)),
            String::new(),
            format!("command  {}", clean(&status.command)),
            format!("pid      {}", status.pid),
        ];
        let who: Vec<String> = status
            .attached
            .iter()
            .map(|client| format!("{}{}", client.who, if client.controls { " (typing)" } else { "" }))
            .collect();
        lines.push(format!("attached {}", if who.is_empty() { "nobody".to_owned() } else { who.join(", ") }));
        lines.extend([String::new(), how.to_owned()]);
        Self::Confirm { id: status.id, is_hard, lines }
    }

    /// Returns the context of its keys.
    #[must_use]
    pub const fn context(&self) -> Context {
        match self {
            Self::Confirm { .. } => Context::Confirm,
            Self::Offer { .. } => Context::Offer,
            Self::Help { .. } => Context::Help,
        }
    }
}
