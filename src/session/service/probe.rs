//! How a service is asked whether it is ready, and whether it is still well. All times are nanoseconds.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::session::service::spec::Command;
use crate::session::state::Nanos;
use crate::session::text;

/// Nanoseconds of a second.
const SECOND: Nanos = 1_000_000_000;

/// HTTP answers that count as well: from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusRange {
    /// From 100. Default 200.
    pub first: u16,
    /// To 599. Default 399.
    pub last: u16,
}

impl Default for StatusRange {
    fn default() -> Self {
        Self { first: 200, last: 399 }
    }
}

/// One way to ask.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// The service says `READY=1` to the socket in `NOTIFY_SOCKET` (`sd_notify`). Readiness only.
    Notify,
    /// The service writes a newline to this descriptor, from 3. Readiness only.
    Fd(u16),
    /// A whole line of output, without escape sequences, matches this regular expression. Readiness only.
    Log(String),
    /// `HOST:PORT` accepts a connection.
    Tcp(String),
    /// A unix socket accepts a connection: its path, absolute.
    Unix(ByteBuf),
    /// `http://` URL that answers with a status in one range.
    Http {
        /// The URL.
        url: String,
        /// What is well.
        status: StatusRange,
    },
    /// A command that exits with 0, in the service's directory and environment.
    Exec(Command),
    /// So much time passed since the start. Readiness only.
    Delay(Nanos),
    /// The service says `WATCHDOG=1` to the socket in `NOTIFY_SOCKET` at least so often. Liveness only.
    Watchdog(Nanos),
}

impl Probe {
    /// Says what is waited for, as in "it waits for …".
    #[must_use]
    pub fn awaited(&self) -> String {
        match self {
            Self::Notify => "READY=1 on NOTIFY_SOCKET".to_owned(),
            Self::Fd(fd) => format!("a newline on descriptor {fd}"),
            Self::Log(pattern) => format!("a line of output that matches {pattern:?}"),
            Self::Tcp(address) => format!("a connection to {address}"),
            Self::Unix(path) => format!("a connection to {}", String::from_utf8_lossy(path)),
            Self::Http { url, status } => format!("a status of {} to {} from {url}", status.first, status.last),
            Self::Exec(command) => format!("{} to exit with 0", text::quote(&command.argv())),
            Self::Delay(pause) => format!("{}.{:03}s to pass", pause / SECOND, pause / (SECOND / 1000) % 1000),
            Self::Watchdog(_) => "WATCHDOG=1 on NOTIFY_SOCKET".to_owned(),
        }
    }

    /// Returns whether the service speaks up over the socket in `NOTIFY_SOCKET`.
    #[must_use]
    pub const fn is_over_socket(&self) -> bool {
        matches!(self, Self::Notify | Self::Watchdog(_))
    }
}

/// How a service is known to be ready. Failing it never ends the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Readiness {
    /// What is asked.
    pub probe: Probe,
    /// Pauses between questions, and when to stop asking.
    #[serde(default)]
    pub pace: Pace,
}

/// Questions come fast, then slower: `initial × growth^n`, at most `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// First pause. Default 50 ms.
    pub initial: Nanos,
    /// What each pause is multiplied by, in percent, from 100. Default 150.
    pub growth_percent: u32,
    /// Longest pause. Default 1 s.
    pub cap: Nanos,
    /// Time after which it is called not ready, and who waits is told; it runs on, and is asked on at `cap`. Default 30 s.
    pub timeout: Nanos,
}

impl Default for Pace {
    fn default() -> Self {
        Self { initial: SECOND / 20, growth_percent: 150, cap: SECOND, timeout: 30 * SECOND }
    }
}

/// How a service is known to be still well, once it was ready. Failing it restarts the service, with backoff.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Liveness {
    /// What is asked, or for how long it may be silent.
    pub probe: Probe,
    /// How often.
    #[serde(default)]
    pub rhythm: Rhythm,
}

/// How often a running service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Rhythm {
    /// Time from one question to the next. Default 10 s.
    pub period: Nanos,
    /// Time in which an answer must come. Default 1 s.
    pub timeout: Nanos,
    /// Failures in a row after which it is restarted, from 1. Default 3.
    pub failures: u32,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { period: 10 * SECOND, timeout: SECOND, failures: 3 }
    }
}
