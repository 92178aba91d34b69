//! Copies of a stream: made, listed, removed; and the history as a ring to poll.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::history::Stream;
use crate::protocol::error::WireError;
use crate::protocol::verbs::verb;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::id::TeeId;
use crate::session::spec::Launch;
use crate::session::status::End;
use crate::session::tee::TeeSpec;
use crate::session::tee::TeeStatus;

/// Where a tee starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeeFrom {
    /// With what is said next.
    #[default]
    Now,
    /// At the oldest byte in memory.
    Start,
    /// At a byte; those that are gone are counted as missed.
    Offset(u64),
}

/// Copies a stream from now on, until the session's output ends or [`Untee`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tee {
    /// A repeated key answers with the tee it made the first time.
    pub key: RequestKey,
    /// Which session.
    pub target: String,
    /// What is copied, where to, how.
    pub spec: TeeSpec,
    /// Where to start.
    pub from: TeeFrom,
    /// Environment, directory, mask and limits for a command.
    pub launch: Option<Launch>,
}
verb!(Tee = "tee" -> TeeStarted);

/// The tee that was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeStarted {
    /// Its id.
    pub id: TeeId,
    /// Its first byte of the history.
    pub from: u64,
}

/// Lists tees; no targets means those of all sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tees {
    /// Which sessions.
    pub targets: Vec<String>,
}
verb!(Tees = "tees" -> TeeListing);

/// Tees in the order they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeListing {
    /// What may be seen of them.
    pub tees: Vec<TeeInfo>,
}

/// All that may be seen of a tee.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeInfo {
    /// Its id.
    pub id: TeeId,
    /// Its session.
    pub session: SessionId,
    /// That session's name.
    pub name: String,
    /// What is copied, where to, how.
    pub spec: TeeSpec,
    /// Its first byte of the history.
    pub from: u64,
    /// What its own process says.
    pub status: TeeStatus,
    /// That process; 0 once it is gone.
    pub pid: u32,
    /// Wall-clock milliseconds of the request.
    pub started_ms: u64,
}

/// Ends tees and forgets them; answered when what was said before was copied, or could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Untee {
    /// With a repeated key, a tee that is gone is no error.
    pub key: RequestKey,
    /// Which tees.
    pub ids: Vec<TeeId>,
    /// All tees of which sessions.
    pub targets: Vec<String>,
}
verb!(Untee = "untee" -> Unteed);

/// What became of each tee.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unteed {
    /// The ones that were ended, as they were at last.
    pub tees: Vec<TeeInfo>,
    /// Why not the others.
    pub errors: Vec<WireError>,
}

/// Reads history without following it: the ring to poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Read {
    /// Which session.
    pub target: String,
    /// Offset of the first byte wanted.
    pub from: u64,
    /// Most bytes wanted; 0: as many as fit into an answer, 512 KiB.
    pub limit: u32,
    /// Only this stream.
    pub stream: Option<Stream>,
}
verb!(Read = "read" -> ReadBytes);

/// A piece of history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadBytes {
    /// Offset where the piece begins: what was asked for, plus what was missed.
    pub at: u64,
    /// The bytes.
    pub bytes: ByteBuf,
    /// Where to go on: after these bytes and those of other streams among them.
    pub next: u64,
    /// Bytes before `at` that were asked for and are gone.
    pub missed: u64,
    /// Offset after the newest byte.
    pub head: u64,
    /// How the session ended, once `next` has reached all it said before.
    pub ended: Option<End>,
}
