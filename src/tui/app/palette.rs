//! The palette: every action by name, with its key, and every session by name.
//!
//! An action is done where the palette was opened, so what has no key there is reachable all the same.

use crate::session::id::SessionId;
use crate::session::text;
use crate::tui::action;
use crate::tui::action::Action;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Overlay;
use crate::tui::fuzzy;
use crate::tui::line::Line;

/// Something that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Do this.
    Action(&'static Action),
    /// Go there.
    Session(SessionId),
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    /// What was typed.
    pub query: Line,
    /// What fits, the best first, with the places of the letters that do.
    pub found: Vec<(Choice, Vec<usize>)>,
    /// The chosen one.
    pub at: usize,
    /// Where it was opened.
    pub from: Option<Context>,
}

/// Actions that mean something on an overlay or in a field only.
fn is_for_a_place(action: &Action) -> bool {
    let is_inner = |context: Context| {
        !matches!(context, Context::List | Context::View | Context::Typing | Context::Grid | Context::Lost)
    };
    !action.bindings.is_empty() && action.bindings.iter().all(|binding| is_inner(binding.context))
}

impl App {
    pub(in crate::tui) fn open_palette(&mut self) {
        let from = Some(self.context());
        self.open(Overlay::Palette(Palette { from, ..Palette::default() }));
        self.on_palette();
    }

    /// The query changed.
    pub(in crate::tui) fn on_palette(&mut self) {
        let Some(Overlay::Palette(palette)) = &self.overlay else { return };
        let (query, from) = (palette.query.text(), palette.from);
        let is_here = |action: &Action| {
            !is_for_a_place(action) || action.bindings.iter().any(|binding| Some(binding.context) == from)
        };
        let mut found: Vec<(i32, Choice, Vec<usize>)> = Vec::new();
        for action in action::all().filter(|action| is_here(action) && self.offers(action)) {
            if let Some((score, places)) = fuzzy::fit(&query, action.name) {
                found.push((score, Choice::Action(action), places));
            } else if let Some((score, _)) = fuzzy::fit(&query, action.about) {
                found.push((score / 4 - 100, Choice::Action(action), Vec::new()));
            }
        }
        for status in self.sessions.rows() {
            if let Some((score, places)) = fuzzy::fit(&query, &text::clean(&status.name)) {
                found.push((score, Choice::Session(status.id), places));
            }
        }
        // The sort is stable: what fits alike stays in the order of the help.
        found.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
        let found = found.into_iter().map(|(_, choice, places)| (choice, places)).collect();
        if let Some(Overlay::Palette(palette)) = &mut self.overlay {
            palette.found = found;
            palette.at = 0;
        }
        self.damage.chrome();
    }

    /// Does what was chosen.
    pub(in crate::tui) fn choose(&mut self) {
        let Some(Overlay::Palette(palette)) = self.overlay.take() else { return };
        self.damage.chrome();
        match palette.found.get(palette.at) {
            Some((Choice::Action(action), _)) => self.act(action),
            Some((Choice::Session(id), _)) => self.go_to(*id),
            None => self.say("Nothing has this name."),
        }
    }
}
