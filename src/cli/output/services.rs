//! Services: results, states and deaths, as JSON and for people.

use serde::Serialize;

use crate::cli::output::Ending;
use crate::cli::output::Session;
use crate::cli::output::print;
use crate::cli::usage::Usage;
use crate::history::ExitStatus;
use crate::platform::clock;
use crate::platform::schedule;
use crate::protocol::verbs;
use crate::session::service::death;
use crate::session::service::machine::Wanted;
use crate::session::service::machine::Why;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;
use crate::session::service::status::ServiceStatus;
use crate::session::service::telling;
use crate::session::status::Status;
use crate::session::status::signal_name;
use crate::session::text;

/// How an instance is supervised, as JSON.
#[derive(Debug, Serialize)]
pub struct Service {
    #[serde(rename = "service")]
    full_name: String,
    namespace: String,
    instance: u32,
    state: &'static str,
    wanted: Wanted,
    restarts: u32,
    attempt: u32,
    next_start: Option<String>,
    up_since: Option<String>,
    last: Option<Why>,
    reason: Option<String>,
    said: Option<String>,
}

impl From<&ServiceStatus> for Service {
    fn from(status: &ServiceStatus) -> Self {
        Self {
            full_name: status.service.clone(),
            namespace: status.namespace.clone(),
            instance: status.instance,
            state: status.state.word(),
            wanted: status.wanted,
            restarts: status.restarts,
            attempt: status.attempt,
            next_start: clock::rfc3339(status.next_start_ms),
            up_since: clock::rfc3339(status.up_since_ms),
            last: status.last,
            reason: status.reason.clone(),
            said: status.said.clone(),
        }
    }
}

/// What became of one, as JSON.
#[derive(Debug, Serialize)]
pub struct Acted {
    id: String,
    name: String,
    session: Option<Session>,
    error: Option<crate::protocol::error::WireError>,
}

impl From<&verbs::Acted> for Acted {
    fn from(acted: &verbs::Acted) -> Self {
        Self {
            id: acted.id.to_string(),
            name: acted.name.clone(),
            session: acted.status.as_ref().map(Session::from),
            error: acted.error.clone(),
        }
    }
}

/// One with its deaths, as JSON.
#[derive(Debug, Serialize)]
pub struct History {
    #[serde(flatten)]
    session: Session,
    deaths: Vec<Death>,
}

#[derive(Debug, Serialize)]
struct Death {
    number: u64,
    at: Option<String>,
    why: Why,
    by: Option<String>,
    code: Option<u8>,
    signal: Option<String>,
    errno: Option<i32>,
    up_ms: u64,
    killed: bool,
    left: Vec<u32>,
    lines: Vec<String>,
}

impl From<&verbs::ServiceHistory> for History {
    fn from(history: &verbs::ServiceHistory) -> Self {
        Self { session: Session::from(&history.status), deaths: history.deaths.iter().map(Death::from).collect() }
    }
}

impl From<&death::Death> for Death {
    fn from(death: &death::Death) -> Self {
        let (code, signal) = match death.status {
            Some(ExitStatus::Code(code)) => (Some(code), None),
            Some(ExitStatus::Signal(signal)) => (None, Some(signal_name(signal))),
            None => (None, None),
        };
        Self {
            number: death.number,
            at: clock::rfc3339(death.at_ms),
            why: death.why,
            by: Some(death.by.clone()).filter(|by| !by.is_empty()),
            code,
            signal,
            errno: death.errno,
            up_ms: death.up_ms,
            killed: death.killed,
            left: death.left.clone(),
            lines: death.lines.clone(),
        }
    }
}

/// Says for people what an instance does and how it ended before.
pub fn why(history: &verbs::ServiceHistory) {
    let verbs::ServiceHistory { status, deaths } = history;
    let name = text::clean(&status.name);
    let now = clock::wall_ms();
    let standing = status.service.as_ref().map(telling::standing).unwrap_or_default();
    let mut lines = vec![format!("{name}: {}{standing}", status.word_at(now))];
    for death in deaths {
        lines.push(format!("  {}  {}", moment(death, now), telling::sentence(death, fault)));
        lines.extend(death.lines.iter().map(|line| format!("      {}", text::clean(line))));
    }
    if deaths.is_empty() {
        lines.push(if status.started_ms == 0 { "  it has not run" } else { "  it has not ended so far" }.to_owned());
    }
    print((lines.join("\n") + "\n").as_bytes());
}

/// Returns how long ago something was: `3m ago`, `just now`.
pub fn ago(ms: u64) -> String {
    match text::age(ms).as_str() {
        "now" => "just now".to_owned(),
        age => format!("{age} ago"),
    }
}

/// Returns when one ended, and how long ago that is.
fn moment(death: &death::Death, now: u64) -> String {
    match clock::rfc3339(death.at_ms) {
        Some(at) => format!("{at} ({})", ago(now.saturating_sub(death.at_ms))),
        None => "-".to_owned(),
    }
}

fn fault(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}

/// Prints services in the rows of `describe`.
pub fn rows(status: &Status) -> Vec<(&'static str, String)> {
    let Some(service) = &status.service else { return Vec::new() };
    let time = |ms: u64| clock::rfc3339(ms);
    let mut rows = vec![
        ("service", text::clean(&service.service)),
        ("wanted", format!("{:?}", service.wanted).to_lowercase()),
        ("restarts", service.restarts.to_string()),
    ];
    rows.extend(time(service.next_start_ms).map(|at| ("next start", at)));
    rows.extend(service.reason.as_deref().map(|reason| ("reason", text::clean(reason))));
    rows.extend(service.said.as_deref().map(|said| ("says", text::clean(said))));
    rows
}

/// What is looked up for `describe` beside the session itself.
#[derive(Debug, Default)]
pub struct Details {
    /// What it uses, if it runs.
    pub usage: Option<Usage>,
    /// How its service is defined.
    pub spec: Option<ServiceSpec>,
    /// Nobody stopped it: its schedule counts.
    pub is_scheduled: bool,
    /// How its last run ended.
    pub death: Option<death::Death>,
    /// Folder of its journal.
    pub journal: Option<String>,
}

/// Lines of the last run that `describe` shows; `why` has more.
const LAST_WORDS: usize = 5;

/// Returns how a service is defined, as far as that is not the default or told already.
pub fn definition_rows(details: &Details) -> Vec<(&'static str, String)> {
    /// Told of the session.
    const TOLD: [&str; 5] = ["command", "cwd", "kind", "tags", "size"];
    let Some(spec) = &details.spec else { return Vec::new() };
    let file = String::from_utf8_lossy(&spec.source).into_owned();
    let mut rows =
        vec![("defined by", if file.is_empty() { "the command line".to_owned() } else { text::clean(&file) })];
    let usual = crate::config::services::shown(&ServiceSpec::default());
    for (key, value) in crate::config::services::shown(spec) {
        let is_usual = usual.iter().any(|(other, default)| (other, default) == (&key, &value));
        // How it is restarted and ended is asked for even where it is as always.
        let is_asked = key == "restart";
        if (!is_usual || is_asked) && !TOLD.contains(&key.as_str()) {
            rows.push(("", format!("{key} = {}", text::clean(&value))));
        }
    }
    if let Some(plan) = &spec.schedule
        && details.is_scheduled
    {
        let now = clock::wall_ms();
        let next = schedule::next_after(&plan.cron, &plan.zone, now);
        let at = next.and_then(|next| Some(format!("{}, in {}", clock::rfc3339(next)?, text::age(next - now))));
        rows.push(("scheduled", at.unwrap_or_else(|| "never".to_owned())));
    }
    let own = spec.env.iter().filter(|variable| variable.origin != Origin::Inherited).count();
    let name = text::clean(&spec.full_name());
    rows.push(("environment", format!("{own} of its own, {} inherited; `rpm env {name}`", spec.env.len() - own)));
    rows
}

/// Returns how its last run ended, in lines.
pub fn last_words(details: &Details) -> Vec<String> {
    let Some(death) = &details.death else { return Vec::new() };
    let at = moment(death, clock::wall_ms());
    let skipped = death.lines.len().saturating_sub(LAST_WORDS);
    let lines = death.lines.iter().skip(skipped).map(|line| format!("    {}\n", text::clean(line)));
    std::iter::once(format!("{:<12} {at}  {}\n", "last end", telling::sentence(death, fault))).chain(lines).collect()
}

/// How a run ended, as JSON: also of one that is followed by another one.
pub fn ending(status: &Status) -> Ending {
    Ending::of(status.run_end())
}

/// Prints an environment: what each value is and where it came from.
pub fn env(spec: &ServiceSpec, is_json: bool) {
    let origin = |origin: Origin| match origin {
        Origin::Inherited => "inherited".to_owned(),
        Origin::Config => String::from_utf8_lossy(&spec.source).into_owned(),
        Origin::Cli => "command line".to_owned(),
        Origin::File(n) => spec
            .env_file
            .get(usize::from(n))
            .map_or_else(String::new, |path| String::from_utf8_lossy(path).into_owned()),
    };
    // The later one wins; what it lies over is of no use any more.
    let mut last: Vec<&Variable> = Vec::new();
    for variable in &spec.env {
        last.retain(|other| other.name != variable.name);
        last.push(variable);
    }
    last.retain(|variable| variable.value.is_some());
    // What was asked for comes first: the rest is most of it.
    last.sort_by(|a, b| (a.origin == Origin::Inherited, &a.name).cmp(&(b.origin == Origin::Inherited, &b.name)));
    let copies = if spec.instances > 1 { format!("0 to {}", spec.instances - 1) } else { "0".to_owned() };
    let ours = [("RUNPM_SERVICE", spec.full_name()), (spec.instance_var.as_str(), copies)];
    let ours = ours.into_iter().filter(|(name, _)| !name.is_empty());
    let ours = ours.map(|(name, value)| [name.to_owned(), value, "runpm".to_owned()]);
    let rows = last.iter().map(|variable| {
        let text = |bytes: &[u8]| text::clean(&String::from_utf8_lossy(bytes));
        let value = variable.value.as_ref().map(|value| text(value)).unwrap_or_default();
        [text(&variable.name), value, origin(variable.origin)]
    });
    let rows: Vec<[String; 3]> = ours.chain(rows).collect();
    if is_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|[name, value, origin]| serde_json::json!({ "name": name, "value": value, "origin": origin }))
            .collect();
        crate::cli::output::json("env", &rows);
    } else {
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|[name, value, origin]| vec![origin, format!("{name}={value}")]).collect();
        crate::cli::output::table(&["FROM", "VARIABLE"], &rows);
    }
}
