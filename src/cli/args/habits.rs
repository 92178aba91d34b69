//! Words that hands know from pm2, with what they did there.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use crate::cli::args::Json;

/// What hands know from elsewhere.
#[derive(Debug, Subcommand)]
pub enum HabitVerb {
    /// Print services as pm2's `jlist` does, for scripts that read that
    #[command(hide = true)]
    Jlist(Named),
    /// The same, to be read
    #[command(hide = true, name = "prettylist")]
    PrettyList(Named),
    /// Print the process ids of services, one a line; 0 where none runs
    #[command(hide = true)]
    Pid(Named),
    /// Print the ids of services, one a line
    #[command(hide = true)]
    Id(Named),
    /// Say whether the daemon answers
    #[command(hide = true)]
    Ping(Json),
    /// Write a runpm.toml to begin with
    #[command(aliases = ["ecosystem"])]
    #[command(after_help = "Examples:\n  rpm init\n  rpm init site/runpm.toml")]
    Init(Init),
}

/// Those of a name.
#[derive(Debug, Args)]
pub struct Named {
    /// Name, id, range of ids, prefix, glob, /regex/, @tag, namespace or all [default: all]
    #[arg(value_name = "SERVICE")]
    pub targets: Vec<String>,
}

/// `rpm init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where to [default: runpm.toml]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}
