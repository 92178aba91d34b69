//! History as an asciicast (version 2): a recording made after the fact, for players.
//!
//! A cast is text, so bytes that are no UTF-8 become U+FFFD, and a character that was cut between two reads is told with
//! the second. Exact bytes are `logs --raw`. Times never go back, whatever the clock did.

use std::fmt::Write;

use serde_json::Value;
use serde_json::json;

use super::size::Size;

/// What a cast begins with.
#[derive(Clone, Debug, Default)]
pub struct CastHeader {
    /// Size of the terminal at the start.
    pub size: Size,
    /// Wall-clock microseconds of its first event.
    pub start_us: u64,
    /// Its title.
    pub title: String,
    /// The command that was recorded.
    pub command: String,
    /// Longest pause a player makes, in milliseconds.
    pub idle_limit_ms: Option<u64>,
    /// Names and values of the environment that matter to players.
    pub env: Vec<(String, String)>,
    /// Offset of the first byte, if the history no longer begins at its first one.
    pub from: Option<u64>,
}

/// Writes events.
pub struct Cast {
    start_us: u64,
    last_us: u64,
    size: Size,
    is_pipe: bool,
    held: [Vec<u8>; 3],
}

impl Cast {
    /// Starts a cast; with its first line. A pipe's line feeds also return the carriage.
    #[must_use]
    pub fn begin(header: &CastHeader, is_pipe: bool) -> (Cast, String) {
        let mut line = json!({
            "version": 2,
            "width": header.size.cols(),
            "height": header.size.rows(),
            "timestamp": header.start_us / 1_000_000,
            "title": header.title,
            "command": header.command,
            "env": header.env.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        });
        if let Some(limit) = header.idle_limit_ms {
            line["idle_time_limit"] = json!(f64::from(u32::try_from(limit).unwrap_or(u32::MAX)) / 1000.0);
        }
        if let Some(from) = header.from {
            line["runpm"] = json!({ "from": from });
        }
        let cast = Cast {
            start_us: header.start_us,
            last_us: header.start_us,
            size: header.size,
            is_pipe,
            held: Default::default(),
        };
        (cast, format!("{line}\n"))
    }

    /// Returns the event for bytes of a stream (0 to 2); nothing while they are only a part of a character.
    pub fn output(&mut self, stream: usize, time_us: u64, bytes: &[u8]) -> String {
        let text = decode(&mut self.held[stream.min(2)], bytes);
        self.text(time_us, &text)
    }

    /// Returns the event for a new size; nothing if it is not new.
    pub fn resize(&mut self, time_us: u64, size: Size) -> String {
        if size == std::mem::replace(&mut self.size, size) {
            return String::new();
        }
        self.event(time_us, "r", &size.to_string())
    }

    /// Returns a mark with a label; players show it on their time line.
    pub fn mark(&mut self, time_us: u64, label: &str) -> String {
        self.event(time_us, "m", label)
    }

    /// Returns what was left of characters that never came to their end.
    pub fn finish(&mut self) -> String {
        let left = self.held.iter_mut().map(std::mem::take).filter(|held| !held.is_empty()).count();
        self.text(self.last_us, &"\u{fffd}".repeat(left))
    }

    fn text(&mut self, time_us: u64, text: &str) -> String {
        match (text.is_empty(), self.is_pipe) {
            (true, _) => String::new(),
            (false, true) => self.event(time_us, "o", &text.replace('\n', "\r\n")),
            (false, false) => self.event(time_us, "o", text),
        }
    }

    fn event(&mut self, time_us: u64, code: &str, data: &str) -> String {
        self.last_us = self.last_us.max(time_us);
        let since = self.last_us - self.start_us;
        let mut line = String::new();
        let (seconds, micros) = (since / 1_000_000, since % 1_000_000);
        let _ = writeln!(line, "[{seconds}.{micros:06}, \"{code}\", {}]", Value::from(data));
        line
    }
}

/// Returns the text in `held` and `bytes`; a character that is not complete stays in `held`.
fn decode(held: &mut Vec<u8>, bytes: &[u8]) -> String {
    held.extend_from_slice(bytes);
    let mut text = String::with_capacity(held.len());
    let mut rest = &held[..];
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                held.clear();
                return text;
            }
            Err(error) => {
                let (valid, invalid) = rest.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                let Some(len) = error.error_len() else {
                    let tail = invalid.to_vec();
                    *held = tail;
                    return text;
                };
                text.push('\u{fffd}');
                rest = &invalid[len..];
            }
        }
    }
}

/// Returns where in the middle of a history a cast may begin: after the first line feed or at the first escape, whichever
/// comes first. Before that the bytes may be the second half of something.
#[must_use]
pub fn cast_start(bytes: &[u8]) -> Option<usize> {
    let at = bytes.iter().position(|byte| matches!(byte, b'\n' | 0x1b))?;
    Some(if bytes[at] == b'\n' { at + 1 } else { at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(is_pipe: bool) -> Cast {
        Cast::begin(&CastHeader { start_us: 1_000_000, ..CastHeader::default() }, is_pipe).0
    }

    #[test]
    fn the_header_is_what_players_want() {
        let header = CastHeader {
            size: Size::clamped(30, 100),
            start_us: 1_700_000_000_900_000,
            title: "a \"b\"\n".into(),
            idle_limit_ms: Some(2500),
            from: Some(7),
            ..CastHeader::default()
        };
        let (_, line) = Cast::begin(&header, false);
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&value["version"], &value["width"], &value["height"]), (&json!(2), &json!(100), &json!(30)));
        assert_eq!((&value["timestamp"], &value["idle_time_limit"]), (&json!(1_700_000_000), &json!(2.5)));
        assert_eq!((&value["title"], &value["runpm"]["from"]), (&json!("a \"b\"\n"), &json!(7)));
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn characters_that_were_cut_are_told_whole_and_what_is_none_is_replaced() {
        let mut cast = begin(false);
        assert_eq!(cast.output(0, 1_500_000, b"a\xe2\x82"), "[0.500000, \"o\", \"a\"]\n");
        assert_eq!(cast.output(0, 2_000_001, b"\xac\xffb\x1b"), "[1.000001, \"o\", \"\u{20ac}\u{fffd}b\\u001b\"]\n");
        assert_eq!(cast.output(0, 2_000_001, b"\xf0\x9f"), "");
        assert_eq!(cast.finish(), "[1.000001, \"o\", \"\u{fffd}\"]\n");
        assert_eq!(cast.finish(), "");
    }

    #[test]
    fn streams_of_a_pipe_never_share_a_character_and_their_lines_begin_on_the_left() {
        let mut cast = begin(true);
        assert_eq!(cast.output(1, 1_000_000, b"\xc3"), "");
        assert_eq!(cast.output(2, 1_000_000, b"e\n"), "[0.000000, \"o\", \"e\\r\\n\"]\n");
        assert_eq!(cast.output(1, 1_000_000, b"\xa9\n"), "[0.000000, \"o\", \"\u{e9}\\r\\n\"]\n");
    }

    #[test]
    fn time_never_goes_back_and_a_size_is_told_once() {
        let mut cast = begin(false);
        assert_eq!(cast.resize(3_000_000, Size::default()), "");
        assert_eq!(cast.resize(3_000_000, Size::clamped(10, 20)), "[2.000000, \"r\", \"20x10\"]\n");
        assert_eq!(cast.output(0, 0, b"x"), "[2.000000, \"o\", \"x\"]\n");
        assert_eq!(cast.mark(4_000_000, "exited 0"), "[3.000000, \"m\", \"exited 0\"]\n");
    }

    #[test]
    fn a_cast_from_the_middle_begins_where_nothing_is_cut() {
        assert_eq!(cast_start(b"1;31mred\nnext"), Some(9));
        assert_eq!(cast_start(b"1;31mred\x1b[0m\n"), Some(8));
        assert_eq!(cast_start(b"no end"), None);
    }
}
