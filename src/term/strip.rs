//! Output as plain text: what draws, moves or asks is dropped, line ends become line feeds.
//!
//! For logs that people read. What a line looked like on a screen is the screen's business, not this one's: a carriage
//! return inside a line is dropped, so a progress bar becomes one long line.

use super::parser::Parser;
use super::parser::Sink;

/// Takes the escape sequences out of a stream, wherever it is cut.
pub struct Strip {
    parser: Parser,
}

struct Plain<'a>(&'a mut Vec<u8>);

impl Sink for Plain<'_> {
    fn ascii(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn control(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\t') {
            self.0.push(byte);
        }
    }
}

impl Default for Strip {
    fn default() -> Self {
        Self::new()
    }
}

impl Strip {
    /// Starts between two sequences.
    #[must_use]
    pub fn new() -> Self {
        Self { parser: Parser::new() }
    }

    /// Appends the text in `bytes` to `out`.
    pub fn filter(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.parser.advance(&mut Plain(out), bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_tabs_and_line_ends_stay_whatever_the_cuts() {
        let bytes = "\u{1b}[1;31mred\u{1b}[0m é\t\u{1b}]0;title\u{7}x\r\n\u{1b}Pq#1\u{1b}\\end\u{8}\u{7}".as_bytes();
        for cut in 1..bytes.len() {
            let (mut strip, mut out) = (Strip::new(), Vec::new());
            for piece in bytes.chunks(cut) {
                strip.filter(piece, &mut out);
            }
            assert_eq!(String::from_utf8_lossy(&out), "red é\tx\nend", "cut at {cut}");
        }
    }
}
