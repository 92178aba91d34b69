//! The wire: frames, envelopes, verbs and notices between client and daemon, messages between keeper and daemon.
//!
//! PURE: bytes in, values out. Nothing here is ever renumbered or renamed; additions have defaults.

pub mod error;
pub mod frame;
pub mod hello;
pub mod keeper;
pub mod message;
pub mod verbs;
