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
use runpm::client::blocking::Follow;
use runpm::client::follow::Wish;
use runpm::protocol::verbs;
use runpm::session::spec::Kind;
use serde_bytes::ByteBuf;
use support::Place;
use support::RPM;
use support::wait_until;

/// Set for the copy of this program that writes: how many MB, in pieces of 64 KiB, and `/` in how many seconds.
const WRITE: &str = "RUNPM_BENCH_WRITE";
const MB: usize = 1_000_000;

fn main() {
    if let Ok(wish) = std::env::var(WRITE) {
        return write(&wish);
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
fn write(wish: &str) {
    let (megabytes, seconds) = wish.split_once('/').unwrap_or((wish, "0"));
    let total = megabytes.parse::<usize>().expect("a number") * MB;
    let seconds: u32 = seconds.parse().expect("a number");
    let _ = std::io::stdin().read_line(&mut String::new());
    let piece: Vec<u8> = (0..64 << 10).map(|n: usize| (n * 7 + n / 251) as u8).collect();
    let mut out = std::io::stdout().lock();
    let (start, mut written) = (Instant::now(), 0);
    while written < total {
        let len = piece.len().min(total - written);
        out.write_all(&piece[..len]).expect("a reader");
        written += len;
        let pieces = (total / piece.len()).max(1);
        let due = Duration::from_secs(1) * seconds / pieces as u32 * (written / piece.len()) as u32;
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
}

/// Starts a writer that waits for a line.
fn writer(place: &Place, name: &str, megabytes: &str) {
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
    writer(&place, "alone", "4000");
    let seconds = run(&place, "alone");
    row("pipe session, 64 KiB writes, nobody attached", format!("{:.0} MB/s", 4000.0 / seconds));
}

fn followed() {
    let place = Place::new();
    writer(&place, "followed", "2000");
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

/// Median time from a line typed into `session` to its echo, in microseconds.
fn echo(place: &Place, session: &str) -> f64 {
    let mut typist = client(place);
    let wish = Wish { target: session.to_owned(), ..Wish::default() };
    let mut answers = Follow::start(client(place), wish).expect("a session");
    let mut times: Vec<Duration> = (0..500)
        .map(|_| {
            let start = Instant::now();
            let key = runpm::client::request_key();
            let send =
                verbs::Send { key, target: session.to_owned(), bytes: b"x\n".to_vec().into(), ..Default::default() };
            typist.call(&send).expect("typed");
            let typed = answers.offset() + 2;
            while answers.offset() < typed {
                assert!(matches!(answers.next(), Some(Ok(_))), "the echo comes");
            }
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// 200 MB pass a follower that reads nothing, in ten seconds and as fast as they can.
fn unread() {
    for (name, wish, pace) in [("in 10 s", "200/10", 10.0), ("at full speed", "200", 0.0)] {
        let place = Place::new();
        place.ok(&["run", "-d", "--pipe", "--name", "echo", "--", "cat"]);
        writer(&place, "alone", wish);
        let alone = run(&place, "alone");
        writer(&place, "beside", wish);
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
        let before = (resident_kib(daemon), echo(&place, "echo"));
        let (beside, echoed) = std::thread::scope(|scope| {
            let program = scope.spawn(|| run(&place, "beside"));
            let echoed = (pace > 0.0).then(|| echo(&place, "echo"));
            (program.join().expect("it ended"), echoed)
        });
        let grown = resident_kib(daemon).saturating_sub(before.0);
        row(&format!("200 MB {name} past a client that reads nothing: daemon grows"), format!("{grown} KiB"));
        let slowed = (beside - if pace > 0.0 { alone.max(pace) } else { alone }).max(0.0) * 1e3;
        row("the same: program slowed", format!("{slowed:.0} ms"));
        if let Some(echoed) = echoed {
            let ratio = echoed / before.1;
            row("the same: another session's echo", format!("{echoed:.0} us, {ratio:.2} x before ({:.0})", before.1));
        }
        let _ = follower.kill().and_then(|()| follower.wait());
    }
}
