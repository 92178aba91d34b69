//! What a service tells by itself: `sd_notify(3)`, or a newline on a descriptor as s6 has it.
//!
//! The socket, or the pipe with a name, is in the runtime folder and made before the program is started; the keeper holds it
//! as long as the run, so that what is said while no daemon lives waits there for the next one. *Invariant:* what was said is
//! taken after what follows from it was recorded: a daemon that dies in between is followed by one that hears it again.

use std::cell::Cell;
use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::net::RecvFlags;
use rustix::pipe::PipeFlags;
use rustix::pipe::SpliceFlags;
use serde_bytes::ByteBuf;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::sleep_until;

use crate::daemon::hub::Hub;
use crate::daemon::keeper_link::Held;
use crate::daemon::services::Unit;
use crate::platform::reactor;
use crate::session::id::RequestKey;
use crate::session::service::machine::Event;
use crate::session::service::machine::Why;
use crate::session::service::probe::Probe;
use crate::session::service::probe::Readiness;
use crate::session::service::spec::ServiceSpec;
use crate::session::text;

/// Where they are.
const FOLDER: &str = "notify";
/// Longest message; systemd takes no longer ones either.
const MESSAGE: usize = 8192;

/// What one run tells through. The paths are the run's own: it goes on with them under another name and another daemon.
#[derive(Default)]
pub struct Channels {
    run: Cell<RequestKey>,
    /// `NOTIFY_SOCKET`.
    socket: RefCell<Option<Held>>,
    /// A pipe with a name, held open for both.
    pipe: RefCell<Option<Held>>,
}

impl Channels {
    /// Makes those that a run of this definition tells through, unless they are there or were held for us.
    pub fn prepare(&self, folder: &Path, run: RequestKey, spec: &ServiceSpec, held: Vec<OwnedFd>) {
        if !has_socket(spec) && !has_pipe(spec) {
            return;
        }
        let before = self.run.replace(run);
        if before != run {
            self.close(folder, before);
        }
        let opened = self.take_held(held).and_then(|()| self.open(folder, run, spec));
        if let Err(error) = opened {
            tracing::error!(service = spec.name, %error, "cannot be heard; it will not be ready");
        }
    }

    /// Goes on with what the keeper held, unless we have it anyway.
    fn take_held(&self, held: Vec<OwnedFd>) -> io::Result<()> {
        for fd in held {
            let is_socket = FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) == FileType::Socket;
            let place = if is_socket { &self.socket } else { &self.pipe };
            if place.borrow().is_none() {
                *place.borrow_mut() = Some(Rc::new(reactor::watch(fd, Interest::READABLE)?));
            }
        }
        Ok(())
    }

    /// Returns what the keeper is to hold.
    pub fn ends(&self) -> Vec<Held> {
        [&self.socket, &self.pipe].into_iter().filter_map(|end| end.borrow().clone()).collect()
    }

    fn open(&self, folder: &Path, run: RequestKey, spec: &ServiceSpec) -> io::Result<()> {
        std::fs::create_dir_all(folder.join(FOLDER))?;
        if has_socket(spec) && self.socket.borrow().is_none() {
            let path = socket_path(folder, run);
            let _ = std::fs::remove_file(&path);
            let socket = UnixDatagram::bind(path)?;
            socket.set_nonblocking(true)?;
            *self.socket.borrow_mut() = Some(Rc::new(reactor::watch(socket.into(), Interest::READABLE)?));
        }
        if has_pipe(spec) && self.pipe.borrow().is_none() {
            *self.pipe.borrow_mut() = Some(Rc::new(open_pipe(&pipe_path(folder, run))?));
        }
        Ok(())
    }

    /// The run is over.
    pub fn close(&self, folder: &Path, run: RequestKey) {
        *self.socket.borrow_mut() = None;
        *self.pipe.borrow_mut() = None;
        let _ = std::fs::remove_file(socket_path(folder, run));
        let _ = std::fs::remove_file(pipe_path(folder, run));
    }

    /// Goes on with those of another one.
    pub fn take_over(&self, other: &Self) {
        self.run.set(other.run.get());
        self.socket.swap(&other.socket);
        self.pipe.swap(&other.pipe);
    }
}

/// Returns whether a service tells through a descriptor.
pub fn has_pipe(spec: &ServiceSpec) -> bool {
    matches!(spec.readiness, Some(Readiness { probe: Probe::Fd(_), .. }))
}

/// Returns whether a service gets a `NOTIFY_SOCKET`.
pub fn has_socket(spec: &ServiceSpec) -> bool {
    spec.readiness.as_ref().is_some_and(|readiness| readiness.probe.is_over_socket())
        || spec.liveness.as_ref().is_some_and(|liveness| liveness.probe.is_over_socket())
}

/// Returns where a run's socket is; short, as paths of sockets have to be.
pub fn socket_path(folder: &Path, run: RequestKey) -> PathBuf {
    folder.join(FOLDER).join(format!("{:016x}", run.0))
}

/// Returns where a run's pipe is.
pub fn pipe_path(folder: &Path, run: RequestKey) -> PathBuf {
    socket_path(folder, run).with_extension("fd")
}

fn open_pipe(path: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let is_pipe = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_fifo());
    if !is_pipe {
        let _ = std::fs::remove_file(path);
        rustix::fs::mknodat(rustix::fs::CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
    }
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let pipe = rustix::fs::open(path, flags, Mode::empty())?;
    reactor::watch(pipe, Interest::READABLE)
}

/// Opens the descriptor and becomes the program: a shell can do that, and the keeper need not know of it.
pub fn wrap(argv: Vec<ByteBuf>, number: u16, path: &Path) -> Vec<ByteBuf> {
    let script = format!("exec {number}<>\"$0\"; exec \"$@\"");
    let head = [b"/bin/sh".as_slice(), b"-c", script.as_bytes(), path.as_os_str().as_bytes()];
    head.into_iter().map(ByteBuf::from).chain(argv).collect()
}

/// Listens to a service that says how it is, as long as its run is up.
pub async fn notify(hub: Rc<Hub>, unit: Rc<Unit>) {
    let Some(socket) = unit.channels.socket.borrow().clone() else { return };
    let tells_ready = matches!(unit.definition.borrow().spec.readiness, Some(Readiness { probe: Probe::Notify, .. }));
    let mut message = vec![0; MESSAGE];
    loop {
        let Ok(mut guard) = socket.readable().await else { return };
        let peek = |socket: &AsyncFd<OwnedFd>| {
            let (_, len) = rustix::net::recv(socket.get_ref(), &mut message[..], RecvFlags::PEEK)?;
            Ok(len.min(MESSAGE))
        };
        let len = match guard.try_io(peek) {
            Ok(Ok(len)) => len,
            Ok(Err(_)) => return,
            Err(_would_block) => continue,
        };
        let said = Said::read(&message[..len]);
        hear(&hub, &unit, &said, tells_ready);
        let _ = rustix::net::recv(socket.get_ref(), &mut [0_u8; 0][..], RecvFlags::DONTWAIT);
        if said.is_stuck {
            return;
        }
    }
}

/// Does what follows from one message.
fn hear(hub: &Rc<Hub>, unit: &Rc<Unit>, said: &Said, tells_ready: bool) {
    if said.is_alive || said.silence.is_some() {
        unit.watchdog.set(unit.watchdog.get().map(|_| Instant::now()));
    }
    if said.silence.is_some() || said.status.is_some() {
        unit.silence.set(said.silence.or(unit.silence.get()));
        if let Some(status) = said.status.clone() {
            *unit.said.borrow_mut() = Some(status).filter(|status| !status.is_empty());
        }
        unit.record();
        hub.show(unit);
    }
    if said.is_ready && tells_ready {
        hub.advance(unit, Event::Ready);
    }
    if said.is_stuck {
        bite(hub, unit, "it said so");
    }
}

/// Restarts a service that was silent for too long once it was ready; sleeps as long as it may be silent.
pub async fn stay_awake(hub: Rc<Hub>, unit: Rc<Unit>, most: u64) {
    unit.watchdog.set(Some(Instant::now()));
    let mut is_late = false;
    while let Some(heard) = unit.watchdog.get() {
        let most = Duration::from_nanos(unit.silence.get().unwrap_or(most));
        if heard.elapsed() < most {
            is_late = false;
            sleep_until(heard + most).await;
        } else if !is_late {
            // What was said while this daemon was busy is heard first.
            is_late = true;
            sleep(Duration::from_millis(1)).await;
        } else {
            return bite(&hub, &unit, &format!("silent for {} ms", most.as_millis()));
        }
    }
}

/// The task that says so ends with the run.
fn bite(hub: &Rc<Hub>, unit: &Rc<Unit>, why: &str) {
    tracing::warn!(service = %unit.name, why, "its watchdog restarts it");
    hub.advance(unit, Event::Restart { by: format!("its watchdog: {why}"), why: Why::Unwell });
}

/// Waits for a newline, and leaves it where it is.
pub async fn newline(unit: &Unit) {
    let Some(pipe) = unit.channels.pipe.borrow().clone() else { return std::future::pending().await };
    let mut piece = [0; 512];
    loop {
        let Ok(mut guard) = pipe.readable().await else { return std::future::pending().await };
        match guard.try_io(|pipe| peek(pipe.get_ref(), &mut piece)) {
            Ok(Ok(len)) if piece[..len].contains(&b'\n') => return,
            Ok(Ok(len)) => drop(rustix::io::read(pipe.get_ref(), &mut piece[..len])),
            Err(_would_block) => {}
            Ok(Err(_)) => return std::future::pending().await,
        }
    }
}

/// Looks at what a pipe has next.
fn peek(pipe: &OwnedFd, piece: &mut [u8]) -> io::Result<usize> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let len = rustix::pipe::tee(pipe, &writer, piece.len(), SpliceFlags::NONBLOCK)?;
    Ok(rustix::io::read(&reader, &mut piece[..len])?)
}

/// What one message says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    is_ready: bool,
    status: Option<String>,
    is_alive: bool,
    /// It asks to be restarted.
    is_stuck: bool,
    /// How long it may be silent from now on, in nanoseconds.
    silence: Option<u64>,
}

impl Said {
    /// Reads `NAME=VALUE` lines; those that are unknown mean nothing. So does `MAINPID`: a run is the process that was
    /// started, and what forks away from it is not followed.
    fn read(message: &[u8]) -> Self {
        let mut said = Self::default();
        for line in message.split(|byte| *byte == b'\n') {
            match line {
                b"READY=1" => said.is_ready = true,
                b"WATCHDOG=1" => said.is_alive = true,
                b"WATCHDOG=trigger" => said.is_stuck = true,
                _ => {
                    let micros = line.strip_prefix(b"WATCHDOG_USEC=").and_then(|text| std::str::from_utf8(text).ok());
                    let micros = micros.and_then(|text| text.parse().ok()).filter(|micros| *micros > 0);
                    said.silence = micros.map(|micros: u64| micros.saturating_mul(1000)).or(said.silence);
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
        for nothing in [&b"READY=0\n\xff"[..], b"", b"\n\n", b"MAINPID=1\nX_FOO=bar\nSTOPPING=1", b"WATCHDOG_USEC=0"] {
            assert_eq!(Said::read(nothing), Said::default());
        }
        let said = Said::read(b"WATCHDOG=1\nWATCHDOG_USEC=1500");
        assert_eq!((said.is_alive, said.is_stuck, said.silence), (true, false, Some(1_500_000)));
        assert!(Said::read(b"WATCHDOG=trigger").is_stuck);
    }

    #[test]
    fn the_program_becomes_what_opened_its_descriptor() {
        let argv = wrap(vec![ByteBuf::from(&b"web"[..])], 3, Path::new("/run/x"));
        let words: Vec<String> = argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        assert_eq!(words, ["/bin/sh", "-c", "exec 3<>\"$0\"; exec \"$@\"", "/run/x", "web"]);
    }
}
