//! Output cut into lines, each with the history offsets of its characters, and a pattern looked for in each line.
//!
//! *Invariant:* where the stream is cut changes nothing: a line is judged when it is complete, and the unfinished last line only when
//! the owner of the clock asks. What is carried over is bounded by [`LINE`].

use regex::bytes::Regex;

use crate::term::Strip;

/// Longest line that is matched as one, in bytes; a longer one is matched in pieces of this length.
pub const LINE: usize = 64 << 10;

/// A match in the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What matched.
    pub text: String,
    /// The groups of the pattern, from 1; none for one that took no part.
    pub captures: Vec<Option<String>>,
    /// History offset behind the last matched byte: where the next wait goes on.
    pub offset: u64,
}

/// Reads a stream line by line and counts what it looks for.
pub struct Lines {
    /// None looks at raw bytes.
    strip: Option<Strip>,
    pattern: Option<Regex>,
    wanted: u64,
    /// Lines, or matches in complete lines, so far.
    counted: u64,
    line: Vec<u8>,
    /// Where runs of the line come from: position in the line, offset of that byte. Sorted.
    origins: Vec<(usize, u64)>,
    /// Offset where the line began.
    begin: u64,
    /// Lines that are still passed over.
    skip: u64,
    plain: Vec<u8>,
}

impl Lines {
    /// Looks for the `wanted`th match of a pattern, or without one for the end of the `wanted`th line, from `offset` on.
    #[must_use]
    pub fn new(pattern: Option<Regex>, wanted: u64, is_raw: bool, offset: u64) -> Self {
        Self {
            strip: (!is_raw).then(Strip::new),
            pattern,
            wanted: wanted.max(1),
            counted: 0,
            line: Vec::new(),
            origins: Vec::new(),
            begin: offset,
            skip: 0,
            plain: Vec::new(),
        }
    }

    /// Passes over the first lines, which only echo what was typed.
    #[must_use]
    pub const fn after_lines(mut self, lines: u64) -> Self {
        self.skip = lines;
        self
    }

    /// Reads bytes whose first one has offset `at`.
    pub fn read(&mut self, at: u64, bytes: &[u8]) -> Option<Found> {
        let mut done = 0;
        while done < bytes.len() {
            // Printable characters make text or are part of a sequence that some other byte began.
            let run = bytes[done..].iter().take_while(|byte| (0x20..0x7f).contains(*byte)).count().clamp(1, LINE / 2);
            let (piece, offset) = (&bytes[done..done + run], at + done as u64);
            done += run;
            let found = if self.strip.is_some() { self.read_stripped(offset, piece) } else { self.take(offset, piece) };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Takes the text out of a run of printable characters, or out of one other byte.
    fn read_stripped(&mut self, offset: u64, piece: &[u8]) -> Option<Found> {
        let Some(strip) = &mut self.strip else { return None };
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        strip.filter(piece, &mut plain);
        // What was still part of a sequence comes first, so the text is the end of the run. A broken character that this
        // run ended stands before it and has the run's own offset.
        let extra = plain.len().saturating_sub(piece.len());
        let (broken, text) = plain.split_at(extra);
        let first = offset + (piece.len() - text.len()) as u64;
        let found = self.take(offset, broken).or_else(|| self.take(first, text));
        self.plain = plain;
        found
    }

    /// Adds text to the line; its first byte has this offset.
    fn take(&mut self, mut offset: u64, mut text: &[u8]) -> Option<Found> {
        if text == b"\n" {
            return self.end_line(offset + 1, true);
        }
        while !text.is_empty() {
            let is_next = self.origins.last().is_some_and(|(at, from)| from + (self.line.len() - at) as u64 == offset);
            if !is_next {
                self.origins.push((self.line.len(), offset));
            }
            let (now, later) = text.split_at(text.len().min(LINE - self.line.len()));
            self.line.extend_from_slice(now);
            offset += now.len() as u64;
            text = later;
            if self.line.len() == LINE {
                let found = self.end_line(offset, false);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// A line is complete, or a piece of one that is too long.
    fn end_line(&mut self, end: u64, is_complete: bool) -> Option<Found> {
        let (found, in_line) = match (self.skip, &self.pattern) {
            (0, None) if !is_complete => (None, 0),
            (0, _) => self.judge(Some(end)),
            _ => (None, 0),
        };
        self.skip -= u64::from(self.skip > 0 && is_complete);
        self.counted += in_line;
        self.line.clear();
        self.origins.clear();
        self.begin = end;
        found
    }

    /// Looks at the unfinished last line; it counts as a line for a pattern, not for a number of lines.
    #[must_use]
    pub fn rest(&self) -> Option<Found> {
        if self.skip > 0 || self.line.is_empty() { None } else { self.judge(None).0 }
    }

    /// Returns the match that makes the number full, or how many the line has.
    fn judge(&self, end: Option<u64>) -> (Option<Found>, u64) {
        let left = self.wanted - self.counted;
        let Some(pattern) = &self.pattern else {
            let Some(end) = end else { return (None, 0) };
            let text = String::from_utf8_lossy(&self.line).into_owned();
            return ((left == 1).then_some(Found { text, captures: Vec::new(), offset: end }), 1);
        };
        let mut count = 0;
        for captures in pattern.captures_iter(&self.line) {
            count += 1;
            if count == left {
                let Some(whole) = captures.get(0) else { continue };
                let text = |part: regex::bytes::Match<'_>| String::from_utf8_lossy(part.as_bytes()).into_owned();
                let groups = captures.iter().skip(1).map(|group| group.map(text)).collect();
                return (Some(Found { text: text(whole), captures: groups, offset: self.origin(whole.end()) }), count);
            }
        }
        (None, count)
    }

    /// Returns the history offset behind the first `len` bytes of the line.
    fn origin(&self, len: usize) -> u64 {
        let Some(last) = len.checked_sub(1) else { return self.begin };
        let after = self.origins.partition_point(|(at, _)| *at <= last);
        let (at, from) = after.checked_sub(1).map_or((0, self.begin), |n| self.origins[n]);
        from + (last - at) as u64 + 1
    }
}
