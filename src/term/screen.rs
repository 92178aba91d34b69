//! The authoritative screen of one session.
//!
//! The seam: the daemon sees this type and never an engine. Bytes go in, the screen changes, and what they ask of the world comes
//! out as effects. A panic inside costs the content of the screen, never the daemon, and is counted.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::checkpoint;
use super::checkpoint::CheckpointError;
use super::effect::Effect;
use super::engine::Engine;
use super::modes::Modes;
use super::parser::Parser;
use super::size::Size;
use super::text;

/// Rows kept above the primary screen; longer history is replayed from bytes.
pub const SCROLLBACK_ROWS: usize = 128;

/// A terminal screen that is fed bytes.
pub struct Screen {
    pub(super) parser: Parser,
    pub(super) engine: Engine,
    faults: u32,
}

impl Screen {
    /// Returns a blank screen for a program on a terminal.
    #[must_use]
    pub fn new(size: Size) -> Screen {
        Screen::from_parts(Parser::new(), Engine::new(size, SCROLLBACK_ROWS, false))
    }

    /// Returns a blank screen for a program that writes to a pipe: a line feed also returns the carriage.
    #[must_use]
    pub fn new_for_pipe(size: Size) -> Screen {
        Screen::from_parts(Parser::new(), Engine::new(size, SCROLLBACK_ROWS, true))
    }

    pub(super) fn from_parts(parser: Parser, engine: Engine) -> Screen {
        Screen { parser, engine, faults: 0 }
    }

    /// Reads output of the program; never panics and never buffers.
    pub fn feed(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.engine.generation += 1;
        let (parser, engine) = (&mut self.parser, &mut self.engine);
        if catch_unwind(AssertUnwindSafe(|| parser.advance(engine, bytes))).is_err() {
            self.start_over(self.size());
        }
    }

    /// Returns the length of the longest prefix of `bytes` after which `checkpoint` would succeed, were it fed now; 0 if none.
    #[must_use]
    pub fn checkpointable_prefix(&self, bytes: &[u8]) -> usize {
        self.parser.checkpointable_prefix(bytes)
    }

    /// Tells whether the last byte fed completed whatever it was part of.
    #[must_use]
    pub fn is_checkpointable(&self) -> bool {
        self.parser.is_checkpointable()
    }

    /// Returns everything needed to go on from here elsewhere; none inside a sequence or a character.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Vec<u8>> {
        self.is_checkpointable().then(|| checkpoint::encode(self))
    }

    /// Returns the screen a checkpoint was taken of. Anything may be given: nothing is trusted, everything is bounded.
    pub fn restore(bytes: &[u8]) -> Result<Screen, CheckpointError> {
        match catch_unwind(|| checkpoint::decode(bytes)) {
            Ok(screen) => screen,
            Err(_) => Err(CheckpointError::Inconsistent("a state the engine refuses")),
        }
    }

    /// Changes the size; the primary screen reflows.
    pub fn resize(&mut self, size: Size) {
        if size == self.size() {
            return;
        }
        let engine = &mut self.engine;
        if catch_unwind(AssertUnwindSafe(|| engine.resize(size))).is_err() {
            self.start_over(size);
        }
    }

    /// Returns the size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.engine.size()
    }

    /// Returns a number that changes whenever something visible may have changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.engine.generation
    }

    /// Tells whether the program asked for frames to wait until it is done (mode 2026).
    #[must_use]
    pub fn is_synchronised(&self) -> bool {
        self.engine.state.synchronised
    }

    /// Ends synchronised output for a program that does not.
    pub fn end_synchronised(&mut self) {
        self.engine.state.synchronised = false;
        self.engine.generation += 1;
    }

    /// Takes what the output asked for beside drawing, oldest first.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        self.engine.effects.take()
    }

    /// Returns the title, cleaned.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.engine.state.title.as_deref()
    }

    /// Returns the working directory the program told, cleaned.
    #[must_use]
    pub fn directory(&self) -> Option<&str> {
        self.engine.state.directory.as_deref()
    }

    /// Returns the visible rows as text, without trailing blanks and trailing blank rows.
    #[must_use]
    pub fn text(&self) -> String {
        text::plain(&self.engine.grid, self.engine.rows())
    }

    /// Returns the visible rows with their colours as SGR sequences.
    #[must_use]
    pub fn ansi(&self) -> String {
        text::coloured(&self.engine.grid, self.engine.rows())
    }

    /// Returns the last visible row that is not blank, cleaned.
    #[must_use]
    pub fn last_line(&self) -> String {
        text::last_line(&self.engine.grid, self.engine.rows())
    }

    /// Returns the modes that clients and input encoders act on.
    #[must_use]
    pub fn modes(&self) -> Modes {
        self.engine.modes()
    }

    /// Returns the row and column of the cursor, counted from 0.
    #[must_use]
    pub fn cursor(&self) -> (u16, u16) {
        let (row, col) = self.engine.cursor();
        (row as u16, col as u16)
    }

    /// Returns the number of rows kept above the primary screen.
    #[must_use]
    pub fn scrollback_rows(&self) -> usize {
        use alacritty_terminal::grid::Dimensions;
        self.engine.primary().history_size()
    }

    /// Returns how often the engine failed and the screen started over.
    #[must_use]
    pub fn faults(&self) -> u32 {
        self.faults
    }

    /// Goes on with a blank screen after the engine failed.
    fn start_over(&mut self, size: Size) {
        self.faults = self.faults.saturating_add(1);
        self.parser = Parser::new();
        self.engine = fresh(size, &self.engine);
    }
}

/// Returns a blank engine that is newer than `old`, so that nobody misses the change.
fn fresh(size: Size, old: &Engine) -> Engine {
    let mut engine = Engine::new(size, SCROLLBACK_ROWS, old.state.newline_at_reset);
    engine.generation = old.generation + 1;
    engine.versions.fill(engine.generation);
    engine
}
