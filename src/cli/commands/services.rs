//! `rpm start`, `restart`, `delete`, `reset`, `why`, `save`, `resurrect`.

use std::os::unix::ffi::OsStrExt;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::args::ServiceVerb;
use crate::cli::commands::run as running;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::cli::report::say;
use crate::cli::waiting;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::Deed;
use crate::session::environment;
use crate::session::service::definition::Definition;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::Restart;
use crate::session::service::spec::Command;
use crate::session::service::spec::DEFAULT_NAMESPACE;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;
use crate::session::spec::Kind;
use crate::session::text;

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Does what the verb says.
pub fn run(verb: &ServiceVerb) -> Result<u8, Error> {
    match verb {
        ServiceVerb::Start(args) => start(args),
        ServiceVerb::Restart(args) => restart(args),
        ServiceVerb::Delete(args) => delete(args),
        ServiceVerb::Why(args) => why(args),
        ServiceVerb::Reset(args) => reset(args),
        ServiceVerb::Save(args) => save(args),
        ServiceVerb::Resurrect(args) => resurrect(args),
    }
}

/// `rpm start`.
fn start(args: &args::Start) -> Result<u8, Error> {
    if !args.command.is_empty() {
        if let Some(target) = args.targets.first() {
            let message = format!("{target:?} stands before `--`, the command behind it: both at once mean nothing");
            return Err(WireError::new(Code::Invalid, message).hint("give it a name with --name").into());
        }
        return start_command(args);
    }
    if args.targets.is_empty() {
        let message = "nothing was named to start";
        return Err(WireError::new(Code::Invalid, message).hint("`rpm start -- COMMAND` or `rpm start NAME`").into());
    }
    act(Deed::Start, &args.targets, args.wait.ms(), args.wait.json)
}

fn start_command(args: &args::Start) -> Result<u8, Error> {
    let request = verbs::StartService {
        key: client::request_key(),
        definition: definition(args)?,
        replaces: args.define.force,
        wait_ms: args.wait.ms(),
    };
    let acts = Client::connect_or_start()?.call(&request)?;
    Ok(tell(&acts, args.wait.json))
}

/// Makes a definition from the command line, and from what this process has.
fn definition(args: &args::Start) -> Result<Definition, Error> {
    let define = &args.define;
    let argv: Vec<ByteBuf> = args.command.iter().map(|arg| ByteBuf::from(arg.as_bytes())).collect();
    let launch = inherit::launch(argv, define.cwd.as_deref());
    let spec = ServiceSpec {
        name: define.name.clone().unwrap_or_default(),
        namespace: define.namespace.clone().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
        tags: define.tag.clone(),
        command: Command::of(&launch.argv),
        cwd: launch.cwd,
        env_policy: define.environment.policy,
        env: variables(&define.environment)?,
        kind: if define.pty { Kind::Pty } else { Kind::Pipe },
        instances: define.instances.unwrap_or(1),
        restart: match define.restart {
            _ if define.no_autorestart => Restart::No,
            Some(name) => name.into(),
            None => Restart::Always,
        },
        stop_codes: define.stop_exit_codes.clone(),
        ..ServiceSpec::default()
    };
    let spec = with_policies(spec, define);
    Ok(Definition { spec, umask: launch.umask, limits: launch.limits, ..Definition::default() })
}

fn with_policies(mut spec: ServiceSpec, define: &args::Define) -> ServiceSpec {
    if let Some(delay) = define.restart_delay {
        let pause = delay * MS;
        spec.backoff = Backoff { initial: pause, cap: pause, factor_percent: 100, jitter_percent: 0, ..spec.backoff };
    }
    if let Some(first) = define.exp_backoff_restart_delay {
        spec.backoff.initial = first * MS;
    }
    if let Some(uptime) = define.min_uptime {
        spec.backoff.reset_after = uptime * MS;
    }
    if let Some(most) = define.max_restarts.filter(|most| *most > 0) {
        spec.crash_loop.failures = most;
        spec.crash_loop.give_up = true;
    }
    if let Some(grace) = define.kill_timeout {
        spec.stop.grace = grace * MS;
    }
    if let Some(signal) = define.kill_signal {
        spec.stop.signal = signal;
    }
    spec
}

/// The environment as variables that know where they came from.
fn variables(options: &args::Environment) -> Result<Vec<Variable>, Error> {
    let (inherited, changes) = running::environment_parts(options)?;
    let variable = |entry: &ByteBuf, origin| {
        let name = environment::name_of(entry);
        let value = entry.get(name.len() + 1..).map(ByteBuf::from);
        Variable { name: ByteBuf::from(name), value, origin }
    };
    let inherited = inherited.iter().map(|entry| variable(entry, Origin::Inherited));
    Ok(inherited.chain(changes.iter().map(|change| variable(change, Origin::Cli))).collect())
}

/// `rpm restart`.
fn restart(args: &args::Restart) -> Result<u8, Error> {
    waiting::meanwhile(&args.targets, || act(Deed::Restart, &args.targets, args.wait.ms(), args.wait.json))
}

/// `rpm delete`.
fn delete(args: &args::Services) -> Result<u8, Error> {
    waiting::meanwhile(&args.targets, || act(Deed::Delete, &args.targets, 0, args.json))
}

/// `rpm reset`.
fn reset(args: &args::Services) -> Result<u8, Error> {
    act(Deed::Reset, &args.targets, 0, args.json)
}

/// Services that are only on disk are listed by a daemon, so one is started.
fn act(deed: Deed, targets: &[String], wait_ms: u64, is_json: bool) -> Result<u8, Error> {
    let request = verbs::Act { key: client::request_key(), deed, targets: targets.to_vec(), wait_ms };
    let acts = Client::connect_or_start()?.call(&request)?;
    if acts.acts.is_empty() && !is_json {
        say("rpm: no service is selected; nothing was done");
    }
    Ok(tell(&acts, is_json))
}

/// One line a service, and an exit code that says whether any failed.
fn tell(acts: &verbs::Acts, is_json: bool) -> u8 {
    if is_json {
        output::json("services", &acts.acts.iter().map(output::Acted::from).collect::<Vec<_>>());
    }
    let mut code = exit::OK;
    for acted in &acts.acts {
        let name = text::clean(&acted.name);
        match (&acted.error, &acted.status) {
            (Some(error), _) => code = report::error(&Error::Refused(error.clone())),
            _ if is_json => {}
            (None, Some(status)) => {
                let pid = if status.run_end().is_none() { format!(" (pid {})", status.pid) } else { String::new() };
                output::print(format!("{name} {}{pid}\n", status.word()).as_bytes());
            }
            (None, None) => output::print(format!("{name} deleted\n").as_bytes()),
        }
    }
    if let Some(fault) = &acts.unsaved {
        say(&format!("rpm: it is done, but could not be written down\n  cause: {fault}"));
        code = exit::FAILURE;
    }
    code
}

/// `rpm why`.
fn why(args: &args::Why) -> Result<u8, Error> {
    let request = verbs::Why { targets: args.targets.clone() };
    let mut services = Client::connect_or_start()?.call(&request)?.services;
    for service in &mut services {
        let surplus = service.deaths.len().saturating_sub(args.deaths);
        service.deaths.drain(..surplus);
    }
    if args.json {
        output::json("services", &services.iter().map(output::History::from).collect::<Vec<_>>());
    } else {
        services.iter().for_each(output::why);
    }
    Ok(exit::OK)
}

/// `rpm save`.
fn save(args: &args::Snapshot) -> Result<u8, Error> {
    let name = args.name.clone().unwrap_or_default();
    let saved = Client::connect_or_start()?.call(&verbs::Save { name })?;
    if args.json {
        output::json("saved", &serde_json::json!({ "path": saved.path, "services": saved.services }));
    } else {
        output::print(format!("{} services in {}\n", saved.services, saved.path).as_bytes());
    }
    Ok(exit::OK)
}

/// `rpm resurrect`.
fn resurrect(args: &args::Snapshot) -> Result<u8, Error> {
    let name = args.name.clone().unwrap_or_default();
    let acts = Client::connect_or_start()?.call(&verbs::Resurrect { name })?;
    if acts.acts.is_empty() && !args.json {
        say("rpm: every service that is wanted runs already");
    }
    Ok(tell(&acts, args.json))
}
