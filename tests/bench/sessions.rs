//! Pipe sessions' throughput, starts a second, lists, and what a client that reads nothing costs.
//!
//! `cargo bench --bench sessions [-- PART…]`. Prints figures, judges nothing: `docs/performance.md` quotes them.

#[path = "../support/mod.rs"]
mod support;

use std::io::Write;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use runpm::client::blocking::Client;
use runpm::protocol::verbs;
use runpm::session::spec::Kind;
use serde_bytes::ByteBuf;
use support::Place;
use support::RPM;
use support::wait_until;

/// Set for the copy of this program that writes: how many MB, in pieces of 64 KiB.
const WRITE: &str = "RUNPM_BENCH_WRITE";
const MB: usize = 1_000_000;

fn main() {
    if let Some(megabytes) = std::env::var(WRITE).ok().and_then(|text| text.parse().ok()) {
        return write(megabytes);
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    println!("| figure | value |\n|---|---:|");
    let parts: [(&str, fn()); 5] =
        [("ingest", ingest), ("followed", followed), ("starts", starts), ("lists", lists), ("unread", unread)];
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            part();
        }
    }
}

fn row(figure: &str, value: impl std::fmt::Display) {
    println!("| {figure} | {value} |");
}

/// Writes once a line came in.
fn write(megabytes: usize) {
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    let piece: Vec<u8> = (0..64 << 10).map(|n: usize| (n * 7 + n / 251) as u8).collect();
    let mut out = std::io::stdout().lock();
    let mut left = megabytes * MB;
    while left > 0 {
        let len = left.min(piece.len());
        out.write_all(&piece[..len]).expect("a reader");
        left -= len;
    }
}

/// Starts a writer that waits for a line.
fn writer(place: &Place, name: &str, megabytes: usize) {
    let own = std::env::current_exe().expect("a path").display().to_string();
    let wish = format!("{WRITE}={megabytes}");
    place.ok(&["run", "-d", "--pipe", "--name", name, "--env", &wish, "--", &own]);
}

/// Lets it write; returns the seconds until it has ended.
fn run(place: &Place, name: &str) -> f64 {
    let start = Instant::now();
    place.ok(&["send", name, "go\n"]);
    place.wait_end(name);
    start.elapsed().as_secs_f64()
}

fn ingest() {
    let place = Place::new();
    writer(&place, "alone", 4000);
    let seconds = run(&place, "alone");
    row("pipe session, 64 KiB writes, nobody attached", format!("{:.0} MB/s", 4000.0 / seconds));
}

fn followed() {
    let place = Place::new();
    writer(&place, "followed", 2000);
    let script = r#""$0" logs -f --raw followed | cksum"#;
    let follower = place.command("sh").args(["-c", script, RPM]).stdout(Stdio::piped()).spawn().expect("a follower");
    wait_until("the follower is there", || place.daemon()["clients"] == 2);
    let seconds = run(&place, "followed");
    let sum = follower.wait_with_output().expect("a child").stdout;
    let own = std::env::current_exe().expect("a path");
    let mut again = Command::new("sh");
    again.args(["-c", r#"echo | "$0" | cksum"#]).arg(own).env(WRITE, "2000");
    let is_exact = again.output().expect("sh runs").stdout == sum;
    let exact = if is_exact { "same checksum" } else { "WRONG CHECKSUM" };
    row("the same with a raw follower", format!("{:.0} MB/s, {exact}", 2000.0 / seconds));
}

fn spec() -> verbs::Run {
    let mut run = verbs::Run { key: runpm::client::request_key(), ..verbs::Run::default() };
    run.spec.kind = Kind::Pipe;
    run.spec.launch.argv = ["sleep", "1000"].map(|arg| ByteBuf::from(arg.as_bytes())).to_vec();
    let env = std::env::vars().map(|(name, value)| ByteBuf::from(format!("{name}={value}")));
    run.spec.launch.env = env.collect();
    run
}

fn client(place: &Place) -> Client {
    place.ok(&["daemon", "start"]);
    let folder = runpm::platform::endpoint::Place {
        runtime: place.dir().to_owned(),
        state: place.dir().to_owned(),
        is_private: true,
    };
    Client::connect_to(folder).expect("a daemon")
}

fn starts() {
    let place = Place::new();
    place.ok(&["daemon", "start"]);
    let start = Instant::now();
    for _ in 0..300 {
        place.ok(&["run", "-d", "--", "sleep", "1000"]);
    }
    row("detached starts by the command line", format!("{:.0} a second", 300.0 / start.elapsed().as_secs_f64()));
    let place = Place::new();
    let mut client = client(&place);
    let env = [("RUNPM_DIR", place.dir().display().to_string())];
    let start = Instant::now();
    for _ in 0..1000 {
        let mut run = spec();
        run.spec.launch.env.extend(env.iter().map(|(name, value)| ByteBuf::from(format!("{name}={value}"))));
        client.call(&run).expect("started");
    }
    row("starts over one connection", format!("{:.0} a second", 1000.0 / start.elapsed().as_secs_f64()));
}

fn lists() {
    for sessions in [100, 1000] {
        let place = Place::new();
        let mut client = client(&place);
        for _ in 0..sessions {
            let mut run = spec();
            run.spec.launch.env.push(ByteBuf::from(format!("RUNPM_DIR={}", place.dir().display())));
            client.call(&run).expect("started");
        }
        let mut times: Vec<Duration> = (0..20)
            .map(|_| {
                let start = Instant::now();
                place.ok(&["ls", "--json"]);
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        row(
            &format!("`ls --json` with {sessions} sessions"),
            format!("{:.1} ms median of 20 processes", times[10].as_secs_f64() * 1e3),
        );
        if sessions == 100 {
            let start = Instant::now();
            place.ok(&["stop", "all"]);
            row("`stop all` of 100 polite sessions", format!("{:.0} ms", start.elapsed().as_secs_f64() * 1e3));
        }
    }
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// 200 MB pass a follower that reads nothing.
fn unread() {
    let place = Place::new();
    writer(&place, "alone", 200);
    let alone = run(&place, "alone");
    writer(&place, "beside", 200);
    let mut follower = place
        .command(RPM)
        .args(["logs", "-f", "--raw", "beside"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a follower");
    wait_until("the follower is there", || place.daemon()["clients"] == 2);
    support::signal(follower.id(), "STOP");
    let daemon = place.daemon_pid();
    let before = resident_kib(daemon);
    let beside = run(&place, "beside");
    let grown = resident_kib(daemon).saturating_sub(before);
    row("200 MB past a client that reads nothing: daemon grows", format!("{grown} KiB"));
    row("the same: program slowed", format!("{:.0} ms", (beside - alone).max(0.0) * 1e3));
    let _ = follower.kill().and_then(|()| follower.wait());
}
