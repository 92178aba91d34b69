//! All sessions in the order they were started, and the ones that were lost with a keeper.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::daemon::session::Session;
use crate::protocol::verbs::Filter;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::originator;
use crate::session::status::Status;
use crate::session::target;
use crate::session::target::Candidate;
use crate::session::target::TargetError;

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
        self.sessions.values().find(|session| session.handover.key == key).cloned()
    }

    /// Returns the sessions in their order.
    pub fn sessions(&self) -> impl Iterator<Item = &Rc<Session>> {
        self.sessions.values()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.lost.len()
    }

    /// Returns what may be seen of one.
    pub fn status(&self, id: SessionId) -> Option<Status> {
        self.sessions.get(&id).map(|session| session.status()).or_else(|| self.lost.get(&id).cloned())
    }

    /// Returns what may be seen of all.
    pub fn statuses(&self) -> Vec<Status> {
        self.sessions.values().map(|session| session.status()).chain(self.lost.values().cloned()).collect()
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

    /// Selects sessions by targets and a filter; `true` goes with those that were named. No target means all.
    pub fn select_some(
        &self,
        targets: &[String],
        filter: &Filter,
        is_old: impl Fn(&Status) -> bool,
    ) -> Result<Vec<(Status, bool)>, TargetError> {
        let statuses = self.statuses();
        let candidates = candidates(&statuses);
        let mut found: BTreeMap<SessionId, bool> = BTreeMap::new();
        if targets.is_empty() {
            found.extend(candidates.iter().map(|candidate| (candidate.id, false)));
        }
        for target in targets {
            for id in target::select(target, &candidates)? {
                *found.entry(id).or_default() |= target::is_name(target);
            }
        }
        let is_meant = |status: &Status| {
            originator::is_of(&filter.originator, status.originator.as_deref())
                && (filter.older_than_ms == 0 || is_old(status))
        };
        let meant = statuses.into_iter().filter(is_meant);
        Ok(meant.filter_map(|status| found.get(&status.id).map(|is_named| (status, *is_named))).collect())
    }

    /// Selects exactly one session.
    pub fn one(&self, target: &str) -> Result<SessionId, TargetError> {
        target::one(target, &candidates(&self.statuses()))
    }

    /// Returns the ended sessions beyond the newest `kept`.
    pub fn surplus(&self, kept: usize) -> Vec<SessionId> {
        let mut ended: Vec<(u64, SessionId)> = self
            .sessions
            .values()
            .filter_map(|session| Some((session.status.borrow().end()?.at_ms, session.id)))
            .collect();
        ended.sort_unstable();
        ended.truncate(ended.len().saturating_sub(kept));
        ended.into_iter().map(|(_, id)| id).collect()
    }
}

fn candidates(statuses: &[Status]) -> Vec<Candidate<'_>> {
    statuses.iter().map(|status| Candidate { id: status.id, name: &status.name, tags: &status.tags }).collect()
}
