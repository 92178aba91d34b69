//! `rpm run`: start a session with this process's environment, and attach to it.

use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::attach;
use crate::cli::exit;
use crate::cli::output;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::platform::tty;
use crate::protocol::verbs;
use crate::session::originator;
use crate::session::spec::Kind;
use crate::session::spec::Spec;
use crate::term::Size;

/// Runs it.
pub fn run(args: args::Run) -> Result<u8, Error> {
    let mut client = Client::connect_or_start()?;
    let (is_detached, is_json) = (args.detach, args.json);
    let kind = if args.pipe { Kind::Pipe } else { Kind::Pty };
    let started = client.call(&verbs::Run { key: client::request_key(), spec: spec(args), follows: !is_detached })?;
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

fn spec(args: args::Run) -> Spec {
    let argv = args.command.iter().map(|arg| ByteBuf::from(arg.as_bytes())).collect();
    let mut launch = inherit::launch(argv, args.cwd.as_deref());
    if args.clear_env {
        launch.env.clear();
    }
    let ours = if std::io::stdout().is_terminal() { tty::size(std::io::stdout()) } else { None };
    let ours = ours.unwrap_or_default();
    Spec {
        name: args.name,
        kind: if args.pipe { Kind::Pipe } else { Kind::Pty },
        merge: args.merge,
        size: Size::clamped(args.rows.unwrap_or(ours.rows()), args.cols.unwrap_or(ours.cols())),
        tags: args.tag,
        originator: args.originator.map(|tool| originator::complete(&tool, std::process::id())),
        history: args.history.unwrap_or(0),
        launch,
        overlay: args.env.iter().map(|entry| ByteBuf::from(entry.as_bytes())).collect(),
    }
}
