//! A screen as data: every cell with its look, for programs.

use serde::Serialize;

use super::Run;
use super::row_text;
use super::runs;
use crate::term::mirror::Mirror;
use crate::term::style::Color;
use crate::term::style::Underline;

/// A screen; its JSON is what `rpm screen --json` prints.
#[derive(Debug, Serialize)]
pub struct Cells {
    /// Rows of the screen, without scrollback.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
    /// Rows of scrollback that come first in `text` and `cells`.
    pub above: u16,
    /// Where the cursor is; its row counts from the top of the screen.
    pub cursor: Cursor,
    /// The title.
    pub title: Option<String>,
    /// The modes that say how the program uses the screen.
    pub modes: Shown,
    /// The rows as text, without trailing blanks.
    pub text: Vec<String>,
    /// The rows as runs of cells that look the same.
    pub cells: Vec<Vec<View>>,
}

/// The cursor.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Cursor {
    row: u16,
    col: u16,
    visible: bool,
    shape: &'static str,
    blinks: bool,
}

/// Modes that matter to whoever reads a screen.
#[derive(Debug, Serialize)]
pub struct Shown {
    alternate_screen: bool,
    bracketed_paste: bool,
    app_cursor: bool,
    mouse: bool,
}

/// One run: each column holds one character, or the run is one glyph.
#[derive(Debug, Serialize)]
pub struct View {
    col: u16,
    width: u16,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fg: Option<Colour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bg: Option<Colour>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underline: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underline_color: Option<Colour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// A palette entry as a number, a direct colour as `#rrggbb`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Colour {
    Indexed(u8),
    Rgb(String),
}

impl Cells {
    /// Reads a mirror whose first `above` rows are scrollback.
    #[must_use]
    pub fn of(mirror: &Mirror, above: u16) -> Cells {
        let size = mirror.size();
        let (row, col, visible) = mirror.cursor();
        let modes = mirror.modes();
        let shape = match modes.cursor_shape {
            3 | 4 => "underline",
            5 | 6 => "bar",
            _ => "block",
        };
        let rows = || 0..size.rows();
        Cells {
            rows: size.rows().saturating_sub(above),
            cols: size.cols(),
            above,
            cursor: Cursor {
                row: row.saturating_sub(above),
                col,
                visible,
                shape,
                blinks: matches!(modes.cursor_shape, 0 | 1 | 3 | 5),
            },
            title: mirror.title().map(str::to_owned),
            modes: Shown {
                alternate_screen: modes.alternate_screen,
                bracketed_paste: modes.bracketed_paste,
                app_cursor: modes.app_cursor,
                mouse: modes.mouse != crate::term::MouseMode::None,
            },
            text: rows().map(|row| row_text(mirror, row)).collect(),
            cells: rows().map(|row| runs(mirror, row).into_iter().map(view).collect()).collect(),
        }
    }
}

fn view(run: Run) -> View {
    let style = run.style;
    let set = [
        (style.bold, "bold"),
        (style.dim, "dim"),
        (style.italic, "italic"),
        (style.blink, "blink"),
        (style.inverse, "inverse"),
        (style.conceal, "conceal"),
        (style.strike, "strike"),
    ];
    View {
        col: run.col,
        width: run.width,
        text: run.text,
        fg: colour(style.fg),
        bg: colour(style.bg),
        attributes: set.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect(),
        underline: match style.underline {
            Underline::None => None,
            Underline::Single => Some("single"),
            Underline::Double => Some("double"),
            Underline::Curly => Some("curly"),
            Underline::Dotted => Some("dotted"),
            Underline::Dashed => Some("dashed"),
        },
        underline_color: style.underline_color.and_then(colour),
        link: style.link.map(|link| link.uri().to_owned()),
    }
}

fn colour(color: Color) -> Option<Colour> {
    match color {
        Color::Default => None,
        Color::Indexed(index) => Some(Colour::Indexed(index)),
        Color::Rgb(r, g, b) => Some(Colour::Rgb(format!("#{r:02x}{g:02x}{b:02x}"))),
    }
}
