//! What the dashboard looks like: one file per panel, each from the app into a buffer, none of them with a memory.

mod header;
mod hints;
mod list;
mod overlay;
mod title;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Focus;
use crate::tui::layout::LEAST;
use crate::tui::theme::Role;

/// Draws everything.
pub fn render(app: &App, buffer: &mut Buffer) {
    let layout = app.layout();
    if layout.is_too_small() {
        render_too_small(buffer);
        return;
    }
    let panels: [(Option<Rect>, Panel); 6] = [
        (layout.header, header::render),
        (layout.list, list::render),
        (layout.details, list::render_details),
        (layout.divider, title::render_divider),
        (layout.title, title::render),
        (layout.hints, hints::render),
    ];
    for (area, panel) in panels {
        if let Some(area) = area {
            panel(app, area, buffer);
        }
    }
    if let Some(area) = layout.pane {
        render_pane(app, area, buffer);
    }
    overlay::render(app, buffer);
}

/// Draws one panel.
type Panel = fn(&App, Rect, &mut Buffer);

/// Draws the pane.
pub fn render_pane(app: &App, area: Rect, buffer: &mut Buffer) {
    match app.sessions.selected_id() {
        Some(id) if app.is_own(id) => {
            let lines = ["This dashboard runs inside this session.", "Shown in itself it would have no end."];
            say_in_pane(&lines, area, buffer);
        }
        None if app.pane.target().is_empty() => list::render_empty_pane(app, area, buffer),
        _ => app.pane.render(area, is_ended(app), buffer),
    }
}

/// Draws rows of the session's screen; hands each row of our terminal it drew to `drawn`.
pub fn render_rows(app: &App, rows: &[u16], area: Rect, buffer: &mut Buffer, mut drawn: impl FnMut(&Buffer, u16)) {
    let is_ended = is_ended(app);
    for row in rows {
        if let Some(y) = app.pane.render_row(*row, area, is_ended, buffer) {
            drawn(buffer, y);
        }
    }
}

fn is_ended(app: &App) -> bool {
    app.selected().and_then(Status::end).is_some()
}

/// Returns where the terminal's cursor belongs: in the pane while somebody types, else on what has the keyboard.
#[must_use]
pub fn cursor(app: &App) -> Option<(u16, u16)> {
    let layout = app.layout();
    let screen = layout.hints?;
    if let Some(at) = overlay::cursor(app, screen.width, screen.y + 1) {
        return Some(at);
    }
    match app.focus {
        Focus::Typing => app.pane.cursor(layout.pane?),
        Focus::List => layout.list.and_then(|area| list::cursor(app, area)),
        Focus::View => Some((screen.x, screen.y)),
    }
}

fn render_too_small(buffer: &mut Buffer) {
    let area = buffer.area;
    let sentence = format!("rpm needs {}x{} cells", LEAST.cols, LEAST.rows);
    for (y, line) in wrap(&sentence, area.width).iter().take(usize::from(area.height)).enumerate() {
        put(buffer, (0, y as u16), line, area.width, Role::Text.style());
    }
}

fn say_in_pane(lines: &[&str], area: Rect, buffer: &mut Buffer) {
    let wrapped: Vec<String> = lines.iter().flat_map(|line| wrap(line, area.width.saturating_sub(2))).collect();
    for (y, line) in wrapped.iter().take(usize::from(area.height.saturating_sub(1))).enumerate() {
        put(buffer, (area.x + 1, area.y + 1 + y as u16), line, area.width.saturating_sub(1), Role::Text.style());
    }
}

/// Writes text that holds nothing hidden, cut to a width; returns the column after it.
fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, width: u16, style: Style) -> u16 {
    let mut at = x;
    let end = x.saturating_add(width);
    for c in text.chars() {
        // A mark without a width of its own joins the glyph before it.
        let wide = if text::is_hidden(c) { 0 } else { c.width().unwrap_or(0) as u16 };
        if at + wide > end {
            break;
        }
        if wide == 0 {
            continue;
        }
        let mut bytes = [0; 4];
        if let Some(cell) = buffer.cell_mut((at, y)) {
            cell.set_symbol(c.encode_utf8(&mut bytes)).set_style(style);
        }
        for second in 1..wide {
            if let Some(cell) = buffer.cell_mut((at + second, y)) {
                cell.set_symbol("").set_style(style);
            }
        }
        at += wide;
    }
    at
}

/// Returns how many columns text takes.
fn width(text: &str) -> u16 {
    text.chars().map(|c| if text::is_hidden(c) { 0 } else { c.width().unwrap_or(0) }).sum::<usize>() as u16
}

/// Cuts text to a width, with a mark where something is missing.
fn cut(text: &str, limit: u16) -> String {
    let text = text::clean(text);
    if width(&text) <= limit {
        return text;
    }
    let (mut out, mut at) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0) as u16;
        if at + wide + 1 > limit {
            break;
        }
        at += wide;
        out.push(c);
    }
    if limit > 0 {
        out.push('…');
    }
    out
}

/// Breaks text at blanks; words that are too long are cut.
fn wrap(text: &str, limit: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let word = cut(word, limit);
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            *last = word;
        } else if width(last) + 1 + width(&word) <= limit {
            last.push(' ');
            last.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// Returns an age that is still true when it is drawn anew a minute later.
fn age(now_ms: u64, since_ms: u64) -> String {
    let ms = now_ms.saturating_sub(since_ms);
    if ms < 60_000 { "<1m".to_owned() } else { text::age(ms) }
}
