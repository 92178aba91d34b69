//! What lies over everything: questions, the help, the word that the daemon is gone.

use ratatui::buffer::Buffer;
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::action::Context;
use crate::tui::action::Id;
use crate::tui::action::bound;
use crate::tui::app::App;
use crate::tui::app::Link;
use crate::tui::app::Overlay;
use crate::tui::keymap::describe;
use crate::tui::theme::Role;
use crate::tui::view::put;
use crate::tui::view::width;
use crate::tui::view::wrap;

/// A box in the middle of the screen.
struct Dialog {
    title: String,
    role: Role,
    lines: Vec<(String, Style)>,
    /// Text that goes on below its end.
    top: u16,
}

/// Draws the overlay, if there is one.
pub fn render(app: &App, buffer: &mut Buffer) {
    let screen = buffer.area;
    let Some(dialog) = dialog(app, screen.width) else { return };
    let area = place(&dialog, screen.width, screen.height);
    frame(&dialog, area, buffer);
    let inner = Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2));
    let hidden = (dialog.lines.len() as u16).saturating_sub(inner.height);
    let top = usize::from(dialog.top.min(hidden));
    for (y, (line, style)) in (inner.top()..inner.bottom()).zip(dialog.lines.iter().skip(top)) {
        put(buffer, (inner.x, y), line, inner.width, *style);
    }
}

/// Returns where the cursor belongs: at the end of the question.
pub fn cursor(app: &App, cols: u16, rows: u16) -> Option<(u16, u16)> {
    let dialog = dialog(app, cols)?;
    let area = place(&dialog, cols, rows);
    Some((area.x + 2, (area.bottom()).saturating_sub(2)))
}

fn dialog(app: &App, cols: u16) -> Option<Dialog> {
    let limit = cols.saturating_sub(6).min(76);
    let text = |lines: &[String]| -> Vec<(String, Style)> {
        let wrapped = lines.iter().flat_map(|line| wrap(line, limit));
        wrapped.map(|line| (line, Role::Text.style())).collect()
    };
    let mut dialog = match (&app.link, &app.overlay) {
        (Link::Lost { reason, is_shown: true, .. }, _) => {
            let lines = [
                "The daemon is away; the sessions go on running.".to_owned(),
                format!("Reason: {reason}"),
                "The dashboard comes back by itself as soon as the daemon does.".to_owned(),
            ];
            Dialog { title: "daemon".into(), role: Role::Notice, lines: text(&lines), top: 0 }
        }
        (_, Some(Overlay::Confirm { is_hard, lines, .. })) => {
            let (title, role) = if *is_hard { ("kill", Role::Danger) } else { ("stop", Role::Notice) };
            Dialog { title: title.into(), role, lines: text(lines), top: 0 }
        }
        (_, Some(Overlay::Offer { error })) => {
            let lines = [format!("{error}.")];
            Dialog { title: "controlled".into(), role: Role::Notice, lines: text(&lines), top: 0 }
        }
        (_, Some(Overlay::Help { context, top })) => {
            let lines = help(*context, app, limit);
            return Some(Dialog { title: "keys".into(), role: Role::Heading, lines, top: *top });
        }
        (_, None) => return None,
    };
    dialog.lines.push((String::new(), Role::Text.style()));
    let choices = text(&[choices(app)]);
    dialog.lines.extend(choices.into_iter().map(|(line, _)| (line, Role::Key.style())));
    Some(dialog)
}

/// The keys of the overlay, in a line.
fn choices(app: &App) -> String {
    let prefix = app.keymap.prefix();
    let mut found: Vec<_> = bound(app.context()).filter(|(_, binding)| binding.hint > 0).collect();
    found.sort_by_key(|(_, binding)| binding.hint);
    let mut texts: Vec<String> = Vec::new();
    for (action, binding) in found {
        let key = describe(binding.keys[0], prefix);
        // Enter does what is harmless.
        let is_default = binding.keys.contains(&"Enter") && binding.context == Context::Confirm;
        texts.push(if is_default { format!("[{key} {}]", action.short) } else { format!("{key} {}", action.short) });
    }
    texts.join("   ")
}

fn help(context: Context, app: &App, limit: u16) -> Vec<(String, Style)> {
    let prefix = app.keymap.prefix();
    let keys_of = |keys: &[&str]| keys.iter().map(|keys| describe(keys, prefix)).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if context == Context::Typing {
        let text = format!("Every key but {prefix} goes to the program.");
        lines.extend(wrap(&text, limit).into_iter().map(|line| (line, Role::Heading.style())));
    }
    let shown = || bound(context).filter(|(action, _)| !matches!(action.id, Id::GoTo(2..)) && app.offers(action.id));
    let widest = shown().map(|(_, binding)| width(&keys_of(binding.keys))).max().unwrap_or(0).min(limit / 2);
    for (action, binding) in shown() {
        let keys = keys_of(binding.keys);
        let pad = usize::from(widest.saturating_sub(width(&keys)));
        let mut rest = wrap(action.about, limit.saturating_sub(widest + 2).max(10)).into_iter();
        let first = rest.next().unwrap_or_default();
        lines.push((format!("{keys}{}  {first}", " ".repeat(pad)), Role::Text.style()));
        let indent = " ".repeat(usize::from(widest) + 2);
        lines.extend(rest.map(|line| (format!("{indent}{line}"), Role::Text.style())));
    }
    lines
}

fn place(dialog: &Dialog, cols: u16, rows: u16) -> Rect {
    let widest = dialog.lines.iter().map(|(line, _)| width(line)).max().unwrap_or(0);
    let w = (widest + 4).max(width(&dialog.title) + 6).min(cols);
    let h = (dialog.lines.len() as u16 + 2).min(rows);
    Rect::new((cols - w) / 2, (rows - h) / 2, w, h)
}

fn frame(dialog: &Dialog, area: Rect, buffer: &mut Buffer) {
    let style = dialog.role.style();
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let is_side = x == area.left() || x + 1 == area.right();
            let is_edge = y == area.top() || y + 1 == area.bottom();
            let symbol = match (is_edge, is_side) {
                (true, true) => "+",
                (true, false) => "─",
                (false, true) => "│",
                (false, false) => " ",
            };
            if let Some(cell) = buffer.cell_mut((x, y)) {
                *cell = Cell::EMPTY;
                cell.set_symbol(symbol).set_style(style);
            }
        }
    }
    mend(area, buffer);
    let corners = [("┌", area.left(), area.top()), ("┐", area.right() - 1, area.top())];
    let below = [("└", area.left(), area.bottom() - 1), ("┘", area.right() - 1, area.bottom() - 1)];
    for (symbol, x, y) in corners.into_iter().chain(below) {
        put(buffer, (x, y), symbol, 1, style);
    }
    put(buffer, (area.x + 2, area.y), &format!(" {} ", dialog.title), area.width.saturating_sub(4), style);
}

/// A wide glyph that the box cuts in half leaves blanks.
fn mend(area: Rect, buffer: &mut Buffer) {
    for y in area.top()..area.bottom() {
        if let Some(cell) = buffer.cell_mut((area.right(), y))
            && cell.symbol().is_empty()
        {
            cell.set_symbol(" ");
        }
        let Some(before) = area.left().checked_sub(1) else { continue };
        if let Some(cell) = buffer.cell_mut((before, y))
            && width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
}
