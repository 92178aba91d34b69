//! The keeper: owns every program, pumps its output into shared memory, and keeps a daemon running.
//!
//! One thread, one poll loop, no parser, no configuration. It looks at signals and control messages first and
//! does one read per ready descriptor per turn, so recovery does not wait for floods. A panic aborts: it holds
//! all terminals, and half a keeper would be worse than none.
//!
//! *Invariant:* it owns every fact that must survive the daemon, and nothing else.

mod daemon_link;
mod owned;
mod poll;
mod respawn;
mod restart;
mod tees;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::atomic::fence;

use crate::history::ExitStatus;
use crate::history::Memory;
use crate::history::layout;
use crate::history::layout::flags;
use crate::platform::bell::Bell;
use crate::platform::cgroup::Branch;
use crate::platform::clock;
use crate::platform::endpoint::Place;
use crate::platform::exec::Pad;
use crate::platform::exec::SpawnError;
use crate::platform::limits;
use crate::platform::memory;
use crate::platform::memory::Length;
use crate::platform::memory::Mapping;
use crate::platform::process;
use crate::platform::signals::Signals;
use crate::protocol::keeper::ORDER_LIMIT;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::PROTOCOL;
use crate::protocol::keeper::Stage;
use crate::protocol::keeper::ToDaemon;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::message;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;

use self::daemon_link::DaemonLink;
use self::daemon_link::Item;
use self::owned::Around;
use self::owned::Owned;
use self::owned::Pumped;
use self::owned::Waiting;
use self::poll::Poll;
use self::poll::Source;
use self::poll::Watch;
use self::restart::Restart;
use self::tees::Tees;

/// Why the loop ends.
enum Turn {
    Again,
    End,
}

struct Keeper {
    place: Place,
    listener: UnixListener,
    program: OwnedFd,
    shared: Arc<Mapping>,
    pad: Pad,
    /// The daemon waits for this one.
    daemon_bell: Bell,
    /// The keeper waits for this one.
    bell: Bell,
    poll: Poll,
    signals: Signals,
    sessions: BTreeMap<SessionId, Owned>,
    next_id: u64,
    tees: Tees,
    daemon: Option<DaemonLink>,
    restart: Restart,
    last_end: Option<String>,
    /// When the next daemon is started, if none runs.
    start_at: Option<u64>,
    is_stopping: bool,
    /// Asked to end while no daemon ran.
    must_terminate: bool,
    /// Where sessions get control groups, or why nowhere.
    branch: Result<Branch, String>,
    /// Held for life, and the last thing that is dropped: who gets it finds nothing of us.
    _lock: File,
}

/// Runs the keeper until everything ended. `ready` is called once clients can connect.
pub fn run(place: Place, lock: File, ready: impl FnOnce()) -> io::Result<()> {
    process::set_name(c"rpm-keeper");
    process::seal_inherited();
    process::become_subreaper();
    limits::raise_descriptors();
    std::env::set_current_dir("/")?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let mut keeper = Keeper::new(place, lock)?;
    keeper.start_daemon();
    ready();
    loop {
        let timeout = keeper.start_at.map(|at| at.saturating_sub(clock::monotonic_ns()));
        for source in keeper.poll.wait(timeout)? {
            if let Turn::End = keeper.serve(source) {
                keeper.tees.farewell();
                let _ = std::fs::remove_file(keeper.place.socket());
                return Ok(());
            }
        }
        if keeper.start_at.is_some_and(|at| at <= clock::monotonic_ns()) {
            keeper.start_daemon();
        }
    }
}

impl Keeper {
    fn new(place: Place, lock: File) -> io::Result<Self> {
        let signals = Signals::catch(&[libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGPIPE])?;
        let listener = place.listen(&lock)?;
        let shared = Arc::new(Mapping::create(flags::LEN, Length::Fixed)?);
        layout::stamp(&shared);
        let poll = Poll::new()?;
        let bell = Bell::new()?;
        poll.watch(signals.as_fd(), Source::Signals, Watch::Read)?;
        poll.watch(bell.as_fd(), Source::Bell, Watch::Read)?;
        Ok(Self {
            program: File::open("/proc/self/exe")?.into(),
            daemon_bell: Bell::new()?,
            place,
            _lock: lock,
            listener,
            shared,
            pad: Pad::new()?,
            bell,
            poll,
            signals,
            sessions: BTreeMap::new(),
            next_id: 1,
            tees: Tees::default(),
            daemon: None,
            restart: Restart::default(),
            last_end: None,
            start_at: None,
            is_stopping: false,
            must_terminate: false,
            branch: Branch::claim(),
        })
    }

    fn serve(&mut self, source: Source) -> Turn {
        match source {
            Source::Signals => return self.on_signals(),
            Source::Daemon => return self.on_daemon_death(),
            Source::Link => self.on_link(),
            Source::Bell => {
                self.bell.hush();
                self.resume_stalled();
            }
            Source::Process(id) => self.on_process_death(id),
            Source::Tee(id) => self.on_tee_death(id),
            Source::Output(id, stream) => self.on_output(id, stream),
        }
        Turn::Again
    }

    fn on_signals(&mut self) -> Turn {
        while let Some(signal) = self.signals.next() {
            match signal {
                libc::SIGCHLD => self.reap_strangers(),
                libc::SIGTERM | libc::SIGINT => match &mut self.daemon {
                    Some(daemon) => daemon.send(&ToDaemon::Terminate, Vec::new()),
                    // The next daemon stops everything politely; who asks twice does not want to wait for it.
                    None if self.must_terminate => return Turn::End,
                    None => self.must_terminate = true,
                },
                // A terminal that started us went away; that is what we are here for.
                _ => {}
            }
        }
        Turn::Again
    }

    /// Reaps orphans that were handed to us: theirs are no exits of sessions.
    fn reap_strangers(&self) {
        let daemon = self.daemon.as_ref().map(|daemon| daemon.pid);
        let unreaped = self.sessions.values().filter(|owned| owned.is_unreaped()).map(|owned| owned.handover.pid);
        let mut known: Vec<u32> = unreaped.chain(daemon).chain(self.tees.processes()).collect();
        known.sort_unstable();
        process::reap_strangers(&known);
    }

    // The daemon.

    fn start_daemon(&mut self) {
        self.start_at = None;
        self.restart.started();
        let count = self.sessions.len() as u32;
        // Tees first: the trim line of a session must not move before the cursors that hold it are known.
        let items = self.tees.ids().map(Item::Tee).chain(self.sessions.keys().copied().map(Item::Session)).collect();
        let started = DaemonLink::start(&self.program, &self.place, items).and_then(|daemon| {
            self.poll.watch(daemon.process().as_fd(), Source::Daemon, Watch::Read)?;
            self.poll.watch(daemon.link(), Source::Link, Watch::Read)?;
            Ok(daemon)
        });
        match started {
            Ok(daemon) => {
                self.daemon = Some(daemon);
                self.greet(count);
                self.hand_over();
            }
            Err(error) => {
                log(&format!("cannot start a daemon: {error}"));
                self.last_end = Some(format!("could not be started: {error}"));
                self.start_at = Some(self.restart.died(clock::monotonic_ns()));
            }
        }
    }

    fn greet(&mut self, sessions: u32) {
        let hello = ToDaemon::Hello {
            protocol: PROTOCOL,
            pid: std::process::id(),
            restarts: self.restart.count(),
            last_end: self.last_end.clone(),
            sessions,
            groups: self.branch.as_ref().ok().map(|branch| branch.path().display().to_string()),
            ungrouped: self.branch.as_ref().err().cloned(),
        };
        let fds = [self.listener.as_fd(), self.shared.as_fd(), self.daemon_bell.as_fd(), self.bell.as_fd()];
        let fds: io::Result<Vec<OwnedFd>> = fds.iter().map(rustix::fd::BorrowedFd::try_clone_to_owned).collect();
        match (fds, &mut self.daemon) {
            (Ok(fds), Some(daemon)) => daemon.send(&hello, fds),
            (Err(error), _) => log(&format!("cannot greet the daemon: {error}")),
            (Ok(_), None) => {}
        }
    }

    fn hand_over(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        while let Some(item) = daemon.next_item() {
            let parcel = match item {
                Item::Tee(id) => self.tees.handover(id),
                Item::Session(id) => self
                    .sessions
                    .get(&id)
                    .map(|owned| owned.descriptors().map(|fds| (ToDaemon::Session(owned.handover_now()), fds))),
            };
            match parcel {
                Some(Ok((message, fds))) => daemon.send(&message, fds),
                Some(Err(error)) => {
                    log(&format!("cannot hand {item:?} over: {error}"));
                    daemon.taken(1);
                }
                None => daemon.taken(1),
            }
        }
        if daemon.completes_now() {
            daemon.send(&ToDaemon::Ready, Vec::new());
            if self.must_terminate {
                daemon.send(&ToDaemon::Terminate, Vec::new());
            }
        }
        let how = if daemon.is_behind() { Watch::ReadWrite } else { Watch::Read };
        let _ = self.poll.watch(daemon.link(), Source::Link, how);
    }

    fn on_daemon_death(&mut self) -> Turn {
        // What it asked for before it died was asked for.
        self.read_link();
        let Some(daemon) = self.daemon.take() else { return Turn::Again };
        self.last_end = daemon.process().reap().map(|status| match status {
            ExitStatus::Code(code) => format!("exited with code {code}"),
            ExitStatus::Signal(signal) => format!("was ended by signal {signal}"),
        });
        self.poll.forget(daemon.process().as_fd());
        self.poll.forget(daemon.link());
        if self.is_stopping {
            return Turn::End;
        }
        log(&format!("the daemon {}", self.last_end.as_deref().unwrap_or("is gone")));
        self.start_at = Some(self.restart.died(clock::monotonic_ns()));
        Turn::Again
    }

    fn read_link(&mut self) {
        while let Some((message, fds)) = self.daemon.as_ref().and_then(DaemonLink::receive) {
            self.obey(&message, fds);
        }
    }

    fn on_link(&mut self) {
        self.read_link();
        if let Some(daemon) = &mut self.daemon {
            daemon.flush();
        }
        self.hand_over();
    }

    fn obey(&mut self, message: &ToKeeper, fds: Vec<OwnedFd>) {
        match *message {
            ToKeeper::Taken { count } => {
                if let Some(daemon) = &mut self.daemon {
                    daemon.taken(count);
                }
            }
            ToKeeper::Ready => self.restart.ready(),
            ToKeeper::Spawn { key } => self.spawn(key, fds),
            ToKeeper::Respawn { key, id } => self.respawn(key, id, fds),
            ToKeeper::Resize { id, size, pixels } => {
                if let Some(owned) = self.sessions.get_mut(&id) {
                    owned.resize(size, pixels);
                    self.tell(id);
                }
            }
            ToKeeper::CloseInput { id } => {
                if let Some(owned) = self.sessions.get_mut(&id) {
                    owned.close_input();
                }
            }
            ToKeeper::Forget { id } => self.forget(id),
            ToKeeper::Tee(ask) => self.tee(ask, fds),
            ToKeeper::Untee { id } => self.untee(id),
            ToKeeper::Shutdown => {
                self.shared.store(flags::STOP, 1);
                self.is_stopping = true;
            }
        }
    }

    // Sessions.

    fn spawn(&mut self, key: RequestKey, mut fds: Vec<OwnedFd>) {
        if self.is_stopping || self.sessions.values().any(|owned| owned.handover.key == key) {
            return;
        }
        let id = SessionId(self.next_id);
        match read_order(fds.pop()).and_then(|order| {
            let branch = self.branch.as_ref().ok();
            start(id, key, &order, &mut Around { pad: &mut self.pad, branch, held: fds })
        }) {
            Ok((owned, fds)) => {
                self.next_id += 1;
                self.watch_session(id, &owned);
                if let Some(daemon) = &mut self.daemon {
                    daemon.send(&ToDaemon::Session(owned.handover_now()), fds);
                }
                self.sessions.insert(id, owned);
            }
            Err(SpawnError { stage, errno }) => {
                if let Some(daemon) = &mut self.daemon {
                    daemon.send(&ToDaemon::SpawnFailed { key, stage, errno }, Vec::new());
                }
            }
        }
    }

    fn watch_session(&self, id: SessionId, owned: &Owned) {
        let _ = self.poll.watch(owned.process(), Source::Process(id), Watch::Read);
        for (stream, fd) in owned.outputs() {
            let _ = self.poll.watch(fd, Source::Output(id, stream as u8), Watch::Read);
        }
    }

    fn forget(&mut self, id: SessionId) {
        if let Some(owned) = self.sessions.remove(&id) {
            owned.remove_group();
            self.poll.forget(owned.process());
            for (_, fd) in owned.outputs() {
                self.poll.forget(fd);
            }
        }
        for tee in self.tees.of(id) {
            self.untee(tee);
        }
    }

    fn on_process_death(&mut self, id: SessionId) {
        let Some(owned) = self.sessions.get_mut(&id) else { return };
        if owned.reap() {
            self.poll.forget(owned.process());
            owned.publish_exit();
            self.poll.forget_all(&owned.take_ended());
            self.tell(id);
        }
    }

    fn on_output(&mut self, id: SessionId, number: u8) {
        let Some(owned) = self.sessions.get_mut(&id) else { return };
        let stream = poll::stream_of(number);
        let pumped = owned.pump(stream);
        let waiting = match pumped {
            Pumped::Full => Waiting::Room,
            Pumped::Unheld => Waiting::Holder,
            Pumped::Bytes(_) | Pumped::Empty | Pumped::Ended => Waiting::Bytes,
        };
        // Unchanged waits are left alone: renewing an edge-triggered one would fire it again, for ever.
        if let Some(fd) = owned.wait_for(stream, waiting) {
            let source = Source::Output(id, number);
            match waiting {
                Waiting::Bytes => self.poll.watch(fd, source, Watch::Read).unwrap_or_default(),
                Waiting::Holder => self.poll.watch(fd, source, Watch::Change).unwrap_or_default(),
                Waiting::Room => self.poll.forget(fd),
            }
        }
        self.poll.forget_all(&owned.take_ended());
        if pumped != Pumped::Empty {
            self.tell(id);
        }
    }

    /// The daemon moved trim lines: whoever waited for room goes on.
    fn resume_stalled(&mut self) {
        let mut told = Vec::new();
        for (id, owned) in &mut self.sessions {
            if owned.has_unpublished_exit() && owned.publish_exit() {
                told.push(*id);
            }
            self.poll.forget_all(&owned.take_ended());
            for stream in owned.full_streams() {
                if let Some(fd) = owned.wait_for(stream, Waiting::Bytes) {
                    let _ = self.poll.watch(fd, Source::Output(*id, stream as u8), Watch::Read);
                }
            }
        }
        for id in told {
            self.tell(id);
        }
    }

    /// Something of a session was published: wakes the daemon and its tees, those that sleep.
    fn tell(&self, id: SessionId) {
        fence(Ordering::SeqCst);
        self.tees.ring(id);
        if self.shared.load(flags::ARMED) == 1 {
            self.shared.store(flags::ARMED, 0);
            self.daemon_bell.ring();
        }
    }
}

/// Starts a session that can also be handed over: without descriptors for that, its program is ended again.
fn start(
    id: SessionId,
    key: RequestKey,
    order: &Order,
    around: &mut Around<'_>,
) -> Result<(Owned, Vec<OwnedFd>), SpawnError> {
    let owned = Owned::start(id, key, order, around)?;
    match owned.descriptors() {
        Ok(fds) => Ok((owned, fds)),
        Err(error) => {
            owned.abandon();
            Err(SpawnError { stage: Stage::Memory, errno: error.raw_os_error().unwrap_or(libc::EMFILE) })
        }
    }
}

fn read_order(parcel: Option<OwnedFd>) -> Result<Order, SpawnError> {
    let invalid = SpawnError { stage: Stage::Request, errno: libc::EINVAL };
    let bytes = memory::unpack(parcel.ok_or(invalid)?, ORDER_LIMIT).map_err(|_| invalid)?;
    message::decode(&bytes).map_err(|_| invalid)
}

/// Standard error is the keeper's log; a full disk is no reason to end.
fn log(text: &str) {
    use std::io::Write;
    let _ = writeln!(io::stderr(), "{} keeper[{}]: {text}", clock::wall_ms(), std::process::id());
}
