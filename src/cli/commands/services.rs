//! `rpm start`, `restart`, `delete`, `reset`, `why`, `save`, `resurrect`.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::args::ServiceVerb;
use crate::cli::commands::apply;
use crate::cli::commands::boot;
use crate::cli::commands::programs;
use crate::cli::commands::renew;
use crate::cli::commands::run as running;
use crate::cli::commands::service_names;
use crate::cli::commands::unused;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::cli::report::say;
use crate::cli::waiting;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::config::services as files;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::Deed;
use crate::session::environment;
use crate::session::service::definition::Definition;
use crate::session::service::plan;
use crate::session::service::policy::Action;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::Restart;
use crate::session::service::policy::Schedule;
use crate::session::service::policy::Watch;
use crate::session::service::spec::Command;
use crate::session::service::spec::DEFAULT_NAMESPACE;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;
use crate::session::service::status::ServiceState;
use crate::session::spec::Kind;
use crate::session::status::Status;
use crate::session::text;

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Does what the verb says.
pub fn run(verb: &ServiceVerb) -> Result<u8, Error> {
    match verb {
        ServiceVerb::Start(args) => start(args),
        ServiceVerb::Apply(args) => apply_file(args),
        ServiceVerb::Graph(args) => apply::graph(args),
        ServiceVerb::Scale(args) => scale(args),
        ServiceVerb::Reload(args) => reload(args),
        ServiceVerb::Env(args) => env(args),
        ServiceVerb::Startup(args) => boot::startup(args),
        ServiceVerb::Unstartup(_) => boot::unstartup(),
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
    let file = args.targets.first().filter(|target| apply::is_file(target));
    if args.command.is_empty() && (file.is_some() || args.targets.is_empty()) {
        unused::refuse(&args.define, true)?;
        let only: Vec<String> = args.only.iter().chain(args.targets.iter().skip(1)).cloned().collect();
        return apply::apply(&apply::Wish {
            file: file.map(Path::new),
            only: &only,
            prunes: false,
            is_dry: false,
            starts: true,
            takes: args.define.force,
            wait_ms: args.wait.ms(),
            is_json: args.wait.json,
        });
    }
    if let Some(words) = script(args).or_else(|| programs::of(&args.targets, &args.command)) {
        return start_command(args, &words);
    }
    if !args.command.is_empty() {
        if let Some(target) = args.targets.first() {
            let message = format!("{target:?} stands before `--`, the command behind it: both at once mean nothing");
            return Err(WireError::new(Code::Invalid, message).hint("give it a name with --name").into());
        }
        return start_command(args, &args.command);
    }
    unused::refuse(&args.define, false)?;
    act(Deed::Start, &args.targets, args.wait.ms(), args.wait.json).map_err(|error| missing_file(error, &args.targets))
}

/// What looks like a file was meant as one.
fn missing_file(error: Error, targets: &[String]) -> Error {
    let [target] = targets else { return error };
    let ends = [".js", ".cjs", ".mjs", ".ts", ".py", ".sh", ".rb", ".pl"];
    let is_file = target.contains('/') || ends.iter().any(|end| target.ends_with(end));
    match &error {
        Error::Refused(refused) if refused.code == Code::NoSuchSession && is_file => {
            let message = format!("there is no file {target:?} here, and no service of that name");
            WireError::new(Code::NoSuchSession, message).hint("`rpm start -- COMMAND` starts a command").into()
        }
        _ => error,
    }
}

/// pm2's way to name a program: a script, and its arguments behind `--`.
fn script(args: &args::Start) -> Option<Vec<OsString>> {
    let [target] = &args.targets[..] else { return None };
    let path = Path::new(target);
    if !path.is_file() {
        return None;
    }
    let path = std::path::absolute(path).ok()?;
    let interpreter = match path.extension().and_then(OsStr::to_str) {
        Some("js" | "cjs" | "mjs") => Some("node"),
        Some("py") => Some("python3"),
        Some("sh") => Some("sh"),
        Some("rb") => Some("ruby"),
        Some("pl") => Some("perl"),
        _ => None,
    };
    let interpreter = args.define.interpreter.as_deref().or(interpreter).filter(|name| *name != "none");
    let head = interpreter.map(OsString::from).into_iter().chain([path.into_os_string()]);
    Some(head.chain(args.command.iter().cloned()).collect())
}

fn start_command(args: &args::Start, command: &[OsString]) -> Result<u8, Error> {
    let force = args.define.force;
    let definition = definition(args, command)?;
    let entry = verbs::Entry { definition, replaces: force, restarts: force, starts: true, ..verbs::Entry::default() };
    let request = verbs::Define { key: client::request_key(), entries: vec![entry], wait_ms: args.wait.ms() };
    let acts = Client::connect_or_start()?.call(&request)?;
    Ok(tell(&acts, args.wait.json))
}

/// Makes a definition from the command line, and from what this process has.
fn definition(args: &args::Start, command: &[OsString]) -> Result<Definition, Error> {
    let define = &args.define;
    let argv: Vec<ByteBuf> = command.iter().map(|arg| ByteBuf::from(arg.as_bytes())).collect();
    let launch = inherit::launch(argv, define.cwd.as_deref());
    let spec = ServiceSpec {
        name: name_of(args),
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
    let mut spec = with_policies(spec, define);
    let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
    let folder = Path::new(OsStr::from_bytes(&spec.cwd)).to_owned();
    for assignment in &define.set {
        files::set(&mut spec, assignment, &folder, home.as_deref())
            .map_err(|why| WireError::new(Code::Invalid, format!("--set {assignment}: {why}")))?;
    }
    Ok(Definition { spec, umask: launch.umask, limits: launch.limits, ..Definition::default() })
}

/// As given; a script's is that of its file, without the ending.
fn name_of(args: &args::Start) -> String {
    let first = || args.targets.first().and_then(|target| target.split_whitespace().next());
    let script = || first().and_then(|target| Path::new(target).file_stem()).and_then(OsStr::to_str);
    args.define.name.clone().or_else(|| script().map(str::to_owned)).unwrap_or_default()
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
    spec.max_memory = define.max_memory_restart;
    if let Some(paths) = &define.watch {
        let here = Path::new(OsStr::from_bytes(&spec.cwd)).to_owned();
        let paths =
            if paths.is_empty() { vec![here.clone()] } else { paths.iter().map(|path| here.join(path)).collect() };
        let paths = paths.into_iter().map(|path| ByteBuf::from(path.into_os_string().into_encoded_bytes())).collect();
        spec.watch = Some(Watch { paths, ignore: define.ignore_watch.clone(), ..Watch::default() });
    }
    if let Some(cron) = &define.cron {
        spec.schedule = Some(Schedule { cron: cron.clone(), zone: String::new(), action: Action::Restart });
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

/// `rpm apply`.
fn apply_file(args: &args::Apply) -> Result<u8, Error> {
    apply::apply(&apply::Wish {
        file: args.file.as_deref(),
        only: &args.only,
        prunes: args.prune,
        is_dry: args.dry_run,
        starts: false,
        takes: args.force,
        wait_ms: args.wait.ms(),
        is_json: args.wait.json,
    })
}

/// `rpm scale`.
fn scale(args: &args::Scale) -> Result<u8, Error> {
    let request = verbs::Act {
        key: client::request_key(),
        deed: Deed::Scale,
        targets: vec![args.target.clone()],
        wait_ms: args.wait.ms(),
        scale: args.number,
    };
    let acts = Client::connect_or_start()?.call(&request)?;
    Ok(tell(&acts, args.wait.json))
}

/// `rpm reload`.
fn reload(args: &args::Restart) -> Result<u8, Error> {
    let targets = renewed(args)?;
    act(Deed::Reload, &targets, args.wait.timeout, args.wait.json)
}

/// Renews the environment, if that is asked for; returns the targets.
fn renewed(args: &args::Restart) -> Result<Vec<String>, Error> {
    let targets = service_names::expand(&args.targets)?;
    if args.update_env {
        renew::environment(&mut Client::connect_or_start()?, &targets)?;
    }
    Ok(targets)
}

/// `rpm env`: each variable with where it came from; secrets only when they are asked for.
fn env(args: &args::Env) -> Result<u8, Error> {
    let request = verbs::Definitions { targets: vec![args.target.clone()], ..Default::default() };
    let mut definitions = Client::connect_or_start()?.call(&request)?.definitions;
    let Some(mut definition) = definitions.pop() else {
        return Err(WireError::new(Code::NoSuchSession, format!("no service is called {:?}", args.target)).into());
    };
    if !args.reveal {
        plan::hide_secrets(&mut definition.spec);
    }
    output::env(&definition.spec, args.json);
    Ok(exit::OK)
}

/// `rpm restart`.
fn restart(args: &args::Restart) -> Result<u8, Error> {
    let targets = renewed(args)?;
    waiting::meanwhile(&targets, || act(Deed::Restart, &targets, args.wait.ms(), args.wait.json))
}

/// `rpm delete`.
fn delete(args: &args::Services) -> Result<u8, Error> {
    let targets = service_names::expand(&args.targets)?;
    waiting::meanwhile(&targets, || act(Deed::Delete, &targets, 0, args.json))
}

/// `rpm reset`.
fn reset(args: &args::Services) -> Result<u8, Error> {
    act(Deed::Reset, &args.targets, 0, args.json)
}

/// Services that are only on disk are listed by a daemon, so one is started.
fn act(deed: Deed, targets: &[String], wait_ms: u64, is_json: bool) -> Result<u8, Error> {
    let request =
        verbs::Act { key: client::request_key(), deed, targets: targets.to_vec(), wait_ms, ..Default::default() };
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
                output::print(format!("{name} {}{pid}{}\n", status.word(), reason(status)).as_bytes());
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

/// Says what one waits for: nobody sees it go on.
fn reason(status: &Status) -> String {
    let service = status.service.as_ref().filter(|service| service.state == ServiceState::Waiting);
    let reason = service.and_then(|service| service.reason.as_deref());
    reason.map(|reason| format!(": {}", text::clean(reason))).unwrap_or_default()
}

/// The faults among what was done, for people.
pub fn tell_faults(acts: &verbs::Acts) -> u8 {
    tell(acts, false)
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
