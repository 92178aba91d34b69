//! History as rows: what a terminal of a given size would have in an endless scrollback, with where each row came from.
//!
//! Rows that scroll out are taken out of the engine and kept small. What a program erases from its scrollback stays: history forgets
//! only what the ring did. Pure; used by whoever reads history, never by the daemon.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line as GridLine;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;

use super::effect::Effect;
use super::effect::PromptMark;
use super::engine::Cells;
use super::engine::Engine;
use super::parser::Parser;
use super::screen::Screen;
use super::size::Size;
use super::style::Style;

/// Rows that may scroll out before they are taken; twice as many are kept by the engine, so none is lost between two pieces.
const HARVEST: usize = 512;
/// Longest piece that is read at once: as many rows as it could scroll out at the utmost fit.
const PIECE: usize = 1024;

/// Erases the scrollback.
const ERASE: &[u8] = b"\x1b[3J";

/// One row of history.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Row {
    /// The characters by column, without blanks at the end; `\0` in the second half of a wide one.
    chars: Vec<char>,
    /// Marks that join the character of a column.
    joined: Vec<(u16, String)>,
    /// Looks, each from a column on.
    looks: Vec<(u16, Style)>,
    /// The text goes on in the next row.
    pub wraps: bool,
}

impl Row {
    fn of(cells: &[Cell]) -> Row {
        let is_half = |cell: &Cell| cell.flags.contains(Flags::WIDE_CHAR_SPACER);
        let is_blank = |cell: &Cell| cell.c == ' ' && !is_half(cell) && Style::of(cell) == Style::default();
        let len = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
        let mut row = Row::default();
        for (col, cell) in (0u16..).zip(&cells[..len]) {
            let is_half = cell.flags.contains(Flags::WIDE_CHAR_SPACER);
            row.chars.push(if is_half { '\0' } else { cell.c });
            if let Some(marks) = cell.zerowidth().filter(|_| !is_half) {
                row.joined.push((col, marks.iter().collect()));
            }
            let style = Style::of(cell);
            if row.looks.last().is_none_or(|(_, last)| *last != style) {
                row.looks.push((col, style));
            }
        }
        row.wraps = cells.last().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE));
        row
    }

    /// Returns the columns that hold something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chars.len()
    }

    /// Tells whether the row is blank.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// Returns the character of a column: a blank behind the end, `\0` in the second half of a wide one.
    #[must_use]
    pub fn char(&self, col: usize) -> char {
        self.chars.get(col).copied().unwrap_or(' ')
    }

    /// Returns how many columns the character of a column takes; 0 for the second half of a wide one.
    #[must_use]
    pub fn width(&self, col: usize) -> u8 {
        match (self.char(col), self.chars.get(col + 1)) {
            ('\0', _) => 0,
            (_, Some('\0')) => 2,
            _ => 1,
        }
    }

    /// Returns the look of a column.
    #[must_use]
    pub fn style(&self, col: usize) -> Style {
        if col >= self.chars.len() {
            return Style::default();
        }
        let after = self.looks.partition_point(|(from, _)| usize::from(*from) <= col);
        after.checked_sub(1).map_or_else(Style::default, |at| self.looks[at].1.clone())
    }

    /// Appends the glyph of a column.
    pub fn push(&self, col: usize, out: &mut String) {
        let c = self.char(col);
        if c == '\0' {
            return;
        }
        out.push(c);
        if let Some((_, marks)) = self.joined.iter().find(|(at, _)| usize::from(*at) == col) {
            out.push_str(marks);
        }
    }

    /// Returns the text of columns `from..to`.
    #[must_use]
    pub fn text(&self, from: usize, to: usize) -> String {
        let mut out = String::new();
        (from..to.min(self.len())).for_each(|col| self.push(col, &mut out));
        out
    }
}

/// See the module.
pub struct Scroll {
    screen: Screen,
    rows: Vec<Row>,
    /// Rows that will not change any more; what follows is the engine's, as of the last settling.
    fixed: usize,
    /// Rows, and the offset of the bytes that began there.
    places: Vec<(usize, u64)>,
    prompts: Vec<usize>,
}

impl Scroll {
    /// Starts with nothing; a program that writes to a pipe has line feeds that also return the carriage.
    #[must_use]
    pub fn new(size: Size, is_pipe: bool) -> Scroll {
        let screen = Screen::from_parts(Parser::new(), Engine::new(size, 2 * HARVEST + PIECE, is_pipe));
        Scroll { screen, rows: Vec::new(), fixed: 0, places: Vec::new(), prompts: Vec::new() }
    }

    /// Reads bytes that stand at an offset of the history.
    pub fn feed(&mut self, at: u64, bytes: &[u8]) {
        let mut at = at;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = line;
            while let Some(found) = rest.windows(ERASE.len()).position(|bytes| bytes == ERASE) {
                self.pieces(&mut at, &rest[..found]);
                self.harvest();
                self.pieces(&mut at, &rest[found..found + ERASE.len()]);
                rest = &rest[found + ERASE.len()..];
            }
            self.pieces(&mut at, rest);
        }
    }

    fn pieces(&mut self, at: &mut u64, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.piece(*at, piece);
            *at += piece.len() as u64;
        }
    }

    fn piece(&mut self, at: u64, piece: &[u8]) {
        let is_alternate = self.screen.engine.state.on_alternate;
        if let Some(row) = self.row_now().filter(|row| self.places.last().is_none_or(|(last, _)| last < row)) {
            self.places.push((row, at));
        }
        let row = self.row_now();
        self.screen.feed(piece);
        for effect in self.screen.take_effects() {
            if let (Effect::PromptMark(PromptMark::PromptStart), Some(row), false) = (effect, row, is_alternate)
                && self.prompts.last() != Some(&row)
            {
                self.prompts.push(row);
            }
        }
        if self.screen.engine.primary().history_size() >= HARVEST {
            self.harvest();
        }
    }

    /// Returns the row of the cursor, counted from the first one; none on the alternate screen.
    fn row_now(&self) -> Option<usize> {
        let engine = &self.screen.engine;
        let (row, _) = engine.cursor();
        (!engine.state.on_alternate).then(|| self.fixed + engine.grid.history_size() + row)
    }

    /// Takes what scrolled out.
    fn harvest(&mut self) {
        let engine = &mut self.screen.engine;
        if engine.state.on_alternate {
            return;
        }
        self.rows.truncate(self.fixed);
        push_history(&engine.grid, &mut self.rows);
        engine.grid.clear_history();
        self.fixed = self.rows.len();
    }

    /// Gives the terminal another size, as the program's had it from here on.
    pub fn resize(&mut self, size: Size) {
        if size != self.screen.size() {
            self.harvest();
            self.screen.resize(size);
        }
    }

    /// Brings the rows up to what was read.
    pub fn settle(&mut self) {
        self.rows.truncate(self.fixed);
        let engine = &self.screen.engine;
        push_history(engine.primary(), &mut self.rows);
        let (cursor, _) = engine.cursor();
        let rows = engine.grid.screen_lines();
        let first = self.rows.len();
        self.rows.extend((0..rows).map(|row| Row::of(&engine.grid[GridLine(row as i32)][..])));
        let last = self.rows[first..].iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
        self.rows.truncate(first + last.max(cursor + 1));
    }

    /// Returns all rows, as of the last settling.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns the rows where prompts begin (OSC 133).
    #[must_use]
    pub fn prompts(&self) -> &[usize] {
        &self.prompts
    }

    /// Returns the row in which the byte at an offset was written.
    #[must_use]
    pub fn row_of(&self, at: u64) -> usize {
        let after = self.places.partition_point(|(_, known)| *known <= at);
        let row = after.checked_sub(1).map_or(0, |at| self.places[at].0);
        row.min(self.rows.len().saturating_sub(1))
    }
}

fn push_history(grid: &Cells, rows: &mut Vec<Row>) {
    let count = grid.history_size() as i32;
    rows.extend((1..=count).rev().map(|line| Row::of(&grid[GridLine(-line)][..])));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Scroll {
        let mut scroll = Scroll::new(Size::clamped(4, 10), false);
        scroll.feed(100, bytes);
        scroll.settle();
        scroll
    }

    fn texts(scroll: &Scroll) -> Vec<String> {
        scroll.rows().iter().map(|row| row.text(0, row.len())).collect()
    }

    #[test]
    fn every_row_that_ever_scrolled_out_is_there_once() {
        let bytes: String = (0..20_000).map(|n| format!("line {n}\r\n")).collect();
        let scroll = read(bytes.as_bytes());
        let texts = texts(&scroll);
        assert_eq!(texts.len(), 20_001);
        assert!(texts.iter().take(20_000).enumerate().all(|(n, text)| *text == format!("line {n}")));
    }

    #[test]
    fn long_lines_wrap_and_erasing_the_scrollback_forgets_nothing() {
        let scroll = read(b"0123456789abc\r\n\x1b[31mred\x1b[m\r\n1\r\n2\r\n3\r\n\x1b[H\x1b[2J\x1b[3Jend");
        let texts = texts(&scroll);
        assert_eq!((texts[0].as_str(), texts[1].as_str()), ("0123456789", "abc"));
        assert!(scroll.rows()[0].wraps && !scroll.rows()[1].wraps);
        assert_eq!(texts.last().map(String::as_str), Some("end"));
    }

    #[test]
    fn wide_glyphs_and_marks_keep_their_columns() {
        let scroll = read("漢e\u{301}x".as_bytes());
        let row = &scroll.rows()[0];
        assert_eq!((row.len(), row.width(0), row.width(1), row.char(2)), (4, 2, 0, 'e'));
        assert_eq!((row.text(0, 9).as_str(), row.text(2, 3).as_str()), ("漢e\u{301}x", "e\u{301}"));
        // Nothing behind it is not the end of its first half.
        assert_eq!(read("漢".as_bytes()).rows()[0].width(0), 2);
    }

    #[test]
    fn prompts_and_offsets_are_found_again() {
        let scroll = read(b"\x1b]133;A\x07$ one\r\nout\r\n\x1b]133;A\x07$ two\r\nout\r\nmore\r\n\x1b]133;A\x07$ ");
        assert_eq!(scroll.prompts(), [0, 2, 5]);
        assert_eq!((scroll.row_of(0), scroll.row_of(100), scroll.row_of(117), scroll.row_of(9999)), (0, 0, 1, 5));
    }

    #[test]
    fn on_the_alternate_screen_the_rows_are_what_is_seen() {
        let scroll = read(b"before\r\n\x1b[?1049h\x1b[Hinside");
        assert!(texts(&scroll).contains(&"inside".to_owned()));
    }
}
