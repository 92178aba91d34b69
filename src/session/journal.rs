//! What a journal is to others: who wants one, what is known of it, what may be seen of it.

use serde::Deserialize;
use serde::Serialize;

/// Bytes of one segment where nobody says how many.
pub const SEGMENT: u64 = 10 << 20;
/// Smallest segment that may be asked for.
pub const MIN_SEGMENT: u64 = 64 << 10;
/// Segments that are kept where nobody says how many.
pub const SEGMENTS: u32 = 10;

/// A wish for a history on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalSpec {
    /// The service it belongs to, which keeps it over sessions and keepers; without one it is the session's own.
    pub service: Option<String>,
    /// Bytes of one segment; 0 means the default.
    pub segment: u64,
    /// Segments that are kept; 0 means the default.
    pub segments: u32,
}

/// What the next daemon has to know of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalFacts {
    /// Its folder, below that of all journals.
    pub folder: String,
    /// Bytes of one segment.
    pub segment: u64,
    /// Segments that are kept.
    pub segments: u32,
}

/// What may be seen of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalStatus {
    /// Its folder, below that of all journals.
    pub folder: String,
    /// Bytes of all its files.
    pub bytes: u64,
    /// How many segments there are.
    pub segments: u32,
    /// Offset of the oldest byte in it.
    pub oldest: u64,
    /// Offset after the newest one.
    pub end: u64,
    /// Wall-clock milliseconds when its oldest segment was begun; 0 when there is none.
    pub since_ms: u64,
    /// Bytes that it never got.
    pub dropped: u64,
    /// Error number of the newest failure; 0 once something was written after it.
    pub errno: i32,
}
