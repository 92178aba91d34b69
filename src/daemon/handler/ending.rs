//! Ending and forgetting sessions.

use std::rc::Rc;

use tokio::sync::oneshot;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::handler::gone;
use crate::daemon::session::Mail;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::id::SessionId;
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
