//! K8: a stop ends the whole tree and proves it.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use crate::support;
use crate::support::Place;
use crate::support::inhabitants;
use crate::support::lives;
use crate::support::wait_for;
use crate::support::wait_until;

/// A duration for `sleep` that nothing else on the machine uses: names a tree's processes without their environment.
pub fn marker(place: &Place, n: usize) -> String {
    let digits: String = place.dir().to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    format!("1000.{digits}{n:03}")
}

/// Living processes that sleep with the marker.
pub fn sleepers(marker: &str) -> Vec<u32> {
    let wanted = format!("sleep\0{marker}\0");
    let is_one = |pid: &u32| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == wanted.as_bytes());
    marked(marker).into_iter().filter(is_one).collect()
}

/// Living processes whose command line has the marker.
pub fn marked(marker: &str) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has_it = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        *pid != std::process::id() && String::from_utf8_lossy(&line).contains(marker) && lives(*pid)
    };
    pids.filter(has_it).collect()
}

/// Everything that does not want to die: ignored signals, own sessions, double forks, jobs, an environment without our
/// tag or anything else of ours, and many.
fn hostile(marker: &str, forks: usize) -> String {
    format!(
        "trap '' TERM HUP INT
         setsid sh -c 'trap \"\" TERM HUP; while :; do sleep {marker}; done' &
         (setsid sh -c '(trap \"\" TERM HUP; sleep {marker}; sleep {marker}) &' &)
         sh -c 'set -m; sleep {marker} & sleep {marker} & trap \"\" TERM HUP; wait; sleep {marker}' &
         (env -i setsid sh -c 'trap \"\" HUP TERM; sleep {marker}; sleep {marker}' &)
         sh -c 'env -i setsid sh -c \"trap \\\"\\\" HUP TERM; sleep {marker}; sleep {marker}\" </dev/null >/dev/null 2>&1 & wait' &
         (env -i setsid sh -c '(trap \"\" HUP TERM; sleep {marker}; sleep {marker}) &' </dev/null >/dev/null 2>&1 &)
         i=0; while [ $i -lt {forks} ]; do (setsid sleep {marker} &); i=$((i+1)); done
         echo ready; while :; do sleep {marker}; done"
    )
}

/// Every fifth tree is a large one.
const fn forks(round: usize, n: usize) -> usize {
    if (round * 2 + n).is_multiple_of(5) { 200 } else { 20 }
}

fn nobody_but_ours(place: &Place) -> bool {
    let own = [place.keeper_pid(), place.daemon_pid()];
    inhabitants(place.dir()).iter().all(|pid| own.contains(pid))
}

#[test]
fn k8_fifty_hostile_trees_are_ended_and_nobody_is_left() {
    let place = Place::new();
    for round in 0..25 {
        let names: Vec<String> = (0..2).map(|n| format!("tree-{round}-{n}")).collect();
        let markers: Vec<String> = (0..2).map(|n| marker(&place, round * 2 + n)).collect();
        for (n, (name, marker)) in names.iter().zip(&markers).enumerate() {
            let script = hostile(marker, forks(round, n));
            let kind = if (round + n) % 3 == 0 { "--pipe" } else { "--pty" };
            place.ok(&["run", "-d", "--name", name, kind, "--", "sh", "-c", &script]);
        }
        for (n, name) in names.iter().enumerate() {
            let forks = forks(round, n);
            wait_until("the tree stands", || {
                place.ok(&["logs", name]).contains("ready") && sleepers(&markers[n]).len() >= forks + 8
            });
        }
        std::thread::scope(|scope| {
            for name in &names {
                let place = &place;
                scope.spawn(move || {
                    let start = Instant::now();
                    place.ok(&["stop", "--grace", "100ms", name]);
                    let took = start.elapsed();
                    // Ten times what is promised; what it takes, a benchmark tells.
                    assert!(took < Duration::from_secs(11), "{name} took {took:?}");
                });
            }
        });
        for marker in &markers {
            assert_eq!(marked(marker), [0_u32; 0], "of {marker}");
        }
        assert!(nobody_but_ours(&place));
    }
    let keeper = place.keeper_pid();
    let children = || std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).unwrap_or_default();
    wait_until("all orphans are reaped", || children().split_whitespace().count() == 1);
}

#[test]
fn k8_what_forks_and_exits_faster_than_it_can_be_looked_at_is_ended() {
    let place = Place::new();
    // Thirty thousand generations, should nothing end it.
    place.start("chain", "trap '' HUP TERM; f() { [ $1 -lt 30000 ] && f $(($1 + 1)) & }; f 0; echo up; sleep 1000");
    place.wait_screen("chain", "up");
    let start = Instant::now();
    place.ok(&["stop", "--grace", "100ms", "chain"]);
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
    assert!(nobody_but_ours(&place));
}

#[test]
fn k8_an_escapee_is_remembered_by_its_ancestry_also_by_the_next_daemon() {
    let place = Place::new();
    let marker = marker(&place, 0);
    // No tag, no terminal, a session of its own; its parent leaves at the first signal.
    let script = format!(
        "env -i setsid sh -c 'trap \"\" HUP TERM; sleep {marker}; sleep {marker}' </dev/null >/dev/null 2>&1 & echo up; wait"
    );
    place.start("a", &script);
    place.wait_screen("a", "up");
    wait_until("it runs", || sleepers(&marker).len() == 1);
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| place.ok(&["stop", "--grace", "60s", "a"]));
        // The shells leave politely; who ignores it is left to the deadline.
        let leader = place.session("a")["pid"].as_u64().expect("a pid") as u32;
        wait_until("the parent is gone", || !lives(leader));
        assert_eq!(place.session("a")["state"], "stopping");
        place.kill_daemon();
        assert!(!marked(&marker).is_empty());
        // A second stop escalates.
        place.ok(&["stop", "a"]);
        stop.join().expect("stopped");
    });
    assert_eq!(marked(&marker), [0_u32; 0]);
}

#[test]
fn k7_a_natural_end_kills_nobody_and_names_who_is_left() {
    let place = Place::new();
    let marker = marker(&place, 0);
    place.start("a", &format!("setsid sleep {marker} & while [ ! -e $RUNPM_DIR/go ]; do sleep 0.01; done; exit 3"));
    wait_until("it runs", || sleepers(&marker).len() == 1);
    std::fs::write(place.dir().join("go"), "").expect("a file");
    let end = place.wait_end("a");
    let left = sleepers(&marker);
    assert_eq!((end["code"].as_u64(), end["how"].as_str()), (Some(3), Some("natural")));
    assert_eq!(end["left"], serde_json::json!(left));
    assert_eq!(left.len(), 1);
    support::kill(left[0]);
}

#[test]
fn w12_a_second_stop_escalates_and_says_what_is_going_on_meanwhile() {
    let place = Place::new();
    place.start("stubborn", "trap '' HUP TERM; echo up; while :; do sleep 0.1; done");
    place.wait_screen("stubborn", "up");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| place.ok(&["stop", "--grace", "1h", "stubborn"]));
        wait_until("it is stopping", || place.session("stubborn")["state"] == "stopping");
        let listing = place.ok(&["ls"]);
        assert!(listing.contains("stopping, killed in 3"), "{listing}");
        assert!(place.session("stubborn")["killed_at"].is_string());
        assert_eq!(place.ok(&["stop", "stubborn"]), "stubborn killed KILL\n");
        assert_eq!(first.join().expect("ended"), "stubborn killed KILL\n");
    });
}

/// A control group that a keeper may divide, as a service manager would delegate it; removed when dropped.
struct Delegated(PathBuf);

impl Delegated {
    fn new(place: &Place) -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
        let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/").map(str::to_owned))?;
        let path = Path::new(line.split(' ').nth(4)?).join(own).join(place.dir().file_name()?);
        std::fs::create_dir(&path).ok()?;
        let group = Self(path);
        group.0.join("cgroup.kill").exists().then_some(group)
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while std::fs::remove_dir(&self.0).is_err() && self.0.exists() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

#[test]
fn k8_a_control_group_knows_who_bears_no_other_mark() {
    let place = Place::new();
    let Some(group) = Delegated::new(&place) else {
        return support::skip("no version 2 control group can be made here");
    };
    let marker = marker(&place, 0);
    let enter = format!("echo 0 > {}/cgroup.procs; exec \"$@\"", group.0.display());
    let output = place.command("sh").args(["-c", &enter, "sh", support::RPM, "daemon", "start"]).output();
    assert!(output.expect("sh runs").status.success());
    let doctor = place.run(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains("a control group of its own"), "{doctor}");

    // Its parents are gone before anybody looks; no tag, no terminal, a session of its own, a limit of its own.
    let escape = format!("(env -i setsid prlimit --rttime=1000000 sleep {marker} </dev/null >/dev/null 2>&1 &)");
    place.start("a", &format!("{escape}; echo up; sleep 1000"));
    place.start("b", &format!("{escape}; echo up; sleep 1000"));
    for name in ["a", "b"] {
        place.wait_screen(name, "up");
    }
    wait_until("both run", || sleepers(&marker).len() == 2);
    place.ok(&["stop", "--grace", "100ms", "a"]);
    assert_eq!(sleepers(&marker).len(), 1, "the other session's lives on");
    place.kill_daemon();
    place.ok(&["kill", "b"]);
    assert_eq!(marked(&marker), [0_u32; 0]);
    place.ok(&["rm", "a"]);
    let groups = || std::fs::read_dir(&group.0).expect("the group").flatten().filter(|e| e.path().is_dir()).count();
    assert_eq!(groups(), 1);
    place.ok(&["shutdown"]);
    let empty = wait_for("our part of it is removed", || (groups() == 0).then_some(true));
    assert!(empty);
}
