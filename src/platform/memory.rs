//! Shared memory: sealed memfds, mapped; the only raw pointers into what other processes write.
//!
//! A mapping is refused unless the kernel guarantees that it cannot shrink, so that no access ends in
//! SIGBUS. Growing memories map a wide span at once and never touch it beyond the file's end.
#![expect(unsafe_code, reason = "mmap and atomics on mapped memory")]

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use rustix::fs::MemfdFlags;
use rustix::fs::SealFlags;
use rustix::mm::Advice;
use rustix::mm::MapFlags;
use rustix::mm::ProtFlags;

use crate::history::Memory;

/// Address space of a memory that can grow.
const SPAN: usize = 128 << 20;

/// Whether a memory keeps its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// For ever.
    Fixed,
    /// It may grow.
    Growing,
}

/// What a mapping may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing.
    Write,
}

/// One shared memory, mapped into this process.
pub struct Mapping {
    start: NonNull<u8>,
    span: usize,
    len: AtomicUsize,
    fd: OwnedFd,
}

// SAFETY: whatever another thread could do to the bytes, another process may do already: words are atomics, bytes are
// copied and checked by the history.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Creates zeroed memory, sealed against shrinking (and growing, if its length is fixed).
    pub fn create(len: usize, length: Length) -> io::Result<Self> {
        let fd = rustix::fs::memfd_create("runpm", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&fd, len as u64)?;
        let seals = match length {
            Length::Fixed => SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
            Length::Growing => SealFlags::SHRINK | SealFlags::SEAL,
        };
        rustix::fs::fcntl_add_seals(&fd, seals)?;
        Self::map(fd, len, Access::Write, length)
    }

    /// Maps memory that another process created.
    pub fn open(fd: OwnedFd, access: Access) -> io::Result<Self> {
        let seals = rustix::fs::fcntl_get_seals(&fd)?;
        if !seals.contains(SealFlags::SHRINK) {
            return Err(io::Error::other("the shared memory is not sealed against shrinking"));
        }
        let len = rustix::fs::fstat(&fd)?.st_size as usize;
        let length = if seals.contains(SealFlags::GROW) { Length::Fixed } else { Length::Growing };
        Self::map(fd, len, access, length)
    }

    fn map(fd: OwnedFd, len: usize, access: Access, length: Length) -> io::Result<Self> {
        let span = if length == Length::Growing { SPAN.max(len) } else { len };
        let prot = match access {
            Access::Read => ProtFlags::READ,
            Access::Write => ProtFlags::READ | ProtFlags::WRITE,
        };
        // SAFETY: a fresh mapping at an address of the kernel's choice; nothing else refers to it.
        let start = unsafe { rustix::mm::mmap(std::ptr::null_mut(), span, prot, MapFlags::SHARED, &fd, 0)? };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, span, len: AtomicUsize::new(len), fd })
    }

    /// Leaves it out of processes that are forked from now on: with a thousand sessions, copying what the child drops again at
    /// its exec is most of the time that starting one takes.
    pub fn keep_from_children(&self) {
        // SAFETY: our own mapping; the advice changes nothing in this process.
        let _ = unsafe { rustix::mm::madvise(self.start.as_ptr().cast(), self.span, Advice::LinuxDontFork) };
    }

    /// Returns a descriptor that a peer can map read-only and nothing else.
    pub fn read_only_fd(&self) -> io::Result<OwnedFd> {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        Ok(rustix::fs::open(path, flags, rustix::fs::Mode::empty())?)
    }

    /// Reads from a descriptor straight into `at..at + len`, which the caller alone writes.
    pub fn read_from(&self, fd: BorrowedFd<'_>, at: usize, len: usize) -> io::Result<usize> {
        self.bounds(at, len);
        // SAFETY: within the mapping by the check above. Peers may read the bytes while the kernel writes them, which
        // the history's `RESERVE` word tells them; no reference to them is held anywhere in this process.
        let target = unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(at), len) };
        Ok(rustix::io::read(fd, target)?)
    }

    /// Panics unless `at..at + len` lies within the memory.
    fn bounds(&self, at: usize, len: usize) {
        let end = at.checked_add(len).expect("offsets are far below the address space");
        assert!(
            end <= self.len.load(Ordering::Relaxed),
            "access to {at}..{end} of {} shared bytes",
            self.len.load(Ordering::Relaxed)
        );
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        self.bounds(at, 8);
        assert!(at.is_multiple_of(8), "word at {at}");
        // SAFETY: in bounds, aligned (mappings are page-aligned), and every process uses atomics here.
        unsafe { self.start.add(at).cast().as_ref() }
    }
}

/// Puts bytes into a memfd, to pass them beside a message.
pub fn parcel(bytes: &[u8]) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("runpm-parcel", MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(fd);
    io::Write::write_all(&mut file, bytes)?;
    Ok(file.into())
}

/// Reads a parcel; one above `limit` bytes is refused.
pub fn unpack(fd: OwnedFd, limit: u64) -> io::Result<Vec<u8>> {
    let file = std::fs::File::from(fd);
    let len = file.metadata()?.len();
    if len > limit {
        return Err(io::Error::other(format!("a parcel of {len} bytes")));
    }
    let mut bytes = vec![0; len as usize];
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, 0)?;
    Ok(bytes)
}

impl Memory for Mapping {
    fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    fn grow(&self, len: usize) -> bool {
        if len <= self.len.load(Ordering::Relaxed) {
            return true;
        }
        let len = len.next_multiple_of(4096);
        let is_grown = len <= self.span && rustix::fs::ftruncate(&self.fd, len as u64).is_ok();
        if is_grown {
            self.len.store(len, Ordering::Relaxed);
        }
        is_grown
    }

    fn load(&self, at: usize) -> u64 {
        self.word(at).load(Ordering::Acquire)
    }

    fn store(&self, at: usize, value: u64) {
        self.word(at).store(value, Ordering::Release);
    }

    fn read(&self, at: usize, out: &mut [u8]) {
        self.bounds(at, out.len());
        // SAFETY: in bounds; the bytes may change while they are copied, which the history checks for afterwards.
        unsafe { std::ptr::copy_nonoverlapping(self.start.as_ptr().add(at), out.as_mut_ptr(), out.len()) }
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        self.bounds(at, bytes.len());
        // SAFETY: in bounds, and `bytes` is ordinary memory of this process.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr().add(at), bytes.len()) }
    }
}

impl AsFd for Mapping {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: our own mapping; no reference into it outlives `self`.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.span) };
    }
}
