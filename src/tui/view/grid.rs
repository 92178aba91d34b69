//! The grid: thumbnails with a line above each, the chosen one marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::tui::view::cut;
use crate::tui::view::list;
use crate::tui::view::put;

/// Draws it.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    if app.sessions.rows().is_empty() {
        list::render_empty(app, area, buffer);
        return;
    }
    for (id, place) in app.thumbnails() {
        let Some(status) = app.sessions.get(id) else { continue };
        let is_chosen = app.sessions.selected_id() == Some(id);
        let (line, role) = if is_chosen { ("━", Role::Typing) } else { ("─", Role::Viewing) };
        let width = place.width.saturating_sub(1);
        put(buffer, (place.x, place.y), &line.repeat(usize::from(width)), width, app.look.style(role));
        let mark = if app.alerts.of(id).is_some() { "! " } else { "" };
        let name = format!(" {}{mark}{} ", if is_chosen { "> " } else { "" }, text::clean(&status.name));
        let name = cut(&name, width.saturating_sub(12));
        let role = if is_chosen { Role::Selected } else { Role::Heading };
        let x = put(buffer, (place.x, place.y), &name, width, app.look.style(role));
        let word = format!(" {} ", status.word());
        put(buffer, (x, place.y), &word, (place.x + width).saturating_sub(x), app.look.style(Role::of_status(status)));
        let inner = Rect { y: place.y + 1, height: place.height.saturating_sub(1), width, ..place };
        if app.is_own(id) {
            put(buffer, (inner.x, inner.y), "this dashboard", inner.width, app.look.style(Role::Faint));
        } else if let Some(pane) = app.panes.thumbs().iter().find(|pane| pane.session == Some(id)) {
            pane.render(inner, status_ended(status), buffer);
        }
    }
}

fn status_ended(status: &Status) -> bool {
    status.end().is_some()
}

/// Returns where the chosen thumbnail begins.
pub fn cursor(app: &App) -> Option<(u16, u16)> {
    let all = app.thumbnails();
    let found = all.iter().find(|(id, _)| app.sessions.selected_id() == Some(*id)).or_else(|| all.first());
    found.map(|(_, place)| (place.x, place.y))
}
