//! Who has keyboard and size: one holder, identified by its attachment, never by guess.

use crate::session::id::AttachId;

/// What a wish for control came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// The asker has it; nobody lost it.
    Taken,
    /// The asker has it, taken from this attachment.
    Stolen(AttachId),
    /// This attachment keeps it.
    Refused(AttachId),
}

/// The control of one session.
#[derive(Debug, Clone, Copy, Default)]
pub struct Control {
    holder: Option<AttachId>,
}

impl Control {
    /// Returns who has it.
    #[must_use]
    pub const fn holder(&self) -> Option<AttachId> {
        self.holder
    }

    /// Returns whether `who` has it.
    #[must_use]
    pub fn is_held_by(&self, who: AttachId) -> bool {
        self.holder == Some(who)
    }

    /// Gives it to `who` if it is free, or if `steal` is set.
    pub fn take(&mut self, who: AttachId, steal: bool) -> Grant {
        match self.holder {
            Some(holder) if holder != who && !steal => Grant::Refused(holder),
            Some(holder) if holder != who => {
                self.holder = Some(who);
                Grant::Stolen(holder)
            }
            _ => {
                self.holder = Some(who);
                Grant::Taken
            }
        }
    }

    /// Frees it, if `who` still has it: one who lost it to a thief clears nothing.
    pub fn release(&mut self, who: AttachId) -> bool {
        let held = self.is_held_by(who);
        if held {
            self.holder = None;
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w1_k5_the_evicted_client_on_its_way_out_leaves_the_thief_alone() {
        let mut control = Control::default();
        assert_eq!(control.take(AttachId(1), false), Grant::Taken);
        assert_eq!(control.take(AttachId(2), false), Grant::Refused(AttachId(1)));
        assert_eq!(control.take(AttachId(2), true), Grant::Stolen(AttachId(1)));
        assert!(!control.release(AttachId(1)));
        assert!(control.is_held_by(AttachId(2)));
        assert!(control.release(AttachId(2)));
        assert_eq!(control.holder(), None);
    }
}
