//! From tokens to actions, to a field, or to the program.

use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::input::Token;
use crate::tui::input::What;
use crate::tui::key::Code;
use crate::tui::key::Key;
use crate::tui::key::Mods;
use crate::tui::keymap::Outcome;
use crate::tui::keymap::describe;
use crate::tui::mouse::Mouse;
use crate::tui::mouse::Place;

impl App {
    pub(in crate::tui) fn on_token(&mut self, token: &Token) {
        if self.now.mono < self.deaf_until {
            return;
        }
        self.samples.wake(self.now.mono);
        if self.hold(token) {
            return;
        }
        let context = self.context();
        let is_typing = context == Context::Typing;
        match token.what {
            What::Key(key) => self.on_key(key, token),
            What::Silent if self.keymap.is_pending() => {}
            What::Mouse(mouse) => self.on_mouse(mouse, token.passed),
            What::Paste if is_typing => self.on_paste(token.fresh()),
            What::Silent | What::Focus | What::Part | What::Unknown if is_typing => {
                self.type_bytes(token.fresh());
            }
            What::Paste if context.is_text() => {
                let text = String::from_utf8_lossy(&token.raw).replace("\x1b[200~", "").replace("\x1b[201~", "");
                self.edit(|field| field.insert(&text));
            }
            What::Silent | What::Paste | What::Focus | What::Part | What::Unknown => {}
        }
    }

    pub(in crate::tui) fn on_key(&mut self, key: Key, token: &Token) {
        self.pressed = token.fresh().to_vec();
        self.stop_hunting();
        if self.wait_with(key, token) {
            return;
        }
        if let Some(argument) = self.wants.take() {
            self.notice = None;
            self.damage.chrome();
            argument(self, key);
            return;
        }
        let context = self.context();
        if let (Context::Copy, Code::Char(c), Mods::NONE, false) =
            (context, key.code, key.mods, self.keymap.is_pending())
            && let Some(digit) = c.to_digit(10)
            && (digit > 0 || self.copying.as_ref().is_some_and(|copying| copying.copy.count > 0))
        {
            self.copy_digit(digit as usize);
            return;
        }
        let before = self.keymap.pending().to_vec();
        let outcome = self.keymap.press(context, key);
        if !before.is_empty() || outcome == Outcome::Pending || self.notice.take().is_some() {
            self.damage.chrome();
        }
        self.is_which_key_shown = false;
        let pause = self.settings.which_key.0;
        let is_pending = outcome == Outcome::Pending && pause > 0;
        self.which_key_at = is_pending.then(|| self.now.mono + pause * 1_000_000);
        match outcome {
            Outcome::Matched(action) => self.act(action),
            Outcome::PassThrough => self.on_plain_key(context, key, token),
            Outcome::Cancelled if key.code != Code::Esc => {
                let keys = [before.as_slice(), &[key]].concat();
                let help = self.keymap.bound(context).find(|bound| bound.action.name == "help");
                let help = help.map(|bound| {
                    format!("; {} shows the keys", bound.keys.last().map_or_else(String::new, |keys| describe(keys)))
                });
                self.say(format!("{} does nothing{}.", describe(&keys), help.unwrap_or_default()));
            }
            Outcome::Pending | Outcome::Cancelled => {}
        }
    }

    /// A key that means nothing by itself.
    fn on_plain_key(&mut self, context: Context, key: Key, token: &Token) {
        match (context, key.code) {
            (Context::Typing, _) => self.type_bytes(token.fresh()),
            (_, Code::Char(c)) if context.is_text() && key.mods == Mods::NONE => {
                let mut bytes = [0; 4];
                self.edit(|field| field.insert(c.encode_utf8(&mut bytes)));
            }
            (Context::View, Code::Char(_)) => self.say("You are only looking; Enter gives you the keyboard."),
            _ => {}
        }
    }

    /// Hands a report to the program if it lies in the pane and was asked for.
    pub(in crate::tui) fn on_mouse_of_program(&mut self, mouse: Mouse, passed: usize) -> bool {
        let pane = self.panes.focused();
        let Some(area) = self.area_of(pane.id) else { return false };
        let (Some(col), Some(row)) = (mouse.at.col.checked_sub(area.x), mouse.at.row.checked_sub(area.y)) else {
            return false;
        };
        if col >= area.width || row >= area.height {
            return false;
        }
        let (top, left) = pane.offset();
        let size = pane.size();
        let at = Place { row: row + top, col: col + left };
        if at.row >= size.rows() || at.col >= size.cols() {
            return false;
        }
        let bytes = mouse.encode(at, &pane.modes());
        self.type_bytes(bytes.get(passed..).unwrap_or_default());
        true
    }
}
