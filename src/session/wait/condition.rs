//! Conditions as users write them: `exit`, `idle=2s`, `ready`, `text=RE`, `count=N`.

use std::str::FromStr;

use regex::bytes::Regex;

use crate::session::target::distance;
use crate::session::text;

/// One thing to wait for.
#[derive(Debug, Clone)]
pub enum Condition {
    /// The session ends.
    Exit,
    /// No output for so many milliseconds.
    Idle(u64),
    /// It waits for input.
    Ready,
    /// A pattern in one line.
    Text(Regex),
    /// So many lines, or matches.
    Count(u64),
}

/// A condition that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is none of that name.
    #[error("{0:?} is nothing to wait for; write exit, idle=2s, ready, text=PATTERN or count=N{near}", near = near(.0))]
    Unknown(String),
    /// It needs a value.
    #[error("{0} needs a value: {1}")]
    Bare(&'static str, &'static str),
    /// It takes no value.
    #[error("{0} takes no value")]
    Value(&'static str),
    /// Its value makes no sense.
    #[error("{0}")]
    Invalid(String),
}

fn near(word: &str) -> String {
    let name = word.split('=').next().unwrap_or_default();
    let found = ["exit", "idle", "ready", "text", "count"].into_iter().find(|known| distance(name, known) <= 2);
    found.map(|known| format!(" (did you mean {known}?)")).unwrap_or_default()
}

/// Reads a pattern; an error says what is wrong and where.
pub fn pattern(pattern: &str) -> Result<Regex, ConditionError> {
    if pattern.is_empty() {
        return Err(ConditionError::Invalid("an empty pattern matches everything".to_owned()));
    }
    Regex::new(pattern).map_err(|error| {
        let said = error.to_string();
        let why = said.rsplit("error: ").next().unwrap_or_default().trim();
        // The library draws the pattern, indented by four, and a caret below the place.
        let caret = said.lines().find(|line| line.trim_start().starts_with('^')).and_then(|line| line.find('^'));
        let place = caret.map(|at| format!(" at column {}", at.saturating_sub(3))).unwrap_or_default();
        ConditionError::Invalid(format!("the pattern {pattern:?} cannot be read{place}: {why}"))
    })
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(word: &str) -> Result<Self, ConditionError> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        match (name, value) {
            ("exit", None) => Ok(Self::Exit),
            ("ready", None) => Ok(Self::Ready),
            ("exit", Some(_)) => Err(ConditionError::Value("exit")),
            ("ready", Some(_)) => Err(ConditionError::Value("ready")),
            ("idle", Some(value)) => match text::duration_ms(value).map_err(ConditionError::Invalid)? {
                0 => Err(ConditionError::Invalid("idle=0 holds always; write for example idle=500ms".to_owned())),
                ms => Ok(Self::Idle(ms)),
            },
            ("text", Some(value)) => pattern(value).map(Self::Text),
            ("count", Some(value)) => match value.parse() {
                Ok(0) | Err(_) => {
                    Err(ConditionError::Invalid(format!("count={value} is no number of lines; write count=1 or more")))
                }
                Ok(count) => Ok(Self::Count(count)),
            },
            ("idle", None) => Err(ConditionError::Bare("idle", "idle=2s")),
            ("text", None) => Err(ConditionError::Bare("text", "text=PATTERN")),
            ("count", None) => Err(ConditionError::Bare("count", "count=10")),
            _ => Err(ConditionError::Unknown(word.chars().filter(|c| !c.is_control()).take(40).collect())),
        }
    }
}
