//! All about the selected session: some of it below the list, everything in a box of its own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::platform::clock;
use crate::session::spec::Kind;
use crate::session::status::Attached;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::tui::view::age;
use crate::tui::view::cut;
use crate::tui::view::dialog::Dialog;
use crate::tui::view::list;
use crate::tui::view::put;
use crate::tui::view::service;
use crate::tui::view::wrap;

/// Columns of labels.
const LABEL: u16 = 10;

/// Draws the most useful part.
pub fn render(app: &App, area: Rect, buffer: &mut Buffer) {
    let line = "─".repeat(usize::from(area.width));
    put(buffer, (area.x, area.y), &line, area.width, app.look.style(Role::Viewing));
    let Some(status) = app.selected() else { return };
    let facts = facts(app, status);
    for (y, (label, value)) in (area.y + 1..area.bottom()).zip(&facts) {
        put(buffer, (area.x + 1, y), label, area.width, app.look.style(Role::Faint));
        let room = area.width.saturating_sub(LABEL + 1);
        put(buffer, (area.x + LABEL, y), &cut(value, room), room, app.look.style(Role::Text));
    }
}

/// Makes the box with everything.
pub fn dialog(app: &App, top: u16, screen: Rect) -> Dialog {
    let limit = screen.width.saturating_sub(6).min(96).saturating_sub(LABEL);
    let mut lines = Vec::new();
    let Some(status) = app.selected() else {
        let text = "No session is selected.".to_owned();
        return Dialog {
            title: "details".into(),
            lines: vec![vec![(text, app.look.style(Role::Text))]],
            ..Dialog::default()
        };
    };
    let known = facts(app, status).into_iter().chain(more(app, status));
    let known = known.map(|(label, value)| (label.to_owned(), text::clean(&value), Role::Text));
    for (mut label, value, role) in known.chain(service::explanation(app, status)) {
        let indent = value.len() - value.trim_start().len();
        for line in wrap(&value[indent..], limit.saturating_sub(indent as u16)) {
            lines.push(vec![
                (format!("{label:<0$}", usize::from(LABEL)), app.look.style(Role::Faint)),
                (format!("{}{line}", " ".repeat(indent)), app.look.style(role)),
            ]);
            label.clear();
        }
    }
    Dialog { title: text::clean(&status.name), lines, top, ..Dialog::default() }
}

fn facts(app: &App, status: &Status) -> Vec<(&'static str, String)> {
    let now = app.now().wall_ms;
    let terminal = match status.kind {
        Kind::Pty => format!("{}, size {}", status.size, status.size_owner),
        Kind::Pipe if status.merged => "pipes, merged".to_owned(),
        Kind::Pipe => "pipes".to_owned(),
    };
    let who: Vec<String> = status.attached.iter().map(|client| format!("{} {}", client.who, does(client))).collect();
    let mut output =
        if status.output_ms == 0 { "none".to_owned() } else { format!("{} ago", age(now, status.output_ms)) };
    if let Some(end) = status.end() {
        output = format!("{output}; ended {} ago", age(now, end.at_ms));
    }
    let branch = app.samples.of(status.id).and_then(|sample| sample.branch.clone());
    let cwd = branch.map_or_else(|| status.cwd.clone(), |branch| format!("{} on {branch}", status.cwd));
    let supervised = status.service.as_ref().map(|it| service::facts(app, status, it)).unwrap_or_default();
    let all = [
        ("command", status.command.clone()),
        ("in", cwd),
        ("pid", format!("{} · {terminal} · id {}", status.pid, status.id)),
        ("output", output),
        ("attached", if who.is_empty() { "nobody".to_owned() } else { who.join(", ") }),
        ("title", status.title.clone().unwrap_or_default()),
    ];
    supervised.into_iter().chain(all).filter(|(_, value)| !value.is_empty()).collect()
}

const fn does(client: &Attached) -> &'static str {
    match (client.controls, client.shares) {
        (true, true) => "shares control",
        (true, false) => "controls",
        (false, _) => "watches",
    }
}

/// What there is no room for below the list; ends with how it came to be as it is.
fn more(app: &App, status: &Status) -> Vec<(&'static str, String)> {
    let time = |ms: u64| clock::rfc3339(ms).unwrap_or_default();
    let load = app.samples.of(status.id).and_then(|sample| sample.load).map_or_else(String::new, |(cpu, memory)| {
        format!("{}.{} % of a processor, {}", cpu / 10, cpu % 10, text::amount(memory))
    });
    let mut all = vec![
        ("said", format!("{} bytes, from byte {} on still there", status.output_bytes, status.oldest)),
        ("load", load),
        ("alert", app.alerts.of(status.id).map(|alert| format!("{}: {}", alert.kind, alert.text)).unwrap_or_default()),
        ("watched", app.alerts.watches(status.id).join(", ")),
        ("tags", status.tags.join(", ")),
        ("asked by", status.originator.clone().unwrap_or_default()),
        ("started", time(status.started_ms)),
    ];
    if let Some(end) = status.end() {
        let by = end.by.as_ref().map(|by| format!(", asked by {by}")).unwrap_or_default();
        let left = if end.left.is_empty() { String::new() } else { format!("; left running: {:?}", end.left) };
        all.push(("ended", time(end.at_ms)));
        all.push(("why", format!("{}{by}{left}", end.word())));
    }
    if list::waits(app, status) {
        all.push(("guess", "it probably waits for input: it sleeps in a read of its terminal".to_owned()));
    }
    let mut label = "history";
    for (at_ms, word) in app.past.of(status.id) {
        all.push((std::mem::take(&mut label), format!("{} {word}", time(*at_ms))));
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}
