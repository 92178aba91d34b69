//! The process registry: announcing, listing, trees. Every state is looked up when it is asked for.

use std::collections::HashMap;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use tokio::task;

use crate::daemon::census;
use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::registered::Entry;
use crate::daemon::registered::LIMIT;
use crate::daemon::session::Session;
use crate::platform::clock;
use crate::platform::process;
use crate::platform::process::Stat;
use crate::platform::snapshot::Snapshot;
use crate::platform::tree;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::ProcessInfo;
use crate::session::originator;
use crate::session::text;

/// Time over which load is measured; the kernel counts in hundredths of a second.
const SAMPLE: Duration = Duration::from_millis(250);
/// Most processes of a tree that are told: they have to fit into a frame.
const NODES: usize = 4000;
/// Bytes of a command that are told.
const COMMAND: usize = 160;

pub(super) fn register(context: &Rc<Context>, verb: verbs::Register) -> Answer<verbs::Register> {
    let stat = find(verb.pid)?;
    if verb.start_time != 0 && verb.start_time != stat.start_time {
        let message = format!("process {} is another one by now", verb.pid);
        return Err(WireError::new(Code::Failed, message));
    }
    check_ours(verb.pid)?;
    if let Some(given) = &verb.originator
        && let Some(fault) = originator::fault(given)
    {
        return Err(WireError::new(Code::Invalid, format!("{given:?} cannot be an originator: {fault}")));
    }
    let entry = entry(&stat, verb, context.hub.registered.get(stat.identity()));
    let info = info_of(&entry, &Snapshot::default());
    if !context.hub.registered.add(entry) {
        return Err(WireError::new(Code::Failed, format!("{LIMIT} processes are registered, more cannot be"))
            .hint("`rpm orphans --kill` forgets those that ended"));
    }
    Ok(ProcessInfo { state: state_word(stat.state).to_owned(), processes: 1, parent_alive: true, ..info })
}

/// What is announced of a process. Who announces it again says what is new; what was said before stays.
fn entry(stat: &Stat, verb: verbs::Register, before: Option<Entry>) -> Entry {
    let or = |given: &str, known: Option<&String>, found: &dyn Fn() -> String| match given {
        "" => known.cloned().unwrap_or_else(found),
        given => text::shorten(given, COMMAND),
    };
    let known = before.as_ref();
    Entry {
        pid: stat.pid,
        start_time: stat.start_time,
        // Who had started it: later it may be an orphan's foster parent.
        parent: known.map_or(stat.parent, |entry| entry.parent),
        parent_start: known.map_or_else(
            || process::stat(stat.parent).map_or(0, |parent| parent.start_time),
            |entry| entry.parent_start,
        ),
        kind: text::shorten(&or(&verb.kind, known.map(|entry| &entry.kind), &|| "process".to_owned()), 64),
        command: or(&verb.command, known.map(|entry| &entry.command), &|| command(stat)),
        cwd: or(&verb.cwd, known.map(|entry| &entry.cwd), &|| process::cwd(stat.pid)),
        originator: verb.originator.or_else(|| known?.originator.clone()),
        containment: or(&verb.containment, known.map(|entry| &entry.containment), &|| "none".to_owned()),
        registered_ms: known.map_or_else(clock::wall_ms, |entry| entry.registered_ms),
    }
}

pub(super) fn unregister(context: &Rc<Context>, verb: verbs::Unregister) -> Answer<verbs::Unregister> {
    if context.hub.registered.remove(verb.pid) {
        return Ok(verbs::Done {});
    }
    Err(WireError::new(Code::Failed, format!("no process {} is registered", verb.pid)).hint("`rpm procs` lists them"))
}

/// Returns a process that may be looked at and signalled.
pub(super) fn find(pid: u32) -> Result<Stat, WireError> {
    if pid == 0 {
        return Err(WireError::new(Code::Invalid, "0 is no process id"));
    }
    let stat = process::look(pid).map_err(|error| census::unseen(&error.to_string()))?;
    stat.ok_or_else(|| WireError::new(Code::Failed, format!("there is no process {pid}")))
}

/// Refuses the processes of other users, whatever we could do to them.
pub(super) fn check_ours(pid: u32) -> Result<(), WireError> {
    let own = rustix::process::geteuid().as_raw();
    match process::owner(pid) {
        Some(uid) if uid != own => {
            Err(WireError::new(Code::Failed, format!("process {pid} belongs to another user (uid {uid})")))
        }
        _ => Ok(()),
    }
}

pub(super) async fn procs(context: &Rc<Context>, verb: verbs::Procs) -> Answer<verbs::Procs> {
    let hub = &context.hub;
    let is_for_all = verb.targets.is_empty();
    let wanted = hub.registry.borrow().select(&verb.targets)?;
    let before = hub.census.look().await?;
    tokio::time::sleep(SAMPLE).await;
    let after = hub.census.look().await?;
    let sessions: Vec<Rc<Session>> = hub.registry.borrow().sessions().cloned().collect();
    let is_wanted = |session: &Rc<Session>| is_for_all || wanted.contains(&session.status.borrow().id);
    let mut rows: Vec<(ProcessInfo, Vec<Stat>)> = Vec::new();
    for session in sessions.into_iter().filter(is_wanted) {
        let members = members(&after, &session)?;
        session.learn(&after, &members);
        // What a session left behind when it ended by itself is its own still.
        if session.status.borrow().end().is_none() || !members.is_empty() {
            rows.push((session_info(&session, &after), members));
        }
    }
    for entry in hub.registered.entries().into_iter().filter(|_| is_for_all) {
        let is_there = after.has(entry.identity());
        let pids = after.descendants(is_there.then_some(entry.pid));
        let members = pids.iter().filter_map(|pid| after.get(*pid)).filter(|stat| !stat.is_zombie).cloned().collect();
        rows.push((info_of(&entry, &after), members));
    }
    rows.retain(|(info, _)| originator::is_of(&verb.originator, info.originator.as_deref()));
    let processes = rows.into_iter().map(|(info, members)| sum(info, &members, &before)).collect();
    Ok(verbs::Processes { processes })
}

/// Finds the living processes of a session.
pub(super) fn members(now: &Snapshot, session: &Session) -> Result<Vec<Stat>, WireError> {
    tree::members(now, &session.mark()).map_err(|error| census::unseen(&error.to_string()))
}

fn session_info(session: &Session, now: &Snapshot) -> ProcessInfo {
    let status = session.status.borrow();
    let containment = if session.handover.group.is_some() { "group" } else { "session" };
    let leader = now.get(status.pid).filter(|stat| stat.identity() == session.leader());
    ProcessInfo {
        pid: status.pid,
        start_time: session.leader().start_time,
        session: Some(status.name.clone()),
        kind: format!("{:?}", status.kind).to_lowercase(),
        command: text::shorten(&status.command, COMMAND),
        cwd: status.cwd.clone(),
        state: leader.map_or("gone", |stat| state_word(stat.state)).to_owned(),
        // The keeper, or we would not be here.
        parent_alive: true,
        originator: status.originator.clone(),
        containment: containment.to_owned(),
        since_ms: status.started_ms,
        ..ProcessInfo::default()
    }
}

fn info_of(entry: &Entry, now: &Snapshot) -> ProcessInfo {
    let stat = now.get(entry.pid).filter(|stat| stat.identity() == entry.identity());
    ProcessInfo {
        pid: entry.pid,
        start_time: entry.start_time,
        kind: entry.kind.clone(),
        command: entry.command.clone(),
        cwd: entry.cwd.clone(),
        state: stat.map_or("gone", |stat| state_word(stat.state)).to_owned(),
        parent_alive: now.has(entry.parent()),
        originator: entry.originator.clone(),
        containment: entry.containment.clone(),
        since_ms: entry.registered_ms,
        ..ProcessInfo::default()
    }
}

/// Adds what its living processes use. Who came or went within the sample counts from when it was first seen.
fn sum(info: ProcessInfo, members: &[Stat], before: &Snapshot) -> ProcessInfo {
    let used = |stat: &Stat| {
        let earlier = before.get(stat.pid).filter(|earlier| earlier.identity() == stat.identity());
        stat.cpu_ticks.saturating_sub(earlier.map_or(0, |earlier| earlier.cpu_ticks))
    };
    let ticks: u64 = members.iter().map(used).sum();
    ProcessInfo {
        cpu_permille: (process::ticks_ms(ticks) * 1000 / SAMPLE.as_millis() as u64) as u32,
        cpu_ms: process::ticks_ms(members.iter().map(|stat| stat.cpu_ticks).sum()),
        memory: process::pages_bytes(members.iter().map(|stat| stat.rss_pages).sum()),
        processes: members.len() as u32,
        ..info
    }
}

pub(super) async fn tree(context: &Rc<Context>, verb: verbs::Tree) -> Answer<verbs::Tree> {
    find(verb.pid)?;
    let now = context.hub.census.look().await?;
    let mut leaders: HashMap<u32, Leader> = HashMap::new();
    for session in context.hub.registry.borrow().sessions().filter(|session| now.has(session.leader())) {
        let members = members(&now, session)?;
        session.learn(&now, &members);
        let (keeper, first) = (context.hub.report.keeper_pid, session.leader().pid);
        let adopted = members.iter().filter(|stat| stat.parent == keeper && stat.pid != first);
        let adopted = adopted.map(|stat| stat.pid).collect();
        leaders.insert(first, Leader { name: session.facts.borrow().name.clone(), adopted });
    }
    task::spawn_blocking(move || branches(&now, &leaders, verb.pid)).await.map_err(|_| super::gone())
}

/// A session's first process in a tree: the orphans of the session are drawn below it, wherever the kernel put them.
struct Leader {
    name: String,
    adopted: Vec<u32>,
}

fn branches(now: &Snapshot, leaders: &HashMap<u32, Leader>, top: u32) -> verbs::Branches {
    let moved: HashSet<u32> = leaders.values().flat_map(|leader| &leader.adopted).copied().collect();
    let mut nodes: Vec<verbs::Node> = Vec::new();
    let mut open = vec![(top, 0)];
    while let Some((pid, depth)) = open.pop() {
        let Some(stat) = now.get(pid) else { continue };
        if nodes.len() == NODES {
            return verbs::Branches { nodes, truncated: true };
        }
        nodes.push(verbs::Node {
            pid,
            parent: stat.parent,
            depth,
            name: text::clean(&stat.name),
            command: command(stat),
            state: state_word(stat.state).to_owned(),
            cpu_ms: process::ticks_ms(stat.cpu_ticks),
            memory: process::pages_bytes(stat.rss_pages),
            session: leaders.get(&pid).map(|leader| leader.name.clone()),
        });
        let children = now.children(pid).iter().filter(|pid| !moved.contains(pid));
        let adopted = leaders.get(&pid).into_iter().flat_map(|leader| &leader.adopted);
        let mut below: Vec<&Stat> = children.chain(adopted).filter_map(|pid| now.get(*pid)).collect();
        // The last one is taken first.
        below.sort_unstable_by_key(|stat| std::cmp::Reverse((stat.start_time, stat.pid)));
        open.extend(below.into_iter().map(|stat| (stat.pid, depth + 1)));
    }
    verbs::Branches { nodes, truncated: false }
}

/// Returns a process's command line, or its name where it has none.
pub(super) fn command(stat: &Stat) -> String {
    let argv = process::command_line(stat.pid);
    if argv.is_empty() { format!("[{}]", text::clean(&stat.name)) } else { text::shorten(&text::quote(&argv), COMMAND) }
}

/// The kernel's letters in words, `proc_pid_stat(5)`.
fn state_word(state: char) -> &'static str {
    match state {
        'R' => "running",
        'S' => "sleeping",
        'D' => "waiting",
        'T' => "stopped",
        't' => "traced",
        'Z' => "zombie",
        'I' => "idle",
        'X' => "gone",
        _ => "unknown",
    }
}
