//! A screen as a page that needs nothing else: one `pre`, its looks inline.

use std::fmt::Write;

use super::Run;
use super::palette;
use super::push_escaped;
use super::runs;
use super::safe_link;
use super::shown;
use crate::term::mirror::Mirror;

/// Returns the page. The `pre` in it can be taken out and stands for itself.
#[must_use]
pub fn html(mirror: &Mirror, title: &str) -> String {
    let mut out = String::from("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>");
    push_escaped(title, &mut out);
    let (paper, ink) = (palette::PAPER, palette::INK);
    let _ = writeln!(
        out,
        "</title>\n<pre style=\"background:{paper};color:{ink};font:14px/1.2 monospace;padding:8px;width:{}ch\">",
        mirror.size().cols()
    );
    for row in 0..mirror.size().rows() {
        for run in runs(mirror, row) {
            push_run(&run, &mut out);
        }
        out.push('\n');
    }
    out.push_str("</pre>\n");
    out
}

fn push_run(run: &Run, out: &mut String) {
    let mut style = String::new();
    let (ink, paper) = palette::colours(&run.style);
    if let Some(ink) = ink {
        let _ = write!(style, "color:{ink};");
    }
    if let Some(paper) = paper {
        let _ = write!(style, "background:{paper};");
    }
    style.push_str(&palette::declarations(&run.style));
    if run.is_glyph {
        // Fonts disagree about the width of such glyphs; the grid does not.
        let _ = write!(style, "display:inline-block;width:{}ch;", run.width);
    }
    let link = safe_link(&run.style);
    if let Some(uri) = link {
        out.push_str("<a rel=\"noopener noreferrer\" href=\"");
        push_escaped(uri, out);
        out.push_str(if style.contains("color:") { "\">" } else { "\" style=\"color:inherit\">" });
    }
    if style.is_empty() {
        push_escaped(&shown(run), out);
    } else {
        let _ = write!(out, "<span style=\"{style}\">");
        push_escaped(&shown(run), out);
        out.push_str("</span>");
    }
    if link.is_some() {
        out.push_str("</a>");
    }
}
