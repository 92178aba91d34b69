//! `rpm daemon`: start it, ask how it is, read its log.

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::platform::endpoint::Place;
use crate::protocol::verbs;
use crate::session::text;

/// `rpm daemon start`.
pub fn start() -> Result<u8, Error> {
    let report = Client::connect_or_start()?.call(&verbs::DaemonStatus {})?;
    output::print(format!("version {}, pid {}\n", report.version, report.pid).as_bytes());
    Ok(exit::OK)
}

/// `rpm daemon status`.
pub fn status(args: &args::Json) -> Result<u8, Error> {
    let report = Client::connect()?.call(&verbs::DaemonStatus {})?;
    if args.json {
        output::json("daemon", &report);
        return Ok(exit::OK);
    }
    let restarts = match (&report.last_end, report.restarts) {
        (_, 0) => "never".to_owned(),
        (Some(end), n) => format!("{n} times; the last one {end}"),
        (None, n) => format!("{n} times"),
    };
    let size = |bytes: u64| {
        let tenths = bytes.saturating_mul(10) >> 20;
        format!("{}.{} MiB", tenths / 10, tenths % 10)
    };
    let ended = format!(
        "{} kept with {}; at most {} with {}",
        report.ended,
        size(report.ended_bytes),
        report.keep_ended,
        size(report.keep_ended_bytes)
    );
    let mut rows = vec![
        ("version", report.version),
        ("daemon", format!("pid {}, up {}", report.pid, text::age(report.up_ms))),
        ("keeper", format!("pid {}", report.keeper_pid)),
        ("restarted", restarts),
        ("sessions", report.sessions.to_string()),
        ("ended", ended),
        ("clients", report.clients.to_string()),
        ("socket", report.socket),
        ("log", report.log),
    ];
    rows.extend(report.faults.iter().map(|fault| ("fault", text::clean(fault))));
    for (key, value) in rows {
        output::print(format!("{key:<10} {value}\n").as_bytes());
    }
    Ok(exit::OK)
}

/// `rpm daemon logs`: also when no daemon runs, because then it is wanted most.
pub fn logs(args: &args::DaemonLogs) -> Result<u8, Error> {
    let place = Place::open()?;
    for path in std::iter::once(place.keeper_log()).chain(place.logs()) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(args.lines as usize)..] {
            output::print(format!("{line}\n").as_bytes());
        }
    }
    Ok(exit::OK)
}
