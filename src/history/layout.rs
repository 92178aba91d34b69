//! Where everything lies in the shared memories of one session.
//!
//! Data: a header page, the byte ring, the index ring; the keeper writes, everybody else maps it
//! read-only. Control: words, each with one named writer. Both open with magic, layout version
//! and the oldest reader that may trust them. Fields are appended, never moved: a released
//! layout is read for ever.

use crate::history::memory::Memory;

/// `runpm\0\0\1` as a little-endian word: first word of every memory.
pub const MAGIC: u64 = 0x0100_006d_706e_7572;
/// Layout that this build writes.
pub const LAYOUT: u64 = 1;
/// Oldest layout reader that understands what this build writes.
pub const MIN_READER: u64 = 1;

/// Bytes before the byte ring.
pub const HEADER: usize = 4096;
/// Default size of a session's byte ring.
pub const DEFAULT_RING: usize = 2 << 20;
/// Smallest and largest byte ring a session may ask for.
pub const RING_LIMITS: (usize, usize) = (64 << 10, 1 << 30);
/// Entries in the index ring.
pub const INDEX_ENTRIES: usize = 16 << 10;
/// Bytes of one index entry: four words.
pub const ENTRY: usize = 32;
/// Memory is given out in steps of this.
pub const PAGE: u64 = 4096;
/// Length of the control memory.
pub const CONTROL_LEN: usize = 4096;

const fn word(n: usize) -> usize {
    n * 8
}

/// Header of the data memory; the keeper writes it once, before anybody else maps it.
pub mod data {
    use super::word;
    /// Magic.
    pub const MAGIC: usize = word(0);
    /// Layout version.
    pub const LAYOUT: usize = word(1);
    /// Oldest reader.
    pub const MIN_READER: usize = word(2);
    /// Bytes in the byte ring, a power of two.
    pub const RING: usize = word(3);
    /// Entries in the index ring.
    pub const ENTRIES: usize = word(4);
    /// Offset of the first byte.
    pub const BASE: usize = word(5);
}

/// Words of the control memory.
pub mod control {
    use super::word;
    /// Magic.
    pub const MAGIC: usize = word(0);
    /// Layout version.
    pub const LAYOUT: usize = word(1);
    /// Oldest reader.
    pub const MIN_READER: usize = word(2);

    /// Keeper: bytes written so far; everything below is complete.
    pub const HEAD: usize = word(8);
    /// Keeper: no byte at or above this has been touched yet.
    pub const RESERVE: usize = word(9);
    /// Keeper: index entries written so far.
    pub const INDEX_HEAD: usize = word(10);
    /// Keeper: streams that reached their end, one bit each (`Stream as u8`).
    pub const EOF: usize = word(11);
    /// Keeper: 1 while a stream has more to say and there is no room for it.
    pub const STALLED: usize = word(12);
    /// Keeper: 0 running, 1 ended with a code, 2 ended by a signal.
    pub const EXIT_KIND: usize = word(13);
    /// Keeper: the code or the signal.
    pub const EXIT_VALUE: usize = word(14);
    /// Keeper: monotonic nanoseconds of the exit.
    pub const EXIT_TIME: usize = word(15);
    /// Keeper: offset up to which the bytes belong to before the exit.
    pub const EXIT_AT: usize = word(16);
    /// Keeper: wall-clock milliseconds of the exit, for people only.
    pub const EXIT_WALL: usize = word(17);

    /// Keeper: how often the program was started again in this memory; everything about the exit is of this run.
    pub const RUN: usize = word(18);

    /// Daemon: the trim line. The keeper writes no byte at or above it.
    pub const LIMIT: usize = word(32);
    /// Daemon: the slowest raw cursor it honours, plus one; 0 when there is none.
    pub const HELD: usize = word(33);
    /// Daemon: terminal queries below this offset were answered or are somebody else's.
    pub const ANSWERED: usize = word(34);
    /// Daemon: next of the request slots to use.
    pub const REQUEST_NEXT: usize = word(35);
    /// Daemon: what subscribers to events were told, of one run: 1 the start, 2 the end, and the run from bit 8 on.
    pub const TOLD: usize = word(36);
    /// Daemon: the epoch in which the end was noted as an event; valid once `TOLD` says so.
    pub const TOLD_EPOCH: usize = word(37);
    /// Daemon: the number it has there.
    pub const TOLD_SEQ: usize = word(38);
    /// Daemon: 1 while the program may be started again, so that the end of its output is not the end of all output.
    pub const GOES_ON: usize = word(39);
    /// Daemon, its thread for journals: the next byte the journal wants, plus one; 0 when there is none.
    pub const JOURNALED: usize = word(40);
    /// Daemon: pairs of request number and progress (1 begun, 2 done).
    pub const REQUESTS: usize = word(64);
    /// How many pairs there are.
    pub const REQUEST_SLOTS: usize = 64;
}

/// Words of the memory that keeper and daemon share beside the sessions'.
pub mod flags {
    use super::word;
    /// Keeper: 1 once everything ends for good; no daemon is started again.
    pub const STOP: usize = word(8);
    /// Daemon sets it before it sleeps, the keeper clears it before it rings.
    pub const ARMED: usize = word(9);
    /// Daemon: 1 once everything that starts by itself was asked for; later daemons of this keeper start nothing.
    pub const AUTOSTARTED: usize = word(10);
    /// Length of that memory.
    pub const LEN: usize = 4096;
}

/// Why a memory cannot be used.
#[derive(Debug, Clone, Copy, Eq, PartialEq, thiserror::Error)]
pub enum LayoutError {
    /// It is not one of ours, or was damaged.
    #[error("the shared memory has no runpm header")]
    Magic,
    /// It was written by a version this build cannot read.
    #[error("the shared memory has layout {0}, this version reads up to {LAYOUT}")]
    Version(u64),
    /// Its lengths contradict each other.
    #[error("the shared memory's header and length disagree")]
    Length,
}

/// Writes magic, layout version and oldest reader.
pub fn stamp<M: Memory>(memory: &M) {
    memory.store(data::LAYOUT, LAYOUT);
    memory.store(data::MIN_READER, MIN_READER);
    memory.store(data::MAGIC, MAGIC);
}

/// Checks magic and version of a memory written by another process.
pub fn check<M: Memory>(memory: &M, len: usize) -> Result<(), LayoutError> {
    if memory.len() < len {
        return Err(LayoutError::Length);
    }
    if memory.load(data::MAGIC) != MAGIC {
        return Err(LayoutError::Magic);
    }
    if memory.load(data::MIN_READER) > LAYOUT {
        return Err(LayoutError::Version(memory.load(data::LAYOUT)));
    }
    Ok(())
}

/// Length of a data memory whose byte ring has `ring` bytes.
#[must_use]
pub const fn data_len(ring: usize) -> usize {
    HEADER + ring + INDEX_ENTRIES * ENTRY
}

/// Rounds a wished ring size to a power of two within [`RING_LIMITS`].
#[must_use]
pub fn ring_size(wish: usize) -> usize {
    wish.clamp(RING_LIMITS.0, RING_LIMITS.1).next_power_of_two().min(RING_LIMITS.1)
}
