//! Copies of a stream: exact, counted, slowing nobody, gone when they should be.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use runpm::history::ExitStatus;
use runpm::history::Stream;
use runpm::protocol::verbs;
use runpm::session::id::RequestKey;
use runpm::session::tee::Target;
use runpm::session::tee::TeeSpec;
use serde_bytes::ByteBuf;
use serde_json::Value;

use crate::support::Place;
use crate::support::RPM;
use crate::support::inhabitants;
use crate::support::kill;
use crate::support::lives;
use crate::support::signal;
use crate::support::wait_for;
use crate::support::wait_idle;
use crate::support::wait_until;

fn path(place: &Place, name: &str) -> PathBuf {
    place.dir().join(name)
}

fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}

fn pipe(place: &Place, name: &str, script: &str) {
    place.ok(&["run", "-d", "--pipe", "--history", "64K", "--name", name, "--", "sh", "-c", script]);
}

/// With a history that takes a flood for a while.
fn wide(place: &Place, name: &str, script: &str) {
    place.ok(&["run", "-d", "--pipe", "--name", name, "--", "sh", "-c", script]);
}

fn tees(place: &Place) -> Vec<Value> {
    let mut document: Value = serde_json::from_str(&place.ok(&["tees", "--json"])).expect("JSON");
    document["tees"].take().as_array().cloned().expect("an array")
}

fn tee(place: &Place, id: &str) -> Value {
    let all = tees(place);
    all.iter()
        .find(|tee| tee["id"].as_u64() == id.parse().ok())
        .cloned()
        .unwrap_or_else(|| panic!("no tee {id} in {all:?}"))
}

fn made(place: &Place, args: &[&str]) -> String {
    place.ok(&[&["tee"], args].concat()).trim().to_owned()
}

fn wait_state(place: &Place, id: &str, state: &str) -> Value {
    let mut last = Value::Null;
    let mut is_there = || {
        last = tee(place, id);
        last["state"] == state
    };
    wait_until(&format!("tee {id} is {state}"), &mut is_there);
    last
}

fn number(tee: &Value, field: &str) -> u64 {
    tee[field].as_u64().unwrap_or_else(|| panic!("no {field} in {tee}"))
}

fn sequence(to: u32) -> Vec<u8> {
    (1..=to).flat_map(|n| format!("{n}\n").into_bytes()).collect()
}

fn read(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

/// Fails without printing megabytes.
fn same(what: &str, is: &[u8], wanted: &[u8]) {
    let equal = is.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    assert_eq!((is.len(), equal), (wanted.len(), wanted.len()), "{what} differs at byte {equal}");
}

fn fifo(path: &std::path::Path) {
    let status = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo runs");
    assert!(status.success());
}

fn helpers(place: &Place) -> Vec<u32> {
    let name = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    inhabitants(place.dir()).into_iter().filter(|pid| name(pid).trim() == "rpm-tee").collect()
}

#[test]
fn w45_tees_survive_kills_of_the_daemon_exactly_are_listed_and_removable() {
    let place = Place::new();
    let (file, copy) = (path(&place, "file"), path(&place, "copy"));
    wide(&place, "flood", "read x; seq 1 1500000; read y");
    let block = made(&place, &["flood", "--to", &text(&file), "--policy", "block"]);
    let command =
        made(&place, &["flood", "--to-command", &format!("cat > {}", text(&copy)), "--policy", "drop-oldest"]);
    place.ok(&["send", "flood", "go\n"]);
    for _ in 0..6 {
        place.kill_daemon();
        let listed: Vec<String> = tees(&place).iter().map(|tee| tee["id"].to_string()).collect();
        assert_eq!(listed, [block.as_str(), command.as_str()]);
    }
    let wanted = sequence(1_500_000);
    wait_until("the file is whole", || number(&tee(&place, &block), "written") == wanted.len() as u64);
    same("the file", &read(&file), &wanted);
    wait_until("the command got what it could", || {
        let tee = tee(&place, &command);
        number(&tee, "written") + number(&tee, "missed") == wanted.len() as u64
    });
    let missed = number(&tee(&place, &command), "missed");
    let said = place.ok(&["untee", "flood"]);
    assert!(said.starts_with(&format!("{block} {} bytes written\n", wanted.len())), "{said}");
    assert_eq!(tees(&place), [] as [Value; 0]);
    assert_eq!(read(&copy).len() as u64, wanted.len() as u64 - missed);
    if missed == 0 {
        same("the copy", &read(&copy), &wanted);
    }
    wait_until("no helper is left", || helpers(&place).is_empty());
}

#[test]
fn w45_a_command_gets_every_byte_across_kills_when_it_keeps_up() {
    let place = Place::new();
    let copy = path(&place, "copy");
    place.ok(&["run", "-d", "--name", "lines", "--", "sh", "-c", "read x; for n in $(seq 1 150000); do echo $n; done"]);
    let id = made(&place, &["lines", "--to-command", &format!("cat > {}", text(&copy)), "--from", "start"]);
    place.ok(&["send", "lines", "", "--enter"]);
    for _ in 0..5 {
        place.kill_daemon();
    }
    let done = wait_state(&place, &id, "done");
    assert_eq!((number(&done, "missed"), &done["code"]), (0, &Value::from(0)));
    same("the copy", &read(&copy), &place.run(&["logs", "--raw", "lines"]).stdout);
    assert!(read(&copy).ends_with(b"150000\r\n"));
}

#[test]
fn w43_what_a_stuck_consumer_will_never_get_is_missed_at_once_not_waiting() {
    let place = Place::new();
    let (queue, said) = (path(&place, "fifo"), sequence(500_000).len() as u64);
    fifo(&queue);
    let mut reader = std::fs::File::options().read(true).write(true).open(&queue).expect("a FIFO");
    pipe(&place, "flood", "read x; seq 1 500000; read y");
    let oldest = made(&place, &["flood", "--to", &text(&queue)]);
    let newest = made(&place, &["flood", "--to-command", "exec sleep 1000", "--policy", "drop-newest"]);
    place.ok(&["send", "flood", "go\n"]);
    wait_until("all is said", || place.session("flood")["output_bytes"].as_u64() == Some(said));
    let counts = |id: &str| ["written", "waiting", "missed"].map(|field| number(&tee(&place, id), field));
    for (id, most) in [(&oldest, (256 + 64) << 10), (&newest, 1 << 20)] {
        wait_until("every byte is somewhere", || counts(id).iter().sum::<u64>() == said);
        wait_until("no more wait than there are", || counts(id)[1] <= most);
    }
    let [_, _, missed] = counts(&oldest);
    // Once the reader reads, it gets all that waited, and has missed just what was told.
    let mut buffer = vec![0; 64 << 10];
    wait_until("the FIFO was read", || {
        let [written, waiting, _] = counts(&oldest);
        let left = rustix::io::ioctl_fionread(&reader).expect("a FIFO");
        if left > 0 {
            assert!(reader.read(&mut buffer).expect("readable") > 0);
        }
        left == 0 && waiting == 0 && written > 0
    });
    assert_eq!(counts(&oldest), [said - missed, 0, missed]);
    let output = place.run(&["untee", &oldest]);
    let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let wanted =
        format!("{oldest} {} bytes written, {missed} missed (the target did not take them in time)", said - missed);
    assert_eq!((output.status.code(), told), (Some(91), wanted));
}

#[test]
fn w41_a_stuck_consumer_slows_nobody_and_what_it_missed_is_exact() {
    let place = Place::new();
    let (queue, got) = (path(&place, "fifo"), path(&place, "got"));
    fifo(&queue);
    // Opened to read and write, so that it stays open and is never read.
    let mut reader = std::fs::File::options().read(true).write(true).open(&queue).expect("a FIFO");
    wide(&place, "flood", "read x; seq 1 1000000; echo over >&2; read y; echo last");
    pipe(&place, "other", "read x; echo answered; read y");
    let command = format!("while [ ! -e {0}/go ]; do sleep 0.01; done; cat > {1}", text(place.dir()), text(&got));
    let stuck = made(&place, &["flood", "--to-command", &command]);
    let full = made(&place, &["flood", "--to", &text(&queue), "--policy", "drop-newest"]);
    place.ok(&["send", "flood", "go\n"]);
    wait_until("the program is through", || {
        place.run(&["logs", "--raw", "--stream", "err", "flood"]).stdout == b"over\n"
    });
    place.ok(&["send", "other", "x\n"]);
    wait_until("others are served", || place.ok(&["logs", "--raw", "other"]) == "answered\n");

    std::fs::write(path(&place, "go"), "").expect("a file");
    place.ok(&["send", "flood", "end\n"]);
    let done = wait_state(&place, &stuck, "done");
    let all = [sequence(1_000_000), b"over\nlast\n".to_vec()].concat();
    let got = read(&got);
    assert!(number(&done, "missed") > 0);
    assert_eq!(got.len() as u64 + number(&done, "missed"), all.len() as u64);
    assert!(got.ends_with(b"last\n"), "the newest were lost");
    assert_eq!(number(&done, "written"), got.len() as u64);

    // The FIFO kept the oldest, and is read only now.
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let ended = wait_for("the FIFO has all it will get", || {
        let tee = tee(&place, &full);
        let left = number(&tee, "written") - bytes.len() as u64;
        if left > 0 {
            let room = buffer.len().min(left as usize);
            let len = reader.read(&mut buffer[..room]).expect("readable");
            bytes.extend_from_slice(&buffer[..len]);
        }
        (tee["state"] == "done" && bytes.len() as u64 == number(&tee, "written")).then_some(tee)
    });
    assert_eq!(number(&ended, "missed") + bytes.len() as u64, all.len() as u64);
    assert!(number(&ended, "missed") > 0);
    same("what was kept", &bytes[..1 << 20], &all[..1 << 20]);
}

#[test]
fn w40_block_makes_the_program_wait_for_its_file_and_a_dead_tee_holds_nobody() {
    let place = Place::new();
    let file = path(&place, "file");
    pipe(&place, "flood", "read x; seq 1 1000000; echo over; read y");
    let id = made(&place, &["flood", "--to", &text(&file), "--policy", "block"]);
    let helper = number(&wait_state(&place, &id, "running"), "pid") as u32;
    signal(helper, "STOP");
    place.ok(&["send", "flood", "go\n"]);
    let said = || place.session("flood")["output_bytes"].as_u64().expect("a number");
    wait_until("the ring is full", || said() == 64 << 10);
    // Also the next daemon holds the program back, from its first moment on.
    place.kill_daemon();
    place.run(&["screen", "flood"]);
    std::thread::park_timeout(Duration::from_millis(300));
    assert_eq!(said(), 64 << 10);
    signal(helper, "CONT");
    let wanted = [sequence(1_000_000), b"over\n".to_vec()].concat();
    wait_until("the file is whole", || number(&tee(&place, &id), "written") == wanted.len() as u64);
    same("the file", &read(&file), &wanted);
    assert_eq!(number(&tee(&place, &id), "missed"), 0);

    pipe(&place, "again", "read x; seq 1 1000000; exit 3");
    let file = path(&place, "again");
    let id = made(&place, &["again", "--to", &text(&file), "--policy", "block"]);
    let helper = number(&wait_state(&place, &id, "running"), "pid") as u32;
    signal(helper, "STOP");
    place.ok(&["send", "again", "go\n"]);
    wait_until("the ring is full", || place.session("again")["output_bytes"] == 64 << 10);
    kill(helper);
    assert_eq!(place.wait_end("again")["code"], 3);
    assert_eq!(tee(&place, &id)["state"], "failed");
}

#[test]
fn w42_binary_output_is_copied_byte_for_byte_with_no_marker_at_a_gap() {
    let place = Place::new();
    let (source, file) = (path(&place, "source"), path(&place, "file"));
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    std::fs::write(&source, &bytes).expect("a file");
    pipe(&place, "binary", &format!("read x; cat {}; read y", text(&source)));
    let id = made(&place, &["binary", "--to", &text(&file)]);
    let helper = number(&wait_state(&place, &id, "running"), "pid") as u32;
    signal(helper, "STOP");
    place.ok(&["send", "binary", "go\n"]);
    wait_until("all is said", || place.session("binary")["output_bytes"] == bytes.len());
    signal(helper, "CONT");
    wait_until("all is copied or missed", || {
        let tee = tee(&place, &id);
        number(&tee, "written") + number(&tee, "missed") == bytes.len() as u64
    });
    let missed = number(&tee(&place, &id), "missed") as usize;
    assert!(missed > 0);
    let copy = read(&file);
    // What was taken before it stood still, then what was still there: both as they were.
    let first = copy.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    same("what follows the gap", &copy[first..], &bytes[first + missed..]);
}

#[test]
fn w43_a_full_disk_is_shown_and_the_copy_goes_on_when_it_can() {
    let place = Place::new();
    pipe(&place, "says", "while read x; do echo $x; done");
    let id = made(&place, &["says", "--to", "/dev/full"]);
    place.ok(&["send", "says", "one\n"]);
    wait_until("the failure is shown", || tee(&place, &id)["errno"] == 28);
    assert_eq!(tee(&place, &id)["state"], "running");
    let shown = place.ok(&["tees"]);
    assert!(shown.contains("no space left on device"), "{shown}");
    assert_eq!(number(&tee(&place, &id), "written"), 0);

    // A FIFO whose reader leaves fails as a disk does, and works again when one comes.
    let queue = path(&place, "fifo");
    fifo(&queue);
    let open = || std::fs::File::options().read(true).write(true).open(&queue).expect("a FIFO");
    let reader = open();
    let second = made(&place, &["says", "--to", &text(&queue)]);
    wait_state(&place, &second, "running");
    drop(reader);
    place.ok(&["send", "says", "two\n"]);
    wait_until("the failure is shown", || tee(&place, &second)["errno"] == 32);
    let mut reader = open();
    place.ok(&["send", "says", "three\n"]);
    wait_until("what was said meanwhile is written", || number(&tee(&place, &second), "written") == 10);
    let mut bytes = [0; 10];
    reader.read_exact(&mut bytes).expect("it is there");
    assert_eq!(&bytes, b"two\nthree\n");
    wait_until("the failure is over", || tee(&place, &second)["errno"] == 0);

    place.ok(&["send", "says", "--eof"]);
    let failed = wait_state(&place, &id, "failed");
    assert_eq!((number(&failed, "missed"), number(&failed, "written")), (14, 0));
    wait_state(&place, &second, "done");
}

#[test]
fn w43_what_a_failed_tee_did_not_copy_is_counted_with_the_reason() {
    let place = Place::new();
    pipe(&place, "s", "while read x; do echo $x; done");
    let command = made(&place, &["s", "--to-command", "read x; exit 7"]);
    let full = made(&place, &["s", "--to", "/dev/full"]);
    let killed = made(&place, &["s", "--to", &text(&path(&place, "file"))]);
    let typed = made(&place, &["s", "--to", &text(&path(&place, "typed")), "--stream", "in"]);
    place.ok(&["send", "s", "one\n"]);
    wait_state(&place, &command, "failed");
    wait_until("the copies are made", || number(&tee(&place, &killed), "written") == 4);
    wait_until("the copies are made", || number(&tee(&place, &typed), "written") == 4);
    for id in [&killed, &typed] {
        kill(number(&tee(&place, id), "pid") as u32);
        wait_state(&place, id, "failed");
    }
    place.ok(&["send", "s", "three\n"]);
    wait_until("all is said", || place.session("s")["output_bytes"] == 10);
    let counts = |id: &str| ["written", "waiting", "missed"].map(|field| number(&tee(&place, id), field));
    wait_until("a full disk is waited for", || counts(&full) == [0, 10, 0]);
    // The next daemon knows the same.
    place.kill_daemon();
    assert_eq!(counts(&command), [4, 0, 6]);
    assert_eq!(counts(&killed), [4, 0, 6]);
    assert_eq!(counts(&typed), [4, 0, 6]);
    let shown = place.ok(&["tees"]);
    let row = |id: &str| shown.lines().find(|line| line.starts_with(id)).expect("a row").to_owned();
    assert!(row(&command).contains("failed (the command ended with 7)"), "{shown}");
    assert!(row(&full).contains("running (no space left on device)"), "{shown}");
    assert!(row(&killed).contains("failed (its process was ended by KILL)"), "{shown}");

    let removed = |id: &str| {
        let output = place.run(&["untee", id]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let said = |id: &str, rest: &str| (Some(91), format!("{id} {rest}"));
    assert_eq!(removed(&command), said(&command, "4 bytes written, 6 missed (the command ended with 7)"));
    assert_eq!(removed(&full), said(&full, "0 bytes written, 10 missed (no space left on device)"));
    assert_eq!(removed(&killed), said(&killed, "4 bytes written, 6 missed (its process was ended by KILL)"));
    let whole = made(&place, &["s", "--to-command", "cat; exit 3"]);
    let (code, said) = removed(&whole);
    assert_eq!((code, said), (Some(1), format!("{whole} 0 bytes written (the command ended with 3)")));
}

#[test]
fn two_tees_never_share_a_file_however_it_is_spelled() {
    let place = Place::new();
    pipe(&place, "s", "read x");
    let (file, folder) = (path(&place, "log"), path(&place, "also"));
    std::fs::write(&file, "kept\n").expect("a file");
    std::os::unix::fs::symlink(place.dir(), &folder).expect("a link");
    std::fs::hard_link(&file, path(&place, "hard")).expect("a hard link");
    let first = made(&place, &["s", "--to", &text(&file), "--max-size", "4K", "--keep", "3"]);
    let refused = |path: &str| {
        let (code, said) = place.fails(&["tee", "s", "--truncate", "--to", path]);
        assert!(code == 1 && said.contains(&format!("tee {first} of session s has that file")), "{path}: {said}");
        assert!(said.contains(&format!("`rpm untee {first}`")), "{said}");
    };
    let spelled = format!("{}/../also/log", text(&folder));
    refused(&text(&file));
    refused(&text(&folder.join("log")));
    refused(&text(&path(&place, "hard")));
    refused(&text(&path(&place, "log.3")));
    assert_eq!(place.run(&["tee", "s", "--to", &spelled]).status.code(), Some(1));
    place.kill_daemon();
    refused(&text(&file));
    std::fs::remove_file(&file).expect("a file");
    refused(&text(&file));
    assert_eq!(read(&path(&place, "hard")), b"kept\n", "refused, and emptied all the same");
    // Devices take from many, and a tee that is gone has no file.
    made(&place, &["s", "--to", "/dev/null"]);
    made(&place, &["s", "--to", "/dev/null"]);
    place.ok(&["untee", &first]);
    made(&place, &["s", "--to", &text(&file)]);
}

#[test]
fn a_file_that_was_renamed_or_deleted_is_begun_anew() {
    let place = Place::new();
    pipe(&place, "s", "while read x; do echo $x; done");
    let folder = path(&place, "logs");
    std::fs::create_dir(&folder).expect("a folder");
    let (file, old) = (folder.join("log"), folder.join("log.old"));
    let id = made(&place, &["s", "--to", &text(&file)]);
    let says = |word: &str| drop(place.ok(&["send", "s", &format!("{word}\n")]));
    says("one");
    wait_until("it is copied", || read(&file) == b"one\n");
    std::fs::rename(&file, &old).expect("renamed");
    says("two");
    wait_until("a new file has what came after", || read(&file) == b"two\n");
    assert_eq!(read(&old), b"one\n");
    std::fs::remove_file(&file).expect("deleted");
    says("three");
    wait_until("a new file has what came after", || read(&file) == b"three\n");
    wait_until("it is told", || number(&tee(&place, &id), "reopened") == 2);

    // Without its folder there can be none: that is shown, and what is said waits.
    std::fs::remove_dir_all(&folder).expect("deleted");
    says("four");
    wait_until("it is shown", || tee(&place, &id)["errno"] == 2);
    assert_eq!((number(&tee(&place, &id), "written"), number(&tee(&place, &id), "waiting")), (14, 5));
    std::fs::create_dir(&folder).expect("a folder");
    wait_until("a new file has what came meanwhile", || read(&file) == b"four\n");
    let done = wait_state(&place, &id, "running");
    assert_eq!((number(&done, "missed"), number(&done, "written")), (0, 19));
}

#[test]
fn w44_files_are_rotated_within_their_budget_and_together_are_what_was_said() {
    let place = Place::new();
    let file = path(&place, "log");
    pipe(&place, "lines", "read x; seq 1 20000");
    let id = made(&place, &["lines", "--to", &text(&file), "--max-size", "4K", "--keep", "1000"]);
    place.ok(&["send", "lines", "go\n"]);
    let done = wait_state(&place, &id, "done");
    let rotated = number(&done, "rotated");
    let mut all = Vec::new();
    for n in (1..=rotated).rev() {
        let bytes = read(&path(&place, &format!("log.{n}")));
        assert!(bytes.len() <= 4096 && bytes.ends_with(b"\n"), "log.{n}");
        all.extend(bytes);
    }
    all.extend(read(&file));
    same("all files", &all, &sequence(20_000));

    let few = path(&place, "few");
    pipe(&place, "more", "read x; seq 1 20000");
    let id = made(&place, &["more", "--to", &text(&few), "--max-size", "4K", "--keep", "2"]);
    place.ok(&["send", "more", "go\n"]);
    wait_state(&place, &id, "done");
    let there = |n: u32| path(&place, &format!("few.{n}")).exists();
    assert!(there(1) && there(2) && !there(3));
}

#[test]
fn w44_lines_have_times_and_no_escape_sequences_when_that_is_asked_for() {
    let place = Place::new();
    let file = path(&place, "log");
    place.start("c", r"read x; printf '\033[31mred\033[0m\nplain\n'");
    let id = made(&place, &["c", "--to", &text(&file), "--timestamps", "--strip"]);
    place.ok(&["send", "c", "", "--enter"]);
    wait_state(&place, &id, "done");
    let lines = String::from_utf8(read(&file)).expect("text");
    // The terminal's echo of Enter is the first line.
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, words) in lines.iter().zip(["", "red", "plain"]) {
        let (time, rest) = line.split_once(' ').expect("a time");
        assert!(time.starts_with("20") && time.contains('T') && time.len() >= 26, "{line}");
        assert_eq!(rest, words);
    }
}

#[test]
fn w46_the_file_is_for_its_owner_alone_and_a_symbolic_link_is_refused() {
    let place = Place::new();
    pipe(&place, "s", "read x");
    let file = path(&place, "file");
    made(&place, &["s", "--to", &text(&file)]);
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    let link = path(&place, "link");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    let (code, said) = place.fails(&["tee", "s", "--to", &text(&link)]);
    assert!(code == 1 && said.contains("symbolic link"), "{said}");
}

#[test]
fn what_cannot_be_copied_to_is_refused_with_a_sentence() {
    let place = Place::new();
    pipe(&place, "s", "read x");
    place.start("terminal", "read x");
    place.start("gone", "echo word");
    place.wait_end("gone");
    let queue = path(&place, "fifo");
    fifo(&queue);
    let ask = |args: &[&str], code: i32, word: &str| {
        let (is, said) = place.fails(&[&["tee"], args].concat());
        assert!(is == code && said.contains(word) && said.lines().count() <= 3, "{args:?}: {is}: {said}");
    };
    let file = text(&path(&place, "file"));
    ask(&["s", "--to", &text(place.dir())], 1, "directory");
    ask(&["s", "--to", &text(&queue)], 1, "nobody reads it");
    ask(&["s", "--to", "/nonexistent/x"], 1, "folder does not exist");
    ask(&["s", "--to", "/proc/x"], 1, "cannot copy to");
    ask(&["s", "--to", ""], 2, "nowhere");
    ask(&["s", "--to-command", ""], 2, "nowhere");
    ask(&["nothing", "--to", &file], 66, "nothing");
    ask(&["terminal", "--to", &file, "--stream", "err"], 2, "one stream");
    ask(&["gone", "--to", &file], 1, "has ended");
    ask(&["gone", "--to", &file, "--stream", "in"], 1, "has ended");
    ask(&["s", "--to", &file, "--from", "99"], 2, "no byte 99");
    ask(&["s", "--to", &file, "--max-size", "1"], 2, "1K");
    ask(&["s", "--to", &file, "--max-size", "17179869184G"], 2, "out of range");
    ask(&["s", "--to", &file, "--max-size", "8589934592G"], 2, "cannot be rotated");
    ask(&["s", "--to", &file, "--max-size", "1K", "--keep", "0"], 2, "cannot be kept");
    ask(&["s", "--to", "/dev/null", "--max-size", "1K"], 2, "no ordinary file");
    ask(&["s", "--to", "/dev/null", "--policy", "block"], 2, "no ordinary file");
    ask(&["s", "--to-command", "cat", "--policy", "block"], 2, "`block` is for files");
    ask(&["s", "--to-command", "cat", "--max-size", "1K"], 2, "only files");
    ask(&["s", "--to", "fd:77"], 2, "not open");
    ask(&["s", "--to", "fd:x"], 2, "number");
    ask(&["s", "--to", "-", "--stream", "in"], 2, "input");
    ask(&["s", "--to", "-", "--policy", "block"], 2, "only written to");
    assert_eq!(place.run(&["tee", "s"]).status.code(), Some(2));
    assert_eq!(place.fails(&["untee", "7"]), (66, "rpm: there is no tee 7\n  try: `rpm tees` lists them\n".to_owned()));
    assert_eq!(tees(&place), [] as [Value; 0]);
    assert_eq!(place.session("s")["state"], "running");
    // Only an unwritable folder of somebody else would tell more; root may write anywhere.
    assert!(!path(&place, "file").exists());
}

#[test]
fn an_ended_session_is_copied_as_far_as_memory_holds_it() {
    let place = Place::new();
    let file = path(&place, "file");
    place.start("gone", "echo word");
    place.wait_end("gone");
    std::fs::write(&file, "before\n").expect("a file");
    let id = made(&place, &["gone", "--to", &text(&file), "--from", "start"]);
    wait_state(&place, &id, "done");
    assert_eq!(read(&file), b"before\nword\r\n");
    let id = made(&place, &["gone", "--to", &text(&file), "--from", "1", "--truncate"]);
    wait_state(&place, &id, "done");
    assert_eq!(read(&file), b"ord\r\n");
}

#[test]
fn a_command_that_ends_early_is_shown_with_its_code() {
    let place = Place::new();
    pipe(&place, "s", "while read x; do echo $x; done");
    let id = made(&place, &["s", "--to-command", "read x; exit 7"]);
    place.ok(&["send", "s", "one\n"]);
    let failed = wait_state(&place, &id, "failed");
    assert_eq!(failed["code"], 7);
    assert!(place.ok(&["tees"]).contains("the command ended with 7"));
    place.ok(&["send", "s", "two\n"]);
    assert_eq!(place.session("s")["state"], "running");
    assert_eq!(place.run(&["untee", &id]).status.code(), Some(91));
}

#[test]
fn a_command_has_the_clients_place_and_is_no_member_of_the_session() {
    let place = Place::new();
    pipe(&place, "s", "read x; sleep 1000");
    let output = place
        .command(RPM)
        .args(["tee", "s", "--to-command", "pwd > where; echo $WORD$RUNPM_SESSION >> where; cat"])
        .current_dir(place.dir())
        .env("WORD", "word")
        .env("RUNPM_SESSION", "somewhere")
        .output()
        .expect("rpm runs");
    assert!(output.status.success());
    let wanted = format!("{}\nword\n", text(place.dir()));
    wait_until("it runs", || read(&path(&place, "where")) == wanted.as_bytes());
    let helper = helpers(&place)[0];
    assert_eq!(place.ok(&["kill", "s"]), "s killed KILL\n");
    // It ended because its input did, not because the session's processes were killed.
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert_eq!(wait_state(&place, &id, "done")["code"], 0);
    wait_until("the helper is gone", || !lives(helper));
}

#[test]
fn what_is_typed_is_copied_as_it_was_written_also_after_a_kill_of_the_daemon() {
    let place = Place::new();
    let file = path(&place, "typed");
    pipe(&place, "s", "cat > /dev/null");
    let id = made(&place, &["s", "--to", &text(&file), "--stream", "in"]);
    place.ok(&["send", "s", "one\n"]);
    wait_until("it is copied", || read(&file) == b"one\n");
    place.kill_daemon();
    place.ok(&["send", "s", "two\n", "--eof"]);
    place.wait_end("s");
    let done = wait_state(&place, &id, "done");
    assert_eq!((number(&done, "written"), number(&done, "missed")), (8, 0));
    assert_eq!(read(&file), b"one\ntwo\n");
}

#[test]
fn standard_output_and_descriptors_get_every_byte_across_kills() {
    let place = Place::new();
    let script = "read x; seq 1 400000; echo wrong >&2";
    // All of it stays in memory: nobody says when both have begun to read.
    place.ok(&["run", "-d", "--pipe", "--history", "8M", "--name", "flood", "--", "sh", "-c", script]);
    let file = path(&place, "third");
    let follow =
        |script: String| place.command("sh").args(["-c", &script, RPM]).stdout(Stdio::piped()).spawn().expect("sh");
    let out = follow("exec \"$0\" tee flood --to - --from start --stream out".to_owned());
    let third = follow(format!("exec \"$0\" tee flood --to fd:3 --from start --stream out 3> {}", text(&file)));
    let reader = std::thread::spawn(move || out.wait_with_output());
    place.ok(&["send", "flood", "go\n"]);
    for _ in 0..4 {
        place.kill_daemon();
    }
    let output = reader.join().expect("no panic").expect("a child");
    assert!(output.status.success());
    same("standard output", &output.stdout, &sequence(400_000));
    assert!(third.wait_with_output().expect("a child").status.success());
    same("descriptor 3", &read(&file), &sequence(400_000));
}

#[test]
fn shutdown_leaves_no_tee_also_none_whose_command_never_reads() {
    let place = Place::new();
    pipe(&place, "s", "seq 1 100000; read x");
    let file = path(&place, "file");
    made(&place, &["s", "--to", &text(&file)]);
    made(&place, &["s", "--to-command", "sleep 1000", "--from", "start"]);
    wait_until("both run", || helpers(&place).len() == 2);
    place.ok(&["shutdown", "--grace", "200ms"]);
    assert_eq!(helpers(&place), [] as [u32; 0]);
    wait_until("nothing is left", || inhabitants(place.dir()).is_empty());
}

#[test]
fn a_forgotten_session_ends_its_tees() {
    let place = Place::new();
    place.start("s", "echo word");
    place.wait_end("s");
    let id = made(&place, &["s", "--to-command", "sleep 1000", "--from", "start"]);
    assert_ne!(tee(&place, &id)["state"], "done");
    place.ok(&["rm", "s"]);
    wait_until("it is gone", || tees(&place).is_empty() && helpers(&place).is_empty());
}

#[test]
fn a_tee_that_hangs_is_removed_all_the_same() {
    let place = Place::new();
    pipe(&place, "s", "read x");
    let id = made(&place, &["s", "--to", &text(&path(&place, "file"))]);
    let helper = number(&wait_state(&place, &id, "running"), "pid") as u32;
    signal(helper, "STOP");
    assert_eq!(place.run(&["untee", &id]).status.code(), Some(1), "it had to be killed");
    assert!(!lives(helper) && tees(&place).is_empty());
}

#[test]
fn k11_an_idle_tee_does_not_wake() {
    let place = Place::new();
    pipe(&place, "s", "echo up; read x");
    let file = path(&place, "file");
    made(&place, &["s", "--to", &text(&file), "--from", "start"]);
    made(&place, &["s", "--to-command", "cat"]);
    made(&place, &["s", "--to", &text(&path(&place, "in")), "--stream", "in"]);
    wait_until("they run", || tees(&place).iter().all(|tee| tee["state"] == "running") && read(&file) == b"up\n");
    let pids = [helpers(&place), vec![place.keeper_pid(), place.daemon_pid()]].concat();
    assert_eq!(pids.len(), 5);
    wait_idle(&pids);
}

#[test]
fn the_history_can_be_polled_piece_by_piece() {
    let place = Place::new();
    pipe(&place, "s", "seq 1 50000; read x; echo e >&2; exit 4");
    wait_until("all is said", || place.session("s")["output_bytes"] == sequence(50_000).len());
    place.ok(&["send", "s", "x\n"]);
    place.wait_end("s");
    let mut client = place.connect();
    let mut ask = |from, limit, stream| client.call(&verbs::Read { target: "s".into(), from, limit, stream });
    let all = [sequence(50_000), b"e\n".to_vec()].concat();
    let first = ask(0, 1000, None).expect("an answer");
    assert_eq!((first.at, first.missed), (first.head - (64 << 10), first.head - (64 << 10)));
    assert!(first.bytes.len() == 1000 && first.ended.is_none() && first.head == all.len() as u64);
    let mut bytes = first.bytes.to_vec();
    let mut next = first.next;
    let end = loop {
        let piece = ask(next, 10_000, None).expect("an answer");
        assert_eq!((piece.at, piece.missed), (next, 0));
        bytes.extend_from_slice(&piece.bytes);
        next = piece.next;
        if let Some(end) = piece.ended {
            break end;
        }
    };
    assert_eq!(end.status, Some(ExitStatus::Code(4)));
    same("what was polled", &bytes, &all[first.at as usize..]);
    let errors = ask(first.at, 0, Some(Stream::Err)).expect("an answer");
    assert_eq!((errors.bytes.as_slice(), errors.next), (&b"e\n"[..], all.len() as u64));
    assert!(ask(u64::MAX, 0, None).is_err());
}

#[test]
fn a_repeated_request_makes_one_tee_and_removes_one_also_across_a_kill() {
    let place = Place::new();
    pipe(&place, "s", "read x");
    let file = path(&place, "file");
    std::fs::write(&file, "kept").expect("a file");
    let target = Target::File(ByteBuf::from(text(&file).into_bytes()));
    let spec = TeeSpec { target, truncate: true, ..TeeSpec::default() };
    let tee = verbs::Tee { key: RequestKey(5), target: "s".into(), spec, ..verbs::Tee::default() };
    place.arm("teed-unanswered");
    assert!(place.connect().call(&tee).is_err());
    wait_until("it died", || place.has_fired());
    std::fs::write(&file, "what came after").expect("a file");
    let again = [0; 2].map(|_| place.connect().call(&tee).expect("made").id);
    assert_eq!(again[0], again[1]);
    assert_eq!(tees(&place).len(), 1);
    assert_eq!(read(&file), b"what came after", "it was emptied twice");

    let untee = verbs::Untee { key: RequestKey(6), ids: vec![again[0]], targets: Vec::new() };
    assert_eq!(place.connect().call(&untee).expect("removed").tees.len(), 1);
    place.kill_daemon();
    let answer = place.connect().call(&untee).expect("removed");
    assert_eq!((answer.tees.len(), answer.errors.len()), (0, 0));
}
