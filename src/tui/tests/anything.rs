//! Whatever happens in whatever order: nothing panics, and the way back to the list is always the same.
//!
//! Random keys, bytes, sizes, sessions, answers and losses of the daemon.

use super::services::service;
use super::*;
use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::session::service::death::Death;
use crate::session::service::definition::Definition;
use crate::session::service::status::ServiceState;

#[derive(Debug, Clone)]
enum Event {
    Bytes(Vec<u8>),
    Action(usize),
    Resize(u16, u16),
    Session(u64, u8),
    Removed(u64),
    Stolen,
    Lost,
    Connected,
    Answer(bool),
    Frame(u16, u16),
    Later(u64),
    /// Any action, wherever the keyboard is: the palette could do it.
    Run(usize),
    Mouse(u16, u16, u16, bool),
    Happened(u64, u8),
    Sample(u64),
    /// A service: which session it has, its state.
    Service(u64, u8),
    /// Something of a history comes, on any channel that was asked for.
    Log(usize, u8, u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Event::Bytes),
        (0..200_usize).prop_map(Event::Action),
        (1..130_u16, 1..50_u16).prop_map(|(cols, rows)| Event::Resize(cols, rows)),
        (1..6_u64, 0..4_u8).prop_map(|(id, kind)| Event::Session(id, kind)),
        (1..6_u64).prop_map(Event::Removed),
        Just(Event::Stolen),
        Just(Event::Lost),
        Just(Event::Connected),
        any::<bool>().prop_map(Event::Answer),
        (1..60_u16, 1..140_u16).prop_map(|(rows, cols)| Event::Frame(rows, cols)),
        (0..2000_u64).prop_map(Event::Later),
        (0..300_usize).prop_map(Event::Run),
        (0..100_u16, 1..140_u16, 1..60_u16, any::<bool>()).prop_map(|(code, x, y, is)| Event::Mouse(code, x, y, is)),
        (1..6_u64, 0..3_u8).prop_map(|(id, kind)| Event::Happened(id, kind)),
        (1..6_u64).prop_map(Event::Sample),
        (1..9_u64, 0..5_u8).prop_map(|(id, state)| Event::Service(id, state)),
        (any::<usize>(), 0..6_u8, 0..50_u64).prop_map(|(n, kind, at)| Event::Log(n, kind, at)),
    ]
}

const STATES: [ServiceState; 5] =
    [ServiceState::Up, ServiceState::Backoff, ServiceState::CrashLoop, ServiceState::Stopped, ServiceState::Failed];

/// Every way to press something, whether it counts here or not.
fn sequences() -> Vec<String> {
    let bindings = action::all().flat_map(|action| action.bindings);
    bindings.flat_map(|binding| binding.keys).map(|keys| keys.replace("Prefix", "C-b")).collect()
}

fn apply(driver: &mut Driver, event: Event, outstanding: &mut Vec<Ask>) {
    let effects = match event {
        Event::Bytes(bytes) => driver.tell(Msg::Input(tokens(&bytes))),
        Event::Action(n) => {
            let all = sequences();
            driver.keys(&all[n % all.len()])
        }
        Event::Resize(cols, rows) => driver.tell(Msg::Resized(Screen { cols, rows })),
        Event::Session(id, kind) => {
            let mut status = session(id, &format!("s{id}"));
            match kind {
                0 => status = ended(status, 1),
                1 => status.state = State::Stopping { kill_at_ms: u64::MAX },
                _ => {}
            }
            driver.tell(Msg::Changed(Box::new(status)))
        }
        Event::Removed(id) => driver.tell(Msg::Removed(SessionId(id))),
        Event::Stolen => {
            let channel = driver.app.panes.focused().channel();
            driver.tell(Msg::Stolen(verbs::Stolen { channel, by: "ann".into(), at_ms: 1 }))
        }
        Event::Lost => driver.tell(Msg::Lost("x".into())),
        Event::Connected => driver.tell(Msg::Connected),
        // History comes and ends.
        Event::Answer(true) if matches!(outstanding.last(), Some(Ask::History { .. })) => {
            let Some(Ask::History { channel, from, .. }) = outstanding.pop() else { return };
            let bytes = b"one two\r\nerror\r\n\x1b]133;A\x07$ three\r\n".repeat(9);
            let at = if let verbs::From::Offset(from) = from { from } else { 0 };
            driver.tell(Msg::Bulk(Bulk { channel, more: false, at, bytes }));
            driver.tell(Msg::Closed(verbs::Closed { channel, end: None }))
        }
        Event::Answer(is_yes) => match outstanding.pop() {
            Some(ask) => driver.tell(answer(ask, is_yes)),
            None => Vec::new(),
        },
        Event::Frame(rows, cols) => driver.frame(Size::clamped(rows, cols), b"\x1b[?1000h\x1b[5;5Habc"),
        Event::Run(n) => {
            let all: Vec<_> = action::all().collect();
            driver.app.act(all[n % all.len()]);
            driver.tell(Msg::Tick)
        }
        Event::Mouse(code, x, y, is_press) => {
            let last = if is_press { 'M' } else { 'm' };
            driver.tell(Msg::Input(tokens(format!("\x1b[<{code};{x};{y}{last}").as_bytes())))
        }
        Event::Happened(id, kind) => {
            let what = match kind {
                0 => verbs::What::Bell,
                1 => verbs::What::Notification { title: "t".into(), body: "b".into() },
                _ => verbs::What::Removed,
            };
            let happened = verbs::Happened { seq: 1, at_ms: 1, id: SessionId(id), name: String::new(), what };
            driver.tell(Msg::Happened(Box::new(happened)))
        }
        Event::Service(id, state) => {
            // Sessions that are three apart are of one service.
            let name = format!("svc{}", id % 3);
            driver.tell(Msg::Changed(Box::new(service(id, &name, STATES[usize::from(state)]))))
        }
        Event::Log(n, kind, at) => {
            let asked = outstanding
                .iter()
                .filter_map(|ask| if let Ask::Logs { channel, .. } = ask { Some(*channel) } else { None });
            let channels: Vec<u32> = asked.collect();
            let Some(channel) = channels.get(n % channels.len().max(1)).copied() else { return };
            let stream = [Stream::Terminal, Stream::Out, Stream::Err][n % 3];
            let bytes = b"one\ttwo \xe6\xbc\xa2\nerror\n\x1b[1mhalf".repeat(n % 9);
            let chunk = match kind {
                0 => Chunk::End(None),
                1 => Chunk::Missed { at: at * 100, bytes: 7 },
                2 => Chunk::Torn { at },
                _ => Chunk::Bytes { at: at * 100, stream, time_us: at * 1_000_000, bytes },
            };
            driver.tell(Msg::Log { channel, chunk })
        }
        Event::Sample(id) => driver.answer(Ask::Sample, Answer::Listing(vec![session(id, "s")])),
        Event::Later(ms) => {
            driver.later(ms);
            driver.tell(Msg::Tick)
        }
    };
    outstanding.extend(asks(&effects).into_iter().cloned());
    outstanding.truncate(100);
}

fn answer(ask: Ask, is_yes: bool) -> Msg {
    let result = match &ask {
        _ if !is_yes => Err(WireError::new(Code::Controlled, "no")),
        Ask::Subscribe | Ask::Sample => Ok(Answer::Listing(vec![session(1, "s1")])),
        Ask::Watch { target, .. } => {
            let id = SessionId(target.parse().unwrap_or(1));
            Ok(Answer::Attached(verbs::Attached { id, name: "s".into(), ..verbs::Attached::default() }))
        }
        Ask::Run { .. } => Ok(Answer::Started(verbs::Started { id: SessionId(5), name: "s5".into(), pid: 1 })),
        Ask::Procs { .. } => Ok(Answer::Procs(Vec::new())),
        Ask::LastLine { .. } => Ok(Answer::Text("last".into())),
        Ask::Stop { .. } | Ask::Remove { .. } | Ask::Signal { .. } => Ok(Answer::Outcomes(Vec::new())),
        Ask::Act { .. } => Ok(Answer::Acts(verbs::Acts::default())),
        Ask::Why { id } => Ok(Answer::Histories(vec![verbs::ServiceHistory {
            status: service(id.0, "web", ServiceState::Up),
            deaths: vec![Death { lines: vec!["boom".into()], ..Death::default() }; 3],
        }])),
        Ask::Definition { .. } => Ok(Answer::Definitions(vec![Definition::default()])),
        Ask::Logs { .. }
        | Ask::Rename { .. }
        | Ask::Send { .. }
        | Ask::Events
        | Ask::History { .. }
        | Ask::Take { .. }
        | Ask::Release { .. }
        | Ask::Detach { .. } => Ok(Answer::Done),
    };
    Msg::Reply(ask, result)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn nothing_panics_and_the_way_back_to_the_list_is_always_the_same(
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let mut driver = Driver::dashboard(vec![session(1, "s1"), session(2, "s2")]);
        let mut outstanding = Vec::new();
        for event in events {
            apply(&mut driver, event, &mut outstanding);
            let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 20));
            view::render(&driver.app, &mut buffer);
            driver.app.take_damage();
        }
        driver.later(1000);
        driver.tell(Msg::Connected);
        // Out of a sequence or a field, out of an overlay, out of a selection, out of copy mode, out of the session.
        for _ in 0..4 {
            driver.keys("Esc");
        }
        driver.keys("C-b s");
        driver.keys("Esc");
        prop_assert_eq!(driver.app.context(), Context::List);
        prop_assert_eq!(driver.app.control(), &Control::None);
    }
}
