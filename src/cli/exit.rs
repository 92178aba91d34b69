//! Exit codes; documented in `docs/manual/cli.md`.
//!
//! `run` and `attach` end with the program's own code (128 and the signal, if one ended it), so ours stay away
//! from the small numbers that programs use.

use crate::client::Error;
use crate::protocol::error::Code;

/// Done. Also: detached, and the reader of our output went away.
pub const OK: u8 = 0;
/// It did not work.
pub const FAILURE: u8 = 1;
/// The command line makes no sense.
pub const USAGE: u8 = 2;
/// No session is called so, or several could be.
pub const NO_SUCH_SESSION: u8 = 66;
/// The daemon cannot be reached or started, or none runs.
pub const UNREACHABLE: u8 = 69;
/// The daemon speaks another protocol.
pub const VERSION: u8 = 76;
/// Somebody else controls the session.
pub const REFUSED: u8 = 77;
/// Somebody took the session over.
pub const STOLEN: u8 = 90;
/// Bytes were lost to a follower.
pub const GAP: u8 = 91;
/// What was waited for did not come in time.
pub const TIMED_OUT: u8 = 92;
/// The session ended, or was forgotten, before what was waited for came.
pub const ENDED_FIRST: u8 = 93;
/// The terminal went away.
pub const HUNG_UP: u8 = 129;
/// The program is there and cannot be run.
pub const CANNOT_RUN: u8 = 126;
/// The program is not there.
pub const NOT_FOUND: u8 = 127;

/// Returns the code of an error.
#[must_use]
pub fn of(error: &Error) -> u8 {
    match error {
        Error::Mismatch(_) => VERSION,
        Error::Refused(refused) => match refused.code {
            Code::Invalid => USAGE,
            Code::NoSuchSession | Code::Ambiguous => NO_SUCH_SESSION,
            Code::Controlled => REFUSED,
            Code::CannotStart => CANNOT_RUN,
            Code::CommandNotFound => NOT_FOUND,
            Code::TimedOut => TIMED_OUT,
            Code::NameTaken
            | Code::Ended
            | Code::Unsupported
            | Code::Uncertain
            | Code::ShuttingDown
            | Code::NoKeeper
            | Code::Failed => FAILURE,
        },
        Error::Place(_)
        | Error::NotRunning
        | Error::Unreachable { .. }
        | Error::Start { .. }
        | Error::Silent { .. }
        | Error::Lost(_)
        | Error::Frame(_)
        | Error::Message(_) => UNREACHABLE,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::error::WireError;
    use crate::protocol::hello::Mismatch;

    /// The code after this one; a new code does not compile until it is in the chain.
    const fn after(code: Code) -> Option<Code> {
        Some(match code {
            Code::Invalid => Code::NoSuchSession,
            Code::NoSuchSession => Code::Ambiguous,
            Code::Ambiguous => Code::NameTaken,
            Code::NameTaken => Code::CannotStart,
            Code::CannotStart => Code::CommandNotFound,
            Code::CommandNotFound => Code::Controlled,
            Code::Controlled => Code::Ended,
            Code::Ended => Code::TimedOut,
            Code::TimedOut => Code::Unsupported,
            Code::Unsupported => Code::Uncertain,
            Code::Uncertain => Code::ShuttingDown,
            Code::ShuttingDown => Code::NoKeeper,
            Code::NoKeeper => Code::Failed,
            Code::Failed => return None,
        })
    }

    #[test]
    fn w96_every_error_has_one_documented_word_and_an_exit_code_that_is_no_success() {
        let manual = include_str!("../../docs/manual/cli.md");
        let mut words = BTreeSet::new();
        let mut code = Some(Code::Invalid);
        while let Some(it) = code {
            let error = Error::Refused(WireError::new(it, "no"));
            assert_eq!(serde_json::json!(it), error.code(), "the word on the wire is the word in JSON");
            assert!(words.insert(error.code()), "{} twice", error.code());
            assert!(of(&error) != OK, "{it:?}");
            code = after(it);
        }
        let lost = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let local = [
            Error::Place(crate::platform::endpoint::EndpointError::SetUid),
            Error::NotRunning,
            Error::Lost(lost()),
            Error::Mismatch(Mismatch { version: "9".into(), pid: 1, is_newer: true }),
            Error::Frame(crate::protocol::frame::FrameError::TooLong(9)),
        ];
        for error in &local {
            assert!(words.insert(error.code()), "{} twice", error.code());
            assert!(of(error) != OK, "{error}");
        }
        for word in words {
            assert!(manual.contains(&format!("\n| `{word}` | ")), "{word} is not in the manual");
        }
    }
}
