//! Requests that must not be done twice, and requests from tomorrow.

use runpm::client::Error;
use runpm::protocol::error::Code;
use runpm::protocol::message::Verb;
use runpm::protocol::verbs;
use runpm::session::id::RequestKey;
use serde_bytes::ByteBuf;

use crate::support;
use crate::support::Place;

#[test]
fn k1_a_repeated_request_is_done_once_also_by_the_next_daemon() {
    let place = Place::new();
    place.start("cat", "stty -echo; echo ready; cat");
    place.wait_screen("cat", "ready");
    let send =
        verbs::Send { key: RequestKey(77), target: "cat".into(), bytes: ByteBuf::from(&b"word\n"[..]), eof: false };
    let mut run = verbs::Run { key: RequestKey(78), ..verbs::Run::default() };
    run.spec.launch.argv = vec![ByteBuf::from(&b"sleep"[..]), ByteBuf::from(&b"1000"[..])];
    run.spec.launch.env =
        vec![ByteBuf::from(format!("RUNPM_DIR={}", place.dir().display())), ByteBuf::from(&b"PATH=/usr/bin:/bin"[..])];

    let mut started = Vec::new();
    for _ in 0..2 {
        for _ in 0..2 {
            let mut connection = support::connect(&place);
            connection.call(&send).expect("typed");
            started.push(connection.call(&run).expect("started").id);
        }
        place.kill_daemon();
    }

    place.wait_screen("cat", "word");
    assert_eq!(place.ok(&["logs", "--raw", "cat"]), "ready\r\nword\r\n");
    assert_eq!(place.ok(&["ls"]).lines().count(), 3);
    assert!(started.iter().all(|id| *id == started[0]), "{started:?}");
}

#[test]
fn w95_an_unknown_verb_is_answered_and_the_connection_goes_on() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Tomorrow {}
    impl Verb for Tomorrow {
        const NAME: &'static str = "a verb of tomorrow";
        type Reply = verbs::Done;
    }
    let place = Place::new();
    place.start("a", "sleep 1000");
    let mut connection = support::connect(&place);
    let refused = connection.call(&Tomorrow {});
    assert!(matches!(refused, Err(Error::Refused(error)) if error.code == Code::Unsupported));
    assert_eq!(connection.call(&verbs::List::default()).expect("it goes on").sessions.len(), 1);
}
