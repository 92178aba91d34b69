//! Cells to escape sequences: the looks and texts that dumps, diffs and coloured text are made of.
//!
//! The `Vt100` dialect says only what a `vt100` cell can hold and says it so that `vt100` holds exactly that; the `Full` one says
//! everything a modern terminal understands. A `Brush` remembers the look in force and writes changes of it.

use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::cell::Hyperlink;

use super::style;
use super::style::ANONYMOUS;
use super::style::BLINK;
use super::style::Color;
use super::style::Style;
use super::style::Underline;

/// Flags of a cell that say how it looks, rather than how it lies in its row.
pub(super) const LOOK: Flags = Flags::from_bits_retain(
    !(Flags::WRAPLINE.bits()
        | Flags::WIDE_CHAR.bits()
        | Flags::WIDE_CHAR_SPACER.bits()
        | Flags::LEADING_WIDE_CHAR_SPACER.bits()),
);

/// Flags that `vt100` has no bit for.
const BEYOND_VT100: Flags = Flags::from_bits_retain(
    Flags::HIDDEN.bits()
        | Flags::STRIKEOUT.bits()
        | Flags::DOUBLE_UNDERLINE.bits()
        | Flags::UNDERCURL.bits()
        | Flags::DOTTED_UNDERLINE.bits()
        | Flags::DASHED_UNDERLINE.bits()
        | BLINK.bits(),
);

/// A `vt100` cell drops marks that would start at or after this byte.
const VT100_TEXT: usize = 18;

/// For whom sequences are written.
#[derive(Copy, Clone, Eq, PartialEq)]
pub(super) enum Dialect {
    /// A `vt100` parser.
    Vt100,
    /// A real terminal.
    Full,
    /// Readers of coloured text: everything SGR says, but no links.
    Sgr,
}

/// The look of a cell as plain values.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Look {
    fg: Color,
    bg: Color,
    flags: Flags,
    underline_color: Option<Color>,
}

impl Look {
    /// Returns the look of a cell.
    pub(super) fn of(cell: &Cell) -> Look {
        Look {
            fg: style::color(cell.fg),
            bg: style::color(cell.bg),
            flags: cell.flags & LOOK,
            underline_color: cell.underline_color().map(style::color),
        }
    }

    /// Returns the part of the look of a cell that `vt100` can hold.
    fn of_vt100(cell: &Cell) -> Look {
        let mut flags = cell.flags & (Flags::BOLD | Flags::DIM | Flags::ITALIC | Flags::INVERSE);
        if flags.contains(Flags::BOLD) {
            flags.remove(Flags::DIM);
        }
        flags.set(Flags::UNDERLINE, cell.flags.intersects(Flags::ALL_UNDERLINES));
        Look { fg: style::color(cell.fg), bg: style::color(cell.bg), flags, underline_color: None }
    }

    /// Returns the look that a style stands for.
    pub(super) fn of_style(style: &Style) -> Look {
        let mut flags = match style.underline {
            Underline::None => Flags::empty(),
            Underline::Single => Flags::UNDERLINE,
            Underline::Double => Flags::DOUBLE_UNDERLINE,
            Underline::Curly => Flags::UNDERCURL,
            Underline::Dotted => Flags::DOTTED_UNDERLINE,
            Underline::Dashed => Flags::DASHED_UNDERLINE,
        };
        let set = [
            (style.bold, Flags::BOLD),
            (style.dim, Flags::DIM),
            (style.italic, Flags::ITALIC),
            (style.blink, BLINK),
            (style.inverse, Flags::INVERSE),
            (style.conceal, Flags::HIDDEN),
            (style.strike, Flags::STRIKEOUT),
        ];
        for (is_set, flag) in set {
            flags.set(flag, is_set);
        }
        Look { fg: style.fg, bg: style.bg, flags, underline_color: style.underline_color }
    }

    /// Returns no look at all.
    pub(super) fn plain() -> Look {
        Look { fg: Color::Default, bg: Color::Default, flags: Flags::empty(), underline_color: None }
    }

    /// Returns the parameters of an SGR sequence that sets this look from any other.
    pub(super) fn sgr_params(&self) -> String {
        let mut out = Vec::new();
        self.push_params(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    fn push_params(&self, out: &mut Vec<u8>) {
        const SIMPLE: [(Flags, &[u8]); 7] = [
            (Flags::BOLD, b";1"),
            (Flags::DIM, b";2"),
            (Flags::ITALIC, b";3"),
            (BLINK, b";5"),
            (Flags::INVERSE, b";7"),
            (Flags::HIDDEN, b";8"),
            (Flags::STRIKEOUT, b";9"),
        ];
        out.push(b'0');
        if !self.flags.is_empty() {
            for (flag, code) in SIMPLE {
                if self.flags.contains(flag) {
                    out.extend_from_slice(code);
                }
            }
            out.extend_from_slice(match style::underline(self.flags) {
                Underline::None => b"",
                Underline::Single => b";4",
                Underline::Double => b";4:2",
                Underline::Curly => b";4:3",
                Underline::Dotted => b";4:4",
                Underline::Dashed => b";4:5",
            });
        }
        push_color(self.fg, 30, out);
        push_color(self.bg, 40, out);
        match self.underline_color {
            Some(Color::Indexed(index)) => push_numbers(b";58:5:", &[u16::from(index)], b':', out),
            Some(Color::Rgb(r, g, b)) => {
                push_numbers(b";58:2::", &[r, g, b].map(u16::from), b':', out);
            }
            Some(Color::Default) | None => {}
        }
    }
}

/// Appends the parameters of a colour; `base` is 30 or 40.
fn push_color(color: Color, base: u16, out: &mut Vec<u8>) {
    match color {
        Color::Default => {}
        Color::Indexed(index @ 0..=7) => push_numbers(b";", &[base + u16::from(index)], b';', out),
        Color::Indexed(index @ 8..=15) => {
            push_numbers(b";", &[base + 52 + u16::from(index)], b';', out);
        }
        Color::Indexed(index) => push_numbers(b";", &[base + 8, 5, u16::from(index)], b';', out),
        Color::Rgb(r, g, b) => push_numbers(b";", &[base + 8, 2, u16::from(r), u16::from(g), u16::from(b)], b';', out),
    }
}

/// Appends numbers with `between` between them.
fn push_numbers(before: &[u8], numbers: &[u16], between: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    for (index, &number) in numbers.iter().enumerate() {
        if index > 0 {
            out.push(between);
        }
        push_number(number, out);
    }
}

/// Appends a decimal number.
fn push_number(number: u16, out: &mut Vec<u8>) {
    if number >= 10 {
        push_number(number / 10, out);
    }
    out.push(b'0' + (number % 10) as u8);
}

/// Appends the sequence that addresses the cursor; counted from 0.
pub(super) fn push_address(row: usize, col: usize, out: &mut Vec<u8>) {
    push_numbers(b"\x1b[", &[row as u16 + 1, col as u16 + 1], b';', out);
    out.push(b'H');
}

/// Appends the text of a cell.
pub(super) fn push_cell_text(cell: &Cell, out: &mut Vec<u8>) {
    push_char(cell.c, out);
    for &mark in cell.zerowidth().unwrap_or_default() {
        push_char(mark, out);
    }
}

fn push_char(c: char, out: &mut Vec<u8>) {
    if c.is_ascii() {
        out.push(c as u8);
    } else {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Tells whether two cells look and read the same; how they lie in their rows counts only for wide glyphs.
pub(super) fn is_same(a: &Cell, b: &Cell) -> bool {
    let hidden = Flags::WRAPLINE | Flags::LEADING_WIDE_CHAR_SPACER;
    a.c == b.c && a.fg == b.fg && a.bg == b.bg && a.flags.union(hidden) == b.flags.union(hidden) && a.extra == b.extra
}

/// Tells whether a cell is blank and undecorated.
pub(super) fn is_plain_blank(cell: &Cell) -> bool {
    let has_link = cell.extra.is_some() && cell.hyperlink().is_some();
    is_blank(cell) && !has_link && Look::of(cell) == Look::plain()
}

/// Tells whether a cell shows no text.
pub(super) fn is_blank(cell: &Cell) -> bool {
    cell.c == ' ' && cell.zerowidth().is_none_or(<[char]>::is_empty)
}

/// Tells whether a `vt100` cell would hold exactly this text, in this width.
pub(super) fn vt100_holds_text(cell: &Cell) -> bool {
    let marks = cell.zerowidth().unwrap_or_default();
    if cell.c == '\u{fffd}' {
        return false;
    }
    if marks.is_empty() {
        return true;
    }
    let before_last: usize = marks[..marks.len() - 1].iter().map(|mark| mark.len_utf8()).sum();
    cell.c.len_utf8() + before_last < VT100_TEXT && !marks.contains(&'\u{fe0f}')
}

/// Tells whether a `vt100` cell can hold this look.
pub(super) fn vt100_holds_look(cell: &Cell) -> bool {
    let has_more = cell.extra.as_ref().is_some_and(|_| cell.underline_color().is_some() || cell.hyperlink().is_some());
    !cell.flags.intersects(BEYOND_VT100) && !cell.flags.contains(Flags::DIM_BOLD) && !has_more
}

/// Writes changes of look, remembering the one in force.
pub(super) struct Brush {
    dialect: Dialect,
    look: Look,
    link: Option<Hyperlink>,
}

impl Brush {
    /// Returns a brush for a terminal whose look has just been reset.
    pub(super) fn new(dialect: Dialect) -> Brush {
        Brush { dialect, look: Look::plain(), link: None }
    }

    /// Writes what it takes to have the look of `cell`.
    pub(super) fn apply(&mut self, cell: &Cell, out: &mut Vec<u8>) {
        let look = match self.dialect {
            Dialect::Vt100 => Look::of_vt100(cell),
            Dialect::Full | Dialect::Sgr => Look::of(cell),
        };
        if look != self.look {
            out.extend_from_slice(b"\x1b[");
            look.push_params(out);
            out.push(b'm');
            self.look = look;
        }
        if self.dialect == Dialect::Full && (cell.extra.is_some() || self.link.is_some()) {
            self.apply_link(cell.hyperlink(), out);
        }
    }

    /// Writes what it takes to have no look at all.
    pub(super) fn reset(&mut self, out: &mut Vec<u8>) {
        self.apply(&Cell::default(), out);
    }

    fn apply_link(&mut self, link: Option<Hyperlink>, out: &mut Vec<u8>) {
        if link == self.link {
            return;
        }
        out.extend_from_slice(b"\x1b]8;");
        if let Some(link) = &link {
            if !link.id().starts_with(ANONYMOUS) {
                out.extend_from_slice(b"id=");
                out.extend_from_slice(link.id().as_bytes());
            }
            out.push(b';');
            out.extend_from_slice(link.uri().as_bytes());
        } else {
            out.push(b';');
        }
        out.extend_from_slice(b"\x1b\\");
        self.link = link;
    }
}
