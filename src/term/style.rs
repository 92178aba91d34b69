//! How a cell looks, in the words of this crate rather than of an engine.
//!
//! `Style` is what a client draws and what travels in overrides. The engine's cells are translated here and nowhere else.

use std::sync::Arc;

use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi;
use serde::Deserialize;
use serde::Serialize;

/// The engine has no flag for blinking text; this is the one bit of its flags it leaves alone.
pub(super) const BLINK: Flags = Flags::from_bits_retain(0x8000);

/// First character of the identity of a link that its program did not name.
pub(super) const ANONYMOUS: char = '\u{1}';

/// A colour of a cell.
#[derive(Copy, Clone, Default, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
pub enum Color {
    /// The terminal's own foreground or background.
    #[default]
    Default,
    /// One of the 256 palette entries.
    Indexed(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

/// How a cell is underlined.
#[derive(Copy, Clone, Default, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
pub enum Underline {
    /// Not at all.
    #[default]
    None,
    /// One straight line.
    Single,
    /// Two lines.
    Double,
    /// A wavy line.
    Curly,
    /// Dots.
    Dotted,
    /// Dashes.
    Dashed,
}

/// A hyperlink (OSC 8); cheap to clone.
#[derive(Clone, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
#[serde(from = "Target", into = "Target")]
pub struct Link(Arc<Target>);

/// What a link points to.
#[derive(Clone, Default, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
#[serde(default)]
struct Target {
    id: String,
    uri: String,
}

impl Link {
    /// Returns a link to `uri`; cells whose links share an `id` belong together.
    #[must_use]
    pub fn new(id: &str, uri: &str) -> Link {
        Link(Arc::new(Target { id: id.to_owned(), uri: uri.to_owned() }))
    }

    /// Returns the identity of the link.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns where the link points to.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.0.uri
    }
}

impl From<Target> for Link {
    fn from(target: Target) -> Link {
        Link(Arc::new(target))
    }
}

impl From<Link> for Target {
    fn from(link: Link) -> Target {
        Arc::unwrap_or_clone(link.0)
    }
}

/// Colours and attributes of one cell.
#[derive(Clone, Default, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "text attributes are independent switches")]
pub struct Style {
    /// Colour of the text.
    pub fg: Color,
    /// Colour behind the text.
    pub bg: Color,
    /// How the text is underlined.
    pub underline: Underline,
    /// Colour of the underline, if not that of the text.
    pub underline_color: Option<Color>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Blinking.
    pub blink: bool,
    /// Foreground and background swapped.
    pub inverse: bool,
    /// Present but not shown.
    pub conceal: bool,
    /// Struck through.
    pub strike: bool,
    /// Where the cell links to.
    pub link: Option<Link>,
}

impl Style {
    /// Translates the look of an engine's cell.
    pub(super) fn of(cell: &Cell) -> Style {
        let flags = cell.flags;
        Style {
            fg: color(cell.fg),
            bg: color(cell.bg),
            underline: underline(flags),
            underline_color: cell.underline_color().map(color),
            bold: flags.contains(Flags::BOLD),
            dim: flags.contains(Flags::DIM),
            italic: flags.contains(Flags::ITALIC),
            blink: flags.contains(BLINK),
            inverse: flags.contains(Flags::INVERSE),
            conceal: flags.contains(Flags::HIDDEN),
            strike: flags.contains(Flags::STRIKEOUT),
            link: cell.hyperlink().map(|link| Link::new(link.id(), link.uri())),
        }
    }
}

/// Translates a colour of the engine.
pub(super) fn color(color: ansi::Color) -> Color {
    match color {
        ansi::Color::Indexed(index) => Color::Indexed(index),
        ansi::Color::Spec(rgb) => Color::Rgb(rgb.r, rgb.g, rgb.b),
        ansi::Color::Named(name) if (name as usize) < 16 => Color::Indexed(name as u8),
        ansi::Color::Named(_) => Color::Default,
    }
}

/// Returns the underline an engine's cell has.
pub(super) fn underline(flags: Flags) -> Underline {
    if !flags.intersects(Flags::ALL_UNDERLINES) {
        Underline::None
    } else if flags.contains(Flags::DOUBLE_UNDERLINE) {
        Underline::Double
    } else if flags.contains(Flags::UNDERCURL) {
        Underline::Curly
    } else if flags.contains(Flags::DOTTED_UNDERLINE) {
        Underline::Dotted
    } else if flags.contains(Flags::DASHED_UNDERLINE) {
        Underline::Dashed
    } else {
        Underline::Single
    }
}
