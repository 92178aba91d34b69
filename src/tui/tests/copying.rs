//! Copy mode in the app: it is opened, waits for history, is left for where it was opened; what is copied goes to the clipboard.

use super::*;

fn history_of(driver: &mut Driver, effects: &[Effect], text: &str) {
    let asked = asks(effects).into_iter().find_map(|ask| match ask {
        Ask::History { channel, from, .. } => {
            Some((*channel, if let verbs::From::Offset(from) = from { *from } else { 0 }))
        }
        _ => None,
    });
    let (channel, at) = asked.expect("history is asked for");
    let bytes = text.replace('\n', "\r\n").into_bytes();
    driver.tell(Msg::Bulk(Bulk { channel, more: false, at, bytes }));
    driver.tell(Msg::Closed(verbs::Closed { channel, end: None }));
}

fn typing() -> Driver {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    driver.keys("Enter");
    driver.take();
    driver.frame(Size::clamped(37, 80), b"live");
    driver
}

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("line {n}\n")).collect()
}

#[test]
fn ux24_history_is_searched_and_copied_and_the_keyboard_goes_back() {
    let mut driver = typing();
    let opened = driver.keys("C-b [");
    let early = driver.keys("g g");
    assert!(typed(&early).is_empty());
    history_of(&mut driver, &opened, &lines(200));
    let screen = driver.screen(120, 40);
    assert!(screen.contains("line 0") && screen.contains("copy") && screen.contains("1/201"), "{screen}");

    driver.keys("/ l i n e Space 1 5 0 Enter");
    assert!(driver.screen(120, 40).contains("1 of 1 × line 150"), "{}", driver.screen(120, 40));
    let effects = driver.keys("v e e y");
    assert!(effects.contains(&Effect::Clipboard("line 150".into())), "{effects:?}");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("8 characters copied.") && screen.contains("live"), "{screen}");
    assert_eq!(typed(&driver.keys("x")), b"x");
    assert_eq!(typed(&driver.keys("C-b ]")), b"line 150");
}

#[test]
fn ux24_the_view_is_pinned_and_says_how_much_came() {
    let mut driver = typing();
    let opened = driver.keys("C-b [");
    history_of(&mut driver, &opened, &lines(100));
    driver.keys("C-u C-u");
    let before = driver.screen(120, 40);

    driver.later(600);
    let effects = driver.frame(Size::clamped(37, 80), b"more");
    history_of(&mut driver, &effects, &lines(7));
    let after = driver.screen(120, 40);
    assert!(after.contains("+7 new lines"), "{after}");
    assert_eq!(before.lines().nth(10), after.lines().nth(10));
    driver.keys("G");
    assert!(!driver.screen(120, 40).contains("new lines"));
    driver.keys("q");
    assert_eq!(driver.app.focus, Focus::Typing);
}

#[test]
fn counts_marks_and_characters_wait_for_their_keys() {
    let mut driver = typing();
    let opened = driver.keys("C-b [");
    history_of(&mut driver, &opened, &lines(100));
    driver.keys("g g 1 0 j m a 5 0 G f 9");
    let at =
        |driver: &Driver| driver.app.copying.as_ref().map(|copying| (copying.copy.cursor.row, copying.copy.cursor.col));
    assert_eq!(at(&driver), Some((49, 6)));
    driver.keys("' a");
    assert_eq!(at(&driver), Some((10, 0)));
    driver.keys("Esc");
    assert_eq!(driver.app.focus, Focus::Typing);
}

#[test]
fn ux22_the_wheel_opens_history_and_dragging_selects_and_copies() {
    let mut driver = typing();
    let mouse =
        |driver: &mut Driver, report: &str| driver.tell(Msg::Input(tokens(format!("\x1b[<{report}").as_bytes())));
    let opened = mouse(&mut driver, "64;60;10M");
    history_of(&mut driver, &opened, &lines(100));
    let row = driver.screen(120, 40).lines().position(|line| line.contains("line 80")).expect("a row") + 1;
    let column = driver.app.tiles()[0].pane.x + 1;
    mouse(&mut driver, &format!("0;{column};{row}M"));
    mouse(&mut driver, &format!("32;{};{row}M", column + 3));
    let effects = mouse(&mut driver, &format!("0;{};{row}m", column + 3));
    assert!(effects.contains(&Effect::Clipboard("line".into())), "{effects:?}");
    for _ in 0..20 {
        mouse(&mut driver, "65;60;10M");
    }
    assert_eq!(driver.app.focus, Focus::Typing, "the wheel at the end goes back to the live screen");
}

#[test]
fn k1_a_lost_daemon_leaves_copy_mode_where_it_was() {
    let mut driver = typing();
    let opened = driver.keys("C-b [");
    history_of(&mut driver, &opened, &lines(100));
    driver.keys("C-u");
    let before = driver.screen(120, 40);
    driver.tell(Msg::Lost("broken".into()));
    let back = driver.tell(Msg::Connected);
    assert!(asks(&back).iter().any(|ask| matches!(ask, Ask::History { from: verbs::From::Offset(_), .. })), "{back:?}");
    driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "web")]));
    assert_eq!(driver.screen(120, 40).lines().nth(10), before.lines().nth(10));
    assert_eq!(driver.app.focus, Focus::Copy);
}

#[test]
fn emacs_hands_have_their_own_table() {
    let mut settings = crate::config::Settings::default();
    settings.tui.copy_keys = "emacs".into();
    let mut driver = Driver::new(Options { settings, ..Options::default() }, 120, 40);
    driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "web")]));
    driver.attach();
    let opened = driver.keys("[");
    history_of(&mut driver, &opened, &lines(100));
    driver.keys("M-<");
    let effects = driver.keys("C-Space M-f M-f M-w");
    assert!(effects.contains(&Effect::Clipboard("line 0".into())), "{effects:?}");
}
