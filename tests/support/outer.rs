//! A real terminal for a test: a PTY with a program in it and a `vt100` screen that shows what a person would see.

use std::io::PipeWriter;
use std::io::Read;
use std::io::Write;
use std::num::NonZero;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use portable_pty::Child;
use portable_pty::CommandBuilder;
use portable_pty::MasterPty;
use portable_pty::PtySize;
use rustix::event::PollFd;
use rustix::event::PollFlags;

use super::LONG;

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has cells")
}

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    is_closed: bool,
}

/// A program in a terminal.
pub struct Outer {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    writer: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// Closed to make the reader let go of the terminal.
    stop: Option<PipeWriter>,
    child: Box<dyn Child + Send + Sync>,
}

/// The descriptor of a terminal, to poll it.
#[expect(unsafe_code, reason = "the library lends its descriptor as a number only")]
pub fn own_descriptor(master: &dyn MasterPty) -> OwnedFd {
    let raw = master.as_raw_fd().expect("a descriptor");
    // SAFETY: the master is borrowed, so the number means its descriptor.
    unsafe { BorrowedFd::borrow_raw(raw) }.try_clone_to_owned().expect("a duplicate")
}

impl Outer {
    /// Starts a program on a terminal of this size.
    pub fn spawn(command: CommandBuilder, rows: u16, cols: u16) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = portable_pty::native_pty_system().openpty(size).expect("a terminal");
        let child = pair.slave.spawn_command(command).expect("a program");
        drop(pair.slave);
        let seen = Seen { parser: vt100::Parser::new(cells(rows), cells(cols), 0), raw: Vec::new(), is_closed: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let mut reader = std::fs::File::from(own_descriptor(&*pair.master));
        let (stopped, stop) = std::io::pipe().expect("a pipe");
        let sink = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            loop {
                let mut fds = [PollFd::new(&reader, PollFlags::IN), PollFd::new(&stopped, PollFlags::IN)];
                let _ = rustix::event::poll(&mut fds, None);
                let is_stopped = !fds[1].revents().is_empty();
                let len = if is_stopped { 0 } else { reader.read(&mut buffer).unwrap_or(0) };
                let Ok(mut seen) = sink.0.lock() else { return };
                seen.parser.process(&buffer[..len]);
                seen.raw.extend_from_slice(&buffer[..len]);
                seen.is_closed = len == 0;
                sink.1.notify_all();
                if seen.is_closed {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        Self { seen, writer: Some(writer), master: Some(pair.master), stop: Some(stop), child }
    }

    /// Types bytes.
    pub fn type_in(&mut self, bytes: impl AsRef<[u8]>) {
        let writer = self.writer.as_mut().expect("not closed");
        writer.write_all(bytes.as_ref()).and_then(|()| writer.flush()).expect("the terminal takes input");
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, rows: u16, cols: u16) {
        self.seen.0.lock().expect("no panic under the lock").parser.screen_mut().set_size(cells(rows), cells(cols));
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().expect("not closed").resize(size).expect("a size");
    }

    /// Gives the terminal another size, and says how many pixels that is.
    pub fn resize_with_pixels(&mut self, rows: u16, cols: u16, pixel_width: u16, pixel_height: u16) {
        self.resize(rows, cols);
        let size = PtySize { rows, cols, pixel_width, pixel_height };
        self.master.as_ref().expect("not closed").resize(size).expect("a size");
    }

    /// The visible rows.
    pub fn text(&self) -> String {
        self.seen.0.lock().expect("no panic under the lock").parser.screen().contents()
    }

    /// Everything that was ever written to the terminal.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.0.lock().expect("no panic under the lock").raw.clone()
    }

    /// The screen as it is, to compare cells.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.0.lock().expect("no panic under the lock").parser.screen())
    }

    /// Waits until the screen satisfies a condition.
    pub fn wait(&self, what: &str, mut condition: impl FnMut(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + LONG;
        let (lock, news) = &*self.seen;
        let mut seen = lock.lock().expect("no panic under the lock");
        while !condition(seen.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; the screen is\n{}", seen.parser.screen().contents());
            seen = news.wait_timeout(seen, left).expect("no panic under the lock").0;
        }
    }

    /// Waits until a program's modes are undone on the screen.
    pub fn wait_restored(&self, what: &str) {
        self.wait(&format!("{what}: modes restored"), |screen| {
            !screen.alternate_screen()
                && !screen.bracketed_paste()
                && !screen.application_cursor()
                && !screen.hide_cursor()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
    }

    /// Waits until the screen shows a text.
    pub fn wait_text(&self, text: &str) {
        self.wait(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until nothing was written for so long; for "nothing happens" claims only.
    pub fn wait_quiet(&self, quiet: Duration) {
        let (lock, news) = &*self.seen;
        let mut seen = lock.lock().expect("no panic under the lock");
        loop {
            let len = seen.raw.len();
            let (next, timeout) = news.wait_timeout(seen, quiet).expect("no panic under the lock");
            seen = next;
            if timeout.timed_out() && seen.raw.len() == len {
                return;
            }
        }
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// Waits until the program ended; returns its exit code.
    pub fn wait_exit(&mut self) -> u32 {
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it does not end; the screen is\n{}", self.text());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Leaves what comes from now on in the terminal, unread.
    pub fn stop_reading(&mut self) {
        self.stop = None;
        self.wait_closed();
    }

    /// Closes the terminal, as a window that is closed or a login that is cut.
    pub fn hang_up(&mut self) {
        self.stop_reading();
        self.writer = None;
        self.master = None;
    }

    fn wait_closed(&self) {
        let (lock, news) = &*self.seen;
        let mut seen = lock.lock().expect("no panic under the lock");
        while !seen.is_closed {
            seen = news.wait(seen).expect("no panic under the lock");
        }
    }

    /// The terminal's modes, as `stty -g` would print them.
    pub fn modes(&self) -> String {
        let path = self.master.as_ref().and_then(|master| master.tty_name()).expect("not closed");
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let fd = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).expect("a terminal");
        let modes = rustix::termios::tcgetattr(fd).expect("a terminal");
        format!("{:?} {:?} {:?} {:?}", modes.input_modes, modes.output_modes, modes.control_modes, modes.local_modes)
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
