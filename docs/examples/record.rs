//! Record all that a session says into a file, byte for byte, also across kills of the daemon.
//!
//! `cargo run --example record -- SESSION FILE`; started again with the same file it goes on where it stopped.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;

use runpm::client::Chunk;
use runpm::client::Client;
use runpm::client::Error;
use runpm::protocol::verbs::From;
use runpm::session::status::End;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [session, path] = &words[..] else {
        eprintln!("usage: record SESSION FILE");
        return Ok(ExitCode::from(2));
    };
    let mut file = match OpenOptions::new().append(true).create(true).open(path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    // Offsets count all that was ever said and are never reused, so the file's length is where to go on.
    let next = file.metadata().map_or(0, |meta| meta.len());

    let client = Client::connect().await?;
    let mut output = client.follow(session, From::Offset(next)).await?;
    while let Some(chunk) = output.next().await? {
        match chunk {
            Chunk::Bytes { bytes, .. } => {
                if let Err(error) = file.write_all(&bytes) {
                    eprintln!("cannot write {path}: {error}");
                    return Ok(ExitCode::FAILURE);
                }
            }
            // Memory is bounded: who comes late learns what is missing instead of getting wrong bytes.
            Chunk::Missed { at, bytes } => {
                eprintln!("{bytes} bytes before {} are gone", at + bytes);
                return Ok(ExitCode::FAILURE);
            }
            Chunk::End(end) => println!("{}", end.as_ref().map_or_else(|| "removed".to_owned(), End::word)),
            _ => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}
