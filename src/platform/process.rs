//! Processes as `/proc` and pidfds show them. A pid alone is never trusted.
#![expect(unsafe_code, reason = "close_range and signals to groups have no safe wrapper")]

use std::fs::File;
use std::io;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::process::Pid;
use rustix::process::PidfdFlags;
use rustix::process::Signal;
use rustix::process::WaitId;
use rustix::process::WaitIdOptions;
use rustix::time::Timespec;

use crate::history::ExitStatus;

/// Names this process for `ps` and `/proc/PID/comm`; longer names are cut by the kernel.
pub fn set_name(name: &std::ffi::CStr) {
    let _ = rustix::thread::set_name(name);
}

/// Keeps what the caller left open from every child: a descriptor in a session would hold its pipe or terminal for ever.
pub fn seal_inherited() {
    // SAFETY: marks descriptors close-on-exec; owns and closes none.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// Makes orphans below this process its children.
pub fn become_subreaper() {
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// A process for good: a number can be given to another process later, a number with a start time cannot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// Clock ticks since boot when it started.
    pub start_time: u64,
}

/// What `/proc/PID/stat` says, as far as it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The process.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// Its session.
    pub session: u32,
    /// Clock ticks since boot when it started.
    pub start_time: u64,
    /// It is dead and waits to be reaped. One whose first thread is dead and whose others run is not.
    pub is_zombie: bool,
    /// The kernel's letter for its state: R, S, D, T, Z …
    pub state: char,
    /// Its name, up to 15 bytes.
    pub name: String,
    /// Clock ticks of processor time it used.
    pub cpu_ticks: u64,
    /// Pages of memory it holds.
    pub rss_pages: u64,
}

impl Stat {
    /// Returns the process for good.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        Identity { pid: self.pid, start_time: self.start_time }
    }
}

/// Reads one process's stat line; none when there is no such process. An error means that it could not be looked at, and
/// proves nothing.
pub fn look(pid: u32) -> io::Result<Option<Stat>> {
    let mut line = [0_u8; 1024];
    let read = File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut line));
    Ok(present(read)?.and_then(|len| parse(pid, &line[..len])))
}

/// The same where nothing follows from not seeing it.
#[must_use]
pub fn stat(pid: u32) -> Option<Stat> {
    look(pid).ok().flatten()
}

/// Tells "is not there, or not for us to see" (some systems hide other users' processes) from "could not be looked at".
fn present<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(None),
        looked => looked.map(Some),
    }
}

/// The same for what a process may have made unreadable itself: unmapped memory, a file on a dead mount. No look may fail
/// for ever because of one of them.
fn visible<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Err(error) if is_shortage(&error) => Err(error),
        looked => Ok(looked.ok()),
    }
}

/// Returns whether an error says nothing about what was looked at: descriptors or memory are short.
#[must_use]
pub fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}

/// Returns what a file of a process holds; none where the process is gone or it is not ours to read.
pub fn contents(pid: u32, file: &str) -> io::Result<Option<Vec<u8>>> {
    visible(std::fs::read(format!("/proc/{pid}/{file}")))
}

fn parse(pid: u32, line: &[u8]) -> Option<Stat> {
    // The name is in parentheses and may hold anything, so fields count from the last one.
    let open = line.iter().position(|b| *b == b'(')? + 1;
    let close = line.iter().rposition(|b| *b == b')')?;
    let text = std::str::from_utf8(line.get(close + 2..)?).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |n: usize| fields.get(n)?.parse::<u64>().ok();
    let state = fields.first()?.chars().next()?;
    Some(Stat {
        pid,
        parent: number(1)? as u32,
        session: number(3)? as u32,
        start_time: number(19)?,
        is_zombie: matches!(state, 'Z' | 'X') && number(17).unwrap_or(0) <= 1,
        state,
        name: String::from_utf8_lossy(line.get(open..close)?).into_owned(),
        cpu_ticks: number(11)? + number(12)?,
        rss_pages: number(21).unwrap_or(0),
    })
}

/// A process that is held so that its number cannot come to mean another one.
pub struct Handle(OwnedFd);

impl Handle {
    /// Holds a process whose start time is known, so that a reused number is noticed.
    pub fn open(identity: Identity) -> io::Result<Self> {
        let handle = Self::of_pid(identity.pid)?;
        match look(identity.pid)? {
            Some(stat) if stat.identity() == identity => Ok(handle),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Holds who has this number now: a child that has not been reaped, or one that is known to live.
    pub fn of_pid(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self(rustix::process::pidfd_open(pid, PidfdFlags::empty())?))
    }

    /// Wraps a pidfd from another process.
    #[must_use]
    pub const fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Sends a signal; a process that is gone is no error.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match rustix::process::pidfd_send_signal(&self.0, signal) {
            Err(rustix::io::Errno::SRCH) => Ok(()),
            result => Ok(result?),
        }
    }

    /// Sends a signal to the process group that it leads or led, in one step: no member forks its way out.
    ///
    /// Linux 6.9 and later; an error before.
    pub fn signal_group(&self, signal: Signal) -> io::Result<()> {
        /// `PIDFD_SIGNAL_PROCESS_GROUP`, `linux/pidfd.h`.
        const GROUP: libc::c_uint = 1 << 2;
        let (fd, info) = (self.0.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
        // SAFETY: a plain system call on our own descriptor; no information is passed.
        let done = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal.as_raw(), info, GROUP) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits until it is dead, up to this long; returns whether it is.
    #[must_use]
    pub fn wait_dead(&self, limit: Duration) -> bool {
        let limit = Timespec::try_from(limit).ok();
        // A descriptor of a process is readable as soon as it is dead, reaped or not (pidfd_open(2)).
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        matches!(rustix::event::poll(&mut fds, limit.as_ref()), Ok(1))
    }

    /// Reaps it, if it is a dead child of this process.
    #[must_use]
    pub fn reap(&self) -> Option<ExitStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let status = rustix::process::waitid(WaitId::PidFd(self.0.as_fd()), options).ok()??;
        let code = status.exit_status().map(|code| ExitStatus::Code(code as u8));
        code.or_else(|| status.terminating_signal().map(|signal| ExitStatus::Signal(signal as u8)))
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Reaps every dead child that is not among `known`, which is sorted: a known child's status belongs to whoever holds its pidfd.
pub fn reap_strangers(known: &[u32]) {
    while let Some(pid) = dead_child() {
        if known.binary_search(&pid).is_ok() {
            // It stands before the others, and the kernel would name it again and again.
            while reap_others(known) > 0 {}
            return;
        }
        if !reap(pid) {
            return;
        }
    }
}

/// Returns a dead child without reaping it.
fn dead_child() -> Option<u32> {
    // SAFETY: plain C calls on a local, zeroed value, which is what "nobody" looks like.
    let pid = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        if libc::waitid(libc::P_ALL, 0, &raw mut info, options) == 0 { info.si_pid() } else { 0 }
    };
    u32::try_from(pid).ok().filter(|pid| *pid != 0)
}

fn reap(pid: u32) -> bool {
    let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    rustix::process::waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOHANG).is_ok()
}

fn reap_others(known: &[u32]) -> usize {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // Those that are not seen now are reaped with the next one.
    let children = children_of(std::process::id()).unwrap_or_default();
    let strangers = children.into_iter().filter(|pid| known.binary_search(pid).is_err());
    let is_reaped = |pid: &u32| {
        let Some(id) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { return false };
        matches!(rustix::process::waitid(WaitId::Pid(id), look), Ok(Some(_))) && reap(*pid)
    };
    strangers.filter(is_reaped).count()
}

/// Returns a process's children. While some of them exit, others may be missing: proves nothing.
pub fn children_of(pid: u32) -> io::Result<Vec<u32>> {
    let text = contents(pid, &format!("task/{pid}/children"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    Ok(text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// Returns the numbers of all processes.
pub fn pids() -> io::Result<Vec<u32>> {
    let mut pids = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(pids)
}

/// Returns the values of some variables in the environment a process was started with; `None` where it is not there or
/// not ours to read.
pub fn environment<const N: usize>(pid: u32, names: [&str; N]) -> io::Result<[Option<Vec<u8>>; N]> {
    let environment = contents(pid, "environ")?.unwrap_or_default();
    Ok(names.map(|name| {
        let mut entries = environment.split(|b| *b == 0);
        entries.find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec))
    }))
}

/// Returns what a process has open, each as device and inode number; none where that is not ours to see.
pub fn open_files(pid: u32) -> io::Result<Vec<(u64, u64)>> {
    let mut files = Vec::new();
    let Some(entries) = visible(std::fs::read_dir(format!("/proc/{pid}/fd")))? else { return Ok(files) };
    for entry in entries {
        let Some(entry) = visible(entry)? else { break };
        files.extend(visible(std::fs::metadata(entry.path()))?.map(|file| (file.dev(), file.ino())));
    }
    Ok(files)
}

/// Returns the user a process acts as.
#[must_use]
pub fn owner(pid: u32) -> Option<u32> {
    std::fs::metadata(format!("/proc/{pid}")).ok().map(|file| file.uid())
}

/// Returns program and arguments of a process; none for a zombie.
#[must_use]
pub fn command_line(pid: u32) -> Vec<Vec<u8>> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    if line.is_empty() { Vec::new() } else { line.split(|b| *b == 0).map(<[u8]>::to_vec).collect() }
}

/// Returns the directory of a process; empty where it cannot be seen.
#[must_use]
pub fn cwd(pid: u32) -> String {
    std::fs::read_link(format!("/proc/{pid}/cwd")).map(|path| path.display().to_string()).unwrap_or_default()
}

/// Returns what start times of this boot count from, as a name for it.
#[must_use]
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Converts processor time from clock ticks to milliseconds.
#[must_use]
pub fn ticks_ms(ticks: u64) -> u64 {
    ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)
}

/// Converts memory from pages to bytes.
#[must_use]
pub fn pages_bytes(pages: u64) -> u64 {
    pages * rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k15_a_number_that_was_reused_is_never_held_and_so_never_signalled() {
        let own = stat(std::process::id()).expect("we live").identity();
        assert!(Handle::open(own).is_ok());
        assert!(Handle::open(Identity { start_time: own.start_time + 1, ..own }).is_err());
        for pid in [0, u32::MAX] {
            assert!(Handle::open(Identity { pid, start_time: 0 }).is_err());
        }
    }

    #[test]
    fn k15_what_is_short_is_told_from_what_is_not_there() {
        let error = |code| Err::<(), _>(io::Error::from_raw_os_error(code));
        for short in [libc::EMFILE, libc::ENFILE, libc::ENOMEM] {
            assert!(present(error(short)).is_err() && visible(error(short)).is_err());
        }
        for absent in [libc::ENOENT, libc::ESRCH, libc::EACCES, libc::EPERM] {
            assert!(matches!((present(error(absent)), visible(error(absent))), (Ok(None), Ok(None))));
        }
        for own_doing in [libc::EIO, libc::ENOTCONN, libc::ESTALE] {
            assert!(present(error(own_doing)).is_err() && visible(error(own_doing)).is_ok());
        }
    }

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "printf 'a) R 1 1' > /proc/self/comm; read x"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("sh runs");
        let parent = stat(child.id()).map(|stat| stat.parent);
        drop(child.stdin.take());
        assert!(child.wait().is_ok());
        assert_eq!(parent, Some(std::process::id()));
    }
}
