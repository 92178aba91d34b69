//! Ending sessions and forgetting them.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::error::WireError;
use crate::protocol::verbs::verb;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::service::status::ServiceState;
use crate::session::status::End;

/// Asks sessions to end; answered when they have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stop {
    /// A repeated key waits for the stop that it began, and does not escalate.
    pub key: RequestKey,
    /// Which; with a filter none means all. Those that ended are left out unless they are named.
    pub targets: Vec<String>,
    /// Milliseconds until the hard signal; 0 kills at once.
    pub grace_ms: u64,
    /// Only these of them; ages count from the start.
    pub filter: Filter,
    /// Nobody chose the time: a service takes its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_default: bool,
}
verb!(Stop = "stop" -> Outcomes);

/// Signals a session's work in front: on a terminal its foreground job, else the group of its first process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signal {
    /// A repeated key signals nothing.
    pub key: RequestKey,
    /// Which; with a filter none means all. Those that ended are left out unless they are named.
    pub targets: Vec<String>,
    /// Only those of them.
    pub filter: Filter,
    /// Number of the signal, `signal(7)`.
    pub signal: u8,
}
verb!(Signal = "signal" -> Outcomes);

/// Forgets ended sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remove {
    /// Which; with a filter none means all. Those that run are skipped unless they are named.
    pub targets: Vec<String>,
    /// Only these of them; ages count from the end.
    pub filter: Filter,
}
verb!(Remove = "remove" -> Outcomes);

/// Which of the selected sessions are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// The tool that asked for them; empty means any.
    pub originator: String,
    /// Milliseconds that they are old at least; 0 means any age.
    pub older_than_ms: u64,
}

/// What became of each session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    /// In their order; after them, of several targets, those that name nobody. A lone one that does so is refused.
    pub outcomes: Vec<Outcome>,
    /// Processes of no session that were to end as well and are still there.
    pub left: Vec<u32>,
}

/// What became of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// Short id; 0 where nobody is called so.
    pub id: SessionId,
    /// Name, or the target that names nobody.
    pub name: String,
    /// Its end, if it has one now.
    pub end: Option<End>,
    /// Why not.
    pub error: Option<WireError>,
    /// It runs and was not named: left alone, which is no error.
    pub skipped: bool,
    /// Processes of which nobody can tell whose they are, and that were started after it.
    pub suspects: Vec<u32>,
    /// A service: what it does now, whether or not it ran before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceState>,
    /// Bytes of its journal, which was removed with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<u64>,
}

/// Ends every session, the daemon and the keeper.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shutdown {
    /// Milliseconds until the hard signal.
    pub grace_ms: u64,
}
verb!(Shutdown = "shutdown" -> Outcomes);
