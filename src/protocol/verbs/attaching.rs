//! Following one session: bytes or frames out, keys and sizes in.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::history::Stream;
use crate::protocol::verbs::Done;
use crate::protocol::verbs::notice;
use crate::protocol::verbs::verb;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::sizing::SizeOwner;
use crate::session::spec::Kind;
use crate::session::status::End;
use crate::session::terminal::Pixels;
use crate::session::terminal::Terminal;
use crate::term::Size;

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
    /// Control it beside others who have control.
    pub share: bool,
    /// It was attached before the daemon was killed: if control was shared, it still is.
    pub returns: bool,
    /// Only this stream of a pipe session.
    pub stream: Option<Stream>,
    /// The client's terminal: it gives the size and answers queries. Without one the client changes neither.
    pub terminal: Option<Terminal>,
    /// Go on from this offset instead of painting the screen.
    pub resume: Option<u64>,
    /// Rows of scrollback to paint above the screen.
    pub history_rows: u32,
    /// The client's `SSH_AUTH_SOCK`.
    pub agent: Option<ByteBuf>,
    /// Send a [`Mark`] before bytes of another stream or time.
    pub marks: bool,
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
    /// The terminal that they are drawn on.
    pub terminal: Option<Terminal>,
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
    /// Terminal or pipes.
    pub kind: Kind,
    /// The client has keyboard and size.
    pub controls: bool,
    /// Bytes that the client may type before it is given [`Credit`].
    pub credit: u64,
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
    /// Have it beside others who have it.
    pub share: bool,
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

/// Ends an attachment, or the following of a history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detach {
    /// Its channel.
    pub channel: u32,
}
verb!(Detach = "detach" -> Done);

/// Sets the size of a session's terminal, or whose size it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resize {
    /// Which.
    pub target: String,
    /// New size.
    pub size: Option<Size>,
    /// Whose size it has from now on.
    pub owner: Option<SizeOwner>,
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
    /// Keys to press instead of `bytes`, as [`Keys`](crate::session::keys::Keys) reads them: they are sent as the
    /// modes of the terminal want it.
    pub keys: Option<String>,
    /// Type `bytes` as a terminal pastes them: bracketed if the program asked for that.
    pub paste: bool,
    /// Press Enter afterwards: a return on a terminal, a line feed on a pipe.
    pub enter: bool,
    /// Longest wait, in milliseconds, for a program that does not read what was typed before; 0 is for ever. When it is
    /// over nothing was typed.
    pub patience_ms: u64,
}
verb!(Send = "send" -> Sent);

/// Something was typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// Offset of the end of history before anything was typed; what answers it comes behind.
    pub at: u64,
    /// The request had been done before, so `at` may be behind some of the answer.
    pub repeated: bool,
}

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

/// To whoever controls a session and gets frames: its program put text on the clipboard (OSC 52). It is never asked what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Clipboard {
    /// The attachment's channel.
    pub channel: u32,
    /// Which clipboards, as letters of OSC 52.
    pub selection: String,
    /// The text in base64, as the program wrote it.
    pub base64: String,
}
notice!(Clipboard = "clipboard");

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

/// What a [`Mark`] marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Point {
    /// The bytes that follow on the channel came from this stream.
    Bytes(Stream),
    /// The terminal got this size here.
    Resize(Size),
    /// The session's first process ended here.
    #[default]
    Exit,
}

/// To a log: it begins where older bytes were overwritten, and so perhaps in the middle of a line or a sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Torn {
    /// Its channel.
    pub channel: u32,
    /// Offset where it begins: so many bytes are gone.
    pub at: u64,
}
notice!(Torn = "torn");

/// To a raw attachment or a log that asked for marks: what comes next in the history, and when it was said. It travels
/// among the bytes of its channel, in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// The channel.
    pub channel: u32,
    /// Offset where it applies.
    pub at: u64,
    /// Wall-clock microseconds since 1970.
    pub time_us: u64,
    /// What comes next.
    pub point: Point,
}
notice!(Mark = "mark");

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

/// To an attachment: so many bytes of what it typed went on their way; it may type as many more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credit {
    /// Its channel.
    pub channel: u32,
    /// How many.
    pub bytes: u64,
}
notice!(Credit = "credit");

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
    /// The same in pixels, if known.
    pub pixels: Option<Pixels>,
}
notice!(PaneSize = "pane-size");
