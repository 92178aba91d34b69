//! What several sessions said, in the order in which they said it.
//!
//! Each session is read over a connection of its own, and only when its next line is wanted: a socket that is full makes the
//! daemon wait, so a year of one service is never held here while another's is looked for.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::cli::feed::Lane;
use crate::cli::whole_lines::Piece;
use crate::cli::whole_lines::WholeLines;
use crate::client::Error;
use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::term::Line;
use crate::term::Lines;

/// A line, and what it is sorted by.
struct Dated {
    time: u64,
    stream: Stream,
    line: Line,
}

/// One session: where it is read, and the lines that were cut from that.
pub struct Merged {
    lane: Lane,
    lines: [Lines; 3],
    whole: [WholeLines; 3],
    ready: VecDeque<Dated>,
    /// Time of the newest line: a line that took long to come to its end is not moved before those that were told.
    newest: u64,
    /// A last line without an end is one too; it is none where more will come.
    finishes: bool,
    is_over: bool,
}

/// What comes next of all.
pub enum Next {
    /// A line of a session.
    Line(Stream, Line),
    /// So many of its bytes are gone.
    Missed(u64),
    /// What was before this offset is gone.
    Torn(u64),
}

impl Merged {
    /// Starts to read.
    pub fn new(lane: Lane, is_raw: bool, finishes: bool) -> Self {
        let lines = [Stream::Terminal, Stream::Out, Stream::Err].map(|_| Lines::new(is_raw));
        Self { lane, lines, whole: Default::default(), ready: VecDeque::new(), newest: 0, finishes, is_over: false }
    }

    /// Returns where it was read up to, the lines that did not come to their end, and what may be none.
    pub fn leave(self) -> (Option<u64>, [Lines; 3], [WholeLines; 3]) {
        (self.lane.offset(), self.lines, self.whole)
    }

    fn finish(&mut self) {
        if !self.finishes {
            return;
        }
        for stream in [Stream::Terminal, Stream::Out, Stream::Err] {
            let held = self.whole[stream as usize].finish();
            self.cut(stream, &held);
            let lines = &mut self.lines[stream as usize];
            if let Some(line) = lines.finish() {
                self.ready.push_back(Dated { time: line.time.max(self.newest), stream, line });
            }
        }
    }

    fn cut(&mut self, stream: Stream, piece: &Piece) {
        let (ready, newest) = (&mut self.ready, &mut self.newest);
        self.lines[stream as usize].feed(piece.at, piece.time, &piece.bytes, |line| {
            *newest = line.time.max(*newest);
            ready.push_back(Dated { time: *newest, stream, line });
        });
    }

    /// Reads until there is a line or nothing more comes; returns what is gone.
    fn fill(&mut self) -> Result<Option<Next>, Error> {
        while self.ready.is_empty() && !self.is_over {
            match self.lane.next()? {
                None => {
                    self.is_over = true;
                    self.finish();
                }
                Some(Chunk::Bytes { stream, at, time_us: time, bytes }) => {
                    let piece = self.whole[stream as usize].feed(Piece { at, time, bytes });
                    self.cut(stream, &piece);
                }
                Some(Chunk::Missed { bytes, .. }) => {
                    self.whole.iter_mut().for_each(WholeLines::torn);
                    return Ok(Some(Next::Missed(bytes)));
                }
                Some(Chunk::Torn { at }) => {
                    self.whole.iter_mut().for_each(WholeLines::torn);
                    return Ok(Some(Next::Torn(at)));
                }
                Some(Chunk::Resize { .. } | Chunk::Exit { .. } | Chunk::End(_)) => {}
            }
        }
        Ok(None)
    }
}

/// Hands over all lines of all sessions in their order, until `each` breaks.
pub fn read(
    all: &mut [Merged],
    each: &mut dyn FnMut(usize, Next) -> ControlFlow<u8>,
) -> Result<ControlFlow<u8>, Error> {
    loop {
        for (n, merged) in all.iter_mut().enumerate() {
            while let Some(gone) = merged.fill()? {
                if let ControlFlow::Break(code) = each(n, gone) {
                    return Ok(ControlFlow::Break(code));
                }
            }
        }
        let first = all.iter().enumerate().filter_map(|(n, merged)| Some((merged.ready.front()?.time, n))).min();
        let Some((_, n)) = first else { return Ok(ControlFlow::Continue(())) };
        let Some(Dated { stream, line, .. }) = all[n].ready.pop_front() else { continue };
        if let ControlFlow::Break(code) = each(n, Next::Line(stream, line)) {
            return Ok(ControlFlow::Break(code));
        }
    }
}
