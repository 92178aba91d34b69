//! Searching rows: a regular expression over whole lines, however they are wrapped.
//!
//! It is searched from a row outwards, a piece at a time, so that the first match is there at once and no key waits for the
//! last one.

use std::ops::Range;

use regex::Regex;

use super::Pos;
use crate::term::Row;
use crate::tui::expression;

/// Most matches that are kept.
const MOST: usize = 100_000;
/// Bytes of text that are searched in one go; about two milliseconds.
const PIECE: usize = 512 << 10;

/// What is searched, and where it was found.
pub struct Pattern {
    /// As it was typed.
    pub text: String,
    /// It is no expression.
    pub is_literal: bool,
    regex: Regex,
    found: Vec<(Pos, Pos)>,
    /// The rows that were searched.
    searched: Range<usize>,
}

impl Pattern {
    /// Reads what was typed; it is to be searched from a row outwards.
    #[must_use]
    pub fn new(text: &str, rows: &[Row], row: usize) -> Self {
        let (regex, is_literal) = expression::of(text);
        let row = row.min(rows.len().saturating_sub(1));
        let searched = if rows.is_empty() { 0..0 } else { line_start(rows, row)..line_end(rows, row) };
        let mut pattern =
            Self { text: text.to_owned(), is_literal, regex, found: Vec::new(), searched: searched.clone() };
        pattern.scan(rows, searched);
        pattern
    }

    /// Reads what was typed further: only lines that matched so far are searched for it. None if more lines could match it.
    #[must_use]
    pub fn narrowed(&self, text: &str, rows: &[Row]) -> Option<Self> {
        let is_plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _/:,;=@%&~'\"<>-".contains(c));
        if !text.starts_with(&self.text) || !is_plain(text) || self.found.len() >= MOST {
            return None;
        }
        let mut next = Self::new(text, rows, 0);
        next.found.clear();
        let mut done = 0;
        for (from, _) in &self.found {
            if from.row >= done {
                let first = line_start(rows, from.row);
                done = line_end(rows, from.row);
                next.scan(rows, first..done);
            }
        }
        next.searched = self.searched.clone();
        Some(next)
    }

    /// Returns whether all rows were searched.
    #[must_use]
    pub fn is_done(&self, rows: &[Row]) -> bool {
        (self.searched.start == 0 && self.searched.end >= rows.len()) || self.found.len() >= MOST
    }

    /// Searches a piece further, first of all in one direction.
    pub fn step(&mut self, rows: &[Row], is_back: bool) {
        let is_up = if is_back { self.searched.start > 0 } else { self.searched.end >= rows.len() };
        let mut size = 0;
        if is_up {
            let end = self.searched.start;
            let mut first = end;
            while first > 0 && size < PIECE {
                first -= 1;
                size += rows[first].all().len() + 1;
            }
            self.searched.start = line_start(rows, first);
            let below = std::mem::take(&mut self.found);
            self.scan(rows, self.searched.start..end);
            self.found.extend(below);
        } else {
            let first = self.searched.end;
            let mut end = first;
            while end < rows.len() && size < PIECE {
                size += rows[end].all().len() + 1;
                end += 1;
            }
            self.searched.end = line_end(rows, end.saturating_sub(1));
            self.scan(rows, first..self.searched.end);
        }
    }

    /// Searches all that is left.
    pub fn finish(&mut self, rows: &[Row]) {
        while !self.is_done(rows) {
            self.step(rows, false);
        }
    }

    fn scan(&mut self, rows: &[Row], range: Range<usize>) {
        let mut first = range.start;
        while first < range.end && self.found.len() < MOST {
            let end = line_end(rows, first).min(range.end);
            if end == first + 1 {
                let row = &rows[first];
                for hit in self.regex.find_iter(row.all()).filter(|hit| !hit.is_empty()) {
                    let place = |byte| Pos { row: first, col: row.column_of(byte) };
                    self.found.push((place(hit.start()), place(hit.end() - 1)));
                }
            } else {
                self.scan_wrapped(rows, first..end);
            }
            first = end;
        }
    }

    fn scan_wrapped(&mut self, rows: &[Row], line: Range<usize>) {
        let (mut text, mut starts) = (String::new(), Vec::new());
        for row in line {
            starts.push((text.len(), row));
            text.push_str(rows[row].all());
        }
        let place = |byte: usize| {
            let (start, row) = starts[starts.partition_point(|(at, _)| *at <= byte) - 1];
            Pos { row, col: rows[row].column_of(byte - start) }
        };
        for hit in self.regex.find_iter(&text).filter(|hit| !hit.is_empty()) {
            self.found.push((place(hit.start()), place(hit.end() - 1)));
        }
    }

    /// Rows were put before all others.
    pub fn put_before(&mut self, count: usize) {
        self.found.iter_mut().for_each(|(from, to)| (from.row, to.row) = (from.row + count, to.row + count));
        self.searched = self.searched.start + count..self.searched.end + count;
    }

    /// The first rows were forgotten.
    pub fn forget_first(&mut self, count: usize) {
        self.found.retain(|(from, _)| from.row >= count);
        self.found.iter_mut().for_each(|(from, to)| (from.row, to.row) = (from.row - count, to.row - count));
        self.searched = self.searched.start.saturating_sub(count)..self.searched.end.saturating_sub(count);
    }

    /// Rows from one on are forgotten, or are not the same any more.
    pub fn forget_from(&mut self, rows: &[Row], row: usize) {
        let row = line_start(rows, row.min(rows.len()));
        self.found.truncate(self.found.partition_point(|(from, _)| from.row < row));
        self.searched = self.searched.start.min(row)..self.searched.end.min(row);
    }

    /// Returns how many were found.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.found.len()
    }

    /// Returns which one begins at a place, counted from 1.
    #[must_use]
    pub fn number_at(&self, at: Pos) -> Option<usize> {
        self.found.binary_search_by(|(from, _)| from.cmp(&at)).ok().map(|at| at + 1)
    }

    /// Returns the beginning of the next one that way.
    #[must_use]
    pub fn ahead(&self, from: Pos, is_back: bool) -> Option<Pos> {
        let found = if is_back {
            self.found[..self.found.partition_point(|(at, _)| *at < from)].last()
        } else {
            self.found.get(self.found.partition_point(|(at, _)| *at <= from))
        };
        found.map(|(at, _)| *at)
    }

    /// Returns the beginning of the next one, round the end.
    #[must_use]
    pub fn next(&self, from: Pos, is_back: bool) -> Option<Pos> {
        let round = if is_back { self.found.last() } else { self.found.first() };
        self.ahead(from, is_back).or(round.map(|(at, _)| *at))
    }

    /// Returns the columns of a row that are part of matches, in order.
    #[must_use]
    pub fn in_row(&self, row: usize, len: usize) -> Vec<(usize, usize)> {
        let first = self.found.partition_point(|(_, to)| to.row < row);
        let here = self.found[first..].iter().take_while(|(from, _)| from.row <= row);
        let columns = |(from, to): &(Pos, Pos)| {
            (if from.row < row { 0 } else { from.col }, if to.row > row { len } else { to.col + 1 })
        };
        here.map(columns).collect()
    }
}

/// Returns the row where the line of a row begins.
fn line_start(rows: &[Row], mut row: usize) -> usize {
    while row > 0 && rows[row - 1].wraps {
        row -= 1;
    }
    row
}

/// Returns the row behind the line of a row.
fn line_end(rows: &[Row], mut row: usize) -> usize {
    while row + 1 < rows.len() && rows[row].wraps {
        row += 1;
    }
    (row + 1).min(rows.len())
}

/// Returns the nearest line from a row on that looks like an error.
pub(super) fn error_from(rows: &[Row], row: usize, is_back: bool) -> Option<Pos> {
    let is_error = |at: &usize| rows.get(*at).is_some_and(|row| expression::is_error(row.all()));
    let found = if is_back { (0..row).rev().find(is_error) } else { (row + 1..rows.len()).find(is_error) };
    found.map(|row| Pos { row, col: 0 })
}
