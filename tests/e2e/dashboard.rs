//! The dashboard on real terminals: clipboards of programs, guesses, the editor, fewer frames.

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use crate::support::Outer;
use crate::support::Place;
use crate::support::RPM;
use crate::support::wait_until;

fn shows(terminal: &Outer, bytes: &str) -> bool {
    String::from_utf8_lossy(&terminal.raw()).contains(bytes)
}

#[test]
fn ux23_a_programs_clipboard_gets_to_who_types_through_attach_and_dashboard_and_to_nobody_else() {
    let place = Place::new();
    let script =
        r"stty -echo; while read x; do printf '\033]52;c;%s\007' $x; printf '\033]52;c;?\007'; echo did $x; done";
    place.start("clip", script);
    let mut attached = place.terminal(&["attach", "clip"]);
    wait_until("it is controlled", || place.session("clip")["attached"][0]["controls"] == true);
    let mut looking = place.terminal(&["attach", "--view", "clip"]);
    attached.type_in("Zm9v\r");
    attached.wait_text("did Zm9v");
    looking.wait_text("did Zm9v");
    assert!(shows(&attached, "\x1b]52;c;Zm9v\x07") && !shows(&looking, "\x1b]52;c;Zm9v"));
    attached.type_in("\x02d");
    attached.wait_exit();

    let mut dashboard = place.terminal_of(24, 120, &["tui"]);
    dashboard.wait_text("did Zm9v");
    dashboard.type_in("\r");
    dashboard.wait_text("typing");
    assert!(!shows(&dashboard, "\x1b]52;"), "what was said before is not done again");
    dashboard.type_in("YmFy\r");
    dashboard.wait_text("clip put 3 bytes on the clipboard.");
    wait_until("it gets out", || shows(&dashboard, "\x1b]52;c;YmFy\x07"));
    assert!(!shows(&dashboard, "\x1b]52;c;?"), "nothing asks what is there");
    looking.type_in("\x02d");
}

#[test]
fn what_probably_waits_for_input_is_marked_and_what_works_is_not() {
    let place = Place::new();
    place.start("asks", "printf 'sure? '; read x; sleep 1000");
    place.start("works", "echo working; sleep 1000");
    place.ok(&["run", "-d", "--name", "shell", "--", "sh"]);
    place.wait_screen("asks", "sure?");
    let mut terminal = place.terminal_of(24, 100, &["tui"]);
    terminal.wait_text("?asks");
    let text = terminal.text();
    assert!(!text.contains("?works") && !text.contains("?shell"), "{text}");
    place.ok(&["send", "asks", "yes", "--enter"]);
    terminal.wait("the mark goes", |screen| !screen.contents().contains("?asks"));
    terminal.type_in("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn ux26_the_settings_are_edited_from_the_dashboard_and_count_at_once() {
    let place = Place::new();
    let editor = place.dir().join("edit");
    std::fs::write(
        &editor,
        "#!/bin/sh\nstty -g > /dev/null && echo EDITING\nprintf '[keys.list]\\nhelp = \"F5\"\\n' > \"$2\"\n",
    )
    .expect("a file");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let mut command = portable_pty::CommandBuilder::new(RPM);
    command.arg("tui");
    command.env("RUNPM_DIR", place.dir());
    command.env("VISUAL", format!("{} -w", editor.display()));
    command.env("TERM", "xterm-256color");
    command.env_remove("RUNPM_SESSION");
    let mut terminal = Outer::spawn(command, 24, 100);
    terminal.wait_text("no sessions yet");
    terminal.type_in(":");
    terminal.wait_text("do or go to");
    terminal.type_in("edit-settings\r");
    terminal.wait_text("The settings were read again.");
    assert!(shows(&terminal, "EDITING"));
    assert_eq!(place.ok(&["config", "show"]), "[keys.list]\nhelp = \"F5\"\n");
    terminal.type_in("\x1b[15~");
    terminal.wait_text("In the list");
    terminal.type_in("qq");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn ux17_no_more_frames_are_drawn_than_settings_allow_and_keys_are_answered_at_once() {
    let place = Place::new();
    std::fs::write(place.dir().join("config.toml"), "[tui]\nframes = 5\n").expect("a file");
    // Each frame is larger than what needs brackets around it, so that they can be counted.
    place.start("flood", "od -An -v -w40 -tx1 /dev/urandom");
    let mut terminal = place.terminal_of(40, 120, &["tui"]);
    terminal.wait_text("flood ─ viewing");
    let frames = |terminal: &Outer| String::from_utf8_lossy(&terminal.raw()).matches("\x1b[?2026h").count();
    let (first, before) = (frames(&terminal), Instant::now());
    wait_until("ten frames", || frames(&terminal) >= first + 10);
    // Nine pauses of a fifth of a second; a flood without a limit makes ten frames in a sixth of one.
    assert!(before.elapsed().as_millis() >= 1500, "{:?}", before.elapsed());
    let before = Instant::now();
    terminal.type_in("?");
    terminal.wait_text("In the list");
    assert!(before.elapsed().as_millis() < 10_000, "{:?}", before.elapsed());
    terminal.type_in("qq");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn ux40_a_line_is_sent_and_a_session_restarted_from_the_list() {
    let place = Place::new();
    place.start("cat", "echo pid $$; cat");
    place.wait_screen("cat", "pid ");
    let mut terminal = place.terminal_of(24, 100, &["tui"]);
    terminal.wait_text("cat ─ viewing");
    terminal.type_in("sl");
    terminal.wait_text("a line for cat");
    terminal.type_in("hello there\r");
    terminal.wait_text("Typed into 1 session.");
    place.wait_screen("cat", "hello there\nhello there");
    let pid = place.session("cat")["pid"].clone();
    terminal.type_in("r");
    terminal.wait_text("Restart cat?");
    terminal.type_in("y");
    // For a moment there is no session of that name.
    terminal.wait_text("cat ━ typing");
    let session = place.session("cat");
    assert!(session["state"] == "running" && session["pid"] != pid, "{session}");
    terminal.type_in("\x02d");
    assert_eq!(terminal.wait_exit(), 0);
}
