//! `rpm run --detach-fully`: a command that is nobody's: no session, no history, no daemon to wait for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::cli::args;
use crate::cli::commands::run::environment;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report::say;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::platform::detach;
use crate::platform::process;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::originator;
use crate::session::text;

/// Starts it, prints its process id, and announces it to the daemon if one runs.
pub fn run(args: &args::Run) -> Result<u8, Error> {
    let mut command = Command::new(&args.command[0]);
    command.args(&args.command[1..]);
    command.env_clear();
    for entry in environment(&args.environment)? {
        let mut parts = entry.splitn(2, |b| *b == b'=').map(OsStr::from_bytes);
        if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            command.env(name, value);
        }
    }
    // It is to be found by none of these: neither a stop nor `orphans` may take it for their own.
    for name in ["RUNPM_SESSION", "RUNPM_ORIGINATOR"] {
        command.env_remove(name);
    }
    if let Some(cwd) = &args.cwd {
        command.current_dir(cwd);
    }
    let pid = match detach::start(&mut command) {
        Ok(pid) => pid,
        Err(error) => {
            let argv: Vec<&[u8]> = args.command.iter().map(|arg| arg.as_bytes()).collect();
            let (program, reason) = (text::quote(&argv[..1]), error.to_string().to_lowercase());
            let message = format!("cannot start {program}: {}", reason.split(" (os error").next().unwrap_or_default());
            let is_missing = error.kind() == std::io::ErrorKind::NotFound;
            let code = if is_missing { Code::CommandNotFound } else { Code::CannotStart };
            let hint =
                if is_missing { "check the name, the directory and PATH" } else { "is it a program, and executable?" };
            return Err(WireError::new(code, message).hint(hint).into());
        }
    };
    announce(args, pid);
    if args.json {
        output::json("process", &serde_json::json!({ "pid": pid, "containment": verbs::DETACHED }));
    } else {
        output::print(format!("{pid}\n").as_bytes());
    }
    Ok(exit::OK)
}

/// Without a daemon there is nobody to tell, and that is no error.
fn announce(args: &args::Run, pid: u32) {
    let tool = args.originator.clone().or_else(inherit::originator);
    let start_time = process::stat(pid).map_or(0, |stat| stat.start_time);
    let register = verbs::Register {
        pid,
        start_time,
        kind: "command".to_owned(),
        originator: tool.map(|tool| originator::complete(&tool, std::process::id())),
        containment: verbs::DETACHED.to_owned(),
        ..verbs::Register::default()
    };
    // A command that has ended already need not be known.
    if let Ok(mut client) = Client::connect()
        && let Err(error) = client.call(&register)
        && process::stat(pid).is_some_and(|stat| !stat.is_zombie)
    {
        say(&format!("rpm: {pid} runs and could not be registered: {error}"));
    }
}
