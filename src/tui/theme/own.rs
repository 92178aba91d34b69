//! Themes of one's own, and what is wrong with what settings say of looks.

use super::Palette;
use super::ROLES;
use super::palettes;
use crate::config::Finding;
use crate::config::Grade;
use crate::config::Settings;
use crate::config::Theme;

/// Least contrast of text on its ground, as WCAG 2 asks for.
const LEAST: f64 = 4.5;

impl Palette {
    /// Makes the colours of a theme of one's own.
    #[must_use]
    pub fn own(theme: &Theme) -> Self {
        let base = theme.base.as_deref().and_then(palettes::named);
        theme.colors.iter().fold(base.unwrap_or(palettes::ALL[0]), |palette, (role, rgb)| palette.with(role, *rgb))
    }
}

/// Returns what is wrong with the looks that settings ask for: names of nothing, and text that can hardly be read.
#[must_use]
pub fn check(settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut find = |grade, (line, column), text| found.push(Finding { grade, line, column, text });
    let wanted = &settings.tui.theme;
    let own = &settings.themes.0;
    let is_known = ["terminal", "auto"].contains(&wanted.as_str()) || palettes::named(wanted).is_some();
    if !is_known && own.iter().all(|theme| theme.name != *wanted) {
        let names: Vec<&str> = own.iter().map(|theme| theme.name.as_str()).collect();
        let more = if names.is_empty() { String::new() } else { format!(", {}", names.join(", ")) };
        let text = format!("{wanted:?} is no theme; there are terminal, auto, dark, light, contrast{more}");
        find(Grade::Error, (0, 0), text);
    }
    for theme in own {
        if let Some(base) = theme.base.as_ref().filter(|base| palettes::named(base).is_none()) {
            find(
                Grade::Error,
                theme.at,
                format!("{base:?} is no theme to begin with; there are dark, light, contrast"),
            );
        }
        let palette = Palette::own(theme);
        let ratio = |role| {
            let style = palette.style(role);
            palettes::contrast(style.fg.unwrap_or_default(), style.bg.unwrap_or_default())
        };
        let worst = ROLES.into_iter().map(|role| (ratio(role), role)).min_by(|one, other| one.0.total_cmp(&other.0));
        if let Some((ratio, role)) = worst.filter(|(ratio, _)| *ratio < LEAST) {
            let role = format!("{role:?}").to_lowercase();
            let text = format!(
                "theme {}: {role} can hardly be read on its ground ({ratio:.1} : 1, it should be {LEAST} : 1)",
                theme.name
            );
            find(Grade::Warning, theme.at, text);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn ux19_a_theme_of_ones_own_is_laid_over_a_built_in_one_and_warned_of_where_it_cannot_be_read() {
        let file =
            "[tui]\ntheme = \"sea\"\n[themes.sea]\nbase = \"light\"\nrunning = \"#006400\"\nfaint = \"#eeeeee\"\n";
        let loaded = config::parse(file);
        assert_eq!(loaded.findings, []);
        let palette = Palette::own(&loaded.settings.themes.0[0]);
        let light = palettes::named("light").expect("built in");
        assert_eq!(palette.style(super::super::Role::Text), light.style(super::super::Role::Text));
        assert_ne!(palette.style(super::super::Role::Running), light.style(super::super::Role::Running));
        let said: Vec<String> = check(&loaded.settings).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("3:9: warning: theme sea: faint can hardly be read"), "{said:?}");
        // Written and read again it is the same.
        let again = config::parse(&config::text(&loaded.settings)).settings.themes;
        assert_eq!(again.0[0].colors, loaded.settings.themes.0[0].colors);
    }

    #[test]
    fn a_theme_that_is_none_and_colours_that_are_none_are_named_with_their_line() {
        let file = "[tui]\ntheme = \"se\"\n[themes.sea]\nrunnin = \"#006400\"\nfaint = \"gray\"\nbase = 5\n";
        let loaded = config::parse(file);
        let mut said: Vec<String> = loaded.findings.iter().map(ToString::to_string).collect();
        said.extend(check(&loaded.settings).iter().map(ToString::to_string));
        let expected = [
            "4:1: warning: `runnin` is no key of a theme; did you mean `running`?",
            "5:9: error: `faint` cannot be used: a colour is written \"#rrggbb\"",
            "6:8: error: `base` cannot be used: a colour is written \"#rrggbb\"",
            "error: \"se\" is no theme; there are terminal, auto, dark, light, contrast, sea",
        ];
        assert_eq!(said, expected);
    }
}
