//! The daemon: screens, clients, policies. It may die at any instant; the keeper starts it again and hands everything over.
//!
//! One thread, one reactor, an actor per session. *Invariant:* it owns no byte and no fact that exists nowhere else.

mod autostart;
mod backlog;
mod census;
mod connection;
mod events;
mod follow;
mod handler;
mod hub;
mod journals;
mod keeper_link;
mod logs;
mod outbox;
mod patience;
mod registered;
mod registry;
mod roll;
mod services;
mod session;
mod settings;
mod tees;
mod unstarted;

use std::io;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use interprocess::local_socket::tokio::Listener;
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Listener as _;
use interprocess::os::unix::uds_local_socket::tokio::Listener as UnixListener;
use tokio::runtime;
use tokio::task;
use tokio::task::LocalSet;

use crate::config;
use crate::platform::endpoint::Place;
use crate::platform::failpoint;
use crate::platform::heap;
use crate::platform::limits;
use crate::platform::process;
use crate::protocol::hello::VERSION;
use crate::protocol::keeper::Handover;
use crate::protocol::keeper::TeeHandover;
use crate::protocol::keeper::ToDaemon;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::id::TeeId;
use crate::session::status::Status;
use crate::session::text;

use self::events::EventLog;
use self::hub::Hub;
use self::keeper_link::KeeperLink;

/// How long the thread that looks at processes waits for another look.
const HELPER_STAYS: Duration = Duration::from_millis(500);
/// From TERM to KILL when the system wants us gone.
const SYSTEM_GRACE: Duration = Duration::from_secs(2);
/// More clients than this at once are turned away, and fewer where descriptors are few.
const CLIENTS: usize = 1024;
/// Faults of the settings that are told, and bytes of each.
const FAULTS: usize = 16;
const FAULT: usize = 300;
/// Time for the last replies to leave.
const FAREWELL: Duration = Duration::from_millis(200);
/// Time for what was said to reach the journals.
const LAST_PAGES: Duration = Duration::from_secs(5);

/// Runs the daemon on the socket that the keeper gave as standard input.
pub fn run(place: Place, keeper: OwnedFd) -> io::Result<()> {
    process::set_name(c"rpm-daemon");
    heap::be_thrifty();
    limits::raise_descriptors();
    std::env::set_current_dir("/")?;
    let mut runtime = runtime::Builder::new_current_thread();
    // Looks at processes read many files: one at a time, in a thread that does not stay. Journals are read in others.
    let runtime =
        runtime.enable_all().max_blocking_threads(2 + journals::READERS).thread_keep_alive(HELPER_STAYS).build()?;
    LocalSet::new().block_on(&runtime, live(place, keeper))
}

async fn live(place: Place, keeper: OwnedFd) -> io::Result<()> {
    let (keeper, greeting) = KeeperLink::open(keeper).await?;
    tracing::info!(keeper = greeting.keeper_pid, restarts = greeting.restarts, last_end = greeting.last_end, "started");
    let report = verbs::DaemonReport {
        version: VERSION.to_owned(),
        pid: std::process::id(),
        keeper_pid: greeting.keeper_pid,
        restarts: greeting.restarts,
        last_end: greeting.last_end,
        socket: place.socket().display().to_string(),
        groups: greeting.groups,
        ungrouped: greeting.ungrouped,
        log: place.logs().last().map(|path| path.display().to_string()).unwrap_or_default(),
        ..verbs::DaemonReport::default()
    };
    let is_first = greeting.restarts == 0;
    let roll = place.roll();
    let config::Loaded { settings, findings } = config::load(&place);
    let mut report = report;
    for finding in findings {
        tracing::warn!(file = %place.config().display(), "{finding}");
        report.faults.push(format!("{}:{}", place.config().display(), text::shorten(&finding.to_string(), FAULT)));
    }
    report.faults.truncate(FAULTS);
    let hub = Rc::new(Hub::new(place, keeper, settings, EventLog::new(), report));
    for status in find_lost(&hub, &roll, is_first).await {
        tracing::error!(session = %status.name, "was lost with its keeper");
        if let Some(end) = status.end().cloned().filter(|_| is_first) {
            hub.events.note(status.id, &status.name, &status.tags, verbs::What::Ended { end });
        }
        hub.registry.borrow_mut().add_lost(status);
    }
    take_over(&hub).await?;
    hub.complete();
    services::resume(&hub);
    let listener = Listener::from(UnixListener::try_from(greeting.listener)?);
    hub.keeper.send(&ToKeeper::Ready, &[]);
    begin(&hub, listener);
    tokio::select! {
        lost = obey_keeper(&hub) => lost,
        () = hub.end.notified() => {
            tokio::time::sleep(FAREWELL).await;
            let _ = tokio::time::timeout(LAST_PAGES, hub.journals.settle()).await;
            let _ = std::fs::remove_file(&roll);
            tracing::info!("ended");
            Ok(())
        }
    }
}

/// Starts all that goes on as long as the daemon lives.
fn begin(hub: &Rc<Hub>, listener: Listener) {
    task::spawn_local(accept(Rc::clone(hub), listener));
    task::spawn_local(listen_to_bell(Rc::clone(hub)));
    task::spawn_local(leave_when_idle(Rc::clone(hub)));
    let journal_follower = Rc::clone(hub);
    task::spawn_local(async move { journal_follower.follow_journals().await });
    let roll_keeper = Rc::clone(hub);
    task::spawn_local(async move { roll_keeper.keep_roll().await });
    task::spawn_local(census::run(Rc::clone(hub)));
    task::spawn_local(services::run_timers(Rc::clone(hub)));
    task::spawn_local(services::run_needs(Rc::clone(hub)));
    task::spawn_local(services::keep_deaths(Rc::clone(hub)));
    task::spawn_local(services::keep(Rc::clone(hub)));
    task::spawn_local(autostart::start_all(Rc::clone(hub)));
}

/// Returns what dead keepers left: names, and journals.
async fn find_lost(hub: &Hub, roll: &Path, is_first: bool) -> Vec<Status> {
    if !is_first {
        return roll::still_lost(roll);
    }
    let mut lost = roll::lost(roll);
    let (root, kept) = (hub.journals.path(""), hub.settings().sessions.keep_ended as usize);
    // Most have no journals, and need no thread to look for them.
    if !root.exists() {
        return lost;
    }
    let found = task::spawn_blocking(move || {
        let found = journals::left_behind(&root, &mut lost, kept);
        (lost, found)
    });
    let (lost, found) = found.await.unwrap_or_default();
    roll::number(roll::tell_apart(found.into_iter().chain(lost).collect()))
}

/// Takes all sessions over; clients wait in the listening socket's queue meanwhile.
async fn take_over(hub: &Rc<Hub>) -> io::Result<()> {
    loop {
        match hub.keeper.receive().await? {
            Some((ToDaemon::Session(handover), fds)) => {
                failpoint::hit(hub.dir(), "mid-handshake");
                hub.keeper.took(&handover);
                take(hub, handover, fds);
            }
            Some((ToDaemon::Ready, _)) => return Ok(()),
            Some((ToDaemon::Tee(handover), fds)) => {
                hub.keeper.send(&ToKeeper::Taken { count: 1 }, &[]);
                take_tee(hub, handover, fds);
            }
            Some((ToDaemon::TeeGone { id, is_forgotten }, _)) => tee_gone(hub, id, is_forgotten),
            Some(_) => {}
            None => return Err(io::Error::other("the keeper is gone")),
        }
    }
}

/// Adopts one session; one that cannot be mapped is left to the keeper, the others are not harmed.
fn take(hub: &Rc<Hub>, handover: Handover, fds: Vec<OwnedFd>) {
    let (id, key) = (handover.id, handover.key);
    let known = hub.registry.borrow().get(id);
    if let Some(session) = known {
        failpoint::hit(hub.dir(), "service-spawned");
        let rerun = session.rerun(&handover, fds).inspect(|()| {
            hub.restarted(&session);
            hub.run_began(&session);
        });
        let broken = |error: io::Error| (crate::protocol::keeper::Stage::Memory, error.raw_os_error().unwrap_or(0));
        hub.keeper.spawned(key, rerun.map(|()| id).map_err(broken));
        return;
    }
    match session::adopt(hub, handover, fds) {
        Ok(session) => {
            if hub.followed.borrow_mut().remove(&key) {
                session.hold_from_start();
            }
            // The daemon before us may have moved the limit and died before it rang.
            if session.history.is_stalled() {
                hub.keeper.ring();
            }
            hub.add(Rc::clone(&session));
            hub.run_began(&session);
            hub.keeper.spawned(key, Ok(id));
        }
        Err(error) => {
            tracing::error!(session = %id, %error, "cannot adopt");
            hub.keeper.spawned(key, Err((crate::protocol::keeper::Stage::Memory, error.raw_os_error().unwrap_or(0))));
        }
    }
}

/// Adopts one tee; one that cannot be mapped goes on unseen.
fn take_tee(hub: &Rc<Hub>, handover: TeeHandover, fds: Vec<OwnedFd>) {
    let (id, key) = (handover.id, handover.key);
    let taken = hub.tees.adopt(handover, fds);
    if let Err(error) = &taken {
        tracing::error!(tee = %id, %error, "cannot adopt");
    }
    hub.keeper.teed(key, taken.map(|()| id).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO)));
}

/// What a dead tee held back may go on.
fn tee_gone(hub: &Rc<Hub>, id: TeeId, is_forgotten: bool) {
    let session = hub.tees.gone(id, is_forgotten).and_then(|session| hub.registry.borrow().get(session));
    if let Some(session) = session {
        session.news.notify_one();
    }
}

async fn obey_keeper(hub: &Rc<Hub>) -> io::Result<()> {
    loop {
        match hub.keeper.receive().await? {
            Some((ToDaemon::Session(handover), fds)) => {
                hub.keeper.took(&handover);
                take(hub, handover, fds);
            }
            Some((ToDaemon::SpawnFailed { key, stage, errno }, _)) => hub.keeper.spawned(key, Err((stage, errno))),
            Some((ToDaemon::Terminate, _)) => terminate(hub).await,
            Some((ToDaemon::Tee(handover), fds)) => take_tee(hub, handover, fds),
            Some((ToDaemon::TeeFailed { key, errno }, _)) => hub.keeper.teed(key, Err(errno)),
            Some((ToDaemon::TeeGone { id, is_forgotten }, _)) => tee_gone(hub, id, is_forgotten),
            Some((ToDaemon::Hello { .. } | ToDaemon::Ready, _)) => {}
            None => return Err(io::Error::other("the keeper is gone")),
        }
    }
}

/// The system wants us gone: sessions are stopped politely, then everything ends.
async fn terminate(hub: &Rc<Hub>) {
    hub.begin_to_end();
    hub.services.store.is_clean.set(true);
    for unit in hub.services.units() {
        let stop = verbs::Stop { grace_ms: SYSTEM_GRACE.as_millis() as u64, ..verbs::Stop::default() };
        hub.stop_unit(&unit, "the system", &stop, crate::session::service::machine::Why::Shutdown);
    }
    let is_plain = |session: &&Rc<session::Session>| hub.services.of(session.id).is_none();
    let sessions: Vec<_> = hub.registry.borrow().sessions().filter(is_plain).cloned().collect();
    let mut ends = Vec::new();
    for session in sessions {
        let (reply, end) = tokio::sync::oneshot::channel();
        let key = crate::session::id::RequestKey::default();
        let grace_ns = SYSTEM_GRACE.as_nanos() as u64;
        session.mail(session::Mail::Stop { by: "the system".to_owned(), key, grace_ns, reply });
        ends.push(end);
    }
    for end in ends {
        let _ = end.await;
    }
    for unit in hub.services.units() {
        hub.services.until(&unit, services::Unit::is_settled).await;
    }
    if let Err(error) = handler::ending::end_adopted(hub, SYSTEM_GRACE).await {
        tracing::error!(%error, "what belongs to no session was not ended");
    }
    hub.services.store.touch();
    let _ = hub.services.store.written().await;
    hub.keeper.send(&ToKeeper::Shutdown, &[]);
    hub.end.notify_one();
}

async fn accept(hub: Rc<Hub>, listener: Listener) {
    // Held by every connection, also by one that has not said who it is.
    let crowd = Rc::new(());
    loop {
        match listener.accept().await {
            Ok(Stream::UdSocket(stream)) => {
                let is_full = Rc::strong_count(&crowd) > CLIENTS.min(limits::client_share());
                if is_full || limits::is_reserve(stream.as_fd()) {
                    tracing::warn!("turned a client away: too many are connected");
                    continue;
                }
                let (hub, crowd) = (Rc::clone(&hub), Rc::clone(&crowd));
                task::spawn_local(async move {
                    connection::serve(hub, Stream::UdSocket(stream)).await;
                    drop(crowd);
                });
            }
            Err(error) => {
                // Out of descriptors: the ones in use go on working, new clients wait.
                tracing::error!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn listen_to_bell(hub: Rc<Hub>) {
    loop {
        hub.keeper.arm();
        if hub.spread_news() {
            task::yield_now().await;
            continue;
        }
        if let Err(error) = hub.keeper.rung().await {
            tracing::error!(%error, "cannot hear the keeper's bell");
            return;
        }
    }
}

/// With nothing owned and nobody connected for long, daemon and keeper leave.
async fn leave_when_idle(hub: Rc<Hub>) {
    loop {
        let pause = Duration::from_millis(hub.settings().daemon.idle_exit.0);
        let crowd = hub.crowd.notified();
        let is_empty = !hub.registry.borrow().holds_something() && hub.client_count() == 0;
        if !is_empty {
            crowd.await;
        } else if tokio::time::timeout(pause, crowd).await.is_err() {
            tracing::info!("nothing to do");
            hub.is_ending.set(true);
            hub.keeper.send(&ToKeeper::Shutdown, &[]);
            hub.end.notify_one();
            return;
        }
    }
}
