//! Boxes over everything: where they lie, their frame, their text.

use ratatui::buffer::Buffer;
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::tui::view::put;
use crate::tui::view::width;

/// A piece of a line, and how it looks.
pub type Span = (String, Style);

/// A box in the middle of the screen.
#[derive(Default)]
pub struct Dialog {
    /// Word in its frame.
    pub title: String,
    /// How the frame looks.
    pub role: Option<Role>,
    /// Lines of pieces.
    pub lines: Vec<Vec<Span>>,
    /// First line that is drawn, as far as there is something below.
    pub top: u16,
    /// It takes as much room as there is.
    pub is_large: bool,
    /// Where the cursor belongs: column and line; else at the last line.
    pub cursor: Option<(u16, u16)>,
}

impl Dialog {
    /// Returns where it lies.
    pub fn area(&self, screen: Rect) -> Rect {
        let line = |line: &Vec<Span>| line.iter().map(|(text, _)| width(text)).sum::<u16>();
        let widest = self.lines.iter().map(line).max().unwrap_or(0);
        let (w, h) = if self.is_large {
            (screen.width.min(100), screen.height.saturating_sub(2).max(3))
        } else {
            ((widest + 4).max(width(&self.title) + 6), self.lines.len() as u16 + 2)
        };
        let (w, h) = (w.min(screen.width), h.min(screen.height));
        Rect::new((screen.width - w) / 2, (screen.height - h) / 2, w, h)
    }

    /// Draws it.
    pub fn render(&self, app: &App, area: Rect, buffer: &mut Buffer) {
        frame(app, &self.title, self.role.unwrap_or(Role::Heading), area, buffer);
        let inner = inner(area);
        let hidden = (self.lines.len() as u16).saturating_sub(inner.height);
        let top = usize::from(self.top.min(hidden));
        for (y, line) in (inner.top()..inner.bottom()).zip(self.lines.iter().skip(top)) {
            let mut x = inner.x;
            for (text, style) in line {
                x = put(buffer, (x, y), text, inner.right().saturating_sub(x), *style);
            }
        }
        if hidden > 0 && area.width > 24 {
            let text = format!(" {}-{} of {} ", top + 1, top + usize::from(inner.height), self.lines.len());
            let x = area.right().saturating_sub(width(&text) + 1);
            put(buffer, (x, area.bottom() - 1), &text, area.width, app.look.style(Role::Faint));
        }
    }

    /// Returns where the cursor belongs.
    pub fn cursor_in(&self, area: Rect) -> (u16, u16) {
        let inner = inner(area);
        match self.cursor {
            Some((column, line)) => (
                (inner.x + column).min(inner.right().saturating_sub(1)),
                (inner.y + line).min(inner.bottom().saturating_sub(1)),
            ),
            None => (area.x + 2.min(area.width.saturating_sub(1)), area.bottom().saturating_sub(2)),
        }
    }
}

fn inner(area: Rect) -> Rect {
    Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2))
}

/// Draws a frame with nothing in it.
pub fn frame(app: &App, title: &str, role: Role, area: Rect, buffer: &mut Buffer) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let style = app.look.style(role);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let is_side = x == area.left() || x + 1 == area.right();
            let is_edge = y == area.top() || y + 1 == area.bottom();
            let symbol = match (is_edge, is_side) {
                (true, true) => "+",
                (true, false) => "─",
                (false, true) => "│",
                (false, false) => " ",
            };
            if let Some(cell) = buffer.cell_mut((x, y)) {
                *cell = Cell::EMPTY;
                cell.set_symbol(symbol).set_style(style);
            }
        }
    }
    mend(area, buffer);
    let corners = [("┌", area.left(), area.top()), ("┐", area.right() - 1, area.top())];
    let below = [("└", area.left(), area.bottom() - 1), ("┘", area.right() - 1, area.bottom() - 1)];
    for (symbol, x, y) in corners.into_iter().chain(below) {
        put(buffer, (x, y), symbol, 1, style);
    }
    put(buffer, (area.x + 2, area.y), &format!(" {title} "), area.width.saturating_sub(4), style);
}

/// A wide glyph that the box cuts in half leaves blanks.
fn mend(area: Rect, buffer: &mut Buffer) {
    for y in area.top()..area.bottom() {
        if let Some(cell) = buffer.cell_mut((area.right(), y))
            && cell.symbol().is_empty()
        {
            cell.set_symbol(" ");
        }
        let Some(before) = area.left().checked_sub(1) else { continue };
        if let Some(cell) = buffer.cell_mut((before, y))
            && width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
}
