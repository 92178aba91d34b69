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
/// Bytes that wait at most for a target, where what waits is what is kept.
pub const QUEUE: usize = 1 << 20;
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
    /// Which file it is, if it is one.
    pub file: Option<TeeFile>,
}

/// What tells a file from others, however its path is spelled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeeFile {
    /// Its name in a folder whose path has no symbolic links.
    pub path: ByteBuf,
    /// Number of its device.
    pub device: u64,
    /// Number of its inode, when it was opened.
    pub inode: u64,
}

impl TeeFile {
    /// Returns whether two tees would write to one file, also after one that keeps so many full ones was rotated.
    #[must_use]
    pub fn meets(&self, keep: u32, other: &Self, other_keep: u32) -> bool {
        let is_rotated = |base: &[u8], path: &[u8], keep: u32| {
            let number = path.strip_prefix(base).and_then(|rest| rest.strip_prefix(b"."));
            let number = number.and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.parse().ok());
            number.is_some_and(|number: u32| (1..=keep).contains(&number))
        };
        (self.device, self.inode) == (other.device, other.inode)
            || self.path == other.path
            || is_rotated(&self.path, &other.path, keep)
            || is_rotated(&other.path, &self.path, other_keep)
    }
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
    /// Helper: bytes it has taken that the target did not take yet.
    pub const WAITING: usize = word(18);
    /// Helper: device and inode of the file as it is now; 0 for anything else.
    pub const DEVICE: usize = word(19);
    /// Helper: see [`DEVICE`].
    pub const INODE: usize = word(20);
    /// Helper: how often somebody had taken the file away and it began it anew.
    pub const REOPENED: usize = word(21);
    /// Keeper: how the helper itself ended, as in [`EXIT`]; 0 while it lives.
    pub const DEATH: usize = word(22);
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
    /// Bytes that the target may still get.
    pub waiting: u64,
    /// How often the file was deleted or renamed by somebody, and begun anew.
    pub reopened: u64,
    /// How its own process ended.
    pub death: Option<ExitStatus>,
}

/// Writes how a process ended as a word.
#[must_use]
pub const fn exit_word(exit: Option<ExitStatus>) -> u64 {
    match exit {
        None => 0,
        Some(ExitStatus::Code(code)) => 1 << 8 | code as u64,
        Some(ExitStatus::Signal(signal)) => 2 << 8 | signal as u64,
    }
}

const fn exit_of(word: u64) -> Option<ExitStatus> {
    match word >> 8 {
        1 => Some(ExitStatus::Code(word as u8)),
        2 => Some(ExitStatus::Signal(word as u8)),
        _ => None,
    }
}

impl TeeStatus {
    /// Reads a status memory.
    pub fn read<M: Memory>(memory: &M) -> Self {
        Self {
            state: TeeState::from_word(memory.load(word::STATE)),
            offset: memory.load(word::OFFSET),
            written: memory.load(word::WRITTEN),
            missed: memory.load(word::MISSED).saturating_add(memory.load(word::UNSENT)),
            errno: memory.load(word::ERRNO) as i32,
            rotated: memory.load(word::ROTATED),
            exit: exit_of(memory.load(word::EXIT)),
            waiting: memory.load(word::WAITING),
            reopened: memory.load(word::REOPENED),
            death: exit_of(memory.load(word::DEATH)),
        }
    }

    /// Writes what the helper knows.
    pub fn write<M: Memory>(&self, memory: &M) {
        memory.store(word::OFFSET, self.offset);
        memory.store(word::WRITTEN, self.written);
        memory.store(word::MISSED, self.missed);
        memory.store(word::WAITING, self.waiting);
        memory.store(word::ERRNO, self.errno as u64);
        memory.store(word::ROTATED, self.rotated);
        memory.store(word::REOPENED, self.reopened);
        memory.store(word::EXIT, exit_word(self.exit));
        // Last: who sees the end sees all of it.
        memory.store(word::STATE, self.state as u64);
    }

    /// Returns how many of `unread` bytes, the ones behind what a living helper took, it can never take: those before
    /// `oldest` are gone. Who keeps the oldest skips all of them once something is gone or its queue is full.
    #[must_use]
    pub fn lost(&self, policy: Policy, unread: u64, oldest: u64) -> u64 {
        let gone = oldest.saturating_sub(self.offset).min(unread);
        let skips = policy == Policy::DropNewest && (gone > 0 || self.waiting >= QUEUE as u64);
        if skips { unread } else { gone }
    }

    /// Counts what no helper has counted: `unread` bytes lie behind what it took, `lost` of them for good. While it lives the
    /// others wait for the target, as those do that it took; once it is gone, and had not done all that was wanted, they
    /// are missed.
    #[must_use]
    pub const fn settled(mut self, is_gone: bool, unread: u64, lost: u64) -> Self {
        let rest = self.waiting.saturating_add(unread);
        self.waiting = 0;
        match (is_gone, self.state) {
            (_, TeeState::Done) => {}
            (false, _) => {
                self.waiting = rest.saturating_sub(lost);
                self.missed = self.missed.saturating_add(lost);
            }
            (true, _) => {
                self.missed = self.missed.saturating_add(rest);
                self.state = TeeState::Failed;
            }
        }
        self
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
                waiting: 5,
                reopened: 6,
                death: None,
            };
            status.write(&memory);
            assert_eq!(TeeStatus::read(&memory), status);
        }
    }

    #[test]
    fn what_a_dead_tee_did_not_take_is_missed_and_of_a_living_one_it_waits() {
        let status = TeeStatus { state: TeeState::Running, missed: 1, waiting: 2, ..TeeStatus::default() };
        let counts = |status: TeeStatus| (status.state, status.waiting, status.missed);
        assert_eq!(counts(status.settled(false, 4, 0)), (TeeState::Running, 6, 1));
        assert_eq!(counts(status.settled(false, 4, 3)), (TeeState::Running, 3, 4));
        assert_eq!(counts(status.settled(true, 4, 3)), (TeeState::Failed, 0, 7));
        let failed = TeeStatus { state: TeeState::Failed, ..status };
        assert_eq!(counts(failed.settled(true, 4, 0)), (TeeState::Failed, 0, 7));
        let done = TeeStatus { state: TeeState::Done, waiting: 0, ..status };
        assert_eq!(counts(done.settled(true, 4, 0)), (TeeState::Done, 0, 1), "what came after its end was not wanted");
    }

    #[test]
    fn w41_what_was_overwritten_or_will_be_skipped_waits_for_nobody() {
        let status = |waiting| TeeStatus { offset: 100, waiting, ..TeeStatus::default() };
        assert_eq!(status(9).lost(Policy::DropOldest, 50, 100), 0);
        assert_eq!(status(9).lost(Policy::DropOldest, 50, 130), 30);
        assert_eq!(status(9).lost(Policy::DropOldest, 50, 200), 50, "more was said since");
        assert_eq!(status(QUEUE as u64).lost(Policy::DropOldest, 50, 90), 0);
        assert_eq!(status(9).lost(Policy::DropNewest, 50, 100), 0);
        assert_eq!(status(9).lost(Policy::DropNewest, 50, 101), 50);
        assert_eq!(status(QUEUE as u64).lost(Policy::DropNewest, 50, 100), 50);
    }

    #[test]
    fn files_meet_by_number_by_path_and_by_the_names_of_rotated_ones() {
        let file = |path: &str, inode| TeeFile { path: ByteBuf::from(path.as_bytes()), device: 1, inode };
        let (log, other) = (file("/a/log", 1), file("/a/log.2", 2));
        assert!(log.meets(0, &file("/b/hard-link", 1), 0));
        assert!(log.meets(0, &file("/a/log", 7), 0), "the file was deleted, and will be made again");
        assert!(log.meets(2, &other, 0) && other.meets(0, &log, 2));
        assert!(!log.meets(1, &other, 0) && !log.meets(0, &other, 5));
        assert!(!log.meets(5, &file("/a/log.old", 3), 5));
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
