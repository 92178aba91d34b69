//! The command line: arguments, commands, output, exit codes.
//!
//! Standard output carries results and nothing else; what is said to people goes to standard error.

mod args;
mod attach;
mod color;
mod commands;
pub mod exit;
mod feed;
mod habits;
mod open_line;
mod output;
mod prefix;
mod report;
mod run_process;
mod usage;
mod waiting;
mod whole_lines;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::args::Cli;
use crate::cli::args::Daemon;
use crate::cli::args::Verb;
use crate::cli::report::say;
use crate::client::Error;
use crate::client::launch;
use crate::platform::clock;
use crate::session::text;
use crate::tui;

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    launch::declare_own_main();
    let cli = match args::parse_from(habits::reread(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(sentence) = package_manager_habit() {
                say(sentence);
                return ExitCode::from(exit::USAGE);
            }
            if let Some(sentence) = habits::sentence(&error) {
                report::document("invalid", &sentence, None);
                say(&format!("rpm: {sentence}"));
                return ExitCode::from(exit::USAGE);
            }
            if error.exit_code() != 0 {
                let text = error.render().to_string();
                // What is wrong comes first, then a blank line and the usage.
                let what = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
                report::document("invalid", what, None);
            }
            // Help goes to standard output, faults to standard error.
            if let Err(fault) = error.print() {
                output::unwritten(&fault);
            }
            return ExitCode::from(output::code_of(error.exit_code() as u8));
        }
    };
    color::choose(cli.color);
    let code = match cli.verb {
        Some(verb) => dispatch(verb),
        None if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() => dashboard(args::Tui::default()),
        None => {
            let _ = Cli::command().print_help();
            Ok(exit::USAGE)
        }
    };
    ExitCode::from(output::code_of(code.unwrap_or_else(|error| report::error(&error))))
}

fn dispatch(verb: Verb) -> Result<u8, Error> {
    use commands::daemon;
    use commands::ending;
    use commands::listing;
    use commands::procs;
    use commands::services;
    use commands::talking;
    match verb {
        Verb::Tui(args) => dashboard(args),
        Verb::Monit => dashboard(args::Tui { at_services: true, ..args::Tui::default() }),
        Verb::Run(args) if args.detach_fully => commands::detached::run(&args),
        Verb::Run(args) => commands::run::run(args),
        Verb::Attach(args) => attach_to(args),
        Verb::Ls(args) => listing::ls(&args),
        Verb::Describe(args) => listing::describe(&args),
        Verb::Logs(args) => commands::logs::logs(&args),
        Verb::Flush(args) => commands::flush::flush(&args),
        Verb::Grep(args) => commands::grep::grep(&args),
        Verb::Screen(args) => commands::screen::screen(&args),
        Verb::Export(args) => commands::export::export(&args),
        Verb::Send(args) => talking::send(&args),
        Verb::Wait(args) => commands::waiting::wait(&args),
        Verb::Events(args) => commands::events::events(&args),
        Verb::Again(args) => commands::again::again(&args),
        Verb::Resize(args) => talking::resize(&args),
        Verb::Rename(args) => commands::naming::rename(args),
        Verb::Tag(args) => commands::naming::tag(args),
        Verb::Stop(args) => ending::stop(&args),
        Verb::Kill(args) => ending::kill(&args),
        Verb::Signal(args) => ending::signal(&args),
        Verb::Rm(args) => ending::rm(&args),
        Verb::Service(verb) => services::run(&verb),
        Verb::Habit(verb) => commands::habits::run(&verb),
        Verb::Tee(args) => commands::tees::tee(&args),
        Verb::Tees(args) => commands::tees::tees(&args),
        Verb::Untee(args) => commands::tees::untee(&args),
        Verb::Purge(args) => ending::purge(&args),
        Verb::Procs(args) => procs::procs(&args),
        Verb::Tree(args) => procs::tree(&args),
        Verb::KillTree(args) => procs::kill_tree(&args),
        Verb::Demo => commands::demo::demo(dashboard_at),
        Verb::Orphans(args) => procs::orphans(&args),
        Verb::Register(args) => procs::register(&args),
        Verb::Unregister(args) => procs::unregister(&args),
        Verb::Daemon(Daemon::Start) => daemon::start(),
        Verb::Daemon(Daemon::Status(args)) => daemon::status(&args),
        Verb::Daemon(Daemon::Logs(args)) => daemon::logs(&args),
        Verb::Config(verb) => commands::config::run(&verb),
        Verb::Convert(args) => Ok(commands::convert::run(&args)),
        Verb::Completions(args) => Ok(commands::completions::completions(&args)),
        Verb::Man(args) => Ok(commands::completions::man(&args)),
        Verb::Complete(args) => Ok(commands::completions::complete(&args)),
        Verb::Doctor(args) => Ok(commands::doctor::doctor(&args)),
        Verb::Shutdown(args) => ending::shutdown(&args),
        Verb::Keeper => Ok(run_process::keeper()),
        Verb::DaemonProcess => Ok(run_process::daemon()),
        Verb::TeeProcess => Ok(run_process::tee()),
    }
}

fn attach_to(args: args::Attach) -> Result<u8, Error> {
    let request = attach::Request {
        target: args.target,
        steal: args.steal,
        view: args.view,
        share: args.share,
        stream: args.stream.map(args::StreamName::stream),
        started: None,
    };
    attach::attach(&mut crate::client::blocking::Client::connect()?, &request)
}

/// The dashboard, opened at a session.
fn dashboard_at(session: &str) -> Result<u8, Error> {
    dashboard(args::Tui { at: Some(session.to_owned()), ..args::Tui::default() })
}

/// The dashboard, and the line that is said after it.
fn dashboard(args: args::Tui) -> Result<u8, Error> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_plain = args.plain || (set("RUNPM_PLAIN") && args.session.is_none());
    if is_plain {
        let options = tui::Options { is_plain, ..tui::Options::default() };
        return Ok(leave(tui::run(options)?));
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        say(
            "rpm: the dashboard needs a terminal, and this is none\n  try: `rpm ls`, `rpm screen SESSION`, `rpm logs -f SESSION`",
        );
        return Ok(exit::USAGE);
    }
    if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        say(
            "rpm: the dashboard cannot draw on a terminal with TERM=dumb\n  try: `rpm ls`, `rpm attach SESSION`, or set TERM to what your terminal is",
        );
        return Ok(exit::USAGE);
    }
    let options = tui::Options {
        session: args.session,
        steal: args.steal,
        layout: args.layout,
        at_services: args.at_services,
        at: args.at,
        is_ascii: args.ascii,
        color: color::wanted(),
        ..tui::Options::default()
    };
    Ok(leave(tui::run(options)?))
}

/// Says the last word, and with which code it ends.
fn leave(left: tui::Left) -> u8 {
    match left {
        tui::Left::Quit { sessions_running: 0 } => exit::OK,
        tui::Left::Quit { sessions_running: n } => {
            let sessions = if n == 1 { "session keeps" } else { "sessions keep" };
            say(&format!("[{n} {sessions} running; `rpm tui` comes back]"));
            exit::OK
        }
        tui::Left::Detached { name } => {
            say(&format!("[detached from {name}; it goes on]"));
            exit::OK
        }
        tui::Left::Stolen { name, by, at_ms } => {
            say(&format!("[{name} was taken over by {} at {}]", text::clean(&by), clock::time_of_day(at_ms)));
            exit::STOLEN
        }
        tui::Left::Ended { name, end } => {
            say(&format!("[{name} {}]", end.word()));
            end.shell_code()
        }
        tui::Left::TerminalGone => exit::HUNG_UP,
    }
}

/// Recognises somebody who wants Red Hat's `rpm`.
fn package_manager_habit() -> Option<&'static str> {
    let first = std::env::args().nth(1)?;
    let is_habit = ["-q", "-i", "-U", "-F", "-e", "-K"].iter().any(|flag| first.starts_with(flag))
        || ["--import", "--eval", "--rebuilddb", "--query", "--install", "--upgrade", "--erase"]
            .contains(&first.as_str());
    is_habit.then_some("rpm: this is the session manager `runpm`, not Red Hat's package manager; nothing was done")
}
