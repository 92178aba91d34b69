//! Keys of a service.

use serde_bytes::ByteBuf;

use crate::config::services::key::Base;
use crate::config::services::key::Key;
use crate::config::services::key::Type;
use crate::config::services::key::key;
use crate::config::services::nested;
use crate::config::services::nested::infos;
use crate::config::services::nested::table;
use crate::config::services::nested::word_of;
use crate::config::services::nested::write_table;
use crate::config::services::probes;
use crate::config::services::value;
use crate::config::services::variables;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::environment::Policy;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::Condition;
use crate::session::service::policy::CrashLoop;
use crate::session::service::policy::Dependency;
use crate::session::service::policy::LogCaps;
use crate::session::service::policy::Restart;
use crate::session::service::policy::Schedule;
use crate::session::service::policy::Stop;
use crate::session::service::policy::Watch;
use crate::session::service::spec;
use crate::session::service::spec::ServiceSpec;
use crate::session::spec::Kind;
use crate::session::text;

const KINDS: &[(&str, Kind)] = &[("pipe", Kind::Pipe), ("pty", Kind::Pty)];
const POLICIES: &[(&str, Policy)] = &[("inherit", Policy::Inherit), ("login", Policy::Login), ("clear", Policy::Clear)];
const RESTARTS: &[(&str, Restart)] =
    &[("no", Restart::No), ("on-failure", Restart::OnFailure), ("always", Restart::Always)];
/// Words for what must be true of a dependency.
pub const CONDITIONS: &[(&str, Condition)] = &[
    ("started", Condition::Started),
    ("ready", Condition::Ready),
    ("completed", Condition::Completed),
    ("healthy", Condition::Healthy),
];

/// All keys, in the order in which they are read and written: what others need comes first.
pub const KEYS: &[Key<ServiceSpec>] = &[
    key(
        "namespace",
        Type::Text,
        "\"default\"",
        "what it belongs to; its full name is then `NAMESPACE/NAME`, and two projects may both have a `web`",
        |it, node, _| name(node).map(|name| it.namespace = name),
        |it| Some(value::write_text(&it.namespace)),
    ),
    key(
        "tags",
        Type::Texts,
        "[]",
        "words to select it by: `@WORD`",
        |it, node, _| value::strings(node).map(|tags| it.tags = tags),
        |it| Some(value::write_list(it.tags.iter().map(|tag| value::write_text(tag)))),
    ),
    key(
        "shell",
        Type::Flag,
        "false",
        "commands that are one text go to `/bin/sh -c`; else they are split into words",
        |_, node, _| value::flag(node).map(|_| ()),
        |it| Some(it.command.shell.to_string()),
    ),
    key(
        "command",
        Type::Command,
        "",
        "what runs: `[\"program\", \"argument\"]`, or a text; must be given",
        |it, node, base| value::command(node, base).map(|command| it.command = command),
        |it| (!it.command.words.is_empty()).then(|| value::write_command(&it.command)),
    ),
    key(
        "cwd",
        Type::Path,
        "",
        "working directory; without it, the folder of the file",
        |it, node, base| value::path(node, base).map(|path| it.cwd = path),
        |it| (!it.cwd.is_empty()).then(|| value::write_bytes_text(&it.cwd)),
    ),
    key(
        "env_policy",
        Type::Choice(&["inherit", "login", "clear"]),
        "\"inherit\"",
        "what its environment starts from: that of whoever starts it, that of a login, or nothing",
        |it, node, _| value::choice(node, POLICIES).map(|policy| it.env_policy = policy),
        |it| Some(word_of(POLICIES, it.env_policy)),
    ),
    key(
        "env_file",
        Type::Paths,
        "",
        "files with lines `NAME=VALUE` that are laid over it; what they hold is never shown",
        |it, node, base| value::paths(node, base).map(|files| it.env_file = files),
        |it| {
            let files = || it.env_file.iter().map(|file| value::write_bytes_text(file));
            (!it.env_file.is_empty()).then(|| value::write_list(files()))
        },
    ),
    key(
        "env",
        Type::Variables,
        "",
        "variables that are laid over that; taken literally, nothing is expanded",
        variables::read,
        variables::write,
    ),
    key("env_remove", Type::Texts, "[]", "names of variables that it does not get", variables::read_removed, |it| {
        Some(variables::write_removed(it))
    }),
    key(
        "kind",
        Type::Choice(&["pipe", "pty"]),
        "\"pipe\"",
        "`pty` for programs that want a terminal; both can be attached to",
        |it, node, _| value::choice(node, KINDS).map(|kind| it.kind = kind),
        |it| Some(word_of(KINDS, it.kind)),
    ),
    key(
        "size",
        Type::Text,
        "\"80x24\"",
        "columns x rows of its terminal until somebody attaches",
        |it, node, _| {
            let written = value::string(node)?;
            text::size(&written)
                .map(|size| it.size = size)
                .or_else(|_| value::expected(node, "a size such as \"120x40\""))
        },
        |it| Some(value::write_text(&format!("{}x{}", it.size.cols(), it.size.rows()))),
    ),
    key(
        "instances",
        Type::Count(1, spec::INSTANCES as i64),
        "1",
        "copies that run; with several they are `NAME:0`, `NAME:1`, …",
        |it, node, _| value::count(node, 1, spec::INSTANCES.into()).map(|instances| it.instances = instances),
        |it| Some(it.instances.to_string()),
    ),
    key(
        "instance_var",
        Type::Text,
        "\"RUNPM_INSTANCE\"",
        "variable with the number of the copy, from 0; empty for none",
        |it, node, _| {
            it.instance_var = value::string(node)?;
            variables::name_fault(&it.instance_var)
                .filter(|_| !it.instance_var.is_empty())
                .map_or(Ok(()), |why| Err(node.fault(format!("cannot be the name of a variable: {why}"))))
        },
        |it| Some(value::write_text(&it.instance_var)),
    ),
    key(
        "autostart",
        Type::Flag,
        "true",
        "started with its file, by `rpm start` and `rpm apply`; else by its name, its schedule or who needs it",
        |it, node, _| value::flag(node).map(|autostart| it.autostart = autostart),
        |it| Some(it.autostart.to_string()),
    ),
    key(
        "restart",
        Type::Choice(&["no", "on-failure", "always"]),
        "\"always\"",
        "when it is started again after it ended by itself",
        |it, node, _| value::choice(node, RESTARTS).map(|restart| it.restart = restart),
        |it| Some(word_of(RESTARTS, it.restart)),
    ),
    key(
        "success_codes",
        Type::Codes,
        "[0]",
        "exit codes that are no failure",
        |it, node, _| codes(node).map(|codes| it.success_codes = codes),
        |it| Some(value::write_list(it.success_codes.iter().map(u8::to_string))),
    ),
    key(
        "stop_codes",
        Type::Codes,
        "[]",
        "exit codes after which it is not started again, whatever `restart` says",
        |it, node, _| codes(node).map(|codes| it.stop_codes = codes),
        |it| Some(value::write_list(it.stop_codes.iter().map(u8::to_string))),
    ),
    key(
        "backoff",
        Type::Table(|| infos(nested::BACKOFF)),
        "",
        "pauses between its end and its next start",
        |it, node, base| table(nested::BACKOFF, "backoff", &mut it.backoff, node, base),
        |it| write_table(nested::BACKOFF, &it.backoff, &Backoff::default()),
    ),
    key(
        "crash_loop",
        Type::Table(|| infos(nested::CRASH_LOOP)),
        "",
        "when it is called a crash loop",
        |it, node, base| table(nested::CRASH_LOOP, "crash_loop", &mut it.crash_loop, node, base),
        |it| write_table(nested::CRASH_LOOP, &it.crash_loop, &CrashLoop::default()),
    ),
    key(
        "stop",
        Type::Table(|| infos(nested::STOP)),
        "",
        "how it is ended",
        |it, node, base| table(nested::STOP, "stop", &mut it.stop, node, base),
        |it| write_table(nested::STOP, &it.stop, &Stop::default()),
    ),
    key(
        "depends_on",
        Type::Dependencies,
        "[]",
        "what it needs before it starts: `[\"db\"]`, or `{ db = \"healthy\" }`; a name alone means `ready`",
        |it, node, base| dependencies(node, base).map(|found| it.depends_on = found),
        |it| Some(write_dependencies(it)),
    ),
    key(
        "readiness",
        Type::Either(&Type::Table(|| infos(probes::READINESS)), &Type::Choice(&["notify"])),
        "",
        "how it is known to be ready; without it, it is once it runs",
        |it, node, base| probes::readiness(node, base).map(|readiness| it.readiness = Some(readiness)),
        |it| it.readiness.as_ref().and_then(probes::write_readiness),
    ),
    key(
        "liveness",
        Type::Table(|| infos(probes::LIVENESS)),
        "",
        "how it is known to be still well; failing that it is restarted, with back-off",
        |it, node, base| probes::liveness(node, base).map(|liveness| it.liveness = Some(liveness)),
        |it| it.liveness.as_ref().and_then(probes::write_liveness),
    ),
    key(
        "watch",
        Type::Either(&Type::Table(|| infos(nested::WATCH)), &Type::Either(&Type::Flag, &Type::Paths)),
        "",
        "files whose change restarts it; `true` is the working directory",
        watch,
        |it| {
            let watch = it.watch.as_ref()?;
            write_table(nested::WATCH, watch, &Watch::default()).or(Some("true".to_owned()))
        },
    ),
    key(
        "schedule",
        Type::Either(&Type::Table(|| infos(nested::SCHEDULE)), &Type::Text),
        "",
        "times at which it is started; a text is `cron`",
        schedule,
        |it| it.schedule.as_ref().and_then(|schedule| write_table(nested::SCHEDULE, schedule, &Schedule::default())),
    ),
    key(
        "max_memory",
        Type::Bytes,
        "",
        "it is restarted when its whole tree has more memory",
        |it, node, _| value::bytes(node).map(|bytes| it.max_memory = Some(bytes)),
        |it| it.max_memory.map(value::write_size),
    ),
    key(
        "nice",
        Type::Count(-20, 19),
        "",
        "niceness; without it, that of whoever starts it",
        |it, node, _| value::count(node, -20, 19).map(|nice| it.nice = Some(nice)),
        |it| it.nice.map(|nice| nice.to_string()),
    ),
    key(
        "umask",
        Type::Mask,
        "",
        "file mode creation mask in octal, as text: `\"022\"`",
        |it, node, _| {
            let digits = node.text().filter(|text| text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()));
            let mask = digits.and_then(|text| u32::from_str_radix(text, 8).ok()).filter(|mask| *mask <= 0o777);
            it.umask =
                Some(mask.map_or_else(|| value::expected(node, "a mask in octal as text, such as \"022\""), Ok)?);
            Ok(())
        },
        |it| it.umask.map(|mask| value::write_text(&format!("{mask:03o}"))),
    ),
    key(
        "limits",
        Type::Table(|| infos(nested::LIMITS)),
        "",
        "resource limits, soft and hard: `{ nofile = 4096, core = \"unlimited\" }`",
        |it, node, base| {
            table(nested::LIMITS, "limits", &mut it.limits, node, base)?;
            it.limits.sort_by_key(|limit| limit.resource);
            Ok(())
        },
        |it| write_table(nested::LIMITS, &it.limits, &Vec::new()),
    ),
    key(
        "log",
        Type::Table(|| infos(nested::LOG)),
        "",
        "what is kept of its output on disk",
        |it, node, base| table(nested::LOG, "log", &mut it.log, node, base),
        |it| write_table(nested::LOG, &it.log, &LogCaps::default()),
    ),
];

/// Reads the name of a namespace.
fn name(node: &Node) -> Result<String, Fault> {
    let name = value::string(node)?;
    match spec::name_fault(&name) {
        Some(fault) => Err(node.fault(format!("cannot be {name:?}: {fault}"))),
        None => Ok(name),
    }
}

fn codes(node: &Node) -> Result<Vec<u8>, Fault> {
    value::list(node, "a list of exit codes such as [0, 143]", |node| value::count(node, 0, 255))
}

fn dependencies(node: &Node, base: &Base) -> Result<Vec<Dependency>, Fault> {
    let full = |name: &str| match name.split_once('/') {
        Some((namespace, name)) => spec::full_name(namespace, name),
        None => spec::full_name(&base.namespace, name),
    };
    let found: Vec<Dependency> = match &node.value {
        Value::Text(name) => vec![Dependency { name: full(name), condition: Condition::default() }],
        Value::List(items) => items
            .iter()
            .map(|item| Ok(Dependency { name: full(&value::string(item)?), condition: Condition::default() }))
            .collect::<Result<_, Fault>>()?,
        Value::Table(entries) => entries
            .iter()
            .map(|entry| {
                let condition = value::choice(&entry.node, CONDITIONS)?;
                Ok(Dependency { name: full(&entry.name), condition })
            })
            .collect::<Result<_, Fault>>()?,
        _ => return value::expected(node, "a list of names, or a table from names to conditions"),
    };
    let twice = found.iter().enumerate().find(|(at, one)| found[..*at].iter().any(|other| other.name == one.name));
    match twice {
        Some((_, twice)) => Err(node.fault(format!("names `{}` twice", twice.name))),
        None => Ok(found),
    }
}

/// Writes names as they are read in the service's own namespace.
fn write_dependencies(it: &ServiceSpec) -> String {
    let name = |dependency: &Dependency| match dependency.name.split_once('/') {
        Some((namespace, name)) if namespace == it.namespace => name.to_owned(),
        None if it.namespace != spec::DEFAULT_NAMESPACE => format!("{}/{}", spec::DEFAULT_NAMESPACE, dependency.name),
        _ => dependency.name.clone(),
    };
    if it.depends_on.iter().all(|dependency| dependency.condition == Condition::default()) {
        return value::write_list(it.depends_on.iter().map(|dependency| value::write_text(&name(dependency))));
    }
    let pair = |dependency: &Dependency| {
        format!("{} = {}", value::write_name(&name(dependency)), word_of(CONDITIONS, dependency.condition))
    };
    format!("{{ {} }}", it.depends_on.iter().map(pair).collect::<Vec<_>>().join(", "))
}

fn watch(it: &mut ServiceSpec, node: &Node, base: &Base) -> Result<(), Fault> {
    let mut watch = Watch::default();
    match &node.value {
        Value::Flag(false) => {
            it.watch = None;
            return Ok(());
        }
        Value::Flag(true) => {}
        Value::Table(_) => table(nested::WATCH, "watch", &mut watch, node, base)?,
        Value::Text(_) | Value::List(_) => watch.paths = value::paths(node, base)?,
        _ => return value::expected(node, "true, a list of paths, or a table"),
    }
    if watch.paths.is_empty() {
        watch.paths.push(if it.cwd.is_empty() { folder(base) } else { it.cwd.clone() });
    }
    it.watch = Some(watch);
    Ok(())
}

fn folder(base: &Base) -> ByteBuf {
    ByteBuf::from(base.folder.as_os_str().as_encoded_bytes())
}

fn schedule(it: &mut ServiceSpec, node: &Node, base: &Base) -> Result<(), Fault> {
    let mut schedule = Schedule::default();
    match &node.value {
        Value::Text(_) => {
            let [cron, ..] = nested::SCHEDULE else { return Ok(()) };
            (cron.set)(&mut schedule, node, base)?;
        }
        _ => table(nested::SCHEDULE, "schedule", &mut schedule, node, base)?,
    }
    if schedule.cron.is_empty() {
        return Err(node.fault("does not say when: it needs `cron`"));
    }
    it.schedule = Some(schedule);
    Ok(())
}
