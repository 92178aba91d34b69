//! Work that may wait for a disk: done on a thread of its own, so that keys and screen go on.
//!
//! Results come back as messages; a pipe wakes the loop. The thread ends with the dashboard.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
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
}

impl Worker {
    /// Starts the thread.
    pub fn start() -> std::io::Result<Self> {
        let (wake, waker) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let (jobs, todo) = mpsc::channel::<Job>();
        let (done_tx, done) = mpsc::channel();
        let work = move || {
            while let Ok(job) = todo.recv() {
                let Some(msg) = job() else { continue };
                if done_tx.send(msg).is_err() {
                    return;
                }
                // A full pipe wakes as well.
                let _ = rustix::io::write(&waker, b".");
            }
        };
        thread::Builder::new().name("worker".to_owned()).spawn(work)?;
        Ok(Self { jobs, done, wake })
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
