//! Builds the keymap: defaults, laid over by the preset, laid over by the user's keys; and says what of that cannot be meant.
//!
//! What a user binds wins over what was there, and whoever loses a key by that is named.

use crate::config::Finding;
use crate::config::Grade;
use crate::config::KeyEntry;
use crate::config::Keys;
use crate::config::Tui;
use crate::session::target;
use crate::tui::action;
use crate::tui::action::Action;
use crate::tui::action::Context;
use crate::tui::key::Key;
use crate::tui::keymap::Bound;
use crate::tui::keymap::Keymap;
use crate::tui::keymap::Node;
use crate::tui::keymap::describe;
use crate::tui::keymap::preset;

/// Something of the user's keys that does not count, or costs another action its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was meant does not count; else it counts, and this is only worth knowing.
    pub is_error: bool,
    /// Line and column of the setting, from 1.
    pub at: (usize, usize),
    /// One sentence.
    pub text: String,
}

/// Returns what is wrong with the keys in settings, as `rpm config check` says it.
#[must_use]
pub fn check(tui: &Tui, keys: &Keys) -> Vec<Finding> {
    let found = Builder::run(tui, keys).faults.into_iter();
    let finding = |fault: Fault| Finding {
        grade: if fault.is_error { Grade::Error } else { Grade::Warning },
        line: fault.at.0,
        column: fault.at.1,
        text: fault.text,
    };
    found.map(finding).collect()
}

impl Keymap {
    /// Builds the keymap that settings ask for.
    #[must_use]
    pub fn new(tui: &Tui, keys: &Keys) -> Self {
        let Builder { prefix, bound, .. } = Builder::run(tui, keys);
        let tries = action::CONTEXTS.map(|(context, ..)| (context, trie(&bound, context)));
        Self { prefix, bound, tries: tries.into(), pending: Vec::new() }
    }
}

fn trie(bound: &[Bound], context: Context) -> Node {
    let mut root = Node::default();
    for bound in bound.iter().filter(|bound| bound.context == context) {
        for keys in &bound.keys {
            root.insert(keys, bound.action);
        }
    }
    root
}

struct Builder {
    prefix: Option<Key>,
    bound: Vec<Bound>,
    /// Sequences that the user gave, and by which entry.
    given: Vec<(Context, Vec<Key>, &'static str)>,
    faults: Vec<Fault>,
}

impl Builder {
    fn run(tui: &Tui, keys: &Keys) -> Self {
        let preset = preset::named(&tui.preset);
        let wish = if tui.prefix.is_empty() { preset.prefix } else { tui.prefix.as_str() };
        let prefix = if wish == "none" { None } else { wish.parse().ok().or(Some(super::PREFIX)) };
        let mut builder = Self { prefix, bound: Vec::new(), given: Vec::new(), faults: Vec::new() };
        if wish != "none" && wish.parse::<Key>().is_err() {
            builder.fault(true, (0, 0), format!("{wish:?} cannot be the prefix: it names no key"));
        }
        if preset.name != tui.preset {
            let text = format!("{:?} is no preset; there are tmux, screen and plain", tui.preset);
            builder.fault(true, (0, 0), text);
        }
        builder.defaults();
        for (name, context, keys) in preset.keys {
            if let Some(action) = action::named(name) {
                let keys = keys.iter().filter_map(|keys| sequence(keys, prefix).ok()).collect();
                builder.give(action, *context, keys);
            }
        }
        for entry in &keys.0 {
            builder.entry(entry);
        }
        builder
    }

    fn fault(&mut self, is_error: bool, at: (usize, usize), text: String) {
        self.faults.push(Fault { is_error, at, text });
    }

    fn defaults(&mut self) {
        for action in action::all() {
            for binding in action.bindings {
                let keys = binding.keys.iter().filter_map(|keys| sequence(keys, self.prefix).ok()).collect();
                self.bound.push(Bound { action, context: binding.context, keys, hint: binding.hint });
            }
        }
    }

    fn entry(&mut self, entry: &KeyEntry) {
        let Some(action) = action::named(&entry.action) else {
            let near = action::all().min_by_key(|action| target::distance(&entry.action, action.name));
            let near = near.map_or("", |action| action.name);
            self.fault(true, entry.at, format!("`{}` is no action; did you mean `{near}`?", entry.action));
            return;
        };
        let context = match entry.context.as_deref().map(|name| (name, Context::named(name))) {
            Some((name, None)) => {
                let all = action::CONTEXTS.map(|(_, name, _)| name).join(", ");
                self.fault(true, entry.at, format!("`{name}` is no place of keys; there are {all}"));
                return;
            }
            Some((_, context)) => context,
            None => None,
        };
        let mut sequences = Vec::new();
        for text in &entry.keys {
            match sequence(text, self.prefix) {
                Ok(keys) => sequences.push(keys),
                Err(why) => self.fault(true, entry.at, format!("`{}`: {why}", entry.action)),
            }
        }
        let places: Vec<Context> = match context {
            Some(context) => vec![context],
            None if action.bindings.is_empty() => vec![Context::List, Context::View, Context::Typing],
            None => action.bindings.iter().map(|binding| binding.context).collect(),
        };
        for place in places {
            self.put(entry, action, place, &sequences, context.is_some());
        }
    }

    /// Gives an action its keys in one context. Whatever is not the prefix belongs to the program while somebody types.
    fn put(&mut self, entry: &KeyEntry, action: &'static Action, place: Context, keys: &[Vec<Key>], is_said: bool) {
        let is_ours = |keys: &&Vec<Key>| place != Context::Typing || is_said || keys.first().copied() == self.prefix;
        let mine: Vec<Vec<Key>> = keys.iter().filter(is_ours).cloned().collect();
        for keys in &mine {
            let twice = self.given.iter().find(|(context, given, name)| {
                *context == place && *name != action.name && (given.starts_with(keys) || keys.starts_with(given))
            });
            if let Some((_, given, name)) = twice {
                let (keys, given) = (describe(keys), describe(given));
                let text = format!("{keys} is given to `{}` and {given} to `{name}` in {}", action.name, place.name());
                self.fault(true, entry.at, text);
            } else if let Some(loser) = self.holder(place, keys, action) {
                let text =
                    format!("{} in {} means `{}` now, no longer `{loser}`", describe(keys), place.name(), action.name);
                self.fault(false, entry.at, text);
            }
        }
        self.given.extend(mine.iter().map(|keys| (place, keys.clone(), action.name)));
        self.give(action, place, mine);
    }

    /// Returns who has a sequence, or one that begins with it or is its beginning.
    fn holder(&self, place: Context, keys: &[Key], but: &Action) -> Option<&'static str> {
        let is_same = |known: &Vec<Key>| known.starts_with(keys) || keys.starts_with(known);
        let others = self.bound.iter().filter(|bound| bound.context == place && bound.action != but);
        others.into_iter().find(|bound| bound.keys.iter().any(is_same)).map(|bound| bound.action.name)
    }

    fn give(&mut self, action: &'static Action, place: Context, keys: Vec<Vec<Key>>) {
        for bound in self.bound.iter_mut().filter(|bound| bound.context == place && bound.action != action) {
            bound.keys.retain(|known| !keys.iter().any(|keys| known.starts_with(keys) || keys.starts_with(known)));
        }
        let found = self.bound.iter_mut().find(|bound| bound.context == place && bound.action == action);
        match found {
            Some(bound) => bound.keys = keys,
            None => self.bound.push(Bound { action, context: place, keys, hint: 0 }),
        }
    }
}

/// Reads a sequence of key names separated by blanks. Without a prefix, nothing that begins with it exists.
pub(super) fn sequence(text: &str, prefix: Option<Key>) -> Result<Vec<Key>, String> {
    let key = |name: &str| match name {
        "Prefix" => prefix.ok_or_else(|| "there is no prefix".to_owned()),
        name => name.parse().map_err(|error: crate::tui::key::UnknownKey| error.to_string()),
    };
    let keys: Vec<Key> = text.split_whitespace().map(key).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("a key is missing".to_owned()) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Outcome;

    fn settings(text: &str) -> (Tui, Keys) {
        let loaded = crate::config::parse(text);
        assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
        (loaded.settings.tui, loaded.settings.keys)
    }

    fn press(keymap: &mut Keymap, context: Context, keys: &str) -> Option<&'static str> {
        let mut last = None;
        for key in keys.split(' ') {
            last = match keymap.press(context, key.parse().expect("a key")) {
                Outcome::Matched(action) => Some(action.name),
                _ => None,
            };
        }
        last
    }

    #[test]
    fn ux32_every_action_can_be_given_other_keys() {
        for action in action::all() {
            let (tui, keys) = settings(&format!("[keys]\n{} = \"Prefix F9\"\n", action.name));
            let mut keymap = Keymap::new(&tui, &keys);
            let place = action.bindings.first().map_or(Context::List, |binding| binding.context);
            assert_eq!(press(&mut keymap, place, "C-b F9"), Some(action.name));
        }
    }

    #[test]
    fn ux32_keys_that_two_want_are_reported_and_so_is_who_loses_one() {
        let table = [
            ("kill = \"K\"\nstop = \"K\"", "K is given to `stop` and K to `kill`"),
            ("[keys.list]\nstop = \"j\"", "j in list means `stop` now, no longer `next-row`"),
            ("stopp = \"K\"", "`stopp` is no action; did you mean `stop`?"),
            ("stop = \"C-\"", "names no key"),
            ("[keys.lists]\nstop = \"j\"", "`lists` is no place of keys"),
        ];
        for (text, expected) in table {
            let (tui, keys) = settings(&format!("[keys]\n{text}\n"));
            let said = check(&tui, &keys);
            assert!(said.iter().any(|fault| fault.text.contains(expected)), "{text}: {said:?}");
            assert!(said.iter().all(|fault| fault.line > 1), "{said:?}");
        }
        assert_eq!(check(&Tui::default(), &Keys::default()), []);
    }

    #[test]
    fn w3_a_plain_key_in_settings_is_never_kept_from_a_program() {
        let (tui, keys) = settings("[keys]\nstop = [\"K\", \"Prefix K\"]\n");
        let mut keymap = Keymap::new(&tui, &keys);
        assert_eq!(press(&mut keymap, Context::List, "K"), Some("stop"));
        assert_eq!(press(&mut keymap, Context::List, "x"), None);
        assert_eq!(keymap.press(Context::Typing, "K".parse().expect("a key")), Outcome::PassThrough);
        assert_eq!(press(&mut keymap, Context::Typing, "C-b K"), Some("stop"));
    }

    #[test]
    fn ux4_the_prefix_can_be_another_key_or_none() {
        let (tui, keys) = settings("[tui]\nprefix = \"C-a\"\n");
        assert_eq!(press(&mut Keymap::new(&tui, &keys), Context::Typing, "C-a d"), Some("leave"));
        let (tui, keys) = settings("[tui]\nprefix = \"none\"\n");
        let mut keymap = Keymap::new(&tui, &keys);
        assert_eq!(keymap.bound(Context::Typing).count(), 0);
        assert_eq!(keymap.press(Context::Typing, super::super::PREFIX), Outcome::PassThrough);
    }

    #[test]
    fn ux32_presets_have_no_conflicts_and_a_way_back_to_the_list() {
        for preset in &preset::PRESETS {
            let (tui, keys) = settings(&format!("[tui]\npreset = {:?}\n", preset.name));
            assert_eq!(check(&tui, &keys), [], "{}", preset.name);
            let keymap = Keymap::new(&tui, &keys);
            let back = action::named("list").expect("an action");
            assert!(keymap.keys_of(Context::Typing, back).is_some(), "{}", preset.name);
            for (name, context, keys) in preset.keys {
                assert!(action::named(name).is_some(), "{name}");
                for keys in *keys {
                    let mut keymap = Keymap::new(&tui, &Keys::default());
                    let names = describe(&sequence(keys, keymap.prefix()).expect(keys));
                    assert_eq!(press(&mut keymap, *context, &names), Some(*name), "{keys} in {}", preset.name);
                }
            }
        }
    }
}
