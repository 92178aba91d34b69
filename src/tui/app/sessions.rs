//! The list: sessions in the daemon's order, one of them selected by its id.
//!
//! *Invariant:* rows never change places by themselves, and what happens to other rows never moves the selection.

use crate::session::id::SessionId;
use crate::session::status::State;
use crate::session::status::Status;
use crate::tui::app::App;
use crate::tui::app::Mode;

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    rows: Vec<Status>,
    selected: Option<SessionId>,
    /// What was selected before.
    pub last: Option<SessionId>,
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

    pub(in crate::tui) const fn select(&mut self, id: Option<SessionId>) {
        self.selected = id;
    }

    /// Takes all rows: those that were there keep their places, also with another session.
    fn replace(&mut self, rows: Vec<Status>) {
        let before = std::mem::take(&mut self.rows);
        let (mut known, new): (Vec<Status>, Vec<Status>) =
            rows.into_iter().partition(|row| before.iter().any(|old| old.id == row.id || is_same_service(old, row)));
        let place = |row: &Status| before.iter().position(|old| old.id == row.id || is_same_service(old, row));
        known.sort_by_key(place);
        self.rows = known;
        for row in new {
            self.put(row);
        }
        self.is_known = true;
    }

    /// Returns the session that a service has instead of this one.
    fn successor(&self, old: &Status) -> Option<SessionId> {
        let is_heir = |row: &&Status| row.id != old.id && is_same_service(old, row);
        self.rows.iter().rev().find(is_heir).map(|row| row.id)
    }

    /// Adds or renews a row; returns the state it had.
    fn put(&mut self, status: Status) -> Option<State> {
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == status.id) {
            return Some(std::mem::replace(row, status).state);
        }
        // The next session of a service stands where the last one does.
        let heir = self.rows.iter().rposition(|row| is_same_service(row, &status)).map(|at| at + 1);
        let behind = || self.rows.iter().rposition(|row| row.id < status.id).map_or(0, |at| at + 1);
        self.rows.insert(heir.unwrap_or_else(behind), status);
        None
    }

    /// Takes what changes without being told: how much was said, and when.
    pub(super) fn refresh(&mut self, fresh: &Status) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == fresh.id) {
            row.output_ms = fresh.output_ms;
            row.output_bytes = fresh.output_bytes;
            row.oldest = fresh.oldest;
        }
    }

    /// Removes a row and returns it.
    fn remove(&mut self, id: SessionId) -> Option<Status> {
        let at = self.rows.iter().position(|row| row.id == id)?;
        Some(self.rows.remove(at))
    }
}

/// Returns whether two sessions are of the same instance of a service: one came after the other.
fn is_same_service(one: &Status, other: &Status) -> bool {
    let of = |status: &Status| status.service.as_ref().map(|service| (service.service.clone(), service.instance));
    one.service.is_some() && of(one) == of(other)
}

impl App {
    pub(in crate::tui) fn on_listing(&mut self, rows: Vec<Status>) {
        let ended: Vec<SessionId> = rows
            .iter()
            .filter(|row| row.end().is_some() && self.sessions.get(row.id).is_some_and(|was| was.end().is_none()))
            .map(|row| row.id)
            .collect();
        let is_gone = |row: &&Status| rows.iter().all(|other| other.id != row.id);
        let gone: Vec<Status> = self.sessions.rows().iter().filter(is_gone).cloned().collect();
        self.past.note_all(&rows, self.now.wall_ms);
        self.sessions.replace(rows);
        for gone in gone {
            if let Some(heir) = self.sessions.successor(&gone) {
                self.succeed(gone.id, heir);
            }
        }
        for id in self.panes.all().filter_map(|pane| pane.session).collect::<Vec<_>>() {
            if self.sessions.get(id).is_none() && self.mode == Mode::Dashboard {
                self.forget(id);
            }
        }
        self.samples.start(self.sessions.rows(), self.now.mono);
        self.plan_ages();
        self.refresh_list();
        self.look_up_branches();
        for id in ended {
            self.on_ended_elsewhere(id);
        }
        if self.mode == Mode::Single {
            return;
        }
        self.sync_grid();
        if let Some((name, layout)) = self.layout_wish.take() {
            self.open_layout(&name, &layout);
        }
        if std::mem::take(&mut self.is_for_services) {
            self.go_to_services();
        }
        if let Some(name) = self.wished.take() {
            let wished = self.sessions.rows().iter().find(|status| status.name == name).map(|status| status.id);
            self.show(wished);
        }
        if self.sessions.selected().is_none() {
            let first = self.list.rows().next();
            self.show(first);
        }
    }

    pub(in crate::tui) fn on_changed(&mut self, status: Status) {
        let (id, has_ended) = (status.id, status.end().is_some());
        let is_visible = self.layout().list.is_some() || self.overlay.is_some() || self.panes.len() > 1;
        self.past.note(&status, self.now.wall_ms);
        let before = self.sessions.put(status);
        let is_new = before.is_none();
        let is_other_state = before.as_ref() != self.sessions.get(id).map(|status| &status.state);
        if is_visible || is_other_state {
            self.refresh_list();
        }
        self.plan_ages();
        if is_other_state {
            self.on_other_run(id);
        }
        if has_ended {
            self.start_over(id);
        }
        if is_new {
            self.sync_grid();
            self.samples.start(self.sessions.rows(), self.now.mono);
            self.look_up_branches();
        }
        if self.sessions.selected_id().is_none() && self.mode == Mode::Dashboard {
            self.show(Some(id));
        } else if has_ended && is_other_state && !is_new {
            self.on_ended_elsewhere(id);
        }
    }

    fn on_ended_elsewhere(&mut self, id: SessionId) {
        let panes: Vec<_> = self.panes.all().filter(|pane| pane.session == Some(id)).map(|pane| pane.id).collect();
        for pane in panes {
            self.on_end(pane);
        }
    }

    pub(in crate::tui) fn on_removed(&mut self, id: SessionId) {
        let was_selected = self.sessions.selected_id() == Some(id);
        let line = self.list.rows().position(|row| row == id);
        let Some(gone) = self.sessions.remove(id) else { return };
        let heir = self.sessions.successor(&gone);
        if let Some(heir) = heir.filter(|_| self.list.marked.contains(&id)) {
            self.list.marked.insert(heir);
        }
        self.samples.forget(id);
        self.alerts.forget(id);
        self.past.forget(id);
        self.ending.retain(|known| *known != id);
        self.on_free(id);
        self.plan_ages();
        self.refresh_list();
        if was_selected && self.mode == Mode::Single {
            self.leave();
            return;
        }
        if let Some(heir) = heir {
            self.succeed(id, heir);
            self.forget(id);
            return;
        }
        let next = line.and_then(|at| self.list.rows().nth(at)).or_else(|| self.list.rows().last());
        if was_selected {
            self.lose_keyboard();
            self.show(next);
        }
        self.forget(id);
    }

    /// Panes of a session that is no more show nothing; the focused one shows another.
    fn forget(&mut self, id: SessionId) {
        let gone: Vec<_> = self.panes.all().filter(|pane| pane.session == Some(id)).map(|pane| pane.id).collect();
        for pane in gone {
            self.unwatch_in(pane);
            if let Some(pane) = self.panes.get_mut(pane) {
                pane.aim(String::new());
            }
        }
        if self.sessions.selected_id() == Some(id) {
            self.sessions.select(None);
        }
    }

    /// Selects a session and shows it in the focused pane; nothing else of it changes.
    pub(in crate::tui) fn show(&mut self, id: Option<SessionId>) {
        self.drop_copy_of(self.panes.focused_id());
        self.unwatch();
        if let Some(before) = self.sessions.selected_id().filter(|before| Some(*before) != id) {
            self.sessions.last = Some(before);
        }
        self.sessions.select(id);
        if let Some(id) = id {
            self.seen(id);
        }
        self.keep_in_view();
        self.damage.chrome();
        if let Some(id) = id {
            let pane = self.panes.focused_mut();
            pane.aim(id.to_string());
            pane.session = Some(id);
            self.watch();
        }
    }

    /// Returns whether the dashboard itself runs in a session.
    #[must_use]
    pub fn is_own(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|status| self.ancestors.contains(&status.pid))
    }
}
