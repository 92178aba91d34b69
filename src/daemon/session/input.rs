//! Input on its way to a program: a bounded queue, written without ever waiting.
//!
//! Who types gets [`CREDIT`] and gets it back as the program reads, so the queue is bounded by what clients were allowed to
//! send and no connection ever waits for a program. *Invariant:* the order of bytes is the order in which they came.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::OwnedSemaphorePermit;

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

/// Bytes that an attachment may have on their way to its program.
pub const CREDIT: u64 = 64 << 10;
/// Credit is given back in portions: a notice for each key would cost as much as the key.
const PORTION: u64 = CREDIT / 4;
/// A lone `C-c` may go beyond the credit.
const URGENT: u64 = 16;

/// Most bytes of answers that wait; a program that asks and does not read gets no more.
const ANSWERS: usize = 4096;

/// How long a key's answer is looked for before the thread may sleep.
const ECHO_NS: u64 = 80_000;

/// Another session that said something so recently needs this thread more.
const BUSY_NS: u64 = 2_000_000;

/// `C-c`.
const INTERRUPT: u8 = 3;

/// What one attachment has typed.
#[derive(Default)]
pub struct Typed {
    /// Bytes queued.
    queued: u64,
    /// Bytes that left the queue and were not given back yet.
    owed: u64,
}

/// Who wrote a piece of the queue.
enum Writer {
    Attachment(AttachId),
    /// A request; the room is free again when the piece is gone.
    Request {
        _room: OwnedSemaphorePermit,
    },
    /// The screen, answering a query.
    Screen,
}

struct Piece {
    bytes: Vec<u8>,
    /// How much of it was written.
    written: usize,
    writer: Writer,
}

/// What waits for one program.
#[derive(Default)]
pub struct Input {
    queue: VecDeque<Piece>,
    /// Bytes of answers in the queue.
    answers: usize,
    /// In the reactor only while a write has to wait: otherwise every output of a terminal would wake us here.
    waiting: Option<AsyncFd<OwnedFd>>,
    typed_at: u64,
}

impl Input {
    /// Returns whether a write waits for the program to read.
    pub const fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Waits until the program read something; `false` when nobody can read any more. A terminal that nobody holds looks
    /// writable for ever and takes nothing.
    pub async fn writable(&self) -> bool {
        let Some(fd) = &self.waiting else { return std::future::pending().await };
        match fd.writable().await {
            Ok(mut guard) => {
                let is_held = !guard.ready().is_write_closed();
                guard.clear_ready();
                is_held
            }
            Err(_) => false,
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
        if self.answers + bytes.len() <= ANSWERS {
            self.answers += bytes.len();
            self.push(bytes.to_vec(), Writer::Screen);
        }
    }

    fn push(&mut self, bytes: Vec<u8>, writer: Writer) {
        if !bytes.is_empty() {
            self.queue.push_back(Piece { bytes, written: 0, writer });
        }
    }
}

impl Actor {
    /// An attachment typed; without control its bytes are dropped. One that sends more than it was allowed is cut off.
    pub(super) fn on_input(&mut self, attach: AttachId, bytes: Vec<u8>, now: u64) {
        let may_type = self.control.may_type(attach) && self.session.takes_input().is_ok();
        let Some(attachment) = self.attachments.get_mut(&attach) else { return };
        let len = bytes.len() as u64;
        attachment.typed.queued += len;
        if attachment.typed.queued + attachment.typed.owed > CREDIT + URGENT {
            tracing::warn!(who = %attachment.client.who, "a client typed more than it was allowed");
            attachment.client.outbox.close();
            return;
        }
        if !may_type {
            self.gone(&Writer::Attachment(attach), len);
            return;
        }
        self.input.typed_at(now);
        self.on_active(attach, now);
        if bytes == [INTERRUPT] && !self.input.queue.is_empty() && self.session.handover.kind == Kind::Pty {
            self.interrupt(Writer::Attachment(attach));
            return;
        }
        self.input.push(bytes, Writer::Attachment(attach));
        self.flush_input();
        self.await_echo(now);
    }

    /// `C-c` while input waits: what its writer had queued is dropped, and the signal does not queue behind the rest.
    fn interrupt(&mut self, writer: Writer) {
        if let Writer::Attachment(who) = writer {
            let is_its = |piece: &Piece| matches!(piece.writer, Writer::Attachment(other) if other == who);
            let (its, rest) = std::mem::take(&mut self.input.queue).into_iter().partition(is_its);
            self.input.queue = rest;
            self.forget(its);
        }
        let fd = self.session.input.borrow().clone();
        if fd.is_some_and(|master| tty::interrupt(&*master)) {
            self.gone(&writer, 1);
        } else {
            // The program reads `C-c` itself: it comes before everything else that waits.
            self.input.queue.push_front(Piece { bytes: vec![INTERRUPT], written: 0, writer });
        }
        self.flush_input();
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

    /// Somebody types without being attached; a request that was begun before is not done again. Its room is taken already.
    pub(super) fn on_send(&mut self, request: &verbs::Send, room: OwnedSemaphorePermit) -> Result<(), WireError> {
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
        self.session.takes_input()?;
        let done = self.session.begin_request(request.key);
        let writer = Writer::Request { _room: room };
        if *request.bytes == [INTERRUPT] && !self.input.queue.is_empty() && self.session.handover.kind == Kind::Pty {
            self.interrupt(writer);
        } else {
            self.input.push(request.bytes.to_vec(), writer);
        }
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
            Kind::Pipe => {
                self.session.input_ends.set(true);
                // Who waits for room comes after the end.
                self.session.input_room.borrow().close();
            }
            Kind::Pty => {
                let eof = self.session.input.borrow().as_ref().map_or(4, tty::eof_character);
                self.input.push(vec![eof], Writer::Screen);
            }
        }
    }

    /// Writes what the program takes now.
    pub(super) fn flush_input(&mut self) {
        let Some(fd) = self.session.input.borrow().clone() else {
            self.drop_input();
            return;
        };
        while let Some(piece) = self.input.queue.front() {
            match rustix::io::write(&fd, &piece.bytes[piece.written..]) {
                Ok(len) => self.wrote(len),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    self.wait_for_reader(&fd);
                    return;
                }
                // Nobody will ever read it: the program is gone or closed its input.
                Err(_) => {
                    self.drop_input();
                    self.close_input();
                    return;
                }
            }
        }
        self.input.waiting = None;
        if self.session.input_ends.get() {
            self.close_input();
        }
    }

    /// Closes a pipe's input here and in the keeper. A terminal's master stays open: it is its output too.
    fn close_input(&mut self) {
        if self.session.handover.kind == Kind::Pipe {
            *self.session.input.borrow_mut() = None;
            self.session.input_room.borrow().close();
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
        let Some(piece) = self.input.queue.front_mut() else { return };
        self.hub.tees.pass_input(self.session.id, &piece.bytes[piece.written..piece.written + len]);
        piece.written += len;
        let is_done = piece.written == piece.bytes.len();
        if let Writer::Attachment(who) = piece.writer {
            self.gone(&Writer::Attachment(who), len as u64);
        }
        if is_done && let Some(Piece { writer: Writer::Screen, bytes, .. }) = self.input.queue.pop_front() {
            self.input.answers = self.input.answers.saturating_sub(bytes.len());
        }
    }

    /// Bytes of a writer left the queue.
    fn gone(&mut self, writer: &Writer, len: u64) {
        let Writer::Attachment(who) = writer else { return };
        let Some(attachment) = self.attachments.get_mut(who) else { return };
        let typed = &mut attachment.typed;
        typed.queued = typed.queued.saturating_sub(len);
        typed.owed += len;
        if typed.owed >= PORTION {
            let bytes = std::mem::take(&mut typed.owed);
            attachment.client.outbox.notify(&verbs::Credit { channel: attachment.channel, bytes });
        }
    }

    pub(super) fn drop_input(&mut self) {
        self.input.waiting = None;
        self.input.answers = 0;
        let dropped = std::mem::take(&mut self.input.queue);
        self.forget(dropped);
    }

    fn forget(&mut self, pieces: VecDeque<Piece>) {
        for piece in pieces {
            self.gone(&piece.writer, (piece.bytes.len() - piece.written) as u64);
        }
    }
}
