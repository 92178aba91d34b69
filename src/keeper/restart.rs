//! When the next daemon is started: at once, unless it keeps dying.
//!
//! Pure. A daemon that became ready and was killed is back without delay; one that dies while it starts, or far too
//! often, waits longer each time.

/// Monotonic nanoseconds.
type Nanos = u64;

/// Pauses after deaths at start, in nanoseconds; the last one repeats.
const PAUSES: [Nanos; 5] = [0, 50_000_000, 200_000_000, 1_000_000_000, 5_000_000_000];
/// So many deaths within [`WINDOW`] are a loop, ready or not.
const LOOP: usize = 40;
/// See [`LOOP`].
const WINDOW: Nanos = 10_000_000_000;

/// Counts the daemon's deaths.
#[derive(Debug, Default)]
pub struct Restart {
    starts: u32,
    early_deaths: usize,
    is_ready: bool,
    deaths: Vec<Nanos>,
}

impl Restart {
    /// Returns how many daemons were started before the present one.
    pub fn count(&self) -> u32 {
        self.starts.saturating_sub(1)
    }

    /// A daemon was started.
    pub fn started(&mut self) {
        self.starts += 1;
        self.is_ready = false;
    }

    /// It is ready: it could take everything over.
    pub fn ready(&mut self) {
        self.is_ready = true;
        self.early_deaths = 0;
    }

    /// It died at `now`; returns when the next one may start.
    pub fn died(&mut self, now: Nanos) -> Nanos {
        self.deaths.retain(|death| now.saturating_sub(*death) < WINDOW);
        self.deaths.push(now);
        if !self.is_ready {
            self.early_deaths += 1;
        }
        let pause = PAUSES[self.early_deaths.min(PAUSES.len() - 1)];
        now + if self.deaths.len() > LOOP { pause.max(PAUSES[3]) } else { pause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_daemon_is_back_at_once_and_one_that_cannot_start_waits_longer_each_time() {
        let mut restart = Restart::default();
        restart.started();
        restart.ready();
        assert_eq!(restart.died(7), 7);
        for pause in [50, 200, 1000, 5000, 5000] {
            restart.started();
            assert_eq!(restart.died(0), pause * 1_000_000);
        }
        restart.started();
        restart.ready();
        assert_eq!(restart.died(0), 0);
    }

    #[test]
    fn a_daemon_that_dies_all_the_time_is_slowed_down() {
        let mut restart = Restart::default();
        for n in 0..60 {
            restart.started();
            restart.ready();
            assert_eq!(restart.died(n) > n, n >= LOOP as u64, "{n}");
        }
        restart.started();
        restart.ready();
        assert_eq!(restart.died(2 * WINDOW), 2 * WINDOW);
    }
}
