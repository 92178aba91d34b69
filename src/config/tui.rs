//! `[tui]`: what the dashboard looks like and does.

use serde::Serialize;

use crate::config::reader::section;
use crate::config::value::Pause;
use crate::config::value::count;

/// See the module. Words that name nothing are told by `rpm config check`, and the default counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tui {
    /// The key that is kept from programs, `none` for no key; empty means the preset's.
    pub prefix: String,
    /// Keys to start from: `tmux`, `screen` or `plain`.
    pub preset: String,
    /// How long a sequence of keys may pause before what can follow is shown; 0 never shows it.
    pub which_key: Pause,
    /// Keys of copy mode: `vi` or `emacs`.
    pub copy_keys: String,
    /// Colours: `terminal`, `auto`, `dark`, `light`, `contrast` or a theme of one's own.
    pub theme: String,
    /// Boxes and marks without Unicode, as on a terminal without UTF-8.
    pub ascii: bool,
    /// The dashboard listens to the mouse.
    pub mouse: bool,
    /// It sets the title of the terminal.
    pub title: bool,
    /// It asks before line ends are pasted into a program that did not ask for brackets around pastes.
    pub ask_paste: bool,
    /// What marks a session for attention, beside its end and what it asks for: `bell`, `notification`,
    /// `exit`, `waiting`.
    pub alerts: Vec<String>,
    /// Silence after which a session that is watched for silence is marked.
    pub silence: Pause,
    /// Alerts ring the terminal's bell.
    pub ring: bool,
    /// Notifications of programs are handed to the terminal.
    pub pass_notifications: bool,
    /// Text that a program puts on the clipboard goes to the terminal, while somebody types into it.
    pub session_clipboard: bool,
    /// Most frames a second; 0 means 60, and 30 over SSH.
    pub frames: u32,
}

impl Default for Tui {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            preset: "tmux".to_owned(),
            which_key: Pause(500),
            copy_keys: "vi".to_owned(),
            theme: "terminal".to_owned(),
            ascii: false,
            mouse: true,
            title: true,
            ask_paste: true,
            alerts: ["bell", "notification", "exit"].map(str::to_owned).to_vec(),
            silence: Pause(30_000),
            ring: false,
            pass_notifications: false,
            session_clipboard: true,
            frames: 0,
        }
    }
}

section!(Tui {
    prefix,
    preset,
    which_key,
    copy_keys,
    theme,
    ascii,
    mouse,
    title,
    ask_paste,
    alerts,
    silence,
    ring,
    pass_notifications,
    session_clipboard,
    frames as count,
});
