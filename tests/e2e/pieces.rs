//! A history in pieces, as the logs view reads it: up to a byte, and given up on a connection that goes on.

use runpm::client::blocking::Connection;
use runpm::client::blocking::Incoming;
use runpm::protocol::verbs;
use runpm::protocol::verbs::From;

use crate::support::Place;
use crate::support::wait_for;

/// Takes bytes of a channel until `is_enough`, or until it is closed.
fn read(connection: &mut Connection, channel: u32, mut is_enough: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut found = Vec::new();
    while !is_enough(&found) {
        match connection.receive().expect("it goes on") {
            Incoming::Bulk(bulk) if bulk.channel == channel => found.extend(bulk.bytes),
            Incoming::Event(event) if event.get::<verbs::Closed>().is_some_and(|it| it.channel == channel) => break,
            _ => {}
        }
    }
    found
}

#[test]
fn a_log_stops_after_as_many_bytes_as_were_asked_for_although_more_was_said() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "said", "--", "sh", "-c", "seq 1000; exec cat"]);
    let all: String = (1..=1000).map(|n| format!("{n}\n")).collect();
    wait_for("all was said", || (place.session("said")["output_bytes"] == all.len()).then_some(()));
    let mut connection = place.connect();
    for (channel, marks) in [(1, false), (2, true)] {
        let logs = verbs::Logs {
            channel,
            target: "said".into(),
            from: From::Offset(100),
            most: Some(1134),
            marks,
            ..verbs::Logs::default()
        };
        connection.call(&logs).expect("a log");
        let found = read(&mut connection, channel, |_| false);
        assert_eq!(String::from_utf8_lossy(&found), all[100..1234]);
    }
}

#[test]
fn a_log_that_is_given_up_sends_nothing_more() {
    let place = Place::new();
    place.start("said", "while read line; do echo heard $line; done");
    let mut connection = place.connect();
    let logs = verbs::Logs { channel: 3, target: "said".into(), follow: true, ..verbs::Logs::default() };
    connection.call(&logs).expect("a log");
    place.ok(&["send", "said", "one", "--enter"]);
    read(&mut connection, 3, |found| String::from_utf8_lossy(found).contains("heard one"));

    connection.call(&verbs::Detach { channel: 3 }).expect("given up");
    connection.call(&verbs::Logs { channel: 4, ..logs }).expect("another log");
    place.ok(&["send", "said", "two", "--enter"]);

    let mut late = Vec::new();
    let mut found = Vec::new();
    while !String::from_utf8_lossy(&found).contains("heard two") {
        match connection.receive().expect("it goes on") {
            Incoming::Bulk(bulk) if bulk.channel == 4 => found.extend(bulk.bytes),
            Incoming::Bulk(bulk) => late.extend(bulk.bytes),
            _ => {}
        }
    }
    assert!(!String::from_utf8_lossy(&late).contains("heard two"), "{late:?}");
}
