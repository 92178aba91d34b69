//! Lines sent without the keyboard, sessions that start over, guesses, the past, clipboards, settings.

use super::*;

fn type_text(driver: &mut Driver, text: &str) {
    let tokens = tokens(text.as_bytes());
    driver.tell(Msg::Input(tokens));
}

fn many(count: u64) -> Driver {
    Driver::dashboard((1..=count).map(|id| session(id, &format!("s{id}"))).collect())
}

#[test]
fn ux40_a_line_and_keys_are_sent_to_all_that_are_chosen_without_taking_the_keyboard() {
    let mut driver = many(3);
    driver.keys("Space j Space s l");
    assert!(driver.screen(120, 40).contains("a line for 2 sessions"), "{}", driver.screen(120, 40));
    type_text(&mut driver, "make  all ");
    let effects = driver.keys("Enter");
    let sent = |id| Ask::Send { id: SessionId(id), text: "make  all ".into(), is_keys: false };
    assert_eq!(asks(&effects), [&sent(1), &sent(3)]);
    assert_eq!((driver.app.focus, driver.app.list.marked.len()), (Focus::List, 0));

    driver.keys("s k");
    type_text(&mut driver, "C-nonsense");
    assert!(asks(&driver.keys("Enter")).is_empty());
    driver.keys("s k");
    type_text(&mut driver, "Escape ':wq' Enter");
    assert!(matches!(asks(&driver.keys("Enter"))[..], [Ask::Send { is_keys: true, .. }]));
}

#[test]
fn ux10_a_session_that_runs_starts_over_after_a_question_and_keeps_its_name() {
    let mut driver = many(2);
    driver.keys("r");
    assert!(driver.screen(120, 40).contains("Restart s1?"), "{}", driver.screen(120, 40));
    assert!(asks(&driver.keys("Enter")).is_empty(), "no is what Enter means");
    driver.keys("r");
    assert!(matches!(asks(&driver.keys("y"))[..], [Ask::Stop { ids, .. }] if *ids == [SessionId(1)]));
    // Others that end start nothing.
    assert!(asks(&driver.tell(Msg::Changed(Box::new(ended(session(2, "s2"), 0))))).is_empty());
    let effects = driver.tell(Msg::Changed(Box::new(ended(session(1, "s1"), 143))));
    assert!(asks(&effects).contains(&&Ask::Remove { ids: vec![SessionId(1)] }), "{effects:?}");
    let effects = driver.tell(Msg::Removed(SessionId(1)));
    let started = asks(&effects).into_iter().find_map(|ask| match ask {
        Ask::Run { program: Some(program), .. } => Some(program.clone()),
        _ => None,
    });
    let program = started.expect("it starts");
    assert_eq!((program.name.as_deref(), program.cwd.as_deref()), (Some("s1"), Some("/srv")));
}

fn sample(driver: &mut Driver, rows: Vec<Status>) -> Vec<Effect> {
    driver.later(61_000);
    driver.tell(Msg::Tick);
    driver.answer(Ask::Sample, Answer::Listing(rows))
}

#[test]
fn a_guess_that_somebody_is_waited_for_is_marked_goes_with_output_and_does_not_flap() {
    let mut driver = many(2);
    driver.app.settings.alerts.push("waiting".into());
    let rows = || vec![session(1, "s1"), session(2, "s2")];
    let effects = sample(&mut driver, rows());
    let asked = Effect::FindWaiting(vec![(SessionId(1), 4001), (SessionId(2), 4002)]);
    assert!(effects.contains(&asked), "{effects:?}");
    driver.tell(Msg::Waiting(vec![(SessionId(1), false), (SessionId(2), true)]));
    assert_eq!(driver.app.alerts.of(SessionId(2)).map(|alert| alert.kind), Some("waiting"));
    driver.keys("M-n");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
    // Seen: the alert is gone, the guess stays, and is told as one.
    assert!(driver.screen(120, 40).contains(">?s2"), "{}", driver.screen(120, 40));
    driver.keys("i");
    assert!(driver.screen(120, 40).contains("it probably waits for input"), "{}", driver.screen(120, 40));
    driver.keys("Esc k");
    let told = driver.app.messages.len();
    for _ in 0..3 {
        sample(&mut driver, rows());
        driver.tell(Msg::Waiting(vec![(SessionId(1), false), (SessionId(2), true)]));
    }
    assert_eq!(driver.app.messages.len(), told, "told once");
    driver.keys("M-n");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)), "without an alert a guess is gone to");
    let mut more = rows();
    more[1].output_bytes += 10;
    let effects = sample(&mut driver, more);
    assert!(effects.contains(&Effect::FindWaiting(vec![(SessionId(1), 4001)])), "who talks does not wait");
    assert!(!driver.screen(120, 40).contains("?s2"));
}

#[test]
fn k11_nobody_is_looked_at_while_the_list_is_not_there() {
    let mut driver = many(2);
    driver.keys("Enter");
    driver.take();
    driver.keys("C-b z");
    let effects = sample(&mut driver, vec![session(1, "s1"), session(2, "s2")]);
    assert!(effects.iter().all(|effect| !matches!(effect, Effect::FindWaiting(_))), "{effects:?}");
}

#[test]
fn silence_has_a_limit_a_session_and_is_noticed_when_it_is_over() {
    let mut driver = many(2);
    driver.keys("a s");
    assert!(driver.screen(120, 40).contains("> 30s"), "{}", driver.screen(120, 40));
    driver.keys("C-u");
    type_text(&mut driver, "2x");
    driver.keys("Enter");
    assert_eq!(driver.app.alerts.watches(SessionId(1)), Vec::<&str>::new());
    driver.keys("a s C-u");
    type_text(&mut driver, "5m");
    driver.keys("Enter");
    assert_eq!(driver.app.alerts.watches(SessionId(1)), ["silence"]);
    let mut rows = vec![session(1, "s1"), session(2, "s2")];
    rows[0].output_ms = driver.now.wall_ms;
    // A sample is due at the limit, however seldom they had become.
    driver.tell(Msg::Tick);
    driver.answer(Ask::Sample, Answer::Listing(rows.clone()));
    for _ in 0..40 {
        let due = driver.app.deadline().expect("something is due");
        let ms = (due - driver.now.mono).div_ceil(MS);
        driver.later(ms);
        if asks(&driver.tell(Msg::Tick)).contains(&&Ask::Sample) {
            driver.answer(Ask::Sample, Answer::Listing(rows.clone()));
        }
        if driver.app.alerts.of(SessionId(1)).is_some() {
            break;
        }
    }
    let silent = driver.now.wall_ms - rows[0].output_ms;
    assert_eq!(driver.app.alerts.of(SessionId(1)).map(|alert| alert.text.as_str()), Some("it has been silent for 5m"));
    assert!((300_000..301_000).contains(&silent), "{silent}");
}

#[test]
fn details_tell_every_state_a_session_had_and_since_when() {
    let mut driver = many(1);
    let mut stopping = session(1, "s1");
    stopping.state = State::Stopping { kill_at_ms: 1_700_000_005_000 };
    driver.tell(Msg::Changed(Box::new(stopping)));
    driver.tell(Msg::Changed(Box::new(ended(session(1, "s1"), 3))));
    driver.tell(Msg::Changed(Box::new(ended(session(1, "s1"), 3))));
    driver.keys("i");
    let screen = driver.screen(120, 40);
    let at = |text: &str| screen.find(text).unwrap_or_else(|| panic!("{text} is missing in\n{screen}"));
    // Local time: only minutes are the same everywhere.
    assert!(at(":56:40") < at("0 running") && at("0 running") < at("0 stopping"), "{screen}");
    assert!(at("history ") < at("0 stopping") && at("0 stopping") < at("0 exited 3"), "{screen}");
    assert_eq!(screen.matches("0 exited 3").count(), 1, "{screen}");
}

#[test]
fn ux23_what_a_program_puts_on_the_clipboard_gets_out_only_while_somebody_types_into_it() {
    let mut driver = many(1);
    let put = |driver: &mut Driver, base64: &str| {
        let channel = driver.app.panes.focused().channel();
        let text = verbs::Clipboard { channel, selection: "c".into(), base64: base64.into() };
        driver.tell(Msg::Clipboard(text))
    };
    assert_eq!(put(&mut driver, "Zm9v"), []);
    driver.keys("Enter");
    driver.take();
    let passed = |base64: &str| Effect::PassClipboard { selection: "c".into(), base64: base64.into() };
    assert_eq!(put(&mut driver, "Zm9v"), [passed("Zm9v")]);
    assert!(driver.screen(120, 40).contains("s1 put 3 bytes on the clipboard."));
    assert_eq!(put(&mut driver, "Zm8="), [passed("Zm8=")]);
    // A question, and what ends the sequence early, never get there.
    for hostile in ["?", "Zm9v\x07\x1b[2J", ""] {
        assert_eq!(put(&mut driver, hostile), []);
    }
    driver.app.settings.session_clipboard = false;
    assert_eq!(put(&mut driver, "Zm9v"), []);
}

#[test]
fn ux26_the_settings_are_edited_and_read_again_when_the_daemon_did() {
    let mut driver = many(1);
    driver.keys(": e d i t - s e t Enter");
    assert_eq!(driver.effects, [Effect::EditSettings]);
    assert_eq!(driver.tell(Msg::ReloadSettings), [Effect::ReadSettings]);
}

#[test]
fn ux31_a_warning_changes_the_settings_and_is_said_an_error_changes_nothing() {
    let mut driver = many(1);
    let read = |text: &str| Msg::Settings(Box::new(crate::config::parse(text)));
    driver.tell(read("[tui]\ntheme = \"mine\"\n[themes.mine]\nfaint = \"#222222\"\n"));
    let screen = driver.screen(120, 40);
    assert!(screen.contains("read again; 3:9: warning: theme mine"), "{screen}");
    driver.tell(read("[tui]\ntheme = \"nine\"\nmouse = false\n"));
    assert!(driver.app.settings.mouse, "an unknown theme is an error");
    assert!(driver.screen(120, 40).contains("left as they were"));
}

#[test]
fn ux45_the_demo_opens_at_its_guide_whatever_there_was_before() {
    let mut driver = Driver::new(Options { at: Some("demo-shell".into()), ..Options::default() }, 120, 40);
    driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "mine"), session(2, "demo-shell")]));
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
}

#[test]
fn a_programs_notification_is_passed_on_if_that_is_wanted_and_never_with_what_it_could_do_harm_with() {
    let told = |is_wanted| {
        let mut settings = crate::config::Settings::default();
        settings.tui.pass_notifications = is_wanted;
        let mut driver = Driver::new(Options { settings, ..Options::default() }, 120, 40);
        driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "web"), session(2, "db")]));
        let what = verbs::What::Notification { title: "build".into(), body: "done\u{1b}]0;x\u{7}".into() };
        let happened = verbs::Happened { seq: 1, at_ms: 1, id: SessionId(2), name: String::new(), what };
        let effects = driver.tell(Msg::Happened(Box::new(happened)));
        effects.into_iter().find_map(|effect| match effect {
            Effect::Notify { title, body } => Some((title, body)),
            _ => None,
        })
    };
    assert_eq!(told(true), Some(("build".to_owned(), "done]0;x".to_owned())));
    assert_eq!(told(false), None);
}
