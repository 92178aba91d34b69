//! All processes of a session: who they are, and signals to every one of them.
//!
//! A session's processes are its first one, the orphans that can be told to be its own, and all that descend from these.
//! An orphan is told by its kernel session, by the limit that it inherited, by the tag in its environment, by having been
//! seen below the session while its parents lived, or by a descriptor of the session's terminal or pipes. A control
//! group, where there is one, knows them all. Nobody is empty until a look that began after the last signal finds nobody;
//! a look that failed found nothing out.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::Signal;

use crate::platform::brand::Brand;
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
    /// What its processes inherit.
    pub brand: Brand,
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
        /// The look before failed; who could be asked without one was.
        is_repeat: bool,
        /// The signal that asks it, where that is another one: it alone, and CONT.
        signal: Option<u8>,
    },
    /// KILL to everybody, until a look finds nobody new.
    Hard,
}

impl Purpose {
    /// Returns what is wanted after a look for it has failed.
    #[must_use]
    pub const fn again(self) -> Self {
        match self {
            Self::Polite { hangs_up, signal, .. } => Self::Polite { hangs_up, is_repeat: true, signal },
            purpose => purpose,
        }
    }
}

/// A session and what is wanted of it.
#[derive(Clone)]
pub struct Request {
    /// The session.
    pub mark: Mark,
    /// What is wanted.
    pub purpose: Purpose,
}

/// Returns whether an orphan says to be one of a session's.
#[must_use]
pub fn is_ours(snapshot: &Snapshot, mark: &Mark, orphan: &Adopted) -> bool {
    let Some(stat) = snapshot.get(orphan.pid) else { return false };
    (!is_reused(snapshot, mark) && stat.session == mark.leader.pid && stat.start_time >= mark.leader.start_time)
        || (matches!(mark.brand, Brand::Session(_)) && orphan.brand == Some(mark.brand))
        || orphan.tag.as_ref() == Some(&mark.tag)
        || mark.kin.contains(&stat.identity())
        || orphan.open.iter().any(|file| mark.channels.contains(file))
}

/// While the leader's number belongs to another process, it no longer names our kernel session.
fn is_reused(snapshot: &Snapshot, mark: &Mark) -> bool {
    snapshot.get(mark.leader.pid).is_some_and(|stat| stat.start_time != mark.leader.start_time)
}

/// Finds the living processes of a session. An error means that not all of them could be looked at.
pub fn members(snapshot: &Snapshot, mark: &Mark) -> io::Result<Vec<Stat>> {
    let orphans = snapshot.adopted().iter().filter(|orphan| is_ours(snapshot, mark, orphan)).map(|orphan| orphan.pid);
    let first = (!is_reused(snapshot, mark)).then_some(mark.leader.pid);
    let mut found = snapshot.descendants(orphans.chain(first));
    if let Some(group) = &mark.group {
        found.extend(cgroup::members(group)?);
    }
    found.remove(&std::process::id());
    // The group was read after the look: who was born between counts too.
    found.retain(|pid| !snapshot.is_detached(*pid));
    let mut members = Vec::new();
    for pid in found {
        let stat = match snapshot.get(pid) {
            Some(stat) => Some(stat.clone()),
            None => process::look(pid)?,
        };
        members.extend(stat.filter(|stat| !stat.is_zombie));
    }
    members.sort_unstable_by_key(|stat| (stat.start_time, stat.pid));
    Ok(members)
}

/// What was found by doing what was asked for.
pub struct Survey {
    /// The last look.
    pub snapshot: io::Result<Snapshot>,
    /// Who of each session was there at its last look; none where that failed, which proves nothing.
    pub found: Vec<Option<Vec<Stat>>>,
}

/// Does all that is wanted with one look, and as many more as hard rounds need; `must_look` also where no session does.
#[must_use]
pub fn survey(owners: &Owners, requests: &[Request], must_look: bool) -> Survey {
    let is_rest = requests.iter().all(|request| request.purpose == Purpose::Rest);
    if is_rest && !must_look && matches!(has_strangers(owners), Ok(false)) {
        return Survey { snapshot: Ok(Snapshot::default()), found: vec![Some(Vec::new()); requests.len()] };
    }
    // What needs no look is done whatever becomes of it.
    for request in requests.iter().filter(|request| request.purpose == Purpose::Hard) {
        kill_group(&request.mark);
    }
    let snapshot = match Snapshot::take(owners) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            for request in requests {
                ask_group(request);
            }
            return Survey { snapshot: Err(error), found: vec![None; requests.len()] };
        }
    };
    let mut found: Vec<Option<Vec<Stat>>> = requests.iter().map(|request| seen(&snapshot, request)).collect();
    for (request, members) in requests.iter().zip(&found) {
        match members {
            Some(members) => act(request, members),
            None => ask_group(request),
        }
    }
    let snapshot = chase(owners, requests, &mut found, snapshot);
    Survey { snapshot, found }
}

/// Kills until a look finds nobody new.
fn chase(
    owners: &Owners,
    requests: &[Request],
    found: &mut [Option<Vec<Stat>>],
    mut snapshot: Snapshot,
) -> io::Result<Snapshot> {
    let mut killed: HashSet<Identity> = HashSet::new();
    for _ in 0..LOOKS {
        let mut has_new = false;
        for (request, members) in requests.iter().zip(&*found).filter(|(request, _)| request.purpose == Purpose::Hard) {
            let members = members.iter().flatten();
            let fresh: Vec<Identity> = members.map(Stat::identity).filter(|id| killed.insert(*id)).collect();
            if !fresh.is_empty() {
                has_new = true;
                kill(&request.mark, &fresh);
            }
        }
        if !has_new {
            break;
        }
        let next = Snapshot::take(owners);
        for (request, members) in requests.iter().zip(&mut *found) {
            if request.purpose == Purpose::Hard {
                *members = next.as_ref().ok().and_then(|next| seen(next, request));
            }
        }
        snapshot = next?;
    }
    Ok(snapshot)
}

fn seen(snapshot: &Snapshot, request: &Request) -> Option<Vec<Stat>> {
    let found = members(snapshot, &request.mark);
    found.inspect_err(|error| tracing::warn!(%error, "cannot see all processes of a session")).ok()
}

/// Returns whether the keeper has adopted anybody. Good enough to list what is left, no proof.
fn has_strangers(owners: &Owners) -> io::Result<bool> {
    let own = std::process::id();
    let leaders: HashSet<u32> = owners.leaders.iter().map(|leader| leader.pid).collect();
    Ok(process::children_of(owners.keeper)?.into_iter().any(|pid| pid != own && !leaders.contains(&pid)))
}

/// Interactive shells ignore TERM and leave on HUP; stopped jobs act only after CONT.
fn polite(purpose: Purpose) -> Vec<Signal> {
    match purpose {
        Purpose::Polite { signal: Some(number), .. } => {
            vec![Signal::from_named_raw(number.into()).unwrap_or(Signal::TERM), Signal::CONT]
        }
        Purpose::Polite { hangs_up: true, .. } => vec![Signal::HUP, Signal::TERM, Signal::CONT],
        Purpose::Polite { hangs_up: false, .. } => vec![Signal::TERM, Signal::CONT],
        Purpose::Rest | Purpose::Look | Purpose::Hard => Vec::new(),
    }
}

fn act(request: &Request, members: &[Stat]) {
    let signals = polite(request.purpose);
    for stat in members.iter().filter(|_| !signals.is_empty()) {
        send(stat.identity(), &signals);
    }
}

/// Asks politely whom we hold without having seen anybody: once, since a program may count what it is asked.
fn ask_group(request: &Request) {
    if matches!(request.purpose, Purpose::Polite { is_repeat: false, .. }) {
        for signal in polite(request.purpose) {
            signal_group(&request.mark, signal);
        }
    }
}

/// What forks faster than it can be looked at dies by its group: both ways take all members at once.
fn kill(mark: &Mark, members: &[Identity]) {
    kill_group(mark);
    for identity in members {
        send(*identity, &[Signal::KILL]);
    }
}

fn kill_group(mark: &Mark) {
    if let Some(group) = &mark.group {
        cgroup::kill(group);
    }
    signal_group(mark, Signal::KILL);
}

/// Before Linux 6.9 a handle reaches its process alone, and the looks have to find the others.
fn signal_group(mark: &Mark, signal: Signal) {
    let _ = mark.process.signal_group(signal).or_else(|_| mark.process.signal(signal));
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
