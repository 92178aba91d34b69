//! Where copies of a stream go: files that are opened carefully, and commands that read a pipe.
//!
//! Nothing here waits: a FIFO without a reader is an error, and writes to what is slow return at once.
#![expect(unsafe_code, reason = "pre_exec runs between fork and exec; a descriptor's number is made its owner")]

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::FromRawFd;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::process::Pid;
use rustix::process::Signal;

use crate::history::ExitStatus;
use crate::platform::limits;
use crate::platform::process::Handle;
use crate::platform::signals;
use crate::platform::spawn::set_nonblocking;
use crate::session::spec::Launch;

/// Bytes a pipe holds, if the system lets us have so much.
const PIPE: usize = 1 << 20;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// What is there stays.
    Append,
    /// Nothing may be there.
    New,
}

/// Opens a file to add to, for our eyes only if it is made; a symbolic link is not followed, a FIFO needs a reader.
pub fn open(path: &[u8], how: Open) -> io::Result<OwnedFd> {
    let base = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
    let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let more = match how {
        Open::Append => OFlags::empty(),
        Open::New => OFlags::EXCL,
    };
    Ok(rustix::fs::open(OsStr::from_bytes(path), base | careful | more, Mode::from_raw_mode(0o600))?)
}

/// Returns the size of a regular file; `None` for anything else.
pub fn regular_size<F: AsFd>(file: F) -> io::Result<Option<u64>> {
    let stat = rustix::fs::fstat(file)?;
    let is_regular = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile;
    Ok(is_regular.then_some(stat.st_size as u64))
}

/// What tells a file from all others, whatever it is called: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Number of its device.
    pub device: u64,
    /// Number of its inode.
    pub inode: u64,
}

/// Returns who an open file is.
pub fn identity<F: AsFd>(file: F) -> io::Result<Identity> {
    let stat = rustix::fs::fstat(file)?;
    Ok(Identity { device: stat.st_dev, inode: stat.st_ino })
}

/// Returns who goes by a path now, if anybody does; a symbolic link is itself.
pub fn identity_at(path: &[u8]) -> io::Result<Option<Identity>> {
    match rustix::fs::lstat(OsStr::from_bytes(path)) {
        Ok(stat) => Ok(Some(Identity { device: stat.st_dev, inode: stat.st_ino })),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Returns the same file by a path whose folders are no symbolic links.
pub fn real_path(path: &[u8]) -> io::Result<Vec<u8>> {
    let path = Path::new(OsStr::from_bytes(path));
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    Ok(folder.canonicalize()?.join(name).into_os_string().into_vec())
}

/// Returns whether two writers would be in each other's way: only a device takes from many.
pub fn is_one_writers<F: AsFd>(file: F) -> io::Result<bool> {
    let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode);
    Ok(matches!(kind, rustix::fs::FileType::RegularFile | rustix::fs::FileType::Fifo))
}

/// Empties a file.
pub fn empty<F: AsFd>(file: F) -> io::Result<()> {
    Ok(rustix::fs::ftruncate(file, 0)?)
}

/// Returns how many bytes lie in a pipe, also one whose reader is gone.
pub fn unread<F: AsFd>(pipe: F) -> u64 {
    rustix::io::ioctl_fionread(pipe).unwrap_or(0)
}

/// Makes a roomy pipe whose ends do not wait: to read from, to write to.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    let _ = rustix::pipe::fcntl_setpipe_size(&writer, PIPE);
    Ok((reader, writer))
}

/// Takes over a descriptor that this process was started with.
pub fn inherited(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: asks about a number and owns nothing.
    if number < 0 || unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is open, and the caller says that nothing else in this process owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// A command that reads a pipe, in a process group of its own.
pub struct Consumer {
    pid: Pid,
    process: Handle,
}

impl Consumer {
    /// Starts it; returns it and the end of the pipe to write to, which does not wait.
    pub fn start(launch: &Launch) -> io::Result<(Self, OwnedFd)> {
        let Some((program, args)) = launch.argv.split_first() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let mut command = Command::new(OsStr::from_bytes(program));
        command.args(args.iter().map(|arg| OsStr::from_bytes(arg)));
        command.env_clear();
        for entry in &launch.env {
            if let Some(at) = entry.iter().position(|b| *b == b'=').filter(|at| *at > 0) {
                command.env(OsStr::from_bytes(&entry[..at]), OsStr::from_bytes(&entry[at + 1..]));
            }
        }
        let (reader, writer) = pipe()?;
        // The flag belongs to the open file, so each end has its own: ours must not wait, the command's has to.
        let flags = rustix::fs::fcntl_getfl(&reader)?;
        rustix::fs::fcntl_setfl(&reader, flags - OFlags::NONBLOCK)?;
        command.stdin(Stdio::from(reader)).stdout(Stdio::null()).stderr(Stdio::null());
        let cwd = std::ffi::CString::new(launch.cwd.as_slice())?;
        let (limits, umask) = (launch.limits.clone(), launch.umask);
        let child_steps = move || {
            signals::reset_all();
            rustix::process::setsid()?;
            if !cwd.is_empty() {
                rustix::process::chdir(cwd.as_c_str())?;
            }
            limits::apply(&limits)?;
            rustix::process::umask(Mode::from_raw_mode(umask & 0o777));
            Ok(())
        };
        // SAFETY: the closure makes system calls only; what it captured was allocated before the fork, and this process
        // has a single thread.
        unsafe { command.pre_exec(child_steps) };
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        set_nonblocking(&writer)?;
        Ok((Self { pid, process: Handle::of_pid(child.id())? }, writer))
    }

    /// Returns its process, to wait for.
    #[must_use]
    pub const fn process(&self) -> &Handle {
        &self.process
    }

    /// Reaps it if it has ended.
    #[must_use]
    pub fn reap(&self) -> Option<ExitStatus> {
        self.process.reap()
    }

    /// Ends it and all of its group, now. Only before it is reaped: until then the number is its own.
    pub fn kill(&self) {
        let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_is_not_open_is_not_taken() {
        assert!(inherited(-1).is_err());
        assert!(inherited(1 << 20).is_err());
    }
}
