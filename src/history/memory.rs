//! The seam between the history and the memory it lives in.
//!
//! History never sees a pointer: it asks a [`Memory`] for words and bytes at offsets that it
//! computed itself. The shared mapping is in `platform::memory`; tests use [`HeapMemory`].

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Bytes in one word.
pub const WORD: usize = 8;

/// A block of memory that other processes may read or write at any moment.
///
/// Implementations panic on an access outside `0..len()`: offsets come from this crate's own
/// arithmetic, never from the memory itself.
pub trait Memory {
    /// Returns the usable length in bytes.
    fn len(&self) -> usize;

    /// Returns whether the memory has no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes the memory at least `len` bytes long; `false` when that is impossible.
    fn grow(&self, len: usize) -> bool;

    /// Loads the word at byte offset `at` (a multiple of eight) with acquire order.
    fn load(&self, at: usize) -> u64;

    /// Stores the word at byte offset `at` (a multiple of eight) with release order.
    fn store(&self, at: usize, value: u64);

    /// Copies bytes out; they may be changing meanwhile, the caller checks afterwards.
    fn read(&self, at: usize, out: &mut [u8]);

    /// Copies bytes in.
    fn write(&self, at: usize, bytes: &[u8]);
}

impl<M: Memory> Memory for std::sync::Arc<M> {
    fn len(&self) -> usize {
        M::len(self)
    }
    fn grow(&self, len: usize) -> bool {
        M::grow(self, len)
    }
    fn load(&self, at: usize) -> u64 {
        M::load(self, at)
    }
    fn store(&self, at: usize, value: u64) {
        M::store(self, at, value);
    }
    fn read(&self, at: usize, out: &mut [u8]) {
        M::read(self, at, out);
    }
    fn write(&self, at: usize, bytes: &[u8]) {
        M::write(self, at, bytes);
    }
}

/// Private memory with the interface of a shared one.
pub struct HeapMemory {
    words: Box<[AtomicU64]>,
}

impl HeapMemory {
    /// Returns zeroed memory of at least `len` bytes; it cannot grow later.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { words: (0..len.div_ceil(WORD)).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Memory for HeapMemory {
    fn len(&self) -> usize {
        self.words.len() * WORD
    }

    fn grow(&self, len: usize) -> bool {
        len <= self.len()
    }

    fn load(&self, at: usize) -> u64 {
        self.words[at / WORD].load(Ordering::Acquire)
    }

    fn store(&self, at: usize, value: u64) {
        self.words[at / WORD].store(value, Ordering::Release);
    }

    fn read(&self, at: usize, out: &mut [u8]) {
        for (i, byte) in out.iter_mut().enumerate() {
            *byte = self.load((at + i) / WORD * WORD).to_le_bytes()[(at + i) % WORD];
        }
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        for (i, byte) in bytes.iter().enumerate() {
            let word = (at + i) / WORD * WORD;
            let mut value = self.load(word).to_le_bytes();
            value[(at + i) % WORD] = *byte;
            self.store(word, u64::from_le_bytes(value));
        }
    }
}
