//! A connection to the daemon: requests, notices and bulk bytes, without a runtime.
//!
//! The socket never blocks: what cannot be sent waits in `unsent`, so a client that types into a program that does not
//! read can still be told to detach.

use std::collections::VecDeque;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::time::Instant;

use rustix::event::PollFd;
use rustix::event::PollFlags;

use crate::client::envelope;
use crate::client::envelope::HELLO_WAIT;
use crate::client::envelope::Incoming;
use crate::client::envelope::open;
use crate::client::error::Error;
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

/// See the module.
pub struct Connection {
    stream: UnixStream,
    decoder: Decoder,
    waiting: VecDeque<Incoming>,
    unsent: Vec<u8>,
    /// How much of `unsent` was sent already; it is cut off once all of it was, so that a long queue is not moved each time.
    sent: usize,
    next_id: u64,
    /// The daemon's hello.
    pub daemon: Hello,
}

impl Connection {
    /// Says hello on a fresh connection and waits for the answer.
    pub fn greet(stream: UnixStream, place: &Place, ours: &Hello) -> Result<Self, Error> {
        stream.set_nonblocking(true).map_err(Error::Lost)?;
        let mut connection = Self {
            stream,
            decoder: Decoder::default(),
            waiting: VecDeque::new(),
            unsent: Vec::new(),
            sent: 0,
            next_id: 1,
            daemon: Hello::default(),
        };
        connection.push(Kind::Hello, &message::encode(ours))?;
        let deadline = Instant::now() + HELLO_WAIT;
        loop {
            if let Some((Kind::Hello, payload)) = connection.decoder.next_frame()? {
                connection.daemon = message::decode(&payload)?;
                ours.agree(&connection.daemon)?;
                return Ok(connection);
            }
            if !connection.wait(Some(deadline.saturating_duration_since(Instant::now())))? {
                return Err(Error::Silent { path: place.socket() });
            }
            connection.fill()?;
        }
    }

    /// Sends a request and waits for its reply; what else arrives meanwhile waits.
    pub fn call<V: Verb>(&mut self, verb: &V) -> Result<V::Reply, Error> {
        let id = self.post(verb)?;
        let mut others = VecDeque::new();
        let reply = loop {
            match self.receive()? {
                Incoming::Reply(reply) if reply.id == id => break reply,
                other => others.push_back(other),
            }
        };
        others.append(&mut self.waiting);
        self.waiting = others;
        open::<V>(reply)
    }

    /// Sends a request whose reply will arrive as [`Incoming::Reply`] with the returned id.
    pub fn post<V: Verb>(&mut self, verb: &V) -> Result<u64, Error> {
        let id = self.next_id;
        self.next_id += 1;
        self.push(Kind::Request, &envelope::request(id, verb))?;
        Ok(id)
    }

    /// Sends a notice.
    pub fn notify<N: Notice>(&mut self, notice: &N) -> Result<(), Error> {
        self.push(Kind::Event, &message::encode(&Event::of(notice)))
    }

    /// Sends typed bytes on a channel.
    pub fn input(&mut self, channel: u32, bytes: &[u8]) -> Result<(), Error> {
        for piece in bytes.chunks(64 << 10) {
            Bulk::encode(channel, false, 0, piece, &mut self.unsent)?;
        }
        self.flush()
    }

    fn push(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        frame::encode(kind, payload, &mut self.unsent)?;
        self.flush()
    }

    /// Returns how many bytes wait for the daemon to read.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// Sends what can be sent now.
    pub fn flush(&mut self) -> Result<(), Error> {
        while self.unsent() > 0 {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(Error::Lost(io::ErrorKind::WriteZero.into())),
                Ok(len) => self.sent += len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Lost(error)),
            }
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(())
    }

    /// Waits for the next thing the daemon sends.
    pub fn receive(&mut self) -> Result<Incoming, Error> {
        loop {
            if let Some(incoming) = self.next_waiting()? {
                return Ok(incoming);
            }
            self.wait(None)?;
            self.flush()?;
            self.fill()?;
        }
    }

    /// Waits for the next thing the daemon sends; none when it did not come in time.
    pub fn receive_within(&mut self, timeout: Option<Duration>) -> Result<Option<Incoming>, Error> {
        let incoming = self.try_receive()?;
        if incoming.is_some() {
            return Ok(incoming);
        }
        if !self.wait(timeout)? {
            return Ok(None);
        }
        self.flush()?;
        self.try_receive()
    }

    /// Returns what has arrived, without waiting. Call until `None`, then poll the descriptor.
    pub fn try_receive(&mut self) -> Result<Option<Incoming>, Error> {
        if let Some(incoming) = self.next_waiting()? {
            return Ok(Some(incoming));
        }
        self.fill()?;
        self.next_waiting()
    }

    fn next_waiting(&mut self) -> Result<Option<Incoming>, Error> {
        if let Some(incoming) = self.waiting.pop_front() {
            return Ok(Some(incoming));
        }
        envelope::next(&mut self.decoder)
    }

    /// Reads once.
    fn fill(&mut self) -> Result<(), Error> {
        let mut buffer = [0; 64 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Error::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(len) => {
                self.decoder.push(&buffer[..len]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(Error::Lost(error)),
        }
    }

    /// Waits for the socket; `false` when the time ran out.
    fn wait(&self, timeout: Option<Duration>) -> Result<bool, Error> {
        let timeout = timeout.map(|left| rustix::time::Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        });
        let mut fds = [PollFd::new(&self.stream, self.interest())];
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(true),
            Err(errno) => Err(Error::Lost(errno.into())),
        }
    }

    /// Returns what to poll the descriptor for.
    #[must_use]
    pub fn interest(&self) -> PollFlags {
        if self.unsent() == 0 { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
