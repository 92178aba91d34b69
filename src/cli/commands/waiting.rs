//! `rpm wait`, and the waiting half of `rpm send`: what came is the result, why nothing came is said and is the exit code.

use regex::bytes::Regex;
use serde::Serialize;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report::say;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::wait;
use crate::client::blocking::wait::Report;
use crate::client::blocking::wait::Request;
use crate::client::blocking::wait::Since;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::keys::Keys;
use crate::session::text;
use crate::session::wait::Condition;
use crate::session::wait::Match;
use crate::session::wait::Outcome;
use crate::session::wait::Plan;
use crate::session::wait::Sign;
use crate::session::wait::View;

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// What came of a wait, as JSON.
#[derive(Serialize)]
struct Waited {
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    result: &'static str,
    matched: Option<&'static str>,
    pattern: Option<String>,
    text: Option<String>,
    captures: Vec<Option<String>>,
    by: Option<&'static str>,
    offset: u64,
    missed: Option<u64>,
    end: Option<output::Ending>,
    screen: Vec<String>,
}

/// `rpm wait`.
pub fn wait(args: &args::Wait) -> Result<u8, Error> {
    let plan = plan(args)?;
    let since = args.since.unwrap_or_default();
    let request = Request { target: args.target.clone(), plan, since };
    let report = wait::wait(&mut Client::connect()?, &request)?;
    Ok(tell(&request, &report, None, args.json))
}

/// Types and waits for what comes of it.
pub fn send_and_wait(client: &mut Client, send: verbs::Send, pattern: &Regex, args: &args::Send) -> Result<u8, Error> {
    let typed = send.bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    let pressed = send.keys.as_deref().and_then(|line| Keys::parse(line).ok()).map_or(0, |keys| keys.enters());
    let lines = (typed + pressed + usize::from(send.enter)) as u64;
    let plan = Plan {
        texts: vec![pattern.clone()],
        count: args.count,
        after_lines: if args.after_echo { lines } else { 0 },
        timeout: args.timeout.map(|ms| ms.saturating_mul(MS)),
        ..Plan::default()
    };
    let request = Request { target: args.target.clone(), plan, since: Since::Now };
    let (sent, report) = wait::send_and_wait(client, send, &request)?;
    Ok(tell(&request, &report, Some(sent.at), args.json))
}

fn plan(args: &args::Wait) -> Result<Plan, WireError> {
    let view = match (args.raw, args.screen) {
        (true, _) => View::Raw,
        (_, true) => View::Screen,
        _ => View::Plain,
    };
    let mut plan = Plan { view, timeout: args.timeout.map(|ms| ms.saturating_mul(MS)), ..Plan::default() };
    for condition in &args.conditions {
        let twice = match condition {
            Condition::Exit => std::mem::replace(&mut plan.exit, true).then_some("exit"),
            Condition::Ready => std::mem::replace(&mut plan.ready, true).then_some("ready"),
            Condition::Idle(ms) => plan.idle.replace(ms.saturating_mul(MS)).map(|_| "idle"),
            Condition::Count(count) => plan.count.replace(*count).map(|_| "count"),
            Condition::Text(text) => {
                plan.texts.push(text.clone());
                None
            }
        };
        if let Some(name) = twice {
            return Err(WireError::new(Code::Invalid, format!("{name} is given twice")));
        }
    }
    if plan.texts.is_empty() && view != View::Plain {
        let message = "--raw and --screen say where text=PATTERN is looked for, and there is none";
        return Err(WireError::new(Code::Invalid, message));
    }
    Ok(plan)
}

/// Prints what came; what did not is said.
fn tell(request: &Request, report: &Report, at: Option<u64>, is_json: bool) -> u8 {
    if is_json {
        output::json("wait", &waited(request, report, at));
    } else if let Outcome::Matched(matched) = &report.outcome {
        match matched {
            Match::Text(_, found) => output::print(format!("{}\n", text::clean(&found.text)).as_bytes()),
            Match::Exit(end) => output::print(format!("{}\n", end.word()).as_bytes()),
            Match::Idle | Match::Ready(_) | Match::Count(_) => {}
        }
    }
    let target = text::clean(&request.target);
    match &report.outcome {
        Outcome::Matched(_) => exit::OK,
        Outcome::TimedOut => {
            say(&format!("rpm: the time is over, and what was waited for did not come from {target}"));
            exit::TIMED_OUT
        }
        Outcome::Ended(end) => {
            let word = end.as_ref().map_or_else(|| "was removed".to_owned(), crate::session::status::End::word);
            say(&format!("rpm: {target} {word} before what was waited for came"));
            exit::ENDED_FIRST
        }
        Outcome::Gap(missed) => {
            say(&format!("rpm: {missed} bytes were overwritten before they could be looked at"));
            exit::GAP
        }
    }
}

fn waited(request: &Request, report: &Report, at: Option<u64>) -> Waited {
    let mut waited = Waited {
        at,
        result: match report.outcome {
            Outcome::Matched(_) => "matched",
            Outcome::TimedOut => "timed-out",
            Outcome::Ended(_) => "ended",
            Outcome::Gap(_) => "gap",
        },
        matched: None,
        pattern: None,
        text: None,
        captures: Vec::new(),
        by: None,
        offset: report.offset,
        missed: None,
        end: None,
        screen: report.screen.clone(),
    };
    match &report.outcome {
        Outcome::Matched(matched) => {
            waited.matched = Some(match matched {
                Match::Exit(_) => "exit",
                Match::Idle => "idle",
                Match::Ready(_) => "ready",
                Match::Text(..) => "text",
                Match::Count(_) => "count",
            });
            match matched {
                Match::Exit(end) => waited.end = Some(output::Ending::of(Some(end))),
                Match::Ready(Sign::Prompt) => waited.by = Some("prompt"),
                Match::Ready(Sign::Quiet) => waited.by = Some("quiet"),
                Match::Text(n, found) => {
                    waited.pattern = request.plan.texts.get(*n).map(|text| text.as_str().to_owned());
                    waited.text = Some(found.text.clone());
                    waited.captures.clone_from(&found.captures);
                }
                Match::Count(found) => waited.text = Some(found.text.clone()),
                Match::Idle => {}
            }
        }
        Outcome::Ended(end) => waited.end = end.as_ref().map(|end| output::Ending::of(Some(end))),
        Outcome::Gap(missed) => waited.missed = Some(*missed),
        Outcome::TimedOut => {}
    }
    waited
}
