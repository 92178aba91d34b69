//! Starting a session's program: terminal or pipes, its own session, the client's directory, mask and limits.
//!
//! `std::process::Command` forks and execs, so an exec error is an error here and not an exit code of 127.
//! Which step failed travels through a word of shared memory that the child writes before each one.
#![expect(unsafe_code, reason = "pre_exec runs between fork and exec")]

use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use portable_pty::PtySize;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::pty::OpenptFlags;

use crate::history::Memory;
use crate::history::Stream;
use crate::history::layout::flags;
use crate::platform::limits;
use crate::platform::memory::Mapping;
use crate::platform::signals;
use crate::platform::snapshot::FileId;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::Stage;
use crate::session::spec::Kind;
use crate::session::spec::Launch;
use crate::term::Size;

/// A program that was started.
pub struct Spawned {
    /// Its process.
    pub pid: u32,
    /// Where its output comes from.
    pub outputs: Vec<(Stream, OwnedFd)>,
    /// Where its input goes: the terminal's master, or a pipe.
    pub input: OwnedFd,
    /// What tells who holds its terminal or pipes.
    pub channels: Vec<FileId>,
}

/// A program that was not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpawnError {
    /// What failed.
    pub stage: Stage,
    /// Why.
    pub errno: i32,
}

/// The stages a child passes, in the order of the numbers it writes.
const STAGES: [Stage; 6] = [Stage::Fork, Stage::Session, Stage::Control, Stage::Directory, Stage::Limits, Stage::Exec];

fn failed(stage: Stage) -> impl FnOnce(io::Error) -> SpawnError {
    move |error| SpawnError { stage, errno: error.raw_os_error().unwrap_or(libc::EIO) }
}

/// Starts a program. `progress` is the keeper's own memory, `door` the way into its control group.
pub fn spawn(order: &Order, progress: &Arc<Mapping>, door: Option<OwnedFd>) -> Result<Spawned, SpawnError> {
    let launch = &order.launch;
    let Some((program, args)) = launch.argv.split_first() else {
        return Err(SpawnError { stage: Stage::Request, errno: libc::EINVAL });
    };
    let mut command = Command::new(OsStr::from_bytes(program));
    command.args(args.iter().map(|arg| OsStr::from_bytes(arg)));
    set_environment(&mut command, launch);
    if let Some(door) = door {
        enter_group(&mut command, door);
    }
    if let Some(nice) = order.nice {
        set_nice(&mut command, nice.into());
    }
    match order.kind {
        Kind::Pty => spawn_on_terminal(command, order.size, launch, progress),
        Kind::Pipe => spawn_on_pipes(command, order.merge, launch, progress),
    }
}

fn set_environment(command: &mut Command, launch: &Launch) {
    command.env_clear();
    for entry in &launch.env {
        let mut parts = entry.splitn(2, |b| *b == b'=');
        if let (Some(name), Some(value)) = (parts.next(), parts.next())
            && !name.is_empty()
        {
            command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
        }
    }
}

/// The child enters before it can fork. A group that takes nobody any more leaves a session without one: it is found by
/// other means.
fn enter_group(command: &mut Command, door: OwnedFd) {
    let enter = move || {
        let _ = rustix::io::write(&door, b"0");
        Ok(())
    };
    // SAFETY: one system call on a descriptor that was opened before the fork.
    unsafe { command.pre_exec(enter) };
}

/// A niceness that may not be had is no reason not to run.
fn set_nice(command: &mut Command, nice: i32) {
    let set = move || {
        let _ = rustix::process::setpriority_process(None, nice);
        Ok(())
    };
    // SAFETY: one system call.
    unsafe { command.pre_exec(set) };
}

fn channel_of(fd: &OwnedFd) -> Option<FileId> {
    rustix::fs::fstat(fd).ok().map(|file| (file.st_dev, file.st_ino))
}

fn spawn_on_terminal(
    mut command: Command,
    size: Size,
    launch: &Launch,
    progress: &Arc<Mapping>,
) -> Result<Spawned, SpawnError> {
    let (master, slave) = open_terminal(size).map_err(failed(Stage::Terminal))?;
    let dup = |fd: &OwnedFd| fd.try_clone().map_err(failed(Stage::Terminal));
    let channels = channel_of(&slave).into_iter().collect();
    command.stdin(Stdio::from(dup(&slave)?)).stdout(Stdio::from(dup(&slave)?)).stderr(Stdio::from(slave));
    let child = start(command, launch, progress, true)?;
    let output = dup(&master)?;
    Ok(Spawned { pid: child.id(), outputs: vec![(Stream::Terminal, output)], input: master, channels })
}

fn spawn_on_pipes(
    mut command: Command,
    merge: bool,
    launch: &Launch,
    progress: &Arc<Mapping>,
) -> Result<Spawned, SpawnError> {
    let (theirs_in, input) = open_pipe()?;
    let (out, theirs_out) = open_pipe()?;
    let mut outputs = vec![(Stream::Out, out)];
    let theirs_err = if merge {
        // The same pipe, so that the kernel keeps the order in which the program wrote.
        theirs_out.try_clone().map_err(failed(Stage::Pipes))?
    } else {
        let (err, theirs_err) = open_pipe()?;
        outputs.push((Stream::Err, err));
        theirs_err
    };
    command.stdin(Stdio::from(theirs_in)).stdout(Stdio::from(theirs_out)).stderr(Stdio::from(theirs_err));
    let child = start(command, launch, progress, false)?;
    for (_, fd) in &outputs {
        set_nonblocking(fd).map_err(failed(Stage::Pipes))?;
    }
    set_nonblocking(&input).map_err(failed(Stage::Pipes))?;
    let channels = outputs.iter().map(|(_, fd)| fd).chain([&input]).filter_map(channel_of).collect();
    Ok(Spawned { pid: child.id(), outputs, input, channels })
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

fn start(
    mut command: Command,
    launch: &Launch,
    progress: &Arc<Mapping>,
    has_terminal: bool,
) -> Result<Child, SpawnError> {
    let stage = {
        let progress = Arc::clone(progress);
        move |reached: u64| progress.store(flags::STAGE, reached)
    };
    let cwd = std::ffi::CString::new(launch.cwd.as_slice())
        .map_err(|_| SpawnError { stage: Stage::Directory, errno: libc::EINVAL })?;
    let (limits, umask) = (launch.limits.clone(), launch.umask);
    let child_steps = move || {
        signals::reset_all();
        stage(1);
        rustix::process::setsid()?;
        if has_terminal {
            stage(2);
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        }
        stage(3);
        if !cwd.is_empty() {
            rustix::process::chdir(cwd.as_c_str())?;
        }
        stage(4);
        limits::apply(&limits)?;
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask & 0o777));
        stage(5);
        Ok(())
    };
    progress.store(flags::STAGE, 0);
    // SAFETY: the closure makes system calls and atomic stores only; what it captured was allocated before the fork, and
    // this process has a single thread.
    unsafe { command.pre_exec(child_steps) };
    command.spawn().map_err(|error| {
        let reached = progress.load(flags::STAGE) as usize;
        failed(STAGES.get(reached).copied().unwrap_or(Stage::Fork))(error)
    })
}
