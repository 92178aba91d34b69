//! Services: what is asked of them, all of it at once, one result each.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use tokio::task;
use tokio::time::Instant;
use tokio::time::timeout_at;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::hub::Hub;
use crate::daemon::registry::Missing;
use crate::daemon::services;
use crate::daemon::services::Defined;
use crate::daemon::services::Unit;
use crate::daemon::services::in_stop_order;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::Acted;
use crate::protocol::verbs::Deed;
use crate::session::id::RequestKey;
use crate::session::service::definition::Definition;
use crate::session::service::machine::Event;
use crate::session::service::machine::Fault;
use crate::session::service::machine::Phase;
use crate::session::service::machine::Wanted;
use crate::session::service::machine::Why;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::status::ServiceState;
use crate::session::status::Status;
use crate::session::target;

pub(super) async fn define(context: &Rc<Context>, verb: verbs::Define) -> Answer<verbs::Define> {
    let hub = &context.hub;
    refuse_late(hub)?;
    let by = context.client.who.to_string();
    let (mut units, mut acts, mut created) = (Vec::new(), Vec::new(), Vec::new());
    for (at, entry) in (0..).zip(verb.entries) {
        // Each has a key of its own; zero means "no key".
        let key = RequestKey(verb.key.0.wrapping_add(at));
        let name = entry.definition.spec.full_name();
        let definition = Definition { made_by: key, ..entry.definition };
        match hub.define(definition, entry.replaces, entry.renews) {
            Ok((name, defined)) => {
                let instances = hub.services.instances(&name);
                for unit in &instances {
                    let is_wanted = unit.machine.borrow().wanted == Wanted::Up;
                    if defined == Defined::Changed && entry.restarts && is_wanted {
                        act_on(hub, unit, Deed::Restart, key, &by);
                    } else if entry.starts {
                        act_on(hub, unit, Deed::Start, key, &by);
                    }
                }
                if defined == Defined::Created {
                    created.push(name);
                }
                units.extend(instances);
            }
            Err(error) => acts.push(Acted { name, error: Some(error), ..Acted::default() }),
        }
    }
    acts.extend(finish(hub, &units, verb.wait_ms).await);
    if let ([name], [acted]) = (&created[..], &mut acts[..])
        && has_failed(acted)
        && acted.status.as_ref().is_some_and(|status| !is_of_file(hub, status))
    {
        // Nothing of it ever ran: whoever mistyped it types it again.
        for unit in hub.services.instances(name) {
            hub.delete(&unit, &by);
        }
        return Err(acted.error.take().unwrap_or_else(super::gone));
    }
    if let ([Acted { status: None, error: error @ Some(_), .. }], []) = (&mut acts[..], &units[..]) {
        return Err(error.take().unwrap_or_else(super::gone));
    }
    answer(hub, acts).await
}

fn is_of_file(hub: &Hub, status: &Status) -> bool {
    hub.services.of(status.id).is_some_and(|unit| !unit.definition.borrow().spec.source.is_empty())
}

fn has_failed(acted: &Acted) -> bool {
    acted.error.as_ref().is_some_and(|error| matches!(error.code, Code::CannotStart | Code::CommandNotFound))
}

pub(super) async fn act(context: &Rc<Context>, verb: verbs::Act) -> Answer<verbs::Act> {
    let hub = &context.hub;
    if verb.deed != Deed::Delete {
        refuse_late(hub)?;
    }
    if verb.targets.is_empty() {
        return Err(WireError::new(Code::Invalid, "no service was named").hint("`all` means all of them"));
    }
    let (mut units, mut acts) = select(hub, &verb.targets)?;
    let by = context.client.who.to_string();
    match verb.deed {
        Deed::Scale => return scale(hub, &units, &verb, &by).await,
        Deed::Reload => return reload(hub, &units, &verb, &by).await,
        Deed::Delete => in_stop_order(&mut units),
        Deed::Start | Deed::Restart | Deed::Reset => {}
    }
    for unit in &units {
        act_on(hub, unit, verb.deed, verb.key, &by);
    }
    acts.extend(finish(hub, &units, verb.wait_ms).await);
    answer(hub, acts).await
}

/// Returns the services that are meant, and what is to be said of named sessions that are none and of names of nobody.
fn select(hub: &Hub, targets: &[String]) -> Result<(Vec<Rc<Unit>>, Vec<Acted>), WireError> {
    let (mut units, mut refused) = (Vec::new(), Vec::new());
    let (selected, missing) = hub.registry.borrow().select_some(targets, &verbs::Filter::default(), |_| true)?;
    for (status, is_named) in selected {
        match hub.services.of(status.id) {
            Some(unit) => units.push(unit),
            None if is_named && targets.iter().any(|target| target::is_name(target)) => {
                let error = WireError::new(Code::Invalid, format!("session {} is no service", status.name))
                    .hint("`rpm start -- COMMAND` starts one, `rpm rm` forgets an ended session");
                refused.push(Acted { id: status.id, name: status.name, status: None, error: Some(error) });
            }
            None => {}
        }
    }
    let nobody =
        |missing: Missing| Acted { name: missing.target, error: Some(missing.error.into()), ..Acted::default() };
    refused.extend(missing.into_iter().map(nobody));
    Ok((units, refused))
}

/// Asks an instance; a request that was heard before is not heard again.
fn act_on(hub: &Rc<Hub>, unit: &Rc<Unit>, deed: Deed, key: RequestKey, by: &str) {
    if key.0 != 0 && unit.request.replace(key) == key {
        return;
    }
    let by = by.to_owned();
    match deed {
        Deed::Start => hub.advance(unit, Event::Start { asked: true }),
        Deed::Restart => hub.advance(unit, Event::Restart { by, why: Why::Restart }),
        Deed::Delete => hub.delete(unit, &by),
        Deed::Reset => hub.reset(unit),
        Deed::Scale | Deed::Reload => {}
    }
}

/// Gives each service of these instances so many; those that are too many end.
async fn scale(hub: &Rc<Hub>, units: &[Rc<Unit>], verb: &verbs::Act, by: &str) -> Result<verbs::Acts, WireError> {
    let names: BTreeSet<String> = units.iter().map(|unit| unit.service()).collect();
    let mut concerned = Vec::new();
    for name in names {
        let (before, after) = hub.scale(&name, verb.scale, by)?;
        for unit in before {
            hub.delete(&unit, by);
            concerned.push(unit);
        }
        for unit in &after {
            act_on(hub, unit, Deed::Start, verb.key, by);
        }
        concerned.extend(after);
    }
    let acts = finish(hub, &concerned, verb.wait_ms).await;
    answer(hub, acts).await
}

/// Replaces each instance by a fresh one without a moment in which none is ready.
async fn reload(hub: &Rc<Hub>, units: &[Rc<Unit>], verb: &verbs::Act, by: &str) -> Result<verbs::Acts, WireError> {
    let mut acts = Vec::new();
    for unit in units {
        if verb.key.0 != 0 && unit.request.get() == verb.key {
            acts.push(acted(hub, unit, false, true));
            continue;
        }
        match hub.reload(unit, Duration::from_millis(verb.wait_ms.max(1)), by).await {
            Ok(fresh) => {
                fresh.request.set(verb.key);
                fresh.record();
                acts.push(acted(hub, &fresh, false, true));
            }
            Err(error) => acts.push(Acted { error: Some(error), ..acted(hub, unit, false, false) }),
        }
    }
    answer(hub, acts).await
}

/// Waits until what was asked of each came to something.
async fn finish(hub: &Rc<Hub>, units: &[Rc<Unit>], wait_ms: u64) -> Vec<Acted> {
    let deadline = Instant::now() + Duration::from_millis(wait_ms);
    let mut acts = Vec::new();
    for unit in units {
        hub.services.until(unit, Unit::has_started).await;
        let is_late = wait_ms > 0 && timeout_at(deadline, hub.services.until(unit, Unit::is_decided)).await.is_err();
        acts.push(acted(hub, unit, is_late, wait_ms > 0));
    }
    acts
}

fn acted(hub: &Hub, unit: &Unit, is_late: bool, has_waited: bool) -> Acted {
    let status = if unit.is_forgotten.get() { None } else { hub.registry.borrow().status(unit.id()) };
    let has_failed = matches!(unit.machine.borrow().phase, Phase::Failed { fault: Fault::Errno(_) });
    let fault = || status.as_ref().and_then(|status| fault(status, is_late, has_waited));
    let error = unit.start_fault().filter(|_| has_failed).or_else(fault);
    Acted { id: unit.id(), name: unit.name.clone(), status, error }
}

fn fault(status: &Status, is_late: bool, has_waited: bool) -> Option<WireError> {
    let service = status.service.as_ref()?;
    let name = &status.name;
    let hint = format!("`rpm why {name}` tells more");
    match service.state {
        ServiceState::Failed => {
            let reason = service.reason.clone().unwrap_or_else(|| "it failed".to_owned());
            Some(WireError::new(Code::CannotStart, format!("service {name}: {reason}")).hint(hint))
        }
        state if is_late => {
            let message = format!("service {name} is not ready in time: it is {}", state.word());
            Some(WireError::new(Code::Failed, message).hint(hint))
        }
        ServiceState::Backoff | ServiceState::CrashLoop if has_waited => {
            let end = status.run_end().map_or_else(|| "failed".to_owned(), crate::session::status::End::word);
            Some(WireError::new(Code::Failed, format!("service {name} is not ready: it {end}")).hint(hint))
        }
        _ => None,
    }
}

/// Answers once it is on disk.
async fn answer(hub: &Hub, acts: Vec<Acted>) -> Result<verbs::Acts, WireError> {
    let unsaved = hub.services.store.written().await.err();
    Ok(verbs::Acts { acts, unsaved })
}

fn refuse_late(hub: &Hub) -> Result<(), WireError> {
    if hub.is_ending.get() {
        return Err(WireError::new(Code::ShuttingDown, "the daemon is shutting down"));
    }
    Ok(())
}

pub(super) async fn why(context: &Rc<Context>, verb: verbs::Why) -> Answer<verbs::Why> {
    let hub = &context.hub;
    let targets = if verb.targets.is_empty() { vec!["all".to_owned()] } else { verb.targets };
    let (units, mut refused) = select(hub, &targets)?;
    if let Some(error) = refused.pop().and_then(|acted| acted.error) {
        return Err(error);
    }
    let mut services = Vec::new();
    for unit in units {
        let deaths = hub.services.deaths(&unit).await;
        if let Some(status) = hub.registry.borrow().status(unit.id()) {
            services.push(verbs::ServiceHistory { status, deaths });
        }
    }
    Ok(verbs::Histories { services })
}

pub(super) fn definitions(context: &Rc<Context>, verb: verbs::Definitions) -> Answer<verbs::Definitions> {
    let hub = &context.hub;
    let units = if verb.targets.is_empty() { hub.services.units() } else { select(hub, &verb.targets)?.0 };
    let mut names = std::collections::BTreeMap::new();
    for unit in units {
        names.entry(unit.service()).or_insert_with(|| brief(&unit.definition.borrow(), verb.is_brief));
    }
    Ok(verbs::DefinitionList { definitions: names.into_values().collect() })
}

fn brief(definition: &Definition, is_brief: bool) -> Definition {
    if !is_brief {
        return definition.clone();
    }
    let spec = &definition.spec;
    let own = spec.env.iter().filter(|variable| variable.origin != Origin::Inherited).cloned().collect();
    let spec = ServiceSpec { env: own, ..spec.clone() };
    Definition { spec, ..definition.clone() }
}

pub(super) async fn resurrect(context: &Rc<Context>, verb: verbs::Resurrect) -> Answer<verbs::Resurrect> {
    let hub = &context.hub;
    refuse_late(hub)?;
    if !verb.name.is_empty() {
        restore(hub, &verb.name).await?;
    }
    let units = hub.start_wanted();
    let acts = finish(hub, &units, 0).await;
    answer(hub, acts).await
}

/// Enters the services of a snapshot that are not there; those that are stay as they are.
async fn restore(hub: &Rc<Hub>, name: &str) -> Result<(), WireError> {
    let path = snapshot(hub, name)?;
    let read = move || services::read(&path).map_err(|error| (error, services::beside(&path)));
    let read = task::spawn_blocking(read).await.map_err(|error| (std::io::Error::other(error), Vec::new())).flatten();
    let state = read.map_err(|(error, others)| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let error = WireError::new(Code::NoSuchSession, format!("there is no snapshot called {name}"));
            match &others[..] {
                [] => error.hint("`rpm save NAME` makes one"),
                others => error.hint(format!("there are {}", others.join(", "))),
            }
        }
        _ => WireError::new(Code::Failed, format!("the snapshot {name} cannot be read: {error}")),
    })?;
    hub.restore(state);
    Ok(())
}

fn snapshot(hub: &Hub, name: &str) -> Result<std::path::PathBuf, WireError> {
    match crate::session::service::spec::name_fault(name) {
        Some(fault) => Err(WireError::new(Code::Invalid, format!("{name:?} cannot be a name: {fault}"))),
        None => Ok(hub.services.store.snapshot(name)),
    }
}

pub(super) async fn save(context: &Rc<Context>, verb: verbs::Save) -> Answer<verbs::Save> {
    let hub = &context.hub;
    let failed = |error: String| WireError::new(Code::Failed, format!("the list of services cannot be saved: {error}"));
    hub.services.store.touch();
    hub.services.store.written().await.map_err(failed)?;
    let state = hub.services.state();
    let services = state.services.len() as u32;
    let path = if verb.name.is_empty() { hub.services.store.newest() } else { snapshot(hub, &verb.name)? };
    if !verb.name.is_empty() {
        let path = path.clone();
        // A snapshot that has services is not lost by saving when there are none.
        let written = task::spawn_blocking(move || services::write(&path, &state, false)).await;
        written.map_err(std::io::Error::other).flatten().map_err(|error| failed(error.to_string()))?;
    }
    Ok(verbs::Saved { path: path.display().to_string(), services })
}
