//! From the words of a command line to values; what cannot be read is said with what to write instead.

use std::ffi::OsString;

use crate::session::status::signal_number;
use regex::bytes::Regex;

use crate::client::blocking::wait::Since;
use crate::session::keys::Keys;
use crate::session::keys::KeysError;
use crate::session::wait;
use crate::session::wait::ConditionError;
use crate::term::Size;

pub fn env(text: &str) -> Result<OsString, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.into()),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

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

pub fn signal(text: &str) -> Result<u8, String> {
    signal_number(text)
        .ok_or_else(|| format!("{text:?} is no signal; write a name or a number, such as HUP, USR1 or 10"))
}

/// Checks a line of keys; what they are on the wire, the terminal's modes decide.
pub fn keys(text: &str) -> Result<String, KeysError> {
    Keys::parse(text).map(|_| text.to_owned())
}

pub fn pattern(text: &str) -> Result<Regex, ConditionError> {
    wait::pattern(text)
}

pub fn since(text: &str) -> Result<Since, String> {
    match text {
        "now" => Ok(Since::Now),
        "start" => Ok(Since::Start),
        _ => text.parse().map(Since::Offset).map_err(|_| "write now, start or an offset".to_owned()),
    }
}
