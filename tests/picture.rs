//! The pictures in README and manual are runs of the program, not drawings.
//!
//! `RUNPM_BLESS=1 cargo test --test picture` writes `assets/*.svg` anew; without it the same runs are only looked at.

mod support;

use std::path::Path;

use runpm::term::Frame;
use runpm::term::Mirror;
use runpm::term::Size;
use runpm::term::render;
use support::Outer;
use support::Place;

const ROWS: u16 = 28;
const COLS: u16 = 110;

/// Three sessions that look like work.
fn place() -> Place {
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
    place
}

/// Keeps what a terminal shows as a picture, if that was asked for.
fn keep(terminal: &Outer, name: &str) {
    let picture = terminal.with_screen(svg);
    if std::env::var_os("RUNPM_BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(format!("{name}.svg"));
        std::fs::write(path, &picture).expect("a file");
    }
}

#[test]
fn the_dashboard_shows_list_details_and_the_live_pane() {
    let place = place();
    let mut terminal = place.terminal_of(ROWS, COLS, &["tui"]);
    terminal.wait_text("exited 101");
    terminal.type_in("G\r");
    terminal.wait_text("typing");
    terminal.wait_text("12:00:31");

    keep(&terminal, "dashboard");
    terminal.type_in("\x02d");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.wait_text("2 sessions keep running");
}

#[test]
fn panes_history_palette_and_grid_look_as_in_the_manual() {
    let place = place();
    let mut terminal = place.terminal_of(ROWS, COLS, &["tui"]);
    terminal.wait_text("exited 101");
    terminal.type_in("*m");
    terminal.wait_text("ready to accept connections");
    terminal.wait_text("test parses ... ok");
    terminal.wait_text("12:00:31");
    keep(&terminal, "panes");

    terminal.type_in(":split");
    terminal.wait_text("split-down");
    keep(&terminal, "palette");
    terminal.type_in("\x1b");
    terminal.wait("the palette is gone", |screen| !screen.contents().contains("split-down"));

    terminal.type_in("v");
    terminal.wait_text("web  running");
    terminal.wait_text("GET /item/");
    keep(&terminal, "grid");
    terminal.type_in("v");
    terminal.wait_text("Enter type");

    terminal.type_in("G\x02!");
    terminal.wait_text("web ─ viewing");
    terminal.type_in("[");
    terminal.wait_text("23/23");
    terminal.type_in("?item/1[46]");
    terminal.wait_text("4 found");
    keep(&terminal, "history");
    terminal.type_in("\rq");
    terminal.wait_text("web ─ viewing");
    terminal.type_in("q");
    assert_eq!(terminal.wait_exit(), 0);
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
