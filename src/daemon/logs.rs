//! Where a log starts: at a byte, a time, the oldest byte, or so many lines before the end.

use tokio::task;

use crate::daemon::session::History;
use crate::history::Entry;
use crate::history::Kind;
use crate::history::Stream;
use crate::platform::clock;
use crate::protocol::verbs::From;

/// Bytes looked at in one go.
const PIECE: usize = 16 << 10;
/// Pieces and entries looked at before others get their turn.
const TURN: usize = 32;

/// Returns the offset to start at, and how many wanted bytes are no longer there.
pub async fn start(history: &History, from: From, stream: Option<Stream>) -> (u64, u64) {
    let oldest = history.oldest();
    match from {
        From::Start => (oldest, 0),
        From::Offset(offset) => (offset.clamp(oldest, history.head().max(oldest)), oldest.saturating_sub(offset)),
        From::Lines(0) => (history.head(), 0),
        From::Lines(lines) => (last_lines(history, lines, stream).await, 0),
        From::Since(wall_us) => (history.since(clock::monotonic_of_us(wall_us)), 0),
    }
}

/// Searches backwards, entry by entry, for the line feed before the last `lines` lines.
async fn last_lines(history: &History, lines: u64, stream: Option<Stream>) -> u64 {
    let mut count = Count { left: lines, is_last: true };
    let mut index = history.index_head();
    let mut turn = 0;
    while index > history.oldest_entry() {
        index -= 1;
        let Some(entry) = history.entry(index) else { break };
        let is_wanted = matches!(entry.kind, Kind::Bytes(of) if stream.is_none_or(|only| only == of));
        if is_wanted && let Some(offset) = count.entry(history, entry) {
            return offset;
        }
        turn += 1 + entry.len as usize / PIECE;
        if turn >= TURN {
            turn = 0;
            task::yield_now().await;
        }
    }
    history.oldest()
}

/// Counts line feeds backwards.
struct Count {
    left: u64,
    /// Nothing of the last line was seen yet: its own end is not before it.
    is_last: bool,
}

impl Count {
    /// Returns the offset after the line feed that completes the count, if it is in this entry.
    fn entry(&mut self, history: &History, entry: Entry) -> Option<u64> {
        let mut buffer = [0; PIECE];
        let (first, mut end) = (entry.offset.max(history.oldest()), entry.end());
        while end > first {
            let start = end.saturating_sub(PIECE as u64).max(first);
            let piece = &mut buffer[..(end - start) as usize];
            // What was overwritten meanwhile holds no line that could still be sent.
            let Ok(len) = history.read(start, piece) else { return Some(history.oldest()) };
            for at in (0..len).rev() {
                let is_end = piece[at] == b'\n' && !self.is_last;
                self.is_last = false;
                if is_end {
                    self.left -= 1;
                }
                if self.left == 0 {
                    return Some(start + at as u64 + 1);
                }
            }
            end = start;
        }
        None
    }
}
