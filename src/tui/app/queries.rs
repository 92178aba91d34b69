//! What may be asked of the app: nothing here changes it.

use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::tui::action::Action;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Control;
use crate::tui::app::Focus;
use crate::tui::app::Mode;
use crate::tui::app::Now;
use crate::tui::app::act;
use crate::tui::layout::Arrangement;
use crate::tui::layout::Layout;
use crate::tui::layout::Screen;

impl App {
    /// Returns the context in which keys count.
    #[must_use]
    pub fn context(&self) -> Context {
        if self.link.is_shown() {
            return Context::Lost;
        }
        match (&self.overlay, self.focus) {
            (Some(overlay), _) => overlay.context(),
            (None, Focus::List) if self.list.is_filtering => Context::Filter,
            (None, Focus::List) => Context::List,
            (None, Focus::View) => Context::View,
            (None, Focus::Typing) => Context::Typing,
            (None, Focus::Copy) => self.copy_context(),
            (None, Focus::Grid) => Context::Grid,
            (None, Focus::Logs) => self.logs_context(),
        }
    }

    /// Returns whether an action means anything here: with one session there is no list and nothing beside it.
    #[must_use]
    pub fn offers(&self, action: &Action) -> bool {
        self.mode == Mode::Dashboard || !act::FOR_MANY.contains(&action.name) && !action.name.starts_with("go-to-")
    }

    /// Returns the selected session.
    #[must_use]
    pub fn selected(&self) -> Option<&Status> {
        self.sessions.selected()
    }

    /// Returns the session of a pane.
    #[must_use]
    pub fn session_of(&self, id: Option<SessionId>) -> Option<&Status> {
        self.sessions.get(id?)
    }

    /// Returns the time of the last message.
    #[must_use]
    pub const fn now(&self) -> Now {
        self.now
    }

    /// Returns the size of our terminal.
    #[must_use]
    pub const fn screen(&self) -> Screen {
        self.screen
    }

    /// Returns whether we have the keyboard of the session in the focused pane.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.panes.focused().control
    }

    /// Returns whether what is typed goes to a program.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.context() == Context::Typing && *self.control() == Control::Held
    }

    /// Returns whether the keys that may follow are to be shown.
    #[must_use]
    pub const fn is_which_key_shown(&self) -> bool {
        self.is_which_key_shown
    }

    /// Returns whether the next key is described, not done.
    #[must_use]
    pub const fn wants_key(&self) -> bool {
        self.wants.is_some()
    }

    /// Returns where everything is drawn.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.arranged(self.focus)
    }

    pub(super) fn arranged(&self, focus: Focus) -> Layout {
        let arrangement = match (&self.mode, self.is_zoomed, focus) {
            (Mode::Dashboard, _, Focus::Grid) | (_, _, Focus::Logs) => Arrangement::Whole,
            (Mode::Single, ..) | (Mode::Dashboard, true, Focus::View | Focus::Typing | Focus::Copy) => {
                Arrangement::Alone
            }
            (Mode::Dashboard, _, Focus::List) => Arrangement::List,
            (Mode::Dashboard, false, _) if self.is_list_hidden => Arrangement::Panes,
            (Mode::Dashboard, false, Focus::View | Focus::Typing | Focus::Copy) => Arrangement::Pane,
        };
        Layout::new(self.screen, arrangement, self.list.is_wide && focus == Focus::List)
    }

    /// Returns whether something has to be drawn anew.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        !self.damage.is_none()
    }
}
