//! What an instance of a service can be doing, and why.

use serde::Deserialize;
use serde::Serialize;

use crate::session::id::RequestKey;
use crate::session::state::Nanos;

/// What is wanted of a service, whatever it is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// It is to run.
    Up,
    /// It is not.
    #[default]
    Down,
}

/// Why a run ended, or why another one begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Its program ended by itself, with a success.
    #[default]
    Ended,
    /// Its program ended by itself, with a failure.
    Crashed,
    /// Its program could not be started.
    NotStarted,
    /// Somebody asked for its stop.
    Stop,
    /// Somebody asked for a restart.
    Restart,
    /// Somebody deleted it.
    Delete,
    /// A file that it watches changed.
    Watch,
    /// Its schedule says so.
    Schedule,
    /// It used more memory than it may.
    Memory,
    /// It was not well any more.
    Unwell,
    /// Everything was shut down.
    Shutdown,
    /// Its keeper died, or the computer was restarted.
    Lost,
}

impl Why {
    /// Returns whether a restart for this reason counts as a failure and waits.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Crashed | Self::Memory | Self::Unwell | Self::NotStarted)
    }
}

/// What follows once the program has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Next {
    /// Nothing.
    Stay,
    /// The next run, at once.
    Start,
    /// The next run, after the pause of a failure.
    Retry,
    /// It is forgotten.
    Delete,
}

/// Why it failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The program could not be started: error number.
    Errno(i32),
    /// It crashed too often, and is not to be tried for ever.
    GaveUp,
}

/// What it is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Phase {
    /// Nothing, on purpose.
    #[default]
    Stopped,
    /// What it depends on is not there yet.
    Waiting,
    /// The keeper was asked for a run.
    Starting {
        /// The request; a daemon that finds it knows whether it was heard.
        key: RequestKey,
        /// What was decided meanwhile.
        then: Option<Next>,
        /// Who or what.
        why: Why,
        /// Somebody waits for the result: a program that cannot be started is not tried again.
        asked: bool,
    },
    /// Its program runs.
    Up {
        /// Monotonic time of the start.
        since: Nanos,
        /// It said that it is ready; always true when it has no way to say so.
        ready: bool,
    },
    /// Its program is being ended.
    Stopping {
        /// What follows.
        then: Next,
        /// Why.
        why: Why,
        /// Who asked.
        by: String,
    },
    /// It waits for its next start.
    Backoff {
        /// When that is.
        at: Nanos,
    },
    /// It crashes again and again, and waits long for its next start.
    CrashLoop {
        /// When that is.
        at: Nanos,
    },
    /// It ended by itself and is not started again.
    Exited,
    /// It cannot be run.
    Failed {
        /// Why.
        fault: Fault,
    },
}
