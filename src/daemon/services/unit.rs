//! One instance of a service.

use std::cell::Cell;
use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::daemon::handler::starting;
use crate::daemon::journals::Heir;
use crate::daemon::services::order;
use crate::daemon::services::probes;
use crate::daemon::services::probes::Channels;
use crate::daemon::session::Session;
use crate::journal::name;
use crate::platform::clock;
use crate::protocol::error::WireError;
use crate::protocol::keeper::Stage;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::service::death::Death;
use crate::session::service::definition::Definition;
use crate::session::service::machine::Fault;
use crate::session::service::machine::Machine;
use crate::session::service::machine::Phase;
use crate::session::service::machine::Rules;
use crate::session::service::machine::Why;
use crate::session::service::status::ServiceState;
use crate::session::service::status::ServiceStatus;
use crate::session::spec::Kind;
use crate::session::spec::Supervised;
use crate::session::state::Nanos;
use crate::session::status::End;
use crate::session::status::How;
use crate::session::status::State;
use crate::session::status::Status;
use crate::session::text;

/// Ids of instances without a session start above any that a keeper gives, and above those of lost sessions.
const DORMANT_IDS: u64 = 2_000_000;

/// See the module.
pub struct Unit {
    /// Name of its session.
    pub name: String,
    /// Which one, from 0.
    pub instance: u32,
    /// What it is an instance of.
    pub definition: RefCell<Arc<Definition>>,
    /// What the machine knows of that.
    pub rules: RefCell<Rules>,
    /// What it does and what is wanted.
    pub machine: RefCell<Machine>,
    /// Its session, once it ran in this keeper's life.
    pub session: RefCell<Option<Rc<Session>>>,
    /// Deaths so far.
    pub died: Cell<u64>,
    /// The last request that changed what is wanted: it is not done twice.
    pub request: Cell<RequestKey>,
    /// Those that are not on disk yet, oldest first.
    pub unsaved: RefCell<Vec<Death>>,
    /// Why the last one was.
    pub last: Cell<Option<Why>>,
    /// Where and why the last start failed.
    pub fault: RefCell<Option<(Stage, i32)>>,
    /// What it said of itself.
    pub said: RefCell<Option<String>>,
    /// It was deleted.
    pub is_forgotten: Cell<bool>,
    /// Another instance takes its place: its deaths are kept.
    pub is_replaced: Cell<bool>,
    /// Its liveness last said so.
    pub is_well: Cell<bool>,
    /// What it waits for, in words.
    pub waits_for: RefCell<Option<String>>,
    /// The run that is looked after, by its start.
    pub attended: Cell<Option<Nanos>>,
    /// Who looks after it.
    pub tasks: RefCell<Vec<AbortHandle>>,
    /// Its stop command or keys are at work.
    pub is_asked: Cell<bool>,
    /// Somebody stopped it: its schedule rests.
    pub is_paused: Cell<bool>,
    /// Who looks after its schedule.
    pub schedule: RefCell<Option<AbortHandle>>,
    /// What it tells through.
    pub channels: Channels,
    /// When it last said that it is alive.
    pub watchdog: Cell<Option<Instant>>,
    /// How long this run says that it may be silent.
    pub silence: Cell<Option<Nanos>>,
    dormant: SessionId,
}

impl Unit {
    /// Makes one that never ran, with the name that fits its number.
    pub fn new(definition: Arc<Definition>, instance: u32) -> Self {
        let name = definition.spec.instance_name(instance);
        Self::named(definition, instance, name)
    }

    /// Makes one that never ran.
    pub fn named(definition: Arc<Definition>, instance: u32, name: String) -> Self {
        thread_local!(static NEXT: Cell<u64> = const { Cell::new(DORMANT_IDS) });
        let dormant = NEXT.with(|next| next.replace(next.get() + 1));
        // Time and place: keys must not be those of an earlier life.
        let seed = clock::wall_ms() << 20 ^ u64::from(std::process::id()) << 44 ^ dormant;
        Self {
            name,
            instance,
            rules: RefCell::new(Rules::of(&definition.spec)),
            definition: RefCell::new(definition),
            machine: RefCell::new(Machine::new(seed)),
            session: RefCell::default(),
            died: Cell::default(),
            request: Cell::default(),
            unsaved: RefCell::default(),
            last: Cell::default(),
            fault: RefCell::default(),
            said: RefCell::default(),
            is_forgotten: Cell::default(),
            is_replaced: Cell::default(),
            is_well: Cell::default(),
            waits_for: RefCell::default(),
            attended: Cell::default(),
            tasks: RefCell::default(),
            is_asked: Cell::default(),
            is_paused: Cell::default(),
            schedule: RefCell::default(),
            channels: Channels::default(),
            watchdog: Cell::default(),
            silence: Cell::default(),
            dormant: SessionId(dormant),
        }
    }

    /// Makes one from what the keeper kept.
    pub fn adopt(name: &str, supervised: Supervised) -> Self {
        let Supervised { definition, instance, machine, died, request, paused, deaths, said, silence } = supervised;
        let unit = Self { machine: RefCell::new(machine), ..Self::named(definition, instance, name.to_owned()) };
        unit.died.set(died);
        unit.request.set(request);
        unit.is_paused.set(paused);
        unit.last.set(deaths.last().map(|death| death.why));
        *unit.unsaved.borrow_mut() = deaths;
        *unit.said.borrow_mut() = said;
        unit.silence.set(silence);
        unit
    }

    /// Makes the same under another name; the old one has to be forgotten.
    pub fn renamed(&self, name: &str) -> Self {
        let fresh = Self::adopt(name, self.supervised());
        *fresh.session.borrow_mut() = self.session.borrow_mut().take();
        fresh.last.set(self.last.get());
        fresh.channels.take_over(&self.channels);
        fresh
    }

    /// Returns the full name of its service.
    pub fn service(&self) -> String {
        self.definition.borrow().spec.full_name()
    }

    /// Returns its id: that of its session, or a stand-in.
    pub fn id(&self) -> SessionId {
        self.session.borrow().as_ref().map_or(self.dormant, |session| session.id)
    }

    /// Nobody looks after it any more.
    pub fn leave_tasks(&self) {
        for task in self.tasks.take() {
            task.abort();
        }
    }

    /// What it said of itself was another run's.
    pub fn forget_said(&self) {
        *self.said.borrow_mut() = None;
        self.silence.set(None);
    }

    /// Takes what the keeper held for its run.
    pub fn take_held(&self) -> Vec<OwnedFd> {
        self.session.borrow().as_ref().map(|session| session.held.take()).unwrap_or_default()
    }

    /// Nobody looks after it any more, and nobody has: another instance goes on in its place.
    pub fn leave(&self) {
        self.leave_tasks();
        self.attended.set(None);
        if let Some(task) = self.schedule.take() {
            task.abort();
        }
    }

    /// Returns the key of its run, or of its last one.
    pub fn run_key(&self) -> RequestKey {
        self.session.borrow().as_ref().map_or(RequestKey(0), |session| session.run.borrow().key)
    }

    /// Its run is over: nothing is heard of it any more.
    pub fn close_channels(&self, folder: &Path) {
        let definition = self.definition.borrow();
        if probes::has_socket(&definition.spec) || probes::has_pipe(&definition.spec) {
            self.channels.close(folder, self.run_key());
        }
    }

    /// Returns the folder of its service's journal.
    pub fn own_journal(&self) -> String {
        name::of_service(&self.definition.borrow().spec.journal_name(self.instance))
    }

    /// Returns the folder of its session's journal.
    pub fn journal(&self) -> Option<String> {
        Some(self.session.borrow().as_ref()?.journal.as_ref()?.folder.clone())
    }

    /// Returns whether it is the instance of its name, and not one beside it.
    pub fn is_own(&self) -> bool {
        self.name == self.definition.borrow().spec.instance_name(self.instance)
    }

    /// Its session is going to be forgotten: says whose its journal is then.
    pub fn leave_journal(&self) {
        let session = self.session.borrow();
        let Some(journal) = session.as_ref().and_then(|session| session.journal.as_ref()) else { return };
        *journal.heir.borrow_mut() = match (self.is_replaced.get(), self.is_own()) {
            (true, _) => Heir::Session,
            (false, true) => Heir::Service(self.own_journal()),
            (false, false) => Heir::Nobody,
        };
    }

    /// Returns whether it has no session.
    pub fn is_dormant(&self) -> bool {
        self.session.borrow().is_none()
    }

    /// Returns whether it has a terminal.
    pub fn kind(&self) -> Kind {
        self.definition.borrow().spec.kind
    }

    /// Returns how long its end may take.
    pub fn grace(&self) -> Nanos {
        self.definition.borrow().spec.stop.grace
    }

    /// Returns when its timer is due.
    pub fn deadline(&self) -> Option<Nanos> {
        self.machine.borrow().deadline(&self.rules.borrow())
    }

    /// Returns whether nothing will happen by itself.
    pub fn is_settled(&self) -> bool {
        self.is_forgotten.get() || self.machine.borrow().is_settled()
    }

    /// Returns whether a start that was asked for has come to something.
    pub fn has_started(&self) -> bool {
        !matches!(self.machine.borrow().phase, Phase::Starting { .. } | Phase::Stopping { .. })
            || self.is_forgotten.get()
    }

    /// Returns whether it is ready, or will not be soon.
    pub fn is_decided(&self) -> bool {
        let phase = &self.machine.borrow().phase;
        self.is_forgotten.get()
            || !matches!(
                phase,
                Phase::Starting { .. } | Phase::Stopping { .. } | Phase::Waiting | Phase::Up { ready: false, .. }
            )
    }

    /// Returns what the keeper keeps of it.
    pub fn supervised(&self) -> Supervised {
        Supervised {
            definition: Arc::clone(&self.definition.borrow()),
            instance: self.instance,
            machine: self.machine.borrow().clone(),
            died: self.died.get(),
            request: self.request.get(),
            paused: self.is_paused.get(),
            deaths: self.unsaved.borrow().clone(),
            said: self.said.borrow().clone(),
            silence: self.silence.get(),
        }
    }

    /// Writes down what it does, in the keeper's memory.
    pub fn record(&self) {
        if let Some(session) = &*self.session.borrow() {
            session.facts.borrow_mut().service = Some(self.supervised());
            session.put_facts();
        }
    }

    /// Returns what may be seen of it.
    pub fn status(&self) -> ServiceStatus {
        let machine = self.machine.borrow();
        let definition = self.definition.borrow();
        let (next_start_ms, up_since_ms) = match machine.phase {
            Phase::Backoff { at } | Phase::CrashLoop { at } => {
                let left = at.saturating_sub(clock::monotonic_ns());
                (clock::wall_ms() + left / 1_000_000, 0)
            }
            Phase::Up { since, .. } => (0, clock::wall_of(since)),
            _ => (0, 0),
        };
        ServiceStatus {
            service: definition.spec.full_name(),
            namespace: definition.spec.namespace.clone(),
            instance: self.instance,
            state: state_of(&machine.phase, self.rules.borrow().tells_ready),
            wanted: machine.wanted,
            goes_on: machine.goes_on(),
            restarts: machine.restarts,
            attempt: machine.attempt,
            next_start_ms,
            up_since_ms,
            last: self.last.get(),
            reason: self.reason(&machine.phase),
            said: self.said.borrow().clone(),
        }
    }

    fn reason(&self, phase: &Phase) -> Option<String> {
        match phase {
            Phase::Failed { fault: Fault::GaveUp } => Some("it crashed too often".to_owned()),
            Phase::Up { ready: false, .. } => {
                let definition = self.definition.borrow();
                let awaited = definition.spec.readiness.as_ref().map(|readiness| readiness.probe.awaited())?;
                Some(format!("not ready yet, it waits for {awaited}"))
            }
            Phase::Waiting => self.waits_for.borrow().clone(),
            Phase::Failed { .. } => self.start_fault().map(|error| error.message),
            _ => None,
        }
    }

    /// Returns why its last start failed, and what to do.
    pub fn start_fault(&self) -> Option<WireError> {
        let (stage, errno) = (*self.fault.borrow())?;
        let spec = &self.definition.borrow().spec;
        let program = spec.command.argv().first().cloned().unwrap_or_default();
        Some(starting::cannot_start(stage, errno, &program, &spec.cwd))
    }

    /// Returns the row of one without a session.
    pub fn first_status(&self, service: ServiceStatus) -> Status {
        let spec = &self.definition.borrow().spec;
        let argv = spec.command.argv();
        let how = if service.last == Some(Why::Lost) { How::Lost } else { How::Stopped };
        let end = End { status: None, how, by: None, at_ms: 0, left: Vec::new() };
        Status {
            id: self.dormant,
            name: self.name.clone(),
            kind: spec.kind,
            state: State::Ended { end },
            command: text::shorten(&text::quote(&argv), order::SHOWN),
            argv: argv.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect(),
            cwd: String::from_utf8_lossy(&spec.cwd).into_owned(),
            pid: 0,
            size: spec.size,
            size_owner: crate::session::sizing::SizeOwner::default(),
            merged: false,
            started_ms: 0,
            output_ms: 0,
            output_bytes: 0,
            oldest: 0,
            attached: Vec::new(),
            title: None,
            tags: spec.tags.clone(),
            originator: None,
            service: Some(service),
            journal: None,
        }
    }
}

fn state_of(phase: &Phase, tells_ready: bool) -> ServiceState {
    match phase {
        Phase::Stopped => ServiceState::Stopped,
        Phase::Waiting => ServiceState::Waiting,
        Phase::Starting { .. } | Phase::Up { ready: false, .. } => ServiceState::Starting,
        Phase::Up { .. } if tells_ready => ServiceState::Ready,
        Phase::Up { .. } => ServiceState::Up,
        Phase::Stopping { .. } => ServiceState::Stopping,
        Phase::Backoff { .. } => ServiceState::Backoff,
        Phase::CrashLoop { .. } => ServiceState::CrashLoop,
        Phase::Exited => ServiceState::Exited,
        Phase::Failed { .. } => ServiceState::Failed,
    }
}
