//! Which sequence does what: the table from the parser's findings to the engine's operations.
//!
//! Unknown sequences do nothing. Answers to queries and requests beside drawing go to the effects.

use super::Engine;
use super::edit::Part;
use super::state::push_bounded;
use crate::term::effect::Effect;
use crate::term::parser::Sequence;
use crate::term::parser::Sink;

/// Flags of the kitty keyboard protocol that exist.
const KITTY_FLAGS: u16 = 0b1_1111;

impl Sink for Engine {
    fn ascii(&mut self, text: &[u8]) {
        self.print_ascii(text);
    }

    fn text(&mut self, text: &str) {
        self.print_text(text);
    }

    fn control(&mut self, byte: u8) {
        match byte {
            0x07 => self.effects.push(Effect::Bell),
            0x08 => self.backspace(),
            0x09 => self.tab(1),
            0x0a..=0x0c => {
                self.line_feed();
                if self.state.newline {
                    self.carriage_return();
                }
            }
            0x0d => self.carriage_return(),
            0x0e => self.state.shift = 1,
            0x0f => self.state.shift = 0,
            _ => {}
        }
    }

    fn escape(&mut self, intermediate: u8, last: u8) {
        match (intermediate, last) {
            (0, b'7') => self.save_cursor(),
            (0, b'8') => self.restore_cursor(),
            (0, b'=') => self.state.modes.app_keypad = true,
            (0, b'>') => self.state.modes.app_keypad = false,
            (0, b'D') => self.line_feed(),
            (0, b'E') => {
                self.line_feed();
                self.carriage_return();
            }
            (0, b'H') => {
                let col = self.cursor().1;
                self.state.tabs[col] = true;
            }
            (0, b'M') => self.reverse_index(),
            (0, b'Z') => self.device_attributes(0),
            (0, b'c') => self.full_reset(),
            (0, b'n') => self.state.shift = 2,
            (0, b'o') => self.state.shift = 3,
            (b'#', b'8') => self.align(),
            (b'(' | b')' | b'*' | b'+', b'0' | b'A' | b'B') => self.designate(intermediate, last),
            _ => {}
        }
    }

    fn csi(&mut self, sequence: &Sequence) {
        match (sequence.marker, sequence.intermediate) {
            (0, 0) => self.plain_csi(sequence),
            (b'?', 0) => self.private_csi(sequence),
            _ => self.marked_csi(sequence),
        }
    }

    fn osc(&mut self, payload: &[u8], bell: bool) {
        self.apply_osc(payload, bell);
    }

    fn dcs(&mut self, sequence: &Sequence, payload: &[u8]) {
        self.request_setting(sequence, payload);
    }
}

impl Engine {
    fn plain_csi(&mut self, sequence: &Sequence) {
        let count = usize::from(sequence.param_or(0, 1));
        let (row, col) = self.cursor();
        match sequence.last {
            b'@' => self.insert_cells(count),
            b'A' => self.up(count),
            b'B' | b'e' => self.down(count),
            b'C' | b'a' => self.place(row, col + count),
            b'D' => self.place(row, col.saturating_sub(count)),
            b'E' => {
                self.down(count);
                self.carriage_return();
            }
            b'F' => {
                self.up(count);
                self.carriage_return();
            }
            b'G' | b'`' => self.place(row, count - 1),
            b'H' | b'f' => self.address(count - 1, usize::from(sequence.param_or(1, 1)) - 1),
            b'd' => self.address(count - 1, col),
            b'I' => self.tab(count),
            b'Z' => self.back_tab(count),
            b'J' => self.erase_in_screen(sequence),
            b'K' => self.erase_in_line(sequence),
            b'L' => self.insert_lines(count),
            b'M' => self.delete_lines(count),
            b'P' => self.delete_cells(count),
            b'S' => self.scroll_up_from(self.region().0, count),
            b'T' => self.scroll_down_from(self.region().0, count),
            b'X' => self.erase_cells(count),
            b'b' => self.repeat(sequence.param_or(0, 1)),
            _ => self.plain_csi_settings(sequence),
        }
    }

    fn plain_csi_settings(&mut self, sequence: &Sequence) {
        let first = sequence.param_or(0, 0);
        match sequence.last {
            b'c' if first == 0 => self.device_attributes(0),
            b'g' => self.clear_tabs(first),
            b'h' | b'l' => {
                let on = sequence.last == b'h';
                sequence.params().for_each(|mode| self.set_mode(mode[0], on));
            }
            b'm' => self.sgr(sequence),
            b'n' => self.device_status(false, first),
            b'r' => {
                let bottom = sequence.param_or(1, self.size().rows());
                self.set_region(usize::from(first.max(1)) - 1, usize::from(bottom));
            }
            b's' if sequence.params().next().is_none() => self.save_cursor(),
            b't' => self.window_operation(sequence),
            b'u' => self.restore_cursor(),
            _ => {}
        }
    }

    fn private_csi(&mut self, sequence: &Sequence) {
        let first = sequence.param_or(0, 0);
        match sequence.last {
            b'h' | b'l' => {
                let on = sequence.last == b'h';
                sequence.params().for_each(|mode| self.set_private_mode(mode[0], on));
            }
            b'n' => self.device_status(true, first),
            b'u' => {
                let flags = self.state.keyboard_mut().flags;
                self.reply(format!("\x1b[?{flags}u"));
            }
            b'm' if first == 4 => {
                let level = self.state.modes.modify_other_keys;
                self.reply(format!("\x1b[>4;{level}m"));
            }
            // Nothing is ever protected, so the selective erases are the plain ones.
            b'J' => self.erase_in_screen(sequence),
            b'K' => self.erase_in_line(sequence),
            b'W' if first == 5 => self.reset_tabs(),
            _ => {}
        }
    }

    fn marked_csi(&mut self, sequence: &Sequence) {
        let first = sequence.param_or(0, 0);
        match (sequence.marker, sequence.intermediate, sequence.last) {
            (b'>', 0, b'c') if first == 0 => self.device_attributes(b'>'),
            (b'>', 0, b'q') if first == 0 => self.report_version(),
            (b'>', 0, b'm') => self.modify_other_keys(sequence),
            (b'>', 0, b'u') => self.push_keyboard(first),
            (b'<', 0, b'u') => self.pop_keyboard(sequence.param_or(0, 1)),
            (b'=', 0, b'u') => self.set_keyboard(first, sequence.param_or(1, 1)),
            (0, b' ', b'q') => self.set_cursor_shape(first),
            (0, b'!', b'p') => self.soft_reset(),
            (0, b'$', b'p') => self.report_mode(false, first),
            (b'?', b'$', b'p') => self.report_mode(true, first),
            _ => {}
        }
    }

    fn erase_in_screen(&mut self, sequence: &Sequence) {
        match sequence.param_or(0, 0) {
            0 => self.erase_screen(Part::After),
            1 => self.erase_screen(Part::Before),
            2 => self.erase_screen(Part::All),
            3 => self.erase_scrollback(),
            _ => {}
        }
    }

    fn erase_in_line(&mut self, sequence: &Sequence) {
        match sequence.param_or(0, 0) {
            0 => self.erase_line(Part::After),
            1 => self.erase_line(Part::Before),
            2 => self.erase_line(Part::All),
            _ => {}
        }
    }

    fn clear_tabs(&mut self, what: u16) {
        let col = self.cursor().1;
        match what {
            0 => self.state.tabs[col] = false,
            3 => self.state.tabs.fill(false),
            _ => {}
        }
    }

    fn reset_tabs(&mut self) {
        let stops = self.state.tabs.iter_mut().enumerate();
        stops.for_each(|(col, stop)| *stop = super::state::is_default_tab(col));
    }

    fn modify_other_keys(&mut self, sequence: &Sequence) {
        let level = sequence.param_or(1, 0);
        match sequence.param_or(0, 0) {
            4 if level <= 2 => self.state.modes.modify_other_keys = level as u8,
            0 => self.state.modes.modify_other_keys = 0,
            _ => {}
        }
    }

    fn push_keyboard(&mut self, flags: u16) {
        let keyboard = self.state.keyboard_mut();
        push_bounded(&mut keyboard.stack, keyboard.flags);
        keyboard.flags = (flags & KITTY_FLAGS) as u8;
    }

    fn pop_keyboard(&mut self, count: u16) {
        let keyboard = self.state.keyboard_mut();
        for _ in 0..count {
            let Some(flags) = keyboard.stack.pop() else {
                keyboard.flags = 0;
                break;
            };
            keyboard.flags = flags;
        }
    }

    fn set_keyboard(&mut self, flags: u16, how: u16) {
        let flags = (flags & KITTY_FLAGS) as u8;
        let keyboard = self.state.keyboard_mut();
        keyboard.flags = match how {
            2 => keyboard.flags | flags,
            3 => keyboard.flags & !flags,
            _ => flags,
        };
    }
}
