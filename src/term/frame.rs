//! What a frame client is sent: first the whole screen, then what changed.
//!
//! A frame's bytes are for a `vt100` parser and hold nothing it would hold otherwise; what it cannot hold travels beside them as
//! overrides. Each run of cells begins with its address and ends where no wide glyph is cut, so a diff never depends on what stood
//! there. `Base` is the daemon's copy of what one client was sent; only rows the screen marked as changed are compared.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;
use serde::Deserialize;
use serde::Serialize;

use super::engine::Engine;
use super::engine::line;
use super::modes::Modes;
use super::modes::MouseEncoding;
use super::modes::MouseMode;
use super::paint::Brush;
use super::paint::Dialect;
use super::paint::is_blank;
use super::paint::is_plain_blank;
use super::paint::is_same;
use super::paint::push_address;
use super::paint::push_cell_text;
use super::paint::vt100_holds_look;
use super::paint::vt100_holds_text;
use super::screen::Screen;
use super::size::Size;
use super::style::Style;

/// Fewest blank cells at the end of a row that are erased rather than written.
const WORTH_ERASING: usize = 4;

/// One step of a client's copy of a screen.
#[derive(Clone, Default, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// Size of the screen.
    pub size: Size,
    /// Sequences for a `vt100` parser of that size.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    /// One entry for every row the frame touches, with all that lies over it.
    pub overrides: Vec<RowOverride>,
    /// The modes that input encoders act on.
    pub modes: Modes,
    /// The title.
    pub title: Option<String>,
    /// The frame stands for itself: whatever the client has is dropped first.
    pub full: bool,
}

/// What lies over one row; replaces what lay over it before.
#[derive(Clone, Default, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RowOverride {
    /// The row, counted from 0.
    pub row: u16,
    /// From left to right, without overlap.
    pub overlays: Vec<Overlay>,
}

/// Cells that a `vt100` parser cannot hold as they are.
#[derive(Clone, Default, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Overlay {
    /// First column, counted from 0.
    pub col: u16,
    /// Number of columns.
    pub len: u16,
    /// The text of the one glyph in these columns; none if the parser holds the right text.
    pub text: Option<String>,
    /// Their look.
    pub style: Style,
}

/// What one client has been sent.
#[derive(Default)]
pub struct Base {
    sent: Option<Sent>,
}

struct Sent {
    size: Size,
    rows: Vec<Vec<Cell>>,
    generation: u64,
    cursor: (usize, usize),
    modes: Modes,
    title: Option<String>,
}

impl Base {
    /// Returns the base of a client that was sent nothing.
    #[must_use]
    pub fn new() -> Base {
        Base::default()
    }

    /// Returns what brings the client up to date, assuming it will get it; none if it is.
    pub fn frame(&mut self, screen: &Screen) -> Option<Frame> {
        let engine = &screen.engine;
        match &mut self.sent {
            Some(sent) if sent.size == engine.size() => sent.diff(engine),
            _ => {
                let (sent, frame) = Sent::dump(engine);
                self.sent = Some(sent);
                Some(frame)
            }
        }
    }

    /// Makes the next frame a full one.
    pub fn forget(&mut self) {
        self.sent = None;
    }
}

impl Frame {
    /// Returns a full frame of a screen with up to `above` rows of its scrollback over it, and how many there are. Base
    /// and mirror are not needed for that: whoever gets it has it for itself.
    #[must_use]
    pub fn of(screen: &Screen, above: u16) -> (Frame, u16) {
        let engine = &screen.engine;
        let size = engine.size();
        // A taller frame is still a screen, so its size stays in bounds.
        let kept = u16::try_from(engine.grid.history_size()).unwrap_or(u16::MAX);
        let tall = Size::clamped(size.rows().saturating_add(above.min(kept)), size.cols());
        let above = tall.rows() - size.rows();
        let mut writer = Writer::new(b"\x1bc");
        for row in 0..usize::from(tall.rows()) {
            writer.full_row(row, &engine.grid[line(row) - i32::from(above)][..]);
        }
        let (row, col) = engine.cursor();
        let sent = Sent {
            size: tall,
            rows: Vec::new(),
            generation: engine.generation,
            cursor: (row + usize::from(above), col),
            modes: engine.modes(),
            title: engine.state.title.clone(),
        };
        writer.modes(Modes::default(), sent.modes);
        (writer.finish(&sent, true), above)
    }
}

impl Sent {
    fn dump(engine: &Engine) -> (Sent, Frame) {
        let mut writer = Writer::new(b"\x1bc");
        let rows = engine.rows();
        let mut copies = Vec::with_capacity(rows);
        for row in 0..rows {
            let cells = &engine.grid[line(row)][..];
            writer.full_row(row, cells);
            copies.push(cells.to_vec());
        }
        let sent = Sent {
            size: engine.size(),
            rows: copies,
            generation: engine.generation,
            cursor: engine.cursor(),
            modes: engine.modes(),
            title: engine.state.title.clone(),
        };
        writer.modes(Modes::default(), sent.modes);
        let frame = writer.finish(&sent, true);
        (sent, frame)
    }

    fn diff(&mut self, engine: &Engine) -> Option<Frame> {
        if self.generation == engine.generation {
            return None;
        }
        let mut writer = Writer::new(b"");
        for row in 0..self.rows.len() {
            if engine.versions[row] > self.generation {
                let cells = &engine.grid[line(row)][..];
                writer.changes(row, &mut self.rows[row], cells);
            }
        }
        self.generation = engine.generation;
        let (modes, cursor, title) = (engine.modes(), engine.cursor(), &engine.state.title);
        if writer.bytes.is_empty() && modes == self.modes && cursor == self.cursor && *title == self.title {
            return None;
        }
        writer.modes(self.modes, modes);
        self.modes = modes;
        self.cursor = cursor;
        self.title.clone_from(title);
        Some(writer.finish(self, false))
    }
}

/// Collects the bytes and overrides of one frame.
struct Writer {
    bytes: Vec<u8>,
    overrides: Vec<RowOverride>,
    brush: Brush,
}

impl Writer {
    fn new(start: &[u8]) -> Writer {
        Writer { bytes: start.to_vec(), overrides: Vec::new(), brush: Brush::new(Dialect::Vt100) }
    }

    /// Writes a row of a screen that is blank so far.
    fn full_row(&mut self, row: usize, cells: &[Cell]) {
        let len = cells.iter().rposition(|cell| !is_plain_blank(cell)).map_or(0, |last| (last + 2).min(cells.len()));
        if len > 0 {
            self.run(row, cells, 0, len);
            self.lay_over(row, cells);
        }
    }

    /// Writes the cells of a row that differ from `old`, and makes `old` equal.
    fn changes(&mut self, row: usize, old: &mut [Cell], new: &[Cell]) {
        let differs = |col: &usize| !is_same(&old[*col], &new[*col]);
        let Some(mut start) = (0..new.len()).find(differs) else {
            return;
        };
        let mut end = (start..new.len()).rev().find(differs).map_or(start, |last| last) + 1;
        // Cells outside the run are the same in both, so a glyph that straddles an edge straddles it in both.
        let is_half = |col: usize| new.get(col).is_some_and(|cell| cell.flags.contains(Flags::WIDE_CHAR_SPACER));
        start -= usize::from(is_half(start));
        end += usize::from(is_half(end));
        self.run(row, new, start, end);
        self.lay_over(row, new);
        old[start..end].clone_from_slice(&new[start..end]);
    }

    /// Writes columns `start..end` of a row.
    fn run(&mut self, row: usize, cells: &[Cell], start: usize, end: usize) {
        push_address(row, start, &mut self.bytes);
        let erased = erasable(cells, start, end);
        for cell in &cells[start..erased.unwrap_or(end)] {
            if cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
                continue;
            }
            self.brush.apply(cell, &mut self.bytes);
            if vt100_holds_text(cell) {
                push_cell_text(cell, &mut self.bytes);
            } else {
                let blanks: &[u8] = if cell.flags.contains(Flags::WIDE_CHAR) { b"  " } else { b" " };
                self.bytes.extend_from_slice(blanks);
            }
        }
        if let Some(erased) = erased {
            self.brush.apply(&cells[erased], &mut self.bytes);
            self.bytes.extend_from_slice(b"\x1b[K");
        }
    }

    /// Notes the row as touched, with what lies over it.
    fn lay_over(&mut self, row: usize, cells: &[Cell]) {
        let mut overlays: Vec<Overlay> = Vec::new();
        let mut before: Option<usize> = None;
        for (col, cell) in cells.iter().enumerate() {
            if cell.flags.contains(Flags::WIDE_CHAR_SPACER) || (vt100_holds_look(cell) && vt100_holds_text(cell)) {
                continue;
            }
            let width = if cell.flags.contains(Flags::WIDE_CHAR) { 2 } else { 1 };
            let (style, is_held) = (Style::of(cell), vt100_holds_text(cell));
            match overlays.last_mut() {
                Some(last) if is_held && before == Some(col) && last.text.is_none() && last.style == style => {
                    last.len += width;
                }
                _ => overlays.push(Overlay {
                    col: col as u16,
                    len: width,
                    text: (!is_held).then(|| cell_text(cell)),
                    style,
                }),
            }
            before = Some(col + usize::from(width));
        }
        self.overrides.push(RowOverride { row: row as u16, overlays });
    }

    /// Writes changes of the modes `vt100` holds.
    fn modes(&mut self, old: Modes, new: Modes) {
        let mut switch = |was: bool, is: bool, on: &[u8], off: &[u8]| {
            if was != is {
                self.bytes.extend_from_slice(if is { on } else { off });
            }
        };
        switch(old.app_cursor, new.app_cursor, b"\x1b[?1h", b"\x1b[?1l");
        switch(old.app_keypad, new.app_keypad, b"\x1b=", b"\x1b>");
        switch(old.bracketed_paste, new.bracketed_paste, b"\x1b[?2004h", b"\x1b[?2004l");
        switch(old.cursor_visible, new.cursor_visible, b"\x1b[?25h", b"\x1b[?25l");
        if old.mouse != new.mouse {
            self.bytes.extend_from_slice(match new.mouse {
                MouseMode::None => b"\x1b[?9;1000;1002;1003l",
                MouseMode::Press => b"\x1b[?9h",
                MouseMode::Click => b"\x1b[?1000h",
                MouseMode::Drag => b"\x1b[?1002h",
                MouseMode::Motion => b"\x1b[?1003h",
            });
        }
        if old.mouse_encoding != new.mouse_encoding {
            self.bytes.extend_from_slice(match new.mouse_encoding {
                MouseEncoding::Default => b"\x1b[?1005;1006l",
                MouseEncoding::Utf8 => b"\x1b[?1005h",
                MouseEncoding::Sgr => b"\x1b[?1006h",
            });
        }
        if old.cursor_shape != new.cursor_shape {
            self.bytes.extend_from_slice(&[0x1b, b'[', b'0' + new.cursor_shape, b' ', b'q']);
        }
    }

    /// Resets the look, addresses the cursor and hands over the frame.
    fn finish(mut self, sent: &Sent, full: bool) -> Frame {
        self.brush.reset(&mut self.bytes);
        push_address(sent.cursor.0, sent.cursor.1, &mut self.bytes);
        Frame {
            size: sent.size,
            bytes: self.bytes,
            overrides: self.overrides,
            modes: sent.modes,
            title: sent.title.clone(),
            full,
        }
    }
}

/// Returns from where on a run that ends its row is blank in one look, if that is worth erasing.
fn erasable(cells: &[Cell], start: usize, end: usize) -> Option<usize> {
    let last = cells.last()?;
    let is_rest =
        |cell: &Cell| is_blank(cell) && !cell.flags.intersects(Flags::WIDE_CHAR_SPACER) && is_same(cell, last);
    if end != cells.len() || !is_rest(last) {
        return None;
    }
    let first = cells[start..].iter().rposition(|cell| !is_rest(cell)).map_or(start, |before| start + before + 1);
    (end - first >= WORTH_ERASING).then_some(first)
}

/// Returns the text of a cell.
fn cell_text(cell: &Cell) -> String {
    let mut text = String::from(cell.c);
    text.extend(cell.zerowidth().unwrap_or_default());
    text
}

impl Screen {
    /// Returns text, width and look of a cell as a frame client should see them; for tests and for painting without a client.
    #[must_use]
    pub fn cell(&self, row: u16, col: u16) -> (String, u8, Style) {
        let cells = &self.engine.grid[line(usize::from(row))];
        let cell = &cells[Column(usize::from(col))];
        if cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
            let head = &cells[Column(usize::from(col) - 1)];
            return (String::new(), 0, Style::of(head));
        }
        let text = if is_blank(cell) { String::new() } else { cell_text(cell) };
        (text, if cell.flags.contains(Flags::WIDE_CHAR) { 2 } else { 1 }, Style::of(cell))
    }
}
