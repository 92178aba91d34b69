//! Searching in copy mode: a search that is typed narrows key by key, and goes on a piece at a time.

use super::Copy;
use super::Pos;
use super::motion;
use super::search::Pattern;
use crate::tui::line::Line;

/// A search that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// What.
    pub line: Line,
    /// Towards the beginning.
    pub is_back: bool,
    /// Where it began, and what was seen there.
    pub(super) origin: (Pos, usize),
    /// The first match was not found yet.
    is_open: bool,
}

impl Copy {
    /// Begins to type a search.
    pub fn start_find(&mut self, is_back: bool) {
        let origin = (self.cursor, self.top);
        self.find = Some(Find { line: Line::default(), is_back, origin, is_open: false });
    }

    /// What is searched changed: goes to the first match from where it began, as soon as that is found.
    pub fn on_find(&mut self) {
        let Some(find) = &mut self.find else { return };
        find.is_open = true;
        let (text, origin) = (find.line.text(), find.origin);
        self.is_back = find.is_back;
        (self.cursor, self.top) = origin;
        let rows = self.scroll.rows();
        let before = self.pattern.take();
        self.pattern = (!text.is_empty()).then(|| {
            before
                .and_then(|before| before.narrowed(&text, rows))
                .unwrap_or_else(|| Pattern::new(&text, rows, origin.0.row))
        });
        self.search_on();
    }

    /// Returns whether a search has rows left to look at.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| !pattern.is_done(self.scroll.rows()))
    }

    /// Searches a piece further; returns whether there is something new to see.
    pub fn search_on(&mut self) -> bool {
        let Some(pattern) = &mut self.pattern else { return true };
        let rows = self.scroll.rows();
        if !pattern.is_done(rows) {
            pattern.step(rows, self.is_back);
        }
        let is_done = pattern.is_done(rows);
        let Some(find) = self.find.as_mut().filter(|find| find.is_open) else { return is_done };
        let from = find.origin.0;
        let found = pattern.ahead(from, self.is_back);
        let found = if is_done { pattern.next(from, self.is_back) } else { found };
        find.is_open = found.is_none() && !is_done;
        let Some(to) = found else { return is_done };
        self.jump(to);
        if self.cursor.row + 1 == self.top + self.height && self.height > 1 {
            // The field lies over the last row.
            self.top += 1;
        }
        true
    }

    /// Searches for a text, all of it at once.
    pub fn set_pattern(&mut self, text: &str) {
        self.pattern = (!text.is_empty()).then(|| {
            let mut pattern = Pattern::new(text, self.scroll.rows(), self.cursor.row);
            pattern.finish(self.scroll.rows());
            pattern
        });
    }

    /// Keeps what was found, or goes back to where the search began.
    pub fn end_find(&mut self, is_kept: bool) {
        while is_kept && self.find.as_ref().is_some_and(|find| find.is_open) && self.pattern.is_some() {
            self.search_on();
        }
        if let Some(find) = self.find.take()
            && !is_kept
        {
            (self.cursor, self.top) = find.origin;
            self.pattern = None;
        }
    }

    /// Goes to the next match in the direction of the search, or against it, round the end; `false` if there is none.
    pub fn go_to_match(&mut self, is_reverse: bool) -> bool {
        let count = std::mem::take(&mut self.count).max(1);
        let is_back = self.is_back != is_reverse;
        for _ in 0..count {
            let ahead = self.match_ahead(is_back);
            let round = || self.pattern.as_ref().and_then(|pattern| pattern.next(self.cursor, is_back));
            let Some(to) = ahead.or_else(round) else { return false };
            self.jump(to);
        }
        true
    }

    /// Returns whether the next match that way can only be in what is not here.
    pub fn is_match_elsewhere(&mut self, is_reverse: bool) -> bool {
        let is_back = self.is_back != is_reverse;
        let is_whole = if is_back { self.is_oldest() } else { self.is_live() };
        !is_whole && self.pattern.is_some() && self.match_ahead(is_back).is_none()
    }

    /// Returns the next match that way, without going round.
    pub fn match_ahead(&mut self, is_back: bool) -> Option<Pos> {
        let (pattern, rows) = (self.pattern.as_mut()?, self.scroll.rows());
        while pattern.ahead(self.cursor, is_back).is_none() && !pattern.is_done(rows) {
            pattern.step(rows, is_back);
        }
        pattern.ahead(self.cursor, is_back)
    }

    /// Searches for the word under the cursor.
    pub fn find_word(&mut self, is_back: bool) -> Option<String> {
        let (from, to) = motion::word_around(self.rows(), self.cursor);
        let word = self.rows().get(from.row)?.text(from.col, to.col + 1);
        if word.trim().is_empty() {
            return None;
        }
        self.is_back = is_back;
        self.cursor = from;
        self.set_pattern(&format!(r"\b{}\b", regex::escape(&word)));
        self.go_to_match(false);
        Some(word)
    }
}
