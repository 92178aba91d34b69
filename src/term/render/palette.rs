//! From a style to the colours and decorations of a page: what HTML and SVG have in common.

use std::borrow::Cow;

use crate::term::style::Color;
use crate::term::style::Style;
use crate::term::style::Underline;

/// The terminal's own background.
pub const PAPER: &str = "#16181a";
/// The terminal's own text colour.
pub const INK: &str = "#d8d8d0";

/// The sixteen colours, as a dark terminal has them.
const SIXTEEN: [&str; 16] = [
    "#1d2021", "#cc5555", "#7fa650", "#d0a040", "#5f87c7", "#a86fb0", "#56a0a0", "#c8c8c0", "#7c7c78", "#ef7a7a",
    "#a5cf70", "#f0c860", "#85acef", "#cf95d8", "#7fcccc", "#f5f5f0",
];

/// Returns a colour as `#rrggbb`; none for the terminal's own.
pub fn hex(color: Color) -> Option<Cow<'static, str>> {
    let rgb = match color {
        Color::Default => return None,
        Color::Indexed(index @ 0..=15) => return Some(Cow::Borrowed(SIXTEEN[usize::from(index)])),
        Color::Indexed(index @ 16..=231) => {
            // A cube of six steps, of which the first is longer: 0, 95, 135, … 255.
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            (step(cube / 36), step(cube / 6 % 6), step(cube % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
        Color::Rgb(r, g, b) => (r, g, b),
    };
    Some(Cow::Owned(format!("#{:02x}{:02x}{:02x}", rgb.0, rgb.1, rgb.2)))
}

/// Returns the colour of text and the one behind it, none where the page's own shows.
pub fn colours(style: &Style) -> (Option<Cow<'static, str>>, Option<Cow<'static, str>>) {
    let (ink, paper) = (hex(style.fg), hex(style.bg));
    if style.inverse {
        (Some(paper.unwrap_or(Cow::Borrowed(PAPER))), Some(ink.unwrap_or(Cow::Borrowed(INK))))
    } else {
        (ink, paper)
    }
}

/// Returns the declarations of everything but colours, each with a semicolon after it.
pub fn declarations(style: &Style) -> String {
    let mut out = String::new();
    if style.bold {
        out.push_str("font-weight:bold;");
    }
    if style.italic {
        out.push_str("font-style:italic;");
    }
    if style.dim {
        out.push_str("opacity:.6;");
    }
    let kind = match style.underline {
        Underline::None => None,
        Underline::Single => Some("solid"),
        Underline::Double => Some("double"),
        Underline::Curly => Some("wavy"),
        Underline::Dotted => Some("dotted"),
        Underline::Dashed => Some("dashed"),
    };
    let lines = match (kind, style.strike) {
        (Some(_), true) => "underline line-through",
        (Some(_), false) => "underline",
        (None, true) => "line-through",
        (None, false) => return out,
    };
    out.push_str("text-decoration:");
    out.push_str(lines);
    if let Some(kind) = kind.filter(|kind| *kind != "solid") {
        out.push(' ');
        out.push_str(kind);
    }
    if let Some(color) = style.underline_color.and_then(hex) {
        out.push(' ');
        out.push_str(&color);
    }
    out.push(';');
    out
}
