//! The tees as the keeper has them: their processes, and what the next daemon has to know of them.
//!
//! A tee's order is a parcel that is passed on unread. *Invariant:* no tee outlives its session's memory or the keeper.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::process::Stdio;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::process::Signal;
use rustix::time::Timespec;

use crate::history::Memory;
use crate::history::layout;
use crate::keeper::Keeper;
use crate::keeper::log;
use crate::keeper::owned::Owned;
use crate::keeper::poll::Source;
use crate::keeper::poll::Watch;
use crate::platform::bell::Bell;
use crate::platform::clock;
use crate::platform::endpoint;
use crate::platform::link::Link;
use crate::platform::memory::Length;
use crate::platform::memory::Mapping;
use crate::platform::process::Handle;
use crate::platform::signals;
use crate::protocol::keeper::PACKET;
use crate::protocol::keeper::TeeAsk;
use crate::protocol::keeper::TeeHandover;
use crate::protocol::keeper::ToDaemon;
use crate::session::id::SessionId;
use crate::session::id::TeeId;
use crate::session::tee::exit_word;
use crate::session::tee::word;

/// Longest wait for tees at the keeper's own end; they need less.
const FAREWELL_NS: u64 = 3_000_000_000;

/// One tee.
struct Tee {
    handover: TeeHandover,
    status: Mapping,
    parcel: OwnedFd,
    /// Where the daemon writes what it wrote to the program.
    input: Option<OwnedFd>,
    bell: Bell,
    /// Its process, until it is reaped.
    process: Option<Handle>,
    /// Its end tells the process that nobody wants more: also when the keeper is gone, and before it listens.
    link: Option<Link>,
}

/// All of them.
#[derive(Default)]
pub struct Tees {
    /// By session, because every piece of output asks for those of one.
    tees: BTreeMap<(SessionId, TeeId), Tee>,
    last_id: u64,
}

impl Tees {
    /// Returns the ids in their order.
    pub fn ids(&self) -> impl Iterator<Item = TeeId> {
        self.tees.keys().map(|(_, id)| *id)
    }

    /// Returns those of a session.
    pub fn of(&self, session: SessionId) -> Vec<TeeId> {
        self.tees.range(range(session)).map(|((_, id), _)| *id).collect()
    }

    /// Returns their processes that still have to be reaped by their handles.
    pub fn processes(&self) -> impl Iterator<Item = u32> {
        self.tees.values().filter(|tee| tee.process.is_some()).map(|tee| tee.handover.pid)
    }

    /// Wakes those of a session that sleep. The caller's fence orders this after what was published.
    pub fn ring(&self, session: SessionId) {
        for (_, tee) in self.tees.range(range(session)) {
            if tee.status.load(word::ARMED) == 1 {
                tee.status.store(word::ARMED, 0);
                tee.bell.ring();
            }
        }
    }

    fn get_mut(&mut self, id: TeeId) -> Option<&mut Tee> {
        self.tees.values_mut().find(|tee| tee.handover.id == id)
    }

    /// Collects what the daemon needs to know of one.
    pub fn handover(&self, id: TeeId) -> Option<io::Result<(ToDaemon, Vec<OwnedFd>)>> {
        let tee = self.tees.values().find(|tee| tee.handover.id == id)?;
        let fds = [Some(tee.status.as_fd()), Some(tee.parcel.as_fd()), tee.input.as_ref().map(AsFd::as_fd)];
        let fds: io::Result<Vec<OwnedFd>> = fds.into_iter().flatten().map(|fd| fd.try_clone_to_owned()).collect();
        Some(fds.map(|fds| (ToDaemon::Tee(tee.handover.clone()), fds)))
    }

    /// Ends all, and waits for that: none outlives the keeper.
    pub fn farewell(&mut self) {
        let until = clock::monotonic_ns() + FAREWELL_NS;
        for tee in self.tees.values_mut() {
            tee.link = None;
        }
        for process in self.tees.values_mut().filter_map(|tee| tee.process.take()) {
            let left = until.saturating_sub(clock::monotonic_ns());
            let left = Timespec { tv_sec: (left / 1_000_000_000) as i64, tv_nsec: (left % 1_000_000_000) as i64 };
            let mut fds = [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)];
            let _ = rustix::event::poll(&mut fds, Some(&left));
            let _ = process.signal(Signal::KILL);
        }
    }
}

fn range(session: SessionId) -> RangeInclusive<(SessionId, TeeId)> {
    (session, TeeId(0))..=(session, TeeId(u64::MAX))
}

impl Keeper {
    /// Starts a tee, or says why not.
    pub(super) fn tee(&mut self, ask: TeeAsk, fds: Vec<OwnedFd>) {
        let TeeAsk { key, session, .. } = ask;
        if self.is_stopping || self.tees.tees.values().any(|tee| tee.handover.key == key) {
            return;
        }
        let id = TeeId(self.tees.last_id + 1);
        let started = match self.sessions.get(&session) {
            Some(owned) => self.start_tee(id, ask, owned, fds),
            None => Err(io::Error::from_raw_os_error(libc::ESRCH)),
        };
        let answer = started.and_then(|tee| {
            self.tees.last_id = id.0;
            self.tees.tees.insert((session, id), tee);
            self.tees.handover(id).unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))
        });
        let (message, fds) = answer.unwrap_or_else(|error| {
            log(&format!("cannot start a tee: {error}"));
            (ToDaemon::TeeFailed { key, errno: error.raw_os_error().unwrap_or(libc::EIO) }, Vec::new())
        });
        if let Some(daemon) = &mut self.daemon {
            daemon.send(&message, fds);
        }
    }

    fn start_tee(&self, id: TeeId, ask: TeeAsk, owned: &Owned, mut fds: Vec<OwnedFd>) -> io::Result<Tee> {
        let input = if ask.has_input { fds.pop() } else { None };
        let mut fds = fds.into_iter();
        let parcel = fds.next().ok_or(io::ErrorKind::InvalidInput)?;
        let status = Mapping::create(word::LEN, Length::Fixed)?;
        layout::stamp(&status);
        status.store(word::HOLD, ask.hold);
        let bell = Bell::new()?;
        let (ours, theirs) = Link::pair(PACKET)?;
        let [data, control] = owned.readable()?;
        let rest: Vec<OwnedFd> = fds.collect();
        let first = [status.as_fd(), data.as_fd(), control.as_fd(), bell.as_fd(), self.daemon_bell.as_fd()];
        let all: Vec<_> = first.into_iter().chain([parcel.as_fd()]).chain(rest.iter().map(AsFd::as_fd)).collect();
        ours.send(b"tee", &all)?;
        let mut command = Command::new(format!("/proc/self/fd/{}", self.program.as_raw_fd()));
        command.arg0("rpm-tee").arg("__tee");
        let log = endpoint::open_log(&self.place.keeper_log())?;
        command.stdin(Stdio::from(theirs.into_fd())).stdout(Stdio::null()).stderr(Stdio::from(log));
        signals::reset_in(&mut command);
        let child = command.spawn()?;
        let process = Handle::of_pid(child.id())?;
        self.poll.watch(process.as_fd(), Source::Tee(id), Watch::Read)?;
        let handover = TeeHandover { id, key: ask.key, session: ask.session, pid: child.id() };
        Ok(Tee { handover, status, parcel, input, bell, process: Some(process), link: Some(ours) })
    }

    /// Asks a tee to end, and ends it when asked again; it is forgotten once it has.
    pub(super) fn untee(&mut self, id: TeeId) {
        let Some(tee) = self.tees.get_mut(id) else { return };
        let was_asked = tee.link.take().is_none();
        match &tee.process {
            Some(process) if was_asked => drop(process.signal(Signal::KILL)),
            Some(_) => {}
            None => self.on_tee_death(id),
        }
    }

    pub(super) fn on_tee_death(&mut self, id: TeeId) {
        let Some(tee) = self.tees.get_mut(id) else { return };
        if let Some(process) = tee.process.take() {
            let Some(exit) = process.reap() else {
                tee.process = Some(process);
                return;
            };
            tee.status.store(word::DEATH, exit_word(Some(exit)));
            self.poll.forget(process.as_fd());
            tee.handover.pid = 0;
        }
        let is_forgotten = tee.link.is_none();
        if is_forgotten {
            let key = (tee.handover.session, id);
            self.tees.tees.remove(&key);
        }
        if let Some(daemon) = &mut self.daemon {
            daemon.send(&ToDaemon::TeeGone { id, is_forgotten }, Vec::new());
        }
    }
}
