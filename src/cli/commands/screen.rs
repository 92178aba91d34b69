//! `rpm screen`: the screen of a session in the form that is wanted.
//!
//! The daemon copies the cells once, as for anybody who watches; every form is made here, from that one frame.

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::protocol::message;
use crate::protocol::verbs;
use crate::term::Frame;
use crate::term::Mirror;
use crate::term::render;

/// The only channel of this connection.
const CHANNEL: u32 = 1;

/// Runs it.
pub fn screen(args: &args::Screen) -> Result<u8, Error> {
    let mut client = Client::connect()?;
    let (text, frame) = loop {
        match fetch(&mut client, args) {
            Err(error) if error.is_lost() => client.reconnect()?,
            result => break result?,
        }
    };
    let mut mirror = Mirror::new();
    mirror.apply(&frame);
    let title = frame.title.as_deref().unwrap_or(&args.target);
    if args.json {
        output::json("screen", &render::Cells::of(&mirror, text.above));
    } else if args.html {
        output::print(render::html(&mirror, title).as_bytes());
    } else if args.svg {
        output::print(render::svg(&mirror, title).as_bytes());
    } else if args.ansi {
        output::print(format!("{}\n", render::ansi(&mirror)).as_bytes());
    } else {
        output::print(format!("{}\n", render::text(&mirror)).as_bytes());
    }
    Ok(exit::OK)
}

/// Asks for the frame and puts its pieces together.
fn fetch(client: &mut Client, args: &args::Screen) -> Result<(verbs::ScreenText, Frame), Error> {
    let request =
        verbs::ScreenOf { target: args.target.clone(), ansi: false, channel: Some(CHANNEL), above: args.scrollback };
    let text = client.call(&request)?;
    let mut bytes = Vec::new();
    loop {
        if let Incoming::Bulk(bulk) = client.connection().receive()? {
            bytes.extend_from_slice(&bulk.bytes);
            if !bulk.more {
                return Ok((text, message::decode(&bytes)?));
            }
        }
    }
}
