//! K4: a client that stops reading costs bounded memory, slows its session at most once and briefly, others never.

use std::time::Duration;
use std::time::Instant;

use crate::support::Place;
use crate::support::signal;
use crate::support::wait_until;

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Runs a flood past a stopped client; returns how long the program took.
fn flood_past(client: &[&str]) -> Duration {
    let place = Place::new();
    place.start("flood", "read x; seq 1 3000000; echo over; read y");
    let terminal = place.terminal(client);
    wait_until("attached", || place.session("flood")["attached"].as_array().is_some_and(|a| !a.is_empty()));
    let daemon = place.daemon_pid();
    place.ok(&["screen", "flood"]);
    let before = resident_kib(daemon);
    signal(terminal.pid(), "STOP");
    let start = Instant::now();

    place.ok(&["send", "flood", "", "--enter"]);
    place.wait_screen("flood", "over");

    let time = start.elapsed();
    let grown = resident_kib(daemon).saturating_sub(before);
    assert!(grown < 16 << 10, "the daemon grew by {grown} KiB");
    signal(terminal.pid(), "CONT");
    terminal.wait_text("over");
    time
}

#[test]
fn k4_w6_a_stopped_attach_neither_blocks_the_program_nor_grows_the_daemon_and_catches_up() {
    // Ten times what it takes on a loaded machine; a blocked program would never be through.
    assert!(flood_past(&["attach", "flood"]) < Duration::from_secs(20));
}

#[test]
fn k4_a_stopped_dashboard_neither_blocks_the_program_nor_grows_the_daemon_and_catches_up() {
    assert!(flood_past(&["tui", "--session", "flood"]) < Duration::from_secs(20));
}

#[test]
fn k4_a_slow_but_reading_follower_paces_its_program_and_loses_nothing() {
    let place = Place::new();
    place.start("paced", "read x; seq 1 500000; exit 0");
    let script = r#""$0" logs -f --raw paced | dd bs=512 2>/dev/null | cksum"#;
    let child =
        place.command("sh").args(["-c", script, crate::support::RPM]).stdout(std::process::Stdio::piped()).spawn();
    place.ok(&["send", "paced", "", "--enter"]);
    let output = child.expect("sh runs").wait_with_output().expect("a child");
    let script = "{ echo; seq 1 500000; } | sed 's/$/\\r/' | cksum";
    let wanted = std::process::Command::new("sh").args(["-c", script]).output().expect("sh runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&wanted.stdout));
}

#[test]
fn w94_a_client_that_says_nothing_for_long_stays_connected() {
    // Nothing in the daemon drops an idle connection: a client that waits sees the next event.
    let place = Place::new();
    place.start("quiet", "read x; echo word; read y");
    let terminal = place.terminal(&["attach", "quiet"]);
    wait_until("attached", || place.session("quiet")["attached"].as_array().is_some_and(|a| !a.is_empty()));
    terminal.wait_quiet(Duration::from_secs(7));
    place.ok(&["send", "quiet", "", "--enter"]);
    terminal.wait_text("word");
}

#[test]
fn a_follower_that_was_overtaken_says_so_and_ends_with_its_own_code() {
    let place = Place::new();
    place.ok(&[
        "run",
        "-d",
        "--history",
        "64K",
        "--name",
        "fast",
        "--",
        "sh",
        "-c",
        "read x; seq 1 2000000; echo over; read y",
    ]);
    // Nobody reads its output, so it stands still and loses its hold on the program.
    let follower = place
        .command(crate::support::RPM)
        .args(["logs", "-f", "--raw", "fast"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("a follower");
    place.ok(&["send", "fast", "", "--enter"]);
    place.wait_screen("fast", "over");
    let output = follower.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(91));
    assert!(String::from_utf8_lossy(&output.stderr).contains("bytes were overwritten"));
}

/// The writer is as fast as can be, the follower goes on at its byte after each kill.
#[test]
fn k1_a_flood_through_a_pipe_is_followed_exactly_across_kills() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "flood", "--", "sh", "-c", "read x; seq 1 6000000"]);
    let script = r#""$0" logs -f --raw flood | cksum"#;
    let child =
        place.command("sh").args(["-c", script, crate::support::RPM]).stdout(std::process::Stdio::piped()).spawn();
    wait_until("the follower is there", || place.daemon()["clients"] == 2);
    place.ok(&["send", "flood", "go\n"]);
    for _ in 0..4 {
        place.kill_daemon();
    }
    let output = child.expect("sh runs").wait_with_output().expect("a child");
    let wanted = std::process::Command::new("sh").args(["-c", "seq 1 6000000 | cksum"]).output().expect("sh runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&wanted.stdout));
}
