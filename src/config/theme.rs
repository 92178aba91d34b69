//! `[themes.NAME]`: colours of one's own for the dashboard.

use serde::Serialize;
use serde::Serializer;

/// What has a colour, as the keys of a theme are called.
pub const ROLES: [&str; 12] = [
    "ground",
    "text",
    "faint",
    "selected",
    "selected_ground",
    "key",
    "typing",
    "attention",
    "running",
    "stopping",
    "ended",
    "failed",
];

/// A theme: colours over those of a built-in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theme {
    /// What `theme` calls it.
    pub name: String,
    /// The built-in theme that gives what is not said: `dark`, `light` or `contrast`.
    pub base: Option<String>,
    /// Red, green and blue in one number, by role.
    pub colors: Vec<(String, u32)>,
    /// Line and column in the file, from 1.
    pub at: (usize, usize),
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Themes(pub Vec<Theme>);

/// Reads `#rrggbb`.
#[must_use]
pub fn color(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

impl Serialize for Theme {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let base = self.base.iter().map(|base| ("base", base.clone()));
        serializer.collect_map(base.chain(self.colors.iter().map(|(role, rgb)| (role.as_str(), format!("#{rgb:06x}")))))
    }
}

impl Serialize for Themes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|theme| (&theme.name, theme)))
    }
}
