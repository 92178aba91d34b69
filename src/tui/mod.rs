//! The dashboard: all sessions in a list, the selected one live beside it, the keyboard given to it on request.
//!
//! Input and daemon messages become messages of a pure [`app::App`], which answers with effects that `runtime` performs; `view` draws
//! it, `guard` gives the terminal back as it was found. *Invariant:* from bytes of a program to our terminal there is one way only,
//! through `term::Mirror` and `pane`. Tests: `tests` here, and the real thing in `tests/tui.rs`.

pub mod action;
pub mod app;
mod damage;
mod guard;
pub mod input;
pub use crate::session::key;
pub mod keymap;
pub mod layout;
pub mod mouse;
mod outer;
mod paint;
mod pane;
mod runtime;
#[cfg(test)]
mod tests;
mod theme;
pub mod view;
mod wire;

use crate::client::Error;
use crate::client::blocking::Client;
use crate::session::status::End;

/// How the dashboard is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// One session, full-screen; the whole dashboard without it.
    pub session: Option<String>,
    /// Take control of it from who has it.
    pub steal: bool,
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
    runtime::Runtime::enter(options, client)?.live()
}
