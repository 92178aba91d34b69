//! The first message each way: who speaks, which version, which protocols.

use serde::Deserialize;
use serde::Serialize;

use crate::session::terminal::Who;

/// Protocol that this build speaks best.
pub const PROTOCOL: u32 = 1;
/// Oldest protocol that this build still speaks.
pub const PROTOCOL_MIN: u32 = 1;
/// Release of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Says hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Hello {
    /// Always `runpm`.
    pub product: String,
    /// Release.
    pub version: String,
    /// Oldest protocol spoken.
    pub protocol_min: u32,
    /// Newest protocol spoken.
    pub protocol_max: u32,
    /// Process id of the speaker; a hint, nothing is decided by it.
    pub pid: u32,
    /// Names of optional abilities.
    pub features: Vec<String>,
    /// Who it is.
    pub who: Who,
    /// Session that the client itself runs in, from `RUNPM_SESSION`.
    pub inside: Option<String>,
}

impl Hello {
    /// Returns this build's hello.
    #[must_use]
    pub fn ours(pid: u32, who: Who, inside: Option<String>) -> Self {
        Self {
            product: "runpm".to_owned(),
            version: VERSION.to_owned(),
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL,
            pid,
            features: Vec::new(),
            who,
            inside,
        }
    }

    /// Returns the newest protocol both sides speak.
    pub fn agree(&self, other: &Self) -> Result<u32, Mismatch> {
        let newest = self.protocol_max.min(other.protocol_max);
        if other.product != "runpm" || newest < self.protocol_min.max(other.protocol_min) {
            return Err(Mismatch {
                version: other.version.chars().filter(|c| !c.is_control()).take(40).collect(),
                pid: other.pid,
                is_newer: other.protocol_min > self.protocol_max,
            });
        }
        Ok(newest)
    }
}

/// A peer this build cannot talk to; its sessions are left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the daemon is version {version} (pid {pid}), this is {VERSION}, and they share no protocol")]
pub struct Mismatch {
    /// The other's release.
    pub version: String,
    /// The other's process id.
    pub pid: u32,
    /// It is newer than this build.
    pub is_newer: bool,
}

impl Mismatch {
    /// Returns the command that helps.
    #[must_use]
    pub fn hint(&self) -> String {
        if self.is_newer {
            format!("use the `rpm` of version {} for its sessions; they go on running", self.version)
        } else {
            "its sessions go on running; use its own `rpm`, or end them all with that version's `rpm shutdown`"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w95_versions_meet_in_the_newest_common_protocol_or_name_each_other() {
        let ours = Hello { protocol_min: 2, protocol_max: 3, ..Hello::ours(1, Who::default(), None) };
        let other =
            |min, max| Hello { protocol_min: min, protocol_max: max, version: "9.9".into(), pid: 77, ..ours.clone() };

        assert_eq!(ours.agree(&other(1, 2)), Ok(2));
        assert_eq!(ours.agree(&other(3, 9)), Ok(3));
        assert_eq!(ours.agree(&other(4, 9)), Err(Mismatch { version: "9.9".into(), pid: 77, is_newer: true }));
        assert_eq!(ours.agree(&other(0, 1)), Err(Mismatch { version: "9.9".into(), pid: 77, is_newer: false }));
    }
}
