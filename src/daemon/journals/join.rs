//! Putting one journal in front of another: what was said before a reload, and what the fresh instance says beside it.
//!
//! Offsets of the later one stay as they are, for its ring has the same; those of the older one are moved so that it ends where
//! the later one begins. *Invariant:* at any instant the later journal has no hole, and each segment is in one of the two at
//! least: they are taken over one by one, the newest first, and each is there once its index is. What a death interrupted is
//! gone on with.

use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use crate::daemon::journals::writer;
use crate::journal::Disk;
use crate::journal::Folder;
use crate::journal::LATER;
use crate::journal::Record;
use crate::journal::name;
use crate::journal::record::Header;
use crate::journal::record::RECORD;

/// An index while it is written.
const FRESH: &str = "before.new";

/// Puts the journal in `old` in front of the one in `later`, whose first byte has the offset `base` if nothing of it is on disk
/// yet; `old` is removed. Offsets that would be below zero are [`io::ErrorKind::InvalidInput`].
pub fn put_before(old: &Path, later: &Path, base: u64) -> io::Result<()> {
    let mut before = Folder::new(old.to_owned());
    let after = Folder::new(later.to_owned());
    after.make()?;
    let first = after.segments()?.first().copied();
    let mut next = first.unwrap_or(LATER);
    let base = match first {
        Some(number) => index_of(later, number)?.map_or(base, |(header, _)| header.base),
        None => base,
    };
    let mut delta = None;
    for number in before.segments()?.into_iter().rev() {
        let is_there = || inode(&raw(old, number)).is_some_and(|inode| Some(inode) == self::inode(&raw(later, next)));
        let index = index_of(old, number)?;
        if let Some((header, records)) = index.filter(|_| delta.is_some() || first.is_none() || !is_there()) {
            let end = records.last().map_or(header.base, Record::end);
            let delta = *delta.get_or_insert_with(|| base.wrapping_sub(end));
            if delta > u64::MAX / 2 && header.base < delta.wrapping_neg() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            next -= 1;
            let fresh = later.join(FRESH);
            write_index(&fresh, &header, &records, delta)?;
            let _ = std::fs::remove_file(raw(later, next));
            // Nothing was said in a segment without bytes.
            if raw(old, number).exists() {
                std::fs::hard_link(raw(old, number), raw(later, next))
                    .or_else(|_| std::fs::copy(raw(old, number), raw(later, next)).map(drop))?;
            }
            std::fs::rename(fresh, later.join(name::of_segment(next, name::INDEX)))?;
        }
        before.remove(number)?;
    }
    writer::remove(old)
}

/// Gives a folder the name of a service's, behind what is there.
pub fn become_services(folder: &Path, own: &Path) -> io::Result<()> {
    if Folder::new(folder.to_owned()).segments()?.is_empty() {
        return writer::remove(folder);
    }
    if own.exists() {
        put_before(own, folder, 0).or_else(|error| match error.kind() {
            // Only journals of before offsets left room for that.
            io::ErrorKind::InvalidInput => writer::remove(own),
            _ => Err(error),
        })?;
    }
    std::fs::rename(folder, own)
}

fn raw(folder: &Path, number: u64) -> PathBuf {
    folder.join(name::of_segment(number, name::RAW))
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Reads an index as far as it is whole; none where nothing is.
fn index_of(folder: &Path, number: u64) -> io::Result<Option<(Header, Vec<Record>)>> {
    let bytes = match std::fs::read(folder.join(name::of_segment(number, name::INDEX))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let mut parts = bytes.chunks_exact(RECORD);
    let Some(header) = parts.next().and_then(Header::decode) else { return Ok(None) };
    Ok(Some((header, parts.map_while(Record::decode).collect())))
}

fn write_index(path: &Path, header: &Header, records: &[Record], delta: u64) -> io::Result<()> {
    let header = Header { base: header.base.wrapping_add(delta), ..*header };
    let mut bytes = header.encode().to_vec();
    for record in records {
        bytes.extend(Record { offset: record.offset.wrapping_add(delta), ..*record }.encode());
    }
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&bytes)?;
    // The other index is removed: a power cut must not leave none.
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Entry;
    use crate::history::Kind;
    use crate::history::Stream;
    use crate::journal::Part;
    use crate::journal::Reader;
    use crate::journal::What;

    /// Segments that begin at these offsets, each with these words, of a byte at a time.
    fn journal(folder: &Path, segments: &[(u64, u64, &str)]) {
        let mut disk = Folder::new(folder.to_owned());
        for (number, base, said) in segments {
            let header = Header { base: *base, wall_us: *number, dropped: 0, run: 0, is_first: *number == 1 };
            let mut index = header.encode().to_vec();
            for at in 0..said.len() as u64 {
                let entry = Entry { offset: base + at, len: 1, kind: Kind::Bytes(Stream::Out), time: 1 };
                index.extend(Record { at, ..Record::of(entry, 1) }.encode());
            }
            disk.write(*number, Part::Raw, 0, said.as_bytes()).expect("a file");
            disk.write(*number, Part::Index, 0, &index).expect("a file");
        }
    }

    /// All that is said, and where it begins and ends; without a gap.
    fn said(folder: &Path) -> (u64, String, u64) {
        let mut reader = Reader::open(Folder::new(folder.to_owned())).expect("a journal");
        let (begin, mut text) = (reader.oldest(), Vec::new());
        loop {
            let page = reader.page(1 << 20, u64::MAX).expect("a page");
            if page.pieces.is_empty() {
                return (begin, String::from_utf8(text).expect("text"), reader.end().expect("an end").0);
            }
            assert!(page.pieces.iter().all(|piece| matches!(piece.record.what, What::Entry(_))), "{:?}", page.pieces);
            text.extend(page.bytes);
        }
    }

    /// Two folders that go with their test.
    struct Two(PathBuf);

    impl Two {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("runpm-join-{}-{name}", std::process::id()));
            journal(&path.join("old"), &[(1, 7, "ol"), (2, 9, "de"), (3, 11, "r")]);
            Self(path)
        }

        fn each(&self) -> [PathBuf; 2] {
            ["old", "new"].map(|name| self.0.join(name))
        }
    }

    impl Drop for Two {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_journal_is_put_before_another_one_which_keeps_its_offsets() {
        for (later, wanted) in [
            (&[(LATER, 100, "new"), (LATER + 1, 103, "er")][..], (95, "oldernewer", 105)),
            (&[], (95, "older", 100)),
            (&[(LATER, 5, "new")], (0, "oldernew", 8)),
        ] {
            let two = Two::new("before");
            let [old, new] = two.each();
            journal(&new, later);
            put_before(&old, &new, 100).expect("room");
            assert_eq!(said(&new), (wanted.0, wanted.1.to_owned(), wanted.2));
            assert!(!old.exists());
        }
    }

    #[test]
    fn what_a_death_interrupted_is_gone_on_with_and_nothing_is_there_twice() {
        let two = Two::new("death");
        let [old, new] = two.each();
        journal(&new, &[(LATER, 99, "r"), (LATER + 1, 100, "new")]);
        // The newest one was taken over, and not removed yet.
        std::fs::remove_file(raw(&new, LATER)).expect("it is there");
        std::fs::hard_link(raw(&old, 3), raw(&new, LATER)).expect("a link");
        put_before(&old, &new, 99).expect("room");
        assert_eq!(said(&new), (95, "oldernew".to_owned(), 103));
    }

    #[test]
    fn where_there_is_no_room_both_stay() {
        let two = Two::new("room");
        let [old, new] = two.each();
        journal(&new, &[(LATER, 0, "new")]);
        let refused = put_before(&old, &new, 0).expect_err("no room").kind();
        assert_eq!(refused, io::ErrorKind::InvalidInput);
        assert_eq!((said(&old).1, said(&new).1), ("older".to_owned(), "new".to_owned()));
    }
}
