//! Each view as it is drawn at three sizes, with and without colours.
//!
//! `RUNPM_BLESS=1 cargo test snapshots` writes `tests/fixtures/tui` anew. Under each picture stand the looks of its rows: what is not
//! plain, from column to column. Without colours what is left of them are the words in `mono`.

use std::fmt::Write as _;
use std::path::Path;

use ratatui::style::Color;
use ratatui::style::Modifier;

use super::*;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 12)];

/// A view: its name, the theme, and how to get there.
type View = (&'static str, &'static str, fn(&mut Driver));

const VIEWS: [View; 17] = [
    ("empty", "terminal", |driver| {
        for id in 1..=4 {
            driver.tell(Msg::Removed(SessionId(id)));
        }
    }),
    ("list", "terminal", |_| {}),
    ("list-dark", "dark", |_| {}),
    ("wide-list", "terminal", |driver| {
        driver.keys("w");
    }),
    ("filter", "terminal", |driver| {
        driver.keys("/ w e");
    }),
    ("filter-nothing", "terminal", |driver| {
        driver.keys("/ z z");
    }),
    ("groups", "terminal", |driver| {
        driver.keys("o");
    }),
    ("typing", "terminal", |driver| {
        driver.keys("Enter");
        driver.take();
    }),
    ("panes", "terminal", |driver| {
        driver.keys("C-b % C-b \" C-b s j");
        driver.attach();
    }),
    ("grid", "terminal", |driver| {
        driver.keys("v");
    }),
    ("palette", "terminal", |driver| {
        driver.keys(": s p l");
    }),
    ("help", "terminal", |driver| {
        driver.keys("?");
    }),
    ("form", "terminal", |driver| {
        driver.keys("n l s");
    }),
    ("details", "terminal", |driver| {
        driver.keys("G i");
    }),
    ("stop", "terminal", |driver| {
        driver.keys("x");
    }),
    ("kill-light", "light", |driver| {
        driver.keys("X");
    }),
    ("lost", "terminal", |driver| {
        driver.tell(Msg::Lost("the connection was closed".into()));
        driver.later(1000);
        driver.tell(Msg::Tick);
    }),
];

fn driver_at(theme: &str, cols: u16, rows: u16) -> Driver {
    let mut options = Options::default();
    options.settings.tui.theme = theme.to_owned();
    let mut driver = Driver::new(options, cols, rows);
    let mut stopping = session(3, "a-long-name-of-a-session");
    stopping.state = State::Stopping { kill_at_ms: driver.now.wall_ms + 4000 };
    stopping.tags = vec!["ci".into()];
    let all = vec![session(1, "web"), session(2, "worker"), stopping, ended(session(4, "db"), 3)];
    driver.answer(Ask::Subscribe, Answer::Listing(all));
    driver.attach();
    driver.frame(Size::clamped(20, 60), "$ make\r\n\u{1b}[32mok\u{1b}[m 漢字 \u{1b}[1mbold\u{1b}[m\r\n$ ".as_bytes());
    let bell = verbs::Happened { seq: 1, at_ms: 1, id: SessionId(2), name: "worker".into(), what: verbs::What::Bell };
    driver.tell(Msg::Happened(Box::new(bell)));
    driver.tell(Msg::Waiting(vec![(SessionId(3), true)]));
    // The message goes, the mark stays.
    driver.later(7000);
    driver.now.wall_ms -= 7000;
    driver.tell(Msg::Tick);
    driver
}

fn color(color: Color) -> String {
    match color {
        Color::Reset => "-".to_owned(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn words(modifier: Modifier) -> String {
    modifier.iter_names().map(|(name, _)| format!(" {}", name.to_lowercase())).collect()
}

/// Returns the looks of a row in runs: `0-9 green on - bold`.
fn looks(buffer: &Buffer, y: u16) -> String {
    let look = |x: u16| {
        let cell = &buffer[(x, y)];
        (cell.fg, cell.bg, cell.modifier)
    };
    let (mut text, mut x) = (String::new(), 0);
    while x < buffer.area.width {
        let (fg, bg, modifier) = look(x);
        let end = (x..buffer.area.width).find(|at| look(*at) != (fg, bg, modifier)).unwrap_or(buffer.area.width);
        if (fg, bg, modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
            let _ = write!(text, " {x}-{}:{} on {}{}", end - 1, color(fg), color(bg), words(modifier));
        }
        x = end;
    }
    text
}

/// Returns what is left of the looks without colours.
fn mono(buffer: &Buffer, y: u16) -> String {
    let look = |x: u16| buffer[(x, y)].modifier;
    let (mut text, mut x) = (String::new(), 0);
    while x < buffer.area.width {
        let modifier = look(x);
        let end = (x..buffer.area.width).find(|at| look(*at) != modifier).unwrap_or(buffer.area.width);
        if !modifier.is_empty() {
            let _ = write!(text, " {x}-{}:{}", end - 1, words(modifier).trim_start());
        }
        x = end;
    }
    text
}

/// Dates are local: they are the same everywhere in length only.
fn without_dates(text: &str) -> String {
    let date = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d").expect("a pattern");
    date.replace_all(text, "YYYY-MM-DDThh:mm:ss+hh:mm").into_owned()
}

fn snapshot(view: &View, cols: u16, rows: u16) -> String {
    let mut driver = driver_at(view.1, cols, rows);
    (view.2)(&mut driver);
    let mut buffer = Buffer::empty(Rect::new(0, 0, cols, rows));
    view::render(&driver.app, &mut buffer);
    let mut text = format!("=== {} {cols}x{rows}\n", view.0);
    text += &without_dates(&driver.screen(cols, rows));
    for (title, looks) in [("colours", looks as fn(&Buffer, u16) -> String), ("mono", mono)] {
        let _ = writeln!(text, "--- {title}");
        for y in 0..rows {
            let row = looks(&buffer, y);
            if !row.is_empty() {
                let _ = writeln!(text, "{y}:{row}");
            }
        }
    }
    text
}

#[test]
fn ux18_snapshots_of_every_view_at_three_sizes_with_and_without_colours() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tui");
    let is_blessing = std::env::var_os("RUNPM_BLESS").is_some();
    let mut faults = Vec::new();
    for view in &VIEWS {
        let text: String = SIZES.iter().map(|(cols, rows)| snapshot(view, *cols, *rows)).collect();
        let path = folder.join(format!("{}.txt", view.0));
        if is_blessing {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &text).expect("a file");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some((is, was)) =
            text.lines().zip(kept.lines().chain(std::iter::repeat("(nothing)"))).find(|(a, b)| a != b)
        {
            faults.push(format!("{}: now\n  {is}\nwas\n  {was}", view.0));
        }
    }
    assert!(faults.is_empty(), "RUNPM_BLESS=1 takes them over\n{}", faults.join("\n"));
}

#[test]
fn ux18_without_colours_the_selected_row_what_is_typed_into_and_what_is_grave_can_be_told() {
    for view in VIEWS.iter().filter(|view| ["list", "typing", "kill-light"].contains(&view.0)) {
        let text = snapshot(view, 80, 24);
        let mono = text.split("--- mono\n").nth(1).expect("a part");
        let word = if view.0 == "list" { "reversed" } else { "bold" };
        assert!(mono.contains(word), "{}: {mono}", view.0);
    }
}
