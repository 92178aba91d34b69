//! A client without a runtime: each call waits for its answer.
//!
//! The command line and the dashboard are built on it.

mod connection;
mod follow;
pub mod wait;

use std::time::Duration;
use std::time::Instant;

use crate::client::envelope::RETURN;
use crate::client::envelope::TRIES;
use crate::client::error::Error;
use crate::client::inherit;
use crate::client::launch;
use crate::platform::endpoint::Place;
use crate::protocol::hello::Hello;
use crate::protocol::message::Verb;

pub use crate::client::envelope::Incoming;
pub use crate::client::envelope::open;
pub use connection::Connection;
pub use follow::Follow;

/// A client that survives its daemon.
pub struct Client {
    place: Place,
    hello: Hello,
    connection: Connection,
}

impl Client {
    /// Connects to the running daemon, or starts one.
    pub fn connect_or_start() -> Result<Self, Error> {
        let place = Place::open()?;
        let stream = launch::find_or_start(&place)?;
        Self::greet(place, stream)
    }

    /// Connects to the running daemon; [`Error::NotRunning`] when there is none.
    pub fn connect() -> Result<Self, Error> {
        let place = Place::open()?;
        let stream = launch::find(&place)?.ok_or(Error::NotRunning)?;
        Self::greet(place, stream)
    }

    /// Connects to the daemon of these folders.
    pub fn connect_to(place: Place) -> Result<Self, Error> {
        let stream = launch::find(&place)?.ok_or(Error::NotRunning)?;
        Self::greet(place, stream)
    }

    fn greet(place: Place, stream: std::os::unix::net::UnixStream) -> Result<Self, Error> {
        let hello = Hello::ours(std::process::id(), inherit::who(), inherit::inside());
        let connection = match Connection::greet(stream, &place, &hello) {
            // Killed while it greeted: the next one is coming.
            Err(error) if error.is_lost() => reopen(&place, &hello)?,
            result => result?,
        };
        Ok(Self { place, hello, connection })
    }

    /// Asks, and asks again if the daemon is killed meanwhile. Requests that must not be done twice carry a key.
    pub fn call<V: Verb>(&mut self, verb: &V) -> Result<V::Reply, Error> {
        let mut tries = 0;
        loop {
            match self.connection.call(verb) {
                // A request that ends the daemon each time must not do so for ever.
                Err(error) if error.is_lost() && tries < TRIES => {
                    tries += 1;
                    self.reconnect()?;
                }
                result => return result,
            }
        }
    }

    /// Connects again after the connection was lost; attachments have to be made again.
    pub fn reconnect(&mut self) -> Result<(), Error> {
        self.connection = reopen(&self.place, &self.hello)?;
        Ok(())
    }

    /// Tries once to connect again, without waiting for a daemon that is not there.
    pub fn try_reconnect(&mut self) -> Result<(), Error> {
        let stream = launch::find(&self.place)?.ok_or(Error::NotRunning)?;
        self.connection = Connection::greet(stream, &self.place, &self.hello)?;
        Ok(())
    }

    /// Returns the connection, to use it directly.
    pub const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns where the daemon is met.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }
}

fn reopen(place: &Place, hello: &Hello) -> Result<Connection, Error> {
    let deadline = Instant::now() + RETURN;
    let mut pause = Duration::from_millis(1);
    loop {
        // While the keeper lives its socket is open, so connecting waits for the next daemon by itself.
        let result = match launch::find(place)? {
            Some(stream) => Connection::greet(stream, place, hello),
            None => Err(Error::NotRunning),
        };
        match result {
            Err(error) if (error.is_lost() || matches!(error, Error::NotRunning)) && Instant::now() < deadline => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(200));
            }
            result => return result,
        }
    }
}
