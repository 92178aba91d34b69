//! Raw attachment: this terminal's bytes in, the program's bytes out, nothing in between but the prefix.
//!
//! Every way out restores the terminal: its modes by [`RawMode`], what the program turned on by [`Undo`]. A
//! killed daemon is survived: the stream goes on at the exact byte. A pipe session has no terminal, so that ours keeps its
//! line editing and echo (`input`).

mod input;

use std::fs::File;
use std::io::IsTerminal;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;
use std::time::Instant;

use rustix::event::PollFd;
use rustix::event::PollFlags;

use crate::cli::exit;
use crate::cli::prefix::Prefix;
use crate::cli::report::say;
use crate::client::Error;
use crate::client::Typing;
use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::client::inherit;
use crate::history::Stream;
use crate::platform::clock;
use crate::platform::signals::Signals;
use crate::platform::tty;
use crate::platform::tty::RawMode;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;
use crate::session::spec::Kind;
use crate::session::status::End;
use crate::term::Undo;

/// The only channel of this connection.
const CHANNEL: u32 = 1;
/// Rows of scrollback that are painted above the screen, so that the terminal can scroll back to them.
const HISTORY_ROWS: u32 = 128;
/// A terminal that is being dragged sends many sizes; the last one counts.
const SETTLE: Duration = Duration::from_millis(50);
/// How an attachment ended.
enum Left {
    Ended(Option<End>),
    Detached,
    Stolen(verbs::Stolen),
    HungUp,
    /// Who read our output went away: success, as everywhere.
    Unread,
    Terminated,
}

/// What is attached to what.
pub struct Request {
    /// The session.
    pub target: String,
    /// Take it from who has it.
    pub steal: bool,
    /// Watch only.
    pub view: bool,
    /// Type beside who has it.
    pub share: bool,
    /// Only this stream of a pipe session.
    pub stream: Option<Stream>,
    /// It was started for this: begin with the first byte instead of now, unless a screen is painted.
    pub started: Option<Kind>,
}

/// Attaches until something ends it; returns the exit code.
pub fn attach(client: &mut Client, request: &Request) -> Result<u8, Error> {
    let mut attachment = Attachment::new(client, request);
    let is_painted = |kind| attachment.is_tty && kind == Kind::Pty;
    let resume = request.started.filter(|kind| !is_painted(*kind)).map(|_| 0);
    let attached = attachment.open(resume)?;
    let name = attached.name.clone();
    let result = attachment.run();
    // The terminal is restored before anything is said.
    drop(attachment);
    Ok(tell(&name, request.view, result?))
}

fn tell(name: &str, is_view: bool, left: Left) -> u8 {
    match left {
        Left::Ended(Some(end)) => {
            if std::io::stderr().is_terminal() {
                let by = end.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
                say(&format!("[{name} {}{by}]", end.word()));
            }
            if is_view { exit::OK } else { end.shell_code() }
        }
        Left::Ended(None) => {
            say(&format!("[{name} was removed]"));
            exit::OK
        }
        Left::Detached => {
            say(&format!("[detached from {name}; it goes on, `rpm attach {name}` comes back]"));
            exit::OK
        }
        Left::Stolen(stolen) => {
            let at = clock::time_of_day(stolen.at_ms);
            say(&format!("[{name} was taken over by {} at {at}]", crate::session::text::clean(&stolen.by)));
            exit::STOLEN
        }
        Left::HungUp => exit::HUNG_UP,
        Left::Unread => exit::OK,
        Left::Terminated => 128 + 15,
    }
}

struct Attachment<'c> {
    client: &'c mut Client,
    request: &'c Request,
    is_tty: bool,
    raw: Option<RawMode<'static>>,
    /// Standard output; a terminal opened anew, so that not waiting for it is ours alone.
    out: File,
    /// Standard error, for what a pipe session says there.
    err: File,
    /// The stream that the next bytes came from.
    stream: Stream,
    kind: Kind,
    undo: Undo,
    /// Offset after the last byte shown: where the stream goes on after the daemon was killed.
    next: Option<u64>,
    /// It was attached before: what comes now is a return, which steals from nobody.
    was_attached: bool,
    prefix: Prefix,
    typing: Typing,
    /// The prefix was typed on a terminal with lines: the next key is ours.
    awaits_key: bool,
    size_due: Option<Instant>,
    input_is_open: bool,
    /// The program's input ends once everything typed was sent.
    ends_input: bool,
}

impl<'c> Attachment<'c> {
    fn new(client: &'c mut Client, request: &'c Request) -> Self {
        let is_tty = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        Self {
            client,
            request,
            is_tty,
            raw: None,
            out: tty::output(rustix::stdio::stdout()),
            err: tty::output(rustix::stdio::stderr()),
            stream: Stream::Out,
            kind: Kind::Pty,
            undo: Undo::new(),
            next: None,
            was_attached: false,
            prefix: Prefix::default(),
            typing: Typing::default(),
            awaits_key: false,
            size_due: None,
            // Input goes with standard output: who has the errors only has nothing to type, but may want to leave.
            input_is_open: request.stream != Some(Stream::Err) || is_tty,
            ends_input: false,
        }
    }

    /// Attaches; raw mode comes after the daemon agreed, so that a refusal is an ordinary line.
    fn open(&mut self, resume: Option<u64>) -> Result<verbs::Attached, Error> {
        let attach = verbs::Attach {
            channel: CHANNEL,
            target: self.request.target.clone(),
            steal: self.request.steal && !self.was_attached,
            view: self.request.view,
            share: self.request.share,
            returns: self.was_attached,
            stream: self.request.stream,
            terminal: inherit::terminal().filter(|_| self.is_tty),
            resume,
            history_rows: HISTORY_ROWS,
            agent: inherit::agent(),
            marks: true,
        };
        let attached = self.client.call(&attach)?;
        self.was_attached = true;
        self.kind = attached.kind;
        self.typing.renew(attached.credit, attached.kind == Kind::Pty && self.is_tty);
        let bytes = self.typing.type_in(&[]);
        self.send_typed(&bytes)?;
        if self.is_tty && self.raw.is_none() {
            self.enter_mode();
        }
        Ok(attached)
    }

    fn run(&mut self) -> Result<Left, Error> {
        let caught = [libc::SIGWINCH, libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGPIPE];
        let signals = Signals::catch(&caught).map_err(Error::Lost)?;
        loop {
            if let Some(left) = self.show_arrived(&signals)? {
                return Ok(left);
            }
            let ready = self.wait(&signals)?;
            if ready.unread {
                return Ok(self.gone());
            }
            if ready.signals
                && let Some(left) = self.on_signals(&signals)
            {
                return Ok(left);
            }
            if ready.input
                && let Some(left) = self.on_input(ready.hung_up)?
            {
                return Ok(left);
            }
            if self.size_due.is_some_and(|due| due <= Instant::now()) {
                self.size_due = None;
                self.send_size()?;
            }
        }
    }

    fn wait(&mut self, signals: &Signals) -> Result<Ready, Error> {
        let takes_input = self.input_is_open && self.has_room();
        let connection = self.client.connection();
        let stdin = rustix::stdio::stdin();
        // Asked for nothing, it still says when its reader is gone.
        let out = PollFd::new(&self.out, PollFlags::empty());
        let mut fds = vec![PollFd::new(connection, connection.interest()), PollFd::new(signals, PollFlags::IN), out];
        if takes_input {
            fds.push(PollFd::from_borrowed_fd(stdin, PollFlags::IN));
        }
        let timeout = self.size_due.map(|due| {
            let left = due.saturating_duration_since(Instant::now());
            rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() }
        });
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            result => result.map_err(|errno| Error::Lost(errno.into()))?,
        };
        let ready = Ready {
            signals: !fds[1].revents().is_empty(),
            unread: fds[2].revents().contains(PollFlags::ERR),
            input: fds.get(3).is_some_and(|fd| !fd.revents().is_empty()),
            hung_up: fds.get(3).is_some_and(|fd| fd.revents().contains(PollFlags::HUP)),
        };
        let _ = self.client.connection().flush();
        Ok(ready)
    }

    /// Shows everything that has arrived.
    fn show_arrived(&mut self, signals: &Signals) -> Result<Option<Left>, Error> {
        loop {
            match self.client.connection().try_receive() {
                Ok(None) => return Ok(None),
                Ok(Some(Incoming::Bulk(bulk))) => {
                    // A painted screen is no history; one that is cut short by a dying daemon is painted again.
                    if !bulk.more {
                        self.next = Some(bulk.at + bulk.bytes.len() as u64);
                    }
                    if let Some(left) = self.show(&bulk.bytes, signals) {
                        return Ok(Some(left));
                    }
                }
                Ok(Some(Incoming::Event(event))) => {
                    if let Some(left) = ending(&event) {
                        return Ok(Some(left));
                    }
                    self.on_event(&event)?;
                }
                Ok(Some(Incoming::Reply(_))) => {}
                Err(error) if error.is_lost() => {
                    if let Some(left) = self.come_back()? {
                        return Ok(Some(left));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn on_event(&mut self, event: &Event) -> Result<(), Error> {
        if let Some(missed) = event.get::<verbs::Missed>() {
            return self.catch_up(&missed);
        }
        if let Some(verbs::Mark { point: Point::Bytes(stream), .. }) = event.get() {
            self.stream = stream;
        }
        match event.get::<verbs::Credit>() {
            Some(credit) => self.on_credit(credit.bytes),
            None => Ok(()),
        }
    }

    /// This client was too slow: a terminal is painted anew, anything else is told what it lacks.
    fn catch_up(&mut self, missed: &verbs::Missed) -> Result<(), Error> {
        if self.is_tty && self.kind == Kind::Pty {
            self.open(None)?;
        } else {
            say(&format!("rpm: {} bytes were overwritten before they could be read", missed.bytes));
        }
        Ok(())
    }

    /// The daemon was killed: goes on at the exact byte with the next one.
    fn come_back(&mut self) -> Result<Option<Left>, Error> {
        self.client.reconnect()?;
        let resume = self.next.filter(|_| !self.request.view || self.kind == Kind::Pipe);
        match self.open(resume) {
            Ok(_) => Ok(None),
            Err(Error::Refused(refused)) if refused.code == crate::protocol::error::Code::Controlled => {
                let stolen =
                    verbs::Stolen { channel: CHANNEL, by: holder_in(&refused.message), at_ms: clock::wall_ms() };
                Ok(Some(Left::Stolen(stolen)))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes to the terminal. One that takes nothing (`C-s`) is waited for, but a signal still ends us.
    fn show(&mut self, bytes: &[u8], signals: &Signals) -> Option<Left> {
        self.undo.observe(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut file = if self.stream == Stream::Err { &self.err } else { &self.out };
            match file.write(rest) {
                Ok(len) => rest = &rest[len..],
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let out = PollFd::new(&file, PollFlags::OUT);
                    let _ = rustix::event::poll(&mut [out, PollFd::new(signals, PollFlags::IN)], None);
                    if let Some(left) = self.on_signals(signals) {
                        return Some(left);
                    }
                }
                Err(_) => return Some(self.gone()),
            }
        }
        None
    }

    /// What it means that output cannot be written any more.
    const fn gone(&self) -> Left {
        if self.is_tty { Left::HungUp } else { Left::Unread }
    }

    fn on_signals(&mut self, signals: &Signals) -> Option<Left> {
        let mut left = None;
        while let Some(signal) = signals.next() {
            match signal {
                libc::SIGWINCH => self.size_due = Some(Instant::now() + SETTLE),
                libc::SIGHUP => left = Some(Left::HungUp),
                libc::SIGINT if self.has_lines() => left = self.on_interrupt(),
                libc::SIGTERM | libc::SIGINT => left = Some(Left::Terminated),
                _ => {}
            }
        }
        left
    }

    fn send_size(&mut self) -> Result<(), Error> {
        let size = tty::size(std::io::stdout()).filter(|_| self.is_tty && !self.request.view);
        match size {
            Some(size) => {
                let pixels = tty::pixels(std::io::stdout());
                self.client
                    .connection()
                    .notify(&verbs::PaneSize { channel: CHANNEL, size, pixels })
                    .or_else(ignore_loss)
            }
            None => Ok(()),
        }
    }
}

/// The refusal names who has control.
fn holder_in(refusal: &str) -> String {
    let who = refusal.rsplit("controlled by ").next().unwrap_or_default();
    who.rsplit_once(", ").map_or(who, |(who, _)| who).to_owned()
}

/// A broken connection is noticed by the next read, which comes back.
fn ignore_loss(error: Error) -> Result<(), Error> {
    if error.is_lost() { Ok(()) } else { Err(error) }
}

fn ending(event: &Event) -> Option<Left> {
    if let Some(closed) = event.get::<verbs::Closed>() {
        return Some(Left::Ended(closed.end));
    }
    event.get::<verbs::Stolen>().map(Left::Stolen)
}

#[derive(Default)]
struct Ready {
    signals: bool,
    unread: bool,
    input: bool,
    hung_up: bool,
}

impl Drop for Attachment<'_> {
    fn drop(&mut self) {
        if self.is_tty {
            let bytes = self.undo.bytes();
            // What does not fit into a terminal that takes nothing is not worth being stuck for.
            let _ = self.out.write_all(&bytes);
            // The last line may not be at its start; what we say next should be.
            if self.raw.is_some() {
                let _ = self.out.write_all(b"\r\n");
            }
            // What the terminal still had to say to the program (answers to its queries) must not reach the shell.
            let _ = rustix::termios::tcflush(std::io::stdin().as_fd(), rustix::termios::QueueSelector::IFlush);
        }
        self.raw = None;
    }
}
