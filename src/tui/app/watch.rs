//! What is shown of the selected session, and who types into it.
//!
//! Watching changes nothing for anybody. Control is asked for, granted, refused, stolen or given back; a channel number is never
//! used twice, so what is still on its way for an older one is known as stale and dropped.

use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::frame::Bulk;
use crate::protocol::verbs;
use crate::session::text;
use crate::tui::Left;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::DEAF_NS;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Mode;
use crate::tui::app::Overlay;
use crate::tui::pane::Theft;
use crate::tui::tiles::PaneId;

/// Most bytes that wait for control to be granted.
const TYPED_LIMIT: usize = 64 << 10;

impl App {
    /// Starts watching what the focused pane aims at.
    pub(in crate::tui) fn watch(&mut self) {
        self.watch_in(self.panes.focused_id());
    }

    pub(in crate::tui) fn watch_in(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get(id) else { return };
        if pane.target().is_empty() || pane.session.is_some_and(|id| self.is_own(id) || self.is_unborn(id)) {
            return;
        }
        let channel = self.panes.channel();
        let Some(pane) = self.panes.get_mut(id) else { return };
        pane.open(channel);
        let target = pane.target().to_owned();
        self.ask(Ask::Watch { channel, target });
    }

    /// Stops watching in the focused pane.
    pub(in crate::tui) fn unwatch(&mut self) {
        self.unwatch_in(self.panes.focused_id());
    }

    pub(in crate::tui) fn unwatch_in(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(id) else { return };
        pane.control = Control::None;
        pane.told = None;
        pane.theft = None;
        if let Some(channel) = pane.close() {
            self.ask(Ask::Detach { channel });
        }
    }

    pub(in crate::tui) fn on_watching(&mut self, channel: u32, attached: &verbs::Attached) {
        let is_single = self.mode == Mode::Single;
        let Some(pane) = self.panes.of_channel(channel) else { return };
        pane.attached();
        pane.session = Some(attached.id);
        let (id, control) = (pane.id, pane.control.clone());
        if is_single {
            self.sessions.select(Some(attached.id));
        }
        if self.is_own(attached.id) && is_single {
            let message =
                format!("this is session {}: showing it inside itself would loop", text::clean(&attached.name));
            self.effects.push(Effect::Fail(WireError::new(Code::Invalid, message).hint("use another terminal")));
            return;
        }
        match control {
            Control::Asking { .. } if attached.ended.is_some() => self.lost_control(id),
            Control::Asking { steal, .. } => self.post_take(id, steal),
            Control::None | Control::Held => {}
        }
        self.damage.chrome();
    }

    /// A pane has no control any more; if it had our keyboard, that comes back.
    fn lost_control(&mut self, id: PaneId) {
        if let Some(pane) = self.panes.get_mut(id) {
            pane.control = Control::None;
            pane.told = None;
        }
        if id == self.panes.focused_id() {
            self.back_to_watching();
        }
    }

    pub(in crate::tui) fn on_not_watching(&mut self, channel: u32, error: WireError) {
        let Some(pane) = self.panes.of_channel(channel) else { return };
        let id = pane.id;
        pane.lost();
        if self.mode == Mode::Single {
            self.effects.push(Effect::Fail(error));
            return;
        }
        self.lost_control(id);
        self.complain(&error);
    }

    fn post_take(&mut self, id: PaneId, steal: bool) {
        let size = self.size_for(id).unwrap_or_default();
        let Some(pane) = self.panes.get_mut(id) else { return };
        pane.told = Some(size);
        let channel = pane.channel();
        self.ask(Ask::Take { channel, steal, size });
    }

    /// Asks for the keyboard of the session in the focused pane, and of those in panes that are marked with it.
    pub(in crate::tui) fn take(&mut self, steal: bool) {
        let Some(id) = self.sessions.selected_id() else { return };
        if self.is_own(id) {
            self.say("The dashboard runs inside this session; use another terminal to type into it.");
            return;
        }
        if let Some(status) = self.selected()
            && status.end().is_some()
        {
            let (name, word) = (text::clean(&status.name), status.word());
            let text = match status.service {
                Some(_) => format!("{name} does not run ({word}); S starts it."),
                None => format!("{name} has ended ({word}); this is its last screen."),
            };
            self.back_to_watching();
            if self.focus == Focus::List && self.tiles().is_empty() {
                self.set_focus(Focus::View);
            }
            self.say(text);
            return;
        }
        let focused = self.panes.focused_id();
        if *self.control() != Control::Held {
            self.set_focus(Focus::Typing);
        }
        self.take_in(focused, steal);
        if self.panes.focused().is_marked {
            for id in self.panes.marked().into_iter().filter(|id| *id != focused) {
                self.take_in(id, false);
            }
        }
    }

    pub(in crate::tui) fn take_in(&mut self, id: PaneId, steal: bool) {
        let Some(pane) = self.panes.get_mut(id) else { return };
        if pane.control == Control::Held || pane.session.is_none() {
            return;
        }
        pane.control = Control::asking(steal);
        pane.theft = None;
        if pane.is_attached() {
            self.post_take(id, steal);
        }
    }

    pub(in crate::tui) fn on_taken(&mut self, channel: u32) {
        let Some(pane) = self.panes.of_channel(channel) else { return };
        pane.theft = None;
        match std::mem::replace(&mut pane.control, Control::Held) {
            Control::Asking { typed, .. } => {
                if !typed.is_empty() {
                    self.effects.push(Effect::Input { channel, bytes: typed });
                }
                // Our own terminal may have got another size since we asked.
                self.tell_sizes();
            }
            Control::Held => {}
            // Given up before it was granted.
            Control::None => {
                pane.control = Control::None;
                self.ask(Ask::Release { channel });
            }
        }
        self.damage.chrome();
    }

    pub(in crate::tui) fn on_refused(&mut self, channel: u32, error: WireError) {
        let focused = self.panes.focused_id();
        let Some(pane) = self.panes.of_channel(channel) else { return };
        let id = pane.id;
        let Control::Asking { is_return, .. } = pane.control else { return };
        self.lost_control(id);
        if id == focused && error.code == Code::Controlled && !is_return {
            self.overlay = Some(Overlay::Offer { error: text::clean(&error.message) });
            self.damage.chrome();
        } else {
            if id == focused {
                self.deaf_until = self.now.mono + DEAF_NS;
            }
            self.complain(&WireError { hint: None, ..error });
        }
    }

    /// Hands bytes to the program, or to all whose panes are marked, or keeps them until it may have them.
    pub(in crate::tui) fn type_bytes(&mut self, bytes: &[u8]) {
        let focused = self.panes.focused_id();
        let marked = self.panes.marked();
        let to = if marked.contains(&focused) { marked } else { vec![focused] };
        for id in to {
            self.type_in(id, bytes);
        }
    }

    fn type_in(&mut self, id: PaneId, bytes: &[u8]) {
        let Some(pane) = self.panes.get_mut(id) else { return };
        let channel = pane.channel();
        match &mut pane.control {
            Control::Held => match self.effects.last_mut() {
                Some(Effect::Input { bytes: before, channel: last }) if *last == channel => {
                    before.extend_from_slice(bytes);
                }
                _ => self.effects.push(Effect::Input { channel, bytes: bytes.to_vec() }),
            },
            Control::Asking { typed, .. } if typed.len() + bytes.len() <= TYPED_LIMIT => typed.extend_from_slice(bytes),
            Control::Asking { .. } | Control::None => {}
        }
    }

    /// Gives all control back and goes on watching.
    pub(in crate::tui) fn release(&mut self) {
        let all: Vec<PaneId> = self.panes.all().map(|pane| pane.id).collect();
        for id in all {
            self.release_in(id);
        }
    }

    pub(in crate::tui) fn release_in(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(id) else { return };
        let before = std::mem::take(&mut pane.control);
        pane.told = None;
        if before != Control::None && pane.is_attached() {
            let channel = pane.channel();
            self.ask(Ask::Release { channel });
        }
    }

    pub(in crate::tui) fn set_focus(&mut self, focus: Focus) {
        let was_grid = self.focus == Focus::Grid;
        self.focus = focus;
        if let Some(id) = self.sessions.selected_id().filter(|_| focus != Focus::List) {
            self.seen(id);
        }
        if was_grid && focus != Focus::Grid {
            self.sync_grid();
        }
        self.keymap.reset();
        self.which_key_at = None;
        self.is_which_key_shown = false;
        self.panes.focused_mut().is_panned &= focus != Focus::Typing;
        self.follow_cursors();
        self.damage.chrome();
    }

    /// Puts the keyboard where it is while nothing is typed: on the list if it is visible, else on the pane.
    pub(in crate::tui) fn back_to_watching(&mut self) {
        if self.focus != Focus::Typing {
            return;
        }
        let is_list_visible = self.mode == Mode::Dashboard && self.layout().list.is_some();
        self.set_focus(if is_list_visible { Focus::List } else { Focus::View });
    }

    /// The keyboard comes back without anybody having asked: the next keys were meant for the program.
    pub(in crate::tui) fn lose_keyboard(&mut self) {
        if self.focus == Focus::Typing {
            self.deaf_until = self.now.mono + DEAF_NS;
        }
        self.lost_control(self.panes.focused_id());
    }

    pub(in crate::tui) fn on_stolen(&mut self, stolen: &verbs::Stolen) {
        let Some(id) = self.panes.of_channel(stolen.channel).map(|pane| pane.id) else { return };
        let by = text::clean(&stolen.by);
        if self.mode == Mode::Single {
            let target = self.panes.focused().target();
            let name = self.selected().map_or_else(|| target.to_owned(), |status| status.name.clone());
            self.effects.push(Effect::Leave(Left::Stolen { name, by, at_ms: stolen.at_ms }));
            return;
        }
        if id == self.panes.focused_id() {
            self.lose_keyboard();
        } else {
            self.lost_control(id);
        }
        if self.tiles().iter().all(|tile| tile.id != id || tile.title.is_none()) {
            // Nothing else on the screen says it.
            self.say(format!("Taken over by {by}; t takes it back."));
        }
        if let Some(pane) = self.panes.get_mut(id) {
            pane.theft = Some(Theft { by, at_ms: stolen.at_ms });
        }
        self.damage.chrome();
    }

    pub(in crate::tui) fn on_closed(&mut self, closed: &verbs::Closed) {
        self.on_history_end(closed.channel);
        self.on_words_end(closed.channel);
        if let Some(id) = self.panes.of_channel(closed.channel).map(|pane| pane.id)
            && closed.end.is_some()
        {
            self.on_end(id);
        }
    }

    /// The session that a pane shows ended.
    pub(in crate::tui) fn on_end(&mut self, id: PaneId) {
        if self.mode == Mode::Single {
            self.leave();
            return;
        }
        if id != self.panes.focused_id() {
            self.lost_control(id);
            return;
        }
        let was_typing = self.focus == Focus::Typing;
        self.lose_keyboard();
        let word = self.selected().map(|status| format!("{} ended: {}.", text::clean(&status.name), status.word()));
        if let Some(word) = word.filter(|_| was_typing) {
            self.say(word);
        }
    }

    pub(in crate::tui) fn on_bulk(&mut self, bulk: &Bulk) {
        if self.on_history(bulk.channel, bulk.at, &bulk.bytes) || self.on_words(bulk.channel, bulk.at, &bulk.bytes) {
            return;
        }
        let Some(pane) = self.panes.of_channel(bulk.channel) else { return };
        let id = pane.id;
        let Some(applied) = pane.on_bulk(bulk) else { return };
        self.effects.push(Effect::Drawn { channel: bulk.channel, frame: bulk.at });
        if applied.is_new_size {
            self.damage.chrome();
        }
        self.on_said(id);
        if self.focus == Focus::Grid {
            // Drawn as a whole; only cells that changed reach the terminal.
            self.damage.chrome();
        }
        self.damage.rows(id, &applied.rows);
        if let Some(area) = self.area_of(id)
            && let Some(pane) = self.panes.get_mut(id)
            && pane.follow_cursor(area)
        {
            self.damage.pane(id);
        }
    }
}
