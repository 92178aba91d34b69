//! The command line as a type.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

use crate::session::text;
use crate::term::Size;

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
    /// Check this system, the folders and the daemon
    Doctor(Json),
    /// End all sessions, the daemon and the keeper
    Shutdown(Shutdown),
    /// The keeper itself; started by need.
    #[command(name = "__keeper", hide = true)]
    Keeper,
    /// The daemon itself; started by the keeper.
    #[command(name = "__daemon", hide = true)]
    DaemonProcess,
}

/// `--json` alone.
#[derive(Debug, Args)]
pub struct Json {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm tui`.
#[derive(Debug, Args, Default)]
pub struct Tui {
    /// Show this session only, full screen
    #[arg(long, value_name = "SESSION")]
    pub session: Option<String>,
    /// Take it over from who controls it
    #[arg(long, requires = "session")]
    pub steal: bool,
}

/// `rpm run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Name of the session [default: the program's]
    #[arg(long)]
    pub name: Option<String>,
    /// Do not attach
    #[arg(short, long)]
    pub detach: bool,
    /// Give it a terminal (the default)
    #[arg(long, conflicts_with = "pipe")]
    pub pty: bool,
    /// Give it pipes: output and errors stay apart, byte for byte
    #[arg(long)]
    pub pipe: bool,
    /// Working directory
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// Add to the environment
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_env)]
    pub env: Vec<OsString>,
    /// Start with an empty environment
    #[arg(long)]
    pub clear_env: bool,
    /// The tool this is for, to select by
    #[arg(long, value_name = "TOOL")]
    pub originator: Option<String>,
    /// Rows of its terminal
    #[arg(long)]
    pub rows: Option<u16>,
    /// Columns of its terminal
    #[arg(long)]
    pub cols: Option<u16>,
    /// A word to select by, as @WORD
    #[arg(long, value_name = "WORD")]
    pub tag: Vec<String>,
    /// Output kept in memory, such as 512K or 8M [default: 2M]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub history: Option<u64>,
    /// Print JSON
    #[arg(long, requires = "detach")]
    pub json: bool,
    /// Command and arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `rpm attach`.
#[derive(Debug, Args)]
pub struct Attach {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// Take it over from who controls it
    #[arg(long, conflicts_with = "view")]
    pub steal: bool,
    /// Watch only
    #[arg(long)]
    pub view: bool,
}

/// `rpm ls`.
#[derive(Debug, Args)]
pub struct Ls {
    /// Name, id, prefix, glob, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A stream of a pipe session.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StreamName {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// `rpm logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// Last N lines only
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<u64>,
    /// Go on with what comes; a gap ends it with its own code
    #[arg(short, long)]
    pub follow: bool,
    /// Every byte as it was, escape sequences too
    #[arg(long)]
    pub raw: bool,
    /// Only this stream of a pipe session
    #[arg(long, value_enum)]
    pub stream: Option<StreamName>,
}

/// `rpm screen`.
#[derive(Debug, Args)]
pub struct Screen {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// With colours and attributes
    #[arg(long)]
    pub ansi: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "ansi")]
    pub json: bool,
}

/// `rpm send`.
#[derive(Debug, Args)]
pub struct Send {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// What to type
    #[arg(value_name = "TEXT")]
    pub text: Option<OsString>,
    /// Press Enter afterwards
    #[arg(long)]
    pub enter: bool,
    /// Type what comes on standard input
    #[arg(long, conflicts_with = "text")]
    pub stdin: bool,
    /// End its input afterwards
    #[arg(long)]
    pub eof: bool,
}

/// `rpm resize`.
#[derive(Debug, Args)]
pub struct Resize {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// Columns and rows, such as 120x40
    #[arg(value_name = "COLSxROWS", value_parser = parse_size)]
    pub size: Wish,
}

/// Sessions to do something to.
#[derive(Debug, Args)]
pub struct Targets {
    /// Name, id, prefix, glob, @tag or all
    #[arg(required = true, value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm stop`.
#[derive(Debug, Args)]
pub struct Stop {
    /// Which
    #[command(flatten)]
    pub targets: Targets,
    /// Time until the hard signal
    #[arg(long, default_value = "5s", value_parser = text::duration_ms)]
    pub grace: u64,
}

/// `rpm kill`.
#[derive(Debug, Args)]
pub struct Kill {
    /// Which
    #[command(flatten)]
    pub targets: Targets,
}

/// `rpm daemon`.
#[derive(Debug, Subcommand)]
pub enum Daemon {
    /// Start it, if it does not run
    Start,
    /// Show how it is
    Status(Json),
    /// Print its log
    Logs(DaemonLogs),
}

/// `rpm daemon logs`.
#[derive(Debug, Args)]
pub struct DaemonLogs {
    /// Last N lines
    #[arg(short = 'n', long, default_value_t = 50)]
    pub lines: usize,
}

/// `rpm shutdown`.
#[derive(Debug, Args)]
pub struct Shutdown {
    /// Time until the hard signal
    #[arg(long, default_value = "5s", value_parser = text::duration_ms)]
    pub grace: u64,
}

fn parse_env(text: &str) -> Result<OsString, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.into()),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// A size as it was asked for, and the nearest possible one.
#[derive(Debug, Clone)]
pub struct Wish {
    /// As written.
    pub text: String,
    /// As possible.
    pub size: Size,
}

fn parse_size(text: &str) -> Result<Wish, String> {
    let (cols, rows) = text.split_once(['x', 'X']).ok_or("write columns, x, rows: 120x40")?;
    let number = |text: &str| text.parse::<u32>().map(|n| n.min(u16::MAX.into()) as u16);
    match (number(rows), number(cols)) {
        (Ok(rows), Ok(cols)) => Ok(Wish { text: text.to_owned(), size: Size::clamped(rows, cols) }),
        _ => Err("write columns, x, rows: 120x40".to_owned()),
    }
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err("write a number with K, M or G: 512K, 8M".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "write a number with K, M or G: 512K, 8M".to_owned())?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(|| format!("{text} is out of range"))
}
