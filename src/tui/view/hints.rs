//! The last line: the keys that count now, out of the list of actions, or a message.
//!
//! *Invariant:* while a session has the keyboard, the prefix is on it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::text;
use crate::tui::action::Action;
use crate::tui::action::Binding;
use crate::tui::action::Context;
use crate::tui::action::bound;
use crate::tui::app::App;
use crate::tui::app::Control;
use crate::tui::keymap::describe;
use crate::tui::theme::Role;
use crate::tui::view::cut;
use crate::tui::view::put;
use crate::tui::view::width;

/// Draws it.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let x = render_place(app, area, buffer);
    let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
    match &app.notice {
        Some(notice) if !app.keymap.is_pending() => {
            let text = cut(&notice.text, rest.width);
            put(buffer, (x, area.y), &text, rest.width, Role::Notice.style());
        }
        _ => render_keys(app, rest, buffer),
    }
}

/// What the line starts with: where the keyboard is, when nothing else on the screen says it.
fn render_place(app: &App, area: Rect, buffer: &mut Buffer) -> u16 {
    let (x, y, end) = (area.x, area.y, area.right());
    let context = app.context();
    let mut at = x;
    if app.layout().title.is_none() && app.layout().list.is_none() {
        let name = app.selected().map_or_else(|| app.pane.target().to_owned(), |status| status.name.clone());
        at = put(
            buffer,
            (at, y),
            &format!(" {} ", cut(&text::clean(&name), area.width / 3)),
            area.width,
            Role::Heading.style(),
        );
        let (word, role) = word(app);
        at = put(buffer, (at, y), word, end.saturating_sub(at), role.style());
        at = put(buffer, (at, y), " ", end.saturating_sub(at), Role::Text.style());
    }
    if context == Context::Typing && app.notice.is_some() {
        let prefix = format!(" {} ", app.keymap.prefix());
        at = put(buffer, (at, y), &prefix, end.saturating_sub(at), Role::Key.style());
    }
    at
}

/// Returns the word that says who has the keyboard.
pub fn word(app: &App) -> (&'static str, Role) {
    match (app.context(), &app.control) {
        (Context::Typing, Control::Held) => ("typing", Role::Typing),
        (Context::Typing, _) => ("waiting for the keyboard", Role::Stopping),
        (_, Control::Held) => ("typing is paused", Role::Viewing),
        _ if app.selected().is_some_and(|status| status.end().is_some()) => ("ended", Role::Ended),
        _ => ("viewing", Role::Viewing),
    }
}

fn render_keys(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x;
    for (keys, short) in hints(app) {
        let needed = width(&keys) + width(short) + 3;
        if x + needed > area.right() {
            break;
        }
        x = put(buffer, (x + 1, area.y), &keys, area.width, Role::Key.style());
        x = put(buffer, (x + 1, area.y), short, area.width, Role::Faint.style()) + 1;
    }
}

/// Returns keys and words of the context, most useful first; after the prefix, all that may follow it.
fn hints(app: &App) -> Vec<(String, &'static str)> {
    let context = app.context();
    let prefix = app.keymap.prefix();
    if app.keymap.is_pending() {
        let after = |(action, binding): (&'static Action, &'static Binding)| {
            let key = binding.keys.iter().find_map(|keys| keys.strip_prefix("Prefix "))?;
            (action.name != "go-to" && app.offers(action.id)).then(|| (action, binding.hint, describe(key, prefix)))
        };
        let mut found: Vec<_> = bound(context).filter_map(after).collect();
        found.sort_by_key(|(_, hint, _)| if *hint == 0 { u8::MAX } else { *hint });
        return found.into_iter().map(|(action, _, key)| (key, action.short)).collect();
    }
    let mut found: Vec<_> =
        bound(context).filter(|(action, binding)| binding.hint > 0 && app.offers(action.id)).collect();
    found.sort_by_key(|(_, binding)| binding.hint);
    found.into_iter().map(|(action, binding)| (describe(binding.keys[0], prefix), action.short)).collect()
}
