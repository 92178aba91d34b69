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
            Code::CannotStart if refused.message.ends_with("is missing") => NOT_FOUND,
            Code::CannotStart => CANNOT_RUN,
            _ => FAILURE,
        },
        _ => UNREACHABLE,
    }
}
