//! Services: defining, starting, explaining.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use crate::cli::args::environment::Environment;
use crate::cli::args::parse;
use crate::protocol::verbs;
use crate::session::service::policy;

/// What to do to services.
#[derive(Debug, Subcommand)]
pub enum ServiceVerb {
    /// Start services: those named, or a command as a new one
    #[command(visible_aliases = ["up"])]
    #[command(
        after_help = "Examples:\n  rpm start -- python3 -m http.server\n  rpm start --name web --max-restarts 5 -- ./serve\n  rpm start web --wait"
    )]
    Start(Box<Start>),
    /// Make the services what a file says: says what it created, changed and left alone
    #[command(
        after_help = "Examples:\n  rpm apply\n  rpm apply runpm.toml --dry-run\n  rpm apply runpm.toml --prune --wait"
    )]
    Apply(Apply),
    /// Draw which services need which
    Graph(Graph),
    /// Run so many instances of a service
    #[command(
        after_help = "Examples:\n  rpm scale web 4\n  rpm scale web +2\n  rpm scale web -1",
        allow_negative_numbers = true
    )]
    Scale(Scale),
    /// Replace services one after another: the fresh one is ready before the old one ends
    Reload(Restart),
    /// Have services that are wanted start when the computer does
    #[command(visible_aliases = ["enable"])]
    Startup(Startup),
    /// No longer
    #[command(visible_aliases = ["disable"])]
    Unstartup(Startup),
    /// Print the environment of a service, and where each value came from
    Env(Env),
    /// Stop services and start them again
    Restart(Restart),
    /// Stop services and forget them
    #[command(visible_aliases = ["del", "remove"])]
    Delete(Services),
    /// Explain what services do, and how they ended before
    #[command(after_help = "Examples:\n  rpm why web\n  rpm why web -n 100 --json")]
    Why(Why),
    /// Count restarts and failures of services anew
    Reset(Services),
    /// Keep a copy of the list of services under a name; the list itself is always kept
    #[command(visible_aliases = ["dump"])]
    Save(Snapshot),
    /// Start again what was wanted, or a kept copy
    #[command(visible_aliases = ["restore"])]
    Resurrect(Snapshot),
}

/// `rpm start`.
#[derive(Debug, Args)]
pub struct Start {
    /// Services to start: name, id, prefix, glob, @tag, namespace or all
    #[arg(value_name = "SERVICE")]
    pub targets: Vec<String>,
    /// Only this one of a file's services, and what it needs
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// What the command is to be, as a service
    #[command(flatten)]
    pub define: Define,
    /// How the answer is waited for
    #[command(flatten)]
    pub wait: Ready,
    /// Command and arguments of a new service
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Options of a new service; pm2's names and units are understood.
#[derive(Debug, Args)]
pub struct Define {
    /// Name of the service [default: the program's]
    #[arg(short, long)]
    pub name: Option<String>,
    /// Namespace it belongs to
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// A word to select by, as @WORD
    #[arg(long, value_name = "WORD")]
    pub tag: Vec<String>,
    /// Copies that run; `max` is one a processor, -1 one less
    #[arg(short, long, value_name = "N", value_parser = parse::instances, allow_hyphen_values = true)]
    pub instances: Option<u32>,
    /// Give it a terminal
    #[arg(long)]
    pub pty: bool,
    /// Working directory
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// What its environment is made of
    #[command(flatten)]
    pub environment: Environment,
    /// When it is started again after it ended by itself [default: always]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub restart: Option<RestartName>,
    /// The same as --restart no
    #[arg(long, conflicts_with = "restart")]
    pub no_autorestart: bool,
    /// Wait so long before each restart, always the same; 0 restarts at once
    #[arg(long, value_name = "TIME", value_parser = parse::milliseconds)]
    pub restart_delay: Option<u64>,
    /// First pause before a restart, doubled each time up to 30s [default: 100ms]
    #[arg(long, value_name = "TIME", value_parser = parse::milliseconds, conflicts_with = "restart_delay")]
    pub exp_backoff_restart_delay: Option<u64>,
    /// Give up after so many failures within a minute
    #[arg(long, value_name = "N")]
    pub max_restarts: Option<u32>,
    /// After being up for so long, a failure is the first one again [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = parse::milliseconds)]
    pub min_uptime: Option<u64>,
    /// Exit codes after which it stays down
    #[arg(long, value_name = "CODE", value_delimiter = ',', num_args = 1..)]
    pub stop_exit_codes: Vec<u8>,
    /// Time until what is left of it is killed [default: 5s]
    #[arg(short, long, value_name = "TIME", value_parser = parse::milliseconds)]
    pub kill_timeout: Option<u64>,
    /// Signal that asks it to end [default: TERM]
    #[arg(long, value_name = "SIGNAL", value_parser = parse::signal)]
    pub kill_signal: Option<u8>,
    /// Restart it when a file changes: in these, or in its directory
    #[arg(long, value_name = "PATH", num_args = 0..=1, action = clap::ArgAction::Append, require_equals = true)]
    pub watch: Option<Vec<PathBuf>>,
    /// Leave changes of these out, as in .gitignore
    #[arg(long, value_name = "PATTERN")]
    pub ignore_watch: Vec<String>,
    /// Restart it at these times: five fields, or six with seconds first
    #[arg(short, long, value_name = "CRON", value_parser = parse::cron, visible_alias = "cron-restart")]
    pub cron: Option<String>,
    /// Restart it when its whole tree uses more memory, such as 300M
    #[arg(long, value_name = "SIZE", value_parser = parse::bytes)]
    pub max_memory_restart: Option<u64>,
    /// Program that runs a script, or `none` [default: by its ending]
    #[arg(long, value_name = "PROGRAM")]
    pub interpreter: Option<String>,
    /// Any key of a service, as in a file: stop.grace=10s, readiness.tcp=8000
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Take the place of another service of this name
    #[arg(short, long)]
    pub force: bool,
}

/// When a service is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RestartName {
    /// Never
    No,
    /// After a failure
    OnFailure,
    /// Always
    Always,
}

impl From<RestartName> for policy::Restart {
    fn from(name: RestartName) -> Self {
        match name {
            RestartName::No => Self::No,
            RestartName::OnFailure => Self::OnFailure,
            RestartName::Always => Self::Always,
        }
    }
}

/// How long an answer is waited for.
#[derive(Debug, Args)]
pub struct Ready {
    /// Wait until they are ready, or have failed
    #[arg(long, value_name = "ready", num_args = 0..=1, default_missing_value = "ready", value_parser = ["ready"])]
    pub wait: Option<String>,
    /// Wait no longer than this for that
    #[arg(long, value_name = "TIME", value_parser = parse::milliseconds, default_value = "30s")]
    pub timeout: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Ready {
    /// Milliseconds; 0 waits for nothing but the start.
    #[must_use]
    pub fn ms(&self) -> u64 {
        if self.wait.is_some() { self.timeout.max(1) } else { 0 }
    }
}

/// `rpm apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// The file [default: the nearest runpm.toml]
    pub file: Option<PathBuf>,
    /// Only this service, and what it needs
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Delete what the file does not name any more
    #[arg(long)]
    pub prune: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take services over that another file defines
    #[arg(short, long)]
    pub force: bool,
    /// How the answer is waited for
    #[command(flatten)]
    pub wait: Ready,
}

/// `rpm graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// A file [default: what is there]
    pub file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm scale`.
#[derive(Debug, Args)]
pub struct Scale {
    /// Name of the service
    #[arg(value_name = "SERVICE")]
    pub target: String,
    /// How many, or +N more, or -N fewer
    #[arg(value_name = "N", value_parser = parse::scale, allow_hyphen_values = true)]
    pub number: verbs::Scale,
    /// How the answer is waited for
    #[command(flatten)]
    pub wait: Ready,
}

/// `rpm env`.
#[derive(Debug, Args)]
pub struct Env {
    /// Name of the service
    #[arg(value_name = "SERVICE")]
    pub target: String,
    /// Print secrets too
    #[arg(long)]
    pub reveal: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm restart`.
#[derive(Debug, Args)]
pub struct Restart {
    /// Name, id, prefix, glob, @tag, namespace, all, or a file of services
    #[arg(required = true, value_name = "SERVICE")]
    pub targets: Vec<String>,
    /// With the environment of this shell in place of the one they were started with
    #[arg(long, visible_short_alias = 'a')]
    pub update_env: bool,
    /// How the answer is waited for
    #[command(flatten)]
    pub wait: Ready,
}

/// `rpm delete`, `rpm reset`.
#[derive(Debug, Args)]
pub struct Services {
    /// Name, id, prefix, glob, @tag, namespace or all
    #[arg(required = true, value_name = "SERVICE")]
    pub targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm why`.
#[derive(Debug, Args)]
pub struct Why {
    /// Name, id, prefix, glob, @tag, namespace or all [default: all]
    #[arg(value_name = "SERVICE")]
    pub targets: Vec<String>,
    /// So many of its last deaths
    #[arg(short = 'n', long, default_value_t = 5)]
    pub deaths: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm startup`, `rpm unstartup`.
#[derive(Debug, Args)]
pub struct Startup {
    /// As others want to be told: systemd, launchd, …
    #[arg(hide = true)]
    pub system: Option<String>,
}

/// `rpm save`, `rpm resurrect`.
#[derive(Debug, Args)]
pub struct Snapshot {
    /// Name of a snapshot [default: the list that is always kept]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
