//! Starting a session's program on a terminal or on pipes.

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use portable_pty::PtySize;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::pty::OpenptFlags;

use crate::history::Stream;
use crate::platform::exec::Pad;
use crate::platform::exec::Setting;
use crate::platform::exec::SpawnError;
use crate::platform::exec::failed;
use crate::platform::process::Handle;
use crate::platform::snapshot::FileId;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::Stage;
use crate::session::id::RequestKey;
use crate::session::spec::Kind;
use crate::term::Size;

/// A program that was started.
pub struct Spawned {
    /// Its process's number.
    pub pid: u32,
    /// Its process.
    pub process: Handle,
    /// Where its output comes from.
    pub outputs: Vec<(Stream, OwnedFd)>,
    /// Where its input goes: the terminal's master, or a pipe.
    pub input: OwnedFd,
    /// What tells who holds its terminal or pipes.
    pub channels: Vec<FileId>,
}

/// Starts a program that bears the key's mark; `door` is the way into its control group.
pub fn spawn(
    order: &Order,
    key: RequestKey,
    pad: &mut Pad,
    door: Option<BorrowedFd<'_>>,
) -> Result<Spawned, SpawnError> {
    match order.kind {
        Kind::Pty => spawn_on_terminal(order, key, pad, door),
        Kind::Pipe => spawn_on_pipes(order, key, pad, door),
    }
}

fn channel_of(fd: &OwnedFd) -> Option<FileId> {
    rustix::fs::fstat(fd).ok().map(|file| (file.st_dev, file.st_ino))
}

fn spawn_on_terminal(
    order: &Order,
    key: RequestKey,
    pad: &mut Pad,
    door: Option<BorrowedFd<'_>>,
) -> Result<Spawned, SpawnError> {
    let (master, slave) = open_terminal(order.size).map_err(failed(Stage::Terminal))?;
    let output = master.try_clone().map_err(failed(Stage::Terminal))?;
    let channels = channel_of(&slave).into_iter().collect();
    let setting = Setting { stdio: [slave.as_fd(); 3], has_terminal: true, key, nice: order.nice, door };
    let (pid, process) = pad.start(&order.launch, &setting)?;
    Ok(Spawned { pid, process, outputs: vec![(Stream::Terminal, output)], input: master, channels })
}

fn spawn_on_pipes(
    order: &Order,
    key: RequestKey,
    pad: &mut Pad,
    door: Option<BorrowedFd<'_>>,
) -> Result<Spawned, SpawnError> {
    let (theirs_in, input) = open_pipe()?;
    let (out, theirs_out) = open_pipe()?;
    let mut outputs = vec![(Stream::Out, out)];
    let mut theirs_err = None;
    if !order.merge {
        let (err, theirs) = open_pipe()?;
        outputs.push((Stream::Err, err));
        theirs_err = Some(theirs);
    }
    for fd in outputs.iter().map(|(_, fd)| fd).chain([&input]) {
        set_nonblocking(fd).map_err(failed(Stage::Pipes))?;
    }
    let channels = outputs.iter().map(|(_, fd)| fd).chain([&input]).filter_map(channel_of).collect();
    // Merged, both are the same pipe, so that the kernel keeps the order in which the program wrote.
    let stdio = [theirs_in.as_fd(), theirs_out.as_fd(), theirs_err.as_ref().unwrap_or(&theirs_out).as_fd()];
    let (pid, process) =
        pad.start(&order.launch, &Setting { stdio, has_terminal: false, key, nice: order.nice, door })?;
    Ok(Spawned { pid, process, outputs, input, channels })
}

/// Opens a pipe: its reading and its writing end.
fn open_pipe() -> Result<(OwnedFd, OwnedFd), SpawnError> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|errno| failed(Stage::Pipes)(errno.into()))
}

/// Opens a pair; the master is a duplicate, because the library's own writer types end-of-file when it goes.
fn open_terminal(size: Size) -> io::Result<(OwnedFd, OwnedFd)> {
    let size = PtySize { rows: size.rows(), cols: size.cols(), pixel_width: 0, pixel_height: 0 };
    let pair = portable_pty::native_pty_system().openpty(size).map_err(io::Error::other)?;
    let raw = pair.master.as_raw_fd().ok_or(io::ErrorKind::Unsupported)?;
    #[expect(unsafe_code, reason = "the library gives a number only")]
    // SAFETY: `pair` owns the descriptor and lives to the end of this function.
    let master = unsafe { BorrowedFd::borrow_raw(raw) }.try_clone_to_owned()?;
    set_nonblocking(&master)?;
    // The slave that the library opened may have been inherited before it was marked close-on-exec; this one cannot.
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .or_else(|_| {
            let name = rustix::pty::ptsname(&master, Vec::new())?;
            rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, rustix::fs::Mode::empty())
        })?;
    Ok((master, slave))
}

/// Makes reads and writes return instead of wait; the flag is shared by all duplicates.
pub fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    Ok(rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)?)
}
