//! The list of sessions: a row each, columns as far as there is room, and all about the selected one below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::spec::Kind;
use crate::session::status::Attached;
use crate::session::status::State;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Focus;
use crate::tui::theme::Role;
use crate::tui::view::age;
use crate::tui::view::cut;
use crate::tui::view::put;
use crate::tui::view::say_in_pane;

/// A column: heading, width, and what it shows.
struct Column {
    heading: &'static str,
    width: u16,
    cell: fn(&Status, u64) -> String,
}

/// Columns beside name and state, the most useful first; the last ones are dropped first.
const COLUMNS: [Column; 3] = [
    Column { heading: "age", width: 6, cell: |status, now| age(end_or(status, now), status.started_ms) },
    Column { heading: "out", width: 6, cell: last_output },
    Column { heading: "att", width: 3, cell: attached },
];
/// Widths of mark and state; how wide names are before other columns give way, and at most; the narrowest command.
const MARK: u16 = 2;
const STATE: u16 = 10;
const NAME: (u16, u16) = (8, 24);
const COMMAND: u16 = 12;

/// Which columns fit.
struct Plan {
    name: u16,
    columns: usize,
    command: u16,
}

impl Plan {
    fn new(width: u16, longest: u16) -> Self {
        let fixed =
            |columns: usize| MARK + STATE + 1 + COLUMNS[..columns].iter().map(|column| column.width + 1).sum::<u16>();
        let columns = (0..=COLUMNS.len()).rev().find(|n| fixed(*n) + NAME.0 <= width).unwrap_or(0);
        let room = width.saturating_sub(fixed(columns));
        let name = longest.clamp(NAME.0, NAME.1).min(room);
        let command = room.saturating_sub(name + 1);
        if command >= COMMAND { Self { name, columns, command } } else { Self { name: room, columns, command: 0 } }
    }
}

/// Draws heading and rows.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let rows = app.sessions.rows();
    if rows.is_empty() {
        if app.layout().pane.is_none() {
            render_empty_pane(app, area, buffer);
        }
        return;
    }
    let longest = rows.iter().map(|status| super::width(&status.name)).max().unwrap_or(0);
    let plan = Plan::new(area.width, longest);
    render_heading(&plan, area, buffer);
    let visible = usize::from(area.height.saturating_sub(1));
    let first = first_visible(app, visible);
    for (y, status) in (area.y + 1..area.bottom()).zip(&rows[first..]) {
        render_row(app, status, &plan, Rect { y, height: 1, ..area }, buffer);
    }
    mark_rest(first, rows.len(), visible, area, buffer);
}

/// Returns the first row to draw, so that the selected one is among them.
fn first_visible(app: &App, visible: usize) -> usize {
    let at = app.sessions.position().unwrap_or(0);
    let last = app.sessions.rows().len().saturating_sub(visible);
    (at + 1).saturating_sub(visible.max(1)).min(last)
}

/// Says that there are rows above or below.
fn mark_rest(first: usize, total: usize, visible: usize, area: Rect, buffer: &mut Buffer) {
    if total > visible && area.width > 12 {
        let text = format!("  {}-{} of {total} ", first + 1, (first + visible).min(total));
        let x = area.right().saturating_sub(super::width(&text));
        put(buffer, (x, area.y), &text, area.width, Role::Faint.style());
    }
}

fn render_heading(plan: &Plan, area: Rect, buffer: &mut Buffer) {
    let style = Role::Faint.style();
    let end = area.right();
    let mut x = area.x + MARK;
    put(buffer, (x, area.y), "name", plan.name, style);
    x += plan.name + 1;
    put(buffer, (x, area.y), "state", end.saturating_sub(x), style);
    x += STATE;
    for column in &COLUMNS[..plan.columns] {
        put(
            buffer,
            (x + 1, area.y),
            &format!("{:>1$}", column.heading, usize::from(column.width)),
            column.width,
            style,
        );
        x += column.width + 1;
    }
    if plan.command > 0 {
        put(buffer, (x + 1, area.y), "command", plan.command, style);
    }
}

fn render_row(app: &App, status: &Status, plan: &Plan, area: Rect, buffer: &mut Buffer) {
    let is_selected = app.sessions.selected_id() == Some(status.id);
    let now = app.now().wall_ms;
    let (y, end) = (area.y, area.right());
    let mut x = area.x + MARK;
    let mark = if is_selected { "> " } else { "  " };
    put(buffer, (area.x, y), mark, MARK, Role::Text.style());
    put(buffer, (x, y), &cut(&status.name, plan.name), plan.name, Role::Heading.style());
    x += plan.name + 1;
    let word = cut(&word(status, now), STATE);
    put(buffer, (x, y), &word, end.saturating_sub(x).min(STATE), Role::of(&status.state).style());
    x += STATE;
    for column in &COLUMNS[..plan.columns] {
        let text = cut(&(column.cell)(status, now), column.width);
        put(buffer, (x + 1, y), &format!("{text:>0$}", usize::from(column.width)), column.width, Role::Text.style());
        x += column.width + 1;
    }
    if plan.command > 0 {
        put(buffer, (x + 1, y), &cut(&status.command, plan.command), plan.command, Role::Faint.style());
    }
    if is_selected && app.focus == Focus::List {
        buffer.set_style(area, Role::Selected.style());
    }
}

/// The state; a stop counts down.
fn word(status: &Status, now: u64) -> String {
    match status.state {
        State::Stopping { kill_at_ms } => format!("stopping {}", kill_at_ms.saturating_sub(now).div_ceil(1000)),
        State::Running | State::Ended { .. } => status.word(),
    }
}

/// Ages stop at the end.
fn end_or(status: &Status, now: u64) -> u64 {
    status.end().map_or(now, |end| end.at_ms)
}

fn last_output(status: &Status, now: u64) -> String {
    if status.output_ms == 0 { "-".to_owned() } else { age(now, status.output_ms) }
}

fn attached(status: &Status, _now: u64) -> String {
    status.attached.len().to_string()
}

/// Draws all about the selected session.
pub fn render_details(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(status) = app.selected() else { return };
    put(buffer, (area.x, area.y), &"─".repeat(usize::from(area.width)), area.width, Role::Viewing.style());
    let now = app.now().wall_ms;
    let terminal = match status.kind {
        Kind::Pty => format!("{}, size {}", status.size, status.size_owner),
        Kind::Pipe if status.merged => "pipes, merged".to_owned(),
        Kind::Pipe => "pipes".to_owned(),
    };
    let does = |client: &Attached| match (client.controls, client.shares) {
        (true, true) => "shares control",
        (true, false) => "controls",
        (false, _) => "watches",
    };
    let who: Vec<String> = status.attached.iter().map(|client| format!("{} {}", client.who, does(client))).collect();
    let mut output =
        if status.output_ms == 0 { "none".to_owned() } else { format!("{} ago", age(now, status.output_ms)) };
    if let Some(end) = status.end() {
        output = format!("{output}; ended {} ago", age(now, end.at_ms));
    }
    let lines = [
        ("command", status.command.clone()),
        ("in", status.cwd.clone()),
        ("pid", format!("{} · {terminal} · id {}", status.pid, status.id)),
        ("output", output),
        ("attached", if who.is_empty() { "nobody".to_owned() } else { who.join(", ") }),
        ("title", status.title.clone().unwrap_or_default()),
    ];
    for (y, (label, value)) in (area.y + 1..area.bottom()).zip(lines.iter().filter(|(_, value)| !value.is_empty())) {
        put(buffer, (area.x + 1, y), label, area.width, Role::Faint.style());
        let room = area.width.saturating_sub(11);
        put(buffer, (area.x + 10, y), &cut(&text::clean(value), room), room, Role::Text.style());
    }
}

/// Says how to begin.
pub fn render_empty_pane(app: &App, area: Rect, buffer: &mut Buffer) {
    if !app.sessions.is_known() {
        return;
    }
    let lines = [
        "There are no sessions yet. Press n to start a shell here; it keeps running when you leave.",
        "",
        "From any shell:  rpm run -- make",
    ];
    say_in_pane(&lines, area, buffer);
}

/// Returns where the selected row is.
#[must_use]
pub fn cursor(app: &App, area: Rect) -> Option<(u16, u16)> {
    let visible = usize::from(area.height.saturating_sub(1));
    let Some(at) = app.sessions.position() else { return Some((area.x, area.y)) };
    let y = at.checked_sub(first_visible(app, visible))?;
    (y < visible).then(|| (area.x, area.y + 1 + y as u16))
}
