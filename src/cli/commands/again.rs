//! `rpm again`: what a session ran, once more: in its place, or beside it.
//!
//! With this process's environment, as the dashboard does it: whoever asks for it now is who it belongs to.

use std::path::Path;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::config;
use crate::platform::endpoint::Place;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::spec::Spec;
use crate::session::status::Status;

/// Runs it.
pub fn again(args: &args::Again) -> Result<u8, Error> {
    let mut client = Client::connect()?;
    let status = find(&mut client, &args.target)?;
    if !args.copy {
        let targets = vec![status.id.to_string()];
        if status.end().is_none() {
            let grace_ms = config::load(&Place::open()?).settings.sessions.grace.0.max(1);
            let stop =
                verbs::Stop { key: client::request_key(), targets: targets.clone(), grace_ms, ..Default::default() };
            refused(client.call(&stop)?.outcomes)?;
        }
        refused(client.call(&verbs::Remove { targets, ..verbs::Remove::default() })?.outcomes)?;
    }
    let argv = status.argv.iter().map(|arg| ByteBuf::from(arg.clone().into_bytes())).collect();
    let launch = inherit::launch(argv, Some(Path::new(&status.cwd)));
    let spec = Spec {
        name: (!args.copy).then(|| status.name.clone()),
        kind: status.kind,
        merge: status.merged,
        tags: status.tags.clone(),
        size: status.size,
        launch,
        ..Spec::default()
    };
    let started = client.call(&verbs::Run { key: client::request_key(), spec, ..verbs::Run::default() })?;
    output::print(format!("{}\n", started.name).as_bytes());
    Ok(exit::OK)
}

/// Returns the one session that is meant; a service has a restart of its own.
fn find(client: &mut Client, target: &str) -> Result<Status, Error> {
    let mut listing = client.call(&verbs::List { targets: vec![target.to_owned()] })?;
    if let Some(error) = listing.errors.into_iter().next() {
        return Err(error.into());
    }
    let refuse = |message: String, hint: String| Err(WireError::new(Code::Invalid, message).hint(hint).into());
    match (listing.sessions.pop(), listing.sessions.is_empty()) {
        (Some(status), true) if status.service.is_some() => {
            refuse(format!("{} is a service", status.name), format!("`rpm restart {}`", status.name))
        }
        (Some(status), true) => Ok(status),
        _ => refuse(format!("{target} means several sessions"), "name one; `rpm ls` lists them".to_owned()),
    }
}

/// Returns the first thing that went wrong.
fn refused(outcomes: Vec<verbs::Outcome>) -> Result<(), Error> {
    outcomes.into_iter().find_map(|outcome| outcome.error).map_or(Ok(()), |error| Err(error.into()))
}
