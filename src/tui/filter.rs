//! The filter of the list: words that all have to fit, `!` before one that must not.
//!
//! A word is looked for fuzzily in the name, and as it is in command, directory, tags, state and originator. Pure; made for a thousand
//! sessions a key.

use crate::session::status::Status;
use crate::tui::fuzzy;

/// What was typed, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    words: Vec<(bool, String)>,
}

impl Filter {
    /// Reads what was typed.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let word = |word: &str| match word.strip_prefix('!') {
            Some(rest) => (true, rest.to_lowercase()),
            None => (false, word.to_lowercase()),
        };
        Self { words: text.split_whitespace().map(word).filter(|(_, word)| !word.is_empty()).collect() }
    }

    /// Returns whether everything passes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns whether a session passes.
    #[must_use]
    pub fn passes(&self, status: &Status) -> bool {
        self.words.iter().all(|(is_not, word)| fits(word, status, *is_not) != *is_not)
    }
}

impl Filter {
    /// Returns how well a name fits all that is looked for, higher is better, `i32::MAX` if it is the very word; none if something is
    /// not in it.
    #[must_use]
    pub fn fits_name(&self, name: &str) -> Option<i32> {
        let mut wanted = self.words.iter().filter(|(is_not, _)| !is_not).map(|(_, word)| word).peekable();
        wanted.peek()?;
        let fits = wanted.map(|word| {
            let is_exact = name.to_lowercase() == *word;
            if is_exact { Some(i64::from(i32::MAX)) } else { fuzzy::fit(word, name).map(|(score, _)| score.into()) }
        });
        fits.sum::<Option<i64>>().map(|sum| i32::try_from(sum).unwrap_or(i32::MAX))
    }
}

fn fits(word: &str, status: &Status, is_not: bool) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(word);
    // What must not be is meant as it is written.
    let name = if is_not { holds(&status.name) } else { fuzzy::fit(word, &status.name).is_some() };
    name || holds(&status.command)
        || holds(&status.cwd)
        || holds(&status.word())
        || status.tags.iter().any(|tag| holds(tag))
        || status.originator.as_deref().is_some_and(holds)
}
