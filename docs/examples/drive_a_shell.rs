//! Drive an interactive program: type a line, read until its answer is there, type the next.
//!
//! `cargo run --example drive_a_shell`

use runpm::client::Chunk;
use runpm::client::Client;
use runpm::client::Command;
use runpm::client::Error;
use runpm::client::Follow;
use runpm::client::request_key;
use runpm::protocol::verbs;
use runpm::protocol::verbs::From;
use serde_bytes::ByteBuf;

/// Types a line. A key makes sure that it is typed once, even if the daemon dies before it says so.
async fn type_line(client: &Client, target: &str, line: &str) -> Result<(), Error> {
    let bytes = ByteBuf::from(format!("{line}\n"));
    let send = verbs::Send { key: request_key(), target: target.to_owned(), bytes, ..verbs::Send::default() };
    client.call(&send).await.map(|_| ())
}

/// Reads until a text has come; returns all up to there. Answers arrive in pieces, so the pieces are put together.
async fn read_until(output: &mut Follow, wanted: &str) -> Result<String, Error> {
    let mut said = String::new();
    while !said.contains(wanted) {
        match output.next().await? {
            Some(Chunk::Bytes { bytes, .. }) => said.push_str(&String::from_utf8_lossy(&bytes)),
            Some(_) => {}
            None => break,
        }
    }
    Ok(said)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::connect_or_start().await?;
    // A prompt that is known can be waited for. `stty -echo` keeps what we type out of what we read.
    let shell = Command::new("/bin/sh").env("PS1", "ready> ").env_remove("ENV").name("driven");
    let id = client.call(&shell.request()?).await?.id.to_string();
    let mut output = client.follow(&id, From::Start).await?;
    read_until(&mut output, "ready> ").await?;
    type_line(&client, &id, "stty -echo").await?;
    read_until(&mut output, "ready> ").await?;

    for question in ["echo $((6 * 7))", "pwd | wc -l", "false; echo $?"] {
        type_line(&client, &id, question).await?;
        let answer = read_until(&mut output, "ready> ").await?;
        println!("{question} -> {}", answer.lines().next().unwrap_or_default().trim());
    }

    // Leaving is typed as well; then the history comes to its end.
    type_line(&client, &id, "exit 0").await?;
    while output.next().await?.is_some() {}
    client.call(&verbs::Remove { targets: vec![id], ..verbs::Remove::default() }).await?;
    Ok(())
}
