//! Text in cells: written, measured, cut and wrapped so that nothing hidden gets through and no glyph reaches beyond its place.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use crate::session::text;

/// Writes text that holds nothing hidden, cut to a width; returns the column after it.
pub fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, width: u16, style: Style) -> u16 {
    let mut at = x;
    let end = x.saturating_add(width);
    for c in text.chars() {
        // A mark without a width of its own joins the glyph before it.
        let wide = if text::is_hidden(c) { 0 } else { c.width().unwrap_or(0) as u16 };
        if at + wide > end {
            break;
        }
        if wide == 0 {
            continue;
        }
        let mut bytes = [0; 4];
        if let Some(cell) = buffer.cell_mut((at, y)) {
            cell.set_symbol(c.encode_utf8(&mut bytes)).set_style(style);
        }
        for second in 1..wide {
            if let Some(cell) = buffer.cell_mut((at + second, y)) {
                cell.set_symbol("").set_style(style);
            }
        }
        at += wide;
    }
    at
}

/// Returns how many columns text takes.
pub fn width(text: &str) -> u16 {
    text.chars().map(|c| if text::is_hidden(c) { 0 } else { c.width().unwrap_or(0) }).sum::<usize>() as u16
}

/// Cuts text to a width, with a mark where something is missing.
pub fn cut(text: &str, limit: u16) -> String {
    let text = text::clean(text);
    if width(&text) <= limit {
        return text;
    }
    let (mut out, mut at) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0) as u16;
        if at + wide + 1 > limit {
            break;
        }
        at += wide;
        out.push(c);
    }
    if limit > 0 {
        out.push('…');
    }
    out
}

/// Cuts the beginning of text, of which the end matters.
pub fn cut_start(text: &str, limit: u16) -> String {
    let text = text::clean(text);
    if width(&text) <= limit || limit == 0 {
        return cut(&text, limit);
    }
    let mut kept = Vec::new();
    let mut at = 1;
    for c in text.chars().rev() {
        at += c.width().unwrap_or(0) as u16;
        if at > limit {
            break;
        }
        kept.push(c);
    }
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

/// Breaks text at blanks; words that are too long are cut.
pub fn wrap(text: &str, limit: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let word = cut(word, limit);
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            *last = word;
        } else if width(last) + 1 + width(&word) <= limit {
            last.push(' ');
            last.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// Returns an age that is still true when it is drawn anew a minute later.
pub fn age(now_ms: u64, since_ms: u64) -> String {
    let ms = now_ms.saturating_sub(since_ms);
    if ms < 60_000 { "<1m".to_owned() } else { text::age(ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_where_it_matters_less_and_never_through_a_glyph() {
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut_start("/home/ann/project", 9), "…/project");
        assert_eq!(cut_start("漢字漢字", 4), "…字");
        assert_eq!(wrap("to be or not", 5), ["to be", "or", "not"]);
    }
}
