//! The dashboard: all sessions in a list, the selected one live beside it, the keyboard given to it on request.
//!
//! Input and daemon messages become messages of a pure [`app::App`], which answers with effects that `runtime` performs; `view` draws
//! it, `guard` gives the terminal back as it was found. *Invariant:* from bytes of a program to our terminal there is one way only,
//! through `term::Mirror` and `pane`. Tests: `tests` here, and the real thing in `tests/tui.rs`.

pub mod action;
pub mod app;
pub mod copy;
mod damage;
pub mod expression;
mod filter;
mod fuzzy;
mod ground;
mod guard;
pub mod input;
pub use crate::session::key;
pub mod keymap;
pub mod layout;
pub mod line;
pub mod logs;
pub mod mouse;
mod outer;
mod outside;
mod paint;
pub mod pane;
mod plain;
mod runtime;
mod search;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod tiles;
pub mod view;
mod wire;
mod worker;

use crate::client::Error;
use crate::client::blocking::Client;
use crate::config;
use crate::config::Finding;
use crate::config::Settings;
use crate::session::status::End;

/// How the dashboard is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// One session, full-screen; the whole dashboard without it.
    pub session: Option<String>,
    /// Take control of it from who has it.
    pub steal: bool,
    /// What the user wants.
    pub settings: Settings,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
    /// Lines instead of a screen.
    pub is_plain: bool,
    /// Boxes without Unicode.
    pub is_ascii: bool,
    /// A layout to open.
    pub layout: Option<String>,
    /// It opens at the services.
    pub at_services: bool,
    /// It opens at the session of this name.
    pub at: Option<String>,
    /// The directory that new sessions start in.
    pub here: String,
    /// The terminal shows Unicode.
    pub has_utf8: bool,
    /// Colours are wanted, whatever the environment says.
    pub color: Option<bool>,
    /// Its ground is light, as far as that was asked and told.
    pub is_light: Option<bool>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            is_plain: false,
            is_ascii: false,
            session: None,
            steal: false,
            settings: Settings::default(),
            findings: Vec::new(),
            layout: None,
            at_services: false,
            at: None,
            here: "/".to_owned(),
            has_utf8: true,
            color: None,
            is_light: None,
        }
    }
}

/// How the dashboard was left; the terminal is restored by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// By its user.
    Quit {
        /// Sessions that go on running.
        sessions_running: usize,
    },
    /// By its user, from one session.
    Detached {
        /// Name of the session.
        name: String,
    },
    /// Somebody took the one session over.
    Stolen {
        /// Name of the session.
        name: String,
        /// Who has it now.
        by: String,
        /// Wall-clock milliseconds.
        at_ms: u64,
    },
    /// The one session ended.
    Ended {
        /// Name of the session.
        name: String,
        /// How.
        end: End,
    },
    /// The terminal is gone.
    TerminalGone,
}

/// Runs the dashboard on the terminal of standard input until it is left.
pub fn run(options: Options) -> Result<Left, Error> {
    let client = Client::connect_or_start()?;
    if options.is_plain {
        return plain::run(client);
    }
    let mut loaded = config::load(client.place());
    loaded.findings.extend(check(&loaded.settings));
    let is_light = (loaded.settings.tui.theme == "auto").then(ground::is_light).flatten();
    let options = Options {
        settings: loaded.settings,
        findings: loaded.findings,
        is_light,
        has_utf8: has_utf8() && !options.is_ascii,
        here: here(),
        ..options
    };
    runtime::Runtime::enter(options, client)?.live()
}

/// Returns what settings say of the dashboard that cannot be, or should not.
#[must_use]
pub fn check(settings: &Settings) -> Vec<Finding> {
    let mut found = keymap::check(&settings.tui, &settings.keys);
    found.extend(theme::check(settings));
    found
}

fn here() -> String {
    std::env::current_dir().map_or_else(|_| "/".to_owned(), |here| here.to_string_lossy().into_owned())
}

/// Returns whether the locale says that the terminal shows Unicode; without any locale it is believed to.
fn has_utf8() -> bool {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8") || locale == "c" && std::env::var_os("TMUX").is_some()
    })
}
