//! What brings a real terminal to the point where a screen stands, so that the program's raw output can go on from there.
//!
//! Rows scroll in from the bottom, so what the terminal showed before ends up in its own scrollback. Then come tab stops, region,
//! saved cursor, modes, stacks, palette and title, and last the cursor itself. Never a query, a bell or a clipboard write.

use std::fmt::Write;

use alacritty_terminal::grid::Cursor;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::CharsetIndex;
use alacritty_terminal::vte::ansi::StandardCharset;

use super::engine::Cells;
use super::engine::Engine;
use super::engine::Keyboard;
use super::engine::Saved;
use super::engine::line_index;
use super::modes::MouseEncoding;
use super::modes::MouseMode;
use super::paint::Brush;
use super::paint::Dialect;
use super::paint::is_plain_blank;
use super::paint::push_address;
use super::paint::push_cell_text;
use super::screen::Screen;
use super::size::Size;

/// Brings a terminal in any state to one where text can be drawn: no look, no region, no modes that move text.
const PREPARE: &[u8] = b"\x1b[22;0t\x1b[m\x1b]8;;\x1b\\\x1b[?6l\x1b[r\x1b[4l\x1b[20l\x1b[?7h\x1b(B\x1b)B\x0f";

/// Returns what a real terminal is sent at a raw attach, with up to `history_rows` rows of scrollback above the screen.
#[must_use]
pub fn attach_dump(screen: &Screen, history_rows: usize) -> Vec<u8> {
    let engine = &screen.engine;
    let mut out = PREPARE.to_vec();
    scroll_in(engine.primary(), history_rows, &mut out);
    push_tabs(engine, &mut out);
    push_keyboard(&engine.state.keyboard[0], &mut out);
    if engine.state.on_alternate {
        // The cursor saved on the primary screen is what a return from mode 1049 restores; entering saves the one in force.
        let primary = engine.primary();
        push_cursor(engine, primary, &primary.saved_cursor, engine.state.saved[0], &mut out);
        out.extend_from_slice(b"\x1b[?1049h\x1b[m\x1b]8;;\x1b\\\x1b(B\x0f\x1b[?6l\x1b[2J");
        paint(&engine.grid, &mut out);
        push_keyboard(&engine.state.keyboard[1], &mut out);
    }
    push_region(engine, &mut out);
    let saved = engine.state.saved[engine.state.screen_index()];
    push_cursor(engine, &engine.grid, &engine.grid.saved_cursor, saved, &mut out);
    out.extend_from_slice(b"\x1b7\x1b[m\x1b]8;;\x1b\\\x1b(B\x0f\x1b[?6l");
    push_titles(engine, &mut out);
    push_palette(engine, &mut out);
    let now = Saved { origin: engine.state.origin, shift: engine.state.shift };
    push_cursor(engine, &engine.grid, &engine.grid.cursor, now, &mut out);
    push_modes(engine, &mut out);
    out
}

/// Returns what a terminal of another size is sent to look at a screen: the rows and columns that fit, from the top left, or
/// from further down if the cursor would not be seen. The raw stream that follows is cut by that terminal as it likes.
#[must_use]
pub fn crop_dump(screen: &Screen, outer: Size) -> Vec<u8> {
    let engine = &screen.engine;
    let grid = &engine.grid;
    let mut out = PREPARE.to_vec();
    out.extend_from_slice(b"\x1b[2J");
    let rows = i32::from(outer.rows().min(engine.size().rows()));
    let first = (grid.cursor.point.line.0 + 1 - rows).max(0);
    for index in first..first + rows {
        push_address(line_index(Line(index - first)), 0, &mut out);
        push_cells(&grid[Line(index)][..][..usize::from(outer.cols().min(engine.size().cols()))], &mut out);
    }
    let col = grid.cursor.point.column.0.min(usize::from(outer.cols()) - 1);
    push(&mut out, format_args!("\x1b[{};{}H", grid.cursor.point.line.0 - first + 1, col + 1));
    push_modes(engine, &mut out);
    out
}

/// Appends formatted text.
fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let mut formatted = String::new();
    formatted.write_fmt(text).expect("formatting numbers and text cannot fail");
    out.extend_from_slice(formatted.as_bytes());
}

/// Writes rows at the bottom, each scrolling the ones before it up.
fn scroll_in(grid: &Cells, history_rows: usize, out: &mut Vec<u8>) {
    let history = i32::try_from(history_rows.min(grid.history_size())).unwrap_or(0);
    let rows = -history..=grid.bottommost_line().0;
    push(out, format_args!("\x1b[{};1H", grid.screen_lines()));
    let mut continues = false;
    for index in rows {
        if !continues {
            out.extend_from_slice(b"\r\n");
        }
        continues = push_row(grid, Line(index), continues, out);
    }
}

/// Writes the rows of a screen that was just cleared.
fn paint(grid: &Cells, out: &mut Vec<u8>) {
    let mut continues = false;
    for index in 0..=grid.bottommost_line().0 {
        if !continues {
            push_address(line_index(Line(index)), 0, out);
        }
        continues = push_row(grid, Line(index), continues, out);
    }
}

/// Writes one row and tells whether the next one must follow without a line break, as this one did if it `continues`.
fn push_row(grid: &Cells, at: Line, continues: bool, out: &mut Vec<u8>) -> bool {
    let cells = &grid[at][..];
    let is_trailing = |cell: &Cell| is_plain_blank(cell) && !cell.flags.contains(Flags::WIDE_CHAR_SPACER);
    let written = |cells: &[Cell]| cells.iter().rposition(|cell| !is_trailing(cell)).map_or(0, |last| last + 1);
    // Only a row that is written to can pull the cursor down from the one it continues.
    let wraps = cells[cells.len() - 1].flags.contains(Flags::WRAPLINE)
        && at < grid.bottommost_line()
        && written(&grid[at + 1i32][..]) > 0;
    let len = if wraps { cells.len() } else { written(cells) };
    push_cells(&cells[..len], out);
    if continues && len < cells.len() {
        // Wrapping into a new row may have filled it with the background in force.
        out.extend_from_slice(b"\x1b[K");
    }
    wraps
}

fn push_cells(cells: &[Cell], out: &mut Vec<u8>) {
    let mut brush = Brush::new(Dialect::Full);
    for cell in cells.iter().filter(|cell| !cell.flags.contains(Flags::WIDE_CHAR_SPACER)) {
        brush.apply(cell, out);
        push_cell_text(cell, out);
    }
    brush.reset(out);
}

fn push_tabs(engine: &Engine, out: &mut Vec<u8>) {
    let tabs = &engine.state.tabs;
    if tabs.iter().enumerate().all(|(col, &stop)| stop == col.is_multiple_of(8)) {
        return;
    }
    out.extend_from_slice(b"\x1b[3g");
    for (col, _) in tabs.iter().enumerate().filter(|(_, stop)| **stop) {
        push(out, format_args!("\x1b[{}G\x1bH", col + 1));
    }
}

fn push_region(engine: &Engine, out: &mut Vec<u8>) {
    let (top, bottom) = engine.state.region;
    if (top, bottom) != (0, engine.size().rows()) {
        push(out, format_args!("\x1b[{};{bottom}r", top + 1));
    }
}

fn push_keyboard(keyboard: &Keyboard, out: &mut Vec<u8>) {
    if keyboard.flags == 0 && keyboard.stack.is_empty() {
        return;
    }
    // Pushing even the first keeps what the terminal had below.
    for flags in keyboard.stack.iter().chain([&keyboard.flags]) {
        push(out, format_args!("\x1b[>{flags}u"));
    }
}

/// Puts the terminal's cursor, look, character sets and origin mode where a cursor has them.
fn push_cursor(engine: &Engine, grid: &Cells, cursor: &Cursor<Cell>, saved: Saved, out: &mut Vec<u8>) {
    let top = if saved.origin { usize::from(engine.state.region.0) } else { 0 };
    let (row, col) = (line_index(cursor.point.line).saturating_sub(top), cursor.point.column.0);
    out.extend_from_slice(if saved.origin { b"\x1b[?6h" } else { b"" });
    push_address(row, col, out);
    if cursor.input_needs_wrap {
        push_pending_wrap(&grid[cursor.point.line][..], row, col, out);
    }
    Brush::new(Dialect::Full).apply(&cursor.template, out);
    let slots = [CharsetIndex::G0, CharsetIndex::G1, CharsetIndex::G2, CharsetIndex::G3];
    for (slot, name) in slots.into_iter().zip(*b"()*+") {
        if cursor.charsets[slot] == StandardCharset::SpecialCharacterAndLineDrawing {
            out.extend_from_slice(&[0x1b, name, b'0']);
        }
    }
    out.extend_from_slice(match saved.shift {
        0 => b"",
        1 => b"\x0e",
        2 => b"\x1bn",
        _ => b"\x1bo",
    });
}

/// Writes the last cell of the cursor's row once more: only writing it leaves a terminal about to wrap.
fn push_pending_wrap(cells: &[Cell], row: usize, last: usize, out: &mut Vec<u8>) {
    let is_second = cells[last].flags.contains(Flags::WIDE_CHAR_SPACER);
    let col = if is_second { last - 1 } else { last };
    push_address(row, col, out);
    let mut brush = Brush::new(Dialect::Full);
    brush.apply(&cells[col], out);
    push_cell_text(&cells[col], out);
    brush.reset(out);
}

fn push_titles(engine: &Engine, out: &mut Vec<u8>) {
    for title in &engine.state.titles {
        push(out, format_args!("\x1b]2;{}\x1b\\\x1b[22;0t", title.as_deref().unwrap_or_default()));
    }
    if let Some(title) = &engine.state.title {
        push(out, format_args!("\x1b]2;{title}\x1b\\"));
    }
}

fn push_palette(engine: &Engine, out: &mut Vec<u8>) {
    for (&index, (r, g, b)) in &engine.state.palette {
        let code = if index < 256 { format!("4;{index}") } else { (index - 246).to_string() };
        push(out, format_args!("\x1b]{code};rgb:{r:02x}/{g:02x}/{b:02x}\x1b\\"));
    }
}

fn push_modes(engine: &Engine, out: &mut Vec<u8>) {
    let (state, modes) = (&engine.state, engine.modes());
    let switches: [(bool, &[u8]); 9] = [
        (modes.app_cursor, b"\x1b[?1h"),
        (modes.app_keypad, b"\x1b="),
        (modes.bracketed_paste, b"\x1b[?2004h"),
        (modes.focus_events, b"\x1b[?1004h"),
        (!modes.alternate_scroll, b"\x1b[?1007l"),
        (!modes.cursor_visible, b"\x1b[?25l"),
        (!state.wrap, b"\x1b[?7l"),
        (state.insert, b"\x1b[4h"),
        (state.newline, b"\x1b[20h"),
    ];
    for (_, sequence) in switches.into_iter().filter(|(is_on, _)| *is_on) {
        out.extend_from_slice(sequence);
    }
    out.extend_from_slice(match modes.mouse {
        MouseMode::None => b"",
        MouseMode::Press => b"\x1b[?9h",
        MouseMode::Click => b"\x1b[?1000h",
        MouseMode::Drag => b"\x1b[?1002h",
        MouseMode::Motion => b"\x1b[?1003h",
    });
    out.extend_from_slice(match modes.mouse_encoding {
        MouseEncoding::Default => b"",
        MouseEncoding::Utf8 => b"\x1b[?1005h",
        MouseEncoding::Sgr => b"\x1b[?1006h",
    });
    if modes.modify_other_keys > 0 {
        push(out, format_args!("\x1b[>4;{}m", modes.modify_other_keys));
    }
    if modes.cursor_shape > 0 {
        push(out, format_args!("\x1b[{} q", modes.cursor_shape));
    }
}
