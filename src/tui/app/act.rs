//! What actions do that need no more than a few lines.

use crate::session::id::SessionId;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Prompt;

/// Actions that mean nothing with one session.
pub(super) const FOR_MANY: [&str; 35] = [
    "list",
    "next",
    "previous",
    "last",
    "new",
    "zoom",
    "split-right",
    "split-down",
    "close-pane",
    "only-pane",
    "next-pane",
    "last-pane",
    "pane-left",
    "pane-down",
    "pane-up",
    "pane-right",
    "grow-left",
    "grow-down",
    "grow-up",
    "grow-right",
    "rotate-panes",
    "even-right",
    "even-down",
    "main-layout",
    "tiled-layout",
    "mark-pane",
    "unmark-panes",
    "hide-list",
    "filter",
    "wide-list",
    "group",
    "services",
    "open-marked",
    "new-shell",
    "grid",
];

impl App {
    pub(in crate::tui) fn act(&mut self, action: &'static Action) {
        if self.offers(action) {
            (action.run)(self);
        } else {
            self.say("With --session there is this one only; leave and run `rpm tui` for the others.");
        }
    }

    pub(in crate::tui) fn take_over(&mut self) {
        self.close();
        if *self.control() == Control::Held {
            self.say("You have the keyboard already.");
        } else {
            self.take(true);
        }
    }

    pub(in crate::tui) fn show_list(&mut self) {
        self.leave_logs();
        self.leave_copy();
        self.release();
        self.is_zoomed = false;
        self.set_focus(Focus::List);
    }

    /// Leaves the list for the panes, without typing.
    pub(in crate::tui) fn look(&mut self) {
        if self.sessions.selected_id().is_some() {
            self.set_focus(Focus::View);
        }
    }

    /// Goes to a session by its place in the list.
    pub(in crate::tui) fn go_to_place(&mut self, at: usize) {
        let id = self.list.rows().nth(at);
        match id {
            Some(id) => self.go_to(id),
            None => self.say(format!("There is no session {}.", at + 1)),
        }
    }

    /// Goes to a session; somebody who types goes on typing there.
    pub(in crate::tui) fn go_to(&mut self, id: SessionId) {
        self.leave_logs();
        if self.sessions.selected_id() == Some(id) {
            return;
        }
        let was_typing = self.focus == Focus::Typing;
        if was_typing {
            self.release();
        }
        self.show(Some(id));
        if was_typing {
            self.take(false);
        }
    }

    pub(in crate::tui) fn go_last(&mut self) {
        match self.sessions.last.filter(|id| self.sessions.get(*id).is_some()) {
            Some(id) => self.go_to(id),
            None => self.say("There was no other session before."),
        }
    }

    pub(in crate::tui) fn go_round(&mut self, by: isize) {
        let rows: Vec<SessionId> = self.list.rows().collect();
        let at = rows.iter().position(|id| Some(*id) == self.sessions.selected_id());
        match at {
            Some(at) if rows.len() > 1 => self.go_to(rows[(at + rows.len()).saturating_add_signed(by) % rows.len()]),
            None if !rows.is_empty() => self.go_to(rows[0]),
            _ => {}
        }
    }

    pub(in crate::tui) fn start_shell(&mut self) {
        let size = self.size_for(self.panes.focused_id()).unwrap_or_default();
        self.expect_start();
        self.ask(Ask::Run { size, program: None });
    }

    pub(in crate::tui) fn ask_name(&mut self) {
        if let Some(name) = self.selected().map(|status| status.name.clone()) {
            self.open_prompt(Prompt::Rename, "the session's name", &name);
        }
    }

    pub(in crate::tui) fn ask_tags(&mut self) {
        if let Some(tags) = self.selected().map(|status| status.tags.join(" ")) {
            self.open_prompt(Prompt::Tags, "the session's tags", &tags);
        }
    }

    pub(in crate::tui) fn rename(&mut self, name: Option<String>, tags: Option<String>) {
        let Some(id) = self.sessions.selected_id() else { return };
        let tags = tags.map(|tags| tags.split([' ', ',']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect());
        self.ask(Ask::Rename { id, name, tags });
    }

    pub(in crate::tui) fn redraw(&mut self) {
        self.damage.clear();
    }

    pub(in crate::tui) fn suspend(&mut self) {
        self.effects.push(Effect::Suspend);
    }

    pub(in crate::tui) fn start_daemon(&mut self) {
        self.effects.push(Effect::StartDaemon);
    }

    pub(in crate::tui) fn reload_settings(&mut self) {
        self.effects.push(Effect::ReadSettings);
    }

    pub(in crate::tui) fn send_prefix(&mut self) {
        let pressed = std::mem::take(&mut self.pressed);
        self.type_bytes(&pressed);
    }

    pub(in crate::tui) fn toggle_mouse(&mut self) {
        self.settings.mouse = !self.settings.mouse;
        self.say(if self.settings.mouse { "The mouse is ours." } else { "The mouse is the terminal's." });
    }
}
