//! The part of the terminal that is not cells: modes, region, tab stops, stacks, titles and palette.
//!
//! All of it travels in a checkpoint as named fields with defaults, so older checkpoints stay readable. Every list is bounded where
//! it grows, and again where it is read back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::term::modes::Modes;
use crate::term::size::Size;

/// Most entries of a keyboard or title stack; the oldest is lost first.
pub(in crate::term) const MAX_STACK: usize = 32;

/// What DECSC saves beside the cursor itself.
#[derive(Copy, Clone, Default, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::term) struct Saved {
    /// Origin mode.
    pub(in crate::term) origin: bool,
    /// The character set in use.
    pub(in crate::term) shift: u8,
}

/// Keyboard flags of one screen (kitty protocol).
#[derive(Clone, Default, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::term) struct Keyboard {
    /// Flags in force.
    pub(in crate::term) flags: u8,
    /// Flags to return to.
    pub(in crate::term) stack: Vec<u8>,
}

/// Everything that is not in a grid.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "terminal modes are independent switches")]
pub(in crate::term) struct State {
    /// The alternate screen is shown.
    pub(in crate::term) on_alternate: bool,
    /// First row of the scroll region and the row after its last.
    pub(in crate::term) region: (u16, u16),
    /// Which columns are tab stops.
    pub(in crate::term) tabs: Vec<bool>,
    /// Which of G0 to G3 text is written in.
    pub(in crate::term) shift: u8,
    /// Modes that others act on.
    pub(in crate::term) modes: Modes,
    /// Insert mode (IRM).
    pub(in crate::term) insert: bool,
    /// Origin mode (DECOM).
    pub(in crate::term) origin: bool,
    /// Text wraps at the last column (DECAWM).
    pub(in crate::term) wrap: bool,
    /// Line feed returns the carriage (LNM).
    pub(in crate::term) newline: bool,
    /// What `newline` is after a reset: set for programs whose output is a pipe.
    pub(in crate::term) newline_at_reset: bool,
    /// Synchronised output (mode 2026).
    pub(in crate::term) synchronised: bool,
    /// What DECSC saved on the primary and on the alternate screen.
    pub(in crate::term) saved: [Saved; 2],
    /// Keyboard flags of the primary and of the alternate screen.
    pub(in crate::term) keyboard: [Keyboard; 2],
    /// The window title.
    pub(in crate::term) title: Option<String>,
    /// Saved titles.
    pub(in crate::term) titles: Vec<Option<String>>,
    /// The working directory the program told.
    pub(in crate::term) directory: Option<String>,
    /// Colours the program changed: 0 to 255, then foreground, background and cursor.
    pub(in crate::term) palette: BTreeMap<u16, (u8, u8, u8)>,
    /// What REP repeats.
    pub(in crate::term) last_char: Option<char>,
    /// Links without a name of their own seen so far; numbers them.
    pub(in crate::term) anonymous_links: u64,
    /// Bytes of links begun since they were counted last.
    pub(in crate::term) link_bytes: u64,
}

impl State {
    /// Returns the state of a terminal just switched on.
    pub(in crate::term) fn new(size: Size, newline: bool) -> State {
        State {
            region: (0, size.rows()),
            tabs: (0..usize::from(size.cols())).map(is_default_tab).collect(),
            newline,
            newline_at_reset: newline,
            ..State::default()
        }
    }

    /// Returns the index of the screen that is shown.
    pub(in crate::term) fn screen_index(&self) -> usize {
        usize::from(self.on_alternate)
    }

    /// Returns the keyboard flags of the screen that is shown.
    pub(in crate::term) fn keyboard_mut(&mut self) -> &mut Keyboard {
        let index = self.screen_index();
        &mut self.keyboard[index]
    }

    /// Returns the modes that others act on, complete.
    pub(in crate::term) fn public_modes(&self) -> Modes {
        Modes {
            alternate_screen: self.on_alternate,
            kitty_flags: self.keyboard[self.screen_index()].flags,
            ..self.modes
        }
    }
}

impl Default for State {
    fn default() -> State {
        State {
            on_alternate: false,
            region: (0, 0),
            tabs: Vec::new(),
            shift: 0,
            modes: Modes::default(),
            insert: false,
            origin: false,
            wrap: true,
            newline: false,
            newline_at_reset: false,
            synchronised: false,
            saved: [Saved::default(); 2],
            keyboard: [Keyboard::default(), Keyboard::default()],
            title: None,
            titles: Vec::new(),
            directory: None,
            palette: BTreeMap::new(),
            last_char: None,
            anonymous_links: 0,
            link_bytes: 0,
        }
    }
}

/// Tells whether a column is a tab stop when the terminal is switched on.
pub(super) fn is_default_tab(col: usize) -> bool {
    col.is_multiple_of(8)
}

/// Pushes onto a bounded stack.
pub(super) fn push_bounded<T>(stack: &mut Vec<T>, value: T) {
    if stack.len() >= MAX_STACK {
        stack.remove(0);
    }
    stack.push(value);
}
