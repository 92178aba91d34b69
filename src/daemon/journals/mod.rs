//! Histories on disk, as the daemon has them: who has one, how far it is, and the thread that writes all of them.
//!
//! This thread never waits for a disk: the other one writes (`writer`), readers borrow a third (`pages`). *Invariant:* the
//! trim line stays within a ring of what the journal wants next, across the daemon's death, so that the next one goes on
//! there; a disk that takes nothing for [`PATIENCE_NS`] loses that right, and a failing one never has it.
//!
//! Both threads move the trim line: the writing one after each batch, as far as all others let it go. Each writes down what
//! the other has to know (`others`, `wanted`), then moves the line, then looks whether the other's word is still the same;
//! so the last one to move it knew both.

mod found;
mod join;
mod lines;
mod pages;
mod writer;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;
use tokio::sync::oneshot;

use crate::daemon::patience::Patience;
use crate::daemon::session::History;
use crate::history::Memory;
use crate::history::layout::control;
use crate::journal::Caps;
use crate::platform::bell::Bell;
use crate::platform::memory::Mapping;
use crate::session::id::SessionId;
use crate::session::journal::JournalFacts;
use crate::session::journal::JournalStatus;
use crate::session::status::Status;

pub use self::found::left_behind;
pub use self::lines::start;
pub use self::lines::start_of_lost;
pub use self::pages::Pages;
pub use self::pages::READERS;
use self::writer::Desk;
use self::writer::Errand;

/// How long a program waits for a disk that takes nothing.
const PATIENCE_NS: u64 = 2_000_000_000;

/// How far a journal is; the writing thread's own.
#[derive(Debug, Default)]
struct Progress {
    /// The next byte of the ring that it wants.
    wanted: AtomicU64,
    /// How far everybody else lets the trim line go; the daemon's thread's own. Nowhere before it said so.
    others: AtomicU64,
    end: AtomicU64,
    oldest: AtomicU64,
    /// Before it nothing was ever said.
    floor: AtomicU64,
    since_ms: AtomicU64,
    bytes: AtomicU64,
    segments: AtomicU64,
    dropped: AtomicU64,
    errno: AtomicU64,
}

/// One session's journal.
pub struct Journal {
    /// Its folder, below that of all journals.
    pub folder: String,
    progress: Arc<Progress>,
    patience: Patience,
    /// Whose it is once its session is forgotten.
    pub heir: RefCell<Heir>,
}

/// What becomes of a journal with its session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Heir {
    /// It goes with it, unless it is a service's.
    #[default]
    Nobody,
    /// It is put before the journal of another session.
    Session,
    /// It becomes the service's, with this folder.
    Service(String),
}

impl Journal {
    /// Returns the offset that holds the trim line, if it still may.
    pub fn hold(&self, head: u64, now: u64) -> Option<u64> {
        let wanted = self.progress.wanted.load(Ordering::SeqCst);
        self.patience.lasts(wanted, head, now).then_some(wanted)
    }

    /// Says how far everybody else lets the trim line go. Look at [`Self::hold`] once more after moving it.
    pub fn let_go(&self, limit: u64) {
        self.progress.others.store(limit, Ordering::SeqCst);
    }

    /// Returns when it loses that right, if nothing is taken until then.
    pub fn patience_ends(&self) -> Option<u64> {
        self.patience.ends_at()
    }

    /// Returns the offset of the oldest byte on the disk.
    pub fn oldest(&self) -> u64 {
        self.progress.oldest.load(Ordering::Acquire)
    }

    /// Returns the offset before which nothing was ever said; 0 when older segments were removed.
    pub fn floor(&self) -> u64 {
        self.progress.floor.load(Ordering::Acquire)
    }

    /// Returns what may be seen of it.
    pub fn status(&self) -> JournalStatus {
        let get = |word: &AtomicU64| word.load(Ordering::Acquire);
        JournalStatus {
            folder: self.folder.clone(),
            bytes: get(&self.progress.bytes),
            segments: get(&self.progress.segments) as u32,
            oldest: get(&self.progress.oldest),
            end: get(&self.progress.end),
            since_ms: get(&self.progress.since_ms),
            dropped: get(&self.progress.dropped),
            errno: get(&self.progress.errno) as i32,
        }
    }
}

/// All of them.
pub struct Journals {
    root: PathBuf,
    /// Most bytes of all of them together.
    total: u64,
    /// Where tests say where to die.
    runtime: PathBuf,
    desk: Arc<Desk>,
    /// Tells the keeper that trim lines moved.
    keeper: Arc<Bell>,
    has_thread: RefCell<bool>,
}

impl Journals {
    /// Takes the folder of all journals; nothing is read, and no thread started, before one is wanted.
    pub fn new(root: PathBuf, runtime: PathBuf, total: u64, keeper: Arc<Bell>) -> Self {
        Self { root, total, runtime, desk: Arc::default(), keeper, has_thread: RefCell::default() }
    }

    /// Returns the folder of one.
    pub fn path(&self, folder: &str) -> PathBuf {
        self.root.join(folder)
    }

    /// Opens a session's journal: what the ring has is written to it from now on.
    pub fn open(&self, id: SessionId, facts: &JournalFacts, memories: [Arc<Mapping>; 2]) -> io::Result<Journal> {
        let [data, control] = memories;
        let ring = History::open(data, control).map_err(io::Error::other)?;
        // What the daemon before us had written; the disk may only be ahead of that.
        let wanted = ring.control().load(control::JOURNALED).checked_sub(1).unwrap_or_else(|| ring.oldest());
        let progress = Arc::new(Progress { wanted: wanted.into(), ..Progress::default() });
        progress.oldest.store(wanted, Ordering::Release);
        let caps = Caps { segment: facts.segment, segments: facts.segments };
        let job = writer::Job::new(self.path(&facts.folder), caps, ring, Arc::clone(&progress));
        self.run(Errand::Open { id, job: Box::new(job) });
        Ok(Journal {
            folder: facts.folder.clone(),
            progress,
            patience: Patience::of(PATIENCE_NS),
            heir: RefCell::default(),
        })
    }

    /// Returns where the journal in a folder ends, to go on there; 0 for a new one.
    pub async fn end_of(&self, folder: &str) -> u64 {
        let (reply, end) = oneshot::channel();
        self.run(Errand::End { path: self.path(folder), reply });
        end.await.unwrap_or(0)
    }

    /// The keeper published something of a session that has a journal.
    pub fn wake(&self, id: SessionId) {
        self.desk.wake(id);
    }

    /// Writes down what a session is, for the time after its keeper.
    pub fn describe(&self, status: &Status) {
        let Some(journal) = &status.journal else { return };
        if let Ok(bytes) = serde_json::to_vec(status) {
            self.run(Errand::Describe { path: self.path(&journal.folder), bytes });
        }
    }

    /// Removes all that was written so far.
    pub async fn flush(&self, id: SessionId) -> io::Result<()> {
        let (reply, done) = oneshot::channel();
        self.run(Errand::Flush { id, reply });
        done.await.unwrap_or_else(|_| Err(io::ErrorKind::NotFound.into()))
    }

    /// Removes a journal for good, and takes no more of its session.
    pub fn remove(&self, id: SessionId, folder: &str) {
        self.run(Errand::Remove { id, path: self.path(folder) });
    }

    /// Puts the journal in a folder before that of a session, if it is there.
    pub fn join(&self, id: SessionId, old: &str) {
        self.run(Errand::Join { id, old: self.path(old) });
    }

    /// Takes no more of a session, and gives its journal the name of its service's.
    pub fn keep(&self, id: SessionId, folder: &str, own: &str) {
        self.run(Errand::Keep { id, path: self.path(folder), own: self.path(own) });
    }

    /// Takes no more of a session; its journal stays.
    pub fn close(&self, id: SessionId) {
        if *self.has_thread.borrow() {
            self.run(Errand::Close { id });
        }
    }

    /// Waits until what was said before is written.
    pub async fn settle(&self) {
        if *self.has_thread.borrow() {
            let (reply, done) = oneshot::channel();
            self.run(Errand::Settle { reply });
            let _ = done.await;
        }
    }

    /// Waits until journals made room for programs that wait for it; returns whose.
    pub async fn moved(&self) -> BTreeSet<SessionId> {
        self.desk.moved.notified().await;
        self.desk.take_moved()
    }

    fn run(&self, errand: Errand) {
        self.desk.put(errand);
        if !self.has_thread.replace(true) {
            let (desk, total, runtime) = (Arc::clone(&self.desk), self.total, self.runtime.clone());
            let keeper = Arc::clone(&self.keeper);
            let thread = std::thread::Builder::new().name("rpm-journal".to_owned());
            let started = thread.spawn(move || writer::run(&desk, &keeper, total, &runtime));
            if let Err(error) = started {
                tracing::error!(%error, "no thread for journals");
                self.has_thread.replace(false);
            }
        }
    }
}

/// Locks what no panic can leave half-done: plain collections.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A bell for this thread's side.
type Moved = Notify;
