//! Stop a session with everything that it started, and report what was left.
//!
//! `cargo run --example stop_tree -- SESSION`. Needs no runtime: the blocking client waits for each answer.

use std::process::ExitCode;

use runpm::client::Error;
use runpm::client::blocking::Client;
use runpm::client::request_key;
use runpm::protocol::verbs::Stop;

fn main() -> Result<ExitCode, Error> {
    let Some(target) = std::env::args().nth(1) else {
        eprintln!("usage: stop_tree SESSION");
        return Ok(ExitCode::from(2));
    };
    let mut client = match Client::connect() {
        Ok(client) => client,
        Err(error) => {
            // Every error has a sentence, what to do, and a code that never changes.
            eprintln!("{error} ({})", error.code());
            return Ok(ExitCode::FAILURE);
        }
    };

    // Asked politely first, killed after half a second. All processes of the session are meant: children in
    // the background too, and those that went into a kernel session of their own. The answer comes when they are gone.
    // The key makes a repeated request the same request: it waits for this stop instead of hurrying it.
    let stop = Stop { key: request_key(), targets: vec![target], grace_ms: 500, ..Stop::default() };
    let outcomes = client.call(&stop)?.outcomes;

    let mut is_clean = true;
    for outcome in &outcomes {
        match (&outcome.end, &outcome.error) {
            (Some(end), _) => {
                println!("{} {}, {} processes left", outcome.name, end.word(), end.left.len());
                is_clean &= end.left.is_empty();
            }
            (None, error) => {
                println!("{} did not end: {error:?}", outcome.name);
                is_clean = false;
            }
        }
    }
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
