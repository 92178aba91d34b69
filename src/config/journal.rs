//! `[journal]`: histories on disk.

use serde::Serialize;

use crate::config::reader::section;
use crate::config::value::Bytes;
use crate::config::value::count;
use crate::session::journal;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Journal {
    /// Bytes of one segment, where no other number is given.
    pub segment: Bytes,
    /// Segments that are kept of each, where no other number is given.
    pub segments: u32,
    /// Most bytes of all journals together; the largest one gives way first.
    pub total: Bytes,
}

impl Default for Journal {
    fn default() -> Self {
        Self { segment: Bytes(journal::SEGMENT), segments: journal::SEGMENTS, total: Bytes(2 << 30) }
    }
}

section!(Journal { segment, segments as count, total });
