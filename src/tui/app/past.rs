//! The states that sessions had, as far as they are known: from what sessions say of their start and end, and from what was seen.

use std::collections::HashMap;

use crate::session::id::SessionId;
use crate::session::status::Status;

/// Most states that are kept of a session.
const KEPT: usize = 100;

/// See the module.
#[derive(Debug, Default)]
pub struct Past {
    states: HashMap<SessionId, Vec<(u64, String)>>,
}

impl Past {
    /// Returns the states of a session, the oldest first: since when in wall-clock milliseconds, and the word.
    #[must_use]
    pub fn of(&self, id: SessionId) -> &[(u64, String)] {
        self.states.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(in crate::tui) fn note_all(&mut self, rows: &[Status], now_ms: u64) {
        for status in rows {
            self.note(status, now_ms);
        }
    }

    /// Takes the state of a session; the same as before is no news.
    pub(in crate::tui) fn note(&mut self, status: &Status, now_ms: u64) {
        let states = self.states.entry(status.id).or_default();
        if states.is_empty() && status.started_ms > 0 {
            // It runs before anything else; a service says by itself what it is.
            let first =
                if status.service.is_some() && status.end().is_none() { status.word() } else { "running".into() };
            states.push((status.started_ms, first));
        }
        let word = status.word();
        if states.last().is_some_and(|(_, last)| *last == word) {
            return;
        }
        if states.len() == KEPT {
            // How it began stays.
            states.remove(1);
        }
        states.push((status.end().map_or(now_ms, |end| end.at_ms), word));
    }

    pub(in crate::tui) fn forget(&mut self, id: SessionId) {
        self.states.remove(&id);
    }
}
