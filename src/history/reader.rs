//! Everybody else's side of a history: reads at any offset, and learns of gaps instead of wrong bytes.
//!
//! Reading never consumes and never blocks the writer. Bytes are copied first and believed
//! second: when the writer's `RESERVE` has meanwhile passed over them, the copy is thrown away.

use std::sync::atomic::Ordering;
use std::sync::atomic::fence;

use crate::history::index::Entry;
use crate::history::index::Kind;
use crate::history::index::Stream;
use crate::history::layout;
use crate::history::layout::LayoutError;
use crate::history::layout::control;
use crate::history::layout::data;
use crate::history::memory::Memory;
use crate::history::writer::ExitStatus;

/// The bytes asked for are no longer in memory.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct Gap {
    /// First offset that still is.
    pub oldest: u64,
}

/// The exit as the keeper recorded it.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct Exit {
    /// Code or signal.
    pub status: ExitStatus,
    /// All bytes below this offset came before it.
    pub at: u64,
    /// Monotonic nanoseconds.
    pub time: u64,
    /// Wall-clock milliseconds since 1970.
    pub wall_ms: u64,
}

/// A place in a history: the next byte, and the index entry that describes it.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Default)]
pub struct Position {
    /// Offset of the next byte.
    pub offset: u64,
    /// Number of the entry that holds it, or of the next event.
    pub index: u64,
    /// Monotonic nanoseconds of what was last stepped over.
    pub time: u64,
}

/// What comes next in a history.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Step {
    /// So many bytes of a stream were copied out.
    Bytes(Stream, usize),
    /// The terminal changed its size here (rows, columns).
    Resize(u16, u16),
    /// The first process ended here.
    Exit,
    /// The program was started again here, for this run.
    Start(u32),
}

/// Reads one session's history.
pub struct Reader<M> {
    data: M,
    control: M,
    ring: u64,
}

impl<M: Memory> Reader<M> {
    /// Checks both memories and opens them.
    pub fn open(data: M, control: M) -> Result<Self, LayoutError> {
        layout::check(&control, layout::CONTROL_LEN)?;
        layout::check(&data, layout::HEADER)?;
        let ring = data.load(data::RING);
        let (min, max) = layout::RING_LIMITS;
        let fits = (min as u64..=max as u64).contains(&ring)
            && ring.is_power_of_two()
            && data.load(data::ENTRIES) == layout::INDEX_ENTRIES as u64
            && data.len() >= layout::data_len(ring as usize);
        if fits { Ok(Self { data, control, ring }) } else { Err(LayoutError::Length) }
    }

    /// Returns the control memory.
    pub const fn control(&self) -> &M {
        &self.control
    }

    /// Returns the size of the byte ring.
    pub const fn ring(&self) -> u64 {
        self.ring
    }

    /// Returns how many bytes were ever written.
    pub fn head(&self) -> u64 {
        self.control.load(control::HEAD)
    }

    /// Returns the offset of the oldest byte that can still be read.
    pub fn oldest(&self) -> u64 {
        self.control.load(control::RESERVE).max(self.head()).saturating_sub(self.ring).max(self.base())
    }

    /// Returns the offset of the first byte that was ever written.
    pub fn base(&self) -> u64 {
        self.data.load(data::BASE)
    }

    /// Returns whether `stream` has said all it will ever say.
    pub fn is_ended(&self, stream: Stream) -> bool {
        self.control.load(control::EOF) & stream.bit() != 0
    }

    /// Returns whether the writer waits for room.
    pub fn is_stalled(&self) -> bool {
        self.control.load(control::STALLED) != 0
    }

    /// Returns the trim line.
    pub fn limit(&self) -> u64 {
        self.control.load(control::LIMIT)
    }

    /// Moves the trim line; `true` when the writer waits for that and has to be woken.
    pub fn set_limit(&self, limit: u64) -> bool {
        if self.control.load(control::LIMIT) == limit {
            return false;
        }
        self.control.store(control::LIMIT, limit);
        fence(Ordering::SeqCst);
        self.is_stalled()
    }

    /// Returns the exit, once there is one.
    pub fn exit(&self) -> Option<Exit> {
        let kind = self.control.load(control::EXIT_KIND);
        let value = self.control.load(control::EXIT_VALUE) as u8;
        let status = match kind {
            1 => ExitStatus::Code(value),
            2 => ExitStatus::Signal(value),
            _ => return None,
        };
        Some(Exit {
            status,
            at: self.control.load(control::EXIT_AT),
            time: self.control.load(control::EXIT_TIME),
            wall_ms: self.control.load(control::EXIT_WALL),
        })
    }

    /// Copies bytes from `offset` on; 0 when there are none yet.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> Result<usize, Gap> {
        let len = self.head().saturating_sub(offset).min(out.len() as u64).min(self.ring) as usize;
        let start = (offset % self.ring) as usize;
        let first = len.min(self.ring as usize - start);
        self.data.read(layout::HEADER + start, &mut out[..first]);
        self.data.read(layout::HEADER, &mut out[first..len]);
        fence(Ordering::Acquire);
        let oldest = self.oldest();
        if offset < oldest { Err(Gap { oldest }) } else { Ok(len) }
    }

    /// Returns the time of the newest entry.
    pub fn last_time(&self) -> Option<u64> {
        let head = self.index_head();
        head.checked_sub(1).and_then(|last| self.entry(last)).map(|entry| entry.time)
    }

    /// Returns the index entries ever written.
    pub fn index_head(&self) -> u64 {
        self.control.load(control::INDEX_HEAD)
    }

    /// Returns one index entry, unless it is not written yet or was overtaken.
    pub fn entry(&self, index: u64) -> Option<Entry> {
        let entries = layout::INDEX_ENTRIES as u64;
        if index >= self.index_head() {
            return None;
        }
        let slot = layout::HEADER + self.ring as usize + (index % entries) as usize * layout::ENTRY;
        let entry = Entry::from_words(std::array::from_fn(|i| self.data.load(slot + i * 8)));
        fence(Ordering::Acquire);
        // The writer fills the slot of `head - entries` before it moves the head: that one is in doubt.
        (index + entries > self.index_head()).then_some(entry)
    }

    /// Returns the position of `offset`: the first entry that ends after it, or starts at it; at the end the newest one, which
    /// may still grow.
    pub fn position(&self, offset: u64) -> Position {
        let head = self.index_head();
        let (mut low, mut high) = (self.oldest_entry(), head);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.entry(middle) {
                Some(entry) if entry.end() > offset || entry.offset >= offset => high = middle,
                _ => low = middle + 1,
            }
        }
        let newest = low.checked_sub(1).filter(|_| low == head).and_then(|last| self.entry(last));
        let may_grow = newest.is_some_and(|entry| matches!(entry.kind, Kind::Bytes(_)) && entry.end() == offset);
        Position { offset, index: low - u64::from(may_grow), time: 0 }
    }

    /// Returns the offset of the first byte that was read at `time` (monotonic nanoseconds) or later; the head if there is none.
    pub fn since(&self, time: u64) -> u64 {
        let head = self.index_head();
        let (mut low, mut high) = (self.oldest_entry(), head);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.entry(middle) {
                Some(entry) if entry.time >= time => high = middle,
                _ => low = middle + 1,
            }
        }
        self.entry(low).map_or(self.head(), |entry| entry.offset.max(self.oldest()))
    }

    /// Returns the size (rows, columns) the terminal had got by `offset`; none when no resize before it is in memory.
    pub fn size_at(&self, offset: u64) -> Option<(u16, u16)> {
        let before = self.oldest_entry()..self.position(offset).index;
        before.rev().find_map(|index| match self.entry(index)?.kind {
            Kind::Resize(rows, cols) => Some((rows, cols)),
            _ => None,
        })
    }

    /// Returns when the byte at `offset` was read, or what comes next there; 0 if that is not known.
    pub fn time_at(&self, offset: u64) -> u64 {
        self.entry(self.position(offset).index)
            .or_else(|| self.entry(self.index_head().checked_sub(1)?))
            .map_or(0, |entry| entry.time)
    }

    /// Returns the number of the oldest index entry that can be relied on.
    pub fn oldest_entry(&self) -> u64 {
        self.index_head().saturating_sub(layout::INDEX_ENTRIES as u64 - 1)
    }

    /// Copies what comes next into `out` and moves `at` past it; `None` when nothing is there yet.
    pub fn step(&self, at: &mut Position, out: &mut [u8]) -> Result<Option<Step>, Gap> {
        loop {
            // Read before the entry: an entry that was followed by another one before we looked at it grows no more.
            let newest = self.index_head();
            let Some(entry) = self.entry(at.index) else {
                let is_behind = at.index < newest || at.offset < self.oldest();
                return if is_behind { Err(Gap { oldest: self.oldest() }) } else { Ok(None) };
            };
            at.time = entry.time;
            match entry.kind {
                Kind::Bytes(stream) if entry.end() > at.offset => {
                    let want = ((entry.end() - at.offset) as usize).min(out.len());
                    let len = self.read(at.offset, &mut out[..want])?;
                    at.offset += len as u64;
                    return Ok((len > 0).then_some(Step::Bytes(stream, len)));
                }
                // The newest entry may still grow: stay on it until another one follows.
                Kind::Bytes(_) if at.index + 1 >= newest => return Ok(None),
                kind => {
                    at.index += 1;
                    match kind {
                        Kind::Resize(rows, cols) => return Ok(Some(Step::Resize(rows, cols))),
                        Kind::Exit => return Ok(Some(Step::Exit)),
                        Kind::Start(run) => return Ok(Some(Step::Start(run))),
                        Kind::Bytes(_) => {}
                    }
                }
            }
        }
    }
}
