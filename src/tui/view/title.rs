//! The line over a pane and the lines beside it: which session, who types, what is not to be seen.
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
use crate::tui::app::Focus;
use crate::tui::pane::Pane;
use crate::tui::theme::Role;
use crate::tui::tiles::Axis;
use crate::tui::tiles::PaneId;
use crate::tui::view::copy;
use crate::tui::view::cut;
use crate::tui::view::hints::word;
use crate::tui::view::put;
use crate::tui::view::width;

/// Draws the line over a pane.
pub fn render(app: &App, id: PaneId, area: Rect, buffer: &mut Buffer) {
    let Some(pane) = app.panes.get(id) else { return };
    let (line, role) = match word(app, pane) {
        ("typing", _) if app.panes.marked().contains(&id) => ("═", Role::Warning),
        ("typing" | "waiting for the keyboard", _) => ("━", Role::Typing),
        _ => ("─", Role::Viewing),
    };
    put(buffer, (area.x, area.y), &line.repeat(usize::from(area.width)), area.width, app.look.style(role));
    let parts = on_the_left(app, pane);
    // Name and state are worth more than the size.
    let wanted: u16 = parts.iter().take(2).map(|(text, _)| width(text) + 3).sum();
    let room = area.width.saturating_sub(wanted);
    let right = on_the_right(app, pane).into_iter().find(|text| width(text) + 4 <= room).unwrap_or_default();
    let reserved = if right.is_empty() { 0 } else { width(&right) + 3 };
    let end = area.right().saturating_sub(reserved).max(area.x);
    let mut x = area.x + 1;
    let has_focus = id == app.panes.focused_id() && app.panes.len() > 1 && app.focus != Focus::List;
    if has_focus {
        put(buffer, (area.x, area.y), "▸", area.width, app.look.style(Role::Heading));
    }
    // The state is not cut by a long name: who has the keyboard stands in it.
    let state = parts.get(1).map_or(0, |(text, _)| width(text) + 3);
    for (at, (text, role)) in parts.into_iter().enumerate() {
        let kept = if at == 0 && area.width >= state + 8 { state } else { 0 };
        let room = end.saturating_sub(x + kept);
        if room < 4 {
            break;
        }
        x = put(buffer, (x, area.y), &format!(" {} ", cut(&text, room - 2)), room, app.look.style(role)) + 1;
    }
    if reserved > 0 {
        put(buffer, (end + 1, area.y), &format!(" {right} "), reserved, app.look.style(Role::Faint));
    }
}

fn on_the_left(app: &App, pane: &Pane) -> Vec<(String, Role)> {
    let Some(status) = app.session_of(pane.session) else { return Vec::new() };
    let is_focused = pane.id == app.panes.focused_id();
    let heading = if is_focused || app.panes.len() == 1 { Role::Heading } else { Role::Faint };
    let mut parts = vec![(text::clean(&status.name), heading)];
    if let Some(copying) = app.copying.as_ref().filter(|copying| copying.pane == pane.id) {
        parts.extend(copy::words(copying));
        return parts;
    }
    let (word, role) = word(app, pane);
    let marked = app.panes.marked();
    let is_shared = pane.is_marked && marked.len() > 1;
    if status.end().is_some() || status.service.is_some() && status.run_end().is_some() {
        parts.push((status.word(), Role::of_status(status)));
    } else if is_shared && word == "typing" {
        parts.push((format!("typing to {} panes", marked.len()), Role::Warning));
    } else {
        parts.push((word.to_owned(), role));
    }
    if is_shared && word != "typing" {
        parts.push((format!("marked with {} panes", marked.len()), Role::Attention));
    } else if pane.is_marked && !is_shared {
        parts.push(("marked".to_owned(), Role::Attention));
    }
    parts.extend(about(pane, status));
    parts
}

/// What else there is to say: who took it, who types, its title.
fn about(pane: &Pane, status: &Status) -> Option<(String, Role)> {
    if let Some(theft) = &pane.theft {
        let text = format!("taken over by {} at {}; t takes it back", theft.by, clock::time_of_day(theft.at_ms));
        return Some((text, Role::Notice));
    }
    if let Some(controller) = status.controller().filter(|_| pane.control != Control::Held) {
        return Some((format!("{} types", controller.who), Role::Faint));
    }
    let title = status.title.as_deref().filter(|title| *title != status.name)?;
    Some((text::clean(title), Role::Faint))
}

/// The size, and whether all of it is seen: the longest first, to be chosen from by the room there is.
fn on_the_right(app: &App, pane: &Pane) -> Vec<String> {
    let Some(area) = app.area_of(pane.id) else { return Vec::new() };
    let is_in_history = app.copying.as_ref().is_some_and(|copying| copying.pane == pane.id);
    if is_in_history || !pane.has_frame() || pane.theft.is_some() {
        return Vec::new();
    }
    let size = pane.size();
    let (top, left) = pane.offset();
    let mut found = Vec::new();
    if !pane.is_cropped(area) {
        return vec![size.to_string()];
    }
    if (top, left) != (0, 0) {
        found.push(format!("{size}, cropped, from {left},{top}"));
    }
    found.extend([format!("{size}, cropped"), "cropped".to_owned()]);
    found
}

/// Draws the line between list and panes.
pub fn render_divider(app: &App, area: Rect, buffer: &mut Buffer) {
    let is_typing = app.context() == Context::Typing;
    let is_shared = app.panes.marked().contains(&app.panes.focused_id());
    let (line, corner, role) = match is_typing {
        true if is_shared => ("║", "╔", Role::Warning),
        true => ("┃", "┏", Role::Typing),
        false => ("│", "┌", Role::Viewing),
    };
    for y in area.top()..area.bottom() {
        put(buffer, (area.x, y), if y == area.y { corner } else { line }, 1, app.look.style(role));
    }
}

/// Draws the lines between panes that are side by side.
pub fn render_borders(app: &App, buffer: &mut Buffer) {
    let Some(body) = app.layout().body.filter(|body| app.panes.tiles().areas(*body).is_some()) else { return };
    let style = app.look.style(Role::Viewing);
    for border in app.panes.tiles().borders(body).into_iter().filter(|border| border.axis == Axis::Right) {
        for y in border.area.top()..border.area.bottom() {
            put(buffer, (border.area.x, y), "│", 1, style);
        }
    }
}
