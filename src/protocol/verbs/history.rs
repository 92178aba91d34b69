//! Looking at what a session said, without touching it.

use serde::Deserialize;
use serde::Serialize;

use crate::history::Stream;
use crate::protocol::verbs::Attached;
use crate::protocol::verbs::verb;
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
    /// So many lines before the end.
    Lines(u64),
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
    /// Only this stream.
    pub stream: Option<Stream>,
    /// Send a [`Mark`](crate::protocol::verbs::Mark) before bytes of another stream or time.
    pub marks: bool,
    /// Go on behind a gap; without this, a gap ends what follows.
    pub past_gaps: bool,
}
verb!(Logs = "logs" -> Attached);

/// Asks for the visible screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenOf {
    /// Which.
    pub target: String,
    /// With colours and attributes.
    pub ansi: bool,
}
verb!(ScreenOf = "screen" -> ScreenText);

/// The visible screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenText {
    /// Its rows.
    pub text: String,
    /// Its size.
    pub size: Size,
}
