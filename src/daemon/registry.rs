//! All sessions in the order they were started, and the ones that were lost with a keeper.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::rc::Rc;

use crate::daemon::session::Session;
use crate::protocol::verbs::Filter;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::originator;
use crate::session::spec::name_from;
use crate::session::status::Status;
use crate::session::target;
use crate::session::target::Candidate;
use crate::session::target::TargetError;
use crate::session::text;

/// See the module.
#[derive(Default)]
pub struct Registry {
    sessions: BTreeMap<SessionId, Rc<Session>>,
    lost: BTreeMap<SessionId, Status>,
}

impl Registry {
    /// Adds a session.
    pub fn add(&mut self, session: Rc<Session>) {
        self.sessions.insert(session.id, session);
    }

    /// Adds what is left of a session whose keeper died.
    pub fn add_lost(&mut self, status: Status) {
        self.lost.insert(status.id, status);
    }

    /// Shows an instance of a service that has no session.
    pub fn show_dormant(&mut self, status: Status) {
        self.lost.insert(status.id, status);
    }

    /// Gives a lost session that stands in the way of a new one another name; returns that.
    pub fn rename_lost(&mut self, name: &str) -> Option<String> {
        let id = self.lost.values().find(|status| status.name == name)?.id;
        let fresh = name_from(format!("{name}-lost").as_bytes(), |name| self.has_name(name));
        self.lost.get_mut(&id)?.name.clone_from(&fresh);
        Some(fresh)
    }

    /// Gives what is left on disk of a session of this name another one.
    pub fn rename_left(&mut self, name: &str) {
        if self.lost.values().any(|status| status.name == name && status.journal.is_some()) {
            self.rename_lost(name);
        }
    }

    /// Removes a session; a lost one leaves without a trace.
    pub fn remove(&mut self, id: SessionId) -> Option<Rc<Session>> {
        self.lost.remove(&id);
        self.sessions.remove(&id)
    }

    /// Returns a session.
    pub fn get(&self, id: SessionId) -> Option<Rc<Session>> {
        self.sessions.get(&id).cloned()
    }

    /// Returns the session that a spawn with this key made.
    pub fn by_key(&self, key: RequestKey) -> Option<Rc<Session>> {
        self.sessions.values().find(|session| session.run.borrow().key == key).cloned()
    }

    /// Returns the sessions in their order.
    pub fn sessions(&self) -> impl Iterator<Item = &Rc<Session>> {
        self.sessions.values()
    }

    /// Returns how many there are; services that never ran in this keeper's life are on disk and not counted.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.lost.values().filter(|status| status.service.is_none()).count()
    }

    /// Returns whether there is anything that would be lost if nobody was there; what is left of a lost session on disk is not.
    pub fn holds_something(&self) -> bool {
        !self.sessions.is_empty() || self.lost.values().any(|status| status.journal.is_none())
    }

    /// Returns what may be seen of one.
    pub fn status(&self, id: SessionId) -> Option<Status> {
        self.sessions.get(&id).map(|session| session.status()).or_else(|| self.lost.get(&id).cloned())
    }

    /// Returns what may be seen of all.
    pub fn statuses(&self) -> Vec<Status> {
        self.sessions.values().map(|session| session.status()).chain(self.lost.values().cloned()).collect()
    }

    /// Returns all names in use.
    pub fn names(&self) -> HashSet<String> {
        let living = self.sessions.values().map(|session| session.facts.borrow().name.clone());
        living.chain(self.lost.values().map(|status| status.name.clone())).collect()
    }

    /// Returns whether a name is in use.
    pub fn has_name(&self, name: &str) -> bool {
        self.sessions.values().any(|session| session.facts.borrow().name == name)
            || self.lost.values().any(|status| status.name == name)
    }

    /// Selects sessions by targets, each once, in their order.
    pub fn select(&self, targets: &[String]) -> Result<Vec<SessionId>, TargetError> {
        let statuses = self.statuses();
        let candidates = candidates(&statuses);
        let mut ids = Vec::new();
        for target in targets {
            ids.extend(target::select(target, &candidates)?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The same, but of several targets one that names nobody costs the others nothing: it is told beside them.
    pub fn select_each(&self, targets: &[String]) -> Result<(Vec<SessionId>, Vec<Missing>), TargetError> {
        let (found, missing) = each(targets, &candidates(&self.statuses()))?;
        Ok((found.into_keys().collect(), missing))
    }

    /// The same with a filter; `true` goes with those that were named. No target means all.
    pub fn select_some(
        &self,
        targets: &[String],
        filter: &Filter,
        is_old: impl Fn(&Status) -> bool,
    ) -> Result<Selected, TargetError> {
        let statuses = self.statuses();
        let candidates = candidates(&statuses);
        let (mut found, missing) = each(targets, &candidates)?;
        if targets.is_empty() {
            found.extend(candidates.iter().map(|candidate| (candidate.id, false)));
        }
        let is_meant = |status: &Status| {
            originator::is_of(&filter.originator, status.originator.as_deref())
                && (filter.older_than_ms == 0 || is_old(status))
        };
        let meant = statuses.into_iter().filter(is_meant);
        let meant = meant.filter_map(|status| found.get(&status.id).map(|is_named| (status, *is_named)));
        Ok((meant.collect(), missing))
    }

    /// Selects exactly one session.
    pub fn one(&self, target: &str) -> Result<SessionId, TargetError> {
        target::one(target, &candidates(&self.statuses()))
    }

    /// Returns the ended sessions beyond the newest `kept` and beyond `room` bytes; the newest one is never among them.
    pub fn surplus(&self, (kept, room): (usize, u64)) -> Vec<SessionId> {
        let mut ended: Vec<(u64, SessionId, u64)> = self
            .sessions
            .values()
            .filter(|session| session.facts.borrow().service.is_none())
            .filter_map(|session| Some((session.status.borrow().end()?.at_ms, session.id, session.held_bytes())))
            .collect();
        ended.sort_unstable_by_key(|(at, id, _)| std::cmp::Reverse((*at, *id)));
        let sizes: Vec<u64> = ended.iter().map(|(.., bytes)| *bytes).collect();
        ended.into_iter().skip(kept_of(&sizes, kept, room)).map(|(_, id, _)| id).collect()
    }

    /// Returns how many sessions have ended and are kept, and how many bytes of memory they hold.
    pub fn ended(&self) -> (usize, u64) {
        let ended = self.sessions.values().filter(|session| session.status.borrow().end().is_some());
        ended.fold((0, 0), |(count, bytes), session| (count + 1, bytes + session.held_bytes()))
    }
}

/// Sessions, `true` with those that were named, and targets that name nobody.
pub type Selected = (Vec<(Status, bool)>, Vec<Missing>);

/// A target that names nobody, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// As it was written, cleaned.
    pub target: String,
    /// Why.
    pub error: TargetError,
}

/// What several targets select, `true` with those that were named, and those of them that name nobody. A lone one that does
/// so is refused: there is nothing else to tell.
fn each(
    targets: &[String],
    candidates: &[Candidate<'_>],
) -> Result<(BTreeMap<SessionId, bool>, Vec<Missing>), TargetError> {
    let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
    for target in targets {
        match target::select(target, candidates) {
            Ok(ids) => ids.into_iter().for_each(|id| *found.entry(id).or_default() |= target::is_name(target)),
            Err(error) if targets.len() == 1 => return Err(error),
            Err(error) => missing.push(Missing { target: text::shorten(target, 80), error }),
        }
    }
    Ok((found, missing))
}

/// Returns how many of the newest are kept, given the sizes of all, the newest first.
fn kept_of(sizes: &[u64], kept: usize, room: u64) -> usize {
    let mut held = 0_u64;
    let fitting = sizes.iter().take_while(|bytes| {
        held = held.saturating_add(**bytes);
        held <= room
    });
    fitting.count().min(kept).max(1).min(sizes.len())
}

fn candidates(statuses: &[Status]) -> Vec<Candidate<'_>> {
    statuses.iter().map(candidate).collect()
}

fn candidate(status: &Status) -> Candidate<'_> {
    let service = status.service.as_ref().map(|service| (service.service.as_str(), service.namespace.as_str()));
    Candidate { id: status.id, name: &status.name, tags: &status.tags, service }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_targets_those_that_name_nobody_are_told_beside_the_others() {
        let sessions = [(1, "web"), (2, "worker")].map(|(id, name)| Candidate {
            id: SessionId(id),
            name,
            tags: &[],
            service: None,
        });
        let targets = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (found, missing) = each(&targets(&["nobody", "web", "w*", "w"]), &sessions).expect("several");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(SessionId(1), true), (SessionId(2), false)]);
        assert_eq!(missing.iter().map(|missing| missing.target.as_str()).collect::<Vec<_>>(), ["nobody", "w"]);
        assert!(matches!(each(&targets(&["nobody"]), &sessions), Err(TargetError::Unknown { .. })));
        assert!(each(&[], &sessions).is_ok_and(|(found, missing)| found.is_empty() && missing.is_empty()));
    }

    #[test]
    fn w22_ended_sessions_are_kept_by_number_and_by_bytes_and_the_newest_always() {
        for (sizes, kept, room, wanted) in [
            (&[10, 10, 10][..], 100, 100, 3),
            (&[10, 10, 10], 2, 100, 2),
            (&[10, 10, 10], 100, 25, 2),
            (&[10, 500, 1], 100, 25, 1),
            (&[500, 1], 100, 25, 1),
            (&[10, 10], 0, 0, 1),
            (&[u64::MAX, u64::MAX], 100, u64::MAX, 2),
            (&[], 0, 0, 0),
        ] {
            assert_eq!(kept_of(sizes, kept, room), wanted, "{sizes:?} {kept} {room}");
        }
    }
}
