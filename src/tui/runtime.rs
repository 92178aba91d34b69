//! The loop around the app: wait for terminal, daemon, signals or time; tell the app; do what it says; draw once.
//!
//! One thread, no ticking. A terminal that takes nothing more is not drawn to until it does, so nothing here ever waits for it; one that
//! is gone ends the loop at once.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::process::Signal;

use crate::client::Error;
use crate::client::blocking::Client;
use crate::config;
use crate::config::Finding;
use crate::platform::clock;
use crate::platform::endpoint::Place;
use crate::platform::failpoint;
use crate::platform::process;
use crate::platform::reading;
use crate::platform::signals::Signals;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::tui::Left;
use crate::tui::Options;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Effect;
use crate::tui::app::Msg;
use crate::tui::app::Now;
use crate::tui::guard::Guard;
use crate::tui::input::Tokeniser;
use crate::tui::outer::Outer;
use crate::tui::outside;
use crate::tui::paint::Painter;
use crate::tui::search;
use crate::tui::theme::Depth;
use crate::tui::view;
use crate::tui::wire::Wire;
use crate::tui::worker;
use crate::tui::worker::Aside;
use crate::tui::worker::Worker;

const SIGNALS: [Signal; 7] =
    [Signal::WINCH, Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT, Signal::CONT, Signal::TSTP];
/// Updates larger than this are shown at once where the terminal can do that.
const LARGE: usize = 512;
/// Longest that the daemon's messages keep keys and drawing waiting, in nanoseconds.
const SLICE_NS: u64 = 4_000_000;
/// How long after a key frames are drawn as they come.
const ECHO_NS: u64 = 200_000_000;
/// Most bytes that wait for a daemon that reads nothing; what is typed beyond is lost.
const UNSENT_LIMIT: usize = 4 << 20;

/// See the module.
pub struct Runtime {
    app: App,
    wire: Wire,
    guard: Guard,
    signals: Signals,
    tokeniser: Tokeniser,
    painter: Painter,
    buffer: Buffer,
    worker: Worker,
    /// A search of all sessions that somebody waits for.
    searched: Option<Aside>,
    /// What is wrong with the settings, to be told once.
    findings: Vec<Finding>,
    /// What our terminal was told.
    title: String,
    /// The daemon sent more than was read.
    is_behind: bool,
    /// Nanoseconds between two frames, when the last one was, and when somebody typed.
    pace: u64,
    drawn_at: u64,
    typed_at: u64,
    done: Option<Result<Left, Error>>,
}

/// What woke the loop.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "any of them may be ready together")]
struct Woken {
    input: bool,
    gone: bool,
    output: bool,
    daemon: bool,
    signal: bool,
    attempt: bool,
    worker: bool,
}

impl Runtime {
    /// Takes the terminal over.
    pub fn enter(options: Options, client: Client) -> Result<Self, Error> {
        let unusable = |error: std::io::Error| {
            let message = format!("the dashboard cannot use this terminal: {error}");
            Error::Refused(WireError::new(Code::Invalid, message).hint("`rpm ls` and `rpm attach` need less of it"))
        };
        let signals = Signals::catch(&SIGNALS.map(Signal::as_raw)).map_err(unusable)?;
        let guard = Guard::enter().map_err(unusable)?;
        let screen = guard.screen();
        let worker = Worker::start().map_err(unusable)?;
        if let Some(name) = options.layout.clone() {
            worker.give(Box::new(move || Some(search::read_layout(name))));
        }
        let findings = options.findings.clone();
        let depth = Depth::detect(|name| std::env::var(name).ok()).wanted(options.color);
        let pace = pace(options.settings.tui.frames);
        Ok(Self {
            findings,
            title: String::new(),
            is_behind: false,
            app: App::new(options, screen, ancestors()),
            worker,
            searched: None,
            wire: Wire::new(client),
            guard,
            signals,
            tokeniser: Tokeniser::default(),
            painter: Painter::new(depth),
            pace,
            drawn_at: 0,
            typed_at: 0,
            buffer: Buffer::empty(Rect::new(0, 0, screen.cols, screen.rows)),
            done: None,
        })
    }

    /// Runs until the dashboard is left and the terminal is given back.
    pub fn live(mut self) -> Result<Left, Error> {
        self.tell(Msg::Connected);
        if let Some(first) = self.findings.first() {
            let more = self.findings.len() - 1;
            let rest = if more > 0 { format!("; {more} more: `rpm config check`") } else { String::new() };
            self.tell(Msg::Said(format!("config.toml: {first}{rest}")));
        }
        loop {
            if let Some(result) = self.done.take() {
                // Whoever says a last word to a terminal that takes nothing would wait for ever.
                return if self.guard.give_back() { result } else { Ok(Left::TerminalGone) };
            }
            self.draw();
            let woken = self.wait();
            self.serve(&woken);
        }
    }

    fn serve(&mut self, woken: &Woken) {
        if woken.signal {
            self.read_signals();
        }
        if woken.input {
            self.read_terminal();
        } else if woken.gone {
            self.gone();
        }
        if woken.output && self.guard.flush().is_err() {
            self.gone();
        }
        let now = clock::monotonic_ns();
        if woken.attempt
            && let Some(msg) = self.wire.attempted(now)
        {
            self.tell(msg);
        }
        if woken.daemon {
            self.wire.flush();
        }
        self.is_behind = false;
        while !self.is_behind
            && let Some(msg) = self.wire.next_msg()
        {
            self.tell(msg);
            self.is_behind = clock::monotonic_ns().saturating_sub(now) > SLICE_NS;
        }
        self.wire.retry(now);
        if woken.worker {
            for msg in self.worker.take() {
                self.tell(msg);
            }
        }
        let mut tokens = Vec::new();
        self.tokeniser.expire(now, &mut tokens);
        if !tokens.is_empty() {
            self.tell(Msg::Input(tokens));
        }
        if self.app.deadline().is_some_and(|deadline| now >= deadline) {
            self.tell(Msg::Tick);
        }
    }

    /// Waits for anything, and no longer than until something is due.
    fn wait(&mut self) -> Woken {
        let is_flushed = self.guard.is_flushed();
        let at_once = self.is_behind.then_some(0);
        let deadlines =
            [self.app.deadline(), self.tokeniser.deadline(), self.wire.deadline(), self.too_early(), at_once];
        let deadline = deadlines.into_iter().flatten().min();
        let timeout = deadline.map(|at| {
            let left = Duration::from_nanos(at.saturating_sub(clock::monotonic_ns()));
            rustix::time::Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: i64::from(left.subsec_nanos()) }
        });
        let interest = self.wire.connection().map_or(PollFlags::empty(), |connection| connection.interest());
        let has_connection = self.wire.connection().is_some();
        let attempt = self.wire.attempt().and_then(|fd| fd.try_clone_to_owned().ok());
        let (guard, signals) = (&self.guard, &self.signals);
        let output = if is_flushed { PollFlags::empty() } else { PollFlags::OUT };
        let (input, output_fd) = (guard.input(), guard.output());
        let mut fds = vec![
            PollFd::from_borrowed_fd(input, PollFlags::IN),
            PollFd::from_borrowed_fd(output_fd, output),
            PollFd::new(signals, PollFlags::IN),
            PollFd::from_borrowed_fd(self.worker.wake(), PollFlags::IN),
        ];
        let attempt_at = attempt.as_ref().map(|fd| {
            fds.push(PollFd::new(fd, PollFlags::IN));
            fds.len() - 1
        });
        let daemon_at = has_connection.then_some(fds.len());
        if let Some(connection) = self.wire.connection() {
            fds.push(PollFd::new(connection, interest));
        }
        if rustix::event::poll(&mut fds, timeout.as_ref()).is_err() {
            return Woken::default();
        }
        let is = |at: usize| !fds[at].revents().is_empty();
        let bad = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        Woken {
            input: fds[0].revents().contains(PollFlags::IN),
            gone: fds[0].revents().intersects(bad) || fds[1].revents().intersects(bad),
            output: fds[1].revents().contains(PollFlags::OUT),
            signal: is(2),
            worker: is(3),
            attempt: attempt_at.is_some_and(is),
            daemon: daemon_at.is_some_and(is),
        }
    }

    fn tell(&mut self, msg: Msg) {
        let now = Now { mono: clock::monotonic_ns(), wall_ms: clock::wall_ms() };
        for effect in self.app.update(msg, now) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Ask(ask) => self.wire.ask(ask),
            Effect::Input { channel, bytes } => {
                let unsent = self.wire.connection().map_or(0, |connection| connection.unsent());
                if unsent + bytes.len() <= UNSENT_LIMIT {
                    self.wire.input(channel, &bytes);
                }
            }
            Effect::PaneSize { channel, size } => self.wire.notify(&verbs::PaneSize { channel, size, pixels: None }),
            Effect::Drawn { channel, frame } => self.wire.notify(&verbs::Drawn { channel, frame }),
            Effect::StartDaemon => self.wire.start_daemon(),
            Effect::Branches(wanted) => self.worker.give(Box::new(|| {
                let found = wanted.into_iter().map(|(id, cwd)| (id, worker::branch_of(&cwd))).collect();
                Some(Msg::Branches(found))
            })),
            Effect::PassClipboard { selection, base64 } => {
                outside::put_on_clipboard(&selection, &base64, &mut self.painter.out);
            }
            Effect::FindWaiting(wanted) => self.worker.give(Box::new(|| {
                let found = wanted.into_iter().map(|(id, pid)| (id, reading::seems_to_wait(pid))).collect();
                Some(Msg::Waiting(found))
            })),
            Effect::EditSettings => self.edit_settings(),
            Effect::Clipboard(text) => outside::clipboard(&text, &mut self.painter.out),
            Effect::Open { session, name, text, is_editor } => {
                self.open_outside(session, &name, text.as_deref(), is_editor);
            }
            Effect::Complete { base, word, is_folder } => {
                self.worker.give(Box::new(move || Some(search::complete(&base, word, is_folder))));
            }
            Effect::Search { pattern, sessions } => {
                self.searched = self.worker.aside(Box::new(move |report| search::all(&pattern, &sessions, report)));
            }
            Effect::StopSearch => self.searched = None,
            Effect::SaveLayout { name, text } => {
                self.worker.give(Box::new(move || Some(search::save_layout(&name, &text))));
            }
            Effect::ReadLayout(name) => self.worker.give(Box::new(move || Some(search::read_layout(name)))),
            Effect::Ring => self.painter.out.push(0x07),
            Effect::Notify { title, body } => outside::notification(&title, &body, &mut self.painter.out),
            Effect::ReadSettings => self.read_settings(),
            Effect::Suspend => self.suspend(),
            Effect::Leave(left) => self.done = self.done.take().or(Some(Ok(left))),
            Effect::Fail(error) => self.done = self.done.take().or(Some(Err(error.into()))),
        }
    }

    fn gone(&mut self) {
        self.done = Some(Ok(Left::TerminalGone));
    }

    fn read_terminal(&mut self) {
        let mut buffer = [0; 16 << 10];
        let Ok(len) = self.guard.read(&mut buffer) else {
            self.gone();
            return;
        };
        self.typed_at = clock::monotonic_ns();
        let mut tokens = Vec::new();
        let is_typing = self.app.context() == Context::Typing;
        self.tokeniser.feed(&buffer[..len], clock::monotonic_ns(), is_typing, &mut tokens);
        if !tokens.is_empty() {
            self.tell(Msg::Input(tokens));
        }
    }

    fn read_signals(&mut self) {
        while let Some(signal) = self.signals.next() {
            match Signal::from_named_raw(signal) {
                Some(Signal::WINCH) => {
                    if cfg!(debug_assertions) {
                        let _ = Place::open().map(|place| failpoint::panic_at(&place.runtime, "dashboard-resized"));
                    }
                    self.tell(Msg::Resized(self.guard.screen()));
                }
                Some(Signal::HUP) => self.gone(),
                Some(Signal::TSTP) => self.suspend(),
                Some(Signal::CONT) => self.resume(),
                _ => self.tell(Msg::Terminate),
            }
        }
    }

    /// Lends the terminal to a pager or an editor.
    fn open_outside(&mut self, session: SessionId, name: &str, text: Option<&str>, is_editor: bool) {
        let _ = self.guard.give_back();
        outside::show(session, name, text, is_editor);
        self.resume();
    }

    fn read_settings(&self) {
        self.worker.give(Box::new(|| {
            let place = Place::open().ok()?;
            Some(Msg::Settings(Box::new(config::load(&place))))
        }));
    }

    /// Lends the terminal to an editor for the settings, and reads them again; where there are none, the documented defaults are
    /// written first.
    fn edit_settings(&mut self) {
        let Ok(place) = Place::open() else { return };
        if let Err(error) = config::init(&place)
            && !matches!(error, config::Error::Exists { .. })
        {
            self.tell(Msg::Said(format!("The settings cannot be edited: {error}.")));
            return;
        }
        let _ = self.guard.give_back();
        outside::edit(&place.config());
        self.resume();
        self.read_settings();
    }

    /// Gives the terminal to the shell until it lets us go on; without a shell that could, nothing happens.
    fn suspend(&mut self) {
        if !has_shell() {
            return;
        }
        let _ = self.guard.give_back();
        // The rest of a pipeline stops as well; our own copy of the signal is blocked and is read below.
        let _ = rustix::process::kill_current_process_group(Signal::TSTP);
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
        while let Some(signal) = self.signals.next() {
            if signal == Signal::TERM.as_raw() || signal == Signal::HUP.as_raw() {
                self.tell(Msg::Terminate);
            }
        }
        self.resume();
    }

    /// Somebody else may have used the terminal meanwhile.
    fn resume(&mut self) {
        let _ = self.guard.give_back();
        if self.guard.take().is_err() {
            self.gone();
        }
        self.tell(Msg::Resized(self.guard.screen()));
        self.tell(Msg::Resumed);
    }

    /// Returns when the next frame may be drawn, if there is one and it is not now. What was typed is answered at once.
    fn too_early(&self) -> Option<u64> {
        let now = clock::monotonic_ns();
        let at = self.drawn_at + self.pace;
        (now < at && now > self.typed_at + ECHO_NS && self.app.is_damaged()).then_some(at)
    }

    /// Draws what is damaged, if the terminal takes it.
    fn draw(&mut self) {
        if !self.guard.is_flushed() || self.too_early().is_some() {
            return;
        }
        let damage = self.app.take_damage();
        if !damage.is_none() {
            self.drawn_at = clock::monotonic_ns();
        }
        self.guard.set_modes(Outer::wanted(&self.app));
        if !damage.is_none() {
            self.paint(&damage);
        }
        self.painter.cursor(view::cursor(&self.app));
        self.title();
        let large = self.painter.out.len() > LARGE;
        let parts: [&[u8]; 2] = if large { [b"\x1b[?2026h", b"\x1b[?2026l"] } else { [b"", b""] };
        if !self.painter.out.is_empty() || !self.guard.is_flushed() {
            let bytes = [parts[0], &self.painter.out, parts[1]].concat();
            self.painter.out.clear();
            if self.guard.write(&bytes).is_err() {
                self.gone();
            }
        }
    }

    fn paint(&mut self, damage: &crate::tui::damage::Damage) {
        if damage.is_unknown {
            let screen = self.guard.screen();
            let area = Rect::new(0, 0, screen.cols, screen.rows);
            self.buffer.resize(area);
            self.painter.clear(area);
        }
        let is_covered = self.app.overlay.is_some() || self.app.link.is_shown() || self.app.is_which_key_shown();
        if damage.is_chrome || is_covered {
            self.painter.hide_cursor();
            self.buffer.reset();
            view::render(&self.app, &mut self.buffer);
            self.paint_all(self.buffer.area);
            return;
        }
        if damage.rows.len() > 3 || !damage.panes.is_empty() {
            self.painter.hide_cursor();
        }
        let tiles = if damage.panes.is_empty() { Vec::new() } else { self.app.tiles() };
        for tile in tiles.into_iter().filter(|tile| damage.panes.contains(&tile.id)) {
            view::render_pane(&self.app, tile.id, tile.pane, &mut self.buffer);
            self.paint_all(tile.pane);
        }
        let painter = &mut self.painter;
        view::render_rows(&self.app, &damage.rows, &mut self.buffer, |buffer, row| {
            painter.row(buffer, row.y, row.left()..row.right());
        });
    }

    /// Tells the terminal what its title is, when that changed.
    fn title(&mut self) {
        let title = view::outer_title(&self.app);
        if title != self.title {
            self.painter.out.extend_from_slice(format!("\x1b]2;{title}\x07").as_bytes());
            self.title = title;
        }
    }

    fn paint_all(&mut self, area: Rect) {
        for y in area.top()..area.bottom() {
            self.painter.row(&self.buffer, y, area.left()..area.right());
        }
    }
}

/// Returns the nanoseconds between two frames.
fn pace(frames: u32) -> u64 {
    let is_far = std::env::var_os("SSH_CONNECTION").is_some_and(|value| !value.is_empty());
    let frames = match frames {
        0 if is_far => 30,
        0 => 60,
        n => n,
    };
    1_000_000_000 / u64::from(frames)
}

/// Returns the processes that this one descends from.
fn ancestors() -> Vec<u32> {
    let mut found = vec![std::process::id()];
    while let Some(stat) = found.last().and_then(|pid| process::stat(*pid))
        && stat.parent > 1
        && !found.contains(&stat.parent)
    {
        found.push(stat.parent);
    }
    found
}

/// Returns whether a shell with job control waits for us: the parent of our group is another group of our terminal.
fn has_shell() -> bool {
    let own = rustix::process::getpgrp();
    let session = |pid| rustix::process::getsid(pid).ok();
    let groups = ancestors().into_iter().filter_map(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
    let mut others = groups.skip_while(|pid| rustix::process::getpgid(Some(*pid)).is_ok_and(|group| group == own));
    others.next().is_some_and(|pid| session(Some(pid)) == session(None))
}
