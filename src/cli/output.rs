//! What goes to standard output: aligned columns or JSON, and nothing else.

mod pm2;
mod services;
mod wide;

use std::io::IsTerminal;
use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::cli::color;
use crate::cli::usage::Usages;
use crate::history::ExitStatus;
use crate::history::Stream;
use crate::platform::clock;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::journal::JournalStatus;
use crate::session::sizing::SizeOwner;
use crate::session::spec::Kind;
use crate::session::status::End;
use crate::session::status::State;
use crate::session::status::Status;
use crate::session::status::signal_name;
use crate::session::text;

pub use self::pm2::array as pm2;
pub use self::services::Acted;
pub use self::services::Details;
pub use self::services::History;
pub use self::services::env;
pub use self::services::why;
pub use self::wide::Measured;

/// Version of the JSON that reading commands print.
pub const SCHEMA: u32 = 1;

/// A session as JSON: ids are strings, times RFC 3339.
#[derive(Debug, Serialize)]
pub struct Session {
    id: String,
    name: String,
    state: &'static str,
    /// When what is stopping will be killed.
    killed_at: Option<String>,
    #[serde(flatten)]
    end: Ending,
    kind: Kind,
    command: String,
    argv: Vec<String>,
    cwd: String,
    pid: u32,
    rows: Option<u16>,
    cols: Option<u16>,
    size_owner: Option<SizeOwner>,
    merged: bool,
    started: Option<String>,
    last_output: Option<String>,
    output_bytes: u64,
    oldest_byte: u64,
    attached: Vec<Attached>,
    title: Option<String>,
    tags: Vec<String>,
    originator: Option<String>,
    service: Option<services::Service>,
    journal: Option<Journal>,
}

/// A history on disk as JSON.
#[derive(Debug, Serialize)]
struct Journal {
    folder: String,
    bytes: u64,
    segments: u32,
    oldest_byte: u64,
    end_byte: u64,
    since: Option<String>,
    dropped_bytes: u64,
    error: Option<String>,
}

impl From<&JournalStatus> for Journal {
    fn from(journal: &JournalStatus) -> Self {
        Self {
            folder: journal.folder.clone(),
            bytes: journal.bytes,
            segments: journal.segments,
            oldest_byte: journal.oldest,
            end_byte: journal.end,
            since: clock::rfc3339(journal.since_ms),
            dropped_bytes: journal.dropped,
            error: journal_error(journal),
        }
    }
}

fn journal_error(journal: &JournalStatus) -> Option<String> {
    let text = std::io::Error::from_raw_os_error(journal.errno).to_string();
    (journal.errno != 0).then(|| text.split(" (os error").next().unwrap_or_default().to_lowercase())
}

#[derive(Debug, Serialize)]
struct Attached {
    who: String,
    user: String,
    tty: Option<String>,
    host: Option<String>,
    is_tty: bool,
    terminal: Option<Terminal>,
    controls: bool,
    shares: bool,
    stream: Option<Stream>,
    raw: bool,
    since: Option<String>,
}

/// A client's terminal as JSON.
#[derive(Debug, Serialize)]
struct Terminal {
    term: String,
    rows: u16,
    cols: u16,
    width_pixels: Option<u16>,
    height_pixels: Option<u16>,
    graphics: crate::session::graphics::Report,
}

impl From<&crate::session::terminal::Terminal> for Terminal {
    fn from(terminal: &crate::session::terminal::Terminal) -> Self {
        Self {
            term: text::clean(&terminal.term),
            rows: terminal.size.rows(),
            cols: terminal.size.cols(),
            width_pixels: terminal.pixels.map(|pixels| pixels.width),
            height_pixels: terminal.pixels.map(|pixels| pixels.height),
            graphics: terminal.graphics.clone(),
        }
    }
}

impl From<&Status> for Session {
    fn from(status: &Status) -> Self {
        let is_terminal = status.kind == Kind::Pty;
        Self {
            id: status.id.to_string(),
            name: status.name.clone(),
            state: match status.state {
                State::Running => "running",
                State::Stopping { .. } => "stopping",
                State::Ended { .. } => "ended",
            },
            killed_at: match status.state {
                State::Stopping { kill_at_ms } => clock::rfc3339(kill_at_ms),
                State::Running | State::Ended { .. } => None,
            },
            end: services::ending(status),
            kind: status.kind,
            command: status.command.clone(),
            argv: status.argv.clone(),
            cwd: status.cwd.clone(),
            pid: status.pid,
            rows: is_terminal.then(|| status.size.rows()),
            cols: is_terminal.then(|| status.size.cols()),
            size_owner: is_terminal.then_some(status.size_owner),
            merged: status.merged,
            started: clock::rfc3339(status.started_ms),
            last_output: clock::rfc3339(status.output_ms),
            output_bytes: status.output_bytes,
            oldest_byte: status.oldest,
            attached: status.attached.iter().map(Attached::from).collect(),
            title: status.title.as_deref().map(text::clean),
            tags: status.tags.clone(),
            originator: status.originator.clone(),
            service: status.service.as_ref().map(services::Service::from),
            journal: status.journal.as_ref().map(Journal::from),
        }
    }
}

impl From<&crate::session::status::Attached> for Attached {
    fn from(attached: &crate::session::status::Attached) -> Self {
        Self {
            who: attached.who.to_string(),
            user: attached.who.user.clone(),
            tty: attached.who.tty.clone(),
            host: attached.who.host.clone(),
            is_tty: attached.terminal.is_some(),
            terminal: attached.terminal.as_ref().map(Terminal::from),
            controls: attached.controls,
            shares: attached.shares,
            stream: attached.stream,
            raw: attached.raw,
            since: clock::rfc3339(attached.since_ms),
        }
    }
}

/// What became of one session, as JSON; without id where none is called so.
#[derive(Debug, Serialize)]
pub struct Outcome {
    id: Option<String>,
    name: String,
    #[serde(flatten)]
    end: Ending,
    error: Option<WireError>,
    skipped: bool,
    may_belong: Vec<u32>,
}

impl From<&verbs::Outcome> for Outcome {
    fn from(outcome: &verbs::Outcome) -> Self {
        Self {
            id: (outcome.id != SessionId::default()).then(|| outcome.id.to_string()),
            name: outcome.name.clone(),
            end: Ending::of(outcome.end.as_ref()),
            error: outcome.error.clone(),
            skipped: outcome.skipped,
            may_belong: outcome.suspects.clone(),
        }
    }
}

/// How a session ended, as JSON: all null while it has not.
#[derive(Debug, Default, Serialize)]
pub struct Ending {
    code: Option<u8>,
    signal: Option<String>,
    how: Option<String>,
    by: Option<String>,
    ended: Option<String>,
    left: Vec<u32>,
}

impl Ending {
    /// Takes an end apart.
    pub fn of(end: Option<&End>) -> Self {
        let Some(end) = end else { return Self::default() };
        let (code, signal) = match end.status {
            Some(ExitStatus::Code(code)) => (Some(code), None),
            Some(ExitStatus::Signal(signal)) => (None, Some(signal_name(signal))),
            None => (None, None),
        };
        Self {
            code,
            signal,
            how: Some(format!("{:?}", end.how).to_lowercase()),
            by: end.by.clone(),
            ended: clock::rfc3339(end.at_ms),
            left: end.left.clone(),
        }
    }
}

/// Returns whether what goes to standard output may have colours.
pub fn is_coloured() -> bool {
    color::is_on()
}

/// Prints text; a reader that went away is no error.
pub fn print(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
        unwritten(&error);
    }
}

/// Something could not be written: what was asked for was not told, whatever came of it.
static IS_INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// Returns the code to end with, where all went well but the telling.
#[must_use]
pub fn code_of(code: u8) -> u8 {
    let is_incomplete = IS_INCOMPLETE.load(Ordering::Relaxed);
    if code == crate::cli::exit::OK && is_incomplete { crate::cli::exit::FAILURE } else { code }
}

/// Says, once, that output could not be written, and returns the code for it; that its reader went away is no error.
pub fn unwritten(error: &std::io::Error) -> u8 {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return crate::cli::exit::OK;
    }
    if IS_INCOMPLETE.swap(true, Ordering::Relaxed) {
        return crate::cli::exit::FAILURE;
    }
    crate::cli::report::say(&format!("rpm: cannot write to standard output\n  cause: {error}"));
    crate::cli::exit::FAILURE
}

/// Prints one JSON value with its schema version.
pub fn json<T: Serialize>(name: &str, value: &T) {
    let document = serde_json::json!({ "version": SCHEMA, name: value });
    print(format!("{document:#}\n").as_bytes());
}

/// Prints one JSON value with its schema version, and what was wrong with some of what was asked for, if anything was.
pub fn json_beside<T: Serialize>(name: &str, value: &T, errors: &[WireError]) {
    if errors.is_empty() {
        return json(name, value);
    }
    let document = serde_json::json!({ "version": SCHEMA, name: value, "errors": errors });
    print(format!("{document:#}\n").as_bytes());
}

/// Prints one JSON value with its schema version as one line; `false` when nobody reads any more.
pub fn json_line<T: Serialize>(name: &str, value: &T) -> bool {
    line(&serde_json::json!({ "version": SCHEMA, name: value }).to_string())
}

/// Prints a line at once; `false` when nobody reads any more.
pub fn line(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    if let Err(error) = &written {
        unwritten(error);
    }
    written.is_ok()
}

/// Prints sessions as JSON, and which were asked for in vain.
pub fn json_sessions(sessions: &[Measured], errors: &[WireError]) {
    json_beside("sessions", &sessions, errors);
}

/// Prints aligned columns; the last one is as long as it is.
pub fn table(head: &[&str], rows: &[Vec<String>]) {
    let widths: Vec<usize> = (0..head.len())
        .map(|n| rows.iter().map(|row| width(&row[n])).chain([head[n].len()]).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    let head: Vec<String> = head.iter().map(|&title| title.to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (n, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if n + 1 < row.len() {
                line.extend(std::iter::repeat_n(' ', widths[n] - width(cell) + 2));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    print(text.as_bytes());
}

fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Bytes of a command on a terminal.
const COMMAND: usize = 60;

/// Prints sessions for people; with what they use, where that was measured.
pub fn list(sessions: &[Status], usages: Option<&Usages>) {
    if sessions.is_empty() {
        crate::cli::report::say("no sessions; `rpm run -- COMMAND` starts one");
        return;
    }
    let now = clock::wall_ms();
    // On a terminal a long command would break the columns; in a pipe nothing is cut.
    let room = if std::io::stdout().is_terminal() { COMMAND } else { usize::MAX };
    if let Some(usages) = usages {
        wide::wide(sessions, usages, room);
        return;
    }
    let row = |status: &Status| {
        let attached = match (status.attached.len(), status.controller()) {
            (0, _) => "-".to_owned(),
            (n, Some(who)) => format!("{n} ({})", who.who),
            (n, None) => n.to_string(),
        };
        let output = match status.output_ms {
            0 => "-".to_owned(),
            at => text::age(now.saturating_sub(at)),
        };
        vec![
            status.id.to_string(),
            text::clean(&status.name),
            status.word_at(now),
            if status.started_ms == 0 { "-".to_owned() } else { text::age(now.saturating_sub(status.started_ms)) },
            attached,
            output,
            text::shorten(&status.command, room),
        ]
    };
    let mut rows: Vec<Vec<String>> = sessions.iter().map(row).collect();
    let mut head = vec!["ID", "NAME", "STATE", "AGE", "ATTACHED", "OUTPUT", "COMMAND"];
    if sessions.iter().any(|status| status.service.is_some()) {
        head.insert(4, "RESTARTS");
        for (row, status) in rows.iter_mut().zip(sessions) {
            row.insert(4, status.service.as_ref().map_or_else(|| "-".to_owned(), |it| it.restarts.to_string()));
        }
    }
    table(&head, &rows);
}

/// Whose size a session's terminal has.
fn size_rule(status: &Status) -> &'static str {
    match status.size_owner {
        SizeOwner::Latest => "of who typed last",
        SizeOwner::Smallest => "the smallest of its controllers",
        SizeOwner::Manual => "set by `rpm resize`",
    }
}

fn started(status: &Status) -> String {
    match clock::rfc3339(status.started_ms) {
        None => "not yet".to_owned(),
        Some(at) if status.run_end().is_some() => at,
        Some(at) => format!("{at}, {}", services::ago(clock::wall_ms().saturating_sub(status.started_ms))),
    }
}

/// Prints all about one session for people.
pub fn describe(status: &Status, details: &Details) {
    let time = |ms: u64| clock::rfc3339(ms).unwrap_or_else(|| "-".to_owned());
    let mut rows = vec![
        ("name", text::clean(&status.name)),
        ("id", status.id.to_string()),
        ("state", status.word_at(clock::wall_ms())),
        ("command", status.command.clone()),
        ("directory", text::clean(&status.cwd)),
        ("kind", format!("{:?}", status.kind).to_lowercase()),
        (if status.run_end().is_none() { "pid" } else { "last pid" }, status.pid.to_string()),
        ("started", started(status)),
        ("last output", time(status.output_ms)),
        ("output", format!("{} bytes, in memory from {}", status.output_bytes, status.oldest)),
    ];
    if status.kind == Kind::Pty {
        rows.insert(7, ("size", format!("{}, {}", status.size, size_rule(status))));
    }
    if let Some(journal) = &status.journal {
        let since = if journal.since_ms == 0 { String::new() } else { format!(" since {}", time(journal.since_ms)) };
        let segments = if journal.segments == 1 { "segment" } else { "segments" };
        rows.push(("journal", format!("{} in {} {segments}{since}", text::amount(journal.bytes), journal.segments)));
        rows.extend(details.journal.iter().map(|folder| ("", text::clean(folder))));
        if journal.dropped > 0 {
            rows.push(("dropped", format!("{}, which the disk did not take", text::amount(journal.dropped))));
        }
        rows.extend(journal_error(journal).map(|error| ("disk", error)));
    }
    rows.extend(details.usage.iter().flat_map(wide::rows));
    rows.extend(services::rows(status));
    rows.extend(services::definition_rows(details));
    if let Some(end) = status.run_end().filter(|end| end.at_ms > 0) {
        rows.push(("ended", time(end.at_ms)));
        rows.push(("how", format!("{:?}", end.how).to_lowercase()));
        rows.extend(end.by.clone().map(|by| ("by", by)));
        if !end.left.is_empty() {
            let left: Vec<String> = end.left.iter().map(u32::to_string).collect();
            rows.push(("still there", format!("processes {}", left.join(" "))));
        }
    }
    rows.extend(status.title.as_deref().map(|title| ("title", text::clean(title))));
    rows.extend((!status.tags.is_empty()).then(|| ("tags", text::clean(&status.tags.join(" ")))));
    rows.extend(status.originator.as_deref().map(|tool| ("originator", text::clean(tool))));
    for attached in &status.attached {
        let does = match (attached.controls, attached.shares) {
            (true, true) => "shares control",
            (true, false) => "controls",
            (false, _) => "watches",
        };
        let stream = match attached.stream {
            Some(Stream::Out) => " of its output",
            Some(Stream::Err) => " of its errors",
            Some(Stream::Terminal) | None => "",
        };
        rows.push(("attached", format!("{} {does}{stream} since {}", attached.who, time(attached.since_ms))));
    }
    let width = rows.iter().map(|(key, _)| key.len()).max().unwrap_or(0).max(12);
    let mut lines: Vec<String> = rows.iter().map(|(key, value)| format!("{key:<width$} {value}\n")).collect();
    lines.extend(services::last_words(details));
    print(lines.concat().as_bytes());
}
