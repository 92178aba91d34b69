//! Palette, help, key sequences, the list and panes: what keys do, seen on the screen.

use super::*;

fn many(count: u64) -> Driver {
    Driver::dashboard((1..=count).map(|id| session(id, &format!("s{id}"))).collect())
}

#[test]
fn ux7_every_action_and_session_is_in_the_palette_with_its_key() {
    let mut driver = Driver::dashboard(vec![session(1, "web"), session(2, "database")]);
    driver.keys(": d b");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("database") && screen.contains(": db"), "{screen}");
    assert!(
        matches!(asks(&driver.keys("Enter"))[..], [Ask::Detach { .. }, Ask::Watch { target, .. }] if target == "2")
    );
    assert_eq!(driver.app.overlay, None);

    driver.keys("C-p z o o");
    let screen = driver.screen(120, 40);
    let zoom = screen.lines().find(|line| line.contains("> zoom")).unwrap_or_else(|| panic!("{screen}"));
    assert!(zoom.contains("Gives the whole screen") && zoom.trim_end_matches([' ', '│']).ends_with('z'), "{zoom}");
    driver.keys("Enter");
    assert_eq!(driver.app.focus, Focus::View);
}

#[test]
fn ux7_what_has_no_key_is_done_from_the_palette() {
    let mut driver = many(1);
    for c in ": r e l o a d - s e t Enter".split(' ') {
        driver.keys(c);
    }
    assert!(driver.effects.contains(&Effect::ReadSettings));
}

#[test]
fn ux6_the_help_is_of_the_place_can_be_filtered_and_closes_with_escape_and_q() {
    for close in ["Esc", "q"] {
        let mut driver = many(1);
        driver.keys("? / m a r k Enter");
        let screen = driver.screen(120, 40);
        assert!(screen.contains("Marks the session") && !screen.contains("Starts a shell"), "{screen}");
        driver.keys(close);
        assert_eq!(driver.app.overlay, None);
    }
}

#[test]
fn after_half_a_second_what_may_follow_is_shown_and_goes_with_the_next_key() {
    let mut driver = many(2);
    driver.keys("Enter");
    driver.take();
    driver.keys("C-b");
    assert!(!driver.screen(120, 40).contains("split right"));
    driver.later(500);
    driver.tell(Msg::Tick);
    let screen = driver.screen(120, 40);
    assert!(screen.contains("split right") && screen.contains("┌─ C-b ─") && screen.contains("1…9"), "{screen}");
    driver.keys("n");
    assert!(!driver.screen(120, 40).contains("split right"));
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
}

#[test]
fn the_prefix_and_a_slash_say_what_a_key_does_and_do_nothing() {
    let mut driver = many(1);
    driver.keys("C-b / C-b %");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("C-b %: Opens a pane on the right of this one. (split-right)"), "{screen}");
    assert_eq!(driver.app.panes.len(), 1);
    driver.keys("C-b / x");
    assert!(driver.screen(120, 40).contains("x: Asks the session to end"));
    assert_eq!(driver.app.overlay, None);
}

#[test]
fn ux8_the_filter_narrows_as_one_types_and_escape_brings_everything_back() {
    let mut rows = vec![session(1, "web"), session(2, "worker"), ended(session(3, "build"), 1)];
    rows[1].tags = vec!["ci".into()];
    let mut driver = Driver::dashboard(rows);
    let listed = |driver: &Driver| driver.app.list.rows().map(|id| id.0).collect::<Vec<_>>();

    driver.keys("/ w");
    assert_eq!(listed(&driver), [1, 2]);
    assert!(driver.screen(120, 40).contains("/w  2 of 3"), "{}", driver.screen(120, 40));
    driver.keys("Space c i");
    assert_eq!(listed(&driver), [2]);
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
    driver.keys("Esc");
    assert_eq!((listed(&driver), driver.app.sessions.selected_id()), (vec![1, 2, 3], Some(SessionId(1))));
    for (text, expected) in
        [("! r u n n i n g", vec![3]), ("e x i t e d", vec![3]), ("! w e b", vec![2, 3]), ("z z z", vec![])]
    {
        driver.keys("/");
        driver.keys(text);
        assert_eq!(listed(&driver), expected, "{text}");
        if expected.is_empty() {
            assert!(driver.screen(120, 40).contains("Esc shows all of them."));
        }
        driver.keys("Esc");
    }
}

#[test]
fn ux8_a_name_that_was_typed_is_selected_before_what_fits_in_another_way() {
    let mut rows = vec![session(1, "web"), session(2, "my-vi"), session(3, "vi"), session(4, "other")];
    rows[0].command = "echo serving".into();
    let mut driver = Driver::dashboard(rows);
    driver.keys("/ v");
    assert_eq!(
        driver.app.sessions.selected_id(),
        Some(SessionId(3)),
        "the best name, not the command with serVing in it"
    );
    driver.keys("Esc j / v i");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(3)), "the very name");
    driver.keys("Esc Esc g g j / m");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)), "whose name fits stays selected");
}

#[test]
fn ux8_a_key_in_the_filter_of_a_thousand_sessions_is_quick() {
    let mut driver = many(1000);
    driver.keys("/");
    let began = std::time::Instant::now();
    driver.keys("s 9");
    driver.screen(120, 40);
    // Ten times sixteen milliseconds a key, for a build without optimisation.
    assert!(began.elapsed().as_millis() < 2 * 160, "{:?}", began.elapsed());
}

#[test]
fn ux44_one_question_names_all_that_are_marked() {
    let mut driver = many(4);
    driver.keys("Space j Space x");
    let screen = driver.screen(120, 40);
    for part in ["Stop 2 sessions?", "s1  s1 --serve", "s3  s3 --serve", "2 marked"] {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
    let effects = driver.keys("y");
    assert!(matches!(asks(&effects)[..], [Ask::Stop { ids, .. }] if *ids == [SessionId(1), SessionId(3)]));
    assert!(driver.app.list.marked.is_empty());
}

#[test]
fn groups_are_headings_and_selection_steps_over_them() {
    let mut rows = vec![session(1, "a"), ended(session(2, "b"), 0), session(3, "c")];
    rows[2].tags = vec!["ci".into()];
    let mut driver = Driver::dashboard(rows);
    driver.keys("o");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("▾ running (2)") && screen.contains("▾ ended (1)"), "{screen}");
    driver.keys("j");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(3)));
    driver.keys("o");
    assert!(driver.screen(120, 40).contains("▾ ci (1)"));
}

#[test]
fn the_wide_list_asks_for_load_and_last_lines_of_what_said_something() {
    let mut driver = many(2);
    driver.tell(Msg::Resized(Screen { cols: 200, rows: 40 }));
    driver.keys("w");
    driver.later(61_000);
    driver.tell(Msg::Tick);
    let mut rows = vec![session(1, "s1"), session(2, "s2")];
    let asked = driver.answer(Ask::Sample, Answer::Listing(rows.clone()));
    let both = Ask::Procs { ids: vec![SessionId(1), SessionId(2)] };
    assert_eq!(asks(&asked), [&Ask::LastLine { id: SessionId(1) }, &Ask::LastLine { id: SessionId(2) }, &both]);
    driver.answer(Ask::LastLine { id: SessionId(1) }, Answer::Text("$ make\nall done\u{1b}\n\n".into()));
    let info =
        verbs::ProcessInfo { session: Some("s1".into()), cpu_permille: 123, memory: 5 << 20, ..Default::default() };
    driver.answer(both, Answer::Procs(vec![info]));
    driver.tell(Msg::Branches(vec![(SessionId(1), Some("main".into()))]));
    let screen = driver.screen(200, 40);
    for part in ["all done", "12.3%", "5M", "main", "last line"] {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
    driver.later(61_000);
    driver.tell(Msg::Tick);
    rows[1].output_bytes += 100;
    let asked = driver.answer(Ask::Sample, Answer::Listing(rows));
    assert_eq!(asks(&asked), [&Ask::LastLine { id: SessionId(2) }, &Ask::Procs { ids: vec![SessionId(2)] }]);
}

#[test]
fn load_is_asked_for_rows_that_are_seen_and_said_something_and_for_others_once_they_are() {
    let mut driver = many(60);
    driver.tell(Msg::Resized(Screen { cols: 200, rows: 12 }));
    driver.keys("w");
    let sample = |driver: &mut Driver, talker: usize| {
        driver.later(61_000);
        driver.tell(Msg::Tick);
        let mut rows = driver.app.sessions.rows().to_vec();
        rows[talker].output_bytes += 100;
        let effects = driver.answer(Ask::Sample, Answer::Listing(rows));
        asks(&effects)
            .into_iter()
            .find_map(|ask| if let Ask::Procs { ids } = ask { Some(ids.clone()) } else { None })
            .unwrap_or_default()
    };

    let first = sample(&mut driver, 0);
    assert!(first.len() < 12 && first.contains(&SessionId(1)) && !first.contains(&SessionId(60)), "{first:?}");
    assert_eq!(sample(&mut driver, 1), [SessionId(2)]);
    assert_eq!(sample(&mut driver, 40), [], "nobody sees it");
    driver.keys("G");
    let last = sample(&mut driver, 59);
    assert!(last.contains(&SessionId(60)) && !last.contains(&SessionId(2)), "{last:?}");
}

#[test]
fn panes_are_split_focused_zoomed_and_closed_and_their_sessions_go_on() {
    let mut driver = many(2);
    driver.tell(Msg::Resized(Screen { cols: 200, rows: 60 }));
    driver.keys("Enter");
    driver.take();
    let effects = driver.keys("C-b %");
    assert!(
        matches!(asks(&effects)[..], [Ask::Release { .. }, Ask::Watch { target, .. }, ..] if target == "1"),
        "{effects:?}"
    );
    assert_eq!(driver.app.panes.len(), 2);
    driver.keys("C-b s j");
    driver.attach();
    let screen = driver.screen(200, 60);
    assert!(screen.contains(" s1 ") && screen.contains(" s2 "), "{screen}");
    let tiles = driver.app.tiles();
    assert_eq!(tiles.len(), 2);
    driver.frame(Size::clamped(20, 40), b"in the second");
    assert!(driver.screen(200, 60).contains("in the second"));
    driver.keys("Enter C-b z");
    assert_eq!(driver.app.tiles().len(), 1);
    driver.keys("C-b z C-b Left");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(1)));
    let effects = driver.keys("C-b q");
    assert!(
        asks(&effects).iter().all(|ask| matches!(ask, Ask::Release { .. } | Ask::Detach { .. } | Ask::Take { .. }))
    );
    assert_eq!(driver.app.panes.len(), 1);
    driver.keys("C-b q");
    assert!(driver.screen(200, 60).contains("This is the last pane."));
}

#[test]
fn typing_goes_to_all_marked_panes_and_the_screen_warns() {
    let mut driver = many(2);
    driver.tell(Msg::Resized(Screen { cols: 200, rows: 60 }));
    driver.keys("C-b % C-b s j");
    driver.attach();
    driver.keys("C-b m C-b o");
    let first = driver.app.panes.focused().channel();
    driver.keys("C-b m");
    driver.keys("Enter");
    let channels: Vec<u32> = driver.app.panes.all().map(crate::tui::pane::Pane::channel).collect();
    for channel in &channels {
        let attached = verbs::Attached { id: SessionId(1), name: "s".into(), ..verbs::Attached::default() };
        driver.answer(Ask::Watch { channel: *channel, target: String::new() }, Answer::Attached(attached));
        driver.answer(Ask::Take { channel: *channel, steal: false, size: Size::default() }, Answer::Done);
    }
    let effects = driver.keys("x");
    let mut to: Vec<u32> = effects
        .iter()
        .filter_map(|effect| {
            if let Effect::Input { channel, bytes } = effect { (bytes == b"x").then_some(*channel) } else { None }
        })
        .collect();
    to.sort_unstable();
    assert_eq!(to, channels, "{first}");
    let narrow = driver.app.tiles().len();
    assert_eq!(driver.screen(200, 60).matches("typing to 2 panes").count(), narrow, "each of them says so");
    assert!(driver.screen(200, 60).contains("typing to 2 panes") && driver.screen(200, 60).contains("═"));
}

#[test]
fn ux22_click_selects_double_click_types_a_line_is_dragged_and_a_hint_is_done() {
    let mut driver = many(3);
    driver.tell(Msg::Resized(Screen { cols: 200, rows: 60 }));
    let mouse =
        |driver: &mut Driver, report: &str| driver.tell(Msg::Input(tokens(format!("\x1b[<{report}").as_bytes())));
    mouse(&mut driver, "0;5;5M");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(3)));
    mouse(&mut driver, "0;5;5m");
    mouse(&mut driver, "0;5;5M");
    assert_eq!(driver.app.focus, Focus::Typing);
    driver.keys("C-b s C-b %");
    let before = driver.app.tiles()[0].pane;
    let line = before.right() + 1;
    mouse(&mut driver, &format!("0;{line};20M"));
    mouse(&mut driver, &format!("32;{};20M", line - 10));
    mouse(&mut driver, &format!("0;{};20m", line - 10));
    assert_eq!(driver.app.tiles()[0].pane.width, before.width - 10);
    mouse(&mut driver, "0;5;3M");
    let last = driver.screen(200, 60).lines().last().expect("a line").to_owned();
    let column = last.find("? help").expect("a hint") + 1;
    driver.later(10_000);
    driver.tell(Msg::Tick);
    mouse(&mut driver, &format!("0;{column};60M"));
    assert!(matches!(driver.app.overlay, Some(Overlay::Help { .. })), "{last}");
}

#[test]
fn ux20_without_unicode_nothing_but_ascii_is_drawn() {
    let options = Options { has_utf8: false, ..Options::default() };
    let mut driver = Driver::new(options, 120, 40);
    driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "web"), session(2, "db")]));
    driver.attach();
    driver.frame(Size::default(), b"plain");
    for keys in ["g g", "?", "Esc", ":", "Esc", "i"] {
        driver.keys(keys);
        let screen = driver.screen(120, 40);
        assert!(screen.is_ascii(), "{keys}: {screen}");
    }
}

#[test]
fn ux30_while_the_daemon_is_away_the_next_try_is_counted_down() {
    let mut driver = many(1);
    driver.tell(Msg::Lost("broken".into()));
    driver.later(400);
    driver.tell(Msg::Tick);
    driver.tell(Msg::StillLost { reason: "refused".into(), next: driver.now.mono + 3000 * MS });
    assert!(driver.screen(120, 40).contains("next try is in"), "{}", driver.screen(120, 40));
    driver.now.mono = driver.app.deadline().expect("a countdown");
    driver.now.mono += 500 * MS;
    driver.tell(Msg::Tick);
    assert!(
        driver.screen(120, 40).contains("next try is in 2 s") || driver.screen(120, 40).contains("next try is in 3 s")
    );
}

#[test]
fn ux3_a_narrow_pane_says_whose_it_is_and_who_types_before_it_says_how_large_it_is() {
    let mut rows: Vec<Status> = (1..=2).map(|id| session(id, &format!("a-session-of-a-long-name-{id}"))).collect();
    rows[1].size = Size::clamped(24, 80);
    let mut driver = Driver::dashboard(rows);
    driver.tell(Msg::Resized(Screen { cols: 80, rows: 24 }));
    driver.frame(Size::clamped(60, 200), b"x");
    let line = |driver: &Driver| driver.screen(80, 24).lines().nth(1).unwrap_or_default().to_owned();
    let wide = line(&driver);
    assert!(wide.contains("a-session-of-a-long-name-1 ") && wide.contains("viewing"), "{wide}");
    driver.keys("C-b %");
    driver.attach();
    driver.frame(Size::clamped(60, 200), b"x");
    let narrow = line(&driver);
    assert_eq!(narrow.matches("viewing").count(), 2, "{narrow}");
    assert_eq!(narrow.matches("a-sess").count(), 2, "{narrow}");
}
