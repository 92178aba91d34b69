//! What goes out to one client: a bounded queue and the task that empties it.
//!
//! Raw bytes wait for room, so their ring is the queue. Replies and notices are few and bounded by what the
//! client asked for; changes of sessions are a set, coalesced while the client is slow.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeSet;

use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::frame;
use crate::protocol::frame::Bulk;
use crate::protocol::frame::Kind;
use crate::protocol::message;
use crate::protocol::message::Event;
use crate::protocol::message::Notice;
use crate::protocol::message::Reply;
use crate::session::id::SessionId;

/// Raw bytes wait while more than this is queued: what is in flight delays the answer to `C-c`.
const ROOM: usize = 32 << 10;
/// A client that lets this much pile up is cut off.
const LIMIT: usize = 8 << 20;

/// The sending side of one connection.
#[derive(Default)]
pub struct Outbox {
    /// Encoded frames, not yet written.
    queue: RefCell<Vec<u8>>,
    /// Sessions whose change the client has not been told.
    changed: RefCell<BTreeSet<SessionId>>,
    is_closed: Cell<bool>,
    /// The writer waits here for something to write.
    work: Notify,
    /// Senders of raw bytes wait here.
    room: Notify,
    /// Wakes those who wait for the end.
    end: Notify,
}

impl Outbox {
    /// Returns whether the client is gone.
    pub fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    /// Cuts the client off.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.work.notify_one();
        self.room.notify_waiters();
        self.end.notify_waiters();
    }

    /// Waits until the connection is closed.
    pub async fn closed(&self) {
        let end = self.end.notified();
        if !self.is_closed() {
            end.await;
        }
    }

    /// Sends a notice.
    pub fn notify<N: Notice>(&self, notice: &N) {
        self.push(Kind::Event, &message::encode(&Event::of(notice)));
    }

    /// Sends a notice that is worth nothing to a client that is behind; it gets none then.
    pub fn offer<N: Notice>(&self, notice: &N) {
        if self.queue.borrow().len() < ROOM {
            self.notify(notice);
        }
    }

    /// Sends a reply; one that fits no frame becomes an error that says so, or its client would ask for ever.
    pub fn reply(&self, reply: &Reply) {
        let mut bytes = message::encode(reply);
        if bytes.len() > frame::PAYLOAD_LIMIT {
            let message = format!("the answer has {} bytes, {} fit into a frame", bytes.len(), frame::PAYLOAD_LIMIT);
            let error = WireError::new(Code::Failed, message).hint("ask for less at once");
            bytes = message::encode(&Reply { id: reply.id, body: None, error: Some(error) });
        }
        self.push(Kind::Reply, &bytes);
    }

    /// Queues a frame.
    pub fn push(&self, kind: Kind, payload: &[u8]) {
        self.append(|queue| frame::encode(kind, payload, queue).is_ok());
    }

    /// Queues bytes of a channel without waiting; for screen frames, of which one at most is in flight.
    pub fn push_bulk(&self, channel: u32, more: bool, at: u64, bytes: &[u8]) {
        self.append(|queue| Bulk::encode(channel, more, at, bytes, queue).is_ok());
    }

    /// Queues bytes of a channel once there is room; `false` when the client is gone. `painted` bytes are a screen, not history.
    pub async fn send_bulk(&self, channel: u32, painted: bool, at: u64, bytes: &[u8]) -> bool {
        loop {
            let room = self.room.notified();
            if self.is_closed() {
                return false;
            }
            if self.queue.borrow().len() < ROOM {
                self.push_bulk(channel, painted, at, bytes);
                return true;
            }
            room.await;
        }
    }

    /// Waits until there is room for more; `false` when the client is gone.
    pub async fn has_room(&self) -> bool {
        loop {
            let room = self.room.notified();
            if self.is_closed() {
                return false;
            }
            if self.queue.borrow().len() < ROOM {
                return true;
            }
            room.await;
        }
    }

    /// Notes that a session changed.
    pub fn change(&self, id: SessionId) {
        self.changed.borrow_mut().insert(id);
        self.work.notify_one();
    }

    fn append(&self, encode: impl FnOnce(&mut Vec<u8>) -> bool) {
        let mut queue = self.queue.borrow_mut();
        if self.is_closed() {
            return;
        }
        if !encode(&mut queue) || queue.len() > LIMIT {
            drop(queue);
            self.close();
            return;
        }
        self.work.notify_one();
    }

    /// Writes until the connection closes. `tell` sends the changes of a session.
    pub async fn run<W: AsyncWrite + Unpin>(&self, mut writer: W, tell: impl Fn(SessionId)) {
        let mut batch = Vec::new();
        while !self.is_closed() {
            if self.queue.borrow().is_empty() {
                let changed = std::mem::take(&mut *self.changed.borrow_mut());
                changed.into_iter().for_each(&tell);
            }
            std::mem::swap(&mut batch, &mut *self.queue.borrow_mut());
            if batch.is_empty() {
                self.work.notified().await;
                continue;
            }
            let written = tokio::select! {
                written = writer.write_all(&batch) => written.is_ok(),
                () = self.closed() => false,
            };
            batch.clear();
            batch.shrink_to(2 * ROOM);
            self.room.notify_waiters();
            if !written {
                self.close();
            }
        }
        let _ = writer.shutdown().await;
    }
}
