//! Claims about writer and reader together, over private memory.

use std::sync::Arc;

use proptest::prelude::*;

use super::layout::control;
use super::*;

const RING: usize = 64 << 10;

/// The same memory seen by writer and reader, as the mapping is.
type Shared = Arc<HeapMemory>;

fn pair() -> (Writer<Shared>, Reader<Shared>) {
    let data = Arc::new(HeapMemory::new(layout::data_len(RING)));
    let control = Arc::new(HeapMemory::new(layout::CONTROL_LEN));
    let writer = Writer::create(data.clone(), control.clone(), RING).expect("long enough");
    (writer, Reader::open(data, control).expect("just laid out"))
}

/// Writes as much of `bytes` as there is room for.
fn push(writer: &mut Writer<Shared>, bytes: &[u8], stream: Stream, now: u64) -> usize {
    let mut done = 0;
    while done < bytes.len() {
        let Some(landing) = writer.landing(bytes.len() - done) else { break };
        writer.data().write(landing.at, &bytes[done..done + landing.len]);
        writer.commit(landing.len, stream, now);
        done += landing.len;
    }
    done
}

#[test]
fn k4_the_writer_stops_at_the_limit_and_goes_on_when_it_moves() {
    let (mut writer, reader) = pair();

    assert_eq!(push(&mut writer, &vec![1; RING + 10], Stream::Terminal, 0), RING);
    assert!(reader.is_stalled());
    reader.control().store(control::LIMIT, RING as u64 + 7);

    assert_eq!(push(&mut writer, &[2; 10], Stream::Terminal, 0), 7);
    assert_eq!(reader.oldest(), 7);
}

#[test]
fn a_limit_out_of_range_never_lets_more_than_a_ring_in() {
    let (mut writer, reader) = pair();
    reader.control().store(control::LIMIT, u64::MAX);
    assert_eq!(writer.landing(usize::MAX).map(|landing| landing.len), Some(RING));
    reader.control().store(control::LIMIT, 0);
    assert_eq!(writer.landing(1), None);
}

#[test]
fn a_reader_that_was_overtaken_is_told_where_the_oldest_byte_is() {
    let (mut writer, reader) = pair();
    reader.control().store(control::LIMIT, u64::MAX);
    push(&mut writer, &vec![1; RING + 100], Stream::Terminal, 0);

    assert_eq!(reader.read(99, &mut [0; 8]), Err(Gap { oldest: 100 }));
    assert_eq!(reader.read(100, &mut [0; 8]), Ok(8));
}

#[test]
fn bytes_being_overwritten_right_now_are_not_believed() {
    let (mut writer, reader) = pair();
    push(&mut writer, &[7; RING], Stream::Terminal, 0);
    reader.control().store(control::LIMIT, RING as u64 + 50);

    writer.landing(50).expect("room for fifty");

    assert_eq!(reader.read(49, &mut [0; 8]), Err(Gap { oldest: 50 }));
}

#[test]
fn a_full_index_holds_the_writer_like_a_full_ring() {
    let (mut writer, reader) = pair();
    let mut now = 0;
    for n in 0..layout::INDEX_ENTRIES + 5 {
        now += 10_000_000;
        let wrote = push(&mut writer, &[n as u8], Stream::Out, now);
        assert_eq!(wrote, usize::from(n < layout::INDEX_ENTRIES));
    }
    reader.control().store(control::LIMIT, RING as u64 + 3);
    assert_eq!(push(&mut writer, &[1], Stream::Out, now), 1);
}

#[test]
fn the_order_of_two_streams_resizes_and_the_exit_is_kept() {
    let (mut writer, reader) = pair();
    push(&mut writer, b"ab", Stream::Out, 0);
    push(&mut writer, b"c", Stream::Out, 10);
    push(&mut writer, b"E", Stream::Err, 20);
    writer.resized(30, 100, 30);
    push(&mut writer, b"d", Stream::Out, 40);
    writer.exited(ExitStatus::Signal(9), 50, 1234);

    let (mut at, mut out, mut seen) = (Position::default(), [0; 16], Vec::new());
    while let Some(step) = reader.step(&mut at, &mut out).expect("nothing was overwritten") {
        seen.push(match step {
            Step::Bytes(stream, len) => format!("{stream:?} {}", String::from_utf8_lossy(&out[..len])),
            other => format!("{other:?}"),
        });
    }

    assert_eq!(seen, ["Out abc", "Err E", "Resize(30, 100)", "Out d", "Exit"]);
    let exit = reader.exit().expect("it ended");
    assert_eq!((exit.status, exit.at, exit.wall_ms), (ExitStatus::Signal(9), 5, 1234));
}

#[test]
fn foreign_and_newer_memories_are_refused() {
    let open = |change: fn(&HeapMemory)| {
        let data = HeapMemory::new(layout::data_len(RING));
        let control = HeapMemory::new(layout::CONTROL_LEN);
        for memory in [&data, &control] {
            layout::stamp(memory);
        }
        data.store(layout::data::RING, RING as u64);
        data.store(layout::data::ENTRIES, layout::INDEX_ENTRIES as u64);
        change(&data);
        Reader::open(data, control).err()
    };
    assert_eq!(open(|_| ()), None);
    assert_eq!(open(|data| data.store(0, 5)), Some(LayoutError::Magic));
    assert_eq!(open(|data| data.store(layout::data::MIN_READER, 2)), Some(LayoutError::Version(1)));
    assert_eq!(open(|data| data.store(layout::data::RING, 1 << 62)), Some(LayoutError::Length));
    assert_eq!(open(|data| data.store(layout::data::RING, 12345)), Some(LayoutError::Length));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the sizes, streams and pauses: a follower within the ring sees exactly what was written.
    #[test]
    fn k6_followed_bytes_are_the_written_bytes(
        chunks in proptest::collection::vec((1_usize..5000, any::<bool>(), 0_u64..3_000_000), 1..120),
        read in 1_usize..9000,
    ) {
        let (mut writer, reader) = pair();
        let (mut sent, mut got, mut at, mut now) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()], Position::default(), 0);
        let mut out = vec![0; read];
        for (n, (len, is_err, pause)) in chunks.into_iter().enumerate() {
            now += pause;
            let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + n) as u8).collect();
            let stream = if is_err { Stream::Err } else { Stream::Out };
            prop_assert_eq!(push(&mut writer, &bytes, stream, now), len);
            sent[usize::from(is_err)].extend(bytes);
            while let Some(step) = reader.step(&mut at, &mut out).expect("within the ring") {
                let Step::Bytes(stream, len) = step else { continue };
                got[usize::from(stream == Stream::Err)].extend_from_slice(&out[..len]);
            }
            reader.control().store(control::LIMIT, at.offset + RING as u64);
        }
        prop_assert_eq!(sent, got);
        prop_assert_eq!(reader.position(at.offset.saturating_sub(1)).offset, at.offset.saturating_sub(1));
    }
}

#[test]
fn times_and_sizes_are_found_by_offset_and_the_other_way_round() {
    let (mut writer, reader) = pair();
    assert_eq!((reader.since(0), reader.size_at(0)), (0, None));
    let ms = 1_000_000;
    for n in 1..=100 {
        push(&mut writer, b"line\n", Stream::Terminal, n * 10 * ms);
        if n % 10 == 0 {
            writer.resized(n as u16, 80, n * 10 * ms + 1);
        }
    }

    assert_eq!(reader.since(0), 0);
    assert_eq!(reader.since(10 * ms), 0);
    assert_eq!(reader.since(10 * ms + 1), 5);
    assert_eq!(reader.since(500 * ms), 245);
    assert_eq!(reader.since(u64::MAX), 500);
    assert_eq!((reader.time_at(245), reader.time_at(249)), (500 * ms, 500 * ms));
    assert_eq!(reader.size_at(49), None);
    // A size that applies where the reading starts is told by the reading itself.
    assert_eq!((reader.size_at(50), reader.size_at(51), reader.size_at(500)), (None, Some((10, 80)), Some((90, 80))));
}

#[test]
fn since_never_points_at_what_is_gone() {
    let (mut writer, reader) = pair();
    reader.control().store(control::LIMIT, u64::MAX);
    for n in 0..40_000 {
        push(&mut writer, b"0123456789", Stream::Terminal, n * 10_000_000);
        // The daemon would let go of the oldest bytes as it parses.
        reader.control().store(control::LIMIT, (n + 2) * 10 + RING as u64);
    }
    assert_eq!(reader.since(0), reader.oldest());
    assert!(reader.oldest() > 0);
}
