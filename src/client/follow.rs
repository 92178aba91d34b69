//! What a follower of a session gets: one shape for every kind of client.

use crate::history::Stream;
use crate::session::status::End;

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
        /// Offset of the first one.
        at: u64,
        /// Where they came from.
        stream: Stream,
        /// Wall-clock microseconds since 1970 when the first one was read; 0 if that is not known.
        time_us: u64,
        /// The bytes, as they were.
        bytes: Vec<u8>,
    },
    /// Bytes were overwritten before they could be followed.
    Missed {
        /// Offset of the first one.
        at: u64,
        /// How many.
        bytes: u64,
    },
    /// Nothing more will come: how the session ended, or nothing if it was forgotten.
    End(Option<End>),
}
