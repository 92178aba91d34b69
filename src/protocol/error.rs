//! Errors that cross the wire: a stable code, one sentence, what to do.

use serde::Deserialize;
use serde::Serialize;

use crate::session::target::TargetError;

/// Stable codes; they equal the `code` in JSON and decide the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request makes no sense.
    Invalid,
    /// No session is called so.
    NoSuchSession,
    /// A prefix fits several sessions.
    Ambiguous,
    /// The name is taken.
    NameTaken,
    /// The program could not be started.
    CannotStart,
    /// The program, or the interpreter it names, is not there.
    CommandNotFound,
    /// Somebody else has control.
    Controlled,
    /// The session has ended.
    Ended,
    /// It took longer than whoever asked would wait; nothing was done.
    TimedOut,
    /// This daemon does not know the verb.
    Unsupported,
    /// The daemon was restarted in the middle; nobody knows whether it was done.
    Uncertain,
    /// The daemon is shutting down.
    ShuttingDown,
    /// The keeper does not answer.
    NoKeeper,
    /// Something else went wrong; also every code that this build does not know.
    #[default]
    #[serde(other)]
    Failed,
}

/// An error as a peer tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(default)]
pub struct WireError {
    /// What kind.
    pub code: Code,
    /// One sentence: what and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Default for WireError {
    fn default() -> Self {
        Self { code: Code::Failed, message: String::new(), hint: None }
    }
}

impl WireError {
    /// Makes an error without a hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<TargetError> for WireError {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Unknown { .. } => {
                Self::new(Code::NoSuchSession, error.to_string()).hint("`rpm ls` lists them")
            }
            TargetError::Ambiguous { .. } => {
                Self::new(Code::Ambiguous, error.to_string()).hint("write more of the name, or its id")
            }
            TargetError::Pattern { .. } => Self::new(Code::Invalid, error.to_string()),
        }
    }
}
