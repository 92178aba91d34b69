//! What the dashboard looks like: one file per panel, each from the app into a buffer, none of them with a memory.

mod copy;
mod details;
mod dialog;
mod fields;
mod grid;
mod header;
mod help;
mod hints;
mod list;
mod logs;
mod overlay;
mod palette;
mod service;
mod text;
mod title;
mod which_key;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::tui::app::App;
use crate::tui::app::Copying;
use crate::tui::app::Focus;
use crate::tui::layout::LEAST;
use crate::tui::pane::Pane;
use crate::tui::theme;
use crate::tui::theme::Role;
use crate::tui::tiles::PaneId;

use text::age;
use text::cut;
use text::cut_start;
use text::put;
use text::width;
use text::wrap;

pub use hints::hint_at;
pub use list::first_visible;
pub use list::item_at;
pub use list::shows_load;

/// Draws one panel.
type Panel = fn(&App, Rect, &mut Buffer);

/// Draws everything.
pub fn render(app: &App, buffer: &mut Buffer) {
    let layout = app.layout();
    let whole = buffer.area;
    if layout.is_too_small() {
        render_too_small(app, buffer);
        return;
    }
    buffer.set_style(whole, app.look.ground());
    let panels: [(Option<Rect>, Panel); 5] = [
        (layout.header, header::render),
        (layout.list, list::render),
        (layout.details, details::render),
        (layout.divider, title::render_divider),
        (layout.hints, hints::render),
    ];
    for (area, panel) in panels {
        if let Some(area) = area {
            panel(app, area, buffer);
        }
    }
    title::render_borders(app, buffer);
    for tile in app.tiles() {
        if let Some(area) = tile.title {
            title::render(app, tile.id, area, buffer);
        }
    }
    degrade(app, whole, buffer);
    for tile in app.tiles() {
        render_pane(app, tile.id, tile.pane, buffer);
    }
    which_key::render(app, buffer);
    if let Some(area) = layout.whole {
        let panel: Panel = if app.focus == Focus::Logs { logs::render } else { grid::render };
        panel(app, area, buffer);
        degrade(app, if app.focus == Focus::Logs { Rect { height: 1, ..area } } else { Rect::ZERO }, buffer);
    }
    if let Some(area) = overlay::render(app, buffer) {
        degrade(app, area, buffer);
    }
}

/// Draws what we drew without Unicode, where there is none.
fn degrade(app: &App, area: Rect, buffer: &mut Buffer) {
    if !app.look.is_ascii {
        return;
    }
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y))
                && let Some(symbol) = theme::ascii(cell.symbol())
            {
                cell.set_symbol(symbol);
            }
        }
    }
}

/// Draws a pane.
pub fn render_pane(app: &App, id: PaneId, area: Rect, buffer: &mut Buffer) {
    let Some(pane) = app.panes.get(id) else { return };
    if let Some(copying) = copying_in(app, id) {
        copy::render(app, copying, area, buffer);
        return;
    }
    match pane.session {
        Some(id) if app.is_own(id) => {
            let lines = ["This dashboard runs inside this session.", "Shown in itself it would have no end."];
            say_in_pane(app, &lines, area, buffer);
        }
        Some(id) if app.is_unborn(id) => render_unborn(app, id, area, buffer),
        _ if pane.target().is_empty() => render_empty(app, area, buffer),
        _ => pane.render(area, is_ended(app, pane), buffer),
    }
}

/// Draws rows of a session's screen; hands each row of our terminal it drew to `drawn`.
pub fn render_rows(app: &App, rows: &[(PaneId, u16)], buffer: &mut Buffer, mut drawn: impl FnMut(&Buffer, Rect)) {
    for tile in app.tiles() {
        let Some(pane) = app.panes.get(tile.id).filter(|_| copying_in(app, tile.id).is_none()) else { continue };
        let is_ended = is_ended(app, pane);
        for (_, row) in rows.iter().filter(|(id, _)| *id == tile.id) {
            if let Some(y) = pane.render_row(*row, tile.pane, is_ended, buffer) {
                drawn(buffer, Rect { y, height: 1, ..tile.pane });
            }
        }
    }
}

/// Returns copy mode if it is in a pane and there is something to show.
fn copying_in(app: &App, id: PaneId) -> Option<&Copying> {
    app.copying.as_ref().filter(|copying| copying.pane == id && !copying.copy.rows().is_empty())
}

fn is_ended(app: &App, pane: &Pane) -> bool {
    app.session_of(pane.session).and_then(Status::end).is_some()
}

/// Returns the title of our terminal: session and state.
#[must_use]
pub fn outer_title(app: &App) -> String {
    if !app.settings.title {
        return String::new();
    }
    match app.selected() {
        Some(status) => cut(&format!("{}: {} - rpm", status.name, status.word()), 80),
        None => "rpm".to_owned(),
    }
}

/// A service that never ran has no screen.
fn render_unborn(app: &App, id: SessionId, area: Rect, buffer: &mut Buffer) {
    let Some((status, service)) = app.sessions.get(id).and_then(|status| Some((status, status.service.as_ref()?)))
    else {
        return;
    };
    let state = format!("{} is {} and has not run yet.", status.name, status.word());
    let reason = service.reason.clone().unwrap_or_default();
    say_in_pane(app, &[&state, &reason, "", "S starts it, i tells all about it."], area, buffer);
}

/// Says how to begin, or that there is nothing here.
fn render_empty(app: &App, area: Rect, buffer: &mut Buffer) {
    if !app.sessions.is_known() {
        return;
    }
    if app.sessions.rows().is_empty() {
        list::render_empty(app, area, buffer);
    } else {
        say_in_pane(app, &["Nothing is shown here.", "Choose a session in the list."], area, buffer);
    }
}

/// Returns where the terminal's cursor belongs: in the pane while somebody types, else on what has the keyboard.
#[must_use]
pub fn cursor(app: &App) -> Option<(u16, u16)> {
    let layout = app.layout();
    let screen = layout.hints?;
    if app.overlay.is_some() || app.link.is_shown() {
        return overlay::cursor(app, Rect::new(0, 0, screen.width, screen.y + 1));
    }
    let focused = app.panes.focused();
    match app.focus {
        Focus::Typing => focused.cursor(app.area_of(focused.id)?),
        Focus::Logs => layout.whole.and_then(|area| logs::cursor(app, area)).or(Some((screen.x, screen.y))),
        Focus::Grid => grid::cursor(app).or(Some((screen.x, screen.y))),
        Focus::Copy => {
            let area = app.area_of(focused.id)?;
            copying_in(app, focused.id).map_or(Some((area.x, area.y)), |copying| copy::cursor(copying, area))
        }
        Focus::List => layout.list.and_then(|area| list::cursor(app, area)),
        Focus::View => {
            let tile = app.tiles().into_iter().find(|tile| tile.id == focused.id)?;
            Some(tile.title.map_or((screen.x, screen.y), |title| (title.x, title.y)))
        }
    }
}

fn render_too_small(app: &App, buffer: &mut Buffer) {
    let area = buffer.area;
    let sentence = format!("rpm needs {}x{} cells", LEAST.cols, LEAST.rows);
    for (y, line) in wrap(&sentence, area.width).iter().take(usize::from(area.height)).enumerate() {
        put(buffer, (0, y as u16), line, area.width, app.look.style(Role::Text));
    }
}

fn say_in_pane(app: &App, lines: &[&str], area: Rect, buffer: &mut Buffer) {
    let style = app.look.style(Role::Text);
    let wrapped: Vec<String> = lines.iter().flat_map(|line| wrap(line, area.width.saturating_sub(2))).collect();
    for (y, line) in wrapped.iter().take(usize::from(area.height.saturating_sub(1))).enumerate() {
        put(buffer, (area.x + 1, area.y + 1 + y as u16), line, area.width.saturating_sub(1), style);
    }
}
