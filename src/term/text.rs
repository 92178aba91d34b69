//! A screen as text: plain rows, rows with colours, the last line; and the cleaning of text that comes from programs.
//!
//! Cleaned text is safe to show in any line of any interface: no controls, nothing that reorders its surroundings, bounded length.

use alacritty_terminal::grid::Row;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;

use super::engine::Cells;
use super::engine::line;
use super::paint::Brush;
use super::paint::Dialect;
use super::paint::is_plain_blank;
use super::paint::push_cell_text;

/// Longest last line told, in characters.
const MAX_LAST_LINE: usize = 1024;

/// Returns `text` without controls and without characters that change the direction of what follows, cut to `max` characters.
pub(super) fn clean(text: &str, max: usize) -> String {
    text.chars().filter(|&c| !is_dangerous(c)).take(max).collect()
}

/// Tells whether a character must not reach an interface.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

/// Returns the visible rows as text, without trailing blanks and blank rows.
pub(super) fn plain(grid: &Cells, rows: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        push_row(&grid[line(row)], &mut text);
        text.push('\n');
    }
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// Appends one row as text, without trailing blanks.
fn push_row(row: &Row<Cell>, text: &mut String) {
    let start = text.len();
    for cell in row {
        if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
            text.push(cell.c);
            text.extend(cell.zerowidth().unwrap_or_default());
        }
    }
    let len = text[start..].trim_end_matches(' ').len();
    text.truncate(start + len);
}

/// Returns the visible rows with their colours as SGR sequences.
pub(super) fn coloured(grid: &Cells, rows: usize) -> String {
    let mut out = Vec::new();
    let mut end = 0;
    for row in 0..rows {
        let mut brush = Brush::new(Dialect::Sgr);
        let cells = &grid[line(row)][..];
        let len = cells.iter().rposition(|cell| !is_plain_blank(cell)).map_or(0, |last| last + 1);
        for cell in cells[..len].iter().filter(|cell| !cell.flags.contains(Flags::WIDE_CHAR_SPACER)) {
            brush.apply(cell, &mut out);
            push_cell_text(cell, &mut out);
        }
        brush.reset(&mut out);
        if len > 0 {
            end = out.len();
        }
        out.push(b'\n');
    }
    out.truncate(end);
    String::from_utf8(out).unwrap_or_default()
}

/// Returns the last visible row that is not blank, cleaned.
pub(super) fn last_line(grid: &Cells, rows: usize) -> String {
    let mut text = String::new();
    for row in (0..rows).rev() {
        push_row(&grid[line(row)], &mut text);
        let cleaned = clean(text.trim(), MAX_LAST_LINE);
        if !cleaned.is_empty() {
            return cleaned;
        }
        text.clear();
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaned_text_cannot_reorder_its_surroundings() {
        assert_eq!(clean("a\u{202e}b\x1b]0;x\x07\u{9b}c\u{2066}", 10), "ab]0;xc");
        assert_eq!(clean("äöü", 2), "äö");
    }
}
