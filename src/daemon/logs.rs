//! Where a log starts in a ring: so many lines before the end, or as many as a screen shows.

use tokio::task;

use crate::daemon::session::History;
use crate::history::Entry;
use crate::history::Kind;
use crate::history::Stream;
use crate::journal::Backwards;

/// Bytes looked at in one go.
const PIECE: usize = 16 << 10;
/// Pieces and entries looked at before others get their turn.
const TURN: usize = 32;

/// Longest line that is looked for where a screen is to be filled.
const LINE: u64 = 1000;

/// Where a log starts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beginning {
    /// The offset.
    pub at: u64,
    /// Bytes that were asked for by their offset and are no longer there.
    pub missed: u64,
    /// What was before it would have been wanted too, and is no longer there.
    pub is_torn: bool,
}

/// Searches backwards, entry by entry, for the line feed before the last `lines` lines; where the ring ends before they do,
/// returns where, and what has to be looked for still.
pub async fn last_lines(history: &History, lines: u64, stream: Option<Stream>) -> Result<u64, (u64, Backwards)> {
    let mut back = Backwards::new(lines);
    let mut end = history.head();
    let mut index = history.index_head();
    let mut turn = 0;
    while index > history.oldest_entry() {
        index -= 1;
        let Some(entry) = history.entry(index) else { break };
        let is_wanted = matches!(entry.kind, Kind::Bytes(of) if stream.is_none_or(|only| only == of));
        if is_wanted && let Some(offset) = lines_of(history, entry, &mut back)? {
            return Ok(offset);
        }
        end = entry.offset;
        turn += 1 + entry.len as usize / PIECE;
        if turn >= TURN {
            turn = 0;
            task::yield_now().await;
        }
    }
    Err((end.max(history.oldest()), back))
}

/// Returns the offset after the line feed that completes the count, if it is in this entry.
fn lines_of(history: &History, entry: Entry, back: &mut Backwards) -> Result<Option<u64>, (u64, Backwards)> {
    let mut buffer = [0; PIECE];
    let (first, mut end) = (entry.offset.max(history.oldest()), entry.end());
    while end > first {
        let start = end.saturating_sub(PIECE as u64).max(first);
        let piece = &mut buffer[..(end - start) as usize];
        // What was overwritten meanwhile may be on a disk.
        let Ok(len) = history.read(start, piece) else { return Err((end, *back)) };
        if let Some(found) = back.piece(&piece[..len]) {
            return Ok(Some(start + found as u64));
        }
        end = start;
    }
    Ok(None)
}

/// Returns the start of a line at most `len` bytes before the end; if there is none, that many bytes before it.
pub fn tail(history: &History, len: u64) -> u64 {
    let (from, bytes) = end_of(history, len);
    let first = bytes.iter().position(|b| *b == b'\n');
    if from == 0 { 0 } else { first.map_or(from, |at| from + at as u64 + 1) }
}

/// Returns where the last `rows` lines begin, of what a screen could show of them.
pub fn screenful(history: &History, rows: u16) -> u64 {
    let (from, bytes) = end_of(history, u64::from(rows) * LINE);
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let ends = (0..text.len()).rev().filter(|at| text[*at] == b'\n');
    ends.skip(usize::from(rows.saturating_sub(1))).map(|at| from + at as u64 + 1).next().unwrap_or(from)
}

/// Copies the last `len` bytes; returns their offset too.
fn end_of(history: &History, len: u64) -> (u64, Vec<u8>) {
    let (oldest, head) = (history.oldest(), history.head());
    let from = head.saturating_sub(len).max(oldest);
    let mut bytes = vec![0; (head - from) as usize];
    let len = history.read(from, &mut bytes).unwrap_or(0);
    bytes.truncate(len);
    (from, bytes)
}
