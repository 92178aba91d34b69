//! Which services there are: defining, changing and deleting them.

use std::rc::Rc;
use std::sync::Arc;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::daemon::services::store::Record;
use crate::daemon::services::store::State;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::session::service::definition::Definition;
use crate::session::service::machine::Event;
use crate::session::service::machine::Rules;
use crate::session::service::machine::Wanted;
use crate::session::service::spec;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::spec::name_from;
use crate::session::text;

/// What became of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defined {
    /// There was none of its name.
    Created,
    /// There was another one.
    Changed,
    /// It was there already.
    Unchanged,
}

impl Hub {
    /// Enters a definition; nothing is started. An empty name is made from the program's. With `replaces` it takes the
    /// place of another one of its name, else that is refused; with `renews` also if only what is inherited differs.
    pub fn define(
        self: &Rc<Self>,
        mut definition: Definition,
        replaces: bool,
        renews: bool,
    ) -> Result<(String, Defined), WireError> {
        if let Some(known) = self.made_by(&definition) {
            return Ok((known, Defined::Unchanged));
        }
        check(&definition)?;
        if definition.spec.name.is_empty() {
            definition.spec.name = self.free_name(&definition);
        }
        let name = definition.spec.full_name();
        let known = self.services.instances(&name);
        let Some(first) = known.first() else {
            self.refuse_taken(&definition)?;
            let definition = Arc::new(definition);
            for instance in 0..definition.spec.instances {
                self.add_unit(&definition, instance);
            }
            return Ok((name, Defined::Created));
        };
        let is_same = is_same(&first.definition.borrow().spec, &definition.spec, replaces);
        if is_same && !renews {
            return Ok((name, Defined::Unchanged));
        }
        if !replaces {
            let message = format!("there is a service called {name} already, and it is another one");
            let hint = format!("`rpm delete {name}` first, or choose another name with --name");
            return Err(WireError::new(Code::NameTaken, message).hint(hint));
        }
        self.redefine(&known, definition)?;
        Ok((name, Defined::Changed))
    }

    /// Gives a service another definition; what runs goes on with the old one until it is restarted.
    pub(super) fn redefine(self: &Rc<Self>, known: &[Rc<Unit>], definition: Definition) -> Result<(), WireError> {
        let definition = Arc::new(definition);
        self.rescale(known, &definition)?;
        for unit in &self.services.instances(&definition.spec.full_name()) {
            *unit.rules.borrow_mut() = Rules::of(&definition.spec);
            *unit.definition.borrow_mut() = Arc::clone(&definition);
            if let Some(session) = &*unit.session.borrow() {
                session.facts.borrow_mut().tags.clone_from(&definition.spec.tags);
                session.status.borrow_mut().tags.clone_from(&definition.spec.tags);
            }
            unit.record();
            self.services.timers.set(&unit.name, unit.deadline());
            self.plan(unit);
            self.watch(unit);
            // Its probes may be others.
            unit.attended.set(None);
            self.attend(unit);
            self.show(unit);
        }
        self.services.store.touch();
        Ok(())
    }

    pub(super) fn add_unit(self: &Rc<Self>, definition: &Arc<Definition>, instance: u32) -> Rc<Unit> {
        let unit = Rc::new(Unit::new(Arc::clone(definition), instance));
        self.services.add(Rc::clone(&unit));
        self.plan(&unit);
        self.watch(&unit);
        self.show(&unit);
        self.services.store.touch();
        unit
    }

    /// Returns the service that this very request made.
    fn made_by(&self, definition: &Definition) -> Option<String> {
        let key = definition.made_by;
        let made =
            self.services.units().into_iter().find(|unit| unit.definition.borrow().made_by == key && key.0 != 0)?;
        Some(made.service())
    }

    fn free_name(&self, definition: &Definition) -> String {
        let spec = &definition.spec;
        let program = spec.command.words.first().cloned().unwrap_or_default();
        let program = program.split(|byte| *byte == b' ').next().unwrap_or_default();
        let names = self.registry.borrow().names();
        let is_taken = |name: &str| {
            let full = spec::full_name(&spec.namespace, name);
            names.contains(&full) || !self.services.instances(&full).is_empty()
        };
        name_from(program, is_taken)
    }

    fn refuse_taken(&self, definition: &Definition) -> Result<(), WireError> {
        let spec = &definition.spec;
        let names = (0..spec.instances).map(|instance| spec.instance_name(instance));
        for name in names {
            // One of that name was lost with the keeper before: it stays in the list, under another name.
            self.registry.borrow_mut().rename_lost(&name);
            if self.registry.borrow().has_name(&name) {
                let message = format!("there is a session called {name} already");
                let hint = format!("choose another name with --name, or remove it (`rpm rm {name}`)");
                return Err(WireError::new(Code::NameTaken, message).hint(hint));
            }
        }
        Ok(())
    }

    /// Counts restarts and failures anew.
    pub fn reset(&self, unit: &Unit) {
        unit.machine.borrow_mut().reset();
        unit.record();
        self.services.timers.set(&unit.name, unit.deadline());
        self.show(unit);
    }

    /// Enters what a snapshot has and we have not; what is wanted there is wanted here.
    pub fn restore(self: &Rc<Self>, state: State) {
        for Record { definition, units } in state.services {
            for record in units {
                let name = definition.spec.instance_name(record.instance);
                let known = self.services.unit(&name);
                if known.is_none() && self.registry.borrow().has_name(&name) {
                    tracing::warn!(service = %name, "not restored: there is a session of that name");
                    continue;
                }
                let unit = known.unwrap_or_else(|| self.add_unit(&definition, record.instance));
                if record.wanted == Wanted::Up {
                    unit.machine.borrow_mut().wanted = Wanted::Up;
                }
            }
        }
        self.services.store.touch();
    }

    /// Deletes an instance, once it has ended.
    pub fn delete(self: &Rc<Self>, unit: &Rc<Unit>, by: &str) {
        self.advance(unit, Event::Delete { by: by.to_owned() });
    }

    /// Starts what is wanted and not running; returns those instances.
    pub fn start_wanted(self: &Rc<Self>) -> Vec<Rc<Unit>> {
        let is_due = |unit: &Rc<Unit>| unit.machine.borrow().wanted == Wanted::Up && unit.is_settled();
        let due: Vec<Rc<Unit>> = self.services.units().into_iter().filter(is_due).collect();
        for unit in &due {
            self.advance(unit, Event::Start { asked: true });
        }
        due
    }
}

/// What was inherited is no difference; a file that does not ask for a change has made its own comparison.
fn is_same(there: &ServiceSpec, wanted: &ServiceSpec, replaces: bool) -> bool {
    let said = |spec: &ServiceSpec| {
        let mut spec = spec.clone();
        spec.env.retain(|variable| variable.origin != Origin::Inherited);
        spec
    };
    let is_of_file = !wanted.source.is_empty() && wanted.source == there.source;
    (is_of_file && !replaces) || said(there) == said(wanted)
}

/// Refuses what cannot be run, whoever made it.
fn check(definition: &Definition) -> Result<(), WireError> {
    let spec = &definition.spec;
    let refused = |message: String| Err(WireError::new(Code::Invalid, message));
    let namespace = Some(&spec.namespace).filter(|name| !name.is_empty());
    for name in [Some(&spec.name).filter(|name| !name.is_empty()), namespace].into_iter().flatten() {
        if let Some(fault) = spec::name_fault(name) {
            return refused(format!("{:?} cannot be a name: {fault}", text::clean(name)));
        }
    }
    if spec.command.words.first().is_none_or(|word| word.is_empty()) {
        return refused("there is no command to run".to_owned());
    }
    if !(1..=spec::INSTANCES).contains(&spec.instances) {
        return refused(format!("a service can have 1 to {} instances", spec::INSTANCES));
    }
    let has_nul = spec.command.words.iter().chain([&spec.cwd]).any(|bytes| bytes.contains(&0));
    let bad = spec.env.iter().find(|variable| {
        let value = variable.value.as_ref().is_some_and(|value| value.contains(&0));
        variable.name.is_empty() || variable.name.contains(&0) || variable.name.contains(&b'=') || value
    });
    match bad {
        _ if has_nul => refused("a NUL byte cannot be part of a command or its directory".to_owned()),
        // The name only: values may be secrets.
        Some(bad) => refused(format!("the variable {} cannot be used", text::quote(&[&bad.name]))),
        None => Ok(()),
    }
}
