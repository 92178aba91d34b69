//! What happens to sessions: one bounded log in the daemon, and a cursor into it for each subscriber.
//!
//! There is no queue per subscriber: the log is the queue. *Invariant:* a subscriber gets every event once and in order, or the
//! exact number of those it missed. Numbers count within one life of the daemon, its epoch.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::daemon::hub::Hub;
use crate::daemon::hub::Peer;
use crate::platform::clock;
use crate::protocol::verbs::Happened;
use crate::protocol::verbs::Overrun;
use crate::protocol::verbs::What;
use crate::session::id::SessionId;
use crate::session::target;
use crate::session::target::Candidate;

/// Events that are kept for slow and returning subscribers.
const KEPT: usize = 4096;

/// One event, and what it is selected by beside its fields.
struct Entry {
    happened: Happened,
    tags: Rc<[String]>,
}

/// See the module.
pub struct EventLog {
    /// Which life of the daemon.
    pub epoch: u64,
    ring: RefCell<VecDeque<Entry>>,
    last: Cell<u64>,
    news: Notify,
}

impl EventLog {
    /// Starts empty.
    pub fn new() -> Self {
        Self { epoch: clock::wall_ms(), ring: RefCell::default(), last: Cell::new(0), news: Notify::new() }
    }

    /// Returns the number of the newest event.
    pub fn last(&self) -> u64 {
        self.last.get()
    }

    /// Notes an event.
    pub fn note(&self, id: SessionId, name: &str, tags: &[String], what: What) {
        let seq = self.last.get() + 1;
        self.last.set(seq);
        let happened = Happened { seq, at_ms: clock::wall_ms(), id, name: name.to_owned(), what };
        let mut ring = self.ring.borrow_mut();
        if ring.len() == KEPT {
            ring.pop_front();
        }
        ring.push_back(Entry { happened, tags: tags.into() });
        drop(ring);
        self.news.notify_waiters();
    }

    /// Returns the number of the oldest event that is kept.
    fn oldest(&self) -> u64 {
        self.ring.borrow().front().map_or(self.last.get() + 1, |entry| entry.happened.seq)
    }

    /// Returns the event with this number, if the filter wants it.
    fn get(&self, seq: u64, filter: &Filter) -> Option<Happened> {
        let ring = self.ring.borrow();
        let first = ring.front()?.happened.seq;
        let entry = ring.get(usize::try_from(seq.checked_sub(first)?).ok()?)?;
        filter.wants(&entry.happened, &entry.tags).then(|| entry.happened.clone())
    }
}

/// Which events a subscriber wants.
#[derive(Default)]
pub struct Filter {
    /// None means every session.
    pub is_all: bool,
    /// Sessions that were named.
    pub ids: Vec<SessionId>,
    /// Globs and tags, which also take sessions that come later.
    pub patterns: Vec<String>,
    /// None means every kind.
    pub kinds: Vec<String>,
}

impl Filter {
    fn wants(&self, happened: &Happened, tags: &[String]) -> bool {
        let Happened { id, name, what, .. } = happened;
        let candidate = [Candidate { id: *id, name, tags, service: None }];
        let is_meant = |pattern: &String| target::select(pattern, &candidate).is_ok_and(|ids| !ids.is_empty());
        let is_of_session = self.is_all || self.ids.contains(id) || self.patterns.iter().any(is_meant);
        is_of_session && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == what.kind()))
    }
}

/// Ends that earlier daemons noted behind this place, an epoch and a number: a daemon that is killed takes its log along,
/// and a subscriber that comes back may not have got them. Their number is 0: it counted in another epoch.
pub fn owed(hub: &Hub, place: (u64, u64), filter: &Filter) -> Vec<Happened> {
    let epoch = hub.events.epoch;
    let mut owed = Vec::new();
    for session in hub.registry.borrow().sessions() {
        if session.end_told().is_none_or(|told| told <= place || told.0 == epoch) {
            continue;
        }
        let status = session.status();
        let Some(end) = status.end().cloned() else { continue };
        let (at_ms, what) = (end.at_ms, What::Ended { end });
        let happened = Happened { seq: 0, at_ms, id: session.id, name: status.name, what };
        if filter.wants(&happened, &status.tags) {
            owed.push(happened);
        }
    }
    owed
}

/// Sends events to one subscriber, from the one behind `since` on, until it leaves or subscribes anew.
pub async fn send(hub: Rc<Hub>, peer: Rc<Peer>, turn: u64, since: u64, filter: Filter) {
    let log = &hub.events;
    let mut next = since + 1;
    loop {
        let news = log.news.notified();
        let renewed = peer.renewed.notified();
        if peer.subscription.get() != turn || !peer.outbox.has_room().await {
            return;
        }
        let oldest = log.oldest();
        if next < oldest {
            peer.outbox.notify(&Overrun { missed: oldest - next, next: oldest });
            next = oldest;
        } else if next <= log.last() {
            if let Some(happened) = log.get(next, &filter) {
                peer.outbox.notify(&happened);
            }
            next += 1;
        } else {
            tokio::select! {
                () = news => {}
                () = renewed => {}
                () = peer.outbox.closed() => return,
            }
        }
    }
}
