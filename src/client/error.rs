//! What can go wrong between a client and its daemon, what to do about it, and the exit code that says so.

use std::io;
use std::path::PathBuf;

use crate::platform::endpoint::EndpointError;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::frame::FrameError;
use crate::protocol::hello::Mismatch;
use crate::protocol::message::DecodeError;

/// A client's error. A `main` that returns it says it as a sentence, with what to do: [`Debug`](std::fmt::Debug) is written so.
#[derive(thiserror::Error)]
pub enum Error {
    /// The daemon's folder cannot be used.
    #[error(transparent)]
    Place(#[from] EndpointError),
    /// No daemon runs, and none was to be started.
    #[error("no daemon is running")]
    NotRunning,
    /// The daemon cannot be reached.
    #[error("cannot reach the daemon at {path}")]
    Unreachable {
        /// Path of its socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A daemon could not be started.
    #[error("cannot start the daemon: {reason}")]
    Start {
        /// What it said.
        reason: String,
    },
    /// The daemon does not answer.
    #[error("the daemon at {path} does not answer")]
    Silent {
        /// Path of its socket.
        path: PathBuf,
    },
    /// The daemon speaks another protocol.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The connection broke.
    #[error("the connection to the daemon broke")]
    Lost(#[source] io::Error),
    /// The daemon sent something that is no message.
    #[error("the daemon sent a frame that is none")]
    Frame(#[from] FrameError),
    /// The daemon sent a message that cannot be read.
    #[error("the daemon sent a message that cannot be read")]
    Message(#[from] DecodeError),
    /// The daemon said no.
    #[error(transparent)]
    Refused(#[from] WireError),
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self} ({})", self.code())?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, "\n  cause: {error}")?;
            cause = error.source();
        }
        self.hint().map_or(Ok(()), |hint| write!(f, "\n  try: {hint}"))
    }
}

impl Error {
    /// Returns what to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Place(error) => error.hint().to_owned(),
            Self::NotRunning => "`rpm run` and `rpm tui` start one".to_owned(),
            Self::Unreachable { .. } | Self::Start { .. } => "`rpm doctor` shows what is wrong".to_owned(),
            Self::Silent { .. } => "`rpm doctor` shows who holds it; its sessions go on running".to_owned(),
            Self::Mismatch(mismatch) => mismatch.hint(),
            Self::Refused(error) => return error.hint.clone(),
            Self::Lost(_) | Self::Frame(_) | Self::Message(_) => return None,
        })
    }

    /// Returns the stable code, as in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Place(_) => "place",
            Self::NotRunning => "not-running",
            Self::Unreachable { .. } | Self::Start { .. } | Self::Silent { .. } | Self::Lost(_) => "unreachable",
            Self::Mismatch(_) => "version",
            Self::Frame(_) | Self::Message(_) => "protocol",
            Self::Refused(error) => match error.code {
                Code::Invalid => "invalid",
                Code::NoSuchSession => "no-such-session",
                Code::Ambiguous => "ambiguous",
                Code::NameTaken => "name-taken",
                Code::CannotStart => "cannot-start",
                Code::CommandNotFound => "command-not-found",
                Code::Controlled => "controlled",
                Code::Ended => "ended",
                Code::TimedOut => "timed-out",
                Code::Unsupported => "unsupported",
                Code::Uncertain => "uncertain",
                Code::ShuttingDown => "shutting-down",
                Code::NoKeeper => "no-keeper",
                Code::Failed => "failed",
            },
        }
    }

    /// Says the same to one more who waits; causes keep their kind.
    pub(super) fn again(&self) -> Self {
        let copy = |source: &io::Error| io::Error::new(source.kind(), source.to_string());
        match self {
            Self::NotRunning => Self::NotRunning,
            Self::Unreachable { path, source } => Self::Unreachable { path: path.clone(), source: copy(source) },
            Self::Start { reason } => Self::Start { reason: reason.clone() },
            Self::Silent { path } => Self::Silent { path: path.clone() },
            Self::Mismatch(mismatch) => Self::Mismatch(mismatch.clone()),
            Self::Lost(source) => Self::Lost(copy(source)),
            Self::Frame(error) => Self::Frame(*error),
            Self::Refused(error) => Self::Refused(error.clone()),
            Self::Place(_) | Self::Message(_) => Self::Lost(io::Error::other(self.to_string())),
        }
    }

    /// Returns whether the same request may be answered by the daemon that comes next.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}
