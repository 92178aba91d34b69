//! `[sessions]`: what sessions get, and how long ended ones are kept.

use serde::Serialize;

use crate::config::reader::section;
use crate::config::value::Bytes;
use crate::config::value::Pause;
use crate::config::value::count;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// Most ended sessions that are kept; the newest one always is.
    pub keep_ended: u32,
    /// Most memory that ended sessions may hold together; the newest one is kept whatever it holds.
    pub keep_ended_bytes: Bytes,
    /// Output kept in memory for a session that asks for nothing else.
    pub history: Bytes,
    /// Time between asking politely and killing, where no other is given.
    pub grace: Pause,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { keep_ended: 100, keep_ended_bytes: Bytes(64 << 20), history: Bytes(2 << 20), grace: Pause(5000) }
    }
}

section!(Sessions { keep_ended as count, keep_ended_bytes, history, grace });
