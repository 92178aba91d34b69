//! Probes of process-compose.

use crate::config::convert::MS;
use crate::config::convert::Service;
use crate::config::convert::command_of;
use crate::config::convert::number;
use crate::config::tree::Node;
use crate::session::service::probe::Liveness;
use crate::session::service::probe::Pace;
use crate::session::service::probe::Probe;
use crate::session::service::probe::Readiness;
use crate::session::service::probe::Rhythm;
use crate::session::service::probe::StatusRange;
use crate::session::service::spec::Command;
use crate::session::state::Nanos;

/// Reads `readiness_probe` or `liveness_probe`.
pub fn read(service: &mut Service, key: &str, node: &Node) {
    let Some(probe) = probe(service, key, node) else {
        service.lose(key, node, "use tcp, http or exec");
        return;
    };
    let seconds = |name: &str, default: u32| {
        let seconds = node.get(name).and_then(number).and_then(|seconds| u32::try_from(seconds).ok());
        Nanos::from(seconds.filter(|seconds| *seconds > 0).unwrap_or(default)) * 1000 * MS
    };
    let failures = node.get("failure_threshold").and_then(number).and_then(|count| u32::try_from(count).ok());
    let failures = failures.filter(|count| *count > 0).unwrap_or(3);
    let period = seconds("period_seconds", 10);
    if key == "readiness_probe" {
        let delay = node.get("initial_delay_seconds").map_or(0, |_| seconds("initial_delay_seconds", 1));
        let timeout = delay + period * Nanos::from(failures);
        let pace = Pace { cap: period.min(Pace::default().cap), timeout, ..Pace::default() };
        service.spec.readiness = Some(Readiness { probe, pace });
    } else {
        let rhythm = Rhythm { period, timeout: seconds("timeout_seconds", 1), failures };
        service.spec.liveness = Some(Liveness { probe, rhythm });
    }
    for entry in node.entries() {
        let name = format!("{key}.{}", entry.name);
        match (entry.name.as_str(), key) {
            ("exec" | "http_get" | "period_seconds" | "failure_threshold", _)
            | ("timeout_seconds", "liveness_probe")
            | ("initial_delay_seconds", "readiness_probe") => {}
            ("initial_delay_seconds", _) => service.lose(&name, &entry.node, "it is asked once it was ready"),
            ("timeout_seconds", _) => service.lose(&name, &entry.node, "it is asked until it is ready"),
            ("success_threshold", _) if number(&entry.node) == Some(1) => {}
            ("success_threshold", _) => service.lose(&name, &entry.node, "one success is enough"),
            _ => service.lose(&name, &entry.node, "not understood"),
        }
    }
}

fn probe(service: &mut Service, key: &str, node: &Node) -> Option<Probe> {
    if let Some(exec) = node.get("exec") {
        let line = exec.get("command").and_then(Node::text)?;
        for entry in exec.entries().iter().filter(|entry| entry.name != "command") {
            service.lose(&format!("{key}.exec.{}", entry.name), &entry.node, "it runs in the service's directory");
        }
        return Some(Probe::Exec(Command { words: command_of(line).argv(), shell: false }));
    }
    let http = node.get("http_get")?;
    let part = |name: &str| http.get(name).and_then(Node::scalar);
    if part("scheme").is_some_and(|scheme| scheme != "http") {
        return None;
    }
    let (host, path) = (part("host").unwrap_or_else(|| "127.0.0.1".to_owned()), part("path").unwrap_or_default());
    let port = part("port").map(|port| format!(":{port}")).unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let code = http.get("status_code").and_then(number).and_then(|code| u16::try_from(code).ok()).unwrap_or(200);
    for entry in http.entries() {
        if !["host", "scheme", "path", "port", "status_code", "num_port"].contains(&entry.name.as_str()) {
            service.lose(&format!("{key}.http_get.{}", entry.name), &entry.node, "use exec with curl");
        }
    }
    let status = StatusRange { first: code, last: code };
    Some(Probe::Http { url: format!("http://{host}{port}{slash}{path}"), status })
}
