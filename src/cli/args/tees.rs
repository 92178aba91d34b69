//! Copies of a stream.

use std::ffi::OsString;

use clap::Args;
use clap::ValueEnum;

use crate::cli::args::parse;
use crate::protocol::verbs::TeeFrom;
use crate::session::tee;

/// What is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceName {
    /// Standard output of a pipe session.
    Out,
    /// Standard error of a pipe session.
    Err,
    /// What is written to the program.
    In,
}

impl From<SourceName> for tee::Source {
    fn from(name: SourceName) -> Self {
        match name {
            SourceName::Out => Self::Out,
            SourceName::Err => Self::Err,
            SourceName::In => Self::In,
        }
    }
}

/// What becomes of bytes that the target does not take in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyName {
    /// The oldest go.
    DropOldest,
    /// What comes meanwhile is skipped.
    DropNewest,
    /// The program waits (files only).
    Block,
}

impl From<PolicyName> for tee::Policy {
    fn from(name: PolicyName) -> Self {
        match name {
            PolicyName::DropOldest => Self::DropOldest,
            PolicyName::DropNewest => Self::DropNewest,
            PolicyName::Block => Self::Block,
        }
    }
}

/// `rpm tee`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("where").required(true).args(["to", "to_command"]))]
pub struct Tee {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// A file; `-` for standard output, `fd:N` for a descriptor of this command
    #[arg(long, value_name = "FILE")]
    pub to: Option<OsString>,
    /// A shell command that reads the copy
    #[arg(long, value_name = "COMMAND")]
    pub to_command: Option<OsString>,
    /// Only this stream [default: all output]
    #[arg(long, value_enum)]
    pub stream: Option<SourceName>,
    /// What may be lost to a target that is too slow [default: drop-oldest]
    #[arg(long, value_enum)]
    pub policy: Option<PolicyName>,
    /// Begin a new file before one has more bytes than this, such as 10M
    #[arg(long, value_name = "SIZE", value_parser = parse::bytes)]
    pub max_size: Option<u64>,
    /// How many full files to keep, as FILE.1, FILE.2 … [default: 5]
    #[arg(long, value_name = "N", requires = "max_size")]
    pub keep: Option<u32>,
    /// Empty the file first
    #[arg(long)]
    pub truncate: bool,
    /// Begin each line with when it was said
    #[arg(long)]
    pub timestamps: bool,
    /// Leave escape sequences and other controls out
    #[arg(long)]
    pub strip: bool,
    /// Where to begin: now, start or an offset in bytes
    #[arg(long, value_name = "WHERE", default_value = "now", value_parser = from)]
    pub from: TeeFrom,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn from(text: &str) -> Result<TeeFrom, String> {
    match text {
        "now" => Ok(TeeFrom::Now),
        "start" => Ok(TeeFrom::Start),
        number => number.parse().map(TeeFrom::Offset).map_err(|_| "write now, start or an offset in bytes".to_owned()),
    }
}

/// `rpm tees`.
#[derive(Debug, Args)]
pub struct Tees {
    /// Name, id, prefix, glob, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm untee`.
#[derive(Debug, Args)]
pub struct Untee {
    /// Number of a tee, or a session (name, glob, @tag, all) for all of its tees
    #[arg(required = true, value_name = "TEE|SESSION")]
    pub targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
