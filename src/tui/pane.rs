//! The pane: what a session shows, cell by cell, out of its mirror and nowhere else.
//!
//! Frames arrive in pieces on a channel; each channel number is used once. *Invariant:* no character reaches a cell that could move the
//! cursor or turn the direction of text, and no glyph reaches beyond the pane.

use ratatui::buffer::Buffer;
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style;
use ratatui::style::Modifier;

use crate::protocol::frame::Bulk;
use crate::protocol::message;
use crate::session::id::SessionId;
use crate::session::text;
use crate::term;
use crate::term::CellView;
use crate::term::Frame;
use crate::term::Mirror;
use crate::term::Modes;
use crate::term::Size;
use crate::term::Style;
use crate::term::Underline;
use crate::tui::guard;
use crate::tui::tiles::PaneId;

/// Most bytes of one frame.
const FRAME_LIMIT: usize = 32 << 20;
/// First of the bits in which a cell carries its kind of underline; the library's own end before.
const UNDERLINE_SHIFT: u16 = 9;
/// Fills what lies outside the session's screen.
const OUTSIDE: &str = "·";
/// The same in ASCII.
const OUTSIDE_ASCII: &str = ".";

/// What a frame changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Touched rows of the session's screen.
    pub rows: Vec<u16>,
    /// The screen has another size than before.
    pub is_new_size: bool,
}

/// How far the watching has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Closed,
    /// Asked for.
    Opening,
    Open,
}

/// Who took a session over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theft {
    /// Who.
    pub by: String,
    /// Wall-clock milliseconds.
    pub at_ms: u64,
}

/// Keyboard and size of the watched session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Control {
    /// Not ours, and not asked for.
    #[default]
    None,
    /// Asked for, or about to be.
    Asking {
        /// From whoever has them.
        steal: bool,
        /// They were ours before the daemon went.
        is_return: bool,
        /// What was typed meanwhile.
        typed: Vec<u8>,
    },
    /// Ours.
    Held,
}

impl Control {
    /// Returns the state of somebody who just asked.
    #[must_use]
    pub const fn asking(steal: bool) -> Self {
        Self::Asking { steal, is_return: false, typed: Vec::new() }
    }
}

/// See the module.
#[derive(Default)]
pub struct Pane {
    /// Its number.
    pub id: PaneId,
    /// The session it shows, once that is known.
    pub session: Option<SessionId>,
    /// Whether that has our keyboard.
    pub control: Control,
    /// The size that the controlled session was last told.
    pub told: Option<Size>,
    /// The session was taken from us.
    pub theft: Option<Theft>,
    /// What is typed into another marked pane is typed into this one as well.
    pub is_marked: bool,
    /// Our terminal has no Unicode.
    pub is_ascii: bool,
    /// The user moved the view; it does not follow the cursor.
    pub is_panned: bool,
    target: String,
    channel: u32,
    stage: Stage,
    mirror: Mirror,
    /// The frame that is arriving.
    pieces: Vec<u8>,
    has_frame: bool,
    /// Row and column of the session that stand in the pane's corner.
    offset: (u16, u16),
    /// The view was moved to the cursor since the session has this size.
    has_followed: bool,
    /// In the frame before, the cursor was beyond the right edge.
    has_strayed: bool,
}

impl Pane {
    /// Aims at a session; what was shown before is dropped.
    pub fn aim(&mut self, target: String) {
        *self = Self { id: self.id, is_marked: self.is_marked, is_ascii: self.is_ascii, target, ..Self::default() };
    }

    /// Returns what it aims at.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the channel, 0 while there is none.
    #[must_use]
    pub const fn channel(&self) -> u32 {
        self.channel
    }

    /// Takes a new channel; what is shown stays until its first frame.
    pub fn open(&mut self, channel: u32) {
        self.channel = channel;
        self.stage = Stage::Opening;
        self.pieces.clear();
    }

    /// Ends the watching; returns the channel if there was one.
    pub fn close(&mut self) -> Option<u32> {
        let channel = (self.stage != Stage::Closed).then_some(self.channel);
        self.lost();
        channel
    }

    /// The connection is gone, and the channel with it.
    pub const fn lost(&mut self) {
        self.stage = Stage::Closed;
        // What is still on its way must not find a pane.
        self.channel = 0;
    }

    /// The daemon agreed to send frames.
    pub const fn attached(&mut self) {
        self.stage = Stage::Open;
    }

    /// Returns whether the daemon sends frames.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Returns whether there is anything to show.
    #[must_use]
    pub const fn has_frame(&self) -> bool {
        self.has_frame
    }

    /// Returns the size of the session's screen.
    #[must_use]
    pub fn size(&self) -> Size {
        self.mirror.size()
    }

    /// Returns the session's modes.
    #[must_use]
    pub fn modes(&self) -> Modes {
        self.mirror.modes()
    }

    /// Returns row and column of the session that stand in the pane's corner.
    #[must_use]
    pub const fn offset(&self) -> (u16, u16) {
        self.offset
    }

    /// Takes a piece of a frame; returns what the frame changed once it is whole.
    pub fn on_bulk(&mut self, bulk: &Bulk) -> Option<Applied> {
        if self.pieces.len() + bulk.bytes.len() > FRAME_LIMIT {
            self.pieces.clear();
            return None;
        }
        let frame: Option<Frame> = if self.pieces.is_empty() && !bulk.more {
            message::decode(&bulk.bytes).ok()
        } else {
            self.pieces.extend_from_slice(&bulk.bytes);
            if bulk.more {
                return None;
            }
            message::decode(&std::mem::take(&mut self.pieces)).ok()
        };
        let before = self.mirror.size();
        if let Some(frame) = frame {
            // The mirror survives a panic of its parser; the terminal must not be given back for it.
            guard::expecting_panics(|| self.mirror.apply(&frame));
            self.has_frame = true;
        }
        let is_new_size = self.mirror.size() != before;
        self.has_followed &= !is_new_size;
        Some(Applied { rows: self.mirror.take_dirty_rows(), is_new_size })
    }

    /// Moves the view so that the cursor can be seen; returns whether it moved.
    pub fn follow_cursor(&mut self, area: Rect) -> bool {
        if self.is_panned {
            return false;
        }
        let (row, col, _) = self.mirror.cursor();
        let size = self.mirror.size();
        let before = self.offset;
        let across = corner(before.1, col, area.width, size.cols());
        // A program that draws its screen anew takes the cursor across it; whoever only looks on is spared to see that. It is followed to
        // the right once it stays there.
        let strays = across > before.1;
        let has_strayed = std::mem::replace(&mut self.has_strayed, strays);
        let is_followed = !strays || has_strayed || !self.has_followed || self.control == Control::Held;
        self.has_followed |= self.has_frame;
        let kept = before.1.min(size.cols().saturating_sub(area.width));
        self.offset = (corner(before.0, row, area.height, size.rows()), if is_followed { across } else { kept });
        self.offset != before
    }

    /// Moves the view by rows and columns, as far as there is something to see.
    pub fn pan(&mut self, (rows, cols): (i16, i16), area: Rect) {
        let size = self.mirror.size();
        let last = (size.rows().saturating_sub(area.height), size.cols().saturating_sub(area.width));
        self.is_panned = true;
        self.offset = (
            self.offset.0.saturating_add_signed(rows).min(last.0),
            self.offset.1.saturating_add_signed(cols).min(last.1),
        );
    }

    /// Returns the mirror that is drawn.
    #[must_use]
    pub const fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Returns where the session's cursor is on our terminal, if it is to be seen.
    #[must_use]
    pub fn cursor(&self, area: Rect) -> Option<(u16, u16)> {
        let (row, col, is_visible) = self.mirror.cursor();
        let (x, y) = (col.checked_sub(self.offset.1)?, row.checked_sub(self.offset.0)?);
        (is_visible && self.has_frame && x < area.width && y < area.height).then_some((area.x + x, area.y + y))
    }

    /// Returns whether a part of the session's screen is outside the pane.
    #[must_use]
    pub fn is_cropped(&self, area: Rect) -> bool {
        self.has_frame && (self.size().rows() > area.height || self.size().cols() > area.width)
    }

    /// Draws everything.
    pub fn render(&self, area: Rect, is_ended: bool, buffer: &mut Buffer) {
        for y in 0..area.height {
            self.render_line(y, area, is_ended, buffer);
        }
    }

    /// Draws a row of the session's screen, if it is to be seen; returns where.
    pub fn render_row(&self, row: u16, area: Rect, is_ended: bool, buffer: &mut Buffer) -> Option<u16> {
        let y = row.checked_sub(self.offset.0).filter(|y| *y < area.height)?;
        self.render_line(y, area, is_ended, buffer);
        Some(area.y + y)
    }

    fn render_line(&self, y: u16, area: Rect, is_ended: bool, buffer: &mut Buffer) {
        let (row, size) = (self.offset.0.saturating_add(y), self.mirror.size());
        for x in 0..area.width {
            let Some(cell) = buffer.cell_mut((area.x + x, area.y + y)) else { continue };
            let col = self.offset.1.saturating_add(x);
            *cell = Cell::EMPTY;
            if !self.has_frame {
                continue;
            }
            if row >= size.rows() || col >= size.cols() {
                let symbol = if self.is_ascii { OUTSIDE_ASCII } else { OUTSIDE };
                cell.set_symbol(symbol).modifier = Modifier::DIM;
                continue;
            }
            let view = self.mirror.cell(row, col);
            let is_cut = (view.width == 2 && x + 1 == area.width) || (view.width == 0 && x == 0);
            put(cell, &view, is_cut);
            if is_ended {
                cell.modifier |= Modifier::DIM;
            }
        }
    }
}

/// Returns the first row (or column) to show, so that `at` can be seen and no more than necessary moves.
fn corner(before: u16, at: u16, shown: u16, total: u16) -> u16 {
    let kept = before.min(total.saturating_sub(shown));
    let shown = shown.max(1);
    if at < kept {
        at
    } else if at >= kept + shown {
        at + 1 - shown
    } else {
        kept
    }
}

/// Draws one cell.
pub fn put(cell: &mut Cell, view: &CellView<'_>, is_cut: bool) {
    let bytes = view.text.as_bytes();
    if is_cut || (bytes.is_empty() && view.width > 0) {
        cell.set_symbol(" ");
    } else if let [b' '..=b'~'] = bytes {
        cell.set_symbol(view.text);
    } else {
        cell.set_symbol(&text::clean(view.text));
    }
    cell.fg = color(view.style.fg);
    cell.bg = color(view.style.bg);
    cell.underline_color = view.style.underline_color.map_or(style::Color::Reset, color);
    cell.modifier = modifier(&view.style);
}

fn color(color: term::Color) -> style::Color {
    match color {
        term::Color::Default => style::Color::Reset,
        term::Color::Indexed(index) => style::Color::Indexed(index),
        term::Color::Rgb(r, g, b) => style::Color::Rgb(r, g, b),
    }
}

fn modifier(style: &Style) -> Modifier {
    let flags = [
        (style.bold, Modifier::BOLD),
        (style.dim, Modifier::DIM),
        (style.italic, Modifier::ITALIC),
        (style.blink, Modifier::SLOW_BLINK),
        (style.inverse, Modifier::REVERSED),
        (style.conceal, Modifier::HIDDEN),
        (style.strike, Modifier::CROSSED_OUT),
        (style.underline != Underline::None, Modifier::UNDERLINED),
    ];
    let set = flags.into_iter().filter(|(is_set, _)| *is_set).fold(Modifier::empty(), |all, (_, flag)| all | flag);
    let kind: u16 = match style.underline {
        Underline::None | Underline::Single => 0,
        Underline::Double => 2,
        Underline::Curly => 3,
        Underline::Dotted => 4,
        Underline::Dashed => 5,
    };
    set | Modifier::from_bits_retain(kind << UNDERLINE_SHIFT)
}

/// Returns the number with which a terminal is asked for the underline of a cell; 0 and 1 are the usual one.
#[must_use]
pub const fn underline_kind(modifier: Modifier) -> u16 {
    modifier.bits() >> UNDERLINE_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_moves_no_more_than_the_cursor_asks_for() {
        // Before, cursor, rows shown, rows there are.
        let table = [
            ((0, 5, 10, 40), 0),
            ((0, 12, 10, 40), 3),
            ((3, 12, 10, 40), 3),
            ((3, 2, 10, 40), 2),
            ((30, 39, 10, 40), 30),
            ((30, 5, 10, 10), 0),
            ((0, 0, 0, 10), 0),
        ];
        for ((before, at, shown, total), expected) in table {
            assert_eq!(corner(before, at, shown, total), expected, "{before} {at} {shown} {total}");
        }
    }
}
