//! The process registry: live facts, trees, orphans; K15: pids are never trusted.

use std::os::unix::process::CommandExt;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::support;
use crate::support::Place;
use crate::support::lives;
use crate::support::signal;
use crate::support::wait_for;
use crate::support::wait_until;

/// A process of the test's own; ended and reaped when dropped.
struct Own(Child);

impl Own {
    fn sleep() -> Self {
        Self::shell("exec sleep 1000")
    }

    /// Without the place's environment: nothing else may count it as left behind.
    fn shell(script: &str) -> Self {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().expect("sh runs"))
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn json(place: &Place, args: &[&str], field: &str) -> Value {
    let mut document: Value = serde_json::from_str(&place.ok(args)).expect("JSON");
    document[field].take()
}

fn orphan(place: &Place, pid: &str) -> Option<Value> {
    let orphans = json(place, &["orphans", "--json"], "orphans");
    orphans.as_array()?.iter().find(|orphan| orphan["pid"].as_u64() == pid.parse().ok()).cloned()
}

fn row(place: &Place, pid: &str) -> Option<Value> {
    let rows = json(place, &["procs", "--json"], "processes");
    rows.as_array()?.iter().find(|row| row["pid"].as_u64() == pid.parse().ok()).cloned()
}

#[test]
fn k15_w88_a_reused_pid_is_named_and_never_signalled() {
    let place = Place::new();
    let innocent = Own::sleep();
    place.ok(&["register", &innocent.pid(), "--originator", "ci:7"]);
    // As if the number had come to mean another process since.
    let file = place.dir().join("processes");
    let mut document: Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    let start = document["entries"][0]["start_time"].as_u64().expect("a time");
    document["entries"][0]["start_time"] = (start - 1).into();
    std::fs::write(&file, document.to_string()).expect("written");
    place.kill_daemon();

    assert_eq!(orphan(&place, &innocent.pid()).expect("listed")["reason"], "pid-reused");
    assert!(place.ok(&["orphans"]).contains("pid reused"));
    assert_eq!(row(&place, &innocent.pid()).expect("listed")["state"], "gone");
    place.ok(&["orphans", "--kill", "--timeout", "100ms"]);
    assert!(lives(innocent.0.id()));
    assert_eq!(orphan(&place, &innocent.pid()), None, "the entry was forgotten");

    // An entry of another boot is nobody's at all.
    place.ok(&["register", &innocent.pid()]);
    document = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    document["boot"] = "another".into();
    std::fs::write(&file, document.to_string()).expect("written");
    place.kill_daemon();
    assert_eq!(row(&place, &innocent.pid()), None);
}

#[test]
fn w88_w89_only_the_orphaned_are_ended_and_only_when_asked() {
    let place = Place::new();
    let mut command = std::process::Command::new("sh");
    let (first, second) = (place.dir().join("first"), place.dir().join("second"));
    let script =
        format!("sleep 1000 & echo $! > {}; sleep 1000 & echo $! > {}; wait", first.display(), second.display());
    let mut parent = command.args(["-c", &script]).spawn().expect("sh runs");
    let pid_in = |path: &std::path::Path| {
        wait_for("a pid", || std::fs::read_to_string(path).ok().filter(|text| text.ends_with('\n')))
    };
    let (orphaned, detached) = (pid_in(&first).trim().to_owned(), pid_in(&second).trim().to_owned());
    place.ok(&["register", &orphaned]);
    place.ok(&["register", &detached, "--detached"]);
    assert!(row(&place, &orphaned).expect("listed")["parent_alive"] == true);
    assert_eq!(orphan(&place, &orphaned), None);

    parent.kill().and_then(|()| parent.wait()).expect("killed");
    assert_eq!(orphan(&place, &orphaned).expect("listed")["reason"], "orphaned");
    assert_eq!(row(&place, &orphaned).expect("listed")["parent_alive"], false);
    assert_eq!(orphan(&place, &detached), None);
    assert!(lives(orphaned.parse().expect("a pid")), "listing ends nobody");

    place.ok(&["orphans", "--kill", "--timeout", "1s"]);
    assert!(!lives(orphaned.parse().expect("a pid")));
    assert!(lives(detached.parse().expect("a pid")));
    assert_eq!(json(&place, &["procs", "--json"], "processes").as_array().map(Vec::len), Some(1));
    place.ok(&["kill-tree", &detached]);
    assert_eq!(orphan(&place, &detached).expect("listed")["reason"], "dead");
}

#[test]
fn w88_orphans_are_what_a_session_or_a_dead_tool_left() {
    let place = Place::new();
    // What a session leaves behind bears its tag, or at least what it inherited.
    place.start("a", "setsid sleep 1000.1 & (env -i setsid sleep 1000.2 </dev/null >/dev/null 2>&1 &); sleep 0.2");
    place.start("b", "setsid sleep 1000.3 & echo up; sleep 1000");
    place.wait_end("a");
    place.wait_screen("b", "up");
    let tool = Own::sleep();
    let of_dead = std::process::Command::new("sleep")
        .arg("1000.4")
        .env("RUNPM_DIR", place.dir())
        .env("RUNPM_ORIGINATOR", "ci:4194303")
        .spawn()
        .map(Own);
    let of_living = std::process::Command::new("sleep")
        .arg("1000.5")
        .env("RUNPM_DIR", place.dir())
        .env("RUNPM_ORIGINATOR", format!("ci:{}", tool.pid()))
        .spawn()
        .map(Own);
    let (of_dead, of_living) = (of_dead.expect("runs"), of_living.expect("runs"));

    let lines = place.ok(&["orphans"]);
    let line = |word: &str| lines.lines().find(|line| line.ends_with(word)).unwrap_or_default().to_owned();
    assert!(line("sleep 1000.1").contains("session a, which started it, has ended"), "{lines}");
    assert!(line("sleep 1000.2").contains("session a, which started it, has ended"), "{lines}");
    assert!(line("sleep 1000.4").contains("ci:4194303, which started it, is gone"), "{lines}");
    assert!(line("sleep 1000.3").is_empty() && line("sleep 1000.5").is_empty(), "{lines}");

    // A stop of another session leaves them alone.
    place.ok(&["stop", "b"]);
    place.ok(&["rm", "a"]);
    assert!(
        place.ok(&["orphans"]).lines().any(|line| line.contains("no session is known") && line.ends_with("1000.2"))
    );
    for word in ["sleep 1000.1", "sleep 1000.2"] {
        place.ok(&["kill-tree", line(word).split(' ').next().expect("a pid")]);
    }
    assert!(lives(of_dead.0.id()) && lives(of_living.0.id()));
}

#[test]
fn w90_states_are_looked_up_when_they_are_asked_for() {
    let place = Place::new();
    let mut own = Own::sleep();
    place.ok(&["register", &own.pid(), "--kind", "server", "--command", "my server"]);
    let pid = own.pid();
    let state = |place: &Place| row(place, &pid).expect("listed")["state"].as_str().map(str::to_owned);
    assert_eq!(state(&place).as_deref(), Some("sleeping"));
    signal(own.0.id(), "STOP");
    wait_until("it is seen stopped", || state(&place).as_deref() == Some("stopped"));
    signal(own.0.id(), "KILL");
    wait_until("it is seen dead", || state(&place).as_deref() == Some("zombie"));
    assert_eq!(row(&place, &own.pid()).expect("listed")["processes"], 0);
    assert_eq!(orphan(&place, &own.pid()).expect("listed")["reason"], "dead");
    own.0.wait().expect("reaped");
    assert_eq!(state(&place).as_deref(), Some("gone"));
    assert_eq!(row(&place, &own.pid()).expect("listed")["command"], "my server");
    place.kill_daemon();
    assert!(row(&place, &own.pid()).is_some(), "the registry outlives the daemon");
    place.ok(&["unregister", &own.pid()]);
    assert_eq!(row(&place, &own.pid()), None);
}

#[test]
fn w92_a_tree_is_whole_also_where_parents_are_gone_and_so_is_its_end() {
    let place = Place::new();
    place.start(
        "a",
        "sleep 1000.1 & sh -c 'sleep 1000.2 & sleep 1000.3' & (setsid sleep 1000.4 &); echo up; while :; do :; done",
    );
    place.wait_screen("a", "up");
    let pid = place.session("a")["pid"].to_string();
    wait_until("the tree is whole", || {
        let drawn = place.ok(&["tree", &pid]);
        (1..=4).all(|n| drawn.contains(&format!("sleep 1000.{n}"))) && drawn.contains("└─ ")
    });
    let tree = json(&place, &["tree", "--json", &pid], "tree");
    assert_eq!((tree["session"].as_str(), tree["children"].as_array().map(Vec::len)), (Some("a"), Some(3)));
    let sum = row(&place, &pid).expect("listed");
    assert_eq!(sum["processes"], 6);
    assert!(sum["memory_bytes"].as_u64() > Some(1 << 20) && sum["cpu_percent"].as_f64() > Some(1.0), "{sum}");

    assert_eq!(place.ok(&["kill-tree", &pid, "--timeout", "100ms"]), "6 processes ended\n");
    assert_eq!(place.wait_end("a")["left"], serde_json::json!([]));
    assert_eq!(place.run(&["kill-tree", &pid]).status.code(), Some(0), "what is gone is no error");
}

#[test]
fn w92_kill_tree_follows_who_is_orphaned_on_the_way_and_ignores_term() {
    let place = Place::new();
    let marks = place.dir().join("pid");
    let own = Own::shell(&format!(
        "(trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > {}; sleep 1000; sleep 1000' & wait) & wait",
        marks.display()
    ));
    let inner: u32 = wait_for("it runs", || std::fs::read_to_string(&marks).ok()?.trim().parse().ok());
    let start = Instant::now();
    place.ok(&["kill-tree", &own.pid(), "--timeout", "100ms"]);
    assert!(!lives(inner) && !lives(own.0.id()));
    assert!(start.elapsed() < Duration::from_secs(11));
}

#[test]
fn w93_the_daemon_answers_while_many_ask_for_processes() {
    let place = Place::new();
    // Each with processes below it and one that left it.
    for n in 0..60 {
        place.start(&format!("s{n}"), "sleep 1000 & sleep 1000 & setsid sleep 1000 & wait");
    }
    let pid = place.keeper_pid().to_string();
    std::thread::scope(|scope| {
        let ask = |n: usize| {
            let (place, pid) = (&place, &pid);
            scope.spawn(move || match n % 2 {
                0 => place.ok(&["procs"]),
                _ => place.ok(&["tree", pid]),
            })
        };
        let askers: Vec<_> = (0..20).map(ask).collect();
        let mut connection = place.connect();
        let mut times = Vec::new();
        while askers.iter().any(|asker| !asker.is_finished()) {
            let start = Instant::now();
            connection.call(&runpm::protocol::verbs::DaemonStatus {}).expect("an answer");
            times.push(start.elapsed());
        }
        // Where other tests run beside it, some wait for a processor and not for the daemon.
        times.sort_unstable();
        let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
        assert!(times.len() > 20, "{} answers while they asked", times.len());
        assert!(median < Duration::from_millis(50), "half of {} answers took {median:?} and more", times.len());
        assert!(slowest < Duration::from_millis(500), "one took {slowest:?}");
    });
}

#[test]
fn w91_a_fully_detached_command_is_nobodys_and_outlives_shutdown() {
    let place = Place::new();
    let run = format!("{} run --detach-fully -- sleep 1000.9 > $RUNPM_DIR/pid; echo up; sleep 1000", support::RPM);
    place.start("a", &run);
    place.wait_screen("a", "up");
    let pid = std::fs::read_to_string(place.dir().join("pid")).expect("a pid").trim().to_owned();
    let number: u32 = pid.parse().expect("a number");
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("it lives");
    assert!(!String::from_utf8_lossy(&environment).contains("RUNPM_SESSION"));
    assert_eq!(row(&place, &pid).expect("registered")["containment"], "detached");
    let tree = place.ok(&["tree", &place.session("a")["pid"].to_string()]);
    assert!(!tree.lines().skip(1).any(|line| line.contains("1000.9")), "{tree}");
    place.ok(&["stop", "--grace", "100ms", "a"]);
    assert!(lives(number), "no part of the session");
    place.ok(&["orphans", "--kill"]);
    assert!(lives(number), "w89: detached on purpose");
    place.ok(&["shutdown"]);
    assert!(lives(number));
    // Also without any daemon.
    let outside = place.ok(&["run", "--detach-fully", "--", "sleep", "1000.8"]);
    for pid in [number, outside.trim().parse().expect("a number")] {
        support::kill(pid);
    }
    let (code, said) = place.fails(&["run", "--detach-fully", "--", "/no/such/program"]);
    assert!(code == 127 && said.contains("cannot start /no/such/program"), "{code} {said}");
    assert_eq!(place.fails(&["run", "--detach-fully", "--pipe", "--", "true"]).0, 2);
}

#[test]
fn w99_originators_are_given_inherited_and_selected_by_one_rule() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "a", "--originator", "ci", "--pipe", "--", "sh", "-c", "env; sleep 1000"]);
    place.ok(&["run", "-d", "--name", "b", "--originator", "cim:7", "--", "sleep", "1000"]);
    let given = place.session("a")["originator"].as_str().expect("one").to_owned();
    assert!(given.strip_prefix("ci:").is_some_and(|pid| pid.parse::<u32>().is_ok()), "{given}");
    wait_until("it is told", || place.ok(&["logs", "a"]).contains(&format!("RUNPM_ORIGINATOR={given}\n")));
    assert_eq!(place.session("b")["originator"], "cim:7");
    let inherited = place
        .command(support::RPM)
        .env("RUNPM_ORIGINATOR", &given)
        .args(["run", "-d", "--name", "c", "--", "sleep", "1000"])
        .output();
    assert!(inherited.expect("rpm runs").status.success());
    assert_eq!(place.session("c")["originator"], given);

    let names = |tool: &str| {
        let rows = json(&place, &["procs", "--json", "--originator", tool], "processes");
        let names = rows.as_array().expect("rows").iter().map(|row| row["session"].as_str().unwrap_or("").to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names("ci"), ["a", "c"]);
    assert_eq!(names(&given), ["a", "c"]);
    assert_eq!(names("c"), [""; 0]);
    assert_eq!(place.ok(&["stop", "--originator", "ci"]).lines().count(), 2);
    assert_eq!(place.session("b")["state"], "running");
    let (code, said) = place.fails(&["run", "-d", "--originator", "a b", "--", "true"]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn w96_bad_process_ids_are_refused_with_a_sentence() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    let (keeper, daemon) = (place.keeper_pid().to_string(), place.daemon_pid().to_string());
    let gone = {
        let own = Own::sleep();
        own.pid()
    };
    let table: [(&[&str], i32, &str); 14] = [
        (&["register", "0"], 2, "0 is not in 1.."),
        (&["register", "-5"], 2, "-5 is not in 1.."),
        (&["register", "99999999999"], 2, "not in"),
        (&["register", &gone], 1, "there is no process"),
        (&["unregister", &gone], 1, "is registered"),
        (&["tree", &gone], 1, "there is no process"),
        (&["tree", "x"], 2, "invalid"),
        (&["kill-tree", "1"], 2, "not ended this way"),
        (&["kill-tree", &keeper], 2, "rpm shutdown"),
        (&["kill-tree", &daemon], 2, "rpm shutdown"),
        (&["kill-tree", "0"], 2, "not in"),
        (&["kill-tree", &gone, "--timeout", "-1s"], 2, "is negative"),
        (&["kill-tree", &gone, "--timeout", "99999d"], 2, "more than a year"),
        (&["orphans", "--timeout", "1s"], 2, "--kill"),
    ];
    for (args, code, word) in table {
        let (got, said) = place.fails(args);
        assert!(got == code && said.contains(word), "{args:?}: {got} {said}");
    }
    assert_eq!(place.session("a")["state"], "running");
    assert_eq!(place.daemon_pid().to_string(), daemon);
}

#[test]
fn k15_other_users_processes_are_left_alone() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    let foreign = std::process::Command::new("sleep").arg("1000").uid(65534).gid(65534).spawn().map(Own);
    let Ok(foreign) = foreign else { return support::skip("only root can start a process of another user") };
    for args in [["kill-tree", &foreign.pid()], ["register", &foreign.pid()]] {
        let (code, said) = place.fails(&args);
        assert!(code == 1 && said.contains("belongs to another user"), "{args:?}: {code} {said}");
    }
    assert!(lives(foreign.0.id()));
}

#[test]
fn a_damaged_registry_is_put_aside_and_told_not_lost_without_a_word() {
    let place = Place::new();
    let own = Own::sleep();
    place.ok(&["register", &own.pid()]);
    place.ok(&["shutdown"]);
    let (file, aside) = (place.dir().join("processes"), place.dir().join("processes.damaged"));
    std::fs::write(&file, "garbage").expect("written");

    place.ok(&["register", &own.pid(), "--kind", "again"]);

    assert_eq!(std::fs::read_to_string(&aside).expect("put aside"), "garbage");
    let told = |place: &Place| place.daemon()["faults"].to_string().contains("processes.damaged");
    assert!(told(&place), "{}", place.daemon());
    let doctor = String::from_utf8_lossy(&place.run(&["doctor"]).stdout).into_owned();
    assert!(doctor.contains("a damaged registry of processes"), "{doctor}");
    // As long as it lies there, the next daemon tells it too; what was announced since is known.
    place.kill_daemon();
    assert!(told(&place) && row(&place, &own.pid()).expect("registered")["kind"] == "again");
    std::fs::remove_file(&aside).expect("removed");
    place.kill_daemon();
    assert!(!told(&place));
}
