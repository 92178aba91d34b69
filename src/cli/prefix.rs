//! The prefix of a raw attachment: `C-b d` detaches, `C-b C-b` types `C-b`, all else reaches the program as typed.
//!
//! Pure. A pasted prefix is text: inside a bracketed paste nothing is a key.

/// `C-b`.
pub const PREFIX: u8 = 0x02;
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// What came of typed bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// For the program.
    pub bytes: Vec<u8>,
    /// The user wants to leave.
    pub detach: bool,
}

impl Typed {
    /// Bytes in which nothing is a key.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), detach: false }
    }
}

/// Remembers a half-typed prefix and whether a paste is under way.
#[derive(Debug, Default)]
pub struct Prefix {
    is_pending: bool,
    is_pasting: bool,
    /// How much of the marker that would change `is_pasting` has been seen.
    matched: usize,
}

impl Prefix {
    /// Takes typed bytes; what follows a detach is dropped.
    pub fn type_in(&mut self, bytes: &[u8]) -> Typed {
        let mut typed = Typed::default();
        for byte in bytes {
            self.follow_paste(*byte);
            if self.is_pasting {
                typed.bytes.push(*byte);
            } else if self.is_pending {
                self.is_pending = false;
                match byte {
                    b'd' => {
                        typed.detach = true;
                        return typed;
                    }
                    &PREFIX => typed.bytes.push(PREFIX),
                    // Not ours, and not meant for the program either.
                    _ => {}
                }
            } else if *byte == PREFIX {
                self.is_pending = true;
            } else {
                typed.bytes.push(*byte);
            }
        }
        typed
    }

    fn follow_paste(&mut self, byte: u8) {
        let marker = if self.is_pasting { PASTE_END } else { PASTE_START };
        if marker[self.matched] == byte {
            self.matched += 1;
        } else {
            self.matched = usize::from(byte == marker[0]);
        }
        if self.matched == marker.len() {
            self.matched = 0;
            self.is_pasting = !self.is_pasting;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut prefix = Prefix::default();
        let typed: Vec<Typed> = pieces.iter().map(|piece| prefix.type_in(piece)).collect();
        (typed.iter().flat_map(|typed| typed.bytes.clone()).collect(), typed.iter().any(|typed| typed.detach))
    }

    #[test]
    fn every_byte_but_the_prefix_reaches_the_program() {
        let all: Vec<u8> = (0..=255).filter(|byte| *byte != PREFIX).collect();
        assert_eq!(type_in(&[&all]), (all, false));
        assert_eq!(type_in(&[b"a\x02\x02b"]), (b"a\x02b".to_vec(), false));
        assert_eq!(type_in(&[b"a\x02", b"db"]), (b"a".to_vec(), true));
        assert_eq!(type_in(&[b"\x02qx"]), (b"x".to_vec(), false));
    }

    #[test]
    fn a_pasted_prefix_is_text() {
        let paste = b"\x1b[200~one\x02d two\x1b[201~";
        assert_eq!(type_in(&[paste]), (paste.to_vec(), false));
        assert_eq!(type_in(&[&paste[..9], &paste[9..], b"\x02d"]), (paste.to_vec(), true));
    }
}
