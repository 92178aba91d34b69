//! Ending them.

use clap::Args;

use crate::cli::args::parse;
use crate::session::text;

/// Sessions to do something to.
#[derive(Debug, Args)]
pub struct Targets {
    /// Name, id, prefix, glob, @tag or all; may be left out beside an option that selects
    #[arg(required_unless_present_any = ["originator", "older_than"], value_name = "SESSION")]
    pub names: Vec<String>,
    /// Only those
    #[command(flatten)]
    pub filter: Filter,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which of them.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only those that this tool asked for
    #[arg(long, value_name = "TOOL")]
    pub originator: Option<String>,
    /// Only those this old: since their start to be stopped or killed, since their end to be forgotten
    #[arg(long, value_name = "AGE", value_parser = text::duration_ms)]
    pub older_than: Option<u64>,
}

/// `rpm purge`.
#[derive(Debug, Args)]
pub struct Purge {
    /// Name, id, prefix, glob, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub names: Vec<String>,
    /// Only those
    #[command(flatten)]
    pub filter: Filter,
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
    /// Time until the hard signal [default: 5s, or what the settings say]
    #[arg(long, value_parser = text::duration_ms)]
    pub grace: Option<u64>,
}

/// `rpm kill`.
#[derive(Debug, Args)]
pub struct Kill {
    /// Which
    #[command(flatten)]
    pub targets: Targets,
}

/// `rpm shutdown`.
#[derive(Debug, Args)]
pub struct Shutdown {
    /// Time until the hard signal [default: 5s, or what the settings say]
    #[arg(long, value_parser = text::duration_ms)]
    pub grace: Option<u64>,
}

/// `rpm signal`.
#[derive(Debug, Args)]
pub struct Signal {
    /// Name or number: HUP, INT, QUIT, USR1, USR2, TERM, STOP, CONT, WINCH, 10 …
    #[arg(value_name = "SIGNAL", value_parser = parse::signal)]
    pub signal: u8,
    /// Which
    #[command(flatten)]
    pub targets: Targets,
}
