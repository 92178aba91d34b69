//! Whose size a session's terminal has, when several people work in it.
//!
//! Only controllers with a terminal count: viewers and pipes never resize anything.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::session::terminal::Pixels;
use crate::term::Size;

/// The rule for one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SizeOwner {
    /// The controller that typed, attached or resized last.
    #[default]
    Latest,
    /// The fewest rows and the fewest columns of all controllers.
    Smallest,
    /// Nobody: `rpm resize` alone.
    Manual,
}

impl fmt::Display for SizeOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latest => "latest",
            Self::Smallest => "smallest",
            Self::Manual => "manual",
        })
    }
}

/// A controller's terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Its size.
    pub size: Size,
    /// Its size in pixels, if it knows.
    pub pixels: Option<Pixels>,
    /// Monotonic nanoseconds of its last key, attach or resize.
    pub active_at: u64,
}

/// Returns the size that the rule gives; `None` leaves it as it is.
#[must_use]
pub fn choose(owner: SizeOwner, wishes: &[Wish]) -> Option<(Size, Option<Pixels>)> {
    match owner {
        SizeOwner::Manual => None,
        SizeOwner::Latest => wishes.iter().max_by_key(|wish| wish.active_at).map(|latest| (latest.size, latest.pixels)),
        SizeOwner::Smallest => {
            let rows = wishes.iter().map(|wish| wish.size.rows()).min()?;
            let cols = wishes.iter().map(|wish| wish.size.cols()).min()?;
            let size = Size::clamped(rows, cols);
            // Pixels of another size would tell a program the wrong size of a cell.
            let pixels = wishes.iter().find(|wish| wish.size == size).and_then(|wish| wish.pixels);
            Some((size, pixels))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w21_the_rule_and_nothing_else_says_whose_size_counts() {
        let wish = |rows, cols, active_at| Wish { size: Size::clamped(rows, cols), pixels: None, active_at };
        let wishes = [wish(50, 80, 7), wish(24, 200, 3), wish(30, 90, 5)];
        let chosen = |owner| choose(owner, &wishes).map(|(size, _)| size);
        assert_eq!(chosen(SizeOwner::Latest), Some(Size::clamped(50, 80)));
        assert_eq!(chosen(SizeOwner::Smallest), Some(Size::clamped(24, 80)));
        assert_eq!(chosen(SizeOwner::Manual), None);
        for owner in [SizeOwner::Latest, SizeOwner::Smallest, SizeOwner::Manual] {
            assert_eq!(choose(owner, &[]), None);
        }
    }
}
