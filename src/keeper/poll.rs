//! What the keeper waits for, and in which order it looks: control first, output last.

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::event::epoll::EventData;
use rustix::event::epoll::EventFlags;
use rustix::time::Timespec;

use crate::history::Stream;
use crate::session::id::SessionId;
use crate::session::id::TeeId;

/// Something to wait for. The order is the order of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A signal arrived.
    Signals,
    /// The daemon died.
    Daemon,
    /// The daemon sent a message, or can take one.
    Link,
    /// The daemon moved a trim line.
    Bell,
    /// A session's first process died.
    Process(SessionId),
    /// The process of a tee died.
    Tee(TeeId),
    /// A session said something.
    Output(SessionId, u8),
}

impl Source {
    fn token(self) -> u64 {
        match self {
            Self::Signals => 0,
            Self::Daemon => 1,
            Self::Link => 2,
            Self::Bell => 3,
            Self::Process(id) => 4 | id.0 << 5,
            Self::Tee(id) => 6 | id.0 << 5,
            Self::Output(id, stream) => 5 | u64::from(stream) << 3 | id.0 << 5,
        }
    }

    fn from_token(token: u64) -> Self {
        let id = SessionId(token >> 5);
        match token & 7 {
            0 => Self::Signals,
            1 => Self::Daemon,
            2 => Self::Link,
            3 => Self::Bell,
            4 => Self::Process(id),
            6 => Self::Tee(TeeId(token >> 5)),
            _ => Self::Output(id, (token >> 3 & 3) as u8),
        }
    }
}

/// How a source is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// While it can be read.
    Read,
    /// While it can be read or written.
    ReadWrite,
    /// When something about it changes: for a terminal that nobody holds, which reads as hung up for ever.
    Change,
}

/// An epoll set.
pub struct Poll {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poll {
    /// Makes an empty set.
    pub fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?, events: Vec::with_capacity(256) })
    }

    /// Watches a descriptor, or changes how.
    pub fn watch(&self, fd: BorrowedFd<'_>, source: Source, how: Watch) -> io::Result<()> {
        let flags = match how {
            Watch::Read => EventFlags::IN,
            Watch::ReadWrite => EventFlags::IN | EventFlags::OUT,
            Watch::Change => EventFlags::IN | EventFlags::ET,
        };
        let data = EventData::new_u64(source.token());
        match epoll::add(&self.epoll, fd, data, flags) {
            Err(rustix::io::Errno::EXIST) => Ok(epoll::modify(&self.epoll, fd, data, flags)?),
            result => Ok(result?),
        }
    }

    /// Watches it no longer.
    pub fn forget(&self, fd: BorrowedFd<'_>) {
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Watches none of them any longer.
    pub fn forget_all(&self, fds: &[OwnedFd]) {
        for fd in fds {
            self.forget(fd.as_fd());
        }
    }

    /// Waits, at most until `timeout_ns` from now; returns what is ready, most urgent first.
    pub fn wait(&mut self, timeout_ns: Option<u64>) -> io::Result<Vec<Source>> {
        let timeout =
            timeout_ns.map(|ns| Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 });
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            result => {
                result?;
            }
        }
        let mut ready: Vec<Source> = self.events.iter().map(|event| Source::from_token(event.data.u64())).collect();
        ready.sort_unstable();
        Ok(ready)
    }
}

/// The stream of an output source.
pub const fn stream_of(number: u8) -> Stream {
    match number {
        1 => Stream::Out,
        2 => Stream::Err,
        _ => Stream::Terminal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_control_is_served_before_output() {
        let mut all = vec![
            Source::Output(SessionId(1), 2),
            Source::Tee(TeeId(7)),
            Source::Process(SessionId(1 << 40)),
            Source::Bell,
            Source::Link,
            Source::Daemon,
            Source::Signals,
        ];
        for source in &all {
            assert_eq!(Source::from_token(source.token()), *source);
        }
        all.sort_unstable();
        assert_eq!(all.first(), Some(&Source::Signals));
        assert_eq!(all.last(), Some(&Source::Output(SessionId(1), 2)));
    }
}
