//! Answers to terminal queries.
//!
//! Answers are fixed or numeric: nothing a program wrote is ever sent back as text, so no output can type a command. What the real
//! terminal's colours are is not known here; a plain dark palette is told.

use super::Engine;
use crate::term::effect::Effect;
use crate::term::paint::Look;
use crate::term::parser::Sequence;

/// Foreground, background and cursor colour told when the program did not change them.
const DYNAMIC: [(u8, u8, u8); 3] = [(0xe5, 0xe5, 0xe5), (0, 0, 0), (0xe5, 0xe5, 0xe5)];
/// The first sixteen palette entries, as xterm has them.
const NAMED: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (0xcd, 0, 0),
    (0, 0xcd, 0),
    (0xcd, 0xcd, 0),
    (0, 0, 0xee),
    (0xcd, 0, 0xcd),
    (0, 0xcd, 0xcd),
    (0xe5, 0xe5, 0xe5),
    (0x7f, 0x7f, 0x7f),
    (0xff, 0, 0),
    (0, 0xff, 0),
    (0xff, 0xff, 0),
    (0x5c, 0x5c, 0xff),
    (0xff, 0, 0xff),
    (0, 0xff, 0xff),
    (0xff, 0xff, 0xff),
];

impl Engine {
    /// Queues an answer.
    pub(super) fn reply(&mut self, answer: impl Into<Vec<u8>>) {
        self.effects.push(Effect::Reply(answer.into()));
    }

    /// Answers DA1, DA2.
    pub(super) fn device_attributes(&mut self, marker: u8) {
        match marker {
            0 => self.reply("\x1b[?62;22c"),
            b'>' => self.reply("\x1b[>82;100;0c"),
            _ => {}
        }
    }

    /// Answers DSR; `?` in front asks for DEC's variant.
    pub(super) fn device_status(&mut self, private: bool, what: u16) {
        let (row, col) = (self.addressed_row() + 1, self.cursor().1 + 1);
        match (private, what) {
            (false, 5) => self.reply("\x1b[0n"),
            (false, 6) => self.reply(format!("\x1b[{row};{col}R")),
            (true, 6) => self.reply(format!("\x1b[?{row};{col}R")),
            _ => {}
        }
    }

    /// Answers DECRQM.
    pub(super) fn report_mode(&mut self, private: bool, mode: u16) {
        let (mark, state) = if private { ("?", self.private_mode(mode)) } else { ("", self.mode(mode)) };
        let state = state.map_or(0, |on| if on { 1 } else { 2 });
        self.reply(format!("\x1b[{mark}{mode};{state}$y"));
    }

    /// Answers XTVERSION.
    pub(super) fn report_version(&mut self) {
        self.reply(concat!("\x1bP>|runpm ", env!("CARGO_PKG_VERSION"), "\x1b\\"));
    }

    /// Answers or performs a window operation; titles are never told.
    pub(super) fn window_operation(&mut self, sequence: &Sequence) {
        let (rows, cols) = (self.rows(), self.cols());
        match sequence.param_or(0, 0) {
            18 => self.reply(format!("\x1b[8;{rows};{cols}t")),
            19 => self.reply(format!("\x1b[9;{rows};{cols}t")),
            22 => self.push_title(),
            23 => self.pop_title(),
            _ => {}
        }
    }

    /// Answers DECRQSS and XTGETTCAP.
    pub(super) fn request_setting(&mut self, sequence: &Sequence, payload: &[u8]) {
        let answer = match (sequence.intermediate, sequence.last, payload) {
            (b'$', b'q', b"m") => format!("\x1bP1$r{}m\x1b\\", Look::of(&self.grid.cursor.template).sgr_params()),
            (b'$', b'q', b"r") => {
                format!("\x1bP1$r{};{}r\x1b\\", self.region().0 + 1, self.region().1)
            }
            (b'$', b'q', b" q") => format!("\x1bP1$r{} q\x1b\\", self.state.modes.cursor_shape),
            (b'$', b'q', _) => "\x1bP0$r\x1b\\".to_owned(),
            (b'+', b'q', _) => "\x1bP0+r\x1b\\".to_owned(),
            _ => return,
        };
        self.reply(answer);
    }

    /// Answers a query of a palette entry or of a dynamic colour (256 and up).
    pub(super) fn reply_color(&mut self, prefix: &str, index: u16, bell: bool) {
        let (r, g, b) = self.state.palette.get(&index).copied().unwrap_or_else(|| default_color(index));
        let end = if bell { "\x07" } else { "\x1b\\" };
        self.reply(format!("\x1b]{prefix};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{end}"));
    }
}

/// Returns the colour xterm would have for an entry.
fn default_color(index: u16) -> (u8, u8, u8) {
    match index {
        0..=15 => NAMED[usize::from(index)],
        16..=231 => {
            let level = |step: u16| if step == 0 { 0 } else { (step * 40 + 55) as u8 };
            let index = index - 16;
            (level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        232..=255 => {
            let gray = ((index - 232) * 10 + 8) as u8;
            (gray, gray, gray)
        }
        _ => DYNAMIC[usize::from(index - 256).min(2)],
    }
}
