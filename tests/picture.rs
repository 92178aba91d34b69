//! The picture in the README is a run of the program, not a drawing.
//!
//! `RUNPM_BLESS=1 cargo test --test picture` writes `assets/dashboard.svg` anew; without it the same run is only looked at.

mod support;

use std::fmt::Write;
use std::path::Path;

use support::Place;

const ROWS: u16 = 28;
const COLS: u16 = 110;
/// Size of a cell in the picture.
const CELL: (u16, u16) = (8, 17);

/// The sixteen colours, as a dark terminal has them.
const PALETTE: [&str; 16] = [
    "#1d2021", "#cc5555", "#7fa650", "#d0a040", "#5f87c7", "#a86fb0", "#56a0a0", "#c8c8c0", "#7c7c78", "#ef7a7a",
    "#a5cf70", "#f0c860", "#85acef", "#cf95d8", "#7fcccc", "#f5f5f0",
];

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

fn colour(colour: vt100::Color, default: &'static str) -> String {
    match colour {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Idx(n) => PALETTE.get(usize::from(n)).copied().unwrap_or(default).to_owned(),
        vt100::Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

/// Draws cells as rectangles and text.
fn svg(screen: &vt100::Screen) -> String {
    let (width, height) = (COLS * CELL.0 + 16, ROWS * CELL.1 + 16);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#16181a\"/>\n"
    );
    for row in 0..ROWS {
        for col in 0..COLS {
            if let Some(cell) = screen.cell(row, col) {
                draw(cell, row, col, &mut out);
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

fn draw(cell: &vt100::Cell, row: u16, col: u16, out: &mut String) {
    let (mut ink, mut paper) = (colour(cell.fgcolor(), "#d8d8d0"), colour(cell.bgcolor(), ""));
    if cell.inverse() {
        let behind = if paper.is_empty() { "#16181a".to_owned() } else { paper };
        (ink, paper) = (behind, ink);
    }
    let (x, y) = (8 + col * CELL.0, 8 + row * CELL.1);
    if !paper.is_empty() {
        let _ =
            writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{paper}\"/>", CELL.0, CELL.1);
    }
    let text = cell.contents().replace('&', "&amp;").replace('<', "&lt;");
    if !text.trim().is_empty() {
        let weight = if cell.bold() { " font-weight=\"bold\"" } else { "" };
        let fade = if cell.dim() { " opacity=\"0.6\"" } else { "" };
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{}\" fill=\"{ink}\"{weight}{fade}>{text}</text>", y + 13);
    }
}
