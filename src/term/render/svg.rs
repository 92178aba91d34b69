//! A screen as a picture: a grid of rectangles and text, and its cursor.

use std::fmt::Write;

use super::Run;
use super::palette;
use super::push_escaped;
use super::runs;
use super::safe_link;
use super::shown;
use crate::term::mirror::Mirror;

/// Width and height of a cell.
const CELL: (u32, u32) = (8, 17);
/// Space around the cells.
const MARGIN: u32 = 8;
/// From the top of a cell to the line its text stands on.
const BASELINE: u32 = 13;

/// Returns the picture.
#[must_use]
pub fn svg(mirror: &Mirror, title: &str) -> String {
    let size = mirror.size();
    let width = u32::from(size.cols()) * CELL.0 + 2 * MARGIN;
    let height = u32::from(size.rows()) * CELL.1 + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" \
         font-size=\"13\" fill=\"{}\" xml:space=\"preserve\">\n<title>",
        palette::INK
    );
    push_escaped(title, &mut out);
    let _ =
        writeln!(out, "</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{}\"/>", palette::PAPER);
    for row in 0..size.rows() {
        for run in runs(mirror, row) {
            push_run(&run, row, &mut out);
        }
    }
    push_cursor(mirror, &mut out);
    out.push_str("</svg>\n");
    out
}

/// Top left corner of a cell.
fn corner(row: u16, col: u16) -> (u32, u32) {
    (MARGIN + u32::from(col) * CELL.0, MARGIN + u32::from(row) * CELL.1)
}

fn push_run(run: &Run, row: u16, out: &mut String) {
    let (ink, paper) = palette::colours(&run.style);
    let ((x, y), width) = (corner(row, run.col), u32::from(run.width) * CELL.0);
    if let Some(paper) = paper {
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{paper}\"/>", CELL.1);
    }
    let text = shown(run);
    let style = palette::declarations(&run.style);
    if text.trim().is_empty() && !style.contains("text-decoration") {
        return;
    }
    let link = safe_link(&run.style);
    if let Some(uri) = link {
        out.push_str("<a href=\"");
        push_escaped(uri, out);
        out.push_str("\">");
    }
    // The text is as long as its cells whatever the font.
    let _ =
        write!(out, "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\"", y + BASELINE);
    if let Some(ink) = ink {
        let _ = write!(out, " fill=\"{ink}\"");
    }
    if !style.is_empty() {
        let _ = write!(out, " style=\"{style}\"");
    }
    out.push('>');
    push_escaped(&text, out);
    out.push_str(if link.is_some() { "</text></a>\n" } else { "</text>\n" });
}

fn push_cursor(mirror: &Mirror, out: &mut String) {
    let (row, col, is_visible) = mirror.cursor();
    if !is_visible {
        return;
    }
    let (x, y) = corner(row, col);
    let (y, width, height) = match mirror.modes().cursor_shape {
        3 | 4 => (y + CELL.1 - 2, CELL.0, 2),
        5 | 6 => (y, 2, CELL.1),
        _ => (y, CELL.0, CELL.1),
    };
    let _ = writeln!(
        out,
        "<rect class=\"cursor\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\" opacity=\".5\"/>",
        palette::INK
    );
}
