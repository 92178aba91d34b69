//! How to leave a real terminal as it was found, whatever a program did to it.
//!
//! Watches the raw output on its way to the terminal and remembers what was turned on. Undoes that and nothing else: no reset, no
//! clearing. What the terminal had before is taken to be what terminals have when a shell prompts.

use std::collections::BTreeMap;

use super::parser::Parser;
use super::parser::Sequence;
use super::parser::Sink;

/// Most private modes remembered beside the ones every program uses.
const MAX_MODES: usize = 64;
/// Most keyboard pushes undone.
const MAX_PUSHES: u16 = 64;
/// Modes that are on in a terminal at a prompt; every other mode is off.
const ON_AT_PROMPT: [u16; 3] = [7, 25, 1007];
/// Modes whose setting and resetting does something once rather than lasting.
const MOMENTARY: [u16; 2] = [3, 1048];

/// Watches output and knows what undoes it.
pub struct Undo {
    parser: Parser,
    touched: Touched,
}

impl Default for Undo {
    fn default() -> Undo {
        Undo { parser: Parser::new(), touched: Touched::default() }
    }
}

/// What was changed and not changed back.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one independent thing was touched")]
struct Touched {
    /// Private modes that differ from what they were found as.
    modes: BTreeMap<u16, bool>,
    insert: bool,
    newline: bool,
    keypad: bool,
    region: bool,
    look: bool,
    link: bool,
    /// Bit n is set if Gn was designated, bit 4 if another set than G0 was invoked.
    charsets: u8,
    cursor_shape: bool,
    modify_other_keys: bool,
    tabs: bool,
    title: bool,
    title_pushes: u16,
    /// Bit 0 for the palette, then foreground, background and cursor.
    colors: u8,
    /// What a restored cursor may bring back.
    saved: Saved,
    /// Pushes on the primary and on the alternate screen, and whether flags were set without pushing.
    keyboard: [(u16, bool); 2],
}

/// What was in force at any time the cursor was saved.
#[derive(Copy, Clone, Default)]
struct Saved {
    look: bool,
    link: bool,
    origin: bool,
    charsets: u8,
}

impl Undo {
    /// Returns an undo that has seen nothing.
    #[must_use]
    pub fn new() -> Undo {
        Undo::default()
    }

    /// Watches output, in the order in which the terminal gets it.
    pub fn observe(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.touched, bytes);
    }

    /// Returns the shortest sequences that leave the terminal as it was found; nothing if nothing was touched.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.parser.is_ground() {
            // Ends whatever was cut off without carrying it out.
            out.push(0x18);
        }
        self.touched.push_undo(&mut out);
        out
    }
}

impl Touched {
    fn is_set(&self, mode: u16) -> bool {
        self.modes.get(&mode).copied().unwrap_or(ON_AT_PROMPT.contains(&mode))
    }

    fn is_on_alternate(&self) -> bool {
        [47, 1047, 1049].into_iter().any(|mode| self.is_set(mode))
    }

    fn set_mode(&mut self, mode: u16, on: bool) {
        if mode == 12 {
            self.cursor_shape = true;
            return;
        }
        if MOMENTARY.contains(&mode) {
            match (mode, on) {
                (1048, true) => self.save_cursor(),
                (1048, false) => self.restore_cursor(),
                _ => {}
            }
            return;
        }
        if [47, 1047, 1049].contains(&mode) {
            match (mode, on) {
                (1049, true) => self.save_cursor(),
                (1049, false) => self.restore_cursor(),
                _ => {}
            }
            for other in [47, 1047, 1049] {
                self.modes.remove(&other);
            }
        }
        if [9, 1000, 1002, 1003].contains(&mode) && on {
            for other in [9, 1000, 1002, 1003] {
                self.modes.remove(&other);
            }
        }
        if ON_AT_PROMPT.contains(&mode) == on {
            self.modes.remove(&mode);
        } else if self.modes.len() < MAX_MODES {
            self.modes.insert(mode, on);
        }
    }

    fn save_cursor(&mut self) {
        self.saved.look |= self.look;
        self.saved.link |= self.link;
        self.saved.origin |= self.is_set(6);
        self.saved.charsets |= self.charsets;
    }

    fn restore_cursor(&mut self) {
        self.look |= self.saved.look;
        self.link |= self.saved.link;
        self.charsets |= self.saved.charsets;
        if self.saved.origin {
            self.modes.insert(6, true);
        }
    }

    fn push_undo(&self, out: &mut Vec<u8>) {
        let mut after = self.clone();
        if self.is_set(1049) {
            // Leaving restores the cursor, and with it whatever was saved.
            after.restore_cursor();
        }
        after.push_undo_of_modes(out);
        after.push_rest(out);
    }

    fn push_undo_of_modes(&self, out: &mut Vec<u8>) {
        let mut modes = self.modes.clone();
        if modes.remove(&2026).is_some() {
            out.extend_from_slice(b"\x1b[?2026l");
        }
        if self.is_on_alternate() {
            push_keyboard_undo(self.keyboard[1], out);
            for mode in [47, 1047, 1049] {
                if modes.remove(&mode).is_some() {
                    push_mode(mode, false, out);
                }
            }
        }
        push_keyboard_undo(self.keyboard[0], out);
        if modes.remove(&6).is_some() {
            // Before the region is reset: a cursor saved in origin mode would bring the mode back.
            out.extend_from_slice(b"\x1b[?6l");
        }
        if self.region {
            out.extend_from_slice(b"\x1b7\x1b[r\x1b8");
        }
        for (mode, on) in modes {
            push_mode(mode, !on, out);
        }
    }

    fn push_rest(&self, out: &mut Vec<u8>) {
        let parts: [(bool, &[u8]); 16] = [
            (self.insert, b"\x1b[4l"),
            (self.newline, b"\x1b[20l"),
            (self.keypad, b"\x1b>"),
            (self.charsets & 1 > 0, b"\x1b(B"),
            (self.charsets & 2 > 0, b"\x1b)B"),
            (self.charsets & 4 > 0, b"\x1b*B"),
            (self.charsets & 8 > 0, b"\x1b+B"),
            (self.charsets & 16 > 0, b"\x0f"),
            (self.look, b"\x1b[m"),
            (self.link, b"\x1b]8;;\x1b\\"),
            (self.cursor_shape, b"\x1b[0 q"),
            (self.modify_other_keys, b"\x1b[>4m"),
            (self.tabs, b"\x1b[?5W"),
            (self.colors & 1 > 0, b"\x1b]104\x1b\\"),
            (self.colors & 2 > 0, b"\x1b]110\x1b\\"),
            (self.colors & 4 > 0, b"\x1b]111\x1b\\"),
        ];
        for (_, sequence) in parts.into_iter().filter(|(is_touched, _)| *is_touched) {
            out.extend_from_slice(sequence);
        }
        if self.colors & 8 > 0 {
            out.extend_from_slice(b"\x1b]112\x1b\\");
        }
        for _ in 0..self.title_pushes {
            out.extend_from_slice(b"\x1b[23;0t");
        }
        if self.title && self.title_pushes == 0 {
            out.extend_from_slice(b"\x1b]2;\x1b\\");
        }
    }

    fn keyboard_mut(&mut self) -> &mut (u16, bool) {
        let index = usize::from(self.is_on_alternate());
        &mut self.keyboard[index]
    }

    fn keyboard_sequence(&mut self, sequence: &Sequence) {
        let count = sequence.param_or(0, 1);
        let keyboard = self.keyboard_mut();
        match sequence.marker {
            b'>' => keyboard.0 = (keyboard.0 + 1).min(MAX_PUSHES),
            b'<' => keyboard.0 = keyboard.0.saturating_sub(count),
            b'=' => keyboard.1 = true,
            _ => {}
        }
    }

    fn soft_reset(&mut self) {
        for mode in [1, 6, 7, 25] {
            self.modes.remove(&mode);
        }
        (self.insert, self.keypad, self.region, self.look, self.charsets) = (false, false, false, false, 0);
    }

    fn color_osc(&mut self, code: &str) {
        match code {
            "4" | "5" => self.colors |= 1,
            "10" => self.colors |= 0b1110,
            "11" => self.colors |= 0b1100,
            "12" => self.colors |= 8,
            "104" => self.colors &= !1,
            "110" => self.colors &= !2,
            "111" => self.colors &= !4,
            "112" => self.colors &= !8,
            _ => {}
        }
    }
}

impl Sink for Touched {
    fn control(&mut self, byte: u8) {
        match byte {
            0x0e => self.charsets |= 16,
            0x0f => self.charsets &= !16,
            _ => {}
        }
    }

    fn escape(&mut self, intermediate: u8, last: u8) {
        match (intermediate, last) {
            (0, b'=') => self.keypad = true,
            (0, b'>') => self.keypad = false,
            (0, b'H') => self.tabs = true,
            (0, b'7') => self.save_cursor(),
            (0, b'8') => self.restore_cursor(),
            (0, b'n' | b'o') => self.charsets |= 16,
            (0, b'c') => *self = Touched::default(),
            (b'(', _) => self.charsets = self.charsets & !1 | u8::from(last != b'B'),
            (b')', _) => self.charsets = self.charsets & !2 | u8::from(last != b'B') << 1,
            (b'*', _) => self.charsets = self.charsets & !4 | u8::from(last != b'B') << 2,
            (b'+', _) => self.charsets = self.charsets & !8 | u8::from(last != b'B') << 3,
            _ => {}
        }
    }

    fn csi(&mut self, sequence: &Sequence) {
        let on = sequence.last == b'h';
        match (sequence.marker, sequence.intermediate, sequence.last) {
            (b'?', 0, b'h' | b'l') => sequence.params().for_each(|mode| self.set_mode(mode[0], on)),
            (0, 0, b'h' | b'l') => {
                for mode in sequence.params() {
                    match mode[0] {
                        4 => self.insert = on,
                        20 => self.newline = on,
                        _ => {}
                    }
                }
            }
            (0, 0, b'm') => self.look = sequence.params().any(|param| param != [0]),
            (0, 0, b's') => self.save_cursor(),
            (0, 0, b'u') => self.restore_cursor(),
            (0, 0, b'r') => self.region = sequence.params().any(|param| param[0] != 0),
            (0, 0, b'g') => self.tabs = true,
            (0, 0, b't') => match sequence.param_or(0, 0) {
                22 => self.title_pushes = (self.title_pushes + 1).min(MAX_PUSHES),
                23 => self.title_pushes = self.title_pushes.saturating_sub(1),
                _ => {}
            },
            (0, b' ', b'q') => self.cursor_shape = sequence.param_or(0, 0) != 0,
            (0, b'!', b'p') => self.soft_reset(),
            (b'?', 0, b'W') => self.tabs = false,
            (b'>', 0, b'm') => self.modify_other_keys = sequence.param_or(1, 0) != 0,
            (b'<' | b'=' | b'>', 0, b'u') => self.keyboard_sequence(sequence),
            _ => {}
        }
    }

    fn osc(&mut self, payload: &[u8], _bell: bool) {
        let text = String::from_utf8_lossy(payload);
        let (code, rest) = text.split_once(';').unwrap_or((&text, ""));
        match code {
            "0" | "1" | "2" => self.title = !rest.is_empty(),
            "8" => self.link = rest.split_once(';').is_some_and(|(_, uri)| !uri.is_empty()),
            "50" => self.cursor_shape = true,
            // A query changes nothing.
            _ if rest.split(';').any(|part| part == "?") => {}
            _ => self.color_osc(code),
        }
    }
}

fn push_mode(mode: u16, on: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }).as_bytes());
}

fn push_keyboard_undo((pushes, was_set): (u16, bool), out: &mut Vec<u8>) {
    if pushes > 0 {
        out.extend_from_slice(format!("\x1b[<{pushes}u").as_bytes());
    }
    if was_set {
        out.extend_from_slice(b"\x1b[=0u");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo_of(bytes: &[u8]) -> String {
        let mut undo = Undo::new();
        undo.observe(bytes);
        String::from_utf8_lossy(&undo.bytes()).into_owned()
    }

    #[test]
    fn untouched_terminal_is_left_alone() {
        assert_eq!(undo_of(b"plain text\r\n\x1b[2J\x1b[1mbold\x1b[0m"), "");
        assert_eq!(undo_of(b"\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l"), "");
    }

    #[test]
    fn each_thing_turned_on_is_turned_off() {
        let table: [(&[u8], &str); 12] = [
            (b"\x1b[9m\x1b[?1049h\x1b[m", "\x1b[?1049l\x1b[m"),
            (b"\x1b(0\x1b7\x1b(B\x1b8", "\x1b(B"),
            (b"\x1b[?1049h", "\x1b[?1049l"),
            (b"\x1b[?1002;1006h", "\x1b[?1002l\x1b[?1006l"),
            (b"\x1b[?25l", "\x1b[?25h"),
            (b"\x1b[>1u\x1b[>3u", "\x1b[<2u"),
            (b"\x1b[2;5r", "\x1b7\x1b[r\x1b8"),
            (b"\x1b[31m", "\x1b[m"),
            (b"\x1b[4 q", "\x1b[0 q"),
            (b"\x1b[>4;2m", "\x1b[>4m"),
            (b"\x1b]0;x\x07", "\x1b]2;\x1b\\"),
            (b"\x1b[?25", "\x18"),
        ];
        for (done, undone) in table {
            assert_eq!(undo_of(done), undone, "after {:?}", String::from_utf8_lossy(done));
        }
    }
}
