//! Services: starting, restarting, deleting and explaining them. `stop`, `signal`, `list` and all that reads a history are
//! those of sessions.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::error::WireError;
use crate::protocol::verbs::verb;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::service::death::Death;
use crate::session::service::definition::Definition;
use crate::session::status::Status;

/// Defines services and starts them, in the order in which they need each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Define {
    /// A repeated key answers with what it made the first time.
    pub key: RequestKey,
    /// Which.
    pub entries: Vec<Entry>,
    /// Milliseconds to wait until they are ready, or have failed; 0 waits for the start alone.
    pub wait_ms: u64,
}
verb!(Define = "define" -> Acts);

/// One service to be defined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// What it is; an empty name is made from the program's.
    pub definition: Definition,
    /// It takes the place of another one of its name.
    pub replaces: bool,
    /// Instances that run are restarted, if it does.
    pub restarts: bool,
    /// Instances that do not run are started.
    pub starts: bool,
    /// What it inherits takes the place of what it inherited before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renews: bool,
}

/// What to do to services that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Start those that do not run; one that waits for its next try is started now.
    #[default]
    Start,
    /// End those that run, and start all.
    Restart,
    /// End those that run, and forget all.
    Delete,
    /// Count restarts and failures anew.
    Reset,
    /// Run so many instances.
    Scale,
    /// Start a new instance beside each one, wait until it is ready, then end the old one.
    Reload,
}

/// Does something to services; sessions that are none are refused by name and otherwise left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Act {
    /// A repeated key does nothing twice.
    pub key: RequestKey,
    /// What.
    pub deed: Deed,
    /// Names, ids, prefixes, globs, tags, services, namespaces, or `all`.
    pub targets: Vec<String>,
    /// Milliseconds to wait until those that were started are ready, or have failed; 0 waits for the start alone.
    pub wait_ms: u64,
    /// How many instances ([`Deed::Scale`]): so many, or so many more or fewer.
    pub scale: Scale,
}
verb!(Act = "act" -> Acts);

/// A number of instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Scale {
    /// The number, or the difference.
    pub by: i32,
    /// It is a difference.
    pub is_relative: bool,
}

/// Starts again what was wanted when everything was shut down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resurrect {
    /// A snapshot; empty means what was wanted last.
    pub name: String,
}
verb!(Resurrect = "resurrect" -> Acts);

/// Keeps a copy of the list of services under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Save {
    /// The name; empty only waits until all is on disk.
    pub name: String,
}
verb!(Save = "save" -> Saved);

/// Where it was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// Path.
    pub path: String,
    /// How many services.
    pub services: u32,
}

/// Asks how services are, how they ended before, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Why {
    /// Which.
    pub targets: Vec<String>,
}
verb!(Why = "why" -> Histories);

/// What is known of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Histories {
    /// In their order.
    pub services: Vec<ServiceHistory>,
}

/// One instance and its deaths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceHistory {
    /// How it is now.
    pub status: Status,
    /// How it ended, oldest first.
    #[serde(default)]
    pub deaths: Vec<Death>,
}

/// Asks for definitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Definitions {
    /// Which; none means all.
    pub targets: Vec<String>,
    /// Without what they inherit, which is most of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_brief: bool,
}
verb!(Definitions = "definitions" -> DefinitionList);

/// Services as they are defined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefinitionList {
    /// By name.
    pub definitions: Vec<Definition>,
}

/// What became of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Acts {
    /// In their order.
    pub acts: Vec<Acted>,
    /// Why this could not be written to disk; it is done nevertheless.
    pub unsaved: Option<String>,
}

/// What became of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Acted {
    /// Short id.
    pub id: SessionId,
    /// Name.
    pub name: String,
    /// How it is now; none once it was deleted.
    pub status: Option<Status>,
    /// Why not.
    pub error: Option<WireError>,
}
