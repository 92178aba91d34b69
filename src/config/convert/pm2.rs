//! pm2's ecosystem files.

use crate::config::convert::Draft;
use crate::config::convert::Input;
use crate::config::convert::MS;
use crate::config::convert::Service;
use crate::config::convert::bytes;
use crate::config::convert::compact;
use crate::config::convert::is_off;
use crate::config::convert::lost;
use crate::config::convert::number;
use crate::config::services::split;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::service::policy::Action;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::Restart;
use crate::session::service::policy::Schedule;
use crate::session::service::policy::Watch;
use crate::session::service::spec::Command;
use crate::session::service::spec::INSTANCES;
use crate::session::service::spec::Origin;
use crate::session::service::spec::Variable;
use crate::session::service::spec::name_fault;
use crate::session::state::Nanos;
use crate::session::text;

/// Variable in which pm2 gives the number of an instance.
const INSTANCE_VAR: &str = "NODE_APP_INSTANCE";

/// Keys without an equivalent, and what to do instead.
const LOST: [(&[&str], &str); 11] = [
    (
        &["out_file", "output", "out", "error_file", "error", "err_file", "err", "log_file", "log"],
        "what it says is kept by itself, `rpm logs NAME` shows it; `rpm tee NAME --to FILE` copies it",
    ),
    (&["log_date_format", "time", "log_type"], "the time of every piece is kept: `rpm logs --timestamps`, `--json`"),
    (&["merge_logs", "combine_logs"], "each instance has a history of its own; `rpm logs NAME` shows them as one"),
    (&["pid_file", "pid"], "`rpm ls --json` has the number of the process"),
    (&["uid", "gid", "user"], "services run as the user who starts them"),
    (&["treekill"], "the whole tree is ended always"),
    (
        &["shutdown_with_message"],
        "the message is of node's own channel; handle the signal, or use stop = { command = … }",
    ),
    (&["increment_var"], "compute it from the variable that `instance_var` names"),
    (
        &["wait_ready", "listen_timeout"],
        "process.send('ready') is of node's own channel; use readiness = { tcp = PORT }, or { log = \"listening\" }",
    ),
    (&["kill_retry_time"], "the kernel tells when a process ends; nobody looks again and again"),
    (
        &[
            "vizion",
            "pmx",
            "automation",
            "trace",
            "disable_trace",
            "source_map_support",
            "disable_source_map_support",
            "force",
            "post_update",
            "append_env_to_name",
            "appendEnvToName",
            "windowsHide",
            "deep_monitoring",
            "monitor",
            "io",
            "km_link",
            "restart_time",
            "unstable_restarts",
            "created_at",
            "watch_options",
        ],
        "pm2's own",
    ),
];

/// Reads a whole file: `{ apps: [ … ] }`, a list, or one app.
pub fn read(root: &Node, input: &Input<'_>) -> Result<Draft, Fault> {
    let mut draft = Draft::default();
    let apps = root.get("apps").unwrap_or(root);
    for entry in root.entries().iter().filter(|_| root.get("apps").is_some()) {
        match entry.name.as_str() {
            "apps" => {}
            "deploy" => {
                draft.lost.push("deploy: this tool starts and keeps; use one that copies and installs".to_owned());
            }
            name => draft.lost.push(lost(name, &entry.node, "")),
        }
    }
    let one = [apps.clone()];
    let apps = if let Value::List(apps) = &apps.value { &apps[..] } else { &one };
    for app in apps {
        let service = service(app, input, &draft.services)?;
        draft.services.push(service);
    }
    Ok(draft)
}

fn service(app: &Node, input: &Input<'_>, others: &[Service]) -> Result<Service, Fault> {
    let Value::Table(entries) = &app.value else { return Err(app.fault("this is no app of pm2")) };
    let Some(script) = app.get("script").and_then(Node::text).filter(|script| !script.is_empty()) else {
        return Err(app.fault("this app has no `script`"));
    };
    let file = script.rsplit('/').next().unwrap_or(script);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = app.get("name").and_then(Node::scalar).unwrap_or_else(|| stem.to_owned());

    let mut service = Service::new(&name, others);
    // What programs that were written for pm2 wait for.
    service.spec.stop.signal = 2;
    service.spec.command = command(app, script, &mut service.lost);
    for entry in entries {
        if !key(&mut service, &entry.name, &entry.node, app) && !is_off(&entry.node) {
            match LOST.iter().find(|(names, _)| names.contains(&entry.name.as_str())) {
                Some((_, instead)) => service.lose(&entry.name, &entry.node, instead),
                None => service.lose(&entry.name, &entry.node, "not understood"),
            }
        }
    }
    variables(&mut service, app, input);
    if service.has_dollar() {
        service.about.push("Values are taken literally; pm2 expands nothing either.".to_owned());
    }
    Ok(service)
}

/// Reads one key; `false` when it has no equivalent.
fn key(service: &mut Service, name: &str, node: &Node, app: &Node) -> bool {
    match name {
        "name" | "script" | "args" | "interpreter" | "exec_interpreter" | "interpreter_args" | "node_args" | "env" => {
            return true;
        }
        name if name.starts_with("env_") => return true,
        "cwd" => match node.text() {
            Some(cwd) => service.spec.cwd = bytes(cwd),
            None => return false,
        },
        "namespace" => match node.text().filter(|name| name_fault(name).is_none()) {
            Some(name) => name.clone_into(&mut service.spec.namespace),
            None => return false,
        },
        "filter_env" => return filter(service, node),
        "instances" | "exec_mode" | "instance_var" => return instances(service, name, node),
        "watch" | "ignore_watch" | "watch_delay" => return watch(service, name, node),
        "disable_logs" => service.spec.log.disk = is_off(node),
        "max_memory_restart" => match size(node) {
            Some(bytes) => service.spec.max_memory = Some(bytes),
            None => return false,
        },
        "cron_restart" | "cron" => {
            match node.text().filter(|cron| crate::platform::schedule::cron_fault(cron).is_none()) {
                Some(cron) => {
                    let (cron, action) = (cron.to_owned(), Action::Restart);
                    service.spec.schedule = Some(Schedule { cron, zone: String::new(), action });
                }
                // `0` switches it off.
                None => return number(node) == Some(0),
            }
        }
        _ => return policy(service, name, node, app),
    }
    true
}

/// Reads keys about starting again and ending.
fn policy(service: &mut Service, name: &str, node: &Node, app: &Node) -> bool {
    let spec = &mut service.spec;
    match (name, duration(node)) {
        ("autorestart", _) if is_off(node) => spec.restart = Restart::No,
        ("autorestart", _) => spec.restart = Restart::Always,
        ("autostart", _) => spec.autostart = !is_off(node),
        ("stop_exit_codes", _) => {
            let one = [node.clone()];
            let nodes = if let Value::List(nodes) = &node.value { &nodes[..] } else { &one };
            let codes: Option<Vec<u8>> = nodes.iter().map(|node| number(node)?.try_into().ok()).collect();
            match codes {
                Some(codes) => spec.stop_codes = codes,
                None => return false,
            }
        }
        ("kill_timeout", Some(grace)) => spec.stop.grace = grace,
        ("restart_delay", Some(delay)) => {
            spec.backoff =
                Backoff { initial: delay, factor_percent: 100, cap: delay, jitter_percent: 0, ..spec.backoff };
        }
        ("exp_backoff_restart_delay", Some(delay)) => {
            let cap = (15_000 * MS).max(delay);
            spec.backoff = Backoff { initial: delay, factor_percent: 150, cap, ..spec.backoff };
        }
        ("min_uptime", Some(uptime)) => spec.backoff.reset_after = uptime,
        ("max_restarts", _) => match number(node).and_then(|most| u32::try_from(most).ok()).filter(|most| *most > 0) {
            Some(most) => {
                let uptime = app.get("min_uptime").and_then(duration).unwrap_or(1000 * MS);
                spec.crash_loop.failures = most;
                spec.crash_loop.window = uptime.saturating_mul(most.into()).clamp(1000 * MS, 86_400_000 * MS);
                spec.crash_loop.give_up = true;
            }
            None => return false,
        },
        _ => return false,
    }
    true
}

fn instances(service: &mut Service, name: &str, node: &Node) -> bool {
    match name {
        "exec_mode" => match node.text() {
            Some("fork" | "fork_mode") => {}
            Some("cluster" | "cluster_mode") => service.lose(
                name,
                node,
                "each instance is a process of its own and opens its port itself (`reusePort` in node)",
            ),
            _ => return false,
        },
        "instance_var" => match node.text() {
            Some(name) => name.clone_into(&mut service.spec.instance_var),
            None => return false,
        },
        _ => {
            let count = number(node).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
            match count {
                Some(count) => service.spec.instances = count.min(INSTANCES),
                None => service.lose(name, node, "write the number, `nproc` tells that of processors"),
            }
            if count != Some(1) && service.spec.instance_var == crate::session::service::spec::INSTANCE_VAR {
                INSTANCE_VAR.clone_into(&mut service.spec.instance_var);
            }
        }
    }
    true
}

fn watch(service: &mut Service, name: &str, node: &Node) -> bool {
    let texts = || match &node.value {
        Value::List(nodes) => nodes.iter().map(|node| node.text().map(str::to_owned)).collect(),
        Value::Text(text) => Some(vec![text.clone()]),
        _ => None,
    };
    if is_off(node) {
        return true;
    }
    let mut watch = service.spec.watch.clone().unwrap_or_else(|| Watch { paths: Vec::new(), ..Watch::default() });
    match (name, texts(), duration(node)) {
        ("watch", Some(paths), _) => watch.paths = paths.iter().map(|path| bytes(path)).collect(),
        ("watch", None, _) if node.value == Value::Flag(true) => {}
        ("ignore_watch", Some(patterns), _) => watch.ignore = patterns,
        ("watch_delay", _, Some(delay)) => watch.debounce = delay,
        _ => return false,
    }
    service.spec.watch = Some(watch);
    true
}

fn filter(service: &mut Service, node: &Node) -> bool {
    let Value::List(names) = &node.value else { return is_off(node) };
    let Some(names) = names.iter().map(Node::text).collect::<Option<Vec<_>>>() else { return false };
    service.lost.push(format!(
        "filter_env = {}: names that begin so are taken away; only the names themselves are here",
        compact(node)
    ));
    let removed = |name| Variable { name: bytes(name), value: None, origin: Origin::Config };
    service.spec.env.extend(names.into_iter().map(removed));
    true
}

/// Reads `env`, and what `--env` lays over it; the others are named with all they say.
fn variables(service: &mut Service, app: &Node, input: &Input<'_>) {
    if let Some(env) = app.get("env") {
        service.env_of("env", env);
    }
    for entry in app.entries() {
        let Some(name) = entry.name.strip_prefix("env_") else { continue };
        if input.env == Some(name) {
            service.env_of(&entry.name, &entry.node);
        } else {
            service.lose(&entry.name, &entry.node, &format!("`rpm convert --env {name}` lays it over `env`"));
        }
    }
}

/// Makes the command: pm2 chooses the interpreter by the file's ending.
fn command(app: &Node, script: &str, said: &mut Vec<String>) -> Command {
    const BY_ENDING: [(&str, &str); 11] = [
        (".js", "node"),
        (".cjs", "node"),
        (".mjs", "node"),
        (".ts", "bun"),
        (".tsx", "bun"),
        (".py", "python3"),
        (".rb", "ruby"),
        (".pl", "perl"),
        (".php", "php"),
        (".sh", "bash"),
        (".coffee", "coffee"),
    ];
    let text = |name: &str| app.get(name).and_then(Node::text);
    let interpreter = match text("interpreter").or_else(|| text("exec_interpreter")) {
        Some("none" | "") => None,
        Some(interpreter) => Some(interpreter),
        None => BY_ENDING.iter().find(|(end, _)| script.ends_with(end)).map(|(_, program)| *program),
    };
    let mut words = |name: &str| match app.get(name).map(|node| (&node.value, node)) {
        Some((Value::List(items), _)) => items.iter().filter_map(Node::scalar).collect(),
        Some((_, node)) => match node.scalar().map(|line| split(&line)) {
            Some(Ok(split)) => split.words,
            Some(Err(why)) => {
                said.push(lost(name, node, why));
                Vec::new()
            }
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    let mut argv: Vec<String> = Vec::new();
    if let Some(interpreter) = interpreter {
        argv.push(interpreter.to_owned());
        argv.extend(words("interpreter_args"));
        argv.extend(words("node_args"));
        argv.push(script.to_owned());
    } else {
        // pm2 takes a whole command line as well.
        argv.extend(split(script).map_or_else(|_| vec![script.to_owned()], |split| split.words));
    }
    argv.extend(words("args"));
    Command::of(&argv)
}

/// Reads pm2's times: milliseconds as a number, or `"5s"`, `"1h"`.
fn duration(node: &Node) -> Option<Nanos> {
    let written = node.scalar()?;
    let ms = written.parse().ok().or_else(|| text::duration_ms(&written).ok())?;
    (ms <= 366 * 86_400_000).then_some(ms * MS)
}

/// Reads pm2's sizes: bytes as a number, or `"300M"`, also `"300MB"`.
fn size(node: &Node) -> Option<u64> {
    let written = node.scalar()?.to_ascii_uppercase();
    let digits = written.trim_end_matches('B');
    text::bytes(if written.trim_end_matches('B').is_empty() { &written } else { digits }).ok()
}
