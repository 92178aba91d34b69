//! The actor of one session: mail and news in, one small step at a time, effects out.
//!
//! Everything of it can be rebuilt from the keeper's memories, so a restarted daemon and an actor that panicked start
//! the same way: cold, and warm as soon as somebody looks or something is said.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::Notify;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task;
use tokio::time::Instant;

use crate::daemon::hub::Hub;
use crate::daemon::session::Fixed;
use crate::daemon::session::History;
use crate::daemon::session::INPUT_LIMIT;
use crate::daemon::session::Letter;
use crate::daemon::session::Mail;
use crate::daemon::session::Run;
use crate::daemon::session::Session;
use crate::daemon::session::TOLD_END;
use crate::daemon::session::attach::Attachment;
use crate::daemon::session::attach::Pending;
use crate::daemon::session::first_status;
use crate::daemon::session::input::Input;
use crate::daemon::session::output::Output;
use crate::daemon::session::rerun;
use crate::daemon::session::seen;
use crate::daemon::session::store::Store;
use crate::daemon::session::typing::Told;
use crate::daemon::session::typing::Typing;
use crate::platform::clock;
use crate::platform::memory::Access;
use crate::platform::memory::Mapping;
use crate::platform::process::Handle;
use crate::platform::process::Identity;
use crate::platform::tree::Purpose;
use crate::protocol::keeper::Handover;
use crate::protocol::verbs;
use crate::session::control::Control;
use crate::session::id::AttachId;
use crate::session::state::Machine;
use crate::session::state::ending;
use crate::session::status::End;
use crate::session::status::State;
use crate::session::terminal::Pixels;
use crate::term::Size;

/// An actor that panicked this often stays away; its session runs on.
const RESTARTS: u32 = 3;
/// Changes that are only more output are told this seldom.
const PUBLISH_PAUSE_NS: u64 = 1_000_000_000;

/// The mail of one session, handed from an actor that panicked to the next.
type Mailbox = Rc<Mutex<mpsc::UnboundedReceiver<Letter>>>;

/// Takes a session over from the keeper and starts its actor.
pub fn adopt(hub: &Rc<Hub>, handover: Handover, fds: Vec<OwnedFd>) -> io::Result<Rc<Session>> {
    let mut fds = fds.into_iter();
    let mut next = || fds.next().ok_or_else(|| io::Error::other("a session came with too few descriptors"));
    let data = Arc::new(Mapping::open(next()?, Access::Read)?);
    let control = Arc::new(Mapping::open(next()?, Access::Write)?);
    let slots = Arc::new(Mapping::open(next()?, Access::Write)?);
    // Only to signal its group: the keeper reaps it.
    let process = Arc::new(Handle::from_fd(next()?));
    let input = if handover.has_input { Some(Rc::new(next()?)) } else { None };
    let held = fds.collect();
    let input_room = Arc::new(Semaphore::new(if handover.has_input { INPUT_LIMIT } else { 0 }));
    let store = Store::open(slots).map_err(io::Error::other)?;
    let facts = rerun::facts_of(&store, &handover);
    let kin = facts.strays.iter().map(|(pid, start_time)| Identity { pid: *pid, start_time: *start_time }).collect();
    let (mailbox, receiver) = mpsc::unbounded_channel();
    let journal = facts
        .journal
        .as_ref()
        .map(|journal| hub.journals.open(handover.id, journal, [Arc::clone(&data), Arc::clone(&control)]));
    let journal = journal.transpose()?;
    let history = History::open(data, control).map_err(io::Error::other)?;
    let seen = seen(&history);
    let mut status = first_status(&handover, &facts);
    let was_told = rerun::told(&history, handover.run) & TOLD_END != 0;
    if let Some(exit) = history.exit().filter(|_| was_told) {
        // It may be listed before its actor runs.
        let left = facts.left.iter().map(|(pid, _)| *pid).collect();
        status.state = State::Ended { end: ending(exit.status, facts.asked.as_ref(), exit.wall_ms, left) };
    }
    let session = Rc::new(Session {
        id: handover.id,
        history,
        status: RefCell::new(status),
        left: RefCell::new((0, facts.left.clone())),
        facts: RefCell::new(facts),
        run: RefCell::new(Run::of(&handover, process)),
        handover: Fixed { kind: handover.kind, size: handover.size, group: handover.group },
        input_ends: Cell::new(false),
        input_room: RefCell::new(input_room),
        output: Notify::new(),
        news: Notify::new(),
        seen: Cell::new(seen),
        kin: RefCell::new(Arc::new(kin)),
        suspects: RefCell::default(),
        input: RefCell::new(input),
        held: RefCell::new(held),
        store,
        journal,
        is_new: hub.is_complete.get(),
        cursors: RefCell::default(),
        mailbox,
    });
    if session.journal.is_some() {
        // What came after its first look and before ours is no news to us.
        hub.journals.wake(session.id);
    }
    task::spawn_local(supervise(Rc::clone(hub), Rc::clone(&session), Rc::new(Mutex::new(receiver))));
    Ok(session)
}

/// Runs actors for a session until one ends in peace.
async fn supervise(hub: Rc<Hub>, session: Rc<Session>, mailbox: Mailbox) {
    for _ in 0..=RESTARTS {
        let (hub_of_actor, session_of_actor, mailbox) = (Rc::clone(&hub), Rc::clone(&session), Rc::clone(&mailbox));
        let actor = async move { Actor::new(hub_of_actor, session_of_actor).run(mailbox).await };
        let Err(error) = task::spawn_local(actor).await else { return };
        tracing::error!(session = %session.id, %error, "a session's actor failed; it starts over from the history");
        // Clients come back by themselves, as after a restart of the daemon.
        hub.disconnect_all();
    }
    tracing::error!(session = %session.id, "a session is no longer parsed; its program runs on");
    run_on(&hub, &session).await;
}

/// What is left for a session whose actor cannot live: its program must not wait for room, and its end is told.
async fn run_on(hub: &Hub, session: &Session) {
    loop {
        let history = &session.history;
        let (head, now) = (history.head(), clock::monotonic_ns());
        let journal = session.journal.as_ref().and_then(|journal| journal.hold(head, now));
        let from = hub.tees.hold(session.id, head, now).into_iter().chain(journal).min().unwrap_or(u64::MAX).min(head);
        if history.set_limit(from.saturating_add(history.ring())) {
            hub.keeper.ring();
        }
        if let Some(exit) = history.exit() {
            let end = ending(exit.status, None, exit.wall_ms, Vec::new());
            session.status.borrow_mut().state = State::Ended { end: end.clone() };
            hub.note(session, verbs::What::Ended { end });
            session.output.notify_waiters();
            hub.changed(session.id);
            return;
        }
        session.news.notified().await;
    }
}

/// See the module.
pub struct Actor {
    pub(super) hub: Rc<Hub>,
    pub(super) session: Rc<Session>,
    pub(super) machine: Machine,
    pub(super) output: Output,
    pub(super) input: Input,
    pub(super) control: Control,
    /// The size that the keeper was asked for last.
    pub(super) asked_size: Option<(Size, Option<Pixels>)>,
    pub(super) attachments: BTreeMap<AttachId, Attachment>,
    pub(super) pending: Vec<Pending>,
    pub(super) stoppers: Vec<oneshot::Sender<End>>,
    /// What the census was asked for and has not answered.
    pub(super) asked: Option<Purpose>,
    /// Looks for who a natural end left that failed in a row.
    pub(super) blind_looks: u32,
    /// What it will be asked for next.
    pub(super) wanted: Option<Purpose>,
    /// Something that only the history knows changed and was not told yet.
    pub(super) is_stale: bool,
    pub(super) published_at: u64,
    pub(super) told: Told,
}

impl Actor {
    fn new(hub: Rc<Hub>, session: Rc<Session>) -> Self {
        let now = clock::monotonic_ns();
        let mut actor = Self {
            machine: session.machine(now),
            output: Output::new(&session, now),
            input: Input::default(),
            hub,
            session,
            control: Control::default(),
            asked_size: None,
            attachments: BTreeMap::new(),
            pending: Vec::new(),
            stoppers: Vec::new(),
            asked: None,
            blind_looks: 0,
            wanted: None,
            is_stale: false,
            published_at: 0,
            told: Told::default(),
        };
        actor.resume_end(now);
        actor
    }

    async fn run(mut self, mailbox: Mailbox) {
        let mut mailbox = mailbox.lock().await;
        let session = Rc::clone(&self.session);
        self.step();
        loop {
            if self.output.has_more() {
                // Others first: a flood must not keep them waiting longer than one slice.
                session.news.notify_one();
                task::yield_now().await;
            }
            let deadline = self.next_deadline().map(instant);
            tokio::select! {
                biased;
                mail = mailbox.recv() => match mail.map(|mail| *mail) {
                    None | Some(Mail::Forgotten) => return,
                    Some(mail) => self.on_mail(mail),
                },
                () = session.news.notified() => self.is_stale = true,
                is_held = self.input.writable(), if self.input.is_waiting() => if !is_held {
                    self.drop_input();
                },
                () = tokio::time::sleep_until(deadline.unwrap_or_else(far)), if deadline.is_some() => {}
            }
            while let Ok(mail) = mailbox.try_recv() {
                if matches!(*mail, Mail::Forgotten) {
                    return;
                }
                self.on_mail(*mail);
            }
            self.step();
        }
    }

    /// Everything that follows from time and news.
    fn step(&mut self) {
        let now = clock::monotonic_ns();
        self.read_output(now);
        self.follow_end(now);
        self.settle_pending(now);
        self.flush_input();
        self.send_frames(now);
        self.update_limit(now);
        if self.is_stale && now >= self.published_at + PUBLISH_PAUSE_NS {
            self.publish(now);
        }
    }

    fn next_deadline(&self) -> Option<u64> {
        let publish = self.is_stale.then_some(self.published_at + PUBLISH_PAUSE_NS);
        let pending = self.pending.iter().map(|pending| pending.deadline).min();
        [self.end_deadline(), publish, pending, self.frames_deadline(), self.limit_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Tells subscribers that this session changed.
    pub(super) fn publish(&mut self, now: u64) {
        self.is_stale = false;
        self.published_at = now;
        self.hub.changed(self.session.id);
    }

    fn on_mail(&mut self, mail: Mail) {
        let now = clock::monotonic_ns();
        match mail {
            Mail::Attach { client, request, reply } => self.on_attach(client, request, reply, now),
            Mail::Watch { client, request, reply } => self.on_watch(client, request, reply),
            Mail::Take { attach, request, reply } => {
                let _ = reply.send(self.on_take(attach, &request, now));
            }
            Mail::Release(attach) => self.on_release(attach, now),
            Mail::Detach(attach) => self.on_detach(attach, now),
            Mail::Input { attach, bytes } => self.on_input(attach, bytes, now),
            Mail::Send { by, request, room, reply } => self.on_typed(Typing { by, request, room, reply }, now),
            Mail::Resize { size, owner } => self.on_resize(size, owner, now),
            Mail::PaneSize { attach, size, pixels } => self.on_pane_size(attach, size, pixels, now),
            Mail::Drawn { attach, frame } => self.on_drawn(attach, frame),
            Mail::Stop { by, key, grace_ns, reply } => self.on_stop(by, key, grace_ns, reply, now),
            Mail::Surveyed { purpose, members } => self.on_surveyed(purpose, members, now),
            Mail::Screen { request, reply } => self.on_screen(request, reply, now),
            Mail::Started => self.on_started(now),
            Mail::CursorMoved | Mail::Forgotten => {}
        }
    }
}

/// Converts a monotonic deadline to the runtime's clock.
fn instant(at: u64) -> Instant {
    Instant::now() + Duration::from_nanos(at.saturating_sub(clock::monotonic_ns()))
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(24 * 3600)
}
