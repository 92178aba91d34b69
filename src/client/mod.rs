//! The other end of the daemon: finding or starting it, asking it, coming back to it when it was killed.
//!
//! ```no_run
//! use runpm::client::blocking::Client;
//! use runpm::protocol::verbs::List;
//!
//! let mut client = Client::connect_or_start()?;
//! for session in client.call(&List::default())?.sessions {
//!     println!("{} {}", session.name, session.word());
//! }
//! # Ok::<(), runpm::client::Error>(())
//! ```

pub mod blocking;
mod error;
pub mod follow;
pub mod inherit;
pub mod launch;
mod typing;

use crate::session::id::RequestKey;

pub use error::Error;
pub use typing::Typing;

/// Returns a fresh key for a request that must not be done twice.
#[must_use]
pub fn request_key() -> RequestKey {
    let mut bytes = [0; 8];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        // Zero means "no key".
        Ok(_) => RequestKey(u64::from_ne_bytes(bytes) | 1),
        Err(_) => RequestKey(crate::platform::clock::monotonic_ns() | 1),
    }
}
