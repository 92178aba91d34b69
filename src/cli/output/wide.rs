//! Sessions and what they use, in columns.

use serde::Serialize;

use crate::cli::output::Session;
use crate::cli::output::table;
use crate::cli::usage::Usage;
use crate::cli::usage::Usages;
use crate::platform::clock;
use crate::session::status::Status;
use crate::session::text;

/// A session as JSON, with what it uses and how its service is defined, where that was asked for.
#[derive(Debug, Serialize)]
pub struct Measured {
    #[serde(flatten)]
    session: Session,
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<serde_json::Value>,
}

impl Measured {
    /// Of a session alone.
    pub fn of(status: &Status, usages: &Usages) -> Self {
        let usage = usages.get(&status.name).copied();
        Self { session: Session::from(status), usage, definition: None }
    }

    /// The same with the keys of its service that are not as their defaults.
    pub fn with(self, definition: Option<serde_json::Value>) -> Self {
        Self { definition, ..self }
    }
}

/// Returns rows of `describe`.
pub fn rows(usage: &Usage) -> Vec<(&'static str, String)> {
    let (cpu, memory) = usage.words();
    let spent = usage.cpu_ms;
    let processes = if usage.processes == 1 { "process" } else { "processes" };
    vec![
        ("cpu", format!("{cpu}, {}.{:02}s so far", spent / 1000, spent % 1000 / 10)),
        ("memory", format!("{memory} in {} {processes}", usage.processes)),
    ]
}

/// Prints sessions with what they use.
pub fn wide(sessions: &[Status], usages: &Usages, room: usize) {
    let now = clock::wall_ms();
    let row = |status: &Status| {
        let is_running = status.run_end().is_none() && status.started_ms > 0;
        let usage = usages.get(&status.name).filter(|usage| is_running || usage.processes > 0);
        let (cpu, memory) = usage.map_or_else(|| ("-".to_owned(), "-".to_owned()), Usage::words);
        let or_dash = |is_known: bool, text: String| if is_known { text } else { "-".to_owned() };
        vec![
            status.id.to_string(),
            text::clean(&status.name),
            status.word_at(now),
            or_dash(is_running, status.pid.to_string()),
            or_dash(is_running, text::age(now.saturating_sub(since(status)))),
            status.service.as_ref().map_or_else(|| "-".to_owned(), |service| service.restarts.to_string()),
            cpu,
            memory,
            usage.map_or_else(|| "-".to_owned(), |usage| usage.processes.to_string()),
            text::shorten(&status.command, room),
        ]
    };
    let head = ["ID", "NAME", "STATE", "PID", "UP", "RESTARTS", "CPU", "MEMORY", "PROCS", "COMMAND"];
    table(&head, &sessions.iter().map(row).collect::<Vec<_>>());
}

/// Wall-clock milliseconds of the start of its present run.
fn since(status: &Status) -> u64 {
    let service = status.service.as_ref().map_or(0, |service| service.up_since_ms);
    if service == 0 { status.started_ms } else { service }
}
