//! Counting lines from the end.

/// Counts line feeds backwards, piece by piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backwards {
    left: u64,
    /// Nothing of the last line was seen yet: its own end is not before it.
    is_last: bool,
}

impl Backwards {
    /// Looks for the start of so many lines, one at least.
    #[must_use]
    pub const fn new(lines: u64) -> Self {
        Self { left: if lines == 0 { 1 } else { lines }, is_last: true }
    }

    /// Looks at the piece before the last one; returns where in it the wanted lines begin, if they do.
    pub fn piece(&mut self, bytes: &[u8]) -> Option<usize> {
        for at in (0..bytes.len()).rev() {
            let is_end = bytes[at] == b'\n' && !self.is_last;
            self.is_last = false;
            if is_end {
                self.left -= 1;
            }
            if self.left == 0 {
                return Some(at + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_the_end_however_they_are_cut() {
        let text = b"one\ntwo\nthree\n";
        for (lines, wanted) in [(1, Some(8)), (2, Some(4)), (3, None), (9, None)] {
            for size in 1..=text.len() {
                let mut back = Backwards::new(lines);
                let mut end = text.len();
                let mut found = None;
                while end > 0 && found.is_none() {
                    let start = end.saturating_sub(size);
                    found = back.piece(&text[start..end]).map(|at| start + at);
                    end = start;
                }
                assert_eq!(found, wanted, "{lines} lines in pieces of {size}");
            }
        }
    }
}
