//! The table of all states and events, and what must hold whatever happens.

use super::*;

const MS: Nanos = 1_000_000;
const S: Nanos = 1_000 * MS;

fn rules() -> Rules {
    Rules::of(&ServiceSpec::default())
}

fn up(now: Nanos) -> Machine {
    let mut machine = Machine::new(7);
    machine.on(Event::Start { asked: true }, &rules(), now);
    machine.on(Event::Spawned, &rules(), now);
    machine
}

fn crash() -> Event {
    Event::Exited(Some(ExitStatus::Code(1)))
}

fn by() -> String {
    "ann".to_owned()
}

fn stop() -> Event {
    Event::Stop { by: by(), why: Why::Stop }
}

fn restart(why: Why) -> Event {
    Event::Restart { by: by(), why }
}

/// What a state and the effects are, in words short enough for a table.
fn words(machine: &Machine, effects: &[Effect]) -> String {
    let phase = match &machine.phase {
        Phase::Stopped => "stopped".to_owned(),
        Phase::Waiting => "waiting".to_owned(),
        Phase::Starting { then: None, .. } => "starting".to_owned(),
        Phase::Starting { then: Some(then), .. } => format!("starting>{then:?}").to_lowercase(),
        Phase::Up { ready: true, .. } => "up".to_owned(),
        Phase::Up { ready: false, .. } => "unready".to_owned(),
        Phase::Stopping { then, .. } => format!("stopping>{then:?}").to_lowercase(),
        Phase::Backoff { .. } => "backoff".to_owned(),
        Phase::CrashLoop { .. } => "loop".to_owned(),
        Phase::Exited => "exited".to_owned(),
        Phase::Failed { .. } => "failed".to_owned(),
    };
    let effects = effects.iter().map(|effect| match effect {
        Effect::Spawn => "spawn".to_owned(),
        Effect::Await => "await".to_owned(),
        Effect::Stop => "stop".to_owned(),
        Effect::Died { why, .. } => format!("died:{why:?}").to_lowercase(),
        Effect::Forget => "forget".to_owned(),
    });
    std::iter::once(phase).chain(effects).collect::<Vec<_>>().join(" ")
}

fn phases() -> Vec<(&'static str, Phase)> {
    let key = RequestKey(1);
    let starting = |then| Phase::Starting { key, then, why: Why::Restart, asked: true };
    let stopping = |then| Phase::Stopping { then, why: Why::Stop, by: String::new() };
    vec![
        ("stopped", Phase::Stopped),
        ("waiting", Phase::Waiting),
        ("starting", starting(None)),
        ("starting>stay", starting(Some(Next::Stay))),
        ("starting>start", starting(Some(Next::Start))),
        ("starting>delete", starting(Some(Next::Delete))),
        ("up", Phase::Up { since: 0, ready: true }),
        ("unready", Phase::Up { since: 0, ready: false }),
        ("stopping>stay", stopping(Next::Stay)),
        ("stopping>start", stopping(Next::Start)),
        ("stopping>retry", stopping(Next::Retry)),
        ("stopping>delete", stopping(Next::Delete)),
        ("backoff", Phase::Backoff { at: 5 * S }),
        ("loop", Phase::CrashLoop { at: 5 * S }),
        ("exited", Phase::Exited),
        ("failed", Phase::Failed { fault: Fault::GaveUp }),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("start", Event::Start { asked: true }),
        ("stop", stop()),
        ("restart", restart(Why::Restart)),
        ("watch", restart(Why::Watch)),
        ("memory", restart(Why::Memory)),
        ("delete", Event::Delete { by: by() }),
        ("free", Event::Free),
        ("spawned", Event::Spawned),
        ("not-spawned", Event::NotSpawned(2)),
        ("ready", Event::Ready),
        ("crash", crash()),
        ("due", Event::Due),
    ]
}

/// One line a state; in the order of `events`. `=` is no change and no effect.
const TABLE: &str = "
stopped: starting spawn | = | starting spawn | starting spawn | = | stopped forget | = | = | = | = | = | =
waiting: waiting await | stopped | waiting await | = | = | stopped forget | starting spawn | = | = | = | = | =
starting: = | starting>stay | = | = | = | starting>delete | = | up | failed died:notstarted | = | = | =
starting>stay: starting>start | = | starting>start | starting>start | starting>start | starting>delete | = | stopping>stay stop | stopped died:notstarted | = | = | =
starting>start: = | starting>stay | = | = | = | starting>delete | = | stopping>start stop | backoff died:notstarted | = | = | =
starting>delete: = | = | = | = | = | = | = | stopping>delete stop | stopped died:notstarted forget | = | = | =
up: = | stopping>stay stop | stopping>start stop | stopping>start stop | stopping>retry stop | stopping>delete stop | = | = | = | = | backoff died:crashed | =
unready: = | stopping>stay stop | stopping>start stop | stopping>start stop | stopping>retry stop | stopping>delete stop | = | = | = | up | backoff died:crashed | =
stopping>stay: stopping>start | = | stopping>start | stopping>start | stopping>start | stopping>delete | = | = | = | = | stopped died:stop | =
stopping>start: = | stopping>stay | = | = | = | stopping>delete | = | = | = | = | starting died:stop spawn | =
stopping>retry: stopping>start | stopping>stay | stopping>start | stopping>start | stopping>start | stopping>delete | = | = | = | = | backoff died:stop | =
stopping>delete: = | = | = | = | = | = | = | = | = | = | stopped died:stop forget | =
backoff: starting spawn | stopped | starting spawn | starting spawn | = | stopped forget | = | = | = | = | = | starting spawn
loop: starting spawn | stopped | starting spawn | starting spawn | = | stopped forget | = | = | = | = | = | starting spawn
exited: starting spawn | = | starting spawn | starting spawn | = | stopped forget | = | = | = | = | = | =
failed: starting spawn | = | starting spawn | starting spawn | = | stopped forget | = | = | = | = | = | =
";

#[test]
fn each_pair_of_state_and_event_does_what_the_table_says() {
    let mut rows = String::from("\n");
    for (name, phase) in phases() {
        let cells: Vec<String> = events()
            .into_iter()
            .map(|(_, event)| {
                let mut machine = Machine { wanted: Wanted::Up, phase: phase.clone(), ..Machine::new(7) };
                let effects = machine.on(event, &rules(), 6 * S);
                let after = words(&machine, &effects);
                if after == name { "=".to_owned() } else { after }
            })
            .collect();
        rows += &[name, ": ", &cells.join(" | "), "\n"].concat();
    }
    assert_eq!(rows, TABLE, "{rows}");
}

#[test]
fn w48_w49_r2_a_stop_or_delete_during_backoff_is_never_undone() {
    for (event, wanted) in [(stop(), "stopped"), (Event::Delete { by: by() }, "stopped forget")] {
        let mut machine = up(0);
        machine.on(crash(), &rules(), S);
        let due = machine.deadline(&rules()).expect("it backs off");

        let effects = machine.on(event, &rules(), S + 1);

        assert_eq!(words(&machine, &effects), wanted);
        assert_eq!(machine.deadline(&rules()), None, "no timer is left");
        assert_eq!(machine.on(Event::Due, &rules(), due + 60 * S), vec![]);
        assert_eq!(machine.wanted, Wanted::Down);
    }
}

#[test]
fn pauses_double_to_their_cap_and_a_long_run_begins_them_anew() {
    let rules = Rules { backoff: Backoff { jitter_percent: 0, ..Backoff::default() }, ..rules() };
    let rules = Rules { crash_loop: CrashLoop { failures: 1000, ..CrashLoop::default() }, ..rules };
    let mut machine = up(0);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..11 {
        machine.on(crash(), &rules, now);
        let at = machine.deadline(&rules).expect("a pause");
        pauses.push((at - now) / MS);
        now = at;
        machine.on(Event::Due, &rules, now);
        machine.on(Event::Spawned, &rules, now);
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);

    let reset = machine.deadline(&rules).expect("a timer decides, not the next death");
    assert_eq!(reset, now + 10 * S);
    machine.on(Event::Due, &rules, reset);
    assert_eq!((machine.attempt, machine.deadline(&rules)), (0, None));

    let effects = machine.on(crash(), &rules, reset + 1);
    assert_eq!(words(&machine, &effects), "starting died:crashed spawn", "the next start is immediate");
}

#[test]
fn jitter_spreads_those_that_fell_together_by_a_tenth() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut machine = Machine::new(seed);
        machine.on(Event::Start { asked: true }, &rules(), 0);
        machine.on(Event::Spawned, &rules(), 0);
        machine.on(crash(), &rules(), 0);
        let pause = machine.deadline(&rules()).expect("a pause");
        assert!((90 * MS..=110 * MS).contains(&pause), "{pause}");
        seen.insert(pause);
    }
    assert!(seen.len() > 150, "{}", seen.len());
}

#[test]
fn w56_w57_ten_failures_in_a_minute_are_a_crash_loop_that_is_tried_on_at_the_cap() {
    let mut machine = up(0);
    let mut now = 0;
    for n in 1..=10 {
        let effects = machine.on(crash(), &rules(), now);
        let wanted = if n < 10 { "backoff" } else { "loop" };
        assert_eq!(words(&machine, &effects), format!("{wanted} died:crashed"), "failure {n}");
        now = machine.deadline(&rules()).expect("a pause").min(now + 5 * S);
        machine.phase = Phase::Up { since: now, ready: true };
    }
    machine.on(crash(), &rules(), now);
    let pause = machine.deadline(&rules()).expect("it is tried on") - now;
    assert!((27 * S..=33 * S).contains(&pause), "{pause}");
    assert_eq!(machine.restarts, 0, "only starts are counted");

    // A failure each twenty seconds is none.
    let mut slow = up(0);
    for n in 0..100 {
        slow.phase = Phase::Up { since: n * 20 * S, ready: true };
        slow.on(crash(), &rules(), n * 20 * S + S);
        assert!(!slow.is_loop);
    }
}

#[test]
fn one_that_gives_up_stays_down_until_somebody_starts_it() {
    let crash_loop = CrashLoop { failures: 3, give_up: true, ..CrashLoop::default() };
    let rules = Rules { crash_loop, ..rules() };
    let mut machine = up(0);
    for now in [1, 2, 3] {
        machine.phase = Phase::Up { since: now, ready: true };
        machine.on(crash(), &rules, now);
    }
    assert_eq!(machine.phase, Phase::Failed { fault: Fault::GaveUp });
    assert_eq!(machine.on(Event::Start { asked: true }, &rules, 4), vec![Effect::Spawn]);
    assert!(!machine.is_loop);
}

#[test]
fn r3_who_asks_for_a_restart_is_counted_and_is_no_failure() {
    let mut machine = up(0);
    for n in 1..=50 {
        let effects = machine.on(restart(Why::Restart), &rules(), n);
        assert_eq!(words(&machine, &effects), "stopping>start stop");
        let effects = machine.on(Event::Exited(Some(ExitStatus::Signal(15))), &rules(), n);
        assert_eq!(words(&machine, &effects), "starting died:restart spawn");
        machine.on(Event::Spawned, &rules(), n);
    }
    assert_eq!((machine.restarts, machine.attempt, machine.is_loop), (50, 0, false));
}

#[test]
fn w57_policies_decide_by_the_exit() {
    let with = |restart, stop_codes: &[u8]| Rules { restart, stop_codes: stop_codes.to_vec(), ..rules() };
    let code = |code| Some(ExitStatus::Code(code));
    for (rules, status, wanted) in [
        (with(Restart::Always, &[]), code(0), "backoff died:ended"),
        (with(Restart::Always, &[3]), code(3), "exited died:crashed"),
        (with(Restart::OnFailure, &[]), code(0), "exited died:ended"),
        (with(Restart::OnFailure, &[]), code(1), "backoff died:crashed"),
        (with(Restart::OnFailure, &[]), Some(ExitStatus::Signal(9)), "backoff died:crashed"),
        (with(Restart::No, &[]), code(1), "exited died:crashed"),
        (with(Restart::No, &[]), code(0), "exited died:ended"),
    ] {
        let mut machine = up(0);
        let effects = machine.on(Event::Exited(status), &rules, S);
        assert_eq!(words(&machine, &effects), wanted, "{rules:?} {status:?}");
    }
}

#[test]
fn without_backoff_the_next_start_is_immediate_for_ever() {
    let rules = Rules { backoff: Backoff { initial: 0, ..Backoff::default() }, ..rules() };
    let mut machine = up(0);
    for now in 0..100 {
        assert_eq!(machine.on(crash(), &rules, now).last(), Some(&Effect::Spawn));
        machine.on(Event::Spawned, &rules, now);
    }
}

#[test]
fn what_a_shutdown_ends_is_wanted_again_and_what_a_person_stops_is_not() {
    let mut machine = up(0);
    machine.on(Event::Stop { by: String::new(), why: Why::Shutdown }, &rules(), 1);
    machine.on(crash(), &rules(), 2);
    assert_eq!((machine.wanted, &machine.phase), (Wanted::Up, &Phase::Stopped));

    let mut machine = up(0);
    machine.on(stop(), &rules(), 1);
    assert_eq!(machine.wanted, Wanted::Down);
}

mod any {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn r1_w48_whatever_happens_there_is_one_run_at_most_and_none_after_a_stop(
            picks in proptest::collection::vec((0..12_usize, 0..20_000_u64), 1..200),
            seed: u64,
        ) {
            let rules = rules();
            let mut machine = Machine::new(seed);
            let (mut now, mut alive, mut asked, mut forgotten) = (0, false, false, false);
            for (pick, pause) in picks {
                now += pause * MS;
                let (_, event) = events().swap_remove(pick);
                // What cannot happen does not.
                match event {
                    Event::Exited(_) if !alive => continue,
                    Event::Spawned | Event::NotSpawned(_) if !asked => continue,
                    _ => {}
                }
                if forgotten {
                    break;
                }
                match event {
                    Event::Exited(_) => alive = false,
                    Event::Spawned => (alive, asked) = (true, false),
                    Event::NotSpawned(_) => asked = false,
                    _ => {}
                }
                let is_stop = matches!(event, Event::Stop { .. });
                for effect in machine.on(event, &rules, now) {
                    match effect {
                        Effect::Spawn => {
                            prop_assert!(!alive && !asked, "a second run was started");
                            asked = true;
                        }
                        Effect::Forget => {
                            prop_assert!(!alive && !asked, "it was forgotten while it ran");
                            forgotten = true;
                        }
                        Effect::Stop => prop_assert!(alive),
                        Effect::Await | Effect::Died { .. } => {}
                    }
                }
                if is_stop {
                    prop_assert_eq!(machine.wanted, Wanted::Down);
                    let is_starting = matches!(machine.phase, Phase::Starting { .. });
                    prop_assert!(!machine.goes_on() || is_starting);
                }
                if let Some(at) = machine.deadline(&rules) {
                    prop_assert!(at <= now + 33 * S + 10 * S);
                }
                prop_assert_eq!(alive, matches!(machine.phase, Phase::Up { .. } | Phase::Stopping { .. }));
                let saved = serde_json::to_string(&machine).expect("it can be saved");
                prop_assert_eq!(&serde_json::from_str::<Machine>(&saved).expect("and read"), &machine);
            }
        }
    }
}
