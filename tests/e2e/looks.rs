//! K15 and K8 where it is hard to see: a look that fails, a process that shows nothing, one that belongs to nobody.

use std::os::unix::net::UnixStream;
use std::process::Stdio;

use runpm::client::Error;
use runpm::client::blocking::Connection;
use runpm::protocol::error::Code;
use runpm::protocol::message::Verb;
use runpm::protocol::verbs;
use rustix::process::Pid;
use rustix::process::Resource;
use rustix::process::Rlimit;

use crate::support;
use crate::support::Place;
use crate::support::lives;
use crate::support::wait_until;
use crate::tree::marked;
use crate::tree::marker;
use crate::tree::sleepers;

/// Sleeps where nothing shows whose it is: no environment, a session of its own, nothing of ours open, its parents gone.
fn escape(marker: &str) -> String {
    format!(
        "(env -i setsid sh -c '(trap \"\" HUP TERM; sleep {marker}; sleep {marker}) &' </dev/null >/dev/null 2>&1 &)"
    )
}

/// The same without what it inherited; none where the tool for that is missing.
fn hidden(marker: &str) -> Option<String> {
    let tool = std::process::Command::new("prlimit").arg("--version").stdout(Stdio::null()).status();
    tool.is_ok_and(|status| status.success()).then(|| {
        format!("(env -i setsid prlimit --rttime=1000000 sh -c '(sleep {marker}; sleep {marker}) &' </dev/null >/dev/null 2>&1 &)")
    })
}

/// Sets how many descriptors a process may have; none: as many as before.
fn limit_descriptors(pid: u32, soft: Option<u64>) {
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: soft.or(hard), maximum: hard };
    rustix::process::prlimit(Pid::from_raw(pid.cast_signed()), Resource::Nofile, limit).expect("our own process");
}

fn refusal<V: Verb>(connection: &mut Connection, verb: &V) -> String
where
    V::Reply: std::fmt::Debug,
{
    match connection.call(verb) {
        Err(Error::Refused(error)) if error.code == Code::Failed => error.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn k15_a_look_that_fails_is_not_an_empty_one() {
    let place = Place::new();
    let marker = marker(&place, 0);
    place.start(
        "a",
        &format!("setsid sh -c 'trap \"\" HUP TERM; while :; do sleep {marker}; done' & echo up; sleep 1000"),
    );
    place.wait_screen("a", "up");
    wait_until("it runs", || sleepers(&marker).len() == 1);
    let (mut stopping, mut asking) = (place.connect(), place.connect());
    let (daemon, leader) = (place.daemon_pid(), place.session("a")["pid"].as_u64().expect("a pid") as u32);
    limit_descriptors(daemon, Some(3));
    std::thread::scope(|scope| {
        let stop = verbs::Stop { targets: vec!["a".into()], grace_ms: 100, ..verbs::Stop::default() };
        let stop = scope.spawn(move || stopping.call(&stop).expect("an answer").outcomes.remove(0));
        // Who is held by a handle is reached without any look.
        wait_until("the first process is gone", || !lives(leader));
        for _ in 0..5 {
            assert!(
                refusal(&mut asking, &verbs::Procs::default()).contains("cannot be looked at: Too many open files")
            );
            assert!(refusal(&mut asking, &verbs::Orphans::default()).contains("cannot be looked at"));
            assert!(refusal(&mut asking, &verbs::Tree { pid: daemon }).contains("cannot be looked at"));
            let kill = verbs::KillTree { pid: leader, ..verbs::KillTree::default() };
            assert!(refusal(&mut asking, &kill).contains("cannot be looked at"));
        }
        assert!(!stop.is_finished(), "half of it lives, and it was called ended");
        assert!(!marked(&marker).is_empty());
        limit_descriptors(daemon, None);
        let outcome = stop.join().expect("ended");
        assert_eq!(outcome.end.expect("an end").left, [0_u32; 0]);
        assert_eq!(marked(&marker), [0_u32; 0]);
    });
}

#[test]
fn k15_clients_leave_descriptors_for_looks() {
    let place = Place::new();
    let few =
        place.command("sh").args(["-c", "ulimit -n 64; exec \"$@\"", "sh", support::RPM, "daemon", "start"]).output();
    assert!(few.expect("sh runs").status.success());
    place.start("a", "sleep 1000");
    let mut first = place.connect();
    let socket = place.dir().join("daemon.sock");
    let crowd: Vec<UnixStream> = (0..100).filter_map(|_| UnixStream::connect(&socket).ok()).collect();
    assert!(crowd.len() > 64);
    for _ in 0..3 {
        let processes = first.call(&verbs::Procs::default()).expect("a look").processes;
        assert_eq!(processes.len(), 1);
    }
    drop(crowd);
    assert_eq!(place.session("a")["state"], "running");
}

#[test]
fn k8_an_escapee_is_known_by_what_it_inherited_also_by_the_next_daemon() {
    let place = Place::new();
    let markers: Vec<String> = (0..3).map(|n| marker(&place, n)).collect();
    for (name, marker) in ["a", "b", "c"].iter().zip(&markers) {
        place.start(name, &format!("{}; echo up; exec sleep 1000", escape(marker)));
        place.wait_screen(name, "up");
        wait_until("it runs", || sleepers(marker).len() == 1);
    }
    place.ok(&["stop", "--grace", "100ms", "a"]);
    assert_eq!(marked(&markers[0]), [0_u32; 0]);
    assert_eq!(sleepers(&markers[1]).len(), 1, "the other session's lives on");
    place.ok(&["orphans", "--kill"]);
    assert_eq!(sleepers(&markers[1]).len(), 1, "it has an owner");
    place.kill_daemon();
    place.ok(&["kill", "b"]);
    assert_eq!(marked(&markers[1]), [0_u32; 0]);
    // A natural end takes nobody along.
    support::kill(place.session("c")["pid"].as_u64().expect("a pid") as u32);
    assert_eq!(place.wait_end("c")["left"].as_array().map(Vec::len), Some(marked(&markers[2]).len()));
    let orphans = place.ok(&["orphans", "--kill"]);
    assert!(orphans.contains("session c, which started it, has ended"), "{orphans}");
    assert_eq!(marked(&markers[2]), [0_u32; 0]);
}

#[test]
fn k8_who_may_belong_to_a_session_is_named_and_spared_by_others() {
    let place = Place::new();
    let marker = marker(&place, 0);
    let Some(hidden) = hidden(&marker) else { return support::skip("there is no prlimit(1)") };
    place.start("old", "exec sleep 1000");
    place.start("a", &format!("{hidden}; echo up; exec sleep 1000"));
    place.wait_screen("a", "up");
    wait_until("it runs", || sleepers(&marker).len() == 1);
    place.start("young", "exec sleep 1000");
    place.ok(&["stop", "--grace", "100ms", "young"]);
    let (code, said) = place.fails(&["stop", "--grace", "100ms", "a"]);
    assert!(code == 1 && said.contains("may belong to a: nothing says whose they are"), "{code} {said}");
    for pid in marked(&marker) {
        assert!(said.contains(&pid.to_string()) || sleepers(&marker).contains(&pid), "{pid}: {said}");
    }
    place.ok(&["stop", "a"]);
    let orphans = place.ok(&["orphans", "--kill"]);
    assert!(orphans.contains("unclear") && orphans.contains("may belong to session old, which goes on"), "{orphans}");
    assert_eq!(sleepers(&marker).len(), 1, "spared");
    let (code, said) = place.fails(&["kill", "old", "--json"]);
    assert!(code == 1 && said.contains("may belong to old"), "{said}");
    let orphans = place.ok(&["orphans", "--kill"]);
    assert!(orphans.contains("ended"), "{orphans}");
    assert_eq!(marked(&marker), [0_u32; 0]);
}

#[test]
fn k8_shutdown_ends_what_no_session_owns() {
    let place = Place::new();
    let markers: Vec<String> = (0..4).map(|n| marker(&place, n)).collect();
    let hidden = hidden(&markers[1]).unwrap_or_else(|| escape(&markers[1]));
    // What a detached command leaves is nobody's on purpose, like itself.
    let detached = format!("{} run --detach-fully -- sh -c '(sleep {} &) ; exit'", support::RPM, markers[2]);
    place.start("a", &format!("{}; {hidden}; {detached}; echo up; read x", escape(&markers[0])));
    place.start("b", &format!("{}; echo up; exec sleep 1000", escape(&markers[3])));
    for name in ["a", "b"] {
        place.wait_screen(name, "up");
    }
    wait_until("all run", || markers.iter().all(|marker| sleepers(marker).len() == 1));
    place.ok(&["send", "a", "--keys", "Enter"]);
    place.wait_end("a");
    place.ok(&["rm", "a"]);
    assert!(markers.iter().all(|marker| sleepers(marker).len() == 1), "nobody asked");
    place.ok(&["shutdown", "--grace", "100ms"]);
    let left: Vec<usize> = markers.iter().map(|marker| marked(marker).len()).collect();
    assert_eq!(left, [0, 0, 1, 0]);
    support::kill(sleepers(&markers[2])[0]);
}

#[test]
fn k8_a_mark_is_a_sessions_own_and_leaves_a_users_limit_alone() {
    let place = Place::new();
    let hard = |name: &str| {
        let line = place.ok(&["logs", name]);
        let line = line.lines().find(|line| line.contains("realtime timeout")).expect("a limit").to_owned();
        line.split_ascii_whitespace().nth(4).expect("a hard limit").to_owned()
    };
    let tell = "grep 'realtime timeout' /proc/self/limits";
    let rpm = support::RPM;
    place.start("outer", &format!("{tell}; {rpm} run -d --name inner -- sh -c \"{tell}\"; read x"));
    wait_until("both have told", || {
        place.run(&["logs", "inner"]).stdout.ends_with(b"us\r\n") || place.ok(&["ls"]).contains("exited")
    });
    let (outer, inner) = (hard("outer"), hard("inner"));
    let level = |hard: &str| hard.parse::<u64>().expect("a mark") >> 56;
    assert_ne!(outer, inner);
    assert_eq!(level(&outer), level(&inner), "both are the same keeper's");
    if hidden("").is_none() {
        return support::skip("there is no prlimit(1)");
    }
    let mut run = place.command("prlimit");
    run.args(["--rttime=5000000:6000000", rpm, "run", "-d", "--name", "own", "--", "sh", "-c", tell]);
    assert!(run.output().expect("prlimit runs").status.success());
    place.wait_end("own");
    assert_eq!(hard("own"), "6000000");
}
