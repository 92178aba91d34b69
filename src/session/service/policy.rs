//! When a service is started and ended, what it waits for and what it may use. All times are nanoseconds.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::session::service::spec::Command;
use crate::session::state::Nanos;

/// Nanoseconds of a millisecond.
const MS: Nanos = 1_000_000;
/// Nanoseconds of a second.
const SECOND: Nanos = 1_000 * MS;

/// When a service that ended by itself is started again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    No,
    /// After an exit code that is no success, or a signal.
    OnFailure,
    /// Always.
    #[default]
    Always,
}

/// Pauses between the end of a service and its next start: `initial × factor^n`, at most `cap`, ± `jitter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Backoff {
    /// First pause; 0 starts at once, always. Default 100 ms.
    pub initial: Nanos,
    /// What each pause is multiplied by, in percent, from 100. Default 200.
    pub factor_percent: u32,
    /// Longest pause. Default 30 s.
    pub cap: Nanos,
    /// So many percent are taken away or added by chance, 0 to 100. Default 10.
    pub jitter_percent: u32,
    /// After it was up for so long the next start is immediate and pauses begin anew. Default 10 s.
    pub reset_after: Nanos,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial: 100 * MS, factor_percent: 200, cap: 30 * SECOND, jitter_percent: 10, reset_after: 10 * SECOND }
    }
}

/// So many failures in a sliding window are a crash loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashLoop {
    /// How many, from 1. Default 10.
    pub failures: u32,
    /// In what time. Default 60 s.
    pub window: Nanos,
    /// `true`: it is not started any more. `false`, the default: it is tried at the cap of its backoff.
    pub give_up: bool,
}

impl Default for CrashLoop {
    fn default() -> Self {
        Self { failures: 10, window: 60 * SECOND, give_up: false }
    }
}

/// How a service is asked to end: command, keys and signal, in this order, as far as they are given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Stop {
    /// Number of the signal that asks it. Default 15 (TERM).
    pub signal: u8,
    /// Runs first, in the service's directory and environment; the grace covers it.
    pub command: Option<Command>,
    /// Keys typed into it first, by name (`C-c`, `q`, `Enter`).
    pub keys: Vec<String>,
    /// Time until whatever is left is killed. Default 5 s.
    pub grace: Nanos,
}

impl Default for Stop {
    fn default() -> Self {
        Self { signal: 15, command: None, keys: Vec::new(), grace: 5 * SECOND }
    }
}

/// What must be true of a dependency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It runs.
    Started,
    /// It is ready, by its own `readiness`.
    #[default]
    Ready,
    /// It ended with a code that is a success.
    Completed,
    /// It is ready, and its `liveness` last said well.
    Healthy,
}

/// One service that another one needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Dependency {
    /// Full name of the other one.
    pub name: String,
    /// What must be true of it.
    pub condition: Condition,
}

/// Files whose change restarts a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// Files and folders, absolute; folders with all below them.
    pub paths: Vec<ByteBuf>,
    /// Patterns that are left out, as in `.gitignore`, in addition to `.git` and `node_modules`.
    pub ignore: Vec<String>,
    /// Quiet time after the last change. Default 300 ms.
    pub debounce: Nanos,
}

impl Default for Watch {
    fn default() -> Self {
        Self { paths: Vec::new(), ignore: Vec::new(), debounce: 300 * MS }
    }
}

/// What happens at the times of a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is started; if it still runs, this time is skipped.
    #[default]
    Start,
    /// It is restarted; if it does not run although it is wanted, it is started.
    Restart,
}

/// Times at which a service is started or restarted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// Five fields, or six with seconds first.
    pub cron: String,
    /// Name of a time zone of the system's database (`Europe/Berlin`); empty: the system's own.
    pub zone: String,
    /// What happens then.
    pub action: Action,
}

/// A resource that can be limited, `setrlimit(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// Address space in bytes.
    As,
    /// Size of a core file in bytes.
    Core,
    /// Processor time in seconds.
    Cpu,
    /// Data segment in bytes.
    Data,
    /// Size of a written file in bytes.
    Fsize,
    /// Locked memory in bytes.
    Memlock,
    /// Number of open files.
    Nofile,
    /// Number of processes of the user.
    Nproc,
    /// Stack in bytes.
    Stack,
}

/// One limit: soft and hard are the same unless said; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceLimit {
    /// Of what.
    pub resource: Resource,
    /// Soft limit.
    pub soft: Option<u64>,
    /// Hard limit.
    pub hard: Option<u64>,
}

/// What is kept of a service's output on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct LogCaps {
    /// Anything is. Default true.
    pub disk: bool,
    /// Bytes after which a new segment begins. Default 10 MiB.
    pub segment: u64,
    /// Segments kept of each instance, from 1. Default 10.
    pub segments: u32,
    /// Most bytes of each instance, whatever `segments` allows. Default 200 MiB.
    pub total: u64,
}

impl Default for LogCaps {
    fn default() -> Self {
        Self { disk: true, segment: 10 << 20, segments: 10, total: 200 << 20 }
    }
}
