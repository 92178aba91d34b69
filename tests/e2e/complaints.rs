//! What users of other managers complain of, and weaknesses that were measured there: each with its number.

use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::support::Place;
use crate::support::lives;
use crate::support::wait_until;

fn pid(place: &Place, name: &str) -> u32 {
    place.session(name)["pid"].as_u64().expect("a pid") as u32
}

#[test]
fn r5_w63_last_words_are_kept_whatever_comes_next() {
    let place = Place::new();
    place.start_service(
        "web",
        &["--restart-delay", "0"],
        "seq 1 20000; echo bye $RUNPM_SERVICE; [ -e stay ] && exec sleep 1000; touch stay; exit 3",
    );
    wait_until("its second run is through", || {
        place.ok(&["logs", "--raw", "-n", "1", "web"]) == "bye web\n" && place.service("web")["restarts"] == 1
    });
    let one = (1..=20_000).map(|n| format!("{n}\n")).collect::<String>() + "bye web\n";
    wait_until("both runs are whole", || place.ok(&["logs", "--raw", "web"]) == format!("{one}{one}"));
}

#[test]
fn r11_w54_stopping_many_that_will_not_end_takes_one_grace_and_not_one_each() {
    let place = Place::new();
    let text: String = (0..20)
        .map(|n| {
            format!("[services.s{n}]\ncommand = [\"sh\", \"-c\", \"trap '' TERM; echo up; while :; do sleep 1; done\"]\nreadiness = {{ log = \"^up$\" }}\nstop = {{ grace = \"1500ms\" }}\n")
        })
        .collect();
    let path = place.dir().join("runpm.toml");
    std::fs::write(&path, text).expect("a file");
    place.ok(&["apply", path.to_str().expect("text"), "--wait"]);
    let began = Instant::now();
    place.run(&["stop", "all"]);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1400), "they had no grace: {took:?}");
    assert!(took < Duration::from_secs(15), "one after another they take 30 s: {took:?}");
    assert!((0..20).all(|n| place.service(&format!("s{n}"))["state"] == "stopped"));
}

#[test]
fn w51_one_that_backs_off_is_shown_so_with_its_next_start_and_without_a_process() {
    let place = Place::new();
    place.start_service("web", &["--restart-delay", "600000"], "exit 9");
    wait_until("it backs off", || place.service("web")["state"] == "backoff");
    let session = place.session("web");
    assert!(session["service"]["next_start"].is_string() && session["service"]["up_since"].is_null(), "{session}");
    assert_eq!(session["service"]["wanted"], "up");
    assert!(!lives(pid(&place, "web")));
    let listing = place.ok(&["ls"]);
    assert!(listing.contains("backoff") && listing.contains("try 2 in"), "{listing}");
}

#[test]
fn w59_logs_without_a_name_tell_what_all_services_said() {
    let place = Place::new();
    for name in ["one", "two", "three"] {
        place.start_service(name, &["--no-autorestart"], "echo I am $RUNPM_SERVICE");
    }
    wait_until("all are told", || {
        let said = place.ok(&["logs"]);
        ["one", "two", "three"].iter().all(|name| said.contains(&format!("I am {name}")))
    });
}

#[test]
fn complaint4_nothing_has_to_be_saved_and_what_was_deleted_does_not_return() {
    let place = Place::new();
    place.start_service("kept", &[], "exec sleep 1000");
    place.ok(&["save"]);
    place.start_service("late", &[], "exec sleep 1000");
    place.start_service("gone", &[], "exec sleep 1000");
    place.ok(&["delete", "gone"]);
    let before = [pid(&place, "kept"), pid(&place, "late")];
    place.cut_power();
    place.ok(&["resurrect"]);
    for (name, before) in ["kept", "late"].iter().zip(before) {
        wait_until(&format!("{name} is up"), || place.service(name)["state"] == "up");
        assert_ne!(pid(&place, name), before);
    }
    assert_eq!(place.fails(&["ls", "gone"]).0, 66);
}

#[test]
fn complaint10_a_service_gets_its_starters_variables_and_three_of_ours() {
    let place = Place::new();
    place.start_service("other", &["--env", "OTHERS=1"], "exec sleep 1000");
    place.start_service("web", &["--env", "MINE=1"], "exec sleep 1000");
    let names = |bytes: &[u8]| -> Vec<String> {
        let entries = bytes.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok());
        entries.filter_map(|entry| Some(entry.split_once('=')?.0.to_owned())).collect()
    };
    wait_until("it is the program", || {
        std::fs::read(format!("/proc/{}/cmdline", pid(&place, "web"))).is_ok_and(|line| line.starts_with(b"sleep"))
    });
    let has = names(&std::fs::read(format!("/proc/{}/environ", pid(&place, "web"))).expect("it lives"));
    let starter = place.command("env").arg("-0").output().expect("env runs").stdout;
    let mut known = names(&starter);
    known.extend(["MINE", "RUNPM_SESSION", "RUNPM_SERVICE", "RUNPM_INSTANCE"].map(str::to_owned));
    // A shell was on the way.
    known.extend(["PWD", "OLDPWD", "SHLVL", "_"].map(str::to_owned));
    let strange: Vec<&String> = has.iter().filter(|name| !known.contains(name)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(has.iter().any(|name| name == "MINE") && has.iter().any(|name| name == "PATH"));
}

#[test]
fn complaint25_what_is_asked_as_json_is_json_from_the_first_byte_to_the_last() {
    let place = Place::new();
    let parse = |args: &[&str]| {
        let text = place.ok(args);
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{args:?}: {text}");
    };
    // The very first command starts the daemon, and says so to nobody.
    parse(&["ls", "--json"]);
    place.start_service("web", &["--restart-delay", "600000"], "echo said; echo also >&2; exit 1");
    wait_until("it backs off", || place.service("web")["state"] == "backoff");
    for args in [&["ls", "--json"][..], &["describe", "web", "--json"], &["why", "web", "--json"]] {
        parse(args);
    }
    for line in place.ok(&["logs", "web", "--json"]).lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn complaint28_a_service_that_asks_at_its_terminal_can_be_attached_to_and_answered() {
    let place = Place::new();
    let script = "test -t 0 && printf 'password: '; read x; echo got $x; exec sleep 1000";
    place.ok(&["start", "--name", "web", "--pty", "--", "sh", "-c", script]);
    let before = pid(&place, "web");
    let mut terminal = place.terminal(&["attach", "web"]);
    terminal.wait_text("password:");
    terminal.type_in("swordfish\r");
    terminal.wait_text("got swordfish");
    terminal.type_in("\x02d");
    assert_eq!(terminal.wait_exit(), 0);
    assert_eq!((pid(&place, "web"), place.service("web")["state"].as_str()), (before, Some("up")));
}
