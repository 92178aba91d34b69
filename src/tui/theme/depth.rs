//! How many colours our terminal shows, and how others are mapped down to them.
//!
//! `NO_COLOR` turns all of them off; bold, dim and reverse stay, and every colour stands beside a word that says the same.

use std::io::Write;

use ratatui::style::Color;

/// How many colours our terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None, or none are wanted.
    Mono,
    /// Sixteen.
    Sixteen,
    /// The palette of 256.
    Palette,
    /// All.
    True,
}

impl Depth {
    /// Reads what the environment says.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let is_forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let is_unwanted = set("NO_COLOR").is_some() || set("CLICOLOR").is_some_and(|value| value == "0");
        if term == "dumb" || (is_unwanted && !is_forced) {
            Self::Mono
        } else if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
            || term.contains("direct")
        {
            Self::True
        } else if term.contains("256")
            || ["tmux", "xterm", "alacritty", "foot"].iter().any(|name| term.starts_with(name))
        {
            Self::Palette
        } else {
            Self::Sixteen
        }
    }

    /// Returns it with what the command line says about colours.
    #[must_use]
    pub const fn wanted(self, color: Option<bool>) -> Self {
        match (self, color) {
            (_, Some(false)) => Self::Mono,
            (Self::Mono, Some(true)) => Self::Sixteen,
            (depth, _) => depth,
        }
    }

    /// Appends the parameters of a colour; `base` is 30, 40 or 58 for text, ground and underline.
    pub fn push(self, color: Color, base: u8, out: &mut Vec<u8>) {
        let extended = if base == 58 { 58 } else { base + 8 };
        let _ = match self.fit(color) {
            Fitted::None => Ok(()),
            Fitted::Index(index @ 0..=7) if base != 58 => write!(out, ";{}", base + index),
            Fitted::Index(index @ 8..=15) if base != 58 => write!(out, ";{}", base + 52 + index),
            Fitted::Index(index) => write!(out, ";{extended};5;{index}"),
            Fitted::Rgb(r, g, b) => write!(out, ";{extended};2;{r};{g};{b}"),
        };
    }

    /// Maps a colour down to what the terminal shows.
    fn fit(self, color: Color) -> Fitted {
        let exact = match color {
            Color::Reset => Fitted::None,
            Color::Rgb(r, g, b) => Fitted::Rgb(r, g, b),
            Color::Indexed(index) => Fitted::Index(index),
            named => Fitted::Index(NAMED.iter().position(|known| *known == named).unwrap_or(7) as u8),
        };
        match (self, exact) {
            (Self::Mono, _) => Fitted::None,
            (Self::Palette, Fitted::Rgb(r, g, b)) => Fitted::Index(nearest_in_palette(r, g, b)),
            (Self::Sixteen, Fitted::Rgb(r, g, b)) => Fitted::Index(nearest_of_sixteen(r, g, b)),
            (Self::Sixteen, Fitted::Index(index @ 16..)) => {
                let (r, g, b) = palette_entry(index);
                Fitted::Index(nearest_of_sixteen(r, g, b))
            }
            (_, exact) => exact,
        }
    }
}

/// A colour that the terminal shows.
enum Fitted {
    None,
    Index(u8),
    Rgb(u8, u8, u8),
}

/// The sixteen by the names of the library, in the order of the palette.
const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// Steps of the colour cube of the palette, as in xterm.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_in_palette(r: u8, g: u8, b: u8) -> u8 {
    if r == g && g == b && (8..=246).contains(&r) {
        return 232 + ((u16::from(r) - 8 + 5) / 10).min(23) as u8;
    }
    let step = |value: u8| (0_u8..6).min_by_key(|at| STEPS[usize::from(*at)].abs_diff(value)).unwrap_or(0);
    16 + 36 * step(r) + 6 * step(g) + step(b)
}

fn palette_entry(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let gray = 8 + 10 * (index - 232);
        return (gray, gray, gray);
    }
    let at = index.saturating_sub(16);
    let step = |value: u8| STEPS[usize::from(value % 6)];
    (step(at / 36), step(at / 6), step(at))
}

fn nearest_of_sixteen(r: u8, g: u8, b: u8) -> u8 {
    let brightest = r.max(g).max(b);
    let bit = |value: u8| u8::from(brightest > 40 && value > brightest / 2);
    let color = bit(r) | bit(g) << 1 | bit(b) << 2;
    match (color, brightest) {
        (0, _) => 0,
        (7, 0..=120) => 8,
        (7, 121..=220) => 7,
        (color, 0..=200) => color,
        (color, _) => color + 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> Depth {
        Depth::detect(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn ux18_the_environment_says_how_many_colours() {
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(detect(&[("TERM", "screen-256color")]), Depth::Palette);
        assert_eq!(detect(&[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::Mono);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Palette);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("CLICOLOR", "0")]), Depth::Mono);
        assert_eq!(detect(&[("TERM", "linux"), ("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")]), Depth::Sixteen);
        assert_eq!(detect(&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")]), Depth::Mono);
    }

    #[test]
    fn ux18_colours_are_mapped_down_not_dropped() {
        let push = |depth: Depth, color, base| {
            let mut out = Vec::new();
            depth.push(color, base, &mut out);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(push(Depth::True, Color::Rgb(1, 2, 3), 30), ";38;2;1;2;3");
        assert_eq!(push(Depth::Palette, Color::Rgb(255, 0, 0), 30), ";38;5;196");
        assert_eq!(push(Depth::Sixteen, Color::Rgb(255, 0, 0), 40), ";101");
        assert_eq!(push(Depth::Sixteen, Color::Indexed(196), 30), ";91");
        assert_eq!(push(Depth::Sixteen, Color::Indexed(2), 30), ";32");
        assert_eq!(push(Depth::Mono, Color::Red, 30), "");
        assert_eq!(push(Depth::Sixteen, Color::Red, 30), ";31");
    }
}
