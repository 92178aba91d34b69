//! Asking services whether they are ready, and whether they are still well.
//!
//! One task for readiness and one for liveness while a run is up; both end with it. *Invariant:* not being ready never ends
//! anything; only liveness does.

mod ask;
mod listen;
mod log;

use std::rc::Rc;
use std::time::Duration;

use tokio::task;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::daemon::services::triggers;
use crate::platform::clock;
use crate::session::service::machine::Event;
use crate::session::service::machine::Phase;
use crate::session::service::machine::Why;
use crate::session::service::probe::Liveness;
use crate::session::service::probe::Probe;
use crate::session::service::probe::Readiness;

pub use self::ask::exec;
pub use self::listen::Channels;
pub use self::listen::has_pipe;
pub use self::listen::has_socket;
pub use self::listen::pipe_path;
pub use self::listen::socket_path;
pub use self::listen::wrap;

impl Hub {
    /// Looks after an instance as its state needs: asks while it is up, and not otherwise.
    pub fn attend(self: &Rc<Self>, unit: &Rc<Unit>) {
        let run = match unit.machine.borrow().phase {
            Phase::Up { since, .. } => Some(since),
            Phase::Starting { .. } | Phase::Stopping { .. } => None,
            _ => {
                unit.close_channels(self.dir());
                None
            }
        };
        let before = unit.attended.replace(run);
        if before == run {
            return;
        }
        unit.leave_tasks();
        if before.is_some() {
            unit.forget_said();
        }
        let Some(since) = run else { return };
        unit.is_well.set(true);
        let definition = Rc::new(unit.definition.borrow().as_ref().clone());
        let is_ready = matches!(unit.machine.borrow().phase, Phase::Up { ready: true, .. });
        let mut tasks = Vec::new();
        unit.watchdog.set(None);
        unit.channels.prepare(self.dir(), unit.run_key(), &definition.spec, unit.take_held());
        if has_socket(&definition.spec) {
            tasks.push(task::spawn_local(listen::notify(Rc::clone(self), Rc::clone(unit))));
        }
        if let Some(readiness) = definition.spec.readiness.clone() {
            let (hub, unit) = (Rc::clone(self), Rc::clone(unit));
            tasks.push(task::spawn_local(async move { become_ready(hub, unit, readiness, since, is_ready).await }));
        }
        if let Some(liveness) = definition.spec.liveness.clone() {
            let (hub, unit) = (Rc::clone(self), Rc::clone(unit));
            tasks.push(task::spawn_local(async move { stay_well(hub, unit, liveness).await }));
        }
        if let Some(most) = definition.spec.max_memory {
            tasks.push(task::spawn_local(triggers::stay_small(Rc::clone(self), Rc::clone(unit), most)));
        }
        *unit.tasks.borrow_mut() = tasks.iter().map(task::JoinHandle::abort_handle).collect();
    }
}

/// Asks until the answer is yes, fast at first.
async fn become_ready(hub: Rc<Hub>, unit: Rc<Unit>, readiness: Readiness, since: u64, is_ready: bool) {
    match &readiness.probe {
        // Who listens to its socket hears it.
        Probe::Notify => return,
        _ if is_ready => return,
        Probe::Fd(_) => listen::newline(&unit).await,
        Probe::Log(pattern) => log::line(&unit, pattern).await,
        Probe::Delay(pause) => {
            let up = clock::monotonic_ns().saturating_sub(since);
            sleep(Duration::from_nanos(pause.saturating_sub(up))).await;
        }
        probe => ask_on(&hub, &unit, probe, &readiness).await,
    }
    hub.advance(&unit, Event::Ready);
}

async fn ask_on(hub: &Hub, unit: &Unit, probe: &Probe, readiness: &Readiness) {
    /// Longest wait for one answer.
    const ANSWER: Duration = Duration::from_secs(1);
    let pace = readiness.pace;
    let late = Instant::now() + Duration::from_nanos(pace.timeout);
    let mut pause = pace.initial.max(1_000_000);
    loop {
        if timeout(ANSWER, ask::is_well(unit, probe)).await == Ok(true) {
            return;
        }
        if Instant::now() >= late && unit.said.borrow().is_none() {
            *unit.said.borrow_mut() = Some("not ready in time".to_owned());
            hub.show(unit);
        }
        sleep(Duration::from_nanos(pause)).await;
        let next = u128::from(pause) * u128::from(pace.growth_percent.max(100)) / 100;
        pause = u64::try_from(next).unwrap_or(u64::MAX).min(pace.cap.max(pause));
    }
}

/// Asks again and again once it is ready; failing so often in a row ends the run.
async fn stay_well(hub: Rc<Hub>, unit: Rc<Unit>, liveness: Liveness) {
    hub.services.until(&unit, Unit::is_decided).await;
    if let Probe::Watchdog(most) = liveness.probe {
        return listen::stay_awake(hub, unit, most).await;
    }
    let rhythm = liveness.rhythm;
    let mut failures = 0;
    loop {
        sleep(Duration::from_nanos(rhythm.period.max(1_000_000))).await;
        let answer = timeout(Duration::from_nanos(rhythm.timeout.max(1)), ask::is_well(&unit, &liveness.probe)).await;
        let is_well = answer == Ok(true);
        failures = if is_well { 0 } else { failures + 1 };
        if unit.is_well.replace(is_well) != is_well {
            hub.services.moved.notify_one();
        }
        if failures >= rhythm.failures.max(1) {
            tracing::warn!(service = %unit.name, failures, "is not well any more");
            // This task ends with the run that it asks.
            hub.advance(&unit, Event::Restart { by: "its liveness".to_owned(), why: Why::Unwell });
            return;
        }
    }
}
