//! What tests stand on: a daemon in a folder of its own, a terminal that can be looked at, and waiting with a deadline.
//!
//! Dropping a [`Place`] ends its keeper, daemon and sessions and fails the test if anything is left behind.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub mod outer;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

pub use outer::Outer;
use runpm::client::blocking::Connection;
use runpm::platform::endpoint;
use runpm::protocol::hello::Hello;
use runpm::session::terminal::Who;

/// Deadline of a condition on a loaded machine; far above what any of them takes.
pub const LONG: Duration = Duration::from_secs(30);

/// The program under test.
pub const RPM: &str = env!("CARGO_BIN_EXE_rpm");

/// Waits until `condition` holds; panics with `what` when it does not in time.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Waits until `get` returns something.
pub fn wait_for<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(value) = get() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// One user's daemon in a fresh folder.
pub struct Place {
    dir: PathBuf,
    /// The test ends the keeper by force: nothing to shut down.
    pub is_abandoned: bool,
}

impl Place {
    /// Makes a fresh folder; nothing runs yet.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rpm-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir(&dir).expect("a fresh folder");
        Self { dir, is_abandoned: false }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A command with this place's environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("RUNPM_DIR", &self.dir).env_remove("RUNPM_SESSION").env_remove("RUNPM_BIN");
        command.env("USER", "ann").env("SHELL", "/bin/sh").env("ENV", "").env("PS1", "$ ");
        command.stdin(Stdio::null());
        command
    }

    /// Runs `rpm` to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(RPM).args(args).output().expect("rpm runs")
    }

    /// Runs `rpm`, which must succeed; returns its standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "rpm {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `rpm`, which must fail; returns its code and what it said.
    pub fn fails(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        assert!(!output.status.success(), "rpm {args:?} succeeded");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts a detached session that runs a shell script.
    pub fn start(&self, name: &str, script: &str) {
        self.ok(&["run", "-d", "--name", name, "--", "sh", "-c", script]);
    }

    /// A session as `ls --json` shows it.
    pub fn session(&self, name: &str) -> serde_json::Value {
        let text = self.ok(&["ls", "--json", name]);
        let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["sessions"][0].take()
    }

    /// Starts a service that is a shell script, in the folder of the place.
    pub fn start_service(&self, name: &str, options: &[&str], script: &str) {
        let cwd = self.dir.display().to_string();
        let head = ["start", "--name", name, "--cwd", &cwd];
        self.ok(&[&head, options, &["--", "sh", "-c", script]].concat());
    }

    /// What `ls --json` says of a service beside its session.
    pub fn service(&self, name: &str) -> serde_json::Value {
        self.session(name)["service"].take()
    }

    /// Waits until a session has ended; returns it.
    pub fn wait_end(&self, name: &str) -> serde_json::Value {
        wait_for(&format!("{name} ends"), || Some(self.session(name)).filter(|session| session["state"] == "ended"))
    }

    /// The daemon's report.
    pub fn daemon(&self) -> serde_json::Value {
        let text = self.ok(&["daemon", "status", "--json"]);
        let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["daemon"].take()
    }

    /// A connection to the daemon, which runs already.
    pub fn connect(&self) -> Connection {
        let folders = endpoint::Place { runtime: self.dir.clone(), state: self.dir.clone(), is_private: true };
        let stream = folders.connect().expect("a daemon");
        let who = Who { user: "ann".to_owned(), ..Who::default() };
        Connection::greet(stream, &folders, &Hello::ours(1, who, None)).expect("a hello")
    }

    /// Process id of the daemon.
    pub fn daemon_pid(&self) -> u32 {
        self.daemon()["pid"].as_u64().expect("a pid") as u32
    }

    /// Process id of the keeper.
    pub fn keeper_pid(&self) -> u32 {
        self.daemon()["keeper_pid"].as_u64().expect("a pid") as u32
    }

    /// Kills the daemon as `kill -9` does and waits until another one answers.
    pub fn kill_daemon(&self) {
        let pid = self.daemon_pid();
        kill(pid);
        wait_until("another daemon answers", || self.daemon_pid() != pid);
    }

    /// Ends everything of this place at once and without a word, as a power cut does.
    pub fn cut_power(&self) {
        kill(self.keeper_pid());
        wait_until("all are gone", || {
            let left = inhabitants(&self.dir);
            for pid in &left {
                let _ = Command::new("kill").arg("-KILL").arg(pid.to_string()).stderr(Stdio::null()).status();
            }
            left.is_empty()
        });
    }

    /// Tells the next process that passes a failpoint to die there.
    pub fn arm(&self, failpoint: &str) {
        std::fs::write(self.dir.join("failpoint"), failpoint).expect("a file");
    }

    /// Returns whether a process died at the failpoint.
    pub fn has_fired(&self) -> bool {
        !self.dir.join("failpoint").exists()
    }

    /// The visible screen of a session.
    pub fn screen(&self, name: &str) -> String {
        self.ok(&["screen", name])
    }

    /// Waits until a session's screen shows a text.
    pub fn wait_screen(&self, name: &str, text: &str) -> String {
        let deadline = Instant::now() + LONG;
        loop {
            let screen = self.screen(name);
            if screen.contains(text) {
                return screen;
            }
            assert!(Instant::now() < deadline, "no {text:?} on the screen of {name}:\n{screen}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// A terminal of 80 columns and 24 rows that runs `rpm` with these arguments.
    pub fn terminal(&self, args: &[&str]) -> Outer {
        self.terminal_of(24, 80, args)
    }

    /// A terminal of this size that runs `rpm` with these arguments.
    pub fn terminal_of(&self, rows: u16, cols: u16, args: &[&str]) -> Outer {
        let mut command = portable_pty::CommandBuilder::new(RPM);
        command.args(args);
        command.env("RUNPM_DIR", &self.dir);
        for name in ["RUNPM_SESSION", "RUNPM_BIN", "SSH_CONNECTION", "NO_COLOR"] {
            command.env_remove(name);
        }
        for (name, value) in
            [("TERM", "xterm-256color"), ("USER", "ann"), ("SHELL", "/bin/sh"), ("PS1", "$ "), ("ENV", "")]
        {
            command.env(name, value);
        }
        Outer::spawn(command, rows, cols)
    }
}

/// Says why a test cannot run here. Where everything it needs must be there (`RUNPM_NO_SKIP=1`), that is a failure.
pub fn skip(why: &str) {
    assert!(std::env::var_os("RUNPM_NO_SKIP").is_none_or(|set| set != "1"), "must not be skipped: {why}");
    println!("SKIPPED: {why}");
}

/// Ends a process at once.
pub fn kill(pid: u32) {
    signal(pid, "KILL");
}

/// Sends a signal by name.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().expect("kill runs");
    assert!(status.success(), "kill -{name} {pid}");
}

/// Returns whether a process lives; a zombie does not.
pub fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !matches!(rest.trim().chars().next(), None | Some('Z' | 'X')))
}

/// How often the threads of a process were woken so far.
fn wakeups(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it lives").flatten();
    let count = |status: &str| {
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok());
        counts.sum::<u64>()
    };
    tasks.map(|task| count(&std::fs::read_to_string(task.path().join("status")).unwrap_or_default())).sum()
}

/// Waits until no thread of these processes woke for two seconds: what is told or saved late is over soon.
pub fn wait_idle(pids: &[u32]) {
    let count = || pids.iter().map(|pid| wakeups(*pid)).collect::<Vec<u64>>();
    let mut before = count();
    wait_until("two seconds pass without a wake-up", || {
        std::thread::park_timeout(Duration::from_secs(2));
        let now = count();
        std::mem::replace(&mut before, now.clone()) == now
    });
    assert!(pids.iter().all(|pid| lives(*pid)));
}

/// All living processes whose environment names this folder.
pub fn inhabitants(dir: &Path) -> Vec<u32> {
    let wanted = format!("RUNPM_DIR={}", dir.display());
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        lives(*pid) && environment.split(|b| *b == 0).any(|entry| entry == wanted.as_bytes())
    })
    .collect()
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_abandoned {
            let _ = self.command(RPM).args(["shutdown", "--grace", "200ms"]).output();
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut left = inhabitants(&self.dir);
        while !left.is_empty() && Instant::now() < deadline && !self.is_abandoned {
            std::thread::park_timeout(Duration::from_millis(10));
            left = inhabitants(&self.dir);
        }
        for pid in &left {
            let _ = Command::new("kill").arg("-KILL").arg(pid.to_string()).stderr(Stdio::null()).status();
        }
        if std::thread::panicking() {
            for name in ["keeper.log", "daemon.log"] {
                let text = std::fs::read_to_string(self.dir.join(name)).unwrap_or_default();
                if !text.is_empty() {
                    eprintln!("--- {name}\n{text}");
                }
            }
        }
        let _ = std::fs::remove_dir_all(&self.dir);
        if !self.is_abandoned && !std::thread::panicking() {
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}
