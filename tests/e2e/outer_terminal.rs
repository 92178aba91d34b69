//! The dashboard and its terminal: every way out, a terminal that vanishes, sizes, history that is longer than memory.

use std::time::Duration;
use std::time::Instant;

use portable_pty::CommandBuilder;

use crate::support::Outer;
use crate::support::Place;
use crate::support::RPM;
use crate::support::lives;
use crate::support::signal;
use crate::support::wait_until;

/// A program that changed what it could of its terminal.
const FULL_SCREEN: &str =
    r"printf '\033[?1049h\033[?1003h\033[?1006h\033[?2004h\033[?1h\033[?1004h\033[?25l\033[>1u\033[5 qFULL'; cat";

/// The modes of a terminal that nobody touched.
fn usual_modes() -> String {
    let mut terminal = Outer::spawn(CommandBuilder::new("true"), 24, 80);
    terminal.wait_exit();
    terminal.modes()
}

#[test]
fn k10_every_way_out_of_the_dashboard_restores_the_terminal() {
    type Way = fn(&Place, &mut Outer);
    let ways: [(&str, Way); 8] = [
        ("quit", |_, terminal| terminal.type_in("\x02d")),
        ("term", |_, terminal| signal(terminal.pid(), "TERM")),
        ("hup", |_, terminal| signal(terminal.pid(), "HUP")),
        ("int", |_, terminal| signal(terminal.pid(), "INT")),
        ("quit signal", |_, terminal| signal(terminal.pid(), "QUIT")),
        ("panic", |place, terminal| {
            place.arm("dashboard-resized");
            terminal.resize(25, 81);
        }),
        ("a killed daemon", |place, terminal| {
            place.kill_daemon();
            terminal.type_in("\x02d");
        }),
        ("a killed keeper", |place, terminal| {
            crate::support::kill(place.keeper_pid());
            signal(terminal.pid(), "TERM");
        }),
    ];
    let usual = usual_modes();
    for (way, leave) in ways {
        let mut place = Place::new();
        place.ok(&["run", "-d", "--name", "full", "--", "sh", "-c", FULL_SCREEN]);
        let mut terminal = place.terminal(&["tui"]);
        terminal.wait_text("viewing");
        terminal.type_in("\r");
        terminal.wait_text("typing");
        terminal.wait("the program's modes", vt100::Screen::bracketed_paste);
        assert_ne!(terminal.modes(), usual, "{way}");

        leave(&place, &mut terminal);
        terminal.wait_exit();

        assert_eq!(terminal.modes(), usual, "{way}");
        terminal.wait_restored(way);
        let mut undo = runpm::term::Undo::new();
        undo.observe(&terminal.raw());
        assert_eq!(String::from_utf8_lossy(&undo.bytes()), "", "{way}: left on");
        if way == "panic" {
            assert!(place.has_fired());
            terminal.wait_quiet(Duration::from_millis(100));
            assert!(String::from_utf8_lossy(&terminal.raw()).contains("failpoint dashboard-resized"));
        }
        place.is_abandoned = way == "a killed keeper";
    }
}

#[test]
fn ux2_a_vanished_terminal_ends_the_dashboard_and_nothing_spins() {
    // With the hangup, and where that is ignored: then only reading and polling can tell.
    for trap in ["", "trap '' HUP;"] {
        let place = Place::new();
        place.ok(&["run", "-d", "--name", "flood", "--", "yes"]);
        let times = place.dir().join("times");
        let mut command = CommandBuilder::new("sh");
        let script = format!(r#"trap 'times > "$1"' EXIT; {trap} "$0" tui"#);
        command.args(["-c", &script, RPM]);
        command.arg(&times);
        command.env("RUNPM_DIR", place.dir());
        command.env("TERM", "xterm-256color");
        command.env_remove("RUNPM_SESSION");
        let mut terminal = Outer::spawn(command, 24, 80);
        terminal.wait_text("viewing");
        let client = clients(&place);
        assert_eq!(client.len(), 1, "{trap}");

        let begin = Instant::now();
        terminal.hang_up();
        wait_until("it is gone", || clients(&place).is_empty());

        // Ten times the second that it may take.
        assert!(begin.elapsed() < Duration::from_secs(10), "{trap}: {:?}", begin.elapsed());
        assert_eq!(place.session("flood")["state"], "running");
        if !trap.is_empty() {
            wait_until("the shell has told", || {
                std::fs::read_to_string(&times).is_ok_and(|text| text.lines().count() == 2)
            });
            let text = std::fs::read_to_string(&times).expect("told");
            let taken = text.lines().nth(1).expect("of its children").split_whitespace().map(seconds).sum::<f64>();
            // Ten times the 50 milliseconds, and what a build without optimisation takes to start and draw.
            assert!(taken < 2.0, "{taken} s of processor time: {text}");
        }
    }
}

/// Reads `0m0.05s`.
fn seconds(text: &str) -> f64 {
    let (minutes, seconds) = text.trim_end_matches('s').split_once('m').expect("minutes");
    minutes.parse::<f64>().expect("a number") * 60.0 + seconds.parse::<f64>().expect("a number")
}

/// The dashboards of a place.
fn clients(place: &Place) -> Vec<u32> {
    let is_client = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|b| *b == 0);
        words.next() == Some(RPM.as_bytes()) && words.next() == Some(b"tui") && lives(*pid)
    };
    crate::support::inhabitants(place.dir()).into_iter().filter(is_client).collect()
}

#[test]
fn ux13_a_storm_of_resizes_ends_in_one_that_the_program_is_told() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "cat", "--", "cat"]);
    let mut terminal = place.terminal(&["tui", "--session", "cat"]);
    terminal.wait_text("typing");
    let sizes = || {
        let cast = place.ok(&["export", "--asciicast", "cat"]);
        let events = cast.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let sizes =
            events.filter(|event| event[1] == "r").map(|event| event[2].as_str().unwrap_or_default().to_owned());
        sizes.collect::<Vec<_>>()
    };
    wait_until("it controls the size", || place.session("cat")["attached"][0]["controls"] == true);
    terminal.type_in("first\r");
    place.wait_screen("cat", "first\nfirst");
    let before = sizes().len();

    let begin = Instant::now();
    for n in 0..60_u16 {
        let drawn = terminal.raw().len();
        terminal.resize(30 + n % 7, 100 + n);
        wait_until("something is drawn", || terminal.raw().len() > drawn);
    }
    let took = begin.elapsed();

    wait_until("the last size", || place.session("cat")["cols"] == 159);
    terminal.type_in("more\r");
    place.wait_screen("cat", "more\nmore");
    // It is told once the size stood still for 50 ms.
    let told = sizes().len() - before;
    let most = 1 + took.as_millis() as usize / 50;
    assert!((1..=most).contains(&told), "{told} sizes in {took:?}: {}", place.ok(&["export", "--asciicast", "cat"]));
}

#[test]
fn ux24_the_journal_of_a_session_is_read_above_its_memory() {
    let place = Place::new();
    // 3.4 MB: a ring has two.
    let script = "seq -f 'line %07.0f of a log' 150000; exec cat";
    place.ok(&["run", "-d", "--name", "log", "--journal", "--", "sh", "-c", script]);
    let mut terminal = place.terminal(&["tui"]);
    terminal.wait_text("line 0150000 of a log");
    terminal.type_in("[");
    terminal.wait_text("copy");
    terminal.type_in("gg");
    terminal.wait_text("line 0000001 of a log");
    terminal.type_in("G");
    terminal.wait_text("line 0150000 of a log");
    terminal.type_in("?line 0000777\r");
    terminal.wait("the search has ended", |screen| !screen.contents().contains("found"));
    terminal.type_in("n");
    terminal.wait_text("line 0000777 of a log");
    terminal.type_in("q");
    terminal.wait_text("viewing");
    terminal.type_in("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn ux26_history_opens_in_the_pager_and_the_editor_all_of_it() {
    for (name, args, lines) in [("short", &[][..], 300), ("long", &["--journal"][..], 150_000)] {
        let place = Place::new();
        let script = format!("seq -f 'line %07.0f of a log' {lines}; exec cat");
        place.ok(&[&["run", "-d", "--name", name], args, &["--", "sh", "-c", &script]].concat());
        let mut command = CommandBuilder::new(RPM);
        command.arg("tui");
        let shows = |name: &str| format!("sh -c 'echo {name} of $(head -n 1 \"$1\") $(grep -c log \"$1\"); read x' sh");
        for (name, value) in [("TERM", "xterm-256color"), ("PAGER", &shows("pager")), ("EDITOR", &shows("editor"))] {
            command.env(name, value);
        }
        command.env_remove("VISUAL");
        command.env_remove("RUNPM_SESSION");
        command.env("RUNPM_DIR", place.dir());
        let mut terminal = Outer::spawn(command, 24, 100);
        terminal.wait_text(&format!("line {lines:07} of a log"));
        for (key, program) in [("p", "pager"), ("e", "editor")] {
            terminal.type_in("[");
            terminal.wait_text("copy");
            terminal.type_in(format!("\x02{key}"));
            terminal.wait_text(&format!("{program} of line 0000001 of a log {lines}"));
            terminal.type_in("\r");
            terminal.wait_text("copy");
            terminal.type_in("q");
            terminal.wait_text("viewing");
        }
        terminal.type_in("q");
        assert_eq!(terminal.wait_exit(), 0);
    }
}
