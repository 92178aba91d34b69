//! The end of a session: asked for, signalled, looked after, told.

use tokio::sync::oneshot;

use crate::daemon::census;
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
use crate::session::status::End;
use crate::session::status::State;

/// A natural end is told although nobody could look, after so many tries: about a second. It names who was seen last.
const BLIND_LOOKS: u32 = 20;

impl Actor {
    /// After a restart: an end that was told stays as it was.
    pub(super) fn resume_end(&mut self, now: u64) {
        if let Some(end) = self.session.status.borrow().run_end().cloned() {
            // An earlier daemon saw the tree empty, or named who was left: nobody is looked for or signalled again.
            self.machine = Machine::ended(end);
            self.session.input_room.borrow().close();
            self.hub.ended_soon();
            return;
        }
        // What has ended meanwhile, or before it was handed over, is looked at as any other: it may have left somebody.
        self.show_life(now);
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
                    self.survey(Purpose::Polite { hangs_up, is_repeat: false, signal: self.session.stop_signal() });
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

    /// Returns whether a service's program left nobody behind for sure: nobody waits for a look then.
    fn is_alone(&self) -> bool {
        self.session.facts.borrow().service.is_some()
            && self.machine.has_exit()
            && census::is_alone(&self.hub, &self.session)
    }

    /// Returns when the machine has to be told of the time: not while a look is under way that may change its mind. One that
    /// is repeated because it failed may fail for ever, and the hard signal does not wait for that.
    pub(super) fn end_deadline(&self) -> Option<u64> {
        let is_waited_for = !matches!(self.asked, None | Some(Purpose::Polite { is_repeat: true, .. }));
        if is_waited_for { None } else { self.machine.deadline() }
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
            // Something was decided while this look was under way, and what failed is still to be done.
            let again = members.is_none().then_some(purpose.again());
            return self.survey(again.map_or(wanted, |again| again.max(wanted)));
        }
        match (purpose, members) {
            (Purpose::Polite { .. }, Some(_)) => {}
            (_, Some(members)) => self.advance(Event::Left(members.into_iter().map(|stat| stat.pid).collect()), now),
            (_, None) => self.on_blind(purpose, now),
        }
    }

    /// A look failed: it proves nothing and is repeated, by the machine's deadline where that is near.
    fn on_blind(&mut self, purpose: Purpose, now: u64) {
        match purpose {
            Purpose::Polite { .. } => self.survey(purpose.again()),
            Purpose::Look => {}
            Purpose::Hard => self.advance(Event::Unseen, now),
            Purpose::Rest => {
                self.blind_looks += 1;
                if self.blind_looks < BLIND_LOOKS {
                    return self.survey(Purpose::Rest);
                }
                tracing::error!(session = %self.session.id, "it ended, and who is left of it could not be looked at");
                let leader = self.session.leader();
                let kin = self.session.kin.borrow().iter().filter(|kin| **kin != leader).map(|kin| kin.pid).collect();
                self.advance(Event::Left(kin), now);
            }
        }
    }

    fn tell_end(&mut self, end: &End) {
        self.session.keep_left(&end.left);
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
