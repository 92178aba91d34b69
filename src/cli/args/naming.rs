//! What sessions are called.

use clap::Args;

/// `rpm rename`.
#[derive(Debug, Args)]
pub struct Rename {
    /// Name, id or unique prefix of the session
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// Its name from now on
    pub name: String,
}

/// `rpm tag`.
#[derive(Debug, Args)]
pub struct Tag {
    /// Name, id or unique prefix of the session
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// All of its tags from now on; none takes them away
    pub tags: Vec<String>,
}

/// `rpm again`.
#[derive(Debug, Args)]
pub struct Again {
    /// Session: name, id or prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// Leave it as it is, and start a second one
    #[arg(long)]
    pub copy: bool,
}
