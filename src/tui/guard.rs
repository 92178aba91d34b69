//! Our terminal: taken over, written to without ever waiting, and given back exactly as it was found.
//!
//! It is given back when the guard is dropped, and before a panic speaks. It is opened anew, because a flag that makes writing not wait
//! would otherwise reach the shell that shares our descriptors. What it does not take waits in `unsent`; nothing more is drawn then.

use std::cell::Cell;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::panic;
use std::sync::Mutex;
use std::sync::Once;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use ratatui::crossterm::Command;
use ratatui::crossterm::cursor;
use ratatui::crossterm::terminal;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::platform::tty;
use crate::platform::tty::RawMode;
use crate::tui::layout::Screen;
use crate::tui::outer::Outer;

/// Longest wait for a terminal that is slow to take its modes back.
const FAREWELL: Duration = Duration::from_millis(200);

/// What gives the terminal back; whoever takes it out does it.
static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);
static HOOK: Once = Once::new();
/// The terminal has taken a part of what was written.
static IS_MIDWAY: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_PANIC_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

struct Taken {
    /// Restores the line discipline when it is dropped.
    raw: RawMode<'static>,
    output: OwnedFd,
    modes: Outer,
}

/// See the module.
pub struct Guard {
    input: OwnedFd,
    output: OwnedFd,
    unsent: Vec<u8>,
}

impl Guard {
    /// Takes the terminal of standard input and output over.
    pub fn enter() -> io::Result<Self> {
        HOOK.call_once(restore_before_panics_speak);
        let input = reopen(rustix::stdio::stdin(), OFlags::RDONLY)?;
        let output = reopen(rustix::stdio::stdout(), OFlags::WRONLY)?;
        let mut guard = Self { input, output, unsent: Vec::new() };
        guard.take()?;
        Ok(guard)
    }

    /// Takes the terminal over, again after it was given back.
    pub fn take(&mut self) -> io::Result<()> {
        let raw = RawMode::enter(rustix::stdio::stdin())?;
        let output = self.output.try_clone()?;
        *lock() = Some(Taken { raw, output, modes: Outer::at_prompt() });
        // The title is put on the terminal's stack, and taken back from there.
        self.unsent.extend_from_slice(b"\x1b[22;0t");
        self.unsent.extend_from_slice(&ansi(&terminal::EnterAlternateScreen));
        self.flush()
    }

    /// Gives the terminal back; `false` if it takes nothing any more.
    pub fn give_back(&mut self) -> bool {
        self.unsent.clear();
        restore()
    }

    /// Tells the terminal other modes.
    pub fn set_modes(&mut self, modes: Outer) {
        if let Some(taken) = lock().as_mut()
            && taken.modes != modes
        {
            taken.modes.change(modes, &mut self.unsent);
            taken.modes = modes;
        }
    }

    /// Returns whether everything written has left.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Writes, as far as the terminal takes it now.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unsent.extend_from_slice(bytes);
        self.flush()
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> io::Result<()> {
        let result = self.flush_now();
        IS_MIDWAY.store(!self.unsent.is_empty(), Ordering::Relaxed);
        result
    }

    fn flush_now(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match rustix::io::write(&self.output, &self.unsent) {
                Ok(len) => {
                    self.unsent.drain(..len);
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Reads what was typed; nothing when there is nothing, an error when the terminal is gone.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.input, buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => Ok(len),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Returns the descriptor that is read.
    #[must_use]
    pub fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    /// Returns the descriptor that is written.
    #[must_use]
    pub fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// Returns the terminal's size.
    #[must_use]
    pub fn screen(&self) -> Screen {
        let size = rustix::termios::tcgetwinsize(&self.output);
        let known = size.ok().filter(|size| size.ws_row > 0 && size.ws_col > 0);
        // A terminal that knows no size is taken for the usual one; one that lies is not believed.
        known.map_or(Screen { cols: 80, rows: 24 }, |size| Screen {
            cols: size.ws_col.min(1000),
            rows: size.ws_row.min(500),
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Runs something whose panic is caught and harms nothing: the terminal is kept, nothing is said.
pub fn expecting_panics<R>(work: impl FnOnce() -> R) -> R {
    IS_PANIC_EXPECTED.set(true);
    let result = work();
    IS_PANIC_EXPECTED.set(false);
    result
}

fn restore_before_panics_speak() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !IS_PANIC_EXPECTED.get() {
            restore();
            before(info);
        }
    }));
}

fn lock() -> std::sync::MutexGuard<'static, Option<Taken>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives back what is taken; `false` if the terminal takes nothing any more.
fn restore() -> bool {
    let taken = lock().take();
    let Some(Taken { raw, output, modes }) = taken else { return true };
    let mut bytes = Vec::new();
    if IS_MIDWAY.swap(false, Ordering::Relaxed) {
        // Ends a sequence that was cut off without carrying it out, and an update whose end is lost.
        bytes.extend_from_slice(b"\x18\x1b[?2026l");
    }
    bytes.extend_from_slice(b"\x1b[m");
    modes.change(Outer::at_prompt(), &mut bytes);
    bytes.extend_from_slice(&ansi(&cursor::Show));
    bytes.extend_from_slice(&ansi(&terminal::LeaveAlternateScreen));
    // For terminals without such a stack the title is taken away first.
    bytes.extend_from_slice(b"\x1b]2;\x1b\\\x1b[23;0t");
    let is_written = write_for_a_while(&output, &bytes);
    drop(raw);
    is_written
}

/// Writes, and sees to it that there is room for a last word; `false` if that takes too long.
fn write_for_a_while(output: &OwnedFd, mut bytes: &[u8]) -> bool {
    let deadline = Instant::now() + FAREWELL;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let pause = rustix::time::Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        match rustix::event::poll(&mut [PollFd::new(output, PollFlags::OUT)], Some(&pause)) {
            Ok(0) => return false,
            Ok(_) if bytes.is_empty() => return true,
            Ok(_) | Err(_) => {}
        }
        match rustix::io::write(output, bytes) {
            Ok(len) => bytes = &bytes[len..],
            Err(Errno::AGAIN | Errno::INTR) if left > Duration::ZERO => {}
            Err(_) => return false,
        }
    }
}

/// Opens a terminal anew, without waiting; where that cannot be done, the descriptor itself has to do.
fn reopen(fd: BorrowedFd<'_>, access: OFlags) -> io::Result<OwnedFd> {
    if !tty::is_terminal(fd) {
        return Err(io::Error::other("standard input and output must be a terminal"));
    }
    let flags = access | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::termios::ttyname(fd, Vec::new()).and_then(|name| rustix::fs::open(name, flags, Mode::empty()));
    match opened {
        Ok(opened) if tty::is_terminal(&opened) => Ok(opened),
        _ => fd.try_clone_to_owned(),
    }
}

fn ansi(command: &impl Command) -> Vec<u8> {
    let mut text = String::new();
    let _ = command.write_ansi(&mut text);
    text.into_bytes()
}
