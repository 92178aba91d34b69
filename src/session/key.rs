//! Keys: their names, and the bytes a terminal sends for them.
//!
//! A key is what hint line, help, keymap and `rpm send --keys` talk about. While somebody types, what a program gets is never made from
//! a `Key`: it gets the bytes that arrived. `Key::bytes` is the encoding of xterm; the other direction is `tui::input`.

use std::fmt;
use std::str::FromStr;

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character.
    Char(char),
    /// Return.
    Enter,
    /// Tabulator.
    Tab,
    /// Backspace.
    Backspace,
    /// Escape.
    Esc,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Insert.
    Insert,
    /// Delete.
    Delete,
    /// A function key, from 1.
    F(u8),
}

/// Modifiers held down, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mods(pub u8);

impl Mods {
    /// None.
    pub const NONE: Self = Self(0);
    /// Shift.
    pub const SHIFT: Self = Self(1);
    /// Alt, also called Meta.
    pub const ALT: Self = Self(2);
    /// Control.
    pub const CTRL: Self = Self(4);
    /// Super, Hyper or Meta as a modifier of its own.
    pub const SUPER: Self = Self(8);

    /// Returns whether all of `other` are held.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns these without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// What is held with it.
    pub mods: Mods,
}

/// Names of keys that are not characters.
const NAMES: [(Code, &str); 15] = [
    (Code::Enter, "Enter"),
    (Code::Tab, "Tab"),
    (Code::Backspace, "Backspace"),
    (Code::Esc, "Esc"),
    (Code::Up, "Up"),
    (Code::Down, "Down"),
    (Code::Left, "Left"),
    (Code::Right, "Right"),
    (Code::Home, "Home"),
    (Code::End, "End"),
    (Code::PageUp, "PageUp"),
    (Code::PageDown, "PageDown"),
    (Code::Insert, "Insert"),
    (Code::Delete, "Delete"),
    (Code::Char(' '), "Space"),
];
/// Modifiers in the order they are written.
const PREFIXES: [(Mods, &str); 4] = [(Mods::CTRL, "C-"), (Mods::ALT, "M-"), (Mods::SUPER, "D-"), (Mods::SHIFT, "S-")];

impl Key {
    /// Returns a key without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, mods: Mods::NONE }
    }

    /// Returns a key in its one spelling: a shifted letter is the capital letter.
    #[must_use]
    pub fn new(code: Code, mods: Mods) -> Self {
        match code {
            Code::Char(c) if mods.has(Mods::SHIFT) && c.is_alphabetic() => {
                let upper = c.to_uppercase().next().unwrap_or(c);
                Self { code: Code::Char(upper), mods: mods.without(Mods::SHIFT) }
            }
            _ => Self { code, mods },
        }
    }

    /// Returns what a terminal without keyboard protocols sends; none if it has no way to say this key.
    #[must_use]
    pub fn bytes(self, app_cursor: bool) -> Option<Vec<u8>> {
        if self.mods.has(Mods::SUPER) {
            return None;
        }
        let alt = self.mods.has(Mods::ALT);
        let rest = self.mods.without(Mods::ALT);
        let simple = match (self.code, rest) {
            (Code::Enter, Mods::NONE) => Some(vec![b'\r']),
            (Code::Tab, Mods::NONE) => Some(vec![b'\t']),
            (Code::Tab, Mods::SHIFT) => Some(b"\x1b[Z".to_vec()),
            (Code::Backspace, Mods::NONE) => Some(vec![0x7f]),
            (Code::Backspace, Mods::CTRL) => Some(vec![0x08]),
            (Code::Esc, Mods::NONE) => Some(vec![0x1b]),
            (Code::Char(c), Mods::NONE) => Some(c.to_string().into_bytes()),
            (Code::Char(c), Mods::CTRL) => Some(vec![control(c)?]),
            _ => None,
        };
        if let Some(mut bytes) = simple {
            if alt {
                bytes.insert(0, 0x1b);
            }
            return Some(bytes);
        }
        self.sequence(app_cursor)
    }

    /// Returns the escape sequence of a key that has one.
    fn sequence(self, app_cursor: bool) -> Option<Vec<u8>> {
        let modifier = self.mods.0 + 1;
        let (number, last) = match self.code {
            Code::Up => (1, 'A'),
            Code::Down => (1, 'B'),
            Code::Right => (1, 'C'),
            Code::Left => (1, 'D'),
            Code::Home => (1, 'H'),
            Code::End => (1, 'F'),
            Code::F(n @ 1..=4) => (1, char::from(b'P' + n - 1)),
            Code::Insert => (2, '~'),
            Code::Delete => (3, '~'),
            Code::PageUp => (5, '~'),
            Code::PageDown => (6, '~'),
            Code::F(n) => (function_number(n)?, '~'),
            Code::Char(_) | Code::Enter | Code::Tab | Code::Backspace | Code::Esc => return None,
        };
        let is_function = matches!(self.code, Code::F(1..=4));
        let text = match (last, modifier) {
            ('~', 1) => format!("\x1b[{number}~"),
            ('~', _) => format!("\x1b[{number};{modifier}~"),
            (_, 1) if is_function || app_cursor => format!("\x1bO{last}"),
            (_, 1) => format!("\x1b[{last}"),
            _ => format!("\x1b[1;{modifier}{last}"),
        };
        Some(text.into_bytes())
    }
}

/// Returns the number in the sequence of a function key from F5 on.
fn function_number(n: u8) -> Option<u8> {
    FUNCTION_NUMBERS.get(usize::from(n).checked_sub(5)?).copied()
}

/// The numbers of F5 to F20, with the gaps that terminals have.
const FUNCTION_NUMBERS: [u8; 16] = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];

/// Returns the function key of a number in a sequence.
#[must_use]
pub fn function_key(number: u16) -> Option<Code> {
    if (11..=14).contains(&number) {
        return Some(Code::F((number - 10) as u8));
    }
    let at = FUNCTION_NUMBERS.iter().position(|known| u16::from(*known) == number)?;
    Some(Code::F(at as u8 + 5))
}

/// Returns the control character of a character.
fn control(c: char) -> Option<u8> {
    match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '[' | '\\' | ']' | '^' | '_') => Some(c as u8 & 0x1f),
        ' ' | '@' => Some(0),
        '/' => Some(0x1f),
        '?' => Some(0x7f),
        _ => None,
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (mods, prefix) in PREFIXES {
            if self.mods.has(mods) {
                f.write_str(prefix)?;
            }
        }
        if let Some((_, name)) = NAMES.iter().find(|(code, _)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            Code::F(n) => write!(f, "F{n}"),
            Code::Char(c) => write!(f, "{c}"),
            _ => Ok(()),
        }
    }
}

/// A text that names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no key; write for example x, C-b, M-Left, F5 or Space")]
pub struct UnknownKey(pub String);

impl FromStr for Key {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey(text.to_owned());
        let (mut rest, mut mods) = (text, Mods::NONE);
        while let Some((found, after)) =
            PREFIXES.iter().find_map(|(mods, prefix)| Some((*mods, rest.strip_prefix(prefix)?)))
        {
            if after.is_empty() {
                break;
            }
            (rest, mods) = (after, mods.with(found));
        }
        if let Some((code, _)) = NAMES.iter().find(|(_, name)| *name == rest) {
            return Ok(Self::new(*code, mods));
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.as_str()) {
            (Some(c), "") if !c.is_control() => Code::Char(c),
            (Some('F'), number) => Code::F(number.parse().ok().filter(|n| (1..=20).contains(n)).ok_or_else(unknown)?),
            _ => return Err(unknown()),
        };
        Ok(Self::new(code, mods))
    }
}
