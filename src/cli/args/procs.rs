//! The process registry.

use clap::Args;

use crate::cli::args::parse;
use crate::session::text;

/// `rpm procs`.
#[derive(Debug, Args)]
pub struct Procs {
    /// Names, ids or patterns; all sessions and registered processes without
    #[arg(value_name = "SESSION")]
    pub sessions: Vec<String>,
    /// Only what this tool asked for
    #[arg(long, value_name = "TOOL")]
    pub originator: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm tree`.
#[derive(Debug, Args)]
pub struct Tree {
    /// Process id
    #[arg(value_parser = parse::pid)]
    pub pid: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm kill-tree`.
#[derive(Debug, Args)]
pub struct KillTree {
    /// Process id
    #[arg(value_parser = parse::pid)]
    pub pid: u32,
    /// Time until the hard signal
    #[arg(long, default_value = "3s", value_parser = text::duration_ms)]
    pub timeout: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm orphans`.
#[derive(Debug, Args)]
pub struct Orphans {
    /// End those that are orphaned, forget the registrations of those that ended
    #[arg(long)]
    pub kill: bool,
    /// Time until the hard signal
    #[arg(long, default_value = "3s", value_parser = text::duration_ms, requires = "kill")]
    pub timeout: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm register`.
#[derive(Debug, Args)]
pub struct Register {
    /// Process id
    #[arg(value_parser = parse::pid)]
    pub pid: u32,
    /// The tool that started it
    #[arg(long, value_name = "TOOL[:PID]")]
    pub originator: Option<String>,
    /// A word for what it is [default: process]
    #[arg(long, value_name = "WORD")]
    pub kind: Option<String>,
    /// Its command, to be shown [default: its command line]
    #[arg(long, value_name = "TEXT")]
    pub command: Option<String>,
    /// Its directory, to be shown [default: the one it is in]
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<String>,
    /// It is meant to outlive who started it: never an orphan
    #[arg(long)]
    pub detached: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm unregister`.
#[derive(Debug, Args)]
pub struct Unregister {
    /// Process id
    #[arg(value_parser = parse::pid)]
    pub pid: u32,
}
