//! A session that is being started: what is typed until it is there is meant for it.
//!
//! Without this, a command that follows `c` at once would be taken for keys of the list, or reach the session that has the keyboard
//! still. *Invariant:* what was held reaches the new session or nobody.

use crate::session::id::SessionId;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::SECOND_NS;
use crate::tui::input::Token;
use crate::tui::input::What;
use crate::tui::key::Code;

/// How long an answer is waited for; after that keys mean what they did before.
const PATIENCE_NS: u64 = 5 * SECOND_NS;
/// Most bytes that are held; a paste that is longer loses its rest.
const HELD_LIMIT: usize = 64 << 10;

/// What was typed for a session that is not there yet.
#[derive(Debug)]
pub(super) struct Starting {
    held: Vec<Token>,
    until: u64,
}

impl App {
    /// A session was asked for that will have the keyboard.
    pub(super) fn expect_start(&mut self) {
        self.starting = Some(Starting { held: Vec::new(), until: self.now.mono + PATIENCE_NS });
    }

    /// Keeps a token for the session that is being started; `false` if it means what it always does.
    pub(super) fn hold(&mut self, token: &Token) -> bool {
        if self.starting.is_none() || matches!(token.what, What::Mouse(_) | What::Focus) || self.is_way_out(token) {
            return false;
        }
        let now = self.now.mono;
        let Some(starting) = self.starting.as_mut().filter(|starting| now < starting.until && !self.link.is_shown())
        else {
            self.starting = None;
            return false;
        };
        let bytes: usize = starting.held.iter().map(|token| token.raw.len()).sum();
        if bytes + token.raw.len() <= HELD_LIMIT {
            starting.held.push(token.clone());
        }
        true
    }

    /// Returns whether a token is for us in any case: nobody has to wait for a daemon that does not answer.
    fn is_way_out(&self, token: &Token) -> bool {
        let is_prefix = matches!(token.what, What::Key(key) if Some(key) == self.keymap.prefix());
        let is_escape = matches!(token.what, What::Key(key) if key.code == Code::Esc);
        let is_typing = self.context() == Context::Typing;
        is_prefix || self.keymap.is_pending() || self.overlay.is_some() || is_escape && !is_typing
    }

    /// A session was started: it gets the keyboard, and what was typed for it.
    pub(in crate::tui) fn on_started(&mut self, id: SessionId) {
        if self.sessions.selected_id() != Some(id) {
            self.show(Some(id));
        }
        let starting = self.starting.take();
        self.take(false);
        for token in starting.into_iter().flat_map(|starting| starting.held) {
            // Keys of the list they are not, whatever happened.
            if self.context() == Context::Typing || self.starting.is_some() {
                self.on_token(&token);
            }
        }
    }
}
