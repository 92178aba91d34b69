//! Searching the logs view, and going to lines that match or look like errors.

use crate::tui::expression;
use crate::tui::line::Line;
use crate::tui::logs::Logs;
use crate::tui::logs::Said;

/// A search that is being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Find {
    /// What.
    pub line: Line,
    /// What was searched before, and what was seen.
    before: (String, usize, bool, Option<usize>),
}

impl Logs {
    /// Returns how many lines match, and which of them is that at `at`, from 1.
    #[must_use]
    pub fn hits(&self) -> (usize, Option<usize>) {
        let first = self.first();
        let before = self.lines.iter().take(first).filter(|line| line.is_hit).count();
        let at = self.at.filter(|at| self.lines.get(*at).is_some_and(|line| line.is_hit));
        let number = at.map(|at| self.lines.range(first.min(at)..=at).filter(|line| line.is_hit).count());
        (self.hits - before, number)
    }

    /// Returns the places of a line that match.
    #[must_use]
    pub fn places(&self, line: &Said) -> Vec<(usize, usize)> {
        let Some(regex) = self.regex.as_ref().filter(|_| line.is_hit) else { return Vec::new() };
        regex.find_iter(&line.text).map(|hit| (hit.start(), hit.end())).collect()
    }

    /// Searches for what is typed, from where the search began on backwards: the newest is wanted most.
    pub fn search(&mut self, text: &str) {
        text.clone_into(&mut self.pattern);
        (self.regex, self.is_literal) = match text {
            "" => (None, false),
            text => {
                let (regex, is_literal) = expression::of(text);
                (Some(regex), is_literal)
            }
        };
        self.hits = 0;
        for line in &mut self.lines {
            line.is_hit = !line.is_note && self.regex.as_ref().is_some_and(|regex| regex.is_match(&line.text));
            self.hits += usize::from(line.is_hit);
        }
    }

    /// Begins to type a search.
    pub fn start_find(&mut self) {
        let before = (self.pattern.clone(), self.top, self.is_following, self.at);
        self.find = Some(Find { line: Line::default(), before });
    }

    /// What is searched changed.
    pub fn on_find(&mut self) {
        let Some(find) = &self.find else { return };
        let (text, (_, top, is_following, at)) = (find.line.text(), find.before.clone());
        (self.top, self.is_following, self.at) = (top, is_following, at);
        self.search(&text);
        if !text.is_empty() {
            let from = if is_following { self.lines.len() } else { self.last_seen() + 1 };
            // The newest that is seen or above, else the next one below.
            let is_above = self.seek(from, true, |line| line.is_hit);
            if !is_above {
                self.seek(from, false, |line| line.is_hit);
            }
        }
    }

    /// Ends typing; without keeping it, all is as before.
    pub fn end_find(&mut self, is_kept: bool) {
        let Some(Find { line, before }) = self.find.take() else { return };
        if !is_kept || line.is_empty() {
            self.search(&before.0);
            (self.top, self.is_following, self.at) = (before.1, before.2, before.3);
        }
    }

    /// Goes to the next or previous line that matches; `false` when there is none.
    pub fn go_to_hit(&mut self, is_back: bool) -> bool {
        self.seek_from_here(is_back, |line| line.is_hit)
    }

    /// Goes to the next or previous line that looks like an error; `false` when there is none.
    pub fn go_to_error(&mut self, is_back: bool) -> bool {
        self.seek_from_here(is_back, |line| !line.is_note && expression::is_error(&line.text))
    }

    fn last_seen(&self) -> usize {
        let (first, _) = self.view();
        (first + self.room.0).min(self.lines.len()).saturating_sub(1)
    }

    fn seek_from_here(&mut self, is_back: bool, is_wanted: impl Fn(&Said) -> bool) -> bool {
        let from = match (self.at, is_back) {
            (Some(at), true) => at,
            (Some(at), false) => at + 1,
            (None, true) => self.last_seen() + 1,
            (None, false) => self.view().0,
        };
        self.seek(from, is_back, is_wanted)
    }

    fn seek(&mut self, from: usize, is_back: bool, is_wanted: impl Fn(&Said) -> bool) -> bool {
        let (first, end) = (self.first(), self.lines.len());
        let from = from.clamp(first.min(end), end);
        let found = if is_back {
            (first..from).rev().find(|n| is_wanted(&self.lines[*n]))
        } else {
            (from..end).find(|n| is_wanted(&self.lines[*n]))
        };
        let Some(at) = found else { return false };
        self.pause();
        self.is_going_first = false;
        self.at = Some(at);
        if at < self.top || at > self.last_seen() {
            let above = self.room.0 / 2;
            self.top = at.saturating_sub(above).max(first).min(self.last_page().0.max(first));
        }
        true
    }
}
