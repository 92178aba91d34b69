//! `rpm config`.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use crate::cli::args::Json;

/// `rpm config`.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Print where the file is read from
    Path(Json),
    /// Print the file
    Show(ConfigShow),
    /// Say what is wrong with it
    Check(ConfigCheck),
    /// Have the running daemon and dashboards read it again; a file with errors changes nothing
    Reload,
    /// Print the JSON schema of a file of services
    Schema,
    /// Write a file with all defaults, documented; one that is there is left alone
    Init,
}

/// `rpm config show`.
#[derive(Debug, Args)]
pub struct ConfigShow {
    /// All settings as they count, defaults too
    #[arg(long)]
    pub effective: bool,
    /// Print the settings that count as JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm config check`.
#[derive(Debug, Args)]
pub struct ConfigCheck {
    /// Another file than the one that is read, or a file of services
    pub file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Ask the terminal which pictures it can show
    #[arg(long)]
    pub probe: bool,
}
