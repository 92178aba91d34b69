//! Searching rows: a regular expression over whole lines, however they are wrapped.
//!
//! Small letters match large ones unless there is a large one in what is searched. What is no expression is searched as it is written.

use std::sync::LazyLock;

use regex::Regex;
use regex::RegexBuilder;

use super::Pos;
use crate::term::Row;

/// Most matches that are kept.
const MOST: usize = 100_000;

/// Lines that tell of an error in most programs.
static ERRORS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(error|fatal|panicked|exception|traceback|failed|failure|segmentation fault|undefined reference)\b",
    )
    .expect("the pattern is right")
});

/// What is searched, and where it was found.
pub struct Pattern {
    /// As it was typed.
    pub text: String,
    /// It is no expression.
    pub is_literal: bool,
    regex: Regex,
    found: Vec<(Pos, Pos)>,
}

impl Pattern {
    /// Reads what was typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let has_large = text.chars().any(char::is_uppercase);
        let build = |text: &str| RegexBuilder::new(text).case_insensitive(!has_large).size_limit(1 << 20).build();
        let (regex, is_literal) = match build(text) {
            Ok(regex) => (regex, false),
            Err(_) => (build(&regex::escape(text)).unwrap_or_else(|_| ERRORS.clone()), true),
        };
        Self { text: text.to_owned(), is_literal, regex, found: Vec::new() }
    }

    /// Searches all rows.
    pub fn search(&mut self, rows: &[Row]) {
        self.found.clear();
        let regex = &self.regex;
        let found = &mut self.found;
        each_line(rows, |text, places| {
            for hit in regex.find_iter(text).filter(|hit| !hit.is_empty()) {
                if found.len() < MOST {
                    found.push((place(places, hit.start()), place(places, hit.end() - 1)));
                }
            }
            found.len() < MOST
        });
    }

    /// Returns how many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.found.len()
    }

    /// Returns which one begins at a place, counted from 1.
    #[must_use]
    pub fn number_at(&self, at: Pos) -> Option<usize> {
        self.found.binary_search_by(|(from, _)| from.cmp(&at)).ok().map(|at| at + 1)
    }

    /// Returns the beginning of the next one, round the end.
    #[must_use]
    pub fn next(&self, from: Pos, is_back: bool) -> Option<Pos> {
        let found = if is_back {
            let before = self.found.partition_point(|(at, _)| *at < from);
            before.checked_sub(1).and_then(|at| self.found.get(at)).or_else(|| self.found.last())
        } else {
            let after = self.found.partition_point(|(at, _)| *at <= from);
            self.found.get(after).or_else(|| self.found.first())
        };
        found.map(|(at, _)| *at)
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

/// Where a byte of a line's text is: the last place at or before it.
fn place(places: &[(usize, Pos)], byte: usize) -> Pos {
    let after = places.partition_point(|(at, _)| *at <= byte);
    places[after.saturating_sub(1)].1
}

/// Calls for each line with its text and the places of its characters, until somebody has enough.
fn each_line(rows: &[Row], mut each: impl FnMut(&str, &[(usize, Pos)]) -> bool) {
    let (mut text, mut places) = (String::new(), Vec::new());
    for (n, row) in rows.iter().enumerate() {
        for col in 0..row.len() {
            if row.char(col) != '\0' {
                places.push((text.len(), Pos { row: n, col }));
                row.push(col, &mut text);
            }
        }
        if row.wraps && n + 1 < rows.len() {
            continue;
        }
        if !text.is_empty() && !each(&text, &places) {
            return;
        }
        text.clear();
        places.clear();
    }
}

/// Returns the nearest line from a row on that looks like an error.
pub(super) fn error_from(rows: &[Row], row: usize, is_back: bool) -> Option<Pos> {
    let is_error = |at: &usize| rows.get(*at).is_some_and(|row| ERRORS.is_match(&row.text(0, row.len())));
    let found = if is_back { (0..row).rev().find(is_error) } else { (row + 1..rows.len()).find(is_error) };
    found.map(|row| Pos { row, col: 0 })
}
