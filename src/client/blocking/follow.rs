//! Following a session as an iterator: every byte once, across any death of the daemon.
//!
//! ```no_run
//! use runpm::client::blocking::Client;
//! use runpm::client::blocking::Follow;
//! use runpm::client::follow::Chunk;
//! use runpm::client::follow::Wish;
//!
//! let client = Client::connect()?;
//! for chunk in Follow::start(client, Wish { target: "web".into(), ..Wish::default() })? {
//!     if let Chunk::Bytes { bytes, .. } = chunk? {
//!         print!("{}", String::from_utf8_lossy(&bytes));
//!     }
//! }
//! # Ok::<(), runpm::client::Error>(())
//! ```

use crate::client::blocking::Client;
use crate::client::error::Error;
use crate::client::follow::Chunk;
use crate::client::follow::Follower;
use crate::client::follow::Wish;
use crate::history::Stream;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;

/// The only channel of this connection.
const CHANNEL: u32 = 1;

/// Follows one session; owns the connection.
pub struct Follow {
    client: Client,
    follower: Follower,
    stream: Option<Stream>,
}

impl Follow {
    /// Starts to follow; the first byte is fixed when this returns.
    pub fn start(mut client: Client, wish: Wish) -> Result<Self, Error> {
        let Wish { target, from, stream } = wish;
        let sessions = client.call(&verbs::List { targets: vec![target.clone()] })?.sessions;
        let [session] = sessions.as_slice() else {
            let error = WireError::new(Code::Ambiguous, format!("{target:?} is not one session"));
            return Err(error.hint("name one").into());
        };
        let from = from.unwrap_or(session.output_bytes);
        if from > session.output_bytes {
            let message = format!("there is no byte {from} yet, only {}", session.output_bytes);
            return Err(WireError::new(Code::Invalid, message).into());
        }
        // All streams, so that every offset is known and a gap is exact; the others' bytes are dropped here.
        let follower = Follower::new(verbs::Logs {
            channel: CHANNEL,
            target: session.id.to_string(),
            from: verbs::From::Offset(from),
            follow: true,
            marks: true,
            past_gaps: true,
            ..verbs::Logs::default()
        });
        let mut follow = Self { client, follower, stream };
        follow.ask()?;
        Ok(follow)
    }

    /// Returns the offset of the next byte.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.follower.offset().unwrap_or_default()
    }

    fn ask(&mut self) -> Result<(), Error> {
        let attached = self.client.call(&self.follower.request())?;
        self.follower.agreed(attached.id);
        Ok(())
    }

    /// Returns the next piece that is wanted.
    fn receive(&mut self) -> Result<Chunk, Error> {
        loop {
            let incoming = match self.client.connection().receive() {
                // The daemon was killed: the next one goes on at the next byte.
                Err(error) if error.is_lost() => {
                    self.client.reconnect()?;
                    self.ask()?;
                    continue;
                }
                incoming => incoming?,
            };
            match self.follower.take(incoming) {
                Some(Chunk::Bytes { stream, .. }) if self.stream.is_some_and(|only| only != stream) => {}
                Some(chunk) => return Ok(chunk),
                None => {}
            }
        }
    }
}

impl Iterator for Follow {
    type Item = Result<Chunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.follower.is_over() {
            return None;
        }
        let result = self.receive();
        if result.is_err() {
            self.follower.give_up();
        }
        Some(result)
    }
}
