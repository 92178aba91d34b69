//! A row of history, kept small: its text once, and only what is unusual about it besides.

use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;

use super::style::Style;

/// One row of history.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Row {
    /// All of it, without blanks at the end.
    text: Box<str>,
    /// None for a row in one plain look whose columns are the bytes of its text.
    rest: Option<Box<Rest>>,
    /// The text goes on in the next row.
    pub wraps: bool,
}

/// What most rows do not have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Rest {
    /// The characters by column, `\0` in the second half of a wide one; empty where the text is ASCII.
    chars: Vec<char>,
    /// Marks that join the character of a column.
    joined: Vec<(u16, String)>,
    /// Looks, each from a column on.
    looks: Vec<(u16, Style)>,
}

impl Row {
    pub(super) fn of(cells: &[Cell]) -> Row {
        let plain = Cell::default();
        let is_blank = |cell: &Cell| {
            // The second half of a wide glyph holds a blank too.
            let is_empty = cell.c == ' ' && !cell.flags.contains(Flags::WIDE_CHAR_SPACER);
            is_empty && (has_same_look(cell, &plain) || Style::of(cell) == Style::default())
        };
        let len = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
        let cells_shown = &cells[..len];
        let wraps = cells.last().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE));
        let text: String = cells_shown.iter().map(|cell| cell.c).collect();
        let is_usual = |cell: &Cell| cell.c.is_ascii() && has_same_look(cell, &plain);
        if cells_shown.iter().all(is_usual) {
            return Row { text: text.into_boxed_str(), rest: None, wraps };
        }
        let (text, rest) = unusual(cells_shown);
        Row { text: text.into_boxed_str(), rest: Some(Box::new(rest)), wraps }
    }

    fn chars(&self) -> Option<&[char]> {
        self.rest.as_ref().map(|rest| rest.chars.as_slice()).filter(|chars| !chars.is_empty())
    }

    /// Returns the columns that hold something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chars().map_or(self.text.len(), <[char]>::len)
    }

    /// Tells whether the row is blank.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the character of a column: a blank behind the end, `\0` in the second half of a wide one.
    #[must_use]
    pub fn char(&self, col: usize) -> char {
        match self.chars() {
            Some(chars) => chars.get(col).copied().unwrap_or(' '),
            None => self.text.as_bytes().get(col).map_or(' ', |byte| char::from(*byte)),
        }
    }

    /// Returns how many columns the character of a column takes; 0 for the second half of a wide one.
    #[must_use]
    pub fn width(&self, col: usize) -> u8 {
        let Some(chars) = self.chars() else { return 1 };
        match (self.char(col), chars.get(col + 1)) {
            ('\0', _) => 0,
            (_, Some('\0')) => 2,
            _ => 1,
        }
    }

    /// Returns the look of a column.
    #[must_use]
    pub fn style(&self, col: usize) -> Style {
        let Some(rest) = self.rest.as_ref().filter(|_| col < self.len()) else { return Style::default() };
        let after = rest.looks.partition_point(|(from, _)| usize::from(*from) <= col);
        after.checked_sub(1).map_or_else(Style::default, |at| rest.looks[at].1.clone())
    }

    /// Appends the glyph of a column.
    pub fn push(&self, col: usize, out: &mut String) {
        let c = self.char(col);
        if c == '\0' {
            return;
        }
        out.push(c);
        out.push_str(self.joined_at(col));
    }

    fn joined_at(&self, col: usize) -> &str {
        let joined = self.rest.as_ref().map_or(&[][..], |rest| rest.joined.as_slice());
        let found = joined.binary_search_by_key(&col, |(at, _)| usize::from(*at));
        found.map_or("", |at| joined[at].1.as_str())
    }

    /// Returns all of its text.
    #[must_use]
    pub fn all(&self) -> &str {
        &self.text
    }

    /// Returns the text of columns `from..to`.
    #[must_use]
    pub fn text(&self, from: usize, to: usize) -> String {
        let to = to.min(self.len());
        if self.chars().is_none() {
            return self.text.get(from..to).unwrap_or_default().to_owned();
        }
        let mut out = String::new();
        (from..to).for_each(|col| self.push(col, &mut out));
        out
    }

    /// Returns the column of the glyph that a byte of [`Row::all`] is part of.
    #[must_use]
    pub fn column_of(&self, byte: usize) -> usize {
        let Some(chars) = self.chars() else { return byte.min(self.len().saturating_sub(1)) };
        let (mut end, mut found) = (0, 0);
        for (col, c) in chars.iter().enumerate().filter(|(_, c)| **c != '\0') {
            found = col;
            end += c.len_utf8() + self.joined_at(col).len();
            if byte < end {
                break;
            }
        }
        found
    }

    /// Returns how much memory it takes, in bytes; about.
    #[must_use]
    pub fn cost(&self) -> usize {
        let look = size_of::<(u16, Style)>();
        let rest = self.rest.as_ref().map_or(0, |rest| 100 + rest.chars.len() * 4 + rest.looks.len() * look);
        size_of::<Row>() + self.text.len() + 16 + rest
    }
}

/// Tells whether two cells surely look the same; where it says no, they may still.
fn has_same_look(a: &Cell, b: &Cell) -> bool {
    let beside = Flags::WRAPLINE;
    a.fg == b.fg
        && a.bg == b.bg
        && a.flags.difference(beside) == b.flags.difference(beside)
        && a.extra.is_none()
        && b.extra.is_none()
}

fn unusual(cells: &[Cell]) -> (String, Rest) {
    let (mut text, mut rest) = (String::new(), Rest::default());
    let mut last: Option<&Cell> = None;
    let is_ascii = cells.iter().all(|cell| cell.c.is_ascii() && !cell.flags.contains(Flags::WIDE_CHAR_SPACER));
    for (col, cell) in (0u16..).zip(cells) {
        let is_half = cell.flags.contains(Flags::WIDE_CHAR_SPACER);
        rest.chars.push(if is_half { '\0' } else { cell.c });
        if !is_half {
            text.push(cell.c);
        }
        if let Some(marks) = cell.zerowidth().filter(|marks| !is_half && !marks.is_empty()) {
            let marks: String = marks.iter().collect();
            text.push_str(&marks);
            rest.joined.push((col, marks));
        }
        if last.is_none_or(|last| !has_same_look(last, cell)) {
            let style = Style::of(cell);
            if rest.looks.last().map_or(style != Style::default(), |(_, look)| *look != style) {
                rest.looks.push((col, style));
            }
        }
        last = Some(cell);
    }
    if is_ascii && rest.joined.is_empty() {
        rest.chars = Vec::new();
    }
    rest.chars.shrink_to_fit();
    rest.looks.shrink_to_fit();
    (text, rest)
}
