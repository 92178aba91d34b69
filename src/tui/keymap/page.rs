//! `docs/manual/keys.md`, made from the list of actions: every place with its keys, and what has no key.
//!
//! A test holds the page equal to this; `RUNPM_BLESS=1` writes it.

use std::fmt::Write;

use crate::tui::action;
use crate::tui::keymap::Keymap;
use crate::tui::keymap::PRESETS;

/// Returns the page.
#[must_use]
pub fn page() -> String {
    let keymap = Keymap::default();
    let mut out = String::from(
        "# Keys of the dashboard\n\nMade from the list of actions; `?` shows the same for the place where the keyboard is, with your own \
         keys. Each name can be given other keys in `config.toml`, see [settings](config.md). `C-b` is the prefix unless settings say \
         otherwise.\n",
    );
    for (context, name, heading) in action::CONTEXTS {
        let _ = write!(out, "\n## {heading}\n\nPlace `{name}` in settings.\n\n| keys | does | name |\n|---|---|---|\n");
        for bound in keymap.bound(context) {
            let keys: Vec<String> =
                bound.keys.iter().map(|keys| format!("`{}`", super::describe(keys).replace('|', "\\|"))).collect();
            let _ = writeln!(out, "| {} | {} | `{}` |", keys.join(" "), bound.action.about, bound.action.name);
        }
    }
    out.push_str("\n## Without a key\n\nIn the palette, or with a key of yours.\n\n| does | name |\n|---|---|\n");
    for action in action::all().filter(|action| action.bindings.is_empty()) {
        let _ = writeln!(out, "| {} | `{}` |", action.about, action.name);
    }
    out.push_str("\n## Presets\n");
    for preset in &PRESETS {
        let _ = write!(out, "\n`{}`: prefix `{}`", preset.name, preset.prefix);
        for (name, context, keys) in preset.keys {
            let keys: Vec<String> = keys.iter().map(|keys| format!("`{keys}`")).collect();
            let _ = write!(out, "; {} {} ({})", keys.join(" "), name, context.name());
        }
        out.push_str(".\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux5_the_page_of_keys_is_made_from_the_list_of_actions() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/manual/keys.md");
        if std::env::var_os("RUNPM_BLESS").is_some() {
            std::fs::write(path, page()).expect("written");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == page(), "docs/manual/keys.md is out of date: run the test with RUNPM_BLESS=1");
    }
}
