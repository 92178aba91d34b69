//! The one who writes a journal: goes on where it ended, rotates, makes room, counts what was lost.
//!
//! It never gives a batch back: what cannot be written now is a gap. Rotation begins a new segment and removes the oldest;
//! nothing is renamed, so a reader of an old segment is never led into another one.

use std::collections::VecDeque;
use std::io;

use crate::history::Kind;
use crate::journal::batch::Batch;
use crate::journal::disk::Disk;
use crate::journal::disk::Part;
use crate::journal::record::Header;
use crate::journal::record::RECORD;
use crate::journal::record::Record;
use crate::journal::record::What;

/// How large a journal gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of one segment, index included.
    pub segment: u64,
    /// Segments that are kept, the one that is written included.
    pub segments: u32,
}

/// Number of the first segment of a journal that does not begin with byte 0: others can be put before it.
pub const LATER: u64 = 1_000_000;
/// The smallest segment: a batch of records and something to describe.
const MIN_SEGMENT: u64 = 4 << 10;
/// Error numbers of a disk that is full, for which making room helps.
const FULL: [i32; 2] = [libc::ENOSPC, libc::EDQUOT];
/// Bytes of a segment's index that are read at once.
const PIECE: usize = RECORD * 1024;

#[derive(Debug, Clone, Copy)]
struct Segment {
    number: u64,
    header: Header,
    /// Bytes of both files.
    bytes: u64,
}

/// See the module.
pub struct Writer<D> {
    disk: D,
    caps: Caps,
    segments: VecDeque<Segment>,
    /// Lengths of the newest segment's raw file and index.
    raw: u64,
    index: u64,
    /// Offset of the next byte.
    next: u64,
    run: u32,
    /// What the next record has to say first: from where, how many bytes, why.
    gap: Option<(u64, u64, u16)>,
    dropped: u64,
    errno: u16,
    last_time: Option<u64>,
    removed: u64,
    /// The newest byte ended a line.
    is_line_end: bool,
}

impl<D: Disk> Writer<D> {
    /// Opens what is there; what was torn at its end is cut off. An empty journal begins at `base`.
    pub fn open(disk: D, caps: Caps, base: u64) -> io::Result<Self> {
        let caps = Caps { segment: caps.segment.max(MIN_SEGMENT), segments: caps.segments.max(1) };
        let mut writer = Self {
            disk,
            caps,
            segments: VecDeque::new(),
            raw: 0,
            index: 0,
            next: base,
            run: 0,
            gap: None,
            dropped: 0,
            errno: 0,
            last_time: None,
            removed: 0,
            is_line_end: false,
        };
        for number in writer.disk.segments()? {
            let mut bytes = [0; RECORD];
            let len = writer.disk.read(number, Part::Index, 0, &mut bytes)?;
            let Some(header) = Header::decode(&bytes[..len]) else {
                // Its very first write was torn: nothing it could describe.
                writer.disk.remove(number)?;
                continue;
            };
            let bytes = writer.disk.len(number, Part::Raw)? + writer.disk.len(number, Part::Index)?;
            writer.segments.push_back(Segment { number, header, bytes });
        }
        writer.scan()?;
        Ok(writer)
    }

    /// Finds the end of the newest segment, and cuts off what is behind it.
    fn scan(&mut self) -> io::Result<()> {
        let Some(Segment { number, header, .. }) = self.segments.back().copied() else { return Ok(()) };
        let raw = self.disk.len(number, Part::Raw)?;
        (self.raw, self.index, self.next, self.run) = (0, RECORD as u64, header.base, header.run);
        self.dropped = header.dropped;
        let mut piece = vec![0; PIECE];
        'whole: loop {
            let len = self.disk.read(number, Part::Index, self.index, &mut piece)?;
            for bytes in piece[..len].chunks_exact(RECORD) {
                let Some(record) = Record::decode(bytes).filter(|record| self.follows(record, raw)) else {
                    break 'whole;
                };
                self.count(&record);
                self.index += RECORD as u64;
                self.raw += u64::from(record.len);
            }
            if len < RECORD {
                break;
            }
        }
        if self.disk.len(number, Part::Index)? > self.index {
            self.disk.cut(number, Part::Index, self.index)?;
        }
        if raw > self.raw {
            self.disk.cut(number, Part::Raw, self.raw)?;
        }
        self.weigh();
        Ok(())
    }

    /// Returns whether a record goes on where the one before it ended, and its bytes are there.
    fn follows(&self, record: &Record, raw: u64) -> bool {
        let is_next = record.offset == self.next && (!record.is_bytes() || record.at == self.raw);
        is_next && self.raw + u64::from(record.len) <= raw
    }

    /// Takes account of a record that is written.
    fn count(&mut self, record: &Record) {
        self.next = record.end();
        self.last_time = Some(record.time);
        match record.what {
            What::Entry(Kind::Exit) => self.run += 1,
            What::Gap { bytes, .. } => self.dropped += bytes,
            What::Entry(_) => {}
        }
    }

    fn weigh(&mut self) {
        if let Some(segment) = self.segments.back_mut() {
            segment.bytes = self.raw + self.index;
        }
    }

    /// Returns the offset of the next byte.
    pub fn next(&self) -> u64 {
        self.gap.map_or(self.next, |(from, bytes, _)| from + bytes)
    }

    /// Returns the monotonic time of the newest record.
    pub const fn last_time(&self) -> Option<u64> {
        self.last_time
    }

    /// Returns the offset after the newest byte on the disk.
    pub const fn written(&self) -> u64 {
        self.next
    }

    /// Returns the offset of the oldest byte on the disk, and when its segment was begun in wall-clock microseconds.
    pub fn oldest(&self) -> (u64, u64) {
        self.segments.front().map_or((self.next(), 0), |segment| (segment.header.base, segment.header.wall_us))
    }

    /// Returns the offset before which nothing was ever said; 0 when older segments were removed.
    pub fn floor(&self) -> u64 {
        self.segments.front().filter(|segment| segment.header.is_first).map_or(0, |segment| segment.header.base)
    }

    /// Returns how many bytes are on the disk, in how many segments.
    pub fn size(&self) -> (u64, usize) {
        (self.segments.iter().map(|segment| segment.bytes).sum(), self.segments.len())
    }

    /// Returns how many bytes it never got.
    pub fn dropped(&self) -> u64 {
        self.dropped + self.gap.map_or(0, |(_, bytes, _)| bytes)
    }

    /// Returns the error number of the newest failure; 0 once something was written after it.
    pub const fn errno(&self) -> u16 {
        self.errno
    }

    /// Returns how many segments were removed to make room, since it was opened.
    pub const fn removed(&self) -> u64 {
        self.removed
    }

    /// Returns the disk.
    pub const fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// Bytes up to `offset` were there and will not come: they are counted as dropped.
    pub fn skip_to(&mut self, offset: u64) {
        let missed = offset.saturating_sub(self.next());
        if missed > 0 {
            self.lose(missed, 0);
        }
    }

    /// Writes a batch. What the disk does not take is lost and counted.
    pub fn write(&mut self, batch: &Batch, wall_us: u64) {
        let mut bytes = batch.bytes();
        let mut records = &batch.records[..];
        // What is left of the first record, where a segment ended in its middle.
        let mut head: Option<Record> = None;
        self.skip_to(records.first().map_or(0, |first| first.offset));
        while let Some(first) = head.or_else(|| records.first().copied()) {
            let room = self.room();
            if room == 0 || self.segments.is_empty() {
                if let Err(error) = self.rotate(first.offset, wall_us) {
                    return self.give_up(first.offset, records, &error);
                }
                continue;
            }
            let piece = Piece::cut(head, records, bytes, (room, self.is_line_end && self.raw > 0));
            if let Err(error) = self.append(&piece.records, &bytes[..piece.len]) {
                if self.make_room(&error) {
                    continue;
                }
                return self.give_up(first.offset, records, &error);
            }
            bytes = &bytes[piece.len..];
            records = &records[piece.whole..];
            head = piece.rest;
            let offset = head.map(|rest| rest.offset);
            if let Some(Err(error)) = offset.map(|offset| self.rotate(offset, wall_us)) {
                return self.give_up(self.next, records, &error);
            }
        }
    }

    /// Bytes that the newest segment may still get, records included.
    fn room(&self) -> u64 {
        let left = self.caps.segment.saturating_sub(self.raw + self.index);
        // A gap and a record before the first byte.
        if left <= 3 * RECORD as u64 { 0 } else { left }
    }

    /// Writes records and their bytes, the bytes first.
    fn append(&mut self, records: &[Record], bytes: &[u8]) -> io::Result<()> {
        let Some(Segment { number, .. }) = self.segments.back().copied() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let gap = self.gap.map(|(offset, bytes, errno)| {
            let first = records.first();
            let (time, wall_us) = first.map_or((0, 0), |record| (record.time, record.wall_us));
            Record { offset, len: 0, what: What::Gap { bytes, errno }, time, wall_us, run: 0, at: 0 }
        });
        let (mut at, mut run) = (self.raw, self.run);
        let mut index = Vec::with_capacity((records.len() + 1) * RECORD);
        for record in gap.iter().chain(records) {
            index.extend(Record { run, at, ..*record }.encode());
            at += u64::from(record.len);
            run += u32::from(record.what == What::Entry(Kind::Exit));
        }
        if !bytes.is_empty() {
            self.disk.write(number, Part::Raw, self.raw, bytes)?;
            self.is_line_end = bytes.ends_with(b"\n");
        }
        self.disk.write(number, Part::Index, self.index, &index)?;
        self.gap = None;
        self.errno = 0;
        for record in gap.iter().chain(records) {
            self.count(record);
        }
        self.raw = at;
        self.index += index.len() as u64;
        self.weigh();
        Ok(())
    }

    /// Begins a new segment at `offset`, and removes what is too much.
    fn rotate(&mut self, offset: u64, wall_us: u64) -> io::Result<()> {
        let base = self.gap.map_or(offset, |(from, ..)| from);
        let first = if base > 0 { LATER } else { 1 };
        let number = self.segments.back().map_or(first, |segment| segment.number + 1);
        let is_first = self.segments.is_empty() && self.gap.is_none();
        let header = Header { base, wall_us, dropped: self.dropped, run: self.run, is_first };
        loop {
            match self.disk.write(number, Part::Index, 0, &header.encode()) {
                Ok(()) => break,
                Err(error) if self.make_room(&error) => {}
                Err(error) => {
                    let _ = self.disk.remove(number);
                    return Err(error);
                }
            }
        }
        (self.raw, self.index, self.next) = (0, RECORD as u64, base);
        self.segments.push_back(Segment { number, header, bytes: RECORD as u64 });
        while self.segments.len() > self.caps.segments as usize && self.remove_oldest() {}
        Ok(())
    }

    /// Removes the oldest segment for a disk that is full; `false` when that does not help.
    fn make_room(&mut self, error: &io::Error) -> bool {
        let is_full = error.raw_os_error().is_some_and(|errno| FULL.contains(&errno));
        is_full && self.remove_oldest()
    }

    /// Removes the oldest segment, unless it is the only one.
    pub fn remove_oldest(&mut self) -> bool {
        if self.segments.len() < 2 {
            return false;
        }
        let Some(oldest) = self.segments.pop_front() else { return false };
        self.removed += 1;
        self.disk.remove(oldest.number).is_ok()
    }

    /// What is left of a batch is lost.
    fn give_up(&mut self, from: u64, records: &[Record], error: &io::Error) {
        let end = records.last().map_or(from, Record::end);
        let errno = error.raw_os_error().map_or(libc::EIO as u16, |errno| errno as u16);
        self.lose(end.saturating_sub(self.next()), errno);
        // What happened without bytes is lost without a count.
        self.last_time = records.last().map(|record| record.time).or(self.last_time);
    }

    fn lose(&mut self, bytes: u64, errno: u16) {
        let (from, before, _) = self.gap.unwrap_or((self.next, 0, 0));
        self.errno = errno;
        if before + bytes > 0 {
            self.gap = Some((from, before + bytes, errno));
        }
    }

    /// Removes everything: a journal that begins at its next byte. What was dropped before is forgotten with it.
    pub fn flush(&mut self, wall_us: u64) -> io::Result<()> {
        let next = self.next();
        let number = self.segments.back().map_or(1, |segment| segment.number + 1);
        let old: Vec<u64> = self.segments.drain(..).map(|segment| segment.number).collect();
        (self.gap, self.dropped, self.next) = (None, 0, next);
        // All of them, whatever one of them says.
        let removed = old.into_iter().map(|number| self.disk.remove(number)).fold(Ok(()), io::Result::and);
        // Also of an empty journal the end has to be known: offsets are never used again.
        let header = Header { base: next, wall_us, dropped: 0, run: self.run, is_first: true };
        self.disk.write(number, Part::Index, 0, &header.encode())?;
        (self.raw, self.index) = (0, RECORD as u64);
        self.segments.push_back(Segment { number, header, bytes: RECORD as u64 });
        removed
    }
}

/// As much of a batch as fits into a segment.
struct Piece {
    records: Vec<Record>,
    /// Bytes that they cover.
    len: usize,
    /// Records of the batch that are done with.
    whole: usize,
    /// What is left of the one after them.
    rest: Option<Record>,
}

impl Piece {
    /// Cuts a batch, whose first record may be the rest of one, behind the last line that fits, or where a line is longer
    /// than a segment behind the last byte that does. What is left of it, if anything is, begins the next segment.
    fn cut(head: Option<Record>, batch: &[Record], bytes: &[u8], (room, follows_line): (u64, bool)) -> Self {
        let cost = |records: usize| (records * RECORD) as u64;
        let mut piece = Self { records: Vec::new(), len: 0, whole: 0, rest: None };
        for (n, record) in batch.iter().enumerate() {
            let record = if n == 0 { head.unwrap_or(*record) } else { *record };
            // One more for a gap before them.
            let left = room.saturating_sub(cost(piece.records.len() + 2) + piece.len as u64);
            let fits = u64::from(record.len) <= left && left > 0;
            if fits {
                piece.len += record.len as usize;
                piece.records.push(record);
                piece.whole = n + 1;
                continue;
            }
            let most = left.min(u64::from(record.len)) as usize;
            let here = &bytes[piece.len..piece.len + most];
            let is_line_start = if piece.len == 0 { follows_line } else { bytes[piece.len - 1] == b'\n' };
            let unbroken = if is_line_start { 0 } else { most };
            let len = here.iter().rposition(|b| *b == b'\n').map_or(unbroken, |at| at + 1);
            piece.whole = n;
            piece.rest = Some(record);
            if len > 0 && record.is_bytes() {
                piece.records.push(Record { len: len as u32, ..record });
                piece.len += len;
                piece.rest =
                    Some(Record { offset: record.offset + len as u64, len: record.len - len as u32, ..record });
            }
            break;
        }
        piece
    }
}
