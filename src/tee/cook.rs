//! What options make of bytes on their way to a target: lines with times, text without escape sequences.
//!
//! Pure: times come with the bytes, how they are written is given. With neither option, bytes stay as they are.

use crate::term::Strip;

/// Writes the time of a line.
pub type TimeText = fn(u64) -> String;

/// Changes bytes, wherever they are cut.
pub struct Cook {
    strip: Option<Strip>,
    stamps: Option<Stamps>,
    plain: Vec<u8>,
}

struct Stamps {
    write: TimeText,
    is_line_start: bool,
    /// The newest time and its text: many lines share one.
    last: (u64, String),
}

impl Cook {
    /// `strip` leaves escape sequences out; `stamps` begins each line with its time.
    #[must_use]
    pub fn new(strip: bool, stamps: Option<TimeText>) -> Self {
        let stamps = stamps.map(|write| Stamps { write, is_line_start: true, last: (0, String::new()) });
        Self { strip: strip.then(Strip::new), stamps, plain: Vec::new() }
    }

    /// Returns whether bytes stay as they are.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.strip.is_none() && self.stamps.is_none()
    }

    /// Appends what becomes of `bytes`, which were said at `time`.
    pub fn feed(&mut self, bytes: &[u8], time: u64, out: &mut Vec<u8>) {
        let bytes = match &mut self.strip {
            Some(strip) => {
                self.plain.clear();
                strip.filter(bytes, &mut self.plain);
                &self.plain
            }
            None => bytes,
        };
        match &mut self.stamps {
            Some(stamps) => stamps.feed(bytes, time, out),
            None => out.extend_from_slice(bytes),
        }
    }

    /// Bytes are missing here: what follows belongs to no sequence that was begun before.
    pub fn gap(&mut self) {
        if let Some(strip) = &mut self.strip {
            *strip = Strip::new();
        }
    }
}

impl Stamps {
    fn feed(&mut self, bytes: &[u8], time: u64, out: &mut Vec<u8>) {
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            if self.is_line_start {
                if self.last.1.is_empty() || self.last.0 != time {
                    self.last = (time, (self.write)(time));
                }
                out.extend_from_slice(self.last.1.as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(line);
            self.is_line_start = line.ends_with(b"\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cooked(cook: &mut Cook, pieces: &[(&[u8], u64)]) -> String {
        let mut out = Vec::new();
        for (bytes, time) in pieces {
            cook.feed(bytes, *time, &mut out);
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn w44_each_line_has_the_time_of_its_first_byte_whatever_the_cuts() {
        let mut cook = Cook::new(false, Some(|time| format!("t{time}")));
        let text = cooked(&mut cook, &[(b"a", 1), (b"b\n", 2), (b"c\n\nd", 3), (b"", 4), (b"e\nf", 5)]);
        assert_eq!(text, "t1 ab\nt3 c\nt3 \nt3 de\nt5 f");
    }

    #[test]
    fn stripped_lines_have_times_and_a_gap_ends_a_begun_sequence() {
        let mut cook = Cook::new(true, Some(|time| format!("t{time}")));
        assert_eq!(cooked(&mut cook, &[(b"\x1b[1mred\x1b[0m\r\nx\x1b]0;begun", 7)]), "t7 red\nt7 x");
        cook.gap();
        assert_eq!(cooked(&mut cook, &[(b"y\r\n", 8)]), "y\n");
    }

    #[test]
    fn without_options_bytes_stay_as_they_are() {
        let mut cook = Cook::new(false, None);
        assert!(cook.is_plain());
        let all: Vec<u8> = (0..=255).collect();
        let mut out = Vec::new();
        cook.feed(&all, 1, &mut out);
        assert_eq!(out, all);
    }
}
