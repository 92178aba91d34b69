//! `[[autostart]]`: sessions that are started once, when the keeper starts.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::reader::section;
use crate::config::value::size;
use crate::session::environment::Policy;
use crate::session::spec;
use crate::session::spec::Kind;
use crate::term::Size;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Autostart {
    /// Name of the session; without one it is made from the program's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Working directory, relative to the home directory; without one it is that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// What its environment starts from.
    pub env_policy: Policy,
    /// Terminal or pipes.
    pub kind: Kind,
    /// One pipe for output and errors (pipes only).
    pub merge: bool,
    /// First size of its terminal.
    #[serde(with = "size")]
    pub size: Size,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Variables that are laid over its environment.
    pub env: BTreeMap<String, String>,
}

impl Default for Autostart {
    fn default() -> Self {
        Self {
            name: None,
            command: Vec::new(),
            cwd: None,
            env_policy: Policy::Login,
            kind: Kind::Pty,
            merge: false,
            size: Size::default(),
            tags: Vec::new(),
            env: BTreeMap::new(),
        }
    }
}

section!(Autostart { name, command, cwd, env_policy, kind, merge, size as size::deserialize, tags, env });

impl Autostart {
    /// Says why the entry cannot be started, or returns nothing.
    pub(super) fn fault(&self) -> Option<String> {
        let texts = self.command.iter().chain(&self.cwd).chain(&self.tags).chain(self.env.values());
        let is_no_name = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
        if self.command.first().is_none_or(String::is_empty) {
            Some("it has no command; write command = [\"program\", \"argument\"]".to_owned())
        } else if let Some(fault) = self.name.as_deref().and_then(spec::name_fault) {
            Some(format!("{:?} cannot be a name: {fault}", self.name.as_deref().unwrap_or_default()))
        } else if let Some(name) = self.env.keys().find(is_no_name) {
            Some(format!("{name:?} cannot be the name of a variable"))
        } else if self.env.contains_key("RUNPM_SESSION") {
            Some("RUNPM_SESSION marks the session's processes and cannot be changed".to_owned())
        } else {
            let has_nul = texts.into_iter().any(|text| text.contains('\0'));
            has_nul.then(|| "it contains a NUL byte".to_owned())
        }
    }
}
