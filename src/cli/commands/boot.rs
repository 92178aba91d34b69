//! `rpm startup`, `rpm unstartup`: services that come back when the computer starts.

use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report::say;
use crate::client::Error;
use crate::platform::detach;
use crate::platform::endpoint::Place;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;

/// Name of the unit.
const UNIT: &str = "runpm.service";

/// `rpm startup`: a unit of this user's own manager; no rights of anybody else are needed.
pub fn startup(args: &args::Startup) -> Result<u8, Error> {
    if let Some(system) = args.system.as_ref().filter(|system| *system != "systemd") {
        say(&format!("rpm: {} is not known here; this user's systemd is asked", crate::session::text::clean(system)));
    }
    let program =
        std::env::current_exe().map_err(|error| failed(format!("cannot tell where this program is: {error}")))?;
    let program = program.display().to_string();
    if Place::open()?.is_private {
        let error = WireError::new(Code::Invalid, "RUNPM_DIR is set, and what starts at boot does not know of it");
        return Err(error.hint("unset it, or put `RUNPM_DIR=… rpm resurrect` into the system's own start-up").into());
    }
    if !detach::has_user_manager() {
        say(&format!(
            "rpm: there is no systemd user manager here; nothing was written\n  try: let the system's own start-up run `{program} resurrect` as you (cron: `@reboot {program} resurrect`)"
        ));
        return Ok(exit::FAILURE);
    }
    let path = path()?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| failed(format!("cannot make {}: {error}", folder.display())))?;
    }
    std::fs::write(&path, unit(&program))
        .map_err(|error| failed(format!("cannot write {}: {error}", path.display())))?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", UNIT])?;
    output::print(format!("{}\n", path.display()).as_bytes());
    say_whether_it_lingers();
    Ok(exit::OK)
}

/// `rpm unstartup`.
pub fn unstartup() -> Result<u8, Error> {
    let path = path()?;
    if !path.exists() {
        say("rpm: nothing starts at boot; nothing was done");
        return Ok(exit::OK);
    }
    if detach::has_user_manager() {
        systemctl(&["disable", UNIT])?;
    }
    std::fs::remove_file(&path).map_err(|error| failed(format!("cannot remove {}: {error}", path.display())))?;
    output::print(format!("{} removed\n", path.display()).as_bytes());
    Ok(exit::OK)
}

/// The keeper gets a unit of its own from whoever starts it, so ending this one ends nothing by force.
fn unit(program: &str) -> String {
    let quoted = format!("\"{}\"", program.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"));
    format!(
        "[Unit]\nDescription=runpm: services that were wanted\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nKillMode=process\nTimeoutStopSec=40\nExecStart={quoted} resurrect\nExecStop={quoted} shutdown\n\n[Install]\nWantedBy=default.target\n"
    )
}

fn path() -> Result<PathBuf, Error> {
    let folders = directories::BaseDirs::new().ok_or_else(|| failed("this user has no home directory".to_owned()))?;
    Ok(folders.config_dir().join("systemd/user").join(UNIT))
}

fn systemctl(args: &[&str]) -> Result<(), Error> {
    let output = Command::new("systemctl").arg("--user").args(args).stdin(Stdio::null()).output();
    let why = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Err(failed(format!("systemctl --user {} failed: {}", args.join(" "), crate::session::text::clean(&why))))
}

/// Without lingering the manager starts at the first login and ends with the last one.
fn say_whether_it_lingers() {
    let uid = rustix::process::getuid().as_raw().to_string();
    let output = Command::new("loginctl").args(["show-user", &uid, "--property=Linger", "--value"]).output();
    let lingers = output.is_ok_and(|output| output.stdout.starts_with(b"yes"));
    if lingers {
        say("rpm: services come back at boot: lingering is on");
    } else {
        say(
            "rpm: services come back at your first login and end with your last one: lingering is off\n  try: `loginctl enable-linger`",
        );
    }
}

fn failed(message: String) -> Error {
    WireError::new(Code::Failed, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w64_r10_the_unit_starts_services_and_ends_them_politely() {
        let unit = unit("/opt/my \"tools\"/rpm");
        assert!(unit.contains("ExecStart=\"/opt/my \\\"tools\\\"/rpm\" resurrect\n"), "{unit}");
        assert!(unit.contains("KillMode=process") && unit.contains(" shutdown\n"));
    }
}
