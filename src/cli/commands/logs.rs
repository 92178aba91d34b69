//! `rpm logs`: history to standard output, and on with what comes.

use std::io::Write;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::report::say;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::history::Stream;
use crate::protocol::verbs;
use crate::term::Strip;

/// The only channel of this connection.
const CHANNEL: u32 = 1;

/// Runs it.
pub fn logs(args: &args::Logs) -> Result<u8, Error> {
    let mut client = Client::connect()?;
    let mut from = args.lines.map_or(verbs::From::Start, verbs::From::Lines);
    let mut strip = Strip::new();
    loop {
        let request = verbs::Logs {
            channel: CHANNEL,
            target: args.target.clone(),
            from,
            follow: args.follow,
            stream: args.stream.map(Stream::from),
            marks: false,
            past_gaps: false,
        };
        client.call(&request)?;
        match copy(&mut client, args.raw, &mut strip, &mut from) {
            // The daemon was killed: the next one goes on at the next byte.
            Err(error) if error.is_lost() => client.reconnect()?,
            result => return result,
        }
    }
}

/// Copies until the log is complete; `from` becomes the offset after the last byte written.
fn copy(client: &mut Client, is_raw: bool, strip: &mut Strip, from: &mut verbs::From) -> Result<u8, Error> {
    let mut out = std::io::stdout().lock();
    loop {
        match client.connection().receive()? {
            Incoming::Bulk(bulk) => {
                let mut plain = Vec::new();
                let bytes = if is_raw {
                    &bulk.bytes
                } else {
                    strip.filter(&bulk.bytes, &mut plain);
                    &plain
                };
                if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
                    return Ok(exit::OK);
                }
                *from = verbs::From::Offset(bulk.at + bulk.bytes.len() as u64);
            }
            Incoming::Event(event) => {
                if let Some(missed) = event.get::<verbs::Missed>() {
                    say(&format!("rpm: {} bytes were overwritten before they could be read", missed.bytes));
                    return Ok(exit::GAP);
                }
                if event.get::<verbs::Closed>().is_some() {
                    return Ok(exit::OK);
                }
            }
            Incoming::Reply(_) => {}
        }
    }
}
