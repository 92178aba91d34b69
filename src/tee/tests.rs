//! The feed against a model: what is taken, what is missed, in which order.

use proptest::prelude::*;

use super::*;
use crate::history::ExitStatus;
use crate::history::HeapMemory;
use crate::history::Writer;
use crate::history::layout;
use std::sync::Arc;

type Shared = Arc<HeapMemory>;

const RING: usize = 64 << 10;

struct Bench {
    writer: Writer<Shared>,
    said: Vec<u8>,
}

impl Bench {
    fn new() -> (Self, impl Fn(u64, Source, Policy) -> Feed<Shared>) {
        let data = Arc::new(HeapMemory::new(layout::data_len(RING)));
        let control = Arc::new(HeapMemory::new(layout::CONTROL_LEN));
        let writer = Writer::create(Arc::clone(&data), Arc::clone(&control), RING).expect("large enough");
        let feed = move |from, source, policy| {
            let reader = Reader::open(Arc::clone(&data), Arc::clone(&control)).expect("laid out");
            Feed::new(reader, from, source, policy, Cook::new(false, None))
        };
        (Self { writer, said: Vec::new() }, feed)
    }

    /// The program says bytes that nobody can mistake for others, and nothing holds it back.
    fn say(&mut self, stream: Stream, len: usize) {
        let mut left = len;
        while left > 0 {
            self.writer.control().store(control::LIMIT, self.writer.head() + RING as u64);
            let landing = self.writer.landing(left).expect("room");
            let at = self.said.len();
            let bytes: Vec<u8> = (at..at + landing.len).map(|n| (n / 251) as u8 ^ (n % 251) as u8).collect();
            self.writer.data().write(landing.at, &bytes);
            self.writer.commit(landing.len, stream, at as u64 * 1_000_000);
            self.said.extend(bytes);
            left -= landing.len;
        }
    }
}

fn drain<M: Memory>(feed: &mut Feed<M>) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        feed.take();
        if feed.waiting().is_empty() {
            return out;
        }
        out.extend_from_slice(feed.waiting());
        let len = feed.waiting().len();
        feed.took(len);
    }
}

#[test]
fn w40_drop_oldest_loses_the_oldest_and_counts_them() {
    let (mut bench, feed) = Bench::new();
    let mut feed = feed(0, Source::Output, Policy::DropOldest);
    bench.say(Stream::Out, 3 * RING);
    let taken = drain(&mut feed);
    assert_eq!(feed.missed(), 2 * RING as u64);
    assert!(taken == bench.said[2 * RING..], "not the newest");
}

#[test]
fn w40_drop_newest_keeps_what_waits_and_skips_what_comes_while_it_is_full() {
    let (mut bench, feed) = Bench::new();
    let mut feed = feed(0, Source::Output, Policy::DropNewest);
    // Nothing is taken by the target; what fits is kept.
    while !feed.is_full() {
        bench.say(Stream::Out, RING / 2);
        feed.take();
    }
    let kept = feed.waiting().to_vec();
    assert!(kept == bench.said[..kept.len()], "not the oldest");
    bench.say(Stream::Out, RING / 4);
    feed.skip_newest();
    let skipped = bench.said.len() - kept.len();
    assert_eq!(feed.missed(), skipped as u64);
    assert!(feed.waiting() == kept);
    bench.say(Stream::Out, 10);
    let rest = drain(&mut feed);
    assert!(rest[kept.len()..] == bench.said[bench.said.len() - 10..], "does not go on with what is new");
}

#[test]
fn w40_with_block_the_hold_is_the_next_byte_so_nothing_is_missed() {
    let (mut bench, feed) = Bench::new();
    let mut feed = feed(0, Source::Output, Policy::Block);
    let mut taken = Vec::new();
    for _ in 0..20 {
        bench.say(Stream::Out, RING / 2 + 7);
        feed.take();
        assert_eq!(feed.offset(), bench.writer.head());
        taken.extend_from_slice(feed.waiting());
        let len = feed.waiting().len();
        feed.took(len);
    }
    assert_eq!(feed.missed(), 0);
    assert!(taken == bench.said);
}

#[test]
fn only_the_wanted_stream_is_taken_and_its_end_is_the_end() {
    let (mut bench, feed) = Bench::new();
    let mut feed = feed(0, Source::Err, Policy::DropOldest);
    bench.say(Stream::Out, 100);
    bench.say(Stream::Err, 50);
    bench.say(Stream::Out, 100);
    bench.writer.ended(Stream::Err);
    let seen = feed.seen();
    assert_eq!(drain(&mut feed), bench.said[100..150]);
    assert!(feed.is_complete(seen));
}

#[test]
fn it_is_complete_when_every_stream_has_ended_and_all_was_taken_not_at_the_exit() {
    let (mut bench, make) = Bench::new();
    let mut feed = make(0, Source::Output, Policy::DropOldest);
    bench.say(Stream::Out, 10);
    bench.writer.exited(ExitStatus::Code(0), 1, 1);
    bench.writer.ended(Stream::Out);
    let seen = feed.seen();
    drain(&mut feed);
    assert!(!feed.is_complete(seen), "a grandchild may go on");
    bench.say(Stream::Err, 10);
    bench.writer.ended(Stream::Err);
    let seen = feed.seen();
    assert!(!feed.is_complete(seen));
    assert_eq!(drain(&mut feed).len(), 10);
    assert!(feed.is_complete(seen));
}

#[test]
fn what_is_said_after_it_was_asked_to_end_is_not_wanted() {
    let (mut bench, make) = Bench::new();
    let mut feed = make(0, Source::Output, Policy::DropOldest);
    bench.say(Stream::Out, 100);
    feed.stop_here();
    bench.say(Stream::Out, 100);
    let seen = feed.seen();
    assert_eq!(drain(&mut feed), bench.said[..100]);
    assert!(feed.is_complete(seen));
    feed.give_up();
    assert_eq!(feed.missed(), 0);
}

#[test]
fn giving_up_counts_what_waits_and_what_was_not_taken() {
    let (mut bench, make) = Bench::new();
    let mut feed = make(0, Source::Output, Policy::DropOldest);
    bench.say(Stream::Out, 100);
    feed.take();
    feed.took(30);
    bench.say(Stream::Out, 5);
    feed.give_up();
    assert_eq!(feed.missed(), 75);
    assert!(feed.waiting().is_empty());
}

#[test]
fn input_is_bounded_by_what_the_policy_says() {
    let (_bench, make) = Bench::new();
    for (policy, first) in [(Policy::DropOldest, 7), (Policy::DropNewest, 0)] {
        let mut feed = make(0, Source::In, policy);
        let bytes: Vec<u8> = (0..QUEUE + 7).map(|n| (n % 251) as u8).collect();
        feed.take_input(&bytes, 1);
        assert_eq!(feed.missed(), 7);
        assert!(feed.waiting() == &bytes[first..first + QUEUE], "{policy:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn w41_taken_and_missed_are_all_there_is_and_in_order(
        steps in proptest::collection::vec((0_usize..RING, any::<bool>(), 0_usize..RING), 1..40),
        newest in any::<bool>(),
    ) {
        let (mut bench, feed) = Bench::new();
        let policy = if newest { Policy::DropNewest } else { Policy::DropOldest };
        let mut feed = feed(0, Source::Output, policy);
        // Pieces of what was said, with where each begins.
        let mut taken: Vec<u8> = Vec::new();
        for (say, is_blocked, take) in steps {
            bench.say(Stream::Out, say);
            if is_blocked {
                feed.skip_newest();
                continue;
            }
            feed.take();
            let len = take.min(feed.waiting().len());
            taken.extend_from_slice(&feed.waiting()[..len]);
            feed.took(len);
        }
        taken.extend(drain(&mut feed));
        prop_assert_eq!(taken.len() as u64 + feed.missed(), bench.said.len() as u64);
        prop_assert_eq!(feed.offset(), bench.said.len() as u64);
        let mut said = bench.said.iter();
        prop_assert!(taken.iter().all(|byte| said.any(|other| other == byte)), "not in order");
    }
}
