//! History as rows: what a terminal of a given size would have in an endless scrollback, with where each row came from.
//!
//! Rows that scroll out are taken out of the engine and kept small. What a program erases from its scrollback stays: history forgets
//! only what the ring did. Pure; used by whoever reads history, never by the daemon.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line as GridLine;

use super::effect::Effect;
use super::effect::PromptMark;
use super::engine::Cells;
use super::engine::Engine;
use super::parser::Parser;
use super::row::Row;
use super::screen::Screen;
use super::size::Size;

/// Rows that may scroll out before they are taken; twice as many are kept by the engine, so none is lost between two pieces.
const HARVEST: usize = 512;
/// Longest piece that is read at once: as many rows as it could scroll out at the utmost fit.
const PIECE: usize = 1024;

/// Erases the scrollback.
const ERASE: &[u8] = b"\x1b[3J";

/// Rows that will not change any more.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The rows.
    pub rows: Vec<Row>,
    /// Those where prompts begin (OSC 133).
    prompts: Vec<usize>,
    /// Rows, and the offset of the bytes that began there.
    places: Vec<(usize, u64)>,
}

/// See the module.
pub struct Scroll {
    screen: Screen,
    past: Past,
    /// Rows that will not change any more; what follows is the engine's, as of the last settling.
    fixed: usize,
}

impl Scroll {
    /// Starts with nothing; a program that writes to a pipe has line feeds that also return the carriage.
    #[must_use]
    pub fn new(size: Size, is_pipe: bool) -> Scroll {
        let screen = Screen::from_parts(Parser::new(), Engine::new(size, 2 * HARVEST + PIECE, is_pipe));
        Scroll { screen, past: Past::default(), fixed: 0 }
    }

    /// Reads bytes that stand at an offset of the history.
    pub fn feed(&mut self, at: u64, bytes: &[u8]) {
        let (mut at, mut rest) = (at, bytes);
        while let Some(found) = position(rest, ERASE) {
            self.lines(&mut at, &rest[..found]);
            self.harvest();
            self.lines(&mut at, &rest[found..found + ERASE.len()]);
            rest = &rest[found + ERASE.len()..];
        }
        self.lines(&mut at, rest);
    }

    fn lines(&mut self, at: &mut u64, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in line.chunks(PIECE) {
                self.piece(*at, piece);
                *at += piece.len() as u64;
            }
        }
    }

    fn piece(&mut self, at: u64, piece: &[u8]) {
        let is_alternate = self.screen.engine.state.on_alternate;
        if let Some(row) = self.row_now().filter(|row| self.past.places.last().is_none_or(|(last, _)| last < row)) {
            self.past.places.push((row, at));
        }
        let row = self.row_now();
        self.screen.feed(piece);
        for effect in self.screen.take_effects() {
            if let (Effect::PromptMark(PromptMark::PromptStart), Some(row), false) = (effect, row, is_alternate)
                && self.past.prompts.last() != Some(&row)
            {
                self.past.prompts.push(row);
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
        self.past.rows.truncate(self.fixed);
        push_history(&engine.grid, &mut self.past.rows);
        engine.grid.clear_history();
        self.fixed = self.past.rows.len();
    }

    /// Gives the terminal another size, as the program's had it from here on.
    pub fn resize(&mut self, size: Size) {
        if size != self.screen.size() {
            self.harvest();
            self.screen.resize(size);
        }
    }

    /// Returns the size of the terminal.
    #[must_use]
    pub fn size(&self) -> Size {
        self.screen.size()
    }

    /// Brings the rows up to what was read.
    pub fn settle(&mut self) {
        self.past.rows.truncate(self.fixed);
        let engine = &self.screen.engine;
        push_history(engine.primary(), &mut self.past.rows);
        let (cursor, _) = engine.cursor();
        let rows = engine.grid.screen_lines();
        let first = self.past.rows.len();
        self.past.rows.extend((0..rows).map(|row| Row::of(&engine.grid[GridLine(row as i32)][..])));
        let last = self.past.rows[first..].iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
        self.past.rows.truncate(first + last.max(cursor + 1));
    }

    /// Returns all rows, as of the last settling.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.past.rows
    }

    /// Ends it where a line begins: returns its rows, without the empty one that the cursor would be in.
    #[must_use]
    pub fn end(mut self) -> Past {
        self.settle();
        if self.past.rows.last().is_some_and(Row::is_empty) {
            self.past.rows.pop();
        }
        self.past
    }

    /// Puts rows before all others.
    pub fn put_before(&mut self, mut past: Past) {
        let count = past.rows.len();
        past.rows.append(&mut self.past.rows);
        past.prompts.extend(self.past.prompts.iter().map(|row| row + count));
        past.places.extend(self.past.places.iter().map(|(row, at)| (row + count, *at)));
        self.past = past;
        self.fixed += count;
    }

    /// Forgets the first rows; at most those that will not change any more.
    pub fn forget_first(&mut self, count: usize) {
        let count = count.min(self.fixed);
        self.past.rows.drain(..count);
        self.past.prompts.retain(|row| *row >= count);
        self.past.prompts.iter_mut().for_each(|row| *row -= count);
        self.past.places.retain(|(row, _)| *row >= count);
        self.past.places.iter_mut().for_each(|(row, _)| *row -= count);
        self.fixed -= count;
    }

    /// Forgets all but the first rows; nothing can be fed after this.
    pub fn keep_first(&mut self, count: usize) {
        self.past.rows.truncate(count);
        self.past.prompts.retain(|row| *row < count);
        self.past.places.retain(|(row, _)| *row < count);
        self.fixed = self.past.rows.len();
    }

    /// Returns the rows where prompts begin (OSC 133).
    #[must_use]
    pub fn prompts(&self) -> &[usize] {
        &self.past.prompts
    }

    /// Returns the offset of a byte that was written in a row, or else in one above.
    #[must_use]
    pub fn offset_of(&self, row: usize) -> Option<u64> {
        let after = self.past.places.partition_point(|(known, _)| *known <= row);
        after.checked_sub(1).map(|at| self.past.places[at].1)
    }

    /// Returns the row in which the byte at an offset was written.
    #[must_use]
    pub fn row_of(&self, at: u64) -> usize {
        let after = self.past.places.partition_point(|(_, known)| *known <= at);
        let row = after.checked_sub(1).map_or(0, |at| self.past.places[at].0);
        row.min(self.past.rows.len().saturating_sub(1))
    }
}

/// Returns where a sequence begins.
fn position(bytes: &[u8], sequence: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| *byte == sequence[0]) {
        if bytes[from + found..].starts_with(sequence) {
            return Some(from + found);
        }
        from += found + 1;
    }
    None
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
