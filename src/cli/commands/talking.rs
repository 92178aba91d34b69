//! `rpm send`, `rpm resize`: typing into a session and sizing it, without being attached.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use serde_bytes::ByteBuf;

use crate::cli::args;
use crate::cli::commands::waiting;
use crate::cli::exit;
use crate::cli::output;
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

/// A program that reads takes less.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest paste: it is one piece, so that nobody types into the middle of it.
const PASTE: usize = 512 << 10;

/// `rpm send`.
pub fn send(args: &args::Send) -> Result<u8, Error> {
    let mut bytes = args.text.as_ref().map(|text| text.as_bytes().to_vec()).unwrap_or_default();
    if args.stdin {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(Error::Lost)?;
    }
    let has_keys = args.keys.as_ref().is_some_and(|keys| !keys.trim().is_empty());
    if bytes.is_empty() && !has_keys && !args.enter && !args.eof {
        let nothing = WireError::new(Code::Invalid, "there is nothing to send");
        return Err(nothing.hint("give a text, --keys, --enter, --stdin or --eof").into());
    }
    let most = if args.paste { PASTE } else { PIECE };
    if (args.paste || args.wait.is_some()) && bytes.len() > most {
        let what = if args.paste { "pasted" } else { "typed and waited for" };
        let message = format!("{} bytes cannot be {what} at once; {most} can", bytes.len());
        return Err(WireError::new(Code::Invalid, message).hint("send it in pieces").into());
    }
    let mut client = Client::connect()?;
    let pieces: Vec<&[u8]> = if bytes.is_empty() { vec![&[]] } else { bytes.chunks(most).collect() };
    let mut first = None;
    for (n, piece) in pieces.iter().enumerate() {
        let is_last = n + 1 == pieces.len();
        let send = verbs::Send {
            key: client::request_key(),
            target: args.target.clone(),
            bytes: ByteBuf::from(*piece),
            eof: args.eof && is_last,
            keys: args.keys.clone(),
            paste: args.paste,
            enter: args.enter && is_last,
            patience_ms: args.timeout.unwrap_or_default(),
        };
        if let Some(pattern) = &args.wait {
            return waiting::send_and_wait(&mut client, send, pattern, args);
        }
        let sent = waiting_for_room(&args.target, || client.call(&send))?;
        first.get_or_insert(sent);
    }
    if let Some(sent) = first.filter(|_| args.json) {
        output::json("send", &serde_json::json!({ "at": sent.at, "repeated": sent.repeated }));
    }
    Ok(exit::OK)
}

/// Types, and says so when the program lets it wait.
fn waiting_for_room<T>(target: &str, work: impl FnOnce() -> T) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                say(&format!("rpm: {target} does not read what was typed before; waiting, C-c gives up"));
            }
        });
        let result = work();
        drop(done);
        result
    })
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
