//! The help: every key of one place, as many of them as hold what is looked for.

use ratatui::layout::Rect;

use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::keymap::Bound;
use crate::tui::line::Line;
use crate::tui::theme::Role;
use crate::tui::view::dialog::Dialog;
use crate::tui::view::width;
use crate::tui::view::wrap;

/// Makes its box.
pub fn dialog(app: &App, context: Context, top: u16, (filter, is_filtering): (&Line, bool), screen: Rect) -> Dialog {
    let limit = screen.width.saturating_sub(6).min(90);
    let style = |role| app.look.style(role);
    let mut lines = Vec::new();
    let mut cursor = None;
    if is_filtering || !filter.is_empty() {
        lines.push(vec![("/".to_owned(), style(Role::Key)), (filter.text(), style(Role::Text))]);
        cursor = is_filtering.then(|| (filter.column() + 1, 0));
    }
    if context == Context::Typing {
        let text = format!("Every key but {} goes to the program.", app.keymap.prefix_text());
        lines.extend(wrap(&text, limit).into_iter().map(|line| vec![(line, style(Role::Heading))]));
    }
    let wanted = filter.text().to_lowercase();
    let holds = |bound: &&Bound| {
        let text = format!("{} {} {}", bound.all(), bound.action.about, bound.action.name).to_lowercase();
        wanted.split_whitespace().all(|word| text.contains(word))
    };
    let shown = || app.keymap.bound(context).filter(|bound| app.offers(bound.action)).filter(holds);
    let widest = shown().map(|bound| width(&bound.all())).max().unwrap_or(0).min(limit / 2);
    for bound in shown() {
        let keys = bound.all();
        let pad = usize::from(widest.saturating_sub(width(&keys)));
        let mut rest = wrap(bound.action.about, limit.saturating_sub(widest + 2).max(10)).into_iter();
        let first = rest.next().unwrap_or_default();
        lines.push(vec![(format!("{keys}{}  ", " ".repeat(pad)), style(Role::Key)), (first, style(Role::Text))]);
        let indent = " ".repeat(usize::from(widest) + 2);
        lines.extend(rest.map(|line| vec![(format!("{indent}{line}"), style(Role::Text))]));
    }
    if shown().next().is_none() {
        lines.push(vec![("No key here has that; Esc shows all.".to_owned(), style(Role::Text))]);
    }
    Dialog { title: format!("keys: {}", context.heading()), lines, top, cursor, ..Dialog::default() }
}
