//! What the app is told and what it says: messages, effects, and the questions among them.
//!
//! Plain data; what is asked of the daemon is named here in the dashboard's words and put into verbs by `wire`.

use crate::client::follow::Chunk;
use crate::config::Loaded;
use crate::history::Stream;
use crate::protocol::error::WireError;
use crate::protocol::frame::Bulk;
use crate::protocol::verbs;
use crate::protocol::verbs::Deed;
use crate::session::id::SessionId;
use crate::session::service::definition::Definition;
use crate::session::spec::Kind;
use crate::session::status::Status;
use crate::term::Size;
use crate::tui::Left;
use crate::tui::app::Hit;
use crate::tui::input::Token;
use crate::tui::layout::Screen;

/// The two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Monotonic nanoseconds.
    pub mono: u64,
    /// Wall-clock milliseconds.
    pub wall_ms: u64,
}

/// What happens to the dashboard.
#[derive(Debug)]
pub enum Msg {
    /// Somebody typed.
    Input(Vec<Token>),
    /// A program put text on the clipboard.
    Clipboard(verbs::Clipboard),
    /// Which sessions seem to wait for input.
    Waiting(Vec<(SessionId, bool)>),
    /// Our terminal has a new size.
    Resized(Screen),
    /// A daemon is there, the first or the next.
    Connected,
    /// The connection broke.
    Lost(String),
    /// A try to connect again failed.
    StillLost {
        /// Why.
        reason: String,
        /// When the next one is made, in monotonic nanoseconds.
        next: u64,
    },
    /// The daemon answered.
    Reply(Ask, Result<Answer, WireError>),
    /// A session is new or changed.
    Changed(Box<Status>),
    /// A session was forgotten.
    Removed(SessionId),
    /// Somebody took control.
    Stolen(verbs::Stolen),
    /// A channel ended.
    Closed(verbs::Closed),
    /// Bytes of a channel.
    Bulk(Bulk),
    /// A piece of a history that the logs view reads.
    Log {
        /// Its channel.
        channel: u32,
        /// The piece.
        chunk: Chunk,
    },
    /// The time of [`App::deadline`] has come.
    Tick,
    /// The dashboard was suspended and is back.
    Resumed,
    /// Something happened to a session.
    Happened(Box<verbs::Happened>),
    /// What a path can go on with.
    Completions {
        /// What was to be completed.
        word: String,
        /// All that begin like it.
        found: Vec<String>,
    },
    /// What a search of all sessions has found so far.
    Finding {
        /// What is searched.
        pattern: String,
        /// All lines so far.
        hits: Vec<Hit>,
        /// How many sessions were read.
        read: usize,
    },
    /// A search of all sessions is done.
    Found {
        /// What was searched.
        pattern: String,
        /// Lines, and whether there were more; or why not.
        result: Result<(Vec<Hit>, bool), String>,
    },
    /// A layout was read.
    Layout {
        /// Its name.
        name: String,
        /// Its text, or why not.
        result: Result<String, String>,
    },
    /// Something is to be told.
    Said(String),
    /// On which branches of git directories are.
    Branches(Vec<(SessionId, Option<String>)>),
    /// Somebody had the daemon read its settings again.
    ReloadSettings,
    /// The settings were read again.
    Settings(Box<Loaded>),
    /// A signal asks us to leave.
    Terminate,
}

/// What the daemon is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// For the list, and for all changes.
    Subscribe,
    /// To be told of bells and the like.
    Events,
    /// What sessions did since.
    Sample,
    /// For load and memory.
    Procs {
        /// Whose.
        ids: Vec<SessionId>,
    },
    /// For the last line of a session's screen.
    LastLine {
        /// Which.
        id: SessionId,
    },
    /// For what a session said.
    History {
        /// Channel for the bytes.
        channel: u32,
        /// Which session.
        id: SessionId,
        /// Where to begin.
        from: verbs::From,
        /// Most bytes; all of it without.
        most: Option<u64>,
    },
    /// For lines of a history, each piece with its stream and time.
    Logs {
        /// Channel for them.
        channel: u32,
        /// Which session.
        id: SessionId,
        /// Which of them.
        span: Span,
        /// Of this stream only.
        stream: Option<Stream>,
    },
    /// To do something to services.
    Act {
        /// Which.
        ids: Vec<SessionId>,
        /// What.
        deed: Deed,
    },
    /// How a service ended before, and why.
    Why {
        /// Which.
        id: SessionId,
    },
    /// How a service is defined.
    Definition {
        /// Which.
        id: SessionId,
    },
    /// For the frames of a session.
    Watch {
        /// Channel of the frames.
        channel: u32,
        /// Which session.
        target: String,
    },
    /// For keyboard and size.
    Take {
        /// The watching channel.
        channel: u32,
        /// From whoever has them.
        steal: bool,
        /// Size of the pane.
        size: Size,
    },
    /// To take them back.
    Release {
        /// The watching channel.
        channel: u32,
    },
    /// To send no more frames.
    Detach {
        /// The watching channel.
        channel: u32,
    },
    /// For a new session.
    Run {
        /// Size of its terminal.
        size: Size,
        /// What; a shell without it.
        program: Option<Box<Program>>,
    },
    /// To signal sessions.
    Signal {
        /// Which.
        ids: Vec<SessionId>,
        /// Number of the signal.
        signal: u8,
    },
    /// To type into a session.
    Send {
        /// Which.
        id: SessionId,
        /// What.
        text: String,
        /// It is names of keys; else a line, which Enter ends.
        is_keys: bool,
    },
    /// To call a session something else.
    Rename {
        /// Which.
        id: SessionId,
        /// Its name from now on.
        name: Option<String>,
        /// All of its tags from now on.
        tags: Option<Vec<String>>,
    },
    /// To end sessions.
    Stop {
        /// Which.
        ids: Vec<SessionId>,
        /// Milliseconds until the hard signal.
        grace_ms: u64,
    },
    /// To forget ended sessions.
    Remove {
        /// Which.
        ids: Vec<SessionId>,
    },
}

/// Part of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// So many last lines, and what comes.
    Last(u64),
    /// From an offset on, and what comes.
    From(u64),
    /// From an offset to another one.
    Between(u64, u64),
}

/// What a new session is to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Its name; made from the program's without one.
    pub name: Option<String>,
    /// Its directory; ours without one.
    pub cwd: Option<String>,
    /// Terminal or pipes.
    pub kind: Kind,
    /// Free words.
    pub tags: Vec<String>,
}

/// What the daemon answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All sessions.
    Listing(Vec<Status>),
    /// Frames will come.
    Attached(verbs::Attached),
    /// It runs.
    Started(verbs::Started),
    /// What became of sessions.
    Outcomes(Vec<verbs::Outcome>),
    /// Load and memory.
    Procs(Vec<verbs::ProcessInfo>),
    /// What became of services.
    Acts(verbs::Acts),
    /// How services ended.
    Histories(Vec<verbs::ServiceHistory>),
    /// How services are defined.
    Definitions(Vec<Definition>),
    /// A screen.
    Text(String),
    /// Yes.
    Done,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the daemon.
    Ask(Ask),
    /// Type.
    Input {
        /// The controlling channel.
        channel: u32,
        /// What.
        bytes: Vec<u8>,
    },
    /// Tell the new size of the pane.
    PaneSize {
        /// The controlling channel.
        channel: u32,
        /// The size.
        size: Size,
    },
    /// Tell that a frame is drawn.
    Drawn {
        /// The watching channel.
        channel: u32,
        /// Number of the frame.
        frame: u64,
    },
    /// Start a daemon.
    StartDaemon,
    /// Find out which branches of git these directories are on.
    Branches(Vec<(SessionId, String)>),
    /// Find out what a path can go on with.
    Complete {
        /// The directory it is relative to.
        base: String,
        /// What there is of it.
        word: String,
        /// Only directories are wanted.
        is_folder: bool,
    },
    /// Search what sessions said.
    Search {
        /// A regular expression.
        pattern: String,
        /// Which sessions, and how many of their last bytes, if not all.
        sessions: Vec<(SessionId, Option<u64>)>,
    },
    /// Nobody waits for that search any more.
    StopSearch,
    /// Keep a layout.
    SaveLayout {
        /// Its name.
        name: String,
        /// Its text.
        text: String,
    },
    /// Read a layout.
    ReadLayout(String),
    /// Ring the bell of our terminal.
    Ring,
    /// Hand a notification to our terminal.
    Notify {
        /// Headline.
        title: String,
        /// Text.
        body: String,
    },
    /// Read the settings again.
    ReadSettings,
    /// Put text on the clipboard of our terminal.
    Clipboard(String),
    /// Put on it what a program wrote.
    PassClipboard {
        /// Which clipboards.
        selection: String,
        /// The text in base64.
        base64: String,
    },
    /// Find out which of these first processes have a job in front that reads its terminal.
    FindWaiting(Vec<(SessionId, u32)>),
    /// Edit the settings.
    EditSettings,
    /// Show text in the user's pager or editor.
    Open {
        /// Of which session.
        session: SessionId,
        /// Its name.
        name: String,
        /// The text; all that `rpm logs` says without it.
        text: Option<String>,
        /// In the editor.
        is_editor: bool,
    },
    /// Give the terminal back until somebody resumes us.
    Suspend,
    /// Leave.
    Leave(Left),
    /// Leave, because it cannot be done.
    Fail(WireError),
}
