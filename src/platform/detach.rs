//! Letting the keeper outlive the login that started it.
#![expect(unsafe_code, reason = "pre_exec runs between fork and exec")]

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use crate::platform::brand;
use crate::platform::cgroup;
use crate::platform::signals;

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

/// Starts a command that is nobody's child: a session and a group of its own, nothing open, no control group of a
/// session. Returns its process id.
///
/// The child forks once more between fork and exec and ends, so that the program is handed to whoever adopts orphans.
pub fn start(command: &mut Command) -> std::io::Result<u32> {
    cgroup::leave();
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let fork_again = move || {
        signals::reset_all();
        brand::disown();
        rustix::process::setsid()?;
        // SAFETY: this process has one thread, and both sides make system calls only.
        match unsafe { libc::fork() } {
            -1 => Err(std::io::Error::last_os_error()),
            0 => rustix::io::write(&write, &std::process::id().to_ne_bytes()).map(drop).map_err(Into::into),
            // SAFETY: ends the process in between at once.
            _ => unsafe { libc::_exit(0) },
        }
    };
    // SAFETY: the closure makes system calls only; what it captured was made before the fork.
    unsafe { command.pre_exec(fork_again) };
    let spawned = command.spawn();
    let mut between = spawned?;
    let mut pid = [0; 4];
    let len = rustix::io::read(&read, &mut pid)?;
    let _ = between.wait();
    if len == pid.len() { Ok(u32::from_ne_bytes(pid)) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}
