//! One run of a session's program after another in the same memory.
//!
//! What is of one run only (process, channels, input, who asked for its end) changes with it; history, screen, attachments
//! and tees go on. *Invariant:* what was noted about the run before is never taken for this one: every such note has the
//! number of its run.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::daemon::session::History;
use crate::daemon::session::INPUT_LIMIT;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::daemon::session::TOLD_RUN;
use crate::daemon::session::actor::Actor;
use crate::daemon::session::store::Store;
use crate::history::Entry;
use crate::history::Kind;
use crate::history::Memory;
use crate::history::layout::control;
use crate::platform::process::Handle;
use crate::platform::snapshot::FileId;
use crate::protocol::keeper::Handover;
use crate::session::id::RequestKey;
use crate::session::spec::Facts;
use crate::session::state::Machine;
use crate::session::status::State;

/// What is of one run.
pub struct Run {
    /// Counted from 0 in the life of the session.
    pub number: u32,
    /// Key of the request that made it.
    pub key: RequestKey,
    /// Its first process.
    pub pid: u32,
    /// That process's start time.
    pub start_time: u64,
    /// The same, held.
    pub process: Arc<Handle>,
    /// Its terminal or pipes.
    pub channels: Vec<FileId>,
}

impl Run {
    /// Takes what the keeper handed over.
    pub fn of(handover: &Handover, process: Arc<Handle>) -> Self {
        Self {
            number: handover.run,
            key: handover.key,
            pid: handover.pid,
            start_time: handover.start_time,
            process,
            channels: handover.channels.clone(),
        }
    }
}

/// Reads a session's facts; what they say of an earlier run is left out: the daemon that started this one died early.
pub fn facts_of(store: &Store, handover: &Handover) -> Facts {
    let mut facts = store.facts();
    if facts.run != handover.run {
        begin(&mut facts, handover);
        store.put_facts(&facts);
    }
    facts
}

fn begin(facts: &mut Facts, handover: &Handover) {
    facts.run = handover.run;
    facts.asked = None;
    facts.strays.clear();
    facts.left.clear();
    facts.started_ms = handover.started_ms;
}

/// Returns what subscribers to events were told of a run.
pub fn told(history: &History, run: u32) -> u64 {
    let told = history.control().load(control::TOLD);
    if told >> TOLD_RUN == u64::from(run) { told & ((1 << TOLD_RUN) - 1) } else { 0 }
}

impl Session {
    /// Makes the machine of this run's life.
    pub fn machine(&self, now: u64) -> Machine {
        let facts = self.facts.borrow();
        let grace = facts.service.as_ref().map(|service| service.definition.spec.stop.grace);
        Machine::new(facts.asked.clone(), now).clearing(grace)
    }

    /// Returns what subscribers to events were told of this run.
    pub fn told(&self) -> u64 {
        told(&self.history, self.run.borrow().number)
    }

    /// The keeper started its program again: takes the new process and the new input; the memories are the same.
    pub fn rerun(&self, handover: &Handover, fds: Vec<OwnedFd>) -> io::Result<()> {
        if self.run.borrow().key == handover.key {
            return Ok(());
        }
        // Data, control and slots are mapped already.
        let mut fds = fds.into_iter().skip(3);
        let mut next = || fds.next().ok_or_else(|| io::Error::other("a run came with too few descriptors"));
        let process = Arc::new(Handle::from_fd(next()?));
        let input = if handover.has_input { Some(Rc::new(next()?)) } else { None };
        let room = Semaphore::new(if input.is_some() { INPUT_LIMIT } else { 0 });
        *self.input.borrow_mut() = input;
        *self.input_room.borrow_mut() = Arc::new(room);
        self.input_ends.set(false);
        *self.run.borrow_mut() = Run::of(handover, process);
        *self.kin.borrow_mut() = Arc::default();
        self.suspects.borrow_mut().clear();
        self.left.borrow_mut().1.clear();
        begin(&mut self.facts.borrow_mut(), handover);
        self.put_facts();
        let mut status = self.status.borrow_mut();
        status.state = State::Running;
        status.pid = handover.pid;
        status.started_ms = handover.started_ms;
        drop(status);
        self.mail(Mail::Started);
        Ok(())
    }

    /// Returns the signal that asks a service to end, where that is not TERM.
    pub fn stop_signal(&self) -> Option<u8> {
        let facts = self.facts.borrow();
        let signal = facts.service.as_ref()?.definition.spec.stop.signal;
        (i32::from(signal) != libc::SIGTERM).then_some(signal)
    }

    /// Returns the offset where this run begins, as far as the index knows.
    pub fn run_from(&self) -> u64 {
        let number = self.run.borrow().number;
        let entries = self.history.oldest_entry()..self.history.index_head();
        let begins = |entry: &Entry| entry.kind == Kind::Start(number);
        entries.rev().find_map(|index| self.history.entry(index).filter(begins)).map_or(0, |entry| entry.offset)
    }

    /// Its program may be started again: the end of its output is not the end of all output.
    pub fn go_on(&self) {
        self.history.control().store(control::GOES_ON, 1);
    }

    /// Writes the facts to the keeper's memory.
    pub fn put_facts(&self) {
        self.store.put_facts(&self.facts.borrow());
    }
}

impl Actor {
    /// Its program was started again: what was queued for the old one is of no use to this one.
    pub(super) fn on_started(&mut self, now: u64) {
        self.machine = self.session.machine(now);
        self.drop_input();
        self.asked_size = None;
        (self.asked, self.wanted) = (None, None);
        self.blind_looks = 0;
        self.follow_sizes();
        self.publish(now);
    }
}
