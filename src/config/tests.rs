//! What a file means, and what is said of one that is wrong.

use super::*;
use crate::session::environment::Policy;
use crate::session::spec::Kind;
use crate::term::Size;

use proptest::prelude::*;
use reader::Section;

fn said(file: &str) -> Vec<String> {
    parse(file).findings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_file_says_what_is_built_in_and_all_of_it() {
    let loaded = parse(DEFAULT_FILE);
    assert_eq!((loaded.settings, loaded.findings), (Settings::default(), vec![]));
    for field in Sessions::FIELDS {
        let key = format!("\n{} = ", field.name);
        assert!(DEFAULT_FILE.contains(&key), "{} is not documented", field.name);
    }
    for field in Tui::FIELDS {
        let key = format!("\n{} = ", field.name);
        assert!(DEFAULT_FILE.contains(&key), "{} is not documented", field.name);
    }
}

#[test]
fn keys_are_read_with_their_places_and_written_so_that_they_are_read_again() {
    let file = "[keys]\nstop = \"K\"\nkill = []\n[keys.list]\nstop = [\"x\", \"Prefix x\"]\n";
    let keys = parse(file).settings.keys;
    let said: Vec<_> =
        keys.0.iter().map(|entry| (entry.context.as_deref(), entry.action.as_str(), entry.at.0)).collect();
    assert_eq!(said, [(None, "stop", 2), (None, "kill", 3), (Some("list"), "stop", 5)]);
    assert_eq!(keys.0[2].keys, ["x", "Prefix x"]);
    let again = parse(&text(&parse(file).settings)).settings.keys;
    let plain = |keys: &Keys| keys.0.iter().map(|entry| (entry.action.clone(), entry.keys.clone())).collect::<Vec<_>>();
    assert_eq!(plain(&again), plain(&keys));
    assert_eq!(parse("[keys]\nstop = 5\n").findings[0].line, 2);
}

#[test]
fn the_example_of_the_default_file_works_and_shows_every_key() {
    let is_example = |line: &&str| line.starts_with('#') && line.chars().nth(1).is_some_and(|c| c != ' ');
    let example: Vec<&str> = DEFAULT_FILE.lines().filter(is_example).map(|line| &line[1..]).collect();
    let loaded = parse(&example.join("\n"));
    assert_eq!((loaded.settings.autostart.len(), loaded.findings), (1, vec![]));
    for field in Autostart::FIELDS {
        assert!(example.iter().any(|line| line.starts_with(&format!("{} = ", field.name))), "{}", field.name);
    }
}

#[test]
fn values_are_read_and_written_so_that_they_are_read_again() {
    let file = r#"
        sessions = { keep_ended = 3, keep_ended_bytes = 4096, history = "512K", grace = "1500ms" }
        [[autostart]]
        command = ["sh", "-c", "exit 3"]
        [[autostart]]
        name = "web"
        command = ["serve"]
        cwd = "/srv"
        env = { PORT = "80", "a b" = "ü" }
        env_policy = "clear"
        kind = "pipe"
        size = "120x40"
        tags = ["ci", "x"]
    "#;
    let loaded = parse(file);
    assert_eq!(loaded.findings, []);
    let settings = loaded.settings;
    assert_eq!(
        settings.sessions,
        Sessions { keep_ended: 3, keep_ended_bytes: Bytes(4096), history: Bytes(512 << 10), grace: Pause(1500) }
    );
    let [first, web] = &settings.autostart[..] else { panic!("{settings:?}") };
    assert_eq!((first.env_policy, first.kind, first.size), (Policy::Login, Kind::Pty, Size::default()));
    assert_eq!((web.env_policy, web.kind, web.size), (Policy::Clear, Kind::Pipe, Size::clamped(40, 120)));
    assert_eq!(parse(&text(&settings)).settings, settings);
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_costs_itself_only() {
    let file = "[sessions]\nkeep_ended = \"many\"\nhistory = \"3 bananas\"\n  grace = 5\nkeep_ended_bytes = \"1M\"\n";
    let loaded = parse(file);
    let wanted = Sessions { keep_ended_bytes: Bytes(1 << 20), ..Sessions::default() };
    assert_eq!(loaded.settings.sessions, wanted);
    let said = said(file);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("2:14: error: `keep_ended` cannot be used: "), "{said:?}");
    assert!(said[1].starts_with("3:11: error: `history` cannot be used: \"3 bananas\" is no size"), "{said:?}");
    assert!(said[2].starts_with("4:11: error: `grace` cannot be used: "), "{said:?}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_what_was_meant() {
    let said = said("[session]\n[sessions]\nkeep_endet = 1\nwhatever = 2\n");
    assert_eq!(
        said,
        [
            "1:2: warning: `session` is no section; did you mean `sessions`?",
            "3:1: warning: `keep_endet` is no key of [sessions]; did you mean `keep_ended`?",
            "4:1: warning: `whatever` is no key of [sessions]; there are keep_ended, keep_ended_bytes, history, grace",
        ]
    );
}

#[test]
fn a_file_that_is_none_means_the_defaults() {
    let loaded = parse("[sessions]\nkeep_ended = 3\nhistory = = 5\n");
    assert_eq!(loaded.settings, Settings::default());
    assert!(loaded.findings[0].to_string().starts_with("3:11: error: "), "{:?}", loaded.findings);
    assert_eq!(said("sessions = 5"), ["1:12: error: `sessions` is a section: write [sessions]"]);
    assert_eq!(parse("").findings, []);
}

#[test]
fn d23_a_bad_entry_is_left_out_and_the_others_stay() {
    let file = r#"
[[autostart]]
name = "a"
command = ["true"]
kind = "tty"
[[autostart]]
name = "b"
[[autostart]]
name = "all"
command = ["true"]
[[autostart]]
command = ["true"]
env = { A = 5 }
[[autostart]]
command = ["true"]
env = { "A=" = "5" }
[[autostart]]
name = "good"
command = ["true"]
[[autostart]]
name = "good"
command = ["false"]
[[autostart]]
command = "true"
[[autostart]]
comand = ["true"]
"#;
    let loaded = parse(file);
    let names: Vec<Option<&str>> = loaded.settings.autostart.iter().map(|entry| entry.name.as_deref()).collect();
    assert_eq!(names, [Some("good")]);
    let said = said(file).join("\n");
    for part in [
        "5:8: error: `kind` cannot be used: unknown variant `tty`, expected `pty` or `pipe`",
        "has no command",
        "\"all\" cannot be a name",
        "13:13: error: `env` cannot be used",
        "\"A=\" cannot be the name",
        "\"good\" is the name of an entry above",
        "did you mean `command`?",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_reading_fail(file in "(\\[|\\]|=|\"|sessions|autostart|keep_ended|command|\n|1|ü|\\PC){0,40}") {
        for finding in parse(&file).findings {
            prop_assert!(finding.line <= file.lines().count() + 1);
        }
    }
}
