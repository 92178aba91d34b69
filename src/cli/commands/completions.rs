//! `rpm completions`, `rpm man`, and what the completions ask: everything comes out of the one description of the command line.
//!
//! The scripts are small and ask `rpm __complete`, so that names of sessions are those of now. It never starts a daemon.

use clap::Arg;
use clap::Command;

use crate::cli::args;
use crate::cli::args::Shell;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report::say;
use crate::client::blocking::Client;
use crate::protocol::verbs;
use crate::session::status::Status;
use crate::session::text;

const BASH: &str = r#"_NAME() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <(command NAME __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _NAME NAME
"#;

const ZSH: &str = r#"#compdef NAME
_NAME() {
    local -a found
    local line
    while IFS= read -r line; do
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done < <(command NAME __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( $#found )); then _describe 'NAME' found; else _files; fi
}
if [ "$funcstack[1]" = "_NAME" ]; then _NAME "$@"; else compdef _NAME NAME; fi
"#;

const FISH: &str = r"function __NAME_complete
    set -l words (commandline -opc)
    set -l found (command NAME __complete -- $words[2..] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c NAME -f -a '(__NAME_complete)'
";

/// Prints the script for a shell.
pub fn completions(args: &args::Completions) -> u8 {
    let script = match args.shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
    };
    output::print(script.replace("NAME", own_name()).as_bytes());
    exit::OK
}

/// Prints the page, or writes one for each command.
pub fn man(args: &args::Man) -> u8 {
    let name = own_name();
    let command = args::command().name(name).bin_name(name);
    let written = match &args.dir {
        None => {
            let mut page = Vec::new();
            let made = clap_mangen::Man::new(command).render(&mut page);
            output::print(&page);
            made
        }
        Some(dir) => std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir)),
    };
    match written {
        Ok(()) => exit::OK,
        Err(error) => {
            let dir = args.dir.as_ref().map(|dir| dir.display().to_string()).unwrap_or_default();
            say(&format!("rpm: cannot write pages to {dir}\n  cause: {error}\n  try: another folder"));
            exit::FAILURE
        }
    }
}

/// Returns the name that this program was called by: Red Hat's may be in the way of the short one.
fn own_name() -> &'static str {
    let path = std::env::args_os().next().map(std::path::PathBuf::from);
    let name = path.as_ref().and_then(|path| path.file_name()).and_then(|name| name.to_str());
    if name == Some("runpm") { "runpm" } else { "rpm" }
}

/// Prints what may stand in the place of the last word: a line each, what it means behind a tab.
pub fn complete(args: &args::Complete) -> u8 {
    let words: Vec<String> = args.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let lines: Vec<String> =
        candidates(&words, sessions).into_iter().map(|(word, about)| format!("{word}\t{about}\n")).collect();
    output::print(lines.concat().as_bytes());
    exit::OK
}

/// Returns the sessions there are; none without a daemon.
fn sessions() -> Vec<Status> {
    let listing = Client::connect().and_then(|mut client| client.call(&verbs::List::default()));
    listing.map(|listing| listing.sessions).unwrap_or_default()
}

/// A word, and what it means.
type Candidate = (String, String);

fn candidates(words: &[String], sessions: impl Fn() -> Vec<Status>) -> Vec<Candidate> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let mut root = args::command();
    root.build();
    let mut command = &root;
    let (mut places, mut open) = (0, None);
    for word in before {
        if open.take().is_some() {
            continue;
        }
        if word == "--" {
            // What follows is somebody else's command line.
            return Vec::new();
        }
        if word.starts_with('-') {
            open = option_of(command, word).filter(|arg| arg.get_action().takes_values() && !word.contains('='));
        } else if let Some(inner) = command.find_subcommand(word).filter(|_| places == 0) {
            command = inner;
        } else {
            places += 1;
        }
    }
    let mut found = match open {
        Some(arg) => values_of(arg, &sessions),
        None if last.starts_with('-') => options_of(command),
        None => {
            let mut found: Vec<Candidate> = if places == 0 { verbs_of(command) } else { Vec::new() };
            let all: Vec<&Arg> = command.get_positionals().collect();
            let last_place = all.last().filter(|arg| arg.get_num_args().is_some_and(|n| n.max_values() > 1));
            if let Some(arg) = all.get(places).or(last_place) {
                found.extend(values_of(arg, &sessions));
            }
            found
        }
    };
    found.retain(|(word, _)| word.starts_with(last.as_str()));
    found
}

fn option_of<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.split('=').next().unwrap_or(word);
    command.get_arguments().find(|arg| {
        let is_long = name.strip_prefix("--").is_some_and(|name| arg.get_long() == Some(name));
        is_long || name.strip_prefix('-').is_some_and(|name| arg.get_short().is_some_and(|c| name == c.to_string()))
    })
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

fn verbs_of(command: &Command) -> Vec<Candidate> {
    let seen = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    seen.map(|verb| (verb.get_name().to_owned(), first_line(verb.get_about()))).collect()
}

fn options_of(command: &Command) -> Vec<Candidate> {
    let seen = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let named = seen.filter_map(|arg| Some((format!("--{}", arg.get_long()?), first_line(arg.get_help()))));
    named.chain([("--help".to_owned(), "Print help".to_owned())]).collect()
}

fn values_of(arg: &Arg, sessions: &impl Fn() -> Vec<Status>) -> Vec<Candidate> {
    let kind = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    if kind == "SESSION" || kind == "SERVICE" {
        let mut all = sessions();
        all.retain(|status| kind == "SESSION" || status.service.is_some());
        return all.iter().map(|status| (text::clean(&status.name), text::clean(&status.word()))).collect();
    }
    let values = arg.get_possible_values();
    let seen = values.iter().filter(|value| !value.is_hide_set());
    seen.map(|value| (value.get_name().to_owned(), first_line(value.get_help()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let sessions = || {
            let status = |name: &str| -> Status {
                serde_json::from_value(serde_json::json!({ "id": 1, "name": name, "state": { "word": "running" } }))
                    .expect("a status")
            };
            vec![status("web"), status("worker")]
        };
        let line: Vec<String> = line.split(' ').map(str::to_owned).collect();
        candidates(&line, sessions).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn ux37_commands_flags_values_and_names_are_completed() {
        assert_eq!(words("att"), ["attach"]);
        assert_eq!(words("attach w"), ["web", "worker"]);
        assert_eq!(words("attach --steal wo"), ["worker"]);
        assert_eq!(words("stop web wo"), ["worker"]);
        assert_eq!(words("attach --st"), ["--steal", "--stream"]);
        assert_eq!(words("config re"), ["reload"]);
        assert_eq!(words("completions z"), ["zsh"]);
        assert_eq!(words("tui --session we"), ["web"]);
        assert!(words("ls --col").contains(&"--color".to_owned()));
        assert_eq!(words("ls --color a"), ["auto", "always"]);
        // What is somebody else's, or hidden, is left alone.
        assert_eq!(words("run -- at"), Vec::<String>::new());
        assert_eq!(words("__"), Vec::<String>::new());
    }

    #[test]
    fn ux37_every_command_says_what_it_does() {
        fn check(command: &Command) {
            for (name, about) in verbs_of(command) {
                assert!(!about.is_empty(), "{name}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&args::command());
    }
}
