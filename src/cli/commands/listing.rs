//! `rpm ls`, `rpm describe`: looking without touching.

use crate::cli::args;
use crate::cli::output;
use crate::cli::report;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::protocol::verbs;
use crate::session::target;

/// `rpm ls`. No daemon means no sessions, which is no error and no reason to start one.
pub fn ls(args: &args::Ls) -> Result<u8, Error> {
    let verbs::Listing { sessions, errors } = list(&args.targets)?;
    if args.json {
        output::json_sessions(&sessions, &errors);
    } else if errors.is_empty() || !sessions.is_empty() {
        output::list(&sessions);
    }
    Ok(report::items(&errors))
}

/// `rpm describe`.
pub fn describe(args: &args::Ls) -> Result<u8, Error> {
    let verbs::Listing { sessions, errors } = list(&args.targets)?;
    if args.json {
        output::json_sessions(&sessions, &errors);
        return Ok(report::items(&errors));
    }
    for (n, status) in sessions.iter().enumerate() {
        if n > 0 {
            output::print(b"\n");
        }
        output::describe(status);
    }
    Ok(report::items(&errors))
}

fn list(targets: &[String]) -> Result<verbs::Listing, Error> {
    match Client::connect() {
        Err(Error::NotRunning) if target::may_be_nobody(targets) => Ok(verbs::Listing::default()),
        client => client?.call(&verbs::List { targets: targets.to_vec() }),
    }
}
