//! Copy mode in a pane: rows of history with what is selected and found, and a word on where one is.

use ratatui::buffer::Buffer;
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::term::CellView;
use crate::term::Row;
use crate::tui::app::App;
use crate::tui::app::Copying;
use crate::tui::pane;
use crate::tui::theme::Role;
use crate::tui::view::cut_start;
use crate::tui::view::put;
use crate::tui::view::width;

/// Draws it in the place of the live screen.
pub fn render(app: &App, copying: &Copying, area: Rect, buffer: &mut Buffer) {
    let copy = &copying.copy;
    for y in 0..area.height {
        let n = copy.top + usize::from(y);
        let selected = copy.selected_in(n);
        let row = copy.rows().get(n);
        let found = match (&copy.pattern, row) {
            (Some(pattern), Some(row)) => pattern.in_row(n, row.len()),
            _ => Vec::new(),
        };
        for x in 0..area.width {
            let Some(cell) = buffer.cell_mut((area.x + x, area.y + y)) else { continue };
            *cell = Cell::EMPTY;
            let col = usize::from(x);
            if let Some(row) = row {
                draw(row, col, x + 1 == area.width, cell);
            }
            if found.iter().any(|(from, to)| (*from..*to).contains(&col)) {
                cell.modifier |= Modifier::UNDERLINED | Modifier::BOLD;
            }
            if selected.is_some_and(|(from, to)| (from..to).contains(&col)) {
                cell.modifier ^= Modifier::REVERSED;
            }
        }
    }
    if copy.find.is_some() {
        render_find(app, copying, area, buffer);
    }
}

fn draw(row: &Row, col: usize, is_last: bool, cell: &mut Cell) {
    let mut text = String::new();
    row.push(col, &mut text);
    let width = row.width(col);
    let view = CellView { text: if text == " " { "" } else { &text }, width, style: row.style(col) };
    pane::put(cell, &view, width == 2 && is_last);
}

/// The field of a search, over the last row.
fn render_find(app: &App, copying: &Copying, area: Rect, buffer: &mut Buffer) {
    let Some(find) = &copying.copy.find else { return };
    let y = area.bottom().saturating_sub(1);
    let count = copying.copy.pattern.as_ref().map_or(0, crate::tui::copy::Pattern::count);
    let is_literal = copying.copy.pattern.as_ref().is_some_and(|pattern| pattern.is_literal);
    let said = if is_literal { format!("  {count} as text ") } else { format!("  {count} found ") };
    let sign = if find.is_back { "?" } else { "/" };
    let room = area.width.saturating_sub(1 + width(&said));
    put(buffer, (area.x, y), &" ".repeat(usize::from(area.width)), area.width, app.look.style(Role::Text));
    let x = put(buffer, (area.x, y), sign, area.width, app.look.style(Role::Key));
    let x = put(buffer, (x, y), &cut_start(&find.line.text(), room), room, app.look.style(Role::Heading));
    put(buffer, (x, y), &said, area.right().saturating_sub(x), app.look.style(Role::Faint));
}

/// Returns where the cursor is.
pub fn cursor(copying: &Copying, area: Rect) -> Option<(u16, u16)> {
    let copy = &copying.copy;
    if let Some(find) = &copy.find {
        let x = area.x + 1 + find.line.column();
        return Some((x.min(area.right().saturating_sub(1)), area.bottom().saturating_sub(1)));
    }
    let y = copy.cursor.row.checked_sub(copy.top)?;
    let x = u16::try_from(copy.cursor.col).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    (y < usize::from(area.height)).then(|| (area.x + x, area.y + y as u16))
}

/// Returns the words for the line over the pane.
pub fn words(copying: &Copying) -> Vec<(String, Role)> {
    let copy = &copying.copy;
    if copying.is_loading && copy.rows().is_empty() {
        return vec![("copy, reading".to_owned(), Role::Notice)];
    }
    let more = if copy.is_oldest() { "" } else { "+" };
    let mut words = vec![
        ("copy".to_owned(), Role::Notice),
        (format!("{}/{}{more}", group(copy.cursor.row + 1), group(copy.rows().len())), Role::Text),
    ];
    if !copy.is_live() {
        words.push(("newer below".to_owned(), Role::Attention));
    }
    if copy.new_lines > 0 {
        let lines = if copy.new_lines == 1 { "line" } else { "lines" };
        words.push((format!("+{} new {lines}", group(copy.new_lines as usize)), Role::Attention));
    }
    if let Some(pattern) = &copy.pattern {
        let number = pattern.number_at(copy.cursor).map_or_else(String::new, |n| format!("{} of ", group(n)));
        let more = if copy.is_searching() { "+" } else { "" };
        words.push((format!("{number}{}{more} × {}", group(pattern.count()), pattern.text), Role::Text));
    }
    if copy.count > 0 {
        words.push((copy.count.to_string(), Role::Key));
    }
    words
}

/// Writes a number in groups of three digits.
pub fn group(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, c) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([group(7), group(2310), group(1_234_567)], ["7", "2,310", "1,234,567"]);
    }
}
