//! Starting sessions, looking at them, typing into them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

use crate::cli::args::environment::Environment;
use crate::cli::args::parse;
use crate::cli::args::parse::Wish;

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
    /// What its environment is made of
    #[command(flatten)]
    pub environment: Environment,
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
    #[arg(long, value_name = "SIZE", value_parser = parse::bytes)]
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
    #[arg(value_name = "COLSxROWS", value_parser = parse::size)]
    pub size: Wish,
}
