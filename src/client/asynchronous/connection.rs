//! A connection on tokio. Whatever is awaited here may be dropped halfway: nothing sent or received is lost by that.

use std::io;
use std::os::unix::net::UnixStream as StdStream;

use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time::Instant;

use crate::client::envelope;
use crate::client::envelope::HELLO_WAIT;
use crate::client::envelope::Incoming;
use crate::client::envelope::RETURN;
use crate::client::error::Error;
use crate::client::inherit;
use crate::client::launch;
use crate::platform::endpoint::Place;
use crate::protocol::frame;
use crate::protocol::frame::Bulk;
use crate::protocol::frame::Decoder;
use crate::protocol::frame::Kind;
use crate::protocol::hello::Hello;
use crate::protocol::message;
use crate::protocol::message::Event;
use crate::protocol::message::Notice;
use crate::protocol::message::Verb;

/// Bytes that may wait for the daemon to read before a writer waits too.
const UNSENT: usize = 64 << 10;

/// Where a daemon is met, and who meets it.
#[derive(Debug, Clone)]
pub struct Address {
    pub place: Place,
    hello: Hello,
}

impl Address {
    /// Finds the daemon of a place, or of this user's own; starts it if it does not run and `is_started` says so.
    pub async fn find(place: Option<Place>, is_started: bool) -> Result<(Self, Connection), Error> {
        let (place, stream) = blocking(move || {
            let place = place.map_or_else(Place::open, Ok)?;
            let stream = if is_started {
                launch::find_or_start(&place)?
            } else {
                launch::find(&place)?.ok_or(Error::NotRunning)?
            };
            Ok((place, stream))
        })
        .await?;
        let address = Self { place, hello: Hello::ours(std::process::id(), inherit::who(), inherit::inside()) };
        let connection = match Connection::greet(stream, &address).await {
            Err(error) if error.is_lost() => address.connect().await?,
            result => result?,
        };
        Ok((address, connection))
    }

    /// Connects to the daemon that is there now, or to the one that comes after it.
    pub async fn connect(&self) -> Result<Connection, Error> {
        let deadline = Instant::now() + RETURN;
        let mut pause = std::time::Duration::from_millis(1);
        loop {
            let place = self.place.clone();
            // While the keeper lives its socket is open, so connecting waits for the next daemon by itself.
            let result = match blocking(move || launch::find(&place)).await? {
                Some(stream) => Connection::greet(stream, self).await,
                None => Err(Error::NotRunning),
            };
            match result {
                Err(error) if (error.is_lost() || matches!(error, Error::NotRunning)) && Instant::now() < deadline => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(std::time::Duration::from_millis(200));
                }
                result => return result,
            }
        }
    }
}

/// Connecting and starting may wait; not on a thread that others need.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::Lost(io::ErrorKind::Interrupted.into())))
}

/// See the module.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    decoder: Decoder,
    unsent: Vec<u8>,
    sent: usize,
}

impl Connection {
    async fn greet(stream: StdStream, address: &Address) -> Result<Self, Error> {
        stream.set_nonblocking(true).map_err(Error::Lost)?;
        let stream = UnixStream::from_std(stream).map_err(Error::Lost)?;
        let mut connection = Self { stream, decoder: Decoder::default(), unsent: Vec::new(), sent: 0 };
        connection.push(Kind::Hello, &message::encode(&address.hello))?;
        let silent = |_| Error::Silent { path: address.place.socket() };
        let theirs = tokio::time::timeout(HELLO_WAIT, connection.hello()).await.map_err(silent)??;
        address.hello.agree(&theirs)?;
        Ok(connection)
    }

    async fn hello(&mut self) -> Result<Hello, Error> {
        loop {
            if let Some((Kind::Hello, payload)) = self.decoder.next_frame()? {
                return Ok(message::decode(&payload)?);
            }
            self.turn().await?;
        }
    }

    /// Queues a frame; it leaves while something is received or flushed.
    pub fn push(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        Ok(frame::encode(kind, payload, &mut self.unsent)?)
    }

    /// Queues a frame that was encoded before.
    pub fn push_frame(&mut self, frame: &[u8]) {
        self.unsent.extend_from_slice(frame);
    }

    /// Queues a notice.
    pub fn notify<N: Notice>(&mut self, notice: &N) -> Result<(), Error> {
        self.push(Kind::Event, &message::encode(&Event::of(notice)))
    }

    /// Sends typed bytes on a channel; waits while the daemon takes no more.
    pub async fn input(&mut self, channel: u32, bytes: &[u8]) -> Result<(), Error> {
        for piece in bytes.chunks(UNSENT) {
            Bulk::encode(channel, false, 0, piece, &mut self.unsent)?;
            self.flush(UNSENT).await?;
        }
        self.flush(0).await
    }

    /// Waits until at most `rest` bytes are unsent.
    pub async fn flush(&mut self, rest: usize) -> Result<(), Error> {
        self.send()?;
        while self.unsent.len() - self.sent > rest {
            self.stream.writable().await.map_err(Error::Lost)?;
            self.send()?;
        }
        Ok(())
    }

    /// Asks on a connection that carries nothing else yet, and waits for the answer.
    pub async fn call<V: Verb>(&mut self, verb: &V) -> Result<V::Reply, Error> {
        self.push(Kind::Request, &envelope::request(1, verb))?;
        loop {
            if let Incoming::Reply(reply) = self.receive().await? {
                return envelope::open::<V>(reply);
            }
        }
    }

    /// Waits for the next thing the daemon sends, and sends what is queued meanwhile.
    pub async fn receive(&mut self) -> Result<Incoming, Error> {
        loop {
            if let Some(incoming) = envelope::next(&mut self.decoder)? {
                return Ok(incoming);
            }
            self.turn().await?;
        }
    }

    /// Waits until something can be read or sent, and does it.
    async fn turn(&mut self) -> Result<(), Error> {
        let is_unsent = self.sent < self.unsent.len();
        let interest = if is_unsent { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let ready = self.stream.ready(interest).await.map_err(Error::Lost)?;
        if ready.is_writable() {
            self.send()?;
        }
        if !ready.is_readable() {
            return Ok(());
        }
        let mut buffer = [0; 64 << 10];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(Error::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(len) => {
                self.decoder.push(&buffer[..len]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(Error::Lost(error)),
        }
    }

    fn send(&mut self) -> Result<(), Error> {
        while self.sent < self.unsent.len() {
            match self.stream.try_write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(Error::Lost(io::ErrorKind::WriteZero.into())),
                Ok(len) => self.sent += len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(Error::Lost(error)),
            }
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(())
    }
}
