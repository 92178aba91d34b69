//! The user's settings: what is said of them, what starts by itself, how long ended sessions stay.

use crate::support::Place;
use crate::support::wait_for;
use crate::support::wait_until;

fn place_with(settings: &str) -> Place {
    let place = Place::new();
    std::fs::write(place.dir().join("config.toml"), settings).expect("a file");
    place
}

fn names(place: &Place) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(&place.ok(&["ls", "--json"])).expect("JSON");
    let sessions = document["sessions"].as_array().expect("a list");
    sessions.iter().map(|session| session["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn d22_settings_are_found_written_shown_and_checked() {
    let place = Place::new();
    let path = place.dir().join("config.toml");
    assert_eq!(place.ok(&["config", "path"]).trim(), path.display().to_string());
    assert!(place.ok(&["config", "check"]).contains("the defaults count"));
    assert_eq!(place.ok(&["config", "show"]), "");
    let defaults = place.ok(&["config", "show", "--effective"]);
    assert!(defaults.contains("keep_ended = 100\nkeep_ended_bytes = \"64M\"\n"), "{defaults}");

    place.ok(&["config", "init"]);
    assert_eq!(place.ok(&["config", "show"]), include_str!("../../assets/config.default.toml"));
    assert!(place.ok(&["config", "check"]).contains("is fine"));
    assert_eq!(place.ok(&["config", "show", "--effective"]), defaults);
    let (code, said) = place.fails(&["config", "init"]);
    assert!(code == 1 && said.contains("is there already"), "{said}");

    let other = place.dir().join("other.toml");
    std::fs::write(&other, "[sessions]\nkeep_endet = 1\n").expect("a file");
    let output = place.run(&["config", "check", other.to_str().expect("text")]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.ends_with("other.toml:2:1: warning: `keep_endet` is no key of [sessions]; did you mean `keep_ended`?\n"),
        "{said}"
    );
    let json: serde_json::Value = serde_json::from_str(&place.ok(&["config", "show", "--json"])).expect("JSON");
    assert_eq!(json["settings"]["sessions"]["keep_ended"], 100);
}

#[test]
fn d22_a_bad_file_stops_nothing_and_is_named_by_log_and_doctor() {
    for settings in
        ["[sessions]\ngrace = =\n", "[sessions]\nhistory = \"lots\"\n", "\u{0}", "[[autostart]]\ncommand = 5\n"]
    {
        let place = place_with(settings);
        place.start("a", "exit 3");
        assert_eq!(place.wait_end("a")["code"], 3);
        let log = place.ok(&["daemon", "logs"]);
        assert!(log.contains("config.toml") && log.contains("error: "), "{settings:?}: {log}");
        let doctor = String::from_utf8_lossy(&place.run(&["doctor"]).stdout).into_owned();
        assert!(doctor.contains("note  settings") && doctor.contains("rpm config check"), "{doctor}");
    }
    // Not even one that cannot be read as text, or as a file.
    let place = Place::new();
    std::fs::create_dir(place.dir().join("config.toml")).expect("a folder");
    place.ok(&["daemon", "start"]);
    assert!(place.ok(&["daemon", "logs"]).contains("it is no file"));
}

#[test]
fn a_sessions_history_and_a_stops_grace_come_from_the_settings() {
    let place = place_with("[sessions]\nhistory = \"64K\"\ngrace = \"100ms\"\n");
    place.start("loud", "trap '' HUP TERM; yes | head -c 200000; echo said; sleep 1000");
    place.wait_screen("loud", "said");
    let session = place.session("loud");
    assert!(session["oldest_byte"].as_u64() > Some(100_000), "{session}");
    let before = std::time::Instant::now();
    assert!(place.ok(&["stop", "loud"]).contains("killed KILL"));
    assert!(before.elapsed() < std::time::Duration::from_secs(4), "{:?}", before.elapsed());
}

#[test]
fn d23_sessions_start_by_themselves_once_in_a_keepers_life() {
    let place = place_with(
        r#"
        [[autostart]]
        name = "web"
        command = ["sh", "-c", "echo $FRUIT $SECRET $TERM; umask; stty size; pwd; exec sleep 1000"]
        env = { FRUIT = "plum" }
        size = "120x40"
        tags = ["desk"]
        cwd = "/"
        [[autostart]]
        name = "bad"
        command = ["no-such-program-at-all"]
        [[autostart]]
        kind = "tty"
        command = ["true"]
        [[autostart]]
        name = "done"
        command = ["true"]
        kind = "pipe"
        merge = true
        "#,
    );
    let mut command = place.command(crate::support::RPM);
    assert!(command.env("SECRET", "x").args(["daemon", "start"]).status().expect("rpm runs").success());
    wait_until("both are there", || names(&place) == ["web", "done"]);
    assert_eq!(place.wait_end("done")["merged"], true);
    let screen = place.wait_screen("web", "40 120\n/");
    assert!(screen.starts_with("plum xterm-256color\n00"), "{screen}");
    let web = place.session("web");
    assert_eq!((&web["originator"], &web["tags"][0]), (&"autostart".into(), &"desk".into()));
    let log = place.ok(&["daemon", "logs"]);
    assert!(log.contains("no-such-program-at-all") && log.contains("unknown variant `tty`"), "{log}");

    place.ok(&["kill", "web"]);
    place.ok(&["rm", "web", "done"]);
    place.kill_daemon();
    place.start("after", "exit 0");
    place.wait_end("after");
    assert_eq!(names(&place), ["after"]);
}

#[test]
fn d23_a_daemon_killed_in_the_middle_starts_nothing_twice_and_nothing_too_little() {
    let entries: String = ["a", "b", "c"].map(|name| {
        format!("[[autostart]]\nname = \"{name}\"\ncommand = [\"sh\", \"-c\", \"echo {name} >> count; sleep 1000\"]\ncwd = \"PLACE\"\n")
    }).concat();
    let place = Place::new();
    let settings = entries.replace("PLACE", &place.dir().display().to_string());
    std::fs::write(place.dir().join("config.toml"), settings).expect("a file");
    place.arm("mid-autostart");
    let _ = place.run(&["daemon", "start"]);
    wait_until("a daemon died in the middle", || place.has_fired());
    let count = || std::fs::read_to_string(place.dir().join("count")).unwrap_or_default();
    wait_until("all started", || names(&place).len() == 3 && count().lines().count() >= 3);
    let mut lines: Vec<String> = count().lines().map(str::to_owned).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a", "b", "c"]);
    assert!(place.daemon()["restarts"].as_u64() >= Some(1));
}

#[test]
fn d23_a_session_lost_with_its_keeper_does_not_keep_its_successor_from_starting() {
    let place = place_with("[[autostart]]\nname = \"web\"\ncommand = [\"sleep\", \"1000\"]\n");
    place.ok(&["daemon", "start"]);
    wait_until("it runs", || names(&place) == ["web"]);
    let daemon = place.daemon_pid();
    let program = place.session("web")["pid"].as_u64().expect("a pid") as u32;
    crate::support::kill(place.keeper_pid());
    wait_until("the daemon follows its keeper", || !crate::support::lives(daemon));
    if crate::support::lives(program) {
        crate::support::kill(program);
    }
    place.ok(&["daemon", "start"]);
    let now = wait_for("the next one runs", || Some(names(&place)).filter(|names| names.len() == 2));
    assert_eq!(now, ["web", "web-lost"]);
    assert_eq!(place.session("web")["state"], "running");
    assert_eq!(place.session("web-lost")["how"], "lost");
}

#[test]
fn w22_ended_sessions_are_kept_by_number_the_newest_ones() {
    let place = place_with("[sessions]\nkeep_ended = 2\n");
    for name in ["a", "b", "c", "d"] {
        place.start(name, "exit 0");
        place.wait_end(name);
    }
    wait_until("the oldest are forgotten", || names(&place) == ["c", "d"]);
    let daemon = place.daemon();
    assert_eq!((&daemon["ended"], &daemon["keep_ended"]), (&2.into(), &2.into()));
    assert!(place.ok(&["daemon", "status"]).contains("2 kept with"));
}

#[test]
fn w22_ended_sessions_are_kept_by_what_they_hold_and_the_newest_always() {
    let place = place_with("[sessions]\nkeep_ended_bytes = \"1M\"\n");
    let loud = |name: &str, bytes: u32| {
        place.ok(&["run", "-d", "--pipe", "--name", name, "--", "head", "-c", &bytes.to_string(), "/dev/zero"]);
        place.wait_end(name);
    };
    for name in ["a", "b"] {
        loud(name, 1000);
    }
    assert_eq!(names(&place), ["a", "b"]);
    loud("c", 700_000);
    assert_eq!(names(&place), ["a", "b", "c"]);
    loud("d", 700_000);
    wait_until("what does not fit is forgotten", || names(&place) == ["d"]);
    // A running session is no ended one, whatever it holds.
    place.ok(&["run", "-d", "--pipe", "--name", "e", "--", "sh", "-c", "head -c 1500000 /dev/zero; sleep 1000"]);
    loud("f", 2_500_000);
    wait_until("the newest is kept whatever it holds", || names(&place) == ["e", "f"]);
    let daemon = place.daemon();
    assert!(daemon["ended_bytes"].as_u64() > Some(2 << 20), "{daemon}");
    // What was lost with the daemon's memory is counted anew.
    place.kill_daemon();
    assert_eq!(names(&place), ["e", "f"]);
}
