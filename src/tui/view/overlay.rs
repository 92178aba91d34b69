//! What lies over everything: questions, the help, the palette, details, messages, the word that the daemon is gone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::platform::clock;
use crate::tui::app::App;
use crate::tui::app::Link;
use crate::tui::app::Overlay;
use crate::tui::theme::Role;
use crate::tui::view::details;
use crate::tui::view::dialog::Dialog;
use crate::tui::view::dialog::Span;
use crate::tui::view::fields;
use crate::tui::view::help;
use crate::tui::view::palette;
use crate::tui::view::wrap;

/// Draws the overlay, if there is one; returns where.
pub fn render(app: &App, buffer: &mut Buffer) -> Option<Rect> {
    let screen = buffer.area;
    let dialog = dialog(app, screen)?;
    let area = dialog.area(screen);
    dialog.render(app, area, buffer);
    Some(area)
}

/// Returns where the cursor belongs.
pub fn cursor(app: &App, screen: Rect) -> Option<(u16, u16)> {
    let dialog = dialog(app, screen)?;
    Some(dialog.cursor_in(dialog.area(screen)))
}

fn dialog(app: &App, screen: Rect) -> Option<Dialog> {
    if let Link::Lost { reason, is_shown: true, next, .. } = &app.link {
        return Some(lost(app, reason, *next, screen));
    }
    Some(match app.overlay.as_ref()? {
        Overlay::Confirm { title, is_hard, lines, .. } => {
            let role = if *is_hard { Role::Danger } else { Role::Notice };
            question(app, title, role, lines, screen)
        }
        Overlay::Offer { error } => question(app, "controlled", Role::Notice, &[format!("{error}.")], screen),
        Overlay::Help { context, top, filter, is_filtering } => {
            help::dialog(app, *context, *top, (filter, *is_filtering), screen)
        }
        Overlay::Palette(palette) => palette::dialog(app, palette, screen),
        Overlay::Form(form) => fields::form(app, form, screen),
        Overlay::Prompt { title, line, .. } => fields::prompt(app, title, line, screen),
        Overlay::Results(results) => fields::results(app, results, screen),
        Overlay::Detail { top } => details::dialog(app, *top, screen),
        Overlay::Messages { top } => messages(app, *top, screen),
    })
}

/// Returns lines of plain text, wrapped.
pub fn plain(app: &App, lines: &[String], limit: u16) -> Vec<Vec<Span>> {
    let wrapped = lines.iter().flat_map(|line| wrap(line, limit));
    wrapped.map(|line| vec![(line, app.look.style(Role::Text))]).collect()
}

fn question(app: &App, title: &str, role: Role, lines: &[String], screen: Rect) -> Dialog {
    let limit = screen.width.saturating_sub(6).min(76);
    let mut lines = plain(app, lines, limit);
    // The answers are worth more than the last lines of the question.
    lines.truncate(usize::from(screen.height.saturating_sub(5)));
    lines.push(Vec::new());
    lines.extend(wrap(&choices(app), limit).into_iter().map(|line| vec![(line, app.look.style(Role::Key))]));
    Dialog { title: title.to_owned(), role: Some(role), lines, ..Dialog::default() }
}

fn lost(app: &App, reason: &str, next: Option<u64>, screen: Rect) -> Dialog {
    let left = next.map(|at| at.saturating_sub(app.now().mono).div_ceil(1_000_000_000));
    let when = match left {
        Some(seconds @ 1..) => format!("The next try is in {seconds} s."),
        _ => "It is being looked for.".to_owned(),
    };
    let lines = [
        "The daemon is away; the sessions go on running.".to_owned(),
        format!("Reason: {reason}"),
        "The dashboard comes back by itself as soon as the daemon does.".to_owned(),
        when,
    ];
    question(app, "daemon", Role::Notice, &lines, screen)
}

/// The keys of the overlay, in a line.
pub fn choices(app: &App) -> String {
    let mut found: Vec<_> = app.keymap.bound(app.context()).filter(|bound| bound.hint > 0).collect();
    found.sort_by_key(|bound| bound.hint);
    let mut texts: Vec<String> = Vec::new();
    for bound in found {
        // Enter does what is harmless.
        let is_default = bound.action.name == "no";
        let text = format!("{} {}", bound.first(), bound.action.short);
        texts.push(if is_default { format!("[{text}]") } else { text });
    }
    texts.join("   ")
}

fn messages(app: &App, top: u16, screen: Rect) -> Dialog {
    let limit = screen.width.saturating_sub(16).min(90);
    let mut lines = Vec::new();
    for (at_ms, text) in app.messages.iter().rev() {
        let mut time = clock::time_of_day(*at_ms);
        for line in wrap(text, limit) {
            lines.push(vec![(format!("{time:<9}"), app.look.style(Role::Faint)), (line, app.look.style(Role::Text))]);
            time.clear();
        }
    }
    if lines.is_empty() {
        lines.push(vec![("Nothing was said yet.".to_owned(), app.look.style(Role::Text))]);
    }
    Dialog { title: "messages".to_owned(), lines, top, ..Dialog::default() }
}
