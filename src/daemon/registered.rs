//! Processes that others started and announced.
//!
//! Kept in a file in the runtime folder, replaced whole, so that they outlive the daemon. A stale file is harmless: each
//! entry has the start time of its process, and the file the boot that it counts from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::platform::process;
use crate::platform::process::Identity;
use crate::protocol::verbs::DETACHED;

/// Most entries.
pub const LIMIT: usize = 4096;

/// One announced process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// The process.
    pub pid: u32,
    /// Clock ticks since boot when it started.
    pub start_time: u64,
    /// Its parent when it was announced.
    pub parent: u32,
    /// Clock ticks since boot when that started; 0 when it was gone already.
    pub parent_start: u64,
    /// A free word.
    pub kind: String,
    /// Its command.
    pub command: String,
    /// Its directory.
    pub cwd: String,
    /// The tool that started it.
    pub originator: Option<String>,
    /// What holds it together.
    pub containment: String,
    /// Wall-clock milliseconds of the announcement.
    pub registered_ms: u64,
}

impl Entry {
    /// Returns its process for good.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        Identity { pid: self.pid, start_time: self.start_time }
    }

    /// Returns who had started it, for good.
    #[must_use]
    pub const fn parent(&self) -> Identity {
        Identity { pid: self.parent, start_time: self.parent_start }
    }

    /// Returns whether it is nobody's on purpose.
    #[must_use]
    pub fn is_detached(&self) -> bool {
        self.containment == DETACHED
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    boot: String,
    entries: Vec<Entry>,
}

/// Reads the file; none is an empty one.
fn read(path: &Path) -> io::Result<Document> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Document::default()),
        bytes => serde_json::from_slice(&bytes?).map_err(io::Error::other),
    }
}

/// See the module.
pub struct Registered {
    path: PathBuf,
    boot: String,
    entries: RefCell<BTreeMap<u32, Entry>>,
}

impl Registered {
    /// Reads the file; one of another boot is an empty one. A damaged one is put aside: what to tell people comes along, as
    /// long as that lies there.
    pub fn open(path: PathBuf) -> (Self, Option<String>) {
        let boot = process::boot_id();
        let aside = path.with_extension("damaged");
        let document = match read(&path) {
            Ok(document) => document,
            Err(error) => {
                let is_kept = std::fs::rename(&path, &aside);
                tracing::error!(path = %path.display(), %error, ?is_kept, "the registry of processes is damaged");
                Document::default()
            }
        };
        let fault = aside.exists().then(|| {
            format!(
                "{}: a damaged registry of processes; what it had announced is not known: register it again, and delete \
                 the file",
                aside.display()
            )
        });
        let entries = if document.boot == boot { document.entries } else { Vec::new() };
        let entries = entries.into_iter().take(LIMIT).map(|entry| (entry.pid, entry)).collect();
        (Self { path, boot, entries: RefCell::new(entries) }, fault)
    }

    /// Adds an entry in place of any other of that number; `false` when there are too many.
    pub fn add(&self, entry: Entry) -> bool {
        let is_known = self.entries.borrow().contains_key(&entry.pid);
        if !is_known && self.entries.borrow().len() >= LIMIT {
            return false;
        }
        self.entries.borrow_mut().insert(entry.pid, entry);
        self.write();
        true
    }

    /// Returns the entry of this very process.
    pub fn get(&self, process: Identity) -> Option<Entry> {
        self.entries.borrow().get(&process.pid).filter(|entry| entry.identity() == process).cloned()
    }

    /// Forgets an entry; `false` when there is none.
    pub fn remove(&self, pid: u32) -> bool {
        let is_removed = self.entries.borrow_mut().remove(&pid).is_some();
        if is_removed {
            self.write();
        }
        is_removed
    }

    /// Returns all of them, by number.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.borrow().values().cloned().collect()
    }

    /// Returns those that are nobody's on purpose.
    pub fn detached(&self) -> HashSet<Identity> {
        self.entries.borrow().values().filter(|entry| entry.is_detached()).map(Entry::identity).collect()
    }

    fn write(&self) {
        let fresh = self.path.with_extension("new");
        let document = Document { boot: self.boot.clone(), entries: self.entries() };
        let written = serde_json::to_vec(&document)
            .map_err(io::Error::other)
            .and_then(|bytes| std::fs::write(&fresh, bytes))
            .and_then(|()| std::fs::rename(&fresh, &self.path));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write down registered processes");
        }
    }
}
