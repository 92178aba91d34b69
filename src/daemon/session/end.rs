//! The end of a session: asked for, signalled, looked after, told.

use tokio::sync::oneshot;

use crate::daemon::census;
use crate::daemon::session::TOLD_END;
use crate::daemon::session::actor::Actor;
use crate::platform::clock;
use crate::platform::process::Stat;
use crate::platform::tree::Purpose;
use crate::protocol::verbs;
use crate::session::id::RequestKey;
use crate::session::spec::Kind;
use crate::session::state::Effect;
use crate::session::state::Event;
use crate::session::state::Life;
use crate::session::state::Machine;
use crate::session::state::ending;
use crate::session::status::End;
use crate::session::status::State;

impl Actor {
    /// After a restart: an end that had come is told as it was.
    pub(super) fn resume_end(&mut self, now: u64) {
        let Some(exit) = self.session.history.exit() else {
            self.show_life(now);
            return;
        };
        let asked = self.session.facts.borrow().asked.clone();
        let is_told = self.session.told() & TOLD_END != 0;
        if asked.is_some() || (self.session.facts.borrow().service.is_some() && !is_told) {
            // The tree may still be there: the machine looks, and ends by itself.
            self.show_life(now);
            return;
        }
        let end = ending(exit.status, None, exit.wall_ms, Vec::new());
        self.machine = Machine::ended(end.clone());
        self.session.status.borrow_mut().state = State::Ended { end: end.clone() };
        self.hub.note(&self.session, verbs::What::Ended { end: end.clone() });
        self.hub.run_ended(self.session.id, &end);
        // A short program may have ended before it was handed over; what is told now is not told again.
        self.hub.ended_soon();
    }

    pub(super) fn on_stop(
        &mut self,
        by: String,
        key: RequestKey,
        grace_ns: u64,
        reply: oneshot::Sender<End>,
        now: u64,
    ) {
        if let Life::Ended(end) = self.machine.life() {
            let _ = reply.send(end.clone());
            return;
        }
        self.stoppers.push(reply);
        let event = if grace_ns == 0 { Event::Kill { by, key } } else { Event::Stop { by, key, grace: grace_ns } };
        self.advance(event, now);
    }

    /// Feeds the machine with the exit and its deadlines.
    pub(super) fn follow_end(&mut self, now: u64) {
        if let Some(exit) = self.session.history.exit()
            && !self.machine.has_exit()
            // An exit is told after the last byte that came before it.
            && (self.output.screen().is_none() || self.output.parsed() >= exit.at)
        {
            self.advance(Event::Exited { status: exit.status, at_ms: exit.wall_ms }, now);
        }
        if self.end_deadline().is_some_and(|deadline| now >= deadline) {
            self.advance(Event::Deadline, now);
        }
    }

    fn advance(&mut self, event: Event, now: u64) {
        for effect in self.machine.on(event, now) {
            match effect {
                Effect::Record(asked) => {
                    let kill_at_ms =
                        self.machine.deadline().filter(|_| !asked.hard).map_or_else(clock::wall_ms, |deadline| {
                            clock::wall_of(now) + deadline.saturating_sub(now) / 1_000_000
                        });
                    self.hub.note(&self.session, verbs::What::Stopping { by: asked.by.clone(), kill_at_ms });
                    self.session.facts.borrow_mut().asked = Some(asked);
                    self.session.store.put_facts(&self.session.facts.borrow());
                }
                Effect::SignalPolitely => {
                    let hangs_up = self.session.handover.kind == Kind::Pty;
                    self.survey(Purpose::Polite { hangs_up, signal: self.session.stop_signal() });
                }
                Effect::SignalHard => self.survey(Purpose::Hard),
                Effect::LookForRest if self.is_alone() => {
                    self.advance(Event::Left(Vec::new()), now);
                    return;
                }
                Effect::LookForRest if self.machine.is_running() => self.survey(Purpose::Rest),
                Effect::LookForRest => self.survey(Purpose::Look),
                Effect::Told(end) => self.tell_end(&end),
            }
        }
        self.show_life(now);
    }

    /// Returns whether a service's program left nobody behind for sure: nobody waits for a look then. All orphans are the
    /// keeper's children, so there are none when all of those are known.
    fn is_alone(&self) -> bool {
        self.session.facts.borrow().service.is_some() && self.machine.has_exit() && !census::has_strangers(&self.hub)
    }

    /// Returns when the machine has to be told of the time: not while a look is under way that may change its mind.
    pub(super) fn end_deadline(&self) -> Option<u64> {
        if self.asked.is_some() { None } else { self.machine.deadline() }
    }

    /// Asks the census; one request at a time, the strongest first.
    fn survey(&mut self, purpose: Purpose) {
        if self.asked.is_some() {
            self.wanted = self.wanted.max(Some(purpose));
            return;
        }
        self.asked = Some(purpose);
        self.hub.census.ask(&self.session, purpose);
    }

    pub(super) fn on_surveyed(&mut self, purpose: Purpose, members: Option<Vec<Stat>>, now: u64) {
        self.asked = None;
        if let Some(wanted) = self.wanted.take() {
            // Something stronger was decided while this look was under way.
            return self.survey(wanted);
        }
        match (purpose, members) {
            // A look that failed proves nothing and is repeated; only a natural end does not wait for it.
            (Purpose::Polite { .. }, _) | (Purpose::Look | Purpose::Hard, None) => {}
            (_, members) => {
                let left = members.unwrap_or_default().into_iter().map(|stat| stat.pid).collect();
                self.advance(Event::Left(left), now);
            }
        }
    }

    fn tell_end(&mut self, end: &End) {
        self.session.status.borrow_mut().state = State::Ended { end: end.clone() };
        self.session.input_room.borrow().close();
        self.hub.note(&self.session, verbs::What::Ended { end: end.clone() });
        // Before followers look: another run may follow.
        self.hub.run_ended(self.session.id, end);
        for stopper in self.stoppers.drain(..) {
            let _ = stopper.send(end.clone());
        }
        self.session.output.notify_waiters();
        // Services are kept whatever becomes of them.
        if self.session.facts.borrow().service.is_none() {
            self.hub.ended();
        }
    }

    /// Shows subscribers where the machine stands, if that changed.
    fn show_life(&mut self, now: u64) {
        let state = match self.machine.life() {
            Life::Running => State::Running,
            Life::Stopping { deadline, .. } => {
                State::Stopping { kill_at_ms: clock::wall_of(now) + deadline.saturating_sub(now) / 1_000_000 }
            }
            Life::Killing { .. } => State::Stopping { kill_at_ms: clock::wall_ms() },
            Life::Ended(end) => State::Ended { end: end.clone() },
        };
        let is_same = {
            let mut status = self.session.status.borrow_mut();
            let is_same = std::mem::discriminant(&status.state) == std::mem::discriminant(&state);
            status.state = state;
            is_same
        };
        if !is_same {
            self.publish(now);
        }
    }
}
