//! `rpm doctor`: what could go wrong on this system, and what to do about it.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::config;
use crate::platform::detach;
use crate::platform::endpoint::Place;
use crate::protocol::hello::VERSION;
use crate::protocol::verbs;
use crate::session::graphics;
use crate::session::text;

/// Longest wait for a terminal's answer.
const ANSWER: Duration = Duration::from_millis(200);

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Ok,
    Note,
    Bad,
}

/// One check.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    grade: Grade,
    text: String,
    todo: Option<String>,
}

/// Runs all checks; fails if one of them is bad.
pub fn doctor(args: &args::Doctor) -> u8 {
    let findings =
        [folders(), settings(), daemon(), startup(), containment(), logout(), name(), terminal(), pictures(args.probe)];
    if args.json {
        output::json("findings", &findings);
    } else {
        for finding in &findings {
            let grade = format!("{:?}", finding.grade).to_lowercase();
            output::print(format!("{grade:<5} {:<9} {}\n", finding.what, finding.text).as_bytes());
            if let Some(todo) = &finding.todo {
                output::print(format!("{:<15} do: {todo}\n", "").as_bytes());
            }
        }
    }
    let is_bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
    if is_bad { exit::FAILURE } else { exit::OK }
}

fn finding(what: &'static str, grade: Grade, text: impl Into<String>, todo: Option<&str>) -> Finding {
    Finding { what, grade, text: text.into(), todo: todo.map(str::to_owned) }
}

fn folders() -> Finding {
    match Place::open() {
        Ok(place) => finding("folders", Grade::Ok, format!("{} is ours alone", place.runtime.display()), None),
        Err(error) => finding("folders", Grade::Bad, error.to_string(), Some(error.hint())),
    }
}

fn settings() -> Finding {
    let Ok(place) = Place::open() else { return finding("settings", Grade::Note, "no folder to read them from", None) };
    let path = place.config();
    let findings = config::load(&place).findings;
    match findings.first() {
        None if path.exists() => finding("settings", Grade::Ok, format!("{} is fine", path.display()), None),
        None => finding("settings", Grade::Ok, "the defaults: there is no file", None),
        Some(first) => {
            let more = if findings.len() > 1 { format!(" (and {} more)", findings.len() - 1) } else { String::new() };
            let text = text::clean(&format!("{}:{first}{more}", path.display()));
            finding("settings", Grade::Note, text, Some("`rpm config check` shows all"))
        }
    }
}

fn daemon() -> Finding {
    let report = Client::connect().and_then(|mut client| client.call(&verbs::DaemonStatus {}));
    match report {
        Ok(report) if report.version == VERSION => {
            let restarts = format!("restarted {} times", report.restarts);
            finding("daemon", Grade::Ok, format!("version {}, pid {}, {restarts}", report.version, report.pid), None)
        }
        Ok(report) => {
            let text = format!("is version {} (pid {}), this is {VERSION}", report.version, report.pid);
            finding(
                "daemon",
                Grade::Note,
                text,
                Some("`rpm shutdown` ends it with its sessions; the next command starts this version"),
            )
        }
        Err(Error::NotRunning) => finding("daemon", Grade::Ok, "does not run; it starts when it is needed", None),
        Err(error) => Finding { what: "daemon", grade: Grade::Bad, text: error.to_string(), todo: error.hint() },
    }
}

/// Says what the daemon left out of the settings, and what it could not start by itself.
fn startup() -> Finding {
    let report = Client::connect().and_then(|mut client| client.call(&verbs::DaemonStatus {}));
    let faults = report.map(|report| report.faults).unwrap_or_default();
    match &faults[..] {
        [] => finding("startup", Grade::Ok, "nothing was left out", None),
        [first, more @ ..] => {
            let more = if more.is_empty() { String::new() } else { format!(" (and {} more)", more.len()) };
            let todo = "`rpm daemon status` shows all; what is mended counts for the daemon that starts next";
            finding("startup", Grade::Note, text::clean(&format!("{first}{more}")), Some(todo))
        }
    }
}

/// Says by what the processes of a session are known. The keeper looked when it started.
fn containment() -> Finding {
    let report = Client::connect().and_then(|mut client| client.call(&verbs::DaemonStatus {}));
    match report {
        Ok(verbs::DaemonReport { groups: Some(path), .. }) => {
            finding("contain", Grade::Ok, format!("each session has a control group of its own, in {path}"), None)
        }
        Ok(verbs::DaemonReport { ungrouped: Some(why), .. }) => {
            let text =
                format!("no control groups ({why}): processes are told by session, limit, tag, parents, terminal");
            finding(
                "contain",
                Grade::Note,
                text,
                Some("start the first session under `systemd-run --user --scope -p Delegate=yes`"),
            )
        }
        _ => finding("contain", Grade::Ok, "not known while no daemon runs", None),
    }
}

/// Says whether the system would end sessions at logout.
fn logout() -> Finding {
    let uid = rustix::process::getuid().as_raw().to_string();
    let lingers = || ask("loginctl", &["show-user", &uid, "--property=Linger", "--value"]);
    // A keeper in a private folder is nobody's unit, and one that was started inside a login is still there.
    let is_unit = Place::open().is_ok_and(|place| !place.is_private) && !keeper_is_in_a_login();
    if is_unit && detach::has_user_manager() {
        return match lingers().as_deref() {
            Some("yes") => finding("logout", Grade::Ok, "sessions outlive it: lingering is on", None),
            Some("no") => {
                let text = "the user manager, and every session in it, ends some seconds after the last logout";
                finding("logout", Grade::Bad, text, Some("loginctl enable-linger"))
            }
            _ => finding("logout", Grade::Note, "cannot tell whether lingering is on", Some("loginctl enable-linger")),
        };
    }
    let login = "org.freedesktop.login1";
    let kills = ask(
        "busctl",
        &["get-property", login, "/org/freedesktop/login1", &format!("{login}.Manager"), "KillUserProcesses"],
    );
    match kills.as_deref() {
        Some("b true") => {
            let todo = "set KillUserProcesses=no in logind.conf, or run `loginctl enable-linger`";
            finding("logout", Grade::Bad, "the system ends every process of yours at logout", Some(todo))
        }
        Some("b false") => finding("logout", Grade::Ok, "sessions outlive it", None),
        _ => finding("logout", Grade::Ok, "no login manager answers here, so nothing ends sessions at logout", None),
    }
}

/// Returns whether a keeper runs inside a login's own control group, `session-N.scope`.
fn keeper_is_in_a_login() -> bool {
    let report = Client::connect().and_then(|mut client| client.call(&verbs::DaemonStatus {}));
    let group =
        report.ok().and_then(|report| std::fs::read_to_string(format!("/proc/{}/cgroup", report.keeper_pid)).ok());
    group.is_some_and(|group| group.contains("/session-"))
}

/// Returns the trimmed output of a command that exists and succeeds.
fn ask(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(std::process::Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Says whether another `rpm` is on the path.
fn name() -> Finding {
    let own = env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    let paths = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&paths).map(|dir| dir.join("rpm")).find(|path| path.is_file());
    match found {
        Some(path)
            if Some(&canonical(&path)) != own.as_ref() && canonical(&path).file_name() != own_name().as_deref() =>
        {
            let text = format!("`rpm` on your PATH is {}, the package manager perhaps", path.display());
            finding("name", Grade::Note, text, Some("call this program `runpm`: it is the same"))
        }
        _ => finding("name", Grade::Ok, "no other `rpm` is in the way", None),
    }
}

fn canonical(path: &Path) -> std::path::PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn own_name() -> Option<std::ffi::OsString> {
    env::current_exe().ok()?.file_name().map(std::ffi::OsStr::to_owned)
}

fn terminal() -> Finding {
    match env::var("TERM") {
        Ok(term) if term != "dumb" && !term.is_empty() => {
            finding("terminal", Grade::Ok, format!("TERM is {term}"), None)
        }
        _ => finding(
            "terminal",
            Grade::Note,
            "TERM is dumb or missing: the dashboard cannot draw here",
            Some("the commands work; see `rpm --help`"),
        ),
    }
}

/// Says which pictures the terminal can show; with `is_asked` the terminal itself is asked.
fn pictures(is_asked: bool) -> Finding {
    let wish = env::var("RUNPM_GRAPHICS").unwrap_or_default();
    if let Some(fault) = graphics::wish_fault(&wish) {
        return finding("pictures", Grade::Note, format!("{wish:?} means nothing"), Some(&fault));
    }
    let report = match is_asked.then(|| inherit::probed_graphics(ANSWER)).transpose() {
        Ok(report) => report.unwrap_or_else(inherit::graphics),
        Err(error) => return finding("pictures", Grade::Note, format!("the terminal cannot be asked: {error}"), None),
    };
    let found = [&report.sixel, &report.kitty, &report.iterm2];
    let each = graphics::NAMES.into_iter().zip(found).map(|(name, found)| {
        let source = if found.source.is_empty() { String::new() } else { format!(" ({})", found.source) };
        format!("{name} {}{source}", format!("{:?}", found.status).to_lowercase())
    });
    let mut text = each.collect::<Vec<_>>().join(", ");
    if !report.risks.is_empty() {
        let risks: Vec<String> = report.risks.iter().map(|risk| format!("{risk:?}").to_lowercase()).collect();
        text = format!("{text}; between: {}", risks.join(", "));
    }
    let is_unknown = found.iter().any(|found| found.status == graphics::Support::Unknown);
    let todo = (is_unknown && !is_asked).then_some("`rpm doctor --probe` asks the terminal itself");
    finding("pictures", Grade::Ok, text, todo)
}
