//! Ending trees that are no sessions, and finding processes whose owner is gone. Nothing here happens by itself.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::task;
use tokio::time::Instant;

use crate::daemon::census;
use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::handler::procs;
use crate::daemon::hub::Hub;
use crate::daemon::registered::Entry;
use crate::platform::process;
use crate::platform::process::Identity;
use crate::platform::process::Stat;
use crate::platform::snapshot::Snapshot;
use crate::platform::tree;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::Orphan;
use crate::protocol::verbs::Reason;
use crate::session::originator;

/// Longest pause between two looks at a tree that is ending.
const PAUSE: Duration = Duration::from_millis(100);
/// From the first KILL to the report of who is left.
const CHASE: Duration = Duration::from_secs(1);

pub(super) async fn kill_tree(context: &Rc<Context>, verb: verbs::KillTree) -> Answer<verbs::KillTree> {
    let hub = &context.hub;
    let refuse = |what: &str| {
        Err(WireError::new(Code::Invalid, format!("process {} is {what} and is not ended this way", verb.pid)))
    };
    match verb.pid {
        0 => return Err(WireError::new(Code::Invalid, "0 is no process id")),
        1 => return refuse("the system's first one"),
        pid if pid == hub.report.keeper_pid => return refuse("the keeper").map_err(hint_shutdown),
        pid if pid == std::process::id() => return refuse("the daemon").map_err(hint_shutdown),
        _ => {}
    }
    let stat = process::look(verb.pid).map_err(|error| census::unseen(&error.to_string()))?;
    let Some(stat) = stat else { return Ok(verbs::Ended::default()) };
    if verb.start_time != 0 && verb.start_time != stat.start_time {
        // The one that was meant is gone; its number means nobody we may touch.
        return Ok(verbs::Ended::default());
    }
    procs::check_ours(verb.pid)?;
    let mut tops = vec![stat.identity()];
    let session = hub.registry.borrow().sessions().find(|session| session.leader() == stat.identity()).cloned();
    if let Some(session) = session {
        // Its orphans are below it, wherever the kernel put them.
        let now = hub.census.look().await?;
        tops.extend(procs::members(&now, &session)?.iter().map(Stat::identity));
    }
    end_trees(hub, tops, Duration::from_millis(verb.timeout_ms)).await
}

fn hint_shutdown(error: WireError) -> WireError {
    error.hint("`rpm shutdown` ends all of it")
}

/// TERM and CONT to these and all below them, KILL to who is left at the end of the grace.
///
/// Who was once seen below them is followed by number and start time, also when its parents are gone. An error means that
/// nobody could look who is left.
pub(super) async fn end_trees(hub: &Hub, tops: Vec<Identity>, grace: Duration) -> Result<verbs::Ended, WireError> {
    let mut seen: HashSet<Identity> = tops.into_iter().collect();
    let (mut told, mut killed) = (HashSet::new(), HashSet::new());
    let deadline = Instant::now() + grace;
    let mut pause = Duration::from_millis(5);
    loop {
        let now = match hub.census.look().await {
            Ok(now) => now,
            Err(error) if Instant::now() >= deadline + CHASE => return Err(error),
            // The census pauses after a look that failed.
            Err(_) => continue,
        };
        let living = living(hub, &now, &mut seen);
        let is_hard = Instant::now() >= deadline;
        if living.is_empty() || Instant::now() >= deadline + CHASE {
            let ended = told.union(&killed).filter(|identity| !living.contains(identity)).count();
            let left = living.into_iter().map(|identity| identity.pid).collect();
            return Ok(verbs::Ended { ended: ended as u32, left });
        }
        let (signals, done): (&'static [Signal], _) =
            if is_hard { (&[Signal::KILL], &mut killed) } else { (&[Signal::TERM, Signal::CONT], &mut told) };
        let fresh: Vec<Identity> = living.into_iter().filter(|identity| done.insert(*identity)).collect();
        let _ = task::spawn_blocking(move || fresh.iter().for_each(|identity| tree::send(*identity, signals))).await;
        let until = if is_hard { deadline + CHASE } else { deadline };
        tokio::time::sleep_until((Instant::now() + pause).min(until)).await;
        pause = (pause * 2).min(PAUSE);
    }
}

/// Returns who lives of those seen and all below them, and notes these. What the keeper owns is below none but itself.
fn living(hub: &Hub, now: &Snapshot, seen: &mut HashSet<Identity>) -> Vec<Identity> {
    let mut open: Vec<u32> = seen.iter().filter(|identity| now.has(**identity)).map(|identity| identity.pid).collect();
    let mut found: BTreeMap<u32, Identity> = BTreeMap::new();
    while let Some(pid) = open.pop() {
        let Some(stat) = now.get(pid) else { continue };
        let is_protected = pid == hub.report.keeper_pid || pid == std::process::id();
        if is_protected || found.contains_key(&pid) {
            continue;
        }
        found.insert(pid, stat.identity());
        open.extend(now.children(pid));
    }
    seen.extend(found.values());
    let is_alive = |identity: &Identity| now.get(identity.pid).is_some_and(|stat| !stat.is_zombie);
    found.into_values().filter(is_alive).collect()
}

pub(super) async fn orphans(context: &Rc<Context>, verb: verbs::Orphans) -> Answer<verbs::Orphans> {
    let hub = &context.hub;
    let now = hub.census.look().await?;
    let mut found: BTreeMap<u32, (Orphan, Identity)> = BTreeMap::new();
    for (orphan, identity) in without_tool(&now, owned(hub, &now)?).await? {
        found.insert(orphan.pid, (orphan, identity));
    }
    for (orphan, identity) in left_behind(hub, &now)? {
        found.insert(orphan.pid, (orphan, identity));
    }
    let owned = owned(hub, &now)?;
    for entry in hub.registered.entries() {
        let fate = fate(&entry, &now, hub.report.keeper_pid);
        // One that is part of a session has an owner, whoever its parent was.
        let is_owned = |reason| reason == Reason::Orphaned && owned.contains(&entry.pid);
        if let Some((reason, detail)) = fate.filter(|(reason, _)| !is_owned(*reason)) {
            let (command, originator) = (entry.command.clone(), entry.originator.clone());
            let orphan = Orphan { pid: entry.pid, command, reason, detail, originator, ended: false };
            found.insert(entry.pid, (orphan, entry.identity()));
        }
    }
    let mut found: Vec<(Orphan, Identity)> = found.into_values().collect();
    if verb.kill {
        kill(hub, &mut found, Duration::from_millis(verb.timeout_ms)).await?;
    }
    Ok(verbs::OrphanList { orphans: found.into_iter().map(|(orphan, _)| orphan).collect() })
}

/// Ends the orphaned, and forgets the registrations of those that are gone. A reused number is somebody else's, and what may
/// belong to a session that goes on is left to who knows better.
async fn kill(hub: &Hub, found: &mut [(Orphan, Identity)], grace: Duration) -> Result<(), WireError> {
    let is_orphaned = |orphan: &Orphan| orphan.reason == Reason::Orphaned;
    let tops: Vec<Identity> = found.iter().filter(|(orphan, _)| is_orphaned(orphan)).map(|(_, id)| *id).collect();
    let left = if tops.is_empty() { Vec::new() } else { end_trees(hub, tops, grace).await?.left };
    for (orphan, _) in found {
        orphan.ended = is_orphaned(orphan) && !left.contains(&orphan.pid);
        if orphan.ended || matches!(orphan.reason, Reason::Dead | Reason::PidReused) {
            hub.registered.remove(orphan.pid);
        }
    }
    Ok(())
}

/// Says what became of a registered process, if it is an orphan of any kind. Detached ones are nobody's on purpose.
fn fate(entry: &Entry, now: &Snapshot, keeper: u32) -> Option<(Reason, String)> {
    match now.get(entry.pid) {
        None => Some((Reason::Dead, "it was registered and has ended".to_owned())),
        Some(stat) if stat.start_time != entry.start_time => {
            Some((Reason::PidReused, "it was registered and has ended; its number is another process's".to_owned()))
        }
        Some(stat) if stat.is_zombie => Some((Reason::Dead, "it has ended and its parent did not look".to_owned())),
        Some(_) if entry.is_detached() || entry.parent == 1 || entry.parent == keeper || now.has(entry.parent()) => {
            None
        }
        Some(_) => Some((Reason::Orphaned, format!("process {}, which started it, is gone", entry.parent))),
    }
}

/// All processes of sessions that have not ended, and those that are nobody's on purpose.
fn owned(hub: &Hub, now: &Snapshot) -> Result<HashSet<u32>, WireError> {
    let mut owned = HashSet::new();
    for session in hub.registry.borrow().sessions() {
        if session.status.borrow().end().is_none() {
            let members = procs::members(now, session)?;
            session.learn(now, &members);
            owned.extend(members.into_iter().map(|stat| stat.pid));
        }
    }
    let detached = hub.registered.detached().into_iter().filter(|identity| now.has(*identity));
    owned.extend(now.descendants(detached.map(|identity| identity.pid)));
    Ok(owned)
}

/// Orphans that the keeper adopted and that do not belong to a session that goes on, as far as can be told.
fn left_behind(hub: &Hub, now: &Snapshot) -> Result<Vec<(Orphan, Identity)>, WireError> {
    let owned = owned(hub, now)?;
    let mut left = BTreeMap::new();
    for adopted in now.adopted().iter().filter(|adopted| !owned.contains(&adopted.pid)) {
        left.insert(adopted.pid, "no session is known that it belonged to".to_owned());
    }
    for session in hub.registry.borrow().sessions().filter(|session| session.status.borrow().end().is_some()) {
        let name = &session.facts.borrow().name;
        for stat in procs::members(now, session)? {
            if let Some(detail) = left.get_mut(&stat.pid) {
                *detail = format!("session {name}, which started it, has ended");
            }
        }
    }
    let mut unclear: BTreeMap<u32, String> = BTreeMap::new();
    for session in hub.registry.borrow().sessions().filter(|session| session.status.borrow().end().is_none()) {
        let name = &session.facts.borrow().name;
        for pid in census::suspects(hub, session, now) {
            unclear.entry(pid).or_insert_with(|| format!("it may belong to session {name}, which goes on"));
        }
    }
    let mut found = Vec::new();
    for (pid, detail) in left {
        let Some(stat) = now.get(pid).filter(|stat| !stat.is_zombie) else { continue };
        let unclear = unclear.remove(&pid);
        let reason = if unclear.is_some() { Reason::Unclear } else { Reason::Orphaned };
        let (orphan, identity) = orphan(stat, unclear.unwrap_or(detail));
        found.push((Orphan { reason, ..orphan }, identity));
    }
    Ok(found)
}

fn orphan(stat: &Stat, detail: String) -> (Orphan, Identity) {
    let [originator] = process::environment(stat.pid, ["RUNPM_ORIGINATOR"]).unwrap_or_default();
    let originator = originator.and_then(|text| String::from_utf8(text).ok());
    let command = procs::command(stat);
    let orphan = Orphan { pid: stat.pid, command, reason: Reason::Orphaned, detail, originator, ended: false };
    (orphan, stat.identity())
}

/// Processes whose environment names a tool that is gone. Reads the environment of every process of ours.
async fn without_tool(now: &Arc<Snapshot>, owned: HashSet<u32>) -> Result<Vec<(Orphan, Identity)>, WireError> {
    let now = Arc::clone(now);
    let look = move || {
        let own = rustix::process::geteuid().as_raw();
        let mine = now.processes().filter(|stat| !stat.is_zombie && !owned.contains(&stat.pid));
        let mine = mine.filter(|stat| process::owner(stat.pid) == Some(own) && !is_kept(&now, stat));
        let lost = mine.filter_map(|stat| lost_tool(&now, stat).map(|lost| Some((stat, lost?))).transpose());
        let lost = lost.map(|lost| lost.map(|(stat, detail)| orphan(stat, detail)));
        lost.collect::<io::Result<Vec<_>>>()
    };
    let found = task::spawn_blocking(look).await.map_err(|_| super::gone())?;
    found.map_err(|error| census::unseen(&error.to_string()))
}

/// Says which tool is gone, of those that use our folder: no process has its number, or one that is younger than what the tool had started.
fn lost_tool(now: &Snapshot, stat: &Stat) -> io::Result<Option<String>> {
    let [text, dir] = process::environment(stat.pid, ["RUNPM_ORIGINATOR", "RUNPM_DIR"])?;
    let own = std::env::var_os("RUNPM_DIR").map(std::os::unix::ffi::OsStringExt::into_vec);
    let text = text.filter(|_| dir == own).and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
    let Some(tool) = originator::process(&text) else { return Ok(None) };
    let lives = now.get(tool).is_some_and(|tool| !tool.is_zombie && tool.start_time <= stat.start_time);
    Ok((!lives).then(|| format!("{}, which started it, is gone", crate::session::text::clean(&text))))
}

/// Returns whether a process is a keeper, this one's or another's, or below one: that one knows what it owns.
fn is_kept(now: &Snapshot, stat: &Stat) -> bool {
    let mut above = Some(stat);
    for _ in 0..4096 {
        match above {
            Some(stat) if stat.name.starts_with("rpm-") => return true,
            Some(stat) if stat.parent != 0 => above = now.get(stat.parent),
            _ => return false,
        }
    }
    true
}
