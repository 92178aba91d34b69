//! The life of one session as a table: state × event → state and effects.
//!
//! Pure: time is passed in, effects are returned and performed by the actor. A second stop
//! escalates; a stop or kill of something ended changes nothing; the end is told once.

use crate::history::ExitStatus;
use crate::session::id::RequestKey;
use crate::session::spec::Asked;
use crate::session::status::End;
use crate::session::status::How;

/// Monotonic nanoseconds.
pub type Nanos = u64;

/// Where the machine stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// The program runs and nobody asked it to end.
    Running,
    /// It was asked to stop, and is killed at `deadline`.
    Stopping {
        /// When the hard signal goes out.
        deadline: Nanos,
        /// The first process ended: when to look whether the others have.
        look: Option<Nanos>,
    },
    /// The hard signal went out; it is repeated at `again` until nothing is left.
    Killing {
        /// When the next round starts.
        again: Nanos,
        /// Rounds so far.
        rounds: u32,
    },
    /// The program ended.
    Ended(End),
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants a polite end within `grace`.
    Stop {
        /// Who.
        by: String,
        /// The request.
        key: RequestKey,
        /// Nanoseconds until the hard signal.
        grace: Nanos,
    },
    /// Somebody wants a hard end now.
    Kill {
        /// Who.
        by: String,
        /// The request.
        key: RequestKey,
    },
    /// The first process ended and all its bytes were told.
    Exited {
        /// Code or signal.
        status: ExitStatus,
        /// Wall-clock milliseconds.
        at_ms: u64,
    },
    /// The deadline passed.
    Deadline,
    /// A look at the process table found these left, after the exit or after a hard round.
    Left(Vec<u32>),
    /// A hard round saw nobody because the look failed.
    Unseen,
}

/// What the actor has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// HUP on a terminal, TERM, CONT to every process of the session.
    SignalPolitely,
    /// KILL to every process of the session, then report what is left.
    SignalHard,
    /// Look who is left, then report.
    LookForRest,
    /// Keep these facts before any signal goes out.
    Record(Asked),
    /// The session has ended; everybody is told.
    Told(End),
}

/// Pause between two rounds of hard signals.
const ROUND: Nanos = 20_000_000;
/// Grace of a stop that a restarted daemon finds under way where its deadline was not noted.
const RESUMED_GRACE: Nanos = 5_000_000_000;
/// Rounds until the rest is reported instead of chased: a second of them.
const ROUNDS: u32 = 50;

/// One session's life.
#[derive(Debug, Clone)]
pub struct Machine {
    life: Life,
    asked: Option<Asked>,
    /// The exit, while the tree is still being emptied.
    exit: Option<(ExitStatus, u64)>,
}

impl Machine {
    /// Starts with a running program at `now`; what an earlier daemon was asked to end is ended by this one.
    #[must_use]
    pub fn new(asked: Option<Asked>, now: Nanos) -> Self {
        let life = match &asked {
            None => Life::Running,
            Some(Asked { hard: false, deadline_ns: 0, .. }) => {
                Life::Stopping { deadline: now.saturating_add(RESUMED_GRACE), look: None }
            }
            Some(Asked { hard: false, deadline_ns, .. }) => Life::Stopping { deadline: *deadline_ns, look: None },
            Some(Asked { hard: true, .. }) => Life::Killing { again: now, rounds: 0 },
        };
        Self { life, asked, exit: None }
    }

    /// Starts where everything is over.
    #[must_use]
    pub const fn ended(end: End) -> Self {
        Self { life: Life::Ended(end), asked: None, exit: None }
    }

    /// Returns whether the exit was told to it.
    #[must_use]
    pub const fn has_exit(&self) -> bool {
        self.exit.is_some() || matches!(self.life, Life::Ended(_))
    }

    /// Returns whether nobody asked it to end and it has not ended.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        matches!(self.life, Life::Running)
    }

    /// Returns where it stands.
    #[must_use]
    pub const fn life(&self) -> &Life {
        &self.life
    }

    /// Returns when [`Event::Deadline`] is due.
    #[must_use]
    pub const fn deadline(&self) -> Option<Nanos> {
        match self.life {
            Life::Stopping { deadline, look: Some(look) } if look < deadline => Some(look),
            Life::Stopping { deadline, .. } => Some(deadline),
            Life::Killing { again, .. } => Some(again),
            Life::Running | Life::Ended(_) => None,
        }
    }

    /// Takes an event at `now`.
    pub fn on(&mut self, event: Event, now: Nanos) -> Vec<Effect> {
        match (&self.life, event) {
            (Life::Ended(_), _) => Vec::new(),
            (_, Event::Stop { key, .. } | Event::Kill { key, .. }) if self.is_asked_by(key) => Vec::new(),
            // It ended by itself, and is looked after: nobody is to be signalled any more.
            (Life::Running, Event::Stop { .. } | Event::Kill { .. }) if self.exit.is_some() => Vec::new(),
            (Life::Running, Event::Stop { by, key, grace }) => {
                let deadline = now.saturating_add(grace);
                self.life = Life::Stopping { deadline, look: None };
                vec![self.record(Asked { hard: false, by, key, deadline_ns: deadline }), Effect::SignalPolitely]
            }
            (Life::Stopping { .. }, Event::Stop { by, key, .. })
            | (Life::Running | Life::Stopping { .. }, Event::Kill { by, key }) => {
                let record = self.record(Asked { hard: true, by, key, deadline_ns: 0 });
                vec![record, self.kill(now, 0)]
            }
            (Life::Stopping { deadline, .. }, Event::Deadline) if now < *deadline => {
                self.life = Life::Stopping { deadline: *deadline, look: Some(now.saturating_add(ROUND)) };
                vec![Effect::LookForRest]
            }
            (Life::Stopping { .. }, Event::Deadline) => {
                let asked = self.asked.clone().unwrap_or_default();
                let record = self.record(Asked { hard: true, deadline_ns: 0, ..asked });
                vec![record, self.kill(now, 0)]
            }
            (Life::Killing { rounds, .. }, Event::Deadline) => {
                let rounds = rounds + 1;
                vec![self.kill(now, rounds)]
            }
            (_, Event::Exited { status, at_ms }) => {
                self.exit = Some((status, at_ms));
                if let Life::Stopping { look, .. } = &mut self.life {
                    *look = Some(now.saturating_add(ROUND));
                }
                vec![Effect::LookForRest]
            }
            (_, Event::Left(left)) => self.rest(left),
            // It does not count: who is given up on was seen to survive.
            (Life::Killing { again, rounds }, Event::Unseen) => {
                self.life = Life::Killing { again: *again, rounds: rounds.saturating_sub(1) };
                Vec::new()
            }
            (Life::Killing { .. }, Event::Stop { .. } | Event::Kill { .. })
            | (Life::Running, Event::Deadline)
            | (Life::Running | Life::Stopping { .. }, Event::Unseen) => Vec::new(),
        }
    }

    fn is_asked_by(&self, key: RequestKey) -> bool {
        key != RequestKey(0) && self.asked.as_ref().is_some_and(|asked| asked.key == key)
    }

    fn record(&mut self, asked: Asked) -> Effect {
        self.asked = Some(asked.clone());
        Effect::Record(asked)
    }

    fn kill(&mut self, now: Nanos, rounds: u32) -> Effect {
        self.life = Life::Killing { again: now.saturating_add(ROUND), rounds };
        Effect::SignalHard
    }

    fn rest(&mut self, left: Vec<u32>) -> Vec<Effect> {
        // A natural end kills nobody and names who is left; an asked one goes on until the tree is empty.
        let gave_up = match self.life {
            Life::Running => true,
            Life::Killing { rounds, .. } => rounds >= ROUNDS,
            Life::Stopping { .. } | Life::Ended(_) => false,
        };
        if self.exit.is_some() && (left.is_empty() || gave_up) { self.end(left) } else { Vec::new() }
    }

    fn end(&mut self, left: Vec<u32>) -> Vec<Effect> {
        let Some((status, at_ms)) = self.exit else { return Vec::new() };
        let end = ending(status, self.asked.as_ref(), at_ms, left);
        self.life = Life::Ended(end.clone());
        vec![Effect::Told(end)]
    }
}

/// Says how it ended from what was sent and what the kernel reported, never from the clock.
#[must_use]
pub fn ending(status: ExitStatus, asked: Option<&Asked>, at_ms: u64, left: Vec<u32>) -> End {
    let how = match (asked, status) {
        (Some(Asked { hard: true, .. }), ExitStatus::Signal(9)) => How::Killed,
        (Some(_), _) => How::Stopped,
        (None, _) => How::Natural,
    };
    End { status: Some(status), how, by: asked.map(|asked| asked.by.clone()), at_ms, left }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop() -> Event {
        Event::Stop { by: "ann".into(), key: RequestKey(0), grace: 5_000 }
    }

    fn exited(status: ExitStatus) -> Event {
        Event::Exited { status, at_ms: 9 }
    }

    fn end_of(events: Vec<Event>) -> Option<(How, Option<String>)> {
        let mut machine = Machine::new(None, 0);
        for (now, event) in (0..).step_by(6_000).zip(events) {
            machine.on(event, now);
        }
        match machine.life() {
            Life::Ended(end) => Some((end.how, end.by.clone())),
            _ => None,
        }
    }

    #[test]
    fn w14_the_way_of_an_end_follows_from_what_was_sent_and_reported() {
        let ann = || Some("ann".to_owned());
        let code = || exited(ExitStatus::Code(0));
        let nine = || exited(ExitStatus::Signal(9));
        let none_left = || Event::Left(Vec::new());
        let kill = || Event::Kill { by: "ann".into(), key: RequestKey(0) };

        assert_eq!(end_of(vec![code(), none_left()]), Some((How::Natural, None)));
        assert_eq!(end_of(vec![nine(), none_left()]), Some((How::Natural, None)));
        // Who asks when it is over has not ended it.
        assert_eq!(end_of(vec![code(), stop(), kill(), none_left()]), Some((How::Natural, None)));
        assert_eq!(end_of(vec![code(), Event::Left(vec![7])]), Some((How::Natural, None)));
        assert_eq!(end_of(vec![stop(), code(), none_left()]), Some((How::Stopped, ann())));
        assert_eq!(end_of(vec![stop(), Event::Deadline, nine(), none_left()]), Some((How::Killed, ann())));
        assert_eq!(end_of(vec![kill(), code(), none_left()]), Some((How::Stopped, ann())));
        assert_eq!(end_of(vec![kill(), nine(), none_left()]), Some((How::Killed, ann())));
    }

    #[test]
    fn w12_a_second_stop_escalates_and_a_third_changes_nothing() {
        let mut machine = Machine::new(None, 0);
        assert_eq!(machine.on(stop(), 100).last(), Some(&Effect::SignalPolitely));
        assert_eq!(machine.deadline(), Some(5_100));
        assert_eq!(machine.on(stop(), 200).last(), Some(&Effect::SignalHard));
        let deadline = machine.deadline();
        assert_eq!(machine.on(stop(), 300), vec![]);
        assert_eq!(machine.deadline(), deadline);
    }

    #[test]
    fn k1_a_repeated_stop_request_does_not_escalate_and_a_restart_goes_on_with_it() {
        let request = || Event::Stop { by: "ann".into(), key: RequestKey(7), grace: 5_000 };
        let mut machine = Machine::new(None, 0);
        let Some(Effect::Record(asked)) = machine.on(request(), 0).into_iter().next() else {
            panic!("nothing recorded")
        };
        assert_eq!(machine.on(request(), 1), vec![]);

        let mut restarted = Machine::new(Some(asked), 100);
        assert_eq!(restarted.on(request(), 101), vec![]);
        assert_eq!(restarted.deadline(), Some(5_000), "what was left of the grace");
        let late = Machine::new(Some(Asked::default()), 100);
        assert_eq!(late.deadline(), Some(100 + RESUMED_GRACE), "a daemon that noted none");
    }

    #[test]
    fn an_asked_end_is_told_only_when_nothing_is_left_or_the_rest_is_named() {
        let mut machine = Machine::new(None, 0);
        machine.on(stop(), 0);
        assert_eq!(machine.on(exited(ExitStatus::Code(0)), 1), vec![Effect::LookForRest]);
        assert_eq!(machine.on(Event::Left(vec![7]), 2), vec![]);
        assert_eq!(machine.on(Event::Deadline, 2).last(), Some(&Effect::LookForRest));
        assert_eq!(machine.on(Event::Deadline, 5_000).last(), Some(&Effect::SignalHard));
        for round in 0..ROUNDS {
            assert_eq!(machine.on(Event::Left(vec![7]), u64::from(round)), vec![]);
            machine.on(Event::Deadline, u64::from(round));
        }
        let told = machine.on(Event::Left(vec![7]), 9);
        assert!(matches!(&told[..], [Effect::Told(end)] if end.left == [7]), "{told:?}");
    }

    #[test]
    fn k15_rounds_that_saw_nobody_are_no_reason_to_give_up() {
        let mut machine = Machine::new(None, 0);
        machine.on(Event::Kill { by: "ann".into(), key: RequestKey(0) }, 0);
        machine.on(exited(ExitStatus::Signal(9)), 1);
        for round in 0..ROUNDS * 3 {
            assert_eq!(machine.on(Event::Unseen, u64::from(round)), vec![]);
            assert_eq!(machine.on(Event::Deadline, u64::from(round)), vec![Effect::SignalHard]);
        }
        assert_eq!(machine.on(Event::Left(vec![7]), 9), vec![], "the first round that saw it");
        assert!(matches!(&machine.on(Event::Left(vec![]), 9)[..], [Effect::Told(end)] if end.left.is_empty()));
    }

    #[test]
    fn every_pair_of_state_and_event_is_survived_and_an_end_is_final() {
        let events = || {
            vec![
                stop(),
                Event::Kill { by: "b".into(), key: RequestKey(0) },
                exited(ExitStatus::Code(1)),
                Event::Deadline,
                Event::Left(vec![]),
                Event::Unseen,
            ]
        };
        for first in events() {
            for second in events() {
                for third in events() {
                    let mut machine = Machine::new(None, 0);
                    let mut told = 0;
                    for event in [first.clone(), second.clone(), third] {
                        let effects = machine.on(event, 0);
                        told += effects.iter().filter(|effect| matches!(effect, Effect::Told(_))).count();
                    }
                    assert!(told <= 1);
                }
            }
        }
    }
}
