//! `rpm apply`, `rpm start FILE`, `rpm graph`: files of services.

use std::path::Path;
use std::path::PathBuf;

use crate::cli::args;
use crate::cli::commands::definitions;
use crate::cli::commands::services;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report::say;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::config;
use crate::config::services as files;
use crate::platform::endpoint::Place;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::Acted;
use crate::protocol::verbs::Deed;
use crate::session::environment;
use crate::session::service::definition::Definition;
use crate::session::service::order;
use crate::session::service::order::Needs;
use crate::session::service::plan;
use crate::session::service::plan::Cost;
use crate::session::service::plan::Difference;
use crate::session::service::plan::Item;
use crate::session::service::plan::Step;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;
use crate::session::text;

/// Bytes of definitions that go into one request: a frame holds a mebibyte.
pub const REQUEST: usize = 600 << 10;

/// What is done with a file.
pub struct Wish<'a> {
    /// The file; without one the nearest is found.
    pub file: Option<&'a Path>,
    /// Only these of its services; none means all.
    pub only: &'a [String],
    /// What it does not name any more goes.
    pub prunes: bool,
    /// Say what would be done, and do nothing.
    pub is_dry: bool,
    /// Also what is there and unchanged is started, if it does not run and starts by itself.
    pub starts: bool,
    /// Services of another file are taken over.
    pub takes: bool,
    /// How long to wait until all are ready.
    pub wait_ms: u64,
    /// Print JSON.
    pub is_json: bool,
}

impl Wish<'_> {
    /// Returns whether a service is started, if it does not run: one that does not start by itself only by its name.
    fn is_started(&self, spec: &ServiceSpec, is_new: bool) -> bool {
        match (self.starts, is_new) {
            (true, _) => spec.autostart || !self.only.is_empty(),
            (false, is_new) => is_new && spec.autostart,
        }
    }
}

/// Makes what is there what a file says.
pub fn apply(wish: &Wish<'_>) -> Result<u8, Error> {
    let path = match wish.file {
        Some(path) => path.to_owned(),
        None => nearest()?,
    };
    let Some(mut specs) = load(&path)? else { return Ok(exit::FAILURE) };
    let source = specs.first().map(|spec| spec.source.clone()).unwrap_or_default();
    choose(&mut specs, wish.only)?;
    for spec in &mut specs {
        inherit_environment(spec)?;
    }
    let mut client = Client::connect_or_start()?;
    let there = definitions::all(&mut client)?;
    let items = plan::plan(&there, &specs, &source, wish.prunes && wish.only.is_empty(), &files::shown)
        .map_err(|cycle| WireError::new(Code::Invalid, format!("services wait for each other: {cycle}")))?;
    refuse_foreign(&items, wish.takes)?;
    if wish.is_dry {
        tell(&items, &specs, wish);
        return Ok(exit::OK);
    }
    let mut acts = perform(&mut client, &items, &specs, wish)?;
    if wish.is_json {
        let acted: Vec<_> = acts.acts.iter().map(output::Acted::from).collect();
        output::json("applied", &serde_json::json!({ "plan": items, "services": acted }));
    } else {
        tell(&items, &specs, wish);
    }
    // What is well was told by the plan.
    acts.acts.retain(|acted| acted.error.is_some());
    Ok(services::tell_faults(&acts))
}

/// Finds the file that counts here.
fn nearest() -> Result<PathBuf, Error> {
    let here = std::env::current_dir().unwrap_or_else(|_| "/".into());
    let own = files::own_file(&Place::open()?);
    let found = files::find(&here, &own);
    for path in &found.passed_over {
        say(&format!("rpm: passed over {}: other users can write it", path.display()));
    }
    found.file.ok_or_else(|| {
        let message = format!("there is no {} here, in a folder above, or at {}", files::FILE_NAME, own.display());
        WireError::new(Code::Invalid, message).hint("`rpm start -- COMMAND` needs none").into()
    })
}

/// Reads a file; with an error in it nothing is started, and all are told.
pub fn load(path: &Path) -> Result<Option<Vec<ServiceSpec>>, Error> {
    if let Some(tool) = foreign(path) {
        let shown = text::quote(&[path.display().to_string()]);
        let node = if tool == "node" { "--node " } else { "" };
        let message = format!("{} is a file of another tool", path.display());
        let hint = format!("`rpm convert {node}{shown} -o {}`, then `rpm start`", files::FILE_NAME);
        return Err(WireError::new(Code::Invalid, message).hint(hint).into());
    }
    let loaded = files::load(path).map_err(|error| {
        if std::fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return WireError::new(Code::Invalid, format!("there is no file {}", path.display()));
        }
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        WireError::new(Code::Invalid, format!("{error}{cause}"))
    })?;
    for finding in &loaded.findings {
        say(&format!("{}:{finding}", path.display()));
    }
    if loaded.is_usable() {
        return Ok(Some(loaded.specs));
    }
    say("rpm: nothing was started");
    Ok(None)
}

/// Returns whose a file is that people start with another tool; `node` has to run some.
fn foreign(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    if !path.is_file() {
        return None;
    }
    let ends = |all: &[&str]| all.iter().any(|end| name.ends_with(end));
    if ends(&[".js", ".cjs", ".mjs", ".ts"]) {
        return Some("node");
    }
    let has_apps = |text: String| {
        serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|file| file.get("apps").is_some() || file.is_array())
    };
    let is_json =
        || path.extension().is_some_and(|end| end == "json") && std::fs::read_to_string(path).is_ok_and(has_apps);
    (ends(&[".yaml", ".yml"]) || name == "Procfile" || is_json()).then_some("other")
}

fn choose(specs: &mut Vec<ServiceSpec>, only: &[String]) -> Result<(), Error> {
    if only.is_empty() {
        return Ok(());
    }
    let is_named = |spec: &ServiceSpec, name: &String| spec.name == *name || spec.full_name() == *name;
    if let Some(unknown) = only.iter().find(|name| !specs.iter().any(|spec| is_named(spec, name))) {
        let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        let message = format!("the file has no service {unknown:?}; it has {}", names.join(", "));
        return Err(WireError::new(Code::NoSuchSession, message).into());
    }
    let names: Vec<String> = specs.iter().map(ServiceSpec::full_name).collect();
    let needs: Vec<Needs<'_>> =
        names.iter().zip(specs.iter()).map(|(name, spec)| Needs { name, depends_on: &spec.depends_on }).collect();
    let chosen: Vec<&str> = names
        .iter()
        .zip(specs.iter())
        .filter(|(_, spec)| only.iter().any(|name| is_named(spec, name)))
        .map(|(name, _)| name.as_str())
        .collect();
    let needed: Vec<String> = order::with_needed(&needs, &chosen).into_iter().map(str::to_owned).collect();
    specs.retain(|spec| needed.contains(&spec.full_name()));
    Ok(())
}

/// Puts this process's environment before what the file says.
pub fn inherit_environment(spec: &mut ServiceSpec) -> Result<(), Error> {
    let inherited = inherit::environment_by(spec.env_policy)
        .map_err(|error| WireError::new(Code::Failed, format!("cannot make a login's environment: {error}")))?;
    let variable = |entry: &serde_bytes::ByteBuf| {
        let name = environment::name_of(entry).to_vec();
        let value = entry.get(name.len() + 1..).map(<[u8]>::to_vec);
        Variable { name: name.into(), value: value.map(Into::into), origin: Origin::Inherited }
    };
    spec.env.splice(0..0, inherited.iter().map(variable));
    Ok(())
}

fn refuse_foreign(items: &[Item], takes: bool) -> Result<(), Error> {
    let foreign = items.iter().find_map(|item| match &item.step {
        Step::Change { taken_from: Some(file), .. } => Some((&item.name, file)),
        _ => None,
    });
    match foreign.filter(|_| !takes) {
        Some((name, file)) => {
            let message = format!("service {name} is defined by {file}");
            Err(WireError::new(Code::NameTaken, message).hint("--force takes it over; a namespace keeps both").into())
        }
        None => Ok(()),
    }
}

fn perform(client: &mut Client, items: &[Item], specs: &[ServiceSpec], wish: &Wish<'_>) -> Result<verbs::Acts, Error> {
    let launch = inherit::launch(Vec::new(), None);
    let mut all = verbs::Acts::default();
    let removed: Vec<String> =
        items.iter().filter(|item| item.step == Step::Remove).map(|item| item.name.clone()).collect();
    if !removed.is_empty() {
        let act = verbs::Act { key: client::request_key(), deed: Deed::Delete, targets: removed, ..Default::default() };
        all.acts.extend(client.call(&act)?.acts);
    }
    let (mut entries, mut size) = (Vec::new(), 0);
    for item in items {
        let Some(spec) = specs.iter().find(|spec| spec.full_name() == item.name) else { continue };
        let restarts = matches!(item.step, Step::Change { cost: Cost::Restart, .. });
        let starts = wish.is_started(spec, item.step == Step::Create);
        let definition = Definition {
            spec: spec.clone(),
            umask: launch.umask,
            limits: launch.limits.clone(),
            ..Definition::default()
        };
        // An unchanged one keeps the environment that it was started with.
        let replaces = item.step != Step::Same;
        let len = crate::protocol::message::encode(&definition).len();
        if size + len > REQUEST && !entries.is_empty() {
            send(client, &mut all, std::mem::take(&mut entries), 0)?;
            size = 0;
        }
        size += len;
        entries.push(verbs::Entry { definition, replaces, restarts, starts, ..verbs::Entry::default() });
    }
    send(client, &mut all, entries, wish.wait_ms)?;
    Ok(all)
}

fn send(client: &mut Client, all: &mut verbs::Acts, entries: Vec<verbs::Entry>, wait_ms: u64) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let count = entries.len();
    let names: Vec<String> = entries.iter().map(|entry| entry.definition.spec.full_name()).collect();
    match client.call(&verbs::Define { key: client::request_key(), entries, wait_ms }) {
        Ok(acts) => {
            all.acts.extend(acts.acts);
            all.unsaved = all.unsaved.take().or(acts.unsaved);
        }
        // One service alone is refused as a whole.
        Err(Error::Refused(error)) if count == 1 => {
            all.acts.push(Acted { name: names.concat(), error: Some(error), ..Acted::default() });
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// One line a service: what is done, and why.
fn tell(items: &[Item], specs: &[ServiceSpec], wish: &Wish<'_>) {
    if wish.is_json {
        output::json("plan", &items);
        return;
    }
    for item in items {
        let name = text::clean(&item.name);
        let is_left = |spec: &ServiceSpec| spec.full_name() == item.name && !wish.is_started(spec, true);
        let line = match &item.step {
            Step::Create if specs.iter().any(is_left) => format!("{name} created, not started (autostart = false)"),
            Step::Create => format!("{name} created"),
            Step::Same => format!("{name} unchanged"),
            Step::Remove => format!("{name} removed"),
            Step::Change { differences, cost, taken_from } => {
                let taken =
                    taken_from.as_ref().map(|file| format!(", taken from {}", text::clean(file))).unwrap_or_default();
                let cost = match cost {
                    Cost::Live => "goes on",
                    Cost::Scale => "scaled",
                    Cost::Restart => "restarted",
                };
                let whys: Vec<String> = differences.iter().map(difference).collect();
                format!("{name} changed ({cost}{taken}): {}", whys.join("; "))
            }
        };
        output::print(format!("{line}\n").as_bytes());
    }
}

fn difference(it: &Difference) -> String {
    let value =
        |value: &Option<String>| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| text::clean(value));
    format!("{} {} -> {}", text::clean(&it.key), value(&it.old), value(&it.new))
}

/// `rpm graph`: who needs whom, of what is there, or of a file.
pub fn graph(args: &args::Graph) -> Result<u8, Error> {
    let specs = if let Some(path) = &args.file {
        let Some(specs) = load(path)? else { return Ok(exit::FAILURE) };
        specs
    } else {
        definitions::all(&mut Client::connect_or_start()?)?
    };
    let names: Vec<String> = specs.iter().map(ServiceSpec::full_name).collect();
    let needs: Vec<Needs<'_>> =
        names.iter().zip(&specs).map(|(name, spec)| Needs { name, depends_on: &spec.depends_on }).collect();
    if args.json {
        let rows: Vec<_> = names
            .iter()
            .zip(&specs)
            .map(|(name, spec)| {
                let needs: Vec<_> = spec
                    .depends_on
                    .iter()
                    .map(|needed| serde_json::json!({ "name": needed.name, "condition": needed.condition }))
                    .collect();
                serde_json::json!({ "name": name, "depends_on": needs })
            })
            .collect();
        output::json("graph", &rows);
    } else {
        let lines: Vec<String> = order::graph(&needs).iter().map(|line| format!("{line}\n")).collect();
        output::print(lines.concat().as_bytes());
    }
    Ok(exit::OK)
}

/// Returns whether a word on the command line is a file of services.
pub fn is_file(word: &str) -> bool {
    let path = Path::new(word);
    let is_named = path.file_name() == Some(std::ffi::OsStr::new("Procfile"))
        || [".toml", ".json", ".yaml", ".yml", ".config.js", ".config.cjs"].iter().any(|end| word.ends_with(end));
    is_named || (word.contains('/') && path.is_file() && config::services::is_services(path, ""))
}
