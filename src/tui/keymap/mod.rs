//! From keys to actions: one trie per context, built from the list of actions, a preset and the user's settings.
//!
//! *Invariant:* a key that is not the beginning of any binding is passed through, so in the typing context nothing but the prefix is
//! kept from the program. A sequence waits for its next key without limit of time.

mod build;
mod page;
mod preset;

use crate::tui::action::Action;
use crate::tui::action::Context;
use crate::tui::key::Code;
use crate::tui::key::Key;
use crate::tui::key::Mods;

pub use build::Fault;
pub use build::check;
pub use page::page;
pub use preset::PRESETS;

/// The prefix unless settings say otherwise.
pub const PREFIX: Key = Key { code: Code::Char('b'), mods: Mods::CTRL };

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The beginning of a sequence.
    Pending,
    /// An action.
    Matched(&'static Action),
    /// Not ours.
    PassThrough,
    /// It ended a sequence that means nothing.
    Cancelled,
}

/// A node of a trie.
#[derive(Debug, Default)]
struct Node {
    action: Option<&'static Action>,
    next: Vec<(Key, Node)>,
}

impl Node {
    fn child(&self, key: Key) -> Option<&Self> {
        self.next.iter().find(|(known, _)| *known == key).map(|(_, node)| node)
    }

    fn insert(&mut self, keys: &[Key], action: &'static Action) {
        let Some((first, rest)) = keys.split_first() else {
            self.action = Some(action);
            return;
        };
        let at = self.next.iter().position(|(known, _)| known == first).unwrap_or_else(|| {
            self.next.push((*first, Self::default()));
            self.next.len() - 1
        });
        self.next[at].1.insert(rest, action);
    }
}

/// An action with its keys in one context.
#[derive(Debug, Clone)]
pub struct Bound {
    /// Which.
    pub action: &'static Action,
    /// Where.
    pub context: Context,
    /// Alternatives.
    pub keys: Vec<Vec<Key>>,
    /// Place in the hint line, 1 first; 0 keeps it to the help.
    pub hint: u8,
}

impl Bound {
    /// Returns the first of its keys, for people.
    #[must_use]
    pub fn first(&self) -> String {
        self.keys.first().map(|keys| describe(keys)).unwrap_or_default()
    }

    /// Returns all of its keys, for people.
    #[must_use]
    pub fn all(&self) -> String {
        self.keys.iter().map(|keys| describe(keys)).collect::<Vec<_>>().join(", ")
    }
}

/// All bindings, and the keys of a sequence that has begun.
#[derive(Debug)]
pub struct Keymap {
    prefix: Option<Key>,
    bound: Vec<Bound>,
    tries: Vec<(Context, Node)>,
    pending: Vec<Key>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&crate::config::Tui::default(), &crate::config::Keys::default())
    }
}

impl Keymap {
    /// Returns the prefix; none if it is disabled.
    #[must_use]
    pub const fn prefix(&self) -> Option<Key> {
        self.prefix
    }

    /// Returns the prefix for people.
    #[must_use]
    pub fn prefix_text(&self) -> String {
        self.prefix.map_or_else(String::new, |key| key.to_string())
    }

    /// Returns the keys of a sequence that has begun.
    #[must_use]
    pub fn pending(&self) -> &[Key] {
        &self.pending
    }

    /// Returns whether a sequence has begun.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Forgets a sequence that has begun; the keyboard went elsewhere.
    pub fn reset(&mut self) {
        self.pending.clear();
    }

    /// Returns the actions of a context that have keys there, in the order of the help.
    pub fn bound(&self, context: Context) -> impl Iterator<Item = &Bound> {
        self.bound.iter().filter(move |bound| bound.context == context && !bound.keys.is_empty())
    }

    /// Returns the keys of an action in a context.
    #[must_use]
    pub fn keys_of(&self, context: Context, action: &Action) -> Option<&Bound> {
        self.bound(context).find(|bound| bound.action == action)
    }

    /// Returns what may follow the keys that were pressed: the rest of the sequence, and what it does.
    #[must_use]
    pub fn following(&self, context: Context) -> Vec<(String, &Bound)> {
        let mut found = Vec::new();
        for bound in self.bound(context) {
            for keys in &bound.keys {
                if let Some(rest) = keys.strip_prefix(self.pending.as_slice()).filter(|rest| !rest.is_empty()) {
                    found.push((describe(rest), bound));
                }
            }
        }
        found
    }

    /// Takes a key.
    pub fn press(&mut self, context: Context, key: Key) -> Outcome {
        let Some((_, root)) = self.tries.iter().find(|(known, _)| *known == context) else {
            return Outcome::PassThrough;
        };
        let start = self.pending.iter().try_fold(root, |node, key| node.child(*key));
        match start.and_then(|node| node.child(key)) {
            Some(Node { action: Some(action), .. }) => {
                self.pending.clear();
                Outcome::Matched(action)
            }
            Some(_) => {
                self.pending.push(key);
                Outcome::Pending
            }
            None if self.pending.is_empty() && context.is_text() => self.press(Context::Edit, key),
            None if self.pending.is_empty() => Outcome::PassThrough,
            None => {
                self.pending.clear();
                Outcome::Cancelled
            }
        }
    }
}

/// Writes a sequence for people.
#[must_use]
pub fn describe(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action::all;

    #[test]
    fn every_default_binding_is_made_of_keys_and_can_be_reached() {
        for action in all() {
            for binding in action.bindings {
                for keys in binding.keys {
                    let sequence = build::sequence(keys, Some(PREFIX)).expect(keys);
                    let mut keymap = Keymap::default();
                    let outcomes: Vec<Outcome> =
                        sequence.iter().map(|key| keymap.press(binding.context, *key)).collect();
                    assert_eq!(outcomes.last(), Some(&Outcome::Matched(action)), "{keys} in {:?}", binding.context);
                }
            }
        }
    }

    #[test]
    fn ux3_only_the_prefix_is_kept_from_the_program() {
        for c in (' '..='~').chain(['é']) {
            for mods in [Mods::NONE, Mods::CTRL, Mods::ALT] {
                let key = Key { code: Code::Char(c), mods };
                let outcome = Keymap::default().press(Context::Typing, key);
                assert_eq!(outcome == Outcome::PassThrough, key != PREFIX, "{key}");
            }
        }
    }

    #[test]
    fn a_sequence_ends_in_an_action_or_is_cancelled() {
        let mut keymap = Keymap::default();
        let key = |name: &str| name.parse().expect("a key");

        assert_eq!(keymap.press(Context::Typing, PREFIX), Outcome::Pending);
        assert_eq!(keymap.press(Context::Typing, key("C-y")), Outcome::Cancelled);
        assert_eq!(keymap.press(Context::Typing, key("y")), Outcome::PassThrough);
        assert_eq!(keymap.press(Context::Typing, PREFIX), Outcome::Pending);
        let outcome = keymap.press(Context::Typing, PREFIX);
        assert!(matches!(outcome, Outcome::Matched(action) if action.name == "send-prefix"), "{outcome:?}");
    }

    #[test]
    fn names_are_unique_and_every_action_says_what_it_does() {
        let mut names: Vec<&str> = all().map(|action| action.name).collect();
        for action in all() {
            assert!(action.about.ends_with('.') && !action.short.is_empty(), "{}", action.name);
            assert!(action.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        }
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
    }
}
