//! The seam between a journal and the files it lives in.
//!
//! Everything is written at positions that the caller computed, so what failed half-way is simply written again.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use crate::journal::name;

/// One of a segment's two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The bytes.
    Raw,
    /// The index.
    Index,
}

impl Part {
    const fn extension(self) -> &'static str {
        match self {
            Self::Raw => name::RAW,
            Self::Index => name::INDEX,
        }
    }
}

/// Where segments are kept.
pub trait Disk {
    /// Returns the numbers of the segments, the oldest first, also of those that lack a file; none where there is nothing yet.
    fn segments(&self) -> io::Result<Vec<u64>>;
    /// Returns the length of a file; 0 for one that is missing.
    fn len(&self, number: u64, part: Part) -> io::Result<u64>;
    /// Reads from a position; fewer bytes at the end, none from a file that is missing.
    fn read(&self, number: u64, part: Part, at: u64, out: &mut [u8]) -> io::Result<usize>;
    /// Writes all bytes at a position; what is missing is made.
    fn write(&mut self, number: u64, part: Part, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts a file off.
    fn cut(&mut self, number: u64, part: Part, len: u64) -> io::Result<()>;
    /// Removes a segment, the index first: bytes without one are nothing.
    fn remove(&mut self, number: u64) -> io::Result<()>;
}

/// A folder of files, for our eyes only.
pub struct Folder {
    path: PathBuf,
    /// The files that are written at present.
    open: BTreeMap<(u64, Part), File>,
}

impl Folder {
    /// Takes a folder; it is made when something is written.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, open: BTreeMap::new() }
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, as one for our eyes only.
    pub fn make(&self) -> io::Result<()> {
        DirBuilder::new().mode(0o700).recursive(true).create(&self.path)
    }

    /// Closes what is open for writing; it is opened again by need.
    pub fn close(&mut self) {
        self.open.clear();
    }

    fn file(&self, number: u64, part: Part) -> PathBuf {
        self.path.join(name::of_segment(number, part.extension()))
    }

    fn writable(&mut self, number: u64, part: Part) -> io::Result<&File> {
        if !self.open.contains_key(&(number, part)) {
            let open = |path: PathBuf| {
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .mode(0o600)
                    .custom_flags(libc::O_NOFOLLOW)
                    .open(path)
            };
            let file = match open(self.file(number, part)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.make()?;
                    open(self.file(number, part))?
                }
                file => file?,
            };
            // An older segment is never written again.
            self.open.retain(|(other, _), _| *other == number);
            self.open.insert((number, part), file);
        }
        self.open.get(&(number, part)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn or_missing<T: Default>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        result => result,
    }
}

impl Disk for Folder {
    fn segments(&self) -> io::Result<Vec<u64>> {
        let entries = match std::fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut numbers: Vec<u64> = names.filter_map(|file| name::number(file.to_str()?)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    fn len(&self, number: u64, part: Part) -> io::Result<u64> {
        or_missing(std::fs::metadata(self.file(number, part)).map(|meta| meta.len()))
    }

    fn read(&self, number: u64, part: Part, at: u64, out: &mut [u8]) -> io::Result<usize> {
        or_missing(File::open(self.file(number, part)).and_then(|file| read_full(&file, at, out)))
    }

    fn write(&mut self, number: u64, part: Part, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.writable(number, part)?.write_all_at(bytes, at)
    }

    fn cut(&mut self, number: u64, part: Part, len: u64) -> io::Result<()> {
        self.writable(number, part)?.set_len(len)
    }

    fn remove(&mut self, number: u64) -> io::Result<()> {
        self.open.retain(|(other, _), _| *other != number);
        for part in [Part::Index, Part::Raw] {
            or_missing(std::fs::remove_file(self.file(number, part)))?;
        }
        Ok(())
    }
}

fn read_full(file: &File, at: u64, out: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < out.len() {
        match file.read_at(&mut out[done..], at + done as u64) {
            Ok(0) => break,
            Ok(len) => done += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
