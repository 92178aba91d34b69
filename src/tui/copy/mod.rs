//! Copy mode: a cursor in history, what it selects, what is searched.
//!
//! Pure, over rows of [`term::Scroll`](crate::term::Scroll). The view is pinned: what a session says meanwhile waits in `fresh`, is
//! counted, and is shown when somebody goes to the end.

mod find;
mod motion;
mod search;
mod select;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;

use crate::term::Row;
use crate::term::Scroll;
use crate::term::Size;

pub use find::Find;
pub use motion::Motion;
pub use motion::Seek;
pub use search::Pattern;
pub use select::Shape;
pub use window::LIMIT;
pub use window::Part;

/// Most bytes that wait; beyond that the oldest are forgotten and only their lines are counted.
const FRESH: usize = 8 << 20;

/// A place in history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Pos {
    /// Row, from the oldest one.
    pub row: usize,
    /// Column.
    pub col: usize,
}

/// What is selected: from here to the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Where it began.
    pub anchor: Pos,
    /// How it is meant.
    pub shape: Shape,
}

/// See the module.
pub struct Copy {
    /// All that was said.
    pub scroll: Scroll,
    /// Where the cursor is.
    pub cursor: Pos,
    /// First row that is seen.
    pub top: usize,
    /// Rows that are seen.
    pub height: usize,
    /// What is selected.
    pub selection: Option<Selection>,
    /// A search that is being typed.
    pub find: Option<Find>,
    /// What is searched.
    pub pattern: Option<Pattern>,
    /// It goes towards the beginning.
    pub is_back: bool,
    /// How often the next motion is made; 0 when nobody said.
    pub count: usize,
    /// Lines that were said since.
    pub new_lines: u64,
    /// The column that motions up and down return to.
    wish: usize,
    /// Places, and the offset of what is there; one that is not among the rows is beyond them.
    marks: HashMap<char, (Pos, u64)>,
    /// Where it jumped from.
    before: Pos,
    seek: Option<(Seek, char)>,
    /// What was said since, and its offset.
    fresh: (u64, Vec<u8>),
    /// Offset behind all that was read.
    next: u64,
    window: window::Window,
}

impl Copy {
    /// Starts with nothing, for a session of this size.
    #[must_use]
    pub fn new(size: Size, is_pipe: bool) -> Self {
        Self {
            scroll: Scroll::new(size, is_pipe),
            cursor: Pos::default(),
            top: 0,
            height: usize::from(size.rows()),
            selection: None,
            find: None,
            pattern: None,
            is_back: false,
            count: 0,
            new_lines: 0,
            wish: 0,
            marks: HashMap::new(),
            before: Pos::default(),
            seek: None,
            fresh: (0, Vec::new()),
            next: 0,
            window: window::Window::default(),
        }
    }

    /// Returns the rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        self.scroll.rows()
    }

    /// Returns the offset of the next byte that is wanted.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.next
    }

    /// Takes what was said since; it is counted and waits.
    pub fn add(&mut self, at: u64, bytes: &[u8]) {
        if self.fresh.1.is_empty() {
            self.fresh.0 = at;
        }
        self.new_lines += bytes.split(|byte| *byte == b'\n').skip(1).count() as u64;
        self.fresh.1.extend_from_slice(bytes);
        self.next = at + bytes.len() as u64;
        if self.fresh.1.len() > FRESH {
            let over = self.fresh.1.len() - FRESH;
            self.fresh.1.drain(..over);
            self.fresh.0 += over as u64;
        }
    }

    /// Reads what waits.
    pub fn catch_up(&mut self) {
        let (at, bytes) = std::mem::take(&mut self.fresh);
        self.new_lines = 0;
        if !bytes.is_empty() {
            let same = self.rows().len().saturating_sub(usize::from(self.scroll.size().rows()));
            self.scroll.feed(at, &bytes);
            self.scroll.settle();
            if let Some(pattern) = &mut self.pattern {
                pattern.forget_from(self.scroll.rows(), same);
            }
        }
    }

    /// The view has another height.
    pub fn resize(&mut self, height: usize) {
        self.height = height.max(1);
        self.reveal();
    }

    /// Returns whether the view stands at the end of all.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.top + self.height >= self.rows().len() && self.new_lines == 0 && self.is_live()
    }

    /// Moves the cursor, as often as was said.
    pub fn go(&mut self, motion: Motion) {
        let count = std::mem::take(&mut self.count);
        let view = motion::View { rows: self.scroll.rows(), top: self.top, height: self.height, wish: self.wish };
        let is_jump = motion.is_jump();
        let before = self.cursor;
        self.cursor = view.go(motion, self.cursor, count);
        if is_jump {
            self.before = before;
        }
        if !motion.keeps_column() {
            self.wish = if motion == Motion::LineEnd { usize::MAX } else { self.cursor.col };
        }
        self.reveal();
    }

    /// Goes to the next such character in the row, as often as was said.
    pub fn seek(&mut self, seek: Seek, c: char) {
        let count = std::mem::take(&mut self.count).max(1);
        self.seek = Some((seek, c));
        self.cursor = motion::seek(self.rows(), self.cursor, seek, c, count);
        self.wish = self.cursor.col;
    }

    /// Does the last seek again, or the other way round.
    pub fn seek_again(&mut self, is_reverse: bool) {
        if let Some((seek, c)) = self.seek {
            let way = if is_reverse { seek.reverse() } else { seek };
            self.seek(way, c);
            self.seek = Some((seek, c));
        }
    }

    /// Puts the cursor somewhere.
    pub fn jump(&mut self, to: Pos) {
        self.before = self.cursor;
        let row = to.row.min(self.rows().len().saturating_sub(1));
        self.cursor = Pos { row, col: to.col };
        self.wish = to.col;
        self.reveal();
    }

    /// Puts the cursor somewhere, with some rows around it.
    pub fn jump_to_middle(&mut self, to: Pos) {
        self.jump(to);
        self.top = self.cursor.row.saturating_sub(self.height / 2);
        self.clamp_top();
    }

    /// Remembers the cursor under a letter.
    pub fn set_mark(&mut self, c: char) {
        let offset = self.scroll.offset_of(self.cursor.row).unwrap_or(0);
        self.marks.insert(c, (self.cursor, offset));
    }

    /// Goes back to a letter, or to where the last jump began; `false` if nothing is there.
    pub fn go_to_mark(&mut self, c: char) -> bool {
        let to = if c == '\'' || c == '`' { Some(self.before) } else { self.marks.get(&c).map(|(at, _)| *at) };
        to.is_some_and(|to| {
            self.jump(to);
            true
        })
    }

    /// Moves the view by rows; the cursor stays in it.
    pub fn scroll_by(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by);
        self.clamp_top();
        let last = (self.top + self.height - 1).min(self.rows().len().saturating_sub(1));
        self.cursor.row = self.cursor.row.clamp(self.top.min(last), last);
        let len = self.rows().get(self.cursor.row).map_or(0, Row::len);
        self.cursor.col = self.cursor.col.min(len.saturating_sub(1));
    }

    fn clamp_top(&mut self) {
        let field = usize::from(self.find.is_some() && self.height > 1);
        self.top = self.top.min((self.rows().len() + field).saturating_sub(self.height));
    }

    fn reveal(&mut self) {
        if self.cursor.row < self.top {
            self.top = self.cursor.row;
        } else if self.cursor.row >= self.top + self.height {
            self.top = self.cursor.row + 1 - self.height;
        }
        self.clamp_top();
    }

    /// Goes to the next prompt, or to one before.
    pub fn go_to_prompt(&mut self, is_back: bool) -> bool {
        let count = std::mem::take(&mut self.count).max(1);
        let prompts = self.scroll.prompts();
        let row = self.cursor.row;
        let found = if is_back {
            prompts.iter().rev().filter(|at| **at < row).nth(count - 1)
        } else {
            prompts.iter().filter(|at| **at > row).nth(count - 1)
        };
        found.copied().is_some_and(|row| {
            self.jump_to_middle(Pos { row, col: 0 });
            true
        })
    }

    /// Begins to select, changes how, or stops if it was selected like this already.
    pub fn select(&mut self, shape: Shape) {
        self.selection = match self.selection {
            Some(selection) if selection.shape == shape => None,
            Some(selection) => Some(Selection { shape, ..selection }),
            None => Some(Selection { anchor: self.cursor, shape }),
        };
    }

    /// Selects a word or a row under the cursor.
    pub fn select_around(&mut self, shape: Shape) {
        let (from, to) = motion::word_around(self.rows(), self.cursor);
        if shape == Shape::Chars {
            self.selection = Some(Selection { anchor: from, shape });
            self.cursor = to;
        } else {
            self.selection = Some(Selection { anchor: self.cursor, shape });
        }
    }

    /// Goes to the other end of what is selected.
    pub const fn other_end(&mut self) {
        if let Some(selection) = &mut self.selection {
            let cursor = self.cursor;
            self.cursor = selection.anchor;
            selection.anchor = cursor;
        }
    }

    /// Returns what is selected, the row of the cursor if nothing is.
    #[must_use]
    pub fn selected_text(&self) -> String {
        let selection = self.selection.unwrap_or(Selection { anchor: self.cursor, shape: Shape::Lines });
        select::text(self.rows(), selection.anchor, self.cursor, selection.shape)
    }

    /// Returns the columns of a row that are selected.
    #[must_use]
    pub fn selected_in(&self, row: usize) -> Option<(usize, usize)> {
        let selection = self.selection?;
        select::columns(self.rows().get(row)?, row, selection.anchor, self.cursor, selection.shape)
    }

    /// Goes to the next line that looks like an error, or to one before.
    pub fn go_to_error(&mut self, is_back: bool) -> bool {
        let Some(to) = search::error_from(self.rows(), self.cursor.row, is_back) else { return false };
        self.jump_to_middle(to);
        true
    }
}
