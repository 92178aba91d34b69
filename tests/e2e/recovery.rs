//! K1: `kill -9` of the daemon loses no byte, no program, no exit, no name, and nothing is done twice.

use std::io::Read;
use std::process::Stdio;

use crate::support::Place;
use crate::support::kill;
use crate::support::wait_for;
use crate::support::wait_until;

/// Lines that a reader can check one by one.
fn numbers(to: u32) -> Vec<u8> {
    (1..=to).flat_map(|n| format!("{n}\r\n").into_bytes()).collect()
}

#[test]
fn k1_programs_names_screens_and_ends_survive_the_daemon() {
    let place = Place::new();
    place.start("shell", "printf '\\033[31mred\\033[0m plain'; read x; echo got $x; read y");
    place.start("gone", "exit 3");
    place.wait_end("gone");
    place.wait_screen("shell", "red plain");
    let before = place.ok(&["screen", "--ansi", "shell"]);
    let pid = place.session("shell")["pid"].clone();

    place.kill_daemon();

    assert_eq!(place.ok(&["screen", "--ansi", "shell"]), before);
    assert_eq!(place.session("shell")["pid"], pid);
    assert_eq!(place.session("gone")["code"], 3);
    place.ok(&["send", "shell", "word", "--enter"]);
    place.wait_screen("shell", "got word");
    assert_eq!(place.daemon()["restarts"], 1);
}

#[test]
fn k1_a_raw_follower_gets_every_byte_once_across_ten_kills() {
    let place = Place::new();
    let go = place.dir().join("go");
    let script = format!("while [ ! -e {} ]; do sleep 0.01; done; seq 1 300000", go.display());
    place.start("count", &script);
    let mut follower = place
        .command(crate::support::RPM)
        .args(["logs", "-f", "--raw", "count"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a follower");
    let mut out = follower.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    std::fs::write(&go, "").expect("a file");

    for _ in 0..10 {
        place.kill_daemon();
    }

    let bytes = reader.join().expect("no panic").expect("readable");
    let status = follower.wait().expect("a child");
    assert!(status.success(), "{status}");
    let wanted = numbers(300_000);
    let same = bytes.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    assert_eq!((bytes.len(), same), (wanted.len(), wanted.len()), "differs at byte {same}");
    assert_eq!(place.wait_end("count")["code"], 0);
}

#[test]
fn k1_pipes_keep_their_bytes_and_order_across_kills() {
    let place = Place::new();
    let script = "i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; exit 9";
    place.ok(&["run", "-d", "--pipe", "--name", "p", "--", "sh", "-c", script]);
    for _ in 0..5 {
        place.kill_daemon();
    }
    assert_eq!(place.wait_end("p")["code"], 9);
    let lines = |stream| place.ok(&["logs", "--raw", "--stream", stream, "p"]);
    let wanted = |word: &str| (0..2000).map(|n| [word, " ", &n.to_string(), "\n"].concat()).collect::<String>();
    assert_eq!(lines("out"), wanted("out"));
    assert_eq!(lines("err"), wanted("err"));
}

#[test]
fn k1_twenty_flooding_sessions_survive_kills_at_random_moments() {
    let place = Place::new();
    for n in 0..20 {
        place.start(&format!("flood{n}"), "seq 1 20000; echo done; read x; exit 4");
    }
    for _ in 0..8 {
        place.kill_daemon();
    }
    for n in 0..20 {
        let name = format!("flood{n}");
        place.wait_screen(&name, "done");
        let mut wanted = numbers(20_000);
        wanted.extend(b"done\r\n");
        assert!(place.run(&["logs", "--raw", &name]).stdout == wanted, "{name} differs");
        place.ok(&["send", &name, "", "--enter"]);
    }
    for n in 0..20 {
        assert_eq!(place.wait_end(&format!("flood{n}"))["code"], 4);
    }
}

/// Dies at each named place once and comes back to the same screen.
#[test]
fn k1_death_at_each_failpoint_is_survived() {
    for failpoint in ["checkpoint-half", "mid-replay", "mid-handshake", "spawned-unanswered"] {
        let place = Place::new();
        place.start("a", "while read x; do seq 1 $x; echo end $x; done");
        // A first checkpoint, so that a half-written one has an older copy beside it.
        place.ok(&["send", "a", "120000", "--enter"]);
        place.wait_screen("a", "end 120000");
        place.arm(failpoint);
        if matches!(failpoint, "mid-replay" | "mid-handshake") {
            kill(place.daemon_pid());
        }
        place.ok(&["send", "a", "90000", "--enter"]);
        place.start("b", "echo b; read x");
        let screen = place.wait_screen("a", "end 90000");
        assert!(screen.contains("89999\n90000\n"), "{failpoint}: {screen}");
        wait_until(&format!("{failpoint} fires"), || {
            place.screen("a");
            place.has_fired()
        });
        place.wait_screen("b", "b");
        let sessions: serde_json::Value = serde_json::from_str(&place.ok(&["ls", "--json"])).expect("JSON");
        assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(2), "{failpoint}: done twice or lost");
        assert!(place.daemon()["restarts"].as_u64() >= Some(1), "{failpoint}");
    }
}

#[test]
fn k1_k9_death_between_publishing_and_answering_never_answers_twice() {
    let place = Place::new();
    let ask = r"stty raw -echo min 0 time 10; printf '\033[5n'; n=0; while [ $n -lt 3 ]; do dd bs=64 count=1 2>/dev/null; n=$((n+1)); done | od -An -c | tr -d '\n'; echo; echo over; stty sane; read x";
    place.start("warm", "read x");
    place.arm("answer-published");
    place.start("ask", ask);
    let screen = place.wait_screen("ask", "over");
    assert!(place.has_fired());
    assert!(screen.matches("0   n").count() <= 1, "{screen}");
}

#[test]
fn k1_an_exit_while_no_daemon_lives_is_reported_exactly() {
    let place = Place::new();
    place.start("late", "read x; exit 42");
    place.start("killed", "read x; kill -USR1 $$");
    // A daemon that cannot start: the keeper goes on without one.
    place.arm("mid-handshake");
    kill(place.daemon_pid());
    wait_until("a daemon died while it took over", || place.has_fired());
    place.ok(&["send", "late", "", "--enter"]);
    place.ok(&["send", "killed", "", "--enter"]);
    assert_eq!(place.wait_end("late")["code"], 42);
    assert_eq!(place.wait_end("killed")["signal"], "USR1");
}

#[test]
fn k1_a_stop_under_way_is_finished_by_the_next_daemon() {
    let place = Place::new();
    place.start("stubborn", "trap '' TERM HUP; echo ready; while :; do sleep 0.05; done");
    place.wait_screen("stubborn", "ready");
    let mut stop = place.command(crate::support::RPM);
    let mut stop = stop.args(["stop", "--grace", "1s", "stubborn"]).stdout(Stdio::piped()).spawn().expect("rpm runs");
    wait_for("it is stopping", || Some(()).filter(|()| place.session("stubborn")["state"] == "stopping"));

    place.kill_daemon();

    assert!(stop.wait().expect("a child").success());
    let session = place.wait_end("stubborn");
    assert_eq!((&session["how"], &session["signal"]), (&"killed".into(), &"KILL".into()));
    assert!(session["by"].as_str().is_some_and(|by| by.starts_with("ann")));
}

#[test]
fn k1_an_attached_terminal_comes_back_by_itself() {
    let place = Place::new();
    let mut terminal = place.terminal(&["run", "--name", "cat", "--", "sh", "-c", "stty -echo; echo ready; cat"]);
    terminal.wait_text("ready");
    for n in 0..3 {
        place.kill_daemon();
        wait_until("attached again", || place.session("cat")["attached"].as_array().is_some_and(|a| !a.is_empty()));
        terminal.type_in(format!("line {n}\r"));
        terminal.wait_text(&format!("line {n}"));
    }
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    for n in 0..3 {
        assert_eq!(raw.matches(&format!("line {n}")).count(), 1, "{raw:?}");
    }
    terminal.type_in("\x02d");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn a_dead_keepers_sessions_are_reported_as_lost_by_name() {
    let mut place = Place::new();
    place.start("precious", "sleep 1000");
    let (keeper, daemon) = (place.keeper_pid(), place.daemon_pid());
    kill(keeper);
    wait_until("the daemon leaves too", || !crate::support::lives(daemon));

    place.ok(&["daemon", "start"]);
    let session = place.session("precious");

    assert_eq!((&session["state"], &session["how"]), (&"ended".into(), &"lost".into()));
    let (code, said) = place.fails(&["attach", "precious"]);
    assert!(code != 0 && said.contains("lost when its keeper died"), "{said}");
    place.ok(&["rm", "precious"]);
    assert_eq!(place.ok(&["ls"]), "");
    place.is_abandoned = false;
}

#[test]
fn w28_k12_a_panic_in_one_session_costs_no_session_anything() {
    let place = Place::new();
    place.start("one", "stty -echo; echo ready; while read x; do echo got $x; done");
    place.start("two", "echo other; read x");
    let mut terminal = place.terminal(&["attach", "one"]);
    terminal.wait_text("ready");
    let daemon = place.daemon_pid();
    place.arm("actor-panics");
    terminal.type_in("first\r");
    terminal.wait_text("got first");
    wait_until("the actor panicked", || place.has_fired());
    wait_until("attached again", || place.session("one")["attached"].as_array().is_some_and(|a| !a.is_empty()));
    terminal.type_in("second\r");
    terminal.wait_text("got second");
    assert_eq!(place.daemon_pid(), daemon);
    assert!(place.wait_screen("two", "other").starts_with("other"));
    assert_eq!(place.ok(&["logs", "--raw", "one"]), "ready\r\ngot first\r\ngot second\r\n");
}

/// Everything a terminal is sent at an attach: scrollback, cells with attributes, both cursors, modes, region, tabs,
/// character sets, stacks, palette, title.
fn painted(place: &Place, name: &str) -> Vec<u8> {
    let mut terminal = place.terminal(&["attach", "--view", name]);
    terminal.wait_text("END");
    terminal.wait_quiet(std::time::Duration::from_millis(150));
    let painted = terminal.raw();
    terminal.type_in("\x02d");
    terminal.wait_exit();
    painted
}

#[test]
fn k1_scrollback_cells_attributes_modes_and_cursors_are_the_same_after_a_kill() {
    let place = Place::new();
    let parts = [
        // Enough to make the first checkpoint old, and one sequence cut in the middle.
        r"seq 1 120000; printf '\033[1;3;4:3;58;5;9;38;2;1;2;3;48;5;17mstyled\033[0m \033[9mstruck\033[0m END\033[1'",
        r"seq 1 200; printf '\033[3;10r\033[?6h\033[2;5H\0337\033[4;7Hx\033(0lqk\033[?2004h\033[?1h\033=\033[5 qEND'",
        r"printf 'below'; printf '\033[?1049h\033[2J\033[5;5H\033[7mfull END\033[0m\033[?1002h\033[?1006h\033[>1u\033]0;title\007'",
        r"printf '\033[3g\033[5G\033H\033[31G\033H\ra\tb\tEND\033[4h\033[?7l\033]4;1;rgb:12/34/56\007'; printf '\343\201'",
    ];
    for n in 0..20 {
        place.start(&format!("s{n}"), &format!("stty raw -echo; {}; sleep 1000", parts[n % parts.len()]));
    }
    for n in 0..20 {
        place.wait_screen(&format!("s{n}"), "END");
    }
    let before: Vec<Vec<u8>> = (0..20).map(|n| painted(&place, &format!("s{n}"))).collect();
    for round in 0..3 {
        place.kill_daemon();
        for (n, before) in before.iter().enumerate() {
            let after = painted(&place, &format!("s{n}"));
            let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(&after));
            assert_eq!(before, after, "session {n}, kill {round}");
        }
    }
}

#[test]
fn k1_titles_come_back_and_lost_sessions_stay_reported() {
    let place = Place::new();
    place.start("titled", r"printf '\033]0;my title\007'; echo up; read x");
    place.wait_screen("titled", "up");
    assert_eq!(place.session("titled")["title"], "my title");
    place.kill_daemon();
    place.wait_screen("titled", "up");
    assert_eq!(place.session("titled")["title"], "my title");

    let daemon = place.daemon_pid();
    kill(place.keeper_pid());
    wait_until("the daemon leaves too", || !crate::support::lives(daemon));
    place.ok(&["daemon", "start"]);
    place.kill_daemon();
    assert_eq!(place.session("titled")["how"], "lost");
}

#[test]
fn k1_k6_interleaved_pipes_reach_a_late_reader_once() {
    let place = Place::new();
    // More index entries than the ring of them holds, in far fewer bytes than the ring of bytes holds.
    let script = "i=0; while [ $i -lt 20000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done";
    place.ok(&["run", "-d", "--pipe", "--name", "p", "--", "sh", "-c", script]);
    place.wait_end("p");
    let text = place.ok(&["logs", "--raw", "p"]);
    let mut lines: Vec<&str> = text.lines().collect();
    let count = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((count, lines.len()), (40_000, 40_000));
}

#[test]
fn k1_the_executable_may_be_replaced_while_it_runs() {
    let place = Place::new();
    let copy = place.dir().join("runpm");
    std::fs::copy(crate::support::RPM, &copy).expect("a copy");
    let mut command = place.command(copy.to_str().expect("text"));
    assert!(command.args(["run", "-d", "--name", "s", "--", "sleep", "1000"]).status().expect("it runs").success());
    std::fs::remove_file(&copy).expect("it was there");
    std::fs::write(&copy, "#!/bin/false\n").expect("a file");
    place.kill_daemon();
    assert_eq!(place.session("s")["state"], "running");
}
