//! What is wrong with a file: where, and one sentence.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// A key that nobody reads.
    Warning,
    /// Something that was meant and does not count.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// Line, from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 likewise.
    pub column: usize,
    /// What and why, one sentence.
    pub text: String,
}

impl Finding {
    /// Makes one about the file as a whole.
    pub(super) fn of_file(text: String) -> Self {
        Self { grade: Grade::Error, line: 0, column: 0, text }
    }

    /// Makes one about a place in the file.
    #[must_use]
    pub fn at(grade: Grade, file: &str, span: &Range<usize>, text: String) -> Self {
        let before = file.get(..span.start.min(file.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { grade, line, column, text }
    }
}

impl fmt::Display for Finding {
    /// As compilers say it, after the file's name: `3:1: error: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = if self.grade == Grade::Error { "error" } else { "warning" };
        if self.line == 0 {
            return write!(f, "{grade}: {}", self.text);
        }
        write!(f, "{}:{}: {grade}: {}", self.line, self.column, self.text)
    }
}
