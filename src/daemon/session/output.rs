//! From history to screen: slices, answers, checkpoints, and the trim line.
//!
//! *Invariant:* the trim line never lets the keeper overwrite a byte that a replay from the newest checkpoint needs.

use crate::daemon::journals::Journal;
use crate::daemon::logs;
use crate::daemon::session::History;
use crate::daemon::session::Session;
use crate::daemon::session::actor::Actor;
use crate::history::Memory;
use crate::history::Position;
use crate::history::Step;
use crate::history::layout;
use crate::history::layout::control;
use crate::platform::failpoint;
use crate::session::spec::Kind;
use crate::term::Effect;
use crate::term::Screen;
use crate::term::Size;

/// Bytes parsed before others get their turn.
const SLICE: usize = 4 << 10;
/// Gives a new run a terminal without the modes of the one before: main screen, soft reset, no mouse, a line of its own.
pub const FRESH: &[u8] = b"\x1b[?1049l\x1b[!p\x1b[?1000;1002;1003;1004;1006;2004l\x1b[?25h\x1b[0m\r\n";
/// A lazy screen begins so far before the end of the history.
const TAIL: u64 = 64 << 10;
/// How long a restarted daemon honours the raw cursors of the one before it.
const HONOUR_NS: u64 = 1_000_000_000;

/// The parsing side of a session.
pub struct Output {
    /// None while cold: nobody looked and nothing was said since the daemon started.
    screen: Option<Screen>,
    position: Position,
    /// Last offset where the screen stood between two sequences.
    ground: u64,
    /// The newest checkpoint.
    checkpoint: Position,
    /// Effects of bytes below this were had by an earlier daemon.
    answered: u64,
    has_more: bool,
    buffer: Vec<u8>,
    /// Until when, and from where, cursors of an earlier daemon are honoured.
    honoured: Option<(u64, u64)>,
    /// The newest bytes may hold queries that nobody has seen, or the program waits for room.
    must_warm: bool,
    /// Trim line of the daemon before this one; it knew the checkpoint.
    inherited: u64,
    /// Parsed only while somebody looks, from a little before the end; the history alone says what was said (pipes).
    is_lazy: bool,
}

impl Output {
    /// Starts cold, with what an earlier daemon left.
    pub fn new(session: &Session, now: u64) -> Self {
        let memory = session.history.control();
        let held = memory.load(control::HELD);
        let answered = memory.load(control::ANSWERED);
        let is_lazy = session.handover.kind == Kind::Pipe;
        Self {
            screen: None,
            position: Position::default(),
            ground: 0,
            checkpoint: Position::default(),
            answered,
            has_more: false,
            buffer: vec![0; SLICE],
            honoured: held.checked_sub(1).map(|held| (now + HONOUR_NS, held)),
            must_warm: !is_lazy && (session.history.head() > answered || session.history.is_stalled()),
            inherited: session.history.limit(),
            is_lazy,
        }
    }

    /// Returns whether there is more to parse right now.
    pub const fn has_more(&self) -> bool {
        self.has_more
    }

    /// Returns the screen, if it is warm.
    pub const fn screen(&self) -> Option<&Screen> {
        self.screen.as_ref()
    }

    /// Returns the offset of the next byte to parse.
    pub const fn parsed(&self) -> u64 {
        self.position.offset
    }

    /// Returns the last offset between two sequences.
    pub const fn ground(&self) -> u64 {
        self.ground
    }

    /// Ends a synchronised update that took too long.
    pub fn end_synchronised(&mut self) {
        if let Some(screen) = &mut self.screen {
            screen.end_synchronised();
        }
    }

    /// Loads checkpoint and position; what came after is parsed by the steps that follow.
    fn warm(&mut self, session: &Session) {
        if self.screen.is_some() {
            return;
        }
        let size = session.handover.size;
        let (offset, screen) = if self.is_lazy {
            (logs::tail(&session.history, TAIL), Screen::new_for_pipe(size))
        } else {
            session.store.checkpoint().unwrap_or_else(|| (0, Screen::new(size)))
        };
        self.position = session.history.position(offset);
        self.ground = offset;
        self.checkpoint = self.position;
        self.screen = Some(screen);
        self.has_more = true;
    }

    /// Forgets a lazy screen that nobody looks at, or that is so far behind that its end is all that matters.
    fn cool(&mut self) {
        self.screen = None;
        self.has_more = false;
    }

    fn is_far_behind(&self, history: &History) -> bool {
        self.is_lazy && self.screen.is_some() && history.head().saturating_sub(self.position.offset) > 4 * TAIL
    }

    /// Returns whether the screen is as the history says, for now.
    pub const fn has_caught_up(&self) -> bool {
        self.screen.is_some() && !self.has_more
    }

    /// Returns whether what an earlier daemon had parsed is still being parsed again.
    const fn is_replaying(&self) -> bool {
        self.position.offset < self.answered
    }

    /// Parses one slice; returns the effects somebody has to act on.
    fn parse(&mut self, history: &History, dir: &std::path::Path) -> Vec<Effect> {
        let Some(screen) = &mut self.screen else { return Vec::new() };
        let before = self.position.offset;
        // A slice ends where an earlier daemon's effects end, so that each is had once.
        let is_replay = before < self.answered;
        let want = if is_replay { (self.answered - before).min(SLICE as u64) as usize } else { SLICE };
        match history.step(&mut self.position, &mut self.buffer[..want]) {
            Ok(None) => self.has_more = false,
            Ok(Some(Step::Bytes(_, len))) => {
                let bytes = &self.buffer[..len];
                let ground = screen.checkpointable_prefix(bytes);
                if ground > 0 {
                    self.ground = before + ground as u64;
                }
                screen.feed(bytes);
                self.has_more = true;
            }
            Ok(Some(Step::Resize(rows, cols))) => {
                screen.resize(Size::clamped(rows, cols));
                self.has_more = true;
            }
            Ok(Some(Step::Exit)) => self.has_more = true,
            Ok(Some(Step::Start(_))) => {
                // The run before may have left its terminal in any state.
                if !self.is_lazy {
                    screen.feed(FRESH);
                }
                self.ground = self.ground.max(self.position.offset);
                self.has_more = true;
            }
            Err(gap) => {
                tracing::warn!(from = before, to = gap.oldest, "bytes were overwritten before they were parsed");
                self.position = history.position(gap.oldest.max(before));
                self.has_more = true;
            }
        }
        let effects = screen.take_effects();
        if is_replay {
            failpoint::hit(dir, "mid-replay");
            return Vec::new();
        }
        if self.position.offset > self.answered {
            self.answered = self.position.offset;
            history.control().store(control::ANSWERED, self.answered);
        }
        effects
    }

    /// A quarter of either ring has passed since the newest checkpoint.
    fn is_checkpoint_due(&self, history: &History) -> bool {
        self.position.offset - self.checkpoint.offset.min(self.position.offset) >= history.ring() / 4
            || self.position.index.saturating_sub(self.checkpoint.index) >= layout::INDEX_ENTRIES as u64 / 4
    }

    /// Writes a checkpoint if one is due and the screen stands between two sequences.
    fn checkpoint(&mut self, session: &Session, dir: &std::path::Path) {
        if self.is_lazy || !self.is_checkpoint_due(&session.history) {
            return;
        }
        let written = self
            .screen
            .as_ref()
            .and_then(Screen::checkpoint)
            .is_some_and(|bytes| session.store.put_checkpoint(self.position.offset, &bytes, dir));
        // With nothing left to parse and no room for more, an inexact replay is better than a stuck program.
        if written || (session.history.is_stalled() && !self.has_more) {
            self.checkpoint = self.position;
        }
    }
}

impl Actor {
    /// Parses what is new, if the session is warm or has to become so.
    pub(super) fn read_output(&mut self, now: u64) {
        let is_wanted = !self.pending.is_empty() || self.is_watched();
        if self.output.is_lazy && !is_wanted || self.output.is_far_behind(&self.session.history) {
            self.output.cool();
        }
        let must_warm = self.output.must_warm || (self.is_stale && !self.output.is_lazy);
        if must_warm || is_wanted {
            self.output.must_warm = false;
            self.output.warm(&self.session);
        }
        if self.output.screen.is_none() {
            return;
        }
        failpoint::panic_at(self.hub.dir(), "actor-panics");
        self.hub.parsed.set((self.session.id, now));
        let session = std::rc::Rc::clone(&self.session);
        let effects = self.output.parse(&session.history, self.hub.dir());
        self.output.checkpoint(&session, self.hub.dir());
        self.note_effects(&effects, now);
        for effect in effects {
            self.on_effect(effect);
        }
        self.note_size();
        let Some(screen) = self.output.screen() else { return };
        let mut status = self.session.status.borrow_mut();
        status.size = screen.size();
        // Set here and not by the effect alone: a replay has none.
        if !self.output.is_replaying() && status.title.as_deref() != screen.title() {
            status.title = screen.title().map(str::to_owned);
            self.is_stale = true;
        }
    }

    fn on_effect(&mut self, effect: Effect) {
        match effect {
            // With a terminal attached raw, that terminal answers; two answers would be typed in twice.
            Effect::Reply(bytes) if !self.output.is_lazy && !self.outer_terminal_answers() => {
                failpoint::hit(self.hub.dir(), "answer-published");
                self.input.answer(&bytes);
            }
            _ => {}
        }
    }

    /// Moves the trim line: the newest checkpoint, and the raw cursors that make progress.
    pub(super) fn update_limit(&mut self, now: u64) {
        let (head, ring) = (self.session.history.head(), self.session.history.ring());
        let mut limit = match self.output.screen {
            _ if self.output.is_lazy => u64::MAX,
            Some(_) => self.output.checkpoint.offset.saturating_add(ring),
            None => self.output.inherited,
        };
        let mut held = u64::MAX;
        // A cursor counts what is queued for its client; that much has to be there again if the daemon dies before it left.
        let reach = ring - ring / 4;
        for cursor in self.session.cursors() {
            let offset = cursor.offset.get();
            if cursor.patience.lasts(offset, head, now) {
                limit = limit.min(offset.saturating_add(cursor.window.min(reach)));
                held = held.min(offset);
            }
        }
        if let Some(offset) = self.hub.tees.hold(self.session.id, head, now) {
            limit = limit.min(offset.saturating_add(ring));
        }
        match self.output.honoured {
            Some((until, offset)) if now < until => {
                limit = limit.min(offset.saturating_add(reach));
                held = held.min(offset);
            }
            _ => self.output.honoured = None,
        }
        self.session.history.control().store(control::HELD, if held == u64::MAX { 0 } else { held + 1 });
        let journal = self.session.journal.as_ref();
        if let Some(journal) = journal {
            journal.let_go(limit);
        }
        let mut offset = journal.and_then(|journal| journal.hold(head, now));
        loop {
            let all = offset.map_or(limit, |offset| limit.min(offset.saturating_add(ring)));
            if self.session.history.set_limit(all) {
                self.hub.keeper.ring();
            }
            // The journal's thread moves the line, too: whoever does it last must know of both.
            let now_wanted = journal.and_then(|journal| journal.hold(head, now));
            if now_wanted == offset {
                break;
            }
            offset = now_wanted;
        }
    }

    /// When a cursor that holds the program back loses that right.
    pub(super) fn limit_deadline(&self) -> Option<u64> {
        let honoured = self.output.honoured.map(|(until, _)| until);
        if !self.session.history.is_stalled() {
            return honoured;
        }
        let now = crate::platform::clock::monotonic_ns();
        let cursors = self.session.cursors().into_iter().filter_map(|cursor| cursor.patience.ends_at());
        let journal = self.session.journal.as_ref().and_then(Journal::patience_ends);
        let ends = cursors.chain(journal).chain(self.hub.tees.patience_ends(self.session.id)).filter(|end| *end > now);
        ends.chain(honoured).min()
    }
}
