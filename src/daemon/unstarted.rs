//! What should have started by itself and did not.
//!
//! Kept in a file in the runtime folder: it is tried once in a keeper's life, and the daemons that come after have to tell as
//! well. The file names its keeper, so that one that is left over says nothing.

use std::cell::RefCell;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::platform::process;

/// Most of them that are told.
const LIMIT: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    keeper: u32,
    born: u64,
    faults: Vec<String>,
}

/// See the module.
pub struct Unstarted {
    path: PathBuf,
    document: RefCell<Document>,
}

impl Unstarted {
    /// Reads what an earlier daemon of this keeper noted; a damaged file, or one of another keeper, is an empty one.
    pub fn open(path: PathBuf, keeper: u32) -> Self {
        let born = process::stat(keeper).map_or(0, |stat| stat.start_time);
        let found: Document = serde_json::from_slice(&std::fs::read(&path).unwrap_or_default()).unwrap_or_default();
        let is_ours = (found.keeper, found.born) == (keeper, born);
        let document = if is_ours { found } else { Document { keeper, born, faults: Vec::new() } };
        Self { path, document: RefCell::new(document) }
    }

    /// Notes what did not start and why; the same is noted once, also by a daemon that tries again.
    pub fn add(&self, fault: String) {
        let mut document = self.document.borrow_mut();
        if document.faults.len() >= LIMIT || document.faults.contains(&fault) {
            return;
        }
        document.faults.push(fault);
        let fresh = self.path.with_extension("new");
        let written = serde_json::to_vec(&*document)
            .map_err(std::io::Error::other)
            .and_then(|bytes| std::fs::write(&fresh, bytes))
            .and_then(|()| std::fs::rename(&fresh, &self.path));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write down what did not start");
        }
    }

    /// Returns all of it, a sentence each.
    pub fn all(&self) -> Vec<String> {
        self.document.borrow().faults.clone()
    }
}
