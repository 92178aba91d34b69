//! The thread that writes all journals: a batch of each in turn, asleep while there is nothing.
//!
//! A batch is read from the ring, written, and only then the ring may forget it. So a daemon that is killed at any instant
//! leaves a journal that ends where the ring can still go on.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::io;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::atomic::fence;

use tokio::sync::oneshot;

use crate::daemon::journals::Moved;
use crate::daemon::journals::Progress;
use crate::daemon::journals::join;
use crate::daemon::journals::lock;
use crate::daemon::session::History;
use crate::history::Memory;
use crate::history::layout::control;
use crate::journal::Batch;
use crate::journal::Caps;
use crate::journal::Feed;
use crate::journal::Folder;
use crate::journal::Reader;
use crate::journal::Writer;
use crate::journal::name;
use crate::platform::bell::Bell;
use crate::platform::clock;
use crate::platform::failpoint;
use crate::platform::memory::Mapping;
use crate::session::id::SessionId;

/// Something to do for the thread.
pub(super) enum Errand {
    Open {
        id: SessionId,
        job: Box<Job>,
    },
    Close {
        id: SessionId,
    },
    /// Puts another journal before a session's.
    Join {
        id: SessionId,
        old: PathBuf,
    },
    /// Closes one and gives it the name of its service's.
    Keep {
        id: SessionId,
        path: PathBuf,
        own: PathBuf,
    },
    End {
        path: PathBuf,
        reply: oneshot::Sender<u64>,
    },
    Describe {
        path: PathBuf,
        bytes: Vec<u8>,
    },
    Flush {
        id: SessionId,
        reply: oneshot::Sender<io::Result<()>>,
    },
    Remove {
        id: SessionId,
        path: PathBuf,
    },
    Settle {
        reply: oneshot::Sender<()>,
    },
}

/// What both threads share; each holds a lock for a few instructions.
#[derive(Default)]
pub(super) struct Desk {
    work: Mutex<Work>,
    bell: Condvar,
    /// Sessions whose program waits for room, and can have some.
    stalled: Mutex<BTreeSet<SessionId>>,
    /// Wakes the daemon for them.
    pub(super) moved: Moved,
}

#[derive(Default)]
struct Work {
    errands: VecDeque<Errand>,
    news: BTreeSet<SessionId>,
}

impl Desk {
    pub(super) fn put(&self, errand: Errand) {
        lock(&self.work).errands.push_back(errand);
        self.bell.notify_one();
    }

    pub(super) fn wake(&self, id: SessionId) {
        if lock(&self.work).news.insert(id) {
            self.bell.notify_one();
        }
    }

    pub(super) fn take_moved(&self) -> BTreeSet<SessionId> {
        std::mem::take(&mut lock(&self.stalled))
    }

    fn take(&self, must_wait: bool) -> Work {
        let mut work = lock(&self.work);
        while must_wait && work.errands.is_empty() && work.news.is_empty() {
            work = self.bell.wait(work).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        std::mem::take(&mut work)
    }

    fn tell_moved(&self, id: SessionId) {
        lock(&self.stalled).insert(id);
        self.moved.notify_one();
    }
}

/// One session's journal, as the thread has it.
pub(super) struct Job {
    path: PathBuf,
    caps: Caps,
    progress: Arc<Progress>,
    state: State,
    /// Bytes at the last look, for the sum of all.
    bytes: u64,
    is_looked_at: bool,
}

enum State {
    /// Not opened yet, or not to be opened at present: what is said meanwhile is lost, and holds nobody.
    New(History),
    Open {
        writer: Box<Writer<Folder>>,
        feed: Feed<Arc<Mapping>>,
    },
    /// Between the two.
    Opening,
}

impl Job {
    pub(super) fn new(path: PathBuf, caps: Caps, ring: History, progress: Arc<Progress>) -> Self {
        Self { path, caps, progress, state: State::New(ring), bytes: 0, is_looked_at: false }
    }

    /// Opens the files and finds where to go on, once there is something to write.
    fn open(&mut self) {
        let State::New(ring) = &self.state else { return };
        // The same ring was journaled before: what happened at the end is in the journal already.
        let is_known = ring.control().load(control::JOURNALED) != 0;
        let wanted = self.progress.wanted.load(Ordering::Acquire);
        if is_known && wanted >= ring.head() {
            if !std::mem::replace(&mut self.is_looked_at, true) {
                self.look();
            }
            return;
        }
        let State::New(ring) = std::mem::replace(&mut self.state, State::Opening) else { return };
        // Where there is nothing yet, what a ring once had is missing from its first byte on.
        let writer = || Writer::open(Folder::new(self.path.clone()), self.caps, ring.base());
        let mut opened = writer();
        if opened.as_ref().is_ok_and(|writer| writer.next() > ring.head()) {
            tracing::error!(path = %self.path.display(), "a journal is ahead of its session; it is put aside");
            opened = put_aside(&self.path).and_then(|()| writer());
        }
        match opened {
            Ok(mut writer) => {
                // What the daemon before us had to drop.
                writer.skip_to(wanted);
                let time = writer.last_time().filter(|_| is_known);
                let feed = Feed::new(ring, writer.next(), time);
                self.state = State::Open { writer: Box::new(writer), feed };
            }
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                if self.progress.errno.swap(errno as u64, Ordering::AcqRel) == 0 {
                    tracing::warn!(path = %self.path.display(), %error, "a journal cannot be opened");
                }
                let head = ring.head();
                ring.control().store(control::JOURNALED, head + 1);
                self.progress.dropped.fetch_add(head.saturating_sub(wanted), Ordering::AcqRel);
                self.progress.wanted.store(head, Ordering::Release);
                self.state = State::New(ring);
            }
        }
        self.publish();
    }

    /// Says what is there without opening it for writing: a ring that says nothing more never is.
    fn look(&mut self) {
        let Ok(reader) = Reader::open(Folder::new(self.path.clone())) else { return };
        let ((bytes, segments), (end, dropped)) = (reader.size(), reader.end().unwrap_or_default());
        let progress = &self.progress;
        self.bytes = bytes;
        for (word, value) in [
            (&progress.oldest, reader.oldest()),
            (&progress.floor, reader.floor()),
            (&progress.end, end),
            (&progress.since_ms, reader.since_us() / 1000),
            (&progress.bytes, bytes),
            (&progress.segments, segments as u64),
            (&progress.dropped, dropped),
        ] {
            word.store(value, Ordering::Release);
        }
    }

    /// Writes one batch; returns whether there may be more.
    fn advance(&mut self, batch: &mut Batch, dir: &Path) -> bool {
        self.open();
        let State::Open { writer, feed } = &mut self.state else { return false };
        batch.clear();
        let has_more = feed.take(batch, clock::wall_us_of);
        if !batch.is_empty() {
            failpoint::hit(dir, "journal-taken");
            let before = writer.errno();
            writer.write(batch, clock::wall_us_of(clock::monotonic_ns()));
            if writer.errno() != 0 && before == 0 {
                let error = io::Error::from_raw_os_error(i32::from(writer.errno()));
                tracing::warn!(path = %self.path.display(), %error, "a journal loses what is said");
            }
            failpoint::hit(dir, "journal-written");
            self.publish();
        }
        has_more
    }

    /// Says how far it is; first what the next daemon reads.
    fn publish(&mut self) {
        let State::Open { writer, feed } = &mut self.state else { return };
        let progress = &self.progress;
        let wanted = feed.offset();
        feed.reader().control().store(control::JOURNALED, wanted + 1);
        let (oldest, since_us) = writer.oldest();
        let (bytes, segments) = writer.size();
        self.bytes = bytes;
        for (word, value) in [
            (&progress.oldest, oldest),
            (&progress.floor, writer.floor()),
            (&progress.end, writer.written()),
            (&progress.since_ms, since_us / 1000),
            (&progress.bytes, bytes),
            (&progress.segments, segments as u64),
            (&progress.dropped, writer.dropped()),
            (&progress.errno, writer.errno().into()),
            (&progress.wanted, wanted),
        ] {
            word.store(value, Ordering::SeqCst);
        }
    }

    /// Moves the trim line up to a ring ahead, unless others hold it; `true` when the program waits for that.
    fn make_room(&self) -> bool {
        let ring = match &self.state {
            State::Open { feed, .. } => feed.reader(),
            State::New(ring) => ring,
            State::Opening => return false,
        };
        let mine = self.progress.wanted.load(Ordering::SeqCst).saturating_add(ring.ring());
        let (mut has_moved, mut is_awaited) = (false, false);
        loop {
            let others = self.progress.others.load(Ordering::SeqCst);
            let limit = mine.min(others);
            if limit > ring.limit() || has_moved {
                is_awaited |= ring.set_limit(limit);
                has_moved = true;
            }
            fence(Ordering::SeqCst);
            if self.progress.others.load(Ordering::SeqCst) == others {
                return is_awaited;
            }
        }
    }

    /// Returns whether the program waits for room.
    fn is_stalled(&self) -> bool {
        fence(Ordering::SeqCst);
        match &self.state {
            State::Open { feed, .. } => feed.reader().is_stalled(),
            State::New(ring) => ring.is_stalled(),
            State::Opening => false,
        }
    }

    /// Opens a journal to which nothing has to be added.
    fn must_open(&mut self) {
        if !matches!(self.state, State::New(_)) {
            return;
        }
        let State::New(ring) = std::mem::replace(&mut self.state, State::Opening) else { return };
        let opened = Writer::open(Folder::new(self.path.clone()), self.caps, ring.base());
        self.state = match opened {
            Ok(writer) if writer.next() <= ring.head() => {
                let feed = Feed::new(ring, writer.next(), writer.last_time());
                State::Open { writer: Box::new(writer), feed }
            }
            _ => State::New(ring),
        };
    }

    fn flush(&mut self, batch: &mut Batch, dir: &Path) -> io::Result<()> {
        while self.advance(batch, dir) {}
        self.must_open();
        let State::Open { writer, .. } = &mut self.state else { return Err(io::ErrorKind::NotFound.into()) };
        let flushed = writer.flush(clock::wall_us_of(clock::monotonic_ns()));
        self.publish();
        flushed
    }

    /// Puts another journal before this one, and goes on.
    fn join(&mut self, old: &Path) -> io::Result<()> {
        let ring = match std::mem::replace(&mut self.state, State::Opening) {
            State::Open { feed, .. } => feed.into_reader(),
            State::New(ring) => ring,
            State::Opening => return Ok(()),
        };
        let base = ring.base();
        (self.state, self.is_looked_at) = (State::New(ring), false);
        let joined = join::put_before(old, &self.path, base);
        self.open();
        joined
    }

    fn close(&mut self) {
        if let State::Open { writer, .. } = &mut self.state {
            writer.disk().close();
        }
    }
}

/// Writes, as long as the daemon lives.
pub(super) fn run(desk: &Desk, keeper: &Bell, total: u64, dir: &Path) {
    let mut jobs: BTreeMap<SessionId, Job> = BTreeMap::new();
    let mut batch = Batch::default();
    // Those that have more than a batch; each gets its turn.
    let mut busy: BTreeSet<SessionId> = BTreeSet::new();
    loop {
        if busy.is_empty() {
            batch.shrink();
        }
        let work = desk.take(busy.is_empty());
        busy.extend(work.news);
        for errand in work.errands {
            busy.extend(serve(&mut jobs, errand, (&mut batch, dir)));
        }
        for id in std::mem::take(&mut busy) {
            let Some(job) = jobs.get_mut(&id) else { continue };
            let (before, has_more) = (job.bytes, job.advance(&mut batch, dir));
            if has_more {
                busy.insert(id);
            }
            if job.make_room() {
                keeper.ring();
            } else if job.is_stalled() {
                desk.tell_moved(id);
            }
            if job.bytes > before {
                keep_below(&mut jobs, total);
            }
        }
    }
}

/// Does one thing; returns whose ring has to be looked at.
fn serve(jobs: &mut BTreeMap<SessionId, Job>, errand: Errand, (batch, dir): (&mut Batch, &Path)) -> Option<SessionId> {
    match errand {
        Errand::Open { id, job } => {
            jobs.insert(id, *job);
            return Some(id);
        }
        Errand::Close { id } => finish(jobs, id, (batch, dir)),
        Errand::Join { id, old } => {
            let job = jobs.get_mut(&id).filter(|_| old.exists())?;
            while job.advance(batch, dir) {}
            if let Err(error) = job.join(&old) {
                tracing::error!(path = %old.display(), %error, "cannot be put before what is said now");
            }
            return Some(id);
        }
        Errand::Keep { id, path, own } => {
            finish(jobs, id, (batch, dir));
            if let Err(error) = join::become_services(&path, &own) {
                tracing::error!(path = %path.display(), %error, "a service's journal cannot be moved");
            }
        }
        Errand::End { path, reply } => {
            let end = Reader::open(Folder::new(path)).and_then(|reader| reader.end());
            let _ = reply.send(end.map_or(0, |(end, _)| end));
        }
        Errand::Describe { path, bytes } => {
            if let Err(error) = describe(&path, &bytes) {
                tracing::warn!(path = %path.display(), %error, "cannot write down whose journal it is");
            }
        }
        Errand::Flush { id, reply } => {
            let job = jobs.get_mut(&id).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
            let _ = reply.send(job.and_then(|job| job.flush(batch, dir)));
        }
        Errand::Remove { id, path } => {
            jobs.remove(&id);
            if let Err(error) = remove(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove a journal");
            }
        }
        Errand::Settle { reply } => {
            for job in jobs.values_mut() {
                while job.advance(batch, dir) {}
                job.close();
            }
            let _ = reply.send(());
        }
    }
    None
}

/// Writes what is left of one, and takes no more.
fn finish(jobs: &mut BTreeMap<SessionId, Job>, id: SessionId, (batch, dir): (&mut Batch, &Path)) {
    if let Some(mut job) = jobs.remove(&id) {
        while job.advance(batch, dir) {}
    }
}

/// Removes oldest segments, of the largest journal first, until all together are small enough.
fn keep_below(jobs: &mut BTreeMap<SessionId, Job>, total: u64) {
    while jobs.values().map(|job| job.bytes).sum::<u64>() > total {
        let Some(job) = jobs.values_mut().max_by_key(|job| job.bytes) else { return };
        let is_removed = if let State::Open { writer, .. } = &mut job.state { writer.remove_oldest() } else { false };
        job.publish();
        if !is_removed {
            return;
        }
    }
}

fn describe(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Folder::new(path.to_owned()).make()?;
    let (file, fresh) = (path.join(name::ABOUT), path.join("session.new"));
    let mut options = std::fs::OpenOptions::new();
    let mut written = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    written.write_all(bytes)?;
    std::fs::rename(fresh, file)
}

/// Gives a folder another name; it is found as a lost session's when the next keeper starts.
fn put_aside(path: &Path) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}", clock::wall_ms()));
    std::fs::rename(path, path.with_file_name(name))
}

/// Removes a journal's folder; one that is not there is removed already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
