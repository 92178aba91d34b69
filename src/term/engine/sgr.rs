//! Select graphic rendition: the look of text written from now on.
//!
//! Both spellings of colours are read, `38;2;r;g;b` and `38:2::r:g:b`. The sixteen named colours are kept as palette entries.

use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::Color;
use alacritty_terminal::vte::ansi::NamedColor;
use alacritty_terminal::vte::ansi::Rgb;

use super::Engine;
use crate::term::parser::Sequence;
use crate::term::style::BLINK;

const FOREGROUND: Color = Color::Named(NamedColor::Foreground);
const BACKGROUND: Color = Color::Named(NamedColor::Background);

impl Engine {
    /// Applies an SGR sequence.
    pub(super) fn sgr(&mut self, sequence: &Sequence) {
        let mut params = sequence.params();
        let mut is_empty = true;
        while let Some(param) = params.next() {
            is_empty = false;
            match *param {
                [code @ (38 | 48 | 58)] => {
                    if let Some(color) = semicolon_color(&mut params) {
                        self.set_color(code, color);
                    }
                }
                [code @ (38 | 48 | 58), ref parts @ ..] => {
                    if let Some(color) = colon_color(parts) {
                        self.set_color(code, color);
                    }
                }
                [4, style, ..] => self.set_underline(underline_flag(style)),
                [code, ..] => self.sgr_code(code),
                [] => {}
            }
        }
        if is_empty {
            self.reset_look();
        }
    }

    /// Resets colours and attributes, but not the link.
    pub(super) fn reset_look(&mut self) {
        let template = &mut self.grid.cursor.template;
        template.fg = FOREGROUND;
        template.bg = BACKGROUND;
        template.flags = Flags::empty();
        template.set_underline_color(None);
    }

    fn set_color(&mut self, code: u16, color: Color) {
        let template = &mut self.grid.cursor.template;
        match code {
            38 => template.fg = color,
            48 => template.bg = color,
            _ => template.set_underline_color(Some(color)),
        }
    }

    fn set_underline(&mut self, flag: Flags) {
        let flags = &mut self.grid.cursor.template.flags;
        flags.remove(Flags::ALL_UNDERLINES);
        flags.insert(flag);
    }

    fn sgr_code(&mut self, code: u16) {
        let template = &mut self.grid.cursor.template;
        let flags = &mut template.flags;
        match code {
            0 => self.reset_look(),
            1 => flags.insert(Flags::BOLD),
            2 => flags.insert(Flags::DIM),
            3 => flags.insert(Flags::ITALIC),
            4 => self.set_underline(Flags::UNDERLINE),
            5 | 6 => flags.insert(BLINK),
            7 => flags.insert(Flags::INVERSE),
            8 => flags.insert(Flags::HIDDEN),
            9 => flags.insert(Flags::STRIKEOUT),
            21 => self.set_underline(Flags::DOUBLE_UNDERLINE),
            22 => flags.remove(Flags::BOLD | Flags::DIM),
            23 => flags.remove(Flags::ITALIC),
            24 => flags.remove(Flags::ALL_UNDERLINES),
            25 => flags.remove(BLINK),
            27 => flags.remove(Flags::INVERSE),
            28 => flags.remove(Flags::HIDDEN),
            29 => flags.remove(Flags::STRIKEOUT),
            30..=37 => template.fg = Color::Indexed((code - 30) as u8),
            39 => template.fg = FOREGROUND,
            40..=47 => template.bg = Color::Indexed((code - 40) as u8),
            49 => template.bg = BACKGROUND,
            59 => template.set_underline_color(None),
            90..=97 => template.fg = Color::Indexed((code - 90 + 8) as u8),
            100..=107 => template.bg = Color::Indexed((code - 100 + 8) as u8),
            _ => {}
        }
    }
}

/// Returns the flag of an underline style (`4:n`).
fn underline_flag(style: u16) -> Flags {
    match style {
        0 => Flags::empty(),
        2 => Flags::DOUBLE_UNDERLINE,
        3 => Flags::UNDERCURL,
        4 => Flags::DOTTED_UNDERLINE,
        5 => Flags::DASHED_UNDERLINE,
        _ => Flags::UNDERLINE,
    }
}

/// Reads the colour that follows a lone 38, 48 or 58.
fn semicolon_color<'a>(params: &mut impl Iterator<Item = &'a [u16]>) -> Option<Color> {
    let mut next = || params.next().and_then(|param| param.first().copied());
    match next()? {
        2 => rgb(next()?, next()?, next()?),
        5 => u8::try_from(next()?).ok().map(Color::Indexed),
        _ => None,
    }
}

/// Reads a colour from the sub-parameters after 38, 48 or 58; the colour space may be left out.
fn colon_color(parts: &[u16]) -> Option<Color> {
    match *parts {
        [2, r, g, b] | [2, _, r, g, b, ..] => rgb(r, g, b),
        [5, index, ..] => u8::try_from(index).ok().map(Color::Indexed),
        _ => None,
    }
}

fn rgb(r: u16, g: u16, b: u16) -> Option<Color> {
    let (r, g, b) = (u8::try_from(r).ok()?, u8::try_from(g).ok()?, u8::try_from(b).ok()?);
    Some(Color::Spec(Rgb { r, g, b }))
}
