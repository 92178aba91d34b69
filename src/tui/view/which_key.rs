//! What may follow the keys that were pressed, when somebody waits with the next one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::keymap::describe;
use crate::tui::theme::Role;
use crate::tui::view::dialog;
use crate::tui::view::put;
use crate::tui::view::width;

/// Widest column of keys and words.
const COLUMN: u16 = 25;

/// Draws it over the last rows.
pub fn render(app: &App, buffer: &mut Buffer) {
    if !app.is_which_key_shown() || !app.keymap.is_pending() {
        return;
    }
    let mut found = app.keymap.following(app.context());
    found.retain(|(_, bound)| {
        app.offers(bound.action) && (!bound.action.name.starts_with("go-to-") || bound.action.name == "go-to-1")
    });
    let screen = buffer.area;
    let columns = (screen.width.saturating_sub(4) / COLUMN).max(1);
    let rows = (found.len() as u16).div_ceil(columns).min(screen.height.saturating_sub(4));
    let area = Rect::new(0, screen.height.saturating_sub(rows + 3), screen.width, rows + 2);
    dialog::frame(app, &describe(app.keymap.pending()), Role::Heading, area, buffer);
    let hidden = found.len().saturating_sub(usize::from(rows) * usize::from(columns));
    if hidden > 0 {
        let text = format!(" {hidden} more: {} ? ", describe(app.keymap.pending()));
        let x = area.right().saturating_sub(width(&text) + 2);
        put(buffer, (x, area.bottom() - 1), &text, area.width, app.look.style(Role::Faint));
    }
    for (n, (keys, bound)) in (0_u16..).zip(&found) {
        let (column, row) = (n / rows.max(1), n % rows.max(1));
        let x = area.x + 2 + column * COLUMN;
        let room = area.right().saturating_sub(x + 2).min(COLUMN - 1);
        if column >= columns {
            break;
        }
        let is_go = bound.action.name == "go-to-1";
        let (keys, short) = if is_go { ("1…9", "go to session") } else { (keys.as_str(), bound.action.short) };
        let y = area.y + 1 + row;
        put(buffer, (x, y), keys, room, app.look.style(Role::Key));
        let gap = width(keys).max(7) + 1;
        put(buffer, (x + gap, y), short, room.saturating_sub(gap), app.look.style(Role::Text));
    }
}
