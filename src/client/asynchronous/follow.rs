//! What a session says, chunk by chunk, each with its place, its stream and its time.

use crate::client::asynchronous::connection::Address;
use crate::client::asynchronous::connection::Connection;
use crate::client::envelope::Incoming;
use crate::client::error::Error;
use crate::history::Stream;
use crate::protocol::frame::Bulk;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;
use crate::session::status::End;

/// The only channel of this connection.
const CHANNEL: u32 = 1;

/// A piece of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Offset of its first byte in all that the session ever said.
    pub at: u64,
    /// Bytes before it that were overwritten before they could be read.
    pub missed: u64,
    /// Where it came from.
    pub stream: Stream,
    /// Wall-clock microseconds since 1970 when it was said.
    pub time_us: u64,
    /// The bytes, as the program wrote them.
    pub bytes: Vec<u8>,
}

/// A session that is followed until it ends. Dropping it ends that and nothing else.
#[derive(Debug)]
pub struct Follow {
    address: Address,
    connection: Connection,
    /// The session: after the first answer its id, which it keeps.
    target: String,
    from: verbs::From,
    /// Offset of the next byte, once it is known.
    next: Option<u64>,
    /// Whether the connection carries the bytes; if not it is made anew.
    is_open: bool,
    stream: Stream,
    time_us: u64,
    is_over: bool,
    end: Option<End>,
}

impl Follow {
    pub(super) async fn open(address: Address, target: String, from: verbs::From) -> Result<Self, Error> {
        let connection = address.connect().await?;
        let next = if let verbs::From::Offset(offset) = from { Some(offset) } else { None };
        let mut follow = Self {
            address,
            connection,
            target,
            from,
            next,
            is_open: false,
            stream: Stream::Terminal,
            time_us: 0,
            is_over: false,
            end: None,
        };
        match follow.ask().await {
            Err(error) if error.is_lost() => follow.come_back().await?,
            result => result?,
        }
        Ok(follow)
    }

    /// Returns the next piece; nothing once the session has ended and all was said. May be dropped halfway: no byte is lost.
    pub async fn next(&mut self) -> Result<Option<Chunk>, Error> {
        while !self.is_over {
            if !self.is_open {
                self.come_back().await?;
            }
            match self.connection.receive().await {
                Ok(Incoming::Bulk(bulk)) => {
                    if let Some(chunk) = self.chunk(&bulk) {
                        return Ok(Some(chunk));
                    }
                }
                Ok(Incoming::Event(event)) => self.on_event(&event),
                Ok(Incoming::Reply(_)) => {}
                Err(error) if error.is_lost() => self.is_open = false,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Returns how the session ended, once [`Self::next`] has returned nothing; nothing if it was removed.
    #[must_use]
    pub const fn end(&self) -> Option<&End> {
        self.end.as_ref()
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
        let request = verbs::Logs {
            channel: CHANNEL,
            target: self.target.clone(),
            from: self.from,
            follow: true,
            stream: None,
            marks: true,
            past_gaps: false,
        };
        self.target = self.connection.call(&request).await?.id.to_string();
        self.is_open = true;
        Ok(())
    }

    fn on_event(&mut self, event: &Event) {
        if let Some(mark) = event.get::<verbs::Mark>() {
            if let Point::Bytes(stream) = mark.point {
                (self.stream, self.time_us) = (stream, mark.time_us);
            }
        } else if event.get::<verbs::Missed>().is_some() {
            // The daemon stops here. The oldest byte in memory is the next there is; how many are missing it will show.
            self.from = verbs::From::Start;
            self.is_open = false;
        } else if let Some(closed) = event.get::<verbs::Closed>() {
            self.is_over = true;
            self.end = closed.end;
        }
    }

    /// Cuts off what is known already, and notes what comes next.
    fn chunk(&mut self, bulk: &Bulk) -> Option<Chunk> {
        let next = self.next.unwrap_or(bulk.at);
        let known = next.saturating_sub(bulk.at).min(bulk.bytes.len() as u64) as usize;
        let bytes = bulk.bytes[known..].to_vec();
        if bytes.is_empty() {
            return None;
        }
        let at = bulk.at + known as u64;
        let end = at + bytes.len() as u64;
        (self.next, self.from) = (Some(end), verbs::From::Offset(end));
        Some(Chunk { at, missed: at.saturating_sub(next), stream: self.stream, time_us: self.time_us, bytes })
    }
}
