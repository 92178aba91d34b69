//! A field of one line: its text, and where the cursor is in it.
//!
//! Characters of a paste go in as they are, without line ends and control characters.

use unicode_width::UnicodeWidthChar;

/// Most characters of a field.
const LIMIT: usize = 4096;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    chars: Vec<char>,
    at: usize,
}

impl Line {
    /// Starts with a text, the cursor behind it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().filter(|c| !c.is_control()).take(LIMIT).collect();
        Self { at: chars.len(), chars }
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// Returns whether there is no text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// Returns the text before the cursor.
    #[must_use]
    pub fn before(&self) -> String {
        self.chars[..self.at].iter().collect()
    }

    /// Returns how many columns are before the cursor.
    #[must_use]
    pub fn column(&self) -> u16 {
        self.chars[..self.at].iter().map(|c| c.width().unwrap_or(0) as u16).sum()
    }

    /// Types text.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.chars.len() < LIMIT {
                self.chars.insert(self.at, c);
                self.at += 1;
            }
        }
    }

    /// Puts text in the place of all that is before the cursor.
    pub fn replace_before(&mut self, text: &str) {
        self.chars.drain(..self.at);
        self.at = 0;
        self.insert(text);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Deletes the character before the cursor; `false` if there is none.
    pub fn backspace(&mut self) -> bool {
        let is_there = self.at > 0;
        if is_there {
            self.at -= 1;
            self.chars.remove(self.at);
        }
        is_there
    }

    /// Deletes the character under the cursor.
    pub fn delete(&mut self) {
        if self.at < self.chars.len() {
            self.chars.remove(self.at);
        }
    }

    /// Deletes the word before the cursor.
    pub fn delete_word(&mut self) {
        while self.at > 0 && self.chars[self.at - 1].is_whitespace() {
            self.backspace();
        }
        while self.at > 0 && !self.chars[self.at - 1].is_whitespace() {
            self.backspace();
        }
    }

    /// Deletes all before the cursor.
    pub fn delete_before(&mut self) {
        self.chars.drain(..self.at);
        self.at = 0;
    }

    /// Deletes all behind the cursor.
    pub fn delete_after(&mut self) {
        self.chars.truncate(self.at);
    }

    /// Moves the cursor by characters.
    pub fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.chars.len());
    }

    /// Moves the cursor to the beginning.
    pub const fn home(&mut self) {
        self.at = 0;
    }

    /// Moves the cursor to the end.
    pub const fn end(&mut self) {
        self.at = self.chars.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_as_everywhere() {
        let mut line = Line::of("make te\n");
        line.insert("st\u{1b}");
        assert_eq!((line.text().as_str(), line.column()), ("make test", 9));
        line.delete_word();
        assert_eq!(line.text(), "make ");
        line.home();
        line.delete();
        line.go(100);
        line.backspace();
        assert_eq!(line.text(), "ake");
        line.go(-1);
        line.delete_after();
        line.insert("漢");
        assert_eq!((line.text().as_str(), line.column()), ("ak漢", 4));
        line.delete_before();
        assert!(line.is_empty() && !line.backspace());
    }
}
