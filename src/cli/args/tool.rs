//! The tool itself: dashboard, daemon.

use clap::Args;
use clap::Subcommand;

/// `--json` alone.
#[derive(Debug, Args)]
pub struct Json {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm tui`.
#[derive(Debug, Args, Default)]
pub struct Tui {
    /// Show this session only, full screen
    #[arg(long, value_name = "SESSION")]
    pub session: Option<String>,
    /// Take it over from who controls it
    #[arg(long, requires = "session")]
    pub steal: bool,
    /// Lines instead of a screen: for screen readers, and for terminals that can only print
    #[arg(long, conflicts_with_all = ["session", "layout"])]
    pub plain: bool,
    /// Draw boxes without Unicode
    #[arg(long)]
    pub ascii: bool,
    /// It opens at the services.
    #[arg(skip)]
    pub at_services: bool,
    /// It opens at the session of this name.
    #[arg(skip)]
    pub at: Option<String>,
    /// Open panes that were kept under a name
    #[arg(long, value_name = "NAME", conflicts_with = "session")]
    pub layout: Option<String>,
}

/// `rpm daemon`.
#[derive(Debug, Subcommand)]
pub enum Daemon {
    /// Start it, if it does not run
    Start,
    /// Show how it is
    Status(Json),
    /// Print its log
    Logs(DaemonLogs),
}

/// `rpm daemon logs`.
#[derive(Debug, Args)]
pub struct DaemonLogs {
    /// Last N lines
    #[arg(short = 'n', long, default_value_t = 50)]
    pub lines: u32,
}
