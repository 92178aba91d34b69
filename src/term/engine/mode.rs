//! Modes, screens, saved cursors and resets.
//!
//! The screens follow xterm: 47 keeps what the alternate screen showed, 1047 clears it on the way out, 1049 saves the cursor, clears
//! on the way in and restores the cursor on the way out. The cursor is carried across, and each screen has its own saved one.

use std::mem;

use alacritty_terminal::grid::Cursor;
use alacritty_terminal::vte::ansi::CharsetIndex;

use super::Engine;
use super::Saved;
use super::State;
use super::new_grid;
use crate::term::modes::Modes;
use crate::term::modes::MouseEncoding;
use crate::term::modes::MouseMode;

impl Engine {
    /// Sets or resets an ANSI mode.
    pub(super) fn set_mode(&mut self, mode: u16, on: bool) {
        match mode {
            4 => self.state.insert = on,
            20 => self.state.newline = on,
            _ => {}
        }
    }

    /// Returns whether an ANSI mode is set; none for one that is not known.
    pub(super) fn mode(&self, mode: u16) -> Option<bool> {
        match mode {
            4 => Some(self.state.insert),
            20 => Some(self.state.newline),
            _ => None,
        }
    }

    /// Sets or resets a DEC private mode.
    pub(super) fn set_private_mode(&mut self, mode: u16, on: bool) {
        match mode {
            1 => self.state.modes.app_cursor = on,
            3 => self.column_mode(),
            6 => {
                self.state.origin = on;
                self.address(0, 0);
            }
            7 => self.state.wrap = on,
            12 => self.set_blinking(on),
            25 => self.state.modes.cursor_visible = on,
            9 => self.set_mouse(MouseMode::Press, on),
            1000 => self.set_mouse(MouseMode::Click, on),
            1002 => self.set_mouse(MouseMode::Drag, on),
            1003 => self.set_mouse(MouseMode::Motion, on),
            1004 => self.state.modes.focus_events = on,
            1005 => self.set_mouse_encoding(MouseEncoding::Utf8, on),
            1006 => self.set_mouse_encoding(MouseEncoding::Sgr, on),
            1007 => self.state.modes.alternate_scroll = on,
            47 | 1047 | 1049 => self.switch_screen(mode, on),
            1048 if on => self.save_cursor(),
            1048 => self.restore_cursor(),
            2004 => self.state.modes.bracketed_paste = on,
            2026 => self.state.synchronised = on,
            _ => {}
        }
    }

    /// Returns whether a DEC private mode is set; none for one that is not known.
    pub(super) fn private_mode(&self, mode: u16) -> Option<bool> {
        let modes = &self.state.modes;
        Some(match mode {
            1 => modes.app_cursor,
            6 => self.state.origin,
            7 => self.state.wrap,
            9 => modes.mouse == MouseMode::Press,
            12 => modes.cursor_shape % 2 == 1,
            25 => modes.cursor_visible,
            47 | 1047 | 1049 => self.state.on_alternate,
            1000 => modes.mouse == MouseMode::Click,
            1002 => modes.mouse == MouseMode::Drag,
            1003 => modes.mouse == MouseMode::Motion,
            1004 => modes.focus_events,
            1005 => modes.mouse_encoding == MouseEncoding::Utf8,
            1006 => modes.mouse_encoding == MouseEncoding::Sgr,
            1007 => modes.alternate_scroll,
            2004 => modes.bracketed_paste,
            2026 => self.state.synchronised,
            _ => return None,
        })
    }

    fn set_mouse(&mut self, mouse: MouseMode, on: bool) {
        self.state.modes.mouse = if on { mouse } else { MouseMode::None };
    }

    fn set_mouse_encoding(&mut self, encoding: MouseEncoding, on: bool) {
        self.state.modes.mouse_encoding = if on { encoding } else { MouseEncoding::Default };
    }

    /// Makes the cursor blink or not, keeping its shape: odd numbers of DECSCUSR blink.
    fn set_blinking(&mut self, on: bool) {
        // With no shape chosen the person's own one is shown; choosing one here would replace it at every attach.
        if self.state.modes.cursor_shape == 0 {
            return;
        }
        let even = self.state.modes.cursor_shape.max(1).div_ceil(2) * 2;
        self.state.modes.cursor_shape = even - u8::from(on);
    }

    /// Does what DECCOLM does beside changing the width: clears and homes.
    fn column_mode(&mut self) {
        self.state.region = (0, self.size().rows());
        self.state.origin = false;
        self.grid.reset_region(..);
        self.place(0, 0);
        self.touch_all();
    }

    /// Sets the scroll region to rows `top..bottom` and homes the cursor; does nothing for an empty one.
    pub(super) fn set_region(&mut self, top: usize, bottom: usize) {
        let bottom = bottom.min(self.rows());
        if top + 1 < bottom {
            self.state.region = (top as u16, bottom as u16);
            self.address(0, 0);
        }
    }

    /// Saves the cursor with its look, character sets and origin mode.
    pub(super) fn save_cursor(&mut self) {
        self.grid.saved_cursor = self.grid.cursor.clone();
        let index = self.state.screen_index();
        self.state.saved[index] = Saved { origin: self.state.origin, shift: self.state.shift };
    }

    /// Restores what `save_cursor` saved; the home position if nothing was.
    pub(super) fn restore_cursor(&mut self) {
        self.grid.cursor = self.grid.saved_cursor.clone();
        let saved = self.state.saved[self.state.screen_index()];
        self.state.origin = saved.origin;
        self.state.shift = saved.shift;
        if saved.origin {
            let (row, col) = self.cursor();
            let (top, bottom) = self.region();
            let pending = self.grid.cursor.input_needs_wrap;
            self.place(row.clamp(top, bottom - 1), col);
            self.grid.cursor.input_needs_wrap = pending;
        }
    }

    fn switch_screen(&mut self, mode: u16, on: bool) {
        match (mode, on) {
            (1049, true) => {
                if !self.state.on_alternate {
                    self.save_cursor();
                }
                self.show_alternate(true);
                self.grid.reset_region(..);
                self.touch_all();
            }
            (1049, false) => {
                self.show_alternate(false);
                self.other = None;
                self.restore_cursor();
            }
            (1047, false) => {
                let was_shown = self.state.on_alternate;
                self.show_alternate(false);
                if was_shown {
                    self.other = None;
                    self.state.saved[1] = Saved::default();
                }
            }
            _ => self.show_alternate(on),
        }
    }

    /// Shows one of the two screens, carrying the cursor across.
    fn show_alternate(&mut self, alternate: bool) {
        if self.state.on_alternate == alternate {
            return;
        }
        let size = self.size();
        let shown = self.other.take().unwrap_or_else(|| new_grid(size, 0));
        let hidden = mem::replace(&mut self.grid, shown);
        self.grid.cursor = hidden.cursor.clone();
        self.other = Some(hidden);
        self.state.on_alternate = alternate;
        self.touch_all();
    }

    /// Resets everything but the content of the screen (DECSTR).
    pub(super) fn soft_reset(&mut self) {
        let rows = self.size().rows();
        let state = &mut self.state;
        state.insert = false;
        state.origin = false;
        state.wrap = true;
        state.newline = state.newline_at_reset;
        state.shift = 0;
        state.region = (0, rows);
        state.modes.cursor_visible = true;
        state.modes.app_cursor = false;
        state.modes.app_keypad = false;
        let index = state.screen_index();
        state.saved[index] = Saved::default();
        *state.keyboard_mut() = super::Keyboard::default();
        state.modes.modify_other_keys = 0;
        self.grid.saved_cursor = Cursor::default();
        self.grid.cursor.charsets = alacritty_terminal::grid::Charsets::default();
        self.reset_look();
    }

    /// Resets everything (RIS).
    pub(super) fn full_reset(&mut self) {
        if let Some(other) = self.other.take()
            && self.state.on_alternate
        {
            self.grid = other;
        }
        self.grid.reset();
        let fresh = State::new(self.size(), self.state.newline_at_reset);
        let old = mem::replace(&mut self.state, fresh);
        self.state.directory = old.directory;
        self.state.anonymous_links = old.anonymous_links;
        self.state.link_bytes = old.link_bytes;
        self.touch_all();
    }

    /// Designates a character set.
    pub(super) fn designate(&mut self, slot: u8, last: u8) {
        use alacritty_terminal::vte::ansi::StandardCharset;
        let slot = match slot {
            b'(' => CharsetIndex::G0,
            b')' => CharsetIndex::G1,
            b'*' => CharsetIndex::G2,
            b'+' => CharsetIndex::G3,
            _ => return,
        };
        self.grid.cursor.charsets[slot] = match last {
            b'0' => StandardCharset::SpecialCharacterAndLineDrawing,
            _ => StandardCharset::Ascii,
        };
    }

    /// Sets the cursor's shape to a number of DECSCUSR.
    pub(super) fn set_cursor_shape(&mut self, shape: u16) {
        if shape <= 6 {
            self.state.modes.cursor_shape = shape as u8;
        }
    }

    /// Returns the modes that others act on.
    pub(in crate::term) fn modes(&self) -> Modes {
        self.state.public_modes()
    }
}
