//! What services need of each other: who waits for whom, and in which order they end.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::daemon::hub::Hub;
use crate::daemon::services::Services;
use crate::daemon::services::Unit;
use crate::history::ExitStatus;
use crate::session::service::machine::Event;
use crate::session::service::machine::Phase;
use crate::session::service::order;
use crate::session::service::order::Needs;
use crate::session::service::policy::Condition;
use crate::session::service::policy::Dependency;

impl Services {
    /// Returns what an instance still waits for, in words.
    pub fn missing(&self, unit: &Unit) -> Option<String> {
        let definition = unit.definition.borrow();
        let missing = |needed: &&Dependency| !self.is_met(needed);
        let needed = definition.spec.depends_on.iter().find(missing)?;
        let units = self.instances(&needed.name);
        let state = units.iter().find(|unit| !is_true(unit, needed.condition)).map_or("not defined".to_owned(), word);
        Some(format!("it needs {} {}, which is {state}", needed.name, order::word(needed.condition)))
    }

    fn is_met(&self, needed: &Dependency) -> bool {
        let units = self.instances(&needed.name);
        !units.is_empty() && units.iter().all(|unit| is_true(unit, needed.condition))
    }
}

/// Puts those that need others before these.
pub fn in_stop_order(units: &mut [Rc<Unit>]) {
    let ranks = ranks(units);
    units.sort_by_key(|unit| std::cmp::Reverse(ranks.get(&unit.service()).copied().unwrap_or(0)));
}

/// Returns a rank for each service of these: it ends before all of a lower rank.
pub fn ranks(units: &[Rc<Unit>]) -> BTreeMap<String, usize> {
    let services: BTreeMap<String, Vec<Dependency>> =
        units.iter().map(|unit| (unit.service(), unit.definition.borrow().spec.depends_on.clone())).collect();
    let needs: Vec<Needs<'_>> = services.iter().map(|(name, depends_on)| Needs { name, depends_on }).collect();
    // Of those that wait for each other none is first.
    let ranks = order::ranks(&needs).unwrap_or_else(|_| vec![0; needs.len()]);
    services.keys().cloned().zip(ranks).collect()
}

fn is_true(unit: &Unit, condition: Condition) -> bool {
    let machine = unit.machine.borrow();
    match (condition, &machine.phase) {
        (Condition::Started, Phase::Up { .. }) | (Condition::Ready, Phase::Up { ready: true, .. }) => true,
        (Condition::Healthy, Phase::Up { ready: true, .. }) => unit.is_well.get(),
        (Condition::Completed, Phase::Exited) => is_success(unit),
        _ => false,
    }
}

/// Returns its state as lists show it: with how it ended.
fn word(unit: &Rc<Unit>) -> String {
    let session = unit.session.borrow();
    let end = session.as_ref().and_then(|session| session.status.borrow().run_end().cloned());
    unit.status().word(end.as_ref())
}

fn is_success(unit: &Unit) -> bool {
    let session = unit.session.borrow();
    let end = session.as_ref().and_then(|session| session.status.borrow().run_end().cloned());
    let code = end.and_then(|end| end.status);
    matches!(code, Some(ExitStatus::Code(code)) if unit.rules.borrow().success_codes.contains(&code))
}

impl Hub {
    /// An instance waits for others: those that do not run are started. It is freed as soon as all are as it needs them.
    pub(super) fn await_needs(self: &Rc<Self>, unit: &Rc<Unit>) {
        let needs = unit.definition.borrow().spec.depends_on.clone();
        for needed in &needs {
            for other in self.services.instances(&needed.name) {
                let is_done = needed.condition == Condition::Completed && is_true(&other, Condition::Completed);
                let has_failed = matches!(other.machine.borrow().phase, Phase::Failed { .. });
                if other.is_settled() && !is_done && !has_failed && other.name != unit.name {
                    self.advance(&other, Event::Start { asked: false });
                }
            }
        }
        *unit.waits_for.borrow_mut() = self.services.missing(unit);
        self.show(unit);
        self.services.moved.notify_one();
    }

    /// Frees those that wait no longer.
    fn free(self: &Rc<Self>) {
        let is_waiting = |unit: &&Rc<Unit>| unit.machine.borrow().phase == Phase::Waiting;
        let waiting: Vec<Rc<Unit>> = self.services.units.borrow().values().filter(is_waiting).cloned().collect();
        for unit in waiting {
            if unit.machine.borrow().phase == Phase::Waiting {
                match self.services.missing(&unit) {
                    None => self.advance(&unit, Event::Free),
                    missing if *unit.waits_for.borrow() != missing => {
                        *unit.waits_for.borrow_mut() = missing;
                        self.show(&unit);
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

/// Looks whenever something moved whether somebody need not wait any more, for as long as the daemon lives.
pub async fn run(hub: Rc<Hub>) {
    loop {
        hub.services.moved.notified().await;
        hub.free();
    }
}
