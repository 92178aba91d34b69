//! Services: which there are, what each instance does, and what happens next.
//!
//! The decisions are a pure machine's (`session::service::machine`); here they are recorded in the keeper's memory and
//! performed. One task waits for all timers. *Invariant:* a state is recorded before anything is done about it, so that the
//! daemon that comes next goes on where this one died, and starts nothing twice.

mod deaths;
mod definitions;
mod ending;
mod needs;
mod order;
mod probes;
mod resume;
mod scale;
mod store;
mod timers;
mod triggers;
mod unit;
mod watching;

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::task;

use crate::daemon::handler::starting;
use crate::daemon::hub::Hub;
use crate::daemon::session::Session;
use crate::platform::clock;
use crate::platform::failpoint;
use crate::protocol::verbs;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::service::machine::Effect;
use crate::session::service::machine::Event;
use crate::session::service::machine::Phase;
use crate::session::service::machine::Why;
use crate::session::status::End;

pub use self::definitions::Defined;
pub use self::needs::in_stop_order;
pub use self::needs::ranks;
pub use self::needs::run as run_needs;
pub use self::resume::resume;
pub use self::store::Store;
pub use self::store::beside;
pub use self::store::keep;
pub use self::store::keep_deaths;
pub use self::store::read;
pub use self::store::write;
pub use self::timers::run as run_timers;
pub use self::unit::Unit;

/// All services.
pub struct Services {
    /// Instances by the name of their session.
    units: RefCell<BTreeMap<String, Rc<Unit>>>,
    /// The same by session.
    by_session: RefCell<HashMap<SessionId, Rc<Unit>>>,
    timers: timers::Timers,
    watching: watching::Watching,
    /// What is on disk.
    pub store: Store,
    /// Rings whenever an instance changed its state.
    changed: Notify,
    /// The same, for who frees those that wait for others.
    moved: Notify,
    /// What was taken over has been looked at: from now on an end is an event.
    is_resumed: Cell<bool>,
    /// Ends when the newest new session has been asked for.
    turn: RefCell<Option<oneshot::Receiver<()>>>,
}

impl Services {
    /// Starts with none.
    pub fn new(store: Store) -> Self {
        Self {
            units: RefCell::default(),
            by_session: RefCell::default(),
            timers: timers::Timers::default(),
            watching: watching::Watching::default(),
            store,
            changed: Notify::new(),
            moved: Notify::new(),
            is_resumed: Cell::new(false),
            turn: RefCell::default(),
        }
    }

    /// Returns all instances, by name.
    pub fn units(&self) -> Vec<Rc<Unit>> {
        self.units.borrow().values().cloned().collect()
    }

    /// Returns the instance that a session is.
    pub fn of(&self, id: SessionId) -> Option<Rc<Unit>> {
        self.by_session.borrow().get(&id).cloned()
    }

    /// Returns an instance by its name.
    pub fn unit(&self, name: &str) -> Option<Rc<Unit>> {
        self.units.borrow().get(name).cloned()
    }

    /// Returns the instances of a service, by their numbers.
    pub fn instances(&self, service: &str) -> Vec<Rc<Unit>> {
        let units = self.units.borrow();
        let mut found: Vec<Rc<Unit>> = units.values().filter(|unit| unit.service() == service).cloned().collect();
        found.sort_unstable_by_key(|unit| unit.instance);
        found
    }

    /// Waits until this is true of an instance; it may be true already.
    pub async fn until(&self, unit: &Unit, is_true: impl Fn(&Unit) -> bool) {
        loop {
            let changed = self.changed.notified();
            if is_true(unit) {
                return;
            }
            changed.await;
        }
    }

    fn add(&self, unit: Rc<Unit>) {
        self.by_session.borrow_mut().insert(unit.id(), Rc::clone(&unit));
        self.units.borrow_mut().insert(unit.name.clone(), unit);
    }
}

impl Hub {
    /// Something happened to an instance.
    pub fn advance(self: &Rc<Self>, unit: &Rc<Unit>, event: Event) {
        self.advance_by(unit, event, None);
    }

    /// The same, by a request of this key whose maker tells the session itself to end.
    pub fn advance_by(self: &Rc<Self>, unit: &Rc<Unit>, event: Event, key: Option<RequestKey>) {
        let now = clock::monotonic_ns();
        let wanted = unit.machine.borrow().wanted;
        match &event {
            Event::Stop { why: Why::Stop, .. } => unit.is_paused.set(true),
            Event::Start { asked: true } | Event::Restart { why: Why::Restart, .. } => {
                unit.is_paused.set(false);
                self.services.store.is_clean.set(self.is_ending.get());
            }
            _ => {}
        }
        let effects = unit.machine.borrow_mut().on(event, &unit.rules.borrow(), now);
        for effect in &effects {
            if let Effect::Died { why, by } = effect {
                self.note_death(unit, *why, by);
            }
        }
        unit.record();
        if unit.machine.borrow().wanted != wanted || unit.is_dormant() {
            self.services.store.touch();
        }
        self.services.timers.set(&unit.name, unit.deadline());
        for effect in effects {
            match effect {
                Effect::Spawn => self.spawn_run(unit),
                Effect::Stop if key.is_none() => unit.stop_run(),
                Effect::Stop | Effect::Died { .. } => {}
                Effect::Await => self.await_needs(unit),
                Effect::Forget => self.forget_unit(unit),
            }
        }
        self.attend(unit);
        self.services.moved.notify_one();
        if unit.is_forgotten.get() {
            unit.leave();
            self.services.changed.notify_waiters();
        } else {
            self.show(unit);
        }
    }

    /// Tells everybody what an instance is doing.
    fn show(&self, unit: &Unit) {
        let status = unit.status();
        match &*unit.session.borrow() {
            Some(session) => session.status.borrow_mut().service = Some(status),
            None => self.registry.borrow_mut().show_dormant(unit.first_status(status)),
        }
        self.services.changed.notify_waiters();
        self.changed(unit.id());
    }

    /// Asks the keeper for a run.
    fn spawn_run(self: &Rc<Self>, unit: &Rc<Unit>) {
        let Phase::Starting { key, .. } = unit.machine.borrow().phase else { return };
        failpoint::hit(self.dir(), "service-starting");
        let other_kind = unit.session.borrow().clone().filter(|session| session.handover.kind != unit.kind());
        if let Some(session) = other_kind {
            // A terminal cannot become pipes: what it said goes with it.
            self.services.by_session.borrow_mut().remove(&session.id);
            unit.leave_journal();
            *unit.session.borrow_mut() = None;
            self.forget(session.id);
            self.services.by_session.borrow_mut().insert(unit.id(), Rc::clone(unit));
        }
        let mut order = order::order(self, unit, key);
        let held = unit.channels.ends();
        let session = unit.session.borrow().as_ref().map(|session| session.id);
        let (hub, unit) = (Rc::clone(self), Rc::clone(unit));
        let (turn, is_over) = oneshot::channel::<()>();
        let before = if session.is_none() { self.services.turn.replace(Some(is_over)) } else { None };
        task::spawn_local(async move {
            let spawned = if let Some(id) = session {
                hub.keeper.respawn((key, id), &order, &held).await
            } else {
                // What it said in the life of another keeper is on disk: this goes on there.
                let spec = unit.definition.borrow().spec.clone();
                let keeps = spec.log.disk && unit.is_own();
                if keeps && let Ok(base) = starting::go_on(&hub, &spec.journal_name(unit.instance)).await {
                    order.base = base;
                }
                // Ids are in the order of starts, however long each one's disk took.
                if let Some(before) = before {
                    let _ = before.await;
                }
                drop(turn);
                hub.keeper.spawn(key, &order, &held).await
            };
            if let Err((stage, errno)) = spawned {
                *unit.fault.borrow_mut() = Some((stage, errno));
                hub.advance(&unit, Event::NotSpawned(errno));
            }
        });
    }

    /// A session was adopted, or its program started again: if an instance asked for that, it runs now.
    pub fn run_began(self: &Rc<Self>, session: &Rc<Session>) {
        let Some(unit) = self.unit_of(session) else { return };
        let key = session.run.borrow().key;
        let is_asked = matches!(unit.machine.borrow().phase, Phase::Starting { key: asked, .. } if asked == key);
        if is_asked && self.services.is_resumed.get() {
            self.advance(&unit, Event::Spawned);
        } else {
            self.show(&unit);
        }
    }

    /// Returns the instance that a session is; one that an earlier daemon started is made from its facts.
    fn unit_of(self: &Rc<Self>, session: &Rc<Session>) -> Option<Rc<Unit>> {
        let supervised = session.facts.borrow().service.clone()?;
        let known = self.services.unit(&session.facts.borrow().name);
        let unit = known.unwrap_or_else(|| Rc::new(Unit::adopt(&session.facts.borrow().name, supervised)));
        if unit.is_dormant() {
            let dormant = unit.id();
            self.services.by_session.borrow_mut().remove(&dormant);
            self.registry.borrow_mut().remove(dormant);
            *unit.session.borrow_mut() = Some(Rc::clone(session));
            // The program may be started again: the end of its output is not the end of all output.
            session.go_on();
            session.status.borrow_mut().service = Some(unit.status());
            self.services.add(Rc::clone(&unit));
            self.succeed(dormant, session.id);
        }
        Some(unit)
    }

    /// The program of a session ended, and all of its tree that could be.
    pub fn run_ended(self: &Rc<Self>, id: SessionId, end: &End) {
        let Some(unit) = self.services.of(id).filter(|_| self.services.is_resumed.get()) else { return };
        self.advance(&unit, Event::Exited(end.status));
    }

    /// Somebody wants an instance down: its end is asked for with the very request, so that the same one never escalates
    /// and a second one does.
    pub fn stop_unit(self: &Rc<Self>, unit: &Rc<Unit>, by: &str, verb: &verbs::Stop, why: Why) {
        if unit.request.replace(verb.key) == verb.key && verb.key.0 != 0 {
            return;
        }
        self.advance_by(unit, Event::Stop { by: by.to_owned(), why }, Some(verb.key));
        if matches!(unit.machine.borrow().phase, Phase::Stopping { .. }) {
            let grace_ns = if verb.is_default { unit.grace().max(1) } else { verb.grace_ms.saturating_mul(1_000_000) };
            unit.ask_to_end(by.to_owned(), verb.key, grace_ns);
        }
    }

    /// Forgets an instance for good; with its last one goes the service.
    fn forget_unit(self: &Rc<Self>, unit: &Rc<Unit>) {
        self.services.timers.set(&unit.name, None);
        self.services.units.borrow_mut().remove(&unit.name);
        self.services.by_session.borrow_mut().remove(&unit.id());
        unit.is_forgotten.set(true);
        unit.leave_journal();
        self.services.watching.leave(&unit.name);
        self.services.store.forget((!unit.is_replaced.get()).then_some(&unit.name));
        self.forget(unit.id());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::path::PathBuf;
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;

    /// A folder that goes with its test.
    pub struct Folder(PathBuf);

    impl Folder {
        pub fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("runpm-services-{}-{n}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        pub fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
