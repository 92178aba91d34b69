//! What is typed without taking the keyboard, a session that starts over, the settings in an editor, and text for the clipboard.

use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::keys::Keys;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::Effect;
use crate::tui::app::Overlay;
use crate::tui::app::Prompt;
use crate::tui::app::Then;
use crate::tui::app::bulk::GRACE_MS;

impl App {
    /// Returns the chosen sessions that have not ended.
    fn living(&self) -> Vec<SessionId> {
        let is_living = |id: &SessionId| self.sessions.get(*id).is_some_and(|status| status.end().is_none());
        self.chosen().into_iter().filter(is_living).collect()
    }

    /// Asks what is to be typed into the chosen sessions.
    pub(in crate::tui) fn ask_to_send(&mut self, is_keys: bool) {
        let living = self.living();
        let to = match living.as_slice() {
            [] => {
                self.say("Nothing of what is chosen runs.");
                return;
            }
            [one] => self.sessions.get(*one).map(|status| text::clean(&status.name)).unwrap_or_default(),
            many => format!("{} sessions", many.len()),
        };
        if is_keys {
            self.open_prompt(Prompt::Keys, &format!("keys for {to}: C-c Enter Up F5 'text'"), "");
        } else {
            self.open_prompt(Prompt::Line, &format!("a line for {to}"), "");
        }
    }

    /// Types a line, or presses keys, in the chosen sessions.
    pub(in crate::tui) fn send(&mut self, text: &str, is_keys: bool) {
        if is_keys && let Err(error) = Keys::parse(text) {
            self.say(format!("{error}; keys are C-c, M-x, Enter, Up, F5, 'text' and so on."));
            return;
        }
        let living = self.living();
        for id in &living {
            self.ask(Ask::Send { id: *id, text: text.to_owned(), is_keys });
        }
        let many = if living.len() == 1 { "" } else { "s" };
        self.say(format!("Typed into {} session{many}.", living.len()));
        self.list.marked.clear();
    }

    /// Asks whether a session that runs is to start over.
    pub(in crate::tui) fn confirm_restart(&mut self) {
        let Some(status) = self.selected() else { return };
        let (id, name) = (status.id, text::clean(&status.name));
        let lines = vec![
            format!("Restart {name}?"),
            String::new(),
            format!("command  {}", text::clean(&status.command)),
            format!("pid      {}", status.pid),
            String::new(),
            "It is asked to end, killed after 5 seconds, and started again; what it said is forgotten.".to_owned(),
        ];
        let then = Then::StartOver(id);
        self.open(Overlay::Confirm { title: "restart".to_owned(), is_hard: false, lines, then });
    }

    /// Ends a session; it starts over once it has ended.
    pub(in crate::tui) fn end_to_start_over(&mut self, id: SessionId) {
        if !self.ending.contains(&id) {
            self.ending.push(id);
        }
        self.ask(Ask::Stop { ids: vec![id], grace_ms: GRACE_MS });
    }

    /// A session has ended: if it was to start over, it does.
    pub(in crate::tui) fn start_over(&mut self, id: SessionId) {
        if let Some(at) = self.ending.iter().position(|known| *known == id) {
            self.ending.swap_remove(at);
            self.restart_ended(id);
        }
    }

    pub(in crate::tui) fn edit_settings(&mut self) {
        self.effects.push(Effect::EditSettings);
    }

    /// The program of a session wrote to the clipboard: only while somebody types into it here, and if that is wanted.
    pub(in crate::tui) fn on_clipboard(&mut self, text: &verbs::Clipboard) {
        if !self.settings.session_clipboard || text.base64.is_empty() {
            return;
        }
        let Some(pane) = self.panes.of_channel(text.channel) else { return };
        if pane.control != Control::Held {
            return;
        }
        let session = pane.session;
        let is_clean = |text: &str, more: &[u8]| text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b));
        if !is_clean(&text.selection, b"") || !is_clean(&text.base64, b"+/=") {
            return;
        }
        let (selection, base64) = (text.selection.clone(), text.base64.clone());
        // Three bytes in four letters, without what fills up.
        let bytes = base64.trim_end_matches('=').len() * 3 / 4;
        self.effects.push(Effect::PassClipboard { selection, base64 });
        let name = self.session_of(session).map(|status| text::clean(&status.name)).unwrap_or_default();
        self.say(format!("{name} put {bytes} bytes on the clipboard."));
    }
}
