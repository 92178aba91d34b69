//! The logs view: keys are typed, histories come, the screen is looked at.

use super::services::service;
use super::*;
use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::session::service::status::ServiceState;
use crate::tui::app::Span;

const SECOND_US: u64 = 1_000_000;

fn set() -> Driver {
    Driver::dashboard(vec![
        service(1, "web", ServiceState::Up),
        service(2, "worker", ServiceState::Up),
        session(3, "shell"),
    ])
}

/// Every question for a history: channel, session, part, stream.
fn read(effects: &[Effect]) -> Vec<(u32, u64, Span, Option<Stream>)> {
    asks(effects)
        .into_iter()
        .filter_map(|ask| match ask {
            Ask::Logs { channel, id, span, stream } => Some((*channel, id.0, *span, *stream)),
            _ => None,
        })
        .collect()
}

fn say(driver: &mut Driver, channel: u32, (at, second): (u64, u64), text: &str) -> Vec<Effect> {
    say_on(driver, channel, Stream::Out, (at, second), text)
}

fn say_on(driver: &mut Driver, channel: u32, stream: Stream, (at, second): (u64, u64), text: &str) -> Vec<Effect> {
    let bytes = text.as_bytes().to_vec();
    driver.tell(Msg::Log { channel, chunk: Chunk::Bytes { at, stream, time_us: second * SECOND_US, bytes } })
}

/// Opens the view of the first service with so many lines; the channel comes along.
fn opened(lines: u64) -> (Driver, u32) {
    let mut driver = set();
    let effects = driver.keys("f");
    let channel = read(&effects)[0].0;
    let text: String = (1..=lines).map(|n| format!("line {n}\n")).collect();
    say(&mut driver, channel, (5000, 1), &text);
    (driver, channel)
}

#[test]
fn logs_are_followed_from_the_last_lines_on_and_left_for_where_they_were_opened() {
    let mut driver = set();
    let effects = driver.keys("f");
    assert_eq!(read(&effects)[0].1, 1);
    assert_eq!(read(&effects)[0].2, Span::Last(2000));
    let channel = read(&effects)[0].0;
    assert!(driver.screen(120, 40).contains("Nothing was said so far"), "{}", driver.screen(120, 40));
    say(&mut driver, channel, (0, 1), "hello \u{1b}[31mred\u{1b}[m\tword\r\nnext\nhalf");
    let screen = driver.screen(120, 40);
    for part in ["─ logs web ─ following", "  hello red       word", "  next", "  half", "Space pause", "stdout alone"]
    {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
    let effects = driver.keys("q");
    assert_eq!(asks(&effects), [&Ask::Detach { channel }]);
    assert_eq!((driver.app.focus, driver.app.sessions.selected_id()), (Focus::List, Some(SessionId(1))));
    driver.keys("l");
    driver.keys("f");
    driver.keys("Esc");
    assert_eq!(driver.app.focus, Focus::View);
}

#[test]
fn several_are_shown_by_time_with_their_names_and_standard_error_has_a_mark() {
    let mut driver = set();
    let effects = driver.keys("Space Space f");
    let asked = read(&effects);
    assert_eq!(asked.iter().map(|(_, id, ..)| *id).collect::<Vec<_>>(), [1, 2]);
    let (web, worker) = (asked[0].0, asked[1].0);
    say(&mut driver, web, (0, 1), "one\n");
    say(&mut driver, web, (4, 3), "three\n");
    say_on(&mut driver, worker, Stream::Err, (0, 2), "two\n");
    let screen = driver.screen(120, 40);
    let lines: Vec<&str> = screen.lines().skip(2).take(3).map(str::trim_end).collect();
    assert_eq!(lines, ["web    │ one", "worker ! two", "web    │ three"], "{screen}");
    driver.keys("t");
    let screen = driver.screen(120, 40);
    assert!(screen.contains(".000 worker ! two"), "{screen}");
    for (cols, rows) in [(80, 24), (40, 12)] {
        driver.tell(Msg::Resized(Screen { cols, rows }));
        let screen = driver.screen(cols, rows);
        assert!(screen.contains("worker ! two") && screen.contains("following"), "{screen}");
    }
}

#[test]
fn ux24_a_paused_view_is_pinned_counts_what_comes_and_goes_on_at_the_end() {
    let (mut driver, channel) = opened(100);
    assert!(driver.screen(120, 40).contains("line 100"));
    driver.keys("k");
    let pinned = driver.screen(120, 40);
    assert!(pinned.contains("paused") && !pinned.contains("line 100"), "{pinned}");
    say(&mut driver, channel, (9000, 2), "more\nand more\n");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("+2 new lines") && screen.contains("line 99") && !screen.contains("and more"), "{screen}");
    driver.keys("G");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("and more") && screen.contains("following") && !screen.contains("new lines"), "{screen}");
    driver.keys("Space");
    assert!(driver.screen(120, 40).contains("and more") && driver.screen(120, 40).contains("paused"));
    driver.keys("PageUp PageDown PageDown");
    assert!(driver.screen(120, 40).contains("following"));
}

#[test]
fn older_lines_are_read_a_piece_at_a_time_when_somebody_goes_up_and_the_view_stays() {
    let mut driver = set();
    let effects = driver.keys("f");
    let channel = read(&effects)[0].0;
    let text: String = (1..=60).map(|n| format!("line {n}\n")).collect();
    say(&mut driver, channel, (400_000, 50), &text);
    let effects = driver.keys("PageUp");
    let [(older, 1, Span::Between(from, 400_000), None)] = read(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(from, 400_000 - (256 << 10));
    let before = driver.screen(120, 40);
    assert!(before.contains("line 1"), "{before}");
    // The piece begins and ends in the middle of lines.
    let effects = say(&mut driver, older, (from, 10), "rest of a line\nolder 1\nolder 2\nol");
    assert_eq!(read(&effects), []);
    let effects = driver.tell(Msg::Log { channel: older, chunk: Chunk::End(None) });
    assert_eq!(driver.screen(120, 40), before, "what is seen stays where it is");
    assert_eq!(read(&effects).len(), 1, "it is still near the top, so the next piece is read");
    driver.keys("PageUp");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("older 1") && screen.contains("older 2") && !screen.contains("rest of a line"), "{screen}");
    let (oldest, _, span, _) = read(&effects)[0];
    assert_eq!(span, Span::Between(0, from));
    say(&mut driver, oldest, (0, 5), "the very first\nthe ");
    driver.tell(Msg::Log { channel: oldest, chunk: Chunk::End(None) });
    let effects = driver.keys("g g");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("the very first") && screen.contains("the rest of a line"), "{screen}");
    assert_eq!(read(&effects), [], "there is nothing older");
}

#[test]
fn searching_goes_on_as_one_types_counts_and_can_be_taken_back() {
    let (mut driver, _) = opened(100);
    driver.keys("/ l i n e Space 1");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("/line 1  12 found"), "{screen}");
    driver.keys("Enter");
    assert!(driver.screen(120, 40).contains("12 of 12 × line 1"), "{}", driver.screen(120, 40));
    driver.keys("N");
    let screen = driver.screen(120, 40);
    assert!(
        screen.contains("11 of 12 × line 1") && screen.contains("line 19") && screen.contains("paused"),
        "{screen}"
    );
    driver.keys("n");
    assert!(driver.screen(120, 40).contains("12 of 12"));
    driver.keys("n");
    assert!(driver.screen(120, 40).contains("Nothing matches that way."));
    let before = driver.app.logs_view.as_ref().map(|view| view.logs.view());
    driver.keys("/ x x Esc");
    assert_eq!(driver.app.logs_view.as_ref().map(|view| view.logs.view()), before);
    // What is below the view only is found as well.
    driver.keys("g g / l i n e Space 9 9 Enter");
    assert!(driver.screen(120, 40).contains("1 of 1 × line 99"), "{}", driver.screen(120, 40));
    driver.keys("/ (");
    assert!(driver.screen(120, 40).contains("as text"));
}

#[test]
fn errors_are_gone_to_both_ways() {
    let (mut driver, channel) = opened(100);
    say(&mut driver, channel, (9000, 2), "Traceback of it\nfine\n2 tests FAILED\n");
    let more: String = (1..=100).map(|n| format!("after {n}\n")).collect();
    say(&mut driver, channel, (9500, 3), &more);
    driver.keys("e");
    assert!(driver.screen(120, 40).contains("2 tests FAILED"), "{}", driver.screen(120, 40));
    driver.keys("e");
    let at = |driver: &Driver| {
        let logs = &driver.app.logs_view.as_ref().expect("a view").logs;
        logs.at.map(|at| logs.lines()[at].text.clone()).unwrap_or_default()
    };
    assert_eq!(at(&driver), "Traceback of it");
    driver.keys("E");
    assert_eq!(at(&driver), "2 tests FAILED");
    driver.keys("E");
    assert!(driver.screen(120, 40).contains("No line that way looks like an error."));
}

#[test]
fn one_stream_alone_is_asked_for_anew_and_said_in_the_title() {
    let (mut driver, channel) = opened(10);
    let effects = driver.keys("s");
    assert!(asks(&effects).contains(&&Ask::Detach { channel }));
    assert_eq!(read(&effects)[0].3, Some(Stream::Out));
    let effects = driver.keys("s");
    assert_eq!(read(&effects)[0].3, Some(Stream::Err));
    let channel = read(&effects)[0].0;
    say_on(&mut driver, channel, Stream::Err, (7, 1), "broken\n");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("stderr only") && screen.contains("! broken") && !screen.contains("line 1"), "{screen}");
    assert_eq!(read(&driver.keys("s"))[0].3, None);
    let mut terminal = Driver::dashboard(vec![session(1, "shell")]);
    terminal.keys("f s");
    assert!(terminal.screen(120, 40).contains("A terminal has one stream"));
}

#[test]
fn long_lines_go_on_in_the_next_row_or_are_cut_and_scrolled() {
    let mut driver = set();
    let effects = driver.keys("f");
    let channel = read(&effects)[0].0;
    let long: String = (0..30).map(|n| format!("word{n:02} ")).collect();
    say(&mut driver, channel, (0, 1), &format!("{long}\nshort\n"));
    let screen = driver.screen(120, 40);
    assert!(screen.contains("word00") && screen.contains("word29"), "{screen}");
    driver.keys("w");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("word00") && !screen.contains("word29"), "{screen}");
    driver.keys("l l l l l l l l l l l l l l l l");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("word29") && !screen.contains("word00"), "{screen}");
}

#[test]
fn k1_a_lost_daemon_leaves_the_logs_where_they_were_and_goes_on_behind_the_last_byte() {
    let (mut driver, _) = opened(3);
    driver.tell(Msg::Lost("x".into()));
    let effects = driver.tell(Msg::Connected);
    let asked = read(&effects);
    assert_eq!(asked[0].2, Span::From(5000 + 21), "21 bytes were read");
    say(&mut driver, asked[0].0, (5021, 3), "line 4\n");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("line 3") && screen.contains("line 4"), "{screen}");
}

#[test]
fn logs_of_a_service_go_on_with_its_next_run_and_with_its_next_session() {
    let (mut driver, channel) = opened(3);
    driver.tell(Msg::Changed(Box::new(service(1, "web", ServiceState::Stopped))));
    driver.tell(Msg::Log { channel, chunk: Chunk::End(None) });
    let effects = driver.tell(Msg::Changed(Box::new(service(1, "web", ServiceState::Up))));
    let asked = read(&effects);
    assert_eq!((asked[0].1, asked[0].2), (1, Span::From(5021)));
    driver.tell(Msg::Changed(Box::new(service(9, "web", ServiceState::Up))));
    let effects = driver.tell(Msg::Removed(SessionId(1)));
    let asked = read(&effects);
    assert_eq!((asked[0].1, asked[0].2), (9, Span::Last(2000)), "{effects:?}");
    say(&mut driver, asked[0].0, (0, 9), "from the fresh one\n");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("line 3") && screen.contains("from the fresh one"), "{screen}");
    assert_eq!(driver.app.focus, Focus::Logs);
}

#[test]
fn typing_is_paused_while_logs_are_read_and_goes_on_after() {
    let mut driver = set();
    driver.keys("Enter");
    driver.take();
    driver.keys("C-b F");
    assert_eq!(driver.app.focus, Focus::Logs);
    assert_eq!(typed(&driver.keys("j")), b"");
    driver.keys("q");
    assert!(driver.app.is_typing());
    assert_eq!(typed(&driver.keys("j")), b"j");
}

#[test]
fn one_session_alone_has_logs_too_and_leaving_them_leaves_it_typed_into() {
    let mut driver = Driver::new(Options { session: Some("1".into()), ..Options::default() }, 120, 40);
    driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "web")]));
    driver.attach();
    driver.take();
    let effects = driver.keys("C-b F");
    say(&mut driver, read(&effects)[0].0, (0, 1), "hello from it\n");
    assert!(driver.screen(120, 40).contains("hello from it"), "{}", driver.screen(120, 40));
    driver.keys("q");
    assert!(driver.app.is_typing());
}
