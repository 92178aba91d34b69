//! Lines broken into rows, between glyphs and never through one.

use unicode_width::UnicodeWidthChar;

/// Returns the byte ranges of a line's rows, each as wide as there is room; an empty line has one.
#[must_use]
pub fn pieces(text: &str, room: usize) -> Vec<(usize, usize)> {
    let (mut all, mut start, mut used) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room && at > start {
            all.push((start, at));
            (start, used) = (at, 0);
        }
        used += wide;
    }
    all.push((start, text.len()));
    all
}

/// Returns how many rows a line has.
pub(super) fn rows(text: &str, room: usize) -> usize {
    // Most lines fit, and no glyph has more columns than bytes.
    if text.len() <= room { 1 } else { pieces(text, room).len() }
}
