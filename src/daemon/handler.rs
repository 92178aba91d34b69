//! From a verb's name to what it does: one function a verb.
#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all handlers have the shape that the table calls"
)]

use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use serde_bytes::ByteBuf;
use tokio::sync::oneshot;
use tokio::task;

use crate::daemon::connection::Channel;
use crate::daemon::connection::Context;
use crate::daemon::follow::Follow;
use crate::daemon::hub;
use crate::daemon::logs;
use crate::daemon::session::AttachReply;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::daemon::session::tag;
use crate::platform::clock;
use crate::platform::failpoint;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::Stage;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::message;
use crate::protocol::message::Reply;
use crate::protocol::message::Request;
use crate::protocol::message::Verb;
use crate::protocol::verbs;
use crate::protocol::verbs::Done;
use crate::session::id::SessionId;
use crate::session::spec;
use crate::session::spec::Facts;
use crate::session::status::State;

type Answer<V> = Result<<V as Verb>::Reply, WireError>;

/// Answers one request.
pub async fn handle(context: Rc<Context>, request: Request) {
    let result = dispatch(&context, &request).await;
    let (body, error) = match result {
        Ok(body) => (Some(ByteBuf::from(body)), None),
        Err(error) => (None, Some(error)),
    };
    // An attachment has replied already: its bytes must not overtake the reply.
    if error.is_some() || body.as_ref().is_some_and(|body| !body.is_empty()) {
        context.client.outbox.reply(&Reply { id: request.id, body, error });
    }
}

async fn dispatch(context: &Rc<Context>, request: &Request) -> Result<Vec<u8>, WireError> {
    macro_rules! verbs {
        (at once { $($verb:ident => $handler:expr,)* } later { $($slow:ident => $waits:expr,)* }) => {
            match request.verb.as_str() {
                $(verbs::$verb::NAME => {
                    let reply: Answer<verbs::$verb> = $handler(context, decode(request)?);
                    reply.map(|reply| message::encode(&reply))
                })*
                $(verbs::$slow::NAME => {
                    let reply: Answer<verbs::$slow> = $waits(context, decode(request)?).await;
                    reply.map(|reply| message::encode(&reply))
                })*
                verbs::Attach::NAME => attach(context, request.id, decode(request)?).await.map(|()| Vec::new()),
                verbs::Logs::NAME => follow_logs(context, request.id, decode(request)?).map(|()| Vec::new()),
                other => Err(unsupported(other)),
            }
        };
    }
    verbs! {
        at once {
        List => list,
        Subscribe => subscribe,
        DaemonStatus => status,
        Release => release,
        Detach => detach,
        Resize => resize,
        Remove => remove,
        } later {
        Run => run,
        Watch => watch,
        Take => take,
        Send => send,
        Stop => stop,
        ScreenOf => screen,
        Shutdown => shutdown,
        }
    }
}

fn decode<V: Verb>(request: &Request) -> Result<V, WireError> {
    message::decode(&request.body)
        .map_err(|_| WireError::new(Code::Invalid, format!("the body of `{}` cannot be read", V::NAME)))
}

fn unsupported(verb: &str) -> WireError {
    let verb: String = verb.chars().filter(char::is_ascii_graphic).take(40).collect();
    WireError::new(
        Code::Unsupported,
        format!("this daemon (version {}) does not know `{verb}`", env!("CARGO_PKG_VERSION")),
    )
    .hint("it is older than this `rpm`; its sessions go on running")
}

fn find(context: &Context, target: &str) -> Result<Rc<Session>, WireError> {
    let registry = context.hub.registry.borrow();
    let id = registry.one(target)?;
    registry.get(id).ok_or_else(|| {
        WireError::new(Code::Ended, format!("session {target} was lost when its keeper died"))
            .hint("`rpm rm` forgets it")
    })
}

fn list(context: &Rc<Context>, verb: verbs::List) -> Answer<verbs::List> {
    let registry = context.hub.registry.borrow();
    if verb.targets.is_empty() {
        return Ok(verbs::Listing { sessions: registry.statuses() });
    }
    let ids = registry.select(&verb.targets)?;
    Ok(verbs::Listing { sessions: ids.into_iter().filter_map(|id| registry.status(id)).collect() })
}

fn subscribe(context: &Rc<Context>, _verb: verbs::Subscribe) -> Answer<verbs::Subscribe> {
    context.peer.is_subscribed.set(true);
    Ok(verbs::Listing { sessions: context.hub.registry.borrow().statuses() })
}

fn status(context: &Rc<Context>, _verb: verbs::DaemonStatus) -> Answer<verbs::DaemonStatus> {
    Ok(context.hub.report())
}

async fn run(context: &Rc<Context>, verb: verbs::Run) -> Answer<verbs::Run> {
    let hub = &context.hub;
    let started = |session: &Session| verbs::Started {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        pid: session.handover.pid,
    };
    if let Some(session) = hub.registry.borrow().by_key(verb.key) {
        return Ok(started(&session));
    }
    if hub.is_ending.get() {
        return Err(WireError::new(Code::ShuttingDown, "the daemon is shutting down"));
    }
    let order = order(context, &verb)?;
    let program = order.launch.argv.first().cloned().unwrap_or_default();
    let directory = order.launch.cwd.clone();
    if verb.follows {
        hub.followed.borrow_mut().insert(verb.key);
    }
    let id = hub.keeper.spawn(verb.key, &order).await;
    failpoint::hit(hub.dir(), "spawned-unanswered");
    hub.followed.borrow_mut().remove(&verb.key);
    let id = id.map_err(|(stage, errno)| cannot_start(stage, errno, &program, &directory))?;
    let session = hub.registry.borrow().get(id);
    session.map(|session| started(&session)).ok_or_else(|| WireError::new(Code::Failed, "the session was gone at once"))
}

/// Turns a client's wish into the keeper's order.
fn order(context: &Context, verb: &verbs::Run) -> Result<Order, WireError> {
    let spec = &verb.spec;
    let Some(program) = spec.launch.argv.first().filter(|program| !program.is_empty()) else {
        return Err(WireError::new(Code::Invalid, "there is no command to run"));
    };
    let env = spec.launch.env.iter().chain(&spec.overlay);
    let all = spec.launch.argv.iter().chain(env).chain([&spec.launch.cwd]);
    if all.into_iter().any(|bytes| bytes.contains(&0)) {
        return Err(WireError::new(
            Code::Invalid,
            "a NUL byte cannot be part of a command, its environment or its directory",
        ));
    }
    let hub = &context.hub;
    let name = name_of(context, spec, program)?;
    let agent_link = agent_link(hub, verb);
    let tag = tag(verb.key);
    let originator = spec.originator.clone().unwrap_or_default();
    let mut ours: Vec<(&str, &[u8])> = vec![("RUNPM_SESSION", tag.rsplit(|b| *b == b'=').next().unwrap_or_default())];
    ours.extend((!originator.is_empty()).then_some(("RUNPM_ORIGINATOR", originator.as_bytes())));
    ours.extend(agent_link.as_ref().map(|link| ("SSH_AUTH_SOCK", link.as_slice())));
    let facts = Facts {
        name,
        kind: spec.kind,
        size: spec.size,
        argv: spec.launch.argv.clone(),
        cwd: spec.launch.cwd.clone(),
        tags: spec.tags.clone(),
        originator: spec.originator.clone(),
        started_ms: clock::wall_ms(),
        asked: None,
        agent_link: agent_link.clone(),
    };
    let mut launch = spec.launch.clone();
    launch.env = spec::environment(&launch.env, spec.kind, &ours);
    launch.env.extend(spec.overlay.iter().cloned());
    let ring = if spec.history == 0 { crate::history::layout::DEFAULT_RING as u64 } else { spec.history };
    Ok(Order { kind: spec.kind, size: spec.size, ring, launch, facts: ByteBuf::from(message::encode(&facts)) })
}

/// Gives a session its stable link; it dangles until somebody brings an agent. An environment that was cleared stays so.
fn agent_link(hub: &hub::Hub, verb: &verbs::Run) -> Option<ByteBuf> {
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

fn name_of(context: &Context, spec: &spec::Spec, program: &[u8]) -> Result<String, WireError> {
    let registry = context.hub.registry.borrow();
    let Some(name) = &spec.name else { return Ok(spec::name_from(program, |name| registry.has_name(name))) };
    if let Some(fault) = spec::name_fault(name) {
        return Err(WireError::new(Code::Invalid, format!("{name:?} cannot be a name: {fault}")));
    }
    if registry.has_name(name) {
        let hint = format!("choose another name, attach to it (`rpm attach {name}`) or remove it (`rpm rm {name}`)");
        return Err(WireError::new(Code::NameTaken, format!("there is a session called {name} already")).hint(hint));
    }
    Ok(name.clone())
}

fn cannot_start(stage: Stage, errno: i32, program: &[u8], directory: &[u8]) -> WireError {
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
    WireError { code: Code::CannotStart, message, hint: hint.map(str::to_owned) }
}

async fn attach(context: &Rc<Context>, request: u64, verb: verbs::Attach) -> Result<(), WireError> {
    let session = find(context, &verb.target)?;
    refuse_itself(context, &session)?;
    let (channel, is_view, is_tty) = (verb.channel, verb.view, verb.is_tty);
    leave(context, channel);
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Attach { client: context.client.clone(), request: verb, reply: reply_tx });
    let (attach, attached, start) = attached(reply_rx).await?;
    enter(context, channel, Channel { session: Rc::clone(&session), attach, waits: true });
    reply_now(context, request, &attached);
    if let Some(start) = start {
        let follow = Follow {
            outbox: Rc::clone(&context.client.outbox),
            channel,
            quiet: is_view || attached.ended.is_some(),
            stream: None,
            until: None,
            // A terminal is painted anew instead: the client attaches again.
            ends_at_gap: is_tty,
        };
        task::spawn_local(follow.run(session, start));
    }
    Ok(())
}

/// A client inside a session that shows that very session would draw what it draws, for ever.
fn refuse_itself(context: &Context, session: &Session) -> Result<(), WireError> {
    let key = format!("{:016x}", session.handover.key.0);
    if context.inside.as_deref() != Some(key.as_str()) {
        return Ok(());
    }
    Err(WireError::new(Code::Invalid, "this is that session: showing it inside itself would loop"))
}

fn reply_now<T: serde::Serialize>(context: &Context, id: u64, body: &T) {
    let body = Some(ByteBuf::from(message::encode(body)));
    context.client.outbox.reply(&Reply { id, body, error: None });
}

async fn attached(
    reply: oneshot::Receiver<AttachReply>,
) -> Result<(crate::session::id::AttachId, verbs::Attached, Option<crate::daemon::session::Start>), WireError> {
    reply.await.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> WireError {
    WireError::new(Code::Failed, "the session went away meanwhile")
}

fn follow_logs(context: &Rc<Context>, request: u64, verb: verbs::Logs) -> Result<(), WireError> {
    let session = find(context, &verb.target)?;
    let head = session.history.head();
    let (from, missed) = logs::start(&session.history, verb.from);
    let attached = verbs::Attached {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        controls: false,
        ended: session.status.borrow().end().cloned(),
    };
    let cursor = session.follow(from, session.history.ring());
    reply_now(context, request, &attached);
    let follow = Follow {
        outbox: Rc::clone(&context.client.outbox),
        channel: verb.channel,
        quiet: false,
        stream: verb.stream,
        until: (!verb.follow).then_some(head),
        ends_at_gap: verb.follow,
    };
    task::spawn_local(follow.run(session, crate::daemon::session::Start { dump: Vec::new(), cursor, missed }));
    Ok(())
}

async fn watch(context: &Rc<Context>, verb: verbs::Watch) -> Answer<verbs::Watch> {
    let session = find(context, &verb.target)?;
    refuse_itself(context, &session)?;
    leave(context, verb.channel);
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Watch { client: context.client.clone(), channel: verb.channel, reply: reply_tx });
    let (attach, reply, _) = attached(reply_rx).await?;
    enter(context, verb.channel, Channel { session, attach, waits: false });
    Ok(reply)
}

fn channel(context: &Context, number: u32) -> Result<Channel, WireError> {
    let found = context.channels.borrow().get(&number).cloned();
    found.ok_or_else(|| WireError::new(Code::Invalid, format!("channel {number} is not attached")))
}

async fn take(context: &Rc<Context>, verb: verbs::Take) -> Answer<verbs::Take> {
    let channel = channel(context, verb.channel)?;
    let (reply_tx, reply_rx) = oneshot::channel();
    channel.session.mail(Mail::Take { attach: channel.attach, request: verb, reply: reply_tx });
    reply_rx.await.unwrap_or_else(|_| Err(gone())).map(|()| Done {})
}

fn release(context: &Rc<Context>, verb: verbs::Release) -> Answer<verbs::Release> {
    let channel = channel(context, verb.channel)?;
    channel.session.mail(Mail::Release(channel.attach));
    Ok(Done {})
}

fn detach(context: &Rc<Context>, verb: verbs::Detach) -> Answer<verbs::Detach> {
    leave(context, verb.channel);
    Ok(Done {})
}

/// Notes what a channel is attached to. A client that left meanwhile was detached from all it had then, not from this.
fn enter(context: &Context, channel: u32, attached: Channel) {
    if context.client.outbox.is_closed() {
        attached.session.mail(Mail::Detach(attached.attach));
    } else {
        context.channels.borrow_mut().insert(channel, attached);
    }
}

/// Ends what a channel was attached to.
fn leave(context: &Context, channel: u32) {
    if let Some(channel) = context.channels.borrow_mut().remove(&channel) {
        channel.session.mail(Mail::Detach(channel.attach));
    }
}

fn resize(context: &Rc<Context>, verb: verbs::Resize) -> Answer<verbs::Resize> {
    let session = find(context, &verb.target)?;
    if session.status.borrow().end().is_some() {
        return Err(WireError::new(Code::Ended, format!("session {} has ended", verb.target)));
    }
    if session.handover.kind == spec::Kind::Pipe {
        return Err(WireError::new(Code::Invalid, format!("session {} has pipes, no terminal to resize", verb.target)));
    }
    session.mail(Mail::Resize(verb.size));
    Ok(Done {})
}

async fn send(context: &Rc<Context>, verb: verbs::Send) -> Answer<verbs::Send> {
    let session = find(context, &verb.target)?;
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Send { request: verb, reply: reply_tx });
    reply_rx.await.unwrap_or_else(|_| Err(gone())).map(|()| Done {})
}

async fn screen(context: &Rc<Context>, verb: verbs::ScreenOf) -> Answer<verbs::ScreenOf> {
    let session = find(context, &verb.target)?;
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Screen { ansi: verb.ansi, reply: reply_tx });
    reply_rx.await.map_err(|_| gone())
}

async fn stop(context: &Rc<Context>, verb: verbs::Stop) -> Answer<verbs::Stop> {
    let ids = context.hub.registry.borrow().select(&verb.targets)?;
    Ok(verbs::Outcomes { outcomes: stop_all(context, ids, &verb).await })
}

/// Asks all at once, then waits for each.
async fn stop_all(context: &Context, ids: Vec<SessionId>, verb: &verbs::Stop) -> Vec<verbs::Outcome> {
    let mut waiting = Vec::new();
    for id in ids {
        let Some(session) = context.hub.registry.borrow().get(id) else { continue };
        let (reply_tx, reply_rx) = oneshot::channel();
        let grace_ns = verb.grace_ms.saturating_mul(1_000_000);
        session.mail(Mail::Stop { by: context.client.who.clone(), key: verb.key, grace_ns, reply: reply_tx });
        waiting.push((session, reply_rx));
    }
    let mut outcomes = Vec::new();
    for (session, reply_rx) in waiting {
        let end = reply_rx.await;
        outcomes.push(verbs::Outcome {
            id: session.id,
            name: session.facts.borrow().name.clone(),
            error: end.is_err().then(gone),
            end: end.ok(),
        });
    }
    outcomes
}

fn remove(context: &Rc<Context>, verb: verbs::Remove) -> Answer<verbs::Remove> {
    let ids = context.hub.registry.borrow().select(&verb.targets)?;
    let mut outcomes = Vec::new();
    for id in ids {
        let Some(status) = context.hub.registry.borrow().status(id) else { continue };
        let end = status.end().cloned();
        let error = matches!(status.state, State::Running | State::Stopping { .. }).then(|| {
            WireError::new(Code::Failed, format!("session {} is {}", status.name, status.word()))
                .hint(format!("end it first: `rpm stop {}`", status.name))
        });
        if error.is_none() {
            context.hub.forget(id);
        }
        outcomes.push(verbs::Outcome { id, name: status.name, end, error });
    }
    Ok(verbs::Outcomes { outcomes })
}

async fn shutdown(context: &Rc<Context>, verb: verbs::Shutdown) -> Answer<verbs::Shutdown> {
    let hub = &context.hub;
    hub.is_ending.set(true);
    let running: Vec<SessionId> = hub
        .registry
        .borrow()
        .sessions()
        .filter(|session| session.status.borrow().end().is_none())
        .map(|session| session.id)
        .collect();
    let stop = verbs::Stop { grace_ms: verb.grace_ms, ..verbs::Stop::default() };
    let outcomes = stop_all(context, running, &stop).await;
    hub.keeper.send(&ToKeeper::Shutdown, &[]);
    hub.end.notify_one();
    Ok(verbs::Outcomes { outcomes })
}
