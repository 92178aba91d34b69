//! What things look like: roles, and the themes that give them colours.
//!
//! The default theme takes the terminal's own sixteen colours and its own ground, so it is right on light and on dark; the others
//! bring colours of 24 bits, each readable on its ground. Every state is also a word: nothing is said by colour alone.

mod depth;
mod own;
mod palettes;

use ratatui::style::Color;
use ratatui::style::Modifier;
use ratatui::style::Style;

use crate::config;
use crate::session::service::status::ServiceState;
use crate::session::status::How;
use crate::session::status::State;
use crate::session::status::Status;

pub use depth::Depth;
pub use own::check;
pub use palettes::Palette;

/// What something we draw is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Text,
    /// Text of less weight.
    Faint,
    /// A heading.
    Heading,
    /// The selected row.
    Selected,
    /// Lines and words of a pane that is looked at.
    Viewing,
    /// Lines and words of a pane that gets what is typed.
    Typing,
    /// Lines and words of panes that all get what is typed.
    Warning,
    /// A key.
    Key,
    /// A message.
    Notice,
    /// Letters that fit what is searched.
    Match,
    /// Something that wants attention.
    Attention,
    /// Something that cannot be taken back.
    Danger,
    /// A session that runs.
    Running,
    /// A session that ends.
    Stopping,
    /// A session that ended well.
    Ended,
    /// A session that ended badly.
    Failed,
}

/// All roles, in their order.
pub const ROLES: [Role; 16] = [
    Role::Text,
    Role::Faint,
    Role::Heading,
    Role::Selected,
    Role::Viewing,
    Role::Typing,
    Role::Warning,
    Role::Key,
    Role::Notice,
    Role::Match,
    Role::Attention,
    Role::Danger,
    Role::Running,
    Role::Stopping,
    Role::Ended,
    Role::Failed,
];

impl Role {
    /// Returns what a state is.
    #[must_use]
    pub const fn of(state: &State) -> Self {
        match state {
            State::Running => Self::Running,
            State::Stopping { .. } => Self::Stopping,
            State::Ended { end } if end.shell_code() == 0 || matches!(end.how, How::Stopped) => Self::Ended,
            State::Ended { .. } => Self::Failed,
        }
    }

    /// Returns what a session or service is.
    #[must_use]
    pub const fn of_status(status: &Status) -> Self {
        match &status.service {
            None => Self::of(&status.state),
            Some(service) => match service.state {
                ServiceState::Up | ServiceState::Ready => Self::Running,
                ServiceState::CrashLoop | ServiceState::Failed => Self::Failed,
                ServiceState::Stopped => Self::Ended,
                ServiceState::Exited | ServiceState::Unknown => Self::of(&status.state),
                ServiceState::Waiting | ServiceState::Starting | ServiceState::Stopping | ServiceState::Backoff => {
                    Self::Stopping
                }
            },
        }
    }

    /// Returns what does not depend on colours.
    const fn modifier(self) -> Modifier {
        match self {
            Self::Heading | Self::Key | Self::Notice | Self::Typing | Self::Danger | Self::Attention => Modifier::BOLD,
            Self::Warning => Modifier::BOLD.union(Modifier::REVERSED),
            Self::Match => Modifier::UNDERLINED.union(Modifier::BOLD),
            _ => Modifier::empty(),
        }
    }
}

/// The looks that were chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    palette: Option<Palette>,
    /// Boxes and marks are drawn without Unicode.
    pub is_ascii: bool,
    /// The terminal has no Unicode at all.
    pub is_forced_ascii: bool,
    /// Its ground is light, as far as that is known.
    pub is_light: Option<bool>,
}

impl Look {
    /// Takes what settings ask for and the terminal can do.
    #[must_use]
    pub fn new(settings: &config::Tui, themes: &config::Themes, has_utf8: bool, is_light: Option<bool>) -> Self {
        let wanted = match (settings.theme.as_str(), is_light) {
            ("auto", Some(true)) => "light",
            ("auto", Some(false)) => "dark",
            (name, _) => name,
        };
        let own = themes.0.iter().find(|theme| theme.name == wanted);
        Self {
            palette: own.map_or_else(|| palettes::named(wanted), |theme| Some(Palette::own(theme))),
            is_ascii: settings.ascii || !has_utf8,
            is_forced_ascii: !has_utf8,
            is_light,
        }
    }

    /// Returns how something looks.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        match &self.palette {
            Some(palette) => palette.style(role),
            None => own_colours(role),
        }
    }

    /// Returns what is behind everything that we draw.
    #[must_use]
    pub fn ground(&self) -> Style {
        self.palette.as_ref().map_or_else(Style::new, |palette| palette.style(Role::Text))
    }
}

/// The terminal's own colours. Bold in one of the sixteen is shown as its bright one by many terminals, and bright yellow, cyan or
/// green cannot be read on white.
fn own_colours(role: Role) -> Style {
    let plain = Style::new().add_modifier(role.modifier());
    match role {
        Role::Faint | Role::Viewing => plain.add_modifier(Modifier::DIM),
        // A reversed state would be a patch of its colour: the row has one look.
        Role::Selected => plain.fg(Color::Reset).bg(Color::Reset).add_modifier(Modifier::REVERSED),
        Role::Danger | Role::Failed => plain.fg(Color::Red),
        Role::Ended => plain.fg(Color::Blue),
        Role::Running => plain.fg(Color::Green),
        Role::Stopping => plain.fg(Color::Magenta),
        Role::Text
        | Role::Heading
        | Role::Key
        | Role::Notice
        | Role::Typing
        | Role::Warning
        | Role::Match
        | Role::Attention => plain,
    }
}

/// Returns what stands for one of our own glyphs where there is no Unicode.
#[must_use]
pub fn ascii(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "─" | "━" | "═" | "▄" | "▅" => "-",
        "│" | "┃" | "║" | "▏" => "|",
        "┌" | "┐" | "└" | "┘" | "┏" | "├" | "┤" | "┬" | "┴" | "┼" | "╔" => "+",
        "…" => "~",
        "·" | "▂" | "▃" => ".",
        "●" | "◆" => "*",
        "▸" => ">",
        "▾" => "v",
        "▁" => "_",
        "▆" | "▇" => "=",
        "█" => "#",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux18_every_role_of_the_default_theme_keeps_the_ground_of_the_terminal() {
        for role in ROLES {
            let style = own_colours(role);
            assert!(style.bg.is_none_or(|bg| bg == Color::Reset), "{role:?}");
            assert!(!matches!(style.fg, Some(Color::Rgb(..) | Color::White | Color::Black)), "{role:?}");
        }
    }

    #[test]
    fn ux19_text_of_the_built_in_themes_can_be_read_on_its_ground() {
        for palette in &palettes::ALL {
            for role in ROLES {
                let style = palette.style(role);
                let ratio = palettes::contrast(style.fg.expect("a colour"), style.bg.expect("a ground"));
                assert!(ratio >= 4.5, "{role:?} of {} has {ratio:.2}", palette.name);
            }
        }
    }

    #[test]
    fn ux20_every_glyph_we_draw_has_one_without_unicode() {
        for symbol in "─━│┃┌┐└┘┏…·●▸▾▁▂▃▄▅▆▇█".chars() {
            assert!(ascii(&symbol.to_string()).is_some_and(str::is_ascii), "{symbol}");
        }
    }
}
