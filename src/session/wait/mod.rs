//! Waiting for something of a session: bytes, rows, its end and time go in, at most one outcome comes out.
//!
//! Pure: the owner of clock and connection feeds a [`Waiter`] and sleeps until its deadline. *Invariant:* how the stream is
//! cut changes no outcome. Conditions are read by `condition`, lines are matched by `text`.

mod condition;
#[cfg(test)]
mod tests;
mod text;

use regex::bytes::Regex;

use crate::session::status::End;
use crate::term::PromptMark;
use crate::term::Strip;

pub use condition::Condition;
pub use condition::ConditionError;
pub use condition::pattern;
pub use text::Found;
pub use text::LINE;
pub use text::Lines;

/// An unfinished last line is judged once output has paused for this long, in nanoseconds: what a program writes in two pieces
/// is one.
const REST: u64 = 20_000_000;
/// It is judged this long after it changed even if output never pauses, in nanoseconds.
const LATEST: u64 = 100_000_000;
/// Without marks of a shell, this much quiet after output is taken for readiness, in nanoseconds.
const QUIET: u64 = 300_000_000;

/// Where patterns are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// In the lines of the output as `rpm logs` prints them.
    #[default]
    Plain,
    /// In the lines of the output as they are, escape sequences and carriage returns included.
    Raw,
    /// In the rows of the screen.
    Screen,
}

/// What is waited for; the first that comes wins.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The end.
    pub exit: bool,
    /// No output for so many nanoseconds.
    pub idle: Option<u64>,
    /// It waits for input.
    pub ready: bool,
    /// A match of any of these.
    pub texts: Vec<Regex>,
    /// So many matches instead of one; without a pattern, so many lines.
    pub count: Option<u64>,
    /// Where patterns are looked for.
    pub view: View,
    /// Lines that are passed over first: they echo what was typed.
    pub after_lines: u64,
    /// Nanoseconds after which nothing is waited for any more.
    pub timeout: Option<u64>,
}

/// Where a wait starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Start {
    /// Monotonic nanoseconds.
    pub now: u64,
    /// Offset where text and lines begin to count.
    pub since: u64,
    /// Offset of the end of history now: what comes before it is the past.
    pub head: u64,
    /// Since when nothing was said, in monotonic nanoseconds, for `idle`.
    pub quiet_since: u64,
    /// When something was said last, in monotonic nanoseconds, for `ready`; none if nothing ever was.
    pub last_output: Option<u64>,
}

/// What makes a session count as ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Its shell marked the end of its prompt (OSC 133;B), or a prompt (A) and a pause.
    Prompt,
    /// It said something, then nothing for 300 ms.
    Quiet,
}

/// What was waited for and came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The end.
    Exit(End),
    /// No output.
    Idle,
    /// It waits for input.
    Ready(Sign),
    /// The pattern with this number.
    Text(usize, Found),
    /// So many lines.
    Count(Found),
}

/// What a wait came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It came.
    Matched(Match),
    /// It did not come in time.
    TimedOut,
    /// The session ended first; none when it was forgotten.
    Ended(Option<End>),
    /// So many bytes were overwritten before they could be looked at.
    Gap(u64),
}

/// See the module.
pub struct Waiter {
    plan: Plan,
    start: Start,
    lines: Vec<Lines>,
    marks: Option<Strip>,
    scratch: Vec<u8>,
    /// Offset of the next byte.
    next: u64,
    quiet_since: u64,
    last_output: Option<u64>,
    /// When the unfinished line changed first and last since it was judged.
    unjudged: Option<(u64, u64)>,
}

impl Waiter {
    /// Starts to wait; the first byte fed will have the offset `from`.
    #[must_use]
    pub fn new(plan: Plan, start: Start, from: u64) -> Self {
        let is_raw = plan.view == View::Raw;
        let wanted = plan.count.unwrap_or(1);
        let lines = |pattern| Lines::new(pattern, wanted, is_raw, start.since).after_lines(plan.after_lines);
        let lines = match (plan.texts.is_empty(), plan.view) {
            (true, _) => plan.count.map(|_| lines(None)).into_iter().collect(),
            (false, View::Screen) => Vec::new(),
            (false, _) => plan.texts.iter().map(|text| lines(Some(text.clone()))).collect(),
        };
        Self {
            marks: plan.ready.then(Strip::new),
            lines,
            scratch: Vec::new(),
            next: from,
            quiet_since: start.quiet_since,
            last_output: start.last_output,
            unjudged: None,
            plan,
            start,
        }
    }

    /// Returns the offset of the next byte: where to go on.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Returns whether a byte that was overwritten unseen could have mattered.
    #[must_use]
    pub const fn needs_bytes(&self) -> bool {
        !self.lines.is_empty() || self.plan.ready
    }

    /// Bytes were said; the first one has offset `at`.
    pub fn bytes(&mut self, at: u64, bytes: &[u8], now: u64) -> Option<Outcome> {
        self.next = at + bytes.len() as u64;
        if self.next > self.start.head {
            self.quiet_since = now;
            self.last_output = Some(now);
        }
        if let Some(marks) = &mut self.marks {
            self.scratch.clear();
            marks.filter(bytes, &mut self.scratch);
        }
        let past = self.start.since.saturating_sub(at).min(bytes.len() as u64);
        let wanted = &bytes[past as usize..];
        if !self.lines.is_empty() && !wanted.is_empty() {
            let (first, _) = self.unjudged.unwrap_or((now, now));
            self.unjudged = Some((first, now));
            let found: Vec<_> = self.lines.iter_mut().map(|lines| lines.read(at + past, wanted)).collect();
            if let Some(outcome) = self.first_of(found) {
                return Some(outcome);
            }
        }
        self.readiness(now)
    }

    /// Rows of the screen, as they are now.
    pub fn screen(&mut self, rows: &[String]) -> Option<Outcome> {
        let look = |pattern: &Regex| {
            let mut lines = Lines::new(Some(pattern.clone()), self.plan.count.unwrap_or(1), true, 0);
            let found = rows.iter().find_map(|row| lines.read(0, format!("{row}\n").as_bytes()));
            found.map(|found| Found { offset: self.next, ..found })
        };
        let is_wanted = self.plan.view == View::Screen;
        let found = self.plan.texts.iter().filter(|_| is_wanted).map(look).collect();
        self.first_of(found)
    }

    /// The session ended, or was forgotten; all bytes before that were fed.
    #[must_use]
    pub fn ended(&self, end: Option<End>) -> Outcome {
        if let Some(outcome) = self.rest() {
            return outcome;
        }
        match end {
            Some(end) if self.plan.exit => Outcome::Matched(Match::Exit(end)),
            end => Outcome::Ended(end),
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: u64) -> Option<Outcome> {
        let is_late = self.timeout_at().is_some_and(|at| now >= at);
        if self.rest_at().is_some_and(|at| now >= at) || is_late {
            self.unjudged = None;
            if let Some(outcome) = self.rest() {
                return Some(outcome);
            }
        }
        if let Some(outcome) = self.readiness(now) {
            return Some(outcome);
        }
        if self.idle_at().is_some_and(|at| now >= at) {
            return Some(Outcome::Matched(Match::Idle));
        }
        is_late.then_some(Outcome::TimedOut)
    }

    /// Returns when [`tick`](Self::tick) is wanted, in monotonic nanoseconds.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let ready = self.ready_at().map(|(at, _)| at);
        [self.timeout_at(), self.rest_at(), ready, self.idle_at()].into_iter().flatten().min()
    }

    /// Nothing is decided by time before the past was read.
    const fn has_caught_up(&self) -> bool {
        self.next >= self.start.head
    }

    fn timeout_at(&self) -> Option<u64> {
        self.plan.timeout.filter(|_| self.has_caught_up()).map(|timeout| self.start.now.saturating_add(timeout))
    }

    fn rest_at(&self) -> Option<u64> {
        self.unjudged.map(|(first, last)| (last + REST).min(first + LATEST))
    }

    fn idle_at(&self) -> Option<u64> {
        self.plan.idle.filter(|_| self.has_caught_up()).map(|idle| self.quiet_since.saturating_add(idle))
    }

    /// When the session will count as ready if it says nothing more, and by which sign.
    fn ready_at(&self) -> Option<(u64, Sign)> {
        let marks = self.marks.as_ref().filter(|_| self.has_caught_up())?;
        let last = self.last_output?;
        match marks.mark() {
            Some(PromptMark::InputStart) => Some((0, Sign::Prompt)),
            Some(PromptMark::PromptStart) => Some((last + REST, Sign::Prompt)),
            // A shell that marks its prompts is not ready while a command runs, however quiet that is.
            Some(PromptMark::OutputStart | PromptMark::CommandEnd(_)) => None,
            None => Some((last + QUIET, Sign::Quiet)),
        }
    }

    fn readiness(&self, now: u64) -> Option<Outcome> {
        self.ready_at().filter(|(at, _)| now >= *at).map(|(_, sign)| Outcome::Matched(Match::Ready(sign)))
    }

    fn rest(&self) -> Option<Outcome> {
        self.first_of(self.lines.iter().map(Lines::rest).collect())
    }

    /// The one that ends first in the output; of equals, the one that was named first.
    fn first_of(&self, found: Vec<Option<Found>>) -> Option<Outcome> {
        let found = found.into_iter().enumerate().filter_map(|(n, found)| Some((n, found?)));
        let (n, found) = found.min_by_key(|(n, found)| (found.offset, *n))?;
        Some(Outcome::Matched(if self.plan.texts.is_empty() { Match::Count(found) } else { Match::Text(n, found) }))
    }
}
