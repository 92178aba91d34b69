//! The dashboard's figures: first frame, key echo with and without a flood beside it, many panes, idleness, copy mode.
//!
//! `cargo bench --bench dashboard [-- PART…]`. A client on a real terminal, tmux beside it in the same run where it is installed.
//! Prints figures, judges nothing: `docs/performance.md` quotes them.

#[path = "../support/mod.rs"]
mod support;

use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use portable_pty::CommandBuilder;
use portable_pty::PtySize;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use support::Place;
use support::RPM;
use support::outer::own_descriptor;
use support::wait_until;

const ROWS: u16 = 50;
const COLS: u16 = 200;
const KEYS: usize = 400;
/// Rounds of which the median counts.
const ROUNDS: usize = 9;
/// Echoes each byte itself, as an editor does.
const ECHO: &str = "stty raw -echo; printf ready; exec cat";
const FLOOD: &str = "exec yes 1234567890123456789012345678901234567890123456789012345678901234567890";

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    println!("| figure | value |\n|---|---:|");
    let parts: [(&str, fn()); 6] = [
        ("frame", first_frame),
        ("echo", echo),
        ("keys", keys_beside_a_flood),
        ("panes", sixteen_panes),
        ("idle", idle),
        ("copy", copy_mode),
    ];
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            part();
        }
    }
}

fn row(figure: &str, value: impl std::fmt::Display) {
    println!("| {figure} | {value} |");
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Median, 99th percentile and largest, in milliseconds.
fn spread(mut times: Vec<Duration>) -> (f64, f64, f64) {
    times.sort();
    let at = |part: usize| ms(times[(times.len() * part / 100).min(times.len() - 1)]);
    (at(50), at(99), at(100))
}

/// A client on a terminal that is read without any thread between.
struct Terminal {
    reader: std::fs::File,
    writer: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    seen: Vec<u8>,
    /// What a person sees, where that is asked for.
    screen: Option<vt100::Parser>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn spawn(dir: &Path, program: &str, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        for (name, value) in [("TERM", "xterm-256color"), ("SHELL", "/bin/sh"), ("LC_ALL", "C.UTF-8"), ("PS1", "$ ")] {
            command.env(name, value);
        }
        command.env("RUNPM_DIR", dir);
        for name in ["RUNPM_SESSION", "TMUX", "NO_COLOR"] {
            command.env_remove(name);
        }
        let size = PtySize { rows: ROWS, cols: COLS, pixel_width: 0, pixel_height: 0 };
        let pair = portable_pty::native_pty_system().openpty(size).expect("a terminal");
        let child = pair.slave.spawn_command(command).expect("a program");
        let reader = std::fs::File::from(own_descriptor(&*pair.master));
        let writer = pair.master.take_writer().expect("a writer");
        Self { reader, writer, child, seen: Vec::new(), screen: None, _master: pair.master }
    }

    fn rpm(place: &Place, args: &[&str]) -> Self {
        Self::spawn(place.dir(), RPM, args)
    }

    fn pid(&self) -> u32 {
        self.child.process_id().expect("a pid")
    }

    fn type_in(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("typed");
    }

    /// Reads what comes in a time at the most; returns it.
    fn read(&mut self, patience: Duration) -> &[u8] {
        let pause = rustix::time::Timespec {
            tv_sec: patience.as_secs().cast_signed(),
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        let start = self.seen.len();
        let mut fds = [PollFd::new(&self.reader, PollFlags::IN)];
        if rustix::event::poll(&mut fds, Some(&pause)).is_ok_and(|ready| ready > 0) {
            let mut buffer = [0; 64 << 10];
            let len = self.reader.read(&mut buffer).unwrap_or(0);
            self.seen.extend_from_slice(&buffer[..len]);
            self.screen.iter_mut().for_each(|screen| screen.process(&buffer[..len]));
        }
        &self.seen[start..]
    }

    /// Waits for bytes; returns how long that took.
    fn wait(&mut self, what: &str) -> Duration {
        let begin = Instant::now();
        self.seen.clear();
        self.wait_more(what, begin)
    }

    fn wait_more(&mut self, what: &str, begin: Instant) -> Duration {
        loop {
            if self.seen.windows(what.len()).any(|bytes| bytes == what.as_bytes()) {
                return begin.elapsed();
            }
            let kept = self.seen.len().saturating_sub(what.len());
            self.seen.drain(..kept);
            assert!(begin.elapsed() < support::LONG, "{what:?} never came");
            self.read(Duration::from_secs(1));
        }
    }

    /// Takes what comes until nothing has come for a while.
    fn settle(&mut self) {
        while !self.read(Duration::from_millis(300)).is_empty() {}
        self.seen.clear();
    }

    /// Types and waits for bytes.
    fn press(&mut self, keys: &str, what: &str) -> Duration {
        // What came before the key is no answer to it.
        while !self.read(Duration::ZERO).is_empty() {}
        self.seen.clear();
        let begin = Instant::now();
        self.type_in(keys);
        self.wait_more(what, begin)
    }

    /// Types, and tells when the first of the answer came, and when its last.
    fn answered(&mut self, keys: &str) -> (Duration, Duration) {
        self.settle();
        let begin = Instant::now();
        self.type_in(keys);
        let (mut first, mut last) = (None, Duration::ZERO);
        while !self.read(Duration::from_millis(if first.is_some() { 80 } else { 5000 })).is_empty() {
            last = begin.elapsed();
            first = first.or(Some(last));
        }
        (first.expect("an answer"), last)
    }

    /// Types and waits until a text is seen.
    fn shows(&mut self, keys: &str, text: &str) -> Duration {
        let begin = Instant::now();
        self.type_in(keys);
        while !self.screen.as_ref().is_some_and(|screen| screen.screen().contents().contains(text)) {
            assert!(begin.elapsed() < 4 * support::LONG, "{text:?} was never seen");
            self.read(Duration::from_secs(1));
        }
        self.seen.clear();
        begin.elapsed()
    }

    /// How long keys take to come back, each on its own.
    fn echoes(&mut self) -> Vec<Duration> {
        let mut times = Vec::new();
        for key in "QZXJ".chars().cycle().take(KEYS) {
            times.push(self.press(&key.to_string(), &key.to_string()));
            let gap = Instant::now() + Duration::from_millis(7);
            while Instant::now() < gap {
                self.read(gap.saturating_duration_since(Instant::now()));
            }
        }
        times
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_frame() {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let place = Place::new();
        let mut terminal = Terminal::rpm(&place, &["tui"]);
        times.push(terminal.wait("There"));
    }
    let (median, _, most) = spread(times);
    row("first frame, no daemon yet", format!("{median:.0} ms, at most {most:.0}"));
    let place = Place::new();
    for n in 0..100 {
        place.ok(&["run", "-d", "--name", &format!("s{n}"), "--", "sleep", "1000"]);
    }
    let once = || {
        let mut terminal = Terminal::rpm(&place, &["tui"]);
        terminal.wait("running")
    };
    let (median, _, most) = spread((0..ROUNDS).map(|_| once()).collect());
    row("first frame, 100 sessions", format!("{median:.0} ms, at most {most:.0}"));
}

fn layout(place: &Place, panes: &serde_json::Value) {
    let folder = place.dir().join("layouts");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = serde_json::json!({ "version": 1, "panes": panes }).to_string();
    std::fs::write(folder.join("bench.json"), text).expect("a file");
}

/// The dashboard with a program that echoes and has the keyboard, beside another one.
fn beside(place: &Place, other: &str) -> Terminal {
    place.start("echo", ECHO);
    place.start("other", other);
    layout(place, &serde_json::json!({ "columns": [{ "session": "echo" }, { "session": "other" }] }));
    let mut terminal = Terminal::rpm(place, &["tui", "--layout", "bench"]);
    terminal.wait("layout");
    terminal.press("\r", "typing");
    terminal
}

struct Tmux(String);

impl Tmux {
    fn start(other: &str) -> (Self, Terminal) {
        let name = format!("rpm-bench-{}", std::process::id());
        let run = |args: &[&str]| {
            let mut command = Command::new("tmux");
            command.args(["-L", &name, "-f", "/dev/null"]).args(args);
            assert!(command.status().expect("tmux").success());
        };
        run(&["new-session", "-d", "-x", "200", "-y", "50", "sh", "-c", ECHO]);
        run(&["split-window", "-h", "sh", "-c", other]);
        run(&["select-pane", "-L"]);
        let terminal = Terminal::spawn(Path::new("/"), "tmux", &["-L", &name, "attach"]);
        (Self(name), terminal)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.0, "kill-server"]).status();
    }
}

fn echo() {
    let told = |what: &str, times: Vec<Duration>| {
        let (median, p99, most) = spread(times);
        row(what, format!("p50 {median:.2} ms, p99 {p99:.2}, at most {most:.2}"));
        (median, p99)
    };
    let has_tmux = Command::new("tmux").arg("-V").stdout(Stdio::null()).status().is_ok();
    for round in 1..=3 {
        let mut bare = Terminal::spawn(Path::new("/"), "sh", &["-c", ECHO]);
        bare.wait("ready");
        let (_, bare_p99) = told(&format!("key echo, bare, round {round}"), bare.echoes());
        let mut p50 = Vec::new();
        for (beside_what, other) in [("quiet", "sleep 1000"), ("flood", FLOOD)] {
            let place = Place::new();
            let mut terminal = beside(&place, other);
            let (median, p99) = told(&format!("key echo, rpm tui, beside {beside_what}"), terminal.echoes());
            p50.push(median);
            if beside_what == "quiet" {
                row("... p99 above bare", format!("{:.2} ms", p99 - bare_p99));
            }
            drop(terminal);
            if has_tmux {
                let (_tmux, mut terminal) = Tmux::start(other);
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_millis(500) {
                    terminal.read(Duration::from_millis(50));
                }
                let (theirs, _) = told(&format!("key echo, tmux, beside {beside_what}"), terminal.echoes());
                row("... rpm / tmux", format!("{:.2}", median / theirs));
            }
        }
        row("... rpm, beside a flood / quiet", format!("{:.2}", p50[1] / p50[0]));
    }
}

fn keys_beside_a_flood() {
    let place = Place::new();
    place.start("flood", FLOOD);
    let mut terminal = Terminal::rpm(&place, &["tui"]);
    terminal.wait("viewing");
    let times = (0..100).map(|n| if n % 2 == 0 { terminal.press("?", "keys:") } else { terminal.press("q", "zoom") });
    let (median, p99, most) = spread(times.collect());
    row("dashboard's keys over a flood", format!("p50 {median:.1} ms, p99 {p99:.1}, at most {most:.1}"));
}

/// CPU seconds of a process so far, and how often it waited.
fn effort(pid: u32) -> (f64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let fields: Vec<&str> = stat[stat.rfind(')').expect("a name") + 2..].split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("ticks");
    (((ticks(11) + ticks(12)) / 100.0), waits(pid))
}

/// Voluntary switches of all threads.
fn waits(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("threads").flatten();
    let of = |entry: std::fs::DirEntry| {
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    threads.map(of).sum()
}

/// Memory of a process alone, in MB: resident, and its share of what others have too.
fn memory(pid: u32) -> (f64, f64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("a process");
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number") / 1000.0
    };
    (field("Rss:"), field("Pss:"))
}

fn sixteen_panes() {
    let place = Place::new();
    let mut rows = Vec::new();
    for r in 0..4 {
        let names: Vec<String> = (0..4).map(|c| format!("p{r}{c}")).collect();
        for name in &names {
            place.ok(&["run", "-d", "--name", name, "--", "top", "-d", "0.5"]);
        }
        let panes: Vec<_> = names.iter().map(|name| serde_json::json!({ "session": name })).collect();
        rows.push(serde_json::json!({ "columns": panes }));
    }
    layout(&place, &serde_json::json!({ "rows": rows }));
    let mut terminal = Terminal::rpm(&place, &["tui", "--layout", "bench"]);
    terminal.wait("layout");
    let pids = [("client", terminal.pid()), ("daemon", place.daemon_pid()), ("keeper", place.keeper_pid())];
    let begin = Instant::now();
    let before: Vec<_> = pids.iter().map(|(_, pid)| effort(*pid)).collect();
    let mut bytes = 0;
    while begin.elapsed() < Duration::from_secs(15) {
        bytes += terminal.read(Duration::from_millis(100)).len();
        terminal.seen.clear();
    }
    let seconds = begin.elapsed().as_secs_f64();
    let shares: Vec<f64> =
        pids.iter().zip(&before).map(|((_, pid), (cpu, _))| (effort(*pid).0 - cpu) / seconds * 100.0).collect();
    let parts = format!("client {:.1} %, daemon {:.1} %, keeper {:.1} %", shares[0], shares[1], shares[2]);
    row("16 panes of `top -d 0.5`, of a core", parts);
    row("... client and daemon", format!("{:.1} %", shares[0] + shares[1]));
    row("... to the terminal", format!("{} kB/s", bytes / begin.elapsed().as_millis() as usize));
    let (rss, pss) = memory(terminal.pid());
    row("... client's memory", format!("{rss:.1} MB resident, {pss:.1} MB its share"));
}

fn idle() {
    let place = Place::new();
    for n in 0..50 {
        place.ok(&["run", "-d", "--name", &format!("s{n}"), "--", "sleep", "1000"]);
    }
    let mut terminal = Terminal::rpm(&place, &["tui"]);
    terminal.wait("running");
    terminal.settle();
    let pids = [terminal.pid(), place.daemon_pid(), place.keeper_pid()];
    // Samples come ever more seldom at first.
    std::thread::sleep(Duration::from_secs(70));
    let before = pids.map(waits);
    std::thread::sleep(Duration::from_secs(60));
    let woken: Vec<u64> = pids.iter().zip(before).map(|(pid, before)| waits(*pid) - before).collect();
    row("50 sessions, idle, 60 s: wake-ups of client, daemon, keeper", format!("{woken:?}"));
}

/// A session that says so many lines of 81 bytes.
fn teller(place: &Place, name: &str, lines: usize, args: &[&str]) {
    let text = "of a log, as long as the lines of logs are: 0123456789 abcdef 012";
    let script = format!("seq -f 'line %09.0f {text}' {lines}; echo the-end; exec cat");
    place.ok(&[&["run", "-d", "--name", name], args, &["--", "sh", "-c", &script]].concat());
    wait_until("all is said", || place.screen(name).contains("the-end"));
}

/// The dashboard with one session, in copy mode; and how long that took.
fn opened(terminal: &mut Terminal) -> Duration {
    terminal.wait("viewing");
    terminal.settle();
    terminal.press("[", "/12,")
}

fn copy_mode() {
    // A little less than one and than two MiB; the first part that is read has some 12,7.. lines in either.
    for (what, lines) in [("1 MiB", 12_750), ("2 MiB", 25_000)] {
        let place = Place::new();
        teller(&place, "log", lines, &[]);
        let (mut openings, mut keys, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut terminal = Terminal::rpm(&place, &["tui"]);
            openings.push(opened(&mut terminal));
            terminal.settle();
            terminal.press("?", "found");
            for key in "[0-9]+77 of".chars() {
                let (first, last) = terminal.answered(&key.to_string());
                keys.push(first);
                all.push(last);
            }
        }
        let (median, _, most) = spread(openings);
        row(&format!("copy mode over {what} opens"), format!("{median:.1} ms, at most {most:.1}"));
        let (median, _, most) = spread(keys);
        row("... a key of a search, nearest match seen", format!("{median:.1} ms, at most {most:.1}"));
        let (median, _, most) = spread(all);
        row("... all of it searched and counted", format!("{median:.1} ms, at most {most:.1}"));
    }
    long_journal();
}

/// A hundred MB on disk.
fn long_journal() {
    let place = Place::new();
    teller(&place, "log", 1_250_000, &["--journal"]);
    let mut terminal = Terminal::rpm(&place, &["tui"]);
    let cells = |count: u16| std::num::NonZero::new(count).expect("not zero");
    terminal.screen = Some(vt100::Parser::new(cells(ROWS), cells(COLS), 0));
    terminal.shows("", "viewing");
    terminal.settle();
    row("copy mode over a journal of 100 MB opens", format!("{:.0} ms", ms(terminal.shows("[", "/12,"))));
    terminal.settle();
    row("... its first line is seen", format!("{:.0} ms", ms(terminal.shows("gg", "line 000000001 "))));
    terminal.settle();
    row("... and its last one again", format!("{:.0} ms", ms(terminal.shows("G", "the-end"))));
    terminal.settle();
    terminal.type_in("?000100000\r");
    terminal.settle();
    row("... a line 94 MB further up is found", format!("{:.0} ms", ms(terminal.shows("n", "line 000100000 "))));
    terminal.settle();
    let (rss, pss) = memory(terminal.pid());
    row("... client's memory then", format!("{rss:.1} MB resident, {pss:.1} MB its share"));
}
