//! The modes of a screen that others act on: how to encode keys and mouse, what the cursor looks like.
//!
//! Everything here is plain data that travels in frames; new fields get a default so that older peers still understand them.

use serde::Deserialize;
use serde::Serialize;

/// Which mouse events the program asked for.
#[derive(Copy, Clone, Default, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
pub enum MouseMode {
    /// No mouse reports.
    #[default]
    None,
    /// Presses only (mode 9).
    Press,
    /// Presses and releases (mode 1000).
    Click,
    /// Also motion while a button is down (mode 1002).
    Drag,
    /// All motion (mode 1003).
    Motion,
}

/// How mouse reports are written.
#[derive(Copy, Clone, Default, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
pub enum MouseEncoding {
    /// One byte per coordinate.
    #[default]
    Default,
    /// Coordinates as UTF-8 (mode 1005).
    Utf8,
    /// Decimal coordinates (mode 1006).
    Sgr,
}

/// The modes of a screen that a client or an input encoder acts on.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Hash, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "terminal modes are independent switches")]
pub struct Modes {
    /// Cursor keys send application sequences (DECCKM).
    pub app_cursor: bool,
    /// The keypad sends application sequences (DECKPAM).
    pub app_keypad: bool,
    /// Pastes are bracketed (mode 2004).
    pub bracketed_paste: bool,
    /// Focus changes are reported (mode 1004).
    pub focus_events: bool,
    /// Which mouse events are reported.
    pub mouse: MouseMode,
    /// How mouse events are written.
    pub mouse_encoding: MouseEncoding,
    /// The alternate screen is shown.
    pub alternate_screen: bool,
    /// The wheel sends cursor keys on the alternate screen (mode 1007).
    pub alternate_scroll: bool,
    /// Flags of the kitty keyboard protocol in force.
    pub kitty_flags: u8,
    /// Level of xterm's modifyOtherKeys, 0 to 2.
    pub modify_other_keys: u8,
    /// The cursor is shown (DECTCEM).
    pub cursor_visible: bool,
    /// The number DECSCUSR was given, 0 to 6.
    pub cursor_shape: u8,
}

impl Default for Modes {
    fn default() -> Modes {
        Modes {
            app_cursor: false,
            app_keypad: false,
            bracketed_paste: false,
            focus_events: false,
            mouse: MouseMode::None,
            mouse_encoding: MouseEncoding::Default,
            alternate_screen: false,
            alternate_scroll: true,
            kitty_flags: 0,
            modify_other_keys: 0,
            cursor_visible: true,
            cursor_shape: 0,
        }
    }
}
