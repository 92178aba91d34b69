//! What a session says, chunk by chunk, each with its place, its stream and its time.

use crate::client::asynchronous::connection::Address;
use crate::client::asynchronous::connection::Connection;
use crate::client::error::Error;
use crate::client::follow::Chunk;
use crate::client::follow::Follower;
use crate::protocol::verbs;

/// The only channel of this connection.
const CHANNEL: u32 = 1;

/// A session that is followed until it ends. Dropping it ends that and nothing else.
#[derive(Debug)]
pub struct Follow {
    address: Address,
    connection: Connection,
    follower: Follower,
    /// Whether the connection carries the bytes; if not it is made anew.
    is_open: bool,
}

impl Follow {
    pub(super) async fn open(address: Address, target: String, from: verbs::From) -> Result<Self, Error> {
        let connection = address.connect().await?;
        let logs = verbs::Logs {
            channel: CHANNEL,
            target,
            from,
            follow: true,
            marks: true,
            past_gaps: true,
            ..verbs::Logs::default()
        };
        let mut follow = Self { address, connection, follower: Follower::new(logs), is_open: false };
        match follow.ask().await {
            Err(error) if error.is_lost() => follow.come_back().await?,
            result => result?,
        }
        Ok(follow)
    }

    /// Returns the next piece; the last one is [`Chunk::End`], and then there is nothing. May be dropped halfway: no byte is
    /// lost.
    pub async fn next(&mut self) -> Result<Option<Chunk>, Error> {
        while !self.follower.is_over() {
            if !self.is_open {
                self.come_back().await?;
            }
            match self.connection.receive().await {
                Ok(incoming) => {
                    if let Some(chunk) = self.follower.take(incoming) {
                        return Ok(Some(chunk));
                    }
                }
                Err(error) if error.is_lost() => self.is_open = false,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Returns the offset of the next byte, once it is known.
    #[must_use]
    pub const fn offset(&self) -> Option<u64> {
        self.follower.offset()
    }

    /// Asks for what comes next, on a fresh connection: what is under way on the old one is not wanted any more.
    async fn come_back(&mut self) -> Result<(), Error> {
        loop {
            self.connection = self.address.connect().await?;
            match self.ask().await {
                Err(error) if error.is_lost() => {}
                result => return result,
            }
        }
    }

    async fn ask(&mut self) -> Result<(), Error> {
        let attached = self.connection.call(&self.follower.request()).await?;
        self.follower.agreed(attached.id);
        self.is_open = true;
        Ok(())
    }
}
