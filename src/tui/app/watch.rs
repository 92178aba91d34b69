//! What is shown of the selected session, and who types into it.
//!
//! Watching changes nothing for anybody. Control is asked for, granted, refused, stolen or given back; a channel number is never
//! used twice, so what is still on its way for an older one is known as stale and dropped.

use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::frame::Bulk;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::text;
use crate::tui::Left;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::DEAF_NS;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Mode;
use crate::tui::app::Overlay;
use crate::tui::app::Theft;
use crate::tui::layout::Layout;

/// Most bytes that wait for control to be granted.
const TYPED_LIMIT: usize = 64 << 10;

/// Keyboard and size of the watched session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Not ours, and not asked for.
    None,
    /// Asked for, or about to be.
    Asking {
        /// From whoever has them.
        steal: bool,
        /// They were ours before the daemon went.
        is_return: bool,
        /// What was typed meanwhile.
        typed: Vec<u8>,
    },
    /// Ours.
    Held,
}

impl Control {
    /// Returns the state of somebody who just asked.
    #[must_use]
    pub const fn asking(steal: bool) -> Self {
        Self::Asking { steal, is_return: false, typed: Vec::new() }
    }
}

impl App {
    /// Starts watching what the pane aims at.
    pub(super) fn watch(&mut self) {
        if self.sessions.selected_id().is_some_and(|id| self.is_own(id)) {
            return;
        }
        let channel = self.pane.open();
        let target = self.pane.target().to_owned();
        self.ask(Ask::Watch { channel, target });
    }

    /// Stops watching.
    pub(super) fn unwatch(&mut self) {
        self.control = Control::None;
        self.told = None;
        if let Some(channel) = self.pane.close() {
            self.ask(Ask::Detach { channel });
        }
    }

    pub(super) fn on_watching(&mut self, channel: u32, attached: &verbs::Attached) {
        if channel != self.pane.channel() {
            return;
        }
        self.pane.attached();
        if self.mode == Mode::Single {
            self.sessions.select(Some(attached.id));
        }
        if self.is_own(attached.id) && self.mode == Mode::Single {
            let message =
                format!("this is session {}: showing it inside itself would loop", text::clean(&attached.name));
            self.effects.push(Effect::Fail(WireError::new(Code::Invalid, message).hint("use another terminal")));
            return;
        }
        match &self.control {
            Control::Asking { .. } if attached.ended.is_some() => {
                self.control = Control::None;
                self.back_to_watching();
            }
            Control::Asking { steal, .. } => self.post_take(*steal),
            Control::None | Control::Held => {}
        }
        self.damage.chrome();
    }

    pub(super) fn on_not_watching(&mut self, channel: u32, error: WireError) {
        if channel != self.pane.channel() {
            return;
        }
        if self.mode == Mode::Single {
            self.effects.push(Effect::Fail(error));
            return;
        }
        self.control = Control::None;
        self.back_to_watching();
        self.complain(&error);
    }

    fn post_take(&mut self, steal: bool) {
        let size = self.pane_size().unwrap_or_default();
        self.told = Some(size);
        self.ask(Ask::Take { channel: self.pane.channel(), steal, size });
    }

    /// Asks for the keyboard of the selected session.
    pub(super) fn take(&mut self, steal: bool) {
        let Some(id) = self.sessions.selected_id() else { return };
        if self.is_own(id) {
            self.say("The dashboard runs inside this session; use another terminal to type into it.");
            return;
        }
        if let Some(status) = self.selected()
            && status.end().is_some()
        {
            let text = format!("{} has ended ({}); this is its last screen.", text::clean(&status.name), status.word());
            self.back_to_watching();
            if self.focus == Focus::List && self.layout().pane.is_none() {
                self.focus = Focus::View;
                self.damage.chrome();
            }
            self.say(text);
            return;
        }
        if self.control == Control::Held {
            return;
        }
        self.control = Control::asking(steal);
        self.theft = None;
        self.set_focus(Focus::Typing);
        if self.pane.is_attached() {
            self.post_take(steal);
        }
    }

    pub(super) fn on_taken(&mut self, channel: u32) {
        if channel != self.pane.channel() {
            return;
        }
        match std::mem::replace(&mut self.control, Control::Held) {
            Control::Asking { typed, .. } => {
                if !typed.is_empty() {
                    self.effects.push(Effect::Input { channel, bytes: typed });
                }
                // Our own terminal may have got another size since we asked.
                self.tell_size();
            }
            Control::Held => {}
            // Given up before it was granted.
            Control::None => {
                self.control = Control::None;
                self.ask(Ask::Release { channel });
            }
        }
        self.theft = None;
        self.damage.chrome();
    }

    pub(super) fn on_refused(&mut self, channel: u32, error: WireError) {
        let before = std::mem::replace(&mut self.control, Control::None);
        let Control::Asking { is_return, .. } = before else {
            self.control = before;
            return;
        };
        if channel != self.pane.channel() {
            return;
        }
        self.back_to_watching();
        if error.code == Code::Controlled && !is_return {
            self.overlay = Some(Overlay::Offer { error: text::clean(&error.message) });
            self.damage.chrome();
        } else {
            self.deaf_until = self.now.mono + DEAF_NS;
            self.complain(&WireError { hint: None, ..error });
        }
    }

    /// Hands bytes to the program, or keeps them until it may have them.
    pub(super) fn type_bytes(&mut self, bytes: &[u8]) {
        match &mut self.control {
            Control::Held => match self.effects.last_mut() {
                Some(Effect::Input { bytes: before, .. }) => before.extend_from_slice(bytes),
                _ => self.effects.push(Effect::Input { channel: self.pane.channel(), bytes: bytes.to_vec() }),
            },
            Control::Asking { typed, .. } if typed.len() + bytes.len() <= TYPED_LIMIT => typed.extend_from_slice(bytes),
            Control::Asking { .. } | Control::None => {}
        }
    }

    /// Gives control back and goes on watching.
    pub(super) fn release(&mut self) {
        if self.control != Control::None && self.pane.is_attached() {
            self.ask(Ask::Release { channel: self.pane.channel() });
        }
        self.control = Control::None;
        self.told = None;
    }

    pub(super) fn set_focus(&mut self, focus: Focus) {
        self.focus = focus;
        self.keymap.reset();
        self.follow_cursor();
        self.damage.chrome();
    }

    /// Puts the keyboard where it is while nothing is typed: on the list if it is visible, else on the pane.
    pub(super) fn back_to_watching(&mut self) {
        if self.focus != Focus::Typing {
            return;
        }
        let is_list_visible = self.mode == Mode::Dashboard && self.layout().list.is_some();
        self.set_focus(if is_list_visible { Focus::List } else { Focus::View });
    }

    /// The keyboard comes back without anybody having asked: the next keys were meant for the program.
    pub(super) fn lose_keyboard(&mut self) {
        if self.focus == Focus::Typing {
            self.deaf_until = self.now.mono + DEAF_NS;
        }
        self.control = Control::None;
        self.told = None;
        self.back_to_watching();
    }

    pub(super) fn on_stolen(&mut self, stolen: &verbs::Stolen) {
        if stolen.channel != self.pane.channel() {
            return;
        }
        let by = text::clean(&stolen.by);
        if self.mode == Mode::Single {
            let name = self.selected().map_or_else(|| self.pane.target().to_owned(), |status| status.name.clone());
            self.effects.push(Effect::Leave(Left::Stolen { name, by, at_ms: stolen.at_ms }));
            return;
        }
        self.lose_keyboard();
        if self.layout().title.is_none() {
            // Nothing else on the screen says it.
            self.say(format!("Taken over by {by}; t takes it back."));
        }
        self.theft = Some(Theft { by, at_ms: stolen.at_ms });
        self.damage.chrome();
    }

    pub(super) fn on_closed(&mut self, closed: &verbs::Closed) {
        if closed.channel == self.pane.channel() && closed.end.is_some() {
            self.on_end();
        }
    }

    /// The watched session ended.
    pub(super) fn on_end(&mut self) {
        if self.mode == Mode::Single {
            self.leave();
            return;
        }
        let was_typing = self.focus == Focus::Typing;
        self.lose_keyboard();
        let word = self.selected().map(|status| format!("{} ended: {}.", text::clean(&status.name), status.word()));
        if let Some(word) = word.filter(|_| was_typing) {
            self.say(word);
        }
    }

    pub(super) fn on_started(&mut self, id: SessionId) {
        if self.sessions.selected_id() != Some(id) {
            self.show(Some(id));
        }
        self.take(false);
    }

    pub(super) fn on_bulk(&mut self, bulk: &Bulk) {
        if bulk.channel != self.pane.channel() {
            return;
        }
        let Some(applied) = self.pane.on_bulk(bulk) else { return };
        self.effects.push(Effect::Drawn { channel: bulk.channel, frame: bulk.at });
        if applied.is_new_size {
            self.damage.chrome();
        }
        self.damage.rows(applied.rows);
        self.follow_cursor();
    }

    /// Keeps the cursor visible in a pane that is smaller than the session.
    pub(super) fn follow_cursor(&mut self) {
        let Layout { pane: Some(area), .. } = self.layout() else { return };
        if self.pane.follow_cursor(area) {
            self.damage.pane();
        }
    }
}
