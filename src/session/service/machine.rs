//! Supervision of one instance of a service as a table: state × event → state and effects.
//!
//! Pure: time is passed in, chance is a seed, effects are performed by the daemon. There is one timer, and it is part of the
//! state ([`Machine::deadline`]): leaving a state leaves its timer, so a stop can never be undone by one. What is wanted is
//! apart from what is. *Invariant:* whoever asks for a restart never counts as a failure.

use serde::Deserialize;
use serde::Serialize;

use crate::history::ExitStatus;
use crate::session::id::RequestKey;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::CrashLoop;
use crate::session::service::policy::Restart;
use crate::session::service::spec::ServiceSpec;
use crate::session::state::Nanos;

pub use crate::session::service::phase::Fault;
pub use crate::session::service::phase::Next;
pub use crate::session::service::phase::Phase;
pub use crate::session::service::phase::Wanted;
pub use crate::session::service::phase::Why;

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants it up.
    Start {
        /// A person waits for it: a program that cannot be started is a fault to be told, not one to be tried again.
        asked: bool,
    },
    /// Somebody wants it down.
    Stop {
        /// Who.
        by: String,
        /// Why.
        why: Why,
    },
    /// Somebody or something wants a fresh run.
    Restart {
        /// Who.
        by: String,
        /// Why.
        why: Why,
    },
    /// Somebody wants it forgotten.
    Delete {
        /// Who.
        by: String,
    },
    /// What it depends on is there.
    Free,
    /// The keeper started its program.
    Spawned,
    /// The keeper could not: error number.
    NotSpawned(i32),
    /// It said that it is ready.
    Ready,
    /// The program ended, and its tree; none when nobody knows how.
    Exited(Option<ExitStatus>),
    /// The deadline passed.
    Due,
}

/// What the daemon has to do. The state is recorded before any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the keeper for a run, with the key of [`Phase::Starting`].
    Spawn,
    /// Look whether what it depends on is there, now and whenever that changes; then [`Event::Free`].
    Await,
    /// End the program and its tree.
    Stop,
    /// Write down how a run ended.
    Died {
        /// Why.
        why: Why,
        /// Who asked for it; empty when nobody did.
        by: String,
    },
    /// Forget it.
    Forget,
}

/// What the machine has to know of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// When it is started again.
    pub restart: Restart,
    /// Exit codes that are no failure.
    pub success_codes: Vec<u8>,
    /// Exit codes after which it stays down.
    pub stop_codes: Vec<u8>,
    /// Pauses.
    pub backoff: Backoff,
    /// Too many failures.
    pub crash_loop: CrashLoop,
    /// It depends on others.
    pub waits: bool,
    /// It says when it is ready.
    pub tells_ready: bool,
}

impl Rules {
    /// Takes them from a definition.
    #[must_use]
    pub fn of(spec: &ServiceSpec) -> Self {
        Self {
            restart: spec.restart,
            success_codes: spec.success_codes.clone(),
            stop_codes: spec.stop_codes.clone(),
            backoff: spec.backoff,
            crash_loop: spec.crash_loop,
            waits: !spec.depends_on.is_empty(),
            tells_ready: spec.readiness.is_some(),
        }
    }

    fn is_success(&self, status: Option<ExitStatus>) -> bool {
        matches!(status, Some(ExitStatus::Code(code)) if self.success_codes.contains(&code))
    }

    /// Returns whether it stays down after it ended so by itself.
    fn is_final(&self, status: Option<ExitStatus>) -> bool {
        let stays = matches!(status, Some(ExitStatus::Code(code)) if self.stop_codes.contains(&code));
        stays
            || match self.restart {
                Restart::No => true,
                Restart::OnFailure => self.is_success(status),
                Restart::Always => false,
            }
    }
}

/// One instance of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// What is wanted.
    pub wanted: Wanted,
    /// What it is doing.
    pub phase: Phase,
    /// Runs that followed another one, whoever wanted them; `reset` begins anew.
    pub restarts: u32,
    /// Failures since it was last up for long: they make the pauses longer.
    pub attempt: u32,
    /// It crashes again and again.
    pub is_loop: bool,
    /// When the last failures were, as many as make a crash loop.
    failures: Vec<Nanos>,
    /// State of the generator of jitter and keys.
    seed: u64,
}

impl Machine {
    /// Starts with nothing wanted. `seed` makes pauses and keys differ from those of others.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Returns when [`Event::Due`] is due.
    #[must_use]
    pub fn deadline(&self, rules: &Rules) -> Option<Nanos> {
        match self.phase {
            Phase::Backoff { at } | Phase::CrashLoop { at } => Some(at),
            // Only what there is to reset is worth waking up for.
            Phase::Up { since, .. } if self.attempt > 0 || !self.failures.is_empty() => {
                Some(since.saturating_add(rules.backoff.reset_after))
            }
            _ => None,
        }
    }

    /// Returns whether another run follows, or this one goes on: nobody has to stop following.
    #[must_use]
    pub const fn goes_on(&self) -> bool {
        match &self.phase {
            Phase::Stopped | Phase::Exited | Phase::Failed { .. } => false,
            Phase::Stopping { then, .. } => matches!(then, Next::Start | Next::Retry),
            Phase::Waiting
            | Phase::Starting { .. }
            | Phase::Up { .. }
            | Phase::Backoff { .. }
            | Phase::CrashLoop { .. } => true,
        }
    }

    /// Returns whether nothing will happen by itself.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Stopped | Phase::Exited | Phase::Failed { .. })
    }

    /// Begins counting anew: restarts, failures, pauses.
    pub fn reset(&mut self) {
        self.restarts = 0;
        self.forgive();
    }

    /// Takes an event at `now`.
    pub fn on(&mut self, event: Event, rules: &Rules, now: Nanos) -> Vec<Effect> {
        match event {
            Event::Start { asked } => self.start(asked, rules),
            Event::Stop { by, why } => self.end(Next::Stay, why, by),
            Event::Delete { by } => self.end(Next::Delete, Why::Delete, by),
            Event::Restart { by, why } => self.restart(by, why, rules),
            Event::Free if self.phase == Phase::Waiting => self.spawn(Why::Restart, true),
            Event::Spawned => self.spawned(rules, now),
            Event::NotSpawned(errno) => self.not_spawned(errno, rules, now),
            Event::Exited(status) => self.exited(status, rules, now),
            Event::Ready => {
                if let Phase::Up { ready, .. } = &mut self.phase {
                    *ready = true;
                }
                Vec::new()
            }
            Event::Due => self.due(rules, now),
            Event::Free => Vec::new(),
        }
    }

    fn start(&mut self, asked: bool, rules: &Rules) -> Vec<Effect> {
        if self.is_deleted() {
            return Vec::new();
        }
        self.wanted = Wanted::Up;
        match &mut self.phase {
            // What it needs may have failed: it is tried again.
            Phase::Waiting => return vec![Effect::Await],
            Phase::Up { .. } | Phase::Starting { then: None, .. } => return Vec::new(),
            Phase::Starting { then: Some(then), .. } | Phase::Stopping { then, .. } => {
                *then = Next::Start;
                return Vec::new();
            }
            _ => self.forgive(),
        }
        self.go(Why::Restart, asked, rules)
    }

    /// A stop or the end of everything.
    fn end(&mut self, next: Next, reason: Why, who: String) -> Vec<Effect> {
        if self.is_deleted() {
            return Vec::new();
        }
        // What a shutdown ends is wanted again after it.
        if reason != Why::Shutdown {
            self.wanted = Wanted::Down;
        }
        match &mut self.phase {
            Phase::Starting { then, why, .. } => {
                (*then, *why) = (Some(next), reason);
                Vec::new()
            }
            Phase::Stopping { then, why, .. } => {
                (*then, *why) = (next, reason);
                Vec::new()
            }
            Phase::Up { .. } => {
                self.phase = Phase::Stopping { then: next, why: reason, by: who };
                vec![Effect::Stop]
            }
            Phase::Stopped | Phase::Exited | Phase::Failed { .. } if next == Next::Stay => Vec::new(),
            _ => self.follow(next),
        }
    }

    fn restart(&mut self, who: String, reason: Why, rules: &Rules) -> Vec<Effect> {
        let counts = reason.counts();
        let is_asked = reason == Why::Restart;
        if self.is_deleted() || (self.wanted == Wanted::Down && !is_asked) {
            return Vec::new();
        }
        self.wanted = Wanted::Up;
        if !counts {
            self.forgive();
        }
        match &mut self.phase {
            Phase::Up { .. } => {
                let then = if counts { Next::Retry } else { Next::Start };
                self.phase = Phase::Stopping { then, why: reason, by: who };
                vec![Effect::Stop]
            }
            // One that is only just being started is as fresh as it gets, unless its stop was asked for.
            Phase::Starting { then, .. } => {
                *then = then.map(|_| Next::Start);
                Vec::new()
            }
            Phase::Stopping { then, .. } => {
                *then = Next::Start;
                Vec::new()
            }
            Phase::Waiting if is_asked => vec![Effect::Await],
            Phase::Waiting => Vec::new(),
            _ if counts => Vec::new(),
            _ => {
                self.restarts = self.restarts.saturating_add(1);
                self.go(reason, is_asked, rules)
            }
        }
    }

    fn spawned(&mut self, rules: &Rules, now: Nanos) -> Vec<Effect> {
        let Phase::Starting { then, why, .. } = self.phase else { return Vec::new() };
        match then {
            None => {
                self.phase = Phase::Up { since: now, ready: !rules.tells_ready };
                Vec::new()
            }
            Some(then) => {
                self.phase = Phase::Stopping { then, why, by: String::new() };
                vec![Effect::Stop]
            }
        }
    }

    fn not_spawned(&mut self, errno: i32, rules: &Rules, now: Nanos) -> Vec<Effect> {
        let Phase::Starting { then, asked, .. } = self.phase else { return Vec::new() };
        let mut effects = vec![Effect::Died { why: Why::NotStarted, by: String::new() }];
        effects.extend(match then {
            Some(Next::Stay | Next::Delete) => self.follow(then.unwrap_or(Next::Stay)),
            None if asked => {
                self.phase = Phase::Failed { fault: Fault::Errno(errno) };
                Vec::new()
            }
            _ => self.fail(Some(errno), false, rules, now),
        });
        effects
    }

    fn exited(&mut self, status: Option<ExitStatus>, rules: &Rules, now: Nanos) -> Vec<Effect> {
        let (why, by, effects) = match self.phase.clone() {
            Phase::Up { since, .. } => {
                let why = if rules.is_success(status) { Why::Ended } else { Why::Crashed };
                let is_healthy = now.saturating_sub(since) >= rules.backoff.reset_after;
                let effects = if rules.is_final(status) {
                    self.wanted = Wanted::Down;
                    self.phase = Phase::Exited;
                    Vec::new()
                } else {
                    self.fail(None, is_healthy, rules, now)
                };
                (why, String::new(), effects)
            }
            Phase::Stopping { then: Next::Retry, why, by } => (why, by, self.fail(None, false, rules, now)),
            Phase::Stopping { then: Next::Start, why, by } => {
                self.restarts = self.restarts.saturating_add(1);
                (why, by, self.go(why, false, rules))
            }
            Phase::Stopping { then, why, by } => (why, by, self.follow(then)),
            _ => return Vec::new(),
        };
        [vec![Effect::Died { why, by }], effects].concat()
    }

    fn due(&mut self, rules: &Rules, now: Nanos) -> Vec<Effect> {
        if self.deadline(rules).is_none_or(|at| now < at) {
            return Vec::new();
        }
        match self.phase {
            Phase::Backoff { .. } | Phase::CrashLoop { .. } => self.again(),
            Phase::Up { .. } => {
                self.forgive();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Nothing runs: what was decided for this moment happens.
    fn follow(&mut self, next: Next) -> Vec<Effect> {
        self.phase = Phase::Stopped;
        if next == Next::Delete { vec![Effect::Forget] } else { Vec::new() }
    }

    /// A failure: the next run comes after a pause, or never.
    fn fail(&mut self, errno: Option<i32>, is_healthy: bool, rules: &Rules, now: Nanos) -> Vec<Effect> {
        let CrashLoop { failures, window, give_up } = rules.crash_loop;
        if is_healthy {
            self.attempt = 0;
            self.is_loop = false;
        }
        self.failures.push(now);
        self.failures.retain(|at| now.saturating_sub(*at) < window);
        let surplus = self.failures.len().saturating_sub(failures.max(1) as usize);
        self.failures.drain(..surplus);
        self.is_loop |= self.failures.len() >= failures.max(1) as usize;
        if self.is_loop && give_up {
            self.phase = Phase::Failed { fault: errno.map_or(Fault::GaveUp, Fault::Errno) };
            return Vec::new();
        }
        let pause = self.pause(is_healthy, &rules.backoff);
        if pause == 0 {
            return self.again();
        }
        let at = now.saturating_add(pause);
        self.phase = if self.is_loop { Phase::CrashLoop { at } } else { Phase::Backoff { at } };
        Vec::new()
    }

    /// Nanoseconds until the next try.
    fn pause(&mut self, is_healthy: bool, backoff: &Backoff) -> Nanos {
        if backoff.initial == 0 || (is_healthy && !self.is_loop) {
            return 0;
        }
        self.attempt = self.attempt.saturating_add(1);
        let factor = u128::from(backoff.factor_percent.max(100));
        let cap = u128::from(backoff.cap.max(backoff.initial));
        let mut pause = u128::from(backoff.initial);
        for _ in 1..self.attempt.min(64) {
            pause = (pause * factor / 100).min(cap);
        }
        if self.is_loop {
            pause = cap;
        }
        let jitter = i128::from(backoff.jitter_percent.min(100));
        let share = i128::from(self.chance() % 2001) - 1000;
        let pause = pause as i128;
        u64::try_from(pause + pause * jitter * share / 100_000).unwrap_or(u64::MAX).max(1)
    }

    /// The next try after a failure: what it depends on was there once.
    fn again(&mut self) -> Vec<Effect> {
        self.restarts = self.restarts.saturating_add(1);
        self.spawn(Why::Crashed, false)
    }

    fn go(&mut self, why: Why, asked: bool, rules: &Rules) -> Vec<Effect> {
        if rules.waits {
            self.phase = Phase::Waiting;
            return vec![Effect::Await];
        }
        self.spawn(why, asked)
    }

    fn spawn(&mut self, why: Why, asked: bool) -> Vec<Effect> {
        // Zero means "no key".
        let key = RequestKey(self.chance() | 1);
        self.phase = Phase::Starting { key, then: None, why, asked };
        vec![Effect::Spawn]
    }

    fn forgive(&mut self) {
        self.attempt = 0;
        self.is_loop = false;
        self.failures.clear();
    }

    const fn is_deleted(&self) -> bool {
        matches!(
            self.phase,
            Phase::Stopping { then: Next::Delete, .. } | Phase::Starting { then: Some(Next::Delete), .. }
        )
    }

    /// `SplitMix64`: a generator that is one number.
    const fn chance(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests;
