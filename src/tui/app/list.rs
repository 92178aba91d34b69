//! How sessions are listed: filtered, grouped, marked. The order is the daemon's and never changes by itself.
//!
//! *Invariant:* what is selected is a session, by its id; a filter that hides it selects another one only when it is accepted.

use std::collections::BTreeSet;

use crate::session::id::SessionId;
use crate::session::service::status::ServiceState;
use crate::session::service::status::ServiceStatus;
use crate::session::status::State;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::filter::Filter;
use crate::tui::line::Line;

/// By what sessions are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// Not at all.
    #[default]
    None,
    /// Running, stopping, ended.
    State,
    /// Their first tag.
    Tag,
    /// The tool that asked for them.
    Originator,
    /// The namespace of services; sessions that are none come last.
    Namespace,
    /// Their directory.
    Directory,
}

impl Grouping {
    /// Returns what it is called.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::State => "state",
            Self::Tag => "tag",
            Self::Originator => "originator",
            Self::Namespace => "namespace",
            Self::Directory => "directory",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::None => Self::State,
            Self::State => Self::Tag,
            Self::Tag => Self::Originator,
            Self::Originator => Self::Namespace,
            Self::Namespace => Self::Directory,
            Self::Directory => Self::None,
        }
    }

    /// Returns the group of a session, with what it is sorted by.
    fn of(self, status: &Status) -> (u8, String) {
        let or = |text: Option<String>, else_: &str| match text {
            Some(text) if !text.is_empty() => (0, text),
            _ => (1, else_.to_owned()),
        };
        match self {
            Self::None => (0, String::new()),
            Self::State => {
                let (rank, word) = state_group(status);
                (rank, word.to_owned())
            }
            Self::Tag => or(status.tags.first().cloned(), "no tag"),
            Self::Originator => or(status.originator.clone(), "by hand"),
            Self::Namespace => or(status.service.as_ref().map(|service| service.namespace.clone()), "no service"),
            Self::Directory => or(Some(status.cwd.clone()), "no directory"),
        }
    }
}

const fn state_group(status: &Status) -> (u8, &'static str) {
    use ServiceState as Is;
    match (&status.service, &status.state) {
        (Some(ServiceStatus { state: Is::Up | Is::Ready, .. }), _) | (None, State::Running) => (0, "running"),
        (Some(ServiceStatus { state: Is::Starting | Is::Waiting, .. }), _) => (1, "starting"),
        (Some(ServiceStatus { state: Is::Backoff | Is::CrashLoop, .. }), _) => (2, "failing"),
        (Some(ServiceStatus { state: Is::Stopping, .. }), _) | (None, State::Stopping { .. }) => (3, "stopping"),
        (Some(_), _) | (None, State::Ended { .. }) => (4, "ended"),
    }
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A heading, and how many follow.
    Group(String, usize),
    /// A session.
    Row(SessionId),
}

/// See the module.
#[derive(Debug, Default)]
pub struct List {
    /// What is typed into the filter.
    pub filter: Line,
    /// Somebody types there.
    pub is_filtering: bool,
    /// Groups.
    pub grouping: Grouping,
    /// Marked sessions.
    pub marked: BTreeSet<SessionId>,
    /// It takes the whole width.
    pub is_wide: bool,
    /// The lines.
    pub items: Vec<Item>,
    /// First line that is drawn, as far as the selection allows.
    pub top: usize,
    /// What was selected before somebody typed into the filter.
    before: Option<SessionId>,
}

impl List {
    /// Returns the sessions in the order of the lines.
    pub fn rows(&self) -> impl Iterator<Item = SessionId> {
        self.items.iter().filter_map(|item| if let Item::Row(id) = item { Some(*id) } else { None })
    }

    /// Returns the line of a session.
    #[must_use]
    pub fn line_of(&self, id: SessionId) -> Option<usize> {
        self.items.iter().position(|item| *item == Item::Row(id))
    }

    fn refresh(&mut self, rows: &[Status], removed: &[SessionId]) {
        let filter = Filter::of(&self.filter.text());
        let is_here = |status: &&Status| !removed.contains(&status.id);
        let passing = rows.iter().filter(is_here).filter(|status| filter.is_empty() || filter.passes(status));
        self.marked.retain(|id| rows.iter().any(|status| status.id == *id));
        if self.grouping == Grouping::None {
            self.items = passing.map(|status| Item::Row(status.id)).collect();
            return;
        }
        let mut groups: Vec<((u8, String), Vec<SessionId>)> = Vec::new();
        for status in passing {
            let key = self.grouping.of(status);
            match groups.binary_search_by(|(known, _)| known.cmp(&key)) {
                Ok(at) => groups[at].1.push(status.id),
                Err(at) => groups.insert(at, (key, vec![status.id])),
            }
        }
        self.items.clear();
        for ((_, name), ids) in groups {
            self.items.push(Item::Group(text::clean(&name), ids.len()));
            self.items.extend(ids.into_iter().map(Item::Row));
        }
    }
}

impl App {
    /// Makes the lines anew; something of what there is or of how it is listed changed.
    pub(in crate::tui) fn refresh_list(&mut self) {
        let removed: Vec<SessionId> = self.removing.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        self.list.refresh(self.sessions.rows(), &removed);
        self.damage.chrome();
    }

    /// Scrolls as little as the selected line needs.
    pub(in crate::tui) fn keep_in_view(&mut self) {
        if let Some(area) = self.layout().list {
            self.list.top = crate::tui::view::first_visible(self, usize::from(area.height.saturating_sub(1)));
        }
    }

    /// Moves the selection by so many rows, without going round.
    pub(in crate::tui) fn step(&mut self, by: isize) {
        let rows: Vec<SessionId> = self.list.rows().collect();
        let last = rows.len().saturating_sub(1);
        let at = self.sessions.selected_id().and_then(|id| rows.iter().position(|known| *known == id));
        self.select_at(at.map_or(0, |at| at.saturating_add_signed(by).min(last)));
    }

    /// Moves the selection by so many screens of rows.
    pub(in crate::tui) fn page(&mut self, by: isize) {
        let rows = self.layout().list.map_or(10, |area| area.height.saturating_sub(2).max(1));
        self.step(by * rows.cast_signed() as isize);
    }

    /// Selects the row at a place.
    pub(in crate::tui) fn select_at(&mut self, at: usize) {
        let id = self.list.rows().nth(at);
        if id.is_some() && id != self.sessions.selected_id() {
            self.show(id);
        }
    }

    pub(in crate::tui) fn select_last(&mut self) {
        self.select_at(self.list.rows().count().saturating_sub(1));
    }

    pub(in crate::tui) fn start_filter(&mut self) {
        self.show_list();
        self.list.is_filtering = true;
        self.list.before = self.sessions.selected_id();
        self.damage.chrome();
    }

    /// Something of the filter changed.
    pub(in crate::tui) fn on_filter(&mut self) {
        self.refresh_list();
        let is_listed = |id: &SessionId| self.list.line_of(*id).is_some();
        let before = self.list.before.filter(is_listed);
        let selected = self.sessions.selected_id().filter(is_listed);
        let wanted = self.meant(before.or(selected)).or(selected).or(before).or_else(|| self.list.rows().next());
        if wanted.is_some() && wanted != self.sessions.selected_id() {
            self.show(wanted);
        }
    }

    /// Returns the listed session whose name is meant most probably: that of just this name, else the one that was selected if its name
    /// fits, else the best; none if only other things than names fit.
    fn meant(&self, before: Option<SessionId>) -> Option<SessionId> {
        let filter = Filter::of(&self.list.filter.text());
        let named = |id: SessionId| Some((filter.fits_name(&self.sessions.get(id)?.name)?, id));
        let (best, id) = self.list.rows().filter_map(named).min_by_key(|(score, _)| std::cmp::Reverse(*score))?;
        let is_exact = best == i32::MAX;
        before.filter(|id| !is_exact && named(*id).is_some()).or(Some(id))
    }

    /// Keeps the filter and goes back to the rows.
    pub(in crate::tui) fn accept_filter(&mut self) {
        self.list.is_filtering = false;
        self.damage.chrome();
    }

    /// Shows everything again, with what was selected before.
    pub(in crate::tui) fn clear_filter(&mut self) {
        let was_filtering = std::mem::take(&mut self.list.is_filtering);
        self.list.filter.clear();
        self.refresh_list();
        let before = self.list.before.take().filter(|id| was_filtering && self.sessions.get(*id).is_some());
        if before.is_some() && before != self.sessions.selected_id() {
            self.show(before);
        }
    }

    pub(in crate::tui) fn next_grouping(&mut self) {
        self.list.grouping = self.list.grouping.next();
        self.refresh_list();
        self.say(format!("Grouped by {}.", self.list.grouping.word()));
    }

    pub(in crate::tui) fn toggle_wide(&mut self) {
        self.show_list();
        self.list.is_wide = !self.list.is_wide;
        self.samples.wake(self.now.mono);
        self.damage.chrome();
    }

    /// Marks or unmarks the selected row, and goes to the next.
    pub(in crate::tui) fn mark_row(&mut self) {
        let Some(id) = self.sessions.selected_id() else { return };
        if !self.list.marked.remove(&id) {
            self.list.marked.insert(id);
        }
        self.damage.chrome();
        self.step(1);
    }

    /// Marks all that are listed; unmarks them if they all are.
    pub(in crate::tui) fn mark_all(&mut self) {
        let listed: BTreeSet<SessionId> = self.list.rows().collect();
        if listed.is_subset(&self.list.marked) {
            self.list.marked.clear();
        } else {
            self.list.marked.extend(listed);
        }
        self.damage.chrome();
    }

    /// Returns the marked sessions in their order, or the selected one.
    #[must_use]
    pub fn chosen(&self) -> Vec<SessionId> {
        if self.list.marked.is_empty() {
            return self.sessions.selected_id().into_iter().collect();
        }
        self.sessions.rows().iter().map(|status| status.id).filter(|id| self.list.marked.contains(id)).collect()
    }
}
