//! `rpm send`, `rpm resize`: typing into a session and sizing it, without being attached.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::report::say;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::sizing::SizeOwner;

/// Bytes of one request: well below a frame, and a part of what the daemon queues.
const PIECE: usize = 256 << 10;

/// `rpm send`.
pub fn send(args: &args::Send) -> Result<u8, Error> {
    let mut bytes = args.text.as_ref().map(|text| text.as_bytes().to_vec()).unwrap_or_default();
    if args.stdin {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(Error::Lost)?;
    }
    if args.enter {
        bytes.push(b'\r');
    }
    if bytes.is_empty() && !args.eof {
        let nothing = WireError::new(Code::Invalid, "there is nothing to send");
        return Err(nothing.hint("give a text, --enter, --stdin or --eof").into());
    }
    let mut client = Client::connect()?;
    let pieces: Vec<&[u8]> = if bytes.is_empty() { vec![&[]] } else { bytes.chunks(PIECE).collect() };
    for (n, piece) in pieces.iter().enumerate() {
        client.call(&verbs::Send {
            key: client::request_key(),
            target: args.target.clone(),
            bytes: ByteBuf::from(*piece),
            eof: args.eof && n + 1 == pieces.len(),
        })?;
    }
    Ok(exit::OK)
}

/// `rpm resize`.
pub fn resize(args: &args::Resize) -> Result<u8, Error> {
    let size = args.size.as_ref().map(|wish| wish.size);
    let owner = args.owner.map(SizeOwner::from);
    Client::connect()?.call(&verbs::Resize { target: args.target.clone(), size, owner })?;
    if let Some(wish) = args.size.as_ref().filter(|wish| wish.text.to_lowercase() != wish.size.to_string()) {
        say(&format!("rpm: {} is not possible, {} was made {}", wish.text, args.target, wish.size));
    }
    Ok(exit::OK)
}
