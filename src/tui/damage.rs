//! What has to be drawn anew: everything, panes, or some rows of them.
//!
//! The echo of a key damages one row; the list around it is not looked at then.

use crate::tui::tiles::PaneId;

/// Collected since the last drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damage {
    /// What our terminal shows is unknown.
    pub is_unknown: bool,
    /// Anything outside the pane, and the pane.
    pub is_chrome: bool,
    /// Panes as a whole.
    pub panes: Vec<PaneId>,
    /// Rows of the screens in panes.
    pub rows: Vec<(PaneId, u16)>,
    /// Something may have moved the cursor.
    pub is_cursor: bool,
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

    pub(super) fn pane(&mut self, pane: PaneId) {
        self.panes.push(pane);
    }

    /// Damages rows; also without any, the cursor may have moved.
    pub(super) fn rows(&mut self, pane: PaneId, rows: &[u16]) {
        self.is_cursor = true;
        self.rows.extend(rows.iter().map(|row| (pane, *row)));
    }
}
