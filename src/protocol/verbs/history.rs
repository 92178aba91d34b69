//! Looking at what a session said, without touching it.

use serde::Deserialize;
use serde::Serialize;

use crate::history::Stream;
use crate::protocol::error::WireError;
use crate::protocol::verbs::Attached;
use crate::protocol::verbs::verb;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::term::Size;

/// Where a log starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// At the oldest byte in memory.
    #[default]
    Start,
    /// At a byte.
    Offset(u64),
    /// So many lines before the end; of one stream, if only that is wanted.
    Lines(u64),
    /// So many bytes before the end.
    Bytes(u64),
    /// At the first byte that was said at this time or later: wall-clock microseconds since 1970.
    Since(u64),
}

/// Sends history on a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logs {
    /// Channel for the bytes.
    pub channel: u32,
    /// Which session.
    pub target: String,
    /// Where to start.
    pub from: From,
    /// Go on with what comes.
    pub follow: bool,
    /// Stop after so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// Only this stream.
    pub stream: Option<Stream>,
    /// Send a [`Mark`](crate::protocol::verbs::Mark) before bytes of another stream or time. The first one of a terminal
    /// says which size it had where the log starts.
    pub marks: bool,
    /// Go on behind a gap; without this, a gap ends what follows.
    pub past_gaps: bool,
    /// With `follow`, of a service: also while it is stopped, until it is deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stays: bool,
}
verb!(Logs = "logs" -> Attached);

/// Forgets what sessions said so far: their journals are emptied, and what is in memory is no longer shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flush {
    /// A repeated key flushes nothing.
    pub key: RequestKey,
    /// Which.
    pub targets: Vec<String>,
}
verb!(Flush = "flush" -> Flushed);

/// What was flushed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flushed {
    /// In their order.
    pub sessions: Vec<FlushedSession>,
    /// What could not be removed.
    pub errors: Vec<WireError>,
}

/// One session that was flushed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlushedSession {
    /// Short id.
    pub id: SessionId,
    /// Its name.
    pub name: String,
    /// Bytes that its journal had.
    pub bytes: u64,
}

/// Asks for the visible screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenOf {
    /// Which.
    pub target: String,
    /// With colours and attributes.
    pub ansi: bool,
    /// Instead of text, send one full [`Frame`](crate::term::Frame) as bulk pieces on this channel, after the reply.
    pub channel: Option<u32>,
    /// With a channel: rows of scrollback wanted above the screen.
    pub above: u16,
}
verb!(ScreenOf = "screen" -> ScreenText);

/// The visible screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenText {
    /// Its rows; empty when they come as a frame.
    pub text: String,
    /// Its size, without rows above it.
    pub size: Size,
    /// Rows of scrollback above it in the frame.
    pub above: u16,
}
