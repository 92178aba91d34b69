//! Views of history and screen: they change nothing for anybody.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use clap::ValueEnum;

use crate::cli::args::parse;
use crate::cli::args::since;
use crate::cli::args::since::Since;
use crate::history::Stream;
use crate::protocol::verbs::From;
use crate::session::text;

/// A stream of a pipe session.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StreamName {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl StreamName {
    /// Returns the stream that is called so.
    pub const fn stream(self) -> Stream {
        match self {
            Self::Out => Stream::Out,
            Self::Err => Stream::Err,
        }
    }
}

/// `rpm logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// Name, id, prefix, glob, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Last N lines of each only
    #[arg(short = 'n', long, value_name = "N", value_parser = parse::number)]
    pub lines: Option<u64>,
    /// Only what was said since then: 5m, 12:30, 2026-11-21T12:30
    #[arg(long, value_name = "TIME", value_parser = since::parse, conflicts_with = "lines")]
    pub since: Option<Since>,
    /// Go on with what comes; a gap ends it with its own code
    #[arg(short, long)]
    pub follow: bool,
    /// Every byte as it was, escape sequences too
    #[arg(long, conflicts_with = "timestamps")]
    pub raw: bool,
    /// Begin each line with the time of its first byte
    #[arg(short, long, alias = "timestamp")]
    pub timestamps: bool,
    /// Only this stream of a pipe session
    #[arg(long, value_enum)]
    pub stream: Option<StreamName>,
    /// The same as --stream err
    #[arg(long, conflicts_with = "stream")]
    pub err: bool,
    /// The same as --stream out
    #[arg(long, conflicts_with_all = ["stream", "err"])]
    pub out: bool,
    /// Do not go on with what comes (the default)
    #[arg(long, hide = true, alias = "no-follow", conflicts_with = "follow")]
    pub nostream: bool,
    /// Print a JSON object a line; with --raw, lines that are not UTF-8 as base64
    #[arg(long, conflicts_with = "timestamps")]
    pub json: bool,
}

impl Logs {
    /// Returns the stream that is wanted, if it is one alone.
    pub const fn stream(&self) -> Option<Stream> {
        match (self.stream, self.out, self.err) {
            (Some(name), ..) => Some(name.stream()),
            (None, true, _) => Some(Stream::Out),
            (None, _, true) => Some(Stream::Err),
            (None, false, false) => None,
        }
    }

    /// Returns where to start.
    pub fn from(&self) -> From {
        match (self.lines, self.since) {
            (Some(lines), _) => From::Lines(lines),
            (None, Some(Since(us))) => From::Since(us),
            (None, None) => From::Start,
        }
    }
}

/// `rpm flush`.
#[derive(Debug, Args)]
pub struct Flush {
    /// Name, id, prefix, glob, @tag or all
    #[arg(required = true, value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rpm grep`.
#[derive(Debug, Args)]
pub struct Grep {
    /// Regular expression, in the syntax of the Rust crate `regex`
    #[arg(value_name = "PATTERN")]
    pub pattern: String,
    /// Name, id, prefix, glob, @tag or all [default: all]
    #[arg(value_name = "SESSION")]
    pub targets: Vec<String>,
    /// Take upper and lower case as the same
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Take the pattern as plain text
    #[arg(short = 'F', long)]
    pub fixed: bool,
    /// Lines that do not match
    #[arg(short = 'v', long)]
    pub invert: bool,
    /// Begin each line with its offset in the history
    #[arg(short = 'b', long, visible_short_alias = 'n')]
    pub offsets: bool,
    /// Begin each line with the time of its first byte
    #[arg(short, long)]
    pub timestamps: bool,
    /// Also N lines after each match
    #[arg(short = 'A', long, value_name = "N")]
    pub after: Option<u32>,
    /// Also N lines before each match
    #[arg(short = 'B', long, value_name = "N")]
    pub before: Option<u32>,
    /// Also N lines before and after each match
    #[arg(short = 'C', long, value_name = "N")]
    pub context: Option<u32>,
    /// Print how many lines matched instead
    #[arg(short, long)]
    pub count: bool,
    /// Only what was said since then: 5m, 12:30, 2026-11-21T12:30
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub since: Option<Since>,
    /// Only this stream of pipe sessions
    #[arg(long, value_enum)]
    pub stream: Option<StreamName>,
    /// Print a JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `rpm screen`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("form"))]
pub struct Screen {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// With colours and attributes, as escape sequences
    #[arg(long, group = "form")]
    pub ansi: bool,
    /// As a page that needs nothing else
    #[arg(long, group = "form")]
    pub html: bool,
    /// As a picture
    #[arg(long, group = "form")]
    pub svg: bool,
    /// Print JSON: size, cursor, title, modes, rows as text and as cells
    #[arg(long, group = "form")]
    pub json: bool,
    /// Also up to N rows above it; 128 are kept
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub scrollback: u16,
}

/// `rpm export`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("form").required(true))]
#[command(group = ArgGroup::new("start"))]
pub struct Export {
    /// Name, id or unique prefix
    #[arg(value_name = "SESSION")]
    pub target: String,
    /// A recording with its timing and sizes, for asciinema and other players
    #[arg(long, group = "form")]
    pub asciicast: bool,
    /// Plain text, without escape sequences
    #[arg(long, group = "form", visible_alias = "strip")]
    pub text: bool,
    /// Where to [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Begin at this offset, or `start`
    #[arg(long, value_name = "OFFSET", value_parser = offset, group = "start")]
    pub from: Option<From>,
    /// Begin with what was said since then: 5m, 12:30, 2026-11-21T12:30
    #[arg(long, value_name = "TIME", value_parser = since::parse, group = "start")]
    pub since: Option<Since>,
    /// Longest pause that players make, such as 2s
    #[arg(long, value_name = "TIME", value_parser = text::duration_ms, requires = "asciicast")]
    pub idle_limit: Option<u64>,
}

impl Export {
    /// Returns where to start.
    pub fn from(&self) -> From {
        match (self.from, self.since) {
            (Some(from), _) => from,
            (None, Some(Since(us))) => From::Since(us),
            (None, None) => From::Start,
        }
    }
}

fn offset(written: &str) -> Result<From, String> {
    if written.eq_ignore_ascii_case("start") {
        return Ok(From::Start);
    }
    written.parse().map(From::Offset).map_err(|_| "write an offset in bytes, or start".to_owned())
}
