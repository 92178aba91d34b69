//! The tees as the daemon sees them: what the keeper handed over, and what their memories say.
//!
//! Nothing of a tee is the daemon's: its process is the keeper's, its cursor and counts are in its own memory.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::daemon::patience::Patience;
use crate::history::Memory;
use crate::history::layout;
use crate::platform::memory;
use crate::platform::memory::Access;
use crate::platform::memory::Mapping;
use crate::platform::sink;
use crate::protocol::keeper::ORDER_LIMIT;
use crate::protocol::keeper::TeeHandover;
use crate::protocol::message;
use crate::protocol::verbs::TeeInfo;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::id::TeeId;
use crate::session::tee::Policy;
use crate::session::tee::TeeFile;
use crate::session::tee::TeeOrder;
use crate::session::tee::TeeSpec;
use crate::session::tee::TeeStatus;
use crate::session::tee::word;

/// One tee.
pub struct Tee {
    /// What the keeper said.
    pub handover: TeeHandover,
    spec: TeeSpec,
    /// Its first byte of the history.
    pub from: u64,
    started_ms: u64,
    file: Option<TeeFile>,
    memory: Mapping,
    /// Where input that was written to the program is passed on.
    input: Option<OwnedFd>,
    /// Its process is gone.
    is_gone: Cell<bool>,
    /// How long it may be behind.
    patience: Patience,
    /// What held the trim line when that was last looked at.
    seen_hold: Cell<u64>,
}

impl Tee {
    /// Returns all that may be seen of it, but its session's name. `wanted`: what of the history there is and where what is
    /// wanted ends.
    pub fn info(&self, wanted: Range<u64>) -> TeeInfo {
        let status = TeeStatus::read(&self.memory);
        let (unread, lost) = if let Some(input) = &self.input {
            (sink::unread(input), 0)
        } else {
            let unread = wanted.end.saturating_sub(status.offset);
            (unread, status.lost(self.spec.policy, unread, wanted.start))
        };
        // One that was killed, or sleeps until its target takes more, could not say so itself.
        let status = status.settled(self.is_gone.get(), unread, lost);
        TeeInfo {
            id: self.handover.id,
            session: self.handover.session,
            name: String::new(),
            spec: self.spec.clone(),
            from: self.from,
            status,
            pid: if self.is_gone.get() { 0 } else { self.handover.pid },
            started_ms: self.started_ms,
        }
    }

    /// Returns the file it writes to, as long as it does.
    fn file(&self) -> Option<TeeFile> {
        let mut file = self.file.clone().filter(|_| !self.is_gone.get())?;
        let inode = self.memory.load(word::INODE);
        if inode != 0 {
            (file.device, file.inode) = (self.memory.load(word::DEVICE), inode);
        }
        Some(file)
    }

    fn hold(&self) -> u64 {
        if self.is_gone.get() { 0 } else { self.memory.load(word::HOLD) }
    }

    /// Passes bytes on that were written to the program; what the tee does not take now is missed.
    fn pass(&self, bytes: &[u8]) {
        let Some(input) = &self.input else { return };
        let passed = if self.is_gone.get() { 0 } else { rustix::io::write(input, bytes).unwrap_or(0) };
        let unsent = (bytes.len() - passed) as u64;
        if unsent > 0 {
            self.memory.store(word::UNSENT, self.memory.load(word::UNSENT) + unsent);
        }
    }
}

/// All of them.
#[derive(Default)]
pub struct Tees {
    all: RefCell<BTreeMap<TeeId, Rc<Tee>>>,
    /// The same by session, because every step of an actor asks for those of one.
    by_session: RefCell<BTreeMap<SessionId, Vec<Rc<Tee>>>>,
    /// Somebody may wait for the end of one.
    gone: Notify,
    /// Files of tees that are being made.
    claims: RefCell<Vec<(RequestKey, u32, TeeFile)>>,
}

/// A file that nobody else may copy to, while a tee to it is made.
pub struct Claim<'a> {
    tees: &'a Tees,
    key: RequestKey,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.tees.claims.borrow_mut().retain(|(key, _, _)| *key != self.key);
    }
}

impl Tees {
    /// Takes one over from the keeper.
    pub fn adopt(&self, handover: TeeHandover, fds: Vec<OwnedFd>) -> io::Result<()> {
        let mut fds = fds.into_iter();
        let mut next = || fds.next().ok_or_else(|| io::Error::other("a tee came with too few descriptors"));
        let memory = Mapping::open(next()?, Access::Write)?;
        layout::check(&memory, word::LEN).map_err(io::Error::other)?;
        let order: TeeOrder = message::decode(&memory::unpack(next()?, ORDER_LIMIT)?).map_err(io::Error::other)?;
        let tee = Tee {
            spec: order.spec,
            from: order.from,
            started_ms: order.started_ms,
            file: order.file,
            memory,
            input: fds.next(),
            is_gone: Cell::new(handover.pid == 0),
            seen_hold: Cell::new(0),
            patience: Patience::default(),
            handover,
        };
        let tee = Rc::new(tee);
        self.by_session.borrow_mut().entry(tee.handover.session).or_default().push(Rc::clone(&tee));
        self.all.borrow_mut().insert(tee.handover.id, tee);
        Ok(())
    }

    /// Returns one.
    pub fn get(&self, id: TeeId) -> Option<Rc<Tee>> {
        self.all.borrow().get(&id).cloned()
    }

    /// Returns the one that this request made.
    pub fn by_key(&self, key: RequestKey) -> Option<Rc<Tee>> {
        self.all.borrow().values().find(|tee| tee.handover.key == key).cloned()
    }

    /// Claims a file for a tee that is made now and keeps so many full ones, or names the tee that writes to it, if that
    /// is known yet.
    pub fn claim(&self, key: RequestKey, keep: u32, file: &TeeFile) -> Result<Claim<'_>, Option<Rc<Tee>>> {
        let is_it = |tee: &&Rc<Tee>| tee.file().is_some_and(|other| other.meets(tee.spec.keep, file, keep));
        if let Some(tee) = self.all.borrow().values().find(is_it) {
            return Err(Some(Rc::clone(tee)));
        }
        let mut claims = self.claims.borrow_mut();
        if claims.iter().any(|(other, kept, claimed)| *other != key && claimed.meets(*kept, file, keep)) {
            return Err(None);
        }
        claims.push((key, keep, file.clone()));
        Ok(Claim { tees: self, key })
    }

    /// Returns those of a session, in the order they were made.
    pub fn of(&self, session: SessionId) -> Vec<Rc<Tee>> {
        self.by_session.borrow().get(&session).cloned().unwrap_or_default()
    }

    /// Returns all, in the order they were made.
    pub fn all(&self) -> Vec<Rc<Tee>> {
        self.all.borrow().values().cloned().collect()
    }

    /// Returns their processes.
    pub fn processes(&self) -> Vec<u32> {
        self.all().iter().filter(|tee| !tee.is_gone.get()).map(|tee| tee.handover.pid).collect()
    }

    /// The process of one is gone; returns its session.
    pub fn gone(&self, id: TeeId, is_forgotten: bool) -> Option<SessionId> {
        let tee = self.get(id)?;
        tee.is_gone.set(true);
        if is_forgotten {
            self.all.borrow_mut().remove(&id);
            let mut by_session = self.by_session.borrow_mut();
            if let Some(tees) = by_session.get_mut(&tee.handover.session) {
                tees.retain(|other| other.handover.id != id);
                if tees.is_empty() {
                    by_session.remove(&tee.handover.session);
                }
            }
        }
        self.gone.notify_waiters();
        Some(tee.handover.session)
    }

    /// Waits until one is forgotten.
    pub async fn forgotten(&self, tee: &Tee) {
        loop {
            let gone = self.gone.notified();
            if self.get(tee.handover.id).is_none() {
                return;
            }
            gone.await;
        }
    }

    /// Returns the slowest cursor that holds a session's trim line: of a tee that may lose nothing as long as it takes, of
    /// any other as long as it takes something.
    pub fn hold(&self, session: SessionId, head: u64, now: u64) -> Option<u64> {
        let by_session = self.by_session.borrow();
        let holds = |tee: &Rc<Tee>| {
            let offset = tee.hold().checked_sub(1)?;
            (tee.spec.policy == Policy::Block || tee.patience.lasts(offset, head, now)).then_some(offset)
        };
        by_session.get(&session)?.iter().filter_map(holds).min()
    }

    /// Returns when the first of a session's tees that are behind loses its hold.
    pub fn patience_ends(&self, session: SessionId) -> Option<u64> {
        let by_session = self.by_session.borrow();
        let patient = by_session.get(&session)?.iter().filter(|tee| tee.spec.policy != Policy::Block);
        patient.filter_map(|tee| tee.patience.ends_at()).min()
    }

    /// Returns the sessions whose trim line may move: a cursor that holds it has moved since the last call.
    pub fn moved(&self) -> Vec<SessionId> {
        let tees = self.all.borrow();
        let has_moved = |tee: &&Rc<Tee>| {
            let hold = tee.hold();
            tee.seen_hold.replace(hold) != hold
        };
        let moved = tees.values().filter(has_moved);
        moved.map(|tee| tee.handover.session).collect()
    }

    /// Passes on what was written to a program.
    pub fn pass_input(&self, session: SessionId, bytes: &[u8]) {
        for tee in self.by_session.borrow().get(&session).into_iter().flatten() {
            tee.pass(bytes);
        }
    }
}
