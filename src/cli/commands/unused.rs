//! Options of a new service where no new service is made: passing over them in silence would be a lie.

use crate::cli::args::Define;
use crate::client::Error;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;

/// Refuses options that describe a service, where services that are described already are started.
pub fn refuse(define: &Define, is_file: bool) -> Result<(), Error> {
    let Some(option) = given(define) else { return Ok(()) };
    let (what, hint) = if is_file {
        ("a file says itself what its services are", "write it into the file; `rpm apply` does what changed")
    } else {
        (
            "these services are defined already",
            "change their file and `rpm apply` it, or define it anew: `rpm start --force --name NAME … -- COMMAND`",
        )
    };
    let hint = match (is_file, option) {
        (true, "--env") => "variables are in the file; of pm2's, `rpm convert --env NAME` lays `env_NAME` over `env`",
        (true, "--name") => "`rpm start FILE --only NAME` starts one of them",
        _ => hint,
    };
    Err(WireError::new(Code::Invalid, format!("{option} describes a new service, and {what}")).hint(hint).into())
}

/// Returns the first option that was given; `--force` has a meaning everywhere.
fn given(define: &Define) -> Option<&'static str> {
    let all = [
        ("--name", define.name.is_some()),
        ("--namespace", define.namespace.is_some()),
        ("--tag", !define.tag.is_empty()),
        ("--instances", define.instances.is_some()),
        ("--pty", define.pty),
        ("--cwd", define.cwd.is_some()),
        ("--env", !define.environment.changes.is_empty()),
        ("--env-policy", define.environment.policy != crate::session::environment::Policy::Inherit),
        ("--restart", define.restart.is_some()),
        ("--no-autorestart", define.no_autorestart),
        ("--restart-delay", define.restart_delay.is_some()),
        ("--exp-backoff-restart-delay", define.exp_backoff_restart_delay.is_some()),
        ("--max-restarts", define.max_restarts.is_some()),
        ("--min-uptime", define.min_uptime.is_some()),
        ("--stop-exit-codes", !define.stop_exit_codes.is_empty()),
        ("--kill-timeout", define.kill_timeout.is_some()),
        ("--kill-signal", define.kill_signal.is_some()),
        ("--watch", define.watch.is_some()),
        ("--ignore-watch", !define.ignore_watch.is_empty()),
        ("--cron", define.cron.is_some()),
        ("--max-memory-restart", define.max_memory_restart.is_some()),
        ("--interpreter", define.interpreter.is_some()),
        ("--set", !define.set.is_empty()),
    ];
    all.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
}
