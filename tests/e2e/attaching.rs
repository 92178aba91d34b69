//! K2, K5, K10: looking changes nothing, stealing is told, the terminal is left as it was found.

use std::time::Duration;

use crate::support::Place;
use crate::support::signal;
use crate::support::wait_until;

#[test]
fn k2_w2_attach_consumes_nothing() {
    let place = Place::new();
    place.start("hello", "echo HELLO; read x");
    for _ in 0..3 {
        let mut terminal = place.terminal(&["attach", "hello"]);
        terminal.wait_text("HELLO");
        terminal.type_in("\x02d");
        assert_eq!(terminal.wait_exit(), 0);
    }
    assert_eq!(place.ok(&["logs", "--raw", "hello"]), "HELLO\r\n");
}

#[test]
fn k2_watching_never_resizes_and_never_types() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "w", "--rows", "30", "--cols", "100", "--", "sh", "-c", "echo one; cat"]);
    let mut viewer = place.terminal_of(10, 40, &["attach", "--view", "w"]);
    viewer.wait_text("one");
    viewer.type_in("intruder\r");
    viewer.resize(12, 50);
    place.ok(&["send", "w", "typed", "--enter"]);
    viewer.wait_text("typed");
    let session = place.session("w");
    assert_eq!((&session["rows"], &session["cols"]), (&30.into(), &100.into()));
    assert!(!place.screen("w").contains("intruder"));
    viewer.type_in("\x02d");
    assert_eq!(viewer.wait_exit(), 0);
}

#[test]
fn w1_k5_the_thief_keeps_the_session_and_the_loser_is_told() {
    let place = Place::new();
    place.start("s", "stty -echo; echo ready; while read line; do echo got $line; done");
    let mut first = place.terminal(&["attach", "s"]);
    first.wait_text("ready");
    let (code, said) = place.fails(&["attach", "s"]);
    assert_eq!(code, 77, "{said}");
    assert!(said.contains("controlled by ann") && said.contains("--steal"), "{said}");

    let mut second = place.terminal(&["attach", "--steal", "s"]);

    assert_eq!(first.wait_exit(), 90);
    first.wait_text("taken over by ann");
    second.wait_text("ready");
    for n in 0..5 {
        second.type_in(format!("word{n}\r"));
        second.wait_text(&format!("got word{n}"));
    }
    assert_eq!(place.session("s")["attached"][0]["controls"], true);
    let mut third = place.terminal(&["attach", "--steal", "s"]);
    assert_eq!(second.wait_exit(), 90);
    third.wait_text("got word4");
    third.type_in("back\r");
    third.wait_text("got back");
}

#[test]
fn w18_an_ended_session_can_be_viewed_and_shows_its_last_screen() {
    let place = Place::new();
    place.start("done", "echo last words; exit 5");
    place.wait_end("done");
    let mut terminal = place.terminal(&["attach", "done"]);
    assert_eq!(terminal.wait_exit(), 5);
    terminal.wait_text("last words");
    terminal.wait_text("exited 5");
}

#[test]
fn w13_the_attached_client_sees_the_farewell_and_the_real_end() {
    let place = Place::new();
    let script = "trap 'echo farewell; exit 6' HUP TERM; echo ready; while :; do sleep 0.05; done";
    let mut terminal = place.terminal(&["run", "--name", "polite", "--", "sh", "-c", script]);
    terminal.wait_text("ready");
    place.ok(&["stop", "polite"]);
    assert_eq!(terminal.wait_exit(), 6);
    terminal.wait_text("farewell");
    terminal.wait_text("stopped 6");
}

/// A full-screen program's modes, as one that is left in the middle would leave them.
const FULL_SCREEN: &str =
    r"printf '\033[?1049h\033[?1000h\033[?1006h\033[?2004h\033[?1h\033[?25l\033[>1u\033[5 qFULL'; cat";

#[test]
fn k10_every_way_out_of_attach_restores_the_terminal() {
    type Way = fn(&Place, &mut crate::support::Outer);
    let ways: [(&str, Way); 5] = [
        ("detach", |_, terminal| terminal.type_in("\x02d")),
        ("term", |_, terminal| signal(terminal.pid(), "TERM")),
        ("hup", |_, terminal| signal(terminal.pid(), "HUP")),
        ("end", |place, _| drop(place.ok(&["kill", "full"]))),
        ("removed keeper", |place, _| crate::support::kill(place.keeper_pid())),
    ];
    for (way, leave) in ways {
        let mut place = Place::new();
        place.ok(&["run", "-d", "--name", "full", "--", "sh", "-c", FULL_SCREEN]);
        let mut terminal = place.terminal(&["attach", "full"]);
        terminal.wait_text("FULL");
        terminal.wait("the program's modes", |screen| screen.alternate_screen() && screen.bracketed_paste());
        let raw_modes = terminal.modes();

        leave(&place, &mut terminal);
        terminal.wait_exit();

        assert_ne!(terminal.modes(), raw_modes, "{way}: still raw");
        assert!(terminal.modes().contains("ECHO"), "{way}: {}", terminal.modes());
        terminal.wait_restored(way);
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(raw.contains("\x1b[<") && raw.contains("\x1b[0 q"), "{way}: keyboard and cursor shape: {raw:?}");
        if way == "removed keeper" {
            place.is_abandoned = true;
        }
    }
}

#[test]
fn a_terminal_that_vanishes_ends_the_client_at_once() {
    let place = Place::new();
    let mut terminal = place.terminal(&["run", "--name", "stays", "--", "sleep", "1000"]);
    wait_until("attached", || {
        let session = place.run(&["ls", "--json", "stays"]);
        String::from_utf8_lossy(&session.stdout).contains("\"controls\": true")
    });
    let pid = terminal.pid();
    terminal.hang_up();
    wait_until("the client is gone", || !crate::support::lives(pid));
    wait_until("nobody is attached", || place.session("stays")["attached"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(place.session("stays")["state"], "running");
}

#[test]
fn one_burst_of_resizes_reaches_the_program_once() {
    let place = Place::new();
    let script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done";
    let mut terminal = place.terminal(&["run", "--name", "r", "--", "sh", "-c", script]);
    terminal.wait_text("ready");
    for n in 0..20 {
        terminal.resize(24, 60 + n);
    }
    terminal.wait_text("24 79");
    terminal.wait_quiet(Duration::from_millis(300));
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert_eq!(raw.matches("24 ").count(), 1, "{raw:?}");
}

#[test]
fn k9_exactly_one_answers_a_query() {
    let place = Place::new();
    let ask = r"stty raw -echo min 0 time 20; printf '\033[6n'; dd bs=64 count=1 2>/dev/null | od -An -c; echo; stty sane; read x";
    // Nobody attached: the daemon answers.
    place.start("alone", ask);
    place.wait_screen("alone", "R");
    assert_eq!(place.screen("alone").matches('R').count(), 1, "{}", place.screen("alone"));
    // Replaying it answers nothing: a new viewer's terminal must not be asked.
    let mut viewer = place.terminal(&["attach", "--view", "alone"]);
    viewer.wait_text("R");
    assert!(!String::from_utf8_lossy(&viewer.raw()).contains("\x1b[6n"));
    viewer.type_in("\x02d");
    viewer.wait_exit();
}

#[test]
fn a_client_that_dies_at_any_moment_of_its_attach_keeps_no_control() {
    let place = Place::new();
    place.start("busy", "yes");
    for n in 0..30_u64 {
        let terminal = place.terminal(&["attach", "--steal", "busy"]);
        std::thread::park_timeout(Duration::from_millis(n));
        crate::support::kill(terminal.pid());
    }
    wait_until("nobody is attached", || place.session("busy")["attached"].as_array().is_some_and(Vec::is_empty));
}

#[test]
fn a_dead_client_whose_input_nobody_reads_is_let_go() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "deaf", "--", "sleep", "1000"]);
    let script = r#"head -c 6000000 /dev/zero | exec "$0" attach deaf"#;
    let mut child = place.command("sh").args(["-c", script, crate::support::RPM]).spawn().expect("sh runs");
    wait_until("attached", || place.session("deaf")["attached"].as_array().is_some_and(|a| !a.is_empty()));
    child.kill().and_then(|()| child.wait()).expect("our child");
    for pid in crate::support::inhabitants(place.dir()) {
        if std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("attach")) {
            crate::support::kill(pid);
        }
    }
    wait_until("nobody is attached", || place.session("deaf")["attached"].as_array().is_some_and(Vec::is_empty));
}

#[test]
fn k10_a_terminal_that_takes_nothing_does_not_keep_its_client() {
    let place = Place::new();
    place.start("flood", "yes");
    let mut terminal = place.terminal(&["attach", "flood"]);
    terminal.wait_text("y");
    // Nobody reads this terminal any more, so writing to it has to wait.
    terminal.stop_reading();
    let pid = terminal.pid();
    wait_until("the stream is held up", || place.session("flood")["output_bytes"].as_u64() > Some(1 << 20));
    signal(pid, "TERM");
    wait_until("the client is gone", || !crate::support::lives(pid));
}
