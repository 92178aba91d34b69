//! `rpm stop`, `kill`, `rm`, `purge`, `shutdown`: one result a session, and an exit code that says if any failed.

use std::time::Duration;
use std::time::Instant;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::cli::report::say;
use crate::cli::waiting;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::config;
use crate::platform::endpoint::Place;
use crate::platform::process::Handle;
use crate::protocol::verbs;
use crate::protocol::verbs::Outcome;
use crate::session::service::status::ServiceState;
use crate::session::status::How;
use crate::session::target;
use crate::session::text;

/// Longest wait for keeper and daemon to be gone after they were told.
const GONE: Duration = Duration::from_secs(5);

/// `rpm stop`.
pub fn stop(args: &args::Stop) -> Result<u8, Error> {
    end(&args.targets, grace(args.grace)?.max(1), args.grace.is_none())
}

/// `rpm kill`.
pub fn kill(args: &args::Kill) -> Result<u8, Error> {
    end(&args.targets, 0, false)
}

/// What was asked for, else what the settings say. A file that is wrong is for `config check` and `doctor` to tell.
fn grace(wish: Option<u64>) -> Result<u64, Error> {
    match wish {
        Some(wish) => Ok(wish),
        None => Ok(config::load(&Place::open()?).settings.sessions.grace.0),
    }
}

fn end(targets: &args::Targets, grace_ms: u64, is_default: bool) -> Result<u8, Error> {
    let key = client::request_key();
    let stop =
        verbs::Stop { key, targets: targets.names.clone(), grace_ms, filter: filter(&targets.filter), is_default };
    let outcomes = match connect(&targets.names)? {
        None => Vec::new(),
        Some(mut client) => waiting::meanwhile(&targets.names, || client.call(&stop))?.outcomes,
    };
    if outcomes.is_empty() {
        say("rpm: no session that has not ended is selected; nothing was done");
    }
    Ok(tell(&outcomes, targets.json, true))
}

/// Connects to the daemon. Without one there is nobody whom `all`, a glob, a tag or an option could select, and that is no
/// error; whoever was named is missing.
fn connect(targets: &[String]) -> Result<Option<Client>, Error> {
    match Client::connect() {
        Err(Error::NotRunning) if target::may_be_nobody(targets) => Ok(None),
        client => client.map(Some),
    }
}

fn filter(args: &args::Filter) -> verbs::Filter {
    let originator = args.originator.clone().unwrap_or_default();
    verbs::Filter { originator, older_than_ms: args.older_than.unwrap_or(0) }
}

/// `rpm signal`.
pub fn signal(args: &args::Signal) -> Result<u8, Error> {
    let key = client::request_key();
    let (targets, filter) = (args.targets.names.clone(), filter(&args.targets.filter));
    let signal = verbs::Signal { key, targets, filter, signal: args.signal };
    let mut outcomes = match connect(&args.targets.names)? {
        None => Vec::new(),
        Some(mut client) => client.call(&signal)?.outcomes,
    };
    if outcomes.is_empty() {
        say("rpm: no session that has not ended is selected; nothing was done");
    }
    // They were signalled, not ended: an end is told only where it is why nothing was sent.
    outcomes.iter_mut().filter(|outcome| outcome.error.is_none()).for_each(|outcome| outcome.end = None);
    Ok(tell(&outcomes, args.targets.json, false))
}

/// `rpm rm`.
pub fn rm(args: &args::Targets) -> Result<u8, Error> {
    let remove = verbs::Remove { targets: args.names.clone(), filter: filter(&args.filter) };
    let outcomes = match connect(&args.names)? {
        None => Vec::new(),
        Some(mut client) => client.call(&remove)?.outcomes,
    };
    if outcomes.is_empty() {
        say("rpm: no ended session is selected; nothing was done");
    }
    match outcomes.iter().filter(|outcome| outcome.skipped).count() {
        0 => {}
        1 => say("rpm: 1 session has not ended and was left alone"),
        n => say(&format!("rpm: {n} sessions have not ended and were left alone")),
    }
    Ok(tell(&outcomes, args.json, false))
}

/// `rpm purge`: no daemon means that nothing is kept.
pub fn purge(args: &args::Purge) -> Result<u8, Error> {
    let targets = if args.names.is_empty() { vec!["all".to_owned()] } else { args.names.clone() };
    let remove = verbs::Remove { targets, filter: filter(&args.filter) };
    let outcomes = match connect(&args.names)? {
        None => Vec::new(),
        Some(mut client) => client.call(&remove)?.outcomes,
    };
    let ended: Vec<Outcome> = outcomes.into_iter().filter(|outcome| !outcome.skipped).collect();
    if ended.is_empty() {
        say("rpm: no ended session is selected; nothing was done");
    }
    Ok(tell(&ended, args.json, false))
}

/// Tells a result a session; `is_stop`: everybody was to be ended.
fn tell(outcomes: &[Outcome], is_json: bool, is_stop: bool) -> u8 {
    if is_json {
        output::json("outcomes", &outcomes.iter().map(output::Outcome::from).collect::<Vec<_>>());
    }
    let mut code = exit::OK;
    for outcome in outcomes {
        let name = text::clean(&outcome.name);
        match (&outcome.error, &outcome.end) {
            (Some(error), _) => {
                // A name that nobody has is told by its code, whatever else failed.
                let own = report::item(error);
                code = if [code, own].contains(&exit::NO_SUCH_SESSION) { exit::NO_SUCH_SESSION } else { exit::FAILURE };
            }
            (None, Some(end)) => {
                if !is_json {
                    // One that was between two runs did not end now.
                    let word = outcome.service.filter(|_| end.how == How::Natural).map(ServiceState::word);
                    let word = word.map_or_else(|| end.word(), str::to_owned);
                    output::print(format!("{name} {word}\n").as_bytes());
                }
                if let Some(bytes) = outcome.journal {
                    say(&format!("rpm: the journal of {name} was removed with it, {}", text::amount(bytes)));
                }
                if !end.left.is_empty() {
                    let left: Vec<String> = end.left.iter().map(u32::to_string).collect();
                    say(&format!("rpm: still there of {name}: processes {}", left.join(" ")));
                    if !is_stop {
                        say("  try: `rpm orphans` names them, `rpm kill-tree PID` ends one");
                    } else if code == exit::OK {
                        code = exit::FAILURE;
                    }
                }
            }
            _ => {}
        }
        if !outcome.suspects.is_empty() {
            let pids: Vec<String> = outcome.suspects.iter().map(u32::to_string).collect();
            say(&format!("rpm: processes {} may belong to {name}: nothing says whose they are", pids.join(" ")));
            say("  try: `rpm orphans` names them, `rpm kill-tree PID` ends one");
            code = exit::FAILURE;
        }
    }
    code
}

/// `rpm shutdown`: answered when keeper and daemon are gone.
pub fn shutdown(args: &args::Shutdown) -> Result<u8, Error> {
    let mut client = match Client::connect() {
        Err(Error::NotRunning) => {
            say("rpm: no daemon is running");
            return Ok(exit::OK);
        }
        client => client?,
    };
    let report = client.connection().call(&verbs::DaemonStatus {})?;
    // Held before anything is said, so that no number comes to mean another process.
    let both: Vec<Handle> =
        [report.keeper_pid, report.pid].iter().filter_map(|pid| Handle::of_pid(*pid).ok()).collect();
    let verbs::Outcomes { outcomes, left } =
        client.connection().call(&verbs::Shutdown { grace_ms: grace(args.grace)? })?;
    let mut code = tell(&outcomes, false, true);
    if !left.is_empty() {
        let left: Vec<String> = left.iter().map(u32::to_string).collect();
        say(&format!("rpm: still there, of no session: processes {}", left.join(" ")));
        code = exit::FAILURE;
    }
    let deadline = Instant::now() + GONE;
    if both.iter().all(|process| process.wait_dead(deadline.saturating_duration_since(Instant::now()))) {
        return Ok(code);
    }
    say("rpm: the keeper is still there; see `rpm doctor`");
    Ok(exit::FAILURE)
}
