//! The examples under `docs/examples` do what they say.

mod support;

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use support::Place;
use support::RPM;
use support::wait_until;

/// Folder of the examples. `cargo test` builds them before this runs, `cargo test --test examples` does not.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().expect("a test");
        let profile = test.parent().and_then(Path::parent).expect("a folder of a profile");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--examples", "--target-dir"]).arg(profile.parent().expect("a target folder"));
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs").success());
        profile.join("examples")
    })
}

/// An example that talks to this place's daemon.
fn example(place: &Place, name: &str) -> Command {
    let mut command = place.command(built().join(name).to_str().expect("text"));
    command.env("RUNPM_BIN", RPM);
    command
}

fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn run_and_wait_prints_what_was_said_and_ends_with_the_programs_code() {
    let place = Place::new();
    let (code, out, err) =
        output(example(&place, "run_and_wait").args(["sh", "-c", "echo hello; echo oops >&2; exit 3"]));
    assert_eq!((code, out.contains("hello\n"), out.contains("oops\n")), (Some(3), true, true), "{err}");
    assert!(err.ends_with("exited 3\n"), "{err}");
}

#[test]
fn drive_a_shell_gets_an_answer_to_each_question() {
    let place = Place::new();
    let (code, out, err) = output(&mut example(&place, "drive_a_shell"));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, "echo $((6 * 7)) -> 42\npwd | wc -l -> 1\nfalse; echo $? -> 1\n");
    assert_eq!(place.ok(&["ls"]), "");
}

#[test]
fn watch_all_tells_each_change_once_also_across_a_kill() {
    let place = Place::new();
    place.start("old", "sleep 1000");
    let mut child = example(&place, "watch_all").arg("4").stdout(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (lines_tx, lines_rx) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.try_for_each(|line| lines_tx.send(line.expect("text")).map_err(drop)));
    // Changes that come together are one, so each is awaited.
    let says = |wanted: &str| assert_eq!(lines_rx.recv_timeout(Duration::from_secs(30)).as_deref(), Ok(wanted));
    says("old running");
    place.kill_daemon();
    place.start("new", "read x; exit 4");
    says("new running");
    place.ok(&["send", "new", "go", "--enter"]);
    says("new exited 4");
    place.ok(&["rm", "new"]);
    says("2 removed");
    assert!(child.wait().expect("it ends").success());
    assert!(lines_rx.recv_timeout(Duration::from_secs(30)).is_err(), "one line more");
}

#[test]
fn record_writes_every_byte_once_across_kills() {
    let place = Place::new();
    let script = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done; read x; echo over";
    place.ok(&["run", "-d", "--pipe", "--name", "talk", "--", "sh", "-c", script]);
    let file = place.dir().join("talk.log");
    let mut child = example(&place, "record").arg("talk").arg(&file).stdout(Stdio::null()).spawn().expect("it runs");
    let said = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_until("all so far is recorded", || said().ends_with("line 3000\n"));
    place.kill_daemon();
    place.kill_daemon();
    place.ok(&["send", "talk", "go\n"]);
    assert!(child.wait().expect("it ends").success());
    let wanted: String = (1..=3000).map(|n| format!("line {n}\n")).chain(["over\n".to_owned()]).collect();
    assert!(said() == wanted, "{} bytes, not {}", said().len(), wanted.len());
    // Once more: nothing is there to add.
    assert_eq!(output(example(&place, "record").arg("talk").arg(&file)).0, Some(0));
    assert_eq!(said().len(), wanted.len());
}

#[test]
fn stop_tree_ends_what_hides_and_says_what_is_left() {
    let place = Place::new();
    place.start("tree", "trap '' TERM HUP; setsid sleep 1000 & sleep 1000 & echo there; wait");
    place.wait_screen("tree", "there");
    let (code, out, err) = output(example(&place, "stop_tree").arg("tree"));
    assert_eq!((code, out.as_str()), (Some(0), "tree killed KILL, 0 processes left\n"), "{err}");
    let (code, _, err) = output(example(&place, "stop_tree").arg("nobody"));
    assert!(code != Some(0) && err.contains("nobody"), "{err}");
}

#[test]
fn every_example_is_short_listed_in_the_manifest_and_run_by_a_claim_here() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("text");
    let claims = include_str!("examples.rs");
    let mut count = 0;
    for entry in std::fs::read_dir(root.join("docs/examples")).expect("a folder").flatten() {
        // Sets of services lie beside the programs, each in a folder of its own.
        if entry.path().is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("text");
        let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(text.lines().count() <= 60 && text.starts_with("//! "), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"docs/examples/{name}.rs\"")), "{name}");
        assert!(claims.contains(&format!("fn {name}_")), "{name} has no claim");
        assert!(claims.contains(&format!("example(&place, \"{name}\")")), "{name} is not run");
        assert!(text.contains(&format!("`cargo run --example {name}")), "{name} does not say how it is run");
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn an_example_that_is_refused_says_a_sentence_and_what_to_do() {
    let place = Place::new();
    place.start("web", "sleep 1000");
    let (code, _, err) = output(example(&place, "run_and_wait").arg("/etc/passwd"));
    assert_eq!(code, Some(1));
    assert!(err.contains("(cannot-start)") && !err.contains("WireError"), "{err}");
    let (code, _, err) = output(example(&place, "stop_tree").arg("wbe"));
    assert_eq!(code, Some(1));
    assert!(err.contains("(no-such-session)\n  try: ") && !err.contains("WireError"), "{err}");
}
