//! `[keys]`: the user's keys of the dashboard, as written. What they mean is the dashboard's business.

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

/// Keys of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The place where they count; everywhere the action has keys, without one.
    pub context: Option<String>,
    /// Name of the action.
    pub action: String,
    /// Alternatives, each a sequence of key names; none takes its keys away.
    pub keys: Vec<String>,
    /// Line and column in the file, from 1.
    pub at: (usize, usize),
}

/// All of them, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<KeyEntry>);

/// Entries of one place.
struct Place<'a>(&'a [KeyEntry], Option<&'a str>);

impl Serialize for Place<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let here = self.0.iter().filter(|entry| entry.context.as_deref() == self.1);
        serializer.collect_map(here.map(|entry| (&entry.action, &entry.keys)))
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // A format with sections wants plain values before them.
        for entry in self.0.iter().filter(|entry| entry.context.is_none()) {
            map.serialize_entry(&entry.action, &entry.keys)?;
        }
        let mut seen = Vec::new();
        for context in self.0.iter().filter_map(|entry| entry.context.as_deref()) {
            if !seen.contains(&context) {
                seen.push(context);
                map.serialize_entry(context, &Place(&self.0, Some(context)))?;
            }
        }
        map.end()
    }
}
