//! Index entries: which bytes came from which stream, when, and what happened between them.
//!
//! An entry is four words in shared memory, so a reader can meet one that is being replaced; it
//! reads the count again afterwards and drops what was overtaken.

use serde::Deserialize;
use serde::Serialize;

/// Which of a session's streams a byte came from.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// A terminal's output (both standard streams, after the line discipline).
    Terminal = 0,
    /// Standard output of a pipe session.
    Out = 1,
    /// Standard error of a pipe session.
    Err = 2,
}

impl Stream {
    /// Its bit in the end-of-stream word.
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    const fn from_u8(value: u8) -> Self {
        match value {
            1 => Self::Out,
            2 => Self::Err,
            _ => Self::Terminal,
        }
    }
}

/// What an entry says.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Kind {
    /// `len` bytes of a stream.
    Bytes(Stream),
    /// The terminal got this size (rows, columns).
    Resize(u16, u16),
    /// The session's first process ended.
    Exit,
    /// The program was started again: a new first process, with this run number.
    Start(u32),
}

/// One entry of the index ring.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct Entry {
    /// History offset where it applies.
    pub offset: u64,
    /// Bytes it covers; 0 for anything but [`Kind::Bytes`].
    pub len: u32,
    /// What it says.
    pub kind: Kind,
    /// Monotonic nanoseconds when its first byte was read.
    pub time: u64,
}

impl Entry {
    /// Offset after its last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len as u64)
    }

    /// Packs the entry into the four words of its slot.
    #[must_use]
    pub const fn words(&self) -> [u64; 4] {
        let (kind, stream, value) = match self.kind {
            Kind::Bytes(stream) => (0, stream as u8, 0),
            Kind::Resize(rows, cols) => (1, 0, (rows as u64) << 16 | cols as u64),
            Kind::Exit => (2, 0, 0),
            Kind::Start(run) => (3, 0, run as u64),
        };
        [self.offset, self.time, self.len as u64 | (kind as u64) << 32 | (stream as u64) << 40, value]
    }

    /// Reads an entry back; unknown kinds become empty byte entries, so that newer writers stay readable.
    #[must_use]
    pub const fn from_words(words: [u64; 4]) -> Self {
        let [offset, time, packed, value] = words;
        let stream = Stream::from_u8((packed >> 40) as u8);
        let (kind, len) = match (packed >> 32) as u8 {
            0 => (Kind::Bytes(stream), packed as u32),
            1 => (Kind::Resize((value >> 16) as u16, value as u16), 0),
            2 => (Kind::Exit, 0),
            3 => (Kind::Start(value as u32), 0),
            _ => (Kind::Bytes(stream), 0),
        };
        Self { offset, len, kind, time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_packing() {
        let bytes = [Kind::Bytes(Stream::Terminal), Kind::Bytes(Stream::Err)];
        for kind in bytes.into_iter().chain([Kind::Resize(50, 200), Kind::Exit, Kind::Start(9)]) {
            let len = if matches!(kind, Kind::Bytes(_)) { u32::MAX } else { 0 };
            let entry = Entry { offset: 1 << 60, len, kind, time: 77 };
            assert_eq!(Entry::from_words(entry.words()), entry);
        }
    }
}
