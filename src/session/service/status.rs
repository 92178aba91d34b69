//! What others may see of an instance of a service.

use serde::Deserialize;
use serde::Serialize;

use crate::session::service::machine::Wanted;
use crate::session::service::machine::Why;
use crate::session::status::End;

/// The states that people see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// What it depends on is not there yet.
    Waiting,
    /// It is being started, or runs and is not ready yet.
    Starting,
    /// It runs; it has no way to say that it is ready.
    Up,
    /// It runs and said that it is ready.
    Ready,
    /// It is being ended.
    Stopping,
    /// It failed and waits for its next start.
    Backoff,
    /// It fails again and again and waits long for its next start.
    CrashLoop,
    /// Somebody stopped it, or it was never started.
    Stopped,
    /// It ended by itself and is not started again.
    Exited,
    /// It cannot be run.
    Failed,
    /// Something that this build does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl ServiceState {
    /// Returns the word, as on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
            Self::Backoff => "backoff",
            Self::CrashLoop => "crash-loop",
            Self::Stopped => "stopped",
            Self::Exited => "exited",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// One instance of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceStatus {
    /// Full name of the service.
    pub service: String,
    /// Its namespace.
    pub namespace: String,
    /// Which of its instances, from 0.
    pub instance: u32,
    /// What it is doing.
    pub state: ServiceState,
    /// What is wanted of it.
    pub wanted: Wanted,
    /// Its program runs or will run again by itself.
    pub goes_on: bool,
    /// Runs that followed another one.
    pub restarts: u32,
    /// Failures since it was last up for long.
    pub attempt: u32,
    /// Wall-clock milliseconds of its next start; 0 when none is planned.
    pub next_start_ms: u64,
    /// Wall-clock milliseconds since when its program runs; 0 while it does not.
    pub up_since_ms: u64,
    /// Why its last run ended, if one did.
    pub last: Option<Why>,
    /// Why it failed, or what it waits for, in words.
    pub reason: Option<String>,
    /// What it said of itself last (`STATUS=`).
    pub said: Option<String>,
}

impl ServiceStatus {
    /// Returns the word that stands for the state, with how its last run ended where that is the point.
    #[must_use]
    pub fn word(&self, end: Option<&End>) -> String {
        match (self.state, end) {
            (ServiceState::Exited, Some(end)) => end.word(),
            (state, _) => state.word().to_owned(),
        }
    }

    /// Returns the same with what will happen, as of a wall-clock time in milliseconds: `backoff, try 4 in 1.6s`.
    #[must_use]
    pub fn word_at(&self, end: Option<&End>, now_ms: u64) -> String {
        let word = self.word(end);
        if self.next_start_ms == 0 {
            return word;
        }
        let left = self.next_start_ms.saturating_sub(now_ms);
        let left =
            if left < 10_000 { format!("{}.{}s", left / 1000, left / 100 % 10) } else { format!("{}s", left / 1000) };
        format!("{word}, try {} in {left}", self.attempt + 1)
    }
}
