//! From tokens to actions, or to the program.

use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::input::Token;
use crate::tui::input::What;
use crate::tui::key::Code;
use crate::tui::key::Key;
use crate::tui::keymap::Outcome;
use crate::tui::mouse::Mouse;
use crate::tui::mouse::Place;

impl App {
    pub(super) fn on_token(&mut self, token: &Token) {
        if self.now.mono < self.deaf_until {
            return;
        }
        let is_typing = self.context() == Context::Typing;
        match token.what {
            What::Key(key) => self.on_key(key, token),
            What::Silent if self.keymap.is_pending() => {}
            What::Mouse(mouse) if is_typing => self.on_mouse(mouse, token.passed),
            What::Silent | What::Paste | What::Focus | What::Part | What::Unknown if is_typing => {
                self.type_bytes(token.fresh());
            }
            What::Silent | What::Paste | What::Mouse(_) | What::Focus | What::Part | What::Unknown => {}
        }
    }

    fn on_key(&mut self, key: Key, token: &Token) {
        let context = self.context();
        let was_pending = self.keymap.is_pending();
        let outcome = self.keymap.press(context, key);
        if was_pending || outcome == Outcome::Pending || self.notice.take().is_some() {
            self.damage.chrome();
        }
        match outcome {
            Outcome::Matched(id) => self.act(id, token),
            Outcome::PassThrough if context == Context::Typing => self.type_bytes(token.fresh()),
            Outcome::PassThrough if context == Context::View && matches!(key.code, Code::Char(_)) => {
                self.say("You are only looking; Enter gives you the keyboard.");
            }
            Outcome::Cancelled if key.code != Code::Esc => {
                let prefix = self.keymap.prefix();
                self.say(format!("{prefix} {key} does nothing; {prefix} ? shows the keys."));
            }
            Outcome::Pending | Outcome::PassThrough | Outcome::Cancelled => {}
        }
    }

    /// Hands a report to the program if it lies in the pane and was asked for.
    fn on_mouse(&mut self, mouse: Mouse, passed: usize) {
        let Some(area) = self.layout().pane else { return };
        let (Some(col), Some(row)) = (mouse.at.col.checked_sub(area.x), mouse.at.row.checked_sub(area.y)) else {
            return;
        };
        if col >= area.width || row >= area.height {
            return;
        }
        let (top, left) = self.pane.offset();
        let size = self.pane.size();
        let at = Place { row: row + top, col: col + left };
        if at.row < size.rows() && at.col < size.cols() {
            let bytes = mouse.encode(at, &self.pane.modes());
            self.type_bytes(bytes.get(passed..).unwrap_or_default());
        }
    }
}
