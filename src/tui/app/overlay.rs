//! What lies over everything and has the keyboard: a question, an offer, the help, the palette.

use crate::session::id::SessionId;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Form;
use crate::tui::app::LABELS;
use crate::tui::app::Mode;
use crate::tui::app::Palette;
use crate::tui::app::Results;
use crate::tui::copy::Copy;
use crate::tui::key::Key;
use crate::tui::keymap::describe;
use crate::tui::line::Line;
use crate::tui::logs::Logs;

/// What a line is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// Words that the session is watched for.
    Words,
    /// How long a session may be silent.
    Silence,
    /// A line for chosen sessions.
    Line,
    /// Keys for chosen sessions.
    Keys,
    /// Another name for the session.
    Rename,
    /// Other tags for the session.
    Tags,
    /// What all sessions are searched for.
    Search,
    /// A name for the layout.
    SaveLayout,
    /// The name of a layout.
    OpenLayout,
}

/// What is done after a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// The daemon is asked.
    Ask(Ask),
    /// Bytes are typed.
    Type(Vec<u8>),
    /// Rows are removed.
    Remove(Vec<SessionId>),
    /// A session ends and starts anew.
    StartOver(SessionId),
}

/// An overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// Whether something is to be done; no unless somebody says yes.
    Confirm {
        /// One word.
        title: String,
        /// It cannot be undone at all.
        is_hard: bool,
        /// What it is about.
        lines: Vec<String>,
        /// What is done then.
        then: Then,
    },
    /// Somebody else has control.
    Offer {
        /// Who, in a sentence.
        error: String,
    },
    /// All keys of a context.
    Help {
        /// Which.
        context: Context,
        /// Lines scrolled.
        top: u16,
        /// What is looked for.
        filter: Line,
        /// Somebody types there.
        is_filtering: bool,
    },
    /// Actions and sessions by name.
    Palette(Palette),
    /// What a new session is to be.
    Form(Form),
    /// One line is asked for.
    Prompt {
        /// What for.
        prompt: Prompt,
        /// The question.
        title: String,
        /// What was typed.
        line: Line,
    },
    /// Lines that a search of all sessions found.
    Results(Results),
    /// All about the selected session.
    Detail {
        /// Lines scrolled.
        top: u16,
    },
    /// Messages so far.
    Messages {
        /// Lines scrolled, from the newest.
        top: u16,
    },
}

impl Overlay {
    /// Returns the context of its keys.
    #[must_use]
    pub const fn context(&self) -> Context {
        match self {
            Self::Confirm { .. } => Context::Confirm,
            Self::Offer { .. } => Context::Offer,
            Self::Help { is_filtering: true, .. } => Context::HelpFilter,
            Self::Help { .. } => Context::Help,
            Self::Palette(_) => Context::Palette,
            Self::Detail { .. } => Context::Detail,
            Self::Messages { .. } => Context::Pick,
            Self::Results(_) => Context::Results,
            Self::Form(_) => Context::Form,
            Self::Prompt { .. } => Context::Prompt,
        }
    }
}

impl App {
    pub(in crate::tui) fn open(&mut self, overlay: Overlay) {
        self.overlay = Some(overlay);
        self.damage.chrome();
    }

    pub(in crate::tui) fn close(&mut self) {
        self.overlay = None;
        self.damage.chrome();
    }

    /// Without a list there is nothing behind an offer that was declined.
    pub(in crate::tui) fn close_or_leave(&mut self) {
        let was_offer = matches!(self.overlay, Some(Overlay::Offer { .. }));
        self.close();
        if was_offer && self.mode == Mode::Single {
            self.leave();
        }
    }

    pub(in crate::tui) fn open_prompt(&mut self, prompt: Prompt, title: &str, text: &str) {
        self.open(Overlay::Prompt { prompt, title: title.to_owned(), line: Line::of(text) });
    }

    /// Does what the line was asked for.
    pub(in crate::tui) fn submit_prompt(&mut self) {
        let Some(Overlay::Prompt { prompt, line, .. }) = self.overlay.take() else { return };
        self.damage.chrome();
        let text = line.text().trim().to_owned();
        if text.is_empty() && !matches!(prompt, Prompt::Tags | Prompt::Line) {
            return;
        }
        match prompt {
            Prompt::Words => self.watch_for(&text),
            Prompt::Silence => self.watch_for_silence(&text),
            Prompt::Line => self.send(&line.text(), false),
            Prompt::Keys => self.send(&text, true),
            Prompt::Rename => self.rename(Some(text), None),
            Prompt::Tags => self.rename(None, Some(text)),
            Prompt::Search => self.start_search(text),
            Prompt::SaveLayout => self.save_layout(&text),
            Prompt::OpenLayout => self.effects.push(Effect::ReadLayout(text)),
        }
    }

    pub(in crate::tui) fn open_help(&mut self) {
        let context = self.context();
        self.open(Overlay::Help { context, top: 0, filter: Line::default(), is_filtering: false });
    }

    pub(in crate::tui) fn filter_help(&mut self, is_on: bool) {
        if let Some(Overlay::Help { is_filtering, .. }) = &mut self.overlay {
            *is_filtering = is_on;
            self.damage.chrome();
        }
    }

    pub(in crate::tui) fn clear_help_filter(&mut self) {
        if let Some(Overlay::Help { is_filtering, filter, .. }) = &mut self.overlay {
            filter.clear();
            *is_filtering = false;
            self.damage.chrome();
        }
    }

    /// Moves what can be scrolled, or the choice where there is one.
    pub(in crate::tui) fn scroll(&mut self, by: i16) {
        match &mut self.overlay {
            Some(Overlay::Help { top, .. } | Overlay::Detail { top } | Overlay::Messages { top }) => {
                *top = top.saturating_add_signed(by).min(999);
            }
            Some(Overlay::Palette(palette)) => {
                let last = palette.found.len().saturating_sub(1);
                palette.at = palette.at.saturating_add_signed(isize::from(by)).min(last);
            }
            Some(Overlay::Results(results)) => {
                let last = results.hits.len().saturating_sub(1);
                results.at = results.at.saturating_add_signed(isize::from(by)).min(last);
            }
            _ => {}
        }
        self.damage.chrome();
    }

    /// Returns the field that what is typed goes into.
    pub(in crate::tui) fn field(&mut self) -> Option<&mut Line> {
        match &mut self.overlay {
            Some(Overlay::Help { filter, is_filtering: true, .. }) => Some(filter),
            Some(Overlay::Palette(palette)) => Some(&mut palette.query),
            Some(Overlay::Prompt { line, .. }) => Some(line),
            Some(Overlay::Form(form)) => {
                form.fault = None;
                form.offers.clear();
                let at = form.at;
                (LABELS[at] != "kind").then(|| &mut form.fields[at])
            }
            None if self.focus == Focus::Copy => self.copying.as_mut()?.copy.find.as_mut().map(|find| &mut find.line),
            None if self.focus == Focus::Logs => self.logs_view.as_mut()?.logs.find.as_mut().map(|find| &mut find.line),
            None if self.list.is_filtering => Some(&mut self.list.filter),
            Some(_) | None => None,
        }
    }

    /// Something of the field changed.
    pub(in crate::tui) fn on_field(&mut self) {
        match self.context() {
            Context::Filter => self.on_filter(),
            Context::Palette => self.on_palette(),
            Context::Find if self.focus == Focus::Logs => self.in_logs(Logs::on_find),
            Context::Find => {
                self.with_copy(Copy::on_find);
            }
            _ => {
                if let Some(Overlay::Help { top, .. }) = &mut self.overlay {
                    *top = 0;
                }
            }
        }
        self.damage.chrome();
    }

    /// Changes the field that what is typed goes into.
    pub(in crate::tui) fn edit(&mut self, change: impl FnOnce(&mut Line)) {
        if let Some(field) = self.field() {
            change(field);
            self.on_field();
        }
    }

    /// Waits for a key, and says what it would do.
    pub(in crate::tui) fn describe_key(&mut self) {
        self.say("Press a key (after the prefix, if it needs that) and see what it does; Esc ends this.");
        self.wants = Some(Self::describe_this);
    }

    fn describe_this(&mut self, key: Key) {
        let context = self.context();
        let mut keys = self.keymap.pending().to_vec();
        let text = match self.keymap.press(context, key) {
            crate::tui::keymap::Outcome::Pending => {
                self.wants = Some(Self::describe_this);
                return;
            }
            crate::tui::keymap::Outcome::Matched(action) => {
                keys.push(key);
                format!("{}: {} ({})", describe(&keys), action.about, action.name)
            }
            crate::tui::keymap::Outcome::PassThrough if context == Context::Typing => {
                format!("{key} goes to the program.")
            }
            _ => {
                keys.push(key);
                format!("{} does nothing here.", describe(&keys))
            }
        };
        self.say(text);
    }
}
