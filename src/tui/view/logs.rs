//! The logs view: a line that says what is read and where one is, and below it lines with the names of who said them.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::history::Stream;
use crate::platform::clock;
use crate::tui::app::App;
use crate::tui::app::LogsView;
use crate::tui::logs::Logs;
use crate::tui::logs::STREAMS;
use crate::tui::logs::Said;
use crate::tui::logs::Source;
use crate::tui::logs::pieces;
use crate::tui::theme::Role;
use crate::tui::view::copy::group;
use crate::tui::view::cut;
use crate::tui::view::cut_start;
use crate::tui::view::put;
use crate::tui::view::width;

/// Draws it.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(LogsView { logs, .. }) = &app.logs_view else { return };
    for y in area.top()..area.bottom() {
        put(buffer, (area.x, y), &" ".repeat(usize::from(area.width)), area.width, app.look.style(Role::Text));
    }
    render_title(app, logs, Rect { height: 1, ..area }, buffer);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    render_lines(app, logs, body, buffer);
    if logs.find.is_some() {
        render_find(app, logs, body, buffer);
    }
}

fn render_title(app: &App, logs: &Logs, area: Rect, buffer: &mut Buffer) {
    put(buffer, (area.x, area.y), &"─".repeat(usize::from(area.width)), area.width, app.look.style(Role::Viewing));
    let mut x = area.x + 1;
    for (text, role) in words(logs) {
        let room = area.right().saturating_sub(x);
        if room < 4 {
            break;
        }
        x = put(buffer, (x, area.y), &format!(" {} ", cut(&text, room - 2)), room, app.look.style(role)) + 1;
    }
}

/// What is read, and where one is; most important first.
fn words(logs: &Logs) -> Vec<(String, Role)> {
    let names: Vec<&str> = logs.sources.iter().map(|source| source.name.as_str()).collect();
    let names = if names.len() > 4 { format!("{} sessions", names.len()) } else { names.join(", ") };
    let state = if logs.is_following { ("following", Role::Running) } else { ("paused", Role::Notice) };
    let mut words = vec![(format!("logs {names}"), Role::Heading), (state.0.to_owned(), state.1)];
    if logs.fresh > 0 {
        let lines = if logs.fresh == 1 { "line" } else { "lines" };
        words.push((format!("+{} new {lines}", group(logs.fresh as usize)), Role::Attention));
    }
    if logs.streams > 0 {
        words.push((STREAMS[logs.streams].1.to_owned(), Role::Notice));
    }
    if !logs.pattern.is_empty() && logs.find.is_none() {
        let (count, number) = logs.hits();
        let number = number.map_or_else(String::new, |number| format!("{} of ", group(number)));
        words.push((format!("{number}{} × {}", group(count), logs.pattern), Role::Text));
    }
    if logs.wants_older().is_none() && logs.sources.iter().any(Source::is_reading_older) {
        words.push(("reading older lines".to_owned(), Role::Faint));
    }
    words
}

fn render_lines(app: &App, logs: &Logs, area: Rect, buffer: &mut Buffer) {
    let (first, skipped) = logs.view();
    let mut rows = Rows { app, logs, area, y: i32::from(area.y) - skipped as i32 };
    for (n, line) in logs.lines().iter().enumerate().skip(first) {
        if !rows.has_room() {
            return;
        }
        rows.line(line, logs.at == Some(n), buffer);
    }
    let begun = logs.sources.iter().enumerate().filter_map(|(n, source)| Some((n, source.begun()?)));
    for (n, (stream, text)) in begun {
        if rows.has_room() && !logs.is_cut() {
            rows.line(&Said::begun(n, stream, text), false, buffer);
        }
    }
    let is_empty = logs.lines().len() == first && logs.sources.iter().all(|source| source.begun().is_none());
    let end = if logs.is_cut() {
        Some("Newer lines were let go to keep this small; G goes to the end.")
    } else {
        is_empty.then_some(match logs.streams {
            0 => "Nothing was said so far; what comes is shown here.",
            _ => "Nothing was said on this stream so far; s shows the others.",
        })
    };
    if let Some(text) = end.filter(|_| rows.has_room()) {
        rows.note(text, buffer);
    }
}

/// Rows that are drawn from the top down; the first may be above the view.
struct Rows<'a> {
    app: &'a App,
    logs: &'a Logs,
    area: Rect,
    y: i32,
}

impl Rows<'_> {
    fn has_room(&self) -> bool {
        self.y < i32::from(self.area.bottom())
    }

    fn row(&mut self) -> Option<u16> {
        let y = self.y;
        self.y += 1;
        u16::try_from(y).ok().filter(|y| (self.area.top()..self.area.bottom()).contains(y))
    }

    fn note(&mut self, text: &str, buffer: &mut Buffer) {
        if let Some(y) = self.row() {
            let room = self.area.width.saturating_sub(1);
            put(buffer, (self.area.x + 1, y), &cut(text, room), room, self.app.look.style(Role::Faint));
        }
    }

    fn line(&mut self, line: &Said, is_here: bool, buffer: &mut Buffer) {
        let indent = self.logs.indent() as u16;
        let room = usize::from(self.area.width.saturating_sub(indent)).max(1);
        let ranges = if self.logs.wraps {
            pieces(&line.text, room)
        } else {
            let from = line.text.char_indices().nth(self.logs.left).map_or(line.text.len(), |(at, _)| at);
            vec![(from, line.text.len())]
        };
        for (n, (from, to)) in ranges.into_iter().enumerate() {
            let Some(y) = self.row() else { continue };
            self.head(line, n == 0, y, buffer);
            self.text(line, from..to, (self.area.x + indent, y), buffer);
            if is_here {
                buffer.set_style(Rect { y, height: 1, ..self.area }, self.app.look.style(Role::Selected));
            }
        }
    }

    /// Time, name, and a mark that tells standard error from the rest.
    fn head(&self, line: &Said, is_first: bool, y: u16, buffer: &mut Buffer) {
        let style = |role| self.app.look.style(role);
        let end = self.area.x + self.logs.indent() as u16;
        let mut x = self.area.x;
        if self.logs.has_times && is_first && line.time_us > 0 {
            let ms = line.time_us / 1000;
            let time = format!("{}.{:03}", clock::time_of_day(ms), ms % 1000);
            put(buffer, (x, y), &time, end.saturating_sub(x), style(Role::Faint));
        }
        x += if self.logs.has_times { 13 } else { 0 };
        let is_error = line.stream == Stream::Err;
        if self.logs.sources.len() > 1 {
            let room = self.logs.name_width() as u16;
            let name = self.logs.sources.get(line.source).map(|source| source.name.as_str()).unwrap_or_default();
            let role = NAMES[line.source % NAMES.len()];
            if is_first {
                put(buffer, (x, y), &cut_start(name, room), end.saturating_sub(x), style(role));
            }
            x += room + 1;
        }
        let (mark, role) = match (is_error, self.logs.sources.len() > 1) {
            (true, _) => ("!", Role::Failed),
            (false, true) => ("│", Role::Faint),
            (false, false) => (" ", Role::Faint),
        };
        put(buffer, (x, y), mark, end.saturating_sub(x), style(role));
    }

    fn text(&self, line: &Said, range: Range<usize>, at: (u16, u16), buffer: &mut Buffer) {
        let role = if line.is_note { Role::Faint } else { Role::Text };
        let room = |x: u16| self.area.right().saturating_sub(x);
        let text = &line.text[range.clone()];
        put(buffer, at, text, room(at.0), self.app.look.style(role));
        for (from, to) in self.logs.places(line) {
            let (from, to) = (from.max(range.start), to.min(range.end));
            if from < to {
                let x = at.0 + width(&line.text[range.start..from]);
                let wide = width(&line.text[from..to]).min(room(x));
                for column in x..x + wide {
                    if let Some(cell) = buffer.cell_mut((column, at.1)) {
                        cell.modifier |= Modifier::UNDERLINED | Modifier::BOLD;
                    }
                }
            }
        }
    }
}

/// What names look like, in turn.
const NAMES: [Role; 5] = [Role::Key, Role::Running, Role::Notice, Role::Stopping, Role::Heading];

/// The field of a search, over the last row.
fn render_find(app: &App, logs: &Logs, area: Rect, buffer: &mut Buffer) {
    let Some(find) = &logs.find else { return };
    let y = area.bottom().saturating_sub(1);
    let (count, _) = logs.hits();
    let said = if logs.is_literal { format!("  {count} as text ") } else { format!("  {count} found ") };
    let room = area.width.saturating_sub(1 + width(&said));
    put(buffer, (area.x, y), &" ".repeat(usize::from(area.width)), area.width, app.look.style(Role::Text));
    let x = put(buffer, (area.x, y), "/", area.width, app.look.style(Role::Key));
    let x = put(buffer, (x, y), &cut_start(&find.line.text(), room), room, app.look.style(Role::Heading));
    put(buffer, (x, y), &said, area.right().saturating_sub(x), app.look.style(Role::Faint));
}

/// Returns where the cursor is: in the field, else on the line over the lines.
pub fn cursor(app: &App, area: Rect) -> Option<(u16, u16)> {
    let find = app.logs_view.as_ref()?.logs.find.as_ref();
    Some(find.map_or((area.x, area.y), |find| {
        let x = (area.x + 1 + find.line.column()).min(area.right().saturating_sub(1));
        (x, area.bottom().saturating_sub(1))
    }))
}
