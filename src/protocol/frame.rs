//! The frame around every message between client and daemon; frozen for ever.
//!
//! `u32` big-endian length of the payload, `u8` kind, payload. A length above [`PAYLOAD_LIMIT`] is
//! refused before anything is allocated. "Not complete yet" is no error.

/// Largest payload of one frame.
pub const PAYLOAD_LIMIT: usize = 1 << 20;
/// Bytes before the payload.
pub const HEADER: usize = 5;

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// First message each way.
    Hello = 1,
    /// A client's request.
    Request = 2,
    /// The answer to one request.
    Reply = 3,
    /// Something happened; either way, no answer.
    Event = 4,
    /// Raw bytes of a channel, never inside msgpack.
    Bulk = 5,
}

impl Kind {
    const fn from_u8(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::Hello),
            2 => Some(Self::Request),
            3 => Some(Self::Reply),
            4 => Some(Self::Event),
            5 => Some(Self::Bulk),
            _ => None,
        }
    }
}

/// A peer that does not speak this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length prefix is beyond the limit.
    #[error("a frame of {0} bytes was announced, {PAYLOAD_LIMIT} are allowed")]
    TooLong(u32),
    /// The payload to be sent is beyond the limit.
    #[error("the message has {0} bytes, {PAYLOAD_LIMIT} are allowed")]
    TooLarge(usize),
}

/// Appends one frame.
pub fn encode(kind: Kind, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    if payload.len() > PAYLOAD_LIMIT {
        return Err(FrameError::TooLarge(payload.len()));
    }
    out.reserve(HEADER + payload.len());
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    out.push(kind as u8);
    out.extend_from_slice(payload);
    Ok(())
}

/// Cuts a byte stream into frames, whatever the pieces it arrives in.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns whether a frame has begun and is not complete.
    #[must_use]
    pub fn is_midway(&self) -> bool {
        self.start < self.buffer.len()
    }

    /// Returns the next whole frame; frames of unknown kinds are skipped.
    pub fn next_frame(&mut self) -> Result<Option<(Kind, Vec<u8>)>, FrameError> {
        loop {
            let rest = &self.buffer[self.start..];
            let Some((header, payload)) = rest.split_first_chunk::<HEADER>() else { return Ok(None) };
            let len = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
            if len as usize > PAYLOAD_LIMIT {
                return Err(FrameError::TooLong(len));
            }
            let Some(payload) = payload.get(..len as usize) else { return Ok(None) };
            let frame = Kind::from_u8(header[4]).map(|kind| (kind, payload.to_vec()));
            self.start += HEADER + len as usize;
            if frame.is_some() {
                return Ok(frame);
            }
        }
    }
}

/// A piece of a channel's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// The channel the client chose.
    pub channel: u32,
    /// Frames: more pieces of the same frame follow. Raw bytes: this is a painted screen, no history.
    pub more: bool,
    /// History offset of the first byte, or the number of the screen frame.
    pub at: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Bytes of a bulk payload before its own bytes.
const BULK_HEADER: usize = 13;

impl Bulk {
    /// Appends a whole bulk frame.
    pub fn encode(channel: u32, more: bool, at: u64, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let len = BULK_HEADER + bytes.len();
        if len > PAYLOAD_LIMIT {
            return Err(FrameError::TooLarge(len));
        }
        out.reserve(HEADER + len);
        out.extend_from_slice(&(len as u32).to_be_bytes());
        out.push(Kind::Bulk as u8);
        out.extend_from_slice(&channel.to_be_bytes());
        out.push(u8::from(more));
        out.extend_from_slice(&at.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    }

    /// Reads a bulk payload; `None` when it is too short.
    #[must_use]
    pub fn decode(payload: &[u8]) -> Option<Self> {
        let (header, bytes) = payload.split_first_chunk::<BULK_HEADER>()?;
        let [c0, c1, c2, c3, more, at @ ..] = *header;
        Some(Self {
            channel: u32::from_be_bytes([c0, c1, c2, c3]),
            more: more & 1 == 1,
            at: u64::from_be_bytes(at),
            bytes: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn k13_a_frame_of_four_gib_is_refused_at_its_header() {
        let mut decoder = Decoder::default();
        decoder.push(&[0xff, 0xff, 0xff, 0xff, 2]);
        assert_eq!(decoder.next_frame(), Err(FrameError::TooLong(u32::MAX)));
        assert!(decoder.buffer.capacity() < 4096);
    }

    #[test]
    fn a_half_written_frame_waits_and_unknown_kinds_are_skipped() {
        let mut bytes = vec![0, 0, 0, 1, 99, 7];
        encode(Kind::Event, b"xyz", &mut bytes).expect("short");
        let mut decoder = Decoder::default();
        let last = bytes.len() - 1;
        for byte in &bytes[..last] {
            decoder.push(&[*byte]);
            assert_eq!(decoder.next_frame(), Ok(None));
        }
        assert!(decoder.is_midway());
        decoder.push(&bytes[last..]);
        assert_eq!(decoder.next_frame(), Ok(Some((Kind::Event, b"xyz".to_vec()))));
        assert!(!decoder.is_midway());
    }

    proptest! {
        #[test]
        fn k13_random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 1_usize..50) {
            let mut decoder = Decoder::default();
            for piece in bytes.chunks(cut) {
                decoder.push(piece);
                while let Ok(Some((kind, payload))) = decoder.next_frame() {
                    if kind == Kind::Bulk {
                        let _ = Bulk::decode(&payload);
                    }
                }
            }
        }

        #[test]
        fn frames_survive_any_cut(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..8), cut in 1_usize..40) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                Bulk::encode(3, true, 9, payload, &mut bytes).expect("short");
            }
            let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
            for piece in bytes.chunks(cut) {
                decoder.push(piece);
                while let Some((_, payload)) = decoder.next_frame().expect("ours") {
                    seen.push(Bulk::decode(&payload).expect("ours").bytes);
                }
            }
            prop_assert_eq!(seen, payloads);
        }
    }
}
