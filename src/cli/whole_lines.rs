//! One stream from its first whole line on, where what was before it is gone.
//!
//! Who reads a history from its oldest byte begins anywhere: half a line looks like a line. What might be half of one is held
//! until its line feed comes, and then dropped; without a line feed it is all there is, and so is given after all.

/// Bytes that are held at most: fewer than any history has, so that something is shown of each.
const HELD: usize = 32 << 10;

/// Bytes with their offset and time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// Offset of the first one.
    pub at: u64,
    /// When it was said.
    pub time: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct WholeLines {
    held: Option<Piece>,
}

impl WholeLines {
    /// What comes next may be the rest of a line.
    pub fn torn(&mut self) {
        self.held = Some(Piece::default());
    }

    /// Takes what comes next, and returns what is wanted of it.
    pub fn feed(&mut self, piece: Piece) -> Piece {
        let Some(held) = &mut self.held else { return piece };
        if let Some(end) = piece.bytes.iter().position(|b| *b == b'\n') {
            self.held = None;
            return Piece { at: piece.at + end as u64 + 1, bytes: piece.bytes[end + 1..].to_vec(), ..piece };
        }
        if held.bytes.is_empty() {
            (held.at, held.time) = (piece.at, piece.time);
        }
        held.bytes.extend(piece.bytes);
        if held.bytes.len() > HELD { self.finish() } else { Piece::default() }
    }

    /// Nothing more comes: returns what was held.
    pub fn finish(&mut self) -> Piece {
        self.held.take().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(pieces: &[&[u8]]) -> Vec<(u64, Vec<u8>)> {
        let mut lines = WholeLines::default();
        lines.torn();
        let mut at = 100;
        let mut all = Vec::new();
        for bytes in pieces {
            all.push(lines.feed(Piece { at, time: 0, bytes: bytes.to_vec() }));
            at += bytes.len() as u64;
        }
        all.push(lines.finish());
        all.into_iter().filter(|piece| !piece.bytes.is_empty()).map(|piece| (piece.at, piece.bytes)).collect()
    }

    #[test]
    fn the_rest_of_a_line_is_dropped_wherever_the_stream_is_cut() {
        assert_eq!(fed(&[b"rest\nwhole\n"]), [(105, b"whole\n".to_vec())]);
        assert_eq!(fed(&[b"re", b"st", b"\n", b"whole\n"]), [(105, b"whole\n".to_vec())]);
    }

    #[test]
    fn what_has_no_line_feed_is_given_after_all() {
        assert_eq!(fed(&[b"a", b"b"]), [(100, b"ab".to_vec())]);
        let long = vec![b'x'; HELD];
        assert_eq!(
            fed(&[&long, b"y", b"z\n"]),
            [(100, [&long[..], b"y"].concat()), (100 + HELD as u64 + 1, b"z\n".to_vec())]
        );
    }
}
