//! Services as pm2's `jlist` shows them, for scripts that read that.
//!
//! The keys that scripts ask for: `name`, `pid`, `pm_id`, `monit`, and of `pm2_env` what is known here. Variables are not
//! among them: pm2 puts all of them there, secrets too.

use serde::Serialize;

use crate::cli::usage::Usages;
use crate::history::ExitStatus;
use crate::session::service::spec::DEFAULT_NAMESPACE;
use crate::session::service::status::ServiceState;
use crate::session::service::status::ServiceStatus;
use crate::session::status::Status;

/// One instance.
#[derive(Debug, Serialize)]
struct Process<'a> {
    pid: u32,
    name: &'a str,
    pm2_env: Env<'a>,
    pm_id: u64,
    monit: Monit,
}

/// What it uses.
#[derive(Debug, Serialize)]
struct Monit {
    /// Bytes.
    memory: u64,
    /// Percent of one processor.
    cpu: f64,
}

#[derive(Debug, Serialize)]
struct Env<'a> {
    name: &'a str,
    namespace: &'a str,
    pm_id: u64,
    status: &'static str,
    restart_time: u32,
    unstable_restarts: u32,
    /// Wall-clock milliseconds of the last start.
    pm_uptime: u64,
    created_at: u64,
    exit_code: u8,
    exec_mode: &'static str,
    pm_exec_path: &'a str,
    pm_cwd: &'a str,
    args: &'a [String],
    #[serde(rename = "NODE_APP_INSTANCE")]
    instance: u32,
    username: Option<String>,
}

/// Returns services as an array; `usages` may lack who runs no more.
pub fn array(sessions: &[Status], usages: &Usages) -> serde_json::Value {
    let services = sessions.iter().filter_map(|status| Some((status, status.service.as_ref()?)));
    services.map(|(status, service)| serde_json::json!(process(status, service, usages))).collect()
}

fn process<'a>(status: &'a Status, service: &'a ServiceStatus, usages: &Usages) -> Process<'a> {
    let prefix = if service.namespace == DEFAULT_NAMESPACE { "" } else { &service.namespace };
    let name = service.service.strip_prefix(prefix).unwrap_or(&service.service).trim_start_matches('/');
    let usage = usages.get(&status.name);
    let (program, args) = status.argv.split_first().map_or(("", &[][..]), |(program, args)| (program.as_str(), args));
    Process {
        pid: if status.run_end().is_none() { status.pid } else { 0 },
        name,
        pm2_env: Env {
            name,
            namespace: &service.namespace,
            pm_id: status.id.0,
            status: word(service.state),
            restart_time: service.restarts,
            unstable_restarts: service.attempt,
            pm_uptime: if service.up_since_ms == 0 { status.started_ms } else { service.up_since_ms },
            created_at: status.started_ms,
            exit_code: match status.run_end().and_then(|end| end.status) {
                Some(ExitStatus::Code(code)) => code,
                Some(ExitStatus::Signal(_)) | None => 0,
            },
            exec_mode: "fork_mode",
            pm_exec_path: program,
            pm_cwd: &status.cwd,
            args,
            instance: service.instance,
            username: std::env::var("USER").ok(),
        },
        pm_id: status.id.0,
        monit: Monit {
            memory: usage.map_or(0, |usage| usage.memory_bytes),
            cpu: usage.map_or(0.0, |usage| usage.cpu_percent),
        },
    }
}

/// pm2's word for a state.
const fn word(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Up | ServiceState::Ready => "online",
        ServiceState::Waiting | ServiceState::Starting => "launching",
        ServiceState::Stopping => "stopping",
        ServiceState::Backoff | ServiceState::CrashLoop => "waiting restart",
        ServiceState::Stopped | ServiceState::Exited | ServiceState::Unknown => "stopped",
        ServiceState::Failed => "errored",
    }
}
