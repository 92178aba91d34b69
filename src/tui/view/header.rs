//! The first line: how many sessions are in which state, and what the list leaves out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::status::State;
use crate::session::status::Status;
use crate::tui::app::App;
use crate::tui::app::Link;
use crate::tui::theme::Role;
use crate::tui::view::put;

/// Draws it.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let end = area.right();
    let style = |role| app.look.style(role);
    let mut x = put(buffer, (area.x, area.y), " rpm ", area.width, style(Role::Heading));
    let rows = app.sessions.rows();
    let count = |role: Role| rows.iter().filter(|status| Role::of_status(status) == role).count();
    let is_stopping = |row: &&Status| matches!(row.state, State::Stopping { .. });
    let stopping = rows.iter().filter(is_stopping).count();
    let alerts = app.alerts.count();
    let parts = [
        (count(Role::Running), "running", Role::Running),
        (count(Role::Stopping).saturating_sub(stopping), "starting", Role::Stopping),
        (stopping, "stopping", Role::Stopping),
        (count(Role::Ended), "ended", Role::Ended),
        (count(Role::Failed), "failed", Role::Failed),
        (app.list.marked.len(), "marked", Role::Attention),
        (alerts, if alerts == 1 { "wants attention" } else { "want attention" }, Role::Attention),
    ];
    let mut separator = " ";
    for (number, word, role) in parts.into_iter().filter(|(number, ..)| *number > 0) {
        x = put(buffer, (x, area.y), separator, end.saturating_sub(x), style(Role::Faint));
        x = put(buffer, (x, area.y), &format!("{number} {word}"), end.saturating_sub(x), style(role));
        separator = " · ";
    }
    if matches!(app.link, Link::Lost { .. }) {
        put(buffer, (x, area.y), "  reconnecting", end.saturating_sub(x), style(Role::Stopping));
    }
}
