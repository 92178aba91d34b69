//! The terminal itself: two grids, a cursor in each, and all state a stream of bytes can change.
//!
//! Rows, scrollback and reflow are `alacritty_terminal`'s `Grid`; what moves the cursor and writes cells is here, so that no state
//! is hidden and a checkpoint can be complete. *Invariant:* a wide head is always followed by its spacer in the same row, and no
//! spacer stands alone. `versions` says which rows changed since which generation.

mod dispatch;
mod edit;
mod mode;
mod osc;
mod print;
mod query;
mod sgr;
mod state;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::grid::Grid;
use alacritty_terminal::index::Column;
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::CharsetIndex;

use crate::term::effect::Effects;
use crate::term::size::Size;

pub(super) use self::print::MAX_MARKS;
pub(super) use self::state::Keyboard;
pub(super) use self::state::MAX_STACK;
pub(super) use self::state::Saved;
pub(super) use self::state::State;

/// The engine's grid of cells.
pub(super) type Cells = Grid<Cell>;

/// One terminal, without the parser in front of it.
pub(super) struct Engine {
    /// The screen that is shown.
    pub(super) grid: Cells,
    /// The screen that is not shown; none while that is a blank alternate screen.
    pub(super) other: Option<Cells>,
    /// Everything that is not in a grid.
    pub(super) state: State,
    /// What waits to be taken by the daemon.
    pub(super) effects: Effects,
    /// Rises with everything that may have changed something visible.
    pub(super) generation: u64,
    /// Generation of the last change of each row.
    pub(super) versions: Vec<u64>,
    size: Size,
    scrollback: usize,
    /// Whether the primary grid holds all rows its scrollback can need.
    has_history_room: bool,
}

impl Engine {
    /// Returns a blank terminal that keeps `scrollback` rows above its primary screen.
    pub(super) fn new(size: Size, scrollback: usize, newline: bool) -> Engine {
        Engine {
            grid: new_grid(size, scrollback),
            other: None,
            state: State::new(size, newline),
            effects: Effects::default(),
            generation: 1,
            versions: vec![1; usize::from(size.rows())],
            size,
            scrollback,
            has_history_room: false,
        }
    }

    /// Returns the size of both screens.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Returns the number of rows.
    pub(super) fn rows(&self) -> usize {
        self.grid.screen_lines()
    }

    /// Returns the number of columns.
    pub(super) fn cols(&self) -> usize {
        self.grid.columns()
    }

    /// Returns the primary screen, shown or not.
    pub(super) fn primary(&self) -> &Cells {
        if self.state.on_alternate {
            self.other.as_ref().expect("the primary screen is kept while the alternate one is shown")
        } else {
            &self.grid
        }
    }

    /// Returns the alternate screen unless it is blank and not shown.
    pub(super) fn alternate(&self) -> Option<&Cells> {
        if self.state.on_alternate { Some(&self.grid) } else { self.other.as_ref() }
    }

    /// Gives both screens a new size; the primary one reflows.
    pub(super) fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        let (rows, cols) = (usize::from(size.rows()), usize::from(size.cols()));
        let on_alternate = self.state.on_alternate;
        resize_grid(&mut self.grid, !on_alternate, rows, cols);
        if let Some(other) = &mut self.other {
            resize_grid(other, on_alternate, rows, cols);
        }
        if cols > self.state.tabs.len() {
            let old = self.state.tabs.len();
            self.state.tabs.extend((old..cols).map(state::is_default_tab));
        }
        self.state.tabs.truncate(cols);
        self.state.region = (0, size.rows());
        self.size = size;
        self.has_history_room = false;
        self.generation += 1;
        self.versions = vec![self.generation; rows];
    }

    /// Returns the character set text is written in.
    pub(super) fn charset_index(&self) -> CharsetIndex {
        [CharsetIndex::G0, CharsetIndex::G1, CharsetIndex::G2, CharsetIndex::G3][usize::from(self.state.shift & 3)]
    }

    /// Returns the row and column of the cursor.
    pub(super) fn cursor(&self) -> (usize, usize) {
        let point = self.grid.cursor.point;
        (line_index(point.line), point.column.0)
    }

    /// Notes that a row changed.
    pub(super) fn touch(&mut self, row: usize) {
        self.versions[row] = self.generation;
    }

    /// Notes that rows `top..bottom` changed.
    pub(super) fn touch_rows(&mut self, top: usize, bottom: usize) {
        self.versions[top..bottom].fill(self.generation);
    }

    /// Notes that every row changed.
    pub(super) fn touch_all(&mut self) {
        self.versions.fill(self.generation);
    }

    /// Sees to it that scrolling into the scrollback never allocates.
    ///
    /// The grid would add a thousand rows at a time, far more than are ever kept here.
    pub(super) fn make_history_room(&mut self) {
        if self.has_history_room {
            return;
        }
        let kept = self.grid.history_size();
        self.grid.initialize_all();
        self.grid.truncate();
        self.grid.update_history(kept);
        self.grid.update_history(self.scrollback);
        self.has_history_room = true;
    }
}

/// Returns a blank grid.
pub(super) fn new_grid(size: Size, scrollback: usize) -> Cells {
    Grid::new(usize::from(size.rows()), usize::from(size.cols()), scrollback)
}

/// Returns the index of a visible line.
pub(super) fn line_index(line: Line) -> usize {
    usize::try_from(line.0).unwrap_or(0)
}

/// Returns the line of a visible row.
pub(super) fn line(row: usize) -> Line {
    Line(i32::try_from(row).unwrap_or(i32::MAX))
}

/// Resizes a grid, gives back the rows it over-allocates, and mends what it cut.
fn resize_grid(grid: &mut Cells, reflow: bool, rows: usize, cols: usize) {
    grid.resize(reflow, rows, cols);
    grid.truncate();
    let history = i32::try_from(grid.history_size()).unwrap_or(0);
    for index in -history..i32::try_from(rows).unwrap_or(0) {
        // A row that grew no longer ends as it was last reset; borrowing all of it makes the next reset reach every cell.
        let _ = &mut grid[Line(index)][..];
        mend_row(grid, Line(index));
    }
    for cursor in [&mut grid.cursor, &mut grid.saved_cursor] {
        let last = (line(rows - 1), Column(cols - 1));
        cursor.point.line = cursor.point.line.clamp(Line(0), last.0);
        cursor.input_needs_wrap &= cursor.point.column >= last.1;
        cursor.point.column = cursor.point.column.min(last.1);
    }
}

/// Blanks halves of wide glyphs that lost their other half.
pub(super) fn mend_row(grid: &mut Cells, line: Line) {
    let cols = grid.columns();
    for col in 0..cols {
        let flags = grid[line][Column(col)].flags;
        let is_spacer = |col: usize| col < cols && grid[line][Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER);
        if flags.contains(Flags::WIDE_CHAR) && !is_spacer(col + 1) {
            grid[line][Column(col)].clear_wide();
        } else if flags.contains(Flags::WIDE_CHAR_SPACER)
            && (col == 0 || !grid[line][Column(col - 1)].flags.contains(Flags::WIDE_CHAR))
        {
            grid[line][Column(col)].flags.remove(Flags::WIDE_CHAR_SPACER);
        } else if flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) && col + 1 < cols {
            grid[line][Column(col)].flags.remove(Flags::LEADING_WIDE_CHAR_SPACER);
        }
        if flags.contains(Flags::WRAPLINE) && col + 1 < cols {
            grid[line][Column(col)].flags.remove(Flags::WRAPLINE);
        }
    }
}
