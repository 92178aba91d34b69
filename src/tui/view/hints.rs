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
use crate::tui::app::LogsView;
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
    for (x, hint) in places(app, area) {
        let x = put(buffer, (x + 1, area.y), &hint.keys, area.width, app.look.style(Role::Key));
        put(buffer, (x + 1, area.y), hint.short, area.width, app.look.style(Role::Faint));
    }
}

/// A key and what it does now.
struct Hint {
    keys: String,
    short: &'static str,
    /// None for what was pressed so far.
    action: Option<&'static Action>,
}

/// Returns the hints there is room for, each with its column.
fn places(app: &App, area: Rect) -> Vec<(u16, Hint)> {
    let mut x = area.x;
    let mut found = Vec::new();
    for hint in hints(app) {
        let needed = width(&hint.keys) + width(hint.short) + 3;
        if x + needed > area.right() {
            break;
        }
        found.push((x, hint));
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
    places.iter().rev().find(|(x, _)| *x <= column)?.1.action
}

/// Returns keys and words of the context, most useful first; inside a sequence, all that may follow.
fn hints(app: &App) -> Vec<Hint> {
    let context = app.context();
    if app.keymap.is_pending() {
        let mut found: Vec<(String, &Bound)> = app.keymap.following(context);
        found.retain(|(_, bound)| !bound.action.name.starts_with("go-to-") && app.offers(bound.action));
        found.sort_by_key(|(_, bound)| if bound.hint == 0 { u8::MAX } else { bound.hint });
        let pressed = Hint { keys: describe(app.keymap.pending()), short: "…", action: None };
        let rest =
            found.into_iter().map(|(keys, bound)| Hint { keys, short: bound.action.short, action: Some(bound.action) });
        return std::iter::once(pressed).chain(rest).collect();
    }
    let is_empty = context == Context::List && app.sessions.rows().is_empty();
    let (first, without): (&[&str], &[&str]) = match context {
        Context::List if is_empty => (&WITHOUT_SESSIONS, &[]),
        Context::List | Context::View => of_row(app),
        Context::Logs => of_logs(app),
        _ => (&[], &[]),
    };
    let place = |bound: &Bound| match first.iter().position(|name| *name == bound.action.name) {
        // What suits the row comes after the first key, which is the same for all.
        Some(at) => Some((1, at)),
        None if is_empty || bound.hint == 0 || without.contains(&bound.action.name) => None,
        None => Some((if bound.hint == 1 { 0 } else { 2 }, usize::from(bound.hint))),
    };
    let offered = app.keymap.bound(context).filter(|bound| app.offers(bound.action));
    let mut found: Vec<_> = offered.filter_map(|bound| Some((place(bound)?, bound))).collect();
    found.sort_by_key(|(place, _)| *place);
    found
        .into_iter()
        .map(|(_, bound)| Hint { keys: bound.first(), short: short(app, bound.action), action: Some(bound.action) })
        .collect()
}

/// Returns the names of actions that suit the selected row, and of those that would do nothing there.
fn of_row(app: &App) -> (&'static [&'static str], &'static [&'static str]) {
    let Some(status) = app.selected().filter(|_| app.list.marked.is_empty()) else { return (&[], &[]) };
    match (status.service.is_some(), status.run_end().is_some(), status.end().is_some()) {
        (true, false, _) => (&["restart", "reload"], &["remove"]),
        // It waits for its next try, which somebody may want to prevent.
        (true, true, false) => (&["start", "logs"], &["type", "kill", "remove"]),
        (true, true, true) => (&["start", "logs"], &["type", "stop", "kill"]),
        (false, true, _) => (&["restart", "remove"], &["type", "stop", "kill"]),
        (false, false, _) => (&[], &["remove"]),
    }
}

/// The same for the logs that are read.
fn of_logs(app: &App) -> (&'static [&'static str], &'static [&'static str]) {
    let Some(LogsView { logs, .. }) = &app.logs_view else { return (&[], &[]) };
    let first: &[&str] = if logs.pattern.is_empty() { &[] } else { &["logs-next-hit", "logs-previous-hit"] };
    let has_streams = logs.sources.iter().any(|source| source.has_streams);
    (first, if has_streams { &[] } else { &["logs-stream"] })
}

/// Returns what an action does as things are.
fn short(app: &App, action: &'static Action) -> &'static str {
    let logs = app.logs_view.as_ref().map(|view| &view.logs);
    match (action.name, logs) {
        ("logs-follow", Some(logs)) if logs.is_following => "pause",
        ("logs-follow", Some(_)) => "follow",
        ("logs-stream", Some(logs)) => ["stdout alone", "stderr alone", "both streams"][logs.streams.min(2)],
        _ => action.short,
    }
}
