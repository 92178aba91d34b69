//! Input of a raw attachment: keys on a terminal, lines for a pipe session, bytes from a pipe.

use std::io::Read;

use crate::cli::attach::Attachment;
use crate::cli::attach::CHANNEL;
use crate::cli::attach::Left;
use crate::cli::attach::ignore_loss;
use crate::cli::prefix::PREFIX;
use crate::cli::prefix::Typed;
use crate::client::Error;
use crate::history::Stream;
use crate::platform::tty::RawMode;
use crate::protocol::verbs;
use crate::session::spec::Kind;

/// Typed bytes wait for a program that does not read; beyond this, standard input has to wait too.
const WAITING: usize = 1 << 20;
/// On a terminal the same limit would hold back the key that detaches; a paste may be this long.
const PASTED: usize = 64 << 20;

impl Attachment<'_> {
    /// What is typed is for the program; else only the key that leaves is looked for.
    fn may_type(&self) -> bool {
        !self.request.view && self.request.stream != Some(Stream::Err)
    }

    /// Our terminal keeps its lines: the session has none that would make them.
    pub(super) fn has_lines(&self) -> bool {
        self.is_tty && self.kind == Kind::Pipe
    }

    /// Puts our terminal into the mode that the session needs.
    pub(super) fn enter_mode(&mut self) {
        // Back to what it was before it is changed again.
        self.raw = None;
        let stdin = rustix::stdio::stdin();
        let is_raw = !self.has_lines() || self.awaits_key;
        self.raw = if is_raw { RawMode::enter(stdin) } else { RawMode::enter_lines(stdin, PREFIX) }.ok();
    }

    /// Returns whether more may be read from standard input.
    pub(super) fn has_room(&self) -> bool {
        self.typing.waiting() < if self.is_tty { PASTED } else { WAITING }
    }

    pub(super) fn on_input(&mut self, is_hung_up: bool) -> Result<Option<Left>, Error> {
        let mut buffer = [0; 32 << 10];
        let len = match std::io::stdin().lock().read(&mut buffer) {
            Ok(0) if self.has_lines() && !is_hung_up => return self.end_input(),
            Ok(0) if self.is_tty => return Ok(Some(Left::HungUp)),
            Ok(0) => {
                self.input_is_open = false;
                // The end of a `run`'s input is the end of its program's; an `attach` in a pipeline ends nobody's.
                return if self.request.started.is_some() { self.end_input() } else { Ok(None) };
            }
            Ok(len) => len,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(None),
            Err(_) => return Ok(Some(Left::HungUp)),
        };
        let typed = match (self.is_tty, self.has_lines()) {
            (false, _) => Typed::bytes(&buffer[..len]),
            (true, false) => self.prefix.type_in(&buffer[..len]),
            (true, true) => self.line(&buffer[..len]),
        };
        if !typed.bytes.is_empty() && self.may_type() {
            let bytes = self.typing.type_in(&typed.bytes);
            self.send_typed(&bytes)?;
        }
        Ok(typed.detach.then_some(Left::Detached))
    }

    /// A line, or the one that the prefix ended early: then the next key is ours.
    fn line(&mut self, bytes: &[u8]) -> Typed {
        if self.awaits_key {
            self.awaits_key = false;
            self.enter_mode();
            let is_prefix = bytes.first() == Some(&PREFIX);
            return Typed {
                bytes: if is_prefix { vec![PREFIX] } else { Vec::new() },
                detach: bytes.first() == Some(&b'd'),
            };
        }
        match bytes.split_last() {
            Some((&PREFIX, line)) => {
                self.awaits_key = true;
                self.enter_mode();
                Typed::bytes(line)
            }
            _ => Typed::bytes(bytes),
        }
    }

    pub(super) fn on_credit(&mut self, bytes: u64) -> Result<(), Error> {
        let bytes = self.typing.credited(bytes);
        self.send_typed(&bytes)
    }

    pub(super) fn send_typed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if !bytes.is_empty() {
            self.client.connection().input(CHANNEL, bytes).or_else(ignore_loss)?;
        }
        if self.ends_input && self.typing.waiting() == 0 {
            self.ends_input = false;
            let key = crate::client::request_key();
            let send = verbs::Send { key, target: self.request.target.clone(), eof: true, ..verbs::Send::default() };
            self.client.connection().post(&send).map(|_| ()).or_else(ignore_loss)?;
        }
        Ok(())
    }

    fn end_input(&mut self) -> Result<Option<Left>, Error> {
        self.ends_input = self.may_type();
        self.send_typed(&[])?;
        Ok(None)
    }

    /// `C-c` on a terminal with lines: for the program, as if it ran here.
    pub(super) fn on_interrupt(&mut self) -> Option<Left> {
        if !self.may_type() {
            return Some(Left::Detached);
        }
        let signal = verbs::Signal {
            key: crate::client::request_key(),
            targets: vec![self.request.target.clone()],
            signal: 2,
            ..verbs::Signal::default()
        };
        // A connection that broke is noticed by the next read; the signal is typed again then.
        let _ = self.client.connection().post(&signal);
        None
    }
}
