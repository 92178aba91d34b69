//! `rpm convert`.

use std::path::PathBuf;

use clap::Args;

/// `rpm convert`.
#[derive(Debug, Args)]
pub struct Convert {
    /// ecosystem.config.json (or .yaml), Procfile, process-compose.yaml; ecosystem.config.js with --node
    pub file: PathBuf,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file of --output
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Lay the variables of pm2's `env_NAME` over those of `env`
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Let node run a file that is a program
    #[arg(long)]
    pub node: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
