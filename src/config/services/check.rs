//! What no key can know alone: whether the services of a file fit together.

use crate::config::Grade;
use crate::config::services::Placed;
use crate::config::services::key::near;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::session::service::order;
use crate::session::service::order::Needs;
use crate::session::service::policy::Condition;
use crate::session::service::policy::Restart;
use crate::session::service::spec::DEFAULT_NAMESPACE;
use crate::session::service::spec::ServiceSpec;

/// Looks at all services of a file; each has its place.
pub fn all(specs: &[ServiceSpec], places: &[Placed]) -> Vec<(Grade, Fault)> {
    let names: Vec<String> = specs.iter().map(ServiceSpec::full_name).collect();
    let mut found = Vec::new();
    for (at, (spec, place)) in specs.iter().zip(places).enumerate() {
        if names[..at].contains(&names[at]) {
            found.push((Grade::Error, fault(place, None, format!("`{}` is there twice", names[at]))));
        }
        for dependency in &spec.depends_on {
            let other = names.iter().position(|name| *name == dependency.name).map(|at| &specs[at]);
            let wrong = match other {
                Some(other) => unfit(other, dependency.condition),
                None => unknown(&dependency.name, specs, &names).map(|text| (Grade::Error, text)),
            };
            found.extend(wrong.map(|(grade, text)| {
                (grade, fault(place, Some("depends_on"), format!("{}: `depends_on` {text}", spec.name)))
            }));
        }
    }
    let needs = names.iter().zip(specs).map(|(name, spec)| Needs { name, depends_on: &spec.depends_on });
    if let Err(cycle) = order::ranks(&needs.collect::<Vec<_>>()) {
        let first = cycle.0.first().and_then(|first| names.iter().position(|name| name == first));
        let place = first.and_then(|at| places.get(at));
        let text = format!("these services wait for each other: {cycle}");
        found.extend(place.map(|place| (Grade::Error, fault(place, Some("depends_on"), text))));
    }
    found
}

fn fault((name, table): &Placed, key: Option<&str>, text: String) -> Fault {
    let span = key.and_then(|key| table.get(key)).map_or_else(|| name.clone(), |node: &Node| node.span.clone());
    Fault { span, text }
}

/// Services of a namespace that the file says nothing of may be somebody else's; those of its own have to be there.
fn unknown(name: &str, specs: &[ServiceSpec], names: &[String]) -> Option<String> {
    let namespace = name.split_once('/').map_or(DEFAULT_NAMESPACE, |(namespace, _)| namespace);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = near(name, &names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let is_ours = specs.iter().any(|spec| spec.namespace == namespace);
    is_ours.then(|| format!("names `{name}`, and there is no such service{hint}"))
}

/// Says why a service can never be what is asked of it.
fn unfit(other: &ServiceSpec, condition: Condition) -> Option<(Grade, String)> {
    let name = other.full_name();
    match condition {
        Condition::Healthy if other.liveness.is_none() => {
            Some((Grade::Error, format!("wants `{name}` healthy, which has no `liveness`")))
        }
        Condition::Completed if other.restart == Restart::Always => Some((
            Grade::Warning,
            format!("wants `{name}` completed, which is started again and again: add restart = \"on-failure\" to it"),
        )),
        _ => None,
    }
}
