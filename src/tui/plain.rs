//! The dashboard without a screen: lines in, lines out, for screen readers and terminals that can only print.
//!
//! It tells what there is, then every change as a line of its own, and takes words: `list`, `screen NAME`, `stop NAME`, `kill NAME`,
//! `help`, `quit`. Nothing is drawn over, nothing moves.

use std::io;
use std::io::Write;

use rustix::event::PollFd;
use rustix::event::PollFlags;

use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::Left;

/// Milliseconds that a stop waits before it kills.
const GRACE_MS: u64 = 5000;
/// Longest line that is taken.
const LONGEST: usize = 4096;

/// What is typed, and what it does.
const HELP: &str = "list: all sessions. screen NAME: its screen. stop NAME, kill NAME: ends it. quit: leaves, sessions go on. \
                    `rpm attach NAME` in a shell types into it.";

struct Plain {
    client: Client,
    rows: Vec<Status>,
    typed: Vec<u8>,
}

/// Runs until it is left, or standard input ends.
pub fn run(mut client: Client) -> Result<Left, Error> {
    let rows = client.call(&verbs::Subscribe {})?.sessions;
    let mut plain = Plain { client, rows, typed: Vec::new() };
    plain.list();
    say("Type help and Enter for what can be done.");
    loop {
        let (has_input, has_news) = plain.wait();
        if has_news && plain.read_news().is_err() {
            say("The daemon is away; sessions go on.");
            plain.client.reconnect()?;
            plain.rows = plain.client.call(&verbs::Subscribe {})?.sessions;
            say("The daemon is back.");
        }
        if has_input && !plain.read_input()? {
            let sessions_running = plain.rows.iter().filter(|row| row.end().is_none()).count();
            return Ok(Left::Quit { sessions_running });
        }
    }
}

fn say(line: &str) {
    // Whoever reads no more is noticed at the next input.
    let _ = writeln!(io::stdout(), "{}", text::clean(line));
}

fn sentence(status: &Status) -> String {
    let typing = status.controller().map(|client| format!(", {} types", client.who)).unwrap_or_default();
    format!("{}: {}{typing}: {}", status.name, status.word(), status.command)
}

impl Plain {
    fn list(&self) {
        match self.rows.len() {
            0 => say("There are no sessions; `rpm run -- COMMAND` in a shell starts one."),
            1 => say("1 session."),
            n => say(&format!("{n} sessions.")),
        }
        self.rows.iter().for_each(|status| say(&sentence(status)));
    }

    /// Waits for input or news.
    fn wait(&mut self) -> (bool, bool) {
        let interest = self.client.connection().interest();
        let stdin = rustix::stdio::stdin();
        let connection = &*self.client.connection();
        let mut fds = [PollFd::from_borrowed_fd(stdin, PollFlags::IN), PollFd::new(connection, interest)];
        if rustix::event::poll(&mut fds, None).is_err() {
            return (false, false);
        }
        (!fds[0].revents().is_empty(), !fds[1].revents().is_empty())
    }

    fn read_news(&mut self) -> Result<(), Error> {
        self.client.connection().flush()?;
        while let Some(incoming) = self.client.connection().try_receive()? {
            let Incoming::Event(event) = incoming else { continue };
            if let Some(verbs::Changed { status }) = event.get() {
                self.on_changed(status);
            } else if let Some(verbs::Removed { id }) = event.get() {
                self.on_removed(id);
            }
        }
        Ok(())
    }

    fn on_changed(&mut self, status: Status) {
        match self.rows.iter_mut().find(|row| row.id == status.id) {
            None => {
                say(&format!("new: {}", sentence(&status)));
                self.rows.push(status);
            }
            Some(row) => {
                if sentence(row) != sentence(&status) {
                    say(&sentence(&status));
                }
                *row = status;
            }
        }
    }

    fn on_removed(&mut self, id: SessionId) {
        if let Some(at) = self.rows.iter().position(|row| row.id == id) {
            say(&format!("{}: removed", self.rows.remove(at).name));
        }
    }

    /// Takes what was typed; `false` when somebody wants to leave.
    fn read_input(&mut self) -> Result<bool, Error> {
        let mut buffer = [0; 1024];
        let len = rustix::io::read(rustix::stdio::stdin(), &mut buffer).unwrap_or(0);
        if len == 0 {
            return Ok(false);
        }
        self.typed.extend_from_slice(&buffer[..len]);
        if self.typed.len() > LONGEST {
            self.typed.clear();
        }
        while let Some(end) = self.typed.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.typed.drain(..=end).collect();
            if !self.obey(String::from_utf8_lossy(&line).trim())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn obey(&mut self, line: &str) -> Result<bool, Error> {
        let (word, name) = line.split_once(' ').unwrap_or((line, ""));
        match (word, name.trim()) {
            ("" | "list" | "l", "") => self.list(),
            ("quit" | "q" | "exit", "") => return Ok(false),
            ("screen" | "s", name) if !name.is_empty() => self.screen(name)?,
            ("stop", name) if !name.is_empty() => self.end(name, GRACE_MS)?,
            ("kill", name) if !name.is_empty() => self.end(name, 0)?,
            _ => say(HELP),
        }
        Ok(true)
    }

    fn screen(&mut self, name: &str) -> Result<(), Error> {
        let verb = verbs::ScreenOf { target: name.to_owned(), ..verbs::ScreenOf::default() };
        match self.client.call(&verb) {
            Ok(screen) => {
                say(&format!("screen of {name}:"));
                screen.text.lines().for_each(say);
                say("end of the screen.");
            }
            Err(Error::Refused(error)) => say(&error.message),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn end(&mut self, name: &str, grace_ms: u64) -> Result<(), Error> {
        let key = client::request_key();
        let stop = verbs::Stop { key, targets: vec![name.to_owned()], grace_ms, ..verbs::Stop::default() };
        match self.client.call(&stop) {
            Ok(done) => {
                let error = done.outcomes.into_iter().find_map(|outcome| outcome.error);
                if let Some(error) = error {
                    say(&error.message);
                }
            }
            Err(Error::Refused(error)) => say(&error.message),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
