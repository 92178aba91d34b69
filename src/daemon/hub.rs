//! What all parts of the daemon share: the registry, the subscribers, the way to the keeper.
//!
//! One thread runs everything, so this is plain shared state; no borrow is held across an await.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task;

use crate::config::Settings;
use crate::daemon::census::Census;
use crate::daemon::events::EventLog;
use crate::daemon::journals::Heir;
use crate::daemon::journals::Journals;
use crate::daemon::keeper_link::KeeperLink;
use crate::daemon::outbox::Outbox;
use crate::daemon::registered::Registered;
use crate::daemon::registry::Registry;
use crate::daemon::roll;
use crate::daemon::services::Services;
use crate::daemon::services::Store;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::daemon::tees::Tees;
use crate::daemon::unstarted::Unstarted;
use crate::journal::name;
use crate::platform::clock;
use crate::platform::endpoint::Place;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::id::AttachId;
use crate::session::id::ClientId;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::journal::JournalStatus;

/// Time between two writes of the roll.
const ROLL_PAUSE: Duration = Duration::from_millis(20);

/// One connected client.
pub struct Peer {
    /// What goes out to it.
    pub outbox: Rc<Outbox>,
    /// It wants to know of changes.
    pub is_subscribed: Cell<bool>,
    /// Counts its subscriptions to events; the last one is served.
    pub subscription: Cell<u64>,
    /// Wakes the one before that.
    pub renewed: Notify,
}

/// See the module.
pub struct Hub {
    /// The way to the keeper.
    pub keeper: KeeperLink,
    /// All sessions.
    pub registry: RefCell<Registry>,
    /// Histories on disk.
    pub journals: Journals,
    /// All tees.
    pub tees: Tees,
    /// All services.
    pub services: Services,
    /// What happened.
    pub events: EventLog,
    /// The user's settings, as they were read last.
    pub(super) settings: RefCell<Rc<Settings>>,
    /// Facts for `daemon status`.
    pub report: verbs::DaemonReport,
    /// What should have started by itself and did not.
    pub unstarted: Unstarted,
    /// Who looks at processes for all of us.
    pub census: Census,
    /// Processes that others started.
    pub registered: Registered,
    /// Set once everything ends.
    pub is_ending: Cell<bool>,
    /// All sessions were taken over; before that, the roll of the daemon before us is the whole one.
    pub is_complete: Cell<bool>,
    /// Wakes the main loop when it does.
    pub end: Notify,
    /// Wakes the idle watch when sessions or clients come or go.
    pub crowd: Notify,
    /// Spawns whose client attaches next.
    pub followed: RefCell<HashSet<RequestKey>>,
    /// Which session was parsed last, and when: a flood of one is no time to wait for an echo of another.
    pub parsed: Cell<(SessionId, u64)>,
    /// Somebody will look for ended sessions that have to make room.
    is_end_due: Cell<bool>,
    /// Something changed that stands in the roll.
    roll_is_stale: Notify,
    pub(super) place: Place,
    started: u64,
    pub(super) peers: RefCell<BTreeMap<ClientId, Rc<Peer>>>,
    next: Cell<u64>,
}

impl Hub {
    /// Starts empty.
    pub fn new(
        place: Place,
        keeper: KeeperLink,
        settings: Settings,
        events: EventLog,
        mut report: verbs::DaemonReport,
    ) -> Self {
        let (registered, fault) = Registered::open(place.processes());
        report.faults.extend(fault);
        let keeper_pid = report.keeper_pid;
        Self {
            journals: Journals::new(place.journals(), place.runtime.clone(), settings.journal.total.0, keeper.bell()),
            keeper,
            settings: RefCell::new(Rc::new(settings)),
            events,
            registry: RefCell::default(),
            tees: Tees::default(),
            services: Services::new(Store::new(place.services())),
            report,
            census: Census::default(),
            registered,
            unstarted: Unstarted::open(place.unstarted(), keeper_pid),
            is_ending: Cell::new(false),
            is_complete: Cell::new(false),
            end: Notify::new(),
            crowd: Notify::new(),
            followed: RefCell::default(),
            parsed: Cell::default(),
            is_end_due: Cell::new(false),
            roll_is_stale: Notify::new(),
            place,
            started: clock::monotonic_ns(),
            peers: RefCell::default(),
            next: Cell::new(1),
        }
    }

    /// Returns the runtime folder.
    pub fn dir(&self) -> &Path {
        &self.place.runtime
    }

    fn next(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }

    /// Returns a fresh attachment id.
    pub fn next_attach(&self) -> AttachId {
        AttachId(self.next())
    }

    /// Registers a client.
    pub fn join(&self, outbox: Rc<Outbox>) -> (ClientId, Rc<Peer>) {
        let id = ClientId(self.next());
        let (is_subscribed, subscription, renewed) = Default::default();
        let peer = Rc::new(Peer { outbox, is_subscribed, subscription, renewed });
        self.peers.borrow_mut().insert(id, Rc::clone(&peer));
        self.crowd.notify_one();
        (id, peer)
    }

    /// Forgets a client.
    pub fn leave(&self, id: ClientId) {
        self.peers.borrow_mut().remove(&id);
        self.crowd.notify_one();
    }

    /// Returns how many clients are connected.
    pub fn client_count(&self) -> usize {
        self.peers.borrow().len()
    }

    /// Cuts all clients off; they come back by themselves.
    pub fn disconnect_all(&self) {
        for peer in self.peers.borrow().values() {
            peer.outbox.close();
        }
    }

    /// Tells subscribers that a session changed.
    pub fn changed(&self, id: SessionId) {
        for peer in self.peers.borrow().values().filter(|peer| peer.is_subscribed.get()) {
            peer.outbox.change(id);
        }
    }

    /// Takes a session in.
    pub fn add(&self, session: Rc<Session>) {
        let id = session.id;
        let command = session.status.borrow().command.clone();
        self.note(&session, verbs::What::Started { pid: session.leader().pid, command });
        // Services are written down by themselves.
        if self.is_complete.get() && session.facts.borrow().service.is_none() {
            // Before anybody is told that it runs, and whatever is written later: its keeper may die at once.
            roll::add(&self.place.roll(), &session.status());
        }
        self.registry.borrow_mut().add(session);
        self.crowd.notify_one();
        self.write_roll();
        self.changed(id);
    }

    /// A session's program was started again.
    pub fn restarted(&self, session: &Session) {
        let command = session.status.borrow().command.clone();
        self.note(session, verbs::What::Started { pid: session.leader().pid, command });
        self.changed(session.id);
    }

    /// Notes what happened to a session; a start and an end once, whichever daemon does it.
    pub fn note(&self, session: &Session, what: verbs::What) {
        if matches!(what, verbs::What::Started { .. } | verbs::What::Ended { .. }) {
            self.journals.describe(&session.status());
        }
        if session.tells(&what, (self.events.epoch, self.events.last() + 1)) {
            let facts = session.facts.borrow();
            self.events.note(session.id, &facts.name, &facts.tags, what);
        }
    }

    /// A session ended: the oldest ended ones make room.
    pub fn ended(&self) {
        let surplus = self.registry.borrow().surplus(self.limits());
        for id in surplus {
            self.forget(id);
        }
        self.write_roll();
    }

    /// The same, once for all sessions that are found ended in this turn: a restarted daemon finds many at once.
    pub fn ended_soon(self: &Rc<Self>) {
        if !self.is_end_due.replace(true) {
            let hub = Rc::clone(self);
            task::spawn_local(async move {
                task::yield_now().await;
                hub.is_end_due.set(false);
                hub.ended();
            });
        }
    }

    /// How many ended sessions are kept, and how much memory they may hold together.
    fn limits(&self) -> (usize, u64) {
        let settings = self.settings();
        let sessions = &settings.sessions;
        // The newest is always kept: 0 counts as 1.
        (sessions.keep_ended.max(1) as usize, sessions.keep_ended_bytes.0)
    }

    /// Forgets a session for good.
    pub fn forget(&self, id: SessionId) {
        if let Some(status) = self.registry.borrow().status(id) {
            self.events.note(id, &status.name, &status.tags, verbs::What::Removed);
            self.forget_journal(id, status.journal.as_ref());
        }
        let removed = self.registry.borrow_mut().remove(id);
        if let Some(session) = removed {
            self.keeper.send(&ToKeeper::Forget { id }, &[]);
            if let Some(link) = &session.facts.borrow().agent_link {
                let _ = std::fs::remove_file(std::ffi::OsStr::from_bytes(link));
            }
            session.mail(Mail::Forgotten);
            session.output.notify_waiters();
        }
        for peer in self.peers.borrow().values().filter(|peer| peer.is_subscribed.get()) {
            peer.outbox.notify(&verbs::Removed { id });
        }
        self.crowd.notify_one();
        self.write_roll();
    }

    /// Everything is to end: nobody waits any more for a service that is stopped to be started again.
    pub fn begin_to_end(&self) {
        self.is_ending.set(true);
        self.registry.borrow().sessions().for_each(|session| session.output.notify_waiters());
    }

    /// A session stands for what another one stood for: who is subscribed learns of it before the other is gone.
    pub fn succeed(&self, old: SessionId, new: SessionId) {
        let status = self.registry.borrow().status(new);
        for peer in self.peers.borrow().values().filter(|peer| peer.is_subscribed.get()) {
            if let Some(status) = status.clone() {
                peer.outbox.notify(&verbs::Changed { status });
            }
            peer.outbox.notify(&verbs::Removed { id: old });
        }
    }

    /// A session's journal goes with it; a service keeps its own.
    fn forget_journal(&self, id: SessionId, journal: Option<&JournalStatus>) {
        let session = self.registry.borrow().get(id);
        let heir = session.and_then(|session| Some(session.journal.as_ref()?.heir.borrow().clone()));
        match (journal, heir.unwrap_or_default()) {
            (Some(_), Heir::Session) => self.journals.close(id),
            (Some(journal), _) if name::is_service(&journal.folder) => self.journals.close(id),
            (Some(journal), Heir::Service(own)) => self.journals.keep(id, &journal.folder, &own),
            (Some(journal), Heir::Nobody) => self.journals.remove(id, &journal.folder),
            (None, _) => {}
        }
    }

    /// Lets programs go on for which journals made room.
    pub async fn follow_journals(&self) {
        loop {
            for id in self.journals.moved().await {
                if let Some(session) = self.registry.borrow().get(id) {
                    session.news.notify_one();
                }
            }
        }
    }

    /// Everything was taken over: from now on the roll is ours.
    pub fn complete(&self) {
        self.is_complete.set(true);
        roll::write(&self.place.roll(), &self.registry.borrow().statuses());
    }

    /// Asks for the roll to be written.
    pub fn write_roll(&self) {
        self.roll_is_stale.notify_one();
    }

    /// Writes down what runs, to name it should keeper and daemon both die: at once, and then after a pause, because it
    /// holds all sessions and may be asked for a thousand times a second. What is new is added to it meanwhile.
    pub async fn keep_roll(&self) {
        loop {
            self.roll_is_stale.notified().await;
            if self.is_complete.get() && !self.is_ending.get() {
                roll::write(&self.place.roll(), &self.registry.borrow().statuses());
            }
            tokio::time::sleep(ROLL_PAUSE).await;
        }
    }

    /// Wakes the actors and followers of all sessions that have news; returns whether there were any.
    pub fn spread_news(&self) -> bool {
        let mut is_any = false;
        for id in self.tees.moved() {
            if let Some(session) = self.registry.borrow().get(id) {
                is_any = true;
                session.news.notify_one();
            }
        }
        for session in self.registry.borrow().sessions() {
            if session.has_news() {
                is_any = true;
                if session.journal.is_some() {
                    self.journals.wake(session.id);
                }
                session.news.notify_one();
                session.output.notify_waiters();
            }
        }
        is_any
    }

    /// Path of a session's stable link to an authentication agent.
    pub fn agent_link(&self, key: RequestKey) -> PathBuf {
        self.place.runtime.join("agent").join(format!("{:016x}", key.0))
    }

    /// Returns how the daemon is.
    pub fn report(&self) -> verbs::DaemonReport {
        let up_ms = clock::monotonic_ns().saturating_sub(self.started) / 1_000_000;
        let (ended, ended_bytes) = self.registry.borrow().ended();
        let (keep_ended, keep_ended_bytes) = self.limits();
        let faults = self.report.faults.iter().cloned().chain(self.unstarted.all()).collect();
        verbs::DaemonReport {
            up_ms,
            ended: ended as u32,
            ended_bytes,
            keep_ended: keep_ended as u32,
            keep_ended_bytes,
            sessions: self.registry.borrow().len() as u32,
            clients: self.client_count() as u32,
            faults,
            ..self.report.clone()
        }
    }
}

/// Points a session's link at the agent of its newest attacher.
pub fn point_agent(session: &Session, agent: &[u8]) {
    let link = session.facts.borrow().agent_link.clone();
    if let Some(link) = link {
        point(Path::new(std::ffi::OsStr::from_bytes(&link)), agent);
    }
}

/// Makes `link` name `target`, whatever it named before; never in a circle: a client inside a session brings that
/// session's own link.
pub fn point(link: &Path, target: &[u8]) {
    let target = std::ffi::OsStr::from_bytes(target);
    if target.is_empty() || leads_to(target.as_ref(), link) {
        return;
    }
    if let Some(parent) = link.parent() {
        let _ = std::fs::create_dir_all(parent);
    }
    let fresh = link.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let made = std::os::unix::fs::symlink(target, &fresh).and_then(|()| std::fs::rename(&fresh, link));
    if let Err(error) = made {
        tracing::warn!(link = %link.display(), %error, "cannot point at the agent");
    }
}

/// Links followed before a chain is taken for a circle; the kernel's own limit, `path_resolution(7)`.
const HOPS: usize = 40;

fn leads_to(from: &Path, link: &Path) -> bool {
    let mut hop = from.to_owned();
    for _ in 0..HOPS {
        if hop == link {
            return true;
        }
        match std::fs::read_link(&hop) {
            Ok(next) => hop = next,
            Err(_) => return false,
        }
    }
    true
}
