//! The line over a pane and the line beside it: which session, who types, what is not to be seen.
//!
//! Heavy lines and the word `typing` say that the keyboard is the session's; both can be told apart without colours.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::platform::clock;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Control;
use crate::tui::theme::Role;
use crate::tui::view::cut;
use crate::tui::view::hints::word;
use crate::tui::view::put;
use crate::tui::view::width;

/// Draws the line over the pane.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let is_typing = app.context() == Context::Typing;
    let (line, role) = if is_typing { ("━", Role::Typing) } else { ("─", Role::Viewing) };
    put(buffer, (area.x, area.y), &line.repeat(usize::from(area.width)), area.width, role.style());
    let Some(status) = app.selected() else { return };
    let right = on_the_right(app);
    let reserved = if right.is_empty() { 0 } else { width(&right) + 3 };
    let end = area.right().saturating_sub(reserved).max(area.x);
    let mut x = area.x + 1;
    for (text, role) in on_the_left(app, status) {
        let room = end.saturating_sub(x);
        if room < 4 {
            break;
        }
        x = put(buffer, (x, area.y), &format!(" {} ", cut(&text, room - 2)), room, role.style()) + 1;
    }
    if reserved > 0 && reserved + 8 < area.width {
        put(buffer, (end + 1, area.y), &format!(" {right} "), reserved, Role::Faint.style());
    }
}

fn on_the_left(app: &App, status: &Status) -> Vec<(String, Role)> {
    let mut parts = vec![(text::clean(&status.name), Role::Heading)];
    let (word, role) = word(app);
    if status.end().is_some() {
        parts.push((status.word(), Role::of(&status.state)));
    } else {
        parts.push((word.to_owned(), role));
    }
    if let Some(theft) = &app.theft {
        let text = format!("taken over by {} at {}; t takes it back", theft.by, clock::time_of_day(theft.at_ms));
        parts.push((text, Role::Notice));
    } else if let Some(controller) = status.controller().filter(|_| app.control != Control::Held) {
        parts.push((format!("{} types", controller.who), Role::Faint));
    } else if let Some(title) = status.title.as_deref().filter(|title| *title != status.name) {
        parts.push((text::clean(title), Role::Faint));
    }
    parts
}

/// The size, if the pane does not show all of it or is larger.
fn on_the_right(app: &App) -> String {
    let Some(area) = app.layout().pane else { return String::new() };
    let size = app.pane.size();
    match app.pane.offset() {
        _ if !app.pane.has_frame() || app.theft.is_some() => String::new(),
        (0, 0) if app.pane.is_cropped(area) => format!("{size}, cropped"),
        (top, left) if app.pane.is_cropped(area) => format!("{size}, cropped, from {left},{top}"),
        _ => size.to_string(),
    }
}

/// Draws the line between list and pane.
pub fn render_divider(app: &App, area: Rect, buffer: &mut Buffer) {
    let is_typing = app.context() == Context::Typing;
    let (line, corner, role) = if is_typing { ("┃", "┏", Role::Typing) } else { ("│", "┌", Role::Viewing) };
    for y in area.top()..area.bottom() {
        put(buffer, (area.x, y), if y == area.y { corner } else { line }, 1, role.style());
    }
}
