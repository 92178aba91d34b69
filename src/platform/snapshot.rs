//! One look at all processes, shared by everybody who wants to know at that moment.
//!
//! The keeper is a subreaper: while it lives, every process of every session descends from it. So only its own children
//! need a closer look: the sessions' first processes are known, the others were handed to it when their parents died.

use std::collections::HashMap;
use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt;

use crate::platform::brand;
use crate::platform::brand::Brand;
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
    /// Whose it is by a limit that it inherited.
    pub brand: Option<Brand>,
    /// `RUNPM_SESSION` in its environment; looked up only where there is no brand.
    pub tag: Option<Vec<u8>>,
    /// What it has open; looked up only where there is neither.
    pub open: Vec<FileId>,
}

impl Adopted {
    fn of(pid: u32) -> io::Result<Self> {
        let brand = brand::of(pid)?;
        let [tag] = if brand.is_none() { process::environment(pid, ["RUNPM_SESSION"])? } else { [None] };
        let open = if brand.is_none() && tag.is_none() { process::open_files(pid)? } else { Vec::new() };
        Ok(Self { pid, brand, tag, open })
    }

    /// Returns whether it says of no session at all that it belongs to it.
    #[must_use]
    pub const fn is_unmarked(&self) -> bool {
        self.brand.is_none() && self.tag.is_none()
    }
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
    /// Takes it. Costs some 15 µs a process. A process that could not be looked at makes it fail as a whole: nothing follows
    /// from who is missing in a part of it.
    pub fn take(owners: &Owners) -> io::Result<Self> {
        let mut stats = Vec::new();
        for pid in process::pids()? {
            stats.extend(process::look(pid)?);
        }
        let mut snapshot = Self::of(stats.into_iter());
        let helper = own_program()?;
        let children = snapshot.children(owners.keeper).iter().filter_map(|pid| snapshot.get(*pid));
        let strangers = children.filter(|stat| !owners.leaders.contains(&stat.identity()) && !is_helper(stat, helper));
        let adopted: io::Result<Vec<Adopted>> = strangers.map(|stat| Adopted::of(stat.pid)).collect();
        let mut adopted = adopted?;
        let registered = owners.detached.iter().filter(|identity| snapshot.has(**identity));
        let branded = adopted.iter().filter(|adopted| adopted.brand == Some(Brand::Nobody));
        let tops = registered.map(|identity| identity.pid).chain(branded.map(|adopted| adopted.pid));
        let detached = snapshot.descendants(tops);
        adopted.retain(|adopted| !detached.contains(&adopted.pid));
        (snapshot.adopted, snapshot.detached) = (adopted, detached);
        Ok(snapshot)
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
fn own_program() -> io::Result<FileId> {
    std::fs::metadata("/proc/self/exe").map(|file| (file.dev(), file.ino()))
}

/// Returns whether a process is a helper of ours, or one that was made and has not become its program yet.
#[must_use]
pub fn is_own_helper(stat: &Stat) -> bool {
    own_program().is_ok_and(|program| is_helper(stat, program))
}

/// The daemon, and the keeper's other helpers: named `rpm-…` and running our own program, so that no escapee becomes one by
/// a name.
fn is_helper(stat: &Stat, program: FileId) -> bool {
    let its = || std::fs::metadata(format!("/proc/{}/exe", stat.pid)).ok().map(|file| (file.dev(), file.ino()));
    stat.pid == std::process::id() || (stat.name.starts_with("rpm-") && its() == Some(program))
}
