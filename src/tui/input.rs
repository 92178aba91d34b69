//! The bytes of our terminal, cut into tokens that keep their exact bytes.
//!
//! While a session has the keyboard a token's bytes are what the program gets, so cutting must lose nothing: the tokens' bytes, in
//! order, are the input. An escape sequence may arrive in pieces. While somebody types into a program, a beginning that could also be
//! a key by itself is handed on at once (`eager`) and only remembered; in our own lists it waits for a short time.

use crate::tui::key::Code;
use crate::tui::key::Key;
use crate::tui::key::Mods;
use crate::tui::key::function_key;
use crate::tui::mouse::Mouse;
use crate::tui::mouse::Place;

/// How long the rest of a sequence may take.
const REST_NS: u64 = 50_000_000;
/// Longest sequence that is a key or a report.
const LONGEST: usize = 64;
/// Ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A key was pressed, or repeats.
    Key(Key),
    /// A key was let go, or a modifier moved: means nothing to us.
    Silent,
    /// A piece of a bracketed paste, markers included.
    Paste,
    /// A mouse report.
    Mouse(Mouse),
    /// Our terminal gained or lost the focus.
    Focus,
    /// The beginning of something, handed on because nobody should wait for the rest.
    Part,
    /// Nothing we know.
    Unknown,
}

/// A piece of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub what: What,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// How many of them an earlier [`What::Part`] has handed on.
    pub passed: usize,
}

impl Token {
    /// Returns the bytes that were not handed on yet.
    #[must_use]
    pub fn fresh(&self) -> &[u8] {
        self.raw.get(self.passed..).unwrap_or_default()
    }
}

/// Cuts input into tokens.
#[derive(Debug, Default)]
pub struct Tokeniser {
    held: Vec<u8>,
    /// How many of the held bytes were handed on.
    passed: usize,
    is_paste: bool,
    /// When the held bytes arrived.
    since: u64,
}

impl Tokeniser {
    /// Takes bytes that arrived, appends the tokens they complete.
    pub fn feed(&mut self, bytes: &[u8], now: u64, eager: bool, out: &mut Vec<Token>) {
        if self.passed > 0 && now >= self.since + REST_NS {
            // It was a key by itself after all, and the program has it.
            self.forget();
        }
        self.held.extend_from_slice(bytes);
        self.since = now;
        self.cut(out);
        let is_ambiguous = matches!(self.held.as_slice(), b"\x1b" | b"\x1b[" | b"\x1bO");
        if eager && !self.is_paste && is_ambiguous && self.passed < self.held.len() {
            out.push(Token { what: What::Part, raw: self.held[self.passed..].to_vec(), passed: 0 });
            self.passed = self.held.len();
        }
    }

    /// Returns when [`Tokeniser::expire`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        (self.passed < self.held.len()).then_some(self.since + REST_NS)
    }

    /// Gives up waiting for the rest of a sequence once its time is over.
    pub fn expire(&mut self, now: u64, out: &mut Vec<Token>) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.is_paste {
            let raw = std::mem::take(&mut self.held);
            out.push(Token { what: What::Paste, raw, passed: 0 });
            return;
        }
        while !self.held.is_empty() {
            let is_escape = self.held[0] == 0x1b && self.held.len() == 1;
            let what = if is_escape { What::Key(Key::plain(Code::Esc)) } else { alone(&self.held) };
            let len = if matches!(what, What::Key(_)) { self.held.len() } else { 1 };
            self.emit(len, what, out);
            self.cut(out);
        }
    }

    fn forget(&mut self) {
        self.held.drain(..self.passed);
        self.passed = 0;
    }

    fn cut(&mut self, out: &mut Vec<Token>) {
        loop {
            if self.is_paste {
                if !self.cut_paste(out) {
                    return;
                }
            } else {
                let Some((len, what)) = parse(&self.held) else { return };
                if self.passed > 0 && (len < self.passed || !is_sequence(&self.held[..len])) {
                    // What was handed on was a key by itself.
                    self.forget();
                    continue;
                }
                self.is_paste = what == What::Paste;
                self.emit(len, what, out);
            }
        }
    }

    /// Hands on what surely is inside the paste; `false` when more input is needed.
    fn cut_paste(&mut self, out: &mut Vec<Token>) -> bool {
        let found = self.held.windows(PASTE_END.len()).position(|window| window == PASTE_END);
        if let Some(at) = found {
            self.is_paste = false;
            self.emit(at + PASTE_END.len(), What::Paste, out);
            return true;
        }
        // The end of what we hold may be the beginning of the marker.
        let kept = (0..PASTE_END.len()).rev().find(|len| self.held.ends_with(&PASTE_END[..*len])).unwrap_or(0);
        let len = self.held.len() - kept;
        if len > 0 {
            self.emit(len, What::Paste, out);
        }
        false
    }

    fn emit(&mut self, len: usize, what: What, out: &mut Vec<Token>) {
        let raw: Vec<u8> = self.held.drain(..len).collect();
        let passed = self.passed.min(len);
        self.passed -= passed;
        out.push(Token { what, raw, passed });
    }
}

/// Returns whether a token is one escape sequence, not a key with Alt.
fn is_sequence(raw: &[u8]) -> bool {
    raw.len() > 2 && matches!(raw[1], b'[' | b'O')
}

/// Returns the meaning of bytes whose rest never came.
fn alone(bytes: &[u8]) -> What {
    match bytes {
        b"\x1b[" => What::Key(Key::new(Code::Char('['), Mods::ALT)),
        b"\x1bO" => What::Key(Key::new(Code::Char('O'), Mods::ALT)),
        _ => What::Unknown,
    }
}

/// Returns length and meaning of the first token; none if it may go on.
fn parse(bytes: &[u8]) -> Option<(usize, What)> {
    match *bytes.first()? {
        0x1b => parse_escape(bytes),
        byte @ (0..=0x1f | 0x7f) => Some((1, What::Key(control_key(byte)))),
        _ => parse_text(bytes, Mods::NONE),
    }
}

fn parse_escape(bytes: &[u8]) -> Option<(usize, What)> {
    match *bytes.get(1)? {
        b'[' => parse_csi(bytes),
        b'O' => {
            let key = ss3_key(*bytes.get(2)?);
            Some(key.map_or((2, alone(b"\x1bO")), |code| (3, What::Key(Key::plain(code)))))
        }
        // An escape key and the beginning of something else.
        0x1b => Some((1, What::Key(Key::plain(Code::Esc)))),
        byte @ (0..=0x1f | 0x7f) => {
            let key = control_key(byte);
            Some((2, What::Key(Key::new(key.code, key.mods.with(Mods::ALT)))))
        }
        _ => parse_text(&bytes[1..], Mods::ALT).map(|(len, what)| (len + 1, what)),
    }
}

fn parse_text(bytes: &[u8], mods: Mods) -> Option<(usize, What)> {
    let len = match bytes[0] {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((1, What::Unknown)),
    };
    let is_tail = |byte: &u8| byte & 0xc0 == 0x80;
    let tail = bytes.iter().skip(1).take(len - 1).take_while(|byte| is_tail(byte)).count();
    if tail + 1 < len {
        return if bytes.len() == tail + 1 { None } else { Some((tail + 1, What::Unknown)) };
    }
    let c = std::str::from_utf8(&bytes[..len]).ok().and_then(|text| text.chars().next());
    Some((len, c.map_or(What::Unknown, |c| What::Key(Key { code: Code::Char(c), mods }))))
}

fn control_key(byte: u8) -> Key {
    let control = |c: u8| Key { code: Code::Char(char::from(c)), mods: Mods::CTRL };
    match byte {
        0 => control(b' '),
        b'\t' => Key::plain(Code::Tab),
        b'\r' => Key::plain(Code::Enter),
        0x1b => Key::plain(Code::Esc),
        0x7f => Key::plain(Code::Backspace),
        1..=26 => control(byte + b'a' - 1),
        _ => control(byte + b'@'),
    }
}

fn ss3_key(last: u8) -> Option<Code> {
    match last {
        b'M' => Some(Code::Enter),
        b'P'..=b'S' => Some(Code::F(last - b'P' + 1)),
        _ => cursor_key(last),
    }
}

fn cursor_key(last: u8) -> Option<Code> {
    Some(match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        _ => return None,
    })
}

fn parse_csi(bytes: &[u8]) -> Option<(usize, What)> {
    if bytes.get(2) == Some(&b'[') {
        // The Linux console's function keys.
        let what = match *bytes.get(3)? {
            last @ b'A'..=b'E' => What::Key(Key::plain(Code::F(last - b'A' + 1))),
            _ => What::Unknown,
        };
        return Some((4, what));
    }
    let body = bytes.iter().skip(2).take(LONGEST).take_while(|byte| (0x20..=0x3f).contains(*byte)).count();
    let end = body + 2;
    let last = match bytes.get(end) {
        None if body < LONGEST => return None,
        Some(last @ 0x40..=0x7e) => *last,
        _ => return Some((end, What::Unknown)),
    };
    let body = std::str::from_utf8(&bytes[2..end]).unwrap_or_default();
    if last == b'M' && body.is_empty() {
        // A report of the oldest kind has three bytes more.
        return (bytes.len() >= 6).then_some((6, What::Silent));
    }
    Some((end + 1, csi(body, last).unwrap_or(What::Unknown)))
}

/// Returns the meaning of a control sequence.
fn csi(body: &str, last: u8) -> Option<What> {
    if let Some(body) = body.strip_prefix('<') {
        return mouse(body, last);
    }
    let mut params = body.split(';');
    let first = params.next().unwrap_or_default();
    let second = params.next().unwrap_or_default();
    let third = params.next().unwrap_or_default();
    let number: u16 = first.split(':').next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let key = |code| Some(pressed(code, second));
    match last {
        b'I' | b'O' if body.is_empty() => Some(What::Focus),
        b'Z' => Some(What::Key(Key { code: Code::Tab, mods: Mods::SHIFT })),
        b'P'..=b'S' if number == 1 => key(Code::F(last - b'P' + 1)),
        b'u' => unicode_key(first, second, third),
        b'~' => match number {
            200 | 201 => Some(if number == 200 { What::Paste } else { What::Silent }),
            27 => unicode_key(third, second, ""),
            1 | 7 => key(Code::Home),
            2 => key(Code::Insert),
            3 => key(Code::Delete),
            4 | 8 => key(Code::End),
            5 => key(Code::PageUp),
            6 => key(Code::PageDown),
            _ => key(function_key(number)?),
        },
        _ => key(cursor_key(last)?),
    }
}

/// Makes a key of a code and a parameter `modifiers:event`.
fn pressed(code: Code, modifiers: &str) -> What {
    let mut parts = modifiers.split(':');
    let bits = parts.next().and_then(|text| text.parse::<u16>().ok()).unwrap_or(1).saturating_sub(1);
    if parts.next() == Some("3") {
        return What::Silent;
    }
    // Shift, alt, control and super keep their places; hyper and meta count as super; locks as nothing.
    let beyond = if bits & 0b11_0000 > 0 { Mods::SUPER.0 } else { 0 };
    What::Key(Key::new(code, Mods((bits & 0b1111) as u8 | beyond)))
}

/// A key of the kitty protocol, or of modifyOtherKeys.
fn unicode_key(codes: &str, modifiers: &str, text: &str) -> Option<What> {
    let mut codes = codes.split(':').map(|code| code.parse::<u32>().ok());
    let code = codes.next()??;
    let shifted = codes.next().flatten();
    let typed = text.split(':').next().and_then(|text| text.parse().ok());
    let code = match code {
        9 => Code::Tab,
        13 | 57_414 => Code::Enter,
        27 => Code::Esc,
        127 => Code::Backspace,
        // Locks, modifiers and media keys by themselves.
        57_358..=57_363 | 57_428..=57_454 => return Some(What::Silent),
        _ => Code::Char(typed.or(shifted).and_then(char::from_u32).or_else(|| char::from_u32(code))?),
    };
    let what = pressed(code, modifiers);
    Some(match what {
        // The character says already that shift was held.
        What::Key(key) if typed.or(shifted).is_some() => What::Key(Key {
            code: key.code,
            mods: if matches!(code, Code::Char(_)) { key.mods.without(Mods::SHIFT) } else { key.mods },
        }),
        what => what,
    })
}

fn mouse(body: &str, last: u8) -> Option<What> {
    let mut numbers = body.split(';').map(|text| text.parse::<u16>().ok());
    let (code, col, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let at = Place { row: row.checked_sub(1)?, col: col.checked_sub(1)? };
    // Beyond any button there is; keeps the sums of the old encodings small.
    let is_sane = code < 256 && at.row < 10_000 && at.col < 10_000;
    (is_sane && matches!(last, b'M' | b'm')).then_some(What::Mouse(Mouse { code, at, is_press: last == b'M' }))
}
