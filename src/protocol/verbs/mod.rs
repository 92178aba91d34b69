//! Every request, its reply, and every notice; one struct each, one file a family.

mod attaching;
mod daemon;
mod ending;
mod events;
mod history;
mod naming;
mod procs;
mod services;
mod sessions;
mod tees;

use serde::Deserialize;
use serde::Serialize;

pub use attaching::*;
pub use daemon::*;
pub use ending::*;
pub use events::*;
pub use history::*;
pub use naming::*;
pub use procs::*;
pub use services::*;
pub use sessions::*;
pub use tees::*;

macro_rules! verb {
    ($name:ident = $wire:literal -> $reply:ty) => {
        impl crate::protocol::message::Verb for $name {
            const NAME: &'static str = $wire;
            type Reply = $reply;
        }
    };
}
use verb;

macro_rules! notice {
    ($name:ident = $wire:literal) => {
        impl crate::protocol::message::Notice for $name {
            const NAME: &'static str = $wire;
        }
    };
}
use notice;

/// Nothing to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}
