//! Services: supervised through real crashes, kills of the daemon and of everything.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Place;
use crate::support::kill;
use crate::support::lives;
use crate::support::wait_for;
use crate::support::wait_until;

/// Two of it at once, or one beside what an earlier one left, write into `bad`.
const SINGLE: &str = "mkdir lock || echo double >> bad; echo x >> runs; sleep 0.03; rmdir lock; exit 3";

fn state(place: &Place, name: &str) -> String {
    place.service(name)["state"].as_str().unwrap_or_default().to_owned()
}

fn restarts(place: &Place, name: &str) -> u64 {
    place.service(name)["restarts"].as_u64().unwrap_or_default()
}

fn pid(place: &Place, name: &str) -> u32 {
    place.session(name)["pid"].as_u64().expect("a pid") as u32
}

fn deaths(place: &Place, name: &str) -> Vec<Value> {
    let text = place.ok(&["why", "--json", "-n", "100", name]);
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    match document["services"][0]["deaths"].take() {
        Value::Array(deaths) => deaths,
        other => panic!("{other}"),
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// Waits until a service that crashes as fast as others has been started so many times more.
fn wait_restarts(place: &Place, name: &str, more: u64) {
    let wanted = restarts(place, name) + more;
    wait_until("it is started again", || restarts(place, name) >= wanted);
}

#[test]
fn w48_w49_r2_a_stop_and_a_delete_during_backoff_are_final() {
    let place = Place::new();
    for name in ["stopped", "deleted", "clock"] {
        place.start_service(name, &["--restart-delay", "150"], &format!("echo x >> {name}; exit 1"));
    }
    let runs = |name: &str| lines(&place.dir().join(name));
    for (verb, name) in [("stop", "stopped"), ("delete", "deleted")] {
        wait_until("it backs off", || state(&place, name) == "backoff");
        place.ok(&[verb, name]);
    }
    let before = (runs("stopped"), runs("deleted"));
    wait_restarts(&place, "clock", 3);

    assert_eq!((runs("stopped"), runs("deleted")), before);
    assert_eq!(state(&place, "stopped"), "stopped");
    assert_eq!(place.fails(&["ls", "deleted"]).0, 66);
}

#[test]
fn k1_services_outlive_daemons_with_the_same_processes_and_without_second_copies() {
    let place = Place::new();
    for n in 0..8 {
        place.start_service(&format!("quiet{n}"), &[], "exec sleep 1000");
    }
    place.start_service("chatty", &[], "i=0; while :; do echo line $i; i=$((i+1)); done");
    place.start_service("loop", &["--restart-delay", "20"], SINGLE);
    let pids = || (0..8).map(|n| pid(&place, &format!("quiet{n}"))).collect::<Vec<_>>();
    let before = (pids(), pid(&place, "chatty"));
    for _ in 0..6 {
        wait_restarts(&place, "loop", 2);
        place.kill_daemon();
    }
    assert_eq!((pids(), pid(&place, "chatty")), before);
    assert_eq!(restarts(&place, "chatty"), 0);
    place.ok(&["stop", "all"]);
    assert_eq!(lines(&place.dir().join("bad")), 0, "two of one at once");

    let deaths = deaths(&place, "loop");
    let runs = lines(&place.dir().join("runs"));
    let crashes = deaths.iter().filter(|death| death["why"] == "crashed").count();
    assert!(deaths.iter().filter(|death| death["why"] == "crashed").all(|death| death["code"] == 3), "{deaths:?}");
    assert!(runs - crashes <= 1 || deaths.len() == 100, "{runs} runs, {crashes} crashes: an exit code was lost");

    let said = place.ok(&["logs", "--raw", "chatty"]);
    let numbers: Vec<u64> = said.lines().skip(1).filter_map(|line| line.strip_prefix("line ")?.parse().ok()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "a line was lost or doubled");
}

#[test]
fn k1_a_daemon_that_dies_at_any_point_of_a_start_is_followed_by_one_that_starts_it_once() {
    for failpoint in ["service-starting", "service-spawned"] {
        let place = Place::new();
        place.start_service("loop", &["--restart-delay", "50"], SINGLE);
        for _ in 0..3 {
            wait_restarts(&place, "loop", 1);
            place.arm(failpoint);
            wait_until("a daemon died", || place.has_fired());
        }
        wait_restarts(&place, "loop", 2);
        place.ok(&["stop", "loop"]);
        assert_eq!(lines(&place.dir().join("bad")), 0, "{failpoint}");
        let runs = lines(&place.dir().join("runs")) as u64;
        let counted = restarts(&place, "loop") + 1;
        assert!(runs == counted || runs + 1 == counted, "{failpoint}: {runs} runs, {counted} counted");
    }
}

#[test]
fn complaint7_what_a_crash_leaves_behind_is_ended_before_the_next_run() {
    let place = Place::new();
    let script = "[ -f pid ] && kill -0 $(cat pid) 2>/dev/null && echo alive >> bad
        setsid sleep 1000 & echo $! > pid; echo $! >> pids; exit 1";
    place.start_service("web", &["--restart-delay", "10"], script);
    wait_restarts(&place, "web", 5);
    place.ok(&["stop", "web"]);

    assert_eq!(lines(&place.dir().join("bad")), 0, "two held the same port");
    let pids = std::fs::read_to_string(place.dir().join("pids")).expect("pids");
    for pid in pids.lines().map(|line| line.parse().expect("a number")) {
        assert!(!lives(pid), "{pid} is left");
    }
}

#[test]
fn k6_w60_followers_and_tees_go_on_over_restarts_and_daemons() {
    let place = Place::new();
    place.start_service("web", &["--restart-delay", "20"], "echo run $$; exit 1");
    let copy = place.dir().join("copy");
    place.ok(&["tee", "web", "--from", "start", "--to", copy.to_str().expect("text")]);
    let mut follow = place.command(crate::support::RPM);
    follow.args(["logs", "-f", "--raw", "-n", "10000", "web"]).stdout(Stdio::piped());
    let mut follower = follow.spawn().expect("it runs");
    let mut heard = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    let mut said = Vec::new();
    for round in 0..12 {
        said.push(heard.next().expect("it goes on").expect("text"));
        if round == 6 {
            place.kill_daemon();
        }
    }
    kill(follower.id());
    let _ = follower.wait();

    place.ok(&["stop", "web"]);
    let all = place.ok(&["logs", "--raw", "web"]);
    let all: Vec<&str> = all.lines().collect();
    assert_eq!(said, all[..said.len()]);
    wait_until("the copy is whole", || lines(&copy) == all.len());
}

#[test]
fn r8_w64_what_was_wanted_comes_back_after_the_end_of_everything() {
    let mut place = Place::new();
    for name in ["up", "down"] {
        place.start_service(name, &[], "exec sleep 1000");
    }
    place.ok(&["stop", "down"]);
    let processes = [place.keeper_pid(), place.daemon_pid(), pid(&place, "up")];

    // As a power cut ends them: all at once, without a word.
    processes.into_iter().for_each(kill);
    wait_until("all are gone", || !processes.into_iter().any(lives));
    let up = wait_for("it is started again", || Some(pid(&place, "up")).filter(|pid| *pid != 0));
    assert!(lives(up));
    assert_eq!(state(&place, "down"), "stopped");
    assert_eq!(deaths(&place, "up").last().expect("a death")["why"], "lost");

    // A clean end is one that somebody wanted: nothing comes back before it is asked for.
    place.ok(&["shutdown"]);
    assert_eq!((state(&place, "up"), place.service("up")["wanted"].take()), ("stopped".into(), "up".into()));
    place.ok(&["resurrect"]);
    assert_eq!((state(&place, "up"), state(&place, "down")), ("up".into(), "stopped".into()));
    place.is_abandoned = false;
}

#[test]
fn w65_snapshots_restore_what_was_deleted_and_leave_what_is_there() {
    let place = Place::new();
    place.start_service("a", &[], "exec sleep 1000");
    place.start_service("b", &[], "exec sleep 1000");
    place.ok(&["save", "monday"]);
    place.ok(&["delete", "b"]);
    let a = pid(&place, "a");

    place.ok(&["resurrect", "monday"]);

    assert_eq!((pid(&place, "a"), state(&place, "b")), (a, "up".into()));
    assert!(place.fails(&["resurrect", "tuesday"]).1.contains("tuesday"));
}

#[test]
fn w52_w53_r4_a_service_has_its_starters_environment_and_directory() {
    let place = Place::new();
    let cwd = place.dir().display().to_string();
    let script = "echo $FOO-$HOME-$RUNPM_SERVICE-$RUNPM_INSTANCE-$(pwd)";
    place.start_service("env", &["--env", "FOO=1", "--no-autorestart"], script);
    wait_until("it ends", || state(&place, "env") == "exited");
    let home = std::env::var("HOME").unwrap_or_default();
    assert_eq!(place.ok(&["logs", "--raw", "env"]), format!("1-{home}-env-0-{cwd}\n"));
}

#[test]
fn w55_w57_why_tells_code_signal_cause_and_last_words() {
    let place = Place::new();
    place.start_service("once", &["--no-autorestart"], "echo first; echo last words; exit 7");
    place.start_service("web", &[], "exec sleep 1000");
    wait_until("it ends", || state(&place, "once") == "exited");
    place.ok(&["restart", "web"]);
    kill(pid(&place, "web"));
    wait_until("it is started again", || restarts(&place, "web") == 2 && state(&place, "web") == "up");
    place.ok(&["stop", "web"]);

    let once = deaths(&place, "once");
    assert_eq!((once.len(), &once[0]["code"], &once[0]["why"]), (1, &7.into(), &"crashed".into()));
    assert_eq!(once[0]["lines"], serde_json::json!(["first", "last words"]));
    let web = deaths(&place, "web");
    let told = web.iter().map(|death| format!("{} {}", death["why"], death["signal"])).collect::<Vec<_>>();
    assert_eq!(told, ["\"restart\" \"TERM\"", "\"crashed\" \"KILL\"", "\"stop\" \"TERM\""]);
    assert!(web[0]["by"].as_str().expect("who").contains("ann"));
    assert!(place.ok(&["why", "once"]).contains("last words"));
}

#[test]
fn w67_a_command_that_cannot_be_started_is_told_at_once_and_leaves_nothing() {
    let place = Place::new();
    let (code, said) = place.fails(&["start", "--name", "typo", "--", "no-such-command"]);
    assert_eq!(code, 127);
    assert!(said.contains("command not found"), "{said}");
    assert_eq!(place.fails(&["ls", "typo"]).0, 66);
}

#[test]
fn complaint26_restarts_at_once_make_no_second_copy() {
    let place = Place::new();
    place.start_service(
        "web",
        &[],
        "trap 'rmdir lock; exit 0' TERM; mkdir lock || echo double >> bad; while :; do sleep 0.01; done",
    );
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| place.ok(&["restart", "web"]));
        }
    });
    wait_until("it is up", || state(&place, "web") == "up");
    place.ok(&["stop", "web"]);
    assert_eq!(lines(&place.dir().join("bad")), 0);
}

#[test]
fn r1_w50_a_healthy_service_is_started_again_at_once_beside_fifty_that_crash() {
    let place = Place::new();
    for n in 0..50 {
        place.ok(&["start", "--name", &format!("bad{n}"), "--restart-delay", "100", "--", "false"]);
    }
    place.ok(&["start", "--name", "good", "--restart-delay", "0", "--", "sleep", "1000"]);
    let before = pid(&place, "good");
    let began = std::time::Instant::now();
    kill(before);
    wait_until("it is up again", || pid(&place, "good") != before && state(&place, "good") == "up");
    // Far below any pause of the others; how fast it really is, a benchmark tells.
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}
