//! Readiness that a service tells by itself: `sd_notify(3)`, or a newline on a descriptor as s6 has it.
//!
//! The socket, or the pipe with a name, is in the runtime folder and made before the program is started. A daemon that was
//! killed makes its socket again; what is said in between is lost to a socket and kept by a pipe.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use serde_bytes::ByteBuf;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixDatagram;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::platform::reactor;
use crate::session::service::machine::Event;
use crate::session::service::probe::Probe;
use crate::session::text;

/// Longest message; systemd takes no longer ones either.
const MESSAGE: usize = 8192;

/// What a service tells through.
pub enum Channel {
    /// `NOTIFY_SOCKET`.
    Socket(UnixDatagram),
    /// A pipe with a name, held open for both.
    Pipe(AsyncFd<OwnedFd>),
}

/// Makes what a service tells through, if it has a way to; returns the path.
pub fn prepare(hub: &Hub, unit: &Unit) -> Option<PathBuf> {
    let readiness = unit.definition.borrow().spec.readiness.clone()?;
    if !matches!(readiness.probe, Probe::Notify | Probe::Fd(_)) {
        return None;
    }
    let path = path(hub.dir(), &unit.name);
    if unit.channel.borrow().is_none() {
        match open(&path, &readiness.probe) {
            Ok(channel) => *unit.channel.borrow_mut() = Some(Rc::new(channel)),
            Err(error) => tracing::error!(service = %unit.name, %error, "cannot be heard; it will not be ready"),
        }
    }
    Some(path)
}

/// Names may be longer than a socket's path can be, and have slashes.
fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join("notify").join(format!("{:08x}", crc32fast::hash(name.as_bytes())))
}

fn open(path: &Path, probe: &Probe) -> io::Result<Channel> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if !matches!(probe, Probe::Fd(_)) {
        let _ = std::fs::remove_file(path);
        return Ok(Channel::Socket(UnixDatagram::bind(path)?));
    }
    let is_pipe = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_fifo());
    if !is_pipe {
        let _ = std::fs::remove_file(path);
        rustix::fs::mknodat(rustix::fs::CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
    }
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let pipe = rustix::fs::open(path, flags, Mode::empty())?;
    Ok(Channel::Pipe(reactor::watch(pipe, Interest::READABLE)?))
}

/// Opens the descriptor and becomes the program: a shell can do that, and the keeper need not know of it.
pub fn wrap(argv: Vec<ByteBuf>, number: u16, path: &Path) -> Vec<ByteBuf> {
    let script = format!("exec {number}<>\"$0\"; exec \"$@\"");
    let head = [b"/bin/sh".as_slice(), b"-c", script.as_bytes(), path.as_os_str().as_bytes()];
    head.into_iter().map(ByteBuf::from).chain(argv).collect()
}

/// Listens to a service that says how it is, as long as its run is up.
pub async fn notify(hub: Rc<Hub>, unit: Rc<Unit>) {
    prepare(&hub, &unit);
    let Some(channel) = unit.channel.borrow().clone() else { return };
    let Channel::Socket(socket) = &*channel else { return };
    let mut message = vec![0; MESSAGE];
    while let Ok(len) = socket.recv(&mut message).await {
        let said = Said::read(&message[..len]);
        if let Some(status) = said.status {
            *unit.said.borrow_mut() = Some(status).filter(|status| !status.is_empty());
            hub.show(&unit);
        }
        if said.is_ready {
            hub.advance(&unit, Event::Ready);
        }
    }
}

/// Waits for a newline.
pub async fn newline(unit: &Unit) {
    let channel = unit.channel.borrow().clone();
    let Some(Channel::Pipe(pipe)) = channel.as_deref() else { return std::future::pending().await };
    let mut piece = [0; 512];
    loop {
        let Ok(mut guard) = pipe.readable().await else { return std::future::pending().await };
        match guard.try_io(|pipe| Ok(rustix::io::read(pipe.get_ref(), &mut piece)?)) {
            Ok(Ok(len)) if piece[..len].contains(&b'\n') => return,
            Ok(Ok(_)) | Err(_) => {}
            Ok(Err(_)) => return std::future::pending().await,
        }
    }
}

/// What one message says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    is_ready: bool,
    status: Option<String>,
}

impl Said {
    /// Reads `NAME=VALUE` lines; those that are unknown mean nothing.
    fn read(message: &[u8]) -> Self {
        let mut said = Self::default();
        for line in message.split(|byte| *byte == b'\n') {
            match line {
                b"READY=1" => said.is_ready = true,
                _ => {
                    if let Some(status) = line.strip_prefix(b"STATUS=") {
                        said.status = Some(text::shorten(&text::clean(&String::from_utf8_lossy(status)), 200));
                    }
                }
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_sd_notify_are_read() {
        let said = Said::read(b"STATUS=half \x1b[31mway\nREADY=1\nMAINPID=7\n");
        assert!(said.is_ready);
        assert!(said.status.is_some_and(|status| status.starts_with("half") && !status.contains('\u{1b}')));
        assert_eq!(Said::read(b"READY=0\n\xff"), Said::default());
    }

    #[test]
    fn the_program_becomes_what_opened_its_descriptor() {
        let argv = wrap(vec![ByteBuf::from(&b"web"[..])], 3, Path::new("/run/x"));
        let words: Vec<String> = argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        assert_eq!(words, ["/bin/sh", "-c", "exec 3<>\"$0\"; exec \"$@\"", "/run/x", "web"]);
    }
}
