//! Boxes with fields: the form of a new session, one line, and what a search found.

use ratatui::layout::Rect;

use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Form;
use crate::tui::app::LABELS;
use crate::tui::app::Results;
use crate::tui::line::Line;
use crate::tui::theme::Role;
use crate::tui::view::cut;
use crate::tui::view::dialog::Dialog;
use crate::tui::view::overlay::choices;
use crate::tui::view::overlay::plain;
use crate::tui::view::width;

/// Columns of labels.
const LABEL: u16 = 12;
/// Columns of names of sessions.
const NAME: u16 = 16;

/// Makes the box of the form.
pub fn form(app: &App, form: &Form, screen: Rect) -> Dialog {
    let limit = screen.width.saturating_sub(6).min(90);
    let mut lines = Vec::new();
    for (n, label) in LABELS.iter().enumerate() {
        let is_here = n == form.at;
        let mark = if is_here { "> " } else { "  " };
        let text = form.text(n);
        let hint = match (n, text.is_empty()) {
            (0, true) => "a shell",
            (1, true) => "made from the program's",
            (3, _) => "  Tab changes it: pty is a terminal, pipe three pipes",
            _ => "",
        };
        lines.push(vec![
            (
                format!("{mark}{label:<0$}", usize::from(LABEL) - 2),
                app.look.style(if is_here { Role::Heading } else { Role::Faint }),
            ),
            (text, app.look.style(Role::Text)),
            (hint.to_owned(), app.look.style(Role::Faint)),
        ]);
    }
    lines.push(Vec::new());
    if let Some(fault) = &form.fault {
        lines.push(vec![(fault.clone(), app.look.style(Role::Danger))]);
    }
    if !form.offers.is_empty() {
        let offers: Vec<&str> =
            form.offers.iter().take(24).map(|offer| offer.rsplit_terminator('/').next().unwrap_or(offer)).collect();
        lines.extend(plain(app, &[text::clean(&offers.join("  "))], limit));
    }
    lines.push(vec![(choices(app), app.look.style(Role::Key))]);
    lines.push(vec![(" ".repeat(usize::from(limit.min(76))), app.look.style(Role::Text))]);
    let column = if LABELS[form.at] == "kind" { 0 } else { form.fields[form.at].column() };
    let cursor = Some((LABEL + column, form.at as u16));
    Dialog { title: "new session".to_owned(), lines, cursor, ..Dialog::default() }
}

/// Makes the box of one line.
pub fn prompt(app: &App, title: &str, line: &Line, screen: Rect) -> Dialog {
    let room = screen.width.saturating_sub(6).min(70);
    let fill = " ".repeat(usize::from(room.saturating_sub(width(&line.text()) + 2)));
    let lines = vec![
        vec![
            ("> ".to_owned(), app.look.style(Role::Key)),
            (line.text(), app.look.style(Role::Text)),
            (fill, app.look.style(Role::Text)),
        ],
        Vec::new(),
        vec![(choices(app), app.look.style(Role::Key))],
    ];
    Dialog { title: title.to_owned(), lines, cursor: Some((line.column() + 2, 0)), ..Dialog::default() }
}

/// Makes the box of what was found.
pub fn results(app: &App, results: &Results, screen: Rect) -> Dialog {
    let room = screen.width.min(100).saturating_sub(4);
    let rows = usize::from(screen.height.saturating_sub(6)).max(1);
    let (count, pattern, (read, of)) = (results.hits.len(), &results.pattern, results.read);
    let noun = if count == 1 { "line" } else { "lines" };
    let said = match (results.is_running, results.is_cut) {
        (true, _) => format!("searching, {read} of {of} sessions read … {count} {noun} with {pattern}"),
        (false, true) => format!("the first {count} {noun} with {pattern}"),
        (false, false) => format!("{count} {noun} with {pattern}"),
    };
    let bound = if results.is_bounded { "; of long ones the last 64 MiB are searched" } else { "" };
    let said = format!("{said}{bound}");
    let mut lines = vec![vec![(cut(&said, room), app.look.style(Role::Heading))]];
    let first = (results.at + 1).saturating_sub(rows);
    for (n, hit) in results.hits.iter().enumerate().skip(first).take(rows) {
        let is_chosen = n == results.at;
        let style = |role| app.look.style(if is_chosen { Role::Selected } else { role });
        let name = app.sessions.get(hit.session).map(|status| status.name.clone()).unwrap_or_default();
        let name = cut(&name, NAME);
        let pad = usize::from(NAME - width(&name)) + 1;
        lines.push(vec![
            (if is_chosen { "> " } else { "  " }.to_owned(), style(Role::Text)),
            (format!("{name}{}", " ".repeat(pad)), style(Role::Heading)),
            (cut(&hit.text, room.saturating_sub(NAME + 4)), style(Role::Text)),
        ]);
    }
    let line = (results.at - first.min(results.at)) as u16 + 1;
    Dialog { title: "found".to_owned(), lines, is_large: true, cursor: Some((0, line)), ..Dialog::default() }
}
