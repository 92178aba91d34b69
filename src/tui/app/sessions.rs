//! The list: sessions in the daemon's order, one of them selected by its id.
//!
//! *Invariant:* rows never change places by themselves, and what happens to other rows never moves the selection.

use crate::session::id::SessionId;
use crate::session::status::State;
use crate::session::status::Status;
use crate::tui::app::App;
use crate::tui::app::Effect;
use crate::tui::app::Mode;

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    rows: Vec<Status>,
    selected: Option<SessionId>,
    /// The daemon has said what there is.
    is_known: bool,
}

impl Sessions {
    /// Returns the rows.
    #[must_use]
    pub fn rows(&self) -> &[Status] {
        &self.rows
    }

    /// Returns whether the daemon has said what there is.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Returns the selected session.
    #[must_use]
    pub fn selected(&self) -> Option<&Status> {
        self.get(self.selected?)
    }

    /// Returns the id of the selected session, which may not be in the list yet.
    #[must_use]
    pub const fn selected_id(&self) -> Option<SessionId> {
        self.selected
    }

    /// Returns the place of the selected session.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.rows.iter().position(|status| Some(status.id) == self.selected)
    }

    /// Returns a session.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&Status> {
        self.rows.iter().find(|status| status.id == id)
    }

    /// Returns how many sessions have not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        self.rows.iter().filter(|status| status.end().is_none()).count()
    }

    pub(super) const fn select(&mut self, id: Option<SessionId>) {
        self.selected = id;
    }

    fn replace(&mut self, rows: Vec<Status>) {
        self.rows = rows;
        self.is_known = true;
    }

    /// Adds or renews a row; returns the state it had.
    fn put(&mut self, status: Status) -> Option<State> {
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == status.id) {
            return Some(std::mem::replace(row, status).state);
        }
        let at = self.rows.partition_point(|row| row.id < status.id);
        self.rows.insert(at, status);
        None
    }

    /// Removes a row; returns where it was.
    fn remove(&mut self, id: SessionId) -> Option<usize> {
        let at = self.rows.iter().position(|row| row.id == id)?;
        self.rows.remove(at);
        Some(at)
    }
}

impl App {
    pub(super) fn on_listing(&mut self, rows: Vec<Status>) {
        self.sessions.replace(rows);
        self.plan_ages();
        self.damage.chrome();
        if self.mode == Mode::Single {
            return;
        }
        let is_there = self.sessions.selected().is_some();
        let first = self.sessions.rows().first().map(|status| status.id);
        if !is_there {
            self.show(first);
        }
    }

    pub(super) fn on_changed(&mut self, status: Status) {
        let (id, has_ended) = (status.id, status.end().is_some());
        let is_visible = self.layout().list.is_some() || self.overlay.is_some();
        let before = self.sessions.put(status);
        let is_other_state = before.as_ref() != self.sessions.get(id).map(|status| &status.state);
        if is_visible || is_other_state {
            self.damage.chrome();
        }
        if is_other_state {
            self.plan_ages();
        }
        let is_selected = self.sessions.selected_id() == Some(id);
        if self.sessions.selected_id().is_none() && self.mode == Mode::Dashboard {
            self.show(Some(id));
        } else if is_selected && has_ended && is_other_state && before.is_some() {
            self.on_end();
        }
    }

    pub(super) fn on_removed(&mut self, id: SessionId) {
        let was_selected = self.sessions.selected_id() == Some(id);
        let Some(at) = self.sessions.remove(id) else { return };
        self.damage.chrome();
        self.plan_ages();
        if was_selected && self.mode == Mode::Single {
            self.leave();
        } else if was_selected {
            let rows = self.sessions.rows();
            let next = rows.get(at).or_else(|| rows.last()).map(|status| status.id);
            self.lose_keyboard();
            self.show(next);
        }
    }

    /// Moves the selection by so many rows, without going round.
    pub(super) fn step(&mut self, by: isize) {
        let last = self.sessions.rows().len().saturating_sub(1);
        let at = self.sessions.position().unwrap_or(0).saturating_add_signed(by).min(last);
        self.select_at(at);
    }

    /// Selects the row at a place.
    pub(super) fn select_at(&mut self, at: usize) {
        let id = self.sessions.rows().get(at).map(|status| status.id);
        if id.is_some() && id != self.sessions.selected_id() {
            self.show(id);
        }
    }

    /// Selects and watches a session; nothing else of it changes.
    pub(super) fn show(&mut self, id: Option<SessionId>) {
        self.unwatch();
        self.sessions.select(id);
        self.theft = None;
        self.damage.chrome();
        if let Some(id) = id {
            self.pane.aim(id.to_string());
            self.watch();
        }
    }

    /// Returns whether the dashboard itself runs in a session.
    #[must_use]
    pub fn is_own(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|status| self.ancestors.contains(&status.pid))
    }

    pub(super) fn ask(&mut self, ask: super::Ask) {
        self.effects.push(Effect::Ask(ask));
    }
}
