//! A client's copy of a screen: a `vt100` parser fed by frames, and what is laid over it.
//!
//! There is no other way from frames to cells. A frame that cannot belong to the copy at hand is ignored; a panic inside the parser
//! costs the copy's content until the next full frame, never the client.

use std::num::NonZeroU16;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::frame::Frame;
use super::frame::Overlay;
use super::modes::Modes;
use super::size::Size;
use super::style::Color;
use super::style::Style;
use super::style::Underline;

/// One cell of a mirror.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct CellView<'a> {
    /// The glyph; empty for a blank and for the second half of a wide glyph.
    pub text: &'a str,
    /// Columns the glyph takes: 1, 2, or 0 for the second half of a wide one.
    pub width: u8,
    /// How it looks.
    pub style: Style,
}

/// A client's copy of a screen.
pub struct Mirror {
    parser: vt100::Parser,
    size: Size,
    overlays: Vec<Vec<Overlay>>,
    dirty: Vec<bool>,
    modes: Modes,
    title: Option<String>,
}

impl Default for Mirror {
    fn default() -> Mirror {
        Mirror::blank(Size::default())
    }
}

impl Mirror {
    /// Returns a blank copy, waiting for its first full frame.
    #[must_use]
    pub fn new() -> Mirror {
        Mirror::default()
    }

    fn blank(size: Size) -> Mirror {
        let rows = usize::from(size.rows());
        Mirror {
            parser: new_parser(size),
            size,
            overlays: vec![Vec::new(); rows],
            dirty: vec![true; rows],
            modes: Modes::default(),
            title: None,
        }
    }

    /// Takes over what a frame says.
    pub fn apply(&mut self, frame: &Frame) {
        if frame.full {
            *self = Mirror::blank(frame.size);
        } else if frame.size != self.size {
            return;
        }
        let parser = &mut self.parser;
        if catch_unwind(AssertUnwindSafe(|| parser.process(&frame.bytes))).is_err() {
            *self = Mirror::blank(self.size);
        }
        for over in &frame.overrides {
            let row = usize::from(over.row);
            if row < self.overlays.len() {
                self.overlays[row].clone_from(&over.overlays);
                self.dirty[row] = true;
            }
        }
        self.modes = frame.modes;
        self.title.clone_from(&frame.title);
    }

    /// Returns the size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Returns a cell; a plain blank outside the screen.
    #[must_use]
    pub fn cell(&self, row: u16, col: u16) -> CellView<'_> {
        let held = self.parser.screen().cell(row, col);
        let is_second = held.is_some_and(vt100::Cell::is_wide_continuation);
        let looks = if is_second { self.parser.screen().cell(row, col.saturating_sub(1)) } else { held };
        let text = held.map_or("", vt100::Cell::contents);
        let width = match held {
            Some(_) if is_second => 0,
            Some(cell) if cell.is_wide() => 2,
            _ => 1,
        };
        match self.overlay(row, col) {
            Some(over) => lay_over(over, col, text, width),
            None => CellView {
                text: if text == " " { "" } else { text },
                width,
                style: looks.map_or_else(Style::default, style),
            },
        }
    }

    /// Returns the row and column of the cursor and whether it is shown.
    #[must_use]
    pub fn cursor(&self) -> (u16, u16, bool) {
        let (row, col) = self.parser.screen().cursor_position();
        (row, col.min(self.size.cols() - 1), !self.parser.screen().hide_cursor())
    }

    /// Returns the modes that input encoders act on.
    #[must_use]
    pub fn modes(&self) -> Modes {
        self.modes
    }

    /// Returns the title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Takes the rows touched since this was last asked.
    pub fn take_dirty_rows(&mut self) -> Vec<u16> {
        let rows = (0u16..).zip(&mut self.dirty);
        rows.filter_map(|(row, dirty)| std::mem::take(dirty).then_some(row)).collect()
    }

    /// Returns the `vt100` screen under the overrides.
    #[must_use]
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    fn overlay(&self, row: u16, col: u16) -> Option<&Overlay> {
        let overlays = self.overlays.get(usize::from(row))?;
        let after = overlays.partition_point(|over| over.col <= col);
        let over = overlays.get(after.checked_sub(1)?)?;
        (u32::from(col) < u32::from(over.col) + u32::from(over.len)).then_some(over)
    }
}

/// Returns a cell as its overlay wants it, given what the parser holds.
fn lay_over<'a>(over: &'a Overlay, col: u16, text: &'a str, width: u8) -> CellView<'a> {
    let style = over.style.clone();
    match &over.text {
        Some(_) if col > over.col => CellView { text: "", width: 0, style },
        Some(text) => CellView { text, width: if over.len > 1 { 2 } else { 1 }, style },
        None => CellView { text: if text == " " { "" } else { text }, width, style },
    }
}

fn new_parser(size: Size) -> vt100::Parser {
    let at_least_one = |count: u16| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
    vt100::Parser::new(at_least_one(size.rows()), at_least_one(size.cols()), 0)
}

/// Translates the look of a `vt100` cell.
fn style(cell: &vt100::Cell) -> Style {
    Style {
        fg: color(cell.fgcolor()),
        bg: color(cell.bgcolor()),
        underline: if cell.underline() { Underline::Single } else { Underline::None },
        bold: cell.bold(),
        dim: cell.dim(),
        italic: cell.italic(),
        inverse: cell.inverse(),
        ..Style::default()
    }
}

fn color(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::Default,
        vt100::Color::Idx(index) => Color::Indexed(index),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}
