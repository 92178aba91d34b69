//! The keeper's side of a history: where the next bytes may land, and what is published.
//!
//! Order is everything: `RESERVE` is raised before a byte of the ring changes, the index entry is
//! complete before `HEAD` says so. A reader that checks in the opposite order never takes a torn
//! byte for a good one. See `reader`.

use std::sync::atomic::Ordering;
use std::sync::atomic::fence;

use crate::history::index::Entry;
use crate::history::index::Kind;
use crate::history::index::Stream;
use crate::history::layout;
use crate::history::layout::control;
use crate::history::layout::data;
use crate::history::memory::Memory;

/// Reads of one stream closer together than this share an index entry.
const COALESCE_NS: u64 = 1_000_000;
/// A shared entry stays well below what its length field can hold.
const COALESCE_BYTES: u32 = 1 << 30;

/// How a session's first process ended.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExitStatus {
    /// It returned this code.
    Code(u8),
    /// This signal ended it.
    Signal(u8),
}

/// Part of the byte ring that may be filled now.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct Landing {
    /// Byte offset in the data memory.
    pub at: usize,
    /// Contiguous bytes there.
    pub len: usize,
}

/// Appends to a history; there is exactly one per session, in the keeper.
pub struct Writer<M> {
    data: M,
    control: M,
    ring: u64,
    head: u64,
    index_head: u64,
    last: Option<Entry>,
}

impl<M: Memory> Writer<M> {
    /// Lays out fresh, zeroed memories; `None` when they are too short for `ring` bytes.
    pub fn create(data: M, control: M, ring: usize) -> Option<Self> {
        Self::create_at(data, control, ring, 0)
    }

    /// The same for a history whose first byte has the offset `base`.
    pub fn create_at(data: M, control: M, ring: usize, base: u64) -> Option<Self> {
        if data.len() < layout::data_len(ring) || control.len() < layout::CONTROL_LEN || !ring.is_power_of_two() {
            return None;
        }
        data.store(data::RING, ring as u64);
        data.store(data::ENTRIES, layout::INDEX_ENTRIES as u64);
        data.store(data::BASE, base);
        layout::stamp(&data);
        control.store(control::HEAD, base);
        control.store(control::RESERVE, base);
        control.store(control::LIMIT, base.saturating_add(ring as u64));
        layout::stamp(&control);
        Some(Self { data, control, ring: ring as u64, head: base, index_head: 0, last: None })
    }

    /// Returns the data memory, to read from a descriptor straight into a [`Landing`].
    pub const fn data(&self) -> &M {
        &self.data
    }

    /// Returns the control memory.
    pub const fn control(&self) -> &M {
        &self.control
    }

    /// Returns how many bytes were written so far.
    pub const fn head(&self) -> u64 {
        self.head
    }

    /// Returns where up to `max` bytes may land now, or `None` at the trim line.
    ///
    /// The daemon's limit is a peer's number: one that is below the head means "no room", one that is
    /// more than a ring ahead means a ring.
    pub fn landing(&mut self, max: usize) -> Option<Landing> {
        let mut room = self.room();
        if room == 0 {
            // The daemon raises the limit and then looks at this word; we write the word and then look at the limit
            // again. The fences on both sides make sure that one of us sees the other.
            self.control.store(control::STALLED, 1);
            fence(Ordering::SeqCst);
            room = self.room();
        }
        if room == 0 {
            return None;
        }
        let start = self.head % self.ring;
        let len = room.min(self.ring - start).min(max as u64);
        self.control.store(control::STALLED, 0);
        self.control.store(control::RESERVE, self.head + len);
        Some(Landing { at: layout::HEADER + start as usize, len: len as usize })
    }

    /// Nothing landed: the oldest bytes stay readable.
    pub fn retract(&self) {
        self.control.store(control::RESERVE, self.head);
    }

    /// Publishes `len` bytes (at most the landing's) that landed, read at `now` (monotonic nanoseconds).
    pub fn commit(&mut self, len: usize, stream: Stream, now: u64) {
        let len = len as u32;
        match self.last {
            Some(last) if self.joins(&last, stream, now) => {
                let entry = Entry { len: last.len + len, ..last };
                self.put(self.index_head - 1, entry);
                self.last = Some(entry);
            }
            _ => self.append(Entry { offset: self.head, len, kind: Kind::Bytes(stream), time: now }),
        }
        self.head += u64::from(len);
        self.control.store(control::HEAD, self.head);
        self.control.store(control::RESERVE, self.head);
    }

    /// Records that the terminal got a new size.
    pub fn resized(&mut self, rows: u16, cols: u16, now: u64) {
        self.append(Entry { offset: self.head, len: 0, kind: Kind::Resize(rows, cols), time: now });
    }

    /// Records that `stream` reached its end.
    pub fn ended(&mut self, stream: Stream) {
        self.control.store(control::EOF, self.control.load(control::EOF) | stream.bit());
    }

    /// Records the exit; call it after the last byte that preceded it was committed.
    pub fn exited(&mut self, status: ExitStatus, now: u64, wall_ms: u64) {
        let (kind, value) = match status {
            ExitStatus::Code(code) => (1, code),
            ExitStatus::Signal(signal) => (2, signal),
        };
        self.append(Entry { offset: self.head, len: 0, kind: Kind::Exit, time: now });
        self.control.store(control::EXIT_VALUE, value.into());
        self.control.store(control::EXIT_TIME, now);
        self.control.store(control::EXIT_WALL, wall_ms);
        self.control.store(control::EXIT_AT, self.head);
        self.control.store(control::EXIT_KIND, kind);
    }

    /// Records that the program was started again: the exit and the ends of streams were those of the run before.
    ///
    /// The exit goes first: who meets the new run meets no exit of the old one.
    pub fn started(&mut self, run: u32, now: u64) {
        self.control.store(control::EXIT_KIND, 0);
        self.control.store(control::EOF, 0);
        self.control.store(control::RUN, run.into());
        self.append(Entry { offset: self.head, len: 0, kind: Kind::Start(run), time: now });
    }

    fn joins(&self, last: &Entry, stream: Stream, now: u64) -> bool {
        last.kind == Kind::Bytes(stream)
            && last.end() == self.head
            && last.len < COALESCE_BYTES
            && now.saturating_sub(last.time) < COALESCE_NS
    }

    fn room(&self) -> u64 {
        let limit = self.control.load(control::LIMIT);
        if self.index_is_full(limit) { 0 } else { limit.saturating_sub(self.head).min(self.ring) }
    }

    /// The oldest entry may only go when the bytes that it describes may go too.
    fn index_is_full(&self, limit: u64) -> bool {
        let entries = layout::INDEX_ENTRIES as u64;
        self.index_head >= entries && self.get(self.index_head - entries).end() > limit.saturating_sub(self.ring)
    }

    fn append(&mut self, entry: Entry) {
        self.put(self.index_head, entry);
        self.last = Some(entry);
        self.index_head += 1;
        self.control.store(control::INDEX_HEAD, self.index_head);
    }

    fn slot(&self, index: u64) -> usize {
        layout::HEADER + self.ring as usize + (index % layout::INDEX_ENTRIES as u64) as usize * layout::ENTRY
    }

    fn put(&self, index: u64, entry: Entry) {
        for (i, word) in entry.words().into_iter().enumerate() {
            self.data.store(self.slot(index) + i * 8, word);
        }
    }

    fn get(&self, index: u64) -> Entry {
        let slot = self.slot(index);
        Entry::from_words(std::array::from_fn(|i| self.data.load(slot + i * 8)))
    }
}
