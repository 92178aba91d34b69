//! How one run of a service came to its end: what `why` tells.

use serde::Deserialize;
use serde::Serialize;

use crate::history::ExitStatus;
use crate::session::service::machine::Why;

/// Deaths that are kept of each instance.
pub const KEPT: usize = 100;
/// Last lines of output that are kept of each death.
pub const LINES: usize = 20;
/// Bytes of them that are kept.
pub const LINE_BYTES: usize = 4096;

/// One end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Death {
    /// Counted from 1 over all runs of the instance.
    pub number: u64,
    /// Wall-clock milliseconds.
    pub at_ms: u64,
    /// Code or signal; none when it could not be started or nobody knows.
    pub status: Option<ExitStatus>,
    /// Why it could not be started: error number.
    pub errno: Option<i32>,
    /// Milliseconds that it had been up.
    pub up_ms: u64,
    /// Why.
    pub why: Why,
    /// Who asked for it; empty when nobody did.
    pub by: String,
    /// It had to be killed.
    pub killed: bool,
    /// Processes of its tree that could not be ended.
    pub left: Vec<u32>,
    /// The last lines that it wrote, without control characters.
    pub lines: Vec<String>,
}
