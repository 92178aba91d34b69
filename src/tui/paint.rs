//! From cells to the bytes that make our terminal show them: only what changed, nothing that could escape.
//!
//! The painter remembers what the terminal shows. A glyph whose width terminals disagree about is followed by an address and by its
//! neighbour, so that borders stay where they are. *Invariant:* no control character of a cell reaches the terminal.

use std::io::Write;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr;

use crate::tui::pane;
use crate::tui::theme::Depth;

/// How cells look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    underline: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self =
        Self { fg: Color::Reset, bg: Color::Reset, underline: Color::Reset, modifier: Modifier::empty() };

    const fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, underline: cell.underline_color, modifier: cell.modifier }
    }
}

/// See the module.
pub struct Painter {
    front: Buffer,
    depth: Depth,
    pen: Pen,
    /// Where the terminal's cursor is, if that is sure.
    at: Option<(u16, u16)>,
    is_cursor_shown: bool,
    /// What the terminal is to be sent.
    pub out: Vec<u8>,
}

impl Painter {
    /// Starts with a terminal of which nothing is known.
    #[must_use]
    pub fn new(depth: Depth) -> Self {
        Self {
            front: Buffer::empty(Rect::default()),
            depth,
            pen: Pen::PLAIN,
            at: None,
            is_cursor_shown: true,
            out: Vec::new(),
        }
    }

    /// Clears the terminal; it has this size now.
    pub fn clear(&mut self, area: Rect) {
        self.front = Buffer::empty(area);
        self.pen = Pen::PLAIN;
        self.at = None;
        self.hide_cursor();
        self.out.extend_from_slice(b"\x1b[m\x1b[2J");
    }

    /// Makes columns of a row show what the buffer holds.
    pub fn row(&mut self, back: &Buffer, y: u16, columns: Range<u16>) {
        if back.area != self.front.area {
            return;
        }
        let mut is_forced = false;
        for x in columns {
            let at = usize::from(y) * usize::from(back.area.width) + usize::from(x);
            let (Some(new), Some(old)) = (back.content.get(at), self.front.content.get(at)) else { return };
            // The second half of a wide glyph; it was drawn with the first.
            let is_half = new.symbol().is_empty();
            let is_wide = back.content.get(at + 1).is_some_and(|next| next.symbol().is_empty());
            // Whatever was drawn over the second half erased the first.
            let is_erased = is_wide && self.front.content.get(at + 1).is_some_and(|next| !next.symbol().is_empty());
            if is_half || (new == old && !is_forced && !is_erased) {
                continue;
            }
            is_forced = self.cell(new, (x, y), is_wide);
        }
        let start = usize::from(y) * usize::from(back.area.width);
        let range = start..start + usize::from(back.area.width);
        if let (Some(old), Some(new)) = (self.front.content.get_mut(range.clone()), back.content.get(range)) {
            old.clone_from_slice(new);
        }
    }

    /// Writes a cell; returns whether the terminal may have drawn into the next one.
    fn cell(&mut self, cell: &Cell, at: (u16, u16), is_wide: bool) -> bool {
        self.go(at);
        self.wear(Pen::of(cell));
        let symbol = cell.symbol();
        let width = if is_wide { 2 } else { 1 };
        if let [b' '..=b'~'] = symbol.as_bytes() {
            self.out.extend_from_slice(symbol.as_bytes());
        } else if symbol.chars().any(char::is_control) {
            self.out.push(b'?');
        } else if is_sure(symbol, width) {
            self.out.extend_from_slice(symbol.as_bytes());
        } else {
            self.out.extend_from_slice(if is_wide { b"  " } else { b" " });
            self.at = None;
            self.go(at);
            self.out.extend_from_slice(symbol.as_bytes());
            self.at = None;
            return true;
        }
        // At the edge the cursor may wait or not: nobody knows.
        let next = at.0 + width;
        self.at = (next < self.front.area.width).then_some((next, at.1));
        false
    }

    fn go(&mut self, (x, y): (u16, u16)) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((from, row)) if row == y && from < x => {
                let _ = if x - from == 1 { write!(self.out, "\x1b[C") } else { write!(self.out, "\x1b[{}C", x - from) };
            }
            _ => {
                let _ = write!(self.out, "\x1b[{};{}H", y + 1, x + 1);
            }
        }
        self.at = Some((x, y));
    }

    fn wear(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        self.out.extend_from_slice(b"\x1b[0");
        for (flag, code) in ATTRIBUTES {
            if pen.modifier.contains(flag) {
                let _ = write!(self.out, ";{code}");
            }
        }
        if pen.modifier.contains(Modifier::UNDERLINED) {
            let kind = pane::underline_kind(pen.modifier);
            let _ = if kind > 1 { write!(self.out, ";4:{kind}") } else { write!(self.out, ";4") };
        }
        self.depth.push(pen.fg, 30, &mut self.out);
        self.depth.push(pen.bg, 40, &mut self.out);
        self.depth.push(pen.underline, 58, &mut self.out);
        self.out.push(b'm');
        self.pen = pen;
    }

    /// Puts the terminal's cursor where it belongs.
    pub fn cursor(&mut self, at: Option<(u16, u16)>) {
        let Some(at) = at else {
            self.hide_cursor();
            return;
        };
        self.go(at);
        if !self.is_cursor_shown {
            self.is_cursor_shown = true;
            self.out.extend_from_slice(b"\x1b[?25h");
        }
    }

    /// Hides the cursor, for the time of a larger update.
    pub fn hide_cursor(&mut self) {
        if self.is_cursor_shown {
            self.is_cursor_shown = false;
            self.out.extend_from_slice(b"\x1b[?25l");
        }
    }
}

/// Codes of attributes; underline has kinds and goes its own way.
const ATTRIBUTES: [(Modifier, u8); 7] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// Returns whether every terminal draws this glyph as wide as we think.
fn is_sure(symbol: &str, width: u16) -> bool {
    let mut chars = symbol.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else { return false };
    match c {
        // Latin to Greek and Cyrillic; box drawing and blocks.
        '\u{a1}'..='\u{2ff}' | '\u{370}'..='\u{52f}' | '\u{2500}'..='\u{259f}' => width == 1 && c != '\u{ad}',
        // Kana, Han and Hangul.
        '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => {
            width == 2 && UnicodeWidthStr::width(symbol) == 2
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(front: &[&str], back: &[&str]) -> String {
        let mut painter = Painter::new(Depth::True);
        let first = Buffer::with_lines(front.iter().copied());
        painter.clear(first.area);
        (0..first.area.height).for_each(|y| painter.row(&first, y, 0..first.area.width));
        painter.out.clear();
        let second = Buffer::with_lines(back.iter().copied());
        (0..second.area.height).for_each(|y| painter.row(&second, y, 0..second.area.width));
        String::from_utf8(painter.out).expect("text")
    }

    #[test]
    fn only_what_changed_is_written() {
        assert_eq!(painted(&["abcdef", "ghijkl"], &["abcdef", "ghijkl"]), "");
        assert_eq!(painted(&["abcdef"], &["abXdeY"]), "\x1b[1;3HX\x1b[2CY");
    }

    #[test]
    fn ux21_a_wide_glyph_whose_second_half_was_drawn_over_is_drawn_again() {
        let mut wide = Buffer::with_lines(["a  b"]);
        wide.content[1].set_symbol("漢");
        let mut over = wide.clone();
        wide.content[2].set_symbol("");
        over.content[2].set_symbol("x");
        let mut painter = Painter::new(Depth::True);
        painter.clear(wide.area);
        for buffer in [&wide, &over] {
            painter.row(buffer, 0, 0..4);
        }
        painter.out.clear();
        painter.row(&wide, 0, 0..4);
        assert_eq!(String::from_utf8(painter.out).expect("text"), "\x1b[1;2H漢");
    }

    #[test]
    fn k12_control_characters_in_cells_never_reach_the_terminal() {
        let mut back = Buffer::empty(Rect::new(0, 0, 4, 1));
        for (x, symbol) in ["\x1b[2J", "\u{9b}", "\n", "\x7f"].iter().enumerate() {
            back.content[x].set_symbol(symbol);
        }
        let mut painter = Painter::new(Depth::True);
        painter.clear(back.area);
        painter.out.clear();
        painter.row(&back, 0, 0..4);
        assert_eq!(painter.out, b"\x1b[1;1H????");
    }

    #[test]
    fn ux21_after_a_glyph_of_doubtful_width_the_next_cell_is_addressed_and_written() {
        let mut back = Buffer::with_lines(["a  b"]);
        back.content[1].set_symbol("✈\u{fe0f}");
        back.content[2].set_symbol("");
        let mut painter = Painter::new(Depth::True);
        painter.clear(back.area);
        painter.row(&back, 0, 0..4);
        painter.out.clear();
        let mut next = back.clone();
        next.content[1].set_symbol("❤\u{fe0f}");
        painter.row(&next, 0, 0..4);
        assert_eq!(String::from_utf8(painter.out).expect("text"), "\x1b[1;2H  \x1b[1;2H❤\u{fe0f}\x1b[1;4Hb");
    }
}
