//! Which pictures a client's terminal can show: from what its environment says and what the terminal itself answered.
//!
//! Facts go in, a report comes out. An answer of the terminal beats what the environment says, because variables are
//! inherited by terminals inside terminals; what the user says beats both. *Invariant:* where pictures would be garbage
//! (no terminal, a console, `screen`) nothing makes them supported.

mod hosts;
mod probe;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::Serialize;

pub use probe::Probe;
pub use probe::QUERY;

/// What is known of a terminal from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// There is a terminal at all.
    pub is_tty: bool,
    /// `TERM`.
    pub term: String,
    /// `TERM_PROGRAM`.
    pub program: String,
    /// `TERM_PROGRAM_VERSION`.
    pub program_version: String,
    /// `LC_TERMINAL`: unlike the others it crosses SSH.
    pub lc_terminal: String,
    /// `KONSOLE_VERSION`, such as 220401; 0 when there is none.
    pub konsole_version: u32,
    /// `KITTY_WINDOW_ID` is set.
    pub has_kitty: bool,
    /// A `WEZTERM_…` variable is set.
    pub has_wezterm: bool,
    /// `TMUX` is set.
    pub has_tmux: bool,
    /// `STY` is set: GNU screen.
    pub has_screen: bool,
    /// `SSH_CONNECTION` is set.
    pub has_ssh: bool,
    /// The client runs in a session of ours.
    pub is_inside: bool,
    /// `RUNPM_GRAPHICS`: `auto`, `none`, or names of what works, separated by commas.
    pub wish: String,
    /// What the terminal answered, if it was asked.
    pub probe: Option<Probe>,
}

/// Whether something can be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// It can.
    Supported,
    /// It cannot.
    Unsupported,
    /// It must not be tried here.
    Blocked,
    /// Nobody knows; also what a newer peer says that this build does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// What a finding rests on, the strongest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The user said so.
    Override,
    /// The terminal said so.
    Probe,
    /// A variable that only this terminal sets.
    Host,
    /// The name in `TERM`.
    Terminfo,
    /// A variable that may be another terminal's, inherited.
    Environment,
    /// Nothing.
    #[default]
    #[serde(other)]
    None,
}

/// What may come between the program and the terminal's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Pictures travel over a network.
    Ssh,
    /// tmux passes on what it knows only.
    Tmux,
    /// GNU screen passes on nothing.
    Screen,
    /// Several of them, one inside the other, or a session of ours.
    Nested,
    /// Something that this build does not know.
    #[serde(other)]
    Other,
}

/// One protocol on one terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// Whether it works.
    pub status: Support,
    /// What that rests on.
    pub evidence: Evidence,
    /// Where it was read: a variable's name, an answer's.
    pub source: String,
}

/// What a terminal can show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// DEC sixel.
    pub sixel: Finding,
    /// kitty's graphics protocol.
    pub kitty: Finding,
    /// iTerm2's inline files.
    pub iterm2: Finding,
    /// What may come between.
    pub risks: Vec<Risk>,
}

/// The protocols, in the order of a [`Report`]'s fields.
pub const NAMES: [&str; 3] = ["sixel", "kitty", "iterm2"];

/// Judges a terminal.
#[must_use]
pub fn detect(facts: &Facts) -> Report {
    let [sixel, kitty, iterm2] = findings(facts);
    Report { sixel, kitty, iterm2, risks: risks(facts) }
}

fn findings(facts: &Facts) -> [Finding; 3] {
    if let Some(source) = obstacle(facts) {
        return [(); 3].map(|()| finding(Support::Blocked, Evidence::Host, source));
    }
    let wish = wish(&facts.wish);
    let answers = facts.probe.as_ref().map(Probe::answers).unwrap_or_default();
    let host = hosts::judge(facts);
    let mut found = [host[0].clone(), host[1].clone(), host[2].clone()];
    for (n, finding_of) in found.iter_mut().enumerate() {
        if let Some(answer) = &answers[n] {
            *finding_of = answer.clone();
        }
        if let Some(wish) = wish {
            *finding_of = finding(yes_or_no(wish[n]), Evidence::Override, "RUNPM_GRAPHICS");
        }
    }
    found
}

/// Returns why nothing may be shown at all.
fn obstacle(facts: &Facts) -> Option<&'static str> {
    if !facts.is_tty {
        Some("no terminal")
    } else if facts.has_screen {
        Some("STY")
    } else if matches!(facts.term.as_str(), "" | "dumb" | "linux" | "vt100" | "unknown")
        // tmux calls itself `screen` too.
        || (is_screen(&facts.term) && !facts.has_tmux)
    {
        Some("TERM")
    } else {
        None
    }
}

fn is_screen(term: &str) -> bool {
    term == "screen" || term.starts_with("screen-") || term.starts_with("screen.")
}

fn risks(facts: &Facts) -> Vec<Risk> {
    let is_screen = facts.has_screen || (is_screen(&facts.term) && !facts.has_tmux);
    let between = usize::from(facts.has_tmux) + usize::from(is_screen);
    [
        (facts.has_ssh, Risk::Ssh),
        (facts.has_tmux, Risk::Tmux),
        (is_screen, Risk::Screen),
        (between > 1 || facts.is_inside, Risk::Nested),
    ]
    .into_iter()
    .filter_map(|(is_there, risk)| is_there.then_some(risk))
    .collect()
}

/// Reads `RUNPM_GRAPHICS`; nothing, `auto` and words that name no protocol say nothing.
fn wish(text: &str) -> Option<[bool; 3]> {
    let words: Vec<&str> = text.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    let is_known = |word: &&str| *word == "none" || NAMES.contains(word);
    (!words.is_empty() && words.iter().all(is_known)).then(|| NAMES.map(|name| words.contains(&name)))
}

/// Says why a value of `RUNPM_GRAPHICS` says nothing, or returns nothing.
#[must_use]
pub fn wish_fault(text: &str) -> Option<String> {
    let is_fine = matches!(text.trim(), "" | "auto") || wish(text).is_some();
    (!is_fine).then(|| format!("RUNPM_GRAPHICS takes auto, none, or some of {}", NAMES.join(", ")))
}

fn finding(status: Support, evidence: Evidence, source: &str) -> Finding {
    Finding { status, evidence, source: source.to_owned() }
}

const fn yes_or_no(is_there: bool) -> Support {
    if is_there { Support::Supported } else { Support::Unsupported }
}
