//! More or fewer instances of a service, and fresh ones in the place of old ones.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs::Scale;
use crate::session::service::definition::Definition;
use crate::session::service::machine::Event;
use crate::session::service::machine::Phase;
use crate::session::service::machine::Rules;
use crate::session::service::machine::Wanted;
use crate::session::service::spec;

/// Some of the instances.
type Units = Vec<Rc<Unit>>;

/// What stands behind the name of an instance that takes another one's place.
const FRESH: &str = "-fresh";

impl Hub {
    /// Gives a service so many instances; returns those that are too many, and those that are there.
    pub fn scale(self: &Rc<Self>, service: &str, scale: Scale, by: &str) -> Result<(Units, Units), WireError> {
        let units = self.services.instances(service);
        let Some(first) = units.first() else { return Ok((Vec::new(), Vec::new())) };
        let definition = Definition::clone(&first.definition.borrow());
        let before = i64::from(definition.spec.instances);
        let wanted = i64::from(scale.by) + if scale.is_relative { before } else { 0 };
        let Some(instances) = u32::try_from(wanted).ok().filter(|wanted| (1..=spec::INSTANCES).contains(wanted)) else {
            let message =
                format!("service {service} cannot have {wanted} instances, it can have 1 to {}", spec::INSTANCES);
            return Err(WireError::new(Code::Invalid, message).hint(format!("`rpm stop {service}` stops all of them")));
        };
        tracing::info!(service, instances, by, "scaled");
        let surplus: Vec<Rc<Unit>> = units.into_iter().filter(|unit| unit.instance >= instances).collect();
        let spec = spec::ServiceSpec { instances, ..definition.spec.clone() };
        self.redefine(&[], Definition { spec, ..definition })?;
        let kept = self.services.instances(service);
        let is_kept = |unit: &Rc<Unit>| unit.instance < instances;
        Ok((surplus, kept.into_iter().filter(is_kept).collect()))
    }

    /// Adds instances that a definition has and we have not; one that stays gets the name that fits their number.
    pub(super) fn rescale(self: &Rc<Self>, known: &[Rc<Unit>], definition: &Arc<Definition>) -> Result<(), WireError> {
        let service = definition.spec.full_name();
        for instance in 0..definition.spec.instances {
            let name = definition.spec.instance_name(instance);
            match self.services.instances(&service).into_iter().find(|unit| unit.instance == instance) {
                Some(unit) if unit.name == name => {}
                Some(unit) => {
                    self.rename_unit(&unit, &name)?;
                }
                None => {
                    let unit = self.add_unit(definition, instance);
                    let is_wanted = known.iter().any(|unit| unit.machine.borrow().wanted == Wanted::Up);
                    if is_wanted {
                        self.advance(&unit, Event::Start { asked: true });
                    }
                }
            }
        }
        for unit in known.iter().filter(|unit| unit.instance >= definition.spec.instances) {
            self.delete(unit, "a definition with fewer instances");
        }
        Ok(())
    }

    /// Gives an instance another name; its session, its deaths and what it does stay.
    pub(super) fn rename_unit(self: &Rc<Self>, unit: &Rc<Unit>, name: &str) -> Result<Rc<Unit>, WireError> {
        if self.registry.borrow().has_name(name) {
            return Err(WireError::new(Code::NameTaken, format!("there is a session called {name} already")));
        }
        let renamed = Rc::new(unit.renamed(name));
        self.services.timers.set(&unit.name, None);
        unit.leave();
        self.services.units.borrow_mut().remove(&unit.name);
        self.services.by_session.borrow_mut().remove(&unit.id());
        match &*renamed.session.borrow() {
            Some(session) => session.rename(Some(name.to_owned()), None),
            None => drop(self.registry.borrow_mut().remove(unit.id())),
        }
        unit.is_forgotten.set(true);
        self.services.store.rename(&unit.name, name);
        self.services.add(Rc::clone(&renamed));
        renamed.record();
        self.services.watching.leave(&unit.name);
        self.plan(&renamed);
        self.watch(&renamed);
        self.attend(&renamed);
        self.services.timers.set(name, renamed.deadline());
        self.show(&renamed);
        if let Some(session) = &*renamed.session.borrow() {
            // Whose its journal is has to be known after a power cut, too.
            self.journals.describe(&session.status());
        }
        Ok(renamed)
    }

    /// Starts a fresh instance beside one, waits until it is ready, ends the old one and gives the fresh one its name. When
    /// it is not ready in time, the old one stays.
    pub async fn reload(self: &Rc<Self>, old: &Rc<Unit>, wait: Duration, by: &str) -> Result<Rc<Unit>, WireError> {
        let name = old.name.clone();
        let is_up = matches!(old.machine.borrow().phase, Phase::Up { .. });
        if !is_up {
            self.advance(old, Event::Start { asked: true });
            self.services.until(old, Unit::has_started).await;
            return Ok(Rc::clone(old));
        }
        let definition = Arc::clone(&old.definition.borrow());
        let fresh_name = format!("{name}{FRESH}");
        if self.registry.borrow().has_name(&fresh_name) {
            let message = format!("service {name} is being reloaded already");
            return Err(WireError::new(Code::Failed, message));
        }
        let fresh = Rc::new(Unit::named(definition, old.instance, fresh_name));
        *fresh.rules.borrow_mut() = Rules::of(&fresh.definition.borrow().spec);
        self.services.add(Rc::clone(&fresh));
        self.advance(&fresh, Event::Start { asked: true });
        let is_late = timeout(wait, self.services.until(&fresh, Unit::is_decided)).await.is_err();
        let is_ready = matches!(fresh.machine.borrow().phase, Phase::Up { ready: true, .. });
        if is_late || !is_ready {
            let state = fresh.status().state.word();
            let fault = fresh.start_fault().map(|error| format!(": {}", error.message)).unwrap_or_default();
            self.delete(&fresh, by);
            self.services.until(&fresh, |unit| unit.is_forgotten.get()).await;
            let message =
                format!("the fresh instance of {name} did not get ready, it was {state}{fault}; the old one runs on");
            return Err(WireError::new(Code::Failed, message).hint(format!("`rpm logs {name}`, then try again")));
        }
        fresh.machine.borrow_mut().restarts = old.machine.borrow().restarts.saturating_add(1);
        fresh.died.set(old.died.get());
        old.is_replaced.set(true);
        let journal = old.journal();
        self.delete(old, by);
        self.services.until(old, |unit| unit.is_forgotten.get()).await;
        let renamed = self.rename_unit(&fresh, &name)?;
        if let Some(folder) = journal {
            self.journals.join(renamed.id(), &folder);
        }
        Ok(renamed)
    }
}
