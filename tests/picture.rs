//! The picture in the README is a run of the program, not a drawing.
//!
//! `RUNPM_BLESS=1 cargo test --test picture` writes `assets/dashboard.svg` anew; without it the same run is only looked at.

mod support;

use std::path::Path;

use runpm::term::Frame;
use runpm::term::Mirror;
use runpm::term::Size;
use runpm::term::render;
use support::Place;

const ROWS: u16 = 28;
const COLS: u16 = 110;

#[test]
fn the_dashboard_shows_list_details_and_the_live_pane() {
    let place = Place::new();
    let start = |name: &str, script: &str| {
        place.ok(&["run", "-d", "--name", name, "--cwd", "/usr", "--", "sh", "-c", script]);
    };
    start("tests", "echo 'running 3 tests'; echo 'test parses ... ok'; echo 'test fails ... FAILED'; exit 101");
    start("db", "echo 'ready to accept connections'; sleep 1000");
    let log = r"printf '\033[2m12:00:%02d\033[0m \033[32mGET\033[0m /item/%d \033[1m200\033[0m\n' $n $((n*7))";
    start("web", &format!("n=10; while [ $n -lt 32 ]; do {log}; n=$((n+1)); done; sleep 1000"));
    place.wait_end("tests");
    place.wait_screen("web", "12:00:31");
    let mut terminal = place.terminal_of(ROWS, COLS, &["tui"]);
    terminal.wait_text("exited 101");
    terminal.type_in("G\r");
    terminal.wait_text("typing");
    terminal.wait_text("12:00:31");

    let picture = terminal.with_screen(svg);

    if std::env::var_os("RUNPM_BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/dashboard.svg");
        std::fs::write(path, &picture).expect("a file");
    }
    terminal.type_in("\x02d");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.wait_text("2 sessions keep running");
}

/// Draws a terminal with what `rpm screen --svg` draws with.
fn svg(screen: &vt100::Screen) -> String {
    let frame = Frame {
        size: Size::clamped(ROWS, COLS),
        bytes: screen.contents_formatted().into_bytes(),
        full: true,
        ..Frame::default()
    };
    let mut mirror = Mirror::new();
    mirror.apply(&frame);
    render::svg(&mirror, "rpm tui")
}
