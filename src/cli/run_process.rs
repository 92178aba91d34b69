//! The hidden subcommands: this same program as keeper, as daemon and as a tee.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;

use tracing_appender::rolling::RollingFileAppender;
use tracing_appender::rolling::Rotation;
use tracing_subscriber::EnvFilter;

use crate::cli::exit;
use crate::cli::report::say;
use crate::client::launch;
use crate::daemon;
use crate::keeper;
use crate::platform::endpoint::Place;
use crate::tee;

/// Runs the keeper; its first line of output is `ready` or the reason why not.
pub fn keeper() -> u8 {
    let refuse = |reason: String| {
        let _ = writeln!(std::io::stdout(), "{reason}");
        exit::FAILURE
    };
    let place = match Place::open() {
        Ok(place) => place,
        Err(error) => return refuse(error.to_string()),
    };
    let lock = match place.keeper_lock() {
        Ok(Some(lock)) => lock,
        Ok(None) => return refuse(format!("a keeper runs in {} already", place.runtime.display())),
        Err(error) => return refuse(format!("cannot lock {}: {error}", place.runtime.display())),
    };
    std::panic::set_hook(Box::new(|info| {
        // Half a keeper is worse than none: the next start reports what it owned.
        say(&format!("keeper: {info}"));
        std::process::abort();
    }));
    match keeper::run(place, lock, ready) {
        Ok(()) => exit::OK,
        Err(error) => {
            say(&format!("keeper: {error}"));
            refuse(error.to_string())
        }
    }
}

/// Tells the client that it can connect, and lets go of its pipe.
fn ready() {
    let _ = writeln!(std::io::stdout(), "{}", launch::READY);
    if let Ok(null) = std::fs::File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(null.as_fd());
    }
}

/// Runs the daemon on the socket that the keeper gave as standard input.
pub fn daemon() -> u8 {
    let place = match Place::open() {
        Ok(place) => place,
        Err(error) => {
            say(&format!("daemon: {error}"));
            return exit::FAILURE;
        }
    };
    let socket = match take_stdin() {
        Ok(socket) => socket,
        Err(error) => {
            say(&format!("daemon: cannot take the keeper's socket: {error}"));
            return exit::FAILURE;
        }
    };
    log_to_files(&place);
    match daemon::run(place, socket) {
        Ok(()) => exit::OK,
        Err(error) => {
            tracing::error!(%error, "ended");
            exit::FAILURE
        }
    }
}

/// Takes the socket that the keeper gave as standard input, and leaves nothing in its place.
fn take_stdin() -> std::io::Result<OwnedFd> {
    let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    Ok(socket)
}

/// Runs a tee; what it has to say is in its memory.
pub fn tee() -> u8 {
    match take_stdin().and_then(tee::run) {
        Ok(()) => exit::OK,
        Err(error) => {
            say(&format!("tee: {error}"));
            exit::FAILURE
        }
    }
}

/// A file a day, seven kept; `daemon.log` itself takes what goes to standard error: panics.
fn log_to_files(place: &Place) {
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("daemon")
        .filename_suffix("log")
        .max_log_files(7)
        .build(&place.state);
    match files {
        Ok(files) => {
            let filter = EnvFilter::try_from_env("RUNPM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
            let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(files);
            let _ = subscriber.try_init();
        }
        Err(error) => say(&format!("daemon: cannot write its log: {error}")),
    }
}
