//! `rpm ls`, `rpm describe`: looking without touching.

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::platform::endpoint::Place;
use crate::protocol::verbs;
use crate::session::status::Status;

/// `rpm ls`. No daemon means no sessions, which is no error and no reason to start one.
pub fn ls(args: &args::Ls) -> Result<u8, Error> {
    let sessions = list(&args.targets)?;
    if args.json {
        output::json_sessions(&sessions);
    } else {
        output::list(&sessions);
    }
    Ok(exit::OK)
}

/// `rpm describe`.
pub fn describe(args: &args::Ls) -> Result<u8, Error> {
    let sessions = list(&args.targets)?;
    if args.json {
        output::json_sessions(&sessions);
        return Ok(exit::OK);
    }
    for (n, status) in sessions.iter().enumerate() {
        if n > 0 {
            output::print(b"\n");
        }
        output::describe(status);
    }
    Ok(exit::OK)
}

fn list(targets: &[String]) -> Result<Vec<Status>, Error> {
    match Client::connect() {
        // Services that are known are listed by a daemon, whether they run or not.
        Err(Error::NotRunning) if Place::open()?.services().join("state").exists() => {
            Ok(Client::connect_or_start()?.call(&verbs::List { targets: targets.to_vec() })?.sessions)
        }
        Err(Error::NotRunning) if targets.is_empty() => Ok(Vec::new()),
        client => Ok(client?.call(&verbs::List { targets: targets.to_vec() })?.sessions),
    }
}
