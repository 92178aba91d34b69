//! The one list of actions: keymap, hint line, help, palette, `docs/manual/keys.md` and `rpm config check` are made from it and from
//! nothing else.
//!
//! An action is a row: name, words for people, what it calls, and its default keys by context. `Prefix` in a key sequence stands for
//! the prefix key, whatever it is. Contexts of overlays replace the one below, they do not add to it; a text field adds `Edit`.

mod copying;
mod fields;
mod lists;
mod overlays;
mod panes;
mod services;

use crate::tui::app::App;

/// Where the keyboard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// On the list.
    List,
    /// In the filter of the list.
    Filter,
    /// On a pane that is only looked at.
    View,
    /// With the session: only the prefix is ours.
    Typing,
    /// On the history of a pane, with the keys of vi.
    Copy,
    /// On the history of a pane, with the keys of Emacs.
    CopyEmacs,
    /// In the field for what is searched in a history.
    Find,
    /// On the lines that sessions say.
    Logs,
    /// On the grid of all sessions.
    Grid,
    /// In the palette.
    Palette,
    /// On the messages.
    Pick,
    /// On the details of a session.
    Detail,
    /// In a form.
    Form,
    /// In a field of its own.
    Prompt,
    /// On lines that a search found.
    Results,
    /// On the question whether to do something that cannot be undone.
    Confirm,
    /// On the question what to do with a session that somebody else controls.
    Offer,
    /// On the help.
    Help,
    /// In the filter of the help.
    HelpFilter,
    /// On the word that the daemon is gone.
    Lost,
    /// In any field: what edits text. Counts where the field's own context says nothing.
    Edit,
}

/// All contexts, with their names in settings and what they are called in the help.
pub const CONTEXTS: [(Context, &str, &str); 21] = [
    (Context::List, "list", "In the list"),
    (Context::Filter, "filter", "In the filter of the list"),
    (Context::View, "view", "Looking at a pane"),
    (Context::Typing, "typing", "Typing into a session"),
    (Context::Copy, "copy", "In copy mode, keys of vi"),
    (Context::CopyEmacs, "copy-emacs", "In copy mode, keys of Emacs"),
    (Context::Find, "find", "In the search of copy mode or logs"),
    (Context::Logs, "logs", "On the logs"),
    (Context::Grid, "grid", "On the grid"),
    (Context::Palette, "palette", "In the palette"),
    (Context::Pick, "pick", "On messages"),
    (Context::Detail, "detail", "On the details of a session"),
    (Context::Form, "form", "In the form of a new session"),
    (Context::Prompt, "prompt", "In a field of its own"),
    (Context::Results, "results", "On results of a search"),
    (Context::Confirm, "confirm", "On a question"),
    (Context::Offer, "offer", "When somebody else controls it"),
    (Context::Help, "help", "On the help"),
    (Context::HelpFilter, "help-filter", "In the filter of the help"),
    (Context::Lost, "lost", "While the daemon is away"),
    (Context::Edit, "edit", "In every field"),
];

impl Context {
    /// Returns the name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        CONTEXTS.iter().find(|(context, ..)| *context == self).map_or("", |(_, name, _)| name)
    }

    /// Returns what people read over its keys.
    #[must_use]
    pub fn heading(self) -> &'static str {
        CONTEXTS.iter().find(|(context, ..)| *context == self).map_or("", |(.., heading)| heading)
    }

    /// Returns the context of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        CONTEXTS.iter().find(|(_, known, _)| *known == name).map(|(context, ..)| *context)
    }

    /// Returns whether characters without a meaning go into a field.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Filter | Self::Find | Self::Palette | Self::Form | Self::Prompt | Self::HelpFilter)
    }
}

/// Keys of an action in one context.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where they count.
    pub context: Context,
    /// Alternatives, each a sequence of key names separated by blanks.
    pub keys: &'static [&'static str],
    /// Place in the hint line, 1 first; 0 keeps it to the help.
    pub hint: u8,
}

/// Something a user can do.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Its name, for settings and the palette.
    pub name: &'static str,
    /// One or two words for the hint line.
    pub short: &'static str,
    /// One sentence for the help.
    pub about: &'static str,
    /// What it does.
    pub run: fn(&mut App),
    /// Its default keys.
    pub bindings: &'static [Binding],
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Action {}

/// Makes a table of actions: `"name" "short" "about" run { Context hint => "keys" "other keys"; }`.
macro_rules! actions {
    ($(#[$doc:meta])* $table:ident: $($name:literal $short:literal $about:literal $run:expr => {
        $($context:ident $($hint:literal)? : $($keys:literal)+;)*
    })*) => {
        $(#[$doc])*
        pub(super) const $table: &[crate::tui::action::Action] = &[$(crate::tui::action::Action {
            name: $name,
            short: $short,
            about: $about,
            run: $run,
            bindings: &[$(crate::tui::action::Binding {
                context: crate::tui::action::Context::$context,
                keys: &[$($keys),+],
                hint: 0 $(+ $hint)?,
            }),*],
        }),*];
    };
}
use actions;

/// Every action there is, by family, in the order of the help.
const FAMILIES: [&[Action]; 6] =
    [lists::ACTIONS, services::ACTIONS, panes::ACTIONS, copying::ACTIONS, overlays::ACTIONS, fields::ACTIONS];

/// Returns every action there is, in the order of the help.
pub fn all() -> impl Iterator<Item = &'static Action> {
    FAMILIES.into_iter().flatten()
}

/// Returns the action of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Action> {
    all().find(|action| action.name == name)
}
