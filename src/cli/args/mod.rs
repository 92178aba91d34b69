//! The command line as a type; one file a family of verbs.

mod config;
mod ending;
mod environment;
mod parse;
mod sessions;
mod tool;

use clap::Parser;
use clap::Subcommand;

pub use config::*;
pub use ending::*;
pub use environment::*;
pub use sessions::*;
pub use tool::*;

/// Programs that outlive your terminal.
#[derive(Debug, Parser)]
#[command(name = "rpm", bin_name = "rpm", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    about = "Programs that outlive your terminal: a dashboard over sessions that no crash, logout or upgrade ends"
)]
#[command(
    after_help = "Examples:\n  rpm                        open the dashboard\n  rpm run -- make -j4        start a program and attach to it\n  rpm run -d --name web -- python3 -m http.server\n  rpm attach web             C-b d leaves, the program goes on\n\nThis is the session manager `runpm`, not Red Hat's package manager."
)]
pub struct Cli {
    /// What to do; without it, the dashboard.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Open the dashboard
    #[command(visible_aliases = ["dashboard", "monit"])]
    #[command(after_help = "Examples:\n  rpm tui\n  rpm tui --session web      one session, full screen")]
    Tui(Tui),
    /// Start a session and attach to it
    #[command(
        after_help = "Examples:\n  rpm run -- vim notes.txt\n  rpm run -d --name web --cwd /srv -- ./serve --port 8080"
    )]
    Run(Run),
    /// Attach this terminal to a session; C-b d leaves
    #[command(visible_aliases = ["connect", "fg"])]
    #[command(
        after_help = "Examples:\n  rpm attach web\n  rpm attach web --steal     take it over from another terminal"
    )]
    Attach(Attach),
    /// List sessions
    #[command(visible_aliases = ["list", "l", "ps", "status"])]
    Ls(Ls),
    /// Show all about one session
    #[command(visible_aliases = ["show", "info"])]
    Describe(Ls),
    /// Print what sessions said
    #[command(visible_aliases = ["log", "tail"])]
    #[command(after_help = "Examples:\n  rpm logs web -n 100\n  rpm logs web -f --raw > web.log")]
    Logs(Logs),
    /// Print the screen of a session
    Screen(Screen),
    /// Type into a session
    #[command(after_help = "Examples:\n  rpm send web 'reload' --enter\n  rpm send filter --stdin --eof < data")]
    Send(Send),
    /// Set the size of a session's terminal
    Resize(Resize),
    /// End sessions: politely first, then hard
    Stop(Stop),
    /// End sessions hard, now
    Kill(Kill),
    /// Forget ended sessions
    #[command(visible_aliases = ["delete", "del"])]
    Rm(Targets),
    /// Look after the daemon
    #[command(subcommand)]
    Daemon(Daemon),
    /// Look after the settings
    #[command(subcommand)]
    Config(Config),
    /// Check this system, the folders, the settings and the daemon
    Doctor(Doctor),
    /// End all sessions, the daemon and the keeper
    Shutdown(Shutdown),
    /// The keeper itself; started by need.
    #[command(name = "__keeper", hide = true)]
    Keeper,
    /// The daemon itself; started by the keeper.
    #[command(name = "__daemon", hide = true)]
    DaemonProcess,
}
