//! What others may see of a session.

use serde::Deserialize;
use serde::Serialize;

use crate::history::ExitStatus;
use crate::history::Stream;
use crate::session::id::SessionId;
use crate::session::journal::JournalStatus;
use crate::session::service::status::ServiceStatus;
use crate::session::sizing::SizeOwner;
use crate::session::spec::Kind;
use crate::session::terminal::Terminal;
use crate::session::terminal::Who;
use crate::term::Size;

/// How a session came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// By itself, or by somebody outside.
    Natural,
    /// After somebody asked it to stop.
    Stopped,
    /// By the hard signal of a kill, or of a stop whose grace ran out.
    Killed,
    /// The keeper died; nobody knows.
    Lost,
}

/// The end of a session's first process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Code or signal; none when it was lost.
    #[serde(default)]
    pub status: Option<ExitStatus>,
    /// How it came about.
    pub how: How,
    /// Who asked for it.
    #[serde(default)]
    pub by: Option<String>,
    /// Wall-clock milliseconds.
    #[serde(default)]
    pub at_ms: u64,
    /// Processes that were still there afterwards.
    #[serde(default)]
    pub left: Vec<u32>,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "word")]
pub enum State {
    /// Its program runs.
    Running,
    /// It was asked to stop.
    Stopping {
        /// Wall-clock milliseconds when it will be killed.
        #[serde(default)]
        kill_at_ms: u64,
    },
    /// Its program ended.
    Ended {
        /// How.
        end: End,
    },
}

/// One client on a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Attached {
    /// Who it is.
    pub who: Who,
    /// Its terminal, if it has one.
    pub terminal: Option<Terminal>,
    /// Keyboard and size are its.
    pub controls: bool,
    /// It controls beside others.
    pub shares: bool,
    /// It is on this stream of a pipe session only.
    pub stream: Option<Stream>,
    /// It gets raw bytes, not frames.
    pub raw: bool,
    /// Wall-clock milliseconds since when.
    pub since_ms: u64,
}

/// A session as `ls` and the dashboard show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Short id.
    pub id: SessionId,
    /// Unique name.
    pub name: String,
    /// Terminal or pipes.
    #[serde(default)]
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Command, quoted so that a shell takes it back, without control characters.
    #[serde(default)]
    pub command: String,
    /// Program and arguments; bytes that are not UTF-8 are replaced.
    #[serde(default)]
    pub argv: Vec<String>,
    /// Directory it was started in.
    #[serde(default)]
    pub cwd: String,
    /// Process id of its first process.
    #[serde(default)]
    pub pid: u32,
    /// Present size of its terminal.
    #[serde(default)]
    pub size: Size,
    /// Whose size that is.
    #[serde(default)]
    pub size_owner: SizeOwner,
    /// Standard error goes where standard output goes.
    #[serde(default)]
    pub merged: bool,
    /// Wall-clock milliseconds of the start.
    #[serde(default)]
    pub started_ms: u64,
    /// Wall-clock milliseconds of the last output; 0 when there was none.
    #[serde(default)]
    pub output_ms: u64,
    /// Bytes of output so far.
    #[serde(default)]
    pub output_bytes: u64,
    /// Offset of the oldest byte still in memory.
    #[serde(default)]
    pub oldest: u64,
    /// Who is on it.
    #[serde(default)]
    pub attached: Vec<Attached>,
    /// Title its program set.
    #[serde(default)]
    pub title: Option<String>,
    /// Free words.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The tool that asked for it.
    #[serde(default)]
    pub originator: Option<String>,
    /// How it is supervised, if it is an instance of a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceStatus>,
    /// Its history on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalStatus>,
}

impl Status {
    /// Returns the offset of the oldest byte that can still be had, from memory or disk.
    #[must_use]
    pub fn first_byte(&self) -> u64 {
        self.journal.as_ref().map_or(self.oldest, |journal| journal.oldest.min(self.oldest))
    }

    /// Returns the end, if it has ended and no other run of it follows.
    #[must_use]
    pub const fn end(&self) -> Option<&End> {
        match (&self.state, &self.service) {
            (State::Ended { .. }, Some(ServiceStatus { goes_on: true, .. })) => None,
            _ => self.run_end(),
        }
    }

    /// Returns the end of its last run, whatever follows.
    #[must_use]
    pub const fn run_end(&self) -> Option<&End> {
        match &self.state {
            State::Ended { end } => Some(end),
            State::Running | State::Stopping { .. } => None,
        }
    }

    /// Returns the word that stands for the state: `running`, `stopping`, `exited 3`, `killed KILL`, …
    #[must_use]
    pub fn word(&self) -> String {
        if let Some(service) = &self.service {
            return service.word(self.run_end());
        }
        match &self.state {
            State::Running => "running".to_owned(),
            State::Stopping { .. } => "stopping".to_owned(),
            State::Ended { end } => end.word(),
        }
    }

    /// Returns the same with what will happen, as of a wall-clock time in milliseconds: `stopping, killed in 3s`.
    #[must_use]
    pub fn word_at(&self, now_ms: u64) -> String {
        if let Some(service) = &self.service {
            return service.word_at(self.run_end(), now_ms);
        }
        match self.state {
            State::Stopping { kill_at_ms } if kill_at_ms > now_ms => {
                format!("stopping, killed in {}s", (kill_at_ms - now_ms).div_ceil(1000))
            }
            State::Stopping { .. } => "stopping, being killed".to_owned(),
            State::Running | State::Ended { .. } => self.word(),
        }
    }

    /// Returns who has keyboard and size; the first of those who share it.
    #[must_use]
    pub fn controller(&self) -> Option<&Attached> {
        self.attached.iter().find(|attached| attached.controls)
    }
}

impl End {
    /// Returns the two words of an end, code or signal included.
    #[must_use]
    pub fn word(&self) -> String {
        match (self.status, self.how) {
            // Nothing of it ran.
            (None, How::Stopped) => "stopped".to_owned(),
            (None, _) => "lost".to_owned(),
            (Some(ExitStatus::Code(code)), How::Stopped | How::Killed) => format!("stopped {code}"),
            (Some(ExitStatus::Code(code)), _) => format!("exited {code}"),
            (Some(ExitStatus::Signal(signal)), How::Stopped) => format!("stopped {}", signal_name(signal)),
            (Some(ExitStatus::Signal(signal)), _) => format!("killed {}", signal_name(signal)),
        }
    }

    /// Returns the exit code a shell would show: the code, or 128 and the signal; 125 when lost.
    #[must_use]
    pub const fn shell_code(&self) -> u8 {
        match self.status {
            Some(ExitStatus::Code(code)) => code,
            Some(ExitStatus::Signal(signal)) => 128_u8.saturating_add(signal),
            None => 125,
        }
    }
}

/// Names of the Linux signals 1 to 31, `signal(7)`.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// Reads a signal's name, with or without `SIG`, or its number.
#[must_use]
pub fn signal_number(text: &str) -> Option<u8> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let by_name = SIGNALS.iter().position(|signal| *signal == name).map(|at| at as u8 + 1);
    by_name.or_else(|| text.parse().ok().filter(|number| (1..=64).contains(number)))
}

/// Returns a signal's name without `SIG`, or its number.
#[must_use]
pub fn signal_name(signal: u8) -> String {
    match SIGNALS.get(usize::from(signal).wrapping_sub(1)) {
        Some(name) => (*name).to_owned(),
        None => signal.to_string(),
    }
}
