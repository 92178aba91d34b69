//! The dashboard on a terminal of its own, with a daemon of its own: started, typed into, left, killed.
//!
//! What needs no terminal is tested beside the modules, in `src/tui`.

use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use portable_pty::CommandBuilder;
use portable_pty::PtySize;
use portable_pty::native_pty_system;

/// The dashboard on a terminal of its own, with a daemon of its own.
struct Terminal {
    output: mpsc::Receiver<Vec<u8>>,
    seen: vt100::Parser,
    raw: Vec<u8>,
    input: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    /// Keeps the terminal open, and shows its modes.
    pair: portable_pty::PtyPair,
}

impl Terminal {
    fn start(dir: &Path, args: &[&str]) -> Self {
        Self::start_program(dir, env!("CARGO_BIN_EXE_rpm"), args)
    }

    fn start_program(dir: &Path, program: &str, args: &[&str]) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("RUNPM_DIR", dir);
        command.env("TERM", "xterm-256color");
        command.env("SHELL", "/bin/sh");
        command.env("PS1", "$ ");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("RUNPM_SESSION");
        command.cwd(dir);
        let child = pair.slave.spawn_command(command).expect("rpm starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (output_tx, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut buffer) {
                if output_tx.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        let seen = vt100::Parser::new(30.try_into().expect("not zero"), 100.try_into().expect("not zero"), 0);
        let input = pair.master.take_writer().expect("a writer");
        Self { output, seen, raw: Vec::new(), input, child, pair }
    }

    fn modes(&self) -> String {
        let name = self.pair.master.tty_name().expect("a name");
        let file = std::fs::File::options().read(true).write(true).open(name).expect("the terminal");
        format!("{:?}", rustix::termios::tcgetattr(file).expect("modes").local_modes)
    }

    fn type_keys(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).expect("typed");
    }

    fn wait_for(&mut self, what: &str) {
        let is_seen = self.saw(what, Duration::from_secs(20));
        assert!(is_seen, "{what:?} never came; the screen is\n{}", self.seen.screen().contents());
    }

    /// Returns whether the screen shows something in time.
    fn saw(&mut self, what: &str, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while !self.seen.screen().contents().contains(what) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else { return false };
            self.raw.extend_from_slice(&bytes);
            self.seen.process(&bytes);
        }
        true
    }

    /// Waits until it has left; returns its code.
    fn wait_for_end(&mut self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(10);
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status.exit_code();
            }
            assert!(Instant::now() < deadline, "it does not leave");
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(10)) {
                self.raw.extend_from_slice(&bytes);
            }
        };
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(100)) {
            self.raw.extend_from_slice(&bytes);
        }
        code
    }

    fn assert_restored(&self, before: &str) {
        assert_eq!(self.modes(), before);
        let mut undo = runpm::term::Undo::new();
        undo.observe(&self.raw);
        assert_eq!(
            String::from_utf8_lossy(&undo.bytes()),
            "",
            "left on after {:?}",
            String::from_utf8_lossy(&self.raw)
        );
    }

    fn pid(&self) -> rustix::process::Pid {
        let pid = self.child.process_id().and_then(|pid| i32::try_from(pid).ok()).expect("a pid");
        rustix::process::Pid::from_raw(pid).expect("not zero")
    }
}

/// A folder with a daemon; both go with it.
struct Home(std::path::PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("runpm-tui-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, mode).expect("ours alone");
        Self(path)
    }

    fn rpm(&self, args: &[&str]) -> String {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_rpm")).args(args).env("RUNPM_DIR", &self.0).output();
        String::from_utf8_lossy(&output.expect("rpm runs").stdout).into_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.rpm(&["shutdown"]);
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_shell_is_started_typed_into_left_and_goes_on() {
    let home = Home::new("shell");
    let mut terminal = Terminal::start(&home.0, &["tui"]);
    terminal.wait_for("There are no sessions yet");
    terminal.type_keys("c");
    terminal.wait_for("typing");
    terminal.type_keys("echo $((6*7))x; stty size\r");
    terminal.wait_for("42x");
    terminal.wait_for("27 69");
    terminal.type_keys("\u{2}d");
    assert_eq!(terminal.wait_for_end(), 0);
    assert!(home.rpm(&["ls"]).contains("running"));
}

#[test]
fn k10_every_way_out_gives_the_terminal_back() {
    let home = Home::new("ways");
    home.rpm(&["run", "--name", "cat", "-d", "--", "cat"]);
    let ways: [(&str, Option<rustix::process::Signal>); 4] = [
        ("q", None),
        ("", Some(rustix::process::Signal::TERM)),
        ("", Some(rustix::process::Signal::HUP)),
        ("\r", Some(rustix::process::Signal::INT)),
    ];
    for (keys, signal) in ways {
        let mut terminal = Terminal::start(&home.0, &["tui"]);
        terminal.wait_for("n new");
        terminal.type_keys(keys);
        if let Some(signal) = signal {
            rustix::process::kill_process(terminal.pid(), signal).expect("signalled");
        }
        terminal.wait_for_end();
        let fresh = native_pty_system().openpty(PtySize::default()).expect("a terminal");
        let name = fresh.master.tty_name().expect("a name");
        let file = std::fs::File::options().read(true).write(true).open(name).expect("the terminal");
        let usual = format!("{:?}", rustix::termios::tcgetattr(file).expect("modes").local_modes);
        terminal.assert_restored(&usual);
    }
}

#[test]
fn k1_a_killed_daemon_comes_back_with_the_same_session_and_the_keyboard() {
    let home = Home::new("killed");
    home.rpm(&["run", "--name", "sh", "-d", "--", "sh"]);
    let mut terminal = Terminal::start(&home.0, &["tui", "--session", "sh"]);
    terminal.wait_for("typing");
    terminal.type_keys("echo $((1+1))before\r");
    terminal.wait_for("2before");
    let report = home.rpm(&["daemon", "status", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("json");
    let pid = find_number(&report, "pid").expect("the daemon's pid");
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
    // What the killed daemon had taken and not yet given to the program is gone with it.
    let deadline = Instant::now() + Duration::from_secs(20);
    while !terminal.saw("4after", Duration::from_secs(1)) {
        assert!(Instant::now() < deadline, "the keyboard did not come back");
        terminal.type_keys("echo $((2+2))after\r");
    }
    terminal.type_keys("exit 7\r");
    assert_eq!(terminal.wait_for_end(), 7);
}

fn find_number(value: &serde_json::Value, name: &str) -> Option<u64> {
    match value {
        serde_json::Value::Object(map) => map
            .get(name)
            .and_then(serde_json::Value::as_u64)
            .or_else(|| map.values().find_map(|value| find_number(value, name))),
        _ => None,
    }
}

#[test]
fn ux24_history_is_searched_and_copied_through_a_real_terminal() {
    let home = Home::new("copy");
    home.rpm(&[
        "run",
        "--name",
        "log",
        "-d",
        "--",
        "sh",
        "-c",
        "i=0; while [ $i -lt 500 ]; do echo \"line $i\"; i=$((i+1)); done; cat",
    ]);
    let mut terminal = Terminal::start(&home.0, &["tui"]);
    terminal.wait_for("line 499");
    terminal.type_keys("[");
    terminal.wait_for("501/501");
    terminal.type_keys("?line 250\r");
    terminal.wait_for("1 of 1");
    terminal.type_keys("V");
    terminal.type_keys("y");
    terminal.wait_for("9 characters copied");
    let copied = b"\x1b]52;c;bGluZSAyNTAK\x07";
    assert!(terminal.raw.windows(copied.len()).any(|bytes| bytes == copied));
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[test]
fn ux7_panes_grid_palette_and_form_through_a_real_terminal() {
    let home = Home::new("panes");
    home.rpm(&["run", "--name", "one", "-d", "--", "sh", "-c", "echo first-session; cat"]);
    home.rpm(&["run", "--name", "two", "-d", "--", "sh", "-c", "echo second-session; cat"]);
    let mut terminal = Terminal::start(&home.0, &["tui"]);
    terminal.wait_for("first-session");
    terminal.type_keys("b\"");
    terminal.type_keys("\u{2}sb:two\r");
    terminal.wait_for("second-session");
    terminal.wait_for("first-session");
    terminal.type_keys("v");
    terminal.wait_for("one  running");
    terminal.wait_for("second-session");
    terminal.type_keys("\u{1b}");
    terminal.wait_for("two ─ viewing");
    terminal.type_keys(":save-l\r");
    terminal.wait_for("save the layout as");
    terminal.type_keys("desk\r");
    terminal.wait_for("The layout is kept");
    terminal.type_keys("n");
    terminal.wait_for("new session");
    terminal.type_keys("echo $((40+2))done; cat\u{e}three\r");
    terminal.wait_for("42done");
    terminal.type_keys("\u{2}d");
    assert_eq!(terminal.wait_for_end(), 0);
    let usual = terminal.modes();
    terminal.assert_restored(&usual);
    let mut terminal = Terminal::start(&home.0, &["tui", "--layout", "desk"]);
    terminal.wait_for("This is the layout desk");
    terminal.wait_for("first-session");
    terminal.wait_for("second-session");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

/// The one line of the screen that holds both.
fn has_line(terminal: &Terminal, words: [&str; 2]) -> bool {
    let screen = terminal.seen.screen().contents();
    screen.lines().any(|line| words.iter().all(|word| line.contains(word)))
}

impl Terminal {
    fn wait_for_line(&mut self, words: [&str; 2]) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !has_line(self, words) {
            let left = deadline.saturating_duration_since(Instant::now());
            let bytes = self.output.recv_timeout(left).ok();
            let bytes = bytes.unwrap_or_else(|| panic!("no {words:?} in\n{}", self.seen.screen().contents()));
            self.raw.extend_from_slice(&bytes);
            self.seen.process(&bytes);
        }
    }
}

#[test]
fn services_are_started_stopped_explained_and_read_through_a_real_terminal() {
    let home = Home::new("services");
    let web = "for i in $(seq 3000); do echo request $i; done; echo some error >&2; exec cat";
    home.rpm(&["start", "--name", "web", "--", "sh", "-c", web]);
    home.rpm(&["start", "--name", "bad", "--", "sh", "-c", "echo last words; sleep 0.2; exit 7"]);
    home.rpm(&["run", "--name", "shell", "-d", "--", "sh", "-c", "echo a-plain-session; cat"]);
    let mut terminal = Terminal::start(&home.0, &["monit"]);
    terminal.wait_for("default (2)");
    terminal.wait_for_line(["> web", "up"]);
    // Logs: the newest lines, then older ones than were read at first, then the error.
    terminal.type_keys("f");
    terminal.wait_for("logs web");
    terminal.wait_for("request 3000");
    terminal.type_keys("gg");
    terminal.wait_for("request 1 ");
    terminal.type_keys("/request 2999\r");
    terminal.wait_for("1 of 1");
    terminal.type_keys("s");
    terminal.wait_for("stdout only");
    terminal.type_keys("s");
    terminal.wait_for("stderr only");
    terminal.wait_for("! some error");
    terminal.type_keys("q");
    // A stop is a wish, and a restart another run.
    terminal.wait_for_line(["> web", "up"]);
    terminal.type_keys("x");
    terminal.wait_for("it stays stopped");
    terminal.type_keys("y");
    terminal.wait_for_line(["> web", "stopped"]);
    terminal.type_keys("S");
    terminal.wait_for_line(["> web", "up"]);
    terminal.type_keys("j");
    terminal.wait_for("┌─ bad ─");
    terminal.type_keys("i");
    terminal.wait_for("exited with code 7 after");
    terminal.wait_for("last words");
    terminal.wait_for("[services.bad]");
    terminal.type_keys("q");
    terminal.type_keys("xy");
    terminal.wait_for("┌─ bad ─ stopped");
    terminal.type_keys("dy");
    terminal.wait_for("default (1)");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    let left = home.rpm(&["ls"]);
    assert!(left.contains("web") && left.contains("shell") && !left.contains("bad"), "{left}");
}

#[test]
fn ux40_plain_mode_tells_changes_as_lines_and_takes_words() {
    let home = Home::new("plain");
    home.rpm(&["run", "--name", "one", "-d", "--", "sh", "-c", "echo on-the-screen; cat"]);
    let mut terminal = Terminal::start(&home.0, &["tui", "--plain"]);
    terminal.wait_for("one: running");
    terminal.type_keys("screen one\r");
    terminal.wait_for("on-the-screen");
    home.rpm(&["run", "--name", "two", "-d", "--", "cat"]);
    terminal.wait_for("new: two: running");
    terminal.type_keys("kill one\r");
    terminal.wait_for("one: killed KILL");
    terminal.type_keys("quit\r");
    assert_eq!(terminal.wait_for_end(), 0);
    assert!(!terminal.raw.contains(&0x1b), "no sequence of any kind");
}

#[test]
fn ux45_the_demo_starts_three_sessions_and_leaves_nothing() {
    let home = Home::new("demo");
    let mut terminal = Terminal::start(&home.0, &["demo"]);
    terminal.wait_for("demo-shell");
    terminal.wait_for("demo-build");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    assert!(!home.rpm(&["ls"]).contains("demo-"));
}

#[test]
fn ux39_the_title_is_set_and_given_back() {
    let home = Home::new("title");
    home.rpm(&["run", "--name", "one", "-d", "--", "cat"]);
    let mut terminal = Terminal::start(&home.0, &["tui"]);
    terminal.wait_for("one ─ viewing");
    terminal.type_keys("q");
    terminal.wait_for_end();
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    let at = |what: &str| raw.find(what).unwrap_or_else(|| panic!("{what:?} is missing in {raw:?}"));
    assert!(at("\x1b[22;0t") < at("\x1b]2;one: running - rpm\x07"));
    assert!(at("\x1b]2;one: running - rpm\x07") < at("\x1b[23;0t"));
}

#[test]
fn ux15_keys_are_answered_while_a_session_floods() {
    let home = Home::new("flood");
    home.rpm(&["run", "--name", "flood", "-d", "--", "yes", "a line of a flood that never ends"]);
    home.rpm(&["run", "--name", "quiet", "-d", "--", "cat"]);
    let began = Instant::now();
    let mut terminal = Terminal::start(&home.0, &["tui"]);
    terminal.wait_for("flood ─ viewing");
    // Ten times the 300 milliseconds of a start with everything cold, for a build without optimisation.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for n in 0..5 {
        terminal.type_keys("?");
        // Ten times the 50 milliseconds that a key may take.
        assert!(terminal.saw("keys: In the list", Duration::from_millis(500)), "key {n}");
        terminal.type_keys("q");
        assert!(terminal.saw("n new", Duration::from_millis(500)), "key {n}");
    }
    terminal.type_keys("\r");
    terminal.wait_for("flood ━ typing");
    terminal.type_keys("\u{2}s");
    assert!(terminal.saw("flood ─ viewing", Duration::from_millis(500)), "the way back");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[test]
fn ux25_suspended_and_brought_back_by_a_shell() {
    let home = Home::new("suspend");
    home.rpm(&["run", "--name", "one", "-d", "--", "cat"]);
    let mut terminal = Terminal::start_program(&home.0, "bash", &["--norc", "-i"]);
    terminal.type_keys(&format!("{} tui\r", env!("CARGO_BIN_EXE_rpm")));
    terminal.wait_for("one ─ viewing");
    terminal.type_keys("\u{1a}");
    terminal.wait_for("Stopped");
    terminal.type_keys("echo $((40+2))x\r");
    terminal.wait_for("42x");
    terminal.type_keys("fg\r");
    terminal.wait_for("one ─ viewing");
    terminal.type_keys("q");
    terminal.wait_for("keeps running");
    terminal.type_keys("exit\r");
    assert_eq!(terminal.wait_for_end(), 0);
}
