//! What sessions use of the computer, measured while somebody looks.

use std::collections::HashMap;

use serde::Serialize;

use crate::client::Error;
use crate::client::blocking::Client;
use crate::protocol::verbs;
use crate::session::status::Status;
use crate::session::text;

/// What the whole tree of a session uses; as JSON too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usage {
    /// Percent of one processor, over a quarter of a second.
    pub cpu_percent: f64,
    /// Milliseconds of processor time so far.
    pub cpu_ms: u64,
    /// Bytes of memory; what its processes share counts each time.
    pub memory_bytes: u64,
    /// Living processes.
    pub processes: u32,
}

impl Usage {
    /// Returns load and memory in words.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        (format!("{:.1}%", self.cpu_percent), text::amount(self.memory_bytes))
    }
}

/// What sessions use, by name.
pub type Usages = HashMap<String, Usage>;

/// Measures, if any of these runs: it takes a quarter of a second.
pub fn measure(client: &mut Client, sessions: &[Status]) -> Result<Usages, Error> {
    if sessions.iter().all(|status| status.run_end().is_some()) {
        return Ok(Usages::new());
    }
    let processes = client.call(&verbs::Procs::default())?.processes;
    let usage = |info: verbs::ProcessInfo| {
        let usage = Usage {
            cpu_percent: f64::from(info.cpu_permille) / 10.0,
            cpu_ms: info.cpu_ms,
            memory_bytes: info.memory,
            processes: info.processes,
        };
        Some((info.session?, usage))
    };
    Ok(processes.into_iter().filter_map(usage).collect())
}
