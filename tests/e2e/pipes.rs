//! Pipe sessions: streams apart in one history, byte for byte, each with its own control.

use std::io::Write;
use std::process::Stdio;

use crate::support::Place;
use crate::support::RPM;
use crate::support::wait_until;

/// Starts a detached pipe session that runs a shell script.
fn start(place: &Place, name: &str, script: &str) {
    place.ok(&["run", "-d", "--pipe", "--name", name, "--", "sh", "-c", script]);
}

fn logs(place: &Place, args: &[&str]) -> String {
    place.ok(&[&["logs", "--raw"], args].concat())
}

#[test]
fn w35_output_and_errors_stay_apart_and_their_order_is_known() {
    let place = Place::new();
    let script = "echo one; sleep 0.01; echo two >&2; sleep 0.01; echo three";
    let output = place.run(&["run", "--pipe", "--name", "s", "--", "sh", "-c", script]);
    assert_eq!((&*output.stdout, &*output.stderr), (&b"one\nthree\n"[..], &b"two\n"[..]));
    assert_eq!(logs(&place, &["s"]), "one\ntwo\nthree\n");
    assert_eq!(logs(&place, &["--stream", "err", "s"]), "two\n");
    assert_eq!(logs(&place, &["--stream", "out", "s"]), "one\nthree\n");
}

#[test]
fn w36_merged_output_has_the_order_in_which_the_program_wrote() {
    let place = Place::new();
    let script = "i=0; while [ $i -lt 500 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done";
    place.ok(&["run", "-d", "--pipe", "--merge", "--name", "m", "--", "sh", "-c", script]);
    place.wait_end("m");
    let wanted: String = (0..500).map(|n| format!("o{n}\ne{n}\n")).collect();
    assert_eq!(logs(&place, &["m"]), wanted);
    assert_eq!(place.session("m")["merged"], true);
    for verb in ["attach", "logs"] {
        let (code, said) = place.fails(&[verb, "--stream", "err", "m"]);
        assert!(code == 2 && said.contains("--merge"), "{code} {said}");
    }
}

#[test]
fn w30_k6_bytes_are_what_the_program_wrote() {
    let place = Place::new();
    start(&place, "odd", r"printf 'a\n\n\nb\r\n\000\377\033[31mc'");
    place.wait_end("odd");
    let output = place.run(&["logs", "--raw", "odd"]);
    assert_eq!(output.stdout, b"a\n\n\nb\r\n\0\xff\x1b[31mc");
}

#[test]
fn w31_a_prompt_without_a_newline_is_shown_while_the_program_waits() {
    let place = Place::new();
    start(&place, "ask", "printf 'name? '; read name; echo hello $name");
    place.wait_screen("ask", "name?");
    place.ok(&["send", "ask", "ann\n"]);
    place.wait_screen("ask", "hello ann");
}

#[test]
fn w33_all_output_and_then_the_code() {
    let place = Place::new();
    let output = place.run(&["run", "--pipe", "--", "sh", "-c", "seq 1 100000 >&2; seq 1 100000; exit 9"]);
    let wanted: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    assert!(output.stdout == wanted.as_bytes() && output.stderr == wanted.as_bytes());
    assert_eq!(output.status.code(), Some(9));
}

#[test]
fn w38_what_a_grandchild_says_after_the_exit_is_kept() {
    let place = Place::new();
    let go = place.dir().join("go");
    let script = format!("(while [ ! -e {} ]; do sleep 0.02; done; echo late) & echo early; exit 3", go.display());
    start(&place, "g", &script);
    assert_eq!(place.wait_end("g")["code"], 3);
    std::fs::write(go, "").expect("a file");
    wait_until("the late word", || logs(&place, &["g"]) == "early\nlate\n");
}

#[test]
fn w37_input_after_its_end_is_a_clear_error() {
    let place = Place::new();
    start(&place, "s", "cat; echo read all; read never < /dev/zero");
    place.ok(&["send", "--eof", "s", "last\n"]);
    place.wait_screen("s", "read all");
    let (code, said) = place.fails(&["send", "s", "more"]);
    assert!(code == 1 && said.contains("takes no input any more"), "{code} {said}");
    place.ok(&["kill", "s"]);
    let (code, said) = place.fails(&["send", "s", "more"]);
    assert!(code == 1 && said.contains("has ended"), "{code} {said}");
}

#[test]
fn w39_arguments_and_environment_are_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let odd = OsStr::from_bytes(b"x\xff\xfey");
    let script = r#"printf '%s %s' "$1" "$ODD""#;
    let mut command = place.command(RPM);
    command.args(["run", "--pipe", "--", "sh", "-c", script, "sh"]).arg(odd).env("ODD", odd);
    assert_eq!(command.output().expect("rpm runs").stdout, b"x\xff\xfey x\xff\xfey");
}

/// A client of one stream whose input stays open.
fn on_stream(place: &Place, args: &[&str]) -> std::process::Child {
    let mut command = place.command(RPM);
    command.arg("attach").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("rpm runs")
}

fn attached_streams(place: &Place, name: &str) -> Vec<String> {
    let session = place.session(name);
    let attached = session["attached"].as_array().cloned().unwrap_or_default();
    let mut streams: Vec<String> =
        attached.iter().map(|client| format!("{} {}", client["stream"], client["controls"])).collect();
    streams.sort();
    streams
}

#[test]
fn streams_are_attached_to_viewed_and_stolen_apart_and_input_goes_with_output() {
    let place = Place::new();
    start(&place, "s", "while read line; do echo out $line; echo err $line >&2; done");
    let mut out = on_stream(&place, &["--stream", "out", "s"]);
    let err = on_stream(&place, &["--stream", "err", "s"]);
    wait_until("both", || attached_streams(&place, "s") == ["\"err\" true", "\"out\" true"]);
    let (code, said) = place.fails(&["attach", "--stream", "err", "s"]);
    assert!(code == 77 && said.contains("controlled by ann"), "{code} {said}");
    let view = on_stream(&place, &["--stream", "err", "--view", "s"]);
    wait_until("three", || attached_streams(&place, "s").len() == 3);

    let thief = on_stream(&place, &["--stream", "err", "--steal", "s"]);
    let robbed = err.wait_with_output().expect("a child");
    assert_eq!(robbed.status.code(), Some(90));
    assert!(String::from_utf8_lossy(&robbed.stderr).contains("taken over by ann"));
    out.stdin.as_mut().expect("piped").write_all(b"word\n").expect("it reads");
    wait_until("said", || logs(&place, &["--stream", "err", "s"]) == "err word\n");
    drop(out.stdin.take());
    place.ok(&["send", "--eof", "s"]);

    let texts = [out, thief, view].map(|child| {
        let output = child.wait_with_output().expect("a child");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    });
    assert_eq!(texts, ["out word\n", "err word\n", "err word\n"]);
}

#[test]
fn a_stream_of_a_terminal_is_refused_in_a_sentence() {
    let place = Place::new();
    place.start("t", "read x");
    for verb in ["attach", "logs"] {
        let (code, said) = place.fails(&[verb, "--stream", "out", "t"]);
        assert!(code == 2 && said.contains("has a terminal"), "{code} {said}");
    }
}

#[test]
fn a_terminal_keeps_its_lines_on_a_pipe_session_and_finds_its_way_out() {
    let place = Place::new();
    let mut terminal = place.terminal(&["run", "--pipe", "--name", "cat", "--", "cat", "-v"]);
    wait_until("attached", || !attached_streams_or_none(&place, "cat").is_empty());
    let before = terminal.modes();
    // The terminal's own line editing: a character is taken back, and the line arrives when Enter is typed.
    terminal.type_in("wrx\x7fong\r");
    terminal.wait("echo and answer", |screen| screen.contents().matches("wrong").count() == 2);
    terminal.type_in("\x02d");
    assert_eq!(terminal.wait_exit(), 0);
    assert_eq!(terminal.modes(), before);
    terminal.wait_text("detached");

    let mut terminal = place.terminal(&["attach", "cat"]);
    terminal.wait_text("wrong");
    terminal.type_in("\x04");
    assert_eq!(terminal.wait_exit(), 0);
    assert_eq!(place.wait_end("cat")["code"], 0);
}

fn attached_streams_or_none(place: &Place, name: &str) -> Vec<String> {
    if place.run(&["ls", name]).status.success() { attached_streams(place, name) } else { Vec::new() }
}

#[test]
fn the_interrupt_key_reaches_the_program_of_a_pipe_session() {
    let place = Place::new();
    let mut terminal = place.terminal(&["run", "--pipe", "--name", "s", "--", "sh", "-c", "echo up; exec sleep 1000"]);
    terminal.wait_text("up");
    terminal.type_in("\x03");
    assert_eq!(terminal.wait_exit(), 130);
    assert_eq!(place.wait_end("s")["signal"], "INT");
}

#[test]
fn k4_a_pipe_session_is_never_slowed_by_its_screen() {
    let place = Place::new();
    start(&place, "flood", "seq 1 3000000; echo over >&2; read x");
    place.wait_screen("flood", "over");
    let session = place.session("flood");
    assert_eq!(session["output_bytes"], 22_888_896 + 5);
}
