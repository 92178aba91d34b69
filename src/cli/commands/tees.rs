//! `rpm tee`, `rpm tees`, `rpm untee`: copies of what sessions say.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::cli::report::say;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::Follow;
use crate::client::follow::Chunk;
use crate::client::follow::Wish;
use crate::client::inherit;
use crate::history::ExitStatus;
use crate::platform::clock;
use crate::platform::sink;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::TeeFrom;
use crate::protocol::verbs::TeeInfo;
use crate::session::id::TeeId;
use crate::session::status::signal_name;
use crate::session::target;
use crate::session::tee;
use crate::session::tee::Target;
use crate::session::tee::TeeSpec;
use crate::session::tee::TeeState;
use crate::session::tee::TeeStatus;
use crate::session::text;
use crate::tee::Cook;

/// `rpm tee`.
pub fn tee(args: &args::Tee) -> Result<u8, Error> {
    match args.to.as_deref().map(OsStr::as_bytes) {
        Some(b"-") => here(args, None),
        Some(to) if to.starts_with(b"fd:") => {
            let number = std::str::from_utf8(&to[3..]).ok().and_then(|text| text.parse().ok());
            here(args, Some(number.ok_or_else(|| invalid("`fd:` is followed by a number", "write fd:3"))?))
        }
        _ => there(args),
    }
}

fn invalid(message: &str, hint: &str) -> Error {
    WireError::new(Code::Invalid, message).hint(hint).into()
}

/// Has a process of its own make the copy, beside the keeper.
fn there(args: &args::Tee) -> Result<u8, Error> {
    let target = match (&args.to, &args.to_command) {
        (Some(path), _) if path.is_empty() => Target::File(ByteBuf::new()),
        (Some(path), _) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
            Target::File(ByteBuf::from(path.as_os_str().as_bytes()))
        }
        (None, command) => Target::Command(ByteBuf::from(command.as_deref().unwrap_or_default().as_bytes())),
    };
    let is_command = matches!(target, Target::Command(_));
    let max_size = args.max_size.unwrap_or(0);
    let spec = TeeSpec {
        source: args.stream.map(Into::into).unwrap_or_default(),
        target,
        policy: args.policy.map(Into::into).unwrap_or_default(),
        max_size,
        keep: if max_size > 0 { args.keep.unwrap_or(tee::KEPT) } else { 0 },
        truncate: args.truncate,
        timestamps: args.timestamps,
        strip: args.strip,
    };
    let started = Client::connect()?.call(&verbs::Tee {
        key: client::request_key(),
        target: args.target.clone(),
        spec,
        from: args.from,
        launch: is_command.then(|| inherit::launch(Vec::new(), None)),
    })?;
    if args.json {
        output::json("tee", &serde_json::json!({ "id": started.id.0, "from": started.from }));
    } else {
        output::print(format!("{}\n", started.id).as_bytes());
    }
    Ok(exit::OK)
}

/// A descriptor belongs to the process that has it: this one makes the copy, and ends with it.
fn here(args: &args::Tee, number: Option<i32>) -> Result<u8, Error> {
    if args.policy.is_some() || args.max_size.is_some() || args.truncate || args.json {
        return Err(invalid(
            "a descriptor of this command is only written to",
            "leave out --policy, --max-size, --truncate and --json",
        ));
    }
    let stream = match args.stream.map(tee::Source::from) {
        Some(tee::Source::In) => {
            return Err(invalid(
                "input is copied to files and commands only",
                "give --to FILE or --to-command COMMAND",
            ));
        }
        source => source.and_then(tee::Source::stream),
    };
    let mut out: File = match number {
        None | Some(1) => io::stdout().as_fd().try_clone_to_owned(),
        Some(2) => io::stderr().as_fd().try_clone_to_owned(),
        Some(0) => io::stdin().as_fd().try_clone_to_owned(),
        Some(number) => sink::inherited(number),
    }
    .map_err(|_| invalid("that descriptor is not open", "open it in the shell: rpm tee … --to fd:3 3>FILE"))?
    .into();
    let from = match args.from {
        TeeFrom::Now => None,
        TeeFrom::Start => Some(0),
        TeeFrom::Offset(offset) => Some(offset),
    };
    let is_start = args.from == TeeFrom::Start;
    let follow = Follow::start(Client::connect()?, Wish { target: args.target.clone(), from, stream })?;
    let stamps: Option<fn(u64) -> String> = args.timestamps.then_some(clock::rfc3339_us);
    let mut cook = Cook::new(args.strip, stamps);
    let mut code = exit::OK;
    for chunk in follow {
        match chunk? {
            Chunk::Bytes { time_us, bytes, .. } => {
                let mut cooked = Vec::new();
                if !cook.is_plain() {
                    cook.feed(&bytes, time_us, &mut cooked);
                }
                if let Err(error) = out.write_all(if cook.is_plain() { &bytes } else { &cooked }) {
                    return Ok(cannot_write(&error));
                }
            }
            // What was gone before we came is no loss to somebody who wants what there is.
            Chunk::Missed { at: 0, .. } if is_start => {}
            Chunk::Missed { bytes, .. } => {
                cook.gap();
                say(&format!("rpm: {bytes} bytes were overwritten before they could be read"));
                code = exit::GAP;
            }
            Chunk::Resize { .. } | Chunk::Exit { .. } | Chunk::Torn { .. } => {}
            Chunk::End(_) => break,
        }
    }
    Ok(code)
}

fn cannot_write(error: &io::Error) -> u8 {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return exit::OK;
    }
    say(&format!("rpm: cannot write the copy\n  cause: {error}"));
    exit::FAILURE
}

/// `rpm tees`.
pub fn tees(args: &args::Tees) -> Result<u8, Error> {
    let tees = match Client::connect() {
        Err(Error::NotRunning) if target::may_be_nobody(&args.targets) => Vec::new(),
        client => client?.call(&verbs::Tees { targets: args.targets.clone() })?.tees,
    };
    if args.json {
        output::json("tees", &tees.iter().map(json).collect::<Vec<_>>());
    } else if tees.is_empty() {
        say("no tees; `rpm tee SESSION --to FILE` makes one");
    } else {
        let rows: Vec<Vec<String>> = tees.iter().map(row).collect();
        output::table(&["TEE", "SESSION", "STREAM", "STATE", "WRITTEN", "WAITING", "MISSED", "TO"], &rows);
    }
    Ok(exit::OK)
}

/// `rpm untee`. A plain number is a tee: no session can be named so.
pub fn untee(args: &args::Untee) -> Result<u8, Error> {
    let (ids, targets): (Vec<&String>, Vec<&String>) =
        args.targets.iter().partition(|target| target.parse::<u64>().is_ok());
    let untee = verbs::Untee {
        key: client::request_key(),
        ids: ids.iter().filter_map(|id| id.parse().ok().map(TeeId)).collect(),
        targets: targets.into_iter().cloned().collect(),
    };
    let answer = match Client::connect() {
        Err(Error::NotRunning) if target::may_be_nobody(&args.targets) => verbs::Unteed::default(),
        client => client?.call(&untee)?,
    };
    if args.json {
        output::json_beside("tees", &answer.tees.iter().map(json).collect::<Vec<_>>(), &answer.errors);
    } else if answer.tees.is_empty() && answer.errors.is_empty() {
        say("rpm: no tee is selected; nothing was done");
    } else {
        for tee in &answer.tees {
            output::print(format!("{}\n", ended(tee)).as_bytes());
        }
    }
    let code = report::items(&answer.errors);
    Ok(if code != exit::OK {
        code
    } else if answer.tees.iter().any(|tee| tee.status.missed > 0) {
        exit::GAP
    } else if answer.tees.iter().any(|tee| tee.status.state == TeeState::Failed) {
        exit::FAILURE
    } else {
        exit::OK
    })
}

fn ended(tee: &TeeInfo) -> String {
    let TeeStatus { written, missed, .. } = tee.status;
    let missed = if missed > 0 { format!(", {missed} missed") } else { String::new() };
    let slow = (tee.status.missed > 0).then(|| "the target did not take them in time".to_owned());
    let why = failure(tee).or(slow).map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{} {written} bytes written{missed}{why}", tee.id)
}

/// Says what went wrong, if something did.
fn failure(tee: &TeeInfo) -> Option<String> {
    let TeeStatus { state, errno, exit, death, .. } = tee.status;
    match (exit, death) {
        (Some(ExitStatus::Code(code)), _) if code > 0 || state == TeeState::Failed => {
            Some(format!("the command ended with {code}"))
        }
        (Some(ExitStatus::Signal(signal)), _) => Some(format!("the command was ended by {}", signal_name(signal))),
        (None, Some(ExitStatus::Signal(signal))) if state == TeeState::Failed => {
            Some(format!("its process was ended by {}", signal_name(signal)))
        }
        (None, Some(ExitStatus::Code(code))) if code > 0 => Some(format!("its process ended with {code}")),
        _ if errno == 0 => None,
        _ => {
            let text = io::Error::from_raw_os_error(errno).to_string();
            Some(text.split(" (os error").next().unwrap_or_default().to_lowercase())
        }
    }
}

fn destination(spec: &TeeSpec) -> String {
    match &spec.target {
        Target::File(path) => text::quote(&[path]),
        Target::Command(command) => format!("| {}", text::clean(&String::from_utf8_lossy(command))),
    }
}

fn row(tee: &TeeInfo) -> Vec<String> {
    let state = tee.status.state.name();
    vec![
        tee.id.to_string(),
        text::clean(&tee.name),
        tee.spec.source.name().to_owned(),
        failure(tee).map_or_else(|| state.to_owned(), |why| format!("{state} ({why})")),
        tee.status.written.to_string(),
        tee.status.waiting.to_string(),
        tee.status.missed.to_string(),
        destination(&tee.spec),
    ]
}

fn json(tee: &TeeInfo) -> serde_json::Value {
    let (file, command) = match &tee.spec.target {
        Target::File(path) => (Some(String::from_utf8_lossy(path)), None),
        Target::Command(command) => (None, Some(String::from_utf8_lossy(command))),
    };
    let (code, signal) = match tee.status.exit {
        Some(ExitStatus::Code(code)) => (Some(code), None),
        Some(ExitStatus::Signal(signal)) => (None, Some(signal_name(signal))),
        None => (None, None),
    };
    serde_json::json!({
        "id": tee.id.0,
        "session": tee.session.to_string(),
        "name": tee.name,
        "file": file,
        "command": command,
        "stream": tee.spec.source.name(),
        "policy": tee.spec.policy.name(),
        "max_size": tee.spec.max_size,
        "keep": tee.spec.keep,
        "timestamps": tee.spec.timestamps,
        "strip": tee.spec.strip,
        "state": tee.status.state.name(),
        "from": tee.from,
        "offset": tee.status.offset,
        "written": tee.status.written,
        "waiting": tee.status.waiting,
        "missed": tee.status.missed,
        "errno": tee.status.errno,
        "error": failure(tee),
        "rotated": tee.status.rotated,
        "reopened": tee.status.reopened,
        "code": code,
        "signal": signal,
        "pid": tee.pid,
        "started": clock::rfc3339(tee.started_ms),
    })
}
