//! One look at all processes, shared by everybody who wants to know at that moment.
//!
//! The keeper is a subreaper: while it lives, every process of every session descends from it. So only its own children
//! need a closer look: the sessions' first processes are known, the others were handed to it when their parents died.

use std::collections::HashMap;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;

use crate::platform::process;
use crate::platform::process::Identity;
use crate::platform::process::Stat;

/// A file or device for good: device and inode number.
pub type FileId = (u64, u64);

/// An orphan that the keeper adopted.
#[derive(Debug, Clone)]
pub struct Adopted {
    /// Its number.
    pub pid: u32,
    /// `RUNPM_SESSION` in its environment.
    pub tag: Option<Vec<u8>>,
    /// What it has open; looked up only where there is no tag.
    pub open: Vec<FileId>,
}

/// Who is meant by "ours" in a look.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    /// The keeper.
    pub keeper: u32,
    /// The sessions' first processes.
    pub leaders: HashSet<Identity>,
    /// Processes that belong to nobody on purpose.
    pub detached: HashSet<Identity>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Snapshot {
    processes: HashMap<u32, Stat>,
    children: HashMap<u32, Vec<u32>>,
    adopted: Vec<Adopted>,
    detached: HashSet<u32>,
}

impl Snapshot {
    /// Takes it. Costs some 15 µs a process.
    #[must_use]
    pub fn take(owners: &Owners) -> Self {
        let stats = process::pids().into_iter().filter_map(process::stat);
        let mut snapshot = Self::of(stats);
        let helper = own_program();
        let children = snapshot.children(owners.keeper).iter().filter_map(|pid| snapshot.get(*pid));
        let strangers = children.filter(|stat| !owners.leaders.contains(&stat.identity()) && !is_helper(stat, helper));
        let adopted = strangers.map(|stat| {
            let [tag] = process::environment(stat.pid, ["RUNPM_SESSION"]);
            let open = if tag.is_none() { open_files(stat.pid) } else { Vec::new() };
            Adopted { pid: stat.pid, tag, open }
        });
        let mut adopted: Vec<Adopted> = adopted.collect();
        let detached = owners.detached.iter().filter(|identity| snapshot.has(**identity));
        let detached = snapshot.descendants(detached.map(|identity| identity.pid));
        adopted.retain(|adopted| !detached.contains(&adopted.pid));
        (snapshot.adopted, snapshot.detached) = (adopted, detached);
        snapshot
    }

    fn of(stats: impl Iterator<Item = Stat>) -> Self {
        let mut snapshot = Self::default();
        for stat in stats {
            snapshot.children.entry(stat.parent).or_default().push(stat.pid);
            snapshot.processes.insert(stat.pid, stat);
        }
        snapshot
    }

    /// Returns a process.
    #[must_use]
    pub fn get(&self, pid: u32) -> Option<&Stat> {
        self.processes.get(&pid)
    }

    /// Returns whether a process is still there, dead and unreaped or not.
    #[must_use]
    pub fn has(&self, identity: Identity) -> bool {
        self.get(identity.pid).is_some_and(|stat| stat.start_time == identity.start_time)
    }

    /// Returns all processes, in no order.
    pub fn processes(&self) -> impl Iterator<Item = &Stat> {
        self.processes.values()
    }

    /// Returns the children of a process.
    #[must_use]
    pub fn children(&self, pid: u32) -> &[u32] {
        self.children.get(&pid).map_or(&[], Vec::as_slice)
    }

    /// Returns whether a process belongs to nobody on purpose.
    #[must_use]
    pub fn is_detached(&self, pid: u32) -> bool {
        self.detached.contains(&pid)
    }

    /// Returns the orphans that the keeper adopted.
    #[must_use]
    pub fn adopted(&self) -> &[Adopted] {
        &self.adopted
    }

    /// Returns these processes and all that descend from them, each once.
    #[must_use]
    pub fn descendants(&self, tops: impl IntoIterator<Item = u32>) -> HashSet<u32> {
        let mut found = HashSet::new();
        let mut open: Vec<u32> = tops.into_iter().collect();
        while let Some(pid) = open.pop() {
            if found.insert(pid) {
                open.extend(self.children(pid));
            }
        }
        found
    }
}

/// Device and inode of the running program: helpers of ours run the same one.
fn own_program() -> Option<FileId> {
    std::fs::metadata("/proc/self/exe").ok().map(|file| (file.dev(), file.ino()))
}

/// The daemon, and the keeper's other helpers: named `rpm-…` and running our own program, so that no escapee becomes one by
/// a name.
fn is_helper(stat: &Stat, program: Option<FileId>) -> bool {
    let its = || std::fs::metadata(format!("/proc/{}/exe", stat.pid)).ok().map(|file| (file.dev(), file.ino()));
    stat.pid == std::process::id() || (stat.name.starts_with("rpm-") && its() == program)
}

fn open_files(pid: u32) -> Vec<FileId> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    entries.filter_map(|entry| std::fs::metadata(entry.path()).ok()).map(|file| (file.dev(), file.ino())).collect()
}
