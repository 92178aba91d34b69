//! What restarts or starts a service without anybody asking: its schedule, and the memory that it uses.

use std::rc::Rc;
use std::time::Duration;

use tokio::task;
use tokio::time::sleep;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::platform::clock;
use crate::platform::process;
use crate::platform::schedule;
use crate::platform::tree;
use crate::session::service::machine::Event;
use crate::session::service::machine::Why;
use crate::session::service::policy::Action;

/// Longest sleep until a time of a schedule: the clock may be set, and the computer may have slept.
const NAP: Duration = Duration::from_secs(3600);
/// How often memory is measured where it is limited.
const MEASURE: Duration = Duration::from_secs(2);

impl Hub {
    /// Looks after the schedule of an instance, whether or not it runs.
    pub fn plan(self: &Rc<Self>, unit: &Rc<Unit>) {
        let has_schedule = unit.definition.borrow().spec.schedule.is_some();
        let task = has_schedule.then(|| task::spawn_local(keep_time(Rc::clone(self), Rc::clone(unit))).abort_handle());
        if let Some(before) = unit.schedule.replace(task) {
            before.abort();
        }
    }
}

async fn keep_time(hub: Rc<Hub>, unit: Rc<Unit>) {
    let Some(plan) = unit.definition.borrow().spec.schedule.clone() else { return };
    let mut last = clock::wall_ms();
    while let Some(next) = schedule::next_after(&plan.cron, &plan.zone, last) {
        loop {
            let now = clock::wall_ms();
            if now >= next {
                break;
            }
            sleep(Duration::from_millis(next - now).min(NAP)).await;
        }
        // Times that passed while the computer slept are one.
        last = clock::wall_ms().max(next);
        if unit.is_paused.get() || hub.is_ending.get() || hub.services.store.is_clean.get() {
            continue;
        }
        match plan.action {
            Action::Start => hub.advance(&unit, Event::Start { asked: false }),
            Action::Restart => {
                hub.advance(&unit, Event::Restart { by: "its schedule".to_owned(), why: Why::Schedule });
            }
        }
    }
}

/// Restarts an instance whose whole tree uses more memory than it may.
pub async fn stay_small(hub: Rc<Hub>, unit: Rc<Unit>, most: u64) {
    loop {
        sleep(MEASURE).await;
        let Some(session) = unit.session.borrow().clone() else { return };
        // A look that failed says nothing about its size.
        let Ok(look) = hub.census.look().await else { continue };
        let Ok(members) = tree::members(&look, &session.mark()) else { continue };
        let used = process::pages_bytes(members.iter().map(|stat| stat.rss_pages).sum());
        if used > most {
            tracing::warn!(service = %unit.name, used, most, "uses more memory than it may");
            let by = format!("its limit of memory: {} MiB of {} MiB", used >> 20, most >> 20);
            hub.advance(&unit, Event::Restart { by, why: Why::Memory });
            return;
        }
    }
}
