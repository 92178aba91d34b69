//! Pastes: handed to the program as it wants them; what would be carried out line by line is asked about first.
//!
//! Our terminal always brackets pastes, so one is known when it comes. A program that asked for brackets gets them; another gets the
//! text alone, after a question if it holds line ends.

use crate::tui::app::App;
use crate::tui::app::Overlay;
use crate::tui::app::Then;

/// Begins and ends a bracketed paste.
const MARKERS: [&[u8]; 2] = [b"\x1b[200~", b"\x1b[201~"];
/// Most bytes of a paste that are kept for a question; a longer one is handed on as it comes.
const LONGEST: usize = 4 << 20;
/// Lines of a paste that the question shows.
const SHOWN: usize = 8;

impl App {
    /// Takes a piece of a paste that is meant for a program.
    pub(in crate::tui) fn on_paste(&mut self, bytes: &[u8]) {
        if self.panes.focused().modes().bracketed_paste {
            self.type_bytes(bytes);
            return;
        }
        let is_end = bytes.ends_with(MARKERS[1]);
        let bytes = bytes.strip_prefix(MARKERS[0]).unwrap_or(bytes);
        self.pasted.extend_from_slice(bytes.strip_suffix(MARKERS[1]).unwrap_or(bytes));
        if !is_end && self.pasted.len() < LONGEST {
            return;
        }
        let pasted = std::mem::take(&mut self.pasted);
        let lines = pasted.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        if lines == 0 || !self.settings.ask_paste {
            self.type_bytes(&pasted);
            return;
        }
        let text = String::from_utf8_lossy(&pasted).replace('\r', "\n");
        let mut shown: Vec<String> =
            vec![format!("Paste {} lines? The program takes each as if it was typed.", lines + 1), String::new()];
        shown.extend(text.lines().take(SHOWN).map(crate::session::text::clean));
        if lines >= SHOWN {
            shown.push("…".to_owned());
        }
        let then = Then::Type(pasted);
        self.open(Overlay::Confirm { title: "paste".to_owned(), is_hard: false, lines: shown, then });
    }
}
