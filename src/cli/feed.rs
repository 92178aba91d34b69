//! History of sessions as it comes from the daemon, in order: bytes with their stream and time, sizes, the end.
//!
//! A daemon that is killed is waited for; reading goes on at the next byte. Whoever reads keeps what it made of the bytes
//! so far, so a line or a sequence may be cut there. Nothing here is seen by anybody else.

use std::ops::ControlFlow;

use crate::cli::exit;
use crate::cli::report;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::history::Stream;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;
use crate::session::spec::Kind;
use crate::session::status::How;
use crate::session::status::Status;
use crate::term::Size;

/// How often reading is tried again without any progress.
const TRIES: u32 = 50;

/// What comes next in a session's history.
#[derive(Clone, Copy)]
pub enum Said<'a> {
    /// Bytes.
    Bytes {
        /// Where they came from.
        stream: Stream,
        /// Offset of the first one.
        at: u64,
        /// Wall-clock microseconds; 0 without marks.
        time_us: u64,
        /// As the program wrote them.
        bytes: &'a [u8],
    },
    /// The terminal has this size; first of all, the one it starts with.
    Size(u64, Size),
    /// The first process ended at this time.
    Exit(u64),
    /// So many bytes are gone.
    Missed(u64),
    /// That was all.
    Closed,
}

/// One session that is read.
pub struct Source {
    /// Its name.
    pub name: String,
    target: String,
    channel: u32,
    from: verbs::From,
    stream: Option<Stream>,
    now: (Stream, u64),
    is_done: bool,
}

/// How to read.
#[derive(Clone, Copy)]
pub struct Reading {
    /// Go on with what comes.
    pub follow: bool,
    /// Streams and times are wanted.
    pub marks: bool,
}

/// Selects sessions; of several, those without such a stream and those that were lost with their keeper are left out.
pub fn select(client: &mut Client, targets: &[String], stream: Option<Stream>) -> Result<Vec<Status>, Error> {
    let mut found = client.call(&verbs::List { targets: targets.to_vec() })?.sessions;
    if found.len() > 1 {
        let is_lost = |status: &Status| status.end().is_some_and(|end| end.how == How::Lost);
        found.retain(|status| !is_lost(status) && (stream.is_none() || status.kind == Kind::Pipe));
    }
    Ok(found)
}

impl Source {
    /// Reads a session from here on; `number` tells it from the other sources of this client.
    pub fn new(status: &Status, number: usize, from: verbs::From, stream: Option<Stream>) -> Self {
        Self {
            name: status.name.clone(),
            target: status.id.to_string(),
            channel: number as u32 + 1,
            from,
            stream,
            now: (Stream::Terminal, 0),
            is_done: false,
        }
    }

    fn request(&self, reading: Reading) -> verbs::Logs {
        verbs::Logs {
            channel: self.channel,
            target: self.target.clone(),
            from: self.from,
            follow: reading.follow,
            stream: self.stream,
            marks: reading.marks,
            past_gaps: false,
        }
    }
}

/// Reads all sources at once, until each is complete or `each` breaks with an exit code.
///
/// Of several sources, one that is refused is told about and left out.
pub fn read(
    client: &mut Client,
    sources: &mut [Source],
    reading: Reading,
    each: &mut dyn FnMut(usize, Said<'_>) -> ControlFlow<u8>,
) -> Result<ControlFlow<u8>, Error> {
    let mut tries = 0;
    loop {
        let mut has_moved = false;
        let mut noted = |n: usize, said: Said<'_>| {
            has_moved = true;
            each(n, said)
        };
        match read_once(client, sources, reading, &mut noted) {
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
    reading: Reading,
    each: &mut dyn FnMut(usize, Said<'_>) -> ControlFlow<u8>,
) -> Result<ControlFlow<u8>, Error> {
    let is_only = sources.len() == 1;
    for source in sources.iter_mut().filter(|source| !source.is_done) {
        match client.connection().call(&source.request(reading)) {
            Err(error) if !is_only && exit::of(&error) != exit::UNREACHABLE => {
                report::error(&error);
                source.is_done = true;
            }
            result => drop(result?),
        }
    }
    while sources.iter().any(|source| !source.is_done) {
        let incoming = client.connection().receive()?;
        let channel = match &incoming {
            Incoming::Bulk(bulk) => Some(bulk.channel),
            Incoming::Event(event) => channel_of(event),
            Incoming::Reply(_) => None,
        };
        let Some(n) = sources.iter().position(|source| Some(source.channel) == channel) else { continue };
        if let ControlFlow::Break(code) = take(&mut sources[n], reading, &incoming, &mut |said| each(n, said)) {
            return Ok(ControlFlow::Break(code));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn channel_of(event: &Event) -> Option<u32> {
    let mark = event.get::<verbs::Mark>().map(|mark| mark.channel);
    let missed = || event.get::<verbs::Missed>().map(|missed| missed.channel);
    mark.or_else(missed).or_else(|| event.get::<verbs::Closed>().map(|closed| closed.channel))
}

/// Hands over what one message says.
fn take(
    source: &mut Source,
    reading: Reading,
    incoming: &Incoming,
    each: &mut dyn FnMut(Said<'_>) -> ControlFlow<u8>,
) -> ControlFlow<u8> {
    let event = match incoming {
        Incoming::Bulk(bulk) => {
            source.from = verbs::From::Offset(bulk.at + bulk.bytes.len() as u64);
            let (stream, time_us) = source.now;
            return each(Said::Bytes { stream, at: bulk.at, time_us, bytes: &bulk.bytes });
        }
        Incoming::Event(event) => event,
        Incoming::Reply(_) => return ControlFlow::Continue(()),
    };
    if let Some(mark) = event.get::<verbs::Mark>() {
        return match mark.point {
            Point::Bytes(stream) => {
                source.now = (stream, mark.time_us);
                ControlFlow::Continue(())
            }
            Point::Resize(size) => each(Said::Size(mark.time_us, size)),
            Point::Exit => each(Said::Exit(mark.time_us)),
        };
    }
    if let Some(missed) = event.get::<verbs::Missed>() {
        // Who follows is told and let go.
        source.is_done |= reading.follow;
        return each(Said::Missed(missed.bytes));
    }
    if event.get::<verbs::Closed>().is_some() {
        source.is_done = true;
        return each(Said::Closed);
    }
    ControlFlow::Continue(())
}
