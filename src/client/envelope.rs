//! What both clients do with bytes: requests in, what the daemon sent out. No I/O here.

use std::io;
use std::time::Duration;

use serde_bytes::ByteBuf;

use crate::client::error::Error;
use crate::protocol::frame::Bulk;
use crate::protocol::frame::Decoder;
use crate::protocol::frame::Kind;
use crate::protocol::message;
use crate::protocol::message::Event;
use crate::protocol::message::Reply;
use crate::protocol::message::Request;
use crate::protocol::message::Verb;

/// Longest wait for the daemon's hello; a loaded machine needs seconds, not milliseconds.
pub const HELLO_WAIT: Duration = Duration::from_secs(10);
/// How long a client tries to come back to a daemon that was killed.
pub const RETURN: Duration = Duration::from_secs(10);
/// How often a request is asked again: one that ends the daemon each time must not do so for ever.
pub const TRIES: u32 = 50;

/// Something the daemon sent.
#[derive(Debug)]
pub enum Incoming {
    /// An answer to a request.
    Reply(Reply),
    /// Something happened.
    Event(Event),
    /// Bytes of a channel.
    Bulk(Bulk),
}

/// Returns the payload of a request.
pub fn request<V: Verb>(id: u64, verb: &V) -> Vec<u8> {
    message::encode(&Request { id, verb: V::NAME.to_owned(), body: ByteBuf::from(message::encode(verb)) })
}

/// Takes the next thing that the daemon sent out of what has arrived.
pub fn next(decoder: &mut Decoder) -> Result<Option<Incoming>, Error> {
    while let Some((kind, payload)) = decoder.next_frame()? {
        match kind {
            Kind::Reply => return Ok(Some(Incoming::Reply(message::decode(&payload)?))),
            Kind::Event => return Ok(Some(Incoming::Event(message::decode(&payload)?))),
            Kind::Bulk => {
                if let Some(bulk) = Bulk::decode(&payload) {
                    return Ok(Some(Incoming::Bulk(bulk)));
                }
            }
            Kind::Hello | Kind::Request => {}
        }
    }
    Ok(None)
}

/// Opens a reply to verb `V`.
pub fn open<V: Verb>(reply: Reply) -> Result<V::Reply, Error> {
    match (reply.body, reply.error) {
        (_, Some(error)) => Err(error.into()),
        (Some(body), None) => Ok(message::decode(&body)?),
        (None, None) => Err(Error::Lost(io::ErrorKind::InvalidData.into())),
    }
}
