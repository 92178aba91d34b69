//! What to run: everything a session's program gets from the client that started it.

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::session::id::RequestKey;
use crate::session::journal::JournalFacts;
use crate::session::journal::JournalSpec;
use crate::session::service::death::Death;
use crate::session::service::definition::Definition;
use crate::session::service::machine::Machine;
use crate::session::sizing::SizeOwner;
use crate::term::Size;

/// How a session's program is connected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A terminal of its own.
    #[default]
    Pty,
    /// Three pipes: input, output, errors.
    Pipe,
}

/// One resource limit, as `getrlimit(2)` gives it; `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Number of the resource (`RLIMIT_*`).
    pub resource: u32,
    /// Soft limit.
    pub soft: Option<u64>,
    /// Hard limit.
    pub hard: Option<u64>,
}

/// What the program inherits; all of it is the client's, nothing the daemon's. Text is bytes: paths
/// and environments need not be UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Launch {
    /// Program and arguments.
    pub argv: Vec<ByteBuf>,
    /// `NAME=VALUE` entries, in order; a later one wins.
    pub env: Vec<ByteBuf>,
    /// Working directory.
    pub cwd: ByteBuf,
    /// File mode creation mask.
    pub umask: u32,
    /// Resource limits.
    pub limits: Vec<Limit>,
}

/// A request for a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spec {
    /// Wished name; without one it is made from the program's.
    pub name: Option<String>,
    /// Terminal or pipes.
    pub kind: Kind,
    /// Standard error is the same pipe as standard output, so that their order is the program's (pipes only).
    pub merge: bool,
    /// First size of the terminal.
    pub size: Size,
    /// Free words to select sessions by.
    pub tags: Vec<String>,
    /// The tool that asked for it.
    pub originator: Option<String>,
    /// Bytes of history kept in memory; 0 means the default.
    pub history: u64,
    /// What to start.
    pub launch: Launch,
    /// Changes that the user gave in so many words, in order: `NAME=VALUE` sets, `NAME` alone removes. They win over the
    /// client's environment and over ours.
    pub overlay: Vec<ByteBuf>,
    /// Keep what it says on disk as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalSpec>,
}

/// A session's facts: written by the daemon, kept by the keeper, read back after a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Unique name.
    pub name: String,
    /// Terminal or pipes.
    pub kind: Kind,
    /// Standard error goes where standard output goes.
    pub merged: bool,
    /// Size the terminal started with.
    pub size: Size,
    /// Whose size it has later.
    pub size_owner: SizeOwner,
    /// Several clients have control.
    pub shared: bool,
    /// Program and arguments.
    pub argv: Vec<ByteBuf>,
    /// Working directory it was started in.
    pub cwd: ByteBuf,
    /// Free words.
    pub tags: Vec<String>,
    /// The tool that asked for it.
    pub originator: Option<String>,
    /// Wall-clock milliseconds of the start.
    pub started_ms: u64,
    /// Who asked last that it end, and how.
    pub asked: Option<Asked>,
    /// Stable link that `SSH_AUTH_SOCK` names in the session, if it has one.
    pub agent_link: Option<ByteBuf>,
    /// Processes that were seen below it outside its kernel session: number and start time.
    pub strays: Vec<(u32, u64)>,
    /// Processes that were still there when its end was told: number and start time.
    pub left: Vec<(u32, u64)>,
    /// Run of its program that start, asked end and strays are of.
    #[serde(skip_serializing_if = "is_first")]
    pub run: u32,
    /// How it is supervised, if it is an instance of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Supervised>,
    /// Its history on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalFacts>,
    /// What was said below this offset was flushed: nobody is shown it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flushed: Option<u64>,
}

/// It is kept beside the facts: nothing runs without a command.
fn is_elsewhere(definition: &Arc<Definition>) -> bool {
    definition.spec.command.words.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde calls")]
const fn is_first(run: &u32) -> bool {
    *run == 0
}

/// One instance of a service, as its session's facts have it: all that the next daemon needs to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Supervised {
    /// The service, whole: should it never get to disk, it is still known.
    #[serde(skip_serializing_if = "is_elsewhere")]
    pub definition: Arc<Definition>,
    /// Which of its instances, from 0.
    pub instance: u32,
    /// Deaths so far.
    pub died: u64,
    /// The last request that changed what is wanted.
    pub request: RequestKey,
    /// Somebody stopped it: its schedule rests until it is started.
    pub paused: bool,
    /// What it does and what is wanted.
    pub machine: Machine,
    /// Deaths that may not be on disk yet, oldest first.
    pub deaths: Vec<Death>,
    /// What its run said of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// How long its run says that it may be silent, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<u64>,
}

/// A request to end a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// `false`: a stop (polite first); `true`: a kill, or a stop whose grace ran out.
    #[serde(default)]
    pub hard: bool,
    /// Who asked.
    #[serde(default)]
    pub by: String,
    /// The request, to know it again after a restart.
    #[serde(default)]
    pub key: RequestKey,
    /// Of a stop: when the hard signal is due, in monotonic nanoseconds of this boot; 0 when nobody knows.
    #[serde(default)]
    pub deadline_ns: u64,
}

/// Markers of the terminal that the client runs in; they would lie in a session's own.
const FOREIGN: [&str; 14] = [
    "TERM",
    "COLORTERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERM_SESSION_ID",
    "TMUX",
    "TMUX_PANE",
    "STY",
    "WINDOW",
    "WINDOWID",
    "LINES",
    "COLUMNS",
    "VTE_VERSION",
    "KITTY_WINDOW_ID",
];
/// Ours: set anew for every session.
const OWN: [&str; 2] = ["RUNPM_SESSION", "RUNPM_ORIGINATOR"];

/// Turns the client's environment into a session's: foreign terminal markers out, ours in.
///
/// `RUNPM_DIR` stays as the client had it, so that `rpm` in a session meets the same daemon.
#[must_use]
pub fn environment(client: &[ByteBuf], kind: Kind, ours: &[(&str, &[u8])]) -> Vec<ByteBuf> {
    let name_of = |entry: &ByteBuf| entry.split(|b| *b == b'=').next().map(<[u8]>::to_vec).unwrap_or_default();
    let is_dropped = |entry: &&ByteBuf| {
        let name = name_of(entry);
        let is_named = |n: &&str| n.as_bytes() == name;
        (kind == Kind::Pty && FOREIGN.iter().any(is_named))
            || OWN.iter().any(is_named)
            || ours.iter().any(|(n, _)| n.as_bytes() == name)
    };
    let mut env: Vec<ByteBuf> = client.iter().filter(|entry| !is_dropped(entry)).cloned().collect();
    let terminal: &[(&str, &[u8])] = &[("TERM", b"xterm-256color"), ("COLORTERM", b"truecolor")];
    let added = if kind == Kind::Pty { terminal } else { &[] };
    for (name, value) in added.iter().chain(ours) {
        env.push(ByteBuf::from([name.as_bytes(), b"=", value].concat()));
    }
    env
}

/// Longest name; longer wishes are refused.
pub const NAME_LIMIT: usize = 64;

/// Says why a name cannot be used, or returns nothing.
#[must_use]
pub fn name_fault(name: &str) -> Option<&'static str> {
    let is_plain = |c: char| c.is_alphanumeric() || "._-+:/".contains(c);
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > NAME_LIMIT {
        Some("it is longer than 64 bytes")
    } else if name == "all" || name.bytes().all(|b| b.is_ascii_digit()) {
        Some("`all` and plain numbers select sessions, they cannot be names")
    } else if !name.starts_with(|c: char| c.is_alphanumeric()) {
        Some("it must start with a letter or a digit")
    } else if !name.chars().all(is_plain) {
        Some("only letters, digits and . _ - + : / are allowed")
    } else {
        None
    }
}

/// Makes a name from a program's path that none of `taken` has: `vim`, `vim-2`, …
#[must_use]
pub fn name_from(program: &[u8], taken: impl Fn(&str) -> bool) -> String {
    let text = String::from_utf8_lossy(program);
    let base = text.rsplit('/').next().unwrap_or_default();
    let plain: String = base.chars().filter(|c| c.is_alphanumeric() || "._-+".contains(*c)).take(32).collect();
    let name = if name_fault(&plain).is_some() { format!("s-{plain}").trim_end_matches('-').to_owned() } else { plain };
    if !taken(&name) {
        return name;
    }
    (2..u32::MAX).map(|n| format!("{name}-{n}")).find(|name| !taken(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_control_characters_or_meaning_are_refused() {
        for bad in ["", "all", "12", "a b", "a\u{1b}[2J", "\u{202e}x", "-x", "x\n", &"x".repeat(65)] {
            assert!(name_fault(bad).is_some(), "{bad:?}");
        }
        for good in ["web", "web/api", "büro-2", "a.b_c+d:e", "9lives"] {
            assert_eq!(name_fault(good), None, "{good:?}");
        }
    }

    #[test]
    fn w52_a_session_gets_the_clients_environment_without_its_terminals_markers() {
        let client =
            ["PATH=/bin", "TERM=screen", "TMUX=x", "A=b=c", "RUNPM_SESSION=old"].map(|e| ByteBuf::from(e.as_bytes()));
        let text = |kind| {
            let env = environment(&client, kind, &[("RUNPM_SESSION", b"new")]);
            env.iter().map(|e| String::from_utf8_lossy(e).into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(Kind::Pty), "PATH=/bin A=b=c TERM=xterm-256color COLORTERM=truecolor RUNPM_SESSION=new");
        assert_eq!(text(Kind::Pipe), "PATH=/bin TERM=screen TMUX=x A=b=c RUNPM_SESSION=new");
    }

    #[test]
    fn made_names_are_free_and_allowed() {
        assert_eq!(name_from(b"/usr/bin/vim", |_| false), "vim");
        assert_eq!(name_from(b"vim", |n| n == "vim" || n == "vim-2"), "vim-3");
        for odd in [&b"/x/7"[..], b"", b"\xff\xfe", b"all", b"--x"] {
            assert_eq!(name_fault(&name_from(odd, |_| false)), None, "{odd:?}");
        }
    }
}
