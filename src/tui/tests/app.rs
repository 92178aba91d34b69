//! Scenarios of the app without a terminal: what happens to it, what it asks for, what it shows.
//!
//! Each reads as a claim about the dashboard; the daemon is played by the test.

use super::*;

#[test]
fn selecting_watches_and_changes_nothing_else() {
    let mut driver = Driver::dashboard(vec![session(1, "web"), session(2, "db")]);

    let effects = driver.keys("j");

    assert!(
        matches!(asks(&effects)[..], [Ask::Detach { channel: 1 }, Ask::Watch { channel: 2, target }] if target == "2")
    );
    assert_eq!(driver.app.focus, Focus::List);
}

#[test]
fn what_is_typed_while_control_is_asked_for_waits_for_it() {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);

    let asked = driver.keys("Enter q x");
    let granted = driver.take();
    let after = driver.keys("C-c Esc q C-b C-b");

    assert!(matches!(asks(&asked)[..], [Ask::Take { steal: false, size, .. }] if *size == Size::clamped(37, 80)));
    assert_eq!(typed(&asked), b"");
    assert_eq!(typed(&granted), b"qx");
    assert_eq!(typed(&after), b"\x03\x1bq\x02");
}

#[test]
fn k5_the_dashboard_that_is_stolen_from_stays_and_says_who() {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    driver.keys("Enter");
    driver.take();

    let channel = driver.app.panes.focused().channel();
    driver.tell(Msg::Stolen(verbs::Stolen { channel, by: "ann on pts/3\u{1b}[2J".into(), at_ms: 1_700_000_000_000 }));
    let meant_for_the_program = driver.keys("q");
    driver.later(500);

    assert!(meant_for_the_program.is_empty());
    assert_eq!((driver.app.focus, driver.app.control()), (Focus::List, &Control::None));
    assert!(driver.screen(120, 40).contains("taken over by ann on pts/3[2J at"), "{}", driver.screen(120, 40));
    assert!(matches!(asks(&driver.keys("t"))[..], [Ask::Take { steal: true, .. }]));
}

#[test]
fn k5_the_single_pane_that_is_stolen_from_leaves() {
    let mut driver = Driver::new(Options { session: Some("web".into()), steal: false, ..Options::default() }, 80, 24);
    driver.attach();
    driver.take();

    let effects = driver.tell(Msg::Stolen(verbs::Stolen { channel: 1, by: "ann".into(), at_ms: 5 }));

    let left = Left::Stolen { name: "web".into(), by: "ann".into(), at_ms: 5 };
    assert_eq!(effects, [Effect::Leave(left)]);
}

#[test]
fn a_session_that_somebody_controls_is_offered_not_taken() {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    let refuse = |driver: &mut Driver| {
        driver.keys("Enter");
        let ask = Ask::Take { channel: driver.app.panes.focused().channel(), steal: false, size: Size::default() };
        driver.tell(Msg::Reply(ask, Err(WireError::new(Code::Controlled, "session web is controlled by ann"))));
    };

    refuse(&mut driver);
    assert!(driver.screen(120, 40).contains("session web is controlled by ann."));
    driver.keys("v");
    assert_eq!((driver.app.overlay.clone(), driver.app.focus), (None, Focus::List));
    refuse(&mut driver);
    assert!(matches!(asks(&driver.keys("t"))[..], [Ask::Take { steal: true, .. }]));
}

#[test]
fn an_ended_session_keeps_its_row_and_its_last_screen() {
    let mut driver = Driver::dashboard(vec![session(1, "web"), session(2, "db")]);
    driver.frame(Size::default(), b"last words");
    driver.keys("Enter");
    driver.take();

    driver.tell(Msg::Changed(Box::new(ended(session(1, "web"), 3))));

    assert_eq!(driver.app.focus, Focus::List);
    assert!(driver.keys("q").is_empty(), "a key that was meant for the program must not leave the dashboard");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("exited 3") && screen.contains("last words"), "{screen}");
    driver.later(500);
    driver.keys("d");
    driver.later(10_000);
    let effects = driver.tell(Msg::Tick);
    assert!(asks(&effects).contains(&&Ask::Remove { ids: vec![SessionId(1)] }), "{effects:?}");
    driver.tell(Msg::Removed(SessionId(1)));
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
}

#[test]
fn ux10_stop_and_kill_ask_and_take_everything_but_yes_for_no() {
    for (key, grace) in [("x", 5000), ("X", 0)] {
        for answer in ["Enter", "n", "Esc", "q", "j", "Space"] {
            let mut status = session(1, "web");
            status.attached = vec![status::Attached {
                who: Who { user: "ann".into(), tty: Some("pts/3".into()), host: None },
                controls: true,
                ..status::Attached::default()
            }];
            let mut driver = Driver::dashboard(vec![status]);
            driver.keys(key);
            let screen = driver.screen(120, 40);
            for part in ["web", "web --serve", "4001", "ann on pts/3 (typing)", "[n no]"] {
                assert!(screen.contains(part), "{part} is missing in\n{screen}");
            }
            assert!(asks(&driver.keys(answer)).is_empty(), "{answer}");
        }
        let mut driver = Driver::dashboard(vec![session(1, "web")]);
        driver.keys(key);
        let effects = driver.keys("y");
        assert!(
            matches!(asks(&effects)[..], [Ask::Stop { ids, grace_ms }] if *grace_ms == grace && *ids == [SessionId(1)])
        );
    }
}

#[test]
fn bytes_of_a_stale_channel_are_dropped() {
    let mut driver = Driver::dashboard(vec![session(1, "web"), session(2, "db")]);
    let old = driver.app.panes.focused().channel();
    driver.keys("j");

    let effects = driver.tell(Msg::Bulk(frame_of(old, Size::default(), b"of web")));

    assert!(effects.is_empty());
    assert!(!driver.screen(120, 40).contains("of web"));
    driver.attach();
    let effects = driver.frame(Size::default(), b"of db");
    assert!(matches!(effects[..], [Effect::Drawn { frame: 1, .. }]));
    assert!(driver.screen(120, 40).contains("of db"));
}

#[test]
fn k1_after_the_daemon_came_back_the_same_session_is_shown_and_typed_into() {
    let mut driver = Driver::dashboard(vec![session(1, "web"), session(2, "db")]);
    driver.keys("j");
    driver.attach();
    driver.keys("Enter");
    driver.take();
    driver.frame(Size::default(), b"before");

    driver.tell(Msg::Lost("broken".into()));
    assert!(!driver.screen(120, 40).contains("away"));
    let lost = driver.keys("a b");
    driver.later(301);
    driver.tell(Msg::Tick);
    assert!(driver.screen(120, 40).contains("Reason: broken"));
    let effects = driver.tell(Msg::Connected);
    assert!(matches!(asks(&effects)[..], [Ask::Subscribe, Ask::Events, Ask::Watch { target, .. }] if target == "2"));
    driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "web"), session(2, "db")]));
    let screen = driver.screen(120, 40);
    assert!(screen.contains("before") && !screen.contains("away"));
    assert!(matches!(asks(&driver.attach())[..], [Ask::Take { steal: false, .. }]));
    assert_eq!(typed(&driver.take()), b"ab");
    assert!(typed(&lost).is_empty());
}

#[test]
fn k1_control_that_somebody_took_meanwhile_is_not_stolen_back() {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    driver.keys("Enter");
    driver.take();
    driver.tell(Msg::Lost("broken".into()));
    driver.tell(Msg::Connected);
    driver.attach();

    let ask = Ask::Take { channel: driver.app.panes.focused().channel(), steal: false, size: Size::default() };
    driver.tell(Msg::Reply(ask, Err(WireError::new(Code::Controlled, "session web is controlled by ann"))));

    assert_eq!((driver.app.focus, driver.app.overlay.clone()), (Focus::List, None));
    assert!(driver.screen(120, 40).contains("session web is controlled by ann"), "{}", driver.screen(120, 40));
}

#[test]
fn a_burst_of_resizes_is_told_once_and_only_to_the_controlled_session() {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    driver.tell(Msg::Resized(Screen { cols: 100, rows: 30 }));
    assert!(driver.app.deadline().is_none_or(|at| at > driver.now.mono + 1000 * MS));
    driver.keys("Enter");
    driver.take();

    let mut told = Vec::new();
    for n in 0..100 {
        driver.later(5);
        told.extend(driver.tell(Msg::Resized(Screen { cols: 100 + n, rows: 30 })));
    }
    assert!(told.is_empty());
    driver.later(50);
    let effects = driver.tell(Msg::Tick);
    assert!(matches!(effects[..], [Effect::PaneSize { size, .. }] if size == Size::clamped(27, 119)), "{effects:?}");
}

#[test]
fn ux9_rows_stay_where_they_are_and_the_selection_with_its_session() {
    let mut driver = Driver::dashboard(vec![session(2, "db"), session(4, "web")]);
    driver.keys("j");

    driver.tell(Msg::Changed(Box::new(session(3, "new"))));
    driver.tell(Msg::Changed(Box::new(ended(session(2, "db"), 0))));

    let names: Vec<&str> = driver.app.sessions.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["db", "new", "web"]);
    assert_eq!(driver.app.selected().map(|row| row.name.as_str()), Some("web"));
}

#[test]
fn the_first_session_of_an_empty_list_is_shown_and_a_new_shell_is_typed_into() {
    let mut driver = Driver::dashboard(Vec::new());
    let screen = driver.screen(120, 40);
    assert!(screen.contains("There are no sessions yet. Press c") && screen.contains("rpm run -- make"), "{screen}");

    assert!(matches!(asks(&driver.keys("c"))[..], [Ask::Run { .. }]));
    driver.tell(Msg::Changed(Box::new(session(1, "bash"))));
    let started = verbs::Started { id: SessionId(1), name: "bash".into(), pid: 9 };
    driver.answer(Ask::Run { size: Size::default(), program: None }, Answer::Started(started));

    assert!(matches!(asks(&driver.attach())[..], [Ask::Take { .. }]));
}

#[test]
fn ux3_what_is_typed_while_a_session_starts_is_for_that_session_and_never_a_key_of_the_list() {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    let started = |driver: &mut Driver, id| {
        driver.tell(Msg::Changed(Box::new(session(id, "bash"))));
        let started = verbs::Started { id: SessionId(id), name: "bash".into(), pid: 9 };
        driver.answer(Ask::Run { size: Size::default(), program: None }, Answer::Started(started));
        driver.attach();
        typed(&driver.take())
    };

    let effects = driver.keys("c x y l s Enter");
    assert!(matches!(asks(&effects)[..], [Ask::Run { .. }]), "nobody is asked to stop: {effects:?}");
    assert_eq!(started(&mut driver, 2), b"xyls\r");

    let effects = driver.keys("a C-b c r m Enter");
    assert_eq!(typed(&effects), b"a", "the session that has the keyboard gets none of it");
    assert_eq!(started(&mut driver, 3), b"rm\r");

    driver.keys("C-b c q");
    let ask = Ask::Run { size: Size::default(), program: None };
    let effects = driver.tell(Msg::Reply(ask, Err(WireError::new(Code::Failed, "there is no bash"))));
    assert!(effects.is_empty(), "what was meant for it goes to nobody: {effects:?}");
    assert_eq!(typed(&driver.keys("b")), b"b");
    driver.keys("C-b c q");
    driver.keys("C-b ?");
    assert!(driver.app.overlay.is_some(), "the prefix is ours in any case");
    driver.keys("Esc");
    driver.later(6000);
    assert_eq!(typed(&driver.keys("d")), b"d", "keys are not kept for ever");
}

#[test]
fn ux41_a_session_is_not_shown_inside_itself() {
    let mut own = session(1, "web");
    own.pid = 77;
    let mut driver = Driver::new(Options::default(), 120, 40);

    let effects = driver.answer(Ask::Subscribe, Answer::Listing(vec![own]));

    assert!(asks(&effects).is_empty());
    assert!(driver.screen(120, 40).contains("runs inside this session"));
    assert!(asks(&driver.keys("Enter")).is_empty());
}

#[test]
fn k12_mouse_reports_reach_the_program_in_its_own_coordinates_and_only_if_it_asked() {
    let mut driver = Driver::dashboard(vec![session(1, "vim")]);
    driver.keys("Enter");
    driver.take();
    let size = Size::clamped(37, 80);
    let click = |driver: &mut Driver, at: &str| {
        let tokens = tokens(format!("\x1b[<0;{at}M").as_bytes());
        typed(&driver.tell(Msg::Input(tokens)))
    };

    driver.frame(size, b"");
    assert_eq!(click(&mut driver, "50;10"), b"");
    driver.frame(size, b"\x1b[?1000;1006h");
    assert_eq!(click(&mut driver, "50;10"), b"\x1b[<0;10;8M");
    assert_eq!(click(&mut driver, "5;10"), b"", "a click on the list");
}

#[test]
fn k11_an_idle_dashboard_wakes_up_ever_more_seldom_until_once_a_minute() {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let at = driver.app.deadline().expect("ages are drawn");
        pauses.push((at - driver.now.mono) / (1000 * MS));
        driver.now.mono = at;
        let effects = driver.tell(Msg::Tick);
        if asks(&effects).contains(&&Ask::Sample) {
            driver.answer(Ask::Sample, Answer::Listing(vec![session(1, "web")]));
        }
    }
    assert_eq!(pauses[..5], [2, 4, 8, 16, 30], "{pauses:?}");
    assert!(pauses[5..].iter().sum::<u64>() >= 90, "{pauses:?}");
    driver.keys("z");
    let mut empty = Driver::dashboard(Vec::new());
    empty.later(1);
    assert_eq!(empty.app.deadline(), None);
}
