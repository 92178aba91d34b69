//! What any program of a command line owes: machine output, quiet pipes, help. Criteria 33, 34 and 36 of `docs/ux.md`.

use std::process::Stdio;

use serde_json::Value;

use crate::support::Place;
use crate::support::RPM;

#[test]
fn ux33_every_reading_command_gives_one_versioned_document_and_nothing_else() {
    let place = Place::new();
    place.start("web", "echo hello; sleep 1000");
    place.wait_screen("web", "hello");
    let pid = place.session("web")["pid"].to_string();
    let reading: [&[&str]; 9] = [
        &["ls"],
        &["procs"],
        &["procs", "web"],
        &["orphans"],
        &["tree", &pid],
        &["tees"],
        &["describe", "web"],
        &["screen", "web"],
        &["daemon", "status"],
    ];
    for args in reading {
        let text = place.ok(&[args, &["--json"]].concat());
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error} in {text}"));
        assert!(document["version"].is_number(), "{args:?} has no version: {text}");
    }
}

#[test]
fn ux34_without_a_terminal_there_are_no_colours_and_a_closed_pipe_ends_in_silence() {
    let place = Place::new();
    place.start("web", "printf '\\033[31mred\\033[m\\n'; sleep 1000");
    place.wait_screen("web", "red");
    for args in [&["ls"][..], &["procs"], &["describe", "web"], &["--help"]] {
        assert!(!place.ok(args).contains('\u{1b}'), "{args:?}");
    }
    for args in [&["ls"][..], &["procs"], &["logs", "web"], &["--help"]] {
        let mut command = place.command(RPM);
        let mut child = command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rpm runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn ux36_a_wrong_word_names_the_nearest_and_rpm_alone_never_waits() {
    let place = Place::new();
    let (code, said) = place.fails(&["lss"]);
    assert!(code == 2 && said.contains("'ls'"), "{code} {said}");
    let mut command = place.command(RPM);
    let output = command.stdin(Stdio::null()).output().expect("it ends");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("rpm ls") || said.contains("Usage"), "{said}");
}

#[test]
fn procs_of_named_sessions_are_of_those_alone_and_a_wrong_name_is_said() {
    let place = Place::new();
    place.start("web", "sleep 1000");
    place.start("db", "sleep 1000");
    let rows: Value = serde_json::from_str(&place.ok(&["procs", "web", "--json"])).expect("JSON");
    let rows = rows["processes"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["session"].as_str()).collect();
    assert_eq!(names, ["web"]);
    let (code, said) = place.fails(&["procs", "wbe"]);
    assert!(code == 66 && said.contains("did you mean web?"), "{said}");
}
