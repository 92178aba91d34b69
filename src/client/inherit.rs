//! What a client gives to the sessions it starts, and how it introduces itself.

use std::env;
use std::io;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::Duration;

use serde_bytes::ByteBuf;

use crate::platform::limits;
use crate::platform::tty;
use crate::platform::user;
use crate::session::environment;
use crate::session::environment::Policy;
use crate::session::graphics;
use crate::session::graphics::Probe;
use crate::session::spec::Launch;
use crate::session::terminal::Terminal;
use crate::session::terminal::Who;

/// Collects command, environment, directory, mask and limits of this process for a session.
#[must_use]
pub fn launch(argv: Vec<ByteBuf>, cwd: Option<&Path>) -> Launch {
    let here = env::current_dir().unwrap_or_else(|_| "/".into());
    let cwd = cwd.map_or_else(|| here.clone(), |cwd| here.join(cwd));
    Launch {
        argv,
        env: environment(),
        cwd: ByteBuf::from(cwd.into_os_string().into_vec()),
        umask: umask(),
        limits: limits::current(),
    }
}

/// Returns this process's environment, without entries that no shell could have set.
#[must_use]
pub fn environment() -> Vec<ByteBuf> {
    let entries = env::vars_os().map(|(name, value)| environment::entry(name.as_bytes(), value.as_bytes()));
    entries.filter(|entry| environment::fault(entry, false).is_none()).collect()
}

/// Returns what a session's environment starts from. Fails only for [`Policy::Login`], when the system does not know the
/// user.
pub fn environment_by(policy: Policy) -> io::Result<Vec<ByteBuf>> {
    match policy {
        Policy::Inherit => Ok(environment()),
        Policy::Login => Ok(environment::login(&user::account()?, &environment())),
        Policy::Clear => Ok(Vec::new()),
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
    let named = ["USER", "LOGNAME"].into_iter().filter_map(|name| env::var(name).ok()).find(|user| !user.is_empty());
    let user = named.or_else(user::name).unwrap_or_else(|| "someone".to_owned());
    let tty = tty::name().map(|name| name.trim_start_matches("/dev/").to_owned());
    let host = env::var("SSH_CONNECTION").ok();
    let host = host.as_deref().and_then(|text| text.split(' ').next()).filter(|host| !host.is_empty());
    Who { user, tty, host: host.map(str::to_owned) }
}

/// Describes the terminal on standard output, if it is one.
#[must_use]
pub fn terminal() -> Option<Terminal> {
    let out = io::stdout();
    let term = env::var("TERM").unwrap_or_default();
    Some(Terminal { term, size: tty::size(&out)?, pixels: tty::pixels(&out), graphics: graphics() })
}

/// Returns what is known of this process's terminal without asking it.
#[must_use]
pub fn graphics_facts() -> graphics::Facts {
    let text = |name: &str| env::var(name).unwrap_or_default();
    let has = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    graphics::Facts {
        is_tty: io::stdout().is_terminal(),
        term: text("TERM"),
        program: text("TERM_PROGRAM"),
        program_version: text("TERM_PROGRAM_VERSION"),
        lc_terminal: text("LC_TERMINAL"),
        konsole_version: text("KONSOLE_VERSION").parse().unwrap_or(0),
        has_kitty: has("KITTY_WINDOW_ID"),
        has_wezterm: ["WEZTERM_PANE", "WEZTERM_EXECUTABLE", "WEZTERM_UNIX_SOCKET"].into_iter().any(has),
        has_tmux: has("TMUX"),
        has_screen: has("STY"),
        has_ssh: has("SSH_CONNECTION"),
        is_inside: inside().is_some(),
        wish: text("RUNPM_GRAPHICS"),
        probe: None,
    }
}

/// Returns which pictures this process's terminal can show, as far as its environment says.
#[must_use]
pub fn graphics() -> graphics::Report {
    graphics::detect(&graphics_facts())
}

/// Asks the terminal itself, for `wait` at most, and returns what is known then. The terminal is left as it was found; keys
/// that are typed meanwhile are lost.
pub fn probed_graphics(wait: Duration) -> io::Result<graphics::Report> {
    let mut facts = graphics_facts();
    // A terminal that shows no pictures at all may show the question instead.
    if graphics::detect(&facts).sixel.status != graphics::Support::Blocked {
        let is_answered = |bytes: &[u8]| Probe::read(bytes).is_complete();
        facts.probe = Some(Probe::read(&tty::ask(graphics::QUERY, wait, is_answered)?));
    }
    Ok(graphics::detect(&facts))
}

/// Returns the user's shell.
#[must_use]
pub fn shell() -> ByteBuf {
    let shell = env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    ByteBuf::from(shell.into_vec())
}
