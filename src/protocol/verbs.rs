//! Every request, its reply, and every notice; one struct each.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::history::Stream;
use crate::protocol::error::WireError;
use crate::protocol::message::Notice;
use crate::protocol::message::Verb;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::spec::Spec;
use crate::session::status::End;
use crate::session::status::Status;
use crate::term::Size;

macro_rules! verb {
    ($name:ident = $wire:literal -> $reply:ty) => {
        impl Verb for $name {
            const NAME: &'static str = $wire;
            type Reply = $reply;
        }
    };
}

macro_rules! notice {
    ($name:ident = $wire:literal) => {
        impl Notice for $name {
            const NAME: &'static str = $wire;
        }
    };
}

/// Nothing to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

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

/// Follows a session's raw bytes on a channel, with keyboard (unless `view`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attach {
    /// Channel for the bytes, chosen by the client.
    pub channel: u32,
    /// Which session.
    pub target: String,
    /// Take control from who has it.
    pub steal: bool,
    /// Watch only.
    pub view: bool,
    /// Size of the client's terminal; none when it has none.
    pub size: Option<Size>,
    /// The client's outer terminal answers queries.
    pub is_tty: bool,
    /// Go on from this offset instead of painting the screen.
    pub resume: Option<u64>,
    /// Rows of scrollback to paint above the screen.
    pub history_rows: u32,
    /// The client's `SSH_AUTH_SOCK`.
    pub agent: Option<ByteBuf>,
}
verb!(Attach = "attach" -> Attached);

/// Follows a session's screen on a channel as frames.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// Channel for the frames.
    pub channel: u32,
    /// Which session.
    pub target: String,
}
verb!(Watch = "watch" -> Attached);

/// An attachment was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attached {
    /// Short id.
    pub id: SessionId,
    /// Its name.
    pub name: String,
    /// The client has keyboard and size.
    pub controls: bool,
    /// It has ended: what is shown is its last screen.
    pub ended: Option<End>,
}

/// Takes keyboard and size of a watched session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Take {
    /// The watching channel.
    pub channel: u32,
    /// Take it from who has it.
    pub steal: bool,
    /// Size of the pane.
    pub size: Size,
    /// The client's `SSH_AUTH_SOCK`.
    pub agent: Option<ByteBuf>,
}
verb!(Take = "take" -> Done);

/// Gives keyboard and size back, and goes on watching.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Release {
    /// The watching channel.
    pub channel: u32,
}
verb!(Release = "release" -> Done);

/// Ends an attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detach {
    /// Its channel.
    pub channel: u32,
}
verb!(Detach = "detach" -> Done);

/// Sets the size of a session's terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resize {
    /// Which.
    pub target: String,
    /// New size.
    pub size: Size,
}
verb!(Resize = "resize" -> Done);

/// Types into a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Send {
    /// A repeated key types nothing.
    pub key: RequestKey,
    /// Which.
    pub target: String,
    /// What.
    pub bytes: ByteBuf,
    /// End its input afterwards (pipes), or type the terminal's end-of-file character.
    pub eof: bool,
}
verb!(Send = "send" -> Done);

/// Asks sessions to end; answered when they have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stop {
    /// A repeated key waits for the stop that it began, and does not escalate.
    pub key: RequestKey,
    /// Which.
    pub targets: Vec<String>,
    /// Milliseconds until the hard signal; 0 kills at once.
    pub grace_ms: u64,
}
verb!(Stop = "stop" -> Outcomes);

/// Forgets ended sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remove {
    /// Which.
    pub targets: Vec<String>,
}
verb!(Remove = "remove" -> Outcomes);

/// What became of each session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    /// In their order.
    pub outcomes: Vec<Outcome>,
}

/// What became of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// Short id.
    pub id: SessionId,
    /// Name.
    pub name: String,
    /// Its end, if it has one now.
    pub end: Option<End>,
    /// Why not.
    pub error: Option<WireError>,
}

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
    /// Connected clients.
    pub clients: u32,
    /// Path of the socket.
    pub socket: String,
    /// Path of its log.
    pub log: String,
}

/// Ends every session, the daemon and the keeper.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shutdown {
    /// Milliseconds until the hard signal.
    pub grace_ms: u64,
}
verb!(Shutdown = "shutdown" -> Outcomes);

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

/// To an attachment: somebody took its control.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stolen {
    /// The attachment's channel.
    pub channel: u32,
    /// Who has it now.
    pub by: String,
    /// Wall-clock milliseconds.
    pub at_ms: u64,
}
notice!(Stolen = "stolen");

/// To a raw attachment: bytes were lost to it; a fresh screen follows (not for logs).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Missed {
    /// Its channel.
    pub channel: u32,
    /// How many bytes.
    pub bytes: u64,
}
notice!(Missed = "gap");

/// To an attachment: all bytes were sent; this is how the session ended, or a log without follow is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Closed {
    /// Its channel.
    pub channel: u32,
    /// The end; none when only the log is complete, or the session was forgotten.
    pub end: Option<End>,
}
notice!(Closed = "closed");

/// From the client: this frame of a watched screen is drawn; the next may come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Drawn {
    /// The channel.
    pub channel: u32,
    /// Number of the frame.
    pub frame: u64,
}
notice!(Drawn = "drawn");

/// From the client: the pane of the session it controls has a new size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaneSize {
    /// The channel.
    pub channel: u32,
    /// The size.
    pub size: Size,
}
notice!(PaneSize = "pane-size");
