//! Work that may wait for a disk: done on a thread of its own, so that keys and screen go on. What may take long has another one, so
//! that nothing waits for it, and ends as soon as nobody wants it.
//!
//! Results come back as messages; a pipe wakes the loop. The thread ends with the dashboard.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;

use rustix::pipe::PipeFlags;

use crate::tui::app::Msg;

/// Longest file that can say which branch a directory is on.
const HEAD_LIMIT: u64 = 4096;

/// A piece of work.
pub type Job = Box<dyn FnOnce() -> Option<Msg> + Send>;

/// See the module.
pub struct Worker {
    jobs: mpsc::Sender<Job>,
    done: mpsc::Receiver<Msg>,
    /// Has a byte for each message.
    wake: OwnedFd,
    told: Told,
}

/// Where results go.
#[derive(Clone)]
struct Told {
    done: mpsc::Sender<Msg>,
    waker: Arc<OwnedFd>,
}

impl Told {
    /// Returns whether anybody is there to take it.
    fn tell(&self, msg: Msg) -> bool {
        let is_taken = self.done.send(msg).is_ok();
        // A full pipe wakes as well.
        let _ = rustix::io::write(&*self.waker, b".");
        is_taken
    }
}

/// Work on a thread of its own that may take long; whoever drops this waits for it no more.
pub struct Aside(Arc<AtomicBool>);

impl Drop for Aside {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tells what such work has found, and whether it is still waited for.
pub struct Report {
    told: Told,
    is_dropped: Arc<AtomicBool>,
}

impl Report {
    /// Returns whether nobody waits any more: the work should end.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::Relaxed)
    }

    /// Tells the app, unless nobody waits any more.
    pub fn tell(&self, msg: Msg) {
        if !self.is_dropped() {
            self.told.tell(msg);
        }
    }
}

impl Worker {
    /// Starts the thread.
    pub fn start() -> std::io::Result<Self> {
        let (wake, waker) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let (jobs, todo) = mpsc::channel::<Job>();
        let (done_tx, done) = mpsc::channel();
        let told = Told { done: done_tx, waker: Arc::new(waker) };
        let ours = told.clone();
        let work = move || {
            while let Ok(job) = todo.recv() {
                if job().is_some_and(|msg| !ours.tell(msg)) {
                    return;
                }
            }
        };
        thread::Builder::new().name("worker".to_owned()).spawn(work)?;
        Ok(Self { jobs, done, wake, told })
    }

    /// Does something on a thread of its own, so that nothing else waits for it; `None` if there is none to be had.
    pub fn aside(&self, job: Box<dyn FnOnce(&Report) + Send>) -> Option<Aside> {
        let is_dropped = Arc::new(AtomicBool::new(false));
        let report = Report { told: self.told.clone(), is_dropped: Arc::clone(&is_dropped) };
        thread::Builder::new().name("aside".to_owned()).spawn(move || job(&report)).ok()?;
        Some(Aside(is_dropped))
    }

    /// Gives it something to do.
    pub fn give(&self, job: Job) {
        let _ = self.jobs.send(job);
    }

    /// Returns the descriptor that wakes the loop.
    #[must_use]
    pub fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Takes what is done.
    pub fn take(&self) -> Vec<Msg> {
        let mut bytes = [0; 64];
        while rustix::io::read(&self.wake, &mut bytes).is_ok_and(|len| len == bytes.len()) {}
        self.done.try_iter().collect()
    }
}

/// Returns the branch of git that a directory is on, or the beginning of its commit.
#[must_use]
pub fn branch_of(directory: &str) -> Option<String> {
    let start = Path::new(directory);
    let git = start.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let folder = if git.is_dir() { git } else { linked(&git)? };
    let head = read_short(&folder.join("HEAD"))?;
    let head = head.trim();
    let branch = head.strip_prefix("ref: ").map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
    Some(branch.map_or_else(|| head.chars().take(8).collect(), str::to_owned))
}

/// A worktree has a file that says where its folder is.
fn linked(file: &Path) -> Option<PathBuf> {
    let text = read_short(file)?;
    let path = Path::new(text.trim().strip_prefix("gitdir: ")?).to_owned();
    Some(if path.is_relative() { file.parent()?.join(path) } else { path })
}

fn read_short(path: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(HEAD_LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_keeps_nothing_waiting_and_ends_when_nobody_wants_it() {
        let worker = Worker::start().expect("a thread");
        let (begun_tx, begun) = mpsc::channel();
        let (ended_tx, ended) = mpsc::channel();
        let aside = worker.aside(Box::new(move |report| {
            report.tell(Msg::Said("begun".to_owned()));
            begun_tx.send(()).expect("somebody waits");
            while !report.is_dropped() {
                thread::yield_now();
            }
            report.tell(Msg::Said("too late".to_owned()));
            ended_tx.send(()).expect("somebody waits");
        }));
        let patience = std::time::Duration::from_secs(10);
        begun.recv_timeout(patience).expect("it begins");
        let (done_tx, done) = mpsc::channel();
        worker.give(Box::new(move || {
            done_tx.send(()).expect("somebody waits");
            None
        }));
        done.recv_timeout(patience).expect("short work is done meanwhile");
        drop(aside);
        ended.recv_timeout(patience).expect("it ends");
        assert!(matches!(&worker.take()[..], [Msg::Said(text)] if text == "begun"));
    }

    #[test]
    fn the_branch_of_a_directory_is_found_from_below_and_in_worktrees() {
        let dir = std::env::temp_dir().join(format!("runpm-branch-{}", std::process::id()));
        let (inner, other) = (dir.join("src/deep"), dir.join("other"));
        std::fs::create_dir_all(&inner).expect("a folder");
        std::fs::create_dir_all(dir.join(".git/worktrees/other")).expect("a folder");
        std::fs::create_dir_all(&other).expect("a folder");
        std::fs::write(dir.join(".git/HEAD"), "ref: refs/heads/feature/x\n").expect("a file");
        std::fs::write(dir.join(".git/worktrees/other/HEAD"), "0123456789abcdef\n").expect("a file");
        std::fs::write(other.join(".git"), "gitdir: ../.git/worktrees/other\n").expect("a file");

        let found = [&inner, &other].map(|path| branch_of(&path.to_string_lossy()));
        std::fs::remove_dir_all(&dir).expect("gone");

        assert_eq!(found, [Some("feature/x".to_owned()), Some("01234567".to_owned())]);
    }
}
