//! From `kill -9` of the daemon to the first `ls` answered, with 1, 20 and 100 sessions; and the followed flood's rate.
//!
//! `cargo bench --bench recovery`. Prints figures, judges nothing: `docs/performance.md` quotes them.

#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;
use std::time::Instant;

use support::Place;

const ROUNDS: usize = 20;

fn main() {
    println!("| sessions | median ms | p95 ms | max ms |\n|---:|---:|---:|---:|");
    for sessions in [1, 20, 100] {
        let place = Place::new();
        for n in 0..sessions {
            place.start(&format!("s{n}"), "seq 1 10000; read x");
        }
        place.wait_screen(&format!("s{}", sessions - 1), "10000");
        let mut times: Vec<Duration> = (0..ROUNDS).map(|_| recover(&place, sessions)).collect();
        times.sort_unstable();
        let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
        println!("| {sessions} | {:.1} | {:.1} | {:.1} |", ms(ROUNDS / 2), ms(ROUNDS * 95 / 100), ms(ROUNDS - 1));
    }
}

/// One kill; the clock includes the whole `rpm ls` process.
fn recover(place: &Place, sessions: usize) -> Duration {
    let pid = place.daemon_pid();
    let start = Instant::now();
    support::kill(pid);
    let listing = place.ok(&["ls"]);
    let time = start.elapsed();
    assert_eq!(listing.lines().count(), sessions + 1);
    time
}
