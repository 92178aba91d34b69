//! Modes of our own terminal: ours while the keyboard is, the session's while it types.
//!
//! The terminal then encodes keys, pastes, mouse and focus as the program expects them. *Invariant:* whatever is set here is undone by
//! [`Outer::change`] to [`Outer::at_prompt`].

use std::io::Write;

use crate::term::Modes;
use crate::term::MouseMode;
use crate::tui::app::App;
use crate::tui::app::Focus;

/// What our terminal is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "terminal modes are independent switches")]
pub struct Outer {
    app_cursor: bool,
    app_keypad: bool,
    paste: bool,
    focus: bool,
    /// The wheel sends cursor keys.
    wheel: bool,
    /// Number of the mouse mode; 0 without.
    mouse: u16,
    kitty: u8,
    other_keys: u8,
    cursor_shape: u8,
}

impl Outer {
    /// Returns what a terminal has at a prompt.
    #[must_use]
    pub const fn at_prompt() -> Self {
        Self {
            app_cursor: false,
            app_keypad: false,
            paste: false,
            focus: false,
            wheel: true,
            mouse: 0,
            kitty: 0,
            other_keys: 0,
            cursor_shape: 0,
        }
    }

    /// Returns what the terminal should be told now.
    #[must_use]
    pub fn wanted(app: &App) -> Self {
        let ours = if app.settings.mouse { 1002 } else { 0 };
        if app.is_typing() {
            let modes = app.panes.focused().modes();
            let of = Self::of(modes);
            // A wheel that means cursor keys is the program's.
            let is_free = modes.mouse == MouseMode::None && !of.wheel;
            // A paste is to be known as one, whatever the program asked for.
            return Self { mouse: if is_free { ours } else { of.mouse }, paste: true, ..of };
        }
        // A pasted text must not be taken for commands.
        Self { paste: true, wheel: app.focus == Focus::List && ours == 0, mouse: ours, ..Self::at_prompt() }
    }

    fn of(modes: Modes) -> Self {
        Self {
            app_cursor: modes.app_cursor,
            app_keypad: modes.app_keypad,
            paste: modes.bracketed_paste,
            focus: modes.focus_events,
            wheel: modes.alternate_screen && modes.alternate_scroll,
            mouse: match modes.mouse {
                MouseMode::None => 0,
                MouseMode::Press | MouseMode::Click => 1000,
                MouseMode::Drag => 1002,
                MouseMode::Motion => 1003,
            },
            kitty: modes.kitty_flags,
            other_keys: modes.modify_other_keys,
            cursor_shape: modes.cursor_shape,
        }
    }

    /// Appends what turns these modes into others.
    pub fn change(self, to: Self, out: &mut Vec<u8>) {
        let mut switch = |was: bool, is: bool, number: u16| {
            if was != is {
                let _ = write!(out, "\x1b[?{number}{}", if is { 'h' } else { 'l' });
            }
        };
        switch(self.app_cursor, to.app_cursor, 1);
        switch(self.paste, to.paste, 2004);
        switch(self.focus, to.focus, 1004);
        switch(self.wheel, to.wheel, 1007);
        if self.mouse != to.mouse {
            for number in [1000, 1002, 1003] {
                switch(self.mouse == number, to.mouse == number, number);
            }
            // Reports are read in one encoding only, whatever the program reads.
            switch(self.mouse > 0, to.mouse > 0, 1006);
        }
        if self.app_keypad != to.app_keypad {
            out.extend_from_slice(if to.app_keypad { b"\x1b=" } else { b"\x1b>" });
        }
        if self.kitty != to.kitty {
            let _ = match (self.kitty, to.kitty) {
                (_, 0) => write!(out, "\x1b[<u"),
                (0, flags) => write!(out, "\x1b[>{flags}u"),
                (_, flags) => write!(out, "\x1b[={flags}u"),
            };
        }
        if self.other_keys != to.other_keys {
            let _ =
                if to.other_keys == 0 { write!(out, "\x1b[>4m") } else { write!(out, "\x1b[>4;{}m", to.other_keys) };
        }
        if self.cursor_shape != to.cursor_shape {
            let _ = write!(out, "\x1b[{} q", to.cursor_shape.min(6));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Undo;

    #[test]
    fn k10_every_mode_that_is_set_is_undone() {
        let all = Modes {
            app_cursor: true,
            app_keypad: true,
            bracketed_paste: true,
            focus_events: true,
            mouse: MouseMode::Motion,
            kitty_flags: 5,
            modify_other_keys: 2,
            cursor_shape: 4,
            alternate_screen: false,
            ..Modes::default()
        };
        let mut bytes = Vec::new();
        Outer::at_prompt().change(Outer::of(all), &mut bytes);
        let drag = Modes { mouse: MouseMode::Drag, kitty_flags: 1, ..all };
        Outer::of(all).change(Outer::of(drag), &mut bytes);
        Outer::of(drag).change(Outer::at_prompt(), &mut bytes);

        let mut undo = Undo::new();
        undo.observe(&bytes);
        let left = String::from_utf8(undo.bytes()).expect("text");

        // Flags that were set on the pushed entry left with it.
        assert!(left.is_empty() || left == "\x1b[=0u", "{left:?}");
    }
}
