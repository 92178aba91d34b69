//! The last line: the keys that count now, out of the keymap, or a message.
//!
//! *Invariant:* while a session has the keyboard, the prefix is on it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::text;
use crate::tui::action::Action;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Control;
use crate::tui::keymap::Bound;
use crate::tui::keymap::describe;
use crate::tui::pane::Pane;
use crate::tui::theme::Role;
use crate::tui::view::copy;
use crate::tui::view::cut;
use crate::tui::view::put;
use crate::tui::view::width;

/// What makes sense without any session, most useful first.
const WITHOUT_SESSIONS: [&str; 6] = ["new-shell", "new", "help", "leave", "palette", "messages"];

/// Draws it.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let x = render_place(app, area, buffer);
    let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
    match &app.notice {
        Some(notice) if !app.keymap.is_pending() => {
            let text = cut(&notice.text, rest.width);
            put(buffer, (x, area.y), &text, rest.width, app.look.style(Role::Notice));
        }
        _ => render_keys(app, rest, buffer),
    }
}

/// What the line starts with: where the keyboard is, when nothing else on the screen says it.
fn render_place(app: &App, area: Rect, buffer: &mut Buffer) -> u16 {
    let (x, y, end) = (area.x, area.y, area.right());
    let style = |role| app.look.style(role);
    let mut at = x;
    if app.layout().alone.is_some() {
        let pane = app.panes.focused();
        let name = app.session_of(pane.session).map_or_else(|| pane.target().to_owned(), |status| status.name.clone());
        let name = format!(" {} ", cut(&text::clean(&name), area.width / 3));
        at = put(buffer, (at, y), &name, area.width, style(Role::Heading));
        let (word, role) = word(app, pane);
        let words = match &app.copying {
            Some(copying) => copy::words(copying),
            None => vec![(word.to_owned(), role)],
        };
        for (word, role) in words {
            at = put(buffer, (at, y), &format!("{word} "), end.saturating_sub(at), style(role));
        }
        at = put(buffer, (at, y), " ", end.saturating_sub(at), style(Role::Text));
    }
    if app.context() == Context::Typing && app.notice.is_some() {
        let prefix = format!(" {} ", app.keymap.prefix_text());
        at = put(buffer, (at, y), &prefix, end.saturating_sub(at), style(Role::Key));
    }
    at
}

/// Returns the word that says who has the keyboard of a pane.
pub fn word(app: &App, pane: &Pane) -> (&'static str, Role) {
    let is_focused = pane.id == app.panes.focused_id();
    match (app.context(), &pane.control) {
        (Context::Typing, Control::Held) if is_focused || pane.is_marked => ("typing", Role::Typing),
        (Context::Typing, Control::Asking { .. }) if is_focused => ("waiting for the keyboard", Role::Stopping),
        (_, Control::Held) => ("typing is paused", Role::Viewing),
        _ if app.session_of(pane.session).is_some_and(|status| status.end().is_some()) => ("ended", Role::Ended),
        _ => ("viewing", Role::Viewing),
    }
}

fn render_keys(app: &App, area: Rect, buffer: &mut Buffer) {
    for (x, keys, short) in places(app, area) {
        let x = put(buffer, (x + 1, area.y), &keys, area.width, app.look.style(Role::Key));
        put(buffer, (x + 1, area.y), short, area.width, app.look.style(Role::Faint));
    }
}

/// Returns the hints there is room for, each with its column.
fn places(app: &App, area: Rect) -> Vec<(u16, String, &'static str)> {
    let mut x = area.x;
    let mut found = Vec::new();
    for (keys, short) in hints(app) {
        let needed = width(&keys) + width(short) + 3;
        if x + needed > area.right() {
            break;
        }
        found.push((x, keys, short));
        x += needed;
    }
    found
}

/// Returns the action whose hint is at a column.
#[must_use]
pub fn hint_at(app: &App, area: Rect, column: u16) -> Option<&'static Action> {
    if app.notice.is_some() || app.keymap.is_pending() || app.layout().alone.is_some() {
        return None;
    }
    let places = places(app, area);
    let (_, keys, short) = places.iter().rev().find(|(x, ..)| *x <= column)?;
    let mut bound = app.keymap.bound(app.context());
    bound.find(|bound| bound.action.short == *short && bound.first() == *keys).map(|bound| bound.action)
}

/// Returns keys and words of the context, most useful first; inside a sequence, all that may follow.
fn hints(app: &App) -> Vec<(String, &'static str)> {
    let context = app.context();
    if app.keymap.is_pending() {
        let mut found: Vec<(String, &Bound)> = app.keymap.following(context);
        found.retain(|(_, bound)| !bound.action.name.starts_with("go-to-") && app.offers(bound.action));
        found.sort_by_key(|(_, bound)| if bound.hint == 0 { u8::MAX } else { bound.hint });
        let pressed = (describe(app.keymap.pending()), "…");
        let rest = found.into_iter().map(|(keys, bound)| (keys, bound.action.short));
        return std::iter::once(pressed).chain(rest).collect();
    }
    let mut found: Vec<&Bound> =
        app.keymap.bound(context).filter(|bound| bound.hint > 0 && app.offers(bound.action)).collect();
    if context == Context::List && app.sessions.rows().is_empty() {
        // Keys that would do nothing are no hints.
        found = app.keymap.bound(context).filter(|bound| WITHOUT_SESSIONS.contains(&bound.action.name)).collect();
        found.sort_by_key(|bound| WITHOUT_SESSIONS.iter().position(|name| *name == bound.action.name));
    } else {
        found.sort_by_key(|bound| bound.hint);
    }
    found.into_iter().map(|bound| (bound.first(), bound.action.short)).collect()
}
