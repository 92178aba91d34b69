//! Messages between keeper and daemon, over a packet socket with descriptors beside them.
//!
//! One packet is one message. Output, exits and limits are not here: they are in shared memory.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::id::TeeId;
use crate::session::spec::Kind;
use crate::session::spec::Launch;
use crate::session::terminal::Pixels;
use crate::term::Size;

/// Version of these messages; keeper and daemon may be different releases.
pub const PROTOCOL: u32 = 1;
/// Sessions handed over before the daemon has to say [`ToKeeper::Taken`]: 5 descriptors each, and those that are held.
pub const BATCH: usize = 40;
/// Longest message.
pub const PACKET: usize = 64 << 10;

/// Descriptors that the keeper holds for a run at most.
pub const HELD: usize = 2;

/// Largest parcel of an order: argv and environment are bounded by the kernel at far less.
pub const ORDER_LIMIT: u64 = 16 << 20;

/// From the keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum ToDaemon {
    /// First. Descriptors: listening socket, shared flags, daemon's bell, keeper's bell.
    Hello {
        /// Version of these messages.
        protocol: u32,
        /// The keeper's process id.
        pid: u32,
        /// How often a daemon was started before.
        restarts: u32,
        /// How the one before ended.
        last_end: Option<String>,
        /// How many [`ToDaemon::Session`] follow before [`ToDaemon::Ready`].
        sessions: u32,
        /// Folder of the sessions' control groups.
        #[serde(default)]
        groups: Option<String>,
        /// Why there is none.
        #[serde(default)]
        ungrouped: Option<String>,
    },
    /// A session. Descriptors: data, control, slots, pidfd, then the master or the input pipe if still open, then what is held
    /// for its run.
    Session(Handover),
    /// All sessions were handed over.
    Ready,
    /// A spawn failed.
    SpawnFailed {
        /// Key of the spawn.
        key: RequestKey,
        /// What failed.
        stage: Stage,
        /// Error number.
        errno: i32,
    },
    /// The system or the user wants the keeper to end: stop everything, then say [`ToKeeper::Shutdown`].
    Terminate,
    /// A tee; before the sessions, so that a cursor that holds a trim line is known before it is moved. Descriptors:
    /// status memory, the parcel it was made from, then the end of the pipe that takes input, for a tee of input.
    Tee(TeeHandover),
    /// A tee could not be started.
    TeeFailed {
        /// Key of the request.
        key: RequestKey,
        /// Error number.
        errno: i32,
    },
    /// The process of a tee is gone.
    TeeGone {
        /// Which.
        id: TeeId,
        /// It was not wanted any more: nothing of it is left.
        is_forgotten: bool,
    },
}

/// One tee in the keeper.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeHandover {
    /// Its id.
    pub id: TeeId,
    /// Key of the request that made it.
    pub key: RequestKey,
    /// The session whose stream it copies.
    pub session: SessionId,
    /// Its process; 0 once it is gone.
    pub pid: u32,
}

/// One session in the keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Its id.
    pub id: SessionId,
    /// Key of the spawn that made it.
    pub key: RequestKey,
    /// Terminal or pipes.
    pub kind: Kind,
    /// Its first process.
    pub pid: u32,
    /// That process's start time, in clock ticks since boot: with the pid it is unique.
    pub start_time: u64,
    /// Size its terminal started with.
    pub size: Size,
    /// A descriptor for input is among those sent.
    pub has_input: bool,
    /// Its terminal or pipes, each as device and inode number.
    #[serde(default)]
    pub channels: Vec<(u64, u64)>,
    /// Folder of its control group, if it has one.
    #[serde(default)]
    pub group: Option<String>,
    /// How often its program was started again in the same memory; what is said here of its process is of this run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub run: u32,
    /// Wall-clock milliseconds of that start; 0 for the first one, which the facts know.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub started_ms: u64,
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

/// Where a spawn failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Making the shared memories.
    Memory,
    /// Opening the terminal.
    Terminal,
    /// Making pipes.
    Pipes,
    /// `fork`.
    Fork,
    /// `setsid`.
    Session,
    /// Making the terminal the controlling one.
    Control,
    /// Entering the working directory.
    Directory,
    /// Setting limits.
    Limits,
    /// `exec`.
    Exec,
    /// The request itself.
    Request,
}

/// To the keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum ToKeeper {
    /// So many sessions were taken over; more may come.
    Taken {
        /// How many since the last time.
        count: u32,
    },
    /// Start a session. Descriptors: at most [`HELD`] that are held as long as the run and come with each handover, so that
    /// what is said into them waits in the kernel while no daemon lives; then a memfd that holds an [`Order`].
    Spawn {
        /// A key that was used before starts nothing.
        key: RequestKey,
    },
    /// Start the program of an ended session again, in the same memory. Descriptors: as for [`ToKeeper::Spawn`]; kind, ring and
    /// facts of the order are not looked at. The answer is [`ToDaemon::Session`] or [`ToDaemon::SpawnFailed`].
    Respawn {
        /// A key that was used before starts nothing.
        key: RequestKey,
        /// Which session.
        id: SessionId,
    },
    /// Set the size of a terminal.
    Resize {
        /// Which session.
        id: SessionId,
        /// New size.
        size: Size,
        /// The same in pixels, if known.
        #[serde(default)]
        pixels: Option<Pixels>,
    },
    /// Close the keeper's copy of the input descriptor.
    CloseInput {
        /// Which session.
        id: SessionId,
    },
    /// Forget an ended session.
    Forget {
        /// Which session.
        id: SessionId,
    },
    /// Start a tee. Descriptors: a memfd that holds a `TeeOrder`; the file, for a tee to one; both ends of a pipe (to
    /// read, to write), for a tee of input.
    Tee(TeeAsk),
    /// End a tee and forget it.
    Untee {
        /// Which.
        id: TeeId,
    },
    /// The daemon is ready: back-off starts over.
    Ready,
    /// Nothing is left to own: end, and start no daemon again.
    Shutdown,
}

/// What the keeper itself has to know of a tee.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeAsk {
    /// A key that was used before starts nothing.
    pub key: RequestKey,
    /// The session whose stream it copies.
    pub session: SessionId,
    /// A cursor that holds the trim line from the start, plus one; 0: none does.
    pub hold: u64,
    /// The last two descriptors are a pipe for input.
    pub has_input: bool,
}

/// What to spawn; in a memfd because environments can be large.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// Terminal or pipes.
    pub kind: Kind,
    /// One pipe for output and errors.
    pub merge: bool,
    /// Size of the terminal.
    pub size: Size,
    /// Bytes of the byte ring.
    pub ring: u64,
    /// Offset of its first byte: a history that goes on where a journal ends.
    #[serde(skip_serializing_if = "is_zero")]
    pub base: u64,
    /// Program, arguments, environment, directory, mask, limits.
    pub launch: Launch,
    /// First facts of the session.
    pub facts: ByteBuf,
    /// Niceness; none leaves the keeper's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nice: Option<i8>,
}
