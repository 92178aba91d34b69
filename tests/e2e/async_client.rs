//! The client for programs on tokio: many calls at once, bytes and changes across kills, errors that mean something.

use runpm::client::Change;
use runpm::client::Chunk;
use runpm::client::Client;
use runpm::client::Command;
use runpm::client::Error;
use runpm::client::Follow;
use runpm::client::Output;
use runpm::client::request_key;
use runpm::history::Stream;
use runpm::platform::endpoint;
use runpm::protocol::verbs;
use runpm::session::status::End;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;

use crate::support::LONG;
use crate::support::Place;
use crate::support::kill;

/// What stands in a test's own thread moves only inside of `block_on`, so a daemon can be killed between two steps.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn connect(place: &Place, runtime: &Runtime) -> Client {
    place.ok(&["daemon", "start"]);
    let folders = endpoint::Place { runtime: place.dir().to_owned(), state: place.dir().to_owned(), is_private: true };
    runtime.block_on(Client::connect_at(folders)).expect("a daemon")
}

/// A command for a session of this place, which has to be found when the test ends.
fn shell(place: &Place, line: &str) -> Command {
    Command::shell(line).env("RUNPM_DIR", place.dir()).env_remove("ENV")
}

async fn until(follow: &mut Follow, wanted: &str) -> String {
    let mut said = String::new();
    while !said.contains(wanted) {
        match follow.next().await.expect("it lives").expect("more is said") {
            Chunk::Bytes { bytes, .. } => said.push_str(&String::from_utf8_lossy(&bytes)),
            chunk => assert!(matches!(chunk, Chunk::Resize { .. } | Chunk::Exit { .. }), "{chunk:?} after {said:?}"),
        }
    }
    said
}

#[test]
fn w97_many_calls_at_once_get_their_own_answers_and_a_slow_one_holds_nobody_up() {
    let (place, runtime) = (Place::new(), runtime());
    let client = connect(&place, &runtime);
    for name in ["a", "b", "c"] {
        place.start(name, &format!("echo this is {name}; trap '' HUP TERM; while :; do sleep 1000; done"));
        place.wait_screen(name, "this is");
    }
    runtime.block_on(async {
        let stop =
            verbs::Stop { key: request_key(), targets: vec!["a".into()], grace_ms: 1500, ..verbs::Stop::default() };
        let slow = tokio::spawn({
            let client = client.clone();
            async move { client.call(&stop).await }
        });
        let mut asked = Vec::new();
        for n in 0..60 {
            let (client, name) = (client.clone(), ["a", "b", "c"][n % 3]);
            asked.push(tokio::spawn(async move {
                let screen =
                    client.call(&verbs::ScreenOf { target: name.to_owned(), ..verbs::ScreenOf::default() }).await;
                (name, screen.expect("a screen").text)
            }));
        }
        for answer in asked {
            let (name, text) = answer.await.expect("no panic");
            assert!(text.contains(&format!("this is {name}")), "{name}: {text}");
        }
        assert!(!slow.is_finished());
        let outcomes = slow.await.expect("no panic").expect("stopped").outcomes;
        assert_eq!(outcomes[0].end.as_ref().map(End::word), Some("killed KILL".to_owned()));
    });
}

#[test]
fn k1_calls_under_way_are_answered_by_the_next_daemon_and_done_once() {
    let (place, runtime) = (Place::new(), runtime());
    let client = connect(&place, &runtime);
    place.start("deaf", "echo there; trap '' HUP TERM; while :; do sleep 1000; done");
    place.wait_screen("deaf", "there");
    let stop =
        verbs::Stop { key: request_key(), targets: vec!["deaf".into()], grace_ms: 1500, ..verbs::Stop::default() };
    let under_way = runtime.spawn({
        let client = client.clone();
        async move { client.call(&stop).await }
    });
    let count = place.dir().join("count");
    let run = shell(&place, &format!("echo once >> {}; sleep 1000", count.display())).request().expect("a request");
    let first = runtime.block_on(client.call(&run)).expect("started");
    for _ in 0..3 {
        place.kill_daemon();
        // The same key: the same session, also for a daemon that never saw the request.
        assert_eq!(runtime.block_on(client.call(&run)).expect("started").id, first.id);
    }
    let in_time = runtime.block_on(async { tokio::time::timeout(LONG, under_way).await });
    let outcomes = in_time.expect("an answer in time").expect("no panic").expect("stopped").outcomes;
    assert_eq!(outcomes[0].end.as_ref().map(End::word), Some("killed KILL".to_owned()));
    crate::support::wait_until("it ran", || count.exists());
    assert_eq!(std::fs::read_to_string(&count).expect("a file"), "once\n");
}

#[test]
fn k6_a_followed_session_comes_byte_for_byte_with_stream_and_time_across_kills() {
    let (place, runtime) = (Place::new(), runtime());
    let client = connect(&place, &runtime);
    let script = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo out $i; echo err $i >&2; read x; done";
    let started = runtime.block_on(client.call(&shell(&place, script).pipes().request().expect("a request")));
    let target = started.expect("started").id.to_string();
    let mut follow = runtime.block_on(client.follow(&target, verbs::From::Start)).expect("followed");
    let (mut next, mut time, mut out, mut err) = (0, 0, String::new(), String::new());
    let (mut n, mut exits, mut last) = (0, 0, None);
    runtime.block_on(async {
        while let Some(chunk) = follow.next().await.expect("it lives") {
            assert_eq!(last, None, "{chunk:?} after the end");
            let (at, stream, time_us, bytes) = match chunk {
                Chunk::Bytes { at, stream, time_us, bytes } => (at, stream, time_us, bytes),
                Chunk::Exit { .. } => {
                    exits += 1;
                    continue;
                }
                Chunk::End(end) => {
                    last = end;
                    continue;
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(at, next);
            assert!(time_us >= time && time < u64::MAX, "{time_us} after {time}");
            next += bytes.len() as u64;
            // A daemon that came anew reckons the same instant from its own look at the clocks.
            time = time_us.saturating_sub(20_000);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match stream {
                Stream::Out => out.push_str(&text),
                Stream::Err => err.push_str(&text),
                Stream::Terminal => panic!("a terminal"),
            }
            if out.lines().count() > n && err.lines().count() > n {
                n += 1;
                let line = verbs::Send {
                    key: request_key(),
                    target: target.clone(),
                    bytes: serde_bytes::ByteBuf::from(&b"\n"[..]),
                    ..verbs::Send::default()
                };
                client.call(&line).await.expect("typed");
                if n % 100 == 50 {
                    let daemon = client.call(&verbs::DaemonStatus {}).await.expect("a report").pid;
                    kill(daemon);
                }
            }
        }
    });
    let wanted = |word: &str| (1..=400).map(|n| format!("{word} {n}\n")).collect::<String>();
    assert!(out == wanted("out") && err == wanted("err"), "{} {}", out.len(), err.len());
    assert_eq!((exits, last.as_ref().map(End::word)), (1, Some("exited 0".to_owned())));
}

#[test]
fn k6_who_comes_too_late_learns_how_much_is_gone() {
    let (place, runtime) = (Place::new(), runtime());
    let client = connect(&place, &runtime);
    let script = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo over; read x";
    let run = shell(&place, script).pipes().history(64 << 10).request().expect("a request");
    let target = runtime.block_on(client.call(&run)).expect("started").id.to_string();
    place.wait_screen(&target, "over");
    runtime.block_on(async {
        let mut follow = client.follow(&target, verbs::From::Offset(10)).await.expect("followed");
        let first = follow.next().await.expect("it lives").expect("a chunk");
        let Chunk::Missed { at: 10, bytes: missed } = first else { panic!("{first:?}") };
        let mut next = 10 + missed;
        assert!(next > 200_000, "{next}");
        while next < 300_006 {
            let chunk = follow.next().await.expect("it lives").expect("a chunk");
            let Chunk::Bytes { at, bytes, .. } = chunk else { panic!("{chunk:?}") };
            assert_eq!(at, next);
            next += bytes.len() as u64;
        }
    });
}

#[test]
fn changes_are_told_once_also_those_of_a_time_without_a_daemon() {
    let (place, runtime) = (Place::new(), runtime());
    let client = connect(&place, &runtime);
    place.start("a", "sleep 1000");
    place.start("b", "exit 3");
    place.wait_end("b");
    let mut changes = runtime.block_on(client.subscribe()).expect("subscribed");
    let mut told = |count: usize| {
        let mut lines = Vec::new();
        runtime.block_on(async {
            while lines.len() < count {
                let line = match changes.next().await.expect("it lives") {
                    Change::Session(status) => format!("{} {}", status.name, status.word()),
                    Change::Removed(id) => format!("{id} removed"),
                };
                if lines.last() != Some(&line) {
                    lines.push(line);
                }
            }
        });
        lines
    };
    assert_eq!(told(2), ["a running", "b exited 3"]);
    place.kill_daemon();
    place.ok(&["rm", "b"]);
    assert_eq!(told(2), ["2 removed", "a running"]);
}

#[test]
fn an_attachment_shows_types_comes_back_and_is_told_of_the_end() {
    let (place, runtime) = (Place::new(), runtime());
    let client = connect(&place, &runtime);
    place.start("cat", "stty -echo; echo ready; read a; echo got $a; read b; echo and $b; exit 5");
    place.wait_screen("cat", "ready");
    let terminal = runpm::session::terminal::Terminal::default();
    let request = verbs::Attach { target: "cat".into(), terminal: Some(terminal), ..verbs::Attach::default() };
    let mut attachment = runtime.block_on(client.attach(request.clone())).expect("attached");
    assert!(attachment.attached().controls);
    let mut shown = String::new();
    let mut show_until = |attachment: &mut runpm::client::Attachment, wanted: &str| {
        runtime.block_on(async {
            while !shown.contains(wanted) {
                match attachment.next().await.expect("it lives") {
                    Output::Screen(bytes) | Output::Bytes { bytes, .. } => {
                        shown.push_str(&String::from_utf8_lossy(&bytes));
                    }
                    Output::Ended(end) => shown.push_str(&end.expect("an end").word()),
                    other => panic!("{other:?}"),
                }
            }
        });
    };
    show_until(&mut attachment, "ready");
    runtime.block_on(attachment.write(b"one\n")).expect("typed");
    show_until(&mut attachment, "got one");
    place.kill_daemon();
    // Somebody else is refused while this one controls, as soon as it is back.
    place.ok(&["send", "cat", "two", "--enter"]);
    show_until(&mut attachment, "and two");
    show_until(&mut attachment, "exited 5");
}

#[test]
fn w96_errors_of_the_client_say_what_is_wrong() {
    let (place, runtime) = (Place::new(), runtime());
    let folders = endpoint::Place { runtime: place.dir().to_owned(), state: place.dir().to_owned(), is_private: true };
    let none = runtime.block_on(Client::connect_at(folders));
    assert!(matches!(none, Err(Error::NotRunning)));
    let client = connect(&place, &runtime);
    let unknown = runtime.block_on(client.follow("nobody", verbs::From::Start));
    assert_eq!(unknown.map(|_| ()).map_err(|error| error.code()), Err("no-such-session"));
    let mut empty = Command::new("").request().expect("a request");
    empty.spec.launch.argv.clear();
    let refused = runtime.block_on(client.call(&empty));
    assert_eq!(refused.map(|_| ()).map_err(|error| error.code()), Err("invalid"));
    // One refusal ends nothing.
    let mut follow = runtime.block_on(async {
        let run = shell(&place, "echo still; exit 0").pipes().request().expect("a request");
        let target = client.call(&run).await.expect("started").id.to_string();
        client.follow(&target, verbs::From::Start).await.expect("followed")
    });
    assert_eq!(runtime.block_on(until(&mut follow, "still")), "still\n");
    // A daemon that ends for good is no hang: the call says that there is none.
    place.ok(&["shutdown"]);
    let gone = runtime.block_on(client.call(&verbs::DaemonStatus {}));
    assert!(matches!(gone, Err(Error::NotRunning | Error::Lost(_))), "{gone:?}");
}
