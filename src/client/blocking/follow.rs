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
use crate::client::blocking::Incoming;
use crate::client::error::Error;
use crate::client::follow::Chunk;
use crate::client::follow::Wish;
use crate::history::Stream;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;

/// The only channel of this connection.
const CHANNEL: u32 = 1;

/// Follows one session; owns the connection.
pub struct Follow {
    client: Client,
    /// Its id: a name may come to mean another session.
    target: String,
    stream: Option<Stream>,
    /// Offset of the next byte.
    next: u64,
    /// Stream and time of what comes next.
    mark: (Stream, u64),
    is_over: bool,
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
        let mut follow = Self {
            client,
            target: session.id.to_string(),
            stream,
            next: from,
            mark: (Stream::Terminal, 0),
            is_over: false,
        };
        follow.ask()?;
        Ok(follow)
    }

    /// Returns the offset of the next byte.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.next
    }

    fn ask(&mut self) -> Result<(), Error> {
        // All streams, so that every offset is known and a gap is exact; the others' bytes are dropped here.
        let logs = verbs::Logs {
            channel: CHANNEL,
            target: self.target.clone(),
            from: verbs::From::Offset(self.next),
            follow: true,
            stream: None,
            marks: true,
            past_gaps: true,
        };
        self.client.call(&logs).map(|_| ())
    }

    /// Returns the next piece that is wanted.
    fn receive(&mut self) -> Result<Chunk, Error> {
        loop {
            let chunk = match self.client.connection().receive()? {
                Incoming::Bulk(bulk) => {
                    let (stream, time_us) = self.mark;
                    self.next = bulk.at + bulk.bytes.len() as u64;
                    let is_wanted = self.stream.is_none_or(|only| only == stream);
                    is_wanted.then_some(Chunk::Bytes { at: bulk.at, stream, time_us, bytes: bulk.bytes })
                }
                Incoming::Event(event) => self.on_event(&event),
                Incoming::Reply(_) => None,
            };
            if let Some(chunk) = chunk {
                return Ok(chunk);
            }
        }
    }

    fn on_event(&mut self, event: &Event) -> Option<Chunk> {
        if let Some(mark) = event.get::<verbs::Mark>()
            && let Point::Bytes(stream) = mark.point
        {
            self.mark = (stream, mark.time_us);
        }
        if let Some(missed) = event.get::<verbs::Missed>() {
            let at = self.next;
            self.next += missed.bytes;
            return Some(Chunk::Missed { at, bytes: missed.bytes });
        }
        event.get::<verbs::Closed>().map(|closed| Chunk::End(closed.end))
    }
}

impl Iterator for Follow {
    type Item = Result<Chunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        loop {
            let result = match self.receive() {
                // The daemon was killed: the next one goes on at the next byte.
                Err(error) if error.is_lost() => match self.client.reconnect().and_then(|()| self.ask()) {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                result => result,
            };
            self.is_over = matches!(result, Err(_) | Ok(Chunk::End(_)));
            return Some(result);
        }
    }
}
