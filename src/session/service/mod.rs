//! What a service is: a session that is kept running, with its policies.
//!
//! PURE, as all of `session`. The spec is written by a client (file or command line), kept by the daemon, and saved; all
//! of it has defaults, so that what an older version saved can be read.

pub mod death;
pub mod definition;
pub mod machine;
pub mod order;
pub mod phase;
pub mod plan;
pub mod policy;
pub mod probe;
pub mod spec;
pub mod status;
pub mod telling;
