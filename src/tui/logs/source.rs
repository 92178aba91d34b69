//! One history of the logs view: cut into lines at its new end, and piece by piece further back at its old one.
//!
//! *Invariant:* a line that lies across two pieces is put together: what a piece has before its first line feed waits for the piece
//! before it.

use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::session::id::SessionId;
use crate::session::text;
use crate::term::Line;
use crate::term::Lines;
use crate::tui::logs::Said;

/// Bytes of a piece that is read further back.
pub const PIECE: u64 = 256 << 10;
/// Most bytes of a line that are kept.
const LONGEST: usize = 8 << 10;
/// Columns of a tabulator.
const TAB: usize = 8;

/// All streams, in the order of their numbers.
const ALL: [Stream; 3] = [Stream::Terminal, Stream::Out, Stream::Err];

/// A piece of older history while it comes.
#[derive(Default)]
struct Piece {
    /// Stream, offset, time and bytes, in their order.
    parts: Vec<(Stream, u64, u64, Vec<u8>)>,
    /// Its first byte.
    from: u64,
}

/// See the module.
pub struct Source {
    /// The session.
    pub id: SessionId,
    /// Its name.
    pub name: String,
    /// It has two streams to tell apart.
    pub has_streams: bool,
    /// Channel of what comes; 0 without one.
    pub channel: u32,
    /// Channel of what was; 0 without one.
    pub older_channel: u32,
    /// Offset of the oldest byte that can be had.
    floor: u64,
    /// Offset of the next byte.
    next: Option<u64>,
    /// Offset of the oldest byte that was cut into lines.
    oldest: Option<u64>,
    /// Time of the oldest line that is kept.
    oldest_us: u64,
    /// Time of the newest line: one that took long to come to its end is not moved before those that are shown.
    newest_us: u64,
    lines: [Lines; 3],
    /// Of each stream, what stands before its first line feed in the oldest piece.
    tails: [Vec<u8>; 3],
    piece: Option<Piece>,
}

fn cutters() -> [Lines; 3] {
    ALL.map(|_| Lines::new(false))
}

impl Source {
    /// Starts with nothing read; the oldest byte that can be had is at `floor`.
    #[must_use]
    pub fn new(id: SessionId, name: String, has_streams: bool, floor: u64) -> Self {
        Self {
            id,
            name,
            has_streams,
            channel: 0,
            older_channel: 0,
            floor,
            next: None,
            oldest: None,
            oldest_us: u64::MAX,
            newest_us: 0,
            lines: cutters(),
            tails: Default::default(),
            piece: None,
        }
    }

    /// It goes on in another session: what is kept stays, what was before cannot be read further back.
    pub(super) fn succeed(&mut self, id: SessionId) {
        let (name, newest_us) = (std::mem::take(&mut self.name), self.newest_us);
        *self = Self { newest_us, ..Self::new(id, name, self.has_streams, 0) };
    }

    pub(super) fn restart(&mut self) {
        let (id, name) = (self.id, std::mem::take(&mut self.name));
        *self = Self::new(id, name, self.has_streams, self.floor);
    }

    /// Returns the offset of the next byte, once one came.
    #[must_use]
    pub const fn next(&self) -> Option<u64> {
        self.next
    }

    /// Returns the piece that is to be read to go further back, and marks it as read on a channel.
    pub fn read_older(&mut self, channel: u32) -> Option<(u64, u64)> {
        let until = self.oldest.filter(|oldest| *oldest > self.floor)?;
        let from = until.saturating_sub(PIECE).max(self.floor);
        self.older_channel = channel;
        self.piece = Some(Piece { parts: Vec::new(), from });
        Some((from, until))
    }

    /// Starts with everything from an offset on being known.
    #[cfg(test)]
    pub(super) const fn begin_at(&mut self, offset: u64) {
        (self.oldest, self.oldest_us) = (Some(offset), offset);
    }

    /// Reads older lines from an offset on.
    #[cfg(test)]
    pub(super) fn read_from(&mut self, channel: u32, from: u64) {
        self.older_channel = channel;
        self.piece = Some(Piece { parts: Vec::new(), from });
    }

    /// Returns whether older lines are on their way.
    #[must_use]
    pub const fn is_reading_older(&self) -> bool {
        self.older_channel > 0
    }

    /// What was on its way will not come.
    pub fn lose_older(&mut self) {
        self.older_channel = 0;
        self.piece = None;
    }

    /// Older lines cannot be had.
    pub fn refuse_older(&mut self) {
        self.floor = self.oldest.unwrap_or(u64::MAX);
        self.lose_older();
    }

    /// Returns the time before which lines of it may be missing.
    #[must_use]
    pub fn horizon(&self) -> Option<u64> {
        let has_more = self.oldest.is_some_and(|oldest| oldest > self.floor);
        (has_more && self.oldest_us < u64::MAX).then_some(self.oldest_us)
    }

    /// Lines at its old end were given up; the oldest one that is left is of that offset and time, or the newest are gone too.
    pub(super) fn forgot(&mut self, left: Option<(u64, u64)>, gone_us: u64) {
        let (at, time_us) = left.unwrap_or((self.next.unwrap_or(0), gone_us));
        (self.oldest, self.oldest_us) = (Some(at), time_us);
        self.tails = Default::default();
    }

    /// Returns a line that has no end yet.
    #[must_use]
    pub fn begun(&self) -> Option<(Stream, String)> {
        ALL.into_iter().find_map(|stream| {
            let line = self.lines[stream as usize].begun().filter(|line| !line.text.is_empty())?;
            Some((stream, shown(&line.text)))
        })
    }

    fn said(&mut self, n: usize, stream: Stream, line: &Line) -> Said {
        self.newest_us = self.newest_us.max(line.time);
        self.oldest_us = self.oldest_us.min(self.newest_us);
        said(n, stream, (line.at, self.newest_us), shown(&line.text))
    }

    fn note(&mut self, n: usize, text: String) -> Said {
        Said { is_note: true, ..said(n, Stream::Terminal, (self.next.unwrap_or(0), self.newest_us), text) }
    }

    pub(super) fn take(&mut self, n: usize, chunk: Chunk, out: &mut Vec<Said>) {
        match chunk {
            Chunk::Bytes { at, stream, time_us, bytes } => {
                self.oldest.get_or_insert(at);
                self.next = Some(at + bytes.len() as u64);
                let mut cut = Vec::new();
                self.lines[stream as usize].feed(at, time_us, &bytes, |line| cut.push(line));
                out.extend(cut.iter().map(|line| self.said(n, stream, line)));
            }
            Chunk::Missed { at, bytes } => {
                self.next = self.next.map(|next| next.max(at + bytes));
                self.finish(n, out);
                out.push(self.note(n, format!("{bytes} bytes were gone before they could be read")));
            }
            Chunk::Torn { at } => self.floor = self.floor.max(at),
            Chunk::End(_) => {
                self.finish(n, out);
                self.channel = 0;
            }
            Chunk::Resize { .. } | Chunk::Exit { .. } => {}
        }
    }

    fn finish(&mut self, n: usize, out: &mut Vec<Said>) {
        for stream in ALL {
            if let Some(line) = self.lines[stream as usize].finish() {
                out.push(self.said(n, stream, &line));
            }
        }
    }

    /// Collects older bytes; at their end, returns their lines, which come before all others of this source.
    pub(super) fn take_older(&mut self, n: usize, chunk: Chunk) -> Option<Vec<Said>> {
        match chunk {
            Chunk::Bytes { at, stream, time_us, mut bytes } => {
                // Where the first bytes asked for were gone, as many came of what is known already.
                let unknown = self.oldest.unwrap_or(u64::MAX).saturating_sub(at);
                bytes.truncate(usize::try_from(unknown).unwrap_or(usize::MAX));
                self.piece.get_or_insert_default().parts.push((stream, at, time_us, bytes));
                None
            }
            Chunk::Missed { at, bytes } => {
                // What is behind the gap is all that is left.
                self.floor = self.floor.max(at + bytes);
                None
            }
            Chunk::End(_) => {
                let piece = self.piece.take().unwrap_or_default();
                self.older_channel = 0;
                Some(self.cut_older(n, piece))
            }
            Chunk::Torn { .. } | Chunk::Resize { .. } | Chunk::Exit { .. } => None,
        }
    }

    fn cut_older(&mut self, n: usize, piece: Piece) -> Vec<Said> {
        let (end, mut lines) = (self.oldest.unwrap_or(piece.from), cutters());
        let mut is_dropping = [piece.from > self.floor; 3];
        let mut tails: [Vec<u8>; 3] = Default::default();
        let mut found: Vec<(Stream, Line)> = Vec::new();
        let mut last_us = self.oldest_us;
        for (stream, at, time_us, bytes) in piece.parts {
            last_us = time_us;
            let which = stream as usize;
            let mut rest = bytes.as_slice();
            if is_dropping[which] {
                let feed = rest.iter().position(|byte| *byte == b'\n');
                let (head, after) = rest.split_at(feed.map_or(rest.len(), |feed| feed + 1));
                tails[which].extend_from_slice(head);
                is_dropping[which] = feed.is_none();
                rest = after;
            }
            let at = at + (bytes.len() - rest.len()) as u64;
            lines[which].feed(at, time_us, rest, |line| found.push((stream, line)));
        }
        for stream in ALL {
            let which = stream as usize;
            let tail = std::mem::take(&mut self.tails[which]);
            if is_dropping[which] {
                // No line feed in all of it: it is the middle of a line.
                tails[which].extend_from_slice(&tail);
            } else {
                lines[which].feed(end, last_us, &tail, |line| found.push((stream, line)));
                found.extend(lines[which].finish().map(|line| (stream, line)));
            }
            tails[which].truncate(LONGEST);
        }
        (self.tails, self.oldest) = (tails, Some(piece.from));
        self.in_order(n, &found)
    }

    /// Makes times of older lines such that they never go back, and never beyond those that are known.
    fn in_order(&mut self, n: usize, found: &[(Stream, Line)]) -> Vec<Said> {
        let (limit, mut newest) = (self.oldest_us, 0);
        let mut each = |(stream, line): &(Stream, Line)| {
            newest = line.time.max(newest).min(limit);
            said(n, *stream, (line.at, newest), shown(&line.text))
        };
        let all: Vec<Said> = found.iter().map(&mut each).collect();
        self.oldest_us = all.first().map_or(limit, |line| line.time_us);
        all
    }
}

fn said(source: usize, stream: Stream, (at, time_us): (u64, u64), text: String) -> Said {
    Said { source, stream, at, time_us, text, is_note: false, is_hit: false }
}

/// Returns a line's text as it is shown: tabulators as blanks, nothing hidden, not endless.
fn shown(bytes: &[u8]) -> String {
    let all = String::from_utf8_lossy(bytes);
    let line = text::shorten(all.trim_end_matches(['\r', '\n']), LONGEST);
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => out.push_str(&" ".repeat(TAB - out.chars().count() % TAB)),
            c if text::is_hidden(c) => {}
            c => out.push(c),
        }
    }
    out
}
