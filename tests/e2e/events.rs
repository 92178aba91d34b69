//! W47: a subscription delivers what it promises, everything in order and once, or the exact number of what was missed.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Instant;

use runpm::client::blocking::Incoming;
use runpm::protocol::verbs;
use serde_json::Value;

use crate::support::LONG;
use crate::support::Place;
use crate::support::RPM;
use crate::support::signal;
use crate::support::wait_until;

/// `rpm events --json` at work.
struct Listener {
    child: Child,
    lines: mpsc::Receiver<Value>,
    seen: Vec<Value>,
}

impl Listener {
    fn new(place: &Place, args: &[&str]) -> Self {
        let before = place.daemon()["clients"].as_u64().expect("a number");
        let mut command = place.command(RPM);
        command.args(["events", "--json"]).args(args).stdout(Stdio::piped());
        let mut child = command.spawn().expect("rpm runs");
        let (lines_tx, lines) = mpsc::channel();
        let stdout: ChildStdout = child.stdout.take().expect("a pipe");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let mut document: Value = serde_json::from_str(&line).expect("a document a line");
                assert_eq!(document["version"], 1);
                let _ = lines_tx.send(document["event"].take());
            }
        });
        wait_until("the listener is connected", || place.daemon()["clients"].as_u64() > Some(before));
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for the next event of a kind; what comes before it is kept as seen.
    fn next(&mut self, what: &str) -> Value {
        let deadline = Instant::now() + LONG;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.lines.recv_timeout(left);
            let event = event.unwrap_or_else(|_| panic!("no {what} came; there were {:#?}", self.seen));
            self.seen.push(event.clone());
            if event["what"] == what {
                return event;
            }
        }
    }

    fn end(mut self) -> Vec<Value> {
        signal(self.child.id(), "INT");
        assert_eq!(self.child.wait().expect("a child").code(), Some(0));
        self.seen.extend(self.lines.iter());
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn e11_the_whole_life_of_a_session_is_told_in_order() {
    let place = Place::new();
    place.start("other", "sleep 1000");
    let mut all = Listener::new(&place, &[]);
    let mut ends = Listener::new(&place, &["--kind", "ended", "--kind", "removed", "li*"]);

    let script =
        r"stty -echo; while read line; do printf '\033]0;title %s\007\007\033]777;notify;Head;Body\007' $line; done";
    place.start("life", script);
    assert_eq!(all.next("started")["name"], "life");
    let mut first = place.terminal(&["attach", "life"]);
    let attached = all.next("attached");
    assert_eq!((&attached["controls"], &attached["raw"]), (&true.into(), &true.into()));
    place.ok(&["send", "life", "x", "--enter"]);
    assert_eq!(all.next("sent")["bytes"], 2);
    assert_eq!(all.next("title")["title"], "title x");
    all.next("bell");
    let note = all.next("notification");
    assert_eq!((&note["title"], &note["body"]), (&"Head".into(), &"Body".into()));

    let mut second = place.terminal_of(30, 100, &["attach", "--steal", "life"]);
    let stolen = all.next("stolen");
    assert!(stolen["by"].as_str().is_some_and(|by| by.contains("ann")), "{stolen}");
    assert_eq!(first.wait_exit(), 90);
    let resized = all.next("resized");
    assert_eq!((&resized["rows"], &resized["cols"]), (&30.into(), &100.into()));
    second.type_in("\x02d");
    assert_eq!(second.wait_exit(), 0);
    all.next("detached");
    place.ok(&["stop", "life"]);
    all.next("stopping");
    assert_eq!(all.next("ended")["end"]["how"], "stopped");
    place.ok(&["rm", "life"]);
    all.next("removed");
    place.ok(&["kill", "other"]);
    all.next("ended");

    ends.next("removed");
    let kinds: Vec<Value> = ends.end().iter().map(|event| event["what"].clone()).collect();
    assert_eq!(kinds, ["ended", "removed"], "of this session and these kinds only");
    let all = all.end();
    let seqs: Vec<u64> = all.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
    for (what, count) in [("started", 1), ("attached", 2), ("detached", 2), ("stolen", 1), ("bell", 1), ("ended", 2)] {
        assert_eq!(all.iter().filter(|event| event["what"] == what).count(), count, "{what} in {all:#?}");
    }
    // Whoever comes later may have what is kept.
    let mut late = Listener::new(&place, &["--since", "0", "--kind", "stolen"]);
    late.next("stolen");
}

#[test]
fn w47_k4_a_subscriber_that_reads_late_gets_every_event_or_their_exact_number() {
    let place = Place::new();
    let notes = r#"BEGIN { for (i = 1; i <= 30000; i++) printf "\033]9;note number %08d\007", i; print "over" }"#;
    place.ok(&["run", "-d", "--name", "noisy", "--", "sh", "-c", "read x; awk \"$0\"; read y", notes]);
    let mut connection = place.connect();
    let subscribed = connection.call(&verbs::Events::default()).expect("subscribed");
    let daemon = place.daemon_pid();
    place.ok(&["screen", "noisy"]);
    let before = resident_kib(daemon);

    // It reads nothing meanwhile.
    place.ok(&["send", "noisy", "", "--enter"]);
    place.wait_screen("noisy", "over");
    place.ok(&["kill", "noisy"]);
    let grown = resident_kib(daemon).saturating_sub(before);
    assert!(grown < 12 << 10, "the daemon grew by {grown} KiB");

    let (mut next, mut missed, mut notes) = (subscribed.last + 1, 0, Vec::new());
    loop {
        let Incoming::Event(event) = connection.receive().expect("it goes on") else { continue };
        if let Some(overrun) = event.get::<verbs::Overrun>() {
            missed += overrun.missed;
            next += overrun.missed;
        } else if let Some(happened) = event.get::<verbs::Happened>() {
            assert_eq!(happened.seq, next, "neither twice nor out of order");
            next += 1;
            match happened.what {
                verbs::What::Notification { body, .. } => notes.push(body),
                verbs::What::Ended { .. } => break,
                _ => {}
            }
        }
    }
    assert!(missed > 0, "30000 events fit nowhere");
    assert!(notes.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(notes.last().map(String::as_str), Some("note number 00030000"));
    assert_eq!(notes.len() as u64 + missed, 30000, "nothing else happened before the end");
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn k1_ends_are_told_once_whether_a_daemon_lived_or_not() {
    let place = Place::new();
    for n in 0..4 {
        place.start(&format!("s{n}"), "printf '\\007'; exec sleep 1000");
    }
    place.start("early", "exit 0");
    place.wait_end("early");
    let mut all = Listener::new(&place, &[]);
    for n in 0..4 {
        let (daemon, pid) =
            (place.daemon_pid(), place.session(&format!("s{n}"))["pid"].as_u64().expect("a pid") as u32);
        crate::support::kill(daemon);
        crate::support::kill(pid);
        all.next("daemon-restarted");
        all.next("ended");
    }
    let all = all.end();
    for n in 0..4 {
        let is_end = |event: &&Value| event["what"] == "ended" && event["name"] == format!("s{n}");
        assert_eq!(all.iter().filter(is_end).count(), 1, "s{n} in {all:#?}");
    }
    assert!(!all.iter().any(|event| event["what"] == "ended" && event["name"] == "early"), "told before");
    assert!(!all.iter().any(|event| event["what"] == "bell"), "a replay rings nothing");
    assert!(all.iter().any(|event| event["what"] == "session" && event["session"]["name"] == "s3"), "how all stands");
}

#[test]
fn w47_who_goes_on_behind_an_event_of_a_killed_daemon_is_told_so_and_gets_all_since() {
    let place = Place::new();
    place.start("o1", "sleep 1000");
    place.start("o2", "sleep 1000");
    let mut before = Listener::new(&place, &["--since", "0"]);
    before.next("started");
    let last = before.next("started");
    before.end();
    let (seq, epoch) = (last["seq"].to_string(), last["epoch"].to_string());
    place.kill_daemon();
    for n in 0..4 {
        place.start(&format!("n{n}"), "sleep 1000");
    }

    let mut after = Listener::new(&place, &["--since", &seq, "--epoch", &epoch]);
    assert_ne!(after.next("daemon-restarted")["epoch"].to_string(), epoch);
    let names: Vec<Value> = (0..4).map(|_| after.next("started")["name"].clone()).collect();
    assert_eq!(names, ["n0", "n1", "n2", "n3"], "in {:#?}", after.seen);
    let last = after.seen.last().cloned().expect("some");
    after.end();

    // Behind an event of this very daemon nothing comes twice.
    let (seq, epoch) = (last["seq"].to_string(), last["epoch"].to_string());
    let mut again = Listener::new(&place, &["--since", &seq, "--epoch", &epoch]);
    place.start("late", "sleep 1000");
    again.next("started");
    assert_eq!(again.end()[0]["name"], "late");

    let (code, said) = place.fails(&["events", "--since", "6"]);
    assert!(code == 2 && said.contains("one life of the daemon") && said.contains("--epoch"), "{said}");
    let (code, said) = place.fails(&["events", "--since", "99999", "--epoch", &epoch]);
    assert!(code == 2 && said.contains("event 99999 has not happened yet"), "{said}");
}

#[test]
fn subscriptions_that_make_no_sense_are_refused() {
    let place = Place::new();
    place.start("web", "sleep 1000");
    let (code, said) = place.fails(&["events", "--kind", "explosion"]);
    assert!(code == 2 && said.contains("kinds are started"), "{said}");
    let (code, said) = place.fails(&["events", "wbe"]);
    assert!(code == 66 && said.contains("did you mean web?"), "{said}");
    // A subscription takes the place of the one before it.
    let mut connection = place.connect();
    for _ in 0..50 {
        connection.call(&verbs::Events::default()).expect("subscribed");
    }
    place.ok(&["kill", "web"]);
    let mut ends = 0;
    connection.call(&verbs::DaemonStatus {}).expect("an answer");
    while let Some(incoming) = connection.try_receive().expect("it goes on") {
        let Incoming::Event(event) = incoming else { continue };
        let happened = event.get::<verbs::Happened>();
        ends += u32::from(happened.is_some_and(|happened| matches!(happened.what, verbs::What::Ended { .. })));
    }
    assert_eq!(ends, 1);
}
