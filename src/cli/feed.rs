//! History of sessions as it comes from the daemon, in order: bytes with their stream and time, sizes, the end.
//!
//! A daemon that is killed is waited for; reading goes on at the next byte. Whoever reads keeps what it made of the bytes
//! so far, so a line or a sequence may be cut there. Nothing here is seen by anybody else.

use std::ops::ControlFlow;
use std::time::Instant;

use crate::cli::exit;
use crate::cli::open_line::QUIET;
use crate::cli::report;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::follow;
use crate::client::follow::Chunk;
use crate::client::follow::Follower;
use crate::history::Stream;
use crate::protocol::verbs;
use crate::session::spec::Kind;
use crate::session::status::How;
use crate::session::status::Status;

/// How often reading is tried again without any progress.
const TRIES: u32 = 50;

/// One session that is read.
pub struct Source {
    channel: u32,
    follower: Follower,
}

/// Selects sessions; of several, those without such a stream and those that were lost with their keeper are left out, and
/// those that name nobody are told about. Their code comes along.
pub fn select(client: &mut Client, targets: &[String], stream: Option<Stream>) -> Result<(Vec<Status>, u8), Error> {
    let verbs::Listing { sessions: mut found, errors } = client.call(&verbs::List { targets: targets.to_vec() })?;
    let code = report::items(&errors);
    if found.len() > 1 {
        let is_lost = |status: &Status| {
            status.journal.is_none() && status.service.is_none() && status.end().is_some_and(|end| end.how == How::Lost)
        };
        found.retain(|status| !is_lost(status) && (stream.is_none() || status.kind == Kind::Pipe));
    }
    Ok((found, code))
}

impl Source {
    /// Reads a session as `wish` says; `number` tells it from the other sources of this client.
    pub fn new(status: &Status, number: usize, wish: &verbs::Logs) -> Self {
        let channel = number as u32 + 1;
        let logs = verbs::Logs { channel, target: status.id.to_string(), ..wish.clone() };
        Self { channel, follower: Follower::new(logs) }
    }
}

/// One session that is read on a connection of its own, piece by piece.
pub struct Lane {
    client: Client,
    follower: Follower,
}

impl Lane {
    /// Starts to read a session as `wish` says.
    pub fn open(mut client: Client, status: &Status, wish: &verbs::Logs) -> Result<Self, Error> {
        let logs = verbs::Logs { channel: 1, target: status.id.to_string(), ..wish.clone() };
        let mut follower = Follower::new(logs);
        let attached = client.call(&follower.request())?;
        follower.agreed(attached.id);
        Ok(Self { client, follower })
    }

    /// Returns the offset of the next byte, once it is known.
    pub const fn offset(&self) -> Option<u64> {
        self.follower.offset()
    }

    /// Returns the next piece; none when nothing more comes. A daemon that is killed is waited for.
    pub fn next(&mut self) -> Result<Option<Chunk>, Error> {
        while !self.follower.is_over() {
            match self.client.connection().receive() {
                Err(error) if error.is_lost() => {
                    self.client.reconnect()?;
                    let attached = self.client.call(&self.follower.request())?;
                    self.follower.agreed(attached.id);
                }
                incoming => {
                    if let Some(chunk) = self.follower.take(incoming?) {
                        return Ok(Some(chunk));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// Reads all sources at once, until each is complete or `each` breaks with an exit code.
///
/// Of several sources, one that is refused is told about and left out. What is followed gets an empty piece when nothing has
/// come for a short while.
pub fn read(
    client: &mut Client,
    sources: &mut [Source],
    each: &mut dyn FnMut(usize, Chunk) -> ControlFlow<u8>,
) -> Result<ControlFlow<u8>, Error> {
    let mut tries = 0;
    loop {
        let mut has_moved = false;
        let mut noted = |n: usize, chunk: Chunk| {
            has_moved = true;
            each(n, chunk)
        };
        match read_once(client, sources, &mut noted) {
            Err(error) if error.is_lost() && (has_moved || tries < TRIES) => {
                tries = if has_moved { 0 } else { tries + 1 };
                client.reconnect()?;
            }
            result => return result,
        }
    }
}

fn read_once(
    client: &mut Client,
    sources: &mut [Source],
    each: &mut dyn FnMut(usize, Chunk) -> ControlFlow<u8>,
) -> Result<ControlFlow<u8>, Error> {
    let is_only = sources.len() == 1;
    for Source { follower, .. } in sources.iter_mut().filter(|source| !source.follower.is_over()) {
        match client.connection().call(&follower.request()) {
            Err(error) if !is_only && exit::of(&error) != exit::UNREACHABLE => {
                report::sentence(&error);
                follower.give_up();
            }
            attached => follower.agreed(attached?.id),
        }
    }
    let is_followed = sources.iter().any(|source| source.follower.request().follow);
    let mut quiet = is_followed.then_some(QUIET);
    while sources.iter().any(|source| !source.follower.is_over()) {
        let asked = Instant::now();
        let Some(incoming) = client.connection().receive_within(quiet)? else {
            // Half a message is no quiet.
            if asked.elapsed() >= QUIET
                && quiet.take().is_some()
                && let ControlFlow::Break(code) = tell_quiet(sources, each)
            {
                return Ok(ControlFlow::Break(code));
            }
            continue;
        };
        quiet = is_followed.then_some(QUIET);
        let channel = follow::channel_of(&incoming);
        let Some(n) = sources.iter().position(|source| Some(source.channel) == channel) else { continue };
        if let Some(chunk) = sources[n].follower.take(incoming)
            && let ControlFlow::Break(code) = each(n, chunk)
        {
            return Ok(ControlFlow::Break(code));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn tell_quiet(sources: &[Source], each: &mut dyn FnMut(usize, Chunk) -> ControlFlow<u8>) -> ControlFlow<u8> {
    for (n, _) in sources.iter().enumerate().filter(|(_, source)| !source.follower.is_over()) {
        each(n, Chunk::Bytes { at: 0, stream: Stream::Terminal, time_us: 0, bytes: Vec::new() })?;
    }
    ControlFlow::Continue(())
}
