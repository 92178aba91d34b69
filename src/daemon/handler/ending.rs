//! Ending and forgetting sessions.

use std::rc::Rc;

use rustix::process::Signal;

use tokio::sync::oneshot;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::handler::gone;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::platform::clock;
use crate::platform::process::Handle;
use crate::platform::process::Identity;
use crate::platform::tty;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::status::Status;

pub(super) async fn stop(context: &Rc<Context>, verb: verbs::Stop) -> Answer<verbs::Stop> {
    let now = clock::wall_ms();
    let is_old = |status: &Status| now.saturating_sub(status.started_ms) >= verb.filter.older_than_ms;
    check(&verb.targets, &verb.filter)?;
    let selected = context.hub.registry.borrow().select_some(&verb.targets, &verb.filter, is_old)?;
    // One that this very request ended before the daemon was killed still gets its result.
    let is_ours = |id: SessionId| {
        let session = context.hub.registry.borrow().get(id);
        let asked = session.and_then(|session| session.facts.borrow().asked.clone());
        verb.key != RequestKey(0) && asked.is_some_and(|asked| asked.key == verb.key)
    };
    let meant = selected.into_iter().filter(|(status, named)| *named || status.end().is_none() || is_ours(status.id));
    let ids = meant.map(|(status, _)| status.id).collect();
    Ok(verbs::Outcomes { outcomes: stop_all(context, ids, &verb).await })
}

/// Refuses what would mean everything by mistake.
fn check(targets: &[String], filter: &verbs::Filter) -> Result<(), WireError> {
    if targets.is_empty() && *filter == verbs::Filter::default() {
        return Err(WireError::new(Code::Invalid, "no session was named").hint("`all` means all of them"));
    }
    Ok(())
}

/// Asks all at once, then waits for each.
async fn stop_all(context: &Context, ids: Vec<SessionId>, verb: &verbs::Stop) -> Vec<verbs::Outcome> {
    let (mut waiting, mut lost) = (Vec::new(), Vec::new());
    for id in ids {
        let Some(session) = context.hub.registry.borrow().get(id) else {
            // Lost with its keeper: that was its end.
            lost.extend(context.hub.registry.borrow().status(id));
            continue;
        };
        let (reply_tx, reply_rx) = oneshot::channel();
        let grace_ns = verb.grace_ms.saturating_mul(1_000_000);
        session.mail(Mail::Stop { by: context.client.who.to_string(), key: verb.key, grace_ns, reply: reply_tx });
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
            skipped: false,
            journal: None,
        });
    }
    outcomes.extend(lost.into_iter().map(|status| verbs::Outcome {
        id: status.id,
        end: status.end().cloned(),
        name: status.name,
        ..verbs::Outcome::default()
    }));
    outcomes
}

/// Signals each once.
pub(super) fn signal(context: &Rc<Context>, verb: verbs::Signal) -> Answer<verbs::Signal> {
    if !(1..=64).contains(&verb.signal) {
        return Err(WireError::new(Code::Invalid, format!("there is no signal {}", verb.signal)));
    }
    let now = clock::wall_ms();
    let is_old = |status: &Status| now.saturating_sub(status.started_ms) >= verb.filter.older_than_ms;
    check(&verb.targets, &verb.filter)?;
    let selected = context.hub.registry.borrow().select_some(&verb.targets, &verb.filter, is_old)?;
    let meant = selected.into_iter().filter(|(status, named)| *named || status.end().is_none());
    let sessions: Vec<_> = meant.filter_map(|(status, _)| context.hub.registry.borrow().get(status.id)).collect();
    let outcomes = sessions.iter().map(|session| verbs::Outcome {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        end: session.status.borrow().end().cloned(),
        error: signal_one(session, &verb).err(),
        skipped: false,
        journal: None,
    });
    Ok(verbs::Outcomes { outcomes: outcomes.collect() })
}

fn signal_one(session: &Session, verb: &verbs::Signal) -> Result<(), WireError> {
    if session.request_progress(verb.key).is_some() {
        return Ok(());
    }
    let name = &session.facts.borrow().name;
    if session.status.borrow().end().is_some() {
        return Err(WireError::new(Code::Ended, format!("session {name} has ended")));
    }
    session.begin_request(verb.key);
    let is_key = [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP].contains(&i32::from(verb.signal));
    let master = session.input.borrow().clone().filter(|_| session.handover.kind == Kind::Pty && is_key);
    let sent = match master {
        Some(master) => tty::signal_foreground(&*master, verb.signal),
        None => Handle::open(Identity { pid: session.handover.pid, start_time: session.handover.start_time })
            .and_then(|first| signal_group(&first, verb.signal)),
    };
    sent.map_err(|error| WireError::new(Code::Failed, format!("cannot signal session {name}: {error}")))
}

/// Before Linux 6.9 a handle reaches its process alone.
fn signal_group(first: &Handle, number: u8) -> std::io::Result<()> {
    let signal = Signal::from_named_raw(number.into()).ok_or(std::io::ErrorKind::InvalidInput)?;
    first.signal_group(signal).or_else(|_| first.signal(signal))
}

pub(super) fn remove(context: &Rc<Context>, verb: verbs::Remove) -> Answer<verbs::Remove> {
    let now = clock::wall_ms();
    // What has not ended has no age here; it is skipped or refused below.
    let is_old =
        |status: &Status| status.end().is_none_or(|end| now.saturating_sub(end.at_ms) >= verb.filter.older_than_ms);
    check(&verb.targets, &verb.filter)?;
    let selected = context.hub.registry.borrow().select_some(&verb.targets, &verb.filter, is_old)?;
    let mut outcomes = Vec::new();
    for (status, is_named) in selected {
        let end = status.end().cloned();
        let error = (end.is_none() && is_named).then(|| {
            WireError::new(Code::Failed, format!("session {} is {}", status.name, status.word()))
                .hint(format!("end it first: `rpm stop {}`", status.name))
        });
        let skipped = end.is_none() && !is_named;
        if end.is_some() {
            context.hub.forget(status.id);
        }
        let journal = status.journal.filter(|_| end.is_some()).map(|journal| journal.bytes);
        outcomes.push(verbs::Outcome { id: status.id, name: status.name, end, error, skipped, journal });
    }
    Ok(verbs::Outcomes { outcomes })
}

pub(super) async fn shutdown(context: &Rc<Context>, verb: verbs::Shutdown) -> Answer<verbs::Shutdown> {
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
