//! From a ring to what is written at once: bytes and their records, in order.

use crate::history::Gap;
use crate::history::Kind;
use crate::history::Memory;
use crate::history::Position;
use crate::history::Reader;
use crate::history::Step;
use crate::journal::record::Record;
use crate::journal::record::What;

/// Most bytes of one batch.
const BYTES: usize = 512 << 10;
/// Bytes that there is room for at first.
const FIRST: usize = 16 << 10;
/// Records of one batch.
const RECORDS: usize = 4096;

/// What is written at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records in their order; those of bytes cover [`Self::bytes`] without holes.
    pub records: Vec<Record>,
    /// Room for bytes, of which the first `len` are some.
    room: Vec<u8>,
    len: usize,
}

impl Batch {
    /// Empties it and keeps its room.
    pub fn clear(&mut self) {
        self.records.clear();
        self.len = 0;
    }

    /// Gives a large room back: nobody floods any more.
    pub fn shrink(&mut self) {
        if self.room.len() > FIRST {
            *self = Self::default();
        }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.room[..self.len]
    }

    /// Returns whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// A cursor in a ring.
pub struct Feed<M> {
    reader: Reader<M>,
    at: Position,
}

impl<M: Memory> Feed<M> {
    /// Starts at `offset`. Events there that came no later than `time` (monotonic nanoseconds) are known already.
    pub fn new(reader: Reader<M>, offset: u64, time: Option<u64>) -> Self {
        let at = resume(&reader, offset, time);
        Self { reader, at }
    }

    /// Returns the ring.
    pub const fn reader(&self) -> &Reader<M> {
        &self.reader
    }

    /// Gives the ring back.
    pub fn into_reader(self) -> Reader<M> {
        self.reader
    }

    /// Returns the next byte that will be taken.
    pub const fn offset(&self) -> u64 {
        self.at.offset
    }

    /// Adds what the ring has, as far as it fits; returns whether there may be more. `wall_us` turns monotonic nanoseconds
    /// into wall-clock microseconds.
    pub fn take(&mut self, batch: &mut Batch, wall_us: impl Fn(u64) -> u64) -> bool {
        while batch.len < BYTES && batch.records.len() < RECORDS {
            if batch.len == batch.room.len() {
                batch.room.resize((batch.len * 4).clamp(FIRST, BYTES), 0);
            }
            let from = self.at.offset;
            let step = self.reader.step(&mut self.at, &mut batch.room[batch.len..]);
            let time = self.at.time;
            match step {
                Ok(None) => return false,
                Ok(Some(Step::Bytes(stream, len))) => {
                    batch.len += len;
                    let what = What::Entry(Kind::Bytes(stream));
                    let (len, wall_us) = (len as u32, wall_us(time));
                    batch.records.push(Record { offset: from, len, what, time, wall_us, run: 0, at: 0 });
                }
                // The entry itself, whatever it is: what is added to the history later needs nothing here.
                Ok(Some(_)) => {
                    if let Some(entry) = self.at.index.checked_sub(1).and_then(|index| self.reader.entry(index)) {
                        batch.records.push(Record::of(entry, wall_us(entry.time)));
                    }
                }
                Err(Gap { oldest }) => {
                    self.at = self.reader.position(oldest.max(from));
                    if oldest > from {
                        let what = What::Gap { bytes: oldest - from, errno: 0 };
                        let wall_us = wall_us(self.reader.time_at(oldest));
                        batch.records.push(Record { offset: from, len: 0, what, time, wall_us, run: 0, at: 0 });
                    }
                }
            }
        }
        true
    }
}

/// Returns where to go on at `offset`, behind the events there that came no later than `time`.
pub fn resume<M: Memory>(reader: &Reader<M>, offset: u64, time: Option<u64>) -> Position {
    let mut at = reader.position(offset);
    let Some(time) = time else { return at };
    while let Some(entry) = reader.entry(at.index) {
        let is_known = entry.offset <= offset && entry.end() <= offset && entry.time <= time;
        if !is_known || matches!(entry.kind, Kind::Bytes(_)) {
            break;
        }
        at.index += 1;
        at.time = entry.time;
    }
    at
}
