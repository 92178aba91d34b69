//! What `apply` would do: the set that is there against the set that a file asks for.
//!
//! Pure. How a spec is shown key by key is given by whoever knows the keys (`config::services::shown`).

use std::collections::HashMap;

use serde::Serialize;

use crate::session::service::order;
use crate::session::service::order::Cycle;
use crate::session::service::order::Needs;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;

/// A key of a service and its value as text; variables are keys of their own, `env.NAME`.
pub type Shown = Vec<(String, String)>;

/// One key that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub key: String,
    /// Its value so far; `None` when it was not there.
    pub old: Option<String>,
    /// Its new value; `None` when it goes.
    pub new: Option<String>,
}

/// What a change costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cost {
    /// Nothing: the policy counts from now on, the program runs on.
    Live,
    /// Instances come or go, those that stay run on.
    Scale,
    /// It has to be restarted.
    Restart,
}

/// What happens to one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "step")]
pub enum Step {
    /// It is new.
    Create,
    /// It differs.
    Change {
        /// In what.
        differences: Vec<Difference>,
        /// What that costs.
        cost: Cost,
        /// File that defined it so far, when that was another one: taking it over has to be asked for.
        taken_from: Option<String>,
    },
    /// It is as it should be.
    Same,
    /// The file named it once, and does not any more.
    Remove,
}

/// One service of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Full name.
    pub name: String,
    /// What happens to it.
    #[serde(flatten)]
    pub step: Step,
}

/// Keys that count without a restart.
const LIVE: [&str; 15] = [
    "tags",
    "autostart",
    "restart",
    "success_codes",
    "stop_codes",
    "backoff",
    "crash_loop",
    "stop",
    "depends_on",
    "readiness",
    "liveness",
    "watch",
    "schedule",
    "max_memory",
    "log",
];

/// Compares what is there with what `source`, a file, asks for. First what is to be removed, dependants first, then the
/// rest in the order in which it starts. What is there from other files or the command line is left alone, unless it is
/// named. `removes`: also plan what the file does not name any more.
pub fn plan(
    there: &[ServiceSpec],
    wanted: &[ServiceSpec],
    source: &[u8],
    removes: bool,
    shown: &dyn Fn(&ServiceSpec) -> Shown,
) -> Result<Vec<Item>, Cycle> {
    let wanted_names: Vec<String> = wanted.iter().map(ServiceSpec::full_name).collect();
    let known: HashMap<String, &ServiceSpec> = there.iter().map(|spec| (spec.full_name(), spec)).collect();
    let is_gone = |spec: &&ServiceSpec| spec.source == source && !wanted_names.contains(&spec.full_name());
    let gone: Vec<&ServiceSpec> = there.iter().filter(is_gone).filter(|_| removes && !source.is_empty()).collect();

    let mut items = Vec::new();
    let gone_names: Vec<String> = gone.iter().map(|spec| spec.full_name()).collect();
    let gone_needs = needs(&gone_names, gone.iter().copied());
    // A cycle among what is there would be an older version's fault, and no reason to keep it.
    let order = order::stop_order(&gone_needs).unwrap_or_else(|_| vec![(0..gone.len()).collect()]);
    for at in order.concat() {
        items.push(Item { name: gone_names[at].clone(), step: Step::Remove });
    }
    for at in order::start_order(&needs(&wanted_names, wanted.iter()))?.concat() {
        let name = wanted_names[at].clone();
        let step = known.get(&name).map_or(Step::Create, |old| compare(old, &wanted[at], shown));
        items.push(Item { name, step });
    }
    Ok(items)
}

fn needs<'a>(names: &'a [String], specs: impl Iterator<Item = &'a ServiceSpec>) -> Vec<Needs<'a>> {
    names.iter().zip(specs).map(|(name, spec)| Needs { name, depends_on: &spec.depends_on }).collect()
}

fn compare(old: &ServiceSpec, new: &ServiceSpec, shown: &dyn Fn(&ServiceSpec) -> Shown) -> Step {
    let differences = differences(old, new, shown);
    let is_taken = !old.source.is_empty() && old.source != new.source;
    let taken_from = is_taken.then(|| String::from_utf8_lossy(&old.source).into_owned());
    if differences.is_empty() && taken_from.is_none() {
        return Step::Same;
    }
    let cost = differences.iter().map(|difference| cost(&difference.key)).max().unwrap_or(Cost::Live);
    Step::Change { differences, cost, taken_from }
}

fn cost(key: &str) -> Cost {
    match key {
        "instances" => Cost::Scale,
        key if LIVE.contains(&key) => Cost::Live,
        _ => Cost::Restart,
    }
}

/// Says in which keys two specs differ; values of secrets are hidden, that they differ is not. What was inherited is not
/// compared: another shell is no reason to restart a service.
#[must_use]
pub fn differences(old: &ServiceSpec, new: &ServiceSpec, shown: &dyn Fn(&ServiceSpec) -> Shown) -> Vec<Difference> {
    let (before, after) = (all(old, shown), all(new, shown));
    let value =
        |shown: &Shown, key: &str| shown.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.clone());
    let mut keys: Vec<&String> = before.iter().chain(&after).map(|(key, _)| key).collect();
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(key.as_str()));
    let differing = keys.into_iter().filter_map(|key| {
        let (old, new) = (value(&before, key), value(&after, key));
        let hide = |value: Option<String>| if is_secret(key) { value.map(|_| HIDDEN.to_owned()) } else { value };
        (old != new).then(|| Difference { key: key.clone(), old: hide(old), new: hide(new) })
    });
    differing.collect()
}

/// Stands for a value that is not shown.
pub const HIDDEN: &str = "(hidden)";

/// The keys, and each variable that was asked for.
fn all(spec: &ServiceSpec, shown: &dyn Fn(&ServiceSpec) -> Shown) -> Shown {
    let mut all = shown(spec);
    for variable in &spec.env {
        let name = String::from_utf8_lossy(&variable.name);
        let prefix = match variable.origin {
            Origin::Inherited => continue,
            Origin::File(_) => "env_file",
            Origin::Config | Origin::Cli => "env",
        };
        let value = variable
            .value
            .as_ref()
            .map_or_else(|| "removed".to_owned(), |value| format!("{:?}", String::from_utf8_lossy(value)));
        all.push((format!("{prefix}.{name}"), value));
    }
    all
}

/// Puts [`HIDDEN`] for the values of variables that are not to be shown.
pub fn hide_secrets(spec: &mut ServiceSpec) {
    for variable in &mut spec.env {
        let is_secret =
            matches!(variable.origin, Origin::File(_)) || is_secret_name(&String::from_utf8_lossy(&variable.name));
        if let Some(value) = variable.value.as_mut().filter(|_| is_secret) {
            *value = HIDDEN.as_bytes().to_vec().into();
        }
    }
}

/// Returns whether the value of a key is not to be shown: what a file of variables holds, and names that sound so.
#[must_use]
pub fn is_secret(key: &str) -> bool {
    match key.split_once('.') {
        Some(("env_file", _)) => true,
        Some(("env", name)) => is_secret_name(name),
        _ => false,
    }
}

/// Returns whether a variable's name sounds as if its value were a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "AUTH", "DATABASE_URL"];
    let upper = name.to_ascii_uppercase();
    upper != "PWD" && upper != "OLDPWD" && WORDS.iter().any(|word| upper.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::service::policy::Dependency;
    use crate::session::service::spec::Command;
    use crate::session::service::spec::Variable;
    use serde_bytes::ByteBuf;

    const FILE: &[u8] = b"/srv/runpm.toml";

    fn service(name: &str) -> ServiceSpec {
        ServiceSpec {
            name: name.to_owned(),
            source: ByteBuf::from(FILE),
            command: Command::of(&["run", name]),
            ..ServiceSpec::default()
        }
    }

    fn after(name: &str, needed: &str) -> ServiceSpec {
        let dependency = Dependency { name: needed.to_owned(), ..Dependency::default() };
        ServiceSpec { depends_on: vec![dependency], ..service(name) }
    }

    fn shown(spec: &ServiceSpec) -> Shown {
        vec![
            ("command".to_owned(), format!("{:?}", spec.command)),
            ("instances".to_owned(), spec.instances.to_string()),
            ("tags".to_owned(), spec.tags.join(" ")),
        ]
    }

    fn variable(name: &str, value: &str, origin: Origin) -> Variable {
        let value = Some(ByteBuf::from(value.as_bytes()));
        Variable { name: ByteBuf::from(name.as_bytes()), value, origin }
    }

    fn steps(there: &[ServiceSpec], wanted: &[ServiceSpec], removes: bool) -> Vec<(String, Step)> {
        let items = plan(there, wanted, FILE, removes, &shown).expect("a plan");
        items.into_iter().map(|item| (item.name, item.step)).collect()
    }

    #[test]
    fn applying_twice_changes_nothing_and_the_order_is_that_of_starting() {
        let wanted = [after("web", "db"), service("db")];
        let created: Vec<_> = ["db", "web"].map(|name| (name.to_owned(), Step::Create)).into();
        assert_eq!(steps(&[], &wanted, true), created);
        let same: Vec<_> = ["db", "web"].map(|name| (name.to_owned(), Step::Same)).into();
        assert_eq!(steps(&wanted, &wanted, true), same);
    }

    #[test]
    fn only_what_the_same_file_named_is_removed_and_only_when_asked_dependants_first() {
        let other = ServiceSpec { source: ByteBuf::from(b"/other.toml"), ..service("theirs") };
        let by_hand = ServiceSpec { source: ByteBuf::new(), ..service("by-hand") };
        let there = [service("old"), after("older", "old"), other, by_hand, service("db")];
        let wanted = [service("db")];
        assert_eq!(steps(&there, &wanted, false), [("db".to_owned(), Step::Same)]);
        let removed = ["older", "old"].map(|name| (name.to_owned(), Step::Remove));
        assert_eq!(steps(&there, &wanted, true)[..2], removed);
        assert_eq!(steps(&there, &wanted, true).len(), 3);
    }

    #[test]
    fn a_change_names_its_keys_and_what_it_costs() {
        for (new, key, wanted) in [
            (ServiceSpec { tags: vec!["x".to_owned()], ..service("a") }, "tags", Cost::Live),
            (ServiceSpec { instances: 3, ..service("a") }, "instances", Cost::Scale),
            (ServiceSpec { command: Command::of(&["other"]), ..service("a") }, "command", Cost::Restart),
            (ServiceSpec { env: vec![variable("A", "1", Origin::Config)], ..service("a") }, "env.A", Cost::Restart),
        ] {
            let found = steps(&[service("a")], &[new], false);
            let Step::Change { differences, cost, taken_from: None } = &found[0].1 else { panic!("{found:?}") };
            assert_eq!((differences[0].key.as_str(), differences.len(), *cost), (key, 1, wanted));
        }
    }

    #[test]
    fn what_another_file_defines_is_not_taken_over_silently() {
        let theirs = ServiceSpec { source: ByteBuf::from(b"/other.toml"), ..service("web") };
        let found = steps(&[theirs], &[service("web")], false);
        assert!(
            matches!(&found[0].1, Step::Change { taken_from: Some(from), .. } if from == "/other.toml"),
            "{found:?}"
        );
        let by_hand = ServiceSpec { source: ByteBuf::new(), ..service("web") };
        assert_eq!(steps(&[by_hand], &[service("web")], false), [("web".to_owned(), Step::Same)]);
    }

    #[test]
    fn inherited_variables_change_nothing_and_secrets_are_not_told() {
        let with = |env: &[Variable]| ServiceSpec { env: env.to_vec(), ..service("a") };
        let old = with(&[
            variable("PATH", "/bin", Origin::Inherited),
            variable("API_TOKEN", "abc", Origin::Config),
            variable("PLAIN", "1", Origin::File(0)),
            variable("PORT", "1", Origin::Config),
        ]);
        let new = with(&[
            variable("PATH", "/usr/bin", Origin::Inherited),
            variable("API_TOKEN", "xyz", Origin::Config),
            variable("PLAIN", "2", Origin::File(0)),
        ]);
        let found = differences(&old, &new, &shown);
        let of = |key: &str, old: Option<&str>, new: Option<&str>| Difference {
            key: key.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        assert_eq!(
            found,
            [
                of("env.API_TOKEN", Some(HIDDEN), Some(HIDDEN)),
                of("env_file.PLAIN", Some(HIDDEN), Some(HIDDEN)),
                of("env.PORT", Some("\"1\""), None),
            ]
        );
        assert_eq!(differences(&old, &old, &shown), []);

        let mut told = old.clone();
        hide_secrets(&mut told);
        let values: Vec<&[u8]> = told.env.iter().filter_map(|it| it.value.as_ref()).map(|value| &value[..]).collect();
        assert_eq!(values, [b"/bin", HIDDEN.as_bytes(), HIDDEN.as_bytes(), b"1"]);
    }

    #[test]
    fn a_cycle_in_the_file_is_no_plan() {
        let wanted = [after("a", "b"), after("b", "a")];
        let refused = plan(&[], &wanted, FILE, false, &shown).map_err(|cycle| cycle.to_string());
        assert_eq!(refused, Err("a → b → a".to_owned()));
    }
}
