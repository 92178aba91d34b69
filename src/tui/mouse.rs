//! Mouse reports: from what our terminal sends to what the program in the pane asked for.
//!
//! Our terminal is always told to report in decimal (mode 1006); the program may want another encoding, fewer events, and its own
//! coordinates.

use crate::term::Modes;
use crate::term::MouseEncoding;
use crate::term::MouseMode;

/// Bits of the button code.
const MOTION: u16 = 32;
const WHEEL: u16 = 64;
const MODIFIERS: u16 = 4 | 8 | 16;

/// A place in cells, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The row.
    pub row: u16,
    /// The column.
    pub col: u16,
}

/// One report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// Button, modifiers, motion and wheel, as the terminal encodes them.
    pub code: u16,
    /// Where, on the whole terminal.
    pub at: Place,
    /// Pressed (or moved) rather than released.
    pub is_press: bool,
}

impl Mouse {
    /// Returns what the program is sent for this report at a place of its own screen; nothing if it did not ask for it.
    #[must_use]
    pub fn encode(self, at: Place, modes: &Modes) -> Vec<u8> {
        let is_motion = self.code & MOTION > 0;
        let is_hover = is_motion && self.code & 3 == 3;
        let is_wanted = match modes.mouse {
            MouseMode::None => false,
            MouseMode::Press => self.is_press && !is_motion,
            MouseMode::Click => !is_motion,
            MouseMode::Drag => !is_hover,
            MouseMode::Motion => true,
        };
        if !is_wanted {
            return Vec::new();
        }
        let code = if modes.mouse == MouseMode::Press { self.code & !MODIFIERS } else { self.code };
        match modes.mouse_encoding {
            MouseEncoding::Sgr => {
                let last = if self.is_press { 'M' } else { 'm' };
                format!("\x1b[<{code};{};{}{last}", at.col + 1, at.row + 1).into_bytes()
            }
            encoding => self.encode_old(code, at, encoding == MouseEncoding::Utf8),
        }
    }

    /// The encodings before mode 1006 cannot say which button was released, nor name far columns.
    fn encode_old(self, code: u16, at: Place, is_utf8: bool) -> Vec<u8> {
        let code = if self.is_press || code & WHEEL > 0 { code } else { code | 3 };
        let mut bytes = b"\x1b[M".to_vec();
        for value in [code + 32, at.col + 33, at.row + 33] {
            match (u8::try_from(value), char::from_u32(u32::from(value))) {
                (_, Some(c)) if is_utf8 && value < 2048 => bytes.extend(c.to_string().bytes()),
                (Ok(byte), _) if !is_utf8 => bytes.push(byte),
                _ => return Vec::new(),
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(code: u16, is_press: bool, mouse: MouseMode, mouse_encoding: MouseEncoding) -> String {
        let modes = Modes { mouse, mouse_encoding, ..Modes::default() };
        let report = Mouse { code, at: Place { row: 20, col: 50 }, is_press };
        String::from_utf8_lossy(&report.encode(Place { row: 1, col: 2 }, &modes)).into_owned()
    }

    #[test]
    fn a_program_gets_the_events_it_asked_for_in_its_encoding() {
        use MouseEncoding::Default as Old;
        use MouseEncoding::Sgr;
        let table = [
            (0, true, MouseMode::None, Sgr, ""),
            (0, true, MouseMode::Click, Sgr, "\x1b[<0;3;2M"),
            (0, false, MouseMode::Click, Sgr, "\x1b[<0;3;2m"),
            (32, true, MouseMode::Click, Sgr, ""),
            (32, true, MouseMode::Drag, Sgr, "\x1b[<32;3;2M"),
            (35, true, MouseMode::Drag, Sgr, ""),
            (35, true, MouseMode::Motion, Sgr, "\x1b[<35;3;2M"),
            (0, false, MouseMode::Press, Old, ""),
            (16, true, MouseMode::Press, Old, "\x1b[M #\""),
            (1, false, MouseMode::Click, Old, "\x1b[M##\""),
            (64, true, MouseMode::Click, Old, "\x1b[M`#\""),
        ];
        for (code, is_press, mode, encoding, expected) in table {
            assert_eq!(encode(code, is_press, mode, encoding), expected, "{code} {mode:?}");
        }
    }

    #[test]
    fn a_place_that_the_encoding_cannot_name_is_not_reported() {
        let modes = Modes { mouse: MouseMode::Click, ..Modes::default() };
        let report = Mouse { code: 0, at: Place::default(), is_press: true };
        assert_eq!(report.encode(Place { row: 0, col: 223 }, &modes), b"");
        assert_eq!(report.encode(Place { row: 0, col: 222 }, &modes), b"\x1b[M \xff!");
    }
}
