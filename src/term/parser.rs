//! The front tokeniser: bytes to text, controls and sequences, after Paul Williams' state machine.
//!
//! It knows after every byte whether it stands at ground, is independent of how the stream is split, and keeps no string over
//! `MAX_STRING` bytes: at that byte the string is given up and the rest is swallowed to its end. Swallowing is a place where a
//! checkpoint may be taken, so a checkpoint can always advance. It assigns no meaning; `Sink` does.

use serde::Deserialize;
use serde::Serialize;

/// Longest OSC, DCS, APC, PM or SOS string that is kept, in bytes after its introducer.
pub(super) const MAX_STRING: usize = 64 * 1024;
/// Most parameters and sub-parameters of one sequence; a sequence with more is dropped.
pub(super) const MAX_PARAMS: usize = 32;

/// Receives what the parser finds.
pub(super) trait Sink {
    /// Printable ASCII, never empty.
    fn ascii(&mut self, _text: &[u8]) {}
    /// Printable text outside ASCII.
    fn text(&mut self, _text: &str) {}
    /// A C0 control.
    fn control(&mut self, _byte: u8) {}
    /// An escape sequence with at most one intermediate (0 for none).
    fn escape(&mut self, _intermediate: u8, _last: u8) {}
    /// A control sequence.
    fn csi(&mut self, _sequence: &Sequence) {}
    /// A whole operating system command.
    fn osc(&mut self, _payload: &[u8], _bell: bool) {}
    /// A whole device control string.
    fn dcs(&mut self, _sequence: &Sequence, _payload: &[u8]) {}
}

/// Which kind of string is being swallowed: only an OSC ends at a bell.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub(super) enum Swallowed {
    /// An operating system command.
    Osc,
    /// Any other string.
    Other,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug)]
enum State {
    Ground,
    Escape,
    EscapeIntermediate,
    CsiParams,
    CsiIntermediate,
    CsiIgnore,
    DcsParams,
    DcsIntermediate,
    DcsIgnore,
    DcsPayload,
    Osc,
    /// APC, PM and SOS, which are dropped.
    OtherString,
    Swallow(Swallowed),
}

/// Marker, parameters, intermediate and final byte of a control sequence.
#[derive(Copy, Clone)]
pub(super) struct Sequence {
    values: [u16; MAX_PARAMS],
    /// Bit n is set if value n is a sub-parameter of the one before it.
    subs: u32,
    /// Number of values begun, 0 if there are none.
    len: usize,
    overflow: bool,
    /// `<`, `=`, `>` or `?` in front of the parameters, else 0.
    pub(super) marker: u8,
    /// The intermediate byte, 0 if there is none.
    pub(super) intermediate: u8,
    /// The final byte.
    pub(super) last: u8,
}

impl Sequence {
    const EMPTY: Sequence =
        Sequence { values: [0; MAX_PARAMS], subs: 0, len: 0, overflow: false, marker: 0, intermediate: 0, last: 0 };

    fn digit(&mut self, byte: u8) {
        if self.len == 0 {
            self.len = 1;
        }
        let value = &mut self.values[self.len - 1];
        *value = value.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
    }

    fn separator(&mut self, is_sub: bool) {
        if self.len == 0 {
            self.len = 1;
        }
        if self.len == MAX_PARAMS {
            self.overflow = true;
            return;
        }
        self.subs |= u32::from(is_sub) << self.len;
        self.len += 1;
    }

    fn mark(&mut self, byte: u8) {
        if self.marker == 0 && self.len == 0 {
            self.marker = byte;
        } else {
            self.overflow = true;
        }
    }

    fn intermediate(&mut self, byte: u8) {
        if self.intermediate == 0 {
            self.intermediate = byte;
        } else {
            self.overflow = true;
        }
    }

    /// Returns parameter `index`, or `default` if it is missing or zero.
    pub(super) fn param_or(&self, index: usize, default: u16) -> u16 {
        match self.params().nth(index) {
            Some(&[value, ..]) if value != 0 => value,
            _ => default,
        }
    }

    /// Returns the parameters, each with its sub-parameters.
    pub(super) fn params(&self) -> impl Iterator<Item = &[u16]> {
        let mut start = 0;
        std::iter::from_fn(move || {
            if start >= self.len {
                return None;
            }
            let mut end = start + 1;
            while end < self.len && self.subs >> end & 1 == 1 {
                end += 1;
            }
            let param = &self.values[start..end];
            start = end;
            Some(param)
        })
    }
}

/// The tokeniser's whole state.
#[derive(Clone)]
pub(super) struct Parser {
    state: State,
    sequence: Sequence,
    /// Payload of the string being read; its capacity is given back after a long one.
    payload: Vec<u8>,
    /// Bytes of the string read so far, also those that are not kept.
    string_len: usize,
    /// First bytes of a character whose rest has not come yet.
    partial: [u8; 4],
    partial_len: usize,
}

impl Parser {
    /// Returns a parser at ground.
    pub(super) fn new() -> Parser {
        Parser {
            state: State::Ground,
            sequence: Sequence::EMPTY,
            payload: Vec::new(),
            string_len: 0,
            partial: [0; 4],
            partial_len: 0,
        }
    }

    /// Returns a parser that swallows the rest of a string.
    pub(super) fn swallowing(kind: Swallowed) -> Parser {
        Parser { state: State::Swallow(kind), ..Parser::new() }
    }

    /// Returns what is being swallowed, if anything is.
    pub(super) fn swallowed(&self) -> Option<Swallowed> {
        if let State::Swallow(kind) = self.state { Some(kind) } else { None }
    }

    /// Tells whether nothing but the swallowing state would have to be kept to go on from here.
    pub(super) fn is_checkpointable(&self) -> bool {
        self.partial_len == 0 && matches!(self.state, State::Ground | State::Swallow(_))
    }

    /// Tells whether the next byte is text or starts something.
    pub(super) fn is_ground(&self) -> bool {
        self.state == State::Ground
    }

    /// Returns the length of the longest prefix of `bytes` after which this parser would be checkpointable.
    pub(super) fn checkpointable_prefix(&self, bytes: &[u8]) -> usize {
        let mut scout = self.clone();
        let (mut at, mut last) = (0, 0);
        while at < bytes.len() {
            let is_clean = scout.is_ground() && scout.partial_len == 0;
            let step = if is_clean { escape_at(&bytes[at..]).max(1) } else { 1 };
            let run = &bytes[at..at + step];
            scout.advance(&mut Nothing, run);
            let complete = if is_clean { complete_len(run) } else { 0 };
            if scout.is_checkpointable() {
                last = at + step;
            } else if scout.is_ground() && complete > 0 {
                last = at + complete;
            }
            at += step;
        }
        last
    }

    /// Reads `bytes` and tells `sink` what they say.
    pub(super) fn advance<S: Sink>(&mut self, sink: &mut S, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            at += match self.state {
                State::Ground if self.partial_len > 0 => self.rest_of_char(sink, bytes[at]),
                State::Ground => self.ground(sink, &bytes[at..]),
                State::Osc | State::DcsPayload => self.payload_run(sink, &bytes[at..]),
                _ => {
                    self.step(sink, bytes[at]);
                    1
                }
            };
        }
    }

    fn ground<S: Sink>(&mut self, sink: &mut S, bytes: &[u8]) -> usize {
        match bytes[0] {
            0x20..=0x7e => {
                let len = bytes.iter().position(|byte| !matches!(byte, 0x20..=0x7e)).unwrap_or(bytes.len());
                sink.ascii(&bytes[..len]);
                len
            }
            0x1b => {
                self.enter_escape();
                1
            }
            0x7f => 1,
            0..=0x1f => {
                sink.control(bytes[0]);
                1
            }
            0x80.. => self.wide_text(sink, bytes),
        }
    }

    /// Reads text outside ASCII; bytes that are no UTF-8 become U+FFFD, stray C1 bytes nothing.
    fn wide_text<S: Sink>(&mut self, sink: &mut S, bytes: &[u8]) -> usize {
        let len = bytes.iter().position(u8::is_ascii).unwrap_or(bytes.len());
        let error = match std::str::from_utf8(&bytes[..len]) {
            Ok(text) => {
                sink.text(text);
                return len;
            }
            Err(error) => error,
        };
        let valid = error.valid_up_to();
        if valid > 0 {
            sink.text(std::str::from_utf8(&bytes[..valid]).expect("checked up to here just now"));
        }
        match error.error_len() {
            Some(1) if bytes[valid] <= 0x9f => valid + 1,
            Some(bad) => {
                sink.text("\u{fffd}");
                valid + bad
            }
            None if len < bytes.len() => {
                sink.text("\u{fffd}");
                len
            }
            None => {
                self.partial_len = len - valid;
                self.partial[..self.partial_len].copy_from_slice(&bytes[valid..len]);
                len
            }
        }
    }

    fn rest_of_char<S: Sink>(&mut self, sink: &mut S, byte: u8) -> usize {
        self.partial[self.partial_len] = byte;
        let begun = &self.partial[..=self.partial_len];
        match std::str::from_utf8(begun) {
            Ok(text) => {
                sink.text(text);
                self.partial_len = 0;
                1
            }
            Err(error) if error.error_len().is_none() => {
                self.partial_len += 1;
                1
            }
            Err(_) => {
                // What was begun is no character; the byte at hand starts afresh.
                sink.text("\u{fffd}");
                self.partial_len = 0;
                0
            }
        }
    }

    fn enter_escape(&mut self) {
        self.state = State::Escape;
        self.sequence = Sequence::EMPTY;
    }

    /// Reads one byte inside a sequence or a string that is not kept.
    fn step<S: Sink>(&mut self, sink: &mut S, byte: u8) {
        match (self.state, byte) {
            (_, 0x1b) => self.enter_escape(),
            (_, 0x18 | 0x1a) | (State::CsiIgnore, 0x40..=0x7e) | (State::Swallow(Swallowed::Osc), 0x07) => {
                self.state = State::Ground;
            }
            (State::Escape | State::EscapeIntermediate, _) => self.step_escape(sink, byte),
            (State::CsiParams | State::CsiIntermediate | State::CsiIgnore, 0..=0x1f) => {
                sink.control(byte);
            }
            (State::CsiParams, _) => {
                self.step_params(sink, byte, State::CsiIntermediate, State::CsiIgnore);
            }
            (State::DcsParams, _) => {
                self.step_params(sink, byte, State::DcsIntermediate, State::DcsIgnore);
            }
            (State::CsiIntermediate, _) => self.step_intermediate(sink, byte, State::CsiIgnore),
            (State::DcsIntermediate, _) => self.step_intermediate(sink, byte, State::DcsIgnore),
            (State::DcsIgnore | State::OtherString, _) => self.count(1),
            _ => {}
        }
    }

    fn step_escape<S: Sink>(&mut self, sink: &mut S, byte: u8) {
        match byte {
            0..=0x1f => sink.control(byte),
            0x20..=0x2f => {
                self.sequence.intermediate(byte);
                self.state = State::EscapeIntermediate;
            }
            0x30..=0x7e => self.end_escape(sink, byte),
            _ => {}
        }
    }

    fn end_escape<S: Sink>(&mut self, sink: &mut S, byte: u8) {
        let plain = self.state == State::Escape;
        self.string_len = 0;
        self.payload.clear();
        self.state = match byte {
            b'[' if plain => State::CsiParams,
            b']' if plain => State::Osc,
            b'P' if plain => State::DcsParams,
            b'X' | b'^' | b'_' if plain => State::OtherString,
            _ => {
                if !self.sequence.overflow {
                    sink.escape(self.sequence.intermediate, byte);
                }
                State::Ground
            }
        };
    }

    fn step_params<S: Sink>(&mut self, sink: &mut S, byte: u8, intermediate: State, ignore: State) {
        match byte {
            b'0'..=b'9' => self.sequence.digit(byte),
            b';' => self.sequence.separator(false),
            b':' => self.sequence.separator(true),
            b'<'..=b'?' => {
                self.sequence.mark(byte);
                if self.sequence.overflow {
                    self.state = ignore;
                }
            }
            0x20..=0x2f => {
                self.sequence.intermediate(byte);
                self.state = intermediate;
            }
            0x40..=0x7e => self.end_sequence(sink, byte),
            _ => {}
        }
    }

    fn step_intermediate<S: Sink>(&mut self, sink: &mut S, byte: u8, ignore: State) {
        match byte {
            0x20..=0x2f => self.sequence.intermediate(byte),
            0x30..=0x3f => self.state = ignore,
            0x40..=0x7e => self.end_sequence(sink, byte),
            _ => {}
        }
    }

    fn end_sequence<S: Sink>(&mut self, sink: &mut S, byte: u8) {
        self.sequence.last = byte;
        self.state = match self.state {
            State::DcsParams | State::DcsIntermediate if self.sequence.overflow => State::DcsIgnore,
            State::DcsParams | State::DcsIntermediate => State::DcsPayload,
            _ => {
                if !self.sequence.overflow {
                    sink.csi(&self.sequence);
                }
                State::Ground
            }
        };
    }

    /// Reads as much of a kept string as `bytes` holds.
    fn payload_run<S: Sink>(&mut self, sink: &mut S, bytes: &[u8]) -> usize {
        let room = (MAX_STRING - self.string_len + 1).min(bytes.len());
        let is_end = |byte: &u8| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b);
        let len = bytes[..room].iter().position(is_end).unwrap_or(room);
        if len > 0 {
            self.payload.extend_from_slice(&bytes[..len]);
            self.count(len);
            return len;
        }
        let is_osc = self.state == State::Osc;
        match bytes[0] {
            0x07 if is_osc => self.end_string(sink, true),
            0x07 => self.count(1),
            0x1b => {
                self.end_string(sink, false);
                self.enter_escape();
            }
            _ => self.state = State::Ground,
        }
        1
    }

    fn end_string<S: Sink>(&mut self, sink: &mut S, bell: bool) {
        if self.state == State::Osc {
            sink.osc(&self.payload, bell);
        } else {
            sink.dcs(&self.sequence, &self.payload);
        }
        self.payload.clear();
        self.payload.shrink_to(4096);
        self.state = State::Ground;
    }

    /// Counts string bytes; past the limit the rest of the string is swallowed.
    fn count(&mut self, bytes: usize) {
        self.string_len += bytes;
        if self.string_len > MAX_STRING {
            let kind = if self.state == State::Osc { Swallowed::Osc } else { Swallowed::Other };
            self.payload = Vec::new();
            self.state = State::Swallow(kind);
        }
    }
}

/// Returns where the first escape character is, or the length if there is none.
pub(super) fn escape_at(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte == 0x1b).unwrap_or(bytes.len())
}

/// Returns the length of a text without the characters that are begun at its end and not completed.
fn complete_len(text: &[u8]) -> usize {
    let mut len = text.len();
    loop {
        let from = len.saturating_sub(4);
        let begun = text[from..len].iter().rposition(|byte| byte & 0xc0 != 0x80).map(|start| from + start);
        match begun.map(|start| (start, std::str::from_utf8(&text[start..len]))) {
            Some((start, Err(error))) if error.error_len().is_none() => len = start,
            _ => return len,
        }
    }
}

/// A sink for those who only want to know the state.
struct Nothing;

impl Sink for Nothing {}
