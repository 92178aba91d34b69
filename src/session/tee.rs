//! What a tee is: where a copy of a stream goes, what it may lose, and what can be seen of it at any time.
//!
//! Its status lies in a small shared memory that its own process writes, so that nobody has to be asked: the daemon
//! reads it, and so does the next daemon. Layout as in `history::layout`: words with one named writer each, appended,
//! never moved.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::history::ExitStatus;
use crate::history::Memory;
use crate::history::Stream;
use crate::session::spec::Launch;

/// What is copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// All that the session says.
    #[default]
    Output,
    /// Standard output of a pipe session.
    Out,
    /// Standard error of a pipe session.
    Err,
    /// What was written to the program.
    In,
}

impl Source {
    /// Returns the only stream of the history that is wanted, if it is one.
    #[must_use]
    pub const fn stream(self) -> Option<Stream> {
        match self {
            Self::Out => Some(Stream::Out),
            Self::Err => Some(Stream::Err),
            Self::Output | Self::In => None,
        }
    }

    /// Returns its name, as in options and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Out => "out",
            Self::Err => "err",
            Self::In => "in",
        }
    }
}

/// What becomes of bytes that the target does not take in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The oldest that were not taken go: the session's history is the queue.
    #[default]
    DropOldest,
    /// What waits stays; what comes while no more may wait is skipped.
    DropNewest,
    /// The program waits. Files only.
    Block,
}

impl Policy {
    /// Returns its name, as in options and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DropOldest => "drop-oldest",
            Self::DropNewest => "drop-newest",
            Self::Block => "block",
        }
    }
}

/// Where a copy goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A file, by its absolute path.
    File(ByteBuf),
    /// Standard input of a shell command.
    Command(ByteBuf),
}

impl Default for Target {
    fn default() -> Self {
        Self::File(ByteBuf::new())
    }
}

/// Smallest size at which a file may be rotated.
pub const MIN_SIZE: u64 = 1 << 10;
/// Most rotated files that are kept.
pub const MAX_KEPT: u32 = 1000;
/// Rotated files that are kept when nobody says how many.
pub const KEPT: u32 = 5;

/// A wish for a tee, as far as it is the same for every kind of target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeSpec {
    /// What is copied.
    pub source: Source,
    /// Where to.
    pub target: Target,
    /// What may be lost.
    pub policy: Policy,
    /// Bytes after which a file is rotated; 0: never.
    pub max_size: u64,
    /// Rotated files that are kept.
    pub keep: u32,
    /// Empty the file first.
    pub truncate: bool,
    /// Each line begins with when it was said.
    pub timestamps: bool,
    /// Escape sequences and other controls are left out.
    pub strip: bool,
}

impl TeeSpec {
    /// Says what is wrong with it and what to do, or returns nothing.
    #[must_use]
    pub fn fault(&self) -> Option<(String, &'static str)> {
        let (path, is_file) = match &self.target {
            Target::File(path) => (path, true),
            Target::Command(command) => (command, false),
        };
        if path.contains(&0) {
            return Some(("a NUL byte cannot be part of a path or a command".to_owned(), "leave it out"));
        }
        if path.is_empty() {
            return Some(("there is nowhere to copy to".to_owned(), "give --to FILE or --to-command COMMAND"));
        }
        if is_file && path.first() != Some(&b'/') {
            return Some(("the path of a file has to be absolute".to_owned(), "begin it with /"));
        }
        if self.policy == Policy::Block && (!is_file || self.source == Source::In) {
            let message = "`block` is for files that take a session's output".to_owned();
            return Some((message, "choose drop-oldest or drop-newest: nothing else may slow a program down"));
        }
        if !is_file && (self.max_size > 0 || self.truncate) {
            return Some(("only files can be rotated or emptied".to_owned(), "leave out --max-size and --truncate"));
        }
        if self.max_size > 0 && !(MIN_SIZE..=i64::MAX as u64).contains(&self.max_size) {
            let message = format!("a file cannot be rotated at {} bytes", self.max_size);
            return Some((message, "choose a size of at least 1K"));
        }
        if self.max_size > 0 && !(1..=MAX_KEPT).contains(&self.keep) {
            return Some((format!("{} rotated files cannot be kept", self.keep), "choose from 1 to 1000"));
        }
        None
    }
}

/// What the process of a tee is told first; it stays in the keeper's hands, so that the next daemon can read it too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeOrder {
    /// The wish.
    pub spec: TeeSpec,
    /// First byte of the history that is wanted.
    pub from: u64,
    /// Environment, directory, mask and limits of the command.
    pub launch: Option<Launch>,
    /// Wall-clock milliseconds of the request.
    pub started_ms: u64,
}

/// Words of the status memory.
pub mod word {
    const fn word(n: usize) -> usize {
        n * 8
    }
    /// Helper sets it before it sleeps, the keeper clears it before it rings.
    pub const ARMED: usize = word(8);
    /// Keeper, once, then helper: the cursor that holds the trim line, plus one; 0 when it holds nothing.
    pub const HOLD: usize = word(9);
    /// Helper: see [`super::TeeState`].
    pub const STATE: usize = word(10);
    /// Helper: the next byte of the history it will take.
    pub const OFFSET: usize = word(11);
    /// Helper: bytes the target took.
    pub const WRITTEN: usize = word(12);
    /// Helper: bytes the target never got.
    pub const MISSED: usize = word(13);
    /// Helper: error number of the newest failure; 0 when what came after it worked.
    pub const ERRNO: usize = word(14);
    /// Helper: how often the file was rotated.
    pub const ROTATED: usize = word(15);
    /// Helper: 1 and a code, or 2 and a signal, in bits 8 and 0: how the command ended.
    pub const EXIT: usize = word(16);
    /// Daemon: bytes of input that could not be passed to the helper.
    pub const UNSENT: usize = word(17);
    /// Length of the memory.
    pub const LEN: usize = 4096;
}

/// Where a tee stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeeState {
    /// Its process was not heard of yet.
    #[default]
    Starting,
    /// It copies what comes.
    Running,
    /// All there was to copy was copied.
    Done,
    /// It copies no more.
    Failed,
}

impl TeeState {
    /// Returns its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    const fn from_word(word: u64) -> Self {
        match word {
            0 => Self::Starting,
            1 => Self::Running,
            2 => Self::Done,
            _ => Self::Failed,
        }
    }
}

/// What its memory says about a tee.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeStatus {
    /// Where it stands.
    pub state: TeeState,
    /// The next byte of the history it will take.
    pub offset: u64,
    /// Bytes the target took.
    pub written: u64,
    /// Bytes the target never got.
    pub missed: u64,
    /// Error number of the newest failure; 0 when what came after it worked.
    pub errno: i32,
    /// How often the file was rotated.
    pub rotated: u64,
    /// How the command ended.
    pub exit: Option<ExitStatus>,
}

impl TeeStatus {
    /// Reads a status memory.
    pub fn read<M: Memory>(memory: &M) -> Self {
        let exit = memory.load(word::EXIT);
        Self {
            state: TeeState::from_word(memory.load(word::STATE)),
            offset: memory.load(word::OFFSET),
            written: memory.load(word::WRITTEN),
            missed: memory.load(word::MISSED).saturating_add(memory.load(word::UNSENT)),
            errno: memory.load(word::ERRNO) as i32,
            rotated: memory.load(word::ROTATED),
            exit: match exit >> 8 {
                1 => Some(ExitStatus::Code(exit as u8)),
                2 => Some(ExitStatus::Signal(exit as u8)),
                _ => None,
            },
        }
    }

    /// Writes what the helper knows.
    pub fn write<M: Memory>(&self, memory: &M) {
        memory.store(word::OFFSET, self.offset);
        memory.store(word::WRITTEN, self.written);
        memory.store(word::MISSED, self.missed);
        memory.store(word::ERRNO, self.errno as u64);
        memory.store(word::ROTATED, self.rotated);
        let exit = match self.exit {
            None => 0,
            Some(ExitStatus::Code(code)) => 1 << 8 | u64::from(code),
            Some(ExitStatus::Signal(signal)) => 2 << 8 | u64::from(signal),
        };
        memory.store(word::EXIT, exit);
        // Last: who sees the end sees all of it.
        memory.store(word::STATE, self.state as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::HeapMemory;

    #[test]
    fn a_status_survives_its_memory() {
        let memory = HeapMemory::new(word::LEN);
        assert_eq!(TeeStatus::read(&memory), TeeStatus::default());
        for exit in [None, Some(ExitStatus::Code(0)), Some(ExitStatus::Signal(9))] {
            let status = TeeStatus {
                state: TeeState::Failed,
                offset: 1 << 40,
                written: 2,
                missed: 3,
                errno: 28,
                rotated: 4,
                exit,
            };
            status.write(&memory);
            assert_eq!(TeeStatus::read(&memory), status);
        }
    }

    #[test]
    fn a_wish_that_makes_no_sense_is_refused_with_what_to_do() {
        let file = |path: &str| Target::File(ByteBuf::from(path.as_bytes()));
        let good = TeeSpec { target: file("/x"), ..TeeSpec::default() };
        assert_eq!(good.fault(), None);
        assert_eq!(TeeSpec { max_size: 1 << 20, keep: 3, ..good.clone() }.fault(), None);
        let command = Target::Command(ByteBuf::from(&b"cat"[..]));
        let bad = [
            TeeSpec { target: file("x"), ..good.clone() },
            TeeSpec { target: file(""), ..good.clone() },
            TeeSpec { target: file("/x\0"), ..good.clone() },
            TeeSpec { target: command.clone(), policy: Policy::Block, ..good.clone() },
            TeeSpec { source: Source::In, policy: Policy::Block, ..good.clone() },
            TeeSpec { target: command.clone(), max_size: 1 << 20, keep: 1, ..good.clone() },
            TeeSpec { target: command, truncate: true, ..good.clone() },
            TeeSpec { max_size: 1, keep: 1, ..good.clone() },
            TeeSpec { max_size: u64::MAX, keep: 1, ..good.clone() },
            TeeSpec { max_size: 1 << 20, keep: 0, ..good.clone() },
            TeeSpec { max_size: 1 << 20, keep: 1001, ..good },
        ];
        for spec in bad {
            assert!(spec.fault().is_some(), "{spec:?}");
        }
    }
}
