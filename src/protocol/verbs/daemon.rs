//! The daemon itself.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::verbs::Done;
use crate::protocol::verbs::notice;
use crate::protocol::verbs::verb;

/// Asks how the daemon is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonStatus {}
verb!(DaemonStatus = "status" -> DaemonReport);

/// How the daemon is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DaemonReport {
    /// Its release.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// The keeper's process id.
    pub keeper_pid: u32,
    /// Milliseconds since it started.
    pub up_ms: u64,
    /// How often the keeper had to start it again.
    pub restarts: u32,
    /// How the one before ended.
    pub last_end: Option<String>,
    /// Sessions, ended ones included.
    pub sessions: u32,
    /// Ended ones among them, as far as a keeper holds them.
    pub ended: u32,
    /// Bytes of memory these hold.
    pub ended_bytes: u64,
    /// Most ended sessions that are kept.
    pub keep_ended: u32,
    /// Most bytes that they may hold.
    pub keep_ended_bytes: u64,
    /// Connected clients.
    pub clients: u32,
    /// Path of the socket.
    pub socket: String,
    /// Path of its log.
    pub log: String,
    /// Folder of the sessions' control groups.
    pub groups: Option<String>,
    /// Why sessions have no control groups.
    pub ungrouped: Option<String>,
    /// What of the settings does not count, as it was when the daemon started, and what could not be started by itself.
    pub faults: Vec<String>,
}

/// Has the settings read again. A file with anything wrong is refused, and everything stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {}
verb!(Reload = "reload" -> Done);

/// To subscribers of the list: the settings were read again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {}
notice!(Reloaded = "reloaded");
