//! What happens to sessions, as a stream that misses nothing silently.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::verbs::notice;
use crate::protocol::verbs::verb;
use crate::session::id::SessionId;
use crate::session::status::End;
use crate::term::Size;

/// Subscribes the connection to [`Happened`]; a second one takes the place of the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Events {
    /// Go on behind this event, 0: with the oldest that is kept; without it, with what happens from now on. An event that
    /// has not happened yet is refused.
    pub since: Option<u64>,
    /// Epoch that `since` is of; without it the present one, so only 0 means the same whenever it is asked. Of another one, everything of the present epoch is sent, after the ends that were noted
    /// behind `since` by daemons that were killed since: those have the number 0.
    pub epoch: Option<u64>,
    /// Which sessions; none means all. Globs, tags and `all` also take sessions that come later.
    pub targets: Vec<String>,
    /// Which kinds, by name; none means all.
    pub kinds: Vec<String>,
}
verb!(Events = "events" -> Subscribed);

/// The subscription began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscribed {
    /// One life of the daemon; numbers of events count within it.
    pub epoch: u64,
    /// Number of the newest event; 0 when there was none.
    pub last: u64,
}

/// To subscribers: something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// Counted from 1 in each epoch, over all sessions; 0 for an end that an earlier epoch noted.
    pub seq: u64,
    /// Wall-clock milliseconds.
    #[serde(default)]
    pub at_ms: u64,
    /// The session.
    pub id: SessionId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What.
    pub what: What,
}
notice!(Happened = "happened");

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum What {
    /// The session was started.
    Started {
        /// Its first process.
        #[serde(default)]
        pid: u32,
        /// Its command, as a shell takes it back.
        #[serde(default)]
        command: String,
    },
    /// Its program set a title.
    Title {
        /// The title, cleaned.
        #[serde(default)]
        title: String,
    },
    /// Its program rang the bell; several within a tenth of a second are one.
    Bell,
    /// Its program sent a notification (OSC 9, 99 or 777).
    Notification {
        /// Headline; empty if there is none.
        #[serde(default)]
        title: String,
        /// Text.
        #[serde(default)]
        body: String,
    },
    /// Its terminal has a new size.
    Resized {
        /// The size.
        #[serde(default)]
        size: Size,
    },
    /// A client attached.
    Attached {
        /// Who.
        #[serde(default)]
        who: String,
        /// It has keyboard and size.
        #[serde(default)]
        controls: bool,
        /// It gets raw bytes, not frames.
        #[serde(default)]
        raw: bool,
    },
    /// A client left.
    Detached {
        /// Who.
        #[serde(default)]
        who: String,
    },
    /// Control was taken from who had it.
    Stolen {
        /// Who has it now.
        #[serde(default)]
        by: String,
        /// Who had it.
        #[serde(default)]
        from: String,
    },
    /// Somebody typed without being attached while somebody else had control.
    Sent {
        /// Who.
        #[serde(default)]
        by: String,
        /// How many bytes; what they were is nobody's business.
        #[serde(default)]
        bytes: u64,
    },
    /// Somebody asked for its end.
    Stopping {
        /// Who.
        #[serde(default)]
        by: String,
        /// Wall-clock milliseconds when it will be killed.
        #[serde(default)]
        kill_at_ms: u64,
    },
    /// It ended.
    Ended {
        /// How.
        end: End,
    },
    /// It was forgotten.
    Removed,
    /// Something that this build does not know.
    #[serde(other)]
    Unknown,
}

/// Names of all kinds of events, in the order of [`What`].
pub const KINDS: [&str; 12] = [
    "started",
    "title",
    "bell",
    "notification",
    "resized",
    "attached",
    "detached",
    "stolen",
    "sent",
    "stopping",
    "ended",
    "removed",
];

impl What {
    /// Returns the name of its kind, as on the wire.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Title { .. } => "title",
            Self::Bell => "bell",
            Self::Notification { .. } => "notification",
            Self::Resized { .. } => "resized",
            Self::Attached { .. } => "attached",
            Self::Detached { .. } => "detached",
            Self::Stolen { .. } => "stolen",
            Self::Sent { .. } => "sent",
            Self::Stopping { .. } => "stopping",
            Self::Ended { .. } => "ended",
            Self::Removed => "removed",
            Self::Unknown => "unknown",
        }
    }
}

/// To a subscriber that read too slowly: so many events, of any kind and session, were dropped before what follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrun {
    /// How many.
    pub missed: u64,
    /// Number of the oldest event that is still kept; it may be of a kind that the subscriber did not want.
    pub next: u64,
}
notice!(Overrun = "overrun");
