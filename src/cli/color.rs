//! Whether what is printed has colours: `--color`, then `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, then whether it is a terminal.

use std::io::IsTerminal;
use std::sync::OnceLock;

use clap::ValueEnum;

/// When colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment says no
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

static WANTED: OnceLock<Color> = OnceLock::new();

/// Takes what the command line says; once.
pub fn choose(color: Option<Color>) {
    let _ = WANTED.set(color.unwrap_or(Color::Auto));
}

/// Returns whether the command line wants colours; none where it leaves that to others.
pub fn wanted() -> Option<bool> {
    match WANTED.get() {
        Some(Color::Always) => Some(true),
        Some(Color::Never) => Some(false),
        Some(Color::Auto) | None => None,
    }
}

/// Returns whether what goes to standard output may have colours.
pub fn is_on() -> bool {
    wanted().unwrap_or_else(|| decide(|name| std::env::var(name).ok(), std::io::stdout().is_terminal()))
}

fn decide(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let is_unwanted = set("NO_COLOR").is_some() || set("CLICOLOR").is_some_and(|value| value == "0");
    is_terminal && !is_unwanted && set("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux18_the_environment_decides_about_colours_where_the_command_line_does_not() {
        type Case = (&'static [(&'static str, &'static str)], bool, bool);
        let cases: [Case; 8] = [
            (&[], true, true),
            (&[], false, false),
            (&[("NO_COLOR", "1")], true, false),
            (&[("NO_COLOR", "")], true, true),
            (&[("CLICOLOR", "0")], true, false),
            (&[("CLICOLOR_FORCE", "1")], false, true),
            (&[("CLICOLOR_FORCE", "0")], false, false),
            (&[("TERM", "dumb")], true, false),
        ];
        for (set, is_terminal, expected) in cases {
            let variable =
                |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(decide(variable, is_terminal), expected, "{set:?} {is_terminal}");
        }
    }
}
