//! What is told of ends: a grace that goes on, ends told once, survivors while they survive, results for each target.

use std::io::Write;
use std::process::Command;
use std::process::Stdio;

use runpm::client::blocking::Connection;
use runpm::client::blocking::Incoming;
use runpm::protocol::verbs;
use runpm::session::status::How;
use runpm::session::status::State;

use crate::support;
use crate::support::Place;
use crate::support::RPM;
use crate::support::wait_for;
use crate::support::wait_until;

const STUBBORN: &str = "trap '' TERM HUP; echo ready; while :; do sleep 0.05; done";

/// When a session that is stopping will be killed, in wall-clock milliseconds.
fn kill_at(place: &Place, name: &str) -> Option<u64> {
    let list = verbs::List { targets: vec![name.to_owned()] };
    match place.connect().call(&list).expect("a list").sessions[0].state {
        State::Stopping { kill_at_ms } => Some(kill_at_ms),
        _ => None,
    }
}

#[test]
fn k1_a_stop_goes_on_with_what_was_left_of_its_grace_whichever_daemon_counts_it() {
    let place = Place::new();
    for (name, grace) in [("patient", "100s"), ("quick", "2s")] {
        place.start(name, STUBBORN);
        place.wait_screen(name, "ready");
        let mut stop = place.command(RPM);
        stop.args(["stop", "--grace", grace, name]).stdout(Stdio::null());
        let mut stop = stop.spawn().expect("rpm runs");
        let before = wait_for("it is stopping", || kill_at(&place, name));

        place.kill_daemon();

        let after = wait_for("it is stopping still", || kill_at(&place, name));
        assert!(before.abs_diff(after) < 500, "{name}: {before} became {after}");
        if name == "patient" {
            place.ok(&["kill", name]);
        }
        assert!(stop.wait().expect("a child").success());
        let end = place.wait_end(name);
        assert_eq!(end["signal"], "KILL", "{end}");
        let list = verbs::List { targets: vec![name.to_owned()] };
        let ended = place.connect().call(&list).expect("a list").sessions[0].end().expect("it ended").at_ms;
        // Ten times what the last round takes; five seconds, the default, are more.
        assert!(name == "patient" || ended.abs_diff(before) < 2000, "killed {} ms off", ended.abs_diff(before));
    }
}

/// Takes what a subscriber gets until the daemon has answered it: ends by name.
fn ends(connection: &mut Connection) -> Vec<(String, How)> {
    connection.call(&verbs::DaemonStatus {}).expect("an answer");
    let mut ends = Vec::new();
    while let Some(incoming) = connection.try_receive().expect("it goes on") {
        let Incoming::Event(event) = incoming else { continue };
        if let Some(verbs::Happened { name, what: verbs::What::Ended { end }, .. }) = event.get() {
            ends.push((name, end.how));
        }
    }
    ends
}

#[test]
fn k1_a_subscriber_gets_exactly_one_end_across_a_restart_and_the_list_says_ended_at_once() {
    let place = Place::new();
    for name in ["natural", "stopped", "killed", "known"] {
        place.start(name, "read x; exit 3");
    }
    let mut subscriber = place.connect();
    subscriber.call(&verbs::Events::default()).expect("subscribed");
    place.ok(&["kill", "known"]);
    assert_eq!(ends(&mut subscriber), [("known".to_owned(), How::Killed)]);
    // What the subscriber has read is where it goes on; of the next ends the daemon has told, it reads none.
    let seen = place.connect().call(&verbs::Events::default()).expect("subscribed");
    place.ok(&["stop", "stopped"]);
    place.ok(&["kill", "killed"]);
    place.ok(&["send", "natural", "", "--enter"]);
    place.wait_end("natural");

    place.kill_daemon();

    // The very first answer has them settled, not on their way.
    let sessions = place.connect().call(&verbs::List::default()).expect("a list").sessions;
    let words: Vec<(String, String)> = sessions.iter().map(|status| (status.name.clone(), status.word())).collect();
    let told = |name: &str, word: &str| (name.to_owned(), word.to_owned());
    let wanted = [
        told("natural", "exited 3"),
        told("stopped", "stopped HUP"),
        told("killed", "killed KILL"),
        told("known", "killed KILL"),
    ];
    assert_eq!(words, wanted);
    let by: Vec<bool> = sessions.iter().map(|status| status.end().is_some_and(|end| end.by.is_some())).collect();
    assert_eq!(by, [false, true, true, true]);

    for _ in 0..2 {
        let mut returned = place.connect();
        let again = verbs::Events { since: Some(seen.last), epoch: Some(seen.epoch), ..verbs::Events::default() };
        let subscribed = returned.call(&again).expect("subscribed");
        let mut got = ends(&mut returned);
        got.sort_by(|a, b| a.0.cmp(&b.0));
        let wanted = [("killed", How::Killed), ("natural", How::Natural), ("stopped", How::Stopped)];
        assert_eq!(got, wanted.map(|(name, how)| (name.to_owned(), how)));
        // Who has them does not get them again, from this daemon or the next one.
        let mut later = place.connect();
        let later_on = verbs::Events { since: Some(0), epoch: Some(subscribed.epoch), ..verbs::Events::default() };
        later.call(&later_on).expect("subscribed");
        assert_eq!(ends(&mut later), []);
        place.kill_daemon();
        let mut later = place.connect();
        later.call(&later_on).expect("subscribed");
        assert_eq!(ends(&mut later), []);
    }
}

#[test]
fn who_was_left_is_told_while_it_lives_and_by_the_next_daemon_too() {
    let place = Place::new();
    place.start("parent", "trap '' HUP; sleep 1000.3 & echo $! > $RUNPM_DIR/left; exit 4");
    let left: u32 = wait_for("it runs", || std::fs::read_to_string(place.dir().join("left")).ok()?.trim().parse().ok());
    wait_until("it is told", || place.wait_end("parent")["left"] == serde_json::json!([left]));
    place.kill_daemon();
    assert_eq!(place.wait_end("parent")["left"], serde_json::json!([left]));
    assert!(place.ok(&["describe", "parent"]).contains("still there"));

    support::kill(left);

    wait_until("it is told no more", || place.session("parent")["left"] == serde_json::json!([]));
    assert!(!place.ok(&["describe", "parent"]).contains("still there"));
    let output = place.run(&["stop", "parent"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn who_only_looks_starts_no_daemon_and_nobody_is_there_to_end() {
    let place = Place::new();
    for args in [
        &["orphans"][..],
        &["orphans", "--json"],
        &["stop", "all"],
        &["kill", "web-*"],
        &["stop", "--older-than", "1d"],
        &["signal", "INT", "@ci"],
        &["rm", "all"],
        &["untee", "all"],
        &["purge"],
        &["purge", "web*"],
        &["ls", "all"],
        &["tees", "@ci"],
    ] {
        let output = place.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        assert!(args.contains(&"--json") || said.lines().count() >= 1, "{args:?} says nothing");
        assert!(!place.dir().join("daemon.sock").exists(), "{args:?} started a daemon");
    }
    for args in [&["stop", "web"][..], &["stop", "all", "web"], &["purge", "web"], &["untee", "3"]] {
        let (code, said) = place.fails(args);
        assert!(code == 69 && said.contains("no daemon is running"), "{args:?}: {said}");
    }
    let none: serde_json::Value = serde_json::from_str(&place.ok(&["orphans", "--json"])).expect("JSON");
    assert_eq!(none["orphans"], serde_json::json!([]));
    // Ending what an earlier daemon left takes one.
    place.ok(&["orphans", "--kill"]);
    assert!(place.dir().join("daemon.sock").exists());
}

#[test]
fn purge_takes_names_tags_and_globs_beside_its_filters() {
    let place = Place::new();
    for name in ["web-1", "web-2", "db", "other"] {
        let tag = if name == "db" { "ci" } else { "none" };
        place.ok(&["run", "-d", "--name", name, "--tag", tag, "--originator", "tool:1", "--", "true"]);
        place.wait_end(name);
    }
    place.start("web-run", "sleep 1000");
    assert_eq!(place.ok(&["purge", "web-*", "--originator", "nobody"]), "");
    assert_eq!(place.ok(&["purge", "web-*"]), "web-1 exited 0\nweb-2 exited 0\n");
    assert_eq!(place.ok(&["purge", "@ci", "--originator", "tool"]), "db exited 0\n");
    let (code, said) = place.fails(&["purge", "web-run"]);
    assert!(code == 1 && said.contains("web-run is running"), "{said}");
    assert_eq!(place.ok(&["purge", "other"]), "other exited 0\n");
    assert_eq!(place.session("web-run")["state"], "running");
}

#[test]
fn of_several_targets_the_good_ones_are_done_and_the_bad_ones_named() {
    let place = Place::new();
    let start = || ["a", "b"].map(|name| place.start(name, "echo word; sleep 1000"));
    let check = |args: &[&str], told: &[&str]| {
        let output = place.run(args);
        let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(66), "{args:?}: {said}");
        assert!(told.iter().all(|told| out.contains(told)), "{args:?}: {out}");
        assert_eq!(said.matches("no session is called \"nobody\"").count(), 1, "{args:?}: {said}");
    };
    start();
    place.wait_screen("b", "word");
    check(&["ls", "nobody", "a", "b"], &["a", "b"]);
    check(&["describe", "a", "nobody", "b"], &["name         a\n", "name         b\n"]);
    check(&["logs", "a", "nobody", "b"], &["a | word", "b | word"]);
    check(&["grep", "word", "a", "nobody", "b"], &["a:word", "b:word"]);
    check(&["stop", "a", "nobody", "b"], &["a stopped HUP\n", "b stopped HUP\n"]);
    check(&["rm", "nobody", "a", "b"], &["a stopped HUP\n", "b stopped HUP\n"]);
    start();
    check(&["kill", "a", "b", "nobody"], &["a killed KILL\n", "b killed KILL\n"]);
    check(&["purge", "a", "b", "nobody"], &["a killed KILL\n", "b killed KILL\n"]);
    // Alone it is refused, and a running one that is named to be forgotten is the lesser fault.
    assert_eq!(place.fails(&["rm", "nobody"]).0, 66);
    start();
    let (code, said) = place.fails(&["rm", "a", "nobody"]);
    assert!(code == 66 && said.contains("a is running") && said.contains("\"nobody\""), "{said}");
}

#[test]
fn a_command_that_is_not_there_has_a_code_of_its_own_whatever_its_name() {
    let place = Place::new();
    let folder = place.dir().join("what is missing");
    std::fs::create_dir(&folder).expect("a folder");
    let code_of = |args: &[&str]| {
        let output = place.run(&[&["run", "-d", "--json"], args].concat());
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
        (output.status.code(), document["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code_of(&["--", "no-such-command-x"]), (Some(127), "command-not-found".to_owned()));
    // A message that happens to end so means nothing: it is there and cannot be run.
    assert_eq!(code_of(&["--", &folder.display().to_string()]), (Some(126), "cannot-start".to_owned()));
    assert_eq!(code_of(&["--cwd", "/no/such/folder", "--", "true"]), (Some(126), "cannot-start".to_owned()));
}

#[test]
fn a_process_that_is_registered_again_keeps_what_was_said_of_it() {
    let place = Place::new();
    let mut own = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
    let pid = own.id().to_string();
    let row = |args: &[&str]| -> serde_json::Value {
        let text = place.ok(&[&["register", &pid, "--json"], args].concat());
        let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["process"].take()
    };
    let given = ["--originator", "ci:7", "--kind", "server", "--command", "serve", "--cwd", "/srv", "--detached"];
    let first = row(&given);
    let again = row(&[]);
    let named = row(&["--kind", "worker"]);
    own.kill().and_then(|()| own.wait()).expect("our child");
    for field in ["originator", "kind", "command", "cwd", "containment", "since"] {
        assert_eq!(first[field], again[field], "{field}");
    }
    assert_eq!((&first["kind"], &first["containment"]), (&"server".into(), &"detached".into()));
    assert_eq!((&named["kind"], &named["originator"]), (&"worker".into(), &"ci:7".into()));
}

#[test]
fn d23_an_autostart_entry_that_is_wrong_or_does_not_start_is_told_by_doctor_and_status() {
    let place = Place::new();
    let config = "[[autostart]]\nname = \"good\"\ncommand = [\"sleep\", \"1000\"]\n\n\
                  [[autostart]]\nname = \"gone\"\ncommand = [\"no-such-command-x\"]\n\n\
                  [[autostart]]\nname = \"empty\"\n";
    std::fs::write(place.dir().join("config.toml"), config).expect("a file");
    place.ok(&["daemon", "start"]);
    for _ in 0..2 {
        let is_told = |text: &str| text.contains("\"gone\" was not started: cannot start no-such-command-x");
        wait_until("it is told", || is_told(&place.ok(&["daemon", "status"])));
        let status = place.ok(&["daemon", "status"]);
        assert!(status.contains("config.toml:9:1: error: ") && status.contains("it has no command"), "{status}");
        let doctor = String::from_utf8_lossy(&place.run(&["doctor"]).stdout).into_owned();
        assert!(doctor.contains("note  startup") && doctor.contains("(and 1 more)"), "{doctor}");
        assert_eq!(place.daemon()["faults"].as_array().map(Vec::len), Some(2));
        assert_eq!(place.session("good")["state"], "running");
        // It is tried once in a keeper's life; the next daemon knows.
        place.kill_daemon();
    }
}

#[test]
fn w22_of_ended_sessions_one_is_kept_at_least_also_where_none_is_wanted() {
    let place = Place::new();
    std::fs::write(place.dir().join("config.toml"), "[sessions]\nkeep_ended = 0\n").expect("a file");
    for name in ["a", "b", "c"] {
        place.start(name, "exit 0");
        place.wait_end(name);
    }
    wait_until("the newest is left", || {
        let text = place.ok(&["ls", "--json"]);
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["sessions"].as_array().is_some_and(|all| all.len() == 1 && all[0]["name"] == "c")
    });
    let daemon = place.daemon();
    assert_eq!((&daemon["ended"], &daemon["keep_ended"]), (&1.into(), &1.into()));
}

#[test]
fn a_session_is_in_the_roll_before_anybody_is_told_that_it_runs() {
    for round in 0..5 {
        let mut place = Place::new();
        place.ok(&["daemon", "start"]);
        let (keeper, daemon) = (place.keeper_pid(), place.daemon_pid());
        for n in 0..=round {
            place.start(&format!("precious{n}"), "sleep 1000");
        }
        support::kill(keeper);
        wait_until("the daemon leaves too", || !support::lives(daemon));
        place.ok(&["daemon", "start"]);
        for n in 0..=round {
            assert_eq!(place.session(&format!("precious{n}"))["how"], "lost");
        }
        place.is_abandoned = true;
        place.ok(&["shutdown"]);
    }
}

#[test]
fn k8_who_outlived_a_session_that_ended_by_itself_is_ended_by_stopping_it() {
    let place = Place::new();
    for (name, verb) in [("a", ["stop", "a"]), ("b", ["kill", "b"]), ("c", ["stop", "all"])] {
        place.ok(&["run", "-d", "--pipe", "--name", name, "--", "sh", "-c", "sleep 1000 & exit 3"]);
        let end = place.wait_end(name);
        let pid = end["left"][0].as_u64().expect("somebody is left") as u32;
        assert!(support::lives(pid));
        assert_eq!(place.ok(&verb), format!("{name} exited 3\n"), "its end stays what it was");
        wait_until("it is gone", || !support::lives(pid));
        place.ok(&["rm", name]);
    }
}

#[test]
fn the_end_of_input_is_the_last_thing_a_program_reads_also_while_input_waits() {
    let place = Place::new();
    let mark = place.dir().join("go");
    let script = format!("while ! [ -e {} ]; do sleep 0.01; done; cat | tail -c 6; echo END", mark.display());
    place.ok(&["run", "-d", "--pipe", "--name", "late", "--", "sh", "-c", &script]);
    let long = format!("{}first\n", "x".repeat(300_000));
    let mut typist = place.command(RPM);
    let mut typist = typist.args(["send", "late", "--stdin"]).stdin(Stdio::piped()).spawn().expect("a typist");
    typist.stdin.take().expect("a pipe").write_all(long.as_bytes()).expect("written");
    assert!(typist.wait().expect("it ends").success(), "it fits into the queue");
    place.ok(&["send", "late", "--eof"]);
    for late in [&["send", "late", "SECOND", "--enter"][..], &["send", "late", "--eof"]] {
        let (code, sentence) = place.fails(late);
        assert!(code == 1 && sentence.contains("takes no input any more"), "{code} {sentence}");
    }
    std::fs::write(mark, "").expect("a file");
    place.wait_end("late");
    assert_eq!(place.ok(&["logs", "late"]), "first\nEND\n");
}
