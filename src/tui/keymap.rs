//! From keys to actions: one trie per context, built from the list of actions.
//!
//! *Invariant:* a key that is not the beginning of any binding is passed through, so in the typing context nothing but the prefix is
//! kept from the program. A sequence waits for its next key without limit of time.

use crate::tui::action::ACTIONS;
use crate::tui::action::CONTEXTS;
use crate::tui::action::Context;
use crate::tui::action::Id;
use crate::tui::key::Code;
use crate::tui::key::Key;
use crate::tui::key::Mods;

/// The prefix unless settings say otherwise.
pub const PREFIX: Key = Key { code: Code::Char('b'), mods: Mods::CTRL };

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The beginning of a sequence.
    Pending,
    /// An action.
    Matched(Id),
    /// Not ours.
    PassThrough,
    /// It ended a sequence that means nothing.
    Cancelled,
}

/// A node of a trie.
#[derive(Debug, Default)]
struct Node {
    action: Option<Id>,
    next: Vec<(Key, Node)>,
}

impl Node {
    fn child(&self, key: Key) -> Option<&Self> {
        self.next.iter().find(|(known, _)| *known == key).map(|(_, node)| node)
    }

    fn insert(&mut self, keys: &[Key], action: Id) {
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

/// All bindings, and the keys of a sequence that has begun.
#[derive(Debug)]
pub struct Keymap {
    prefix: Key,
    tries: Vec<(Context, Node)>,
    pending: Vec<Key>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(PREFIX)
    }
}

impl Keymap {
    /// Builds the default keymap around a prefix.
    #[must_use]
    pub fn new(prefix: Key) -> Self {
        let tries = CONTEXTS.map(|context| (context, trie(context, prefix)));
        Self { prefix, tries: tries.into(), pending: Vec::new() }
    }

    /// Returns the prefix.
    #[must_use]
    pub const fn prefix(&self) -> Key {
        self.prefix
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

    /// Takes a key.
    pub fn press(&mut self, context: Context, key: Key) -> Outcome {
        let Some((_, root)) = self.tries.iter().find(|(known, _)| *known == context) else {
            return Outcome::PassThrough;
        };
        let start = self.pending.iter().try_fold(root, |node, key| node.child(*key));
        match start.and_then(|node| node.child(key)) {
            Some(Node { action: Some(action), .. }) => {
                self.pending.clear();
                Outcome::Matched(*action)
            }
            Some(_) => {
                self.pending.push(key);
                Outcome::Pending
            }
            None if self.pending.is_empty() => Outcome::PassThrough,
            None => {
                self.pending.clear();
                Outcome::Cancelled
            }
        }
    }
}

fn trie(context: Context, prefix: Key) -> Node {
    let mut root = Node::default();
    for action in ACTIONS {
        let here = action.bindings.iter().filter(|binding| binding.context == context);
        for keys in here.flat_map(|binding| binding.keys) {
            root.insert(&sequence(keys, prefix), action.id);
        }
    }
    root
}

/// Reads a sequence of key names; names that are none are left out, which a test forbids.
#[must_use]
pub fn sequence(keys: &str, prefix: Key) -> Vec<Key> {
    let key = |name: &str| if name == "Prefix" { Some(prefix) } else { name.parse().ok() };
    keys.split(' ').filter_map(key).collect()
}

/// Writes a sequence for people.
#[must_use]
pub fn describe(keys: &str, prefix: Key) -> String {
    let names: Vec<String> = sequence(keys, prefix).iter().map(Key::to_string).collect();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_is_made_of_keys_and_can_be_reached() {
        for action in ACTIONS {
            for binding in action.bindings {
                for keys in binding.keys {
                    let sequence = sequence(keys, PREFIX);
                    assert_eq!(sequence.len(), keys.split(' ').count(), "{keys}");
                    let mut keymap = Keymap::default();
                    let outcomes: Vec<Outcome> =
                        sequence.iter().map(|key| keymap.press(binding.context, *key)).collect();
                    assert_eq!(outcomes.last(), Some(&Outcome::Matched(action.id)), "{keys} in {:?}", binding.context);
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
        assert_eq!(keymap.press(Context::Typing, key("y")), Outcome::Cancelled);
        assert_eq!(keymap.press(Context::Typing, key("y")), Outcome::PassThrough);
        assert_eq!(keymap.press(Context::Typing, PREFIX), Outcome::Pending);
        assert_eq!(keymap.press(Context::Typing, PREFIX), Outcome::Matched(Id::SendPrefix));
    }
}
