//! Presets: keys that hands know from elsewhere, laid over the defaults.
//!
//! The defaults are tmux's; `screen` moves the prefix and what GNU screen has elsewhere; `plain` needs no letters to be learnt.

use crate::tui::action::Context;
use crate::tui::action::Context::List;
use crate::tui::action::Context::Typing;
use crate::tui::action::Context::View;

/// A preset.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its name in settings.
    pub name: &'static str,
    /// Its prefix.
    pub prefix: &'static str,
    /// Action, where, and its keys there.
    pub keys: &'static [(&'static str, Context, &'static [&'static str])],
}

/// All presets, the default first.
pub const PRESETS: [Preset; 3] = [
    Preset { name: "tmux", prefix: "C-b", keys: &[] },
    Preset {
        name: "screen",
        prefix: "C-a",
        keys: &[
            ("list", Typing, &["Prefix \"", "Prefix w"]),
            ("list", View, &["Esc", "Prefix \"", "Prefix w"]),
            ("rename", Typing, &["Prefix A"]),
            ("stop", Typing, &["Prefix k"]),
            ("kill", Typing, &["Prefix K"]),
            ("split-down", Typing, &["Prefix S"]),
            ("split-right", Typing, &["Prefix |"]),
            ("close-pane", Typing, &["Prefix X"]),
            ("zoom", Typing, &["Prefix Q"]),
            ("next-pane", Typing, &["Prefix Tab"]),
            ("copy-mode", Typing, &["Prefix [", "Prefix Esc"]),
            ("redraw", Typing, &["Prefix l"]),
            ("last", Typing, &["Prefix Prefix"]),
            ("send-prefix", Typing, &["Prefix a"]),
        ],
    },
    Preset {
        name: "plain",
        prefix: "F12",
        keys: &[
            ("list", Typing, &["Prefix Prefix", "Prefix Esc"]),
            ("send-prefix", Typing, &["Prefix F11"]),
            ("new-shell", List, &["F2", "Insert", "Prefix c"]),
            ("rename", List, &["F3"]),
            ("stop", List, &["F8", "Prefix x"]),
            ("kill", List, &["S-F8", "Prefix X"]),
            ("remove", List, &["Delete"]),
            ("filter", List, &["F4", "/"]),
            ("palette", List, &["F9", ":"]),
            ("leave", List, &["F10", "C-c", "Prefix d"]),
        ],
    },
];

/// Returns a preset; the default for a name that is none.
#[must_use]
pub fn named(name: &str) -> &'static Preset {
    PRESETS.iter().find(|preset| preset.name == name).unwrap_or(&PRESETS[0])
}
