//! Keys of `readiness` and `liveness`: one of them says how to ask, the others how often.

use crate::config::services::key::Base;
use crate::config::services::key::Key;
use crate::config::services::key::Type;
use crate::config::services::key::key;
use crate::config::services::nested::table;
use crate::config::services::nested::write_factor;
use crate::config::services::nested::write_table;
use crate::config::services::value;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::service::probe::Liveness;
use crate::session::service::probe::Pace;
use crate::session::service::probe::Probe;
use crate::session::service::probe::Readiness;
use crate::session::service::probe::Rhythm;
use crate::session::service::probe::StatusRange;

/// A probe while its keys are read.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    probe: Option<Probe>,
    status: Option<StatusRange>,
    pace: Pace,
    rhythm: Rhythm,
}

impl Draft {
    fn ask(&mut self, node: &Node, probe: Probe) -> Result<(), Fault> {
        if self.probe.is_some() {
            return Err(node.fault("is a second way to ask; there can be one"));
        }
        self.probe = Some(probe);
        Ok(())
    }

    /// Puts the answer that counts into the probe, and returns it.
    fn finish(self, node: &Node, all: &str) -> Result<Self, Fault> {
        let probe = match (self.probe, self.status) {
            (None, _) => return Err(node.fault(format!("does not say how to ask: {all}"))),
            (Some(Probe::Http { url, .. }), Some(status)) => Probe::Http { url, status },
            (Some(_), Some(_)) => return Err(node.fault("has a `status`, which belongs to `http`")),
            (Some(probe), None) => probe,
        };
        Ok(Self { probe: Some(probe), status: None, ..self })
    }

    fn of(probe: &Probe) -> Self {
        let status = match probe {
            Probe::Http { status, .. } if *status != StatusRange::default() => Some(*status),
            _ => None,
        };
        Self { probe: Some(probe.clone()), status, ..Self::default() }
    }
}

/// Makes the keys that both have.
macro_rules! repeatable {
    ($name:ident, $type:ty, [$($before:expr),* $(,)?], [$($after:expr),* $(,)?]) => {
        /// Keys of the table.
        pub const $name: &[Key<Draft>] = &[
            $($before,)*
            key(
                "tcp",
                Type::Address,
                "",
                "`\"HOST:PORT\"` accepts a connection; a port alone is of this machine",
                |it, node, _| address(node).and_then(|address| it.ask(node, Probe::Tcp(address))),
                |it| if let Some(Probe::Tcp(address)) = &it.probe { Some(value::write_text(address)) } else { None },
            ),
            key(
                "unix",
                Type::Path,
                "",
                "a unix socket accepts a connection",
                |it, node, base| value::path(node, base).and_then(|path| it.ask(node, Probe::Unix(path))),
                |it| if let Some(Probe::Unix(path)) = &it.probe { Some(value::write_bytes_text(path)) } else { None },
            ),
            key(
                "http",
                Type::Text,
                "",
                "an `http://` URL answers with a status that is well",
                |it, node, _| {
                    let probe = Probe::Http { url: url(node)?, status: StatusRange::default() };
                    it.ask(node, probe)
                },
                |it| if let Some(Probe::Http { url, .. }) = &it.probe { Some(value::write_text(url)) } else { None },
            ),
            key(
                "status",
                Type::Status,
                "\"200-399\"",
                "what is well, for `http`",
                |it, node, _| status(node).map(|range| it.status = Some(range)),
                |it| it.status.map(|range| value::write_text(&format!("{}-{}", range.first, range.last))),
            ),
            key(
                "exec",
                Type::Command,
                "",
                "a command ends with 0, in the service's directory and environment",
                |it, node, base| value::inner_command(node, base).and_then(|command| it.ask(node, Probe::Exec(command))),
                |it| if let Some(Probe::Exec(command)) = &it.probe { Some(value::write_command(command)) } else { None },
            ),
            $($after,)*
        ];
    };
}

repeatable!(
    READINESS,
    Readiness,
    [
        key(
            "notify",
            Type::Flag,
            "",
            "it says `READY=1` to the socket in `NOTIFY_SOCKET`, as `sd_notify(3)` does",
            |it, node, _| if value::flag(node)? { it.ask(node, Probe::Notify) } else { Ok(()) },
            |it| matches!(it.probe, Some(Probe::Notify)).then(|| "true".to_owned()),
        ),
        key(
            "fd",
            Type::Count(3, 1023),
            "",
            "it writes a newline to this descriptor",
            |it, node, _| value::count(node, 3, 1023).and_then(|fd| it.ask(node, Probe::Fd(fd))),
            |it| if let Some(Probe::Fd(fd)) = it.probe { Some(fd.to_string()) } else { None },
        ),
        key(
            "log",
            Type::Text,
            "",
            "a whole line of its output, without escape sequences, matches this regular expression",
            |it, node, _| pattern(node).and_then(|pattern| it.ask(node, Probe::Log(pattern))),
            |it| if let Some(Probe::Log(pattern)) = &it.probe { Some(value::write_text(pattern)) } else { None },
        ),
    ],
    [
        key(
            "delay",
            Type::Duration,
            "",
            "so much time passed since its start",
            |it, node, _| value::duration(node).and_then(|delay| it.ask(node, Probe::Delay(delay))),
            |it| if let Some(Probe::Delay(delay)) = it.probe { Some(value::write_duration(delay)) } else { None },
        ),
        key(
            "initial",
            Type::Duration,
            "\"50ms\"",
            "first pause between questions",
            |it, node, _| value::duration(node).map(|pause| it.pace.initial = pause),
            |it| Some(value::write_duration(it.pace.initial)),
        ),
        key(
            "growth",
            Type::Number(1, 100),
            "1.5",
            "what each pause is multiplied by",
            |it, node, _| value::percent_of_factor(node, 1, 100).map(|percent| it.pace.growth_percent = percent),
            |it| Some(write_factor(it.pace.growth_percent)),
        ),
        key(
            "cap",
            Type::Duration,
            "\"1s\"",
            "longest pause",
            |it, node, _| value::duration(node).map(|pause| it.pace.cap = pause),
            |it| Some(value::write_duration(it.pace.cap)),
        ),
        key(
            "timeout",
            Type::Duration,
            "\"30s\"",
            "after so long it is called not ready; it runs on, and is asked on",
            |it, node, _| value::duration(node).map(|timeout| it.pace.timeout = timeout),
            |it| Some(value::write_duration(it.pace.timeout)),
        ),
    ]
);

repeatable!(
    LIVENESS,
    Liveness,
    [key(
        "watchdog",
        Type::Duration,
        "",
        "it says `WATCHDOG=1` at least so often, as `sd_watchdog_enabled(3)` does; silence is enough to restart it",
        |it, node, _| watchdog(node).and_then(|most| it.ask(node, Probe::Watchdog(most))),
        |it| if let Some(Probe::Watchdog(most)) = it.probe { Some(value::write_duration(most)) } else { None },
    )],
    [
        key(
            "period",
            Type::Duration,
            "\"10s\"",
            "time from one question to the next",
            |it, node, _| value::duration(node).map(|period| it.rhythm.period = period),
            |it| Some(value::write_duration(it.rhythm.period)),
        ),
        key(
            "timeout",
            Type::Duration,
            "\"1s\"",
            "time in which an answer must come",
            |it, node, _| value::duration(node).map(|timeout| it.rhythm.timeout = timeout),
            |it| Some(value::write_duration(it.rhythm.timeout)),
        ),
        key(
            "failures",
            Type::Count(1, 1000),
            "3",
            "so many failures in a row restart it",
            |it, node, _| value::count(node, 1, 1000).map(|failures| it.rhythm.failures = failures),
            |it| Some(it.rhythm.failures.to_string()),
        ),
    ]
);

/// Reads `readiness`.
pub fn readiness(node: &Node, base: &Base) -> Result<Readiness, Fault> {
    let mut draft = Draft::default();
    if node.text() == Some("notify") {
        return Ok(Readiness { probe: Probe::Notify, pace: draft.pace });
    }
    table(READINESS, "readiness", &mut draft, node, base)?;
    let draft = draft.finish(node, "notify, fd, log, tcp, unix, http, exec or delay")?;
    let pace = draft.pace;
    draft.probe.map(|probe| Readiness { probe, pace }).ok_or_else(|| node.fault("is empty"))
}

/// Reads `liveness`.
pub fn liveness(node: &Node, base: &Base) -> Result<Liveness, Fault> {
    let mut draft = Draft::default();
    table(LIVENESS, "liveness", &mut draft, node, base)?;
    let draft = draft.finish(node, "watchdog, tcp, unix, http or exec")?;
    let rhythm = draft.rhythm;
    draft.probe.map(|probe| Liveness { probe, rhythm }).ok_or_else(|| node.fault("is empty"))
}

/// Writes `readiness`.
pub fn write_readiness(readiness: &Readiness) -> Option<String> {
    let draft = Draft { pace: readiness.pace, ..Draft::of(&readiness.probe) };
    write_table(READINESS, &draft, &Draft::default())
}

/// Writes `liveness`.
pub fn write_liveness(liveness: &Liveness) -> Option<String> {
    let draft = Draft { rhythm: liveness.rhythm, ..Draft::of(&liveness.probe) };
    write_table(LIVENESS, &draft, &Draft::default())
}

/// Reads a regular expression; a fault names the character.
fn pattern(node: &Node) -> Result<String, Fault> {
    let written = value::string(node)?;
    let fault = match regex_syntax::Parser::new().parse(&written) {
        Ok(_) => None,
        Err(regex_syntax::Error::Parse(fault)) => Some((fault.kind().to_string(), fault.span().start.offset)),
        Err(regex_syntax::Error::Translate(fault)) => Some((fault.kind().to_string(), fault.span().start.offset)),
        Err(other) => Some((other.to_string(), 0)),
    };
    if let Some((why, offset)) = fault {
        let character = written.get(..offset).unwrap_or_default().chars().count() + 1;
        return Err(node.fault(format!("cannot be read as a regular expression: {why}, at its character {character}")));
    }
    // What can be parsed may still be too large to run.
    match regex::Regex::new(&written) {
        Ok(_) => Ok(written),
        Err(_) => Err(node.fault("is too large for a regular expression")),
    }
}

fn watchdog(node: &Node) -> Result<u64, Fault> {
    match value::duration(node)? {
        0 => Err(node.fault("must be longer than nothing")),
        most => Ok(most),
    }
}

fn address(node: &Node) -> Result<String, Fault> {
    let what = "\"HOST:PORT\" or a port";
    let port = |port: &str| port.parse::<u16>().ok().filter(|port| *port > 0);
    let here = |port: u16| format!("127.0.0.1:{port}");
    let found = match &node.value {
        Value::Integer(number) => port(&number.to_string()).map(here),
        Value::Text(text) => match text.rsplit_once(':') {
            Some(("", number)) => port(number).map(here),
            Some((host, number)) if !host.contains(['/', ' ', '\0']) => {
                port(number).map(|port| format!("{host}:{port}"))
            }
            Some(_) => None,
            None => port(text).map(here),
        },
        _ => None,
    };
    found.map_or_else(|| value::expected(node, what), Ok)
}

fn url(node: &Node) -> Result<String, Fault> {
    let url = value::string(node)?;
    if url.starts_with("https://") {
        return Err(node.fault("cannot be https; use `exec` with a command such as [\"curl\", \"-f\", \"https://…\"]"));
    }
    let host = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let is_plain = url.chars().all(|c| c.is_ascii_graphic());
    match host {
        Some(host) if is_plain && !host.is_empty() && !host.contains('@') => Ok(url),
        _ => value::expected(node, "a URL such as \"http://127.0.0.1:8080/health\""),
    }
}

fn status(node: &Node) -> Result<StatusRange, Fault> {
    let what = "a status such as 200, or a range such as \"200-399\"";
    let Some(text) = node.scalar() else { return value::expected(node, what) };
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if (100..=599).contains(&first) && (first..=599).contains(&last) => {
            Ok(StatusRange { first, last })
        }
        _ => value::expected(node, what),
    }
}
