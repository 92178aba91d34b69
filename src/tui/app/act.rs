//! What each action does.

use crate::session::text;
use crate::tui::action::Id;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Mode;
use crate::tui::app::Overlay;
use crate::tui::input::Token;

/// Milliseconds that a stop waits before it kills.
const GRACE_MS: u64 = 5000;

impl App {
    pub(super) fn act(&mut self, id: Id, token: &Token) {
        if !self.offers(id) {
            self.say("With --session there is this one only; leave and run `rpm tui` for the others.");
            return;
        }
        match id {
            Id::Next => self.step(1),
            Id::Previous => self.step(-1),
            Id::First => self.select_at(0),
            Id::Last => self.select_at(self.sessions.rows().len().saturating_sub(1)),
            Id::GoTo(number) => self.go(usize::from(number) - 1),
            Id::NextSession => self.go_round(1),
            Id::PreviousSession => self.go_round(-1),
            Id::Type => self.take(false),
            Id::TakeOver => self.take_over(),
            Id::ShowList => self.show_list(),
            Id::New => self.start_shell(),
            Id::Stop => self.confirm(false),
            Id::Kill => self.confirm(true),
            Id::Remove => self.remove(),
            Id::Zoom => self.zoom(),
            Id::Redraw => self.damage.clear(),
            Id::Help => self.open(Overlay::Help { context: self.context(), top: 0 }),
            Id::Leave => self.leave(),
            Id::Suspend => self.effects.push(Effect::Suspend),
            Id::SendPrefix => self.type_bytes(token.fresh()),
            Id::Yes => self.confirmed(),
            Id::No | Id::JustView => self.close(),
            Id::Close => self.close_or_leave(),
            Id::ScrollDown => self.scroll(1),
            Id::ScrollUp => self.scroll(-1),
            Id::StartDaemon => self.effects.push(Effect::StartDaemon),
        }
    }

    fn open(&mut self, overlay: Overlay) {
        self.overlay = Some(overlay);
        self.damage.chrome();
    }

    fn close(&mut self) {
        self.overlay = None;
        self.damage.chrome();
    }

    /// Without a list there is nothing behind an offer that was declined.
    fn close_or_leave(&mut self) {
        let was_offer = matches!(self.overlay, Some(Overlay::Offer { .. }));
        self.close();
        if was_offer && self.mode == Mode::Single {
            self.leave();
        }
    }

    fn scroll(&mut self, by: i16) {
        if let Some(Overlay::Help { top, .. }) = &mut self.overlay {
            *top = top.saturating_add_signed(by).min(crate::tui::action::ACTIONS.len() as u16);
            self.damage.chrome();
        }
    }

    fn take_over(&mut self) {
        self.close();
        if self.control == Control::Held {
            self.say("You have the keyboard already.");
        } else {
            self.take(true);
        }
    }

    fn show_list(&mut self) {
        self.release();
        self.is_zoomed = false;
        self.set_focus(Focus::List);
    }

    /// Goes to a session at a place; somebody who types goes on typing there.
    fn go(&mut self, at: usize) {
        let Some(id) = self.sessions.rows().get(at).map(|status| status.id) else {
            self.say(format!("There is no session {}.", at + 1));
            return;
        };
        if self.sessions.selected_id() == Some(id) {
            return;
        }
        let was_typing = self.focus == Focus::Typing;
        self.show(Some(id));
        if was_typing {
            self.take(false);
        }
    }

    fn go_round(&mut self, by: isize) {
        let len = self.sessions.rows().len();
        if let Some(at) = self.sessions.position()
            && len > 1
        {
            self.go((at + len).saturating_add_signed(by) % len);
        }
    }

    fn start_shell(&mut self) {
        let size = self.pane_size().unwrap_or_default();
        self.ask(Ask::Run { size });
    }

    fn confirm(&mut self, is_hard: bool) {
        let Some(status) = self.selected() else { return };
        if status.end().is_some() {
            let text = format!("{} has ended already; d in the list removes it.", text::clean(&status.name));
            self.say(text);
            return;
        }
        let overlay = Overlay::confirm(status, is_hard);
        self.open(overlay);
    }

    fn confirmed(&mut self) {
        if let Some(Overlay::Confirm { id, is_hard, .. }) = self.overlay.take() {
            self.ask(Ask::Stop { id, grace_ms: if is_hard { 0 } else { GRACE_MS } });
        }
        self.damage.chrome();
    }

    fn remove(&mut self) {
        let Some(status) = self.selected() else { return };
        let id = status.id;
        if status.end().is_some() {
            self.ask(Ask::Remove { id });
        } else {
            let text = format!("{} is {}; x stops it first.", text::clean(&status.name), status.word());
            self.say(text);
        }
    }

    fn zoom(&mut self) {
        self.is_zoomed = !self.is_zoomed;
        if self.focus != Focus::Typing {
            self.focus = if self.is_zoomed { Focus::View } else { Focus::List };
        }
        self.set_focus(self.focus);
        self.tell_size();
    }
}
