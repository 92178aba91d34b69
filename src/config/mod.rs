//! The user's settings: one file, read once by whoever needs it, with a default for everything.
//!
//! A section is a struct with defaults and a line in [`Settings`]; its keys are its fields (`section!`). *Invariant:* no
//! file stops anything: what cannot be understood becomes a [`Finding`] with its line, and the default counts. What each
//! key means is written in `assets/config.default.toml`, which a test holds equal to the defaults here.

mod autostart;
pub mod convert;
mod daemon;
mod finding;
mod journal;
mod keys;
mod reader;
pub mod services;
mod sessions;
#[cfg(test)]
mod tests;
mod theme;
pub mod tree;
mod tui;
mod value;

use std::io;
use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;

use crate::platform::endpoint::Place;

pub use autostart::Autostart;
pub use daemon::Daemon;
pub use finding::Finding;
pub use finding::Grade;
pub use journal::Journal;
pub use keys::KeyEntry;
pub use keys::Keys;
pub use sessions::Sessions;
pub use theme::Theme;
pub use theme::Themes;
pub use tui::Tui;
pub use value::Bytes;
pub use value::Pause;

/// The documented defaults, as `rpm config init` writes them.
pub const DEFAULT_FILE: &str = include_str!("../../assets/config.default.toml");

/// A larger file is refused: it is not what was meant.
const LIMIT: u64 = 1 << 20;

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// `[sessions]`.
    pub sessions: Sessions,
    /// `[daemon]`.
    pub daemon: Daemon,
    /// `[tui]`.
    pub tui: Tui,
    /// `[keys]`.
    pub keys: Keys,
    /// `[themes.NAME]`.
    pub themes: Themes,
    /// `[journal]`.
    pub journal: Journal,
    /// `[[autostart]]`, without entries that make no sense.
    pub autostart: Vec<Autostart>,
}

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is there already.
    #[error("{path} is there already")]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Settings, and what was found while they were read.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// What counts.
    pub settings: Settings,
    /// What is wrong with the file, in the order of its lines.
    pub findings: Vec<Finding>,
}

/// Reads the user's file; without one the defaults count. Never fails: see [`Loaded::findings`].
#[must_use]
pub fn load(place: &Place) -> Loaded {
    match read_file(&place.config()) {
        Ok(Some(text)) => parse(&text),
        Ok(None) => Loaded::default(),
        Err(error) => {
            let why = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            Loaded { findings: vec![Finding::of_file(format!("{error}{why}"))], ..Loaded::default() }
        }
    }
}

/// Reads settings from text.
#[must_use]
pub fn parse(text: &str) -> Loaded {
    reader::read(text)
}

/// Reads a file of settings; `None` when there is none.
pub fn read_file(path: &Path) -> Result<Option<String>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A pipe or a device would hold the reader.
        Ok(meta) if !meta.is_file() => return Err(failed(io::Error::other("it is no file"))),
        Ok(meta) if meta.len() > LIMIT => return Err(failed(io::Error::other("it has more than 1 MiB"))),
        result => result.map_err(failed)?,
    };
    std::fs::read_to_string(path).map(Some).map_err(failed)
}

/// Writes the documented defaults where the user's file belongs; one that is there is left alone.
pub fn init(place: &Place) -> Result<PathBuf, Error> {
    let path = place.config();
    let failed = |source| Error::Write { path: path.clone(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    match std::fs::File::create_new(&path) {
        Ok(mut file) => io::Write::write_all(&mut file, DEFAULT_FILE.as_bytes()).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(Error::Exists { path }),
        Err(error) => return Err(failed(error)),
    }
    Ok(path)
}

/// Writes settings as a file that reads as the same settings.
#[must_use]
pub fn text(settings: &Settings) -> String {
    // Our sections hold nothing that the format cannot.
    toml::to_string(settings).unwrap_or_default()
}
