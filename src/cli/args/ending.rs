//! Ending them.

use clap::Args;

use crate::session::text;

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
