//! Start a program, wait for its end, print what it said and how it ended.
//!
//! `cargo run --example run_and_wait -- sh -c 'echo hello; exit 3'`
//!
//! The program is a session: end this example with C-c and it goes on. `rpm ls` still shows it.

use std::io::Write;
use std::process::ExitCode;

use runpm::client::Chunk;
use runpm::client::Client;
use runpm::client::Command;
use runpm::client::Error;
use runpm::protocol::verbs::From;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().unwrap_or_else(|| "date".into());

    // The first client starts keeper and daemon; later ones find them.
    let client = Client::connect_or_start().await?;

    // Pipes keep output and errors apart. Without `pipes` it would get a terminal of its own.
    let request = Command::new(program).args(words).pipes().originator("run_and_wait").request()?;

    // The request carries a key: should the daemon be killed while it starts the program, the request is repeated
    // and the program still started once.
    let started = client.call(&request).await?;
    eprintln!("{} is process {}", started.name, started.pid);

    // From the first byte on. What was said before we asked is still there.
    let mut output = client.follow(&started.id.to_string(), From::Start).await?;
    let mut end = None;
    while let Some(chunk) = output.next().await? {
        match chunk {
            Chunk::Bytes { bytes, .. } => {
                let _ = std::io::stdout().write_all(&bytes);
            }
            // Every byte came before the end.
            Chunk::End(how) => end = how,
            _ => {}
        }
    }

    let Some(end) = end else {
        eprintln!("{} was removed before it ended", started.name);
        return Ok(ExitCode::FAILURE);
    };
    eprintln!("{} {}", started.name, end.word());
    Ok(ExitCode::from(end.shell_code()))
}
