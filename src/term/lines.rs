//! One stream cut into lines, each with the offset and the time of its first byte.
//!
//! Cut at line feeds and nowhere else: a carriage return inside a line is text. What comes in may be cut anywhere.
//! *Invariant:* every byte that is not stripped is in exactly one line, and no line is longer than [`LONGEST`] and a piece.

use super::strip::Strip;

/// Bytes of a line after which it is handed over unfinished: a stream without line feeds must not grow without bound.
pub const LONGEST: usize = 1 << 20;

/// A line without its line feed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// Offset of its first byte in the history.
    pub at: u64,
    /// When that byte was said, in whatever unit the lines were fed with.
    pub time: u64,
    /// Its text; UTF-8 unless the lines are raw.
    pub text: Vec<u8>,
}

/// Cuts one stream into lines.
pub struct Lines {
    strip: Option<Strip>,
    begun: Option<Line>,
}

impl Lines {
    /// Starts at the beginning of a line; `is_raw` lines keep their escape sequences and carriage returns.
    #[must_use]
    pub fn new(is_raw: bool) -> Lines {
        Lines { strip: (!is_raw).then(Strip::new), begun: None }
    }

    /// Takes bytes that begin at offset `at` and were said at `time`; hands over each line that they complete.
    pub fn feed(&mut self, at: u64, time: u64, bytes: &[u8], mut each: impl FnMut(Line)) {
        let mut at = at;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = self.begun.get_or_insert(Line { at, time, text: Vec::new() });
            match &mut self.strip {
                Some(strip) => strip.filter(piece, &mut line.text),
                None => line.text.extend_from_slice(piece),
            }
            at += piece.len() as u64;
            // A line feed inside a string (a title, a picture) ends no line: it was dropped.
            let is_whole = line.text.last() == Some(&b'\n');
            if is_whole {
                line.text.pop();
            }
            if is_whole || line.text.len() > LONGEST {
                self.begun.take().into_iter().for_each(&mut each);
            }
        }
    }

    /// Returns the line that was begun, as far as it has come.
    #[must_use]
    pub const fn begun(&self) -> Option<&Line> {
        self.begun.as_ref()
    }

    /// Returns the unfinished last line, if it has text, and starts over: what comes next may be from elsewhere.
    pub fn finish(&mut self) -> Option<Line> {
        if let Some(strip) = &mut self.strip {
            *strip = Strip::new();
        }
        self.begun.take().filter(|line| !line.text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(bytes: &[u8], cuts: &[usize], is_raw: bool) -> Vec<Line> {
        let (mut lines, mut found, mut at) = (Lines::new(is_raw), Vec::new(), 0);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        for end in cuts.into_iter().chain([bytes.len()]) {
            lines.feed(at as u64, 0, &bytes[at..end.max(at)], |line| found.push(line));
            at = at.max(end);
        }
        found.extend(lines.finish());
        found
    }

    #[test]
    fn lines_know_where_and_when_they_began() {
        let (mut lines, mut found) = (Lines::new(false), Vec::new());
        lines.feed(10, 1, b"\x1b[1mone\r\ntw", |line| found.push(line));
        lines.feed(21, 2, b"o\n\n\x1b]0;a\nb\x07rest", |line| found.push(line));
        found.extend(lines.finish());
        let shown: Vec<_> =
            found.iter().map(|line| (line.at, line.time, String::from_utf8_lossy(&line.text).into_owned())).collect();
        let wanted = [(10, 1, "one"), (19, 1, "two"), (23, 2, ""), (24, 2, "rest")];
        let wanted = wanted.map(|(at, time, text)| (at, time, text.to_owned()));
        assert_eq!(shown, wanted);
    }

    #[test]
    fn raw_lines_keep_everything_but_their_line_feed_and_sequences_alone_make_no_line() {
        let raw = cut(b"\x1b[1ma\r\n\xff", &[], true);
        assert_eq!(raw.iter().map(|line| &line.text[..]).collect::<Vec<_>>(), [&b"\x1b[1ma\r"[..], b"\xff"]);
        assert_eq!(cut(b"a\n\x1b[0m", &[], false).len(), 1);
    }

    #[test]
    fn a_line_without_end_is_handed_over_in_parts() {
        let mut parts = 0;
        let mut lines = Lines::new(false);
        for n in 0..5 {
            lines.feed(n << 19, 0, &vec![b'x'; 1 << 19], |line| {
                assert!(line.text.len() <= LONGEST + (1 << 19));
                parts += 1;
            });
        }
        assert_eq!(parts, 1);
    }

    const PIECES: [&[u8]; 13] = [
        b"text",
        b"\n",
        b"\r\n",
        "\u{e9}\u{4f60}".as_bytes(),
        b"\xff\xc3",
        b"\x1b[1;38;5;9m",
        b"\x1b]0;title\x07",
        b"\x1bP1$q\n",
        b"\x1b\\",
        b"\x1b[",
        b"\t",
        b"\x9b1m",
        b"\x18",
    ];

    proptest! {
        #[test]
        fn lines_are_the_same_wherever_the_stream_is_cut(
            pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
            is_raw in any::<bool>(),
        ) {
            let bytes = pieces.concat();
            let whole = cut(&bytes, &[], is_raw);
            prop_assert_eq!(&cut(&bytes, &cuts, is_raw), &whole);
            for line in &whole {
                prop_assert!(is_raw || std::str::from_utf8(&line.text).is_ok_and(|text| !text.contains(|c: char| c.is_control() && c != '\t')));
            }
        }
    }
}
