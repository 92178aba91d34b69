//! Processes as `/proc` and pidfds show them. A pid alone is never trusted.
#![expect(unsafe_code, reason = "close_range and signals to a handle's group have no safe wrapper")]

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use rustix::process::Pid;
use rustix::process::PidfdFlags;
use rustix::process::Signal;
use rustix::process::WaitId;
use rustix::process::WaitIdOptions;

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

/// What `/proc/PID/stat` says, as far as it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The process.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// Its session.
    pub session: u32,
    /// Clock ticks since boot when it started.
    pub start_time: u64,
    /// It is dead and waits to be reaped.
    pub is_zombie: bool,
}

/// Reads one process's stat line.
#[must_use]
pub fn stat(pid: u32) -> Option<Stat> {
    let line = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything, so fields count from the last one.
    let after = line.iter().rposition(|b| *b == b')')? + 2;
    let text = std::str::from_utf8(line.get(after..)?).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |n: usize| fields.get(n)?.parse::<u64>().ok();
    Some(Stat {
        pid,
        parent: number(1)? as u32,
        session: number(3)? as u32,
        start_time: number(19)?,
        is_zombie: matches!(fields.first(), Some(&("Z" | "X"))),
    })
}

/// `PIDFD_SIGNAL_PROCESS_GROUP`, `pidfd_send_signal(2)`; since Linux 6.9.
const SIGNAL_GROUP: libc::c_uint = 1 << 2;

/// A process that is held so that its number cannot come to mean another one.
pub struct Handle(OwnedFd);

impl Handle {
    /// Holds a process whose start time is known, so that a reused number is noticed.
    pub fn open(pid: u32, start_time: u64) -> io::Result<Self> {
        let handle = Self::of_child(pid)?;
        match stat(pid) {
            Some(stat) if stat.start_time == start_time => Ok(handle),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Holds a child that has not been reaped: its number cannot be reused.
    pub fn of_child(pid: u32) -> io::Result<Self> {
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

    /// Sends a signal to the process group that it leads.
    pub fn signal_group(&self, signal: u8) -> io::Result<()> {
        // SAFETY: the call reads its arguments only; no information beside the signal is given.
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                libc::c_int::from(signal),
                std::ptr::null::<libc::siginfo_t>(),
                SIGNAL_GROUP,
            )
        };
        match if result == 0 { None } else { Some(io::Error::last_os_error()) } {
            // Before Linux 6.9 a handle reaches its process alone.
            Some(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                let signal = Signal::from_named_raw(signal.into()).ok_or(io::ErrorKind::InvalidInput)?;
                self.signal(signal)
            }
            Some(error) => Err(error),
            None => Ok(()),
        }
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

/// Reaps a dead child that is not among `known`; returns its number.
///
/// Only looks first: a known child's status belongs to whoever holds its pidfd.
#[must_use]
pub fn reap_stranger(known: &dyn Fn(u32) -> bool) -> Option<u32> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    for pid in children_of(std::process::id()) {
        if known(pid) {
            continue;
        }
        let id = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        if let Ok(Some(_)) = rustix::process::waitid(WaitId::Pid(id), look) {
            let _ = rustix::process::waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
            return Some(pid);
        }
    }
    None
}

fn children_of(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// What marks a process as one of a session's.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The session's first process, leader of its kernel session.
    pub leader: u32,
    /// `RUNPM_SESSION=…` as it stands in its environment.
    pub tag: Vec<u8>,
}

/// Finds the living processes of a session: its kernel session, its tag, and all their descendants.
#[must_use]
pub fn members(mark: &Mark) -> Vec<Stat> {
    let own = std::process::id();
    let all: Vec<Stat> =
        pids().into_iter().filter_map(stat).filter(|stat| !stat.is_zombie && stat.pid != own).collect();
    let mut found: HashSet<u32> = all
        .iter()
        .filter(|stat| stat.session == mark.leader || stat.pid == mark.leader || has_tag(stat.pid, &mark.tag))
        .map(|stat| stat.pid)
        .collect();
    loop {
        let more: Vec<u32> =
            all.iter().filter(|s| found.contains(&s.parent) && !found.contains(&s.pid)).map(|s| s.pid).collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    all.into_iter().filter(|stat| found.contains(&stat.pid)).collect()
}

fn pids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn has_tag(pid: u32, tag: &[u8]) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|b| *b == 0).any(|entry| entry == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k15_a_number_that_was_reused_is_never_held_and_so_never_signalled() {
        let own = stat(std::process::id()).expect("we live");
        assert!(Handle::open(own.pid, own.start_time).is_ok());
        assert!(Handle::open(own.pid, own.start_time + 1).is_err());
        assert!(Handle::open(0, 0).is_err() && Handle::open(u32::MAX, 0).is_err());
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
