//! Checkpoints and facts in the keeper's memory.

use std::path::Path;
use std::sync::Arc;

use crate::history::Slot;
use crate::history::Slots;
use crate::platform::failpoint;
use crate::platform::memory::Mapping;
use crate::protocol::message;
use crate::session::spec::Facts;
use crate::term::Screen;

/// Writes and reads one session's slots.
pub struct Store {
    slots: Slots<Arc<Mapping>>,
}

impl Store {
    /// Opens the memory that the keeper laid out.
    pub fn open(slots: Arc<Mapping>) -> Result<Self, crate::history::LayoutError> {
        Ok(Self { slots: Slots::open(slots)? })
    }

    /// Returns how long the memory is.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Reads the facts; damaged ones become empty ones, never a lost session.
    pub fn facts(&self) -> Facts {
        self.slots.get(Slot::Facts).and_then(|value| message::decode(&value.bytes).ok()).unwrap_or_default()
    }

    /// Writes the facts.
    pub fn put_facts(&self, facts: &Facts) {
        if !self.slots.put(Slot::Facts, 0, &message::encode(facts), || ()) {
            tracing::error!(name = %facts.name, "no room for a session's facts");
        }
    }

    /// Reads the newest checkpoint that is whole: its offset and the screen there.
    pub fn checkpoint(&self) -> Option<(u64, Screen)> {
        let value = self.slots.get(Slot::Checkpoint)?;
        match Screen::restore(&value.bytes) {
            Ok(screen) => Some((value.tag, screen)),
            Err(error) => {
                tracing::warn!(%error, "a checkpoint cannot be used, the history is replayed instead");
                None
            }
        }
    }

    /// Writes a checkpoint of the screen at `offset`.
    pub fn put_checkpoint(&self, offset: u64, bytes: &[u8], dir: &Path) -> bool {
        self.slots.put(Slot::Checkpoint, offset, bytes, || failpoint::hit(dir, "checkpoint-half"))
    }
}
