//! A hundred services at once: exact across kills of the daemon, and quiet when nobody looks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::process::Stdio;

use runpm::protocol::verbs;
use runpm::session::service::status::ServiceState;
use runpm::session::service::status::ServiceStatus;
use runpm::session::status::Status;
use serde_json::Value;

use crate::support::Place;
use crate::support::RPM;
use crate::support::kill;
use crate::support::lives;
use crate::support::signal;
use crate::support::wait_for;
use crate::support::wait_idle;
use crate::support::wait_until;

/// Numbered lines in bursts, and a last one when it is told to end.
const WRITER: &str = "exec 2>/dev/null; trap 'echo end; exit' TERM; n=0; while :; do k=0; \
                      while [ $k -lt 20 ]; do n=$((n+1)); k=$((k+1)); echo $n; done; sleep 0.2; done";
/// The same without a pause.
const FLOOD: &str = "trap 'echo end; exit' TERM; n=0; while :; do n=$((n+1)); echo $n; done";
/// Two of it at once write into `bad`.
const CRASHER: &str = "mkdir $RUNPM_SERVICE.lock || echo double >> bad; echo x >> $RUNPM_SERVICE.runs; \
                       rmdir $RUNPM_SERVICE.lock; exit 3";
const ROUNDS: usize = 20;

/// Makes the file of a set and applies it.
fn apply(place: &Place, groups: &[(&str, usize, &str, &str)]) {
    let mut text = format!("[defaults]\nshell = true\ncwd = \"{}\"\n", place.dir().display());
    for (name, count, script, options) in groups {
        for n in 0..*count {
            let _ = writeln!(text, "[services.{name}{n}]\ncommand = '''{script}'''\n{options}");
        }
    }
    let path = place.dir().join("runpm.toml");
    fs::write(&path, text).expect("a file");
    place.ok(&["apply", path.to_str().expect("text")]);
}

fn all(place: &Place) -> BTreeMap<String, Status> {
    let listing = place.connect().call(&verbs::List { targets: Vec::new() }).expect("a list");
    listing.sessions.into_iter().map(|session| (session.name.clone(), session)).collect()
}

fn service(status: &Status) -> &ServiceStatus {
    status.service.as_ref().expect("a service")
}

fn deaths(place: &Place, pattern: &str) -> BTreeMap<String, Vec<Value>> {
    let text = place.ok(&["why", "--json", "-n", "100", pattern]);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let services = document["services"].as_array().expect("a list").iter();
    let name = |service: &Value| service["name"].as_str().expect("a name").to_owned();
    services.map(|service| (name(service), service["deaths"].as_array().expect("a list").clone())).collect()
}

fn daemon_of(keeper: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).unwrap_or_default();
    let is_daemon =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "rpm-daemon\n");
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(is_daemon)
}

/// Kills the daemon; one service ends about then: on even rounds surely while no daemon lives and the keeper sleeps.
fn kill_round(place: &Place, keeper: u32, round: usize, ending: u32) {
    let daemon = wait_for("a daemon", || daemon_of(keeper));
    let is_asleep = round.is_multiple_of(2);
    if is_asleep {
        signal(keeper, "STOP");
        kill(daemon);
    }
    fs::write(place.dir().join(format!("end{round}.gate")), "go\n").expect("it is opened");
    if is_asleep {
        wait_until("it ends", || !lives(ending));
        signal(keeper, "CONT");
    } else {
        kill(daemon);
    }
    let next = wait_for("another daemon", || daemon_of(keeper).filter(|pid| *pid != daemon));
    if round % 7 == 6 {
        // In the middle of taking over.
        kill(next);
    }
}

/// Every line once: 1, 2, 3, … and the last word.
fn check_numbers(name: &str, said: &[u8]) {
    let said = std::str::from_utf8(said).expect("digits");
    let body = said
        .strip_suffix("end\n")
        .unwrap_or_else(|| panic!("{name}: its last word is lost: {:?}", said.lines().last()));
    for (at, line) in body.lines().enumerate() {
        assert!(line.parse() == Ok(at + 1), "{name}: line {} is {line:?}", at + 1);
    }
}

#[test]
fn k1_a_hundred_services_under_load_survive_twenty_daemons_without_a_restart_byte_or_code_lost() {
    let place = Place::new();
    for n in 0..ROUNDS {
        let gate = place.dir().join(format!("end{n}.gate"));
        assert!(Command::new("mkfifo").arg(gate).status().expect("mkfifo runs").success());
    }
    let ender = "read go < $RUNPM_SERVICE.gate; echo bye; exit $((${RUNPM_SERVICE#end} + 1))";
    apply(
        &place,
        &[
            ("quiet", 30, "exec sleep 1000", ""),
            ("writer", 40, WRITER, "stop = { grace = '20s' }"),
            ("flood", 2, FLOOD, "stop = { grace = '20s' }\nlog = { segment = '256K', segments = 1000 }"),
            ("end", ROUNDS, ender, "restart = 'no'"),
            (
                "crash",
                3,
                CRASHER,
                "backoff = { initial = '200ms', cap = '200ms', jitter = 0 }\ncrash_loop = { failures = 1000000 }",
            ),
            ("later", 5, "exit 9", "backoff = { initial = '1h', cap = '1h', jitter = 0 }"),
        ],
    );
    wait_until("who fails has failed", || {
        let is_later = |session: &&Status| service(session).next_start_ms != 0 && session.name.starts_with("later");
        all(&place).values().filter(is_later).count() == 5
    });
    let mut follower = place.command(RPM);
    follower.args(["logs", "--raw", "-f", "-n", "100000000", "flood0"]).stdout(Stdio::piped());
    let follower = follower.spawn().expect("rpm runs");
    let reading = std::thread::spawn(|| follower.wait_with_output().expect("it ends").stdout);
    let before = all(&place);
    assert_eq!(before.len(), 100);

    let keeper = place.keeper_pid();
    for round in 0..ROUNDS {
        kill_round(&place, keeper, round, before[&format!("end{round}")].pid);
        let crashes = service(&all(&place)["crash0"]).restarts;
        wait_until("its timer goes on", || service(&all(&place)["crash0"]).restarts > crashes);
    }

    let after = all(&place);
    assert_eq!(after.len(), 100);
    for (name, then) in before.iter().filter(|(name, _)| !name.starts_with("end") && !name.starts_with("crash")) {
        let (now, was) = (service(&after[name]), service(then));
        assert_eq!((after[name].pid, now.restarts), (then.pid, 0), "{name}");
        assert!(now.next_start_ms.abs_diff(was.next_start_ms) < 1000, "{name}: its pause began anew");
    }
    for (name, deaths) in deaths(&place, "end*") {
        let code: u64 = 1 + name[3..].parse::<u64>().expect("a number");
        assert_eq!(
            (deaths.len(), &deaths[0]["code"], &deaths[0]["why"]),
            (1, &code.into(), &"crashed".into()),
            "{name}"
        );
        assert_eq!(deaths[0]["lines"], serde_json::json!(["bye"]), "{name}");
        assert_eq!(service(&after[&name]).state, ServiceState::Exited, "{name}");
        assert_eq!(place.session(&name)["code"], code, "{name}");
    }

    place.ok(&["stop", "all"]);
    for n in 0..40 {
        let name = format!("writer{n}");
        check_numbers(&name, &place.run(&["logs", "--raw", &name]).stdout);
    }
    let whole = place.run(&["logs", "--raw", "flood0"]).stdout;
    // Who follows a service stays with it until it is gone.
    place.ok(&["delete", "flood0"]);
    let followed = reading.join().expect("a follower");
    check_numbers("the follower", &followed);
    assert!(whole == followed, "who followed read something else");
    check_numbers("flood1", &place.run(&["logs", "--raw", "flood1"]).stdout);
    assert_eq!(place.session("flood1")["journal"]["dropped_bytes"], 0);
    check_crashers(&place);
}

/// Each run once, each death once.
fn check_crashers(place: &Place) {
    assert!(!place.dir().join("bad").exists(), "two of one at once");
    for (name, deaths) in deaths(place, "crash*") {
        let runs = fs::read_to_string(place.dir().join(format!("{name}.runs"))).expect("runs").lines().count() as u64;
        let numbers: Vec<u64> = deaths.iter().filter_map(|death| death["number"].as_u64()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{name}: {numbers:?}");
        let last = *numbers.last().expect("a death");
        assert!(deaths.iter().all(|death| death["code"] == 3 || death["why"] == "stop"), "{name}: {deaths:?}");
        // The stop may have come before the last run wrote, or in a pause.
        assert!(runs == last || runs + 1 == last, "{name}: {runs} runs, {last} deaths");
    }
}

#[test]
fn k11_a_hundred_healthy_services_wake_neither_keeper_nor_daemon() {
    let place = Place::new();
    apply(&place, &[("s", 100, "echo up; exec sleep 1000", "readiness = { log = '^up$' }")]);
    wait_until("all are ready", || {
        let sessions = all(&place);
        sessions.len() == 100 && sessions.values().all(|session| service(session).state == ServiceState::Ready)
    });
    wait_idle(&[place.keeper_pid(), place.daemon_pid()]);
}
