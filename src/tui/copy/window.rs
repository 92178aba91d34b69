//! What copy mode holds of a history that may be far longer: a window of it, that grows where somebody looks and is cut elsewhere.
//!
//! A part is read by a terminal of its own from where a line begins; what a program had left on the screen by then (colours, the
//! alternate screen) is not known to it. That costs a screenful of such programs at most, where two parts meet.

use super::Copy;
use super::Pos;
use crate::term::Row;
use crate::term::Scroll;
use crate::term::Size;

/// Most memory that the window takes, in bytes; about.
pub const LIMIT: usize = 16 << 20;
/// Longest beginning or end of a line that is waited for.
const LINE: usize = 64 << 10;

/// A part of history on its way.
pub struct Part {
    scroll: Scroll,
    /// The first byte that it is wanted from; what comes later first is the oldest there is.
    from: Option<u64>,
    /// Offset of its first byte, once that is known.
    first: Option<u64>,
    /// The first byte that came.
    came: Option<u64>,
    /// What came of a line that may go on.
    held: Vec<u8>,
    /// Offset behind all that was read, and behind what is held.
    next: u64,
    /// Stop here.
    until: u64,
    /// The first byte begins a line.
    is_line: bool,
}

impl Part {
    /// Starts with nothing: a part from an offset on, or from wherever it begins.
    #[must_use]
    pub fn new(size: Size, is_pipe: bool, from: Option<u64>, until: Option<u64>) -> Self {
        Self {
            scroll: Scroll::new(size, is_pipe),
            from,
            first: None,
            came: None,
            held: Vec::new(),
            next: 0,
            until: until.unwrap_or(u64::MAX),
            is_line: false,
        }
    }

    /// Its first byte begins a line.
    pub const fn begins_line(&mut self) {
        self.is_line = true;
    }

    /// Takes bytes.
    pub fn feed(&mut self, at: u64, bytes: &[u8]) {
        let room = usize::try_from(self.until.saturating_sub(at)).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(room)];
        if bytes.is_empty() {
            return;
        }
        if self.came.is_none() {
            self.came = Some(at);
            self.next = at;
        }
        let expected = self.next + self.held.len() as u64;
        if at != expected {
            // A gap: what is held was all of its line.
            self.flush();
            self.next = at;
        }
        self.held.extend_from_slice(bytes);
        if self.first.is_none() && !self.cut_first() {
            return;
        }
        let end = self.held.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        let end = end.or((self.held.len() > LINE).then_some(self.held.len()));
        if let Some(end) = end {
            self.read(end);
        }
    }

    /// Drops the rest of a line that began before; `false` while it is not known where that ends.
    fn cut_first(&mut self) -> bool {
        let begins_line = self.is_line || self.next == 0 || self.from.is_some_and(|from| self.next != from);
        let cut = if begins_line { Some(0) } else { self.held.iter().position(|byte| *byte == b'\n').map(|at| at + 1) };
        let Some(cut) = cut.or((self.held.len() > LINE).then_some(0)) else { return false };
        self.held.drain(..cut);
        self.next += cut as u64;
        self.first = Some(self.next);
        true
    }

    fn read(&mut self, len: usize) {
        self.scroll.feed(self.next, &self.held[..len]);
        self.next += len as u64;
        self.held.drain(..len);
    }

    fn flush(&mut self) {
        if self.first.is_none() && !self.held.is_empty() {
            self.first = Some(self.next);
        }
        self.read(self.held.len());
    }

    /// Returns whether nothing is older than this.
    #[must_use]
    pub fn is_oldest(&self) -> bool {
        self.came.is_none_or(|came| came == 0 || self.from.is_some_and(|from| came > from))
    }

    /// Returns from where to where bytes came, in bytes.
    #[must_use]
    pub fn reach(&self) -> u64 {
        let end = self.next + self.held.len() as u64;
        self.came.map_or(0, |came| end.saturating_sub(came))
    }
}

/// Where a part of the window begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seam {
    /// Offset of its first byte.
    at: u64,
    /// Its first row.
    row: usize,
}

/// How the window lies in history.
#[derive(Debug, Default)]
pub(super) struct Window {
    seams: Vec<Seam>,
    is_oldest: bool,
    is_live: bool,
}

impl Copy {
    /// Returns whether nothing is older than the first row.
    #[must_use]
    pub const fn is_oldest(&self) -> bool {
        self.window.is_oldest
    }

    /// Returns whether nothing but what waits is newer than the last row.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.window.is_live
    }

    /// Returns the offset of the first byte that is here.
    #[must_use]
    pub fn first_offset(&self) -> u64 {
        self.window.seams.first().map_or(0, |seam| seam.at)
    }

    /// Returns how much memory the rows take, in bytes; about.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.rows().iter().map(|row| Row::cost(row) + 16).sum()
    }

    /// Puts a part in the place of all rows; the cursor is at its end.
    pub fn restart(&mut self, mut part: Part, height: usize, (is_oldest, is_live): (bool, bool)) {
        if is_live {
            part.flush();
        }
        self.height = height.max(1);
        self.next = part.next;
        self.window = Window { seams: vec![Seam { at: part.first.unwrap_or(0), row: 0 }], is_oldest, is_live };
        self.scroll = part.scroll;
        self.scroll.settle();
        self.fresh = (0, Vec::new());
        self.new_lines = 0;
        self.selection = None;
        self.find = None;
        self.marks.values_mut().for_each(|(at, _)| at.row = usize::MAX);
        let last = self.rows().len().saturating_sub(1);
        self.cursor = Pos { row: last, col: 0 };
        self.before = self.cursor;
        self.top = (last + 1).saturating_sub(self.height);
        if let Some(pattern) = self.pattern.take() {
            self.pattern = Some(super::Pattern::new(&pattern.text, self.scroll.rows(), last));
        }
    }

    /// Puts an older part before all rows; what is seen stays.
    pub fn put_before(&mut self, mut part: Part, is_oldest: bool) {
        part.flush();
        self.window.is_oldest = is_oldest;
        let Some(first) = part.first else { return };
        let past = part.scroll.end();
        let count = past.rows.len();
        self.scroll.put_before(past);
        self.window.seams.iter_mut().for_each(|seam| seam.row += count);
        self.window.seams.insert(0, Seam { at: first, row: 0 });
        self.shift(|row| row.saturating_add(count));
        if let Some(pattern) = &mut self.pattern {
            pattern.put_before(count);
        }
        self.cut_end();
    }

    /// Puts a newer part behind all rows; what is seen stays.
    pub fn put_behind(&mut self, mut part: Part, is_live: bool) {
        if is_live {
            part.flush();
        }
        self.window.is_live = is_live;
        let Some(first) = part.first else { return };
        let empty = Scroll::new(Size::default(), false);
        let before = std::mem::replace(&mut self.scroll, empty).end();
        let count = before.rows.len();
        self.scroll = part.scroll;
        self.scroll.settle();
        self.scroll.put_before(before);
        self.window.seams.push(Seam { at: first, row: count });
        self.next = part.next;
        if let Some(pattern) = &mut self.pattern {
            pattern.forget_from(self.scroll.rows(), count);
        }
        self.cut_start();
    }

    /// Forgets parts behind what is seen, if it is too much.
    fn cut_end(&mut self) {
        while self.window.seams.len() > 1 && self.selection.is_none() && self.find.is_none() && self.cost() > LIMIT {
            let Some(seam) = self.window.seams.last().copied() else { return };
            if seam.row <= self.top + 2 * self.height || seam.row <= self.cursor.row {
                return;
            }
            self.window.seams.pop();
            self.scroll.keep_first(seam.row);
            self.window.is_live = false;
            self.next = seam.at;
            self.fresh = (0, Vec::new());
            self.new_lines = 0;
            if let Some(pattern) = &mut self.pattern {
                pattern.forget_from(self.scroll.rows(), seam.row);
            }
        }
    }

    /// Forgets parts before what is seen, if it is too much.
    fn cut_start(&mut self) {
        while self.window.seams.len() > 1 && self.selection.is_none() && self.find.is_none() && self.cost() > LIMIT {
            let count = self.window.seams[1].row;
            if count + 2 * self.height > self.top || count > self.cursor.row {
                return;
            }
            self.window.seams.remove(0);
            self.window.seams.iter_mut().for_each(|seam| seam.row -= count);
            self.scroll.forget_first(count);
            self.window.is_oldest = false;
            // A place that is no more is beyond all rows.
            self.shift(|row| row.checked_sub(count).unwrap_or(usize::MAX));
            if let Some(pattern) = &mut self.pattern {
                pattern.forget_first(count);
            }
        }
    }

    fn shift(&mut self, to: impl Fn(usize) -> usize) {
        let last = self.rows().len().saturating_sub(1);
        self.top = to(self.top);
        self.cursor.row = to(self.cursor.row);
        self.before.row = to(self.before.row).min(last);
        self.marks.values_mut().for_each(|(at, _)| at.row = to(at.row));
        if let Some(selection) = &mut self.selection {
            selection.anchor.row = to(selection.anchor.row);
        }
        if let Some(find) = &mut self.find {
            (find.origin.0.row, find.origin.1) = (to(find.origin.0.row), to(find.origin.1));
        }
    }

    /// Returns the offset of what a letter marks, if that is not among the rows.
    #[must_use]
    pub fn mark_elsewhere(&self, c: char) -> Option<u64> {
        let (at, offset) = self.marks.get(&c)?;
        (at.row >= self.rows().len()).then_some(*offset)
    }

    /// Goes to the row of a byte, if that is among the rows.
    pub fn go_to_offset(&mut self, at: u64) {
        let row = self.scroll.row_of(at);
        self.jump_to_middle(Pos { row, col: 0 });
    }
}
