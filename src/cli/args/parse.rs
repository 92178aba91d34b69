//! From the words of a command line to values; what cannot be read is said with what to write instead.

use crate::session::text;
use crate::term::Size;

/// A size as it was asked for, and the nearest possible one.
#[derive(Debug, Clone)]
pub struct Wish {
    /// As written.
    pub text: String,
    /// As possible.
    pub size: Size,
}

pub fn size(text: &str) -> Result<Wish, String> {
    text::size(text).map(|size| Wish { text: text.to_owned(), size })
}

pub use crate::session::text::bytes;
