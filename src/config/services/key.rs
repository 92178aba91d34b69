//! One list of keys for everything: reading, writing, the JSON schema and the manual are made from it.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;

use crate::config::tree::Entry;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::target;

/// What can be written for a key; the reading is in the key, this is for schema and manual.
#[derive(Clone, Copy)]
pub enum Type {
    /// Any text.
    Text,
    /// A path; a relative one starts at the file's folder.
    Path,
    /// `true` or `false`.
    Flag,
    /// A whole number from, to.
    Count(i64, i64),
    /// A number from, to.
    Number(u32, u32),
    /// `"10M"` or a whole number.
    Bytes,
    /// `"5s"`.
    Duration,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of paths.
    Paths,
    /// A list of exit codes.
    Codes,
    /// A list of words, or a text.
    Command,
    /// A table of variables.
    Variables,
    /// A list of names, or a table from names to conditions.
    Dependencies,
    /// A signal's name or number.
    Signal,
    /// `"022"`.
    Mask,
    /// A number, a size, `"unlimited"`, or `[soft, hard]`.
    Limit,
    /// `200` or `"200-399"`.
    Status,
    /// `"HOST:PORT"`, or a port.
    Address,
    /// A table with these keys.
    Table(fn() -> Vec<Info>),
    /// The first, or shorter the second.
    Either(&'static Type, &'static Type),
}

/// What a key is.
#[derive(Clone, Copy)]
pub struct Info {
    /// As written.
    pub name: &'static str,
    /// What can be written.
    pub kind: Type,
    /// The default as TOML; empty when there is none, or when it is said in `doc`.
    pub default: &'static str,
    /// One sentence without a full stop.
    pub doc: &'static str,
}

/// One key of a table that becomes an `S`.
pub struct Key<S: 'static> {
    /// What it is.
    pub info: Info,
    /// Reads its value.
    pub set: Setter<S>,
    /// Writes its value as TOML; `None` when there is nothing to write.
    pub get: fn(&S) -> Option<String>,
}

/// How a key's value gets into an `S`.
pub type Setter<S> = fn(&mut S, &Node, &Base) -> Result<(), Fault>;

/// Makes a key.
pub const fn key<S>(
    name: &'static str,
    kind: Type,
    default: &'static str,
    doc: &'static str,
    set: Setter<S>,
    get: fn(&S) -> Option<String>,
) -> Key<S> {
    Key { info: Info { name, kind, default, doc }, set, get }
}

/// What values are relative to.
#[derive(Debug, Clone, Default)]
pub struct Base {
    /// Folder of the file, absolute.
    pub folder: PathBuf,
    /// Home directory, for `~/`.
    pub home: Option<PathBuf>,
    /// The service says `shell = true`: texts of commands go to a shell.
    pub shell: bool,
    /// Its namespace, for names of dependencies.
    pub namespace: String,
    /// Keys that nobody reads, as they were met.
    pub unknown: RefCell<Vec<Unknown>>,
}

impl Base {
    /// Returns an absolute path; `.` and `..` of what was written are resolved by name.
    #[must_use]
    pub fn path(&self, written: &str) -> PathBuf {
        let joined = match (written.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            (None, Some(home)) if written == "~" => home.clone(),
            _ => self.folder.join(written),
        };
        plain(&joined)
    }
}

/// Resolves `.` and `..` by name.
fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// A key that nobody reads.
#[derive(Debug, Clone)]
pub struct Unknown {
    /// Its place.
    pub span: Range<usize>,
    /// What is said of it.
    pub text: String,
}

/// Reads a table into an `S`, in the order of `keys`, which is that in which they need each other. Goes on after a fault,
/// so that all of a file's are said at once; keys that nobody reads go to the base.
pub fn read<S>(keys: &[Key<S>], place: &str, it: &mut S, table: &Node, base: &Base) -> Vec<Fault> {
    let Value::Table(entries) = &table.value else {
        return vec![table.fault(format!("is a table, not {}", table.what()))];
    };
    let mut faults = Vec::new();
    for key in keys {
        let Some(entry) = entries.iter().find(|entry| entry.name == key.info.name) else { continue };
        if let Err(fault) = (key.set)(it, &entry.node, base) {
            // The fault of a key inside of this one: `stop.grace`.
            let text = match fault.text.strip_prefix('`') {
                Some(inner) => format!("`{}.{inner}", key.info.name),
                None => format!("`{}` {}", key.info.name, fault.text),
            };
            faults.push(Fault { text, ..fault });
        }
    }
    let known: Vec<&str> = keys.iter().map(|key| key.info.name).collect();
    let is_known = |entry: &&Entry| known.contains(&entry.name.as_str());
    let strange = entries.iter().filter(|entry| !is_known(entry));
    base.unknown.borrow_mut().extend(strange.map(|entry| unknown(entry, &format!("key of [{place}]"), &known)));
    faults
}

/// Says that a name is unknown, and which one may have been meant.
pub fn unknown(entry: &Entry, what: &str, known: &[&str]) -> Unknown {
    let word: String = entry.name.chars().filter(|c| !c.is_control()).take(60).collect();
    let hint = near(&entry.name, known)
        .map_or_else(|| format!("; there are {}", known.join(", ")), |near| format!("; did you mean `{near}`?"));
    Unknown { span: entry.span.clone(), text: format!("`{word}` is no {what}{hint}") }
}

/// Returns the name that was probably meant.
pub fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, near) = known.iter().map(|known| (target::distance(word, known), *known)).min()?;
    (distance <= 3 && distance < near.len().min(word.len())).then_some(near)
}
