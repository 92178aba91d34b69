//! The other end of the daemon: finding or starting it, asking it, coming back to it when it was killed.
//!
//! [`blocking::Client`] needs no runtime: each call waits for its answer. [`Client`] is for programs that run on tokio: many
//! calls at once, sessions followed byte by byte. Both survive the daemon: a request whose answer was lost is repeated, and
//! its key makes sure that nothing is done twice.
//!
//! ```no_run
//! use runpm::client::Command;
//! use runpm::client::blocking::Client;
//! use runpm::protocol::verbs::List;
//!
//! let mut client = Client::connect_or_start()?;
//! let started = client.call(&Command::new("make").arg("-j4").name("build").request()?)?;
//! println!("{} is process {}", started.name, started.pid);
//! for session in client.call(&List::default())?.sessions {
//!     println!("{} {}", session.name, session.word());
//! }
//! # Ok::<(), runpm::client::Error>(())
//! ```

mod asynchronous;
pub mod blocking;
mod command;
mod envelope;
mod error;
pub mod follow;
pub mod inherit;
pub mod launch;
mod typing;

use crate::session::id::RequestKey;

pub use asynchronous::Attachment;
pub use asynchronous::Change;
pub use asynchronous::Changes;
pub use asynchronous::Client;
pub use asynchronous::Follow;
pub use asynchronous::Output;
pub use command::Command;
pub use error::Error;
pub use follow::Chunk;
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
