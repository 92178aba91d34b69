//! Finding the daemon, or starting it: one client at a time, and the reason of a failure is never swallowed.

use std::env;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::client::error::Error;
use crate::platform::detach;
use crate::platform::endpoint;
use crate::platform::endpoint::Place;

/// What the keeper writes on its standard output once clients can connect.
pub const READY: &str = "ready";
/// Hidden subcommand that is the keeper.
pub const KEEPER: &str = "__keeper";

/// The current executable is ours: its `main` said so. A test harness is not.
static IS_OWN_MAIN: AtomicBool = AtomicBool::new(false);

/// Says that the current executable is `rpm` and may be started as keeper.
pub fn declare_own_main() {
    IS_OWN_MAIN.store(true, Ordering::Relaxed);
}

/// Connects to a running daemon; `None` when there is none.
pub fn find(place: &Place) -> Result<Option<UnixStream>, Error> {
    match place.connect() {
        Ok(stream) => Ok(Some(stream)),
        // Nobody listens: no socket, or one that a dead keeper left.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(source) => Err(Error::Unreachable { path: place.socket(), source }),
    }
}

/// Connects to the daemon, and starts one if there is none.
pub fn find_or_start(place: &Place) -> Result<UnixStream, Error> {
    if let Some(stream) = find(place)? {
        return Ok(stream);
    }
    let failed = |source: io::Error| Error::Start { reason: source.to_string() };
    // Whoever waited for the lock finds the daemon that the holder started.
    let _lock = place.start_lock().map_err(failed)?;
    if let Some(stream) = find(place)? {
        return Ok(stream);
    }
    start(place)?;
    find(place)?.ok_or_else(|| Error::Start { reason: "it was ready and is gone again".to_owned() })
}

fn start(place: &Place) -> Result<(), Error> {
    let failed = |reason: String| Error::Start { reason };
    let program = program().ok_or_else(|| failed("no `runpm` is on the PATH; set RUNPM_BIN to it".to_owned()))?;
    let mut said = String::new();
    // Where a user manager runs, the keeper becomes a unit of its own, so that the end of a login does not end it; a
    // private folder (tests) never touches the user manager. A manager that refuses without a word is done without.
    if !place.is_private && detach::has_user_manager() {
        let mut command = detach::unit_command();
        command.arg(&program).arg(KEEPER);
        said = first_line_of(command, place)?;
    }
    if said.is_empty() {
        let mut command = Command::new(&program);
        command.arg0("rpm-keeper").arg(KEEPER);
        detach::own_session(&mut command);
        said = first_line_of(command, place)?;
    }
    match said.as_str() {
        READY => Ok(()),
        "" => Err(failed(format!("it ended without a word; see {}", place.keeper_log().display()))),
        reason => Err(failed(reason.to_owned())),
    }
}

/// Runs a command whose output is ours and whose errors go to the keeper's log.
fn first_line_of(mut command: Command, place: &Place) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |reason: String| Error::Start { reason };
    let log = endpoint::open_log(&place.keeper_log()).map_err(|error| failed(error.to_string()))?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log));
    let child = command.spawn().map_err(|error| failed(format!("cannot run {program}: {error}")))?;
    Ok(first_line(child))
}

/// Waits for `ready` or the reason why not: one line, then end of file or not, depending on who else holds the pipe.
/// There is no time-out that would make a slow start a failed one.
fn first_line(mut child: Child) -> String {
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        let _ = BufReader::new(out.take(4096)).read_line(&mut line);
    }
    let _ = child.try_wait();
    line.trim().to_owned()
}

/// Which program becomes the keeper: an explicit one, ourselves if we are ours, else `runpm` from the PATH. Never
/// something that happens to be called `rpm`.
pub fn program() -> Option<PathBuf> {
    if let Some(path) = env::var_os("RUNPM_BIN").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    if IS_OWN_MAIN.load(Ordering::Relaxed)
        && let Ok(path) = env::current_exe()
        && path.exists()
    {
        return Some(path);
    }
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|dir| dir.join("runpm")).find(|path| path.is_file())
}
