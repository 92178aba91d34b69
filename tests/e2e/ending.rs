//! K7 and the defects of ends: exact, told once, by whom.

use crate::support::Place;
use crate::support::lives;
use crate::support::wait_for;
use crate::support::wait_until;

#[test]
fn w15_w17_codes_and_signals_are_kept_apart_with_how_and_by_whom() {
    let place = Place::new();
    place.start("code", "exit 3");
    place.start("signal", "kill -SEGV $$");
    place.start("stopped", "sleep 1000");
    place.start("killed", "sleep 1000");
    assert_eq!(place.ok(&["stop", "stopped"]), "stopped stopped HUP\n");
    assert_eq!(place.ok(&["kill", "killed"]), "killed killed KILL\n");
    let facts = |name: &str| {
        let s = place.wait_end(name);
        (
            s["code"].as_u64(),
            s["signal"].as_str().map(str::to_owned),
            s["how"].as_str().map(str::to_owned),
            s["by"].is_string(),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(facts("code"), (Some(3), None, some("natural"), false));
    assert_eq!(facts("signal"), (None, some("SEGV"), some("natural"), false));
    assert_eq!(facts("stopped"), (None, some("HUP"), some("stopped"), true));
    assert_eq!(facts("killed"), (None, some("KILL"), some("killed"), true));
    assert!(place.ok(&["ls"]).contains("exited 3"));
}

#[test]
fn w10_k7_an_exit_is_told_at_once_although_a_grandchild_keeps_the_terminal() {
    let place = Place::new();
    place.start("parent", "trap '' HUP; sleep 600 & echo last; exit 7");
    let session = place.wait_end("parent");
    assert_eq!(session["code"], 7);
    assert_eq!(place.ok(&["logs", "--raw", "parent"]), "last\r\n");
    let left = crate::support::inhabitants(place.dir()).into_iter().find(|pid| {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with("sleep"))
    });
    let left = left.expect("a natural end kills nobody");
    place.ok(&["stop", "parent"]);
    wait_until("stopping it afterwards does", || !lives(left));
}

#[test]
fn w32_k7_every_byte_comes_before_the_end() {
    let place = Place::new();
    for n in 0..5 {
        let output = place.run(&["run", "--name", &format!("fast{n}"), "--pipe", "--", "seq", "1", "400000"]);
        assert_eq!(output.status.code(), Some(0));
        let wanted = (1..=400_000).map(|n| n.to_string() + "\n").collect::<String>();
        assert!(output.stdout == wanted.as_bytes(), "{} of {} bytes", output.stdout.len(), wanted.len());
    }
}

#[test]
fn w11_stop_ends_an_interactive_shell_and_its_job() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "sh", "--", "sh", "-i"]);
    place.ok(&[
        "send",
        "sh",
        "sh -c 'trap \"\" TERM HUP INT; echo $$ > $RUNPM_DIR/job; while :; do sleep 0.1; done'",
        "--enter",
    ]);
    let job: u32 =
        wait_for("the job runs", || std::fs::read_to_string(place.dir().join("job")).ok()?.trim().parse().ok());
    place.ok(&["stop", "--grace", "300ms", "sh"]);
    assert!(!lives(job));
}

#[test]
fn w98_shutdown_gives_programs_their_grace_and_leaves_nothing() {
    let place = Place::new();
    let mark = place.dir().join("mark");
    place.start(
        "polite",
        &format!("trap 'echo bye > {}; exit 0' HUP TERM; echo up; while :; do sleep 0.05; done", mark.display()),
    );
    place.wait_screen("polite", "up");
    let pids = [place.keeper_pid(), place.daemon_pid()];
    place.ok(&["shutdown"]);
    assert_eq!(std::fs::read_to_string(mark).ok().as_deref(), Some("bye\n"));
    assert!(pids.iter().all(|pid| !lives(*pid)));
}
