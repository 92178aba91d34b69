//! Checkpoints and facts in the keeper's memory.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use crate::history::Slot;
use crate::history::Slots;
use crate::platform::failpoint;
use crate::platform::memory::Mapping;
use crate::protocol::message;
use crate::session::service::definition::Definition;
use crate::session::spec::Facts;
use crate::session::spec::Supervised;
use crate::term::Screen;

/// Writes and reads one session's slots.
pub struct Store {
    slots: Slots<Arc<Mapping>>,
    /// The definition that is in its slot.
    definition: RefCell<Option<Arc<Definition>>>,
}

impl Store {
    /// Opens the memory that the keeper laid out.
    pub fn open(slots: Arc<Mapping>) -> Result<Self, crate::history::LayoutError> {
        Ok(Self { slots: Slots::open(slots)?, definition: RefCell::default() })
    }

    /// Returns how long the memory is.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Reads the facts; damaged ones become empty ones, never a lost session.
    pub fn facts(&self) -> Facts {
        let mut facts: Facts =
            self.slots.get(Slot::Facts).and_then(|value| message::decode(&value.bytes).ok()).unwrap_or_default();
        let is_beside = |service: &&mut Supervised| service.definition.spec.command.words.is_empty();
        if let Some(service) = facts.service.as_mut().filter(is_beside)
            && let Some(value) = self.slots.get(Slot::Definition)
        {
            service.definition = message::decode(&value.bytes).unwrap_or_default();
        }
        facts
    }

    /// Writes the facts; those of a service change with each of its states, its definition seldom.
    pub fn put_facts(&self, facts: &Facts) {
        let mut lean = None;
        if let Some(service) = &facts.service
            && self.put_definition(&service.definition)
        {
            let service = Supervised { definition: Arc::default(), ..service.clone() };
            lean = Some(Facts { service: Some(service), ..facts.clone() });
        }
        if !self.slots.put(Slot::Facts, 0, &message::encode(lean.as_ref().unwrap_or(facts)), || ()) {
            tracing::error!(name = %facts.name, "no room for a session's facts");
        }
    }

    /// Writes a definition, if another one is there; returns whether this one is there now.
    fn put_definition(&self, definition: &Arc<Definition>) -> bool {
        if self.definition.borrow().as_ref().is_some_and(|there| Arc::ptr_eq(there, definition)) {
            return true;
        }
        let is_put = self.slots.put(Slot::Definition, 0, &message::encode(definition.as_ref()), || ());
        if is_put {
            *self.definition.borrow_mut() = Some(Arc::clone(definition));
        }
        is_put
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
