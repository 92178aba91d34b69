//! The records of an index, and the header before them, as bytes.
//!
//! Little-endian words and a checksum each: what was torn by a power cut is told from what was written.

use crate::history::Entry;
use crate::history::Kind;

/// Bytes of a record, and of the header.
pub const RECORD: usize = 48;
/// `rpmjrnl` and a one, as a little-endian word.
const MAGIC: u64 = u64::from_le_bytes(*b"rpmjrnl\x01");
/// Format that this build writes.
const FORMAT: u32 = 1;
/// Oldest reader that understands what this build writes.
const MIN_READER: u32 = 1;
/// Beside the format: the journal begins with this segment.
const FIRST: u64 = 1 << 16;
/// Code of a gap, far from the history's own.
const GAP: u64 = 0xf0;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The same as the history's entry: bytes of a stream, or something that happened.
    Entry(Kind),
    /// Bytes that the journal never got.
    Gap {
        /// How many.
        bytes: u64,
        /// Error number; 0 when they were overwritten before they could be written.
        errno: u16,
    },
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Offset in the history where it applies.
    pub offset: u64,
    /// Bytes it covers in the raw file.
    pub len: u32,
    /// What it says.
    pub what: What,
    /// Monotonic nanoseconds, of the boot it was written in.
    pub time: u64,
    /// The same in wall-clock microseconds since 1970.
    pub wall_us: u64,
    /// Runs of the program that had ended before.
    pub run: u32,
    /// Where its bytes begin in the raw file.
    pub at: u64,
}

impl Record {
    /// Takes an entry of a history over.
    #[must_use]
    pub const fn of(entry: Entry, wall_us: u64) -> Self {
        let Entry { offset, len, kind, time } = entry;
        Self { offset, len, what: What::Entry(kind), time, wall_us, run: 0, at: 0 }
    }

    /// Returns the offset after what it covers.
    #[must_use]
    pub const fn end(&self) -> u64 {
        match self.what {
            What::Gap { bytes, .. } => self.offset.saturating_add(bytes),
            What::Entry(_) => self.offset.saturating_add(self.len as u64),
        }
    }

    /// Writes it.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD] {
        let [offset, time, packed, value] = match self.what {
            What::Entry(kind) => Entry { offset: self.offset, len: self.len, kind, time: self.time }.words(),
            What::Gap { bytes, errno } => [self.offset, self.time, GAP << 32 | u64::from(errno) << 48, bytes],
        };
        let value = if self.is_bytes() { self.at } else { value };
        seal([offset, time, packed, value, self.wall_us], self.run)
    }

    /// Reads one; `None` when it was not written whole.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let ([offset, time, packed, value, wall_us], run) = unseal(bytes)?;
        let record = |len, what, at| Self { offset, len, what, time, wall_us, run, at };
        if (packed >> 32) & 0xff == GAP {
            return Some(record(0, What::Gap { bytes: value, errno: (packed >> 48) as u16 }, 0));
        }
        let entry = Entry::from_words([offset, time, packed, value]);
        let is_bytes = matches!(entry.kind, Kind::Bytes(_));
        Some(record(entry.len, What::Entry(entry.kind), if is_bytes { value } else { 0 }))
    }

    /// Returns whether it covers bytes of the raw file.
    #[must_use]
    pub const fn is_bytes(&self) -> bool {
        matches!(self.what, What::Entry(Kind::Bytes(_)))
    }
}

/// What an index begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Offset of the first byte of the segment.
    pub base: u64,
    /// Wall-clock microseconds when it was begun.
    pub wall_us: u64,
    /// Bytes that the journal never got before, ever.
    pub dropped: u64,
    /// Runs that had ended before.
    pub run: u32,
    /// The journal begins with it: what has lower offsets was never said, or is not wanted any more.
    pub is_first: bool,
}

impl Header {
    /// Writes it.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD] {
        let first = if self.is_first { FIRST } else { 0 };
        let versions = u64::from(FORMAT) | first | u64::from(MIN_READER) << 32;
        seal([MAGIC, versions, self.base, self.wall_us, self.dropped], self.run)
    }

    /// Reads one; `None` when it is none, was not written whole, or is for newer readers.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let ([magic, versions, base, wall_us, dropped], run) = unseal(bytes)?;
        let is_ours = magic == MAGIC && versions >> 32 <= u64::from(FORMAT);
        let is_first = base == 0 || versions & FIRST != 0;
        is_ours.then_some(Self { base, wall_us, dropped, run, is_first })
    }
}

fn seal(words: [u64; 5], run: u32) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    for (n, word) in words.into_iter().enumerate() {
        bytes[n * 8..n * 8 + 8].copy_from_slice(&word.to_le_bytes());
    }
    bytes[40..44].copy_from_slice(&run.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..44]);
    bytes[44..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn unseal(bytes: &[u8]) -> Option<([u64; 5], u32)> {
    let bytes: &[u8; RECORD] = bytes.try_into().ok()?;
    let half = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let word = |n: usize| u64::from(half(n * 8)) | u64::from(half(n * 8 + 4)) << 32;
    (crc32fast::hash(&bytes[..44]) == half(44)).then(|| (std::array::from_fn(word), half(40)))
}
