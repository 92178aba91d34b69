//! Asking the terminal itself: what is sent, and what its answer means.
//!
//! Every terminal answers the second question (primary device attributes), and answers come in order: once that one is
//! there, no answer to the first will come any more.

use serde::Deserialize;
use serde::Serialize;

use crate::session::graphics::Evidence;
use crate::session::graphics::Finding;
use crate::session::graphics::finding;
use crate::session::graphics::yes_or_no;

/// What is sent: kitty's query with a picture of one pixel that is not shown, then DA1.
pub const QUERY: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c";

/// What a terminal answered to [`QUERY`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// Attributes of DA1, if it came in time.
    pub attributes: Option<Vec<u16>>,
    /// kitty's query was answered, and how.
    pub kitty: Option<bool>,
}

impl Probe {
    /// Reads answers out of whatever arrived, typed keys among it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let kitty = after(bytes, b"\x1b_Gi=31").map(|rest| {
            let body = &rest[..find(rest, b"\x1b\\").unwrap_or(rest.len())];
            body.ends_with(b";OK")
        });
        Self { attributes: attributes(bytes), kitty }
    }

    /// Returns whether the last answer came: more need not be waited for.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.attributes.is_some()
    }

    /// Returns what the answers say of each protocol; iTerm2's cannot be asked for.
    pub(super) fn answers(&self) -> [Option<Finding>; 3] {
        let Some(attributes) = &self.attributes else { return [const { None }; 3] };
        let sixel = finding(yes_or_no(attributes.contains(&4)), Evidence::Probe, "DA1");
        let kitty = finding(yes_or_no(self.kitty == Some(true)), Evidence::Probe, "kitty query");
        [Some(sixel), Some(kitty), None]
    }
}

/// Finds `CSI ? … c`.
fn attributes(bytes: &[u8]) -> Option<Vec<u16>> {
    let mut rest = bytes;
    while let Some(body) = after(rest, b"\x1b[?") {
        let len = body.iter().position(|b| !b.is_ascii_digit() && *b != b';')?;
        if body[len] == b'c' {
            let text = std::str::from_utf8(&body[..len]).ok()?;
            return Some(text.split(';').filter_map(|number| number.parse().ok()).collect());
        }
        rest = body;
    }
    None
}

fn after<'a>(bytes: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    find(bytes, start).map(|at| &bytes[at + start.len()..])
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
