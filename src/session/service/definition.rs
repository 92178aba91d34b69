//! A service as it is kept: the spec, and what belongs to whoever started it.

use serde::Deserialize;
use serde::Serialize;

use crate::session::id::RequestKey;
use crate::session::service::spec::ServiceSpec;
use crate::session::spec::Limit;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Definition {
    /// What is wanted.
    pub spec: ServiceSpec,
    /// File mode creation mask of whoever started it.
    pub umask: u32,
    /// Resource limits of whoever started it; none means those of a login.
    pub limits: Vec<Limit>,
    /// The request that made it.
    pub made_by: RequestKey,
}
