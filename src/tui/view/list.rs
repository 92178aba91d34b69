//! The list of sessions: a row each, columns by what they are worth and as far as there is room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::status::State;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Control;
use crate::tui::app::Focus;
use crate::tui::app::Grouping;
use crate::tui::app::Item;
use crate::tui::theme::Role;
use crate::tui::view::age;
use crate::tui::view::cut;
use crate::tui::view::cut_start;
use crate::tui::view::put;
use crate::tui::view::say_in_pane;
use crate::tui::view::service;
use crate::tui::view::width;

/// Columns of the marks at the left.
const MARK: u16 = 2;

/// A column.
struct Column {
    heading: &'static str,
    /// Fewest and most cells.
    width: (u16, u16),
    /// Which go first when there is no room: the higher ones.
    rank: u8,
    /// Numbers stand at the right of their column.
    is_number: bool,
    cell: fn(&App, &Status) -> (String, Role),
}

const fn column(
    heading: &'static str,
    width: (u16, u16),
    rank: u8,
    is_number: bool,
    cell: fn(&App, &Status) -> (String, Role),
) -> Column {
    Column { heading, width, rank, is_number, cell }
}

/// All columns, from left to right.
const COLUMNS: [Column; 14] = [
    column("name", (8, 24), 0, false, |app, status| (name(app, status).to_owned(), Role::Heading)),
    column("state", (10, 14), 1, false, |app, status| (word(status, app.now().wall_ms), Role::of_status(status))),
    column("kind", (4, 4), 9, false, |_, status| (kind(status).to_owned(), Role::Faint)),
    column("age", (5, 6), 2, true, |app, status| (lasted(status, app.now().wall_ms), Role::Text)),
    column("restarts", (3, 8), 13, true, |_, status| (restarts(status), Role::Text)),
    column("out", (5, 6), 3, true, |app, status| (last_output(status, app.now().wall_ms), Role::Text)),
    column("att", (3, 12), 4, true, |app, status| (attached(app, status), Role::Text)),
    column("activity", (8, 8), 6, false, |app, status| (sparkline(app, status.id), Role::Running)),
    column("cpu", (5, 5), 7, true, |app, status| (load(app, status.id).0, Role::Text)),
    column("mem", (5, 6), 8, true, |app, status| (load(app, status.id).1, Role::Text)),
    column("command", (12, 40), 5, false, |_, status| (status.command.clone(), Role::Faint)),
    column("branch", (8, 20), 10, false, |app, status| (branch(app, status.id), Role::Text)),
    column("directory", (12, 30), 11, false, |_, status| (status.cwd.clone(), Role::Faint)),
    column("last line", (16, 200), 12, false, |app, status| (last_line(app, status.id), Role::Faint)),
];
/// Only the wide list has them, or one with services: what they show is asked for while it is there.
const WIDE_ONLY: [&str; 3] = ["cpu", "mem", "last line"];
/// What is worth most where there are services, in this order.
const OF_SERVICES: [&str; 6] = ["name", "state", "age", "restarts", "cpu", "mem"];

/// Columns that the names of services get before anything but the state.
const SERVICE: u16 = 14;

/// Returns the columns that fit, with their widths.
fn plan(width: u16, longest: u16, (is_wide, has_services): (bool, bool)) -> Vec<(&'static Column, u16)> {
    let of_services = |column: &Column| OF_SERVICES.iter().position(|known| *known == column.heading);
    let is_wanted = |column: &&Column| {
        let is_more = has_services && of_services(column).is_some();
        is_more || (is_wide || !WIDE_ONLY.contains(&column.heading)) && column.heading != "restarts"
    };
    let mut by_rank: Vec<&'static Column> = COLUMNS.iter().filter(is_wanted).collect();
    by_rank.sort_by_key(|column| {
        let first = if has_services { of_services(column) } else { None };
        (first.unwrap_or(usize::MAX), column.rank)
    });
    let room = width.saturating_sub(MARK);
    let mut used = 0;
    let mut chosen: Vec<(&'static Column, u16)> = Vec::new();
    for column in by_rank {
        let least = match column.heading {
            "name" if has_services => longest.clamp(column.width.0, SERVICE).min(room),
            "name" => column.width.0.min(room),
            _ => column.width.0,
        };
        let needed = least + u16::from(!chosen.is_empty());
        if used + needed > room {
            break;
        }
        used += needed;
        chosen.push((column, least));
    }
    // What is left over goes to those that are worth most, up to what they can use.
    for (column, width) in &mut chosen {
        let most =
            if column.heading == "name" { longest.clamp(column.width.0, column.width.1) } else { column.width.1 };
        let more = most.saturating_sub(*width).min(room - used);
        *width += more;
        used += more;
    }
    chosen.sort_by_key(|(column, _)| COLUMNS.iter().position(|known| known.heading == column.heading));
    chosen
}

/// Whether the list is wide, and whether it has services.
fn kind_of(app: &App) -> (bool, bool) {
    let has_services = app.sessions.rows().iter().any(|status| status.service.is_some());
    (app.list.is_wide && app.focus == Focus::List, has_services)
}

/// The name; the heading of a namespace says the first part of it.
fn name<'a>(app: &App, status: &'a Status) -> &'a str {
    let is_said = app.list.grouping == Grouping::Namespace;
    let service = status.service.as_ref().filter(|_| is_said);
    let rest = service.and_then(|service| status.name.strip_prefix(&service.namespace)?.strip_prefix('/'));
    rest.unwrap_or(&status.name)
}

fn longest(app: &App) -> u16 {
    app.sessions.rows().iter().map(|status| width(name(app, status))).max().unwrap_or(0)
}

/// Returns whether load and memory are seen.
#[must_use]
pub fn shows_load(app: &App) -> bool {
    let Some(area) = app.layout().list else { return false };
    plan(area.width, longest(app), kind_of(app)).iter().any(|(column, _)| column.heading == "cpu")
}

/// Draws heading and rows.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let rows = app.sessions.rows();
    if rows.is_empty() {
        if app.tiles().is_empty() && app.sessions.is_known() {
            render_empty(app, area, buffer);
        }
        return;
    }
    let longest = longest(app);
    let plan = plan(area.width, longest, kind_of(app));
    if app.list.is_filtering || !app.list.filter.is_empty() {
        render_filter(app, area, buffer);
    } else {
        render_heading(app, &plan, area, buffer);
    }
    if app.list.items.is_empty() {
        let lines = ["No session fits the filter.", "Esc shows all of them."];
        say_in_pane(app, &lines, Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }, buffer);
        return;
    }
    let visible = usize::from(area.height.saturating_sub(1));
    let first = first_visible(app, visible);
    for (y, item) in (area.y + 1..area.bottom()).zip(&app.list.items[first..]) {
        let line = Rect { y, height: 1, ..area };
        match item {
            Item::Group(name, count) => {
                let text = cut(&format!("▾ {name} ({count})"), area.width);
                put(buffer, (area.x, y), &text, area.width, app.look.style(Role::Heading));
            }
            Item::Row(id) => {
                if let Some(status) = app.sessions.get(*id) {
                    render_row(app, status, &plan, line, buffer);
                }
            }
        }
    }
    mark_rest(app, first, visible, area, buffer);
}

/// Returns the first line to draw, so that the selected row is among them.
#[must_use]
pub fn first_visible(app: &App, visible: usize) -> usize {
    let at = app.sessions.selected_id().and_then(|id| app.list.line_of(id)).unwrap_or(0);
    let last = app.list.items.len().saturating_sub(visible);
    app.list.top.clamp((at + 1).saturating_sub(visible.max(1)), at).min(last)
}

/// Returns the line of the list at a row of our terminal.
#[must_use]
pub fn item_at(app: &App, area: Rect, y: u16) -> Option<&Item> {
    let row = usize::from(y.checked_sub(area.y + 1)?);
    let visible = usize::from(area.height.saturating_sub(1));
    app.list.items.get(first_visible(app, visible) + row).filter(|_| row < visible)
}

/// Says that there are rows above or below.
fn mark_rest(app: &App, first: usize, visible: usize, area: Rect, buffer: &mut Buffer) {
    let total = app.list.items.len();
    if total > visible && area.width > 12 && !app.list.is_filtering {
        let text = format!("  {}-{} of {total} ", first + 1, (first + visible).min(total));
        let x = area.right().saturating_sub(width(&text));
        put(buffer, (x, area.y), &text, area.width, app.look.style(Role::Faint));
    }
}

fn render_filter(app: &App, area: Rect, buffer: &mut Buffer) {
    let style = |role| app.look.style(role);
    let mut x = put(buffer, (area.x, area.y), "/", area.width, style(Role::Key));
    let count = format!("  {} of {}", app.list.rows().count(), app.sessions.rows().len());
    let room = area.width.saturating_sub(1 + width(&count));
    x = put(buffer, (x, area.y), &cut_start(&app.list.filter.text(), room), room, style(Role::Heading));
    put(buffer, (x, area.y), &count, area.right().saturating_sub(x), style(Role::Faint));
}

fn render_heading(app: &App, plan: &[(&Column, u16)], area: Rect, buffer: &mut Buffer) {
    let style = app.look.style(Role::Faint);
    let mut x = area.x + MARK;
    for (column, width) in plan {
        let heading: String = column.heading.chars().take(usize::from(*width)).collect();
        put(buffer, (x, area.y), &aligned(column, &heading, *width), *width, style);
        x += width + 1;
    }
}

fn aligned(column: &Column, text: &str, width: u16) -> String {
    let text = if column.heading == "directory" { cut_start(text, width) } else { cut(text, width) };
    if column.is_number { format!("{text:>0$}", usize::from(width)) } else { text }
}

fn render_row(app: &App, status: &Status, plan: &[(&Column, u16)], area: Rect, buffer: &mut Buffer) {
    let is_selected = app.sessions.selected_id() == Some(status.id);
    let y = area.y;
    put(buffer, (area.x, y), if is_selected { ">" } else { " " }, 1, app.look.style(Role::Text));
    let (mark, role) = mark(app, status);
    put(buffer, (area.x + 1, y), mark, 1, app.look.style(role));
    let mut x = area.x + MARK;
    for (column, width) in plan {
        let (text, role) = (column.cell)(app, status);
        put(buffer, (x, y), &aligned(column, &text, *width), *width, app.look.style(role));
        x += width + 1;
    }
    if is_selected && app.focus == Focus::List {
        buffer.set_style(area, app.look.style(Role::Selected));
    }
}

/// What is before the name: marked by hand, or wanting attention.
fn mark(app: &App, status: &Status) -> (&'static str, Role) {
    match (app.list.marked.contains(&status.id), app.alerts.of(status.id)) {
        (true, _) => ("*", Role::Attention),
        (false, Some(_)) => ("!", Role::Attention),
        (false, None) if waits(app, status) => ("?", Role::Attention),
        (false, None) => (" ", Role::Text),
    }
}

/// It probably waits for input.
pub fn waits(app: &App, status: &Status) -> bool {
    status.end().is_none() && app.samples.of(status.id).is_some_and(|sample| sample.waits)
}

/// The state; a stop counts down.
fn word(status: &Status, now: u64) -> String {
    if let Some(service) = &status.service {
        return service::word(status, service, now);
    }
    match status.state {
        State::Stopping { kill_at_ms } => format!("stopping {}", kill_at_ms.saturating_sub(now).div_ceil(1000)),
        State::Running | State::Ended { .. } => status.word(),
    }
}

const fn kind(status: &Status) -> &'static str {
    match status.kind {
        Kind::Pty => "pty",
        Kind::Pipe => "pipe",
    }
}

/// How long it ran; a service, how long it has been up.
fn lasted(status: &Status, now: u64) -> String {
    match &status.service {
        Some(service) => service::up(service, now),
        None => age(status.end().map_or(now, |end| end.at_ms), status.started_ms),
    }
}

fn restarts(status: &Status) -> String {
    status.service.as_ref().map_or_else(String::new, |service| service.restarts.to_string())
}

fn last_output(status: &Status, now: u64) -> String {
    if status.output_ms == 0 { "-".to_owned() } else { age(now, status.output_ms) }
}

/// Who types: you, somebody else, or how many look on.
fn attached(app: &App, status: &Status) -> String {
    let is_ours = app.panes.all().any(|pane| pane.session == Some(status.id) && pane.control == Control::Held);
    if is_ours {
        return "you".to_owned();
    }
    match status.controller() {
        Some(client) => text::clean(&client.who.user),
        None if status.attached.is_empty() => "-".to_owned(),
        None => status.attached.len().to_string(),
    }
}

/// Output a second of the last samples, each step four times the one below.
fn sparkline(app: &App, id: SessionId) -> String {
    const STEPS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let Some(sample) = app.samples.of(id) else { return String::new() };
    let step = |rate: &u64| match rate {
        0 => " ",
        rate => STEPS[(rate.ilog2() as usize / 2).saturating_sub(1).min(STEPS.len() - 1)],
    };
    let text: String = sample.rates.iter().map(step).collect();
    format!("{text:>8}")
}

fn load(app: &App, id: SessionId) -> (String, String) {
    match app.samples.of(id).and_then(|sample| sample.load) {
        Some((cpu, memory)) => (format!("{}.{}%", cpu / 10, cpu % 10), size(memory)),
        None => (String::new(), String::new()),
    }
}

/// Three digits and a unit.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{}K", bytes >> 10),
        1_048_576..1_073_741_824 => format!("{}M", bytes >> 20),
        _ => format!("{}.{}G", bytes >> 30, (bytes >> 20) % 1024 * 10 / 1024),
    }
}

fn branch(app: &App, id: SessionId) -> String {
    app.samples.of(id).and_then(|sample| sample.branch.clone()).unwrap_or_default()
}

fn last_line(app: &App, id: SessionId) -> String {
    app.samples.of(id).and_then(|sample| sample.last_line.clone()).unwrap_or_default()
}

/// Says how to begin.
pub fn render_empty(app: &App, area: Rect, buffer: &mut Buffer) {
    let key = |name: &str| {
        let action = crate::tui::action::named(name);
        let bound = action.and_then(|action| app.keymap.keys_of(crate::tui::action::Context::List, action));
        bound.map_or_else(|| format!(": {name}"), crate::tui::keymap::Bound::first)
    };
    let first = format!(
        "There are no sessions yet. Press {} to start a shell here, {} for anything else; it keeps running when you leave.",
        key("new-shell"),
        key("new")
    );
    let help = format!("{} shows all keys, {} everything that can be done.", key("help"), key("palette"));
    let lines = [&first, "", "From any shell:  rpm run -- make", "", &help];
    say_in_pane(app, &lines, area, buffer);
}

/// Returns where the selected row is, or the cursor of the filter.
#[must_use]
pub fn cursor(app: &App, area: Rect) -> Option<(u16, u16)> {
    if app.list.is_filtering {
        return Some(((area.x + 1 + app.list.filter.column()).min(area.right().saturating_sub(1)), area.y));
    }
    let visible = usize::from(area.height.saturating_sub(1));
    let Some(at) = app.sessions.selected_id().and_then(|id| app.list.line_of(id)) else {
        return Some((area.x, area.y));
    };
    let y = at.checked_sub(first_visible(app, visible))?;
    (y < visible).then(|| (area.x, area.y + 1 + y as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_by_what_they_are_worth() {
        let headings = |width, is_wide| {
            plan(width, 10, (is_wide, false)).iter().map(|(column, _)| column.heading).collect::<Vec<_>>()
        };
        let of_services =
            |width| plan(width, 10, (false, true)).iter().map(|(column, _)| column.heading).collect::<Vec<_>>();
        assert_eq!(of_services(30), ["name", "state", "age"]);
        assert_eq!(of_services(39), ["name", "state", "age", "restarts", "cpu"]);
        assert_eq!(of_services(48), ["name", "state", "age", "restarts", "cpu", "mem"]);
        assert_eq!(headings(12, false), ["name"]);
        assert_eq!(headings(30, false), ["name", "state", "age"]);
        assert_eq!(headings(48, false), ["name", "state", "age", "out", "att"]);
        assert_eq!(
            headings(80, false),
            ["name", "state", "kind", "age", "out", "att", "activity", "command", "branch"]
        );
        assert_eq!(headings(200, true).len(), COLUMNS.len() - 1);
        for width in 0..250 {
            let plan = plan(width, 24, (true, true));
            let used: u16 = plan.iter().map(|(_, width)| width + 1).sum();
            assert!(used.saturating_sub(1) + MARK <= width.max(MARK), "{width}");
        }
    }

    #[test]
    fn memory_is_told_in_few_letters() {
        assert_eq!([size(2048), size(5 << 20), size(3 << 30)], ["2K", "5M", "3.0G"]);
    }
}
