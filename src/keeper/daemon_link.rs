//! The keeper's end of the daemon: starting it, handing sessions over in acknowledged batches, its messages.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::process::Stdio;

use crate::platform::endpoint;
use crate::platform::endpoint::Place;
use crate::platform::link::Link;
use crate::platform::process::Handle;
use crate::platform::signals;
use crate::protocol::keeper::BATCH;
use crate::protocol::keeper::PACKET;
use crate::protocol::keeper::ToDaemon;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::message;
use crate::session::id::SessionId;
use crate::session::id::TeeId;

/// Something to hand over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A tee.
    Tee(TeeId),
    /// A session.
    Session(SessionId),
}

/// A running daemon.
pub struct DaemonLink {
    /// Its process id.
    pub pid: u32,
    process: Handle,
    link: Link,
    /// What it has not been told of.
    queue: VecDeque<Item>,
    /// How much of it was told and not yet acknowledged.
    in_flight: usize,
    /// It was told that all sessions were handed over.
    is_complete: bool,
    unsent: VecDeque<(Vec<u8>, Vec<OwnedFd>)>,
}

impl DaemonLink {
    /// Starts a daemon from the executable that is open as `program`, so that replacing the file harms nobody.
    pub fn start(program: &OwnedFd, place: &Place, items: Vec<Item>) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        let (ours, theirs) = Link::pair(PACKET)?;
        let log = endpoint::open_log(&place.log())?;
        let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
        command.arg0("rpm-daemon").arg("__daemon");
        command.stdin(Stdio::from(theirs.into_fd())).stdout(Stdio::null()).stderr(Stdio::from(log));
        signals::reset_in(&mut command);
        let child = command.spawn()?;
        Ok(Self {
            pid: child.id(),
            process: Handle::of_pid(child.id())?,
            link: ours,
            queue: items.into(),
            in_flight: 0,
            is_complete: false,
            unsent: VecDeque::new(),
        })
    }

    /// Returns its process, to wait for.
    pub fn process(&self) -> &Handle {
        &self.process
    }

    /// Returns the link, to wait for.
    pub fn link(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }

    /// Returns whether messages wait for room.
    pub fn is_behind(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Sends a message, now or as soon as there is room.
    pub fn send(&mut self, message: &ToDaemon, fds: Vec<OwnedFd>) {
        self.unsent.push_back((message::encode(message), fds));
        self.flush();
    }

    /// Sends what waits, as far as there is room.
    pub fn flush(&mut self) {
        while let Some((bytes, fds)) = self.unsent.front() {
            let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            match self.link.send(bytes, &borrowed) {
                // Too many descriptors in flight is over when the daemon has taken some.
                Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ETOOMANYREFS)) => return,
                // A broken link is noticed by the daemon's death.
                Ok(()) | Err(_) => self.unsent.pop_front(),
            };
        }
    }

    /// Returns what to hand over next, if the daemon can take it.
    pub fn next_item(&mut self) -> Option<Item> {
        if self.in_flight >= BATCH {
            return None;
        }
        let item = self.queue.pop_front()?;
        self.in_flight += 1;
        Some(item)
    }

    /// The daemon took so much over.
    pub fn taken(&mut self, count: u32) {
        self.in_flight = self.in_flight.saturating_sub(count as usize);
    }

    /// Returns true once: when the last session was handed over and it has to be told.
    pub fn completes_now(&mut self) -> bool {
        let completes = self.queue.is_empty() && !self.is_complete;
        self.is_complete |= completes;
        completes
    }

    /// Receives one message with its descriptors; `None` when there is none now. Malformed ones are skipped.
    pub fn receive(&self) -> Option<(ToKeeper, Vec<OwnedFd>)> {
        loop {
            let (bytes, fds) = self.link.receive().ok()??;
            if let Ok(message) = message::decode(&bytes) {
                return Some((message, fds));
            }
        }
    }
}
