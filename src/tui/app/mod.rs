//! The dashboard without its terminal: messages and time in, effects out.
//!
//! Pure: no clock, no descriptors. `sessions` keeps the list, `watch` what is shown and who types, `keys` turns tokens into actions,
//! `act` does them, `link` survives the daemon. *Invariant:* input reaches a session only while `Control::Held`, and what somebody types
//! while control is asked for waits, so it is never taken for a command.

mod act;
mod keys;
mod link;
mod message;
mod overlay;
mod sessions;
mod watch;

use crate::protocol::error::WireError;
use crate::session::status::State;
use crate::session::status::Status;
use crate::term::Size;
use crate::tui::Left;
use crate::tui::Options;
use crate::tui::action::Context;
use crate::tui::action::Id;
use crate::tui::damage::Damage;
use crate::tui::keymap::Keymap;
use crate::tui::layout::Arrangement;
use crate::tui::layout::Layout;
use crate::tui::layout::Screen;
use crate::tui::pane::Pane;

pub use link::Link;
pub use message::Answer;
pub use message::Ask;
pub use message::Effect;
pub use message::Msg;
pub use message::Now;
pub use overlay::Overlay;
pub use sessions::Sessions;
pub use watch::Control;

const SECOND_NS: u64 = 1_000_000_000;
/// How long a message stays.
const NOTICE_NS: u64 = 6 * SECOND_NS;
/// How long a burst of resizes may pause before the session is told.
const SETTLE_NS: u64 = 50_000_000;
/// How long keys are dropped after the keyboard came back by itself: they were meant for the program.
const DEAF_NS: u64 = 400_000_000;
/// How often ages are drawn anew.
const AGES_NS: u64 = 60 * SECOND_NS;

/// Where the keyboard is, overlays apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// On the list.
    List,
    /// On the pane, without typing into it.
    View,
    /// In the session, or on its way there.
    Typing,
}

/// What the dashboard was started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// All sessions.
    Dashboard,
    /// One session, full-screen.
    Single,
}

/// A message for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// One sentence.
    pub text: String,
    /// When it goes.
    until: u64,
}

/// Who took a session over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theft {
    /// Who.
    pub by: String,
    /// Wall-clock milliseconds.
    pub at_ms: u64,
}

/// See the module.
pub struct App {
    /// What it was started for.
    pub mode: Mode,
    /// The list.
    pub sessions: Sessions,
    /// What is shown of the selected session.
    pub pane: Pane,
    /// Where the keyboard is.
    pub focus: Focus,
    /// Whether the session has it.
    pub control: Control,
    /// What lies over everything.
    pub overlay: Option<Overlay>,
    /// A message.
    pub notice: Option<Notice>,
    /// The watched session was taken from us.
    pub theft: Option<Theft>,
    /// The connection.
    pub link: Link,
    /// Keys.
    pub keymap: Keymap,
    /// Processes that the dashboard descends from: a session among them must not be shown in itself.
    pub ancestors: Vec<u32>,
    screen: Screen,
    is_zoomed: bool,
    damage: Damage,
    /// The size that the controlled session was last told.
    told: Option<Size>,
    /// When a burst of resizes is over.
    settle_at: Option<u64>,
    /// Until when keys are dropped.
    deaf_until: u64,
    /// When ages are drawn next.
    ages_at: u64,
    now: Now,
    effects: Vec<Effect>,
}

impl App {
    /// Starts with nothing known.
    #[must_use]
    pub fn new(options: Options, screen: Screen, ancestors: Vec<u32>) -> Self {
        let mut app = Self {
            mode: if options.session.is_some() { Mode::Single } else { Mode::Dashboard },
            sessions: Sessions::default(),
            pane: Pane::default(),
            focus: Focus::List,
            control: Control::None,
            overlay: None,
            notice: None,
            theft: None,
            link: Link::Up,
            keymap: Keymap::default(),
            ancestors,
            screen,
            is_zoomed: false,
            damage: Damage::everything(),
            told: None,
            settle_at: None,
            deaf_until: 0,
            ages_at: u64::MAX,
            now: Now::default(),
            effects: Vec::new(),
        };
        if let Some(target) = options.session {
            app.focus = Focus::Typing;
            app.control = Control::asking(options.steal);
            app.pane.aim(target);
        }
        app
    }

    /// Takes one message, says what is to be done.
    pub fn update(&mut self, msg: Msg, now: Now) -> Vec<Effect> {
        self.now = now;
        match msg {
            Msg::Input(tokens) => tokens.iter().for_each(|token| self.on_token(token)),
            Msg::Resized(screen) => self.on_resized(screen),
            Msg::Connected => self.on_connected(),
            Msg::Lost(reason) => self.on_lost(reason),
            Msg::StillLost(reason) => self.on_still_lost(reason),
            Msg::Reply(ask, result) => self.on_reply(ask, result),
            Msg::Changed(status) => self.on_changed(*status),
            Msg::Removed(id) => self.on_removed(id),
            Msg::Stolen(stolen) => self.on_stolen(&stolen),
            Msg::Closed(closed) => self.on_closed(&closed),
            Msg::Bulk(bulk) => self.on_bulk(&bulk),
            Msg::Tick => self.on_tick(),
            Msg::Resumed => self.damage.clear(),
            Msg::Terminate => self.leave(),
        }
        std::mem::take(&mut self.effects)
    }

    fn on_reply(&mut self, ask: Ask, result: Result<Answer, WireError>) {
        match (ask, result) {
            (Ask::Subscribe, Ok(Answer::Listing(sessions))) => self.on_listing(sessions),
            (Ask::Watch { channel, .. }, Ok(Answer::Attached(attached))) => self.on_watching(channel, &attached),
            (Ask::Watch { channel, .. }, Err(error)) => self.on_not_watching(channel, error),
            (Ask::Take { channel, .. }, Ok(_)) => self.on_taken(channel),
            (Ask::Take { channel, .. }, Err(error)) => self.on_refused(channel, error),
            (Ask::Run { .. }, Ok(Answer::Started(started))) => self.on_started(started.id),
            (Ask::Stop { .. } | Ask::Remove { .. }, Ok(Answer::Outcomes(outcomes))) => {
                let error = outcomes.into_iter().find_map(|outcome| outcome.error);
                if let Some(error) = error {
                    self.complain(&error);
                }
            }
            // What was to be given up is gone in any case.
            (Ask::Release { .. } | Ask::Detach { .. }, _) | (_, Ok(_)) => {}
            (_, Err(error)) => self.complain(&error),
        }
    }

    /// Returns when [`Msg::Tick`] should come, in monotonic nanoseconds.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let notice = self.notice.as_ref().map(|notice| notice.until);
        let ages = (self.ages_at != u64::MAX && self.layout().list.is_some()).then_some(self.ages_at);
        [notice, self.settle_at, ages, self.link.deadline()].into_iter().flatten().min()
    }

    fn on_tick(&mut self) {
        let now = self.now.mono;
        if self.notice.as_ref().is_some_and(|notice| now >= notice.until) {
            self.notice = None;
            self.damage.chrome();
        }
        if self.settle_at.is_some_and(|at| now >= at) {
            self.tell_size();
        }
        if now >= self.ages_at {
            self.damage.chrome();
            self.plan_ages();
        }
        if self.link.show_if_due(now) {
            self.damage.chrome();
        }
    }

    /// Plans the next drawing of ages: each minute, and each second while one counts down.
    fn plan_ages(&mut self) {
        let is_counting = self.sessions.rows().iter().any(|status| matches!(status.state, State::Stopping { .. }));
        let pause = if is_counting { SECOND_NS } else { AGES_NS };
        self.ages_at = if self.sessions.rows().is_empty() { u64::MAX } else { self.now.mono + pause };
    }

    fn on_resized(&mut self, screen: Screen) {
        self.screen = screen;
        self.damage.clear();
        self.follow_cursor();
        if self.control == Control::Held {
            self.settle_at = Some(self.now.mono + SETTLE_NS);
        }
    }

    /// Tells the controlled session the size of its pane, if that is news.
    fn tell_size(&mut self) {
        self.settle_at = None;
        if let Some(size) = self.pane_size()
            && self.control == Control::Held
            && self.told != Some(size)
        {
            self.told = Some(size);
            self.effects.push(Effect::PaneSize { channel: self.pane.channel(), size });
        }
    }

    fn leave(&mut self) {
        let left = match self.mode {
            Mode::Dashboard => Left::Quit { sessions_running: self.sessions.running() },
            Mode::Single => {
                let status = self.selected();
                let name = status.map_or_else(|| self.pane.target().to_owned(), |status| status.name.clone());
                match status.and_then(Status::end) {
                    Some(end) => Left::Ended { name, end: end.clone() },
                    None => Left::Detached { name },
                }
            }
        };
        self.effects.push(Effect::Leave(left));
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), until: self.now.mono + NOTICE_NS });
        self.damage.chrome();
    }

    fn complain(&mut self, error: &WireError) {
        let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        self.say(format!("{}{hint}", error.message));
    }

    /// Returns the context in which keys count.
    #[must_use]
    pub fn context(&self) -> Context {
        if self.link.is_shown() {
            return Context::Lost;
        }
        match (&self.overlay, self.focus) {
            (Some(overlay), _) => overlay.context(),
            (None, Focus::List) => Context::List,
            (None, Focus::View) => Context::View,
            (None, Focus::Typing) => Context::Typing,
        }
    }

    /// Returns whether an action means anything here: with one session there is no list and nothing beside it.
    #[must_use]
    pub fn offers(&self, id: Id) -> bool {
        let is_for_many =
            matches!(id, Id::ShowList | Id::NextSession | Id::PreviousSession | Id::New | Id::GoTo(_) | Id::Zoom);
        self.mode == Mode::Dashboard || !is_for_many
    }

    /// Returns the selected session.
    #[must_use]
    pub fn selected(&self) -> Option<&Status> {
        self.sessions.selected()
    }

    /// Returns the time of the last message.
    #[must_use]
    pub const fn now(&self) -> Now {
        self.now
    }

    /// Returns whether what is typed goes to a program.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.context() == Context::Typing && self.control == Control::Held
    }

    /// Returns where everything is drawn.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.arranged(self.focus)
    }

    fn arranged(&self, focus: Focus) -> Layout {
        let arrangement = match (&self.mode, self.is_zoomed, focus) {
            (Mode::Single, ..) | (Mode::Dashboard, true, Focus::View | Focus::Typing) => Arrangement::Alone,
            (Mode::Dashboard, _, Focus::List) => Arrangement::List,
            (Mode::Dashboard, false, Focus::View | Focus::Typing) => Arrangement::Pane,
        };
        Layout::new(self.screen, arrangement)
    }

    /// Returns the size that a session gets while it is controlled from here.
    fn pane_size(&self) -> Option<Size> {
        let pane = self.arranged(Focus::Typing).pane?;
        Some(Size::clamped(pane.height, pane.width))
    }

    /// Takes what has to be drawn anew.
    pub fn take_damage(&mut self) -> Damage {
        std::mem::take(&mut self.damage)
    }
}
