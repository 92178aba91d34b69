//! `rpm completions`, `rpm man`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// `rpm completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that they are for
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `rpm man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for each command into this folder, instead of printing one
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// What a shell asks when somebody presses Tab.
#[derive(Debug, Args)]
pub struct Complete {
    /// The words so far, without the program; the last one is being typed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}
