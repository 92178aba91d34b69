//! `rpm procs`, `tree`, `kill-tree`, `orphans`, `register`, `unregister`: processes beside sessions.

use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report::say;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::platform::clock;
use crate::platform::process;
use crate::protocol::verbs;
use crate::protocol::verbs::Node;
use crate::protocol::verbs::Orphan;
use crate::protocol::verbs::ProcessInfo;
use crate::session::text;

/// `rpm procs`. No daemon means nothing is known.
pub fn procs(args: &args::Procs) -> Result<u8, Error> {
    let originator = args.originator.clone().unwrap_or_default();
    let request = verbs::Procs { originator, targets: args.sessions.clone() };
    let processes = match Client::connect() {
        Err(Error::NotRunning) => Vec::new(),
        client => client?.call(&request)?.processes,
    };
    if args.json {
        output::json("processes", &processes.iter().map(Process::from).collect::<Vec<_>>());
    } else if processes.is_empty() {
        say("no sessions and no registered processes");
    } else {
        list(&processes);
    }
    Ok(exit::OK)
}

fn list(processes: &[ProcessInfo]) {
    let now = clock::wall_ms();
    let row = |info: &ProcessInfo| {
        vec![
            info.pid.to_string(),
            info.session.as_deref().map_or_else(|| "registered".to_owned(), text::clean),
            info.state.clone(),
            if info.parent_alive { "alive" } else { "gone" }.to_owned(),
            format!("{}.{}%", info.cpu_permille / 10, info.cpu_permille % 10),
            size(info.memory),
            info.processes.to_string(),
            text::age(now.saturating_sub(info.since_ms)),
            text::clean(info.originator.as_deref().unwrap_or("-")),
            info.containment.clone(),
            text::clean(&info.command),
        ]
    };
    let head =
        ["PID", "SESSION", "STATE", "PARENT", "CPU", "MEMORY", "PROCS", "AGE", "ORIGINATOR", "CONTAINED", "COMMAND"];
    output::table(&head, &processes.iter().map(row).collect::<Vec<_>>());
}

/// A size in bytes, short: `512K`, `1.5M`.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_048_576 => format!("{}K", bytes / 1024),
        1_048_576..1_073_741_824 => format!("{}M", tenths(1 << 20)),
        _ => format!("{}G", tenths(1 << 30)),
    }
}

/// A row of `procs` as JSON.
#[derive(Serialize)]
struct Process<'a> {
    pid: u32,
    session: Option<&'a str>,
    kind: &'a str,
    command: &'a str,
    cwd: &'a str,
    state: &'a str,
    parent_alive: bool,
    cpu_percent: f64,
    cpu_ms: u64,
    memory_bytes: u64,
    processes: u32,
    originator: Option<&'a str>,
    containment: &'a str,
    since: Option<String>,
}

impl<'a> From<&'a ProcessInfo> for Process<'a> {
    fn from(info: &'a ProcessInfo) -> Self {
        Self {
            pid: info.pid,
            session: info.session.as_deref(),
            kind: &info.kind,
            command: &info.command,
            cwd: &info.cwd,
            state: &info.state,
            parent_alive: info.parent_alive,
            cpu_percent: f64::from(info.cpu_permille) / 10.0,
            cpu_ms: info.cpu_ms,
            memory_bytes: info.memory,
            processes: info.processes,
            originator: info.originator.as_deref(),
            containment: &info.containment,
            since: clock::rfc3339(info.since_ms),
        }
    }
}

/// `rpm tree`.
pub fn tree(args: &args::Tree) -> Result<u8, Error> {
    let branches = Client::connect_or_start()?.call(&verbs::Tree { pid: args.pid })?;
    if args.json {
        output::json("tree", &nested(&branches.nodes));
    } else {
        output::print(draw(&branches.nodes).as_bytes());
    }
    if branches.truncated {
        say("rpm: there are more processes than are shown");
    }
    Ok(exit::OK)
}

/// Levels below which children are no longer put into each other: what reads JSON has a limit too.
const LEVELS: usize = 64;

/// Puts nodes into each other; they come in the order of a walk, each before those below it.
fn nested(nodes: &[Node]) -> Value {
    let mut open: Vec<(usize, Value)> = Vec::new();
    let close = |open: &mut Vec<(usize, Value)>, depth: usize| {
        while open.len() > 1 && open.last().is_some_and(|(level, _)| *level >= depth) {
            let child = open.pop().map(|(_, node)| node);
            if let (Some(child), Some((_, parent))) = (child, open.last_mut())
                && let Some(children) = parent["children"].as_array_mut()
            {
                children.push(child);
            }
        }
    };
    for node in nodes {
        let depth = (node.depth as usize).min(LEVELS);
        close(&mut open, depth.max(1));
        open.push((
            depth,
            json!({
                "pid": node.pid, "parent": node.parent, "depth": node.depth, "name": node.name, "command": node.command,
                "state": node.state, "cpu_ms": node.cpu_ms, "memory_bytes": node.memory, "session": node.session,
                "children": [],
            }),
        ));
    }
    close(&mut open, 1);
    open.pop().map_or(Value::Null, |(_, node)| node)
}

/// Draws nodes with lines from parents to children.
fn draw(nodes: &[Node]) -> String {
    let mut drawn = String::new();
    // Whether a line goes down on each level.
    let mut goes_on: Vec<bool> = Vec::new();
    for (n, node) in nodes.iter().enumerate() {
        let depth = node.depth as usize;
        let rest = &nodes[n + 1..];
        let below = rest.iter().take_while(|later| later.depth as usize >= depth);
        let has_sibling = below.into_iter().any(|later| later.depth as usize == depth);
        goes_on.truncate(depth);
        goes_on.resize(depth, false);
        for line in goes_on.iter().skip(1) {
            drawn.push_str(if *line { "│  " } else { "   " });
        }
        if depth > 0 {
            drawn.push_str(if has_sibling { "├─ " } else { "└─ " });
        }
        goes_on.push(has_sibling);
        let session = node.session.as_deref().map(|name| format!("  [session {}]", text::clean(name)));
        let state = match node.state.as_str() {
            "zombie" => " (zombie)",
            "stopped" => " (stopped)",
            _ => "",
        };
        drawn.extend([&node.pid.to_string(), " ", &node.command, state, &session.unwrap_or_default(), "\n"]);
    }
    drawn
}

/// `rpm kill-tree`.
pub fn kill_tree(args: &args::KillTree) -> Result<u8, Error> {
    // The start time makes a repeated request mean the same process, whoever has its number by then.
    let Some(stat) = process::stat(args.pid) else {
        tell_ended(args, &verbs::Ended::default());
        return Ok(exit::OK);
    };
    let kill = verbs::KillTree { pid: args.pid, start_time: stat.start_time, timeout_ms: args.timeout };
    let ended = Client::connect_or_start()?.call(&kill)?;
    tell_ended(args, &ended);
    Ok(if ended.left.is_empty() { exit::OK } else { exit::FAILURE })
}

fn tell_ended(args: &args::KillTree, ended: &verbs::Ended) {
    if args.json {
        output::json("killed", &json!({ "pid": args.pid, "ended": ended.ended, "left": ended.left }));
        return;
    }
    match ended.ended {
        0 if ended.left.is_empty() => say(&format!("rpm: there was no process {} to end", args.pid)),
        1 => output::print(b"1 process ended\n"),
        n => output::print(format!("{n} processes ended\n").as_bytes()),
    }
    if !ended.left.is_empty() {
        let left: Vec<String> = ended.left.iter().map(u32::to_string).collect();
        say(&format!("rpm: still there: processes {}", left.join(" ")));
    }
}

/// `rpm orphans`.
pub fn orphans(args: &args::Orphans) -> Result<u8, Error> {
    let request = verbs::Orphans { kill: args.kill, timeout_ms: args.timeout };
    // Who only looks starts nothing. To end what an earlier daemon left, one is needed.
    let client = if args.kill { Client::connect_or_start() } else { Client::connect() };
    let is_known = !matches!(client, Err(Error::NotRunning));
    let orphans = if is_known { client?.call(&request)?.orphans } else { Vec::new() };
    let is_left = |orphan: &&Orphan| args.kill && orphan.reason == verbs::Reason::Orphaned && !orphan.ended;
    let left = orphans.iter().filter(is_left).count();
    if args.json {
        output::json("orphans", &orphans);
    } else if !is_known {
        say(
            "rpm: no daemon is running, so no orphans are known\n  try: `rpm daemon start`, which finds those that it left",
        );
    } else if orphans.is_empty() {
        say("no orphans");
    } else {
        let row = |orphan: &Orphan| {
            let reason = match orphan.reason {
                verbs::Reason::Dead => "dead",
                verbs::Reason::PidReused => "pid reused",
                verbs::Reason::Unclear => "unclear",
                verbs::Reason::Orphaned if orphan.ended => "ended",
                verbs::Reason::Orphaned => "orphaned",
            };
            let originator = text::clean(orphan.originator.as_deref().unwrap_or("-"));
            let command = text::clean(&orphan.command);
            vec![orphan.pid.to_string(), reason.to_owned(), originator, text::clean(&orphan.detail), command]
        };
        output::table(&["PID", "REASON", "ORIGINATOR", "WHY", "COMMAND"], &orphans.iter().map(row).collect::<Vec<_>>());
    }
    Ok(if left == 0 { exit::OK } else { exit::FAILURE })
}

/// `rpm register`.
pub fn register(args: &args::Register) -> Result<u8, Error> {
    let request = verbs::Register {
        pid: args.pid,
        start_time: process::stat(args.pid).map_or(0, |stat| stat.start_time),
        kind: args.kind.clone().unwrap_or_default(),
        command: args.command.clone().unwrap_or_default(),
        cwd: args.cwd.clone().unwrap_or_default(),
        originator: args.originator.clone(),
        containment: if args.detached { verbs::DETACHED.to_owned() } else { String::new() },
    };
    let info = Client::connect_or_start()?.call(&request)?;
    if args.json {
        output::json("process", &Process::from(&info));
    } else {
        output::print(format!("{}\n", info.pid).as_bytes());
    }
    Ok(exit::OK)
}

/// `rpm unregister`.
pub fn unregister(args: &args::Unregister) -> Result<u8, Error> {
    Client::connect()?.call(&verbs::Unregister { pid: args.pid })?;
    Ok(exit::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(pid: u32, depth: u32) -> Node {
        Node { pid, depth, command: "x".into(), ..Node::default() }
    }

    #[test]
    fn a_tree_is_drawn_and_nested_as_it_is() {
        let nodes = [node(1, 0), node(2, 1), node(3, 2), node(4, 2), node(5, 1), node(6, 2)];
        assert_eq!(draw(&nodes), "1 x\n├─ 2 x\n│  ├─ 3 x\n│  └─ 4 x\n└─ 5 x\n   └─ 6 x\n");
        let tree = nested(&nodes);
        assert_eq!(tree["children"][0]["children"][1]["pid"], 4);
        assert_eq!(tree["children"][1]["children"][0]["pid"], 6);
        assert_eq!(nested(&[node(1, 0)])["children"], json!([]));
        let deep: Vec<Node> = (0..3000).map(|n| node(n, n)).collect();
        assert!(nested(&deep).to_string().contains("\"pid\":2999"));
    }

    #[test]
    fn sizes_stay_short() {
        assert_eq!([0, 1023 << 10, 3 << 19, 5 << 29].map(size), ["0K", "1023K", "1.5M", "2.5G"]);
    }
}
