//! K14: one daemon per user, ever. And nothing wakes when nothing happens (K11).

use std::process::Stdio;

use crate::support::Place;
use crate::support::RPM;
use crate::support::inhabitants;
use crate::support::lives;
use crate::support::wait_idle;
use crate::support::wait_until;

fn keepers(place: &Place) -> Vec<u32> {
    let is_keeper =
        |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "rpm-keeper");
    inhabitants(place.dir()).into_iter().filter(is_keeper).collect()
}

#[test]
fn k14_w71_w82_racing_first_commands_elect_one_keeper() {
    let place = Place::new();
    let racers: Vec<_> = (0..12)
        .map(|n| {
            let mut command = place.command(RPM);
            command.args(["run", "-d", "--name", &format!("r{n}"), "--", "sleep", "1000"]);
            command.stdout(Stdio::null()).spawn().expect("rpm runs")
        })
        .collect();
    for mut racer in racers {
        assert!(racer.wait().expect("a child").success());
    }
    assert_eq!(place.ok(&["ls"]).lines().count(), 13);
    assert_eq!(keepers(&place).len(), 1);
}

#[test]
fn k14_w70_a_second_keeper_never_takes_the_socket_of_a_live_one() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    let output = place.run(&["__keeper"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("runs in"), "{output:?}");
    assert_eq!(place.session("a")["state"], "running");
    assert_eq!(keepers(&place).len(), 1);
}

#[test]
fn k14_w75_a_stale_socket_is_reclaimed() {
    let place = Place::new();
    let socket = place.dir().join("daemon.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket"));
    let racers: Vec<_> = (0..6)
        .map(|n| place.command(RPM).args(["run", "-d", "--name", &format!("r{n}"), "--", "sleep", "1000"]).spawn())
        .collect();
    for racer in racers {
        assert!(racer.expect("rpm runs").wait().expect("a child").success());
    }
    assert_eq!(place.ok(&["ls"]).lines().count(), 7);
    assert_eq!(keepers(&place).len(), 1);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(socket).expect("a socket").permissions());
    assert_eq!(mode & 0o777, 0o600, "w79");
}

#[test]
fn k14_w76_a_daemon_that_is_stopped_is_slow_and_not_dead() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    let daemon = place.daemon_pid();
    crate::support::signal(daemon, "STOP");
    let mut listing = place.command(RPM).args(["ls"]).stdout(Stdio::null()).spawn().expect("rpm runs");
    std::thread::park_timeout(std::time::Duration::from_millis(300));
    assert!(listing.try_wait().expect("a child").is_none(), "it must wait");
    crate::support::signal(daemon, "CONT");
    assert!(listing.wait().expect("a child").success());
    assert_eq!(place.daemon_pid(), daemon);
    assert_eq!(keepers(&place).len(), 1);
}

#[test]
fn w73_w83_the_keeper_is_in_nobodys_terminal_or_session() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    let keeper = place.keeper_pid();
    let stat = std::fs::read_to_string(format!("/proc/{keeper}/stat")).expect("it lives");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
    assert_eq!(fields[3], keeper.to_string(), "its own session");
    assert_eq!(fields[4], "0", "no terminal");
    assert_eq!(std::fs::read_link(format!("/proc/{keeper}/cwd")).ok().as_deref(), Some("/".as_ref()));
}

#[test]
fn w74_the_reason_of_a_failed_start_is_shown() {
    let place = Place::new();
    let output = place.command(RPM).env("RUNPM_BIN", "/nonexistent/runpm").args(["run", "-d", "--", "true"]).output();
    let output = output.expect("rpm runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69));
    assert!(said.contains("/nonexistent/runpm") && said.contains("No such file"), "{said}");
}

#[test]
fn w81_a_test_harness_is_never_started_as_keeper() {
    // This very process is one: with no `runpm` on the path there is nothing to start.
    let place = Place::new();
    let output = place
        .command("sh")
        .args(["-c", "cp \"$0\" ./runpm-x && PATH=/nonexistent ./runpm-x ls", RPM])
        .current_dir(place.dir())
        .output();
    assert!(output.expect("sh runs").status.success());
    assert!(runpm::client::launch::program().is_none_or(|path| path.file_name().is_some_and(|name| name == "runpm")));
}

#[test]
fn k11_w26_idle_keeper_and_daemon_do_not_wake() {
    let place = Place::new();
    for n in 0..10 {
        place.start(&format!("idle{n}"), "echo up; sleep 1000");
        place.wait_screen(&format!("idle{n}"), "up");
    }
    wait_idle(&[place.keeper_pid(), place.daemon_pid()]);
}

#[test]
fn w27_threads_do_not_grow_with_sessions() {
    let place = Place::new();
    let threads = |pid: u32| std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    place.start("one", "sleep 1000");
    let before = threads(place.keeper_pid()) + threads(place.daemon_pid());
    for n in 0..20 {
        place.start(&format!("more{n}"), "sleep 1000");
    }
    let after = threads(place.keeper_pid()) + threads(place.daemon_pid());
    assert_eq!(before, after);
    assert!(after <= 4, "{after}");
}

#[test]
fn w87_g9_who_has_nothing_to_do_leaves_and_not_before() {
    let place = Place::new();
    std::fs::write(place.dir().join("config.toml"), "[daemon]\nidle_exit = \"300ms\"\n").expect("a file");
    place.start("one", "exit 0");
    place.wait_end("one");
    let (keeper, daemon) = (place.keeper_pid(), place.daemon_pid());
    // An ended session is owned; a client that is connected is somebody.
    let client = place.connect();
    std::thread::park_timeout(std::time::Duration::from_millis(900));
    assert!(lives(keeper));
    place.ok(&["rm", "one"]);
    std::thread::park_timeout(std::time::Duration::from_millis(900));
    assert!(lives(keeper));
    drop(client);
    wait_until("both are gone", || !lives(keeper) && !lives(daemon));
    assert_eq!(place.ok(&["ls"]), "");
}

/// What comes and goes leaves nothing in keeper and daemon.
#[test]
fn w29_a_session_that_is_forgotten_leaves_no_descriptor_thread_or_mapping() {
    let place = Place::new();
    let round = || {
        for n in 0..10 {
            let kind = if n % 2 == 0 { "--pipe" } else { "--pty" };
            place.ok(&["run", "-d", kind, "--", "sh", "-c", "echo a; sleep 1000"]);
        }
        place.ok(&["screen", "sh"]);
        place.ok(&["kill", "all"]);
        place.ok(&["rm", "all"]);
    };
    let count = |pid: u32| {
        let entries = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).map_or(0, Iterator::count);
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        (entries("fd"), maps.lines().filter(|line| line.contains("memfd")).count())
    };
    round();
    let before = [place.keeper_pid(), place.daemon_pid()].map(count);
    for _ in 0..5 {
        round();
    }
    let mut last = before;
    wait_until(&format!("as before: {before:?}, last {last:?}"), || {
        last = [place.keeper_pid(), place.daemon_pid()].map(count);
        last.iter().zip(&before).all(|(now, then)| now.0 <= then.0 && now.1 <= then.1)
    });
}

#[test]
fn w34_memory_does_not_grow_with_what_is_said() {
    let resident = |pid: u32| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "big", "--", "sh", "-c", "read x; head -c 100000000 /dev/zero"]);
    let pids = [place.keeper_pid(), place.daemon_pid()];
    let before = pids.map(resident);
    place.ok(&["send", "big", "--enter"]);
    place.wait_end("big");
    assert_eq!(place.session("big")["output_bytes"], 100_000_000);
    for (now, then) in pids.map(resident).into_iter().zip(before) {
        // The ring has 2 MiB.
        assert!(now < then + 8192, "{then} KiB grew to {now} KiB");
    }
}
