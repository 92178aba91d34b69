//! What a follower makes of what a daemon sends, by table: kills in the middle of anything, gaps, marks, the end.

use super::*;
use crate::protocol::message::Notice;

/// What happens to a follower.
enum Step {
    /// The daemon sends this.
    Sent(Incoming),
    /// It is killed; the next one is asked and agrees.
    Killed,
    /// It has to be asked from here.
    Asks(verbs::From),
    /// This is what was new, in order, since the last such line.
    Gives(Vec<Chunk>),
}

use Step::Asks;
use Step::Gives;
use Step::Killed;
use Step::Sent;

const CHANNEL: u32 = 7;

fn bulk(at: u64, bytes: &str) -> Step {
    Sent(Incoming::Bulk(Bulk { channel: CHANNEL, more: false, at, bytes: bytes.into() }))
}

fn told(notice: &impl Notice) -> Step {
    Sent(Incoming::Event(Event::of(notice)))
}

fn mark(at: u64, time_us: u64, point: Point) -> Step {
    told(&Mark { channel: CHANNEL, at, time_us, point })
}

fn gap(bytes: u64) -> Step {
    told(&verbs::Missed { channel: CHANNEL, bytes })
}

fn closed() -> Step {
    told(&verbs::Closed { channel: CHANNEL, end: None })
}

fn sized(at: u64, rows: u16) -> Step {
    mark(at, 1, Point::Resize(Size::clamped(rows, 80)))
}

fn bytes(at: u64, bytes: &str) -> Chunk {
    said(at, Stream::Terminal, 0, bytes)
}

fn said(at: u64, stream: Stream, time_us: u64, bytes: &str) -> Chunk {
    Chunk::Bytes { at, stream, time_us, bytes: bytes.into() }
}

fn size(rows: u16) -> Chunk {
    Chunk::Resize { time_us: 1, size: Size::clamped(rows, 80) }
}

fn missed(at: u64, bytes: u64) -> Chunk {
    Chunk::Missed { at, bytes }
}

fn follower(from: verbs::From) -> Follower {
    let target = "web".to_owned();
    let logs = verbs::Logs { channel: CHANNEL, target, from, follow: true, past_gaps: true, ..verbs::Logs::default() };
    Follower::new(logs)
}

fn check(name: &str, mut follower: Follower, steps: Vec<Step>) -> Follower {
    let mut given = Vec::new();
    follower.agreed(SessionId(3));
    for (n, step) in steps.into_iter().enumerate() {
        match step {
            Sent(incoming) => given.extend(follower.take(incoming)),
            Killed => follower.agreed(SessionId(3)),
            Asks(from) => assert_eq!(follower.request().from, from, "{name}, step {n}"),
            Gives(chunks) => assert_eq!(std::mem::take(&mut given), chunks, "{name}, step {n}"),
        }
    }
    assert_eq!(given, [], "{name}, at the end");
    follower
}

#[test]
fn a_beginning_that_is_gone_is_told_once_also_across_a_kill() {
    let torn = || told(&verbs::Torn { channel: CHANNEL, at: 9 });
    let steps = vec![
        torn(),
        Gives(vec![Chunk::Torn { at: 9 }]),
        Killed,
        Asks(verbs::From::Offset(9)),
        torn(),
        bulk(9, "ab"),
        Gives(vec![bytes(9, "ab")]),
    ];
    check("torn", follower(verbs::From::Lines(5)), steps);
}

#[test]
fn bytes_come_once_however_a_killed_daemon_cut_them() {
    use verbs::From::Offset;
    let start = || follower(verbs::From::Start);
    check("nothing came yet", start(), vec![Asks(verbs::From::Start), Killed, Asks(verbs::From::Start)]);
    let steps =
        vec![bulk(40, "abc"), Killed, Asks(Offset(43)), bulk(43, "de"), Gives(vec![bytes(40, "abc"), bytes(43, "de")])];
    check("on the edge", start(), steps);
    let steps =
        vec![bulk(40, "abc"), bulk(41, "bcde"), Gives(vec![bytes(40, "abc"), bytes(43, "de")]), Asks(Offset(45))];
    check("in mid-chunk", start(), steps);
    let steps = vec![bulk(40, "abc"), bulk(40, "ab"), bulk(40, "abc"), Gives(vec![bytes(40, "abc")]), Asks(Offset(43))];
    check("all known", start(), steps);
    let steps = vec![Asks(Offset(5)), bulk(3, "abcd"), Gives(vec![bytes(5, "cd")]), Asks(Offset(7))];
    check("before the first one wanted", follower(Offset(5)), steps);
    let steps = vec![Asks(verbs::From::Lines(3)), bulk(9, "x"), Gives(vec![bytes(9, "x")]), Killed, Asks(Offset(10))];
    check("so many lines are meant only once", follower(verbs::From::Lines(3)), steps);
}

#[test]
fn what_is_missed_is_counted_once_and_has_its_place() {
    use verbs::From::Offset;
    let steps = vec![gap(90), bulk(100, "ab"), Gives(vec![missed(10, 90), bytes(100, "ab")]), Asks(Offset(102))];
    check("before the start", follower(Offset(10)), steps);
    let steps = vec![
        bulk(0, "ab"),
        gap(8),
        Killed,
        Asks(Offset(10)),
        gap(5),
        bulk(15, "c"),
        Gives(vec![bytes(0, "ab"), missed(2, 8), missed(10, 5), bytes(15, "c")]),
    ];
    check("while it follows, and while no daemon lives", follower(Offset(0)), steps);
    let steps =
        vec![gap(8), Gives(vec![missed(0, 8)]), Asks(verbs::From::Start), bulk(20, "a"), Gives(vec![bytes(20, "a")])];
    check("before anything has a place", follower(verbs::From::Start), steps);
    let mut logs = follower(Offset(0)).request();
    logs.past_gaps = false;
    let steps = || vec![bulk(0, "ab"), gap(8), bulk(10, "c"), Gives(vec![bytes(0, "ab"), missed(2, 8)])];
    assert!(check("a gap ends it", Follower::new(logs.clone()), steps()).is_over());
    logs.follow = false;
    let steps = vec![gap(8), bulk(8, "c"), closed(), Gives(vec![missed(0, 8), bytes(8, "c"), Chunk::End(None)])];
    assert!(check("what is not followed goes on", Follower::new(logs), steps).is_over());
}

#[test]
fn marks_say_stream_and_time_and_where_it_begins() {
    use verbs::From::Offset;
    let steps = vec![
        mark(4, 11, Point::Bytes(Stream::Out)),
        Asks(Offset(4)),
        bulk(4, "a"),
        bulk(5, "b"),
        mark(6, 12, Point::Bytes(Stream::Err)),
        Killed,
        mark(6, 13, Point::Bytes(Stream::Err)),
        bulk(6, "c"),
        Gives(vec![said(4, Stream::Out, 11, "a"), said(5, Stream::Out, 11, "b"), said(6, Stream::Err, 13, "c")]),
    ];
    check("pipes", follower(verbs::From::Lines(2)), steps);
}

#[test]
fn sizes_and_the_exit_come_once_also_where_the_next_daemon_tells_them_again() {
    let start = || follower(verbs::From::Start);
    let steps = vec![sized(0, 24), Killed, sized(0, 24), sized(0, 30), Gives(vec![size(24), size(30)])];
    check("before the first byte", start(), steps);
    let steps = vec![
        sized(0, 24),
        bulk(0, "ab"),
        sized(2, 30),
        sized(2, 40),
        Gives(vec![size(24), bytes(0, "ab"), size(30), size(40)]),
        // The size that it had at byte 2, then all that stands there.
        Killed,
        sized(2, 24),
        sized(2, 30),
        Killed,
        sized(2, 24),
        sized(2, 30),
        sized(2, 40),
        sized(2, 24),
        bulk(2, "c"),
        sized(3, 24),
        Gives(vec![size(24), bytes(2, "c"), size(24)]),
    ];
    check("between bytes", start(), steps);
    let steps = vec![
        sized(0, 24),
        bulk(0, "ab"),
        Killed,
        sized(9, 30),
        gap(7),
        bulk(9, "c"),
        Killed,
        sized(10, 30),
        Gives(vec![size(24), bytes(0, "ab"), size(30), missed(2, 7), bytes(9, "c")]),
    ];
    check("behind a gap", start(), steps);
    let exit = |time_us| mark(2, time_us, Point::Exit);
    let steps = vec![
        bulk(0, "ab"),
        exit(5),
        Killed,
        exit(6),
        bulk(2, "c"),
        Gives(vec![bytes(0, "ab"), Chunk::Exit { time_us: 5 }, bytes(2, "c")]),
    ];
    check("the exit", start(), steps);
}

#[test]
fn nothing_comes_after_the_end_and_nothing_of_other_channels() {
    let steps = vec![bulk(0, "a"), closed(), bulk(1, "b"), closed(), Gives(vec![bytes(0, "a"), Chunk::End(None)])];
    assert!(check("the end", follower(verbs::From::Start), steps).is_over());
    let other = Bulk { channel: 8, more: false, at: 0, bytes: b"x".to_vec() };
    let steps = vec![
        Sent(Incoming::Bulk(other)),
        told(&verbs::Closed { channel: 8, end: None }),
        told(&verbs::Missed { channel: 8, bytes: 3 }),
        told(&Mark { channel: 8, at: 5, time_us: 1, point: Point::Exit }),
        told(&verbs::Credit { channel: CHANNEL, bytes: 1 }),
        Asks(verbs::From::Start),
    ];
    assert!(!check("other channels", follower(verbs::From::Start), steps).is_over());
}

#[test]
fn a_session_is_followed_by_its_id_whatever_its_name_comes_to_mean() {
    let mut follower = follower(verbs::From::Start);
    assert_eq!(follower.request().target, "web");
    follower.agreed(SessionId(12));
    assert_eq!(follower.request(), verbs::Logs { target: SessionId(12).to_string(), ..follower.request() });
    assert_ne!(follower.request().target, "web");
}
