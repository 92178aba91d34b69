//! How an error is told: what and why, then what to do.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::cli::exit;
use crate::client::Error;

/// Prints an error and returns its exit code.
pub fn error(error: &Error) -> u8 {
    let mut text = format!("rpm: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        let _ = write!(text, "\n  cause: {source}");
        cause = source.source();
    }
    if let Some(hint) = error.hint() {
        let _ = write!(text, "\n  try: {hint}");
    }
    say(&text);
    exit::of(error)
}

/// Prints a line for people on standard error; when that is gone there is nobody to tell.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
