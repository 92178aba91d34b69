//! Terminals by the marks they leave in the environment, and what each can show.
//!
//! Sources: each terminal's own documentation. A terminal that is not listed is unknown, never unsupported.

use crate::session::graphics::Evidence;
use crate::session::graphics::Facts;
use crate::session::graphics::Finding;
use crate::session::graphics::Support;
use crate::session::graphics::finding;

use Support::Supported as YES;
use Support::Unknown as MAYBE;
use Support::Unsupported as NO;

/// sixel, kitty, iterm2.
type Abilities = [Support; 3];

/// First release of Konsole with all three, as `KONSOLE_VERSION` counts.
const KONSOLE: u32 = 220_400;

/// `TERM` up to the first `-256color` or `+`, and what that terminal can show.
const BY_TERM: [(&str, Abilities); 8] = [
    ("xterm-kitty", [NO, YES, NO]),
    ("xterm-ghostty", [NO, YES, NO]),
    ("wezterm", [YES, YES, YES]),
    ("foot", [YES, NO, NO]),
    ("mlterm", [YES, NO, MAYBE]),
    ("contour", [YES, NO, NO]),
    ("alacritty", [NO, NO, NO]),
    ("st", [NO, NO, NO]),
];

/// `TERM_PROGRAM` or `LC_TERMINAL`, in lower case, and what that terminal can show.
const BY_PROGRAM: [(&str, Abilities); 9] = [
    ("iterm.app", [YES, MAYBE, YES]),
    ("iterm2", [YES, MAYBE, YES]),
    ("wezterm", [YES, YES, YES]),
    ("ghostty", [NO, YES, NO]),
    ("mintty", [YES, NO, YES]),
    ("rio", [YES, MAYBE, YES]),
    ("apple_terminal", [NO, NO, NO]),
    // Its pictures are a setting.
    ("vscode", [MAYBE, NO, MAYBE]),
    ("tmux", [MAYBE, MAYBE, MAYBE]),
];

/// Judges each protocol by the strongest mark there is.
pub fn judge(facts: &Facts) -> [Finding; 3] {
    let (abilities, evidence, source) = strongest(facts).unwrap_or(([MAYBE; 3], Evidence::None, ""));
    abilities.map(|status| {
        // What is outside of tmux shows through it only as far as tmux is built and set up for it.
        let status = if facts.has_tmux && status == YES { MAYBE } else { status };
        finding(status, evidence, source)
    })
}

fn strongest(facts: &Facts) -> Option<(Abilities, Evidence, &'static str)> {
    // Inside of tmux, and behind SSH, variables are those of whoever started it.
    let host = if facts.has_tmux || facts.has_ssh { Evidence::Environment } else { Evidence::Host };
    let by_term = || {
        let name = facts.term.split('+').next().unwrap_or_default();
        let name = name.trim_end_matches("-256color").trim_end_matches("-direct");
        Some((known(&BY_TERM, name)?, Evidence::Terminfo, "TERM"))
    };
    let by_program = || {
        let evidence = if facts.program_version.is_empty() { Evidence::Environment } else { host };
        Some((known(&BY_PROGRAM, &facts.program)?, evidence, "TERM_PROGRAM"))
    };
    let by_host = || {
        if facts.has_kitty {
            Some(([NO, YES, NO], host, "KITTY_WINDOW_ID"))
        } else if facts.has_wezterm {
            Some(([YES; 3], host, "WEZTERM_PANE"))
        } else if facts.konsole_version > 0 {
            let can = if facts.konsole_version >= KONSOLE { YES } else { NO };
            Some(([can; 3], host, "KONSOLE_VERSION"))
        } else {
            None
        }
    };
    let by_locale = || Some((known(&BY_PROGRAM, &facts.lc_terminal)?, Evidence::Environment, "LC_TERMINAL"));
    // `TERM` of a terminal of its own kind is set by that terminal last, and is right where variables are inherited.
    by_term().or_else(by_host).or_else(by_program).or_else(by_locale)
}

fn known(table: &[(&str, Abilities)], name: &str) -> Option<Abilities> {
    let name = name.to_ascii_lowercase();
    table.iter().find(|(known, _)| *known == name).map(|(_, abilities)| *abilities)
}
