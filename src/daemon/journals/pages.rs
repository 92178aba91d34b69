//! Reading a journal without waiting for its disk: each look is made in a borrowed thread.

use std::io;
use std::path::PathBuf;

use tokio::sync::Semaphore;
use tokio::task;

use crate::journal::Folder;
use crate::journal::Page;
use crate::journal::Reader;

/// Bytes of one page.
const PAGE: usize = 256 << 10;

/// Journals that are read at once: a disk that hangs must leave threads for everything else.
pub const READERS: usize = 4;

static TURNS: Semaphore = Semaphore::const_new(READERS);

/// A journal that is read.
pub struct Pages {
    path: PathBuf,
    /// None while it is lent, and before the first look.
    reader: Option<Reader<Folder>>,
}

impl Pages {
    /// Takes a folder; nothing is read yet.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, reader: None }
    }

    /// Looks, in another thread.
    pub async fn look<T: Send + 'static>(
        &mut self,
        look: impl FnOnce(&mut Reader<Folder>) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let turn = TURNS.acquire().await.map_err(io::Error::other)?;
        let (path, reader) = (self.path.clone(), self.reader.take());
        let looked = task::spawn_blocking(move || {
            let _turn = turn;
            let mut reader = match reader {
                Some(reader) => reader,
                None => Reader::open(Folder::new(path))?,
            };
            look(&mut reader).map(|found| (found, reader))
        });
        let (found, reader) = looked.await.map_err(io::Error::other)??;
        self.reader = Some(reader);
        Ok(found)
    }

    /// Goes to an offset. Events there that came no later than `time` are known.
    pub async fn seek(&mut self, offset: u64, time: Option<u64>) -> io::Result<()> {
        self.look(move |reader| reader.seek(offset, time)).await
    }

    /// Returns what comes next below `until`, and where it ends.
    pub async fn next(&mut self, until: u64) -> io::Result<(Page, u64)> {
        self.look(move |reader| Ok((reader.page(PAGE, until)?, reader.offset()))).await
    }
}
