//! process-compose's files.

use std::collections::HashMap;

use crate::config::convert::Draft;
use crate::config::convert::Input;
use crate::config::convert::MS;
use crate::config::convert::Service;
use crate::config::convert::bytes;
use crate::config::convert::command_of;
use crate::config::convert::is_off;
use crate::config::convert::lost;
use crate::config::convert::number;
use crate::config::convert::probe;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::platform::schedule;
use crate::session::service::policy::Action;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::Condition;
use crate::session::service::policy::Dependency;
use crate::session::service::policy::Restart;
use crate::session::service::policy::Schedule;
use crate::session::service::policy::Watch;
use crate::session::service::probe::Pace;
use crate::session::service::probe::Probe;
use crate::session::service::probe::Readiness;
use crate::session::service::spec::Command;
use crate::session::service::spec::INSTANCES;
use crate::session::service::spec::name_fault;
use crate::session::spec::Kind;
use crate::session::state::Nanos;

/// Keys without an equivalent, and what to do instead.
const LOST: [(&[&str], &str); 6] = [
    (
        &["log_location", "log_configuration", "log_level", "log_length", "disable_ansi_colors"],
        "what it says is kept by itself, `rpm logs NAME` shows it; `rpm tee NAME --to FILE` copies it",
    ),
    (&["is_daemon"], "a program that goes to the background is not kept; use its option to stay in the foreground"),
    (&["is_elevated"], "services run as the user who starts them"),
    (&["vars", "is_template_disabled"], "there are no templates: write the values"),
    (&["extends"], "write it into one file"),
    (&["is_strict", "is_tui_disabled", "version", "ordered_shutdown"], "process-compose's own"),
];

/// Reads a whole file.
pub fn read(root: &Node, input: &Input<'_>) -> Result<Draft, Fault> {
    let mut draft = Draft::default();
    let processes = root.get("processes").unwrap_or(root);
    for entry in root.entries() {
        let is_told = ["processes", "environment", "version"].contains(&entry.name.as_str());
        if !is_told && !is_off(&entry.node) {
            draft.lost.push(lost(&entry.name, &entry.node, instead(&entry.name)));
        }
    }
    for entry in processes.entries() {
        let mut service = Service::new(&entry.name, &draft.services);
        // Its own default.
        service.spec.restart = Restart::No;
        if input.has_dotenv {
            service.spec.env_file.push(bytes(".env"));
        }
        if let Some(env) = root.get("environment") {
            service.env_of("environment", env);
        }
        command(&mut service, &entry.node).map_err(|text| Fault { span: entry.span.clone(), text })?;
        for entry in entry.node.entries() {
            if !key(&mut service, &entry.name, &entry.node) && !is_off(&entry.node) {
                service.lose(&entry.name, &entry.node, instead(&entry.name));
            }
        }
        if service.has_dollar() {
            service.lost.push("variables in the values of `env`: values are taken literally".to_owned());
        }
        draft.services.push(service);
    }
    // Names of dependencies are of the whole file, whatever the namespace.
    let full: HashMap<String, String> = processes
        .entries()
        .iter()
        .zip(&draft.services)
        .map(|(entry, service)| (entry.name.clone(), service.spec.full_name()))
        .collect();
    for dependency in draft.services.iter_mut().flat_map(|service| &mut service.spec.depends_on) {
        if let Some(name) = full.get(&dependency.name) {
            name.clone_into(&mut dependency.name);
        }
    }
    Ok(draft)
}

fn instead(name: &str) -> &'static str {
    LOST.iter().find(|(names, _)| names.contains(&name)).map_or("not understood", |(_, instead)| instead)
}

fn command(service: &mut Service, process: &Node) -> Result<(), String> {
    let words = |node: &Node| match &node.value {
        Value::List(items) => items.iter().filter_map(Node::scalar).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let line = process.get("command").and_then(Node::text).filter(|line| !line.trim().is_empty());
    let entrypoint = process.get("entrypoint").map(words).unwrap_or_default();
    service.spec.command = match line {
        Some(line) => command_of(line),
        None if !entrypoint.is_empty() => Command::of(&entrypoint),
        None => return Err("this process has no `command`".to_owned()),
    };
    // The command wins, as there.
    if let Some(node) = process.get("entrypoint").filter(|node| line.is_some() && !is_off(node)) {
        service.lose("entrypoint", node, "`command` is what runs");
    }
    Ok(())
}

/// Reads one key; `false` when it has no equivalent.
fn key(service: &mut Service, name: &str, node: &Node) -> bool {
    let spec = &mut service.spec;
    match name {
        "command" | "entrypoint" => {}
        "description" => match node.scalar() {
            Some(text) => service.about.push(text.replace('\n', " ")),
            None => return false,
        },
        "working_dir" => match node.text() {
            Some(folder) => spec.cwd = bytes(folder),
            None => return false,
        },
        "environment" => service.env_of("environment", node),
        "env_file" => match &node.value {
            Value::Text(file) => spec.env_file.push(bytes(file)),
            Value::List(files) => spec.env_file.extend(files.iter().filter_map(Node::text).map(bytes)),
            _ => return false,
        },
        "namespace" => match node.text().filter(|name| name_fault(name).is_none()) {
            Some(name) => name.clone_into(&mut spec.namespace),
            None => return false,
        },
        "replicas" => match number(node).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0) {
            Some(count) => {
                spec.instances = count.min(INSTANCES);
                if count > 1 {
                    "PC_REPLICA_NUM".clone_into(&mut spec.instance_var);
                }
            }
            None => return false,
        },
        "disabled" => spec.autostart = is_off(node),
        "is_tty" | "is_interactive" if !is_off(node) => spec.kind = Kind::Pty,
        "is_foreground" if !is_off(node) => {
            spec.kind = Kind::Pty;
            spec.autostart = false;
            service
                .about
                .push("It was started by hand in the foreground: `rpm start NAME`, `rpm attach NAME`.".to_owned());
        }
        "depends_on" if !node.entries().is_empty() => depends_on(service, node),
        "availability" if !node.entries().is_empty() => availability(service, node),
        "shutdown" if !node.entries().is_empty() => shutdown(service, node),
        "readiness_probe" | "liveness_probe" => probe::read(service, name, node),
        "ready_log_line" => return ready_log_line(service, node),
        "success_exit_codes" => return success(service, node),
        "schedule" => return scheduled(service, node),
        "watch" => return watch(service, node),
        _ => return false,
    }
    true
}

fn depends_on(service: &mut Service, node: &Node) {
    for entry in node.entries() {
        let said = entry.node.get("condition");
        let condition = match said.and_then(Node::text) {
            Some("process_healthy" | "process_log_ready") => Condition::Ready,
            Some("process_completed_successfully") => Condition::Completed,
            Some("process_completed") => {
                let at = format!("depends_on.{}.condition", entry.name);
                service.lose(&at, said.unwrap_or(node), "here it has to end with a success");
                Condition::Completed
            }
            _ => Condition::Started,
        };
        service.spec.depends_on.push(Dependency { name: entry.name.clone(), condition });
    }
}

fn seconds(node: &Node) -> Option<Nanos> {
    u32::try_from(number(node)?).ok().map(|seconds| Nanos::from(seconds) * 1000 * MS)
}

fn availability(service: &mut Service, node: &Node) {
    for entry in node.entries() {
        let at = format!("availability.{}", entry.name);
        match (entry.name.as_str(), entry.node.text()) {
            ("restart", Some("always")) => service.spec.restart = Restart::Always,
            ("restart", Some("on_failure" | "on-failure")) => service.spec.restart = Restart::OnFailure,
            ("restart", Some("no")) => {}
            ("restart", Some("exit_on_failure")) => {
                service.lose(&at, &entry.node, "the others run on; `rpm stop all` ends them");
            }
            ("backoff_seconds", _) => match seconds(&entry.node) {
                Some(delay) => {
                    let backoff = service.spec.backoff;
                    service.spec.backoff =
                        Backoff { initial: delay, factor_percent: 100, cap: delay, jitter_percent: 0, ..backoff };
                }
                None => service.lose(&at, &entry.node, ""),
            },
            ("max_restarts", _) => match number(&entry.node).and_then(|most| u32::try_from(most).ok()) {
                // 0 is no limit, which is our default.
                Some(0) => {}
                Some(most) => {
                    service.spec.crash_loop.failures = most;
                    service.spec.crash_loop.window = 86_400_000 * MS;
                    service.spec.crash_loop.give_up = true;
                }
                None => service.lose(&at, &entry.node, ""),
            },
            // To YAML 1.1 a plain `no` is false as well.
            _ if is_off(&entry.node) => {}
            ("exit_on_end" | "exit_on_skipped", _) => service.lose(&at, &entry.node, "the others run on"),
            _ => service.lose(&at, &entry.node, "not understood"),
        }
    }
}

fn shutdown(service: &mut Service, node: &Node) {
    for entry in node.entries() {
        let at = format!("shutdown.{}", entry.name);
        let number = number(&entry.node);
        match entry.name.as_str() {
            "signal" => {
                match number.and_then(|signal| u8::try_from(signal).ok()).filter(|signal| (1..=64).contains(signal)) {
                    Some(signal) => service.spec.stop.signal = signal,
                    None => service.lose(&at, &entry.node, "write a signal such as \"TERM\""),
                }
            }
            "timeout_seconds" => match seconds(&entry.node) {
                Some(grace) => service.spec.stop.grace = grace,
                None => service.lose(&at, &entry.node, ""),
            },
            "command" => match entry.node.text() {
                Some(line) => {
                    let words = command_of(line).argv();
                    service.spec.stop.command = Some(Command { words, shell: false });
                }
                None => service.lose(&at, &entry.node, ""),
            },
            _ if is_off(&entry.node) => {}
            "parent_only" => service.lose(&at, &entry.node, "the whole tree is ended always"),
            "send_keys" => service.lose(&at, &entry.node, "write stop = { keys = [\"C-c\"] }"),
            _ => service.lose(&at, &entry.node, "not understood"),
        }
    }
}

fn ready_log_line(service: &mut Service, node: &Node) -> bool {
    let Some(line) = node.text().filter(|_| service.spec.readiness.is_none()) else { return false };
    let probe = Probe::Log(regex::escape(line));
    service.spec.readiness = Some(Readiness { probe, pace: Pace::default() });
    true
}

fn success(service: &mut Service, node: &Node) -> bool {
    let Value::List(codes) = &node.value else { return false };
    let codes: Option<Vec<u8>> = codes.iter().map(|code| number(code)?.try_into().ok()).collect();
    let Some(codes) = codes else { return false };
    service.spec.success_codes = if codes.contains(&0) { codes } else { [vec![0], codes].concat() };
    true
}

fn scheduled(service: &mut Service, node: &Node) -> bool {
    let text = |name: &str| node.get(name).and_then(Node::text).unwrap_or_default().to_owned();
    let (cron, zone) = (text("cron"), text("timezone"));
    if cron.is_empty() || schedule::cron_fault(&cron).is_some() || !schedule::has_zone(&zone) {
        return false;
    }
    service.spec.schedule = Some(Schedule { cron, zone, action: Action::Start });
    for entry in node.entries() {
        if !["cron", "timezone", "max_concurrent"].contains(&entry.name.as_str()) && !is_off(&entry.node) {
            service.lose(&format!("schedule.{}", entry.name), &entry.node, "");
        }
    }
    true
}

fn watch(service: &mut Service, node: &Node) -> bool {
    let mut watch = Watch { paths: Vec::new(), ..Watch::default() };
    let one = [node.clone()];
    for item in if let Value::List(items) = &node.value { &items[..] } else { &one } {
        let path = item.text().or_else(|| item.get("path").and_then(Node::text));
        let Some(path) = path else { return false };
        watch.paths.push(bytes(path));
        for entry in item.entries().iter().filter(|entry| entry.name != "path" && !is_off(&entry.node)) {
            match (entry.name.as_str(), &entry.node.value) {
                ("exclude", Value::List(patterns)) => {
                    watch.ignore.extend(patterns.iter().filter_map(Node::text).map(str::to_owned));
                }
                ("recursive", _) => {}
                (name, _) => service.lose(&format!("watch.{name}"), &entry.node, ""),
            }
        }
    }
    service.spec.watch = Some(watch);
    true
}
