//! Services in the list: what keys do to them, and what the screen says of them.

use super::*;
use crate::protocol::verbs::Deed;
use crate::session::service::death::Death;
use crate::session::service::definition::Definition;
use crate::session::service::machine::Wanted;
use crate::session::service::machine::Why;
use crate::session::service::spec::Command;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::status::ServiceState;
use crate::session::service::status::ServiceStatus;

/// A service in a state, with the session it has.
pub(super) fn service(id: u64, name: &str, state: ServiceState) -> Status {
    let runs = matches!(state, ServiceState::Up | ServiceState::Ready | ServiceState::Starting);
    let waits = matches!(state, ServiceState::Backoff | ServiceState::CrashLoop);
    let base = if runs { session(id, name) } else { ended(session(id, name), 7) };
    Status {
        kind: Kind::Pipe,
        service: Some(ServiceStatus {
            service: name.to_owned(),
            namespace: "shop".to_owned(),
            state,
            wanted: if runs || waits { Wanted::Up } else { Wanted::Down },
            goes_on: runs || waits,
            restarts: 4,
            attempt: 3,
            next_start_ms: if waits { 1_700_000_003_000 } else { 0 },
            up_since_ms: if runs { 1_699_999_700_000 } else { 0 },
            ..ServiceStatus::default()
        }),
        ..base
    }
}

fn unborn(id: u64, name: &str) -> Status {
    let mut status = service(id, name, ServiceState::Failed);
    status.pid = 0;
    status
}

fn set() -> Driver {
    let mut rows = vec![
        service(1, "web", ServiceState::Up),
        service(2, "api", ServiceState::Backoff),
        service(3, "crasher", ServiceState::CrashLoop),
        service(4, "off", ServiceState::Stopped),
        session(5, "shell"),
    ];
    rows[0].tags = vec!["front".into()];
    Driver::dashboard(rows)
}

fn row<'a>(screen: &'a str, name: &str) -> &'a str {
    let is_row = |line: &&str| line.chars().take(12).collect::<String>().contains(name);
    let line = screen.lines().find(is_row);
    line.and_then(|line| line.split('│').next()).unwrap_or_else(|| panic!("no {name} in\n{screen}"))
}

#[test]
fn services_say_their_state_restarts_and_uptime_and_columns_go_by_what_they_are_worth() {
    let mut driver = set();
    let screen = driver.screen(120, 40);
    for (name, parts) in [
        ("web", vec!["up", "5m", "4"]),
        ("api", vec!["backoff 3s", "-"]),
        ("crasher", vec!["crash-loop"]),
        ("off", vec!["stopped"]),
        ("shell", vec!["running", "16m"]),
    ] {
        for part in parts {
            assert!(row(&screen, name).contains(part), "{name} lacks {part}\n{screen}");
        }
    }
    assert!(screen.contains("2 running · 1 starting · 1 ended · 1 failed"), "{screen}");
    driver.tell(Msg::Resized(Screen { cols: 80, rows: 24 }));
    let screen = driver.screen(80, 24);
    assert!(row(&screen, "api").contains("backoff 3s") && row(&screen, "web").contains("5m"), "{screen}");
    driver.tell(Msg::Resized(Screen { cols: 40, rows: 12 }));
    let screen = driver.screen(40, 12);
    for part in ["> web", "up", "5m", "backoff 3s", "crash-loop", "res", "shell"] {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
}

#[test]
fn a_next_start_is_counted_down_each_second_and_only_while_one_is_near() {
    let mut driver = set();
    let first = driver.app.deadline().expect("it counts");
    assert!(first <= driver.now.mono + 1000 * MS, "{first}");
    driver.later(1000);
    driver.tell(Msg::Tick);
    assert!(row(&driver.screen(120, 40), "api").contains("backoff 2s"));
    let quiet = Driver::dashboard(vec![service(1, "web", ServiceState::Up)]);
    assert!(quiet.app.deadline().is_none_or(|at| at > quiet.now.mono + 1500 * MS));
}

#[test]
fn load_is_asked_for_where_its_columns_are_seen_and_shown_there() {
    let mut driver = set();
    let sample = |driver: &mut Driver| {
        driver.later(2000);
        driver.tell(Msg::Tick);
        let effects = driver.answer(Ask::Sample, Answer::Listing(driver.app.sessions.rows().to_vec()));
        asks(&effects).iter().any(|ask| matches!(ask, Ask::Procs { .. }))
    };
    assert!(sample(&mut driver), "the column is there at 120 columns");
    let info =
        verbs::ProcessInfo { session: Some("web".into()), cpu_permille: 125, memory: 9 << 20, ..Default::default() };
    driver.answer(Ask::Procs { ids: Vec::new() }, Answer::Procs(vec![info]));
    assert!(row(&driver.screen(120, 40), "web").contains("12.5%"), "{}", driver.screen(120, 40));
    driver.tell(Msg::Resized(Screen { cols: 80, rows: 24 }));
    driver.later(60_000);
    assert!(!sample(&mut driver), "nobody sees it at 80 columns");
}

#[test]
fn v_start_restart_and_reload_do_the_services_thing() {
    let mut driver = set();
    let acts = |effects: &[Effect]| {
        asks(effects)
            .into_iter()
            .filter_map(|ask| if let Ask::Act { ids, deed } = ask { Some((ids.clone(), *deed)) } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(acts(&driver.keys("S")), []);
    assert!(driver.screen(120, 40).contains("web runs already; r restarts it."));
    assert_eq!(acts(&driver.keys("r")), [(vec![SessionId(1)], Deed::Restart)]);
    assert_eq!(acts(&driver.keys("R")), [(vec![SessionId(1)], Deed::Reload)]);
    driver.keys("j");
    assert_eq!(acts(&driver.keys("S")), [(vec![SessionId(2)], Deed::Start)], "it does not wait for its pause");
    driver.keys("G");
    assert_eq!(acts(&driver.keys("S")), []);
    assert!(driver.screen(120, 40).contains("shell is a session and no service"));
    driver.keys("g g * S");
    assert_eq!(acts(&driver.effects), [(vec![SessionId(2), SessionId(3), SessionId(4)], Deed::Start)]);
}

#[test]
fn ux10_several_services_are_restarted_after_one_question_that_names_them() {
    let mut driver = set();
    driver.keys("Space Space r");
    let screen = driver.screen(120, 40);
    assert!(
        screen.contains("Restart 2 services?") && screen.contains("web  web") && screen.contains("api  api"),
        "{screen}"
    );
    driver.keys("Enter");
    assert_eq!(asks(&driver.effects), Vec::<&Ask>::new());
    let effects = driver.keys("r y");
    assert_eq!(asks(&effects), [&Ask::Act { ids: vec![SessionId(1), SessionId(2)], deed: Deed::Restart }]);
    assert!(driver.app.list.marked.is_empty());
}

#[test]
fn ux10_a_stopped_service_stays_stopped_and_the_question_says_so() {
    let mut driver = set();
    driver.keys("x");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("Stop web?") && screen.contains("It is a service: it stays stopped"), "{screen}");
    assert_eq!(asks(&driver.keys("y")), [&Ask::Stop { ids: vec![SessionId(1)], grace_ms: 5000 }]);
    // One that waits for its next start can be stopped as well, one that is stopped cannot.
    driver.keys("j x");
    assert!(driver.screen(120, 40).contains("Stop api?"));
    driver.keys("Esc");
    driver.keys("j j x");
    assert!(driver.screen(120, 40).contains("off does not run (stopped); S starts it, d deletes it."));
}

#[test]
fn a_service_is_deleted_after_a_question_only() {
    let mut driver = set();
    driver.keys("j j j d");
    assert!(driver.screen(120, 40).contains("Delete off?"), "{}", driver.screen(120, 40));
    assert_eq!(asks(&driver.keys("y")), [&Ask::Act { ids: vec![SessionId(4)], deed: Deed::Delete }]);
}

#[test]
fn ux9_the_row_is_the_service_whichever_session_it_has() {
    let mut driver = set();
    driver.keys("j Space k");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
    // A reload: the fresh instance comes under a name of its own, then the old one goes.
    let mut fresh = service(9, "api", ServiceState::Up);
    fresh.name = "api-fresh".into();
    driver.tell(Msg::Changed(Box::new(fresh)));
    let names = |driver: &Driver| {
        let of = |id| driver.app.sessions.get(id).map(|status| status.name.clone()).unwrap_or_default();
        driver.app.list.rows().map(of).collect::<Vec<_>>()
    };
    assert_eq!(names(&driver), ["web", "api", "api-fresh", "crasher", "off", "shell"]);
    driver.tell(Msg::Removed(SessionId(2)));
    driver.tell(Msg::Changed(Box::new(service(9, "api", ServiceState::Up))));
    assert_eq!(names(&driver), ["web", "api", "crasher", "off", "shell"]);
    assert!(driver.app.list.marked.contains(&SessionId(9)));
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(9)));
    // The daemon is back with another session for it: the row, the selection and the pane stay.
    let mut rows = vec![service(1, "web", ServiceState::Up), service(12, "api", ServiceState::Up)];
    rows.push(session(5, "shell"));
    let effects = driver.answer(Ask::Subscribe, Answer::Listing(rows));
    assert_eq!(names(&driver), ["web", "api", "shell"]);
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(12)));
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Watch { target, .. } if target == "12")), "{effects:?}");
}

#[test]
fn a_service_that_never_ran_says_so_is_not_watched_and_is_once_it_runs() {
    let mut rows = vec![unborn(2_000_004, "wrong")];
    rows[0].service.as_mut().expect("a service").reason = Some("command not found".into());
    let mut driver = Driver::dashboard(rows);
    assert_eq!(driver.app.panes.focused().channel(), 0);
    let screen = driver.screen(120, 40);
    assert!(
        screen.contains("wrong is failed and has not run yet.") && screen.contains("command not found"),
        "{screen}"
    );
    assert_eq!(asks(&driver.keys("S")), [&Ask::Act { ids: vec![SessionId(2_000_004)], deed: Deed::Start }]);
    driver.tell(Msg::Changed(Box::new(service(8, "wrong", ServiceState::Up))));
    let effects = driver.tell(Msg::Removed(SessionId(2_000_004)));
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Watch { target, .. } if target == "8")), "{effects:?}");
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(8)));
}

#[test]
fn v_why_a_service_ended_and_what_it_is_are_among_its_details() {
    let mut driver = set();
    driver.keys("j");
    let effects = driver.keys("i");
    assert_eq!(asks(&effects), [&Ask::Why { id: SessionId(2) }, &Ask::Definition { id: SessionId(2) }]);
    let death = |number, lines: &str| Death {
        number,
        at_ms: 1_699_999_999_000,
        status: Some(ExitStatus::Code(7)),
        up_ms: 1023,
        why: Why::Crashed,
        lines: vec![lines.to_owned()],
        ..Death::default()
    };
    let status = service(2, "api", ServiceState::Backoff);
    let history = verbs::ServiceHistory { status, deaths: vec![death(1, "first words"), death(2, "last \u{1b}words")] };
    driver.answer(Ask::Why { id: SessionId(2) }, Answer::Histories(vec![history]));
    let spec = ServiceSpec {
        name: "api".into(),
        command: Command::of(&["./api", "--port"]),
        instances: 2,
        ..Default::default()
    };
    let definition = Definition { spec, ..Definition::default() };
    driver.answer(Ask::Definition { id: SessionId(2) }, Answer::Definitions(vec![definition]));
    let screen = driver.screen(120, 40);
    for part in [
        "backoff, try 4 in 3.0s",
        "wanted up",
        "restarted 4 times",
        "exited with code 7 after 1.023s up: by itself",
        "last words",
        "[services.api]",
        "command = [\"./api\", \"--port\"]",
        "instances = 2",
    ] {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
    assert!(screen.find("last words") < screen.find("first words"), "the newest comes first\n{screen}");
    // It ends again while somebody looks.
    driver.tell(Msg::Changed(Box::new(service(2, "api", ServiceState::Up))));
    assert!(
        asks(&driver.tell(Msg::Changed(Box::new(service(2, "api", ServiceState::Backoff)))))
            .contains(&&Ask::Why { id: SessionId(2) })
    );
}

#[test]
fn the_end_of_a_service_wants_attention_unless_somebody_asked_for_it() {
    let mut driver = set();
    let happened = |driver: &mut Driver, id, how| {
        let State::Ended { end } = ended(session(1, "x"), 7).state else { return };
        let what = verbs::What::Ended { end: End { how, ..end } };
        let happened = verbs::Happened { seq: 1, at_ms: 1, id: SessionId(id), name: String::new(), what };
        driver.tell(Msg::Happened(Box::new(happened)));
    };
    for (id, how, is_news) in
        [(2, How::Stopped, false), (99, How::Natural, false), (3, How::Natural, true), (5, How::Stopped, true)]
    {
        let before = driver.app.alerts.count();
        happened(&mut driver, id, how);
        assert_eq!(driver.app.alerts.count() > before, is_news, "{id} {how:?}");
    }
}

#[test]
fn monit_opens_at_the_services_by_namespace() {
    let mut driver = Driver::new(Options { at_services: true, ..Options::default() }, 120, 40);
    let rows = vec![session(1, "shell"), service(2, "web", ServiceState::Up)];
    driver.answer(Ask::Subscribe, Answer::Listing(rows));
    assert_eq!(driver.app.sessions.selected_id(), Some(SessionId(2)));
    let screen = driver.screen(120, 40);
    assert!(screen.find("▾ shop (1)") < screen.find("▾ no service (1)"), "{screen}");
}

#[test]
fn ux5_the_hints_are_those_of_the_selected_row() {
    let hints = |rows: Vec<Status>| {
        let driver = Driver::dashboard(rows);
        driver.screen(120, 40).lines().last().unwrap_or_default().to_owned()
    };
    let up = hints(vec![service(1, "web", ServiceState::Up)]);
    assert!(up.starts_with(" Enter type  r restart  R reload ") && !up.contains("remove"), "{up}");
    let down = hints(vec![service(1, "web", ServiceState::Stopped)]);
    assert!(down.contains(" S start ") && !down.contains("type") && !down.contains("x stop"), "{down}");
    let waits = hints(vec![service(1, "web", ServiceState::Backoff)]);
    assert!(waits.contains(" S start ") && waits.contains(" x stop "), "{waits}");
    let shell = hints(vec![session(1, "shell")]);
    assert!(shell.starts_with(" Enter type  n new ") && !shell.contains("remove") && !shell.contains(" R "), "{shell}");
    let over = hints(vec![ended(session(1, "shell"), 3)]);
    assert!(over.contains(" r restart  d remove ") && !over.contains("kill"), "{over}");
}
