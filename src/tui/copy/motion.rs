//! Where the cursor goes: the motions of vi over rows, wrapped rows being one line.

use super::Pos;
use crate::term::Row;

/// A motion; how often it is made comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described for users in the list of actions")]
pub enum Motion {
    Left,
    Right,
    Up,
    Down,
    WordNext,
    WordEnd,
    WordBack,
    BigNext,
    BigEnd,
    BigBack,
    LineStart,
    FirstText,
    LineEnd,
    Top,
    Middle,
    Bottom,
    ParagraphUp,
    ParagraphDown,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    First,
    Last,
}

impl Motion {
    /// Returns whether `''` goes back to where it began.
    pub(super) const fn is_jump(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Top | Self::Middle | Self::Bottom)
    }

    /// Returns whether the column is kept that the cursor had, or would have had in a longer row.
    pub(super) const fn keeps_column(self) -> bool {
        matches!(self, Self::Up | Self::Down | Self::HalfUp | Self::HalfDown | Self::PageUp | Self::PageDown)
    }
}

/// How a character of the row is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// `f`.
    To,
    /// `F`.
    BackTo,
    /// `t`.
    Before,
    /// `T`.
    BackBehind,
}

impl Seek {
    pub(super) const fn reverse(self) -> Self {
        match self {
            Self::To => Self::BackTo,
            Self::BackTo => Self::To,
            Self::Before => Self::BackBehind,
            Self::BackBehind => Self::Before,
        }
    }
}

/// What a motion needs to know.
pub(super) struct View<'a> {
    pub rows: &'a [Row],
    pub top: usize,
    pub height: usize,
    pub wish: usize,
}

/// What a character is to words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Sign,
    Word,
}

fn class(c: char, is_big: bool) -> Class {
    match c {
        c if c.is_whitespace() => Class::Blank,
        _ if is_big => Class::Word,
        c if c.is_alphanumeric() || c == '_' || c == '\0' => Class::Word,
        _ => Class::Sign,
    }
}

impl View<'_> {
    /// Returns where a motion ends; `count` is 0 when nobody said how often.
    pub fn go(&self, motion: Motion, from: Pos, count: usize) -> Pos {
        let times = count.max(1);
        let half = (self.height / 2).max(1);
        let page = self.height.saturating_sub(2).max(1);
        let last = self.rows.len().saturating_sub(1);
        let seen = (self.top + self.height).min(self.rows.len()).max(self.top + 1) - 1;
        match motion {
            Motion::Left => self.left(from, times),
            Motion::Right => self.right(from, times),
            Motion::Up => self.row(from.row.saturating_sub(times)),
            Motion::Down => self.row(from.row.saturating_add(times)),
            Motion::HalfUp => self.row(from.row.saturating_sub(half * times)),
            Motion::HalfDown => self.row(from.row.saturating_add(half * times)),
            Motion::PageUp => self.row(from.row.saturating_sub(page * times)),
            Motion::PageDown => self.row(from.row.saturating_add(page * times)),
            Motion::LineStart => Pos { col: 0, ..from },
            Motion::FirstText => self.first_text(from.row),
            Motion::LineEnd => {
                let row = (from.row + times - 1).min(last);
                Pos { row, col: self.end_of(row) }
            }
            Motion::Top => self.first_text((self.top + times - 1).min(seen)),
            Motion::Middle => self.first_text(usize::midpoint(self.top, seen)),
            Motion::Bottom => self.first_text(seen.saturating_sub(times - 1).max(self.top)),
            Motion::First => self.first_text(times - 1),
            Motion::Last => self.first_text(if count == 0 { last } else { count - 1 }),
            Motion::ParagraphUp => repeat(from, times, |at| self.paragraph(at, true)),
            Motion::ParagraphDown => repeat(from, times, |at| self.paragraph(at, false)),
            Motion::WordNext => repeat(from, times, |at| self.word_next(at, false)),
            Motion::BigNext => repeat(from, times, |at| self.word_next(at, true)),
            Motion::WordEnd => repeat(from, times, |at| self.word_end(at, false)),
            Motion::BigEnd => repeat(from, times, |at| self.word_end(at, true)),
            Motion::WordBack => repeat(from, times, |at| self.word_back(at, false)),
            Motion::BigBack => repeat(from, times, |at| self.word_back(at, true)),
        }
    }

    fn row(&self, row: usize) -> Pos {
        let row = row.min(self.rows.len().saturating_sub(1));
        Pos { row, col: self.on_glyph(row, self.wish.min(self.end_of(row))) }
    }

    fn first_text(&self, row: usize) -> Pos {
        let row = row.min(self.rows.len().saturating_sub(1));
        let col = self.rows.get(row).and_then(|text| (0..text.len()).find(|col| !text.char(*col).is_whitespace()));
        Pos { row, col: col.unwrap_or(0) }
    }

    /// Returns the last column with something in it.
    fn end_of(&self, row: usize) -> usize {
        let col = self.rows.get(row).map_or(0, |row| row.len().saturating_sub(1));
        self.on_glyph(row, col)
    }

    /// Returns the first half of a wide glyph for its second.
    fn on_glyph(&self, row: usize, col: usize) -> usize {
        self.rows.get(row).map_or(col, |row| if row.char(col) == '\0' { col.saturating_sub(1) } else { col })
    }

    fn left(&self, from: Pos, times: usize) -> Pos {
        repeat(from, times, |at| Pos { col: self.on_glyph(at.row, at.col.saturating_sub(1)), ..at })
    }

    fn right(&self, from: Pos, times: usize) -> Pos {
        repeat(from, times, |at| {
            let wide = self.rows.get(at.row).map_or(1, |row| usize::from(row.width(at.col).max(1)));
            Pos { col: (at.col + wide).min(self.end_of(at.row).max(at.col)), ..at }
        })
    }

    fn is_blank(&self, row: usize) -> bool {
        self.rows.get(row).is_none_or(|row| (0..row.len()).all(|col| row.char(col).is_whitespace()))
    }

    fn paragraph(&self, from: Pos, is_back: bool) -> Pos {
        let last = self.rows.len().saturating_sub(1);
        let step = |row: usize| if is_back { row.checked_sub(1) } else { Some(row + 1).filter(|row| *row <= last) };
        let mut row = from.row;
        while self.is_blank(row)
            && let Some(next) = step(row)
        {
            row = next;
        }
        while !self.is_blank(row) {
            let Some(next) = step(row) else {
                return if is_back { Pos::default() } else { Pos { row: last, col: self.end_of(last) } };
            };
            row = next;
        }
        Pos { row, col: 0 }
    }

    /// The place behind one; the end of a row that does not wrap is a place as well, and blank.
    fn next(&self, at: Pos) -> Option<Pos> {
        let row = self.rows.get(at.row)?;
        let end = if row.wraps { row.len().saturating_sub(1) } else { row.len() };
        if at.col < end {
            return Some(Pos { col: at.col + 1, ..at });
        }
        (at.row + 1 < self.rows.len()).then_some(Pos { row: at.row + 1, col: 0 })
    }

    fn before(&self, at: Pos) -> Option<Pos> {
        if at.col > 0 {
            return Some(Pos { col: at.col - 1, ..at });
        }
        let row = at.row.checked_sub(1)?;
        let above = self.rows.get(row)?;
        Some(Pos { row, col: if above.wraps { above.len().saturating_sub(1) } else { above.len() } })
    }

    fn class(&self, at: Pos, is_big: bool) -> Class {
        self.rows.get(at.row).map_or(Class::Blank, |row| class(row.char(at.col), is_big))
    }

    /// An empty row counts as a word, as in vi.
    fn is_stop(&self, at: Pos) -> bool {
        at.col == 0 && self.rows.get(at.row).is_some_and(Row::is_empty)
    }

    fn word_next(&self, from: Pos, is_big: bool) -> Pos {
        let (mut at, start) = (from, self.class(from, is_big));
        let mut has_left = start == Class::Blank;
        while let Some(next) = self.next(at) {
            at = next;
            let class = self.class(at, is_big);
            has_left |= class != start;
            if (has_left && class != Class::Blank) || self.is_stop(at) {
                return at;
            }
        }
        Pos { col: self.end_of(at.row), ..at }
    }

    fn word_end(&self, from: Pos, is_big: bool) -> Pos {
        let Some(mut at) = self.next(from) else { return from };
        while self.class(at, is_big) == Class::Blank
            && let Some(next) = self.next(at)
        {
            at = next;
        }
        let here = self.class(at, is_big);
        while let Some(next) = self.next(at)
            && self.class(next, is_big) == here
        {
            at = next;
        }
        Pos { col: self.on_glyph(at.row, at.col.min(self.end_of(at.row))), ..at }
    }

    fn word_back(&self, from: Pos, is_big: bool) -> Pos {
        let Some(mut at) = self.before(from) else { return from };
        while self.class(at, is_big) == Class::Blank
            && !self.is_stop(at)
            && let Some(next) = self.before(at)
        {
            at = next;
        }
        let here = self.class(at, is_big);
        while let Some(next) = self.before(at)
            && here != Class::Blank
            && self.class(next, is_big) == here
        {
            at = next;
        }
        Pos { col: self.on_glyph(at.row, at.col), ..at }
    }
}

fn repeat(from: Pos, times: usize, step: impl Fn(Pos) -> Pos) -> Pos {
    let mut at = from;
    for _ in 0..times {
        let next = step(at);
        if next == at {
            break;
        }
        at = next;
    }
    at
}

/// Returns the place of a character in the row; where the cursor is, if it is not there that often.
pub(super) fn seek(rows: &[Row], from: Pos, seek: Seek, c: char, count: usize) -> Pos {
    let Some(row) = rows.get(from.row) else { return from };
    let is_it = |col: &usize| row.char(*col) == c;
    // One that is right beside the cursor is found by `t` already.
    let found = match seek {
        Seek::To => (from.col + 1..row.len()).filter(is_it).nth(count - 1),
        Seek::Before => (from.col + 2..row.len()).filter(is_it).nth(count - 1).map(|col| col - 1),
        Seek::BackTo => (0..from.col).rev().filter(is_it).nth(count - 1),
        Seek::BackBehind => (0..from.col.saturating_sub(1)).rev().filter(is_it).nth(count - 1).map(|col| col + 1),
    };
    Pos { col: found.unwrap_or(from.col), ..from }
}

/// Returns first and last column of the word at a place.
pub(super) fn word_around(rows: &[Row], at: Pos) -> (Pos, Pos) {
    let Some(row) = rows.get(at.row) else { return (at, at) };
    let here = class(row.char(at.col), false);
    let is_same = |col: &usize| class(row.char(*col), false) == here;
    let first = (0..at.col).rev().take_while(is_same).last().unwrap_or(at.col);
    let last = (at.col..row.len()).take_while(is_same).last().unwrap_or(at.col);
    (Pos { col: first, ..at }, Pos { col: last, ..at })
}
