//! `rpm jlist`, `prettylist`, `pid`, `id`, `ping`, `init`: as pm2 has them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::cli::args;
use crate::cli::args::HabitVerb;
use crate::cli::commands::listing;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::config::services;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::session::status::Status;

/// What `rpm init` writes.
const FIRST: &str = include_str!("first.toml");

/// Does what the verb says.
pub fn run(verb: &HabitVerb) -> Result<u8, Error> {
    match verb {
        HabitVerb::Jlist(args) => listing::as_pm2(&args.targets, false),
        HabitVerb::PrettyList(args) => listing::as_pm2(&args.targets, true),
        HabitVerb::Pid(args) => numbers(args, |status| match status.run_end() {
            None => status.pid.to_string(),
            Some(_) => "0".to_owned(),
        }),
        HabitVerb::Id(args) => numbers(args, |status| status.id.to_string()),
        HabitVerb::Ping(args) => ping(args),
        HabitVerb::Init(args) => init(args.file.as_deref().unwrap_or(Path::new(services::FILE_NAME))),
    }
}

/// A number a line.
fn numbers(args: &args::Named, number: impl Fn(&Status) -> String) -> Result<u8, Error> {
    let listing = listing::list(&args.targets)?;
    let is_named = !args.targets.is_empty();
    let mut text = String::new();
    for status in listing.sessions.iter().filter(|status| is_named || status.service.is_some()) {
        let _ = writeln!(text, "{}", number(status));
    }
    output::print(text.as_bytes());
    Ok(report::items(&listing.errors))
}

/// pm2 starts its daemon for this; here, none is no fault of anybody, but an answer.
fn ping(args: &args::Json) -> Result<u8, Error> {
    Client::connect()?;
    if args.json {
        output::json("ping", &"pong");
    } else {
        output::print(b"pong\n");
    }
    Ok(exit::OK)
}

/// `rpm init`: a file that is there is somebody's work.
fn init(path: &Path) -> Result<u8, Error> {
    let failed = |error: &std::io::Error| {
        let message = match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!("there is a {} already; it was left alone", path.display()),
            _ => format!("cannot write {}: {error}", path.display()),
        };
        WireError::new(Code::Failed, message)
    };
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(FIRST.as_bytes())).map_err(|error| failed(&error))?;
    output::print(format!("{}\n", path.display()).as_bytes());
    Ok(exit::OK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::services::Source;

    #[test]
    fn what_init_writes_is_fine_with_and_without_its_comments() {
        let read = |text: &str| {
            let read = |_: &Path| Ok(String::new());
            let source = Source { path: Path::new("/home/me/runpm.toml"), home: None, read: &read };
            let loaded = services::parse(text, &source);
            assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
            loaded.specs.len()
        };
        assert_eq!(read(FIRST), 1);
        let bare: Vec<&str> = FIRST.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
        assert_eq!(read(&bare.join("\n")), 2);
    }
}
