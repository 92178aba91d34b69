//! Completions, manual pages, colours, settings that are read again: what surrounds the dashboard.

use std::io::Write;
use std::process::Stdio;
use std::time::Instant;

use crate::support::Place;
use crate::support::RPM;
use crate::support::wait_until;

/// Presses Tab in a shell: runs its script with the words there would be.
fn bash_completes(place: &Place, words: &str) -> Vec<String> {
    let count = words.split(' ').count();
    let script = format!(
        "rpm() {{ '{RPM}' \"$@\"; }}; command() {{ shift; '{RPM}' \"$@\"; }}; eval \"$(rpm completions bash)\"; \
         COMP_WORDS=({words}); COMP_CWORD={}; _rpm; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        count - 1
    );
    let output = place.command("bash").args(["--norc", "-c", &script]).output().expect("bash runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn ux37_names_of_sessions_are_completed_with_their_state_and_no_daemon_is_started() {
    let place = Place::new();
    assert_eq!(place.ok(&["__complete", "--", "attach", ""]), "");
    assert_eq!(bash_completes(&place, "rpm conv"), ["convert"]);
    assert!(!place.run(&["daemon", "status"]).status.success(), "a daemon was started");
    place.start("web", "sleep 1000");
    place.start("worker", "exit 3");
    place.wait_end("worker");
    let before = Instant::now();
    assert_eq!(place.ok(&["__complete", "--", "attach", "w"]), "web\trunning\nworker\texited 3\n");
    // Thirty times what is promised: this only guards against waiting for somebody.
    assert!(before.elapsed().as_millis() < 3000, "{:?}", before.elapsed());
    assert_eq!(bash_completes(&place, "rpm stop web wo"), ["worker"]);
    assert_eq!(bash_completes(&place, "rpm tui --session we"), ["web"]);
}

#[test]
fn ux37_the_scripts_are_read_by_their_shells_and_say_the_name_that_was_used() {
    let place = Place::new();
    for (shell, check) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = place.ok(&["completions", shell]);
        assert!(script.contains("rpm __complete"), "{script}");
        let spawned = place.command(shell).args(check).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut child) = spawned else {
            // Not everybody has all three; where this is run for everybody, they are installed.
            println!("SKIPPED: {shell} is not here");
            continue;
        };
        child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let other = place.dir().join("runpm");
    std::os::unix::fs::symlink(RPM, &other).expect("a link");
    let output = place.command(other.to_str().expect("text")).args(["completions", "bash"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("complete -o default -F _runpm runpm"));
}

#[test]
fn ux37_there_is_a_page_for_the_program_and_for_every_command() {
    let place = Place::new();
    let page = place.ok(&["man"]);
    assert!(page.contains(".TH rpm 1") && page.contains("attach"), "{page}");
    let dir = place.dir().join("man");
    place.ok(&["man", "--dir", dir.to_str().expect("text")]);
    for name in ["rpm.1", "rpm-attach.1", "rpm-config-reload.1"] {
        let text = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        assert!(text.contains(".SH SYNOPSIS"), "{name}: {text}");
    }
}

#[test]
fn ux18_the_command_line_decides_about_colours_before_anything_else() {
    let place = Place::new();
    place.start("a", "echo needle");
    place.wait_end("a");
    let coloured = |args: &[&str], no_color: &str| {
        let mut command = place.command(RPM);
        let output = command.args(args).env("NO_COLOR", no_color).output().expect("rpm runs");
        String::from_utf8_lossy(&output.stdout).contains("\x1b[")
    };
    assert!(!coloured(&["grep", "needle"], ""), "a pipe has no colours");
    assert!(coloured(&["grep", "needle", "--color", "always"], "1"));
    assert!(coloured(&["--color=always", "grep", "needle"], ""));
    let mut terminal = place.terminal(&["grep", "needle", "--color", "never"]);
    terminal.wait_text("needle");
    terminal.wait_exit();
    assert!(!String::from_utf8_lossy(&terminal.raw()).contains("\x1b["));
}

#[test]
fn ux31_settings_are_read_again_by_daemon_and_dashboards_and_a_bad_file_changes_nothing() {
    let place = Place::new();
    let path = place.dir().join("config.toml");
    let write = |text: &str| std::fs::write(&path, text).expect("a file");
    let (code, said) = place.fails(&["config", "reload"]);
    assert!(code != 0 && said.contains("no daemon"), "{said}");
    place.start("a", "exit 0");
    place.wait_end("a");
    let mut terminal = place.terminal_of(24, 100, &["tui"]);
    terminal.wait_text("n new");

    write("[sessions]\nkeep_ended = 1\n[keys.list]\nhelp = \"F5\"\n");
    assert_eq!(place.ok(&["config", "reload"]), "the settings were read again\n");
    terminal.wait_text("The settings were read again.");
    terminal.type_in("\x1b[15~");
    terminal.wait_text("In the list");
    place.start("b", "exit 0");
    place.wait_end("b");
    wait_until("one is kept", || place.ok(&["ls"]).lines().filter(|line| line.contains("exited")).count() == 1);

    for bad in ["[sessions]\nkeep_ended = \"many\"\n", "[tui]\ntheme = \"none-such\"\n", "[[["] {
        write(bad);
        let (code, said) = place.fails(&["config", "reload"]);
        assert!(code == 1 && said.contains("left as they were"), "{bad}: {said}");
    }
    assert_eq!(place.daemon()["keep_ended"], 1);
    place.kill_daemon();
    terminal.type_in("qq");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn ux11_a_session_starts_again_in_its_place_or_beside_it() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "a", "--tag", "blue", "--cwd", "/usr", "--", "sh", "-c", "pwd; sleep 1000"]);
    let first = place.session("a");
    assert_eq!(place.ok(&["again", "a"]), "a\n");
    place.wait_screen("a", "/usr");
    let second = place.session("a");
    assert_ne!(first["pid"], second["pid"]);
    assert_eq!((&second["state"], &second["tags"][0]), (&"running".into(), &"blue".into()));
    let copy = place.ok(&["again", "a", "--copy"]);
    assert_ne!(copy.trim(), "a");
    assert_eq!(place.session("a")["pid"], second["pid"]);
    place.wait_screen(copy.trim(), "/usr");
    place.start("done", "exit 3");
    place.wait_end("done");
    place.ok(&["again", "done"]);
    let (code, said) = place.fails(&["again", "@none"]);
    assert!(code != 0 && said.contains("none"), "{said}");
}

#[test]
fn ux12_who_would_take_over_is_told_how_long_the_other_one_was_idle() {
    let place = Place::new();
    place.start("a", "cat");
    let mut first = place.terminal(&["attach", "a"]);
    wait_until("it is controlled", || place.session("a")["attached"][0]["controls"] == true);
    first.type_in("x");
    first.wait_text("x");
    let mut second = place.terminal(&["attach", "a"]);
    assert_eq!(second.wait_exit(), 77);
    let said = second.text();
    assert!(
        said.contains("controlled by ann on pts/") && (said.contains(", typing now") || said.contains(", idle for ")),
        "{said}"
    );
    let mut dashboard = place.terminal(&["tui"]);
    dashboard.wait_text("a ─ viewing");
    dashboard.type_in("\r");
    dashboard.wait_text("is controlled by ann");
    assert!(dashboard.text().contains("typing now") || dashboard.text().contains("idle for"), "{}", dashboard.text());
}

#[test]
fn ux42_an_export_to_a_file_says_that_it_may_hold_secrets_to_people_only() {
    let place = Place::new();
    place.start("a", "echo token-123");
    place.wait_end("a");
    let file = place.dir().join("a.txt");
    let args = ["export", "a", "--text", "-o", file.to_str().expect("text")];
    let output = place.run(&args);
    assert!(output.status.success() && output.stderr.is_empty(), "a script is told nothing");
    let mut terminal = place.terminal(&args);
    terminal.wait_text("passwords and keys");
    assert_eq!(terminal.wait_exit(), 0);
    assert!(std::fs::read_to_string(&file).expect("a file").contains("token-123"));
}
