//! How an error is told: what and why, then what to do.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::cli::exit;
use crate::cli::output;
use crate::client::Error;

/// Prints an error and returns its exit code: a sentence for people, and a document for who asked for JSON.
pub fn error(error: &Error) -> u8 {
    if wants_json() {
        let told = serde_json::json!({ "code": error.code(), "message": error.to_string(), "hint": error.hint() });
        output::json("error", &told);
    }
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

/// `--json` was among the options; what follows `--` belongs to somebody else.
fn wants_json() -> bool {
    std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

/// Prints a line for people on standard error; when that is gone there is nobody to tell.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
