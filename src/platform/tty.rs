//! The terminal a client runs on, and the master of a session's: modes, sizes, `C-c`, noticing that one is gone.
#![expect(unsafe_code, reason = "TIOCSIG has no safe wrapper")]

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::time::Duration;
use std::time::Instant;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::LocalModes;
use rustix::termios::OptionalActions;
use rustix::termios::QueueSelector;
use rustix::termios::SpecialCodeIndex;
use rustix::termios::Termios;

use crate::session::terminal::Pixels;
use crate::term::Size;

/// Puts a terminal into raw mode, and back when it is dropped.
pub struct RawMode<'fd> {
    fd: BorrowedFd<'fd>,
    before: Termios,
}

impl<'fd> RawMode<'fd> {
    /// Enters raw mode: every byte arrives as typed, at once.
    pub fn enter(fd: BorrowedFd<'fd>) -> io::Result<Self> {
        let before = rustix::termios::tcgetattr(fd)?;
        let mut raw = before.clone();
        raw.make_raw();
        rustix::termios::tcsetattr(fd, OptionalActions::Drain, &raw)?;
        Ok(Self { fd, before })
    }

    /// Keeps lines, echo and signals, and lets `early` end a line as Enter does, so that it is noticed at once.
    pub fn enter_lines(fd: BorrowedFd<'fd>, early: u8) -> io::Result<Self> {
        let before = rustix::termios::tcgetattr(fd)?;
        let mut lines = before.clone();
        lines.special_codes[SpecialCodeIndex::VEOL] = early;
        rustix::termios::tcsetattr(fd, OptionalActions::Drain, &lines)?;
        Ok(Self { fd, before })
    }

    /// Returns the modes as they were.
    #[must_use]
    pub const fn before(&self) -> &Termios {
        &self.before
    }
}

impl Drop for RawMode<'_> {
    fn drop(&mut self) {
        // Not `Drain`: a terminal that is gone or stopped would hold us for ever.
        let _ = rustix::termios::tcsetattr(self.fd, OptionalActions::Now, &self.before);
    }
}

/// Opens an output for one who must not be stuck on it: a terminal is opened anew and without waiting, which its
/// other users do not notice; anything else is duplicated as it is.
#[must_use]
pub fn output(standard: BorrowedFd<'_>) -> File {
    let anew = rustix::termios::ttyname(standard, Vec::new()).and_then(|name| {
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::open(name, flags, rustix::fs::Mode::empty())
    });
    let fd = anew.map_err(io::Error::from).or_else(|_| standard.try_clone_to_owned());
    // Without a standard output there is nothing to show anything on.
    fd.map_or_else(|_| File::from(null()), File::from)
}

fn null() -> OwnedFd {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()).expect("every Linux system has /dev/null")
}

/// Returns whether `fd` is a terminal.
pub fn is_terminal<F: AsFd>(fd: F) -> bool {
    rustix::termios::isatty(fd)
}

/// Returns a terminal's size, if it knows one.
pub fn size<F: AsFd>(fd: F) -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(fd).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then(|| Size::clamped(size.ws_row, size.ws_col))
}

/// Returns a terminal's size in pixels, if it knows one.
pub fn pixels<F: AsFd>(fd: F) -> Option<Pixels> {
    let size = rustix::termios::tcgetwinsize(fd).ok()?;
    (size.ws_xpixel > 0 && size.ws_ypixel > 0).then_some(Pixels { width: size.ws_xpixel, height: size.ws_ypixel })
}

/// Sets the size of the terminal behind a master.
pub fn set_size<F: AsFd>(master: F, size: Size, pixels: Option<Pixels>) -> io::Result<()> {
    let Pixels { width, height } = pixels.unwrap_or_default();
    let size =
        rustix::termios::Winsize { ws_row: size.rows(), ws_col: size.cols(), ws_xpixel: width, ws_ypixel: height };
    Ok(rustix::termios::tcsetwinsize(master, size)?)
}

/// Does what a terminal does when `C-c` is typed, without waiting behind what was typed before: drops that, and signals the
/// foreground processes. `false` when the program has turned that off and wants to read `C-c` itself.
#[must_use]
pub fn interrupt<F: AsFd>(master: F) -> bool {
    let master = master.as_fd();
    let Ok(modes) = rustix::termios::tcgetattr(master) else { return false };
    if !modes.local_modes.contains(LocalModes::ISIG) || modes.special_codes[SpecialCodeIndex::VINTR] != 3 {
        return false;
    }
    if !modes.local_modes.contains(LocalModes::NOFLSH) {
        flush_input(master);
    }
    signal_foreground(master, libc::SIGINT as u8).is_ok()
}

/// Signals the foreground job of the terminal behind a master; only INT, QUIT and TSTP can be.
pub fn signal_foreground<F: AsFd>(master: F, signal: u8) -> io::Result<()> {
    // SAFETY: the request takes a signal's number by value and touches no memory of ours.
    let result = unsafe { libc::ioctl(master.as_fd().as_raw_fd(), TIOCSIG, libc::c_int::from(signal)) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `_IOW('T', 0x36, int)`: signals the foreground processes of a pseudo-terminal, `ioctl_tty(2)`.
const TIOCSIG: libc::Ioctl = 0x4004_5436;

/// Drops what waits to be read; only the slave's own end can do that.
fn flush_input(master: BorrowedFd<'_>) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    if let Ok(slave) = rustix::pty::ioctl_tiocgptpeer(master, flags) {
        let _ = rustix::termios::tcflush(slave, QueueSelector::IFlush);
    }
}

/// Returns the character that a terminal takes for end-of-file, usually `C-d`.
pub fn eof_character<F: AsFd>(fd: F) -> u8 {
    rustix::termios::tcgetattr(fd).map_or(4, |modes| modes.special_codes[SpecialCodeIndex::VEOF])
}

/// Waits until there is something to read; `false` when the terminal is gone.
pub fn wait_readable<F: AsFd>(fd: F) -> io::Result<bool> {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    rustix::event::poll(&mut fds, None)?;
    Ok(fds[0].revents().contains(PollFlags::IN))
}

/// Asks the controlling terminal something and returns what arrives until `is_enough` or `wait` is over. Fails without
/// touching it where this process is not in the foreground.
pub fn ask(question: &[u8], wait: Duration, is_enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let terminal = rustix::fs::open("/dev/tty", flags, rustix::fs::Mode::empty())?;
    if rustix::termios::tcgetpgrp(&terminal)? != rustix::process::getpgrp() {
        return Err(io::Error::other("this process is in the background"));
    }
    let raw = RawMode::enter(terminal.as_fd())?;
    rustix::io::write(&terminal, question)?;
    let deadline = Instant::now() + wait;
    let mut answer = Vec::new();
    while !is_enough(&answer) {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let mut fds = [PollFd::new(&terminal, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&left)) {
            Ok(0) => break,
            Err(rustix::io::Errno::INTR) => continue,
            result => result?,
        };
        let mut buffer = [0; 1024];
        match rustix::io::read(&terminal, &mut buffer) {
            Ok(0) => break,
            Ok(len) => answer.extend_from_slice(&buffer[..len]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    // What comes later would be taken for typed.
    let _ = rustix::termios::tcflush(&terminal, QueueSelector::IFlush);
    drop(raw);
    Ok(answer)
}

/// Path of the terminal on standard input, such as `/dev/pts/3`.
#[must_use]
pub fn name() -> Option<String> {
    let name = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok()?;
    name.into_string().ok()
}
