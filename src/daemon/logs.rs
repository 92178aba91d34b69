//! Where a log starts: at a byte, at the oldest one, or so many lines before the end.

use crate::daemon::session::History;
use crate::protocol::verbs::From;

/// Returns the offset to start at, and how many wanted bytes are no longer there.
pub fn start(history: &History, from: From) -> (u64, u64) {
    let oldest = history.oldest();
    match from {
        From::Start => (oldest, 0),
        From::Offset(offset) => (offset.clamp(oldest, history.head().max(oldest)), oldest.saturating_sub(offset)),
        From::Lines(lines) => (last_lines(history, lines), 0),
    }
}

/// Returns where the last `lines` lines begin: searches backwards for the line feed before the last `lines` lines.
pub fn last_lines(history: &History, lines: u64) -> u64 {
    let (oldest, head) = (history.oldest(), history.head());
    let mut left = lines;
    let mut end = head;
    let mut buffer = [0; 16 << 10];
    while end > oldest {
        let start = end.saturating_sub(buffer.len() as u64).max(oldest);
        let piece = &mut buffer[..(end - start) as usize];
        let Ok(len) = history.read(start, piece) else { return history.oldest() };
        for at in (0..len).rev().filter(|at| piece[*at] == b'\n') {
            let offset = start + at as u64 + 1;
            // The last line's own end is not before it.
            if offset == head {
                continue;
            }
            left = left.saturating_sub(1);
            if left == 0 {
                return offset;
            }
        }
        end = start;
    }
    if lines == 0 { head } else { oldest }
}

/// Returns the start of a line at most `len` bytes before the end; if there is none, that many bytes before it.
pub fn tail(history: &History, len: u64) -> u64 {
    let (oldest, head) = (history.oldest(), history.head());
    let from = head.saturating_sub(len).max(oldest);
    if from == 0 {
        return 0;
    }
    let mut buffer = vec![0; (head - from) as usize];
    let read = history.read(from, &mut buffer).unwrap_or(0);
    buffer[..read].iter().position(|b| *b == b'\n').map_or(from, |at| from + at as u64 + 1)
}
