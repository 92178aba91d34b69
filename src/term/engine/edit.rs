//! Moving the cursor, scrolling, erasing, inserting and deleting.
//!
//! Counts are clamped to what is there before anything is moved, so no sequence costs more than one screen of cells.

use alacritty_terminal::index::Column;
use alacritty_terminal::index::Line;
use alacritty_terminal::index::Point;
use alacritty_terminal::term::cell::Cell;

use super::Engine;
use super::line;

/// Which part of a row or screen is erased, seen from the cursor.
#[derive(Copy, Clone, Eq, PartialEq)]
pub(super) enum Part {
    /// From the cursor to the end.
    After,
    /// From the start to the cursor, cursor included.
    Before,
    /// All of it.
    All,
}

impl Engine {
    /// Returns the first row of the scroll region and the row after its last.
    pub(super) fn region(&self) -> (usize, usize) {
        (usize::from(self.state.region.0), usize::from(self.state.region.1))
    }

    /// Puts the cursor somewhere, without regard to origin mode.
    pub(super) fn place(&mut self, row: usize, col: usize) {
        let point = Point::new(line(row.min(self.rows() - 1)), Column(col.min(self.cols() - 1)));
        self.grid.cursor.point = point;
        self.grid.cursor.input_needs_wrap = false;
    }

    /// Addresses the cursor as CUP does: within the region in origin mode.
    pub(super) fn address(&mut self, row: usize, col: usize) {
        if self.state.origin {
            let (top, bottom) = self.region();
            self.place((top + row).min(bottom - 1), col);
        } else {
            self.place(row, col);
        }
    }

    /// Returns the row of the cursor as the program counts it.
    pub(super) fn addressed_row(&self) -> usize {
        let row = self.cursor().0;
        if self.state.origin { row.saturating_sub(self.region().0) } else { row }
    }

    /// Moves up, not past the top margin if the cursor is below it.
    pub(super) fn up(&mut self, count: usize) {
        let (row, col) = self.cursor();
        let stop = if row >= self.region().0 { self.region().0 } else { 0 };
        self.place(row.saturating_sub(count).max(stop), col);
    }

    /// Moves down, not past the bottom margin if the cursor is above it.
    pub(super) fn down(&mut self, count: usize) {
        let (row, col) = self.cursor();
        let bottom = self.region().1;
        let stop = if row < bottom { bottom - 1 } else { self.rows() - 1 };
        self.place((row + count).min(stop), col);
    }

    /// Moves to the next row, scrolling at the bottom margin.
    pub(super) fn line_feed(&mut self) {
        let row = self.cursor().0;
        if row + 1 == self.region().1 {
            self.scroll_up_from(self.region().0, 1);
        } else if row + 1 < self.rows() {
            self.grid.cursor.point.line += 1;
        }
    }

    /// Moves to the row above, scrolling at the top margin.
    pub(super) fn reverse_index(&mut self) {
        let row = self.cursor().0;
        if row == self.region().0 {
            self.scroll_down_from(row, 1);
        } else if row > 0 {
            self.grid.cursor.point.line -= 1;
        }
    }

    /// Moves rows from `top` to the end of the region up by `count`; rows leaving a whole-height region become scrollback.
    pub(super) fn scroll_up_from(&mut self, top: usize, count: usize) {
        let bottom = self.region().1;
        let count = count.min(bottom - top);
        if count == 0 {
            return;
        }
        if top == 0 && !self.state.on_alternate {
            self.make_history_room();
        }
        self.grid.scroll_up(&(line(top)..line(bottom)), count);
        self.touch_rows(top, bottom);
    }

    /// Moves rows from `top` to the end of the region down by `count`.
    pub(super) fn scroll_down_from(&mut self, top: usize, count: usize) {
        let bottom = self.region().1;
        let count = count.min(bottom - top);
        if count > 0 {
            self.grid.scroll_down(&(line(top)..line(bottom)), count);
            self.touch_rows(top, bottom);
        }
    }

    /// Inserts blank rows at the cursor.
    pub(super) fn insert_lines(&mut self, count: usize) {
        let (row, (top, bottom)) = (self.cursor().0, self.region());
        if (top..bottom).contains(&row) {
            self.scroll_down_from(row, count);
            self.carriage_return();
        }
    }

    /// Deletes rows at the cursor.
    pub(super) fn delete_lines(&mut self, count: usize) {
        let (row, (top, bottom)) = (self.cursor().0, self.region());
        if (top..bottom).contains(&row) {
            self.scroll_up_from(row, count);
            self.carriage_return();
        }
    }

    /// Moves to the first column.
    pub(super) fn carriage_return(&mut self) {
        self.grid.cursor.point.column = Column(0);
        self.grid.cursor.input_needs_wrap = false;
    }

    /// Moves one column left.
    pub(super) fn backspace(&mut self) {
        let (row, col) = self.cursor();
        if col > 0 {
            self.place(row, col - 1);
        }
    }

    /// Moves to the `count`th tab stop to the right; a pending wrap stays pending.
    pub(super) fn tab(&mut self, count: usize) {
        let (_, col) = self.cursor();
        let last = self.cols() - 1;
        let stops = (col + 1..last).filter(|&col| self.state.tabs[col]);
        let target = stops.take(count).enumerate().last();
        let col = match target {
            Some((index, col)) if index + 1 == count => col,
            _ => last,
        };
        self.grid.cursor.point.column = Column(col);
    }

    /// Moves to the `count`th tab stop to the left.
    pub(super) fn back_tab(&mut self, count: usize) {
        let (row, col) = self.cursor();
        let mut stops = (0..col).rev().filter(|&col| self.state.tabs[col]);
        let target = stops.nth(count - 1).unwrap_or(0);
        self.place(row, target);
    }

    /// Blanks columns `start..end` of a row with the current background.
    fn blank(&mut self, at: Line, start: usize, end: usize) {
        self.part(at, start);
        self.part(at, end);
        let bg = self.grid.cursor.template.bg;
        for cell in &mut self.grid[at][Column(start)..Column(end)] {
            *cell = bg.into();
        }
        self.touch(super::line_index(at));
    }

    /// Blanks whole rows with the current background.
    fn blank_rows(&mut self, top: usize, bottom: usize) {
        if top < bottom {
            self.grid.reset_region(line(top)..line(bottom));
            self.touch_rows(top, bottom);
        }
    }

    /// Erases part of the cursor's row.
    pub(super) fn erase_line(&mut self, part: Part) {
        // What follows a cursor about to wrap is the next row, not the character just written.
        if part != Part::After || !self.grid.cursor.input_needs_wrap {
            self.erase_in_row(part);
        }
    }

    fn erase_in_row(&mut self, part: Part) {
        let (_, col) = self.cursor();
        let (start, end) = match part {
            Part::After => (col, self.cols()),
            Part::Before => (0, col + 1),
            Part::All => (0, self.cols()),
        };
        self.blank(self.grid.cursor.point.line, start, end);
    }

    /// Erases part of the screen.
    pub(super) fn erase_screen(&mut self, part: Part) {
        let (row, _) = self.cursor();
        match part {
            Part::After => {
                self.erase_in_row(Part::After);
                self.blank_rows(row + 1, self.rows());
            }
            Part::Before => {
                self.erase_in_row(Part::Before);
                self.blank_rows(0, row);
            }
            Part::All if self.state.on_alternate => self.blank_rows(0, self.rows()),
            Part::All => {
                // What was on a primary screen goes to the scrollback rather than being lost.
                self.make_history_room();
                self.grid.clear_viewport();
                self.touch_all();
            }
        }
    }

    /// Erases the scrollback.
    pub(super) fn erase_scrollback(&mut self) {
        self.grid.clear_history();
    }

    /// Erases `count` cells from the cursor on.
    pub(super) fn erase_cells(&mut self, count: usize) {
        let (_, col) = self.cursor();
        let end = (col + count).min(self.cols());
        self.blank(self.grid.cursor.point.line, col, end);
    }

    /// Moves the rest of the row right by `count` cells and blanks the gap.
    pub(super) fn insert_cells(&mut self, count: usize) {
        let (_, col) = self.cursor();
        let cols = self.cols();
        let count = count.min(cols - col);
        let at = self.grid.cursor.point.line;
        self.part(at, col);
        self.part(at, cols - count);
        self.grid[at][Column(col)..].rotate_right(count);
        self.blank(at, col, col + count);
        super::mend_row(&mut self.grid, at);
    }

    /// Deletes `count` cells at the cursor; the rest of the row moves left.
    pub(super) fn delete_cells(&mut self, count: usize) {
        let (_, col) = self.cursor();
        let cols = self.cols();
        let count = count.min(cols - col);
        let at = self.grid.cursor.point.line;
        self.part(at, col);
        self.part(at, col + count);
        self.grid[at][Column(col)..].rotate_left(count);
        self.blank(at, cols - count, cols);
        super::mend_row(&mut self.grid, at);
    }

    /// Fills the screen with `E` (DECALN).
    pub(super) fn align(&mut self) {
        self.state.region = (0, self.size().rows());
        self.state.origin = false;
        for row in 0..self.rows() {
            for cell in &mut self.grid[line(row)][..] {
                *cell = Cell { c: 'E', ..Cell::default() };
            }
        }
        self.place(0, 0);
        self.touch_all();
    }
}
