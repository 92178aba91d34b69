//! All processes of a session: who they are, and signals to every one of them.
//!
//! A session's processes are its first one, the orphans that can be told to be its own, and all that descend from these.
//! An orphan is told by its kernel session, by the tag in its environment, by having been seen below the session while
//! its parents lived, or by a descriptor of the session's terminal or pipes. A control group, where there is one, knows
//! them all. Nobody is empty until a look that began after the last signal finds nobody.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::Signal;

use crate::platform::cgroup;
use crate::platform::process;
use crate::platform::process::Handle;
use crate::platform::process::Identity;
use crate::platform::process::Stat;
use crate::platform::snapshot::Adopted;
use crate::platform::snapshot::FileId;
use crate::platform::snapshot::Owners;
use crate::platform::snapshot::Snapshot;

/// Looks within one hard round: a fork loop is caught by the second or third.
const LOOKS: u32 = 20;

/// What marks a process as one of a session's.
#[derive(Clone)]
pub struct Mark {
    /// The session's first process, leader of its kernel session.
    pub leader: Identity,
    /// The same, held.
    pub process: Arc<Handle>,
    /// Value of `RUNPM_SESSION` in its environment.
    pub tag: Vec<u8>,
    /// Its terminal or pipes.
    pub channels: Vec<FileId>,
    /// Its control group.
    pub group: Option<PathBuf>,
    /// Processes that were seen below it.
    pub kin: Arc<HashSet<Identity>>,
}

/// What is wanted of a look at a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Who is left after a natural end; may be answered without a full look.
    Rest,
    /// Who is left.
    Look,
    /// HUP on a terminal, TERM, CONT to everybody.
    Polite {
        /// It has a terminal.
        hangs_up: bool,
        /// The signal that asks it, where that is another one: it alone, and CONT.
        signal: Option<u8>,
    },
    /// KILL to everybody, until a look finds nobody new.
    Hard,
}

/// A session and what is wanted of it.
#[derive(Clone)]
pub struct Request {
    /// The session.
    pub mark: Mark,
    /// What is wanted.
    pub purpose: Purpose,
}

/// Finds the living processes of a session.
#[must_use]
pub fn members(snapshot: &Snapshot, mark: &Mark) -> Vec<Stat> {
    let leader = mark.leader;
    // While the leader's number belongs to another process, it no longer names our kernel session.
    let is_reused = snapshot.get(leader.pid).is_some_and(|stat| stat.start_time != leader.start_time);
    let is_ours = |orphan: &&Adopted| {
        let Some(stat) = snapshot.get(orphan.pid) else { return false };
        (!is_reused && stat.session == leader.pid && stat.start_time >= leader.start_time)
            || orphan.tag.as_ref() == Some(&mark.tag)
            || mark.kin.contains(&stat.identity())
            || orphan.open.iter().any(|file| mark.channels.contains(file))
    };
    let orphans = snapshot.adopted().iter().filter(is_ours).map(|orphan| orphan.pid);
    let first = (!is_reused).then_some(leader.pid);
    let mut found = snapshot.descendants(orphans.chain(first));
    found.extend(mark.group.iter().flat_map(|group| cgroup::members(group)));
    found.remove(&std::process::id());
    // The group was read after the look: who was born between counts too.
    found.retain(|pid| !snapshot.is_detached(*pid));
    let known = found.into_iter().filter_map(|pid| snapshot.get(pid).cloned().or_else(|| process::stat(pid)));
    let mut members: Vec<Stat> = known.filter(|stat| !stat.is_zombie).collect();
    members.sort_unstable_by_key(|stat| (stat.start_time, stat.pid));
    members
}

/// Does all that is wanted with one look, and as many more as hard rounds need. Returns the look, and who of each session
/// was there at its last one.
#[must_use]
pub fn survey(owners: &Owners, requests: &[Request]) -> (Snapshot, Vec<Vec<Stat>>) {
    if requests.iter().all(|request| request.purpose == Purpose::Rest) && !has_strangers(owners) {
        return (Snapshot::default(), vec![Vec::new(); requests.len()]);
    }
    let mut snapshot = Snapshot::take(owners);
    let mut found: Vec<Vec<Stat>> = requests.iter().map(|request| members(&snapshot, &request.mark)).collect();
    for (request, members) in requests.iter().zip(&found) {
        act(request, members);
    }
    let mut killed: HashSet<Identity> = HashSet::new();
    for _ in 0..LOOKS {
        let mut has_new = false;
        let hard = requests.iter().zip(&mut found).filter(|(request, _)| request.purpose == Purpose::Hard);
        for (request, members) in hard {
            // Killed in the first pass by `act`, and found anew in each later one.
            let fresh: Vec<Identity> = members.iter().map(Stat::identity).filter(|id| killed.insert(*id)).collect();
            if !fresh.is_empty() {
                has_new = true;
                kill(&request.mark, &fresh);
            }
        }
        if !has_new {
            break;
        }
        snapshot = Snapshot::take(owners);
        for (request, members_of) in requests.iter().zip(&mut found) {
            if request.purpose == Purpose::Hard {
                *members_of = members(&snapshot, &request.mark);
            }
        }
    }
    (snapshot, found)
}

/// Returns whether the keeper has adopted anybody. Good enough to list what is left, no proof.
fn has_strangers(owners: &Owners) -> bool {
    let own = std::process::id();
    let leaders: HashSet<u32> = owners.leaders.iter().map(|leader| leader.pid).collect();
    process::children_of(owners.keeper).into_iter().any(|pid| pid != own && !leaders.contains(&pid))
}

/// Interactive shells ignore TERM and leave on HUP; stopped jobs act only after CONT.
fn act(request: &Request, members: &[Stat]) {
    let own = |number: u8| [Signal::from_named_raw(number.into()).unwrap_or(Signal::TERM), Signal::CONT];
    let chosen;
    let signals: &[Signal] = match request.purpose {
        Purpose::Polite { signal: Some(number), .. } => {
            chosen = own(number);
            &chosen
        }
        Purpose::Polite { hangs_up: true, .. } => &[Signal::HUP, Signal::TERM, Signal::CONT],
        Purpose::Polite { hangs_up: false, .. } => &[Signal::TERM, Signal::CONT],
        Purpose::Rest | Purpose::Look | Purpose::Hard => return,
    };
    for stat in members {
        send(stat.identity(), signals);
    }
}

/// What forks faster than it can be looked at dies by its group: both ways take all members at once.
fn kill(mark: &Mark, members: &[Identity]) {
    if let Some(group) = &mark.group {
        cgroup::kill(group);
    }
    // Not before Linux 6.9; then only the looks remain.
    let _ = mark.process.signal_group(Signal::KILL);
    for identity in members {
        send(*identity, &[Signal::KILL]);
    }
}

/// Signals one process; one that is gone, or whose number was reused since it was found, is left alone.
pub fn send(identity: Identity, signals: &[Signal]) {
    let Ok(handle) = Handle::open(identity) else { return };
    for signal in signals {
        if let Err(error) = handle.signal(*signal) {
            tracing::warn!(pid = identity.pid, ?signal, %error, "cannot signal");
        }
    }
}
