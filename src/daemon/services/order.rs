//! From a definition to what the keeper is to start.

use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use serde_bytes::ByteBuf;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::daemon::services::probes;
use crate::daemon::session::tag;
use crate::journal::name;
use crate::platform::clock;
use crate::platform::limits;
use crate::protocol::keeper::Order;
use crate::protocol::message;
use crate::session::environment;
use crate::session::id::RequestKey;
use crate::session::journal::JournalFacts;
use crate::session::journal::MIN_SEGMENT;
use crate::session::service::definition::Definition;
use crate::session::service::probe::Liveness;
use crate::session::service::probe::Probe;
use crate::session::service::probe::Readiness;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;
use crate::session::sizing::SizeOwner;
use crate::session::spec;
use crate::session::spec::Facts;
use crate::session::spec::Launch;
use crate::session::spec::Limit;

/// Bytes of a command that are shown.
pub const SHOWN: usize = 512;

/// Makes the order of one run.
pub fn order(hub: &Hub, unit: &Rc<Unit>, key: RequestKey) -> Order {
    let definition = unit.definition.borrow();
    let spec = &definition.spec;
    // A terminal keeps the size that it has by now.
    let size = unit.session.borrow().as_ref().map_or(spec.size, |session| session.status.borrow().size);
    let mut launch = launch_of(&definition, unit, key);
    unit.channels.prepare(hub.dir(), key, spec, Vec::new());
    if let Some(Readiness { probe: Probe::Fd(number), .. }) = &spec.readiness {
        launch.argv = probes::wrap(launch.argv, *number, &probes::pipe_path(hub.dir(), key));
    }
    if probes::has_socket(spec) {
        let path = probes::socket_path(hub.dir(), key);
        launch.env.push(environment::entry(b"NOTIFY_SOCKET", path.as_os_str().as_bytes()));
    }
    if let Some(Liveness { probe: Probe::Watchdog(most), .. }) = &spec.liveness {
        launch.env.push(environment::entry(b"WATCHDOG_USEC", (most / 1000).max(1).to_string().as_bytes()));
    }
    let facts = Facts {
        name: unit.name.clone(),
        kind: spec.kind,
        size: spec.size,
        size_owner: SizeOwner::default(),
        argv: spec.command.argv(),
        cwd: launch.cwd.clone(),
        tags: spec.tags.clone(),
        started_ms: clock::wall_ms(),
        service: Some(unit.supervised()),
        journal: journal(spec, unit, key),
        ..Facts::default()
    };
    Order {
        kind: spec.kind,
        merge: false,
        size,
        ring: hub.settings().sessions.history.0,
        launch,
        facts: ByteBuf::from(message::encode(&facts)),
        base: room_before(hub, unit),
        nice: spec.nice,
    }
}

/// Returns where the history of an instance beside another one begins: what that one has on disk by its end is put before it.
fn room_before(hub: &Hub, unit: &Unit) -> u64 {
    let name = unit.definition.borrow().spec.instance_name(unit.instance);
    let old = hub.services.unit(&name).filter(|_| !unit.is_own());
    let session = old.and_then(|old| old.session.borrow().clone());
    let room = session.map(|session| {
        let facts = session.facts.borrow();
        let most = facts.journal.as_ref().map(|journal| journal.segment.saturating_mul(journal.segments.into()));
        most.map_or(0, |most| most.max(session.history.head()))
    });
    room.unwrap_or(0)
}

/// Where what an instance says is kept on disk; it keeps that over sessions and keepers.
fn journal(spec: &ServiceSpec, unit: &Unit, key: RequestKey) -> Option<JournalFacts> {
    // Beside the one that it replaces a fresh instance writes into a place of its own.
    let own = || name::of_service(&spec.journal_name(unit.instance));
    let folder = if unit.is_own() { own() } else { name::of_session(&unit.name, key.0) };
    let log = spec.log;
    // The cap of all is one of segments, too.
    let segments = u64::from(log.segments).min(log.total / log.segment.max(1)).max(1);
    let facts = JournalFacts {
        folder,
        segment: log.segment.max(MIN_SEGMENT),
        segments: u32::try_from(segments).unwrap_or(u32::MAX),
    };
    log.disk.then_some(facts)
}

/// Returns what a command gets that is run for an instance, as its own program.
pub fn launch(unit: &Unit) -> Launch {
    launch_of(&unit.definition.borrow(), unit, unit.run_key())
}

fn launch_of(definition: &Definition, unit: &Unit, key: RequestKey) -> Launch {
    let spec = &definition.spec;
    let tag = tag(key);
    let (number, name) = (unit.instance.to_string(), spec.full_name());
    let mut ours: Vec<(&str, &[u8])> = vec![("RUNPM_SESSION", &tag), ("RUNPM_SERVICE", name.as_bytes())];
    if !spec.instance_var.is_empty() {
        ours.push((&spec.instance_var, number.as_bytes()));
    }
    let mut limits = if definition.limits.is_empty() { limits::login() } else { definition.limits.clone() };
    for limit in &spec.limits {
        let resource = limits::number_of(limit.resource);
        limits.retain(|other| other.resource != resource);
        limits.push(Limit { resource, soft: limit.soft, hard: limit.hard });
    }
    Launch {
        argv: spec.command.argv(),
        env: environment(spec, &ours),
        cwd: spec.cwd.clone(),
        umask: spec.umask.unwrap_or(definition.umask),
        limits,
    }
}

/// Inherited variables first, then ours, then what was said in so many words.
fn environment(spec: &ServiceSpec, ours: &[(&str, &[u8])]) -> Vec<ByteBuf> {
    let entry = |variable: &Variable| match &variable.value {
        Some(value) => environment::entry(&variable.name, value),
        None => variable.name.clone(),
    };
    let is_ours = |variable: &&Variable| *variable.name == *b"RUNPM_SESSION";
    let (inherited, said): (Vec<&Variable>, Vec<&Variable>) = spec
        .env
        .iter()
        .filter(|variable| !is_ours(variable))
        .partition(|variable| variable.origin == Origin::Inherited);
    let mut env = Vec::new();
    environment::change(&mut env, &inherited.into_iter().map(entry).collect::<Vec<_>>());
    let mut env = spec::environment(&env, spec.kind, ours);
    environment::change(&mut env, &said.into_iter().map(entry).collect::<Vec<_>>());
    env
}
