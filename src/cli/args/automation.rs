//! Waiting for sessions and listening to them.

use clap::Args;

use crate::cli::args::parse;
use crate::client::blocking::wait::Since;
use crate::session::text;
use crate::session::wait::Condition;

/// `rpm wait`.
#[derive(Debug, Args)]
pub struct Wait {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// exit, idle=2s, ready, text=PATTERN or count=N; of several, the first that comes
    #[arg(long = "for", value_name = "CONDITION", required = true)]
    pub conditions: Vec<Condition>,
    /// Look at output from here on: now, start or an offset [default: now]
    #[arg(long, value_name = "WHERE", value_parser = parse::since)]
    pub since: Option<Since>,
    /// Wait no longer than this, such as 30s
    #[arg(long, value_name = "TIME", value_parser = text::duration_ms)]
    pub timeout: Option<u64>,
    /// Match the bytes as they are, escape sequences too
    #[arg(long, conflicts_with = "screen")]
    pub raw: bool,
    /// Match the rows of the screen, what it shows already included
    #[arg(long, conflicts_with = "since")]
    pub screen: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm events`.
#[derive(Debug, Args)]
pub struct Events {
    /// Name, id, prefix, glob, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Only this kind: started, title, bell, notification, resized, attached, detached, stolen, sent, stopping, ended, removed
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Begin behind the event with this number; 0 begins with the oldest one that is kept
    #[arg(long, value_name = "N", value_parser = parse::number)]
    pub since: Option<u64>,
    /// Life of the daemon that --since counts in, as --json tells it
    #[arg(long, value_name = "EPOCH", value_parser = parse::number, requires = "since")]
    pub epoch: Option<u64>,
    /// Print JSON, a document a line
    #[arg(long)]
    pub json: bool,
}
