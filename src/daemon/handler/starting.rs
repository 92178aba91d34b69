//! Starting a session: the client's wish becomes the keeper's order.

use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use serde_bytes::ByteBuf;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::hub;
use crate::daemon::hub::Hub;
use crate::daemon::session::Session;
use crate::daemon::session::tag;
use crate::journal::name;
use crate::platform::clock;
use crate::platform::failpoint;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::Stage;
use crate::protocol::message;
use crate::protocol::verbs;
use crate::session::environment;
use crate::session::journal;
use crate::session::journal::JournalFacts;
use crate::session::originator;
use crate::session::sizing::SizeOwner;
use crate::session::spec;
use crate::session::spec::Facts;

pub(super) async fn run(context: &Rc<Context>, verb: verbs::Run) -> Answer<verbs::Run> {
    start(&context.hub, verb).await
}

/// Starts a session for whoever asks; a key that was used answers with the session it started.
pub(in crate::daemon) async fn start(hub: &Rc<Hub>, verb: verbs::Run) -> Answer<verbs::Run> {
    let started = |session: &Session| verbs::Started {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        pid: session.leader().pid,
    };
    if let Some(session) = hub.registry.borrow().by_key(verb.key) {
        return Ok(started(&session));
    }
    if hub.is_ending.get() {
        return Err(WireError::new(Code::ShuttingDown, "the daemon is shutting down"));
    }
    let mut order = order(hub, &verb)?;
    if let Some(service) = verb.spec.journal.as_ref().and_then(|journal| journal.service.as_ref()) {
        order.base = go_on(hub, service).await?;
    }
    let program = order.launch.argv.first().cloned().unwrap_or_default();
    let directory = order.launch.cwd.clone();
    if verb.follows {
        hub.followed.borrow_mut().insert(verb.key);
    }
    let id = hub.keeper.spawn(verb.key, &order, &[]).await;
    failpoint::hit(hub.dir(), "spawned-unanswered");
    hub.followed.borrow_mut().remove(&verb.key);
    let id = id.map_err(|(stage, errno)| cannot_start(stage, errno, &program, &directory))?;
    let session = hub.registry.borrow().get(id);
    session.map(|session| started(&session)).ok_or_else(|| WireError::new(Code::Failed, "the session was gone at once"))
}

/// Turns a client's wish into the keeper's order.
fn order(hub: &Hub, verb: &verbs::Run) -> Result<Order, WireError> {
    let spec = &verb.spec;
    let Some(program) = spec.launch.argv.first().filter(|program| !program.is_empty()) else {
        return Err(WireError::new(Code::Invalid, "there is no command to run"));
    };
    if spec.launch.argv.iter().chain([&spec.launch.cwd]).any(|bytes| bytes.contains(&0)) {
        return Err(WireError::new(Code::Invalid, "a NUL byte cannot be part of a command or its directory"));
    }
    check_environment(spec)?;
    let name = name_of(hub, spec, program)?;
    let agent_link = agent_link(hub, verb);
    let tag = tag(verb.key);
    let originator = originator_of(spec)?.unwrap_or_default();
    let mut ours: Vec<(&str, &[u8])> = vec![("RUNPM_SESSION", &tag)];
    ours.extend((!originator.is_empty()).then_some(("RUNPM_ORIGINATOR", originator.as_bytes())));
    ours.extend(agent_link.as_ref().map(|link| ("SSH_AUTH_SOCK", link.as_slice())));
    let name_on_disk = name.clone();
    let facts = Facts {
        name,
        kind: spec.kind,
        merged: spec.merge && spec.kind == spec::Kind::Pipe,
        size: spec.size,
        size_owner: SizeOwner::default(),
        shared: false,
        argv: spec.launch.argv.clone(),
        cwd: spec.launch.cwd.clone(),
        tags: spec.tags.clone(),
        originator: Some(originator.clone()).filter(|text| !text.is_empty()),
        started_ms: clock::wall_ms(),
        asked: None,
        agent_link: agent_link.clone(),
        strays: Vec::new(),
        left: Vec::new(),
        run: 0,
        service: None,
        journal: journal_of(hub, verb, &name_on_disk)?,
        flushed: None,
    };
    let mut launch = spec.launch.clone();
    launch.env = spec::environment(&launch.env, spec.kind, &ours);
    environment::change(&mut launch.env, &spec.overlay);
    let ring = if spec.history == 0 { hub.settings().sessions.history.0 } else { spec.history };
    Ok(Order {
        kind: spec.kind,
        merge: spec.merge,
        size: spec.size,
        ring,
        base: 0,
        launch,
        facts: ByteBuf::from(message::encode(&facts)),
        nice: None,
    })
}

/// Who asked for it: as given, else what started the client in its turn.
fn originator_of(spec: &spec::Spec) -> Result<Option<String>, WireError> {
    let Some(given) = &spec.originator else {
        let entry = spec.launch.env.iter().find_map(|entry| entry.strip_prefix(b"RUNPM_ORIGINATOR="));
        let inherited = entry.and_then(|text| std::str::from_utf8(text).ok()).map(str::to_owned);
        return Ok(inherited.filter(|text| originator::fault(text).is_none()));
    };
    match originator::fault(given) {
        Some(fault) => Err(WireError::new(Code::Invalid, format!("{given:?} cannot be an originator: {fault}"))
            .hint("write TOOL or TOOL:PID")),
        None => Ok(Some(given.clone())),
    }
}

/// A service goes on where its journal ends, also with another keeper; one session at a time writes it.
pub(in crate::daemon) async fn go_on(hub: &Hub, service: &str) -> Result<u64, WireError> {
    let folder = name::of_service(service);
    let is_same = |session: &Rc<Session>| session.journal.as_ref().is_some_and(|journal| journal.folder == folder);
    let before: Vec<Rc<Session>> =
        hub.registry.borrow().sessions().filter(|session| is_same(session)).cloned().collect();
    for session in before {
        if session.status.borrow().end().is_none() {
            let message =
                format!("the journal of service {service} is written by session {}", session.facts.borrow().name);
            return Err(WireError::new(Code::Invalid, message).hint("stop that session first"));
        }
        hub.journals.close(session.id);
    }
    Ok(hub.journals.end_of(&folder).await)
}

/// Decides where the journal is, and how large it gets.
fn journal_of(hub: &Hub, verb: &verbs::Run, name: &str) -> Result<Option<JournalFacts>, WireError> {
    let Some(wish) = &verb.spec.journal else { return Ok(None) };
    let segment = if wish.segment == 0 { hub.settings().journal.segment.0 } else { wish.segment };
    let segments = if wish.segments == 0 { hub.settings().journal.segments } else { wish.segments };
    if segment < journal::MIN_SEGMENT {
        let message = format!("a segment of a journal cannot have {segment} bytes");
        return Err(WireError::new(Code::Invalid, message).hint("choose a size of at least 64K"));
    }
    let own = || name::of_session(name, verb.key.0);
    let folder = wish.service.as_deref().map_or_else(own, name::of_service);
    Ok(Some(JournalFacts { folder, segment, segments }))
}

/// Refuses what no environment can hold, and a change of the mark by which a session's processes are found.
fn check_environment(spec: &spec::Spec) -> Result<(), WireError> {
    let entries = spec.launch.env.iter().map(|entry| (entry, environment::fault(entry, false)));
    let changes = spec.overlay.iter().map(|change| {
        let is_mark = environment::name_of(change) == b"RUNPM_SESSION";
        let fault = is_mark.then_some("it marks the session's processes and cannot be changed");
        (change, environment::fault(change, true).or(fault))
    });
    for (entry, fault) in entries.chain(changes) {
        if let Some(fault) = fault {
            // The name only: values may be secrets.
            let name = crate::session::text::shorten(&crate::session::text::quote(&[environment::name_of(entry)]), 80);
            let message = format!("the environment entry {name} cannot be used: {fault}");
            return Err(WireError::new(Code::Invalid, message).hint("write NAME=VALUE"));
        }
    }
    Ok(())
}

/// Gives a session its stable link; it dangles until somebody brings an agent. An environment that was cleared stays so.
fn agent_link(hub: &Hub, verb: &verbs::Run) -> Option<ByteBuf> {
    let env = &verb.spec.launch.env;
    if env.is_empty() {
        return None;
    }
    let link = hub.agent_link(verb.key);
    if let Some(agent) = env.iter().find_map(|entry| entry.strip_prefix(b"SSH_AUTH_SOCK=")) {
        hub::point(&link, agent);
    }
    Some(ByteBuf::from(link.as_os_str().as_bytes()))
}

fn name_of(hub: &Hub, spec: &spec::Spec, program: &[u8]) -> Result<String, WireError> {
    let registry = hub.registry.borrow();
    let Some(name) = &spec.name else {
        let names = registry.names();
        return Ok(spec::name_from(program, |name| names.contains(name)));
    };
    if let Some(fault) = spec::name_fault(name) {
        return Err(WireError::new(Code::Invalid, format!("{name:?} cannot be a name: {fault}")));
    }
    drop(registry);
    // What is left of a session on disk is no reason to refuse the next one of its name.
    hub.registry.borrow_mut().rename_left(name);
    if hub.registry.borrow().has_name(name) {
        let hint = format!("choose another name, attach to it (`rpm attach {name}`) or remove it (`rpm rm {name}`)");
        return Err(WireError::new(Code::NameTaken, format!("there is a session called {name} already")).hint(hint));
    }
    Ok(name.clone())
}

pub(in crate::daemon) fn cannot_start(stage: Stage, errno: i32, program: &[u8], directory: &[u8]) -> WireError {
    let reason = std::io::Error::from_raw_os_error(errno).to_string();
    let reason = reason.split(" (os error").next().unwrap_or_default().to_lowercase();
    let program = crate::session::text::quote(&[program]);
    let directory = crate::session::text::quote(&[directory]);
    let (message, hint) = match (stage, errno) {
        (Stage::Exec, libc::ENOENT) => (
            format!("cannot start {program}: command not found, or its interpreter is missing"),
            Some("check the spelling and PATH"),
        ),
        (Stage::Exec, libc::EACCES) => {
            (format!("cannot start {program}: it is not executable"), Some("chmod +x it, or name its interpreter"))
        }
        (Stage::Exec, libc::ENOEXEC) => {
            (format!("cannot start {program}: it is no program"), Some("a script needs a first line such as #!/bin/sh"))
        }
        (Stage::Exec, _) => (format!("cannot start {program}: {reason}"), None),
        (Stage::Directory, _) => {
            (format!("cannot start {program} in {directory}: {reason}"), Some("choose another directory with --cwd"))
        }
        (Stage::Terminal, libc::ENOSPC) => {
            ("no terminals are left".to_owned(), Some("raise the sysctl kernel.pty.max, or end some sessions"))
        }
        (Stage::Fork, libc::EAGAIN) => (
            format!("cannot start {program}: the limit of processes is reached"),
            Some("end something, or raise `ulimit -u`"),
        ),
        (stage, _) => (format!("cannot start {program}: {reason} (at stage {stage:?}, error {errno})"), None),
    };
    let code = match (stage, errno) {
        (Stage::Exec, libc::ENOENT) => Code::CommandNotFound,
        _ => Code::CannotStart,
    };
    WireError { code, message, hint: hint.map(str::to_owned) }
}
