//! The palette: a field, and below it what fits, the chosen one marked.

use ratatui::layout::Rect;

use crate::session::text;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Choice;
use crate::tui::app::Palette;
use crate::tui::keymap::Bound;
use crate::tui::theme::Role;
use crate::tui::view::cut;
use crate::tui::view::dialog::Dialog;
use crate::tui::view::dialog::Span;
use crate::tui::view::width;

/// Columns of names.
const NAME: u16 = 20;

/// Makes its box.
pub fn dialog(app: &App, palette: &Palette, screen: Rect) -> Dialog {
    let room = screen.width.min(100).saturating_sub(4);
    let rows = usize::from(screen.height.saturating_sub(5)).max(1);
    let mut lines =
        vec![vec![(": ".to_owned(), app.look.style(Role::Key)), (palette.query.text(), app.look.style(Role::Text))]];
    let first = (palette.at + 1).saturating_sub(rows);
    for (n, (choice, places)) in palette.found.iter().enumerate().skip(first).take(rows) {
        lines.push(line(app, palette, *choice, places, n == palette.at, room));
    }
    if palette.found.is_empty() {
        let text = "Nothing has this name; Esc closes this.";
        lines.push(vec![(text.to_owned(), app.look.style(Role::Text))]);
    }
    let cursor = Some((palette.query.column() + 2, 0));
    Dialog { title: "do or go to".to_owned(), lines, cursor, is_large: true, ..Dialog::default() }
}

fn line(app: &App, palette: &Palette, choice: Choice, places: &[usize], is_chosen: bool, room: u16) -> Vec<Span> {
    let style = |role| app.look.style(if is_chosen { Role::Selected } else { role });
    let (name, about, keys) = match choice {
        Choice::Action(action) => {
            let place = palette.from.unwrap_or(Context::List);
            let keys = app.keymap.keys_of(place, action).map(Bound::first).unwrap_or_default();
            (action.name.to_owned(), action.about.to_owned(), keys)
        }
        Choice::Session(id) => {
            let status = app.sessions.get(id);
            let name = status.map(|status| text::clean(&status.name)).unwrap_or_default();
            let about = status.map(|status| format!("session, {}: {}", status.word(), text::clean(&status.command)));
            (name, about.unwrap_or_default(), "go".to_owned())
        }
    };
    let mark = if is_chosen { "> " } else { "  " };
    let mut spans = vec![(mark.to_owned(), style(Role::Text))];
    let shown = cut(&name, NAME);
    for (n, c) in shown.chars().enumerate() {
        let role = if places.contains(&n) { Role::Match } else { Role::Heading };
        let look = style(role).patch(if places.contains(&n) { app.look.style(Role::Match) } else { style(role) });
        spans.push((c.to_string(), if is_chosen { style(role) } else { look }));
    }
    let pad = usize::from(NAME.saturating_sub(width(&shown))) + 2;
    let about_room = room.saturating_sub(NAME + 4 + width(&keys) + 2);
    let about = cut(&about, about_room);
    let fill = usize::from(about_room.saturating_sub(width(&about))) + 2;
    spans.push((format!("{}{about}{}", " ".repeat(pad), " ".repeat(fill)), style(Role::Faint)));
    spans.push((keys, style(Role::Key)));
    spans
}
