//! Numbers that name things; each its own type, so that they cannot be swapped.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A session; counted up by the keeper, never reused while it lives.
    SessionId
}
id! {
    /// One connection of a client to one daemon.
    ClientId
}
id! {
    /// A request that must not be done twice: chosen at random by the client, repeated when it retries.
    RequestKey
}
id! {
    /// One attachment: a client on a session. Never reused, so nobody can clear another's.
    AttachId
}
id! {
    /// A tee; counted up by the keeper.
    TeeId
}
