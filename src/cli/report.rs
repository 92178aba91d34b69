//! How an error is told: what and why, then what to do.

use std::error::Error as _;
use std::io::Write;

use crate::cli::exit;
use crate::client::Error;

/// Prints an error and returns its exit code.
pub fn error(error: &Error) -> u8 {
    let mut text = format!("rpm: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!("\n  cause: {source}"));
        cause = source.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\n  try: {hint}"));
    }
    say(&text);
    exit::of(error)
}

/// Prints a line for people on standard error; when that is gone there is nobody to tell.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
