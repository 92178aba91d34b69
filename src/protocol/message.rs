//! Envelopes: a verb's name and its body travel apart, so an unknown verb is an answer, not a broken stream.
//!
//! All payloads are msgpack maps: unknown fields are skipped, new ones have defaults. The verbs are in
//! `verbs`, golden bytes of each in `tests/wire.rs`.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;

use crate::protocol::error::WireError;

/// Something a client can ask for.
pub trait Verb: Serialize + DeserializeOwned {
    /// Its name on the wire; never reused for something else.
    const NAME: &'static str;
    /// What it is answered with.
    type Reply: Serialize + DeserializeOwned;
}

/// Something that happened on the other side.
pub trait Notice: Serialize + DeserializeOwned {
    /// Its name on the wire.
    const NAME: &'static str;
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the client, repeated in the reply.
    pub id: u64,
    /// Name of the verb.
    pub verb: String,
    /// The verb, encoded by itself.
    #[serde(default)]
    pub body: ByteBuf,
}

/// The answer to a request: a body or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's id.
    pub id: u64,
    /// The verb's reply, encoded by itself.
    #[serde(default)]
    pub body: Option<ByteBuf>,
    /// Why not.
    #[serde(default)]
    pub error: Option<WireError>,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Name of the notice.
    pub name: String,
    /// The notice, encoded by itself.
    #[serde(default)]
    pub body: ByteBuf,
}

impl Event {
    /// Wraps a notice.
    #[must_use]
    pub fn of<N: Notice>(notice: &N) -> Self {
        Self { name: N::NAME.to_owned(), body: ByteBuf::from(encode(notice)) }
    }

    /// Unwraps a notice, if it is an `N`.
    #[must_use]
    pub fn get<N: Notice>(&self) -> Option<N> {
        if self.name == N::NAME { decode(&self.body).ok() } else { None }
    }
}

/// Encodes a message as a msgpack map.
///
/// # Panics
/// Never: the messages of this crate hold nothing that msgpack cannot.
#[must_use]
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(message).expect("our messages are plain maps")
}

/// Bytes that are not the message they should be.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// They do not decode.
    #[error("the message cannot be read")]
    Malformed(#[from] rmp_serde::decode::Error),
    /// Something follows the message.
    #[error("{0} bytes follow the message")]
    Trailing(usize),
}

/// Decodes a message; the bytes must end with it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut rest = bytes;
    let message = rmp_serde::decode::from_read(&mut rest)?;
    if rest.is_empty() { Ok(message) } else { Err(DecodeError::Trailing(rest.len())) }
}
