//! Starting, listing and following sessions as a whole.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::error::WireError;
use crate::protocol::verbs::notice;
use crate::protocol::verbs::verb;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::spec::Spec;
use crate::session::status::Status;

/// Lists sessions; no targets means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    /// Which.
    pub targets: Vec<String>,
}
verb!(List = "list" -> Listing);

/// Sessions in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listing {
    /// What may be seen of them.
    pub sessions: Vec<Status>,
    /// Why some of several targets name nobody; a lone one that does so is refused.
    pub errors: Vec<WireError>,
}

/// Starts a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// A repeated key answers with the session it started the first time.
    pub key: RequestKey,
    /// What to start.
    pub spec: Spec,
    /// The client attaches next: for a second, no byte is overwritten before it does.
    pub follows: bool,
}
verb!(Run = "run" -> Started);

/// The session that was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Started {
    /// Short id.
    pub id: SessionId,
    /// Its name.
    pub name: String,
    /// Its first process.
    pub pid: u32,
}

/// Subscribes the connection to [`Changed`] and [`Removed`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {}
verb!(Subscribe = "subscribe" -> Listing);

/// To subscribers: a session is new or something of it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// All that may be seen of it.
    pub status: Status,
}
notice!(Changed = "changed");

/// To subscribers: a session was forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Removed {
    /// Which.
    pub id: SessionId,
}
notice!(Removed = "removed");
