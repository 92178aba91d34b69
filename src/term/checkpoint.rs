//! Checkpoints: a whole screen as bytes, and back.
//!
//! A map of named fields with defaults, so that newer and older daemons read each other's; rows as text with runs of looks, without
//! trailing blanks. Nothing read is trusted: sizes are clamped, lists cut, references checked, and what is allocated depends on the
//! size of the screen and of the input only. *Invariant:* encoding what was decoded gives the same bytes (`tests/screen.rs`, K3).

use std::collections::HashMap;

use alacritty_terminal::grid::Cursor;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Column;
use alacritty_terminal::index::Line;
use alacritty_terminal::index::Point;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::cell::Hyperlink;
use alacritty_terminal::vte::ansi;
use alacritty_terminal::vte::ansi::CharsetIndex;
use alacritty_terminal::vte::ansi::NamedColor;
use alacritty_terminal::vte::ansi::Rgb;
use alacritty_terminal::vte::ansi::StandardCharset;
use serde::Deserialize;
use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use super::engine;
use super::engine::Cells;
use super::engine::Engine;
use super::engine::MAX_MARKS;
use super::engine::MAX_STACK;
use super::engine::State;
use super::paint::LOOK;
use super::paint::is_plain_blank;
use super::parser::Parser;
use super::parser::Swallowed;
use super::screen::SCROLLBACK_ROWS;
use super::screen::Screen;
use super::size::Size;
use super::style::ANONYMOUS;

/// Version of the layout written here; readers refuse newer ones.
const VERSION: u16 = 1;
/// Stands in a row's text for the gap before a wide glyph that did not fit.
const GAP: char = '\u{1}';

/// Why a checkpoint cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The bytes are no checkpoint.
    #[error("the bytes are no checkpoint")]
    Malformed(#[source] rmp_serde::decode::Error),
    /// The checkpoint was written by a newer version.
    #[error("checkpoint layout {0} is newer than this version understands")]
    TooNew(u16),
    /// The checkpoint contradicts itself.
    #[error("the checkpoint holds {0}")]
    Inconsistent(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Image {
    version: u16,
    size: Size,
    #[serde(default)]
    swallowed: Option<Swallowed>,
    state: State,
    /// Looks that cells refer to by index; 0 is the plain one and not in the list.
    looks: Vec<LookImage>,
    primary: GridImage,
    #[serde(default)]
    alternate: Option<GridImage>,
}

#[derive(Serialize, Deserialize)]
struct GridImage {
    /// Rows of scrollback first, oldest on top, then the screen.
    rows: Vec<RowImage>,
    history: u16,
    cursor: CursorImage,
    saved: CursorImage,
}

/// Text, runs of `length, look` and whether the row continues in the next one.
#[derive(Serialize, Deserialize)]
struct RowImage(String, Vec<u16>, bool);

#[derive(Serialize, Deserialize)]
struct CursorImage {
    row: u16,
    col: u16,
    pending: bool,
    look: u16,
    /// Bit n is set if Gn is the line drawing set.
    charsets: u8,
}

/// Foreground, background, flags, underline colour, and name and target of the link.
#[derive(Clone, Eq, PartialEq, Hash, Serialize, Deserialize)]
struct LookImage(u32, u32, u16, u32, Option<(String, String)>);

/// Returns the checkpoint of a screen that stands at ground.
pub(super) fn encode(screen: &Screen) -> Vec<u8> {
    let engine = &screen.engine;
    let mut looks = Looks::default();
    let image = Image {
        version: VERSION,
        size: engine.size(),
        swallowed: screen.parser.swallowed(),
        state: engine.state.clone(),
        primary: grid_image(engine.primary(), &mut looks),
        alternate: engine.alternate().map(|grid| grid_image(grid, &mut looks)),
        looks: Vec::new(),
    };
    let image = Image { looks: looks.list, ..image };
    rmp_serde::to_vec_named(&image).expect("a screen holds nothing that cannot be serialised")
}

/// The looks of a screen, each once, in order of appearance.
#[derive(Default)]
struct Looks {
    list: Vec<LookImage>,
    index: HashMap<LookImage, u16>,
    last: Option<(Cell, u16)>,
}

impl Looks {
    /// Returns the index of a cell's look.
    fn index(&mut self, cell: &Cell) -> u16 {
        let flags = cell.flags & LOOK;
        if let Some((last, index)) = &self.last
            && last.fg == cell.fg
            && last.bg == cell.bg
            && last.flags == flags
            && last.extra == cell.extra
        {
            return *index;
        }
        let look = look_image(cell);
        let index = if look == look_image(&Cell::default()) { 0 } else { self.insert(look) };
        self.last = Some((Cell { c: ' ', flags, ..cell.clone() }, index));
        index
    }

    fn insert(&mut self, look: LookImage) -> u16 {
        if let Some(&index) = self.index.get(&look) {
            return index;
        }
        // A screen with more looks than this loses colours in its checkpoint rather than failing.
        let Ok(index) = u16::try_from(self.list.len() + 1) else {
            return 0;
        };
        self.list.push(look.clone());
        self.index.insert(look, index);
        index
    }
}

fn look_image(cell: &Cell) -> LookImage {
    let link =
        cell.extra.as_ref().and_then(|_| cell.hyperlink()).map(|link| (link.id().to_owned(), link.uri().to_owned()));
    let underline = cell.underline_color().map_or(0, color_image);
    LookImage(color_image(cell.fg), color_image(cell.bg), (cell.flags & LOOK).bits(), underline, link)
}

/// 0 is the default colour; else the lowest byte says whether an index or red, green and blue follow.
fn color_image(color: ansi::Color) -> u32 {
    match color {
        ansi::Color::Indexed(index) => 1 | u32::from(index) << 8,
        ansi::Color::Spec(Rgb { r, g, b }) => u32::from_le_bytes([2, r, g, b]),
        ansi::Color::Named(_) => 0,
    }
}

fn color_of(image: u32, default: NamedColor) -> ansi::Color {
    match image.to_le_bytes() {
        [1, index, ..] => ansi::Color::Indexed(index),
        [2, r, g, b] => ansi::Color::Spec(Rgb { r, g, b }),
        _ => ansi::Color::Named(default),
    }
}

fn grid_image(grid: &Cells, looks: &mut Looks) -> GridImage {
    let history = grid.history_size();
    let lines = grid.topmost_line().0..=grid.bottommost_line().0;
    GridImage {
        rows: lines.map(|line| row_image(&grid[Line(line)][..], looks)).collect(),
        history: history as u16,
        cursor: cursor_image(&grid.cursor, looks),
        saved: cursor_image(&grid.saved_cursor, looks),
    }
}

fn row_image(cells: &[Cell], looks: &mut Looks) -> RowImage {
    let (mut text, mut runs) = (String::new(), Vec::new());
    let wraps = cells.last().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE));
    let geometry = Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER;
    let is_trailing = |cell: &Cell| !cell.flags.intersects(geometry) && is_plain_blank(cell);
    let len = cells.iter().rposition(|cell| !is_trailing(cell)).map_or(0, |last| last + 1);
    for cell in &cells[..len] {
        let look = looks.index(cell);
        match runs[..] {
            [.., ref mut count, last] if last == look => *count += 1,
            _ => runs.extend([1, look]),
        }
        if cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) {
            text.push(GAP);
        } else if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
            text.push(cell.c);
            text.extend(cell.zerowidth().unwrap_or_default());
        }
    }
    RowImage(text, runs, wraps)
}

fn cursor_image(cursor: &Cursor<Cell>, looks: &mut Looks) -> CursorImage {
    let drawing = |slot: CharsetIndex| cursor.charsets[slot] == StandardCharset::SpecialCharacterAndLineDrawing;
    let slots = [CharsetIndex::G0, CharsetIndex::G1, CharsetIndex::G2, CharsetIndex::G3];
    CursorImage {
        row: engine::line_index(cursor.point.line) as u16,
        col: cursor.point.column.0 as u16,
        pending: cursor.input_needs_wrap,
        look: looks.index(&cursor.template),
        charsets: slots.iter().enumerate().map(|(bit, &slot)| u8::from(drawing(slot)) << bit).sum(),
    }
}

/// Returns the screen an image describes.
pub(super) fn decode(bytes: &[u8]) -> Result<Screen, CheckpointError> {
    #[derive(Deserialize)]
    struct Head {
        version: u16,
    }
    let head: Head = rmp_serde::from_slice(bytes).map_err(CheckpointError::Malformed)?;
    if head.version > VERSION {
        return Err(CheckpointError::TooNew(head.version));
    }
    let image: Image = rmp_serde::from_slice(bytes).map_err(CheckpointError::Malformed)?;
    let looks: Vec<Cell> = std::iter::once(Cell::default()).chain(image.looks.iter().map(look_of)).collect();
    let primary = grid_of(&image.primary, image.size, SCROLLBACK_ROWS, &looks)?;
    let alternate = image.alternate.as_ref().map(|grid| grid_of(grid, image.size, 0, &looks)).transpose()?;
    let state = checked_state(image.state, image.size)?;
    let mut engine = Engine::new(image.size, SCROLLBACK_ROWS, state.newline_at_reset);
    if state.on_alternate {
        engine.grid = alternate.ok_or(CheckpointError::Inconsistent("no alternate screen though it is shown"))?;
        engine.other = Some(primary);
    } else {
        engine.grid = primary;
        engine.other = alternate;
    }
    engine.state = state;
    let parser = image.swallowed.map_or_else(Parser::new, Parser::swallowing);
    Ok(Screen::from_parts(parser, engine))
}

/// Cuts and checks what a forged state could hold.
fn checked_state(mut state: State, size: Size) -> Result<State, CheckpointError> {
    let (top, bottom) = state.region;
    if top >= bottom || bottom > size.rows() {
        return Err(CheckpointError::Inconsistent("a scroll region off the screen"));
    }
    if state.tabs.len() != usize::from(size.cols()) {
        return Err(CheckpointError::Inconsistent("tab stops of another width"));
    }
    state.shift &= 3;
    state.modes.cursor_shape = state.modes.cursor_shape.min(6);
    state.modes.modify_other_keys = state.modes.modify_other_keys.min(2);
    state.last_char = state.last_char.filter(|c| c.width().is_some_and(|width| width > 0));
    state.titles.truncate(MAX_STACK);
    state.palette.retain(|&index, _| index <= 258);
    for saved in &mut state.saved {
        saved.shift &= 3;
    }
    for keyboard in &mut state.keyboard {
        keyboard.stack.truncate(MAX_STACK);
        keyboard.flags &= 0b1_1111;
        keyboard.stack.iter_mut().for_each(|flags| *flags &= 0b1_1111);
    }
    for text in [&mut state.title, &mut state.directory].into_iter().chain(&mut state.titles).flatten() {
        *text = super::text::clean(text, 4096);
    }
    Ok(state)
}

fn look_of(image: &LookImage) -> Cell {
    let mut cell = Cell {
        c: ' ',
        fg: color_of(image.0, NamedColor::Foreground),
        bg: color_of(image.1, NamedColor::Background),
        flags: Flags::from_bits_retain(image.2) & LOOK,
        extra: None,
    };
    if image.3 != 0 {
        cell.set_underline_color(Some(color_of(image.3, NamedColor::Foreground)));
    }
    // A control in a link would be obeyed by a terminal it is dumped to.
    let is_safe = |text: &str| !text.chars().any(char::is_control);
    if let Some((id, uri)) =
        image.4.as_ref().filter(|(id, uri)| is_safe(id.trim_start_matches(ANONYMOUS)) && is_safe(uri))
    {
        cell.set_hyperlink(Some(Hyperlink::new(Some(id), uri.clone())));
    }
    cell
}

fn grid_of(image: &GridImage, size: Size, scrollback: usize, looks: &[Cell]) -> Result<Cells, CheckpointError> {
    let history = usize::from(image.history);
    if history > scrollback || image.rows.len() != history + usize::from(size.rows()) {
        return Err(CheckpointError::Inconsistent("more or fewer rows than it says"));
    }
    let mut grid = engine::new_grid(size, scrollback);
    if history > 0 {
        grid.initialize_all();
        grid.truncate();
        grid.update_history(history);
        grid.update_history(scrollback);
    }
    let top = grid.topmost_line();
    for (offset, row) in image.rows.iter().enumerate() {
        fill_row(&mut grid, top + offset, row, looks)?;
    }
    grid.cursor = cursor_of(&image.cursor, size, looks)?;
    grid.saved_cursor = cursor_of(&image.saved, size, looks)?;
    Ok(grid)
}

fn fill_row(grid: &mut Cells, line: Line, image: &RowImage, looks: &[Cell]) -> Result<(), CheckpointError> {
    let cols = grid.columns();
    let mut runs =
        image.1.chunks_exact(2).flat_map(|run| std::iter::repeat_n(usize::from(run[1]), usize::from(run[0])));
    let mut next_look =
        || runs.next().and_then(|look| looks.get(look)).ok_or(CheckpointError::Inconsistent("a cell without a look"));
    let mut col = 0;
    for c in image.0.chars() {
        let (shown, geometry) = match c.width() {
            _ if c == GAP => (' ', &[Flags::LEADING_WIDE_CHAR_SPACER][..]),
            None | Some(0) => {
                add_mark(grid, line, col, c)?;
                continue;
            }
            Some(1) => (c, &[Flags::empty()][..]),
            Some(_) => (c, &[Flags::WIDE_CHAR, Flags::WIDE_CHAR_SPACER][..]),
        };
        if col + geometry.len() > cols {
            return Err(CheckpointError::Inconsistent("a row longer than the screen is wide"));
        }
        for &flag in geometry {
            let c = if flag == Flags::WIDE_CHAR_SPACER { ' ' } else { shown };
            let look = next_look()?;
            grid[line][Column(col)] = Cell { c, flags: look.flags | flag, ..look.clone() };
            col += 1;
        }
    }
    if image.2 {
        grid[line][Column(cols - 1)].flags.insert(Flags::WRAPLINE);
    }
    Ok(())
}

/// Adds a combining mark to the cell before `col`.
fn add_mark(grid: &mut Cells, line: Line, col: usize, mark: char) -> Result<(), CheckpointError> {
    let missing = CheckpointError::Inconsistent("a combining mark on nothing");
    let last = col.checked_sub(1).ok_or(missing)?;
    let is_spacer = grid[line][Column(last)].flags.contains(Flags::WIDE_CHAR_SPACER);
    let cell = &mut grid[line][Column(last - usize::from(is_spacer))];
    let has_room = cell.zerowidth().map_or(0, <[char]>::len) < MAX_MARKS;
    if mark.width() != Some(0) || !has_room {
        return Err(CheckpointError::Inconsistent("a control or too many marks in a cell"));
    }
    cell.push_zerowidth(mark);
    Ok(())
}

fn cursor_of(image: &CursorImage, size: Size, looks: &[Cell]) -> Result<Cursor<Cell>, CheckpointError> {
    let template =
        looks.get(usize::from(image.look)).ok_or(CheckpointError::Inconsistent("a cursor without a look"))?;
    let row = i32::from(image.row.min(size.rows() - 1));
    let col = usize::from(image.col.min(size.cols() - 1));
    let mut cursor = Cursor {
        point: Point::new(Line(row), Column(col)),
        template: template.clone(),
        input_needs_wrap: image.pending,
        ..Cursor::default()
    };
    for (bit, slot) in [CharsetIndex::G0, CharsetIndex::G1, CharsetIndex::G2, CharsetIndex::G3].into_iter().enumerate()
    {
        if image.charsets >> bit & 1 == 1 {
            cursor.charsets[slot] = StandardCharset::SpecialCharacterAndLineDrawing;
        }
    }
    Ok(cursor)
}
