//! A line of keys as people write it (`C-c Enter M-x F5 'text' 0x1b`), and the bytes a terminal in given modes sends for it.
//!
//! Names are those of tmux and Emacs, in any case. What a terminal has no bytes for is refused, never sent as something else.
//! Pastes are here too: what a terminal does to pasted text so that it stays text.

use crate::session::key::Code;
use crate::session::key::Key;
use crate::session::key::Mods;
use crate::session::spec::Kind;
use crate::session::target::distance;
use crate::term::Modes;

/// What to press or type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stroke {
    Key(Key),
    /// A key of the numeric keypad: what it shows, and its last byte in application mode.
    Keypad(u8, u8),
    Text(String),
    Byte(u8),
}

/// One word of a line of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// Column of its first character, from 1.
    column: usize,
    text: String,
    stroke: Stroke,
}

/// Keys in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<Word>);

/// A line of keys that cannot be read or sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// A word that names no key.
    #[error("{word:?} at column {column} names no key{}", near_text(near, word))]
    Unknown {
        /// Column of its first character, from 1.
        column: usize,
        /// The word.
        word: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// A quote that is never closed.
    #[error("the text that begins at column {column} has no closing {quote}")]
    Open {
        /// Column of the quote, from 1.
        column: usize,
        /// The quote.
        quote: char,
    },
    /// A terminal has no bytes for it.
    #[error("{word} at column {column} is a key that a terminal has no bytes for")]
    Unsayable {
        /// Column of its first character, from 1.
        column: usize,
        /// The word.
        word: String,
    },
    /// A pipe has no keys.
    #[error("{word} at column {column} is a key of a terminal, and this session has pipes")]
    NoTerminal {
        /// Column of its first character, from 1.
        column: usize,
        /// The word.
        word: String,
    },
}

fn near_text(near: &[String], word: &str) -> String {
    if near.is_empty() {
        format!("; write '{word}' in quotes to type it")
    } else {
        format!("; did you mean {}?", near.join(" or "))
    }
}

/// Names beside those of [`Key`], in lower case.
const ALIASES: [(&str, &str); 27] = [
    ("return", "Enter"),
    ("ret", "Enter"),
    ("cr", "Enter"),
    ("escape", "Esc"),
    ("bspace", "Backspace"),
    ("bs", "Backspace"),
    ("spc", "Space"),
    ("btab", "S-Tab"),
    ("backtab", "S-Tab"),
    ("del", "Delete"),
    ("dc", "Delete"),
    ("ins", "Insert"),
    ("ic", "Insert"),
    ("pgup", "PageUp"),
    ("ppage", "PageUp"),
    ("prior", "PageUp"),
    ("pgdn", "PageDown"),
    ("pgdown", "PageDown"),
    ("npage", "PageDown"),
    ("next", "PageDown"),
    ("lf", "C-j"),
    ("linefeed", "C-j"),
    ("nul", "C-@"),
    ("arrowup", "Up"),
    ("arrowdown", "Down"),
    ("arrowleft", "Left"),
    ("arrowright", "Right"),
];

/// Names of [`Key`] that are words.
const NAMES: [&str; 15] = [
    "Enter",
    "Tab",
    "Backspace",
    "Esc",
    "Space",
    "Up",
    "Down",
    "Left",
    "Right",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "Insert",
    "Delete",
];

/// Keys of the numeric keypad: name after `KP`, what it shows, last byte in application mode (`DECKPAM`).
const KEYPAD: [(&str, u8, u8); 7] = [
    ("enter", b'\r', b'M'),
    ("+", b'+', b'k'),
    ("-", b'-', b'm'),
    ("*", b'*', b'j'),
    ("/", b'/', b'o'),
    (".", b'.', b'n'),
    ("=", b'=', b'X'),
];

/// Prefixes of modifiers, in lower case.
const MODIFIERS: [(&str, Mods); 9] = [
    ("ctrl-", Mods::CTRL),
    ("ctrl+", Mods::CTRL),
    ("c-", Mods::CTRL),
    ("alt-", Mods::ALT),
    ("alt+", Mods::ALT),
    ("m-", Mods::ALT),
    ("shift-", Mods::SHIFT),
    ("shift+", Mods::SHIFT),
    ("s-", Mods::SHIFT),
];

impl Keys {
    /// Reads a line of keys: words between blanks; `'…'` and `"…"` are text, `0x1b` is a byte, `^C` is `C-c`.
    pub fn parse(line: &str) -> Result<Self, KeysError> {
        let mut words = Vec::new();
        let mut chars = line.chars().zip(1..).peekable();
        while let Some((first, column)) = chars.next() {
            if first.is_whitespace() {
                continue;
            }
            if matches!(first, '\'' | '"') && chars.peek().is_some() {
                let text: String = chars.by_ref().map(|(c, _)| c).take_while(|c| *c != first).collect();
                // A closing quote was taken by the iterator; without one everything was.
                let taken = text.chars().count();
                if line.chars().nth(column + taken) != Some(first) {
                    return Err(KeysError::Open { column, quote: first });
                }
                words.push(Word { column, text: text.clone(), stroke: Stroke::Text(text) });
                continue;
            }
            let mut text = String::from(first);
            while let Some((c, _)) = chars.next_if(|(c, _)| !c.is_whitespace()) {
                text.push(c);
            }
            let stroke = stroke(&text).ok_or_else(|| KeysError::Unknown {
                column,
                near: near(&text),
                word: text.chars().filter(|c| !c.is_control()).take(40).collect(),
            })?;
            words.push(Word { column, text, stroke });
        }
        Ok(Self(words))
    }

    /// Returns what a terminal in these modes sends.
    pub fn bytes(&self, modes: Modes) -> Result<Vec<u8>, KeysError> {
        let mut bytes = Vec::new();
        for word in &self.0 {
            match &word.stroke {
                Stroke::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Stroke::Byte(byte) => bytes.push(*byte),
                Stroke::Keypad(_, last) if modes.app_keypad => bytes.extend([0x1b, b'O', *last]),
                Stroke::Keypad(shown, _) => bytes.push(*shown),
                Stroke::Key(key) => {
                    let sent = key.bytes(modes.app_cursor).or_else(|| extended(*key, modes));
                    let unsayable = || KeysError::Unsayable { column: word.column, word: word.text.clone() };
                    bytes.extend(sent.ok_or_else(unsayable)?);
                }
            }
        }
        Ok(bytes)
    }

    /// Returns what is written to a pipe: keys that stand for a character are that character, Enter is a line feed.
    pub fn pipe_bytes(&self) -> Result<Vec<u8>, KeysError> {
        let mut bytes = Vec::new();
        for word in &self.0 {
            match &word.stroke {
                Stroke::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Stroke::Byte(byte) => bytes.push(*byte),
                Stroke::Keypad(b'\r', _) | Stroke::Key(Key { code: Code::Enter, mods: Mods::NONE }) => {
                    bytes.push(b'\n');
                }
                Stroke::Keypad(shown, _) => bytes.push(*shown),
                Stroke::Key(Key { code: Code::Tab, mods: Mods::NONE }) => bytes.push(b'\t'),
                Stroke::Key(Key { code: Code::Char(c), mods: Mods::NONE }) => {
                    bytes.extend_from_slice(c.to_string().as_bytes());
                }
                Stroke::Key(_) => {
                    return Err(KeysError::NoTerminal { column: word.column, word: word.text.clone() });
                }
            }
        }
        Ok(bytes)
    }

    /// Returns how often Enter is pressed: as many lines are echoed.
    #[must_use]
    pub fn enters(&self) -> usize {
        let is_enter =
            |word: &&Word| matches!(word.stroke, Stroke::Key(Key { code: Code::Enter, .. }) | Stroke::Keypad(b'\r', _));
        self.0.iter().filter(is_enter).count()
    }
}

/// What a terminal sends for a key that has no bytes of old, if the program asked for such keys: xterm's
/// modifyOtherKeys, or the kitty keyboard protocol.
fn extended(key: Key, modes: Modes) -> Option<Vec<u8>> {
    let code = match key.code {
        Code::Char(c) => u32::from(c),
        Code::Enter => 13,
        Code::Tab => 9,
        Code::Backspace => 127,
        Code::Esc => 27,
        _ => return None,
    };
    let modifier = key.mods.0 + 1;
    if modes.kitty_flags != 0 {
        return Some(format!("\x1b[{code};{modifier}u").into_bytes());
    }
    (modes.modify_other_keys > 0).then(|| format!("\x1b[27;{modifier};{code}~").into_bytes())
}

/// Reads one word.
fn stroke(word: &str) -> Option<Stroke> {
    if let Some(digits) = word.strip_prefix("0x").filter(|digits| matches!(digits.len(), 1 | 2)) {
        return u8::from_str_radix(digits, 16).ok().map(Stroke::Byte);
    }
    if let Some(name) = word.get(..2).filter(|kp| kp.eq_ignore_ascii_case("kp")).and_then(|_| word.get(2..)) {
        return keypad(name);
    }
    if let Some(c) = word.strip_prefix('^').and_then(only) {
        return Some(Stroke::Key(Key::new(Code::Char(c.to_ascii_lowercase()), Mods::CTRL)));
    }
    let (mut rest, mut mods) = (word, Mods::NONE);
    while let Some((len, found)) = modifier(rest) {
        (rest, mods) = (&rest[len..], mods.with(found));
    }
    if let Some(c) = only(rest).filter(|c| !c.is_control()) {
        // `C-A` and `C-a` are one key on every terminal.
        let c = if mods.has(Mods::CTRL) { c.to_ascii_lowercase() } else { c };
        return Some(Stroke::Key(Key::new(Code::Char(c), mods)));
    }
    let lower = rest.trim_start_matches('<').trim_end_matches('>').to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, name)| *name);
    let name = alias.or_else(|| NAMES.iter().find(|name| name.eq_ignore_ascii_case(&lower)).copied());
    let name = name.map_or_else(|| lower.to_ascii_uppercase(), str::to_owned);
    let key: Key = name.parse().ok()?;
    Some(Stroke::Key(Key::new(key.code, key.mods.with(mods))))
}

fn keypad(name: &str) -> Option<Stroke> {
    if let Some(digit) = only(name).filter(char::is_ascii_digit) {
        let digit = digit as u8;
        return Some(Stroke::Keypad(digit, digit - b'0' + b'p'));
    }
    KEYPAD
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name))
        .map(|(_, shown, last)| Stroke::Keypad(*shown, *last))
}

/// Returns the modifier that a word begins with, and the length of its prefix; something has to follow it.
fn modifier(word: &str) -> Option<(usize, Mods)> {
    let is_prefix = |prefix: &str| {
        word.len() > prefix.len() && word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    MODIFIERS.iter().find(|(prefix, _)| is_prefix(prefix)).map(|(prefix, mods)| (prefix.len(), *mods))
}

/// Returns the only character of a text.
fn only(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Up to three names within two edits of a word, with its modifiers.
fn near(word: &str) -> Vec<String> {
    let mut rest = word;
    while let Some((len, _)) = modifier(rest) {
        rest = &rest[len..];
    }
    let prefix = &word[..word.len() - rest.len()];
    let functions = (1..=20).map(|n| format!("F{n}"));
    let aliases = ALIASES.iter().map(|(alias, _)| (*alias).to_owned()).filter(|alias| alias.len() > 3);
    let names = NAMES.iter().map(|name| (*name).to_owned()).chain(functions).chain(aliases);
    let mut found: Vec<(usize, String)> = names
        .map(|name| (distance(rest, &name), name))
        .filter(|(edits, name)| *edits <= 2 && *edits * 2 <= name.len())
        .collect();
    found.sort();
    found.into_iter().take(3).map(|(_, name)| format!("{prefix}{name}")).collect()
}

const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Returns pasted text as a terminal in these modes types it: line ends become returns, and inside a bracketed paste
/// nothing ends it early. A pipe gets it as it is.
#[must_use]
pub fn paste(text: &[u8], kind: Kind, modes: Modes) -> Vec<u8> {
    if kind == Kind::Pipe {
        return text.to_vec();
    }
    let mut typed = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\r' => {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                typed.push(b'\r');
            }
            b'\n' => typed.push(b'\r'),
            byte => typed.push(*byte),
        }
        // Looked for in what was typed, not in the text: taking one out must not put another together. U+009B is the
        // introducer in one character.
        for end in [PASTE_END, "\u{9b}201~".as_bytes()] {
            if modes.bracketed_paste && typed.ends_with(end) {
                typed.truncate(typed.len() - end.len());
            }
        }
    }
    if modes.bracketed_paste { [PASTE_START, &typed, PASTE_END].concat() } else { typed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &str, modes: Modes) -> Vec<u8> {
        Keys::parse(line).and_then(|keys| keys.bytes(modes)).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn keys_are_sent_as_a_terminal_sends_them() {
        let table: [(&str, &[u8]); 54] = [
            ("C-c", b"\x03"),
            ("c-C", b"\x03"),
            ("Ctrl+C", b"\x03"),
            ("^C", b"\x03"),
            ("^[", b"\x1b"),
            ("C-[", b"\x1b"),
            ("C-@", b"\0"),
            ("C-Space", b"\0"),
            ("C-?", b"\x7f"),
            ("C-/", b"\x1f"),
            ("C-\\", b"\x1c"),
            ("M-x", b"\x1bx"),
            ("M-X", b"\x1bX"),
            ("Alt-Enter", b"\x1b\r"),
            ("C-M-a", b"\x1b\x01"),
            ("Enter", b"\r"),
            ("RET", b"\r"),
            ("Tab", b"\t"),
            ("S-Tab", b"\x1b[Z"),
            ("BTab", b"\x1b[Z"),
            ("Escape", b"\x1b"),
            ("Space", b" "),
            ("BSpace", b"\x7f"),
            ("C-BSpace", b"\x08"),
            ("Delete", b"\x1b[3~"),
            ("DC", b"\x1b[3~"),
            ("Insert", b"\x1b[2~"),
            ("Up", b"\x1b[A"),
            ("<down>", b"\x1b[B"),
            ("C-Left", b"\x1b[1;5D"),
            ("S-Up", b"\x1b[1;2A"),
            ("C-S-Right", b"\x1b[1;6C"),
            ("M-Left", b"\x1b[1;3D"),
            ("Home", b"\x1b[H"),
            ("End", b"\x1b[F"),
            ("PageUp", b"\x1b[5~"),
            ("NPage", b"\x1b[6~"),
            ("C-PageDown", b"\x1b[6;5~"),
            ("F1", b"\x1bOP"),
            ("S-F1", b"\x1b[1;2P"),
            ("F5", b"\x1b[15~"),
            ("f12", b"\x1b[24~"),
            ("F13", b"\x1b[25~"),
            ("F20", b"\x1b[34~"),
            ("C-F5", b"\x1b[15;5~"),
            ("0x1b 0xff", b"\x1b\xff"),
            ("'it is' \"it's\"", b"it isit's"),
            ("a B \u{e9} '", "aB\u{e9}'".as_bytes()),
            ("S-a", b"A"),
            ("'' Enter", b"\r"),
            ("KP5 KPEnter", b"5\r"),
            ("-", b"-"),
            ("C--", b""),
            ("", b""),
        ];
        for (line, bytes) in table {
            let keys = Keys::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            match keys.bytes(Modes::default()) {
                Ok(sent) => assert_eq!(sent, bytes, "{line}"),
                Err(error) => assert_eq!((line, error.to_string().contains("no bytes")), ("C--", true), "{error}"),
            }
        }
    }

    #[test]
    fn modes_of_the_program_decide_between_encodings() {
        let application = Modes { app_cursor: true, app_keypad: true, ..Modes::default() };
        assert_eq!(
            sent("Up Home C-Up KP0 KPEnter KP+ F5", application),
            b"\x1bOA\x1bOH\x1b[1;5A\x1bOp\x1bOM\x1bOk\x1b[15~"
        );
        let kitty = Modes { kitty_flags: 1, ..Modes::default() };
        assert_eq!(sent("S-Enter C-c", kitty), b"\x1b[13;2u\x03");
        let other = Modes { modify_other_keys: 2, ..Modes::default() };
        assert_eq!(sent("C-1", other), b"\x1b[27;5;49~");
    }

    #[test]
    fn what_is_no_key_is_named_with_its_place_and_what_was_meant() {
        let said = |line: &str| Keys::parse(line).expect_err(line).to_string();
        assert_eq!(said("C-c Entre"), "\"Entre\" at column 5 names no key; did you mean Enter?");
        assert_eq!(said("C-Lfet"), "\"C-Lfet\" at column 1 names no key; did you mean C-Left?");
        assert!(said("F21").contains("F2"), "{}", said("F21"));
        assert!(said("make").contains("write 'make' in quotes"), "{}", said("make"));
        assert_eq!(said("Up 'open"), "the text that begins at column 4 has no closing '");
        assert!(said("0x1g0").contains("column 1"));
        let refused = Keys::parse("x C-Enter").and_then(|keys| keys.bytes(Modes::default())).expect_err("no bytes");
        assert_eq!(refused.to_string(), "C-Enter at column 3 is a key that a terminal has no bytes for");
    }

    #[test]
    fn a_pipe_gets_characters_and_line_feeds_and_no_keys() {
        let keys = |line: &str| Keys::parse(line).expect("keys").pipe_bytes();
        assert_eq!(keys("'a b' Enter Tab x 0x00"), Ok(b"a b\n\tx\0".to_vec()));
        assert!(matches!(keys("'x' C-c"), Err(KeysError::NoTerminal { column: 5, .. })));
    }

    #[test]
    fn nothing_breaks_out_of_a_paste() {
        let on = Modes { bracketed_paste: true, ..Modes::default() };
        let pasted = |text: &[u8]| paste(text, Kind::Pty, on);
        assert_eq!(pasted(b"a\nb\r\nc\rd"), b"\x1b[200~a\rb\rc\rd\x1b[201~");
        assert_eq!(pasted(b"x\x1b[201~rm\n"), b"\x1b[200~xrm\r\x1b[201~");
        assert_eq!(pasted(b"\x1b[2\x1b[201~01~!"), b"\x1b[200~!\x1b[201~", "nested");
        assert_eq!(pasted("\u{9b}201~\u{e9}".as_bytes()), "\u{1b}[200~\u{e9}\u{1b}[201~".as_bytes());
        assert_eq!(paste(b"a\nb", Kind::Pty, Modes::default()), b"a\rb");
        assert_eq!(paste(b"a\nb", Kind::Pipe, on), b"a\nb");
    }
}
