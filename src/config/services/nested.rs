//! Keys of the tables inside of a service: back-off, crash loop, stop, watch, schedule, limits, log.

use crate::config::services::key::Base;
use crate::config::services::key::Info;
use crate::config::services::key::Key;
use crate::config::services::key::Type;
use crate::config::services::key::key;
use crate::config::services::key::read;
use crate::config::services::value;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::platform::schedule;
use crate::session::key::Key as Stroke;
use crate::session::service::policy::Action;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::CrashLoop;
use crate::session::service::policy::LogCaps;
use crate::session::service::policy::Resource;
use crate::session::service::policy::ResourceLimit;
use crate::session::service::policy::Schedule;
use crate::session::service::policy::Stop;
use crate::session::service::policy::Watch;
use crate::session::status;

/// `backoff`.
pub const BACKOFF: &[Key<Backoff>] = &[
    key(
        "initial",
        Type::Duration,
        "\"100ms\"",
        "first pause; \"0\" starts at once, always",
        |it, node, _| value::duration(node).map(|pause| it.initial = pause),
        |it| Some(value::write_duration(it.initial)),
    ),
    key(
        "factor",
        Type::Number(1, 100),
        "2",
        "what each pause is multiplied by",
        |it, node, _| value::percent_of_factor(node, 1, 100).map(|percent| it.factor_percent = percent),
        |it| Some(write_factor(it.factor_percent)),
    ),
    key(
        "cap",
        Type::Duration,
        "\"30s\"",
        "longest pause",
        |it, node, _| value::duration(node).map(|pause| it.cap = pause),
        |it| Some(value::write_duration(it.cap)),
    ),
    key(
        "jitter",
        Type::Count(0, 100),
        "10",
        "so many percent are added or taken away by chance, so that many services do not come back in step",
        |it, node, _| value::count(node, 0, 100).map(|percent| it.jitter_percent = percent),
        |it| Some(it.jitter_percent.to_string()),
    ),
    key(
        "reset_after",
        Type::Duration,
        "\"10s\"",
        "once it was up for so long, its next start is immediate and pauses begin anew",
        |it, node, _| value::duration(node).map(|time| it.reset_after = time),
        |it| Some(value::write_duration(it.reset_after)),
    ),
];

/// `crash_loop`.
pub const CRASH_LOOP: &[Key<CrashLoop>] = &[
    key(
        "failures",
        Type::Count(1, 1_000_000),
        "10",
        "so many failures are a crash loop",
        |it, node, _| value::count(node, 1, 1_000_000).map(|failures| it.failures = failures),
        |it| Some(it.failures.to_string()),
    ),
    key(
        "window",
        Type::Duration,
        "\"60s\"",
        "when they come within this time",
        |it, node, _| value::duration(node).map(|window| it.window = window),
        |it| Some(value::write_duration(it.window)),
    ),
    key(
        "give_up",
        Type::Flag,
        "false",
        "not started any more then; else it is tried at the cap of its back-off",
        |it, node, _| value::flag(node).map(|gives_up| it.give_up = gives_up),
        |it| Some(it.give_up.to_string()),
    ),
];

/// `stop`.
pub const STOP: &[Key<Stop>] = &[
    key(
        "signal",
        Type::Signal,
        "\"TERM\"",
        "signal that asks it to end",
        |it, node, _| value::signal(node).map(|signal| it.signal = signal),
        |it| Some(value::write_text(&status::signal_name(it.signal))),
    ),
    key(
        "command",
        Type::Command,
        "",
        "runs before the signal, in the service's directory and environment",
        |it, node, base| value::inner_command(node, base).map(|command| it.command = Some(command)),
        |it| it.command.as_ref().map(value::write_command),
    ),
    key(
        "keys",
        Type::Texts,
        "[]",
        "typed into it before the signal: `[\"C-c\"]`, `[\"q\", \"Enter\"]`",
        |it, node, _| {
            it.keys = value::list(node, "a list of keys such as [\"C-c\", \"Enter\"]", |node| {
                let name = value::string(node)?;
                name.parse::<Stroke>().map_err(|why| node.fault(format!("has no key {name:?}: {why}")))?;
                Ok(name)
            })?;
            Ok(())
        },
        |it| Some(value::write_list(it.keys.iter().map(|name| value::write_text(name)))),
    ),
    key(
        "grace",
        Type::Duration,
        "\"5s\"",
        "time until whatever is left of its tree is killed",
        |it, node, _| value::duration(node).map(|grace| it.grace = grace),
        |it| Some(value::write_duration(it.grace)),
    ),
];

/// `watch`.
pub const WATCH: &[Key<Watch>] = &[
    key(
        "paths",
        Type::Paths,
        "",
        "files and folders with all below them; without it, the working directory",
        |it, node, base| value::paths(node, base).map(|paths| it.paths = paths),
        |it| Some(value::write_list(it.paths.iter().map(|path| value::write_bytes_text(path)))),
    ),
    key(
        "ignore",
        Type::Texts,
        "[]",
        "patterns as in `.gitignore` that are left out, beside `.git` and `node_modules`",
        |it, node, _| value::strings(node).map(|patterns| it.ignore = patterns),
        |it| Some(value::write_list(it.ignore.iter().map(|pattern| value::write_text(pattern)))),
    ),
    key(
        "debounce",
        Type::Duration,
        "\"300ms\"",
        "quiet time after the last change",
        |it, node, _| value::duration(node).map(|pause| it.debounce = pause),
        |it| Some(value::write_duration(it.debounce)),
    ),
];

/// Words of [`Action`].
const ACTIONS: &[(&str, Action)] = &[("start", Action::Start), ("restart", Action::Restart)];

/// `schedule`.
pub const SCHEDULE: &[Key<Schedule>] = &[
    key(
        "cron",
        Type::Text,
        "",
        "five fields (minute, hour, day, month, weekday), or six with seconds first",
        |it, node, _| {
            it.cron = value::string(node)?;
            schedule::cron_fault(&it.cron).map_or(Ok(()), |why| Err(node.fault(format!("cannot be read: {why}"))))
        },
        |it| Some(value::write_text(&it.cron)),
    ),
    key(
        "zone",
        Type::Text,
        "",
        "time zone such as `Europe/Berlin`; without it, the system's",
        |it, node, _| {
            it.zone = value::string(node)?;
            if schedule::has_zone(&it.zone) {
                Ok(())
            } else {
                value::expected(node, "a time zone such as \"Europe/Berlin\"")
            }
        },
        |it| Some(value::write_text(&it.zone)),
    ),
    key(
        "action",
        Type::Choice(&["start", "restart"]),
        "\"start\"",
        "`start` leaves alone what still runs, `restart` does not",
        |it, node, _| value::choice(node, ACTIONS).map(|action| it.action = action),
        |it| Some(word_of(ACTIONS, it.action)),
    ),
];

/// `log`.
pub const LOG: &[Key<LogCaps>] = &[
    key(
        "disk",
        Type::Flag,
        "true",
        "what it says is kept on disk, beside memory",
        |it, node, _| value::flag(node).map(|disk| it.disk = disk),
        |it| Some(it.disk.to_string()),
    ),
    key(
        "segment",
        Type::Bytes,
        "\"10M\"",
        "size after which a new file begins",
        |it, node, _| value::bytes(node).map(|bytes| it.segment = bytes),
        |it| Some(value::write_size(it.segment)),
    ),
    key(
        "segments",
        Type::Count(1, 10_000),
        "10",
        "files kept of each instance",
        |it, node, _| value::count(node, 1, 10_000).map(|segments| it.segments = segments),
        |it| Some(it.segments.to_string()),
    ),
    key(
        "total",
        Type::Bytes,
        "\"200M\"",
        "most bytes of each instance, whatever `segments` allows",
        |it, node, _| value::bytes(node).map(|bytes| it.total = bytes),
        |it| Some(value::write_size(it.total)),
    ),
];

/// Makes the key of one resource.
macro_rules! limit {
    ($name:literal, $resource:ident, $doc:literal) => {
        key(
            $name,
            Type::Limit,
            "",
            $doc,
            |it: &mut Vec<ResourceLimit>, node, _| {
                it.retain(|limit| limit.resource != Resource::$resource);
                limit(Resource::$resource, node).map(|limit| it.push(limit))
            },
            |it| it.iter().find(|limit| limit.resource == Resource::$resource).map(write_limit),
        )
    };
}

/// `limits`.
pub const LIMITS: &[Key<Vec<ResourceLimit>>] = &[
    limit!("as", As, "address space"),
    limit!("core", Core, "size of a core file"),
    limit!("cpu", Cpu, "processor time in seconds"),
    limit!("data", Data, "data segment"),
    limit!("fsize", Fsize, "size of a file it writes"),
    limit!("memlock", Memlock, "locked memory"),
    limit!("nofile", Nofile, "open files"),
    limit!("nproc", Nproc, "processes of the user"),
    limit!("stack", Stack, "stack"),
];

fn limit(resource: Resource, node: &Node) -> Result<ResourceLimit, Fault> {
    let one = |node: &Node| match (&node.value, node.text()) {
        (_, Some("unlimited")) => Ok(None),
        (Value::Integer(number), _) if *number >= 0 => Ok(Some(number.unsigned_abs())),
        (Value::Text(_), _) => value::bytes(node).map(Some),
        _ => value::expected(node, "a number, a size such as \"8M\", or \"unlimited\""),
    };
    let (soft, hard) = match &node.value {
        Value::List(pair) if pair.len() == 2 => (one(&pair[0])?, one(&pair[1])?),
        Value::List(_) => return value::expected(node, "[soft, hard]"),
        _ => (one(node)?, one(node)?),
    };
    if hard.is_some_and(|hard| soft.is_none_or(|soft| soft > hard)) {
        return Err(node.fault("has a soft limit above the hard one"));
    }
    Ok(ResourceLimit { resource, soft, hard })
}

fn write_limit(limit: &ResourceLimit) -> String {
    let one = |limit: Option<u64>| limit.map_or_else(|| "\"unlimited\"".to_owned(), |limit| limit.to_string());
    if limit.soft == limit.hard { one(limit.soft) } else { value::write_list([one(limit.soft), one(limit.hard)]) }
}

/// Writes a word.
pub fn word_of<T: Copy + PartialEq>(words: &[(&str, T)], value: T) -> String {
    let word = words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word);
    value::write_text(word)
}

/// Writes a factor.
pub fn write_factor(percent: u32) -> String {
    let whole = percent.is_multiple_of(100);
    if whole { (percent / 100).to_string() } else { (f64::from(percent) / 100.0).to_string() }
}

/// Lists what a table's keys are.
pub fn infos<S>(keys: &[Key<S>]) -> Vec<Info> {
    keys.iter().map(|key| key.info).collect()
}

/// Reads a table inside of a value; its first fault is the value's.
pub fn table<S>(keys: &[Key<S>], place: &str, it: &mut S, node: &Node, base: &Base) -> Result<(), Fault> {
    read(keys, place, it, node, base).into_iter().next().map_or(Ok(()), Err)
}

/// Writes a table inline, without what is as in `default`; `None` when nothing is left.
pub fn write_table<S>(keys: &[Key<S>], it: &S, default: &S) -> Option<String> {
    let pairs = keys.iter().filter_map(|key| {
        let written = (key.get)(it)?;
        (Some(&written) != (key.get)(default).as_ref()).then(|| format!("{} = {written}", key.info.name))
    });
    let pairs: Vec<String> = pairs.collect();
    (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
}
