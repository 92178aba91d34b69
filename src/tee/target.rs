//! Where copies go, as this process holds it: a file that may be rotated, or a command's standard input.
//!
//! The file was opened by the daemon. It is opened again where it was rotated, and where somebody took it away: who
//! renames or deletes a log means that a new one begins.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use crate::history::ExitStatus;
use crate::platform::sink;
use crate::platform::sink::Consumer;
use crate::platform::sink::Identity;
use crate::platform::sink::Open;
use crate::session::tee;
use crate::session::tee::TeeOrder;
use crate::tee::rotation::Cut;
use crate::tee::rotation::Rotation;

/// A file and its budget.
pub struct File {
    fd: OwnedFd,
    path: Vec<u8>,
    rotation: Rotation,
    keep: u32,
    /// Which one it is; nothing for what is no ordinary file, and so is never opened again.
    identity: Option<Identity>,
    rotated: u64,
    reopened: u64,
}

/// A command; its pipe is gone once it was told that nothing more comes.
pub struct Command {
    consumer: Consumer,
    pipe: Option<OwnedFd>,
    exit: Option<ExitStatus>,
}

/// See the module.
pub enum Target {
    /// A file, a FIFO, a device.
    File(File),
    /// A command.
    Command(Command),
}

impl Target {
    /// Starts the command, or takes the file that was opened for us.
    pub fn open(order: &TeeOrder, file: Option<OwnedFd>) -> io::Result<Self> {
        match (&order.spec.target, file) {
            (tee::Target::File(path), Some(fd)) => {
                let size = sink::regular_size(&fd)?;
                let rotation = Rotation::new(order.spec.max_size, size.unwrap_or(0));
                let identity = size.map(|_| sink::identity(&fd)).transpose()?;
                let path = path.to_vec();
                Ok(Self::File(File { fd, path, rotation, keep: order.spec.keep, identity, rotated: 0, reopened: 0 }))
            }
            (tee::Target::Command(_), _) => {
                let launch = order.launch.as_ref().ok_or(io::ErrorKind::InvalidInput)?;
                let (consumer, pipe) = Consumer::start(launch)?;
                Ok(Self::Command(Command { consumer, pipe: Some(pipe), exit: None }))
            }
            (tee::Target::File(_), None) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Writes some of the bytes; [`io::ErrorKind::WouldBlock`] when none is taken now.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Command(command) => match &command.pipe {
                Some(pipe) => Ok(rustix::io::write(pipe, bytes)?),
                None => Err(io::Error::from_raw_os_error(libc::EPIPE)),
            },
        }
    }

    /// Returns what to wait for until it takes more.
    pub fn writable(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::File(file) => Some(file.fd.as_fd()),
            Self::Command(command) => command.pipe.as_ref().map(AsFd::as_fd),
        }
    }

    /// Returns the process to wait for, while one lives.
    pub fn process(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Command(command) if command.exit.is_none() => Some(command.consumer.process().as_fd()),
            _ => None,
        }
    }

    /// Tells a command that nothing more comes.
    pub fn close(&mut self) {
        if let Self::Command(command) = self {
            command.pipe = None;
        }
    }

    /// Returns how the command ended, once it has.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        match self {
            Self::Command(command) => {
                if command.exit.is_none() {
                    command.exit = command.consumer.reap();
                }
                command.exit
            }
            Self::File(_) => None,
        }
    }

    /// Ends a command that does not end by itself.
    pub fn kill(&self) {
        if let Self::Command(command) = self
            && command.exit.is_none()
        {
            command.consumer.kill();
        }
    }

    /// Returns how often a file was rotated.
    pub const fn rotated(&self) -> u64 {
        match self {
            Self::File(file) => file.rotated,
            Self::Command(_) => 0,
        }
    }

    /// Returns how often a file that was taken away was begun anew.
    pub const fn reopened(&self) -> u64 {
        match self {
            Self::File(file) => file.reopened,
            Self::Command(_) => 0,
        }
    }

    /// Returns which ordinary file it is now.
    pub const fn identity(&self) -> Option<Identity> {
        match self {
            Self::File(file) => file.identity,
            Self::Command(_) => None,
        }
    }
}

impl File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.find_again()?;
        let mut cut = self.rotation.cut(bytes);
        if cut == Cut::Rotate {
            self.rotate()?;
            cut = self.rotation.cut(bytes);
        }
        let Cut::Write(len) = cut else { return Ok(0) };
        let written = rustix::io::write(&self.fd, &bytes[..len])?;
        self.rotation.wrote(&bytes[..written]);
        Ok(written)
    }

    /// Adds to whatever ordinary file has the name by now; until there can be one, nothing is written anywhere.
    fn find_again(&mut self) -> io::Result<()> {
        if self.identity.is_none() || sink::identity_at(&self.path)? == self.identity {
            return Ok(());
        }
        let fd = sink::open(&self.path, Open::Append)?;
        let size = sink::regular_size(&fd)?.ok_or_else(|| io::Error::from_raw_os_error(libc::EEXIST))?;
        self.identity = Some(sink::identity(&fd)?);
        self.rotation = self.rotation.anew(size);
        self.fd = fd;
        self.reopened += 1;
        Ok(())
    }

    /// `FILE` becomes `FILE.1`, that one `FILE.2`, and the last one goes. On an error the old file stays in use.
    fn rotate(&mut self) -> io::Result<()> {
        for n in (1..self.keep).rev() {
            match std::fs::rename(self.numbered(n), self.numbered(n + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match std::fs::rename(self.numbered(0), self.numbered(1)) {
            // Somebody took it away: there is nothing to keep.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.fd = sink::open(&self.path, Open::New)?;
        self.identity = Some(sink::identity(&self.fd)?);
        self.rotation.rotated();
        self.rotated += 1;
        Ok(())
    }

    fn numbered(&self, n: u32) -> OsString {
        let mut path = self.path.clone();
        if n > 0 {
            path.extend(format!(".{n}").bytes());
        }
        OsString::from_vec(path)
    }
}
