//! Letting the keeper outlive the login that started it.
#![expect(unsafe_code, reason = "pre_exec runs between fork and exec")]

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Gives the command's process a session of its own: no terminal, no group of the caller's.
pub fn own_session(command: &mut Command) {
    // SAFETY: one system call, nothing allocated.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

/// Returns whether a systemd user manager runs for this user.
#[must_use]
pub fn has_user_manager() -> bool {
    let Some(runtime) = env::var_os("XDG_RUNTIME_DIR") else { return false };
    Path::new(&runtime).join("systemd/private").exists() && in_path("systemd-run")
}

fn in_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|paths| env::split_paths(&paths).any(|dir| dir.join(name).is_file()))
}

/// Returns the command that runs what follows as a transient unit; its output stays ours until the keeper closes it.
///
/// `KillMode=process`: stopping the unit signals the keeper, which ends its sessions itself. `Delegate`: it may divide
/// its control group among them.
#[must_use]
pub fn unit_command() -> Command {
    let mut command = Command::new("systemd-run");
    command.args(["--user", "--quiet", "--collect", "--pipe", "--unit=runpm-keeper", "--slice=app.slice"]);
    for property in ["KillMode=process", "SendSIGHUP=no", "OOMPolicy=continue", "TimeoutStopSec=30", "Delegate=yes"] {
        command.arg(format!("--property={property}"));
    }
    for name in ["XDG_RUNTIME_DIR", "XDG_STATE_HOME"] {
        if let Ok(value) = env::var(name) {
            command.arg(format!("--setenv={name}={value}"));
        }
    }
    command
}
