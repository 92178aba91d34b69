//! Readiness by a line of output.

use regex::bytes::Regex;

use crate::daemon::services::Unit;
use crate::history::Step;

/// Longest line that is looked at.
const LINE: usize = 64 << 10;
/// Bytes read at once.
const PIECE: usize = 16 << 10;

/// Waits for a whole line of this run that matches; a pattern that cannot be read never does.
pub async fn line(unit: &Unit, pattern: &str) {
    let (Ok(pattern), Some(session)) = (Regex::new(pattern), unit.session.borrow().clone()) else {
        return std::future::pending().await;
    };
    let mut at = session.history.position(session.run_from());
    let mut piece = vec![0; PIECE];
    // Streams take turns in the middle of lines: each has its own.
    let mut lines: [Vec<u8>; 3] = Default::default();
    loop {
        let more = session.output.notified();
        match session.history.step(&mut at, &mut piece) {
            Ok(Some(Step::Bytes(stream, len))) => {
                if has_match(&mut lines[stream as usize], &piece[..len], &pattern) {
                    return;
                }
                tokio::task::yield_now().await;
            }
            Ok(Some(_)) => {}
            Ok(None) => more.await,
            Err(gap) => at = session.history.position(gap.oldest),
        }
    }
}

/// Adds bytes to a line; returns whether one that was completed matches.
fn has_match(line: &mut Vec<u8>, bytes: &[u8], pattern: &Regex) -> bool {
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        let room = LINE.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        if part.ends_with(b"\n") {
            let whole = std::mem::take(line);
            if pattern.is_match(&plain(&whole)) {
                return true;
            }
        }
    }
    false
}

/// Takes escape sequences and the line's end away.
fn plain(line: &[u8]) -> Vec<u8> {
    let mut strip = crate::term::Strip::new();
    let mut plain = Vec::new();
    strip.filter(line, &mut plain);
    while plain.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        plain.pop();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_without_colours_are_what_matches() {
        let pattern = Regex::new("^ready on [0-9]+$").expect("a pattern");
        let mut line = Vec::new();
        assert!(!has_match(&mut line, b"not ready on 1\n\x1b[32mready", &pattern));
        assert!(!has_match(&mut line, b" on 80", &pattern), "the line goes on");
        assert!(has_match(&mut line, b"80\x1b[0m\r\n", &pattern));
    }
}
