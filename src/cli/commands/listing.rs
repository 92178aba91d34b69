//! `rpm ls`, `rpm describe`, and the same for scripts of pm2: looking without touching.

use std::fmt::Write as _;

use crate::cli::args;
use crate::cli::commands::definitions;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::output::Details;
use crate::cli::output::Measured;
use crate::cli::report;
use crate::cli::report::say;
use crate::cli::usage;
use crate::cli::usage::Usages;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::config::services;
use crate::platform::endpoint::Place;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::service::plan;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::status::ServiceState;
use crate::session::status::Status;
use crate::session::target;
use crate::session::text;

/// `rpm ls`. No daemon means no sessions, which is no error and no reason to start one.
pub fn ls(args: &args::Ls) -> Result<u8, Error> {
    if args.pm2 {
        return as_pm2(&args.targets, true);
    }
    let Some(mut client) = connect(&args.targets)? else {
        return Ok(tell(args, &verbs::Listing::default(), &Usages::new()));
    };
    let listing = client.call(&verbs::List { targets: args.targets.clone() })?;
    let usages = if args.wide { usage::measure(&mut client, &listing.sessions)? } else { Usages::new() };
    Ok(tell(args, &listing, &usages))
}

fn tell(args: &args::Ls, listing: &verbs::Listing, usages: &Usages) -> u8 {
    let verbs::Listing { sessions, errors } = listing;
    if args.json {
        let sessions: Vec<Measured> = sessions.iter().map(|status| Measured::of(status, usages)).collect();
        output::json_sessions(&sessions, errors);
    } else if errors.is_empty() || !sessions.is_empty() {
        output::list(sessions, args.wide.then_some(usages));
    }
    report::items(errors)
}

/// `rpm jlist`, `prettylist`, `ls --pm2`: nothing but the array, as scripts want it.
pub fn as_pm2(targets: &[String], is_pretty: bool) -> Result<u8, Error> {
    let (mut listing, mut usages) = (verbs::Listing::default(), Usages::new());
    if let Some(mut client) = connect(targets)? {
        listing = client.call(&verbs::List { targets: targets.to_vec() })?;
        listing.sessions.retain(|status| status.service.is_some());
        usages = usage::measure(&mut client, &listing.sessions)?;
    }
    let array = output::pm2(&listing.sessions, &usages);
    output::print(if is_pretty { format!("{array:#}\n") } else { format!("{array}\n") }.as_bytes());
    Ok(report::items(&listing.errors))
}

/// `rpm describe`.
pub fn describe(args: &args::Describe) -> Result<u8, Error> {
    if args.toml {
        return toml(&args.targets, args.reveal);
    }
    let Some(mut client) = connect(&args.targets)? else {
        if args.json {
            output::json_sessions(&[], &[]);
        }
        return Ok(exit::OK);
    };
    let verbs::Listing { sessions, errors } = client.call(&verbs::List { targets: args.targets.clone() })?;
    let mut usages = usage::measure(&mut client, &sessions)?;
    let specs = specs(&mut client, &sessions)?;
    let spec_of = |status: &Status| {
        let service = status.service.as_ref()?;
        specs.iter().find(|spec| spec.full_name() == service.service)
    };
    if args.json {
        let all = sessions.iter().map(|status| {
            let definition = spec_of(status).map(definition);
            Measured::of(status, &usages).with(definition)
        });
        output::json_sessions(&all.collect::<Vec<_>>(), &errors);
        return Ok(report::items(&errors));
    }
    let journals = Place::open()?.journals();
    for (n, status) in sessions.iter().enumerate() {
        if n > 0 {
            output::print(b"\n");
        }
        let death = if status.service.is_some() { last_death(&mut client, status)? } else { None };
        let journal = status.journal.as_ref().map(|journal| journals.join(&journal.folder).display().to_string());
        let state = status.service.as_ref().map(|service| service.state);
        let is_scheduled = status.started_ms == 0 || state != Some(ServiceState::Stopped);
        let (usage, spec) = (usages.remove(&status.name), spec_of(status).cloned());
        let details = Details { usage, spec, is_scheduled, death, journal };
        output::describe(status, &details);
    }
    Ok(report::items(&errors))
}

/// Asks for the definitions of the services among these, without what is secret.
fn specs(client: &mut Client, sessions: &[Status]) -> Result<Vec<ServiceSpec>, Error> {
    let mut specs: Vec<ServiceSpec> =
        definitions::of(client, sessions)?.into_iter().map(|definition| definition.spec).collect();
    specs.iter_mut().for_each(plan::hide_secrets);
    Ok(specs)
}

/// Returns the keys that a file would have.
fn definition(spec: &ServiceSpec) -> serde_json::Value {
    let read = toml::from_str::<serde_json::Value>(&services::text_of(spec));
    read.ok().map(|mut file| file["services"][spec.name.as_str()].take()).unwrap_or_default()
}

fn last_death(client: &mut Client, status: &Status) -> Result<Option<crate::session::service::death::Death>, Error> {
    let request = verbs::Why { targets: vec![status.id.to_string()] };
    Ok(client.call(&request)?.services.pop().and_then(|mut history| history.deaths.pop()))
}

/// `rpm describe --toml`: what a file would have to say.
fn toml(targets: &[String], reveals: bool) -> Result<u8, Error> {
    let Some(mut client) = connect(targets)? else { return Ok(exit::OK) };
    let verbs::Listing { sessions, errors } = client.call(&verbs::List { targets: targets.to_vec() })?;
    let definitions = definitions::of(&mut client, &sessions)?;
    let written: Vec<String> = definitions.into_iter().map(|mut it| table(&mut it.spec, reveals)).collect();
    if written.is_empty() && errors.is_empty() {
        let error = WireError::new(Code::Invalid, "no service is selected, and nothing else is in such files");
        return Err(error.hint("`rpm ls` lists sessions and services").into());
    }
    output::print(written.join("\n").as_bytes());
    Ok(report::items(&errors))
}

fn table(spec: &mut ServiceSpec, reveals: bool) -> String {
    let is_hidden = |name: &[u8]| !reveals && plan::is_secret_name(&String::from_utf8_lossy(name));
    let mut text = String::new();
    let own = spec.env.iter().filter(|variable| matches!(variable.origin, Origin::Config | Origin::Cli));
    for variable in own.filter(|variable| variable.value.is_some() && is_hidden(&variable.name)) {
        let name = text::clean(&String::from_utf8_lossy(&variable.name));
        say(&format!("rpm: {} of {} is left out; --reveal writes it", name, spec.full_name()));
        let _ = writeln!(text, "# {name} is left out: it sounds secret; `rpm describe --toml --reveal` writes it");
    }
    spec.env.retain(|variable| variable.value.is_none() || !is_hidden(&variable.name));
    text + &services::text_of(spec)
}

pub(super) fn list(targets: &[String]) -> Result<verbs::Listing, Error> {
    match connect(targets)? {
        Some(mut client) => client.call(&verbs::List { targets: targets.to_vec() }),
        None => Ok(verbs::Listing::default()),
    }
}

/// Connects; none where nobody is there and nobody was named.
pub(super) fn connect(targets: &[String]) -> Result<Option<Client>, Error> {
    match Client::connect() {
        // Services that are known are listed by a daemon, whether they run or not.
        Err(Error::NotRunning) if Place::open()?.services().join("state").exists() => {
            Client::connect_or_start().map(Some)
        }
        Err(Error::NotRunning) if target::may_be_nobody(targets) => Ok(None),
        client => client.map(Some),
    }
}
