//! Claims about histories on disk: exact across kills, rotation, full disks and keepers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use runpm::protocol::verbs;
use runpm::session::id::RequestKey;
use runpm::session::journal::JournalSpec;
use runpm::session::spec::Kind;
use runpm::session::spec::Launch;
use runpm::session::spec::Spec;
use serde_bytes::ByteBuf;

use crate::support;
use crate::support::Place;
use crate::support::wait_until;

/// A place whose journals have segments of this size.
fn place(segment: &str, segments: u32) -> Place {
    let place = Place::new();
    let config = format!("[journal]\nsegment = \"{segment}\"\nsegments = {segments}\n");
    std::fs::write(place.dir().join("config.toml"), config).expect("settings");
    place
}

fn start(place: &Place, name: &str, script: &str) {
    place.ok(&["run", "-d", "--journal", "--pipe", "--name", name, "--", "sh", "-c", script]);
}

/// The same with a ring that a flood runs round many times before the next daemon is there.
fn flood(place: &Place, name: &str, script: &str) {
    place.ok(&["run", "-d", "--journal", "--pipe", "--history", "64K", "--name", name, "--", "sh", "-c", script]);
}

/// The bytes of all segments on disk, in their order.
fn on_disk(place: &Place, name: &str) -> Vec<u8> {
    let folder = folder(place, name);
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let file = entry.file_name().into_string().expect("a name");
        if entry.path().extension().is_some_and(|extension| extension == "raw") {
            files.insert(file, entry.path());
        }
    }
    files.into_values().flat_map(|path| std::fs::read(path).expect("a segment")).collect()
}

fn folder(place: &Place, name: &str) -> PathBuf {
    let folder = place.session(name)["journal"]["folder"].as_str().expect("a journal").to_owned();
    place.dir().join("journals").join(folder)
}

fn wait_journal(place: &Place, name: &str, end: u64) {
    wait_until("the journal has all", || place.session(name)["journal"]["end_byte"] == end);
}

/// What the shell's `seq` says.
fn numbers(from: u64, to: u64) -> Vec<u8> {
    (from..=to).flat_map(|n| format!("{n}\n").into_bytes()).collect()
}

#[test]
fn k1_a_journal_has_every_byte_once_whenever_the_daemon_is_killed() {
    let place = place("1M", 100);
    let script = "n=0; while [ $n -lt 300 ]; do seq $((n*5000)) $((n*5000+4999)); n=$((n+1)); done";
    flood(&place, "web", script);
    for _ in 0..20 {
        place.kill_daemon();
    }
    place.wait_end("web");
    let wanted = numbers(0, 300 * 5000 - 1);
    wait_journal(&place, "web", wanted.len() as u64);
    assert!(on_disk(&place, "web") == wanted, "bytes were lost or doubled");
    assert!(place.run(&["logs", "web"]).stdout == wanted);
    assert_eq!(place.session("web")["journal"]["dropped_bytes"], 0);
}

#[test]
fn k1_death_between_ring_and_disk_neither_loses_nor_doubles() {
    let place = place("1M", 100);
    flood(&place, "web", "while read n; do seq 1 $n; done");
    let mut wanted = Vec::new();
    for (n, failpoint) in ["journal-taken", "journal-written"].iter().cycle().take(6).enumerate() {
        let count = 10 + n as u64 * 10_000;
        place.arm(failpoint);
        place.ok(&["send", "web", &count.to_string(), "--enter"]);
        wait_until("the daemon died there", || place.has_fired());
        wanted.extend(numbers(1, count));
        wait_journal(&place, "web", wanted.len() as u64);
        assert!(on_disk(&place, "web") == wanted, "{failpoint}");
        assert_eq!(place.session("web")["journal"]["dropped_bytes"], 0, "{failpoint}");
    }
}

#[test]
fn k1_a_follower_of_a_journaled_flood_gets_every_byte_once_across_kills() {
    let place = place("1M", 100);
    flood(&place, "web", "read go; seq 1 700000; read stay");
    let mut follower = place.command(support::RPM);
    let child = follower.args(["logs", "web", "-f"]).stdout(Stdio::piped()).spawn().expect("rpm runs");
    place.ok(&["send", "web", "go", "--enter"]);
    for _ in 0..5 {
        place.kill_daemon();
    }
    let wanted = numbers(1, 700_000);
    wait_journal(&place, "web", wanted.len() as u64);
    place.ok(&["send", "web", "end", "--enter"]);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.stdout == wanted, "{} of {} bytes", output.stdout.len(), wanted.len());
}

#[test]
fn pm2_15_rotation_loses_no_byte_of_any_stream_and_binary_is_binary() {
    let place = place("64K", 1000);
    flood(&place, "bin", "head -c 3000000 /dev/urandom | tee copy.out; echo error >&2");
    let cwd = std::env::current_dir().expect("a directory");
    place.wait_end("bin");
    let wanted = std::fs::read(cwd.join("copy.out")).expect("a copy");
    std::fs::remove_file(cwd.join("copy.out")).expect("removed");
    wait_journal(&place, "bin", wanted.len() as u64 + 6);
    assert!(place.session("bin")["journal"]["segments"].as_u64().expect("a number") > 40);
    assert!(place.run(&["logs", "bin", "--raw", "--stream", "out"]).stdout == wanted);
    assert_eq!(place.run(&["logs", "bin", "--stream", "err"]).stdout, b"error\n");
    assert!(on_disk(&place, "bin").len() == wanted.len() + 6);
}

#[test]
fn pm2_14_only_so_much_is_kept_and_the_newest_of_it() {
    let place = place("64K", 3);
    start(&place, "web", "seq 1 400000");
    place.wait_end("web");
    let wanted = numbers(1, 400_000);
    wait_journal(&place, "web", wanted.len() as u64);
    let journal = place.session("web")["journal"].clone();
    assert_eq!(journal["segments"], 3);
    assert!(journal["bytes"].as_u64().expect("a number") <= (3 * 64) << 10);
    assert!(wanted.ends_with(&on_disk(&place, "web")));
    // The ring has more than that here, and nothing is told twice.
    assert!(wanted.ends_with(&place.run(&["logs", "web"]).stdout));
}

#[test]
fn w60_w62_lines_times_and_streams_are_found_on_disk_as_in_memory() {
    let place = place("64K", 1000);
    let script = "echo first; sleep 0.3; seq 1 600000; sleep 0.2; echo odd >&2; sleep 0.2; echo last";
    start(&place, "web", script);
    place.wait_end("web");
    wait_journal(&place, "web", numbers(1, 600_000).len() as u64 + 15);
    assert!(place.session("web")["oldest_byte"].as_u64().expect("a number") > 0, "the ring still has all");
    let lines = place.ok(&["logs", "web", "-n", "550000"]);
    assert!(lines.starts_with("50003\n") && lines.ends_with("last\n"), "{}", &lines[..20]);
    assert_eq!(place.ok(&["grep", "^first$|^599999$", "web"]), "first\n599999\n");
    let json = place.ok(&["logs", "web", "--json", "-n", "600003"]);
    let line = |text: Option<&str>| -> serde_json::Value { serde_json::from_str(text.expect("a line")).expect("JSON") };
    let (first, second) = (line(json.lines().next()), line(json.lines().nth(1)));
    assert_eq!((&first["text"], &first["at"], &second["text"]), (&"first".into(), &0.into(), &"1".into()));
    let since = place.ok(&["logs", "web", "--since", second["time"].as_str().expect("a time")]);
    assert!(!since.starts_with("first\n") && since.contains("\n2000\n"), "{}", &since[..20]);
    let export = place.ok(&["export", "web", "--text"]);
    assert!(export.starts_with("first\n1\n") && export.ends_with("last\n"));
}

#[test]
fn pm2_16_what_several_said_is_told_by_time() {
    let place = place("1M", 10);
    for name in ["a", "b"] {
        start(&place, name, &format!("for n in 1 2 3; do read go; echo {name}$n; done; read stay"));
    }
    for said in ["a1", "b1", "a2", "b2", "a3", "b3"] {
        place.ok(&["send", &said[..1], "go\n"]);
        wait_until("it is said", || place.ok(&["logs"]).contains(said));
    }
    let told = place.ok(&["logs"]);
    let mut json: Vec<serde_json::Value> =
        place.ok(&["logs", "--json"]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let texts: Vec<String> = json.iter().map(|line| line["text"].as_str().expect("text").to_owned()).collect();
    json.sort_by_key(|line| line["time"].as_str().expect("a time").to_owned());
    assert_eq!(texts, json.iter().map(|line| line["text"].as_str().expect("text")).collect::<Vec<_>>());
    let names: Vec<String> = told.lines().map(|line| line[..1].to_owned()).collect();
    assert_eq!(names, ["a", "b", "a", "b", "a", "b"], "{told}");
    assert!(told.lines().all(|line| line.starts_with("a | a") || line.starts_with("b | b")), "{told}");
}

#[test]
fn pm2_14_a_full_disk_neither_blocks_nor_ends_a_program_and_what_it_cost_is_counted() {
    let place = place("64K", 1000);
    let journals = place.dir().join("journals");
    std::fs::create_dir(&journals).expect("a folder");
    let mount = format!(
        "mount -t tmpfs -o size=512k tmpfs {} && exec {} run -d --journal --pipe --name web -- sh -c 'seq 1 300000; read more; echo again; read stay'",
        journals.display(),
        support::RPM
    );
    let output = place.command("unshare").args(["-m", "sh", "-c", &mount]).output().expect("unshare runs");
    if !output.status.success() {
        return support::skip(&format!("no file system of our own: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let wanted = numbers(1, 300_000).len() as u64;
    wait_until("the program said all", || place.session("web")["output_bytes"] == wanted);
    // What was there went first: the newest is on the disk, and nothing was dropped.
    wait_journal(&place, "web", wanted);
    let journal = place.session("web")["journal"].clone();
    assert_eq!((&journal["dropped_bytes"], &journal["error"]), (&0.into(), &serde_json::Value::Null));
    assert!(journal["segments"].as_u64().expect("a number") < 10);
    // Somebody else fills what is left.
    let keeper = place.keeper_pid().to_string();
    let fill = format!(
        "cat /dev/zero > {0}/fill; truncate -s 0 {0}/web.*/0*.raw; cat /dev/zero >> {0}/fill",
        journals.display()
    );
    place.command("nsenter").args(["-t", &keeper, "-m", "sh", "-c", &fill]).output().expect("nsenter runs");
    place.ok(&["send", "web", "x", "--enter"]);
    wait_until("it goes on", || place.session("web")["output_bytes"] == wanted + 6);
    assert_eq!(place.session("web")["state"], "running");
    assert!(place.ok(&["logs", "web", "-n", "1"]) == "again\n");
}

#[test]
fn pm2_14_a_disk_that_takes_nothing_is_told_and_counted() {
    let place = place("64K", 10);
    // A file where the folder should be: as root, modes alone stop nobody.
    std::fs::write(place.dir().join("journals"), "").expect("a file");
    start(&place, "web", "seq 1 900000; read more; echo again");
    let wanted = numbers(1, 900_000).len() as u64;
    wait_until("the program said all", || place.session("web")["output_bytes"] == wanted);
    wait_until("all is counted", || place.session("web")["journal"]["dropped_bytes"] == wanted);
    wait_until("it is told", || place.session("web")["journal"]["error"].is_string());
    assert!(place.ok(&["describe", "web"]).contains("disk"));
    assert_eq!(place.session("web")["state"], "running");
    assert!(place.ok(&["logs", "web", "-n", "1"]) == "900000\n");
    // Once the disk is there again, the journal goes on behind a gap.
    std::fs::remove_file(place.dir().join("journals")).expect("removed");
    place.ok(&["send", "web", "x", "--enter"]);
    place.wait_end("web");
    place.start("other", "read stay");
    wait_until("it goes on", || place.session("web")["journal"]["error"].is_null());
    assert_eq!(place.session("web")["journal"]["dropped_bytes"], wanted);
}

#[test]
fn what_was_flushed_is_gone_from_disk_and_view_and_what_comes_is_kept() {
    let place = place("64K", 100);
    start(&place, "web", "seq 1 50000; read more; echo new; read stay");
    let len = numbers(1, 50_000).len() as u64;
    wait_journal(&place, "web", len);
    let said = place.ok(&["flush", "web"]);
    assert!(said.starts_with("web flushed, ") && said.contains("KiB on disk"), "{said}");
    assert!(on_disk(&place, "web").is_empty());
    assert_eq!((place.ok(&["logs", "web"]).as_str(), place.ok(&["logs", "web", "-n", "9"]).as_str()), ("", ""));
    place.kill_daemon();
    assert_eq!(place.ok(&["logs", "web"]), "");
    place.ok(&["send", "web", "x", "--enter"]);
    wait_journal(&place, "web", len + 4);
    assert_eq!((place.ok(&["logs", "web"]).as_str(), on_disk(&place, "web").as_slice()), ("new\n", &b"new\n"[..]));
    // Without a journal it is a matter of view alone.
    place.start("plain", "echo one; read stay");
    wait_until("it spoke", || place.ok(&["logs", "plain"]).contains("one"));
    assert_eq!(place.ok(&["flush", "plain"]), "plain flushed\n");
    assert_eq!(place.ok(&["logs", "plain"]), "");
}

#[test]
fn w16_a_journal_outlives_its_keeper_and_goes_with_its_session() {
    let place = place("64K", 100);
    start(&place, "web", "seq 1 50000; read stay");
    let wanted = numbers(1, 50_000);
    wait_journal(&place, "web", wanted.len() as u64);
    let (keeper, daemon, program) = (place.keeper_pid(), place.daemon_pid(), place.session("web")["pid"].as_u64());
    support::kill(keeper);
    support::kill(daemon);
    wait_until("they are gone", || !support::lives(keeper) && !support::lives(daemon));
    if let Some(pid) = program.filter(|pid| support::lives(*pid as u32)) {
        support::kill(pid as u32);
    }
    place.start("other", "read stay");
    assert_eq!(place.session("web")["how"], "lost");
    assert!(place.run(&["logs", "web"]).stdout == wanted);
    assert_eq!(place.ok(&["logs", "web", "-n", "2"]), "49999\n50000\n");
    assert_eq!(place.ok(&["grep", "-c", "^777$", "web"]), "1\n");
    place.kill_daemon();
    assert!(place.run(&["logs", "web"]).stdout == wanted);
    let folder = folder(&place, "web");
    let output = place.run(&["rm", "web"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("the journal of web was removed with it"), "{said}");
    wait_until("it is removed", || !folder.exists());
}

#[test]
fn a_journal_is_there_after_a_shutdown_with_how_its_session_ended() {
    let place = place("64K", 100);
    start(&place, "web", "echo hello; exit 3");
    place.wait_end("web");
    start(&place, "cut", "echo short; exec sleep 1000");
    wait_journal(&place, "cut", 6);
    place.ok(&["shutdown"]);
    place.start("other", "read stay");
    // Of two of the same name the newest has it.
    start(&place, "late", "echo first");
    place.wait_end("late");
    place.ok(&["shutdown"]);
    start(&place, "late", "echo second");
    place.wait_end("late");
    place.ok(&["shutdown"]);
    place.start("other", "read stay");
    assert_eq!(place.ok(&["logs", "late"]), "second\n");
    assert_eq!((&place.session("web")["code"], place.ok(&["logs", "web"]).as_str()), (&3.into(), "hello\n"));
    assert_eq!((&place.session("cut")["how"], place.ok(&["logs", "cut"]).as_str()), (&"stopped".into(), "short\n"));
    let mode = |path: &std::path::Path| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).expect("there").permissions()) & 0o777
    };
    let folder = folder(&place, "web");
    assert_eq!((mode(&folder), mode(&folder.join("00000001.raw"))), (0o700, 0o600));
}

#[test]
fn a_tail_that_was_torn_by_a_power_cut_is_cut_off() {
    let place = place("64K", 100);
    start(&place, "web", "seq 1 20000; exit 0");
    place.wait_end("web");
    let wanted = numbers(1, 20_000);
    wait_journal(&place, "web", wanted.len() as u64);
    place.ok(&["shutdown"]);
    let folder =
        std::fs::read_dir(place.dir().join("journals")).expect("a folder").flatten().next().expect("one").path();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let newest = |end: &str| files.iter().rfind(|path| path.to_string_lossy().ends_with(end)).expect("one").clone();
    let (raw, index) = (newest(".raw"), newest(".idx"));
    let len = std::fs::metadata(&index).expect("there").len();
    let file = std::fs::OpenOptions::new().write(true).open(&index).expect("opens");
    file.set_len(len - 20).expect("cut");
    std::fs::OpenOptions::new()
        .append(true)
        .open(&raw)
        .and_then(|mut raw| std::io::Write::write_all(&mut raw, b"torn"))
        .expect("written");
    place.start("other", "read stay");
    let told = place.run(&["logs", "web"]).stdout;
    assert!(wanted.starts_with(&told) && !told.is_empty());
}

fn service(script: &str, name: &str, key: u64) -> verbs::Run {
    let argv = ["/bin/sh", "-c", script].map(|arg| ByteBuf::from(arg.as_bytes())).to_vec();
    let launch = Launch { argv, cwd: ByteBuf::from(&b"/"[..]), umask: 0o22, ..Launch::default() };
    let journal = Some(JournalSpec { service: Some(name.to_owned()), ..JournalSpec::default() });
    let spec = Spec { name: Some(name.to_owned()), kind: Kind::Pipe, launch, journal, ..Spec::default() };
    verbs::Run { key: RequestKey(key), spec, follows: false }
}

#[test]
fn r7_a_service_keeps_its_journal_over_sessions_and_keepers_and_shares_it_with_nobody() {
    let place = place("64K", 100);
    place.start("other", "read stay");
    place.connect().call(&service("echo one; exit 1", "a/b", 1)).expect("started");
    place.connect().call(&service("echo elsewhere; exit 0", "a_b", 2)).expect("started");
    wait_journal(&place, "a/b", 4);
    place.wait_end("a/b");
    place.ok(&["rm", "a/b"]);
    place.connect().call(&service("echo two; read stay", "a/b", 3)).expect("started");
    wait_journal(&place, "a/b", 8);
    let mut second = service("echo no", "a/b", 9);
    second.spec.name = Some("other-name".to_owned());
    assert!(place.connect().call(&second).is_err_and(|error| error.to_string().contains("is written by session a/b")));
    place.kill_daemon();
    assert_eq!(
        (place.session("a/b")["journal"]["end_byte"].as_u64(), place.ok(&["logs", "a/b"]).as_str()),
        (Some(8), "one\ntwo\n")
    );
    assert_eq!(place.ok(&["logs", "a/b"]), "one\ntwo\n");
    place.ok(&["shutdown"]);
    place.start("other", "read stay");
    assert!(!place.ok(&["ls"]).contains("a/b"), "a service comes back by itself, not as what was lost");
    place.connect().call(&service("echo three; read stay", "a/b", 4)).expect("started");
    wait_journal(&place, "a/b", 14);
    assert_eq!(place.ok(&["logs", "a/b"]), "one\ntwo\nthree\n");
    assert_eq!(place.ok(&["logs", "a/b", "-n", "2"]), "two\nthree\n");
    place.connect().call(&service("read stay", "a_b", 5)).expect("started");
    assert_eq!(place.ok(&["logs", "a_b"]), "elsewhere\n");
}

#[test]
fn r12_k11_journals_cost_one_thread_and_no_wake_up() {
    let place = place("64K", 10);
    for n in 0..30 {
        start(&place, &format!("s{n}"), "echo up; read stay");
    }
    for n in 0..30 {
        wait_journal(&place, &format!("s{n}"), 3);
    }
    let tasks = PathBuf::from(format!("/proc/{}/task", place.daemon_pid()));
    // A helper of a look may still be there for half a second.
    let threads = || std::fs::read_dir(&tasks).expect("tasks").count();
    wait_until("helpers are gone", || threads() == 2);
    support::wait_idle(&[place.daemon_pid()]);
}
