//! The command line as a type; one file a family of verbs.

mod automation;
mod config;
mod convert;
mod ending;
mod environment;
mod parse;
mod procs;
mod services;
mod sessions;
mod since;
mod tees;
mod tool;
mod views;

use clap::Parser;
use clap::Subcommand;

pub use automation::*;
pub use config::*;
pub use convert::*;
pub use ending::*;
pub use environment::*;
pub use procs::*;
pub use services::*;
pub use sessions::*;
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
    #[command(visible_aliases = ["show", "info", "desc"])]
    Describe(Ls),
    /// Print what sessions said
    #[command(visible_aliases = ["log", "tail"])]
    #[command(
        after_help = "Examples:\n  rpm logs web -n 100\n  rpm logs web db -f --since 5m --timestamps\n  rpm logs web -f --raw > web.log"
    )]
    Logs(Logs),
    /// Forget what sessions said so far, in memory and on disk
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
    /// Set the size of a session's terminal
    Resize(Resize),
    /// End sessions: politely first, then hard
    #[command(
        after_help = "Examples:\n  rpm stop web --grace 30s\n  rpm stop all --older-than 1d\n  rpm stop --originator ci"
    )]
    Stop(Stop),
    /// End sessions hard, now
    Kill(Kill),
    /// Send a signal to sessions
    #[command(after_help = "Examples:\n  rpm signal HUP web\n  rpm signal INT build      as C-c would")]
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
    /// A tee itself; started by the keeper.
    #[command(name = "__tee", hide = true)]
    TeeProcess,
}
