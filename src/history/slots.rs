//! Values that survive their writer: two copies each, the newest whole one counts.
//!
//! The daemon keeps its checkpoint and the session's facts here. It writes the older copy, its
//! checksum, and last the sequence number that makes it the newest; death in the middle leaves the
//! other copy standing. Copies that outgrow their place move to the memory's end.

use crate::history::layout;
use crate::history::layout::LayoutError;
use crate::history::memory::Memory;

/// Length of a fresh slots memory: the directory page.
pub const SLOTS_LEN: usize = 4096;
/// No value is larger than this.
pub const VALUE_LIMIT: usize = 16 << 20;

const DIRECTORY: usize = 64;
const ROW: usize = 64;
/// Where payloads start; the directory lies below.
const PAYLOAD: usize = 1024;

/// Which value.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Slot {
    /// The screen at an offset.
    Checkpoint = 0,
    /// What the session is and what is wanted of it.
    Facts = 1,
    /// The service that it is an instance of: large, and seldom another one.
    Definition = 2,
}

/// One stored value.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Value {
    /// A number that belongs to it: the history offset of a checkpoint.
    pub tag: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Row {
    seq: u64,
    at: u64,
    capacity: u64,
    len: u64,
    tag: u64,
    crc: u64,
}

/// The pairs of copies in one memory.
pub struct Slots<M> {
    memory: M,
}

impl<M: Memory> Slots<M> {
    /// Lays out fresh, zeroed memory.
    pub fn create(memory: M) -> Option<Self> {
        (memory.len() >= SLOTS_LEN).then(|| {
            layout::stamp(&memory);
            Self { memory }
        })
    }

    /// Opens memory that another process laid out.
    pub fn open(memory: M) -> Result<Self, LayoutError> {
        layout::check(&memory, SLOTS_LEN)?;
        Ok(Self { memory })
    }

    /// Returns how long the memory is.
    #[expect(clippy::len_without_is_empty, reason = "it holds its directory at least")]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Returns the newest whole copy of a value.
    pub fn get(&self, slot: Slot) -> Option<Value> {
        let mut rows = [self.row(slot, 0), self.row(slot, 1)];
        rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
        rows.into_iter().find_map(|row| self.load(row))
    }

    /// Stores a new copy; `false` when there is no room for it, and then the old value stands.
    ///
    /// `midway` runs when half of the bytes are written: it is where tests end the process.
    pub fn put(&self, slot: Slot, tag: u64, bytes: &[u8], midway: impl FnOnce()) -> bool {
        let rows = [self.row(slot, 0), self.row(slot, 1)];
        let copy = usize::from(rows[0].seq > rows[1].seq);
        let Some((at, capacity)) = self.place(rows[copy], bytes.len()) else { return false };
        let seq = rows[0].seq.max(rows[1].seq) + 1;
        let row = Row { seq, at, capacity, len: bytes.len() as u64, tag, crc: crc(seq, tag, bytes) };
        self.store(slot, copy, Row { seq: 0, ..row });
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.memory.write(at as usize, first);
        midway();
        self.memory.write(at as usize + first.len(), second);
        self.store(slot, copy, row);
        true
    }

    fn place(&self, row: Row, len: usize) -> Option<(u64, u64)> {
        let whole = row.at.checked_add(row.capacity).is_some_and(|end| end <= self.memory.len() as u64);
        if len as u64 <= row.capacity && row.at >= PAYLOAD as u64 && whole {
            return Some((row.at, row.capacity));
        }
        let start = self.end();
        let capacity = (len + len / 4).next_multiple_of(1024);
        let fits = len <= VALUE_LIMIT && self.memory.grow(start + capacity);
        fits.then_some((start as u64, capacity as u64))
    }

    /// First byte after every copy that has a place.
    fn end(&self) -> usize {
        let slots = [Slot::Checkpoint, Slot::Facts, Slot::Definition];
        let ends = slots.into_iter().flat_map(|slot| [(slot, 0), (slot, 1)]).map(|(slot, copy)| {
            let row = self.row(slot, copy);
            row.at.saturating_add(row.capacity).min(self.memory.len() as u64) as usize
        });
        ends.max().unwrap_or(0).max(PAYLOAD)
    }

    fn load(&self, row: Row) -> Option<Value> {
        let end = row.at.checked_add(row.len)?;
        if row.seq == 0 || row.len > VALUE_LIMIT as u64 || end > self.memory.len() as u64 {
            return None;
        }
        let mut bytes = vec![0; row.len as usize];
        self.memory.read(row.at as usize, &mut bytes);
        (crc(row.seq, row.tag, &bytes) == row.crc).then_some(Value { tag: row.tag, bytes })
    }

    const fn place_of(slot: Slot, copy: usize) -> usize {
        DIRECTORY + (slot as usize * 2 + copy) * ROW
    }

    fn row(&self, slot: Slot, copy: usize) -> Row {
        let word = |n: usize| self.memory.load(Self::place_of(slot, copy) + n * 8);
        Row { seq: word(0), at: word(1), capacity: word(2), len: word(3), tag: word(4), crc: word(5) }
    }

    /// Writes a row; its sequence number goes last when it makes the copy valid, first when it ends that.
    fn store(&self, slot: Slot, copy: usize, row: Row) {
        let at = Self::place_of(slot, copy);
        if row.seq == 0 {
            self.memory.store(at, 0);
        }
        let words = [row.at, row.capacity, row.len, row.tag, row.crc];
        for (n, word) in words.into_iter().enumerate() {
            self.memory.store(at + (n + 1) * 8, word);
        }
        self.memory.store(at, row.seq);
    }
}

fn crc(seq: u64, tag: u64, bytes: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(&tag.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::memory::HeapMemory;

    fn slots() -> Slots<HeapMemory> {
        Slots::create(HeapMemory::new(1 << 20)).expect("long enough")
    }

    #[test]
    fn newest_copy_counts_and_grows() {
        let slots = slots();
        assert_eq!(slots.get(Slot::Facts), None);
        for n in 1..200_u64 {
            let bytes = vec![n as u8; n as usize * 37];
            assert!(slots.put(Slot::Facts, n, &bytes, || ()));
            assert!(slots.put(Slot::Checkpoint, n + 1, b"screen", || ()));
            assert_eq!(slots.get(Slot::Facts), Some(Value { tag: n, bytes }));
            assert_eq!(slots.get(Slot::Checkpoint).map(|value| value.tag), Some(n + 1));
        }
    }

    #[test]
    fn k1_death_halfway_leaves_the_previous_copy() {
        let slots = slots();
        assert!(slots.put(Slot::Checkpoint, 1, b"first value", || ()));
        assert!(slots.put(Slot::Checkpoint, 2, b"second value", || ()));

        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            slots.put(Slot::Checkpoint, 3, b"third value that never comes", || panic!("killed"))
        }));

        assert!(died.is_err());
        assert_eq!(slots.get(Slot::Checkpoint), Some(Value { tag: 2, bytes: b"second value".to_vec() }));
    }

    #[test]
    fn a_damaged_directory_yields_nothing_and_is_survived() {
        let slots = slots();
        assert!(slots.put(Slot::Facts, 1, b"x", || ()));
        for word in 0..24 {
            slots.memory.store(DIRECTORY + ROW * 2 + word * 8, u64::MAX);
        }
        assert_eq!(slots.get(Slot::Facts), None);
        assert!(!slots.put(Slot::Facts, 2, &vec![0; 2 << 20], || ()));
    }
}
