//! Grid, alerts, forms, layouts and the search of all sessions, with the daemon and the disk played by the test.

use super::*;
use crate::protocol::verbs::Happened;
use crate::protocol::verbs::What as Event;
use crate::tui::app::Hit;

fn many(count: u64) -> Driver {
    Driver::dashboard((1..=count).map(|id| session(id, &format!("s{id}"))).collect())
}

fn happened(driver: &mut Driver, id: u64, what: Event) -> Vec<Effect> {
    let happened = Happened { seq: 1, at_ms: 1, id: SessionId(id), name: String::new(), what };
    driver.tell(Msg::Happened(Box::new(happened)))
}

fn type_text(driver: &mut Driver, text: &str) {
    for c in text.chars() {
        let name = if c == ' ' { "Space".to_owned() } else { c.to_string() };
        driver.keys(&name);
    }
}

#[test]
fn the_grid_watches_what_is_seen_and_lets_go_of_it() {
    let mut driver = many(30);
    let effects = driver.keys("v");
    let watched: Vec<(u32, String)> = asks(&effects)
        .into_iter()
        .filter_map(
            |ask| if let Ask::Watch { channel, target } = ask { Some((*channel, target.clone())) } else { None },
        )
        .collect();
    assert_eq!(watched.len(), 12, "three columns of four rows are seen at 120x40");
    driver.answer(
        Ask::Watch { channel: watched[1].0, target: "2".into() },
        Answer::Attached(verbs::Attached { id: SessionId(2), name: "s2".into(), ..verbs::Attached::default() }),
    );
    driver.tell(Msg::Bulk(frame_of(watched[1].0, Size::clamped(10, 30), b"thumb two")));
    let screen = driver.screen(120, 40);
    assert!(screen.contains("thumb two") && screen.contains("> s1") && screen.contains("s12"), "{screen}");
    driver.keys("l");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
    for _ in 0..5 {
        driver.keys("j");
    }
    assert!(driver.screen(120, 40).contains("> s17"), "{}", driver.screen(120, 40));
    let effects = driver.keys("Esc");
    assert!(asks(&effects).iter().filter(|ask| matches!(ask, Ask::Detach { .. })).count() >= 12);
    assert!(driver.app.panes.thumbs().is_empty());
    assert_eq!(driver.app.focus, Focus::List);
}

#[test]
fn alerts_are_marked_counted_gone_to_and_do_not_flap() {
    let mut driver = many(3);
    happened(&mut driver, 2, Event::Bell);
    let messages = driver.app.messages.len();
    happened(&mut driver, 2, Event::Bell);
    assert_eq!(driver.app.messages.len(), messages, "the same is told once");
    happened(&mut driver, 3, Event::Notification { title: "build".into(), body: "done\u{1b}[2J".into() });
    let screen = driver.screen(120, 40);
    assert!(screen.contains(" !s2") && screen.contains(" !s3") && screen.contains("2 want attention"), "{screen}");
    assert!(screen.contains("s3: build: done[2J"), "{screen}");
    driver.keys("M-n");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
    driver.keys("M-n");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(3)));
    assert_eq!(driver.app.alerts.count(), 0);
    driver.keys("M-n");
    assert!(driver.screen(120, 40).contains("Nothing wants attention."));
}

#[test]
fn activity_silence_and_words_are_told_where_they_are_watched_for() {
    let mut driver = many(2);
    driver.keys("a a a s");
    driver.keys("Enter a w");
    type_text(&mut driver, "err(or)?");
    driver.keys("Enter");
    driver.keys("j");
    let sample = |driver: &mut Driver, bytes: u64, output_ms: u64| {
        driver.now.mono += 60_000 * MS;
        driver.now.wall_ms += 60_000;
        driver.tell(Msg::Tick);
        let mut rows = vec![session(1, "s1"), session(2, "s2")];
        rows[0].output_bytes = bytes;
        rows[0].output_ms = output_ms;
        driver.answer(Ask::Sample, Answer::Listing(rows))
    };
    let now = driver.now.wall_ms + 60_000;
    let effects = sample(&mut driver, 100, now);
    assert_eq!(driver.app.alerts.of(SessionId(1)).map(|alert| alert.kind), Some("activity"));
    let channel = asks(&effects).into_iter().find_map(|ask| match ask {
        Ask::History { channel, from: verbs::From::Offset(9), .. } => Some(*channel),
        _ => None,
    });
    let channel = channel.expect("what was said is read");
    driver.tell(Msg::Bulk(Bulk { channel, more: false, at: 9, bytes: b"fine\nan error here\n".to_vec() }));
    driver.tell(Msg::Closed(verbs::Closed { channel, end: None }));
    assert_eq!(driver.app.alerts.of(SessionId(1)).map(|alert| alert.text.clone()), Some("an error here".into()));
    sample(&mut driver, 100, now);
    assert_eq!(driver.app.alerts.of(SessionId(1)).map(|alert| alert.kind), Some("silence"));
    let told = driver.app.messages.len();
    sample(&mut driver, 100, now);
    assert_eq!(driver.app.messages.len(), told, "silence is told once");
}

#[test]
fn a_form_starts_what_it_says_completes_paths_and_offers_commands() {
    let mut driver = many(1);
    driver.keys("n");
    type_text(&mut driver, "cat /et");
    let effects = driver.keys("Tab");
    assert_eq!(effects, [Effect::Complete { base: "/".into(), word: "/et".into(), is_folder: false }]);
    driver.tell(Msg::Completions { word: "/et".into(), found: vec!["/etc/".into()] });
    type_text(&mut driver, "hosts");
    driver.keys("Down");
    type_text(&mut driver, "web one");
    let screen = driver.screen(120, 40);
    assert!(
        screen.contains("cat /etc/hosts") && screen.contains("web one") && screen.contains("directory"),
        "{screen}"
    );
    assert!(driver.keys("Enter").is_empty());
    assert!(driver.screen(120, 40).contains("This cannot be a name"), "{}", driver.screen(120, 40));
    driver.keys("C-u");
    type_text(&mut driver, "hosts");
    driver.keys("Down Down Tab Down");
    type_text(&mut driver, "a b");
    let effects = driver.keys("Enter");
    let asked = asks(&effects);
    let [Ask::Run { program: Some(program), .. }] = asked[..] else { panic!("{effects:?}") };
    assert_eq!(program.argv, ["cat", "/etc/hosts"]);
    assert_eq!((program.name.as_deref(), program.kind), (Some("hosts"), Kind::Pipe));
    assert_eq!(program.tags, ["a", "b"]);

    driver.keys("n C-r");
    assert!(driver.screen(120, 40).contains("s1 --serve"));
    driver.keys("Esc");
    assert_eq!(driver.app.overlay, None);
}

#[test]
fn ux11_an_ended_session_starts_anew_with_one_key_as_soon_as_its_name_is_free() {
    let mut driver = Driver::dashboard(vec![ended(session(1, "web"), 1)]);
    let effects = driver.keys("r");
    assert!(matches!(asks(&effects)[..], [Ask::Remove { .. }]));
    let effects = driver.tell(Msg::Removed(SessionId(1)));
    let run = asks(&effects).into_iter().find_map(|ask| match ask {
        Ask::Run { program: Some(program), .. } => Some(program.clone()),
        _ => None,
    });
    let program = run.expect("it is started");
    assert_eq!(
        (program.name.as_deref(), program.argv, program.cwd.as_deref()),
        (Some("web"), vec!["web".to_owned()], Some("/srv"))
    );
}

#[test]
fn a_layout_is_kept_and_comes_back_with_its_sessions() {
    let mut driver = many(3);
    driver.tell(Msg::Resized(Screen { cols: 200, rows: 60 }));
    driver.keys("% C-b s j \" C-b s j :");
    type_text(&mut driver, "save-layout");
    driver.keys("Enter");
    type_text(&mut driver, "desk");
    let effects = driver.keys("Enter");
    let [Effect::SaveLayout { name, text }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(name, "desk");

    let mut other = Driver::new(Options { layout: Some("desk".into()), ..Options::default() }, 200, 60);
    other.tell(Msg::Layout { name: "desk".into(), result: Ok(text.clone()) });
    other.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "s1"), session(2, "s2")]));
    let shown: Vec<Option<u64>> = other
        .app
        .panes
        .tiles()
        .panes()
        .iter()
        .map(|id| other.app.panes.get(*id).and_then(|pane| pane.session).map(|id| id.0))
        .collect();
    assert_eq!(shown, [Some(1), Some(2), None]);
    assert!(other.screen(200, 60).contains("There is no session s3"));
    other.tell(Msg::Layout { name: "x".into(), result: Ok("{".into()) });
    other.tell(Msg::Layout { name: "x".into(), result: Ok("{\"panes\":{\"rows\":[]}}".into()) });
    assert!(other.screen(200, 60).contains("holds no panes"));
}

#[test]
fn a_search_of_all_sessions_goes_to_the_line_in_its_history() {
    let mut driver = many(2);
    driver.keys("g /");
    type_text(&mut driver, "needle");
    let effects = driver.keys("Enter");
    assert!(
        matches!(&effects[..], [Effect::Search { pattern, sessions }] if pattern == "needle" && sessions.len() == 2)
    );
    assert!(driver.screen(120, 40).contains("searching, 0 of 2"));
    let first = vec![Hit { session: SessionId(1), at: 0, text: "a needle".into() }];
    driver.tell(Msg::Finding { pattern: "needle".into(), hits: first, read: 1 });
    let screen = driver.screen(120, 40);
    assert!(screen.contains("1 of 2") && screen.contains("a needle"), "what is found is seen at once\n{screen}");
    let hits = vec![
        Hit { session: SessionId(1), at: 0, text: "a needle".into() },
        Hit { session: SessionId(2), at: 17, text: "needle two".into() },
    ];
    driver.tell(Msg::Found { pattern: "needle".into(), result: Ok((hits, false)) });
    let screen = driver.screen(120, 40);
    assert!(screen.contains("2 lines with needle") && screen.contains("needle two"), "{screen}");
    let effects = driver.keys("j Enter");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
    let channel = asks(&effects).into_iter().find_map(|ask| match ask {
        Ask::History { channel, .. } => Some(*channel),
        _ => None,
    });
    let channel = channel.expect("history is asked for");
    let bytes = b"one\r\ntwo\r\nthree\r\nneedle two\r\nrest\r\n".to_vec();
    driver.tell(Msg::Bulk(Bulk { channel, more: false, at: 0, bytes }));
    driver.tell(Msg::Closed(verbs::Closed { channel, end: None }));
    let cursor = driver.app.copying.as_ref().map(|copying| copying.copy.cursor.row);
    assert_eq!(cursor, Some(3));
    assert!(driver.screen(120, 40).contains("× needle"));
}

#[test]
fn a_search_that_nobody_waits_for_is_ended_and_says_nothing_any_more() {
    let mut long = session(2, "long");
    (long.oldest, long.output_bytes) = (5, 1 << 30);
    let mut driver = Driver::dashboard(vec![session(1, "web"), long]);
    driver.keys("g / x");
    let effects = driver.keys("Enter");
    let wanted = vec![(SessionId(1), None), (SessionId(2), Some(64 << 20))];
    assert_eq!(effects, [Effect::Search { pattern: "x".into(), sessions: wanted }]);
    assert!(driver.screen(120, 40).contains("the last 64 MiB"), "{}", driver.screen(120, 40));

    assert_eq!(driver.keys("Esc"), [Effect::StopSearch]);
    assert_eq!(driver.keys("j Esc").iter().filter(|effect| **effect == Effect::StopSearch).count(), 0);
    driver.tell(Msg::Found { pattern: "x".into(), result: Err("too late".into()) });
    assert!(!driver.screen(120, 40).contains("too late"));
}

#[test]
fn ux31_settings_are_read_again_and_a_bad_file_changes_nothing() {
    let mut driver = many(1);
    let read = |text: &str| Msg::Settings(Box::new(crate::config::parse(text)));
    driver.tell(read("[keys.list]\nhelp = \"F5\"\n[tui]\ntheme = \"dark\"\n"));
    driver.keys("F5");
    assert!(matches!(driver.app.overlay, Some(Overlay::Help { .. })));
    driver.keys("Esc");
    driver.tell(read("[keys.list]\nhelp = \"F6\"\n[tui]\nmouse = 5\n"));
    assert!(driver.screen(120, 40).contains("left as they were: 4:9: error"), "{}", driver.screen(120, 40));
    driver.keys("F6");
    assert_eq!(driver.app.overlay, None);
}

#[test]
fn ux40_the_real_cursor_is_on_what_has_the_keyboard() {
    let mut driver = many(3);
    let at = |driver: &Driver| view::cursor(&driver.app).expect("a cursor");
    let under = |driver: &Driver| {
        let (x, y) = at(driver);
        driver
            .screen(120, 40)
            .lines()
            .nth(usize::from(y))
            .unwrap_or_default()
            .chars()
            .skip(usize::from(x))
            .collect::<String>()
    };
    driver.keys("j");
    assert!(under(&driver).starts_with("> s2"), "{}", under(&driver));
    driver.keys("/ s");
    assert_eq!(at(&driver), (2, 1));
    driver.keys("Esc");
    driver.keys(": k i");
    let before = at(&driver);
    driver.keys("l");
    assert_eq!(at(&driver), (before.0 + 1, before.1));
    driver.keys("Esc");
    driver.keys("n Down");
    let (x, y) = at(&driver);
    driver.keys("w");
    assert_eq!(at(&driver), (x + 1, y));
    driver.keys("Esc");
    driver.keys("v");
    assert!(under(&driver).starts_with(" > s2") || under(&driver).starts_with(" >"), "{}", under(&driver));
}

#[test]
fn ux11_a_removed_row_comes_back_for_ten_seconds_and_goes_with_the_dashboard() {
    let mut driver = Driver::dashboard(vec![ended(session(1, "web"), 0), session(2, "db")]);
    driver.keys("d");
    assert!(!driver.screen(120, 40).contains("> web") && driver.app.sessions.selected_id() == Some(SessionId(2)));
    driver.later(9_000);
    assert!(driver.tell(Msg::Tick).iter().all(|effect| !matches!(effect, Effect::Ask(Ask::Remove { .. }))));
    driver.keys("u");
    assert!(driver.screen(120, 40).contains("> web"));
    driver.later(20_000);
    assert!(driver.tell(Msg::Tick).iter().all(|effect| !matches!(effect, Effect::Ask(Ask::Remove { .. }))));
    driver.keys("d");
    let effects = driver.keys("q");
    assert!(matches!(&effects[..], [Effect::Ask(Ask::Remove { .. }), Effect::Leave(_)]), "{effects:?}");
}

#[test]
fn ux42_lines_are_pasted_into_a_plain_program_only_after_a_question() {
    let mut driver = many(1);
    driver.keys("Enter");
    driver.take();
    let paste = |driver: &mut Driver, text: &str| {
        driver.tell(Msg::Input(tokens(format!("\x1b[200~{text}\x1b[201~").as_bytes())))
    };
    driver.frame(Size::default(), b"$ ");
    assert_eq!(typed(&paste(&mut driver, "one line")), b"one line");
    assert_eq!(typed(&paste(&mut driver, "rm -r a\rrm -r b\r")), b"");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("Paste 3 lines?") && screen.contains("rm -r b"), "{screen}");
    assert_eq!(typed(&driver.keys("n")), b"");
    paste(&mut driver, "a\rb");
    assert_eq!(typed(&driver.keys("y")), b"a\rb");
    driver.frame(Size::default(), b"\x1b[?2004h$ ");
    assert_eq!(typed(&paste(&mut driver, "a\rb")), b"\x1b[200~a\rb\x1b[201~");
}

#[test]
fn a_session_is_renamed_and_tagged_and_refusals_are_told() {
    let mut driver = many(1);
    driver.keys("e C-u");
    type_text(&mut driver, "shop");
    let effects = driver.keys("Enter");
    let ask = Ask::Rename { id: SessionId(1), name: Some("shop".into()), tags: None };
    assert_eq!(asks(&effects), [&ask]);
    driver.tell(Msg::Reply(ask, Err(WireError::new(Code::Invalid, "there is a session shop already"))));
    assert!(driver.screen(120, 40).contains("there is a session shop already"));
    driver.keys("#");
    type_text(&mut driver, "ci blue");
    let effects = driver.keys("Enter");
    assert!(
        matches!(asks(&effects)[..], [Ask::Rename { name: None, tags: Some(tags), .. }] if *tags == ["ci", "blue"])
    );
}
