//! What a stop waits for, said on a terminal when it takes long.

use std::io::IsTerminal;
use std::io::Write;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::client::blocking::Client;
use crate::platform::clock;
use crate::protocol::verbs;
use crate::session::status::State;
use crate::session::text;

/// What takes less is not worth a line; and how often the line is drawn anew.
const TICK: Duration = Duration::from_secs(1);
/// Names that are said; the rest is counted.
const NAMES: usize = 3;

/// Does something, and says meanwhile which of the targets are stopping and when they will be killed.
pub fn meanwhile<T>(targets: &[String], work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || count_down(targets, &is_done));
        let result = work();
        drop(done);
        result
    })
}

fn count_down(targets: &[String], is_done: &mpsc::Receiver<()>) {
    let (mut client, mut is_drawn) = (None, false);
    while is_done.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        // A daemon that is being killed is none of this line's business.
        let Some(mut asked) = client.take().or_else(|| Client::connect().ok()) else { continue };
        let list = verbs::List { targets: targets.to_vec() };
        if let Ok(listing) = asked.call(&list) {
            draw(&line(&listing, clock::wall_ms()));
            client = Some(asked);
            is_drawn = true;
        }
    }
    if is_drawn {
        draw("");
    }
}

fn line(listing: &verbs::Listing, now: u64) -> String {
    let stopping = listing.sessions.iter().filter_map(|status| match status.state {
        State::Stopping { kill_at_ms } => Some((text::clean(&status.name), kill_at_ms)),
        State::Running | State::Ended { .. } => None,
    });
    let stopping: Vec<(String, u64)> = stopping.collect();
    let Some(last) = stopping.iter().map(|(_, at)| *at).max() else { return String::new() };
    let names: Vec<&str> = stopping.iter().take(NAMES).map(|(name, _)| name.as_str()).collect();
    let more = match stopping.len().saturating_sub(NAMES) {
        0 => String::new(),
        1 => ", and one more session".to_owned(),
        n => format!(", and {n} more sessions"),
    };
    let when = match last.saturating_sub(now).div_ceil(1000) {
        0 => "being killed".to_owned(),
        seconds => format!("killed in {seconds}s; a second `rpm stop` kills now"),
    };
    format!("rpm: waiting for {}{more}: {when}", names.join(", "))
}

/// Replaces the line.
fn draw(line: &str) {
    let _ = write!(std::io::stderr(), "\r\u{1b}[K{line}");
}
