//! How fast what a program says reaches the disk, and what many idle journals cost.
//!
//! `SUPERVISORD=/path/to/supervisord cargo bench --bench journal`. A writer of pieces of 64 KiB, into a pipe session without
//! and with a journal; supervisord does the same where it is named. All in turn, round by round, so that what else the machine
//! does meets all alike. Prints figures, judges nothing but that no byte is missing.

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use support::Place;
use support::wait_until;

/// MiB that are written.
const MIB: u32 = 1024;
const ROUNDS: usize = 5;
const IDLE: usize = 100;

fn main() {
    let writer = format!("dd if=/dev/zero bs=64k count={} 2>/dev/null", MIB * 16);
    let peer = std::env::var_os("SUPERVISORD");
    let mut all: Vec<Candidate> = vec![
        ("a pipe to `cat > /dev/null`", Box::new(|| pipe_alone(&writer))),
        ("`cat` to a file, the disk's own rate", Box::new(|| file(&writer))),
        ("session in memory", Box::new(|| session(&writer, false))),
        ("session with journal, to the last byte on disk", Box::new(|| session(&writer, true))),
    ];
    if let Some(program) = &peer {
        let once = || supervisord(Path::new(program), &writer);
        all.push(("supervisord, log of 10 MiB × 10, to the program's last write", Box::new(once)));
    }
    println!("| what | MB/s, median | each round |\n|---|---:|---|");
    let mut rates = vec![Vec::new(); all.len()];
    for _ in 0..ROUNDS {
        for ((_, once), rates) in all.iter().zip(&mut rates) {
            rates.push(f64::from(MIB) * 1.048_576 / once().as_secs_f64());
        }
    }
    for ((what, _), rates) in all.iter().zip(&mut rates) {
        let rounds: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
        rates.sort_by(f64::total_cmp);
        println!("| {what} | {:.0} | {} |", rates[ROUNDS / 2], rounds.join(", "));
    }
    idle();
}

/// What is measured, and how.
type Candidate<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

fn shell(script: &str) -> Duration {
    let start = Instant::now();
    assert!(Command::new("sh").args(["-c", script]).status().expect("sh runs").success());
    start.elapsed()
}

fn pipe_alone(writer: &str) -> Duration {
    shell(&format!("{writer} | cat > /dev/null"))
}

fn file(writer: &str) -> Duration {
    let path = std::env::temp_dir().join(format!("rpm-bench-{}", std::process::id()));
    let time = shell(&format!("{writer} | cat > {}", path.display()));
    let _ = std::fs::remove_file(path);
    time
}

fn session(writer: &str, has_journal: bool) -> Duration {
    let place = Place::new();
    let journal = if has_journal { &["--journal"][..] } else { &[] };
    let script = format!("read go; {writer}");
    place.ok(&[&["run", "-d", "--pipe", "--name", "w"], journal, &["--", "sh", "-c", &script]].concat());
    let start = Instant::now();
    place.ok(&["send", "w", "go", "--enter"]);
    wait_until("all was said", || {
        let session = place.session("w");
        let end = if has_journal { &session["journal"]["end_byte"] } else { &session["output_bytes"] };
        *end == u64::from(MIB) << 20
    });
    let time = start.elapsed();
    assert!(!has_journal || place.session("w")["journal"]["dropped_bytes"] == 0);
    time
}

fn supervisord(program: &Path, writer: &str) -> Duration {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let done = place.dir().join("done");
    let config = format!(
        "[supervisord]\nnodaemon=true\nlogfile={dir}/s.log\npidfile={dir}/s.pid\n[program:w]\ncommand=sh -c '{writer}; touch {dir}/done; exec sleep 1000'\nautorestart=false\nstdout_logfile={dir}/out.log\nstdout_logfile_maxbytes=10MB\nstdout_logfile_backups=10\n"
    );
    let path = place.dir().join("s.conf");
    std::fs::write(&path, config).expect("a file");
    let start = Instant::now();
    let mut child = Command::new(program).arg("-c").arg(&path).stdout(Stdio::null()).spawn().expect("it runs");
    wait_until("all was said", || Path::new(&done).exists());
    let time = start.elapsed();
    support::signal(child.id(), "TERM");
    let _ = child.wait();
    time
}

/// Threads, memory and wake-ups with many journals that have nothing to do.
fn idle() {
    let place = Place::new();
    for n in 0..IDLE {
        let name = format!("s{n}");
        place.ok(&["run", "-d", "--pipe", "--journal", "--name", &name, "--", "sh", "-c", "echo up; read stay"]);
    }
    wait_until("all are on disk", || place.session("s99")["journal"]["end_byte"] == 3);
    std::thread::sleep(Duration::from_secs(3));
    let pid = place.daemon_pid();
    std::thread::sleep(Duration::from_secs(2));
    let tasks = || std::fs::read_dir(format!("/proc/{pid}/task")).expect("tasks").flatten();
    let switches = || {
        let status = tasks().map(|task| std::fs::read_to_string(task.path().join("status")).unwrap_or_default());
        let count = |text: String| -> u64 {
            let lines = text.lines().filter(|line| line.contains("ctxt_switches"));
            lines.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok()).sum()
        };
        status.map(count).sum::<u64>()
    };
    let before = switches();
    std::thread::sleep(Duration::from_secs(10));
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a status");
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default().to_owned();
    println!(
        "\n{IDLE} idle journals: {} threads, {} wake-ups in 10 s, {resident}",
        tasks().count(),
        switches() - before
    );
}
