//! Ending and forgetting sessions.

use std::rc::Rc;

use tokio::sync::oneshot;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::handler::gone;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::platform::process::Handle;
use crate::platform::tty;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::status::State;

pub(super) async fn stop(context: &Rc<Context>, verb: verbs::Stop) -> Answer<verbs::Stop> {
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
        });
    }
    outcomes
}

/// Signals each once.
pub(super) fn signal(context: &Rc<Context>, verb: verbs::Signal) -> Answer<verbs::Signal> {
    if !(1..=64).contains(&verb.signal) {
        return Err(WireError::new(Code::Invalid, format!("there is no signal {}", verb.signal)));
    }
    let ids = context.hub.registry.borrow().select(&verb.targets)?;
    let sessions: Vec<_> = ids.into_iter().filter_map(|id| context.hub.registry.borrow().get(id)).collect();
    let outcomes = sessions.iter().map(|session| verbs::Outcome {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        end: session.status.borrow().end().cloned(),
        error: signal_one(session, &verb).err(),
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
        None => Handle::open(session.handover.pid, session.handover.start_time)
            .and_then(|first| first.signal_group(verb.signal)),
    };
    sent.map_err(|error| WireError::new(Code::Failed, format!("cannot signal session {name}: {error}")))
}

pub(super) fn remove(context: &Rc<Context>, verb: verbs::Remove) -> Answer<verbs::Remove> {
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
