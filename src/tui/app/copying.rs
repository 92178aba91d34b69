//! Copy mode in the app: history is asked for, keys wait until it is there, what is copied goes to the terminal.
//!
//! While it lasts, what the session says further is asked for at most twice a second, counted, and read when somebody goes to the end.

use crate::protocol::verbs::From;
use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::text;
use crate::term::Size;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::reading::Reading;
use crate::tui::app::reading::Wish;
use crate::tui::copy::Copy;
use crate::tui::copy::Motion;
use crate::tui::copy::Seek;
use crate::tui::copy::Shape;
use crate::tui::input::Token;
use crate::tui::key::Code;
use crate::tui::key::Key;
use crate::tui::tiles::PaneId;

/// Pause between two questions for what was said since.
pub(super) const FRESH_NS: u64 = 500_000_000;

/// Copy mode.
pub struct Copying {
    /// The pane it is in.
    pub pane: PaneId,
    /// Its session.
    pub session: SessionId,
    /// What is seen.
    pub copy: Copy,
    /// What is to be seen has not arrived yet.
    pub is_loading: bool,
    pub(super) size: Size,
    pub(super) is_pipe: bool,
    /// Where what was said since comes.
    channel: u32,
    from: Focus,
    /// What was asked for before history was there.
    pub(super) todo: Vec<fn(&mut App)>,
    /// What was typed meanwhile.
    pub(super) keys: Vec<(Key, Token)>,
    /// Where to go once it is: an offset, and what is searched.
    pub(super) target: Option<(u64, Option<String>)>,
    pub(super) reading: Option<Reading>,
    pub(super) wish: Option<Wish>,
    /// The session said something since it was last asked.
    is_stale: bool,
    pub(super) ask_at: u64,
}

impl Copying {
    /// Returns when what was said since is to be asked for, or a search goes on.
    pub(in crate::tui) fn deadline(&self) -> Option<u64> {
        let is_due = self.is_stale && self.channel == 0 && self.copy.is_live() && !self.is_loading;
        let fresh = is_due.then_some(self.ask_at);
        if self.is_searching() { Some(0) } else { fresh }
    }
}

impl App {
    /// Opens history of the focused pane.
    pub(in crate::tui) fn copy_mode(&mut self) {
        self.open_copy(None);
    }

    /// Opens history and goes up by a page.
    pub(in crate::tui) fn copy_page_up(&mut self) {
        self.open_copy(None);
        self.in_copy(|app| app.go(Motion::PageUp));
    }

    /// Opens history at an offset, with a pattern.
    pub(in crate::tui) fn open_copy(&mut self, target: Option<(u64, String)>) {
        let pane = self.panes.focused();
        let Some(status) = self.session_of(pane.session) else { return };
        if self.is_own(status.id) {
            return;
        }
        let size = if status.kind == Kind::Pty { pane.size() } else { status.size };
        let (session, is_pipe, id) = (status.id, status.kind == Kind::Pipe, pane.id);
        let around = target.as_ref().map(|(at, _)| *at);
        self.copying = Some(Copying {
            pane: id,
            session,
            copy: Copy::new(size, is_pipe),
            is_loading: true,
            size,
            is_pipe,
            channel: 0,
            from: if self.focus == Focus::Copy { Focus::View } else { self.focus },
            todo: Vec::new(),
            keys: Vec::new(),
            target: target.map(|(at, pattern)| (at, Some(pattern))),
            reading: None,
            wish: None,
            is_stale: false,
            ask_at: 0,
        });
        self.set_focus(Focus::Copy);
        self.read_anew(around);
    }

    /// Leaves copy mode for where it was opened.
    pub(in crate::tui) fn leave_copy(&mut self) {
        let Some(copying) = self.copying.take() else { return };
        let has_keyboard = self.panes.get(copying.pane).is_some_and(|pane| pane.control != Control::None);
        let focus = match copying.from {
            Focus::Typing if !has_keyboard => Focus::View,
            from => from,
        };
        self.set_focus(focus);
    }

    /// Esc stops what is under way, and then leaves.
    pub(in crate::tui) fn copy_escape(&mut self) {
        let Some(copying) = &mut self.copying else { return };
        if copying.wish.take().is_some() {
            self.notice = None;
        } else if copying.copy.count > 0 {
            copying.copy.count = 0;
        } else if copying.copy.selection.take().is_none() {
            self.leave_copy();
        }
        self.damage.chrome();
    }

    /// Copy mode goes with its pane or session.
    pub(in crate::tui) fn drop_copy_of(&mut self, pane: PaneId) {
        if self.copying.as_ref().is_some_and(|copying| copying.pane == pane) {
            self.leave_copy();
        }
    }

    /// Does something to history, as soon as it is there.
    pub(in crate::tui) fn in_copy(&mut self, what: fn(&mut App)) {
        match &mut self.copying {
            Some(copying) if copying.is_loading => copying.todo.push(what),
            Some(_) => {
                what(self);
                self.after_motion();
            }
            None => {}
        }
    }

    /// Reads what came, if somebody went to the end; draws.
    fn after_motion(&mut self) {
        if let Some(Copying { copy, .. }) = &mut self.copying
            && copy.new_lines > 0
            && copy.cursor.row + 1 >= copy.rows().len()
        {
            copy.catch_up();
        }
        self.read_on();
        self.damage.chrome();
    }

    pub(in crate::tui) fn go(&mut self, motion: Motion) {
        match motion {
            Motion::First => self.go_oldest(),
            Motion::Last => self.go_newest(),
            _ => self.with_copy(|copy| copy.go(motion)).unwrap_or_default(),
        }
    }

    /// Does something that needs nothing but history.
    pub(in crate::tui) fn with_copy<T>(&mut self, what: impl FnOnce(&mut Copy) -> T) -> Option<T> {
        self.copying.as_mut().map(|copying| what(&mut copying.copy))
    }

    pub(in crate::tui) fn copy_scroll(&mut self, by: isize) {
        self.with_copy(|copy| {
            let count = isize::try_from(std::mem::take(&mut copy.count).max(1)).unwrap_or(1);
            copy.scroll_by(by * count);
        });
    }

    pub(in crate::tui) fn copy_digit(&mut self, digit: usize) {
        self.with_copy(|copy| copy.count = (copy.count * 10 + digit).min(100_000));
        self.damage.chrome();
    }

    pub(in crate::tui) fn go_to_prompt(&mut self, is_back: bool) {
        if self.with_copy(|copy| copy.go_to_prompt(is_back)) == Some(false) {
            self.say("There is no other prompt that the shell marked (OSC 133) that way.");
        }
    }

    pub(in crate::tui) fn go_to_error(&mut self, is_back: bool) {
        if self.with_copy(|copy| copy.go_to_error(is_back)) == Some(false) {
            self.say("No line that way looks like an error.");
        }
    }

    pub(in crate::tui) fn find_word(&mut self, is_back: bool) {
        self.with_copy(|copy| copy.find_word(is_back));
    }

    pub(in crate::tui) fn start_find(&mut self, is_back: bool) {
        self.with_copy(|copy| copy.start_find(is_back));
    }

    pub(in crate::tui) fn end_find(&mut self, is_kept: bool) {
        if self.focus == Focus::Logs {
            return self.end_log_find(is_kept);
        }
        let missed = self.with_copy(|copy| {
            copy.end_find(is_kept);
            copy.pattern.as_ref().is_some_and(|pattern| pattern.count() == 0)
        });
        if missed == Some(true) {
            self.say("Nothing matches.");
        }
        self.damage.chrome();
    }

    fn want(&mut self, argument: fn(&mut App, Key)) {
        self.wants = Some(argument);
    }

    pub(in crate::tui) fn want_seek(&mut self, seek: Seek) {
        self.want(match seek {
            Seek::To => |app, key| app.seek(Seek::To, key),
            Seek::BackTo => |app, key| app.seek(Seek::BackTo, key),
            Seek::Before => |app, key| app.seek(Seek::Before, key),
            Seek::BackBehind => |app, key| app.seek(Seek::BackBehind, key),
        });
    }

    fn seek(&mut self, seek: Seek, key: Key) {
        if let Code::Char(c) = key.code {
            self.with_copy(|copy| copy.seek(seek, c));
        }
    }

    pub(in crate::tui) fn want_mark(&mut self) {
        self.want(|app, key| {
            if let Code::Char(c) = key.code {
                app.with_copy(|copy| copy.set_mark(c));
            }
        });
    }

    pub(in crate::tui) fn want_go_to_mark(&mut self) {
        self.want(|app, key| {
            if let Code::Char(c) = key.code {
                if let Some(at) = app.with_copy(|copy| copy.mark_elsewhere(c)).flatten() {
                    app.go_to_byte(at);
                } else if app.with_copy(|copy| copy.go_to_mark(c)) == Some(false) {
                    app.say(format!("Nothing is marked with {c}."));
                }
            }
        });
    }

    pub(in crate::tui) fn select(&mut self, shape: Shape) {
        self.with_copy(|copy| copy.select(shape));
    }

    /// Copies what is selected, says how much, and leaves.
    pub(in crate::tui) fn copy_selection(&mut self, is_leaving: bool) {
        let Some(text) = self.with_copy(|copy| copy.selected_text()) else { return };
        let count = text.chars().count();
        if is_leaving {
            self.leave_copy();
        } else {
            self.with_copy(|copy| copy.selection = None);
        }
        if count == 0 {
            self.say("Nothing is selected.");
            return;
        }
        self.copied.clone_from(&text);
        self.effects.push(Effect::Clipboard(text));
        self.say(format!("{count} character{} copied.", if count == 1 { "" } else { "s" }));
    }

    /// Types what was copied last into the session, as a terminal pastes.
    pub(in crate::tui) fn paste(&mut self) {
        if self.copied.is_empty() {
            self.say("Nothing was copied yet.");
            return;
        }
        if *self.control() == Control::None {
            self.say("You are only looking; Enter gives you the keyboard.");
            return;
        }
        let text = self.copied.replace('\n', "\r");
        let is_bracketed = self.panes.focused().modes().bracketed_paste;
        let bytes = if is_bracketed { format!("\x1b[200~{text}\x1b[201~") } else { text };
        self.type_bytes(bytes.as_bytes());
    }

    /// Hands all of history to the pager, or to the editor.
    pub(in crate::tui) fn open_outside(&mut self, is_editor: bool) {
        let Some(Copying { copy, session, .. }) = &mut self.copying else {
            self.say("Open copy mode first.");
            return;
        };
        copy.catch_up();
        let is_whole = copy.is_oldest() && copy.is_live();
        let text = is_whole.then(|| {
            let lines = copy.rows().iter().flat_map(|row| [row.all(), if row.wraps { "" } else { "\n" }]);
            lines.collect::<String>()
        });
        let session = *session;
        let name = self.sessions.get(session).map(|status| text::clean(&status.name)).unwrap_or_default();
        self.effects.push(Effect::Open { session, name, text, is_editor });
    }

    /// Bytes of history; `false` if they are of another channel.
    pub(in crate::tui) fn on_history(&mut self, channel: u32, at: u64, bytes: &[u8]) -> bool {
        if self.on_part(channel, at, bytes) {
            return true;
        }
        let Some(copying) = self.copying.as_mut().filter(|copying| copying.channel == channel && channel > 0) else {
            return false;
        };
        if copying.copy.is_live() && !copying.is_loading {
            copying.copy.add(at, bytes);
            self.damage.chrome();
        }
        true
    }

    /// All of it was sent.
    pub(in crate::tui) fn on_history_end(&mut self, channel: u32) {
        self.on_part_end(channel);
        if let Some(copying) = self.copying.as_mut().filter(|copying| copying.channel == channel && channel > 0) {
            copying.channel = 0;
            copying.ask_at = self.now.mono + FRESH_NS;
        }
    }

    /// The daemon is back: what it still owed is asked for again.
    pub(in crate::tui) fn copy_again(&mut self) {
        self.read_again();
        let Some(copying) = self.copying.as_mut().filter(|copying| !copying.is_loading) else { return };
        (copying.channel, copying.is_stale, copying.ask_at) = (0, true, 0);
        self.ask_fresh();
    }

    /// The session of a pane said something.
    pub(in crate::tui) fn on_said(&mut self, pane: PaneId) {
        if let Some(copying) = self.copying.as_mut().filter(|copying| copying.pane == pane) {
            copying.is_stale = true;
            self.ask_fresh();
        }
    }

    pub(in crate::tui) fn ask_fresh(&mut self) {
        let now = self.now.mono;
        self.search_on();
        let is_due = |copying: &Copying| {
            copying.is_stale
                && copying.channel == 0
                && copying.copy.is_live()
                && !copying.is_loading
                && now >= copying.ask_at
        };
        if !self.copying.as_ref().is_some_and(is_due) {
            return;
        }
        let channel = self.panes.channel();
        let Some(copying) = &mut self.copying else { return };
        copying.is_stale = false;
        copying.channel = channel;
        let (id, from) = (copying.session, From::Offset(copying.copy.next_offset()));
        self.ask(Ask::History { channel, id, from, most: None });
    }

    /// The pane has another height.
    pub(in crate::tui) fn resize_copy(&mut self) {
        let Some(pane) = self.copying.as_ref().map(|copying| copying.pane) else { return };
        if let Some(area) = self.area_of(pane) {
            self.with_copy(|copy| copy.resize(usize::from(area.height)));
        }
    }

    /// Returns the context of copy mode.
    pub(in crate::tui) fn copy_context(&self) -> Context {
        match &self.copying {
            Some(copying) if copying.copy.find.is_some() => Context::Find,
            _ if self.settings.copy_keys == "emacs" => Context::CopyEmacs,
            _ => Context::Copy,
        }
    }
}
