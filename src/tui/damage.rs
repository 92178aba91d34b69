//! What has to be drawn anew: everything, the pane, or some rows of it.
//!
//! The echo of a key damages one row; the list around it is not looked at then.

/// Collected since the last drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damage {
    /// What our terminal shows is unknown.
    pub is_unknown: bool,
    /// Anything outside the pane, and the pane.
    pub is_chrome: bool,
    /// The whole pane.
    pub is_pane: bool,
    /// Rows of the session's screen.
    pub rows: Vec<u16>,
}

impl Damage {
    /// Returns the damage of a terminal that shows nothing of ours yet.
    #[must_use]
    pub fn everything() -> Self {
        Self { is_unknown: true, is_chrome: true, ..Self::default() }
    }

    /// Returns whether nothing is damaged.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::everything();
    }

    pub(super) const fn chrome(&mut self) {
        self.is_chrome = true;
    }

    pub(super) const fn pane(&mut self) {
        self.is_pane = true;
    }

    /// Damages rows; also without any, the cursor may have moved.
    pub(super) fn rows(&mut self, rows: Vec<u16>) {
        if self.rows.is_empty() {
            self.rows = rows;
        } else {
            self.rows.extend(rows);
        }
    }
}
