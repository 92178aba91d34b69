//! What a session is called.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::verbs::Done;
use crate::protocol::verbs::verb;

/// Gives a session another name, or other tags. Saying it twice changes nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rename {
    /// Which.
    pub target: String,
    /// Its name from now on; none leaves it.
    pub name: Option<String>,
    /// All of its tags from now on; none leaves them.
    pub tags: Option<Vec<String>>,
}
verb!(Rename = "rename" -> Done);
