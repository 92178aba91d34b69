//! The command line as a type; one file a family of verbs.

mod automation;
mod config;
mod convert;
mod ending;
mod environment;
mod habits;
mod naming;
mod parse;
mod procs;
mod services;
mod sessions;
mod shell;
mod since;
mod tees;
mod tool;
mod views;

use std::any::TypeId;
use std::ffi::OsString;

use clap::Arg;
use clap::Command;
use clap::CommandFactory;
use clap::FromArgMatches;
use clap::Parser;
use clap::Subcommand;

use crate::cli::args::parse::Wish;
use crate::cli::color::Color;
use crate::client::blocking::wait;
use crate::protocol::verbs;

pub use automation::*;
pub use config::*;
pub use convert::*;
pub use ending::*;
pub use environment::*;
pub use habits::*;
pub use naming::*;
pub use procs::*;
pub use services::*;
pub use sessions::*;
pub use shell::*;
pub use since::Since;
pub use tees::*;
pub use tool::*;
pub use views::*;

/// Programs that outlive your terminal.
#[derive(Debug, Parser)]
#[command(name = "rpm", bin_name = "rpm", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    about = "Programs that outlive your terminal: a dashboard over sessions that no crash, logout or upgrade ends"
)]
#[command(
    after_help = "Examples:\n  rpm                        # open the dashboard\n  rpm run -- make -j4        # start a program and attach to it\n  rpm run -d --name web -- python3 -m http.server\n  rpm attach web             # C-b d leaves, the program goes on\n\nThis is the session manager `runpm`, not Red Hat's package manager."
)]
pub struct Cli {
    /// What to do; without it, the dashboard.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", hide_possible_values = true)]
    pub color: Option<Color>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Open the dashboard
    #[command(visible_aliases = ["dashboard"], aliases = ["dash", "top", "ui"])]
    #[command(
        after_help = "Examples:\n  rpm tui\n  rpm tui --session web      # one session, full screen\n  rpm tui --layout desk      # panes as they were kept"
    )]
    Tui(Tui),
    /// Open the dashboard at the services
    Monit,
    /// Start three harmless sessions to play with, open the dashboard, clean up
    Demo,
    /// Start a session and attach to it
    #[command(
        after_help = "Examples:\n  rpm run -- vim notes.txt\n  rpm run -d --name web --cwd /srv -- ./serve --port 8080"
    )]
    Run(Run),
    /// Attach this terminal to a session; C-b d leaves
    #[command(visible_aliases = ["connect", "fg"])]
    #[command(
        after_help = "Examples:\n  rpm attach web\n  rpm attach web --steal     # take it over from another terminal"
    )]
    Attach(Attach),
    /// List sessions
    #[command(visible_aliases = ["list", "l", "ps", "status"])]
    #[command(
        after_help = "Examples:\n  rpm ls\n  rpm ls -w                  # with load and memory of their trees\n  rpm ls '/^web-/' 3-7 @ci --json"
    )]
    Ls(Ls),
    /// Show all about one session
    #[command(visible_aliases = ["show", "info", "desc"])]
    #[command(after_help = "Examples:\n  rpm describe web\n  rpm describe web --toml >> runpm.toml")]
    Describe(Describe),
    /// Print what sessions said
    #[command(visible_aliases = ["log", "tail"], aliases = ["echo"])]
    #[command(
        after_help = "Examples:\n  rpm logs web -n 100\n  rpm logs web db -f --since 5m --timestamps\n  rpm logs -f --err\n  rpm logs web -f --raw > web.log"
    )]
    Logs(Logs),
    /// Forget what sessions said so far, in memory and on disk
    #[command(aliases = ["clear", "truncate"])]
    #[command(after_help = "Examples:\n  rpm flush web\n  rpm flush all")]
    Flush(Flush),
    /// Search what sessions said
    #[command(
        after_help = "Examples:\n  rpm grep error\n  rpm grep -i -C 3 'time(d )?out' web --since 1h\n\nEnds with 0 when a line matched, 1 when none did, 2 when the pattern cannot be read."
    )]
    Grep(Grep),
    /// Print the screen of a session
    #[command(after_help = "Examples:\n  rpm screen web\n  rpm screen web --svg > web.svg")]
    Screen(Screen),
    /// Make a recording of what a session has said so far
    #[command(after_help = "Examples:\n  rpm export web --asciicast -o web.cast\n  rpm export web --text --since 1h")]
    Export(Export),
    /// Type into a session
    #[command(
        after_help = "Examples:\n  rpm send web 'reload' --enter\n  rpm send vim --keys \"Escape ':wq' Enter\"\n  rpm send py 'print(6*7)' --enter --wait '^>>> $'\n  rpm send filter --stdin --eof < data"
    )]
    Send(Send),
    /// Wait until something happens in a session
    #[command(
        after_help = "Examples:\n  rpm wait build --for exit --timeout 10m\n  rpm wait web --for text='listening on (\\d+)' --since start --json\n  rpm wait sh --for ready --for idle=2s\n\nEnds with 0 when it came, 92 when the time ran out, 93 when the session ended first."
    )]
    Wait(Wait),
    /// Print what happens to sessions, as it happens
    #[command(after_help = "Examples:\n  rpm events\n  rpm events web --kind bell --kind ended --json")]
    Events(Events),
    /// Start what a session ran once more: in its place, or beside it
    #[command(
        after_help = "Examples:\n  rpm again build           # stops it first if it runs; same name\n  rpm again build --copy    # a second one beside it"
    )]
    Again(Again),
    /// Set the size of a session's terminal
    Resize(Resize),
    /// Give a session another name
    #[command(after_help = "Examples:\n  rpm rename sh-2 deploy")]
    Rename(Rename),
    /// Give a session other tags
    #[command(after_help = "Examples:\n  rpm tag web blue ci\n  rpm tag web                # takes all of them away")]
    Tag(Tag),
    /// End sessions: politely first, then hard
    #[command(
        aliases = ["down"],
        after_help = "Examples:\n  rpm stop web --grace 30s\n  rpm stop all --older-than 1d\n  rpm stop --originator ci"
    )]
    Stop(Stop),
    /// End sessions hard, now
    Kill(Kill),
    /// Send a signal to sessions
    #[command(aliases = ["sendSignal", "sendsignal"])]
    #[command(after_help = "Examples:\n  rpm signal HUP web\n  rpm signal INT build       # as C-c would")]
    Signal(Signal),
    /// Forget ended sessions and stopped services
    Rm(Targets),
    /// Copy what a session says to a file or a command, from now on
    #[command(
        after_help = "Examples:\n  rpm tee web --to web.log --max-size 10M --keep 3\n  rpm tee web --to-command 'gzip > web.gz' --from start\n  rpm tee web --to - --timestamps --strip"
    )]
    Tee(Tee),
    /// List tees: where copies go, and what was written and missed
    Tees(Tees),
    /// End tees; what was said before is copied first
    Untee(Untee),
    /// Forget all ended sessions, or those that an option selects
    #[command(after_help = "Examples:\n  rpm purge\n  rpm purge --originator ci --older-than 1d")]
    Purge(Purge),
    /// Services.
    #[command(flatten)]
    Service(ServiceVerb),
    /// What hands know from elsewhere.
    #[command(flatten)]
    Habit(HabitVerb),
    /// List sessions and registered processes with state, load and memory of their trees
    #[command(after_help = "Examples:\n  rpm procs\n  rpm procs --originator ci --json")]
    Procs(Procs),
    /// Draw a process and all below it
    Tree(Tree),
    /// End a process and all below it: politely first, then hard
    #[command(after_help = "Examples:\n  rpm kill-tree 4711 --timeout 10s")]
    KillTree(KillTree),
    /// List processes whose owner is gone, and why; nothing is ended without --kill
    #[command(after_help = "Examples:\n  rpm orphans\n  rpm orphans --kill")]
    Orphans(Orphans),
    /// Announce a process that something else started
    #[command(after_help = "Examples:\n  rpm register 4711 --originator ci:4700 --kind server")]
    Register(Register),
    /// Forget an announced process; it is not signalled
    Unregister(Unregister),
    /// Look after the daemon
    #[command(subcommand)]
    Daemon(Daemon),
    /// Look after the settings
    #[command(subcommand)]
    Config(Config),
    /// Make a file of services from one of pm2, process-compose or foreman
    #[command(
        after_help = "Examples:\n  rpm convert ecosystem.config.json > runpm.toml\n  rpm convert --node ecosystem.config.js --env production -o runpm.toml\n  rpm convert Procfile\n\nWhat has no equivalent stands in the comments of the result."
    )]
    Convert(Convert),
    /// Print completions for a shell
    #[command(
        after_help = "Examples:\n  rpm completions bash > ~/.local/share/bash-completion/completions/rpm\n  rpm completions zsh > ~/.zfunc/_rpm\n  rpm completions fish > ~/.config/fish/completions/rpm.fish"
    )]
    Completions(Completions),
    /// Print the manual page
    #[command(after_help = "Examples:\n  rpm man | man -l -\n  rpm man --dir ~/.local/share/man/man1")]
    Man(Man),
    /// Asked by completions.
    #[command(name = "__complete", hide = true)]
    Complete(Complete),
    /// Check this system, the folders, the settings and the daemon
    #[command(aliases = ["report"])]
    Doctor(Doctor),
    /// End all sessions, the daemon and the keeper
    Shutdown(Shutdown),
    /// The keeper itself; started by need.
    #[command(name = "__keeper", hide = true)]
    Keeper,
    /// The daemon itself; started by the keeper.
    #[command(name = "__daemon", hide = true)]
    DaemonProcess,
    /// A tee itself; started by the keeper.
    #[command(name = "__tee", hide = true)]
    TeeProcess,
}

/// Returns the description of the command line.
#[must_use]
pub fn command() -> Command {
    with_negative_values(Cli::command())
}

/// Reads a command line; its first word is the program.
pub fn parse_from(line: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = with_negative_values(Cli::command());
    let mut matches = command.try_get_matches_from_mut(line)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// A number or a time below zero is a bad value, and not an unknown flag.
fn with_negative_values(command: Command) -> Command {
    let numbers = [
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<Since>(),
        TypeId::of::<wait::Since>(),
        TypeId::of::<verbs::From>(),
        TypeId::of::<verbs::TeeFrom>(),
    ];
    let accept = |arg: Arg| {
        let is_number = numbers.iter().any(|number| arg.get_value_parser().type_id() == *number);
        match (is_number && arg.get_action().takes_values(), arg.is_positional()) {
            // A negative size is no number.
            (false, true) if arg.get_value_parser().type_id() == TypeId::of::<Wish>() => arg.allow_hyphen_values(true),
            (false, _) => arg,
            (true, true) => arg.allow_negative_numbers(true),
            (true, false) => arg.allow_hyphen_values(true),
        }
    };
    command.mut_args(accept).mut_subcommands(with_negative_values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts a line as a shell does, up to a comment, a pipe or a redirection.
    fn words(line: &str) -> Vec<OsString> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for c in line.chars() {
            match (quote, c) {
                (None, '#' | '|' | '<' | '>') if word.is_none() => break,
                (None, '\'' | '"') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (Some(open), c) if c == open => quote = None,
                (None, ' ') => words.extend(word.take().map(OsString::from)),
                (_, c) => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word.map(OsString::from));
        words
    }

    fn check_examples(command: &Command) -> usize {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        for example in &examples {
            assert!(example.starts_with("rpm"), "{example}");
            assert!(parse_from(words(example)).is_ok(), "{example}: {:?}", words(example));
            let comment = example.split_once(" #").map_or("", |(_, comment)| comment);
            assert!(
                !example.trim_end_matches(comment).trim_end_matches('#').trim().contains("  "),
                "no `#`: {example}"
            );
        }
        examples.len() + command.get_subcommands().map(check_examples).sum::<usize>()
    }

    #[test]
    fn every_example_of_the_help_can_be_pasted() {
        assert!(check_examples(&Cli::command()) > 30);
    }

    #[test]
    fn w96_negative_and_endless_values_are_refused_with_a_sentence_about_them() {
        let cases = [
            ("rpm stop web --grace -5s", "\"-5s\" is negative"),
            ("rpm kill-tree 7 --timeout -1s", "\"-1s\" is negative"),
            ("rpm wait web --for exit --timeout -1h", "\"-1h\" is negative"),
            ("rpm rm --older-than -1d", "\"-1d\" is negative"),
            ("rpm tree -5", "-5 is not in 1..="),
            ("rpm logs web --since -5m", "\"-5m\" is negative"),
            ("rpm export web --text --since -5m", "\"-5m\" is negative"),
            ("rpm shutdown --grace 99999999999999999999s", "more than a year"),
            ("rpm stop web --grace s", "has no number"),
            ("rpm logs web -n -3", "\"-3\" is no number from 0 on"),
            ("rpm events --since -3", "\"-3\" is no number from 0 on"),
            ("rpm run --rows -3 -- x", "-3 is not in 0..="),
            ("rpm run --history -1K -- x", "is no size"),
            ("rpm tee web --to x --from -1", "now, start or an offset"),
            ("rpm wait web --for exit --since -1", "now, start or an offset"),
            ("rpm export web --text --from -1", "an offset in bytes"),
            ("rpm daemon logs -n -1", "-1 is not in 0..="),
            ("rpm grep x -C -1", "-1 is not in 0..="),
            ("rpm resize web -1x5", "write columns, x, rows"),
            ("rpm register abc", "\"abc\" is no process id"),
        ];
        for (line, sentence) in cases {
            let error = parse_from(words(line)).expect_err(line).to_string();
            assert!(error.contains(sentence), "{line}: {error}");
        }
        assert!(parse_from(words("rpm resize web --owner manual")).is_ok());
        // What looks like a flag and is none of a number stays one.
        assert!(parse_from(words("rpm run --name --json -- x")).is_err());
        let help = parse_from(words("rpm tree --help")).expect_err("help");
        assert_eq!(help.kind(), clap::error::ErrorKind::DisplayHelp);
    }
}
