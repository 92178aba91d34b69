//! Input on its way to a program: a bounded queue, written without ever waiting.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::daemon::session::actor::Actor;
use crate::platform::clock;
use crate::platform::reactor;
use crate::platform::tty;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::id::AttachId;
use crate::session::spec::Kind;

/// Most bytes of answers that wait; a program that asks and does not read gets no more.
const ANSWERS: usize = 4096;

/// How long a key's answer is looked for before the thread may sleep.
const ECHO_NS: u64 = 80_000;

/// Another session that said something so recently needs this thread more.
const BUSY_NS: u64 = 2_000_000;

/// What waits for one program.
#[derive(Default)]
pub struct Input {
    queue: VecDeque<u8>,
    /// How many of the queued bytes hold permits of the session's input room.
    charged: usize,
    /// Close the input once the queue is empty.
    ends: bool,
    /// In the reactor only while a write has to wait: otherwise every output of a terminal would wake us here.
    waiting: Option<AsyncFd<OwnedFd>>,
    typed_at: u64,
}

impl Input {
    /// Returns whether a write waits for the program to read.
    pub const fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Waits until the program read something.
    pub async fn writable(&self) {
        match &self.waiting {
            Some(fd) => {
                if let Ok(mut guard) = fd.writable().await {
                    guard.clear_ready();
                }
            }
            None => std::future::pending().await,
        }
    }

    /// Returns when somebody last typed or took control.
    pub const fn last_typed(&self) -> u64 {
        self.typed_at
    }

    /// Notes that somebody did.
    pub const fn typed_at(&mut self, now: u64) {
        self.typed_at = now;
    }

    /// Queues the answer to a terminal query.
    pub fn answer(&mut self, bytes: &[u8]) {
        if self.queue.len() - self.charged.min(self.queue.len()) + bytes.len() <= ANSWERS {
            self.queue.extend(bytes);
        }
    }
}

impl Actor {
    /// An attachment typed; without control its bytes are dropped.
    pub(super) fn on_input(&mut self, attach: AttachId, bytes: Vec<u8>, now: u64) {
        if !self.control.is_held_by(attach) || self.session.input.borrow().is_none() {
            self.session.input_room.add_permits(bytes.len());
            return;
        }
        self.input.typed_at(now);
        self.input.charged += bytes.len();
        self.input.queue.extend(bytes);
        self.flush_input();
        self.await_echo(now);
    }

    /// Most keys are answered within microseconds. Looking for that answer is quicker than going to sleep and being woken
    /// for it, which costs a third of a keystroke's way; a program that takes longer is waited for as usual.
    fn await_echo(&self, typed: u64) {
        let (other, parsed) = self.hub.parsed.get();
        if other != self.session.id && typed.saturating_sub(parsed) < BUSY_NS {
            return;
        }
        let history = &self.session.history;
        let head = history.head();
        while history.head() == head && clock::monotonic_ns() < typed + ECHO_NS {
            std::hint::spin_loop();
        }
        if history.head() != head {
            self.session.news.notify_one();
            self.session.output.notify_waiters();
        }
    }

    /// Somebody types without being attached; a request that was begun before is not done again.
    pub(super) fn on_send(&mut self, request: &verbs::Send) -> Result<(), WireError> {
        match self.session.request_progress(request.key) {
            Some(2) => return Ok(()),
            Some(_) => {
                let message = "the daemon was restarted while it typed; all, some or none of it may have arrived";
                return Err(
                    WireError::new(Code::Uncertain, message).hint("look at the session before you send it again")
                );
            }
            None => {}
        }
        if self.has_ended() || self.session.input.borrow().is_none() {
            let why = if self.has_ended() { "has ended" } else { "takes no input any more: it was closed" };
            return Err(WireError::new(Code::Ended, format!("session {} {why}", self.name())));
        }
        let room = self.session.input_room.available_permits();
        if request.bytes.len() > room {
            let message = format!(
                "session {} does not read its input: {room} of {} bytes would fit",
                self.name(),
                request.bytes.len()
            );
            return Err(WireError::new(Code::Failed, message));
        }
        let done = self.session.begin_request(request.key);
        if let Ok(permits) = self.session.input_room.try_acquire_many(request.bytes.len() as u32) {
            permits.forget();
        }
        self.input.charged += request.bytes.len();
        self.input.queue.extend(request.bytes.iter());
        if request.eof {
            self.end_input();
        }
        self.flush_input();
        crate::history::Memory::store(self.session.history.control(), done + 8, 2);
        Ok(())
    }

    /// End-of-file: a terminal's character, or a closed pipe once everything before it was written.
    fn end_input(&mut self) {
        match self.session.handover.kind {
            Kind::Pipe => self.input.ends = true,
            Kind::Pty => {
                let input = self.session.input.borrow();
                self.input.queue.push_back(input.as_ref().map_or(4, tty::eof_character));
            }
        }
    }

    /// Writes what the program takes now.
    pub(super) fn flush_input(&mut self) {
        let Some(fd) = self.session.input.borrow().clone() else {
            self.drop_input();
            return;
        };
        while !self.input.queue.is_empty() {
            match rustix::io::write(&fd, self.input.queue.as_slices().0) {
                Ok(len) => self.wrote(len),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    self.wait_for_reader(&fd);
                    return;
                }
                // Nobody will ever read it: the program is gone or closed its input.
                Err(_) => {
                    self.drop_input();
                    return;
                }
            }
        }
        self.input.waiting = None;
        if self.input.ends {
            self.input.ends = false;
            *self.session.input.borrow_mut() = None;
            self.hub.keeper.send(&ToKeeper::CloseInput { id: self.session.id }, &[]);
        }
    }

    fn wait_for_reader(&mut self, fd: &Rc<OwnedFd>) {
        if self.input.waiting.is_none() {
            let own = fd.as_fd().try_clone_to_owned();
            self.input.waiting = own.and_then(|fd| reactor::watch(fd, Interest::WRITABLE)).ok();
        }
    }

    fn wrote(&mut self, len: usize) {
        self.hub.tees.pass_input(self.session.id, &self.input.queue.as_slices().0[..len]);
        self.drop_queued(len);
    }

    fn drop_queued(&mut self, len: usize) {
        self.input.queue.drain(..len);
        let freed = len.min(self.input.charged);
        self.input.charged -= freed;
        self.session.input_room.add_permits(freed);
    }

    fn drop_input(&mut self) {
        self.input.waiting = None;
        let len = self.input.queue.len();
        self.drop_queued(len);
    }
}
