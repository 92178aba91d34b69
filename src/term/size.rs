//! The size of a screen in cells.
//!
//! A `Size` is always within bounds, whoever made it: deserialising clamps as the constructor does. The lower bound keeps the
//! engines out of widths where a wide glyph cannot be placed; the upper one bounds what a peer can make us allocate.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// Fewest and most columns a screen can have.
const COLS: (u16, u16) = (4, 1000);
/// Fewest and most rows a screen can have.
const ROWS: (u16, u16) = (2, 500);

/// Rows and columns of a screen, always within 2..=500 and 4..=1000.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Size {
    rows: u16,
    cols: u16,
}

/// What a size looks like in a message, before it is clamped.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Size")]
struct Wire {
    #[serde(default)]
    rows: u16,
    #[serde(default)]
    cols: u16,
}

impl Size {
    /// Returns the nearest size a screen can have.
    #[must_use]
    pub fn clamped(rows: u16, cols: u16) -> Size {
        Size { rows: rows.clamp(ROWS.0, ROWS.1), cols: cols.clamp(COLS.0, COLS.1) }
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn rows(self) -> u16 {
        self.rows
    }

    /// Returns the number of columns.
    #[must_use]
    pub fn cols(self) -> u16 {
        self.cols
    }
}

impl Default for Size {
    fn default() -> Size {
        Size { rows: 24, cols: 80 }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.cols, self.rows)
    }
}

impl From<Wire> for Size {
    fn from(wire: Wire) -> Size {
        Size::clamped(wire.rows, wire.cols)
    }
}

impl From<Size> for Wire {
    fn from(size: Size) -> Wire {
        Wire { rows: size.rows, cols: size.cols }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_from_a_peer_is_clamped() {
        let bytes = rmp_serde::to_vec_named(&Wire { rows: 0, cols: 65_535 }).expect("plain numbers");

        let size: Size = rmp_serde::from_slice(&bytes).expect("its own bytes");

        assert_eq!(size, Size::clamped(2, 1000));
        assert_eq!(size.to_string(), "1000x2");
    }
}
