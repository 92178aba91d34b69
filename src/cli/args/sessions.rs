//! Starting sessions, looking at them, typing into them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use regex::bytes::Regex;

use crate::cli::args::StreamName;
use crate::cli::args::environment::Environment;
use crate::cli::args::parse;
use crate::cli::args::parse::Wish;
use crate::session::text;

use crate::session::sizing::SizeOwner;

/// `rpm run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Name of the session [default: the program's]
    #[arg(long)]
    pub name: Option<String>,
    /// Do not attach
    #[arg(short, long, group = "unattached")]
    pub detach: bool,
    /// No session at all: nobody's command, without output, that outlives `shutdown`; prints its process id
    #[arg(long, group = "unattached", conflicts_with_all = ["detach", "name", "pty", "pipe", "rows", "cols", "tag", "history", "journal"])]
    pub detach_fully: bool,
    /// Give it a terminal (the default)
    #[arg(long, conflicts_with = "pipe")]
    pub pty: bool,
    /// Give it pipes: output and errors stay apart, byte for byte
    #[arg(long)]
    pub pipe: bool,
    /// One pipe for output and errors: their order is exact, and they cannot be told apart
    #[arg(long, requires = "pipe")]
    pub merge: bool,
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
    /// Keep all it says on disk as well, rotated; it outlives the session's memory, until `rpm rm`
    #[arg(long)]
    pub journal: bool,
    /// Print JSON
    #[arg(long, requires = "unattached")]
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
    /// Type beside who controls it
    #[arg(long, conflicts_with_all = ["view", "steal"])]
    pub share: bool,
    /// Only this stream of a pipe session; input goes with `out`
    #[arg(long, value_enum)]
    pub stream: Option<StreamName>,
}

/// `rpm ls`.
#[derive(Debug, Args)]
pub struct Ls {
    /// Name, id, range of ids, prefix, glob, /regex/, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Also load and memory of their trees, measured for a quarter of a second
    #[arg(short, long)]
    pub wide: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print JSON as pm2's `jlist` does, services only
    #[arg(long, conflicts_with = "json")]
    pub pm2: bool,
}

/// `rpm describe`.
#[derive(Debug, Args)]
pub struct Describe {
    /// Name, id, range of ids, prefix, glob, /regex/, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Print services as tables of a runpm.toml
    #[arg(long, conflicts_with = "json")]
    pub toml: bool,
    /// Print secrets too
    #[arg(long, requires = "toml")]
    pub reveal: bool,
    /// Print JSON
    #[arg(long)]
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
    /// Press keys: C-c M-x S-Tab Enter Up F5 0x1b 'text', separated by blanks
    #[arg(long, value_name = "KEYS", conflicts_with_all = ["text", "stdin", "paste"], value_parser = parse::keys)]
    pub keys: Option<String>,
    /// Paste it: bracketed if the program asked for that
    #[arg(long)]
    pub paste: bool,
    /// Press Enter afterwards
    #[arg(long)]
    pub enter: bool,
    /// Type what comes on standard input
    #[arg(long, conflicts_with = "text")]
    pub stdin: bool,
    /// End its input afterwards
    #[arg(long)]
    pub eof: bool,
    /// Wait until a line of what it says then matches this pattern
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub wait: Option<Regex>,
    /// Wait for so many matches
    #[arg(long, value_name = "N", requires = "wait", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Pass over as many lines as were typed: they are the echo
    #[arg(long, requires = "wait")]
    pub after_echo: bool,
    /// Wait no longer than this, such as 30s: for --wait, or for a program that does not read
    #[arg(long, value_name = "TIME", value_parser = text::duration_ms)]
    pub timeout: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm resize`.
#[derive(Debug, Args)]
pub struct Resize {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// Columns and rows, such as 120x40
    #[arg(value_name = "COLSxROWS", value_parser = parse::size, required_unless_present = "owner")]
    pub size: Option<Wish>,
    /// Whose size it has from now on, when several people control it
    #[arg(long, value_enum, value_name = "RULE")]
    pub owner: Option<OwnerName>,
}

/// Whose size a session's terminal has.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OwnerName {
    /// Of the controller that typed, attached or resized last.
    Latest,
    /// The fewest rows and columns of all controllers.
    Smallest,
    /// Nobody's: `rpm resize` alone sets it.
    Manual,
}

impl From<OwnerName> for SizeOwner {
    fn from(name: OwnerName) -> Self {
        match name {
            OwnerName::Latest => Self::Latest,
            OwnerName::Smallest => Self::Smallest,
            OwnerName::Manual => Self::Manual,
        }
    }
}
