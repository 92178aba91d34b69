//! `rpm flush`: what was said so far is forgotten.

use serde_json::json;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::protocol::verbs;
use crate::session::text;

/// Runs it.
pub fn flush(args: &args::Flush) -> Result<u8, Error> {
    let flush = verbs::Flush { key: client::request_key(), targets: args.targets.clone() };
    let flushed = Client::connect()?.call(&flush)?;
    if args.json {
        let session = |session: &verbs::FlushedSession| json!({ "id": session.id.to_string(), "name": session.name, "journal_bytes": session.bytes });
        output::json("flushed", &flushed.sessions.iter().map(session).collect::<Vec<_>>());
    } else {
        for session in &flushed.sessions {
            let name = text::clean(&session.name);
            let journal =
                if session.bytes == 0 { String::new() } else { format!(", {} on disk", text::amount(session.bytes)) };
            output::print(format!("{name} flushed{journal}\n").as_bytes());
        }
    }
    let has_failed = !flushed.errors.is_empty();
    for error in flushed.errors {
        report::error(&Error::Refused(error));
    }
    Ok(if has_failed { exit::FAILURE } else { exit::OK })
}
