//! `[daemon]`: the daemon itself.

use serde::Serialize;

use crate::config::reader::section;
use crate::config::value::Pause;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Daemon {
    /// With no session, ended ones included, and nobody connected for so long, daemon and keeper leave.
    pub idle_exit: Pause,
}

impl Default for Daemon {
    fn default() -> Self {
        Self { idle_exit: Pause(600_000) }
    }
}

section!(Daemon { idle_exit });
