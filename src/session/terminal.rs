//! Who a client is and what its terminal is, as far as programs and other people need to know.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::session::graphics;
use crate::session::text;
use crate::term::Size;

/// A person at a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Who {
    /// Login name.
    pub user: String,
    /// The client's terminal, such as `pts/3`.
    pub tty: Option<String>,
    /// Host that an SSH login came from.
    pub host: Option<String>,
}

impl Who {
    /// Returns it short and without control characters: a peer said it, and people will read it.
    #[must_use]
    pub fn cleaned(&self) -> Self {
        let clean = |text: &str| text::clean(text).chars().take(40).collect::<String>();
        Self { user: clean(&self.user), tty: self.tty.as_deref().map(clean), host: self.host.as_deref().map(clean) }
    }
}

/// `ann on pts/3 from 10.0.0.7`.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        if let Some(tty) = &self.tty {
            write!(f, " on {tty}")?;
        }
        match &self.host {
            Some(host) => write!(f, " from {host}"),
            None => Ok(()),
        }
    }
}

/// Width and height of a terminal's text area in pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pixels {
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

/// A client's terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terminal {
    /// `TERM` as the client has it.
    pub term: String,
    /// Size in cells.
    pub size: Size,
    /// Size in pixels, if it knows.
    pub pixels: Option<Pixels>,
    /// Which pictures it can show, as far as its client knows.
    pub graphics: graphics::Report,
}
