//! One key of a service from the command line: `stop.grace=10s`.

use std::path::Path;

use crate::config::services::key;
use crate::config::services::key::Base;
use crate::config::services::keys::KEYS;
use crate::config::tree;
use crate::config::tree::Entry;
use crate::config::tree::Format;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;

/// Sets a key as a file would: `KEY=VALUE`, `TABLE.KEY=VALUE`. The value is written as in TOML, and where that makes no
/// sense it is a text, so that quotes are needed for little. Relative paths start at `folder`. Fails with a sentence, and
/// leaves the service as it was.
pub fn set(spec: &mut ServiceSpec, assignment: &str, folder: &Path, home: Option<&Path>) -> Result<(), String> {
    let Some((path, written)) = assignment.split_once('=').filter(|(path, _)| !path.is_empty()) else {
        return Err(format!("{assignment:?} sets nothing: write KEY=VALUE, such as stop.grace=10s"));
    };
    // A text may be cut anywhere: a key of its own would be another meaning.
    let parsed = tree::parse(&format!("it = {written}"), Format::Toml).ok().filter(|root| root.entries().len() == 1);
    let text = || Node { span: 0..0, value: Value::Text(written.to_owned()) };
    let value = parsed.and_then(|root| root.get("it").cloned()).unwrap_or_else(text);
    // What is after the first dot of `env` is the name of a variable, dots and all.
    let names: Vec<&str> = match path.split_once('.') {
        Some((table, name)) if table == "env" => vec![table, name],
        _ => path.split('.').collect(),
    };
    let root = names.iter().rev().fold(value, |node, name| {
        let entry = Entry { name: (*name).to_owned(), span: 0..0, node };
        Node { span: 0..0, value: Value::Table(vec![entry]) }
    });

    let base = Base {
        folder: folder.to_owned(),
        home: home.map(Path::to_owned),
        shell: spec.command.shell,
        namespace: spec.namespace.clone(),
        ..Base::default()
    };
    let mut changed = spec.clone();
    let faults = key::read(KEYS, "the service", &mut changed, &root, &base);
    let unknown = base.unknown.take().into_iter().map(|unknown| unknown.text);
    if let Some(why) = faults.into_iter().map(|fault| fault.text).chain(unknown).next() {
        return Err(why);
    }
    for variable in changed.env.iter_mut().filter(|variable| !spec.env.contains(variable)) {
        variable.origin = Origin::Cli;
    }
    *spec = changed;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::services::text_of;
    use crate::session::service::spec::Command;

    fn web() -> ServiceSpec {
        ServiceSpec { name: "web".to_owned(), command: Command::of(&["x"]), ..ServiceSpec::default() }
    }

    fn set_in(spec: &mut ServiceSpec, assignment: &str) -> Result<(), String> {
        set(spec, assignment, Path::new("/srv"), Some(Path::new("/home/ann")))
    }

    #[test]
    fn w66_every_key_can_be_set_with_few_quotes() {
        for (assignment, line) in [
            ("instances=3", "instances = 3"),
            ("restart=no", "restart = \"no\""),
            ("stop.grace=10s", "stop = { grace = \"10s\" }"),
            ("max_memory=300M", "max_memory = \"300M\""),
            ("env.A=b c", "env = { A = \"b c\" }"),
            ("env.A.B=1=2", "env = { \"A.B\" = \"1=2\" }"),
            ("env={A=\"x\"}", "env = { A = \"x\" }"),
            ("depends_on=[\"db\"]", "depends_on = [\"db\"]"),
            ("depends_on=db", "depends_on = [\"db\"]"),
            ("cwd=app", "cwd = \"/srv/app\""),
            ("cwd=~/app", "cwd = \"/home/ann/app\""),
            ("readiness.http=http://localhost/", "readiness = { http = \"http://localhost/\" }"),
            ("schedule=@daily", "schedule = { cron = \"@daily\" }"),
            ("namespace=shop", "namespace = \"shop\""),
            ("umask=\"027\"", "umask = \"027\""),
        ] {
            let mut spec = web();
            assert_eq!(set_in(&mut spec, assignment), Ok(()), "{assignment}");
            assert!(text_of(&spec).contains(line), "{assignment}: {}", text_of(&spec));
            assert!(spec.env.iter().all(|variable| variable.origin == Origin::Cli));
        }
    }

    #[test]
    fn what_cannot_be_set_is_named_and_changes_nothing() {
        for (assignment, why) in [
            ("instances", "sets nothing"),
            ("=3", "sets nothing"),
            ("instances=0", "`instances` expects a number from 1 to 1000, not 0"),
            ("stop.gracee=1s", "did you mean `grace`?"),
            ("stop.grace=soon", "`stop.grace` expects a duration"),
            ("instance=3", "did you mean `instances`?"),
            ("restart=no\ninstances = 5", "expects \"no\" or"),
            ("env.=x", "cannot be the name of a variable"),
        ] {
            let mut spec = web();
            let said = set_in(&mut spec, assignment).expect_err(assignment);
            assert!(said.contains(why), "{assignment}: {said}");
            assert_eq!(spec, web());
        }
    }
}
