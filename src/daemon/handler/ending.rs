//! Ending and forgetting sessions.

use std::rc::Rc;
use std::time::Duration;

use rustix::process::Signal;

use tokio::sync::oneshot;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::handler::gone;
use crate::daemon::handler::orphans;
use crate::daemon::hub::Hub;
use crate::daemon::registry::Missing;
use crate::daemon::services;
use crate::daemon::services::Unit;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::platform::clock;
use crate::platform::process::Handle;
use crate::platform::process::Identity;
use crate::platform::process::Stat;
use crate::platform::tty;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::service::machine::Wanted;
use crate::session::service::machine::Why;
use crate::session::spec::Kind;
use crate::session::status::Status;

/// Rounds in which what the keeper adopted is ended; the last one only looks.
const ROUNDS: u32 = 5;

pub(super) async fn stop(context: &Rc<Context>, verb: verbs::Stop) -> Answer<verbs::Stop> {
    let now = clock::wall_ms();
    let is_old = |status: &Status| now.saturating_sub(status.started_ms) >= verb.filter.older_than_ms;
    check(&verb.targets, &verb.filter)?;
    let (selected, missing) = context.hub.registry.borrow().select_some(&verb.targets, &verb.filter, is_old)?;
    // One that this very request ended before the daemon was killed still gets its result.
    let is_ours = |id: SessionId| {
        let session = context.hub.registry.borrow().get(id);
        let asked = session.and_then(|session| session.facts.borrow().asked.clone());
        verb.key != RequestKey(0) && asked.is_some_and(|asked| asked.key == verb.key)
    };
    // Who ended by itself and left somebody behind is stopped as well, and what would come back at the next boot.
    let is_wanted = |status: &Status| status.service.as_ref().is_some_and(|service| service.wanted == Wanted::Up);
    let lives = |status: &Status| is_wanted(status) || status.end().is_none_or(|end| !end.left.is_empty());
    let meant = selected.into_iter().filter(|(status, named)| *named || lives(status) || is_ours(status.id));
    let ids = meant.map(|(status, _)| status.id).collect();
    let mut outcomes = stop_all(context, ids, &verb, Why::Stop).await;
    // It is stopped whatever the disk says; that is in the log.
    let _ = context.hub.services.store.written().await;
    outcomes.extend(missing.into_iter().map(nobody));
    Ok(verbs::Outcomes { outcomes, ..verbs::Outcomes::default() })
}

/// The result of a target that names nobody.
fn nobody(missing: Missing) -> verbs::Outcome {
    verbs::Outcome { name: missing.target, error: Some(missing.error.into()), ..verbs::Outcome::default() }
}

/// Refuses what would mean everything by mistake.
fn check(targets: &[String], filter: &verbs::Filter) -> Result<(), WireError> {
    if targets.is_empty() && *filter == verbs::Filter::default() {
        return Err(WireError::new(Code::Invalid, "no session was named").hint("`all` means all of them"));
    }
    Ok(())
}

/// Asks all at once, then waits for each.
async fn stop_all(context: &Context, ids: Vec<SessionId>, verb: &verbs::Stop, why: Why) -> Vec<verbs::Outcome> {
    let (mut waiting, mut lost, mut units) = (Vec::new(), Vec::new(), Vec::new());
    let by = context.client.who.to_string();
    for id in ids {
        if let Some(unit) = context.hub.services.of(id) {
            units.push(unit);
            continue;
        }
        let Some(session) = context.hub.registry.borrow().get(id) else {
            // Lost with its keeper: that was its end.
            lost.extend(context.hub.registry.borrow().status(id));
            continue;
        };
        let has_ended = session.status.borrow().end().is_some();
        let (reply_tx, reply_rx) = oneshot::channel();
        let grace_ns = verb.grace_ms.saturating_mul(1_000_000);
        session.mail(Mail::Stop { by: by.clone(), key: verb.key, grace_ns, reply: reply_tx });
        waiting.push((session, has_ended, reply_rx));
    }
    let grace = Duration::from_millis(verb.grace_ms);
    let behind = waiting.iter().filter(|(_, had_ended, _)| *had_ended).flat_map(|(session, ..)| session.left_behind());
    end_left(&context.hub, behind.collect(), grace).await;
    // Sessions have been told already.
    stop_units(&context.hub, &mut units, &by, verb, why).await;
    let mut outcomes = Vec::new();
    for (session, had_ended, reply_rx) in waiting {
        let mut end = reply_rx.await;
        if let Ok(end) = &mut end
            && !end.left.is_empty()
        {
            end.left = session.left_behind().iter().map(|identity| identity.pid).collect();
        }
        outcomes.push(verbs::Outcome {
            id: session.id,
            name: session.facts.borrow().name.clone(),
            error: end.is_err().then(gone),
            end: end.ok(),
            suspects: if had_ended { Vec::new() } else { session.suspects.borrow().clone() },
            ..verbs::Outcome::default()
        });
    }
    for unit in units {
        let status = context.hub.registry.borrow().status(unit.id());
        let end = status.and_then(|status| status.run_end().cloned());
        let (name, service) = (unit.name.clone(), Some(unit.status().state));
        outcomes.push(verbs::Outcome { id: unit.id(), name, end, service, ..verbs::Outcome::default() });
    }
    outcomes.extend(lost.into_iter().map(|status| verbs::Outcome {
        id: status.id,
        end: status.end().cloned(),
        name: status.name,
        ..verbs::Outcome::default()
    }));
    outcomes
}

/// Ends who outlived sessions that had ended by themselves.
async fn end_left(hub: &Hub, tops: Vec<Identity>, grace: Duration) {
    if !tops.is_empty()
        && let Err(error) = orphans::end_trees(hub, tops, grace).await
    {
        tracing::warn!(%error, "cannot see whether those left behind are gone");
    }
}

/// Those that need others end before them; those that need nothing of each other end together.
async fn stop_units(hub: &Rc<Hub>, units: &mut [Rc<Unit>], by: &str, verb: &verbs::Stop, why: Why) {
    services::in_stop_order(units);
    let ranks = services::ranks(units);
    for rank in units.chunk_by(|a, b| ranks.get(&a.service()) == ranks.get(&b.service())) {
        for unit in rank {
            hub.stop_unit(unit, by, verb, why);
        }
        for unit in rank {
            hub.services.until(unit, Unit::is_settled).await;
        }
    }
}

/// Signals each once.
pub(super) fn signal(context: &Rc<Context>, verb: verbs::Signal) -> Answer<verbs::Signal> {
    if !(1..=64).contains(&verb.signal) {
        return Err(WireError::new(Code::Invalid, format!("there is no signal {}", verb.signal)));
    }
    let now = clock::wall_ms();
    let is_old = |status: &Status| now.saturating_sub(status.started_ms) >= verb.filter.older_than_ms;
    check(&verb.targets, &verb.filter)?;
    let (selected, missing) = context.hub.registry.borrow().select_some(&verb.targets, &verb.filter, is_old)?;
    let meant = selected.into_iter().filter(|(status, named)| *named || status.end().is_none());
    let sessions: Vec<_> = meant.filter_map(|(status, _)| context.hub.registry.borrow().get(status.id)).collect();
    let outcomes = sessions.iter().map(|session| verbs::Outcome {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        end: session.status().end().cloned(),
        error: signal_one(session, &verb).err(),
        ..verbs::Outcome::default()
    });
    let outcomes = outcomes.chain(missing.into_iter().map(nobody)).collect();
    Ok(verbs::Outcomes { outcomes, ..verbs::Outcomes::default() })
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
        None => Handle::open(session.leader()).and_then(|first| signal_group(&first, verb.signal)),
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
    let (selected, missing) = context.hub.registry.borrow().select_some(&verb.targets, &verb.filter, is_old)?;
    let mut outcomes = Vec::new();
    for (status, is_named) in selected {
        if let Some(unit) = context.hub.services.of(status.id) {
            outcomes.push(remove_unit(context, &unit, status, is_named));
            continue;
        }
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
        let (id, name) = (status.id, status.name);
        outcomes.push(verbs::Outcome { id, name, end, error, skipped, journal, ..verbs::Outcome::default() });
    }
    outcomes.extend(missing.into_iter().map(nobody));
    Ok(verbs::Outcomes { outcomes, ..verbs::Outcomes::default() })
}

/// A service that does not run is deleted when it is named; one that runs has to be stopped, or deleted in so many words.
fn remove_unit(context: &Context, unit: &Rc<Unit>, status: Status, is_named: bool) -> verbs::Outcome {
    let (id, name, end) = (status.id, status.name.clone(), status.run_end().cloned());
    let outcome = verbs::Outcome { id, name, ..verbs::Outcome::default() };
    if !is_named {
        return verbs::Outcome { skipped: true, ..outcome };
    }
    if !unit.is_settled() {
        let error = WireError::new(Code::Failed, format!("service {} is {}", status.name, status.word()))
            .hint(format!("`rpm delete {}` ends and forgets it", status.name));
        return verbs::Outcome { error: Some(error), ..outcome };
    }
    context.hub.delete(unit, &context.client.who.to_string());
    verbs::Outcome { end, ..outcome }
}

pub(super) async fn shutdown(context: &Rc<Context>, verb: verbs::Shutdown) -> Answer<verbs::Shutdown> {
    let hub = &context.hub;
    hub.begin_to_end();
    let running: Vec<SessionId> = hub
        .registry
        .borrow()
        .sessions()
        .filter(|session| session.status.borrow().end().is_none())
        .map(|session| session.id)
        .collect();
    let stop = verbs::Stop { grace_ms: verb.grace_ms, ..verbs::Stop::default() };
    hub.services.store.is_clean.set(true);
    let mut outcomes = stop_all(context, running, &stop, Why::Shutdown).await;
    hub.services.store.touch();
    let _ = hub.services.store.written().await;
    // The keeper is their parent: what belongs to no session has nobody else to end it.
    let left =
        end_adopted(hub, Duration::from_millis(verb.grace_ms)).await.inspect_err(|_| hub.is_ending.set(false))?;
    // Whosever they were, they are among those that were ended, or among those left.
    for outcome in &mut outcomes {
        outcome.suspects.clear();
    }
    hub.keeper.send(&ToKeeper::Shutdown, &[]);
    hub.end.notify_one();
    Ok(verbs::Outcomes { outcomes, left })
}

/// Ends what the keeper adopted and nobody started to outlive it; returns who is left.
pub async fn end_adopted(hub: &Hub, grace: Duration) -> Result<Vec<u32>, WireError> {
    let mut left = Vec::new();
    for round in 0..ROUNDS {
        let now = hub.census.look().await?;
        let adopted = now.adopted().iter().filter_map(|adopted| now.get(adopted.pid));
        let tops: Vec<Identity> = adopted.filter(|stat| !stat.is_zombie).map(Stat::identity).collect();
        left = tops.iter().map(|identity| identity.pid).collect();
        if left.is_empty() {
            break;
        }
        // Who comes to light by the end of the first ones has had its time.
        orphans::end_trees(hub, tops, if round == 0 { grace } else { Duration::ZERO }).await?;
    }
    Ok(left)
}
