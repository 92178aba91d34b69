//! Where a log starts: at a byte, a time, the oldest byte, or so many lines before the end.

use tokio::task;

use crate::daemon::session::History;
use crate::history::Entry;
use crate::history::Gap;
use crate::history::Kind;
use crate::history::Stream;
use crate::platform::clock;
use crate::protocol::verbs::From;

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

/// Finds the offset to start at.
pub async fn start(history: &History, from: From, stream: Option<Stream>) -> Beginning {
    let oldest = history.oldest();
    let torn = |at| Beginning { at, missed: 0, is_torn: at > 0 };
    let whole = |at| Beginning { at, ..Beginning::default() };
    match from {
        From::Start => torn(oldest),
        From::Offset(offset) => {
            let at = offset.clamp(oldest, history.head().max(oldest));
            Beginning { at, missed: oldest.saturating_sub(offset), is_torn: false }
        }
        From::Lines(0) => whole(history.head()),
        From::Lines(lines) => match last_lines(history, lines, stream).await {
            Some(at) => whole(at),
            None => torn(history.oldest()),
        },
        From::Since(wall_us) => match history.since(clock::monotonic_of_us(wall_us)) {
            at if at > oldest => whole(at),
            at => torn(at),
        },
    }
}

/// Searches backwards, entry by entry, for the line feed before the last `lines` lines; nothing if there are fewer.
async fn last_lines(history: &History, lines: u64, stream: Option<Stream>) -> Option<u64> {
    let mut count = Count { left: lines, is_last: true };
    let mut index = history.index_head();
    let mut turn = 0;
    while index > history.oldest_entry() {
        index -= 1;
        let Some(entry) = history.entry(index) else { break };
        let is_wanted = matches!(entry.kind, Kind::Bytes(of) if stream.is_none_or(|only| only == of));
        if is_wanted && let Some(offset) = count.entry(history, entry) {
            return offset.ok();
        }
        turn += 1 + entry.len as usize / PIECE;
        if turn >= TURN {
            turn = 0;
            task::yield_now().await;
        }
    }
    None
}

/// Counts line feeds backwards.
struct Count {
    left: u64,
    /// Nothing of the last line was seen yet: its own end is not before it.
    is_last: bool,
}

impl Count {
    /// Returns the offset after the line feed that completes the count, if it is in this entry; a gap ends the search.
    fn entry(&mut self, history: &History, entry: Entry) -> Option<Result<u64, Gap>> {
        let mut buffer = [0; PIECE];
        let (first, mut end) = (entry.offset.max(history.oldest()), entry.end());
        while end > first {
            let start = end.saturating_sub(PIECE as u64).max(first);
            let piece = &mut buffer[..(end - start) as usize];
            // What was overwritten meanwhile holds no line that could still be sent.
            let len = match history.read(start, piece) {
                Ok(len) => len,
                Err(gap) => return Some(Err(gap)),
            };
            for at in (0..len).rev() {
                let is_end = piece[at] == b'\n' && !self.is_last;
                self.is_last = false;
                if is_end {
                    self.left -= 1;
                }
                if self.left == 0 {
                    return Some(Ok(start + at as u64 + 1));
                }
            }
            end = start;
        }
        None
    }
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
