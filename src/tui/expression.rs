//! What people search for: regular expressions as they are typed, and lines that tell of an error.
//!
//! Small letters match large ones unless there is a large one in what is searched. What is no expression is searched as it is written.

use std::sync::LazyLock;

use regex::Regex;
use regex::RegexBuilder;

/// Lines that tell of an error in most programs.
static ERRORS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(error|fatal|panicked|exception|traceback|failed|failure|segmentation fault|undefined reference)\b",
    )
    .expect("the pattern is right")
});

/// Reads what was typed; says whether it is no expression.
#[must_use]
pub fn of(text: &str) -> (Regex, bool) {
    match strictly(text) {
        Ok(regex) => (regex, false),
        Err(_) => (strictly(&regex::escape(text)).unwrap_or_else(|_| ERRORS.clone()), true),
    }
}

/// Reads what was typed as an expression.
///
/// # Errors
/// It is none, or one that is too large.
pub fn strictly(text: &str) -> Result<Regex, regex::Error> {
    let has_large = text.chars().any(char::is_uppercase);
    RegexBuilder::new(text).case_insensitive(!has_large).size_limit(1 << 20).build()
}

/// Returns whether a line looks like an error.
#[must_use]
pub fn is_error(line: &str) -> bool {
    ERRORS.is_match(line)
}
