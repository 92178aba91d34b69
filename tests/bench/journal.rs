//! How fast what a program says reaches the disk, and what many idle journals cost.
//!
//! `cargo bench --bench journal`. A writer of pieces of 64 KiB, into a pipe session without and with a journal; supervisord and
//! pm2 do the same where they are installed. Prints figures, judges nothing but that no byte is missing.

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
    println!("| what | median MB/s | worst |\n|---|---:|---:|");
    let writer = format!("dd if=/dev/zero bs=64k count={} 2>/dev/null", MIB * 16);
    let direct = rates(|| pipe_alone(&writer));
    row("a pipe to `cat > /dev/null`", &direct);
    row("session in memory", &rates(|| session(&writer, false)));
    row("session with journal, to the last byte on disk", &rates(|| session(&writer, true)));
    row("`cat` to a file, the disk's own rate", &rates(|| file(&writer)));
    if installed("supervisord") {
        row("supervisord, log of 10 MiB × 10", &rates(|| supervisord(&writer)));
    } else {
        println!("| supervisord | not installed | |");
    }
    println!("| pm2 | {} | |", if installed("pm2") { "compare by hand" } else { "not installed" });
    idle();
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn rates(mut once: impl FnMut() -> Duration) -> Vec<f64> {
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| f64::from(MIB) * 1.048_576 / once().as_secs_f64()).collect();
    rates.sort_by(f64::total_cmp);
    rates
}

fn row(what: &str, rates: &[f64]) {
    println!("| {what} | {:.0} | {:.0} |", rates[ROUNDS / 2], rates[0]);
}

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

fn supervisord(writer: &str) -> Duration {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let done = place.dir().join("done");
    let config = format!(
        "[supervisord]\nnodaemon=true\nlogfile={dir}/s.log\npidfile={dir}/s.pid\n[program:w]\ncommand=sh -c '{writer}; touch {dir}/done; exec sleep 1000'\nautorestart=false\nstdout_logfile={dir}/out.log\nstdout_logfile_maxbytes=10MB\nstdout_logfile_backups=10\n"
    );
    let path = place.dir().join("s.conf");
    std::fs::write(&path, config).expect("a file");
    let start = Instant::now();
    let mut child = Command::new("supervisord").arg("-c").arg(&path).stdout(Stdio::null()).spawn().expect("it runs");
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
