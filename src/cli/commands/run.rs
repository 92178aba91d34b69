//! `rpm run`: start a session with this process's environment, and attach to it.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::attach;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report::say;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::history::layout::RING_LIMITS;
use crate::platform::tty;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::environment;
use crate::session::environment::Policy;
use crate::session::journal::JournalSpec;
use crate::session::originator;
use crate::session::spec::Kind;
use crate::session::spec::Spec;
use crate::session::text;
use crate::term::Size;

/// Runs it.
pub fn run(args: args::Run) -> Result<u8, Error> {
    let (is_detached, is_json) = (args.detach, args.json);
    let kind = if args.pipe { Kind::Pipe } else { Kind::Pty };
    let request = verbs::Run { key: client::request_key(), spec: spec(args)?, follows: !is_detached };
    let mut client = Client::connect_or_start()?;
    let started = client.call(&request)?;
    if is_json {
        let session = serde_json::json!({ "id": started.id.to_string(), "name": started.name, "pid": started.pid });
        output::json("session", &session);
        return Ok(exit::OK);
    }
    if is_detached {
        output::print(format!("{}\n", started.name).as_bytes());
        return Ok(exit::OK);
    }
    let request = attach::Request {
        target: started.id.to_string(),
        steal: false,
        view: false,
        share: false,
        stream: None,
        started: Some(kind),
    };
    attach::attach(&mut client, &request)
}

/// Says what was asked for and is not possible; the nearest that is, is taken.
fn say_clamped(args: &args::Run, size: Size) {
    let possible = |name: &str, asked: Option<u16>, made: u16| {
        if let Some(asked) = asked.filter(|asked| *asked != made) {
            say(&format!("rpm: --{name} {asked} is not possible, {made} is taken"));
        }
    };
    possible("rows", args.rows, size.rows());
    possible("cols", args.cols, size.cols());
    let (least, most) = RING_LIMITS;
    if let Some(asked) = args.history.filter(|asked| !(least as u64..=most as u64).contains(asked)) {
        let made = asked.clamp(least as u64, most as u64);
        let [asked, made] = [asked, made].map(text::exact_size);
        say(&format!("rpm: --history {asked} is not possible, {made} is taken"));
    }
}

fn spec(args: args::Run) -> Result<Spec, Error> {
    let argv = args.command.iter().map(|arg| ByteBuf::from(arg.as_bytes())).collect();
    let mut launch = inherit::launch(argv, args.cwd.as_deref());
    launch.env = first_environment(args.environment.policy)?;
    let ours = if std::io::stdout().is_terminal() { tty::size(std::io::stdout()) } else { None };
    let ours = ours.unwrap_or_default();
    let size = Size::clamped(args.rows.unwrap_or(ours.rows()), args.cols.unwrap_or(ours.cols()));
    say_clamped(&args, size);
    Ok(Spec {
        name: args.name,
        kind: if args.pipe { Kind::Pipe } else { Kind::Pty },
        merge: args.merge,
        size,
        tags: args.tag,
        originator: args.originator.map(|tool| originator::complete(&tool, std::process::id())),
        history: args.history.unwrap_or(0),
        launch,
        journal: args.journal.then(JournalSpec::default),
        overlay: changes(&args.environment.changes)?,
    })
}

fn first_environment(policy: Policy) -> Result<Vec<ByteBuf>, Error> {
    inherit::environment_by(policy).map_err(|error| {
        let message = format!("cannot make a login's environment: {error}");
        WireError::new(Code::Failed, message).hint("`--env-policy inherit` takes this shell's").into()
    })
}

/// Returns what a command gets that is no session.
pub fn environment(options: &args::Environment) -> Result<Vec<ByteBuf>, Error> {
    let mut env = first_environment(options.policy)?;
    environment::change(&mut env, &changes(&options.changes)?);
    Ok(env)
}

/// Returns what an environment starts from, and what is laid over it.
pub fn environment_parts(options: &args::Environment) -> Result<(Vec<ByteBuf>, Vec<ByteBuf>), Error> {
    Ok((first_environment(options.policy)?, changes(&options.changes)?))
}

/// Turns the options into changes; a name without a value stands for the value that this process has.
fn changes(options: &[args::Change]) -> Result<Vec<ByteBuf>, Error> {
    let copied = |name: &OsString| {
        let value = std::env::var_os(name).ok_or_else(|| {
            let name = text::quote(&[name.as_bytes()]);
            let message = format!("--env {name} copies a variable that is not set here");
            WireError::new(Code::Invalid, message).hint(format!("write --env {name}=VALUE"))
        })?;
        Ok(environment::entry(name.as_bytes(), value.as_bytes()))
    };
    let change = |option: &args::Change| match option {
        args::Change::Set(entry) if entry.as_bytes().contains(&b'=') => Ok(ByteBuf::from(entry.as_bytes())),
        args::Change::Set(name) => copied(name),
        args::Change::Unset(name) => Ok(ByteBuf::from(name.as_bytes())),
    };
    options.iter().map(change).collect()
}
