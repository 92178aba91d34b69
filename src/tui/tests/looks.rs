//! What the dashboard looks like, at every size, without colours.
//!
//! Rendered into buffers; the last test asks for nothing but that no size panics.

use super::*;

fn driver() -> Driver {
    let mut web = session(1, "web");
    web.title = Some("\u{202e}evil\u{7}title".into());
    let mut stopping = session(3, "a-very-long-name-of-a-session");
    stopping.state = State::Stopping { kill_at_ms: 1_700_000_004_000 };
    let mut driver = Driver::dashboard(vec![web, ended(session(2, "db"), 3), stopping]);
    driver.frame(Size::default(), "hello \u{1b}[1m漢字\u{1b}[m world\r\n$ ".as_bytes());
    driver
}

#[test]
fn ux13_list_and_pane_are_both_useful_at_80_by_24() {
    let mut driver = driver();
    driver.tell(Msg::Resized(Screen { cols: 80, rows: 24 }));
    let screen = driver.screen(80, 24);
    for part in [
        "> web",
        "running",
        "exited 3",
        "stopping 4",
        "hello 漢字 world",
        "viewing",
        "Enter type",
        "1 running · 1 stopping · 1 failed",
    ] {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
    assert!(!screen.contains('\u{202e}') && screen.contains("eviltitle"), "{screen}");
}

#[test]
fn ux13_all_columns_fit_at_120_by_40() {
    let screen = driver().screen(120, 40);
    for part in ["state", "age", "web --serve", "/srv", "pid", "hello 漢字 world", "80x24"] {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
}

#[test]
fn ux13_one_of_both_is_shown_at_40_by_12() {
    let mut driver = driver();
    driver.tell(Msg::Resized(Screen { cols: 40, rows: 12 }));
    let list = driver.screen(40, 12);
    assert!(list.contains("> web") && !list.contains("hello"), "{list}");
    driver.keys("Enter");
    driver.take();
    let pane = driver.screen(40, 12);
    assert!(
        !pane.contains("> web") && pane.contains("hello") && pane.contains("typing") && pane.contains("C-b"),
        "{pane}"
    );
    driver.keys("C-b s");
    assert_eq!(driver.screen(40, 12), list);
}

#[test]
fn ux13_too_small_says_what_is_needed() {
    let mut driver = driver();
    driver.tell(Msg::Resized(Screen { cols: 19, rows: 4 }));
    assert_eq!(driver.screen(19, 4), "rpm needs 20x5\ncells\n\n\n");
}

#[test]
fn ux3_what_has_the_keyboard_can_be_told_without_colours() {
    let mut driver = driver();
    let viewing = driver.screen(120, 40);
    assert!(viewing.contains("─ viewing ─"));
    assert_eq!(view::cursor(&driver.app), Some((0, 2)));
    driver.keys("Enter");
    driver.take();
    let typing = driver.screen(120, 40);
    assert!(typing.contains("━ typing ━") && typing.lines().last().is_some_and(|line| line.contains("C-b")));
    assert_eq!(view::cursor(&driver.app), Some((42, 3)));
    driver.keys("C-b ?");
    assert!(driver.screen(120, 40).contains("Every key but C-b goes to the program."));
}

#[test]
fn ux5_help_lists_every_action_of_the_place() {
    let mut driver = driver();
    driver.tell(Msg::Resized(Screen { cols: 120, rows: 60 }));
    driver.keys("?");
    let screen = driver.screen(120, 60);
    let here = action::all().filter(|action| action.bindings.iter().any(|binding| binding.context == Context::List));
    let mut seen = screen;
    for _ in 0..20 {
        driver.keys("PageDown");
        seen += &driver.screen(120, 60);
    }
    for action in here {
        assert!(seen.contains(&action.about[..20]), "{} is missing in\n{seen}", action.name);
    }
}

#[test]
fn ux14_a_session_larger_than_the_pane_is_cropped_around_its_cursor_and_says_so() {
    let mut driver = driver();
    driver.frame(Size::clamped(100, 200), b"corner\x1b[90;150Hhere");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("200x100, cropped") && screen.contains("here") && !screen.contains("corner"), "{screen}");
}

#[test]
fn ux14_whoever_only_looks_on_does_not_see_the_view_jump_after_a_cursor_that_is_passing() {
    let mut driver = driver();
    let size = Size::clamped(30, 200);
    driver.frame(size, b"corner\x1b[6;1H");
    driver.frame(size, b"corner\x1b[6;150Hpassing");
    assert!(driver.screen(120, 40).contains("corner"), "it draws");
    driver.frame(size, b"corner\x1b[6;1H");
    driver.frame(size, b"corner\x1b[6;150Hpassing");
    assert!(driver.screen(120, 40).contains("corner"), "it draws again");
    driver.frame(size, b"corner\x1b[6;150Hstays");
    assert!(driver.screen(120, 40).contains("stays"));
    driver.keys("Enter");
    driver.take();
    driver.frame(size, b"corner\x1b[6;1H");
    assert!(driver.screen(120, 40).contains("corner"));
    driver.frame(size, b"corner\x1b[6;150Htyped");
    assert!(driver.screen(120, 40).contains("typed"), "whoever types sees where");
}

#[test]
fn ux13_no_size_panics() {
    let mut driver = driver();
    driver.keys("?");
    let overlays = [None, driver.app.overlay.clone(), Some(Overlay::Offer { error: "x ".repeat(50) })];
    for cols in (1..=40).chain((41..=200).step_by(9)).chain([500]) {
        for rows in (1..=12).chain((13..=60).step_by(5)).chain([200]) {
            for (n, overlay) in overlays.iter().enumerate() {
                driver.app.overlay.clone_from(overlay);
                driver.app.focus = [Focus::List, Focus::View, Focus::Typing][n];
                driver.tell(Msg::Resized(Screen { cols, rows }));
                let mut buffer = Buffer::empty(Rect::new(0, 0, cols, rows));
                view::render(&driver.app, &mut buffer);
                let cursor = view::cursor(&driver.app);
                assert!(cursor.is_none_or(|(x, y)| x < cols && y < rows), "{cursor:?} at {cols}x{rows}");
            }
        }
    }
}
