//! Many sessions at once: who is selected, what became of each, what the exit code says.

use std::time::Duration;
use std::time::Instant;

use crate::support::Place;
use crate::support::wait_until;

#[test]
fn k8_a_hundred_sessions_are_stopped_at_once_and_not_one_after_another() {
    let place = Place::new();
    for n in 0..100 {
        let script =
            if n % 10 == 0 { "trap '' HUP TERM; echo up; while :; do sleep 1000; done" } else { "echo up; read x" };
        place.start(&format!("s{n}"), script);
    }
    for n in (0..100).step_by(10) {
        place.wait_screen(&format!("s{n}"), "up");
    }
    let start = Instant::now();
    let told = place.ok(&["stop", "all", "--grace", "500ms"]);
    let took = start.elapsed();
    assert_eq!(told.lines().count(), 100);
    assert_eq!(told.lines().filter(|line| line.ends_with("killed KILL")).count(), 10, "{told}");
    assert!(took < Duration::from_millis(4500), "one after another they take five seconds: {took:?}");
    // All that is selected has ended: nothing to do is no error.
    let again = place.run(&["stop", "all"]);
    assert!(again.status.success() && again.stdout.is_empty());
}

#[test]
fn bulk_ends_and_forgets_what_is_selected_by_age_tag_glob_and_tool() {
    let place = Place::new();
    let run = |name: &str, more: &[&str], script: &str| {
        let mut args = vec!["run", "-d", "--name", name];
        args.extend(more);
        args.extend(["--", "sh", "-c", script]);
        place.ok(&args);
    };
    run("old", &["--tag", "t"], "sleep 1000");
    run("gone", &["--originator", "ci:7"], "exit 3");
    place.wait_end("gone");
    wait_until("they are a second old", || place.ok(&["ls", "old"]).contains("1s"));
    run("web-1", &["--originator", "ci:7"], "sleep 1000");
    run("web-2", &[], "sleep 1000");

    // Ages count from the start for a stop; what has ended is left out.
    assert_eq!(place.ok(&["stop", "all", "--older-than", "1s"]), "old stopped HUP\n");
    assert_eq!(place.ok(&["stop", "@t", "--older-than", "0s"]), "");
    assert_eq!(place.ok(&["kill", "web*", "--originator", "ci"]), "web-1 killed KILL\n");
    // A name is meant, whatever its state.
    assert_eq!(place.ok(&["stop", "gone"]), "gone exited 3\n");

    // From the end for rm: `old` ended just now.
    let removed = place.run(&["rm", "all", "--older-than", "1s"]);
    assert_eq!(String::from_utf8_lossy(&removed.stdout), "gone exited 3\n");
    assert_eq!(removed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&removed.stderr).contains("1 session has not ended and was left alone"));
    let (code, said) = place.fails(&["rm", "web-2", "old"]);
    assert!(code == 1 && said.contains("web-2 is running"), "{said}");
    assert_eq!(place.ok(&["purge", "--originator", "ci"]), "web-1 killed KILL\n");
    assert_eq!(place.ok(&["purge"]), "");
    assert_eq!(place.ok(&["ls"]).lines().count(), 2);
}

#[test]
fn bulk_bad_selections_are_refused() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    for (args, code) in [
        (&["stop"][..], 2),
        (&["rm"], 2),
        (&["stop", "nobody"], 66),
        (&["stop", "all", "--older-than", "-1s"], 2),
        (&["stop", "all", "--older-than", "5"], 2),
        (&["purge", "--older-than", "9999999999999999999999d"], 2),
        (&["stop", "a", "--grace", "99999d"], 2),
    ] {
        assert_eq!(place.fails(args).0, code, "{args:?}");
    }
    assert_eq!(place.session("a")["state"], "running");
}
