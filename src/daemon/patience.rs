//! How long somebody who follows and is behind may hold a program back.

use std::cell::Cell;

/// Who takes nothing for so long holds nobody back any longer.
const PATIENCE_NS: u64 = 100_000_000;

/// The patience with one follower. It starts anew with each byte that it takes, and when it is first seen behind.
pub struct Patience {
    /// How long it lasts.
    length: u64,
    /// Where it stood when it was last looked at.
    at: Cell<u64>,
    /// Since when it has been behind and has not moved.
    since: Cell<Option<u64>>,
}

impl Default for Patience {
    fn default() -> Self {
        Self::of(PATIENCE_NS)
    }
}

impl Patience {
    /// Makes one that lasts so many nanoseconds.
    pub fn of(length: u64) -> Self {
        Self { length, at: Cell::default(), since: Cell::default() }
    }

    /// Returns whether a follower that wants `offset` next may hold back a program that has said `head` bytes.
    pub fn lasts(&self, offset: u64, head: u64, now: u64) -> bool {
        if self.at.replace(offset) != offset || offset >= head {
            self.since.set(None);
        }
        if offset >= head {
            return true;
        }
        let since = self.since.get().unwrap_or(now);
        self.since.set(Some(since));
        now.saturating_sub(since) < self.length
    }

    /// Returns when it will have ended, if nothing is taken until then.
    pub fn ends_at(&self) -> Option<u64> {
        self.since.get().map(|since| since + self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k4_patience_ends_for_who_takes_nothing_and_starts_anew_with_each_byte() {
        let patience = Patience::default();
        assert!(patience.lasts(10, 10, 0));
        // Long idle, then suddenly behind: it has not had a chance yet.
        assert!(patience.lasts(10, 99, 5 * PATIENCE_NS));
        assert_eq!(patience.ends_at(), Some(6 * PATIENCE_NS));
        assert!(!patience.lasts(10, 200, 6 * PATIENCE_NS));
        assert!(patience.lasts(11, 200, 6 * PATIENCE_NS));
        assert!(patience.lasts(11, 200, 7 * PATIENCE_NS - 1) && !patience.lasts(11, 200, 7 * PATIENCE_NS));
        assert!(patience.lasts(200, 200, 8 * PATIENCE_NS) && patience.ends_at().is_none());
    }
}
