//! The dashboard without its terminal: messages and time in, effects out.
//!
//! Pure: no clock, no descriptors. `sessions` keeps what there is, `list` how it is shown, `panes` where, `watch` what is shown and who
//! types, `keys` turns tokens into actions, the other files do them; `link` survives the daemon. *Invariant:* input reaches a session
//! only while `Control::Held`, and what somebody types while control is asked for waits, so it is never taken for a command.

mod act;
mod alerts;
mod bulk;
mod copying;
mod form;
mod grid;
mod keys;
mod link;
mod list;
mod logs;
mod message;
mod mouse;
mod overlay;
mod palette;
mod panes;
mod past;
mod pasting;
mod queries;
mod reading;
mod results;
mod sample;
mod send;
mod services;
mod sessions;
mod starting;
mod time;
mod waiting;
mod watch;

use std::collections::VecDeque;

use crate::config;
use crate::protocol::error::WireError;
use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::Left;
use crate::tui::Options;
use crate::tui::damage::Damage;
use crate::tui::key::Key;
use crate::tui::keymap::Keymap;
use crate::tui::layout::Screen;
use crate::tui::theme::Look;

pub use crate::tui::pane::Control;
pub use alerts::Alert;
pub use alerts::Alerts;
pub use copying::Copying;
pub use form::Form;
pub use form::LABELS;
pub use link::Link;
pub use list::Grouping;
pub use list::Item;
pub use list::List;
pub use logs::LogsView;
pub use message::Answer;
pub use message::Ask;
pub use message::Effect;
pub use message::Msg;
pub use message::Now;
pub use message::Program;
pub use message::Span;
pub use mouse::Hand;
pub use overlay::Overlay;
pub use overlay::Prompt;
pub use overlay::Then;
pub use palette::Choice;
pub use palette::Palette;
pub use panes::Panes;
pub use panes::Tile;
pub use past::Past;
pub use results::Hit;
pub use results::Results;
pub use sample::Samples;
pub use services::Explained;
pub use sessions::Sessions;

pub(in crate::tui) const SECOND_NS: u64 = 1_000_000_000;
/// How long a message stays.
const NOTICE_NS: u64 = 6 * SECOND_NS;
/// How long a burst of resizes may pause before the session is told.
const SETTLE_NS: u64 = 50_000_000;
/// How long keys are dropped after the keyboard came back by itself: they were meant for the program.
const DEAF_NS: u64 = 400_000_000;
/// Most messages that are kept.
const MESSAGES: usize = 200;

/// Where the keyboard is, overlays apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// On the list.
    List,
    /// On the pane, without typing into it.
    View,
    /// In the session, or on its way there.
    Typing,
    /// On the history of the pane.
    Copy,
    /// On the grid of all sessions.
    Grid,
    /// On what sessions say, line by line.
    Logs,
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

/// What waits for the next key, whatever it is.
type Argument = fn(&mut App, Key);

/// See the module.
pub struct App {
    /// What it was started for.
    pub mode: Mode,
    /// What there is.
    pub sessions: Sessions,
    /// How it is listed.
    pub list: List,
    /// What is shown of sessions, and where.
    pub panes: Panes,
    /// What sessions did lately.
    pub samples: Samples,
    /// The states they had.
    pub past: Past,
    /// History that is looked at.
    pub copying: Option<Copying>,
    /// Logs that are read.
    pub logs_view: Option<LogsView>,
    /// What is known of the service whose details are seen.
    pub explained: Option<Explained>,
    /// What was copied last.
    pub copied: String,
    /// What wants attention.
    pub alerts: Alerts,
    /// The directory that new sessions start in.
    pub here: String,
    /// Where the keyboard is.
    pub focus: Focus,
    /// What lies over everything.
    pub overlay: Option<Overlay>,
    /// A message.
    pub notice: Option<Notice>,
    /// All messages, the newest last: when, and what.
    pub messages: VecDeque<(u64, String)>,
    /// The connection.
    pub link: Link,
    /// Keys.
    pub keymap: Keymap,
    /// What the user wants.
    pub settings: config::Tui,
    /// Colours and lines.
    pub look: Look,
    /// Processes that the dashboard descends from: a session among them must not be shown in itself.
    pub ancestors: Vec<u32>,
    screen: Screen,
    is_zoomed: bool,
    /// The list gives its place to the panes.
    is_list_hidden: bool,
    damage: Damage,
    /// When a burst of resizes is over.
    settle_at: Option<u64>,
    /// Until when keys are dropped.
    deaf_until: u64,
    /// When ages are drawn next.
    ages_at: u64,
    /// When the keys that may follow are shown.
    which_key_at: Option<u64>,
    /// They are.
    is_which_key_shown: bool,
    /// Bytes of the key that is being acted on.
    pressed: Vec<u8>,
    wants: Option<Argument>,
    hand: Hand,
    /// Sessions that start anew as soon as their rows are gone.
    restarts: Vec<(SessionId, Program)>,
    /// Sessions that are to end first, then start anew.
    ending: Vec<SessionId>,
    /// A session that is being started, to be typed into.
    starting: Option<starting::Starting>,
    /// A paste that has begun.
    pasted: Vec<u8>,
    /// Rows that were removed, until when that can be undone.
    removing: Vec<(u64, Vec<SessionId>)>,
    /// All sessions are being searched.
    is_searching: bool,
    /// A layout that waits for the list.
    layout_wish: Option<(String, serde_json::Value)>,
    /// The services are to be gone to, as soon as there is a list.
    is_for_services: bool,
    /// So is a session of this name.
    wished: Option<String>,
    now: Now,
    effects: Vec<Effect>,
}

impl App {
    /// Starts with nothing known.
    #[must_use]
    pub fn new(options: Options, screen: Screen, ancestors: Vec<u32>) -> Self {
        let settings = options.settings.tui;
        let mut app = Self {
            mode: if options.session.is_some() { Mode::Single } else { Mode::Dashboard },
            sessions: Sessions::default(),
            list: List::default(),
            panes: Panes::default(),
            samples: Samples::default(),
            past: Past::default(),
            copying: None,
            logs_view: None,
            explained: None,
            copied: String::new(),
            alerts: Alerts::default(),
            here: options.here,
            focus: Focus::List,
            overlay: None,
            notice: None,
            messages: VecDeque::new(),
            link: Link::Up,
            keymap: Keymap::new(&settings, &options.settings.keys),
            look: Look::new(&settings, &options.settings.themes, options.has_utf8, options.is_light),
            settings,
            ancestors,
            screen,
            is_zoomed: false,
            is_list_hidden: false,
            damage: Damage::everything(),
            settle_at: None,
            deaf_until: 0,
            ages_at: u64::MAX,
            which_key_at: None,
            is_which_key_shown: false,
            pressed: Vec::new(),
            wants: None,
            hand: Hand::default(),
            restarts: Vec::new(),
            ending: Vec::new(),
            starting: None,
            pasted: Vec::new(),
            removing: Vec::new(),
            is_searching: false,
            layout_wish: None,
            is_for_services: options.at_services,
            wished: options.at,
            now: Now::default(),
            effects: Vec::new(),
        };
        app.panes.is_ascii(app.look.is_ascii);
        if let Some(target) = options.session {
            app.focus = Focus::Typing;
            let pane = app.panes.focused_mut();
            pane.aim(target);
            pane.control = Control::asking(options.steal);
        }
        app
    }

    /// Takes one message, says what is to be done.
    pub fn update(&mut self, msg: Msg, now: Now) -> Vec<Effect> {
        self.now = now;
        match msg {
            Msg::Input(tokens) => tokens.iter().for_each(|token| self.on_token(token)),
            Msg::Clipboard(text) => self.on_clipboard(&text),
            Msg::Waiting(found) => self.on_waiting(&found),
            Msg::Resized(screen) => self.on_resized(screen),
            Msg::Connected => self.on_connected(),
            Msg::Lost(reason) => self.on_lost(reason),
            Msg::StillLost { reason, next } => self.on_still_lost(reason, next),
            Msg::Reply(ask, result) => self.on_reply(ask, result),
            Msg::Changed(status) => self.on_changed(*status),
            Msg::Removed(id) => self.on_removed(id),
            Msg::Stolen(stolen) => self.on_stolen(&stolen),
            Msg::Closed(closed) => self.on_closed(&closed),
            Msg::Bulk(bulk) => self.on_bulk(&bulk),
            Msg::Log { channel, chunk } => self.on_log(channel, chunk),
            Msg::Tick => self.on_tick(),
            Msg::Resumed => self.damage.clear(),
            Msg::Happened(happened) => self.on_happened(*happened),
            Msg::Completions { word, found } => self.on_completions(&word, found),
            Msg::Finding { pattern, hits, read } => self.on_finding(&pattern, hits, read),
            Msg::Found { pattern, result } => self.on_found(&pattern, result),
            Msg::Layout { name, result } => self.on_layout(&name, result),
            Msg::Said(text) => self.say(text),
            Msg::Branches(found) => self.on_branches(found),
            Msg::ReloadSettings => self.reload_settings(),
            Msg::Settings(settings) => self.on_settings(*settings),
            Msg::Terminate => self.leave(),
        }
        self.forget_search();
        std::mem::take(&mut self.effects)
    }

    fn on_reply(&mut self, ask: Ask, result: Result<Answer, WireError>) {
        match (ask, result) {
            (Ask::Subscribe, Ok(Answer::Listing(sessions))) => self.on_listing(sessions),
            (Ask::Sample, Ok(Answer::Listing(sessions))) => self.on_sample(&sessions),
            (Ask::Procs { .. }, Ok(Answer::Procs(procs))) => self.on_procs(procs),
            (Ask::LastLine { id }, Ok(Answer::Text(text))) => self.samples.set_last_line(id, &text),
            (Ask::Watch { channel, .. }, Ok(Answer::Attached(attached))) => self.on_watching(channel, &attached),
            (Ask::Watch { channel, .. }, Err(error)) => self.on_not_watching(channel, error),
            (Ask::Take { channel, .. }, Ok(_)) => self.on_taken(channel),
            (Ask::Take { channel, .. }, Err(error)) => self.on_refused(channel, error),
            (Ask::Run { .. }, Ok(Answer::Started(started))) => self.on_started(started.id),
            (Ask::Run { .. }, Err(error)) => {
                self.starting = None;
                self.complain(&error);
            }
            (Ask::Stop { .. } | Ask::Remove { .. } | Ask::Signal { .. }, Ok(Answer::Outcomes(outcomes))) => {
                let error = outcomes.into_iter().find_map(|outcome| outcome.error);
                if let Some(error) = error {
                    self.complain(&error);
                }
            }
            (ask @ (Ask::Why { .. } | Ask::Definition { .. } | Ask::Act { .. }), Ok(answer)) => {
                self.on_service_answer(&ask, answer);
            }
            (Ask::Logs { channel, .. }, Err(error)) => self.on_logs_refused(channel, &error),
            (Ask::History { channel, .. }, Err(error)) => {
                self.on_history_end(channel);
                self.on_words_end(channel);
                self.complain(&error);
            }
            // What was to be given up is gone in any case; what was only looked at is looked at again.
            (
                Ask::Events
                | Ask::Release { .. }
                | Ask::Detach { .. }
                | Ask::Sample
                | Ask::Procs { .. }
                | Ask::Why { .. }
                | Ask::Definition { .. }
                | Ask::LastLine { .. },
                _,
            )
            | (_, Ok(_)) => {}
            (_, Err(error)) => self.complain(&error),
        }
    }

    fn on_resized(&mut self, screen: Screen) {
        self.screen = screen;
        self.damage.clear();
        self.follow_cursors();
        self.resize_copy();
        self.resize_logs();
        self.sync_grid();
        self.settle();
    }

    /// Tells sessions their sizes when nothing moved for a moment.
    pub(in crate::tui) fn settle(&mut self) {
        if self.panes.all().any(|pane| pane.control == Control::Held) {
            self.settle_at = Some(self.now.mono + SETTLE_NS);
        }
    }

    fn on_settings(&mut self, loaded: config::Loaded) {
        let mut findings = loaded.findings;
        findings.extend(crate::tui::check(&loaded.settings));
        if let Some(finding) = findings.iter().find(|finding| finding.grade == config::Grade::Error) {
            let text = format!("The settings are left as they were: {finding}");
            self.say(text);
            return;
        }
        self.settings = loaded.settings.tui;
        self.keymap = Keymap::new(&self.settings, &loaded.settings.keys);
        self.look = Look::new(&self.settings, &loaded.settings.themes, !self.look.is_forced_ascii, self.look.is_light);
        self.damage.clear();
        self.say(match findings.first() {
            Some(finding) => format!("The settings were read again; {finding}"),
            None => "The settings were read again.".to_owned(),
        });
    }

    pub(in crate::tui) fn leave(&mut self) {
        self.remove_now(u64::MAX);
        let left = match self.mode {
            Mode::Dashboard => Left::Quit { sessions_running: self.sessions.running() },
            Mode::Single => {
                let status = self.selected();
                let target = self.panes.focused().target();
                let name = status.map_or_else(|| target.to_owned(), |status| status.name.clone());
                match status.and_then(Status::end) {
                    Some(end) => Left::Ended { name, end: end.clone() },
                    None => Left::Detached { name },
                }
            }
        };
        self.effects.push(Effect::Leave(left));
    }

    pub(in crate::tui) fn say(&mut self, text: impl Into<String>) {
        let text = text::clean(&text.into());
        if self.messages.len() == MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back((self.now.wall_ms, text.clone()));
        self.notice = Some(Notice { text, until: self.now.mono + NOTICE_NS });
        self.damage.chrome();
    }

    pub(in crate::tui) fn complain(&mut self, error: &WireError) {
        let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        self.say(format!("{}{hint}", error.message));
    }

    pub(in crate::tui) fn ask(&mut self, ask: Ask) {
        self.effects.push(Effect::Ask(ask));
    }

    /// Takes what has to be drawn anew.
    pub fn take_damage(&mut self) -> Damage {
        std::mem::take(&mut self.damage)
    }
}
