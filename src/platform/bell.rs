//! A bell between two processes: one rings, the other's poll wakes.
//!
//! The flag beside it lives in shared memory: the sleeper arms it before it looks a last time and
//! sleeps; whoever has news disarms it and only then rings. So a flood costs no system call a piece.

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use rustix::event::EventfdFlags;

/// An eventfd.
pub struct Bell(OwnedFd);

impl Bell {
    /// Makes one.
    pub fn new() -> io::Result<Self> {
        Ok(Self(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Wraps one that another process made.
    #[must_use]
    pub const fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Wakes the sleeper. A bell that rings already is loud enough.
    pub fn ring(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Silences it.
    pub fn hush(&self) {
        let _ = rustix::io::read(&self.0, &mut [0_u8; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
