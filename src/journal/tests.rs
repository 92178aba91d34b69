//! Claims about journals on a disk in memory that can be cut, filled up and broken.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::history::ExitStatus;
use crate::history::HeapMemory;
use crate::history::Kind;
use crate::history::Reader as Ring;
use crate::history::Stream;
use crate::history::Writer as Keeper;
use crate::history::layout;
use crate::journal::record::Header;
use crate::journal::record::RECORD;

type Files = BTreeMap<(u64, Part), Vec<u8>>;

/// A disk in memory; clones share it.
#[derive(Clone, Default)]
struct Heap {
    files: Rc<RefCell<Files>>,
    /// Bytes it has room for, and the error beyond that.
    limit: Rc<Cell<Option<(usize, i32)>>>,
}

impl Heap {
    fn used(&self) -> usize {
        self.files.borrow().values().map(Vec::len).sum()
    }

    fn raw(&self) -> Vec<u8> {
        let files = self.files.borrow();
        files.iter().filter(|((_, part), _)| *part == Part::Raw).flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

impl Disk for Heap {
    fn segments(&self) -> io::Result<Vec<u64>> {
        let files = self.files.borrow();
        let mut numbers: Vec<u64> = files.keys().map(|(number, _)| *number).collect();
        numbers.dedup();
        Ok(numbers)
    }

    fn len(&self, number: u64, part: Part) -> io::Result<u64> {
        Ok(self.files.borrow().get(&(number, part)).map_or(0, |bytes| bytes.len() as u64))
    }

    fn read(&self, number: u64, part: Part, at: u64, out: &mut [u8]) -> io::Result<usize> {
        let files = self.files.borrow();
        let bytes = files.get(&(number, part)).map_or(&[][..], |bytes| bytes.get(at as usize..).unwrap_or_default());
        let len = bytes.len().min(out.len());
        out[..len].copy_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn write(&mut self, number: u64, part: Part, at: u64, bytes: &[u8]) -> io::Result<()> {
        let used = self.used();
        let mut files = self.files.borrow_mut();
        let file = files.entry((number, part)).or_default();
        let more = (at as usize + bytes.len()).saturating_sub(file.len());
        let (room, errno) =
            self.limit.get().map_or((usize::MAX, 0), |(most, errno)| (most.saturating_sub(used), errno));
        // As a file system does: what fits is written, then it fails.
        let fits = if more <= room { bytes.len() } else { bytes.len() - (more - room).min(bytes.len()) };
        file.resize(file.len().max(at as usize + fits), 0);
        file[at as usize..at as usize + fits].copy_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(io::Error::from_raw_os_error(errno)) } else { Ok(()) }
    }

    fn cut(&mut self, number: u64, part: Part, len: u64) -> io::Result<()> {
        self.files.borrow_mut().entry((number, part)).or_default().truncate(len as usize);
        Ok(())
    }

    fn remove(&mut self, number: u64) -> io::Result<()> {
        self.files.borrow_mut().retain(|(other, _), _| *other != number);
        Ok(())
    }
}

/// A keeper's ring, and the journal's end of it.
fn ring(size: usize) -> (Keeper<Arc<HeapMemory>>, impl Fn() -> Ring<Arc<HeapMemory>>) {
    let data = Arc::new(HeapMemory::new(layout::data_len(size)));
    let control = Arc::new(HeapMemory::new(layout::CONTROL_LEN));
    let keeper = Keeper::create(Arc::clone(&data), Arc::clone(&control), size).expect("a ring");
    (keeper, move || Ring::open(Arc::clone(&data), Arc::clone(&control)).expect("a ring"))
}

fn say(keeper: &mut Keeper<Arc<HeapMemory>>, bytes: &[u8], stream: Stream, now: u64) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let landing = keeper.landing(rest.len()).expect("room");
        crate::history::Memory::write(&**keeper.data(), landing.at, &rest[..landing.len]);
        keeper.commit(landing.len, stream, now);
        rest = &rest[landing.len..];
    }
}

const CAPS: Caps = Caps { segment: 4096, segments: 1000 };

fn batch(offset: u64, pieces: &[(Stream, &[u8], u64)]) -> Batch {
    let (mut keeper, reader) = ring(64 << 10);
    for (stream, bytes, time) in pieces {
        say(&mut keeper, bytes, *stream, *time);
    }
    let mut batch = Batch::default();
    Feed::new(reader(), 0, None).take(&mut batch, |time| time / 1000);
    for record in &mut batch.records {
        record.offset += offset;
    }
    batch
}

/// All that a journal says: bytes, and per byte stream and time; gaps.
fn all(disk: &Heap, from: u64) -> (Vec<u8>, Vec<(u64, u64)>, Vec<Record>) {
    let mut reader = Reader::open(disk.clone()).expect("opens");
    reader.seek(from, None).expect("seeks");
    let (mut bytes, mut gaps, mut events) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let page = reader.page(1000, u64::MAX).expect("reads");
        if page.pieces.is_empty() {
            return (bytes, gaps, events);
        }
        for piece in &page.pieces {
            match piece.record.what {
                What::Gap { bytes, .. } => gaps.push((piece.record.offset, bytes)),
                What::Entry(Kind::Bytes(_)) => bytes.extend_from_slice(page.bytes_of(piece)),
                What::Entry(_) => events.push(piece.record),
            }
        }
    }
}

fn text(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|n| if n % 50 == 49 { b'\n' } else { (n as u8).wrapping_mul(31).wrapping_add(seed) }).collect()
}

#[test]
fn records_and_headers_survive_their_bytes_and_nothing_torn_is_taken_for_one() {
    let record = |what, len, at| Record { offset: 1 << 50, len, what, time: 7, wall_us: 9, run: 3, at };
    for record in [
        record(What::Entry(Kind::Bytes(Stream::Err)), u32::MAX, 1 << 40),
        record(What::Entry(Kind::Resize(50, 200)), 0, 0),
        record(What::Entry(Kind::Exit), 0, 0),
        record(What::Gap { bytes: u64::MAX >> 1, errno: 28 }, 0, 0),
    ] {
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes), Some(record));
        assert_eq!(Header::decode(&bytes), None);
        for at in 0..RECORD {
            let mut torn = bytes;
            torn[at] ^= 0x10;
            assert_eq!(Record::decode(&torn), None);
            assert_eq!(Record::decode(&bytes[..at]), None);
        }
    }
    let header = Header { base: 5, wall_us: 6, dropped: 7, run: 8, is_first: true };
    assert_eq!(Header::decode(&header.encode()), Some(header));
}

#[test]
fn what_is_in_the_ring_is_on_the_disk_across_rotation_with_streams_times_and_events() {
    let disk = Heap::default();
    let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
    let (mut keeper, reader) = ring(1 << 20);
    let mut said = Vec::new();
    for n in 0..200_u64 {
        let stream = if n % 3 == 0 { Stream::Err } else { Stream::Out };
        let bytes = [text(777, n as u8), b"\n".to_vec()].concat();
        say(&mut keeper, &bytes, stream, n * 5_000_000);
        said.extend(bytes);
        if n % 50 == 25 {
            keeper.resized(30, 100, n * 5_000_000 + 1);
        }
    }
    keeper.exited(ExitStatus::Code(3), 1_000_000_000, 1);
    let (mut feed, mut batch) = (Feed::new(reader(), 0, None), Batch::default());
    while feed.take(&mut batch, |time| time / 1000) {}
    writer.write(&batch, 1);
    let (bytes, gaps, events) = all(&disk, 0);
    assert!(bytes == said && gaps.is_empty() && disk.raw() == said);
    assert_eq!(events.len(), 5);
    assert_eq!(events[4].what, What::Entry(Kind::Exit));
    assert!(writer.size().1 > 30, "{:?}", writer.size());
    let files = disk.files.borrow();
    for ((number, part), raw) in files.iter() {
        let both = raw.len() + files.get(&(*number, Part::Index)).map_or(0, Vec::len);
        assert!(*part == Part::Index || both <= 4096, "{both}");
        // R5 of others: lines are whole where they can be.
        assert!(*part == Part::Index || *number == writer.size().1 as u64 || raw.last() == Some(&b'\n'));
    }
}

#[test]
fn only_the_newest_segments_are_kept_and_what_went_is_a_gap_of_exactly_that() {
    let disk = Heap::default();
    let mut writer = Writer::open(disk.clone(), Caps { segment: 4096, segments: 3 }, 0).expect("opens");
    let said = text(50_000, 1);
    writer.write(&batch(0, &[(Stream::Out, &said, 1)]), 1);
    let (bytes, gaps, _) = all(&disk, 0);
    assert_eq!(writer.size().1, 3);
    assert_eq!(gaps, [(0, (said.len() - bytes.len()) as u64)]);
    assert_eq!(writer.oldest().0, gaps[0].1);
    assert!(said.ends_with(&bytes) && disk.used() <= 3 * 4096);
}

#[test]
fn a_writer_goes_on_where_the_one_before_it_was_killed() {
    let disk = Heap::default();
    let said = text(20_000, 2);
    for (n, piece) in said.chunks(1500).enumerate() {
        let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
        assert_eq!(writer.next(), n as u64 * 1500);
        writer.write(&batch(writer.next(), &[(Stream::Terminal, piece, n as u64)]), n as u64);
    }
    assert!(all(&disk, 0) == (said, vec![], vec![]));
}

#[test]
fn pm2_14_a_full_disk_costs_the_oldest_segment_first_and_then_counted_bytes() {
    for errno in [libc::ENOSPC, libc::EDQUOT] {
        let disk = Heap::default();
        disk.limit.set(Some((10_000, errno)));
        let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
        let said = text(40_000, 3);
        for (n, piece) in said.chunks(1000).enumerate() {
            writer.write(&batch(n as u64 * 1000, &[(Stream::Out, piece, n as u64)]), 1);
        }
        // It made room for the newest.
        assert_eq!((writer.dropped(), writer.next()), (0, 40_000));
        assert!(writer.removed() > 0 && said.ends_with(&all(&disk, 0).0));
        // Nothing fits at all: everything is counted.
        disk.limit.set(Some((0, errno)));
        writer.write(&batch(40_000, &[(Stream::Out, &said[..3000], 50)]), 1);
        assert_eq!((writer.dropped(), writer.next(), i32::from(writer.errno())), (3000, 43_000, errno));
        // There is room again: the gap is in its place.
        disk.limit.set(None);
        writer.write(&batch(43_000, &[(Stream::Out, b"again\n", 60)]), 1);
        let (bytes, gaps, _) = all(&disk, 40_000);
        assert_eq!((bytes.as_slice(), gaps), (&b"again\n"[..], vec![(40_000, 3000)]));
        assert_eq!((writer.dropped(), writer.errno()), (3000, 0));
        let writer = Writer::open(disk, CAPS, 0).expect("opens");
        assert_eq!((writer.dropped(), writer.next()), (3000, 43_006));
    }
}

#[test]
fn a_disk_that_is_broken_or_read_only_costs_counted_bytes_and_removes_nothing() {
    for errno in [libc::EIO, libc::EROFS, libc::EACCES] {
        let disk = Heap::default();
        let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
        let said = text(9000, 3);
        writer.write(&batch(0, &[(Stream::Out, &said, 1)]), 1);
        disk.limit.set(Some((0, errno)));
        writer.write(&batch(9000, &[(Stream::Out, &said, 1)]), 1);
        assert_eq!((writer.dropped(), i32::from(writer.errno()), writer.removed()), (9000, errno, 0));
        assert_eq!(all(&disk, 0).0, said);
    }
}

#[test]
fn a_flush_leaves_nothing_to_read_and_offsets_go_on() {
    let disk = Heap::default();
    let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
    writer.write(&batch(0, &[(Stream::Out, &text(9000, 1), 1)]), 1);
    writer.flush(2).expect("flushes");
    assert_eq!((writer.size().1, disk.raw().len(), writer.next()), (1, 0, 9000));
    assert_eq!(Writer::open(disk.clone(), CAPS, 0).expect("opens").next(), 9000);
    writer.write(&batch(9000, &[(Stream::Out, b"new\n", 1)]), 1);
    assert!(all(&disk, 9000) == (b"new\n".to_vec(), vec![], vec![]));
}

#[test]
fn a_ring_that_was_overtaken_is_a_gap() {
    let (mut keeper, reader) = ring(64 << 10);
    say(&mut keeper, &text(60_000, 1), Stream::Out, 1);
    let mut feed = Feed::new(reader(), 0, None);
    reader().set_limit(u64::MAX);
    say(&mut keeper, &text(60_000, 2), Stream::Out, 5_000_000);
    let mut batch = Batch::default();
    while feed.take(&mut batch, |time| time) {}
    let lost = 120_000 - (64 << 10);
    assert_eq!(batch.records[0].what, What::Gap { bytes: lost, errno: 0 });
    assert_eq!(batch.bytes().len(), 64 << 10);
    assert_eq!(batch.records.iter().map(|record| u64::from(record.len)).sum::<u64>(), 64 << 10);
}

#[test]
fn events_at_the_end_are_taken_over_once_whoever_goes_on() {
    let (mut keeper, reader) = ring(64 << 10);
    say(&mut keeper, b"one", Stream::Terminal, 10);
    keeper.resized(10, 20, 11);
    let disk = Heap::default();
    for n in 0..4_u64 {
        let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
        let mut feed = Feed::new(reader(), writer.next(), writer.last_time());
        let mut batch = Batch::default();
        feed.take(&mut batch, |time| time);
        writer.write(&batch, 1);
        if n == 1 {
            keeper.resized(11, 21, 12);
            keeper.exited(ExitStatus::Code(0), 13, 1);
        }
    }
    let (bytes, _, events) = all(&disk, 0);
    let what: Vec<What> = events.iter().map(|record| record.what).collect();
    let wanted = [Kind::Resize(10, 20), Kind::Resize(11, 21), Kind::Exit].map(What::Entry);
    assert_eq!((bytes.as_slice(), what.as_slice()), (&b"one"[..], &wanted[..]));
}

#[test]
fn bytes_that_join_an_entry_later_are_seen_by_who_stood_at_its_end() {
    let (mut keeper, reader) = ring(64 << 10);
    say(&mut keeper, b"one", Stream::Terminal, 10);
    let mut feed = Feed::new(reader(), 3, Some(10));
    say(&mut keeper, b"two", Stream::Terminal, 11);
    let mut batch = Batch::default();
    feed.take(&mut batch, |time| time);
    assert_eq!(batch.bytes(), b"two");
}

#[test]
fn times_and_lines_are_found_in_any_segment() {
    let disk = Heap::default();
    let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
    let lines: Vec<String> = (0..2000).map(|n| format!("line {n}\n")).collect();
    let mut offsets = vec![0];
    for (n, line) in lines.iter().enumerate() {
        let stream = if n % 2 == 0 { Stream::Out } else { Stream::Err };
        // Two of them are 2 ms apart, so each is a record of its own.
        writer.write(&batch(writer.next(), &[(stream, line.as_bytes(), n as u64 * 2_000_000)]), n as u64 * 2000);
        offsets.push(writer.next());
    }
    assert!(writer.size().1 > 10);
    let mut reader = Reader::open(disk).expect("opens");
    let end = writer.next();
    for n in [0, 1, 500, 1999] {
        assert_eq!(reader.since(n as u64 * 2000).expect("found"), Some(offsets[n]), "{n}");
        let mut back = Backwards::new((2000 - n) as u64);
        assert_eq!(reader.lines_before(end, &mut back, None).expect("found"), Some(offsets[n]), "{n}");
    }
    assert_eq!(reader.since(9_000_000).expect("found"), None);
    let mut back = Backwards::new(3);
    assert_eq!(reader.lines_before(end, &mut back, Some(Stream::Err)).expect("found"), Some(offsets[1994]));
    let mut back = Backwards::new(5000);
    assert_eq!(reader.lines_before(end, &mut back, None).expect("found"), Some(0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_of_the_newest_files_opens_to_a_prefix_and_goes_on(
        pieces in proptest::collection::vec((1_usize..900, any::<bool>()), 1..30),
        raw_cut in 0_usize..5000,
        index_cut in 0_usize..5000,
        flip in proptest::option::of(0_usize..5000),
    ) {
        let disk = Heap::default();
        let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
        let mut said = Vec::new();
        for (n, (len, is_err)) in pieces.iter().enumerate() {
            let bytes = text(*len, n as u8);
            let stream = if *is_err { Stream::Err } else { Stream::Out };
            writer.write(&batch(writer.next(), &[(stream, &bytes, n as u64)]), 1);
            said.extend(bytes);
        }
        let newest = disk.segments().expect("listed").last().copied().expect("one");
        {
            let mut files = disk.files.borrow_mut();
            for (part, cut) in [(Part::Raw, raw_cut), (Part::Index, index_cut)] {
                let file = files.entry((newest, part)).or_default();
                let left = file.len().saturating_sub(cut);
                file.truncate(left);
            }
            let index = files.entry((newest, Part::Index)).or_default();
            if let Some(byte) = flip.and_then(|at| index.get_mut(at)) {
                *byte ^= 0x55;
            }
        }
        let mut writer = Writer::open(disk.clone(), CAPS, 0).expect("opens");
        let (bytes, gaps, _) = all(&disk, 0);
        prop_assert!(said.starts_with(&bytes) && gaps.is_empty());
        prop_assert_eq!(bytes.len() as u64, writer.next());
        prop_assert!(disk.raw() == bytes);
        writer.write(&batch(writer.next(), &[(Stream::Out, b"more", 99)]), 1);
        prop_assert!(all(&disk, 0).0 == [&bytes[..], b"more"].concat());
    }

    #[test]
    fn every_byte_is_read_once_or_counted_once_whatever_the_disk_does(
        pieces in proptest::collection::vec((1_usize..3000, proptest::option::of(0_usize..20_000)), 1..30),
        segments in 1_u32..5,
        from in 0_u64..20_000,
        limit in 1_usize..3000,
    ) {
        let disk = Heap::default();
        let mut writer = Writer::open(disk.clone(), Caps { segment: 4096, segments }, 0).expect("opens");
        let mut said = Vec::new();
        for (n, (len, room)) in pieces.iter().enumerate() {
            disk.limit.set(room.map(|room| (room, libc::ENOSPC)));
            let bytes = text(*len, n as u8);
            writer.write(&batch(said.len() as u64, &[(Stream::Out, &bytes, n as u64)]), 1);
            said.extend(bytes);
            prop_assert_eq!(writer.next(), said.len() as u64);
            if n % 7 == 6 {
                writer = Writer::open(disk.clone(), Caps { segment: 4096, segments }, 0).expect("opens");
                writer.skip_to(said.len() as u64);
            }
        }
        disk.limit.set(None);
        writer.write(&batch(said.len() as u64, &[(Stream::Out, b"end", 99)]), 1);
        said.extend(b"end");
        let from = from.min(said.len() as u64);
        let mut reader = Reader::open(disk).expect("opens");
        reader.seek(from, None).expect("seeks");
        let mut at = from;
        loop {
            let page = reader.page(limit, said.len() as u64).expect("reads");
            if page.pieces.is_empty() {
                break;
            }
            prop_assert!(page.bytes.len() <= limit);
            for piece in &page.pieces {
                prop_assert_eq!(piece.record.offset, at);
                let bytes = page.bytes_of(piece);
                prop_assert!(bytes == &said[at as usize..at as usize + bytes.len()]);
                at = piece.record.end();
            }
        }
        prop_assert_eq!(at, said.len() as u64);
    }
}
