//! The process registry: what others started, what sessions consist of, what lost its owner.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::verbs::Done;
use crate::protocol::verbs::verb;

/// Announces a process that somebody else started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Register {
    /// The process.
    pub pid: u32,
    /// Clock ticks since boot when it started; 0 takes it as it is now.
    pub start_time: u64,
    /// A free word: `server`, `build`, …
    pub kind: String,
    /// Its command; empty takes it as it is now.
    pub command: String,
    /// Its directory; empty takes it as it is now.
    pub cwd: String,
    /// The tool that started it.
    pub originator: Option<String>,
    /// What holds it together; [`DETACHED`] is meant to outlive everybody.
    pub containment: String,
}
verb!(Register = "register" -> ProcessInfo);

/// Containment of a process that is nobody's on purpose: never an orphan, never part of a session.
pub const DETACHED: &str = "detached";

/// Forgets such a process; it is not signalled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unregister {
    /// The process.
    pub pid: u32,
}
verb!(Unregister = "unregister" -> Done);

/// Asks for sessions and registered processes, as they are now. Takes a quarter of a second: load is what happens in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Procs {
    /// The tool that asked for them; empty means any.
    pub originator: String,
    /// Sessions that are looked at, by id, name or pattern; none means all, and registered processes too.
    pub targets: Vec<String>,
}
verb!(Procs = "procs" -> Processes);

/// Sessions and registered processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processes {
    /// Sessions first, in their order.
    pub processes: Vec<ProcessInfo>,
}

/// A session's or a registered process's tree, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessInfo {
    /// Its first process.
    pub pid: u32,
    /// Clock ticks since boot when that started.
    pub start_time: u64,
    /// Name of the session.
    pub session: Option<String>,
    /// A free word of who registered it.
    pub kind: String,
    /// Its command.
    pub command: String,
    /// Its directory.
    pub cwd: String,
    /// What the kernel says of the first process: `running`, `sleeping`, `stopped`, `zombie`, … or `gone`.
    pub state: String,
    /// The process that had started it lives.
    pub parent_alive: bool,
    /// Thousandths of one processor, all of its tree together.
    pub cpu_permille: u32,
    /// Milliseconds of processor time so far.
    pub cpu_ms: u64,
    /// Bytes of memory, all of its tree together; what they share counts each time.
    pub memory: u64,
    /// Living processes of its tree.
    pub processes: u32,
    /// The tool that asked for it.
    pub originator: Option<String>,
    /// What holds it together: `group`, `session`, `detached`, `none` or as registered.
    pub containment: String,
    /// Wall-clock milliseconds of the start or of the registration.
    pub since_ms: u64,
}

/// Asks for a process and all below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tree {
    /// The process.
    pub pid: u32,
}
verb!(Tree = "tree" -> Branches);

/// A process and all below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branches {
    /// Each before those below it, siblings in the order they were started.
    pub nodes: Vec<Node>,
    /// There are more.
    pub truncated: bool,
}

/// One process of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// The process.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// Steps below the first one.
    pub depth: u32,
    /// Its name.
    pub name: String,
    /// Its command line; empty for a zombie.
    pub command: String,
    /// What the kernel says of it.
    pub state: String,
    /// Milliseconds of processor time so far.
    pub cpu_ms: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Name of the session whose first process it is.
    pub session: Option<String>,
}

/// Ends a process and all below it: TERM, then KILL. One that is gone already is no error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KillTree {
    /// The process.
    pub pid: u32,
    /// Clock ticks since boot when it started, so that a repeated request means the same; 0 takes it as it is now.
    pub start_time: u64,
    /// Milliseconds until KILL.
    pub timeout_ms: u64,
}
verb!(KillTree = "kill-tree" -> Ended);

/// What became of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ended {
    /// Processes that were there and are gone.
    pub ended: u32,
    /// Processes that are still there.
    pub left: Vec<u32>,
}

/// Asks for processes that lost their owner, and for registrations that mean nothing any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Orphans {
    /// Ends those that are orphaned and forgets the registrations of the others.
    pub kill: bool,
    /// Milliseconds until KILL.
    pub timeout_ms: u64,
}
verb!(Orphans = "orphans" -> OrphanList);

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrphanList {
    /// In the order of their numbers.
    pub orphans: Vec<Orphan>,
}

/// Why something is an orphan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It was registered and has ended.
    Dead,
    /// It was registered and has ended, and its number is another process's: never signalled.
    PidReused,
    /// It lives, and may belong to a session that goes on: it is not ended with the others.
    Unclear,
    /// It lives and its owner does not; also every reason that this build does not know.
    #[default]
    #[serde(other)]
    Orphaned,
}

/// One orphan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Orphan {
    /// The process.
    pub pid: u32,
    /// Its command.
    pub command: String,
    /// Why it is one.
    pub reason: Reason,
    /// The same in words.
    pub detail: String,
    /// The tool that started it.
    pub originator: Option<String>,
    /// It was ended by this request.
    pub ended: bool,
}
