//! Sessions over SSH: a real `sshd`, real logins, cut in every way; and what becomes of sessions at logout.
//!
//! Tests that lack a program or a right are skipped with a line, or fail where `RUNPM_NO_SKIP=1`.

#[path = "support/sshd.rs"]
mod sshd;
mod support;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use sshd::Agent;
use sshd::From;
use sshd::KeepAlive;
use sshd::Sshd;
use sshd::stat;
use support::Outer;
use support::Place;
use support::RPM;
use support::inhabitants;
use support::kill;
use support::lives;
use support::wait_until;

/// What a person sees, cell by cell, the cursor, and what the keys and the mouse will say.
#[derive(Debug, PartialEq)]
struct Look {
    text: String,
    cursor: (u16, u16),
    painted: String,
    modes: [bool; 4],
    mouse: vt100::MouseProtocolMode,
    /// All that brings a terminal to this point, the shape of the cursor too.
    state: String,
}

impl Look {
    fn at(screen: &vt100::Screen) -> Self {
        let modes = [
            screen.alternate_screen(),
            screen.application_cursor(),
            screen.application_keypad(),
            screen.bracketed_paste(),
        ];
        Self {
            text: screen.contents(),
            cursor: screen.cursor_position(),
            painted: screen.contents_formatted(),
            modes,
            mouse: screen.mouse_protocol_mode(),
            state: screen.state_formatted(),
        }
    }
}

/// A vim in a session, started over SSH, with text that is saved nowhere.
struct Vim {
    pid: u64,
    file: PathBuf,
    look: Look,
}

impl Vim {
    fn start(sshd: &Sshd, place: &Place) -> (Self, Outer) {
        let file = place.dir().join("poem");
        let path = file.to_str().expect("text");
        let mut terminal =
            sshd.terminal(place, &["run", "--name", "vim", "--", "vim", "-N", "-u", "NONE", "-i", "NONE", "-n", path]);
        terminal.wait_text("[New]");
        terminal.type_in("ifirst line\rsecond line\x1b");
        // The cursor steps back onto the last letter once vim has left insert mode.
        terminal.wait("both lines", |screen| {
            screen.contents().contains("second line") && screen.cursor_position() == (1, 10)
        });
        terminal.wait_quiet(Duration::from_millis(300));
        let pid = place.session("vim")["pid"].as_u64().expect("a pid");
        let look = terminal.with_screen(Look::at);
        (Self { pid, file, look }, terminal)
    }

    /// The same vim shows the same screen to a later login, and can be used.
    fn goes_on(&self, place: &Place, mut terminal: Outer) {
        let what = format!("the same screen: {:?}", self.look);
        terminal.wait(&what, |screen| Look::at(screen) == self.look);
        let session = place.session("vim");
        assert_eq!((&session["pid"], &session["state"]), (&self.pid.into(), &"running".into()));
        assert_eq!(session["attached"].as_array().map(Vec::len), Some(1), "{session}");
        assert!(!self.file.exists(), "something was written without being asked to");
        is_idle(place);
        terminal.type_in("othird line\x1b:wq\r");
        assert_eq!(terminal.wait_exit(), 0);
        let text = std::fs::read_to_string(&self.file).expect("vim wrote it");
        assert_eq!(text, "first line\nsecond line\nthird line\n");
        wait_until("no client is left on the server", || clients(place).is_empty());
    }
}

/// The processes that are attached, on the server's side.
fn clients(place: &Place) -> Vec<u32> {
    let is_client = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|b| *b == 0);
        words.next() == Some(RPM.as_bytes()) && matches!(words.next(), Some(b"attach" | b"run" | b"tui"))
    };
    inhabitants(place.dir()).into_iter().filter(is_client).collect()
}

/// Nobody has the session, and the client that had it is gone.
fn wait_alone(place: &Place, name: &str) {
    wait_until("nobody is attached", || place.session(name)["attached"].as_array().is_some_and(Vec::is_empty));
    wait_until("the dead client's process is gone", || clients(place).is_empty());
}

/// No process of the place takes processor time: for a second, less than a tenth of one in all.
fn is_idle(place: &Place) {
    let pids = inhabitants(place.dir());
    let ticks = || pids.iter().filter_map(|pid| stat(*pid)).map(|stat| stat.ticks).sum::<u64>();
    let before = ticks();
    let end = Instant::now() + Duration::from_secs(1);
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
    let taken = ticks().saturating_sub(before);
    assert!(taken <= 10, "{taken} ticks in a second without work");
}

#[test]
fn a_session_started_over_ssh_outlives_the_login() {
    let Some(sshd) = Sshd::start() else { return };
    let place = Place::new();
    // A script's login ends although the keeper goes on: nothing of the login is held open.
    let mut script =
        sshd.script(&place, &["run", "-d", "--name", "s", "--", "sh", "-c", "read x; echo got $x; read y"]);
    assert_eq!(script.wait_exit(), 0, "{}", script.text());
    for pid in [place.keeper_pid(), place.daemon_pid()] {
        let stat = stat(pid).expect("it lives");
        assert_eq!(stat.terminal, 0, "a terminal of the login");
        assert_eq!(stat.session, place.keeper_pid(), "a session of the login");
    }
    let mut terminal = sshd.terminal(&place, &["attach", "s"]);
    wait_until("attached", || place.session("s")["attached"][0]["controls"] == true);
    let who = place.session("s")["attached"][0]["who"].as_str().unwrap_or_default().to_owned();
    assert!(who.contains(" on pts/") && who.ends_with(" from 127.0.0.1"), "{who}");

    // Everything of every login ends, and the server too.
    sshd::kill_all(&sshd.connections());
    drop(sshd);

    assert_eq!(terminal.wait_exit(), 255);
    wait_alone(&place, "s");
    place.ok(&["send", "s", "word", "--enter"]);
    place.wait_screen("s", "got word");
    is_idle(&place);
}

#[test]
fn cut_by_killing_the_client_vim_never_notices_and_goes_on() {
    let Some(sshd) = Sshd::start() else { return };
    let place = Place::new();
    let (vim, first) = Vim::start(&sshd, &place);
    kill(first.pid());
    wait_alone(&place, "vim");
    is_idle(&place);
    vim.goes_on(&place, sshd.terminal(&place, &["attach", "vim"]));
}

#[test]
fn cut_by_killing_the_server_side_vim_never_notices_and_goes_on() {
    type Victims = fn(&Sshd, u32) -> Vec<u32>;
    let ways: [(&str, Victims); 2] =
        [("sshd", |sshd, client| sshd.server_side(client)), ("rpm", |_, client| vec![client])];
    for (way, victims) in ways {
        let Some(sshd) = Sshd::start() else { return };
        let place = Place::new();
        let (vim, mut first) = Vim::start(&sshd, &place);
        let client = clients(&place);
        assert_eq!(client.len(), 1, "{way}");
        sshd::kill_all(&victims(&sshd, client[0]));
        assert_eq!(first.wait_exit(), 255, "{way}");
        wait_alone(&place, "vim");
        is_idle(&place);
        vim.goes_on(&place, sshd.terminal(&place, &["attach", "vim"]));
    }
}

#[test]
fn cut_by_dropping_packets_the_dead_client_loses_control_within_the_keep_alive() {
    let Some(sshd) = Sshd::behind_a_wire(KeepAlive::Seconds) else { return };
    let place = Place::new();
    let (vim, mut first) = Vim::start(&sshd, &place);
    sshd.cut();
    // TCP alone would go on for a quarter of an hour, and without anything to send for ever.
    wait_alone(&place, "vim");
    is_idle(&place);
    assert!(lives(first.pid()), "its end of the connection does not know");
    let second = sshd.login(&place, From::Beside, None, &["attach", "vim"]);
    second.wait_text("second line");
    // The wire is mended: the old client finds its connection gone and takes nothing from the new one.
    sshd.mend();
    first.type_in("x");
    assert_eq!(first.wait_exit(), 255);
    vim.goes_on(&place, second);
}

/// The dashboard over SSH, with a program that set what it could.
fn dashboard(sshd: &Sshd, place: &Place) -> Outer {
    let mut terminal = sshd.terminal(place, &["tui"]);
    terminal.wait_text("viewing");
    terminal.type_in("\r");
    terminal.wait("the program's modes", vt100::Screen::bracketed_paste);
    terminal
}

#[test]
fn k10_a_dashboard_over_ssh_is_left_clean_and_where_it_is_cut_nothing_of_it_stays() {
    type Cut = fn(&Sshd, &Outer, u32);
    let cuts: [(&str, Cut); 3] = [
        ("the client's end", |_, terminal, _| kill(terminal.pid())),
        ("the server's end", |sshd, _, client| sshd::kill_all(&sshd.server_side(client))),
        ("the wire", |sshd, _, _| sshd.cut()),
    ];
    let Some(sshd) = Sshd::behind_a_wire(KeepAlive::Seconds) else { return };
    let mut usual = sshd.script(&Place::new(), &["--version"]);
    usual.wait_exit();
    let usual = usual.modes();
    let place = Place::new();
    let full = r"printf '\033[?1049h\033[?1003h\033[?2004h\033[>1uFULL'; cat";
    place.ok(&["run", "-d", "--name", "full", "--", "sh", "-c", full]);

    let mut left = dashboard(&sshd, &place);
    left.type_in("\x02d");
    assert_eq!(left.wait_exit(), 0);
    assert_eq!(left.modes(), usual);
    let mut undo = runpm::term::Undo::new();
    undo.observe(&left.raw());
    assert_eq!(String::from_utf8_lossy(&undo.bytes()), "");

    for (way, cut) in cuts {
        let terminal = dashboard(&sshd, &place);
        let client = clients(&place);
        assert_eq!(client.len(), 1, "{way}");
        cut(&sshd, &terminal, client[0]);
        wait_alone(&place, "full");
        is_idle(&place);
        assert_eq!(place.session("full")["state"], "running", "{way}");
    }
}

#[test]
fn a_dead_client_never_keeps_a_later_one_out() {
    let Some(sshd) = Sshd::behind_a_wire(KeepAlive::Never) else { return };
    let place = Place::new();
    let (vim, mut first) = Vim::start(&sshd, &place);
    sshd.cut();
    let old = clients(&place);
    let mut refused = sshd.login(&place, From::Beside, None, &["attach", "vim"]);
    assert_eq!(refused.wait_exit(), 77, "{}", refused.text());
    refused.wait_text("--steal");
    refused.wait_text("from 192.0.2.1");

    let second = sshd.login(&place, From::Beside, None, &["attach", "--steal", "vim"]);

    second.wait_text("second line");
    wait_until("the dead client's process is gone", || !old.iter().any(|pid| lives(*pid)));
    // What was typed into the dead connection is lost with it. When packets arrive again, the old client is told.
    first.type_in("ggdG:wq!\r");
    sshd.mend();
    assert_eq!(first.wait_exit(), 90);
    first.wait_text("vim was taken over by");
    vim.goes_on(&place, second);
}

#[test]
fn a_dead_client_of_a_flooding_program_slows_nobody_and_is_let_go() {
    let Some(sshd) = Sshd::behind_a_wire(KeepAlive::Seconds) else { return };
    let place = Place::new();
    let go = place.dir().join("go");
    let script =
        format!("echo ready; while [ ! -e {} ]; do sleep 0.01; done; seq 1 3000000; echo END; read x", go.display());
    let first = sshd.terminal(&place, &["run", "--name", "flood", "--", "sh", "-c", &script]);
    first.wait_text("ready");
    sshd.cut();
    std::fs::write(&go, "").expect("a file");
    // Megabytes that nobody reads: the server's buffers are full long before the end.
    place.wait_screen("flood", "END");
    let mut second = sshd.login(&place, From::Beside, None, &["attach", "--steal", "flood"]);
    second.wait_text("END");
    wait_until("only the later one is left", || clients(&place).len() == 1);
    is_idle(&place);
    second.type_in("\r");
    assert_eq!(second.wait_exit(), 0);
}

/// Asks the agent of the shell in a session, as it is now.
fn asks_agent(terminal: &mut Outer, wanted: &str) {
    terminal.type_in("clear\r");
    terminal.wait("a clear screen", |screen| screen.contents().trim() == "$");
    terminal.type_in("ssh-add -l\r");
    terminal.wait_text(&format!("{wanted} (ED25519)"));
}

#[test]
fn the_agent_link_follows_the_newest_attacher() {
    let Some(sshd) = Sshd::start() else { return };
    let (ann, bob) = (Agent::start("key-of-ann"), Agent::start("key-of-bob"));
    let place = Place::new();
    let attach = |agent: &Agent, args: &[&str]| sshd.login(&place, From::Wire, Some(&agent.socket()), args);
    let mut first = attach(&ann, &["run", "--name", "sh", "--", "sh"]);
    first.wait_text("$");
    asks_agent(&mut first, "key-of-ann");
    let pid = place.session("sh")["pid"].as_u64().expect("a pid");
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).expect("it runs");
    let link = environment.split('\0').find_map(|entry| entry.strip_prefix("SSH_AUTH_SOCK=")).expect("a link");
    assert!(Path::new(link).starts_with(place.dir()), "{link}");
    let forwarded = std::fs::read_link(link).expect("a link");

    // The login's end takes its forwarded agent with it; the next one brings another, at another path.
    kill(first.pid());
    wait_alone(&place, "sh");
    wait_until("the first agent's socket is gone", || !forwarded.exists());
    let mut second = attach(&bob, &["attach", "sh"]);
    second.wait_text("$");
    asks_agent(&mut second, "key-of-bob");

    // The next daemon knows the link, serves it to who comes back by itself, and points it at who comes then.
    place.kill_daemon();
    wait_until("attached again", || place.session("sh")["attached"][0]["controls"] == true);
    asks_agent(&mut second, "key-of-bob");
    let mut third = attach(&ann, &["attach", "--steal", "sh"]);
    assert_eq!(second.wait_exit(), 90);
    third.wait_text("$");
    asks_agent(&mut third, "key-of-ann");
}

/// A user's folders, and programs that are found before the system's; no `RUNPM_DIR`.
struct Home {
    dir: PathBuf,
}

impl Home {
    fn new() -> Self {
        let dir = sshd::fresh_dir();
        for folder in ["bin", "home", "run", "state"] {
            std::fs::create_dir(dir.join(folder)).expect("a folder");
        }
        let home = Self { dir };
        home.command("chmod").args(["700", "run"]).current_dir(&home.dir).status().expect("chmod runs");
        home
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for name in ["RUNPM_DIR", "RUNPM_SESSION", "RUNPM_BIN", "DBUS_SESSION_BUS_ADDRESS"] {
            command.env_remove(name);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.dir.join("bin").display()));
        command.env("HOME", self.dir.join("home")).env("XDG_RUNTIME_DIR", self.dir.join("run"));
        command.env("XDG_STATE_HOME", self.dir.join("state")).env("USER", "ann");
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(RPM).args(args).output().expect("rpm runs")
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.run(args);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("rpm {args:?}: {output:?}"))
    }

    /// Puts a shell script in front of a system's program.
    fn fake(&self, program: &str, script: &str) {
        let source = self.dir.join("script");
        std::fs::write(&source, format!("#!/bin/sh\n{script}\n")).expect("a file");
        // Not written in place: a fork of another test would hold it open for writing, and nobody could run it then.
        let target = self.dir.join("bin").join(program);
        let status = self.command("install").args(["-m", "755"]).arg(&source).arg(&target).status();
        assert!(status.expect("install runs").success());
    }

    /// From now on a user manager runs here, as far as anybody can see.
    fn has_user_manager(&self) {
        let folder = self.dir.join("run/systemd");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("private"), "").expect("a file");
    }

    fn inhabitants(&self) -> Vec<u32> {
        let wanted = format!("XDG_RUNTIME_DIR={}", self.dir.join("run").display());
        let is_ours = |pid: &u32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|b| *b == 0).any(|entry| entry == wanted.as_bytes())
        };
        sshd::processes().into_iter().filter(is_ours).collect()
    }

    /// What `rpm doctor` says of logout: its grade, its words and its advice, and whether all is well.
    fn logout(&self) -> (String, String, String, bool) {
        let all_is_well = self.run(&["doctor"]).status.success();
        let document = self.json(&["doctor", "--json"]);
        let findings = document["findings"].as_array().expect("a list");
        let finding = findings.iter().find(|finding| finding["what"] == "logout").expect("said");
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        (text("grade"), text("text"), text("todo"), all_is_well)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.run(&["shutdown", "--grace", "200ms"]);
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.inhabitants().is_empty() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let left = self.inhabitants();
        sshd::kill_all(&left);
        let _ = std::fs::remove_dir_all(&self.dir);
        assert!(left.is_empty() || std::thread::panicking(), "left behind: {left:?}");
    }
}

#[test]
fn doctor_says_when_logout_would_end_sessions_and_what_to_do() {
    let home = Home::new();
    home.fake("busctl", "exit 1");
    let (grade, text, _, is_well) = home.logout();
    assert_eq!((grade.as_str(), is_well), ("ok", true), "no login manager: {text}");

    home.fake("busctl", r#"case "$*" in *KillUserProcesses*) echo "b true";; *) exit 1;; esac"#);
    let (grade, text, todo, is_well) = home.logout();
    assert_eq!((grade.as_str(), is_well), ("bad", false), "{text}");
    assert!(text.contains("ends every process") && todo.contains("KillUserProcesses=no"), "{text} {todo}");

    home.fake("busctl", "echo 'b false'");
    let (grade, text, _, is_well) = home.logout();
    assert_eq!((grade.as_str(), is_well), ("ok", true), "{text}");

    // With a user manager the keeper is its unit, and what counts is how long the manager itself goes on.
    home.has_user_manager();
    home.fake("systemd-run", "exit 1");
    home.fake("loginctl", r#"case "$*" in *Linger*) echo no;; *) exit 1;; esac"#);
    let (grade, text, todo, is_well) = home.logout();
    assert_eq!((grade.as_str(), is_well), ("bad", false), "{text}");
    assert!(text.contains("last logout") && todo.contains("loginctl enable-linger"), "{text} {todo}");

    home.fake("loginctl", "echo yes");
    let (grade, text, _, is_well) = home.logout();
    assert_eq!((grade.as_str(), is_well), ("ok", true), "{text}");

    home.fake("loginctl", "exit 1");
    let (grade, text, todo, is_well) = home.logout();
    assert_eq!((grade.as_str(), is_well), ("note", true), "{text}");
    assert!(todo.contains("enable-linger"), "{todo}");
}

/// Does what the real one does, as far as it matters here: notes its arguments, runs the program in a session and an
/// environment of the manager's, and waits for it, as `--pipe` makes it.
const SYSTEMD_RUN: &str = r#"
printf '%s\n' "$@" > "$XDG_RUNTIME_DIR/arguments"
given=
while case $1 in --setenv=*) given="$given ${1#--setenv=}";; --*) ;; *) false;; esac; do shift; done
setsid env -i HOME="$HOME" PATH="$PATH" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" $given "$@" &
wait"#;

#[test]
fn where_a_user_manager_runs_the_keeper_becomes_its_unit() {
    let home = Home::new();
    home.has_user_manager();
    home.fake("systemd-run", SYSTEMD_RUN);
    let started = home.run(&["run", "-d", "--name", "s", "--", "cat"]);
    assert!(started.status.success(), "{started:?}");

    let noted = std::fs::read_to_string(home.dir.join("run/arguments")).expect("it was asked");
    let arguments: Vec<&str> = noted.lines().collect();
    let state = format!("--setenv=XDG_STATE_HOME={}", home.dir.join("state").display());
    // Stopping the unit signals the keeper alone, which ends its sessions itself; a failed one is not kept.
    for wanted in ["--user", "--collect", "--unit=runpm-keeper", "--property=KillMode=process", &state] {
        assert!(arguments.contains(&wanted), "no {wanted} in {noted}");
    }
    assert_eq!(arguments.iter().rev().take(2).collect::<Vec<_>>(), [&"__keeper", &RPM]);

    // Whatever stays behind of the login may end with it.
    let keeper = home.json(&["daemon", "status", "--json"])["daemon"]["keeper_pid"].as_u64().expect("a pid") as u32;
    let own = stat(keeper).expect("it lives").session;
    let is_units = |pid: &u32| stat(*pid).is_none_or(|stat| stat.session == own) || is_in_session(*pid);
    let others: Vec<u32> = home.inhabitants().into_iter().filter(|pid| !is_units(pid)).collect();
    sshd::kill_all(&others);
    assert_eq!(home.json(&["ls", "--json", "s"])["sessions"][0]["state"], "running");
    assert!(lives(keeper));
}

#[test]
fn a_private_folder_never_touches_the_user_manager() {
    let home = Home::new();
    home.has_user_manager();
    home.fake("systemd-run", SYSTEMD_RUN);
    let private = home.dir.join("private");
    let rpm = |args: &[&str]| home.command(RPM).env("RUNPM_DIR", &private).args(args).output().expect("rpm runs");
    assert!(rpm(&["run", "-d", "--name", "s", "--", "cat"]).status.success());
    assert!(rpm(&["shutdown", "--grace", "200ms"]).status.success());
    assert!(!home.dir.join("run/arguments").exists(), "systemd-run was asked");
}

#[test]
fn a_user_manager_that_refuses_is_done_without() {
    let home = Home::new();
    home.has_user_manager();
    home.fake("systemd-run", "exit 1");
    let started = home.run(&["run", "-d", "--name", "s", "--", "cat"]);
    assert!(started.status.success(), "{started:?}");
    assert_eq!(home.json(&["ls", "--json", "s"])["sessions"][0]["state"], "running");
}

#[test]
fn doctor_looks_at_the_login_where_the_keeper_is_in_a_private_folder() {
    let home = Home::new();
    home.has_user_manager();
    home.fake("busctl", "echo 'b true'");
    home.fake("loginctl", "echo yes");
    let private = home.dir.join("private");
    let output = home.command(RPM).env("RUNPM_DIR", &private).arg("doctor").output().expect("rpm runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains("ends every process of yours"), "{said}");
}

/// Returns whether a process is a session's program.
fn is_in_session(pid: u32) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|b| *b == 0).any(|entry| entry.starts_with(b"RUNPM_SESSION="))
}
