//! The connection to the daemon, as the dashboard sees it: when it goes, what is asked again when it is back.
//!
//! A daemon that was killed is back within moments, so nothing is shown at first; whoever typed goes on typing.

use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;

/// How long the daemon may be away before anybody is told.
const PATIENCE_NS: u64 = 300_000_000;

/// The connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It is there.
    Up,
    /// It is gone.
    Lost {
        /// Since when, in monotonic nanoseconds.
        since: u64,
        /// Why.
        reason: String,
        /// It is said on the screen.
        is_shown: bool,
    },
}

impl Link {
    /// Returns whether the screen says that it is gone.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        matches!(self, Self::Lost { is_shown: true, .. })
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        match self {
            Self::Lost { since, is_shown: false, .. } => Some(*since + PATIENCE_NS),
            Self::Lost { .. } | Self::Up => None,
        }
    }

    /// Shows it when it is time to; returns whether that is news.
    pub(super) fn show_if_due(&mut self, now: u64) -> bool {
        let is_due = self.deadline().is_some_and(|deadline| now >= deadline);
        if let Self::Lost { is_shown, .. } = self
            && is_due
        {
            *is_shown = true;
        }
        is_due
    }
}

impl App {
    pub(super) fn on_connected(&mut self) {
        self.link = Link::Up;
        self.damage.chrome();
        self.ask(Ask::Subscribe);
        if !self.pane.target().is_empty() {
            self.watch();
        }
    }

    pub(super) fn on_lost(&mut self, reason: String) {
        self.link = Link::Lost { since: self.now.mono, reason, is_shown: false };
        self.pane.lost();
        self.told = None;
        let typed = match std::mem::replace(&mut self.control, Control::None) {
            Control::None => return,
            Control::Held => Vec::new(),
            Control::Asking { typed, .. } => typed,
        };
        // Whoever has it by then keeps it.
        self.control = Control::Asking { steal: false, is_return: true, typed };
    }

    pub(super) fn on_still_lost(&mut self, why: String) {
        if let Link::Lost { reason, .. } = &mut self.link
            && *reason != why
        {
            *reason = why;
            self.damage.chrome();
        }
    }
}
