//! Actions of copy mode.

use crate::tui::action::actions;

actions! {
    /// See the module.
    ACTIONS:
}
