//! Following a session's history: what a follower asks, what it gets, and how it goes on with the next daemon.
//!
//! No I/O: who has the connection sends [`Follower::request`], hands over the answer and what arrives, and after a lost
//! connection does the same again. *Invariant:* every byte from the first wanted one on is given once, or counted as missed
//! once, however often the daemon dies.

use crate::client::envelope::Incoming;
use crate::history::Stream;
use crate::protocol::frame::Bulk;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::protocol::verbs::Mark;
use crate::protocol::verbs::Point;
use crate::session::id::SessionId;
use crate::session::status::End;
use crate::term::Size;

/// What to follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Which session: name, id or unique prefix. What it names at the start is followed, whatever is renamed later.
    pub target: String,
    /// Offset of the first byte; without one, what is said from now on.
    pub from: Option<u64>,
    /// Only this stream.
    pub stream: Option<Stream>,
}

/// One piece of what a session says, in its order; nothing is left out without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// Bytes of one stream.
    Bytes {
        /// Offset of the first one in all that the session ever said.
        at: u64,
        /// Where they came from.
        stream: Stream,
        /// Wall-clock microseconds since 1970 when the first one was read; 0 if that is not known.
        time_us: u64,
        /// The bytes, as the program wrote them.
        bytes: Vec<u8>,
    },
    /// The terminal has this size; the first one is that where the following begins.
    Resize {
        /// Wall-clock microseconds since 1970.
        time_us: u64,
        /// The size.
        size: Size,
    },
    /// The first process ended; what it started may still say something.
    Exit {
        /// Wall-clock microseconds since 1970.
        time_us: u64,
    },
    /// What comes next is the oldest that is left, perhaps the rest of a line or a sequence; only where the start was not
    /// given as an offset.
    Torn {
        /// Its offset: so many bytes are gone.
        at: u64,
    },
    /// Bytes were overwritten before they could be followed.
    Missed {
        /// Offset of the first one; 0 if nothing was placed yet and the start was not given as an offset.
        at: u64,
        /// How many.
        bytes: u64,
    },
    /// Nothing more will come: how the session ended, or nothing if it was forgotten or only what was there is wanted.
    End(Option<End>),
}

/// See the module.
#[derive(Debug)]
pub struct Follower {
    /// The first request; its target becomes the session's id.
    logs: verbs::Logs,
    /// Offset of the next byte, once it is known.
    next: Option<u64>,
    /// Stream and time of what comes next.
    mark: (Stream, u64),
    /// So many sizes that were told are told again by the next daemon: that at the start, and those since the last byte.
    sizes: usize,
    /// So many of them are still to come from this daemon.
    repeats: usize,
    has_exited: bool,
    is_over: bool,
}

impl Follower {
    /// Follows what this asks for, on its channel.
    #[must_use]
    pub const fn new(logs: verbs::Logs) -> Self {
        let next = if let verbs::From::Offset(offset) = logs.from { Some(offset) } else { None };
        let mark = (Stream::Terminal, 0);
        Self { logs, next, mark, sizes: 0, repeats: 0, has_exited: false, is_over: false }
    }

    /// Returns what to ask a daemon, the first one and each one after it: all from the next byte on.
    #[must_use]
    pub fn request(&self) -> verbs::Logs {
        verbs::Logs { from: self.next.map_or(self.logs.from, verbs::From::Offset), ..self.logs.clone() }
    }

    /// The daemon agreed; the session is this one from now on, whatever is renamed.
    pub fn agreed(&mut self, id: SessionId) {
        self.logs.target = id.to_string();
        self.repeats = self.sizes;
    }

    /// Returns the offset of the next byte, once it is known.
    #[must_use]
    pub const fn offset(&self) -> Option<u64> {
        self.next
    }

    /// Returns whether nothing more will come.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Nothing more is wanted.
    pub const fn give_up(&mut self) {
        self.is_over = true;
    }

    /// Returns what something that arrived says, if it says anything new; what is for other channels does not.
    pub fn take(&mut self, incoming: Incoming) -> Option<Chunk> {
        if self.is_over || channel_of(&incoming) != Some(self.logs.channel) {
            return None;
        }
        match incoming {
            Incoming::Bulk(bulk) => self.bytes(bulk),
            Incoming::Event(event) => self.event(&event),
            Incoming::Reply(_) => None,
        }
    }

    /// Cuts off what is known already.
    fn bytes(&mut self, bulk: Bulk) -> Option<Chunk> {
        let Bulk { at: start, mut bytes, .. } = bulk;
        let known = self.next.unwrap_or(start).saturating_sub(start).min(bytes.len() as u64);
        bytes.drain(..known as usize);
        if bytes.is_empty() {
            return None;
        }
        let at = start + known;
        self.go_to(at + bytes.len() as u64);
        let (stream, time_us) = self.mark;
        Some(Chunk::Bytes { at, stream, time_us, bytes })
    }

    fn event(&mut self, event: &Event) -> Option<Chunk> {
        if let Some(mark) = event.get::<Mark>() {
            return self.mark(&mark);
        }
        if let Some(missed) = event.get::<verbs::Missed>() {
            let (at, bytes) = (self.next.unwrap_or(0), missed.bytes);
            if let Some(next) = self.next {
                self.go_to(next + bytes);
            }
            // The daemon stops there.
            self.is_over = self.logs.follow && !self.logs.past_gaps;
            return Some(Chunk::Missed { at, bytes });
        }
        if let Some(verbs::Torn { at, .. }) = event.get() {
            // Asked again, the next daemon begins where this one did.
            return self.next.replace(at).is_none().then_some(Chunk::Torn { at });
        }
        let closed = event.get::<verbs::Closed>()?;
        self.is_over = true;
        Some(Chunk::End(closed.end))
    }

    fn mark(&mut self, mark: &Mark) -> Option<Chunk> {
        let &Mark { at, time_us, point, .. } = mark;
        let next = *self.next.get_or_insert(at);
        match point {
            Point::Bytes(stream) => {
                self.mark = (stream, time_us);
                None
            }
            Point::Resize(_) if self.repeats > 0 && at <= next => {
                self.repeats -= 1;
                None
            }
            Point::Resize(size) => {
                self.sizes += 1;
                Some(Chunk::Resize { time_us, size })
            }
            Point::Exit => {
                let is_new = !std::mem::replace(&mut self.has_exited, true);
                is_new.then_some(Chunk::Exit { time_us })
            }
        }
    }

    fn go_to(&mut self, next: u64) {
        self.next = Some(next);
        // Of the sizes before it, the next daemon tells only the last one.
        self.sizes = self.sizes.min(1);
        self.repeats = 0;
    }
}

/// Returns the channel that something of a history is for.
#[must_use]
pub fn channel_of(incoming: &Incoming) -> Option<u32> {
    let event = match incoming {
        Incoming::Bulk(bulk) => return Some(bulk.channel),
        Incoming::Event(event) => event,
        Incoming::Reply(_) => return None,
    };
    let mark = event.get::<Mark>().map(|mark| mark.channel);
    let missed = || event.get::<verbs::Missed>().map(|missed| missed.channel);
    let torn = || event.get::<verbs::Torn>().map(|torn| torn.channel);
    mark.or_else(missed).or_else(torn).or_else(|| event.get::<verbs::Closed>().map(|closed| closed.channel))
}

#[cfg(test)]
mod tests;
