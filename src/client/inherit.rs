//! What a client gives to the sessions it starts, and how it introduces itself.

use std::env;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use serde_bytes::ByteBuf;

use crate::platform::limits;
use crate::platform::tty;
use crate::session::spec::Launch;
use crate::session::terminal::Terminal;
use crate::session::terminal::Who;

/// Collects command, environment, directory, mask and limits of this process for a session.
#[must_use]
pub fn launch(argv: Vec<ByteBuf>, cwd: Option<&Path>) -> Launch {
    let here = env::current_dir().unwrap_or_else(|_| "/".into());
    let cwd = cwd.map_or_else(|| here.clone(), |cwd| here.join(cwd));
    let env = env::vars_os().map(|(name, value)| {
        let mut entry = name.into_vec();
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        ByteBuf::from(entry)
    });
    Launch {
        argv,
        env: env.collect(),
        cwd: ByteBuf::from(cwd.into_os_string().into_vec()),
        umask: umask(),
        limits: limits::current(),
    }
}

/// The mask can only be read by setting it; this program has one thread when it asks.
fn umask() -> u32 {
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::umask(mask);
    mask.as_raw_mode()
}

/// Returns the client's authentication agent.
#[must_use]
pub fn agent() -> Option<ByteBuf> {
    let path = env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty())?;
    Some(ByteBuf::from(path.into_vec()))
}

/// Returns the session this process runs in.
#[must_use]
pub fn inside() -> Option<String> {
    env::var("RUNPM_SESSION").ok().filter(|text| !text.is_empty())
}

/// Returns who asked for this process itself.
#[must_use]
pub fn originator() -> Option<String> {
    env::var("RUNPM_ORIGINATOR").ok().filter(|text| !text.is_empty())
}

/// Introduces this client to people.
#[must_use]
pub fn who() -> Who {
    let user = env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_else(|_| "someone".to_owned());
    let tty = tty::name().map(|name| name.trim_start_matches("/dev/").to_owned());
    let host = env::var("SSH_CONNECTION").ok();
    let host = host.as_deref().and_then(|text| text.split(' ').next()).filter(|host| !host.is_empty());
    Who { user, tty, host: host.map(str::to_owned) }
}

/// Describes the terminal on standard output, if it is one.
#[must_use]
pub fn terminal() -> Option<Terminal> {
    let out = std::io::stdout();
    let term = env::var("TERM").unwrap_or_default();
    Some(Terminal { term, size: tty::size(&out)?, pixels: tty::pixels(&out) })
}

/// Returns the user's shell.
#[must_use]
pub fn shell() -> ByteBuf {
    let shell = env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    ByteBuf::from(shell.into_vec())
}
