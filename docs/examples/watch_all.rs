//! Watch all sessions: a line for each one that is new, changes or goes away.
//!
//! `cargo run --example watch_all` goes on for ever; a number as argument ends it after so many lines.

use std::collections::BTreeMap;

use runpm::client::Change;
use runpm::client::Client;
use runpm::client::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut lines: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    let client = Client::connect_or_start().await?;

    // First every session as it is, then what changes. Nothing is polled: without news this sleeps. A daemon that is
    // killed is not noticed here: what changed meanwhile comes with the next one.
    let mut changes = client.subscribe().await?;
    let mut shown = BTreeMap::new();
    while lines > 0 {
        let line = match changes.next().await? {
            Change::Session(status) => {
                // More output is a change too; only the state is shown here.
                let line = format!("{} {}", status.name, status.word());
                if shown.insert(status.id, line.clone()).as_ref() == Some(&line) {
                    continue;
                }
                line
            }
            Change::Removed(id) => format!("{id} removed"),
        };
        println!("{line}");
        lines -= 1;
    }
    Ok(())
}
