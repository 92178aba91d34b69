//! Output as plain text: what draws, moves or asks is dropped, line ends become line feeds.
//!
//! For logs that people read. What a line looked like on a screen is the screen's business, not this one's: a carriage
//! return inside a line is dropped, so a progress bar becomes one long line.

use super::effect::PromptMark;
use super::parser::Parser;
use super::parser::Sink;

/// Takes the escape sequences out of a stream, wherever it is cut.
pub struct Strip {
    parser: Parser,
    mark: Option<PromptMark>,
}

struct Plain<'a> {
    out: &'a mut Vec<u8>,
    mark: &'a mut Option<PromptMark>,
}

impl Sink for Plain<'_> {
    fn ascii(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn control(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\t') {
            self.out.push(byte);
        }
    }

    fn osc(&mut self, payload: &[u8], _bell: bool) {
        let mark = payload.strip_prefix(b"133;").and_then(<[u8]>::first);
        *self.mark = match mark {
            Some(b'A') => Some(PromptMark::PromptStart),
            Some(b'B') => Some(PromptMark::InputStart),
            Some(b'C') => Some(PromptMark::OutputStart),
            Some(b'D') => Some(PromptMark::CommandEnd(None)),
            _ => *self.mark,
        };
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
        Self { parser: Parser::new(), mark: None }
    }

    /// Appends the text in `bytes` to `out`.
    pub fn filter(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.parser.advance(&mut Plain { out, mark: &mut self.mark }, bytes);
    }

    /// Returns the last mark of a shell's prompt (OSC 133) so far; the code of a command is left out.
    #[must_use]
    pub const fn mark(&self) -> Option<PromptMark> {
        self.mark
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
