//! What is selected: characters, whole rows, or a block of columns; and the text of that.

use super::Pos;
use crate::term::Row;

/// How a selection is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// From a character to a character.
    Chars,
    /// Whole rows.
    Lines,
    /// Columns of several rows.
    Block,
}

/// Returns the columns of a row that are selected, the last one excluded.
pub(super) fn columns(row: &Row, n: usize, a: Pos, b: Pos, shape: Shape) -> Option<(usize, usize)> {
    let (from, to) = (a.min(b), a.max(b));
    if n < from.row || n > to.row {
        return None;
    }
    let width = |col: usize| usize::from(row.width(col).max(1));
    Some(match shape {
        Shape::Lines => (0, row.len().max(1)),
        Shape::Block => {
            let (left, right) = (a.col.min(b.col), a.col.max(b.col));
            (left, right + width(right))
        }
        Shape::Chars => {
            let left = if n == from.row { from.col } else { 0 };
            let right = if n == to.row { to.col + width(to.col) } else { row.len().max(left + 1) };
            (left, right)
        }
    })
}

/// Returns the text between two places. A row that wraps is joined with the next one, blanks at the end of a block go.
pub(super) fn text(rows: &[Row], a: Pos, b: Pos, shape: Shape) -> String {
    let (first, last) = (a.row.min(b.row), a.row.max(b.row));
    let mut out = String::new();
    for (n, row) in rows.iter().enumerate().take(last + 1).skip(first) {
        let Some((from, to)) = columns(row, n, a, b, shape) else { continue };
        let piece = row.text(from, to);
        out.push_str(if shape == Shape::Block { piece.trim_end() } else { &piece });
        let goes_on = row.wraps && shape != Shape::Block;
        if n < last && !goes_on {
            out.push('\n');
        }
    }
    if shape == Shape::Lines {
        out.push('\n');
    }
    out
}
