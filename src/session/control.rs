//! Who has keyboard and size: held by attachments, never by guess.
//!
//! One holder, unless they share. A pipe session's streams can be held apart; its input goes with its standard output.

use crate::history::Stream;
use crate::session::id::AttachId;

/// So many may share control: each may have input queued.
pub const SHARERS: usize = 16;

/// What an attachment holds, or wants to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The attachment.
    pub who: AttachId,
    /// Only this stream of a pipe session.
    pub stream: Option<Stream>,
    /// Beside others.
    pub shares: bool,
}

impl Claim {
    fn overlaps(&self, other: &Self) -> bool {
        self.stream.is_none() || other.stream.is_none() || self.stream == other.stream
    }
}

/// What a wish for control came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// The asker has it; nobody lost it.
    Taken,
    /// The asker has it, taken from these attachments.
    Stolen(Vec<AttachId>),
    /// This attachment keeps it.
    Refused(AttachId),
    /// So many share it that nobody else may.
    Full,
}

/// The control of one session.
#[derive(Debug, Clone, Default)]
pub struct Control {
    holders: Vec<Claim>,
}

impl Control {
    /// Returns who has it, in the order they took it.
    pub fn holders(&self) -> impl Iterator<Item = AttachId> {
        self.holders.iter().map(|holder| holder.who)
    }

    /// Returns whether `who` has it, or a part of it.
    #[must_use]
    pub fn is_held_by(&self, who: AttachId) -> bool {
        self.holders.iter().any(|holder| holder.who == who)
    }

    /// Returns whether what `who` types reaches the program.
    #[must_use]
    pub fn may_type(&self, who: AttachId) -> bool {
        self.holders.iter().any(|holder| holder.who == who && holder.stream != Some(Stream::Err))
    }

    /// Gives it to a claimant if it is free, if the claimant shares, or if `steal` is set. Who is joined by somebody who
    /// shares does so too.
    pub fn take(&mut self, claim: Claim, steal: bool) -> Grant {
        if claim.shares && !steal && self.holders.len() >= SHARERS && !self.is_held_by(claim.who) {
            return Grant::Full;
        }
        let mut others: Vec<AttachId> = Vec::new();
        for holder in self.holders.iter_mut().filter(|holder| holder.who != claim.who && holder.overlaps(&claim)) {
            if claim.shares && !steal {
                holder.shares = true;
            } else {
                others.push(holder.who);
            }
        }
        if let (Some(holder), false) = (others.first(), steal) {
            return Grant::Refused(*holder);
        }
        self.holders.retain(|holder| holder.who != claim.who && !others.contains(&holder.who));
        self.holders.push(claim);
        if others.is_empty() { Grant::Taken } else { Grant::Stolen(others) }
    }

    /// Frees it, if `who` still has it: one who lost it to a thief clears nothing.
    pub fn release(&mut self, who: AttachId) -> bool {
        let before = self.holders.len();
        self.holders.retain(|holder| holder.who != who);
        self.holders.len() < before
    }

    /// Returns whether `who` has it beside others.
    #[must_use]
    pub fn is_shared_by(&self, who: AttachId) -> bool {
        self.holders.iter().any(|holder| holder.who == who && holder.shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(who: u64) -> Claim {
        Claim { who: AttachId(who), stream: None, shares: false }
    }

    #[test]
    fn w1_k5_the_evicted_client_on_its_way_out_leaves_the_thief_alone() {
        let mut control = Control::default();
        assert_eq!(control.take(claim(1), false), Grant::Taken);
        assert_eq!(control.take(claim(2), false), Grant::Refused(AttachId(1)));
        assert_eq!(control.take(claim(2), true), Grant::Stolen(vec![AttachId(1)]));
        assert!(!control.release(AttachId(1)));
        assert!(control.is_held_by(AttachId(2)));
        assert!(control.release(AttachId(2)));
        assert_eq!(control.holders().count(), 0);
    }

    #[test]
    fn w19_who_shares_joins_and_who_does_not_has_to_steal_from_all() {
        let mut control = Control::default();
        let sharing = |who| Claim { shares: true, ..claim(who) };
        control.take(claim(1), false);
        assert_eq!(control.take(sharing(2), false), Grant::Taken);
        assert!(control.is_shared_by(AttachId(1)) && control.may_type(AttachId(1)) && control.may_type(AttachId(2)));
        assert_eq!(control.take(claim(3), false), Grant::Refused(AttachId(1)));
        assert_eq!(control.take(claim(3), true), Grant::Stolen(vec![AttachId(1), AttachId(2)]));
        assert_eq!(control.holders().collect::<Vec<_>>(), [AttachId(3)]);
        for who in 4..3 + SHARERS as u64 {
            assert_eq!(control.take(sharing(who), false), Grant::Taken);
        }
        assert_eq!(control.take(sharing(99), false), Grant::Full);
        assert_eq!(control.take(sharing(4), false), Grant::Taken);
    }

    #[test]
    fn streams_of_a_pipe_session_are_held_apart_and_input_goes_with_output() {
        let mut control = Control::default();
        let of = |who, stream| Claim { stream: Some(stream), ..claim(who) };
        assert_eq!(control.take(of(1, Stream::Out), false), Grant::Taken);
        assert_eq!(control.take(of(2, Stream::Err), false), Grant::Taken);
        assert!(control.may_type(AttachId(1)) && !control.may_type(AttachId(2)));
        assert_eq!(control.take(of(3, Stream::Err), false), Grant::Refused(AttachId(2)));
        assert_eq!(control.take(of(3, Stream::Err), true), Grant::Stolen(vec![AttachId(2)]));
        assert_eq!(control.take(claim(4), false), Grant::Refused(AttachId(1)));
    }
}
