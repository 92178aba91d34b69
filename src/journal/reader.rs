//! Everybody else's side of a journal: pages from any offset on, times and lines.
//!
//! It reads beside the writer, and believes what a checksum says was written whole. A segment that was removed meanwhile is a
//! gap, as in the ring.

use std::collections::BTreeMap;
use std::io;

use crate::history::Kind;
use crate::history::Stream;
use crate::journal::backwards::Backwards;
use crate::journal::disk::Disk;
use crate::journal::disk::Part;
use crate::journal::record::Header;
use crate::journal::record::RECORD;
use crate::journal::record::Record;
use crate::journal::record::What;

/// Records read at once.
const RECORDS: u64 = 256;
/// Bytes looked through at once, backwards.
const PIECE: u64 = 64 << 10;

/// Something of a history, as a page has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where and what; of bytes, those that are in the page.
    pub record: Record,
    /// Where its bytes begin in the page's.
    pub start: usize,
}

/// What comes next in a journal.
#[derive(Debug, Default)]
pub struct Page {
    /// In their order.
    pub pieces: Vec<Piece>,
    /// The bytes of all of them.
    pub bytes: Vec<u8>,
}

impl Page {
    /// Returns the bytes of a piece.
    #[must_use]
    pub fn bytes_of(&self, piece: &Piece) -> &[u8] {
        &self.bytes[piece.start..piece.start + piece.record.len as usize]
    }
}

/// See the module.
pub struct Reader<D> {
    disk: D,
    /// Headers by number; they never change.
    headers: BTreeMap<u64, Header>,
    /// The segment that is read, and where in its index.
    place: Option<(u64, u64)>,
    offset: u64,
    /// Events at this offset that came no later than that are known.
    known: Option<(u64, u64)>,
}

impl<D: Disk> Reader<D> {
    /// Takes a journal and stands at its oldest byte.
    pub fn open(disk: D) -> io::Result<Self> {
        let mut reader = Self { disk, headers: BTreeMap::new(), place: None, offset: 0, known: None };
        reader.refresh()?;
        reader.offset = reader.oldest();
        Ok(reader)
    }

    /// Looks which segments there are.
    fn refresh(&mut self) -> io::Result<()> {
        let numbers = self.disk.segments()?;
        self.headers.retain(|number, _| numbers.contains(number));
        for number in numbers {
            if !self.headers.contains_key(&number) {
                let mut bytes = [0; RECORD];
                let len = self.disk.read(number, Part::Index, 0, &mut bytes)?;
                if let Some(header) = Header::decode(&bytes[..len]) {
                    self.headers.insert(number, header);
                }
            }
        }
        Ok(())
    }

    /// Returns the offset of the oldest byte, as of the last look.
    pub fn oldest(&self) -> u64 {
        self.headers.first_key_value().map_or(0, |(_, header)| header.base)
    }

    /// Returns the offset before which nothing was ever said; 0 when older segments were removed.
    pub fn floor(&self) -> u64 {
        let first = self.headers.first_key_value().filter(|(_, header)| header.is_first);
        first.map_or(0, |(_, header)| header.base)
    }

    /// Returns when the oldest segment was begun, in wall-clock microseconds.
    pub fn since_us(&self) -> u64 {
        self.headers.first_key_value().map_or(0, |(_, header)| header.wall_us)
    }

    /// Returns how many bytes its files have, and how many segments there are.
    pub fn size(&self) -> (u64, usize) {
        let len = |number: u64, part| self.disk.len(number, part).unwrap_or(0);
        let bytes = self.headers.keys().map(|number| len(*number, Part::Raw) + len(*number, Part::Index));
        (bytes.sum(), self.headers.len())
    }

    /// Returns the offset after the newest byte, and how many bytes the journal never got.
    pub fn end(&self) -> io::Result<(u64, u64)> {
        let Some((number, header)) = self.headers.last_key_value() else { return Ok((0, 0)) };
        let (mut end, mut dropped, mut at) = (header.base, header.dropped, RECORD as u64);
        loop {
            let records = self.records(*number, at)?;
            let Some(last) = records.last() else { return Ok((end, dropped)) };
            end = last.end();
            at += (records.len() * RECORD) as u64;
            dropped += records
                .iter()
                .map(|record| if let What::Gap { bytes, .. } = record.what { bytes } else { 0 })
                .sum::<u64>();
        }
    }

    /// Goes to an offset. Events there that came no later than `time` (monotonic nanoseconds) are known already.
    pub fn seek(&mut self, offset: u64, time: Option<u64>) -> io::Result<()> {
        self.refresh()?;
        (self.offset, self.known) = (offset, time.map(|time| (offset, time)));
        self.place = self.locate(offset)?;
        Ok(())
    }

    /// Returns the offset of what comes next.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Finds the first record that ends after an offset or starts at it; or where it will be.
    fn locate(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        let holds = self.headers.iter().rev().find(|(_, header)| header.base <= offset);
        let Some((number, _)) = holds.or_else(|| self.headers.first_key_value()) else { return Ok(None) };
        let at = self.search(*number, |record| record.end() > offset || record.offset >= offset)?;
        Ok(Some((*number, at)))
    }

    /// Searches a segment for the first record for which `is_it`, as all after it; returns its place in the index.
    fn search(&self, number: u64, is_it: impl Fn(&Record) -> bool) -> io::Result<u64> {
        let count = self.disk.len(number, Part::Index)?.saturating_sub(RECORD as u64) / RECORD as u64;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut bytes = [0; RECORD];
            let len = self.disk.read(number, Part::Index, (middle + 1) * RECORD as u64, &mut bytes)?;
            // What is being written right now is behind all that is sought.
            if Record::decode(&bytes[..len]).is_none_or(|record| is_it(&record)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok((low + 1) * RECORD as u64)
    }

    /// Reads whole records from a place in an index on.
    fn records(&self, number: u64, at: u64) -> io::Result<Vec<Record>> {
        let mut bytes = vec![0; RECORDS as usize * RECORD];
        let len = self.disk.read(number, Part::Index, at, &mut bytes)?;
        Ok(bytes[..len].chunks_exact(RECORD).map_while(Record::decode).collect())
    }

    /// Returns what comes next, `limit` bytes at most and those below `until`; nothing at the end, as far as it is written.
    pub fn page(&mut self, limit: usize, until: u64) -> io::Result<Page> {
        let mut page = Page::default();
        while page.pieces.is_empty() {
            let Some((number, at)) = self.place else {
                self.refresh()?;
                self.place = self.locate(self.offset)?;
                if self.place.is_none() {
                    break;
                }
                continue;
            };
            let records = self.records(number, at)?;
            let goes_on = if records.is_empty() {
                self.next_segment(number)?
            } else {
                self.fill(&mut page, number, &records, (limit, until))?
            };
            if !goes_on {
                break;
            }
        }
        Ok(page)
    }

    /// Goes on to the segment after one that has no more; `false` when there is none yet.
    fn next_segment(&mut self, number: u64) -> io::Result<bool> {
        self.refresh()?;
        // It may have got more before the next one was begun.
        let has_grown = match self.place {
            Some((number, at)) => !self.records(number, at)?.is_empty(),
            None => false,
        };
        let next = self.headers.range(number + 1..).next().map(|(next, _)| (*next, RECORD as u64));
        self.place = if has_grown { self.place } else { next.or(self.place) };
        Ok(has_grown || next.is_some())
    }

    /// Adds records of one segment to a page, with their bytes; `false` when nothing more is wanted.
    fn fill(&mut self, page: &mut Page, number: u64, records: &[Record], limits: (usize, u64)) -> io::Result<bool> {
        let (limit, until) = limits;
        let (offset, place) = (self.offset, self.place);
        let (mut room, mut first, mut goes_on) = (limit as u64, None, true);
        for record in records {
            if record.offset > self.offset {
                self.gap(page, record);
            }
            if record.is_bytes() && record.len > 0 && (self.offset >= until || room == 0) || self.offset > until {
                goes_on = false;
                break;
            }
            let skip = self.offset.saturating_sub(record.offset);
            let len = u64::from(record.len).saturating_sub(skip).min(room).min(until - self.offset);
            if let Some(piece) = self.piece(record, skip, len) {
                first = first.or((len > 0).then_some(piece.at));
                page.pieces.push(Piece { record: piece, start: (limit as u64 - room) as usize });
            }
            room -= len;
            if skip + len < u64::from(record.len) {
                self.offset += len;
                break;
            }
            self.offset = record.end().max(self.offset);
            self.place = self.place.map(|(number, at)| (number, at + RECORD as u64));
        }
        page.bytes.resize(limit - room as usize, 0);
        let Some(first) = first else { return Ok(goes_on) };
        let len = self.disk.read(number, Part::Raw, first, &mut page.bytes)?;
        if len < page.bytes.len() {
            // The segment was removed just now: what is left begins later.
            *page = Page::default();
            (self.offset, self.place) = (offset, place);
            self.refresh()?;
            if self.headers.contains_key(&number) {
                return Err(io::Error::other("a journal has less bytes than its index says"));
            }
            self.place = None;
        }
        Ok(true)
    }

    /// Returns what is wanted of a record, behind its first `skip` bytes; none if it is known.
    fn piece(&self, record: &Record, skip: u64, len: u64) -> Option<Record> {
        let offset = record.offset + skip;
        match record.what {
            What::Gap { bytes, errno } => {
                let what = What::Gap { bytes: bytes.saturating_sub(skip), errno };
                (bytes > skip).then_some(Record { offset, what, ..*record })
            }
            What::Entry(Kind::Bytes(_)) => {
                (len > 0).then_some(Record { offset, len: len as u32, at: record.at + skip, ..*record })
            }
            What::Entry(_) => {
                let is_known = |(offset, time)| record.offset <= offset && record.time <= time;
                (!self.known.is_some_and(is_known)).then_some(*record)
            }
        }
    }

    /// Bytes before a record are not in the journal any more.
    fn gap(&mut self, page: &mut Page, record: &Record) {
        let what = What::Gap { bytes: record.offset - self.offset, errno: 0 };
        let gap = Record { offset: self.offset, len: 0, what, at: 0, ..*record };
        page.pieces.push(Piece { record: gap, start: 0 });
        self.offset = record.offset;
    }

    /// Returns the offset of what was said at a wall-clock time (microseconds) or later; none if nothing was.
    pub fn since(&mut self, wall_us: u64) -> io::Result<Option<u64>> {
        self.refresh()?;
        let before = self.headers.iter().rev().find(|(_, header)| header.wall_us <= wall_us);
        let Some((number, _)) = before.or_else(|| self.headers.first_key_value()) else { return Ok(None) };
        let at = self.search(*number, |record| record.wall_us >= wall_us)?;
        let here = self.records(*number, at)?.first().map(|record| record.offset);
        let next = self.headers.range(number + 1..).next().map(|(_, header)| header.base);
        Ok(here.or(next))
    }

    /// Returns the size (rows, columns) of the terminal at an offset, if its segment says so.
    pub fn size_at(&self, offset: u64) -> io::Result<Option<(u16, u16)>> {
        let Some((number, end)) = self.locate(offset)? else { return Ok(None) };
        let mut at = end;
        while at > RECORD as u64 {
            let start = at.saturating_sub(RECORDS * RECORD as u64).max(RECORD as u64);
            let records = self.records(number, start)?;
            let before = records.iter().take(((at - start) / RECORD as u64) as usize);
            let size = |record: &Record| match record.what {
                What::Entry(Kind::Resize(rows, cols)) => Some((rows, cols)),
                _ => None,
            };
            if let Some(size) = before.rev().find_map(size) {
                return Ok(Some(size));
            }
            at = start;
        }
        Ok(None)
    }

    /// Goes on counting lines backwards from an offset; returns where they begin, the oldest byte if there are not
    /// enough; none where nothing of before that offset is here.
    pub fn lines_before(
        &mut self,
        offset: u64,
        back: &mut Backwards,
        stream: Option<Stream>,
    ) -> io::Result<Option<u64>> {
        self.refresh()?;
        let Some((mut number, at)) = self.locate(offset)? else { return Ok(None) };
        // The record there may begin before the offset.
        let mut at = at + RECORD as u64;
        loop {
            while at > RECORD as u64 {
                let start = at.saturating_sub(RECORDS * RECORD as u64).max(RECORD as u64);
                let records = self.records(number, start)?;
                let count = ((at - start) / RECORD as u64) as usize;
                for record in records.iter().take(count).rev().filter(|record| record.offset < offset) {
                    let What::Entry(Kind::Bytes(of)) = record.what else { continue };
                    if stream.is_some_and(|only| only != of) {
                        continue;
                    }
                    if let Some(found) = self.lines_in(number, record, offset, back)? {
                        return Ok(Some(found));
                    }
                }
                at = start;
            }
            let Some((before, _)) = self.headers.range(..number).next_back() else { return Ok(Some(self.oldest())) };
            number = *before;
            at = self.search(number, |_| false)?;
        }
    }

    fn lines_in(&self, number: u64, record: &Record, offset: u64, back: &mut Backwards) -> io::Result<Option<u64>> {
        let mut end = u64::from(record.len).min(offset - record.offset);
        let mut bytes = vec![0; PIECE.min(end) as usize];
        while end > 0 {
            let start = end.saturating_sub(PIECE);
            let piece = &mut bytes[..(end - start) as usize];
            let len = self.disk.read(number, Part::Raw, record.at + start, piece)?;
            if let Some(found) = back.piece(&piece[..len]) {
                return Ok(Some(record.offset + start + found as u64));
            }
            end = start;
        }
        Ok(None)
    }
}
