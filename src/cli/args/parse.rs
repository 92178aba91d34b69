//! From the words of a command line to values; what cannot be read is said with what to write instead.

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
    let (cols, rows) = text.split_once(['x', 'X']).ok_or("write columns, x, rows: 120x40")?;
    let number = |text: &str| text.parse::<u32>().map(|n| n.min(u16::MAX.into()) as u16);
    match (number(rows), number(cols)) {
        (Ok(rows), Ok(cols)) => Ok(Wish { text: text.to_owned(), size: Size::clamped(rows, cols) }),
        _ => Err("write columns, x, rows: 120x40".to_owned()),
    }
}

pub fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err("write a number with K, M or G: 512K, 8M".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "write a number with K, M or G: 512K, 8M".to_owned())?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(|| format!("{text} is out of range"))
}
