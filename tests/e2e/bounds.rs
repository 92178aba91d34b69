//! What a peer may cost: requests, typed bytes, attachments; and what a command says when it cannot tell.

use std::fs::File;
use std::time::Duration;

use runpm::client::blocking::Connection;
use runpm::protocol::message::Verb;
use runpm::protocol::verbs;
use runpm::session::control::SHARERS;
use runpm::session::terminal::Terminal;
use serde_bytes::ByteBuf;

use crate::support::Place;
use crate::support::RPM;
use crate::support::wait_until;

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Sends a request so often and reads nothing, until the daemon takes no more or cuts the client off. Returns by how many
/// KiB the daemon grew, and whether everything was taken.
fn flood(place: &Place, times: usize, request: &impl Verb) -> (u64, bool) {
    let daemon = place.daemon_pid();
    let (mut client, mut other) = (place.connect(), place.connect());
    let ask = |other: &mut Connection| other.call(&verbs::DaemonStatus {}).expect("others are served");
    ask(&mut other);
    let before = resident_kib(daemon);
    for _ in 0..times {
        if client.post(request).is_err() {
            return (resident_kib(daemon).saturating_sub(before), false);
        }
    }
    // It has stopped reading when nothing moves while others were answered so often.
    let (mut unsent, mut still) = (usize::MAX, 0);
    while client.unsent() > 0 && still < 100 {
        ask(&mut other);
        still = if client.unsent() == unsent { still + 1 } else { 0 };
        unsent = client.unsent();
        if client.flush().is_err() {
            return (resident_kib(daemon).saturating_sub(before), false);
        }
    }
    for _ in 0..100 {
        ask(&mut other);
    }
    (resident_kib(daemon).saturating_sub(before), client.unsent() == 0)
}

#[test]
fn k4_requests_that_wait_and_answers_that_nobody_reads_cost_bounded_memory() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "deaf", "--", "sleep", "1000"]);
    let send = |len: usize| verbs::Send {
        target: "deaf".to_owned(),
        bytes: ByteBuf::from(vec![b'x'; len]),
        ..verbs::Send::default()
    };
    // Half a MiB each: four MiB wait for the program, the rest in the client's socket.
    let (grown, is_taken) = flood(&place, 200, &send(500_000));
    assert!(!is_taken && grown < 16 << 10, "100 MB of requests: {grown} KiB, all taken: {is_taken}");
    // Small ones: a MiB waits for the program, and 64 of them for room.
    let (grown, is_taken) = flood(&place, 50_000, &send(1000));
    assert!(!is_taken && grown < 8 << 10, "many small requests: {grown} KiB, all taken: {is_taken}");
    // Answered at once, and nobody reads the answers.
    let (grown, _) = flood(&place, 100_000, &verbs::List::default());
    assert!(grown < 32 << 10, "answers: {grown} KiB");
    assert_eq!(place.session("deaf")["state"], "running");
}

fn attach(target: &str, channel: u32, share: bool) -> verbs::Attach {
    let terminal = Some(Terminal::default());
    verbs::Attach { channel, target: target.to_owned(), share, terminal, ..verbs::Attach::default() }
}

fn is_cut_off(client: &mut Connection) -> bool {
    let _ = client.flush();
    loop {
        match client.receive_within(Some(Duration::from_millis(1))) {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

#[test]
fn k4_an_attachment_may_type_what_it_was_allowed_and_who_types_more_is_cut_off() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "deaf", "--", "sh", "-c", "stty raw -echo; echo up; exec sleep 1000"]);
    place.wait_screen("deaf", "up");
    let mut honest = place.connect();
    honest.call(&attach("deaf", 7, true)).expect("attached");
    honest.input(7, &vec![b'x'; 64 << 10]).expect("sent");
    honest.call(&verbs::DaemonStatus {}).expect("what was allowed is taken");
    assert!(!is_cut_off(&mut honest));

    let mut greedy = place.connect();
    greedy.call(&attach("deaf", 7, true)).expect("attached");
    // The terminal takes some before it is full, and gives credit for it: four times as much is more than both.
    // It may be cut off while it still writes.
    let _ = greedy.input(7, &vec![b'x'; 256 << 10]);
    wait_until("it is cut off", || is_cut_off(&mut greedy));
    assert!(!is_cut_off(&mut honest));
    assert_eq!(place.session("deaf")["state"], "running");
}

#[test]
fn k4_sharers_and_attachments_beyond_their_number_are_refused_with_a_sentence() {
    let place = Place::new();
    place.start("s", "sleep 1000");
    let mut sharers: Vec<Connection> = (0..SHARERS).map(|_| place.connect()).collect();
    for sharer in &mut sharers {
        sharer.call(&attach("s", 1, true)).expect("one more");
    }
    let mut late = place.connect();
    let refused = late.call(&attach("s", 1, true)).expect_err("one too many");
    assert!(refused.to_string().contains("16 clients share control of session s already"), "{refused}");
    assert_eq!(refused.code(), "controlled");
    assert_eq!(refused.hint().as_deref(), Some("add --view to watch"));
    drop(sharers);
    wait_until("they are gone", || late.call(&attach("s", 2, true)).is_ok());

    let mut many = place.connect();
    for channel in 0..256 {
        many.call(&verbs::Attach { view: true, ..attach("s", channel, false) }).expect("one more");
    }
    let refused = many.call(&verbs::Attach { view: true, ..attach("s", 256, false) }).expect_err("one too many");
    assert!(refused.to_string().contains("one connection may have 256 attachments"), "{refused}");
    let refused = many.call(&verbs::Watch { channel: 256, target: "s".into(), ..verbs::Watch::default() });
    assert_eq!(refused.expect_err("one too many").code(), "invalid");
    // One that leaves makes room.
    many.call(&verbs::Detach { channel: 9 }).expect("left");
    many.call(&verbs::Attach { view: true, ..attach("s", 256, false) }).expect("room");
}

#[test]
fn a_wait_from_the_start_sees_what_was_there_when_it_began_although_the_ring_moves() {
    let place = Place::new();
    let script = "yes 'a line that is there at any time'";
    place.ok(&["run", "-d", "--pipe", "--history", "64K", "--name", "fast", "--", "sh", "-c", script]);
    wait_until("the ring moves", || place.session("fast")["oldest_byte"].as_u64() > Some(1 << 20));
    for n in 0..20 {
        let output = place.run(&["wait", "fast", "--since", "start", "--for", "text=at any time$", "--timeout", "20s"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{n}: {said}");
    }
}

/// Every command that prints something, where there is a session with a tee, one that ended, and a registered process.
fn commands() -> Vec<&'static [&'static str]> {
    vec![
        &["--help"],
        &["ls"],
        &["ls", "--json"],
        &["describe"],
        &["describe", "run", "--json"],
        &["logs", "gone"],
        &["logs", "gone", "--raw"],
        &["logs", "gone", "--json"],
        &["logs", "gone", "run"],
        &["grep", "word"],
        &["grep", "word", "--json"],
        &["grep", "-c", "word"],
        &["screen", "gone"],
        &["screen", "gone", "--svg"],
        &["screen", "gone", "--json"],
        &["export", "gone", "--asciicast"],
        &["export", "gone", "--text"],
        &["tee", "gone", "--to", "-", "--from", "start"],
        &["tees"],
        &["tees", "--json"],
        &["wait", "gone", "--for", "exit"],
        &["wait", "gone", "--for", "exit", "--json"],
        &["send", "run", "x", "--json"],
        &["events", "--since", "0"],
        &["events", "--since", "0", "--json"],
        &["procs"],
        &["procs", "--json"],
        &["tree", "1"],
        &["tree", "1", "--json"],
        &["orphans", "--json"],
        &["register", "1", "--json"],
        &["daemon", "status"],
        &["daemon", "status", "--json"],
        &["daemon", "start"],
        &["daemon", "logs"],
        &["config", "path"],
        &["config", "show", "--effective"],
        &["config", "check"],
        &["doctor"],
        &["doctor", "--json"],
        &["run", "-d", "--name", "more", "--", "sleep", "1000"],
        &["run", "-d", "--name", "most", "--json", "--", "sleep", "1000"],
        &["signal", "WINCH", "run", "--json"],
        &["untee", "run"],
        &["stop", "more"],
        &["kill", "most", "--json"],
        &["rm", "more"],
        &["purge"],
        &["shutdown"],
    ]
}

#[test]
fn w96_output_that_cannot_be_written_is_one_sentence_and_a_failure_for_every_command() {
    let place = Place::new();
    place.start("run", "read x; sleep 1000");
    place.start("gone", "echo word; echo word");
    place.wait_end("gone");
    place.ok(&["tee", "run", "--to", &place.dir().join("copy").display().to_string()]);
    for args in commands() {
        let full = File::options().write(true).open("/dev/full").expect("a full device");
        let output = place.command(RPM).args(args).stdout(full).output().expect("rpm runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // What belongs to another user is refused before anything is printed.
        if args[0] == "register" && output.status.code() != Some(0) && said.contains("another user") {
            continue;
        }
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        let sentences = said.lines().filter(|line| line.starts_with("rpm: cannot write")).count();
        assert_eq!(sentences, 1, "{args:?}: {said}");
    }
}

#[test]
fn w96_an_error_in_json_is_exactly_one_document_with_its_sentence_beside_it() {
    let place = Place::new();
    place.start("run", "sleep 1000");
    let missing = place.dir().join("missing").display().to_string();
    let table: [(&[&str], &str); 19] = [
        (&["ls", "nobody", "--json"], "no-such-session"),
        (&["describe", "nobody", "--json"], "no-such-session"),
        (&["logs", "nobody", "--json"], "no-such-session"),
        (&["grep", "x", "nobody", "--json"], "no-such-session"),
        (&["grep", "(", "--json"], "invalid"),
        (&["screen", "nobody", "--json"], "no-such-session"),
        (&["send", "nobody", "x", "--json"], "no-such-session"),
        (&["wait", "nobody", "--for", "exit", "--json"], "no-such-session"),
        (&["events", "nobody", "--json"], "no-such-session"),
        (&["tee", "nobody", "--to", "/tmp/x", "--json"], "no-such-session"),
        (&["tees", "nobody", "--json"], "no-such-session"),
        (&["untee", "nobody", "--json"], "no-such-session"),
        (&["stop", "nobody", "--json"], "no-such-session"),
        (&["rm", "nobody", "--json"], "no-such-session"),
        (&["signal", "INT", "nobody", "--json"], "no-such-session"),
        (&["run", "-d", "--json", "--", "no-such-command-x"], "command-not-found"),
        (&["run", "--detach-fully", "--json", "--", "no-such-command-x"], "command-not-found"),
        (&["config", "check", &missing, "--json"], "failed"),
        (&["stop", "--json"], "invalid"),
    ];
    for (args, code) in table {
        let output = place.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{args:?} printed {:?}", String::from_utf8_lossy(&output.stdout)));
        assert_eq!((&document["version"], &document["error"]["code"]), (&1.into(), &code.into()), "{args:?}");
        let message = document["error"]["message"].as_str().expect("a sentence");
        assert!(!output.status.success() && said.contains(message), "{args:?}: {said}");
    }
    // Of several, what was wrong with each is in the document of all.
    let one_document = |args: &[&str]| -> serde_json::Value {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(66), "{args:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args:?}: more or less than a document"))
    };
    for verb in [&["stop", "--grace", "100ms"][..], &["kill"], &["signal", "INT"], &["rm"], &["purge"]] {
        let document = one_document(&[verb, &["run", "nobody", "--json"]].concat());
        let outcomes = document["outcomes"].as_array().expect("results");
        assert_eq!(outcomes.len(), 2, "{verb:?}: {document}");
        let last = outcomes.last().expect("the one that is missing");
        assert_eq!((&last["name"], &last["id"]), (&"nobody".into(), &serde_json::Value::Null));
        assert_eq!(last["error"]["code"], "no-such-session");
    }
    place.start("run", "sleep 1000");
    let document = one_document(&["ls", "run", "nobody", "--json"]);
    assert_eq!(
        (&document["sessions"][0]["name"], &document["errors"][0]["code"]),
        (&"run".into(), &"no-such-session".into())
    );
    let document = one_document(&["untee", "99", "nobody", "--json"]);
    assert_eq!(document["errors"].as_array().map(Vec::len), Some(2), "{document}");
}
