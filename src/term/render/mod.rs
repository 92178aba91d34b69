//! A screen in the forms that people keep: text, coloured text, HTML, SVG, cells as data.
//!
//! All of them read a [`Mirror`], so they run wherever a frame got to, and a daemon has no part in it. What a program wrote
//! is escaped for the form at hand; a link is one only where a browser may follow it.

mod cells;
mod html;
mod palette;
mod svg;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::mirror::Mirror;
use super::paint::Look;
use super::style::Style;

pub use cells::Cells;
pub use html::html;
pub use svg::svg;

/// Cells of a row that look the same.
///
/// Either every column holds one character, blanks included, or the run is one glyph.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// First column, counted from 0.
    pub col: u16,
    /// Columns.
    pub width: u16,
    /// Their text.
    pub text: String,
    /// Their look.
    pub style: Style,
    /// It is one glyph that takes two columns or has more than one character.
    pub is_glyph: bool,
}

/// Returns a row from left to right, without what is bare at its end.
#[must_use]
pub fn runs(mirror: &Mirror, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for col in 0..mirror.size().cols() {
        let cell = mirror.cell(row, col);
        if cell.width == 0 {
            continue;
        }
        let text = if cell.text.is_empty() { " " } else { cell.text };
        let is_glyph = cell.width != 1 || text.chars().count() != 1;
        match runs.last_mut() {
            Some(last) if !is_glyph && !last.is_glyph && last.style == cell.style => {
                last.text.push_str(text);
                last.width += 1;
            }
            _ => {
                let (width, text) = (cell.width.into(), text.to_owned());
                runs.push(Run { col, width, text, style: cell.style, is_glyph });
            }
        }
    }
    if let Some(last) = runs.last_mut()
        && last.style == Style::default()
        && !last.is_glyph
    {
        last.text.truncate(last.text.trim_end_matches(' ').len());
        last.width = last.text.chars().count() as u16;
        if last.text.is_empty() {
            runs.pop();
        }
    }
    runs
}

/// Returns a row as text, without trailing blanks.
#[must_use]
pub fn row_text(mirror: &Mirror, row: u16) -> String {
    let text: String = runs(mirror, row).into_iter().map(|run| run.text).collect();
    text.trim_end_matches(' ').to_owned()
}

/// Returns the rows as text, without trailing blanks and trailing blank rows.
#[must_use]
pub fn text(mirror: &Mirror) -> String {
    let rows: Vec<String> = (0..mirror.size().rows()).map(|row| row_text(mirror, row)).collect();
    rows.join("\n").trim_end_matches('\n').to_owned()
}

/// Returns the rows with their colours as SGR sequences; each row stands for itself.
#[must_use]
pub fn ansi(mirror: &Mirror) -> String {
    let (mut out, mut end) = (String::new(), 0);
    for row in 0..mirror.size().rows() {
        let mut look = Look::plain();
        for run in runs(mirror, row) {
            let next = Look::of_style(&run.style);
            if next != look {
                let _ = write!(out, "\x1b[{}m", next.sgr_params());
                look = next;
            }
            out.push_str(&run.text);
            end = out.len();
        }
        if look != Look::plain() {
            out.push_str("\x1b[0m");
            end = out.len();
        }
        out.push('\n');
    }
    out.truncate(end);
    out
}

/// Appends text with what means something in HTML and XML written out; characters that XML cannot hold become U+FFFD.
fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

/// Returns where a cell links to, if a browser can follow that without running anything.
fn safe_link(style: &Style) -> Option<&str> {
    let uri = style.link.as_ref()?.uri();
    let scheme = uri.split_once(':')?.0.to_ascii_lowercase();
    matches!(scheme.as_str(), "http" | "https" | "mailto" | "ftp").then_some(uri)
}

/// Returns the text as it may be shown: concealed text is not even there.
fn shown(run: &Run) -> String {
    if run.style.conceal { " ".repeat(run.width.into()) } else { run.text.clone() }
}
