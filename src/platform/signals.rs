//! Signals as a descriptor: blocked, and read like everything else.
//!
//! Blocked, never ignored: an ignored signal would stay ignored in children. A blocked one would stay blocked too, so
//! every child is given an empty mask between fork and exec.
#![expect(unsafe_code, reason = "sigprocmask and signalfd have no safe wrapper here")]

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::FromRawFd;
use std::os::fd::OwnedFd;

/// A signalfd; the signals are delivered as before once it is dropped.
pub struct Signals {
    fd: OwnedFd,
    before: libc::sigset_t,
}

impl Signals {
    /// Blocks the signals in this thread and delivers them through the descriptor.
    pub fn catch(signals: &[i32]) -> io::Result<Self> {
        // SAFETY: plain C calls on local, initialised signal sets.
        let (fd, before) = unsafe {
            let mut set = std::mem::zeroed();
            let mut before = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in signals {
                libc::sigaddset(&raw mut set, *signal);
            }
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut before);
            (libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK), before)
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh descriptor that nobody else owns.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) }, before })
    }

    /// Returns the next signal that arrived.
    #[must_use]
    pub fn next(&self) -> Option<i32> {
        let mut info = [0_u8; size_of::<libc::signalfd_siginfo>()];
        let read = rustix::io::read(&self.fd, &mut info).ok()?;
        // `ssi_signo` is the first field, a u32.
        (read == info.len()).then(|| i32::from_ne_bytes([info[0], info[1], info[2], info[3]]))
    }
}

/// Gives a child between fork and exec what a program expects: no signal blocked, none ignored. No allocation, no locks.
///
/// The first client's shell may have ignored some (`nohup`), and its sessions are not the only ones.
pub fn reset_all() {
    // SAFETY: async-signal-safe calls on local, initialised values. The raw call also reaches the two signals that the C
    // library keeps to itself; an all-zero action is the default one on every Linux architecture.
    unsafe {
        let action = [0_u64; 8];
        for signal in 1..=64 {
            libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), std::ptr::null_mut::<u64>(), 8);
        }
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Makes a command start its program with no signal blocked or ignored.
pub fn reset_in(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: the closure makes async-signal-safe calls only.
    unsafe {
        command.pre_exec(|| {
            reset_all();
            Ok(())
        });
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // What arrived and was not read would be delivered, and end the process, as soon as it is unblocked.
        while self.next().is_some() {}
        // SAFETY: a plain C call on a set that the kernel filled.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}
