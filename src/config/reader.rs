//! From a file's text to settings: key by key, so that one wrong value costs that one value.

use std::collections::HashSet;
use std::ops::Range;

use toml::de::DeArray;
use toml::de::DeTable;
use toml::de::DeValue;
use toml::de::Error;
use toml::de::ValueDeserializer;

use crate::config::Loaded;
use crate::config::autostart::Autostart;
use crate::config::finding::Finding;
use crate::config::finding::Grade;
use crate::config::keys::KeyEntry;
use crate::config::theme;
use crate::config::theme::Theme;
use crate::session::target;

/// One key of a section.
pub struct Field<S: 'static> {
    /// As written in the file.
    pub name: &'static str,
    /// Reads its value.
    pub set: fn(&mut S, ValueDeserializer<'_>) -> Result<(), Error>,
}

/// A table of the file.
pub trait Section: Sized + 'static {
    /// Its keys.
    const FIELDS: &'static [Field<Self>];
}

/// Makes a struct a section: its keys are the fields, read by serde, or by the function that `as` names.
macro_rules! section {
    ($section:ty { $($field:ident $(as $read:path)?),* $(,)? }) => {
        impl crate::config::reader::Section for $section {
            const FIELDS: &'static [crate::config::reader::Field<Self>] = &[$(crate::config::reader::Field {
                name: stringify!($field),
                set: |section, value| {
                    section.$field = section!(@read value $($read)?)?;
                    Ok(())
                },
            }),*];
        }
    };
    (@read $value:ident) => { serde::Deserialize::deserialize($value) };
    (@read $value:ident $read:path) => { $read($value) };
}
pub(super) use section;

/// The sections; what each is for is in `assets/config.default.toml`.
const SECTIONS: [&str; 7] = ["sessions", "daemon", "tui", "keys", "themes", "journal", "autostart"];

struct Reader<'a> {
    file: &'a str,
    loaded: Loaded,
}

/// Reads a whole file.
pub fn read(file: &str) -> Loaded {
    let mut reader = Reader { file, loaded: Loaded::default() };
    match DeTable::parse(file) {
        Ok(root) => reader.root(root.into_inner()),
        Err(error) => {
            let text = format!("{}; nothing of the file counts", sentence(&error));
            reader.find(Grade::Error, &error.span().unwrap_or_default(), text);
        }
    }
    reader.loaded.settings.keys.0.sort_by_key(|entry| entry.at);
    reader.loaded.findings.sort_by_key(|finding| (finding.line, finding.column));
    reader.loaded
}

impl Reader<'_> {
    fn root(&mut self, root: DeTable<'_>) {
        for (key, value) in root {
            let span = value.span();
            match (key.get_ref().as_ref(), value.into_inner()) {
                ("sessions", DeValue::Table(table)) => {
                    let mut sessions = std::mem::take(&mut self.loaded.settings.sessions);
                    self.section("sessions", &mut sessions, table);
                    self.loaded.settings.sessions = sessions;
                }
                ("daemon", DeValue::Table(table)) => {
                    let mut daemon = std::mem::take(&mut self.loaded.settings.daemon);
                    self.section("daemon", &mut daemon, table);
                    self.loaded.settings.daemon = daemon;
                }
                ("tui", DeValue::Table(table)) => {
                    let mut tui = std::mem::take(&mut self.loaded.settings.tui);
                    self.section("tui", &mut tui, table);
                    self.loaded.settings.tui = tui;
                }
                ("keys", DeValue::Table(table)) => self.keys(None, table),
                ("themes", DeValue::Table(table)) => self.themes(table),
                ("journal", DeValue::Table(table)) => {
                    let mut journal = std::mem::take(&mut self.loaded.settings.journal);
                    self.section("journal", &mut journal, table);
                    self.loaded.settings.journal = journal;
                }
                ("autostart", DeValue::Array(entries)) => self.autostart(entries),
                (name @ ("sessions" | "daemon" | "tui" | "keys" | "themes" | "journal"), _) => {
                    self.find(Grade::Error, &span, format!("`{name}` is a section: write [{name}]"));
                }
                ("autostart", _) => {
                    self.find(Grade::Error, &span, "each `autostart` is an entry: write [[autostart]]".to_owned());
                }
                (other, _) => self.unknown(&key.span(), "section", other, &SECTIONS),
            }
        }
    }

    /// Reads a table into a section; returns whether all of it could be used.
    fn section<S: Section>(&mut self, name: &str, section: &mut S, table: DeTable<'_>) -> bool {
        let mut is_whole = true;
        for (key, value) in table {
            let word = key.get_ref().as_ref();
            let Some(field) = S::FIELDS.iter().find(|field| field.name == word) else {
                let known: Vec<&str> = S::FIELDS.iter().map(|field| field.name).collect();
                self.unknown(&key.span(), &format!("key of [{name}]"), word, &known);
                continue;
            };
            let span = value.span();
            if let Err(error) = (field.set)(section, value.into()) {
                is_whole = false;
                // Inside of an array or a table the error knows the place better.
                let span = error.span().filter(|inner| !inner.is_empty()).unwrap_or(span);
                self.find(Grade::Error, &span, format!("`{word}` cannot be used: {}", sentence(&error)));
            }
        }
        is_whole
    }

    /// Reads keys of the dashboard; a table inside names a place.
    fn keys(&mut self, context: Option<&str>, table: DeTable<'_>) {
        for (key, value) in table {
            let action = key.get_ref().as_ref().to_owned();
            let (key_span, span) = (key.span(), value.span());
            let keys: Option<Vec<String>> = match value.into_inner() {
                DeValue::String(text) => Some(vec![text.into_owned()]),
                DeValue::Array(array) => {
                    let text = |value: toml::Spanned<DeValue<'_>>| match value.into_inner() {
                        DeValue::String(text) => Some(text.into_owned()),
                        _ => None,
                    };
                    array.into_iter().map(text).collect()
                }
                DeValue::Table(inner) if context.is_none() => {
                    self.keys(Some(&action), inner);
                    continue;
                }
                _ => None,
            };
            let Some(keys) = keys else {
                let text = format!("`{action}` cannot be used: write keys as \"x\" or as [\"x\", \"Prefix x\"]");
                self.find(Grade::Error, &span, text);
                continue;
            };
            let at = Finding::at(Grade::Error, self.file, &key_span, String::new());
            let at = (at.line, at.column);
            self.loaded.settings.keys.0.push(KeyEntry { context: context.map(str::to_owned), action, keys, at });
        }
    }

    /// Reads themes; a colour that is none costs itself.
    fn themes(&mut self, table: DeTable<'_>) {
        for (key, value) in table {
            let (name, span) = (key.get_ref().as_ref().to_owned(), key.span());
            let DeValue::Table(inner) = value.into_inner() else {
                self.find(Grade::Error, &span, format!("`{name}` is a theme: write [themes.{name}]"));
                continue;
            };
            let at = Finding::at(Grade::Error, self.file, &span, String::new());
            let mut theme = Theme { name, at: (at.line, at.column), ..Theme::default() };
            for (key, value) in inner {
                let (role, span) = (key.get_ref().as_ref(), value.span());
                let text = if let DeValue::String(text) = value.into_inner() { Some(text) } else { None };
                match (role, text.as_deref().map(theme::color), text) {
                    ("base", _, Some(text)) => theme.base = Some(text.into_owned()),
                    (role, Some(Some(color)), _) if theme::ROLES.contains(&role) => {
                        theme.colors.push((role.to_owned(), color));
                    }
                    (role, ..) if role == "base" || theme::ROLES.contains(&role) => {
                        let text = format!("`{role}` cannot be used: a colour is written \"#rrggbb\"");
                        self.find(Grade::Error, &span, text);
                    }
                    (other, ..) => self.unknown(&key.span(), "key of a theme", other, &theme::ROLES),
                }
            }
            self.loaded.settings.themes.0.push(theme);
        }
    }

    /// Reads the entries; one that is wrong anywhere is left out, because half of what was meant may do harm.
    fn autostart(&mut self, entries: DeArray<'_>) {
        let mut names = HashSet::new();
        for value in entries {
            let span = value.span();
            let DeValue::Table(table) = value.into_inner() else {
                self.find(Grade::Error, &span, "each `autostart` is an entry: write [[autostart]]".to_owned());
                continue;
            };
            let mut entry = Autostart::default();
            let is_whole = self.section("[autostart]", &mut entry, table);
            let is_twice = || entry.name.as_ref().filter(|name| names.contains(*name));
            let fault = entry.fault().or_else(|| Some(format!("{:?} is the name of an entry above", is_twice()?)));
            if !is_whole {
                self.find(Grade::Error, &span, "this entry is left out".to_owned());
            } else if let Some(fault) = fault {
                self.find(Grade::Error, &span, format!("this entry is left out: {fault}"));
            } else {
                names.extend(entry.name.clone());
                self.loaded.settings.autostart.push(entry);
            }
        }
    }

    fn unknown(&mut self, span: &Range<usize>, what: &str, word: &str, known: &[&str]) {
        let near = known.iter().map(|known| (target::distance(word, known), *known)).min();
        let hint = match near {
            Some((distance, near)) if distance <= 3 && distance < near.len() => format!("; did you mean `{near}`?"),
            _ => format!("; there are {}", known.join(", ")),
        };
        let word: String = word.chars().filter(|c| !c.is_control()).take(60).collect();
        self.find(Grade::Warning, span, format!("`{word}` is no {what}{hint}"));
    }

    fn find(&mut self, grade: Grade, span: &Range<usize>, text: String) {
        let finding = Finding::at(grade, self.file, span, text);
        self.loaded.findings.push(finding);
    }
}

/// The library's message on one line.
fn sentence(error: &Error) -> String {
    error.message().lines().map(str::trim).collect::<Vec<_>>().join(", ")
}
