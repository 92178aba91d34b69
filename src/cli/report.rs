//! How an error is told: what and why, then what to do.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::cli::exit;
use crate::cli::output;
use crate::client::Error;
use crate::protocol::error::WireError;

/// Prints the error that ends the command and returns its exit code: a sentence for people, and a document for who asked
/// for JSON. Whoever has printed a document already has an [`item`] to tell.
pub fn error(error: &Error) -> u8 {
    document(error.code(), &error.to_string(), error.hint().as_deref());
    sentence(error)
}

/// Prints an error for who asked for JSON: one line, also where a document a line is printed.
pub fn document(code: &str, message: &str, hint: Option<&str>) {
    if wants_json() {
        output::json_line("error", &serde_json::json!({ "code": code, "message": message, "hint": hint }));
    }
}

/// Prints what was wrong with one of several, for people only, and returns its exit code: the document that tells of all
/// of them is printed once.
pub fn item(error: &WireError) -> u8 {
    sentence(&Error::Refused(error.clone()))
}

/// Prints what was wrong with some of several; returns the code of the first, or that all is well.
pub fn items(errors: &[WireError]) -> u8 {
    let codes: Vec<u8> = errors.iter().map(item).collect();
    codes.first().copied().unwrap_or(exit::OK)
}

/// Prints an error for people and returns its exit code.
pub fn sentence(error: &Error) -> u8 {
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
