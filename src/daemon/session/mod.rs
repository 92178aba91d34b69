//! One session in the daemon: the handle everybody holds, and the mail its actor takes.
//!
//! The actor (`actor`) owns screen, machine, viewers and input; the handle holds what may be looked at without
//! asking it: history and status. *Invariant:* nothing here exists nowhere else but in the keeper's memories.

mod actor;
mod attach;
mod end;
mod frames;
mod input;
mod output;
mod store;

use std::cell::Cell;
use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::daemon::outbox::Outbox;
use crate::history::Memory;
use crate::history::Reader;
use crate::history::layout;
use crate::history::layout::control;
use crate::platform::clock;
use crate::platform::memory::Mapping;
use crate::protocol::error::WireError;
use crate::protocol::keeper::Handover;
use crate::protocol::verbs;
use crate::session::id::AttachId;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::spec::Facts;
use crate::session::status::End;
use crate::session::status::Status;
use crate::session::text;
use crate::term::Size;

pub use self::actor::adopt;
use self::store::Store;

/// Most bytes of input that wait for a program; who types more waits.
pub const INPUT_LIMIT: usize = 1 << 20;

/// A history in the keeper's memory.
pub type History = Reader<Arc<Mapping>>;

/// Who is attaching, and how to reach it.
#[derive(Clone)]
pub struct Client {
    /// Who it is, for people.
    pub who: String,
    /// What goes out to it.
    pub outbox: Rc<Outbox>,
}

/// What a raw follower starts with.
pub struct Start {
    /// The screen, to paint first; empty when it goes on from an offset.
    pub dump: Vec<u8>,
    /// Where the stream goes on.
    pub cursor: Rc<Cursor>,
    /// Bytes that the client asked for and that are gone.
    pub missed: u64,
}

/// The answer to an attachment: its id, what the client is told, how a raw follower starts.
pub type AttachReply = Result<(AttachId, verbs::Attached, Option<Start>), WireError>;

/// What the actor is told or asked.
pub enum Mail {
    /// A raw attachment.
    Attach { client: Client, request: verbs::Attach, reply: oneshot::Sender<AttachReply> },
    /// A screen attachment.
    Watch { client: Client, channel: u32, reply: oneshot::Sender<AttachReply> },
    /// A watcher wants control.
    Take { attach: AttachId, request: verbs::Take, reply: oneshot::Sender<Result<(), WireError>> },
    /// It gives it back.
    Release(AttachId),
    /// An attachment ends.
    Detach(AttachId),
    /// An attachment typed; the permits for it are already taken.
    Input { attach: AttachId, bytes: Vec<u8> },
    /// Somebody types without being attached.
    Send { request: verbs::Send, reply: oneshot::Sender<Result<(), WireError>> },
    /// Somebody sets the size.
    Resize(Size),
    /// The controller's pane has this size.
    PaneSize { attach: AttachId, size: Size },
    /// A watcher drew a frame.
    Drawn { attach: AttachId, frame: u64 },
    /// A raw cursor moved or left.
    CursorMoved,
    /// Asked to end: `grace_ns` 0 kills.
    Stop { by: String, key: RequestKey, grace_ns: u64, reply: oneshot::Sender<End> },
    /// Asked for its screen.
    Screen { ansi: bool, reply: oneshot::Sender<verbs::ScreenText> },
    /// It is forgotten: the actor ends.
    Forgotten,
}

/// A raw follower's place, seen by the actor for the trim line.
pub struct Cursor {
    /// Next byte it wants.
    pub offset: Cell<u64>,
    /// Monotonic nanoseconds of its last progress.
    pub moved_at: Cell<u64>,
    /// How far ahead of it the program may get.
    pub window: u64,
}

/// What the keeper publishes: bytes, index entries, whether there is an exit, whether it waits for room.
pub type Seen = (u64, u64, bool, bool);

/// Returns what the keeper has published by now.
pub fn seen(history: &History) -> Seen {
    (history.head(), history.index_head(), history.exit().is_some(), history.is_stalled())
}

/// A session as everybody in the daemon sees it.
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// What the keeper handed over.
    pub handover: Handover,
    /// What it said.
    pub history: History,
    /// What it is; written back to the keeper's memory by the actor.
    pub facts: RefCell<Facts>,
    /// What may be seen of it, except what the history knows better.
    pub status: RefCell<Status>,
    /// Input that may still be queued, in bytes.
    pub input_room: Semaphore,
    /// Followers wait here for bytes or the end.
    pub output: Notify,
    /// The actor waits here for news of the keeper.
    pub news: Notify,
    /// What the actor had seen when news were last looked for.
    pub seen: Cell<Seen>,
    /// Master or input pipe, until the input ended.
    pub input: RefCell<Option<Rc<OwnedFd>>>,
    store: Store,
    cursors: RefCell<Vec<std::rc::Weak<Cursor>>>,
    mailbox: mpsc::UnboundedSender<Mail>,
}

impl Session {
    /// Sends mail; a session whose actor is gone drops it, and with it the reply channel.
    pub fn mail(&self, mail: Mail) {
        let _ = self.mailbox.send(mail);
    }

    /// Returns whether the keeper has published something since the last call.
    pub fn has_news(&self) -> bool {
        let now = seen(&self.history);
        self.seen.replace(now) != now
    }

    /// Holds the first byte as if a raw cursor stood there, until the client that asked for it attaches or a second is over.
    /// Has to be called before the actor runs.
    pub fn hold_from_start(&self) {
        self.history.control().store(control::HELD, 1);
    }

    /// Registers a raw follower that starts at `offset`.
    pub fn follow(&self, offset: u64, window: u64) -> Rc<Cursor> {
        let cursor = Rc::new(Cursor { offset: Cell::new(offset), moved_at: Cell::new(clock::monotonic_ns()), window });
        let mut cursors = self.cursors.borrow_mut();
        cursors.retain(|cursor| cursor.strong_count() > 0);
        cursors.push(Rc::downgrade(&cursor));
        cursor
    }

    /// Returns the living raw cursors.
    pub fn cursors(&self) -> Vec<Rc<Cursor>> {
        self.cursors.borrow().iter().filter_map(std::rc::Weak::upgrade).collect()
    }

    /// Returns all that may be seen.
    pub fn status(&self) -> Status {
        let mut status = self.status.borrow().clone();
        status.output_bytes = self.history.head();
        status.oldest = self.history.oldest();
        status.output_ms = match self.history.last_time() {
            Some(time) if status.output_bytes > 0 => clock::wall_of(time),
            _ => 0,
        };
        status
    }

    /// Returns how much memory it holds in the keeper: what was used of the rings, control and slots.
    pub fn held_bytes(&self) -> u64 {
        let used = |bytes: u64| bytes.next_multiple_of(layout::PAGE);
        let bytes = self.history.head().min(self.history.ring());
        let entries = self.history.index_head().min(layout::INDEX_ENTRIES as u64) * layout::ENTRY as u64;
        let header = (layout::HEADER + layout::CONTROL_LEN) as u64;
        header + used(bytes) + used(entries) + used(self.store.len() as u64)
    }

    /// Returns what marks its processes.
    pub fn mark(&self) -> crate::platform::process::Mark {
        crate::platform::process::Mark { leader: self.handover.pid, tag: tag(self.handover.key) }
    }

    /// Returns whether a request was begun before, by this daemon or one before it.
    pub fn request_progress(&self, key: RequestKey) -> Option<u64> {
        let memory = self.history.control();
        (0..control::REQUEST_SLOTS)
            .map(|n| control::REQUESTS + n * 16)
            .find(|at| memory.load(*at) == key.0 && key.0 != 0)
            .map(|at| memory.load(at + 8))
    }

    /// Notes that a request was begun; returns where to note that it is done.
    pub fn begin_request(&self, key: RequestKey) -> usize {
        let memory = self.history.control();
        let next = memory.load(control::REQUEST_NEXT);
        let at = control::REQUESTS + (next as usize % control::REQUEST_SLOTS) * 16;
        memory.store(at, 0);
        memory.store(at + 8, 1);
        memory.store(at, key.0);
        memory.store(control::REQUEST_NEXT, next.wrapping_add(1));
        at
    }
}

/// `RUNPM_SESSION=…` as it stands in the environment of a session's processes.
pub fn tag(key: RequestKey) -> Vec<u8> {
    format!("RUNPM_SESSION={:016x}", key.0).into_bytes()
}

/// Bytes of a command that are shown: a status travels with a thousand others in one frame.
const SHOWN: usize = 512;

/// As many arguments as are shown, and a last one that stands for the rest.
fn shown_arguments(facts: &Facts) -> Vec<String> {
    let mut room = SHOWN;
    let mut shown = Vec::new();
    for arg in &facts.argv {
        if room == 0 {
            shown.push("…".to_owned());
            break;
        }
        let text = text::shorten(&String::from_utf8_lossy(arg), room);
        room = room.saturating_sub(text.len() + 1);
        shown.push(text);
    }
    shown
}

/// Makes the first status from what the keeper kept.
pub fn first_status(handover: &Handover, facts: &Facts) -> Status {
    Status {
        id: handover.id,
        name: facts.name.clone(),
        kind: handover.kind,
        state: crate::session::status::State::Running,
        command: text::shorten(&text::quote(&facts.argv), SHOWN),
        argv: shown_arguments(facts),
        cwd: String::from_utf8_lossy(&facts.cwd).into_owned(),
        pid: handover.pid,
        size: handover.size,
        started_ms: facts.started_ms,
        output_ms: 0,
        output_bytes: 0,
        oldest: 0,
        attached: Vec::new(),
        title: None,
        tags: facts.tags.clone(),
        originator: facts.originator.clone(),
    }
}
