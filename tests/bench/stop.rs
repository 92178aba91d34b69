//! A thousand stops of trees that do not want to die, and `stop all` of a hundred polite sessions.
//!
//! `cargo bench --bench stop`. Prints figures, judges survivors only: `docs/performance.md` quotes them.

#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;
use std::time::Instant;

use support::Place;

const STOPS: usize = 1000;
const GRACE: Duration = Duration::from_millis(100);
const BULKS: usize = 20;

/// Ignored signals, a session of its own, a double fork, jobs, an environment without our tag, nothing of ours at all, twenty forks.
const HOSTILE: &str = "trap '' TERM HUP INT
    setsid sh -c 'trap \"\" TERM HUP; sleep 1000; sleep 1000' &
    (setsid sh -c '(trap \"\" TERM HUP; sleep 1000; sleep 1000) &' &)
    sh -c 'set -m; sleep 1000 & trap \"\" TERM HUP; wait' &
    (env -i setsid sh -c 'trap \"\" HUP TERM; sleep 1000; sleep 1000' &)
    (env -i setsid sh -c '(trap \"\" HUP TERM; sleep 1000; sleep 1000) &' </dev/null >/dev/null 2>&1 &)
    i=0; while [ $i -lt 20 ]; do (setsid sleep 1000 &); i=$((i+1)); done
    echo ready; while :; do sleep 1000; done";

fn main() {
    println!("| what | median ms | p95 ms | max ms |\n|---|---:|---:|---:|");
    let place = Place::new();
    let mut times: Vec<Duration> = (0..STOPS).map(|n| stop_hostile(&place, n)).collect();
    row(&format!("{STOPS} hostile trees, grace 100 ms"), &mut times);
    let mut times: Vec<Duration> = (0..BULKS).map(|_| stop_hundred(&place)).collect();
    row("stop all, 100 polite sessions", &mut times);
    let mut times: Vec<Duration> = (0..100).map(|n| stop_polite(&place, n)).collect();
    row("stop of one polite session", &mut times);
}

fn row(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
    let n = times.len();
    println!("| {what} | {:.1} | {:.1} | {:.1} |", ms(n / 2), ms(n * 95 / 100), ms(n - 1));
}

/// The clock includes the whole `rpm stop` process.
fn stop_hostile(place: &Place, n: usize) -> Duration {
    place.start("hostile", HOSTILE);
    place.wait_screen("hostile", "ready");
    let keeper = place.keeper_pid();
    let start = Instant::now();
    place.ok(&["stop", "--grace", "100ms", "hostile"]);
    let time = start.elapsed();
    assert!(time < GRACE + Duration::from_secs(1), "stop {n} took {time:?}");
    // The subreaper's living children are all that is left of any tree, whatever its environment.
    let children = std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).unwrap_or_default();
    let living = children.split_whitespace().filter(|pid| pid.parse().is_ok_and(support::lives)).count();
    assert_eq!(living, 1, "survivors of stop {n}");
    place.ok(&["rm", "hostile"]);
    time
}

fn stop_hundred(place: &Place) -> Duration {
    for n in 0..100 {
        place.start(&format!("s{n}"), "echo up; read x");
    }
    place.wait_screen("s99", "up");
    let start = Instant::now();
    let told = place.ok(&["stop", "all"]);
    let time = start.elapsed();
    assert_eq!(told.lines().count(), 100);
    place.ok(&["purge"]);
    time
}

fn stop_polite(place: &Place, n: usize) -> Duration {
    let name = format!("one-{n}");
    place.start(&name, "echo up; read x");
    place.wait_screen(&name, "up");
    let start = Instant::now();
    place.ok(&["stop", &name]);
    start.elapsed()
}
