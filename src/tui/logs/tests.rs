//! The window of the logs view: bounded, in order, complete.

use proptest::prelude::*;

use super::*;
use crate::term::Lines;

fn one() -> Logs {
    let mut logs = Logs::new(vec![Source::new(SessionId(1), "a".into(), true, 0)]);
    logs.resize(10, 80);
    logs
}

fn bytes(at: u64, time_us: u64, text: &str) -> Chunk {
    Chunk::Bytes { at, stream: Stream::Out, time_us, bytes: text.as_bytes().to_vec() }
}

fn texts(logs: &Logs) -> Vec<&str> {
    logs.lines().iter().skip(logs.first()).map(|line| line.text.as_str()).collect()
}

#[test]
fn a_flood_is_bounded_and_the_newest_lines_are_kept_while_it_follows() {
    let mut logs = one();
    for n in 0..LINES as u64 + 500 {
        logs.take(0, bytes(n * 8, n, &format!("{n:07}\n")));
    }
    assert_eq!(logs.lines().len(), LINES);
    assert_eq!(texts(&logs).last(), Some(&"0020499"));
    let long = "x".repeat(8000) + "\n";
    for n in 0..4000 {
        logs.take(0, bytes(n, 1_000_000 + n, &long));
    }
    assert!(logs.lines().iter().map(|line| line.text.len()).sum::<usize>() <= BYTES);
    // What was given up can be read again, from the oldest line that is left.
    let at = logs.lines().front().map(|line| line.at);
    assert_eq!(logs.sources[0].read_older(7).map(|(_, until)| until), at);
}

#[test]
fn a_flood_moves_nothing_that_somebody_reads_and_says_that_the_end_was_given_up() {
    let mut logs = one();
    for n in 0..1000_u64 {
        logs.take(0, bytes(n * 8, n, &format!("{n:07}\n")));
    }
    logs.go_first();
    logs.scroll(5);
    for n in 1000..LINES as u64 * 2 {
        logs.take(0, bytes(n * 8, n, &format!("{n:07}\n")));
    }
    assert!(logs.is_cut() && logs.lines().len() <= LINES);
    assert_eq!(logs.lines()[logs.view().0].text, "0000005");
    assert_eq!(logs.fresh, LINES as u64 * 2 - 1000);
}

#[test]
fn lines_before_what_a_source_has_read_are_held_back() {
    let mut logs = Logs::new(["a", "b"].map(|name| Source::new(SessionId(1), name.into(), true, 0)).into());
    logs.resize(10, 80);
    logs.take(0, bytes(0, 10, "early\n"));
    logs.take(1, bytes(500, 20, "late\n"));
    logs.take(0, bytes(6, 30, "later\n"));
    assert_eq!(texts(&logs), ["late", "later"], "b may have said something before");
    let (from, until) = logs.sources[1].read_older(9).expect("there is more");
    assert_eq!((from, until), (0, 500));
    logs.take_older(1, bytes(0, 5, "first of b\n"));
    logs.take_older(1, Chunk::End(None));
    assert_eq!(texts(&logs), ["first of b", "early", "late", "later"]);
}

/// What a stream says, cut into lines at once.
fn whole(parts: &[(bool, Vec<u8>)], stream: bool) -> Vec<String> {
    let mut lines = Lines::new(false);
    let mut found = Vec::new();
    for (_, bytes) in parts.iter().filter(|(which, _)| *which == stream) {
        lines.feed(0, 0, bytes, |line| found.push(String::from_utf8_lossy(&line.text).into_owned()));
    }
    found.extend(lines.finish().map(|line| String::from_utf8_lossy(&line.text).into_owned()));
    found
}

proptest! {
    #[test]
    fn whatever_the_pieces_every_line_is_there_once_and_in_its_order(
        parts in proptest::collection::vec((any::<bool>(), "[a-c\n]{0,12}"), 1..20),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let parts: Vec<(bool, Vec<u8>)> = parts.into_iter().map(|(which, text)| (which, text.into_bytes())).collect();
        let total: u64 = parts.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut.index(total as usize + 1) as u64).collect();
        cuts.sort_unstable();
        cuts.dedup();
        // The bytes from one offset to another, as chunks.
        let between = |from: u64, until: u64| {
            let (mut at, mut found) = (0_u64, Vec::new());
            for (which, bytes) in &parts {
                let (start, end) = (at.max(from), (at + bytes.len() as u64).min(until));
                if start < end {
                    let bytes = bytes[(start - at) as usize..(end - at) as usize].to_vec();
                    let stream = if *which { Stream::Out } else { Stream::Err };
                    found.push(Chunk::Bytes { at: start, stream, time_us: start, bytes });
                }
                at += bytes.len() as u64;
            }
            found
        };
        let mut logs = one();
        // The newest piece is cut where a line begins on both streams: at its first byte nothing is known of either.
        let newest = cuts.pop().unwrap_or(0);
        let mut source = Source::new(SessionId(1), "a".into(), true, 0);
        source.begin_at(newest);
        logs.sources = vec![source];
        let mut until = newest;
        for from in cuts.into_iter().rev().chain([0]) {
            logs.sources[0].read_from(3, from);
            for chunk in between(from, until) {
                logs.take_older(0, chunk);
            }
            logs.take_older(0, Chunk::End(None));
            until = from;
        }
        for (which, stream) in [(true, Stream::Out), (false, Stream::Err)] {
            let kept: Vec<(bool, Vec<u8>)> = between(0, newest)
                .into_iter()
                .filter_map(|chunk| match chunk {
                    Chunk::Bytes { stream, bytes, .. } => Some((stream == Stream::Out, bytes)),
                    _ => None,
                })
                .collect();
            let found: Vec<String> =
                logs.lines().iter().filter(|line| line.stream == stream).map(|line| line.text.clone()).collect();
            prop_assert_eq!(found, whole(&kept, which));
        }
    }
}
