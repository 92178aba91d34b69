//! Writing text: wrapping, wide glyphs, combining marks, insert mode, and the fast path for plain ASCII.
//!
//! Every write first parts the wide glyphs that straddle its edges, so half a glyph never stays behind.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Column;
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::StandardCharset;
use unicode_width::UnicodeWidthChar;

use super::Engine;

/// Most combining marks one cell keeps; further ones are dropped.
pub(in crate::term) const MAX_MARKS: usize = 10;

impl Engine {
    /// Writes printable ASCII.
    pub(super) fn print_ascii(&mut self, text: &[u8]) {
        let charset = self.grid.cursor.charsets[self.charset_index()];
        if let Some(&last) = text.last() {
            self.state.last_char = Some(char::from(last));
        }
        if self.state.insert || !self.state.wrap || charset != StandardCharset::Ascii {
            for &byte in text {
                self.put(charset.map(char::from(byte)), 1);
            }
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            rest = self.print_run(rest);
        }
    }

    /// Writes as much ASCII as fits into the row and returns the rest.
    fn print_run<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        if self.grid.cursor.input_needs_wrap {
            self.wrap_line();
        }
        let cols = self.cols();
        let (row, col) = self.cursor();
        let len = text.len().min(cols - col);
        let at = self.grid.cursor.point.line;
        self.part_for_text(at, col, col + len);
        let template = &self.grid.cursor.template;
        let blank =
            Cell { c: ' ', fg: template.fg, bg: template.bg, flags: template.flags, extra: template.extra.clone() };
        let cells = &mut self.grid[at][Column(col)..Column(col + len)];
        for (cell, &byte) in cells.iter_mut().zip(text) {
            cell.c = char::from(byte);
            cell.fg = blank.fg;
            cell.bg = blank.bg;
            cell.flags = blank.flags;
            if cell.extra.is_some() || blank.extra.is_some() {
                cell.extra.clone_from(&blank.extra);
            }
        }
        self.touch(row);
        self.advance_cursor(col + len);
        &text[len..]
    }

    /// Writes text outside ASCII.
    pub(super) fn print_text(&mut self, text: &str) {
        for c in text.chars() {
            self.print_char(c);
        }
    }

    /// Writes one character of any kind.
    pub(super) fn print_char(&mut self, c: char) {
        match c.width() {
            None => {}
            Some(0) => self.combine(c),
            Some(width) => {
                self.state.last_char = Some(c);
                let charset = self.grid.cursor.charsets[self.charset_index()];
                self.put(charset.map(c), width.min(2));
            }
        }
    }

    /// Repeats the last character.
    pub(super) fn repeat(&mut self, count: u16) {
        // As in xterm, at most one screenful: a count costs a program nothing and must not cost us much more.
        let count = usize::from(count).min(self.rows() * self.cols());
        let Some(c) = self.state.last_char else {
            return;
        };
        if c.is_ascii() {
            self.print_ascii(&vec![c as u8; count]);
        } else {
            (0..count).for_each(|_| self.print_char(c));
        }
    }

    /// Adds a combining mark to the character before the cursor.
    fn combine(&mut self, mark: char) {
        let (row, mut col) = self.cursor();
        if !self.grid.cursor.input_needs_wrap {
            col = col.saturating_sub(1);
        }
        let at = self.grid.cursor.point.line;
        if self.grid[at][Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            col = col.saturating_sub(1);
        }
        let cell = &mut self.grid[at][Column(col)];
        if cell.zerowidth().map_or(0, <[char]>::len) < MAX_MARKS {
            cell.push_zerowidth(mark);
            self.touch(row);
        }
    }

    /// Writes one character of a known width.
    fn put(&mut self, c: char, width: usize) {
        if self.grid.cursor.input_needs_wrap && self.state.wrap {
            self.wrap_line();
        }
        let cols = self.cols();
        if width == 2 && self.cursor().1 + 1 >= cols {
            if !self.state.wrap {
                self.grid.cursor.input_needs_wrap = true;
                return;
            }
            self.write(' ', Flags::LEADING_WIDE_CHAR_SPACER);
            self.wrap_line();
        }
        if self.state.insert && self.cursor().1 + width < cols {
            self.insert_cells(width);
        }
        let col = self.cursor().1;
        if width == 1 {
            self.write(c, Flags::empty());
        } else {
            self.write(c, Flags::WIDE_CHAR);
            self.grid.cursor.point.column += 1;
            self.write(' ', Flags::WIDE_CHAR_SPACER);
        }
        self.advance_cursor(col + width);
    }

    /// Writes the cell at the cursor without moving.
    fn write(&mut self, c: char, geometry: Flags) {
        let (row, col) = self.cursor();
        let at = self.grid.cursor.point.line;
        let end = if geometry == Flags::WIDE_CHAR { col + 2 } else { col + 1 };
        let halves = Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER;
        let cuts = self.grid[at][Column(col)..Column(end)].iter().any(|cell| cell.flags.intersects(halves));
        if cuts && geometry != Flags::WIDE_CHAR_SPACER {
            self.part_for_text(at, col, end);
        }
        let template = &self.grid.cursor.template;
        let (fg, bg, flags) = (template.fg, template.bg, template.flags | geometry);
        let extra = template.extra.clone();
        self.grid[at][Column(col)] = Cell { c, fg, bg, flags, extra };
        self.touch(row);
    }

    /// Puts the cursor before `col`, or leaves it on the last column with a wrap pending.
    fn advance_cursor(&mut self, col: usize) {
        let last = self.cols() - 1;
        let cursor = &mut self.grid.cursor;
        cursor.input_needs_wrap = col > last;
        cursor.point.column = Column(col.min(last));
    }

    /// Goes on in the next row, which continues this one.
    fn wrap_line(&mut self) {
        let last = Column(self.cols() - 1);
        let at = self.grid.cursor.point.line;
        self.grid[at][last].flags.insert(Flags::WRAPLINE);
        self.line_feed();
        self.grid.cursor.point.column = Column(0);
        self.grid.cursor.input_needs_wrap = false;
    }

    /// Parts wide glyphs before columns `start..end` are written.
    fn part_for_text(&mut self, at: Line, start: usize, end: usize) {
        let holds_wide = |cell: &Cell| cell.flags.intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER);
        let cells = &self.grid[at];
        if start <= 1 && holds_wide(&cells[Column(0)]) && at > self.grid.topmost_line() {
            // The glyph that had been moved down here no longer explains the gap at the end of the row above.
            let last = self.grid.last_column();
            self.grid[at - 1i32][last].flags.remove(Flags::LEADING_WIDE_CHAR_SPACER);
        }
        self.part(at, start);
        self.part(at, end);
    }

    /// Blanks the wide glyph that has one half on each side of `col`.
    pub(super) fn part(&mut self, at: Line, col: usize) {
        if col == 0 || col >= self.cols() || !self.grid[at][Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            return;
        }
        let row = &mut self.grid[at];
        row[Column(col - 1)].clear_wide();
        row[Column(col)].flags.remove(Flags::WIDE_CHAR_SPACER);
    }
}
