//! From a history to what waits for a target: policy, gaps, and the end.
//!
//! Pure: works over any [`Memory`], does no I/O. *Invariant:* every byte of the history from the first wanted one on is
//! taken once or counted as missed once; what waits is bounded.

use crate::history::Memory;
use crate::history::Position;
use crate::history::Reader;
use crate::history::Step;
use crate::history::Stream;
use crate::history::layout::control;
use crate::session::tee::Policy;
use crate::session::tee::QUEUE;
use crate::session::tee::Source;
use crate::tee::cook::Cook;

/// Bytes that wait at most, where the history itself is the queue.
const CHUNK: usize = 256 << 10;
/// Bytes copied at once.
const PIECE: usize = 64 << 10;

/// What the keeper has published, to see whether there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    head: u64,
    ended: u64,
    has_exited: bool,
}

/// See the module.
pub struct Feed<M> {
    reader: Reader<M>,
    at: Position,
    source: Source,
    policy: Policy,
    cook: Cook,
    /// What waits begins at `sent`.
    waiting: Vec<u8>,
    sent: usize,
    piece: Vec<u8>,
    missed: u64,
    until: Option<u64>,
}

impl<M: Memory> Feed<M> {
    /// Starts at a byte of a history.
    pub fn new(reader: Reader<M>, from: u64, source: Source, policy: Policy, cook: Cook) -> Self {
        let at = reader.position(from);
        let piece = if cook.is_plain() { Vec::new() } else { vec![0; PIECE / 4] };
        Self { reader, at, source, policy, cook, waiting: Vec::new(), sent: 0, piece, missed: 0, until: None }
    }

    /// Returns what waits.
    pub fn waiting(&self) -> &[u8] {
        &self.waiting[self.sent..]
    }

    /// So many of the waiting bytes were taken.
    pub fn took(&mut self, len: usize) {
        self.sent += len;
        if self.sent >= self.waiting.len() {
            self.waiting.clear();
            self.sent = 0;
        } else if self.sent >= QUEUE {
            self.waiting.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Returns the next byte of the history that will be taken.
    pub const fn offset(&self) -> u64 {
        self.at.offset
    }

    /// Returns how many bytes the target will never get.
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// Returns whether a program waits for room in the history.
    pub fn is_stalled(&self) -> bool {
        self.reader.is_stalled()
    }

    /// Returns what is published now.
    pub fn seen(&self) -> Seen {
        let has_exited = self.reader.exit().is_some();
        if self.source == Source::In {
            return Seen { head: 0, ended: 0, has_exited };
        }
        // In this order: after the end of a stream its head moves no more.
        let ended = self.reader.control().load(control::EOF);
        Seen { head: self.reader.head(), ended, has_exited }
    }

    /// What is said from now on is not wanted.
    pub fn stop_here(&mut self) {
        let head = self.reader.head();
        self.until.get_or_insert(head);
    }

    /// Gives up: what waits and what was wanted will not come to the target.
    pub fn give_up(&mut self) {
        let wanted = if self.source == Source::In { 0 } else { self.until.unwrap_or_else(|| self.reader.head()) };
        self.missed += self.waiting().len() as u64 + wanted.saturating_sub(self.at.offset);
        self.at.offset = self.at.offset.max(wanted);
        let rest = self.waiting().len();
        self.took(rest);
    }

    /// Returns whether all that will ever be wanted was taken from the history. `seen` is from before the last
    /// [`Self::take`].
    pub fn is_complete(&self, seen: Seen) -> bool {
        if self.source == Source::In {
            let goes_on = self.reader.control().load(control::GOES_ON) != 0;
            return self.until.is_some() || (seen.has_exited && !goes_on);
        }
        let goes_on = self.reader.control().load(control::GOES_ON) != 0;
        let has = |streams: &[Stream]| streams.iter().all(|stream| seen.ended & stream.bit() != 0);
        let has_ended = match self.source.stream() {
            _ if goes_on => false,
            Some(stream) => has(&[stream]),
            None => has(&[Stream::Terminal]) || has(&[Stream::Out, Stream::Err]),
        };
        self.until.is_some_and(|until| self.at.offset >= until) || (has_ended && self.at.offset >= seen.head)
    }

    fn room(&self) -> usize {
        let most = if self.policy == Policy::DropNewest || self.source == Source::In { QUEUE } else { CHUNK };
        most.saturating_sub(self.waiting().len())
    }

    /// Returns whether no more may wait.
    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// Takes what the history has, as far as more may wait.
    pub fn take(&mut self) {
        while self.source != Source::In && !self.is_full() {
            let left = self.until.map_or(u64::MAX, |until| until.saturating_sub(self.at.offset));
            let want = self.room().min(PIECE).min(usize::try_from(left).unwrap_or(usize::MAX));
            if want == 0 || !self.take_piece(want) {
                return;
            }
        }
    }

    /// Takes one piece; `false` when there is none.
    fn take_piece(&mut self, want: usize) -> bool {
        let from = self.at.offset;
        let is_plain = self.cook.is_plain();
        let start = self.waiting.len();
        if is_plain {
            self.waiting.resize(start + want, 0);
        }
        let room = self.piece.len();
        let out = if is_plain { &mut self.waiting[start..] } else { &mut self.piece[..want.min(room)] };
        let step = self.reader.step(&mut self.at, out);
        let mut kept = 0;
        match step {
            Ok(Some(Step::Bytes(stream, len))) if self.source.stream().is_none_or(|only| only == stream) => {
                kept = len;
                if !is_plain {
                    self.cook.feed(&self.piece[..len], self.at.time, &mut self.waiting);
                }
            }
            Err(gap) => self.jump(from, gap.oldest),
            Ok(_) => {}
        }
        if is_plain {
            self.waiting.truncate(start + kept);
        }
        !matches!(step, Ok(None))
    }

    /// Bytes were overwritten before they were taken.
    fn jump(&mut self, from: u64, oldest: u64) {
        let to = match self.policy {
            // What comes while no more can wait is skipped, all of it.
            Policy::DropNewest if oldest > from => self.reader.head(),
            _ => oldest.max(from),
        };
        self.skip(from, self.until.map_or(to, |until| to.min(until)));
    }

    fn skip(&mut self, from: u64, to: u64) {
        // Only the index may have been overrun, and the bytes be there.
        self.missed += to.saturating_sub(from);
        self.at = self.reader.position(to.max(from));
        if to > from {
            self.cook.gap();
        }
    }

    /// The target takes nothing now: with [`Policy::DropNewest`] and no room, what came meanwhile is skipped.
    pub fn skip_newest(&mut self) {
        if self.policy == Policy::DropNewest && self.source != Source::In && self.is_full() {
            let head = self.until.unwrap_or_else(|| self.reader.head());
            if head > self.at.offset {
                self.skip(self.at.offset, head);
            }
        }
    }

    /// Takes input that was written to the program at `time`; with no room, the policy says which bytes go.
    pub fn take_input(&mut self, bytes: &[u8], time: u64) {
        self.cook.feed(bytes, time, &mut self.waiting);
        let surplus = self.waiting().len().saturating_sub(QUEUE);
        self.missed += surplus as u64;
        if self.policy == Policy::DropNewest {
            self.waiting.truncate(self.waiting.len() - surplus);
        } else {
            self.took(surplus);
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
