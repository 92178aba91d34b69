//! Driving a program from a script: keys as its terminal sends them, waits that cannot match the past and survive the daemon.

use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Place;
use crate::support::RPM;
use crate::support::skip;
use crate::support::wait_until;

/// A program that shows what it is typed and nothing else.
const SHOW: &str = "stty raw -echo; printf ready; exec cat -v";
/// A program that answers every line with `done` and its number.
const ANSWER: &str = "n=0; while echo done $n; read line; do n=$((n+1)); done";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Runs a wait; returns its code and its JSON.
fn waits(place: &Place, args: &[&str]) -> (i32, Value) {
    let output = place.run(&[args, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.stdout.is_empty(), "{args:?}: {said}");
    (output.status.code().unwrap_or(-1), json(&String::from_utf8_lossy(&output.stdout))["wait"].take())
}

fn begin(place: &Place, args: &[&str]) -> Child {
    place.command(RPM).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("rpm runs")
}

/// Waits until so many clients are connected beside the one that asks.
fn wait_clients(place: &Place, count: u64) {
    wait_until("the client is connected", || place.daemon()["clients"].as_u64() > Some(count));
}

fn finish(child: Child) -> (i32, String) {
    let output = child.wait_with_output().expect("a child");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn keys_and_pastes_are_encoded_by_the_modes_the_program_set() {
    let place = Place::new();
    place.start("plain", SHOW);
    place.wait_screen("plain", "ready");
    place.ok(&["send", "plain", "--keys", "Up C-c M-x F5 'a b' 0x01", "--enter"]);
    place.wait_screen("plain", "^[[A^C^[x^[[15~a b^A^M");
    place.ok(&["send", "plain", "--paste", "one\ntwo"]);
    place.wait_screen("plain", "one^Mtwo");

    place.start("modes", &format!("printf '\\033[?1h\\033=\\033[?2004h'; {SHOW}"));
    place.wait_screen("modes", "ready");
    place.ok(&["send", "modes", "--keys", "Up KP5"]);
    place.wait_screen("modes", "^[OA^[Ou");
    place.ok(&["send", "modes", "--paste", "x\n\u{1b}[201~y", "--enter"]);
    place.wait_screen("modes", "^[[200~x^My^[[201~^M");
    // The next daemon knows the modes as well, though nobody has looked at the session since.
    place.kill_daemon();
    place.ok(&["send", "modes", "--keys", "Down"]);
    place.wait_screen("modes", "^[OB");
}

#[test]
fn p18_an_interrupt_is_a_key_and_reaches_the_foreground_job() {
    let place = Place::new();
    place.start("job", "trap 'echo interrupted; exit 4' INT; echo ready; while :; do sleep 0.05; done");
    place.ok(&["wait", "job", "--for", "text=ready", "--since", "start"]);
    let (code, waited) = waits(&place, &["send", "job", "--keys", "C-c", "--wait", "^\\^?C?interrupted$"]);
    assert_eq!((code, &waited["result"]), (0, &"matched".into()), "{waited}");
    assert_eq!(place.wait_end("job")["code"], 4);
}

#[test]
fn pipes_take_characters_and_refuse_keys() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "p", "--", "cat"]);
    place.ok(&["send", "p", "--keys", "'a b' Enter"]);
    place.ok(&["send", "p", "c", "--enter"]);
    place.ok(&["wait", "p", "--for", "count=2", "--since", "start"]);
    assert_eq!(place.ok(&["logs", "p"]), "a b\nc\n");
    let (code, said) = place.fails(&["send", "p", "--keys", "C-c"]);
    assert_eq!(code, 2);
    assert!(said.contains("C-c at column 1") && said.contains("pipes"), "{said}");
}

#[test]
fn a_wait_says_what_came_and_what_did_not_by_its_code() {
    let place = Place::new();
    place.start("s", "stty -echo; echo port 8080; while read line; do [ $line = bye ] && exit 7; echo $line; done");

    let (code, waited) = waits(&place, &["wait", "s", "--for", r"text=port (\d+)", "--since", "start"]);
    assert_eq!((code, &waited["captures"][0], &waited["text"]), (0, &"8080".into(), &"port 8080".into()), "{waited}");
    assert_eq!(waited["screen"][0], "port 8080");
    let offset = waited["offset"].as_u64().expect("an offset").to_string();

    // The next wait goes on behind the match, and cannot see it again.
    let again = ["wait", "s", "--for", "text=8080", "--since", &offset, "--timeout", "100ms"];
    assert_eq!(waits(&place, &again).0, 92);
    assert_eq!(waits(&place, &["wait", "s", "--for", "idle=50ms"]).1["matched"], "idle");
    let (code, waited) = waits(&place, &["wait", "s", "--for", "ready", "--timeout", "20s"]);
    assert_eq!((code, &waited["by"]), (0, &"quiet".into()), "{waited}");
    assert_eq!(waits(&place, &["wait", "s", "--screen", "--for", "text=^port 8080$"]).0, 0);
    assert_eq!(place.ok(&["wait", "s", "--for", r"text=\d+", "--since", "start"]), "8080\n");

    let ended = begin(&place, &["wait", "s", "--for", "exit"]);
    let first = begin(&place, &["wait", "s", "--for", "text=never", "--for", "count=2"]);
    let lines = begin(&place, &["wait", "s", "--for", "count=2"]);
    wait_clients(&place, 3);
    place.ok(&["send", "s", "one", "--enter"]);
    place.ok(&["send", "s", "two", "--enter"]);
    assert_eq!(finish(lines).0, 0);
    place.ok(&["send", "s", "bye", "--enter"]);
    assert_eq!(finish(ended), (0, "exited 7\n".to_owned()));
    assert_eq!(finish(first).0, 93);
    let (code, waited) = waits(&place, &["wait", "s", "--for", "text=never", "--since", "start"]);
    assert_eq!((code, &waited["result"], &waited["end"]["code"]), (93, &"ended".into(), &7.into()), "{waited}");
}

#[test]
fn a_prompt_that_its_shell_marks_is_readiness() {
    let place = Place::new();
    place.start("marked", r"printf '\033]133;A\007> \033]133;B\007'; read x; printf '\033]133;C\007'; read y");
    assert_eq!(waits(&place, &["wait", "marked", "--for", "ready"]).1["by"], "prompt");
    place.ok(&["send", "marked", "run", "--enter"]);
    place.wait_screen("marked", "> run");
    let (code, waited) = waits(&place, &["wait", "marked", "--for", "ready", "--timeout", "700ms"]);
    assert_eq!(code, 92, "a command runs: {waited}");
}

#[test]
fn k1_a_wait_survives_the_daemon_in_the_middle_of_its_match() {
    let place = Place::new();
    place.start("cut", "stty -echo; read x; printf 'the sec'; read y; echo ond half; read z; exit 3");
    let text = begin(&place, &["wait", "cut", "--for", "text=^the second (\\w+)$", "--json"]);
    let exit = begin(&place, &["wait", "cut", "--for", "exit"]);
    wait_clients(&place, 2);
    place.ok(&["send", "cut", "", "--enter"]);
    place.wait_screen("cut", "the sec");
    place.kill_daemon();
    wait_clients(&place, 2);
    place.ok(&["send", "cut", "", "--enter"]);
    let (code, said) = finish(text);
    assert_eq!((code, &json(&said)["wait"]["captures"][0]), (0, &"half".into()), "{said}");
    place.kill_daemon();
    place.ok(&["send", "cut", "", "--enter"]);
    assert_eq!(finish(exit), (0, "exited 3\n".to_owned()));
}

#[test]
fn typing_and_waiting_never_matches_what_was_there_before() {
    let place = Place::new();
    place.start("a", ANSWER);
    place.wait_screen("a", "done 0");
    for n in 1..6 {
        let (code, waited) = waits(&place, &["send", "a", "go", "--enter", "--wait", r"^done (\d+)$"]);
        assert_eq!((code, &waited["captures"][0]), (0, &n.to_string().into()), "{waited}");
        assert!(waited["offset"].as_u64() > waited["at"].as_u64());
    }
    let past = ["send", "a", "x", "--wait", "done", "--timeout", "200ms"];
    assert_eq!(waits(&place, &past).0, 92, "the screen is full of it");
    // What is typed comes back as an echo; it can be passed over.
    let echo = ["send", "a", "done", "--enter", "--wait", "done"];
    assert_eq!(waits(&place, &echo).1["text"], "done");
    place.wait_screen("a", "done 6");
    let (_, waited) = waits(&place, &["send", "a", "done 99", "--enter", "--wait", r"done \d+", "--after-echo"]);
    assert_eq!(waited["text"], "done 7", "{waited}");
}

#[test]
fn a_python_prompt_is_waited_for_and_not_the_line_that_echoes_the_command() {
    let found = Command::new("python3").args(["-c", ""]).status();
    if !found.is_ok_and(|status| status.success()) {
        skip("no python3 on the path");
        return;
    }
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "py", "--", "python3", "-q"]);
    place.ok(&["wait", "py", "--for", "text=^>>> $", "--since", "start"]);
    let mut offset = 0;
    for (command, answer) in [("print(6*7)", "42"), ("print('>>> ')", ">>> "), ("1+1", "2")] {
        let (code, waited) = waits(&place, &["send", "py", command, "--enter", "--wait", "^>>> $"]);
        assert_eq!(code, 0, "{waited}");
        offset = waited["at"].as_u64().expect("an offset");
        let rows: Vec<&str> = waited["screen"].as_array().expect("rows").iter().filter_map(Value::as_str).collect();
        assert!(rows.contains(&answer.trim_end()), "{rows:?}");
    }
    assert!(offset > 0);
}

#[test]
fn w96_waits_that_make_no_sense_are_refused_in_one_sentence() {
    let place = Place::new();
    place.start("s", "echo hello; cat");
    place.wait_screen("s", "hello");
    let table: [(&[&str], i32, &str); 13] = [
        (&["wait", "s", "--for", "text=a(b"], 2, "at column 2: unclosed group"),
        (&["wait", "s", "--for", "exti"], 2, "did you mean exit?"),
        (&["wait", "s", "--for", "idle=-5s"], 2, "is negative"),
        (&["wait", "s", "--for", "idle=4000d"], 2, "more than a year"),
        (&["wait", "s", "--for", "exit", "--timeout", "soon"], 2, "is no duration"),
        (&["wait", "s", "--for", "exit", "--for", "exit"], 2, "given twice"),
        (&["wait", "s", "--for", "exit", "--raw"], 2, "there is none"),
        (&["wait", "s", "--for", "exit", "--since", "99999"], 2, "was not said yet"),
        (&["wait", "s", "--for", "exit", "--since", "-1"], 2, "write now, start or an offset"),
        (&["wait", "nobody", "--for", "exit"], 66, "no session is called"),
        (&["send", "s", "--keys", "C-c Entre"], 2, "at column 5 names no key; did you mean Enter?"),
        (&["send", "s", "--keys", "C-Enter"], 2, "no bytes for"),
        (&["send", "s", "x", "--wait", "["], 2, "at column 1"),
    ];
    for (args, code, wanted) in table {
        let (is, said) = place.fails(args);
        assert_eq!(is, code, "{args:?}: {said}");
        assert!(said.contains(wanted), "{args:?}: {said}");
    }
    place.ok(&["kill", "s"]);
    let (code, said) = place.fails(&["send", "s", "--keys", "x", "--wait", "y"]);
    assert!(code == 1 && said.contains("has ended"), "{said}");
    assert_eq!(waits(&place, &["wait", "s", "--for", "idle=1h"]).0, 93);
}

#[test]
fn bytes_that_were_overwritten_unseen_are_a_gap_and_not_a_miss() {
    let place = Place::new();
    let script = "stty -echo; seq 1 50000; echo end; read x; echo begun; read y; seq 1 1000000; echo over; read z";
    place.ok(&["run", "-d", "--name", "big", "--history", "64K", "--", "sh", "-c", script]);
    place.ok(&["wait", "big", "--for", "text=^end$", "--since", "start"]);
    let (code, said) = place.fails(&["wait", "big", "--for", "text=x", "--since", "5"]);
    assert!(code == 2 && said.contains("was overwritten; the oldest in memory is"), "{said}");

    // Whoever types and waits follows before it types.
    let wait = begin(&place, &["send", "big", "", "--enter", "--wait", "^never$"]);
    place.wait_screen("big", "begun");
    crate::support::signal(wait.id(), "STOP");
    place.ok(&["send", "big", "", "--enter"]);
    place.wait_screen("big", "over");
    crate::support::signal(wait.id(), "CONT");
    assert_eq!(finish(wait).0, 91);
}
