//! A daemon's first moments: what the keeper has goes on, what only the disk has is listed, and started if it was lost.
//!
//! *Invariant:* an instance that this keeper has a session of is never started beside it.

use std::rc::Rc;
use std::sync::Arc;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::daemon::services::deaths;
use crate::daemon::services::store::Record;
use crate::daemon::services::store::UnitRecord;
use crate::journal::name;
use crate::platform::clock;
use crate::platform::process;
use crate::session::service::death::Death;
use crate::session::service::machine::Event;
use crate::session::service::machine::Machine;
use crate::session::service::machine::Phase;
use crate::session::service::machine::Wanted;
use crate::session::service::machine::Why;

/// Goes on where the daemon before this one died; all sessions were taken over.
pub fn resume(hub: &Rc<Hub>) {
    let store = &hub.services.store;
    let keeper = hub.report.keeper_pid;
    let born = process::stat(keeper).map_or(0, |stat| stat.start_time);
    let identity = format!("{keeper} {born} {}", process::boot_id());
    let state = store.load();
    let is_ours = state.keeper == identity;
    let is_lost = !is_ours && !state.is_clean;
    // Until somebody starts something, what was shut down stays down whoever dies.
    store.is_clean.set(state.is_clean);
    *store.keeper.borrow_mut() = identity;
    hub.services.is_resumed.set(true);
    let mut lost = Vec::new();
    for Record { definition, units } in &state.services {
        for record in units {
            let unit = Unit::new(Arc::clone(definition), record.instance);
            if hub.services.unit(&unit.name).is_some() {
                continue;
            }
            let unit = Rc::new(unit);
            restore(&unit, record, is_ours);
            hub.services.add(Rc::clone(&unit));
            if is_lost && record.wanted == Wanted::Up {
                deaths::add(&unit, Death { why: Why::Lost, at_ms: clock::wall_ms(), ..Death::default() });
                lost.push(unit);
            } else {
                hub.show(&unit);
            }
        }
    }
    mend_names(hub);
    for unit in hub.services.units() {
        if unit.is_own() && unit.journal().is_some_and(|folder| !name::is_service(&folder)) {
            // Of a reload that was interrupted.
            hub.journals.join(unit.id(), &unit.own_journal());
        }
        go_on(hub, &unit);
        hub.plan(&unit);
        hub.watch(&unit);
    }
    for unit in lost {
        tracing::warn!(service = %unit.name, "was lost with its keeper, and is started again");
        hub.advance(&unit, Event::Start { asked: false });
    }
    // An empty folder stays empty until there is something to write.
    if !hub.services.units().is_empty() {
        store.touch();
    }
}

/// A daemon that died in the middle of a reload left an instance with a name of its own: it takes the place of the old one,
/// if that is gone, or goes.
fn mend_names(hub: &Rc<Hub>) {
    for unit in hub.services.units() {
        let name = unit.definition.borrow().spec.instance_name(unit.instance);
        if unit.name == name {
            continue;
        }
        if hub.services.unit(&name).is_some() {
            hub.delete(&unit, "an interrupted reload");
        } else if let Err(error) = hub.rename_unit(&unit, &name) {
            tracing::error!(service = %unit.name, %error, "cannot be given its name");
        }
    }
}

/// What another keeper did with it is over; what is wanted stays.
fn restore(unit: &Unit, record: &UnitRecord, is_ours: bool) {
    unit.died.set(record.died);
    unit.is_paused.set(record.paused);
    let mut machine = unit.machine.borrow_mut();
    match &record.machine {
        Some(kept) if is_ours => *machine = kept.clone(),
        Some(Machine { phase: phase @ (Phase::Exited | Phase::Failed { .. }), .. }) => machine.phase = phase.clone(),
        _ => {}
    }
    machine.wanted = record.wanted;
}

/// Compares what was recorded with what is.
fn go_on(hub: &Rc<Hub>, unit: &Rc<Unit>) {
    let session = unit.session.borrow().clone();
    let phase = unit.machine.borrow().phase.clone();
    if phase == Phase::Waiting {
        hub.await_needs(unit);
    }
    if let Phase::Starting { key, .. } = phase {
        match &session {
            Some(session) if session.run.borrow().key == key => hub.advance(unit, Event::Spawned),
            // Nobody heard of it: asked again with the same key, it is done once.
            _ => hub.spawn_run(unit),
        }
    }
    let Some(session) = session else { return };
    let is_running = matches!(unit.machine.borrow().phase, Phase::Up { .. } | Phase::Stopping { .. });
    let end = session.status.borrow().run_end().cloned();
    if let Some(end) = end.filter(|_| is_running) {
        unit.forget_said();
        hub.advance(unit, Event::Exited(end.status));
        return;
    }
    if matches!(unit.machine.borrow().phase, Phase::Stopping { .. }) && session.facts.borrow().asked.is_none() {
        unit.stop_run();
    }
    hub.services.timers.set(&unit.name, unit.deadline());
    hub.attend(unit);
    if unit.attended.get().is_none() {
        unit.forget_said();
    }
    hub.show(unit);
}
