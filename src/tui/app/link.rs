//! The connection to the daemon, as the dashboard sees it: when it goes, what is asked again when it is back.
//!
//! A daemon that was killed is back within moments, so nothing is shown at first; whoever typed goes on typing.

use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::SECOND_NS;
use crate::tui::tiles::PaneId;

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
        /// When it is tried again, if that is known.
        next: Option<u64>,
    },
}

impl Link {
    /// Returns whether the screen says that it is gone.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        matches!(self, Self::Lost { is_shown: true, .. })
    }

    /// Returns when something about it has to be drawn.
    pub(in crate::tui) fn deadline(&self, now: u64) -> Option<u64> {
        match self {
            Self::Lost { since, is_shown: false, .. } => Some(*since + PATIENCE_NS),
            // Once a second the countdown is drawn anew.
            Self::Lost { next: Some(at), .. } if *at > now => Some(now + (at - now - 1) % SECOND_NS + 1),
            Self::Lost { .. } | Self::Up => None,
        }
    }

    /// Shows it when it is time to; returns whether that is news.
    pub(in crate::tui) fn on_tick(&mut self, now: u64) -> bool {
        match self {
            Self::Lost { since, is_shown: is_shown @ false, .. } if now >= *since + PATIENCE_NS => {
                *is_shown = true;
                true
            }
            Self::Lost { is_shown: true, .. } => true,
            Self::Lost { .. } | Self::Up => false,
        }
    }
}

impl App {
    pub(in crate::tui) fn on_connected(&mut self) {
        self.link = Link::Up;
        self.damage.chrome();
        self.ask(Ask::Subscribe);
        self.ask(Ask::Events);
        self.lose_words();
        self.copy_again();
        self.logs_again();
        let all: Vec<PaneId> = self.panes.all().map(|pane| pane.id).collect();
        for id in all {
            self.watch_in(id);
        }
    }

    pub(in crate::tui) fn on_lost(&mut self, reason: String) {
        self.link = Link::Lost { since: self.now.mono, reason, is_shown: false, next: None };
        for pane in self.panes.all_mut() {
            pane.lost();
            pane.told = None;
            let typed = match std::mem::take(&mut pane.control) {
                Control::None => continue,
                Control::Held => Vec::new(),
                Control::Asking { typed, .. } => typed,
            };
            // Whoever has it by then keeps it.
            pane.control = Control::Asking { steal: false, is_return: true, typed };
        }
    }

    pub(in crate::tui) fn on_still_lost(&mut self, why: String, at: u64) {
        if let Link::Lost { reason, next, .. } = &mut self.link {
            *next = Some(at);
            *reason = why;
            self.damage.chrome();
        }
    }
}
