//! The logs view without its terminal: lines of several histories as one, by time.
//!
//! Pure. The window is bounded: it gives up its old end while it follows, its new end while somebody reads further up. Lines that
//! are older than the oldest one of a source that has more are held back, so that no line is shown without those beside it.

mod seek;
mod source;
#[cfg(test)]
mod tests;
mod wrap;

use std::collections::VecDeque;

use regex::Regex;

use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::session::id::SessionId;

pub use seek::Find;
pub use source::Source;
pub use wrap::pieces;

/// Most lines that are kept.
pub const LINES: usize = 20_000;
/// Most bytes of them.
pub const BYTES: usize = 16 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which source.
    pub source: usize,
    /// Which stream.
    pub stream: Stream,
    /// Offset of its first byte.
    pub at: u64,
    /// Wall-clock microseconds.
    pub time_us: u64,
    /// Its text, without anything hidden.
    pub text: String,
    /// It is ours, not the program's.
    pub is_note: bool,
    /// It matches what is searched.
    is_hit: bool,
}

impl Said {
    /// Makes a line that has no end yet.
    #[must_use]
    pub const fn begun(source: usize, stream: Stream, text: String) -> Self {
        Self { source, stream, at: 0, time_us: 0, text, is_note: false, is_hit: false }
    }
}

/// Which streams are wanted, in the order in which they are gone through.
pub const STREAMS: [(Option<Stream>, &str); 3] =
    [(None, ""), (Some(Stream::Out), "stdout only"), (Some(Stream::Err), "stderr only")];

/// See the module.
pub struct Logs {
    /// Where lines come from.
    pub sources: Vec<Source>,
    /// Place in [`STREAMS`].
    pub streams: usize,
    /// Lines begin with their time.
    pub has_times: bool,
    /// Long lines go on in the next row.
    pub wraps: bool,
    /// Columns that are scrolled, where they do not.
    pub left: usize,
    /// What comes is shown at once.
    pub is_following: bool,
    /// Lines that came since it is not.
    pub fresh: u64,
    /// A search that is being typed.
    pub find: Option<Find>,
    /// What is searched; empty when nothing is.
    pub pattern: String,
    /// It is no expression, and searched as it is written.
    pub is_literal: bool,
    /// The line that was gone to last.
    pub at: Option<usize>,
    regex: Option<Regex>,
    lines: VecDeque<Said>,
    bytes: usize,
    hits: usize,
    /// First line that is seen, unless it follows.
    top: usize,
    /// The new end was given up.
    is_cut: bool,
    /// The oldest line of all is on its way.
    is_going_first: bool,
    /// Rows and columns there are for lines.
    room: (usize, usize),
}

impl Logs {
    /// Starts with nothing.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            streams: 0,
            has_times: false,
            wraps: true,
            left: 0,
            is_following: true,
            fresh: 0,
            find: None,
            pattern: String::new(),
            is_literal: false,
            at: None,
            regex: None,
            lines: VecDeque::new(),
            bytes: 0,
            hits: 0,
            top: 0,
            is_cut: false,
            is_going_first: false,
            room: (24, 80),
        }
    }

    /// Forgets all lines: they are asked for anew.
    pub fn restart(&mut self) {
        self.lines.clear();
        (self.bytes, self.hits, self.top, self.fresh, self.at) = (0, 0, 0, 0, None);
        (self.is_cut, self.is_following) = (false, true);
        self.sources.iter_mut().for_each(Source::restart);
    }

    /// Returns the lines, those that are held back too.
    #[must_use]
    pub const fn lines(&self) -> &VecDeque<Said> {
        &self.lines
    }

    /// Returns the first line that may be shown.
    #[must_use]
    pub fn first(&self) -> usize {
        let horizon = self.sources.iter().filter_map(Source::horizon).max().unwrap_or(0);
        self.lines.partition_point(|line| line.time_us < horizon)
    }

    /// Returns whether the new end was given up.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Takes what a source said. Returns whether anything is to be drawn.
    pub fn take(&mut self, n: usize, chunk: Chunk) -> bool {
        let Some(source) = self.sources.get_mut(n) else { return false };
        let mut said = Vec::new();
        source.take(n, chunk, &mut said);
        for line in said {
            self.push(line);
        }
        true
    }

    /// Takes older lines of a source: what it says before the oldest byte that is known. Returns whether they are complete.
    pub fn take_older(&mut self, n: usize, chunk: Chunk) -> bool {
        let Some(source) = self.sources.get_mut(n) else { return false };
        let Some(said) = source.take_older(n, chunk) else { return false };
        self.prepend(said);
        if self.is_going_first {
            self.top = self.first();
        }
        true
    }

    fn mark_hit(&self, line: &mut Said) {
        line.is_hit = !line.is_note && self.regex.as_ref().is_some_and(|regex| regex.is_match(&line.text));
    }

    fn push(&mut self, mut line: Said) {
        self.fresh += u64::from(!self.is_following);
        if self.is_cut {
            return;
        }
        self.mark_hit(&mut line);
        self.hits += usize::from(line.is_hit);
        self.bytes += line.text.len();
        let at = self.lines.partition_point(|known| known.time_us <= line.time_us);
        self.shift(at, 1);
        self.lines.insert(at, line);
        while self.is_full() {
            if self.is_following || self.top > self.lines.len() / 2 {
                self.drop_oldest();
            } else {
                self.drop_newest();
            }
        }
    }

    /// Adds lines that are older than all of their source, by time among those of others.
    fn prepend(&mut self, said: Vec<Said>) {
        let mut older = said.into_iter().peekable();
        let known = std::mem::take(&mut self.lines);
        let (mut all, mut moved) = (VecDeque::with_capacity(known.len() + older.len()), (self.top, self.at));
        for (n, line) in known.into_iter().enumerate() {
            while let Some(mut old) = older.next_if(|old| old.time_us <= line.time_us) {
                self.mark_hit(&mut old);
                self.hits += usize::from(old.is_hit);
                self.bytes += old.text.len();
                all.push_back(old);
            }
            let is_at = self.at == Some(n);
            (moved.0, moved.1) =
                (if n == self.top { all.len() } else { moved.0 }, if is_at { Some(all.len()) } else { moved.1 });
            all.push_back(line);
        }
        for mut old in older {
            self.mark_hit(&mut old);
            self.hits += usize::from(old.is_hit);
            self.bytes += old.text.len();
            all.push_back(old);
        }
        (self.lines, self.top, self.at) = (all, moved.0, moved.1);
        while self.is_full() {
            self.drop_newest();
        }
    }

    fn is_full(&self) -> bool {
        self.lines.len() > LINES || self.bytes > BYTES && self.lines.len() > 1
    }

    fn shift(&mut self, at: usize, by: usize) {
        if at < self.top {
            self.top += by;
        }
        self.at = self.at.map(|known| if at <= known { known + by } else { known });
    }

    fn drop_oldest(&mut self) {
        let Some(line) = self.lines.pop_front() else { return };
        self.forget(&line);
        self.top = self.top.saturating_sub(1);
        self.at = self.at.and_then(|at| at.checked_sub(1));
        let left = self.lines.iter().find(|next| next.source == line.source && !next.is_note);
        let left = left.map(|next| (next.at, next.time_us));
        if let Some(source) = self.sources.get_mut(line.source) {
            source.forgot(left, line.time_us);
        }
    }

    fn drop_newest(&mut self) {
        let Some(line) = self.lines.pop_back() else { return };
        self.forget(&line);
        self.is_cut = true;
        self.is_following = false;
        self.at = self.at.filter(|at| *at < self.lines.len());
        self.top = self.top.min(self.lines.len().saturating_sub(1));
    }

    fn forget(&mut self, line: &Said) {
        self.bytes -= line.text.len();
        self.hits -= usize::from(line.is_hit);
    }

    /// The view has another size.
    pub fn resize(&mut self, rows: usize, cols: usize) {
        self.room = (rows.max(1), cols.max(1));
    }

    /// Returns how many rows a line takes.
    fn rows_of(&self, line: &Said) -> usize {
        let room = self.room.1.saturating_sub(self.indent()).max(1);
        if self.wraps { wrap::rows(&line.text, room) } else { 1 }
    }

    /// Returns how many columns stand before each line.
    #[must_use]
    pub fn indent(&self) -> usize {
        let name = if self.sources.len() > 1 { self.name_width() + 3 } else { 2 };
        (name + if self.has_times { 13 } else { 0 }).min(self.room.1.saturating_sub(8))
    }

    /// Returns the columns of names.
    #[must_use]
    pub fn name_width(&self) -> usize {
        let widest =
            self.sources.iter().map(|source| unicode_width::UnicodeWidthStr::width(source.name.as_str())).max();
        widest.unwrap_or(0).min(self.room.1 / 4)
    }

    /// Returns the first line that is seen, and how many of its rows are above the view.
    #[must_use]
    pub fn view(&self) -> (usize, usize) {
        if self.is_following { self.last_page() } else { (self.top.max(self.first()), 0) }
    }

    /// Returns where the last lines begin that fill the view.
    fn last_page(&self) -> (usize, usize) {
        let first = self.first();
        let mut rows = self.sources.iter().filter(|source| source.begun().is_some()).count();
        for (n, line) in self.lines.iter().enumerate().rev().take_while(|(n, _)| *n >= first) {
            rows += self.rows_of(line);
            if rows >= self.room.0 {
                return (n, rows - self.room.0);
            }
        }
        (first.min(self.lines.len()), 0)
    }

    /// Moves the view by so many lines; at the end it follows again. Returns whether older lines are wanted.
    pub fn scroll(&mut self, by: isize) -> bool {
        self.is_going_first = false;
        let first = self.first();
        let (last, _) = self.last_page();
        let now = self.view().0;
        self.at = None;
        let wanted = now.saturating_add_signed(by).max(first);
        if by > 0 && wanted >= last && !self.is_cut {
            self.follow();
            return false;
        }
        self.is_following = false;
        self.top = wanted.min(last);
        by < 0 && self.top <= first + self.room.0
    }

    /// Moves the view by pages or halves of them.
    pub fn page(&mut self, halves: isize) -> bool {
        let rows = (self.room.0 / 2).max(1).cast_signed();
        self.scroll(rows * halves)
    }

    /// Goes to the oldest line of all. Returns whether older ones are wanted: always.
    pub fn go_first(&mut self) -> bool {
        self.is_going_first = true;
        self.is_following = false;
        self.top = self.first();
        self.at = None;
        true
    }

    /// Wraps long lines, or cuts them.
    pub const fn toggle_wrap(&mut self) {
        self.wraps = !self.wraps;
        self.left = 0;
    }

    /// Moves cut lines by so many columns; long ones are cut from then on.
    pub fn shift_view(&mut self, by: isize) {
        self.wraps = false;
        self.left = self.left.saturating_add_signed(by);
    }

    /// Shows what comes from now on.
    pub const fn follow(&mut self) {
        self.is_going_first = false;
        self.is_following = true;
        self.fresh = 0;
        self.at = None;
    }

    /// Stops where it is.
    pub fn pause(&mut self) {
        self.is_going_first = false;
        if self.is_following {
            let (first, cut) = self.last_page();
            self.top = first + usize::from(cut > 0);
            self.is_following = false;
        }
    }

    /// Returns the source that is to say something older first, if there is one.
    #[must_use]
    pub fn wants_older(&self) -> Option<usize> {
        if self.sources.iter().any(Source::is_reading_older) {
            return None;
        }
        let of = |(n, source): (usize, &Source)| source.horizon().map(|time| (time, n));
        self.sources.iter().enumerate().filter_map(of).max().map(|(_, n)| n)
    }

    /// Returns whether the view stands so near to its old end that more is wanted.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        !self.is_following && self.top <= self.first() + self.room.0
    }

    /// A service goes on in another session, whose lines come behind those that are there.
    pub fn succeed(&mut self, n: usize, id: SessionId) {
        let Some(source) = self.sources.get_mut(n) else { return };
        source.succeed(id);
    }

    /// Returns the source of a channel, and whether it is that for older lines.
    #[must_use]
    pub fn of_channel(&self, channel: u32) -> Option<(usize, bool)> {
        let at = |source: &Source| channel > 0 && (source.channel == channel || source.older_channel == channel);
        let n = self.sources.iter().position(at)?;
        Some((n, self.sources[n].older_channel == channel))
    }

    /// Returns the source of a session.
    #[must_use]
    pub fn of_session(&self, id: SessionId) -> Option<usize> {
        self.sources.iter().position(|source| source.id == id)
    }
}
