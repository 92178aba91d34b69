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
mod rerun;
mod store;
mod typing;

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::daemon::journals::Journal;
use crate::daemon::outbox::Outbox;
use crate::daemon::patience::Patience;
use crate::history::Memory;
use crate::history::Reader;
use crate::history::layout;
use crate::history::layout::control;
use crate::platform::brand::Brand;
use crate::platform::clock;
use crate::platform::memory::Mapping;
use crate::platform::process;
use crate::platform::process::Identity;
use crate::platform::process::Stat;
use crate::platform::snapshot::Snapshot;
use crate::platform::tree::Mark;
use crate::platform::tree::Purpose;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::Handover;
use crate::protocol::verbs;
use crate::session::id::AttachId;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::sizing::SizeOwner;
use crate::session::spec::Facts;
use crate::session::spec::Kind;
use crate::session::status::End;
use crate::session::status::State;
use crate::session::status::Status;
use crate::session::terminal::Pixels;
use crate::session::terminal::Who;
use crate::session::text;
use crate::term::Frame;
use crate::term::Size;

pub use self::actor::adopt;
pub use self::attach::check_stream;
pub use self::output::FRESH;
pub use self::rerun::Run;
use self::store::Store;

/// Most bytes that requests to type may have waiting for a program; who sends more waits.
pub const INPUT_LIMIT: usize = 1 << 20;

/// Subscribers to events know that it was started: a bit of `control::TOLD`.
const TOLD_START: u64 = 1;
/// Subscribers to events know how it ended.
pub const TOLD_END: u64 = 2;
/// Where the number of the run begins that this is about.
const TOLD_RUN: u32 = 8;

/// A history in the keeper's memory.
pub type History = Reader<Arc<Mapping>>;

/// Shortest pause between two looks at who is left: a list is asked for often.
const LEFT_PAUSE_NS: u64 = 250_000_000;

/// Processes outside the kernel session that are noted for the next daemon.
const STRAYS: usize = 1024;

/// Who is attaching, and how to reach it.
#[derive(Clone)]
pub struct Client {
    /// Who it is.
    pub who: Who,
    /// What goes out to it.
    pub outbox: Rc<Outbox>,
}

/// What a raw follower starts with.
pub struct Start {
    /// The screen, to paint first; empty when it goes on from an offset.
    pub dump: Vec<u8>,
    /// Where the stream goes on.
    pub from: u64,
    /// What holds the trim line there.
    pub cursor: Rc<Cursor>,
    /// Bytes that the client asked for and that are gone.
    pub missed: u64,
    /// Take queries, bells and clipboard writes out: somebody else's terminal answers, or it is history.
    pub is_quiet: bool,
}

/// The answer to an attachment: its id, what the client is told, how a raw follower starts.
pub type AttachReply = Result<(AttachId, verbs::Attached, Option<Start>), WireError>;

/// What the actor is told or asked.
pub enum Mail {
    /// A raw attachment.
    Attach { client: Client, request: verbs::Attach, reply: oneshot::Sender<AttachReply> },
    /// A screen attachment.
    Watch { client: Client, request: verbs::Watch, reply: oneshot::Sender<AttachReply> },
    /// A watcher wants control.
    Take { attach: AttachId, request: verbs::Take, reply: oneshot::Sender<Result<(), WireError>> },
    /// It gives it back.
    Release(AttachId),
    /// An attachment ends.
    Detach(AttachId),
    /// An attachment typed.
    Input { attach: AttachId, bytes: Vec<u8> },
    /// Somebody types without being attached.
    Send {
        by: String,
        request: verbs::Send,
        room: OwnedSemaphorePermit,
        reply: oneshot::Sender<Result<verbs::Sent, WireError>>,
    },
    /// Somebody sets the size, or whose it is.
    Resize { size: Option<Size>, owner: Option<SizeOwner> },
    /// A controller's terminal or pane has this size.
    PaneSize { attach: AttachId, size: Size, pixels: Option<Pixels> },
    /// A watcher drew a frame.
    Drawn { attach: AttachId, frame: u64 },
    /// A raw cursor moved or left.
    CursorMoved,
    /// Asked to end: `grace_ns` 0 kills.
    Stop { by: String, key: RequestKey, grace_ns: u64, reply: oneshot::Sender<End> },
    /// What it had asked of the census was done, and these are there; none when the look failed.
    Surveyed { purpose: Purpose, members: Option<Vec<Stat>> },
    /// Asked for its screen; the frame comes if a channel for it was named.
    Screen { request: verbs::ScreenOf, reply: oneshot::Sender<(verbs::ScreenText, Option<Frame>)> },
    /// Its program was started again.
    Started,
    /// It is forgotten: the actor ends.
    Forgotten,
}

/// Mail on its way: a channel has room for dozens from the start, so each takes no more than it must.
type Letter = Box<Mail>;

/// A raw follower's place, seen by the actor for the trim line.
pub struct Cursor {
    /// Next byte it wants.
    pub offset: Cell<u64>,
    /// How long it may be behind.
    pub patience: Patience,
    /// How far ahead of it the program may get.
    pub window: u64,
}

/// What the keeper publishes: bytes, index entries, whether there is an exit, whether it waits for room.
pub type Seen = (u64, u64, bool, bool);

/// Returns what the keeper has published by now.
pub fn seen(history: &History) -> Seen {
    (history.head(), history.index_head(), history.exit().is_some(), history.is_stalled())
}

/// What never changes of a session.
pub struct Fixed {
    /// Terminal or pipes.
    pub kind: Kind,
    /// Size its terminal started with, first of all.
    pub size: Size,
    /// Folder of its control group, if it has one.
    pub group: Option<String>,
}

/// A session as everybody in the daemon sees it.
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// What never changes of what the keeper handed over.
    pub handover: Fixed,
    /// What is of the present run of its program, or of the last one.
    pub run: RefCell<Run>,
    /// What it said.
    pub history: History,
    /// What it is; written back to the keeper's memory by the actor.
    pub facts: RefCell<Facts>,
    /// What may be seen of it, except what the history knows better.
    pub status: RefCell<Status>,
    /// Bytes that requests may still have queued; closed when it takes no more input.
    pub input_room: RefCell<Arc<Semaphore>>,
    /// Nothing may be typed any more: its input is closed once what waits was written.
    pub input_ends: Cell<bool>,
    /// Followers wait here for bytes or the end.
    pub output: Notify,
    /// The actor waits here for news of the keeper.
    pub news: Notify,
    /// What the actor had seen when news were last looked for.
    pub seen: Cell<Seen>,
    /// Processes that were seen below it; those that are gone are dropped at the next look.
    pub kin: RefCell<Arc<HashSet<Identity>>>,
    /// Processes without any mark that may be its own; set when nobody else of it was left.
    pub suspects: RefCell<Vec<u32>>,
    /// Master or input pipe, until the input ended.
    pub input: RefCell<Option<Rc<OwnedFd>>>,
    /// What the keeper held for its run when this daemon took it over, until somebody listens.
    pub held: RefCell<Vec<OwnedFd>>,
    /// Its history on disk.
    pub journal: Option<Journal>,
    /// This daemon started it: nothing of it was told by an earlier one.
    pub is_new: bool,
    /// Who was left at its end, as of this monotonic nanosecond: number and start time.
    pub(super) left: RefCell<(u64, Vec<(u32, u64)>)>,
    pub(super) store: Store,
    cursors: RefCell<Vec<std::rc::Weak<Cursor>>>,
    mailbox: mpsc::UnboundedSender<Letter>,
}

impl Session {
    /// Sends mail; a session whose actor is gone drops it, and with it the reply channel.
    pub fn mail(&self, mail: Mail) {
        let _ = self.mailbox.send(Box::new(mail));
    }

    /// Returns whether an event has not been told yet, by this daemon or one before it; from now on it has, with this epoch
    /// and number.
    pub fn tells(&self, what: &verbs::What, (epoch, seq): (u64, u64)) -> bool {
        let bit = match what {
            verbs::What::Started { .. } => TOLD_START,
            verbs::What::Ended { .. } => TOLD_END,
            _ => return true,
        };
        let memory = self.history.control();
        let told = self.told();
        if told & bit != 0 {
            return false;
        }
        if bit == TOLD_END {
            memory.store(control::TOLD_EPOCH, epoch);
            memory.store(control::TOLD_SEQ, seq);
        }
        memory.store(control::TOLD, u64::from(self.run.borrow().number) << TOLD_RUN | told | bit);
        true
    }

    /// Returns the epoch and number of the event that told the end of this run, once one did.
    pub fn end_told(&self) -> Option<(u64, u64)> {
        let memory = self.history.control();
        let is_told = self.told() & TOLD_END != 0;
        is_told.then(|| (memory.load(control::TOLD_EPOCH), memory.load(control::TOLD_SEQ)))
    }

    /// Returns who of those left at its end is still there; looked up again when the last look is old.
    pub fn still_left(&self) -> Vec<u32> {
        let now = clock::monotonic_ns();
        if now.saturating_sub(self.left.borrow().0) > LEFT_PAUSE_NS {
            self.left_behind();
        }
        self.left.borrow().1.iter().map(|(pid, _)| *pid).collect()
    }

    /// The same, looked up now, in a form that can be signalled.
    pub fn left_behind(&self) -> Vec<Identity> {
        let (looked, left) = &mut *self.left.borrow_mut();
        *looked = clock::monotonic_ns();
        let is_there = |stat: Stat, start_time| stat.start_time == start_time && !stat.is_zombie;
        left.retain(|(pid, start_time)| process::stat(*pid).is_some_and(|stat| is_there(stat, *start_time)));
        left.iter().map(|(pid, start_time)| Identity { pid: *pid, start_time: *start_time }).collect()
    }

    /// Notes who is left, for this daemon and the next one. Has to come before the end is told.
    fn keep_left(&self, left: &[u32]) {
        if left.is_empty() {
            return;
        }
        let stats = left.iter().take(STRAYS).filter_map(|pid| process::stat(*pid));
        let left: Vec<(u32, u64)> = stats.map(|stat| (stat.pid, stat.start_time)).collect();
        self.facts.borrow_mut().left.clone_from(&left);
        *self.left.borrow_mut() = (clock::monotonic_ns(), left);
        self.store.put_facts(&self.facts.borrow());
    }

    /// Says why it takes no input, if it takes none.
    pub fn takes_input(&self) -> Result<(), WireError> {
        let is_closed = self.input.borrow().is_none() || self.input_ends.get();
        let why = match (self.status.borrow().end().is_some(), is_closed) {
            (true, _) => "has ended",
            (false, true) => "takes no input any more: it was closed",
            (false, false) => return Ok(()),
        };
        Err(WireError::new(Code::Ended, format!("session {} {why}", self.facts.borrow().name)))
    }

    /// Returns whether the keeper has published something since the last call.
    pub fn has_news(&self) -> bool {
        let now = seen(&self.history);
        self.seen.replace(now) != now
    }

    /// What was said so far is shown to nobody any more; the next daemon knows.
    pub fn flush(&self) {
        self.facts.borrow_mut().flushed = Some(self.history.head());
        self.store.put_facts(&self.facts.borrow());
    }

    /// Holds the first byte as if a raw cursor stood there, until the client that asked for it attaches or a second is over.
    /// Has to be called before the actor runs.
    pub fn hold_from_start(&self) {
        self.history.control().store(control::HELD, 1);
    }

    /// Registers a raw follower that starts at `offset`.
    pub fn follow(&self, offset: u64, window: u64) -> Rc<Cursor> {
        let cursor = Rc::new(Cursor { offset: Cell::new(offset), patience: Patience::default(), window });
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
        status.journal = self.journal.as_ref().map(Journal::status);
        status.output_ms = match self.history.last_time() {
            Some(time) if status.output_bytes > 0 => clock::wall_of(time),
            _ => 0,
        };
        if let State::Ended { end } = &mut status.state
            && !end.left.is_empty()
        {
            end.left = self.still_left();
        }
        status
    }

    /// Is called something else from now on; what is none stays as it is. The keeper has it first.
    pub fn rename(&self, name: Option<String>, tags: Option<Vec<String>>) {
        let mut facts = self.facts.borrow_mut();
        facts.name = name.unwrap_or_else(|| facts.name.clone());
        facts.tags = tags.unwrap_or_else(|| facts.tags.clone());
        self.store.put_facts(&facts);
        let mut status = self.status.borrow_mut();
        status.name.clone_from(&facts.name);
        status.tags.clone_from(&facts.tags);
    }

    /// Returns its first process for good.
    pub fn leader(&self) -> Identity {
        let run = self.run.borrow();
        Identity { pid: run.pid, start_time: run.start_time }
    }

    /// Returns how much memory it holds in the keeper: what was used of the rings, control and slots.
    pub fn held_bytes(&self) -> u64 {
        let used = |bytes: u64| bytes.next_multiple_of(layout::PAGE);
        let bytes = (self.history.head() - self.history.base()).min(self.history.ring());
        let entries = self.history.index_head().min(layout::INDEX_ENTRIES as u64) * layout::ENTRY as u64;
        let header = (layout::HEADER + layout::CONTROL_LEN) as u64;
        header + used(bytes) + used(entries) + used(self.store.len() as u64)
    }

    /// Returns what marks its processes.
    pub fn mark(&self) -> Mark {
        let run = self.run.borrow();
        Mark {
            leader: self.leader(),
            process: Arc::clone(&run.process),
            brand: Brand::of_session(run.key),
            tag: tag(run.key),
            channels: run.channels.clone(),
            group: self.handover.group.as_ref().map(PathBuf::from),
            kin: Arc::clone(&self.kin.borrow()),
        }
    }

    /// Remembers who was seen below it: when its parents have died, an orphan may bear no other mark.
    ///
    /// Who left the kernel session is noted in the keeper's memory as well, for the next daemon.
    pub fn learn(&self, snapshot: &Snapshot, members: &[Stat]) {
        let mut kin: HashSet<Identity> =
            self.kin.borrow().iter().filter(|identity| snapshot.has(**identity)).copied().collect();
        kin.extend(members.iter().map(Stat::identity));
        *self.kin.borrow_mut() = Arc::new(kin);
        let strays = members.iter().filter(|stat| stat.session != self.leader().pid).take(STRAYS);
        let strays: Vec<(u32, u64)> = strays.map(|stat| (stat.pid, stat.start_time)).collect();
        let is_new = strays.iter().any(|stray| !self.facts.borrow().strays.contains(stray));
        if is_new {
            self.facts.borrow_mut().strays = strays;
            self.store.put_facts(&self.facts.borrow());
        }
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

/// Value of `RUNPM_SESSION` in the environment of a session's processes.
pub fn tag(key: RequestKey) -> Vec<u8> {
    format!("{:016x}", key.0).into_bytes()
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
        state: State::Running,
        command: text::shorten(&text::quote(&facts.argv), SHOWN),
        argv: shown_arguments(facts),
        cwd: String::from_utf8_lossy(&facts.cwd).into_owned(),
        pid: handover.pid,
        size: handover.size,
        size_owner: facts.size_owner,
        merged: facts.merged,
        started_ms: facts.started_ms,
        output_ms: 0,
        output_bytes: 0,
        oldest: 0,
        attached: Vec::new(),
        title: None,
        tags: facts.tags.clone(),
        originator: facts.originator.clone(),
        service: None,
        journal: None,
    }
}
