//! From the words of a command line to values; what cannot be read is said with what to write instead.

use regex::bytes::Regex;

use crate::client::blocking::wait::Since;
use crate::platform::schedule;
use crate::protocol::verbs;
use crate::session::keys::Keys;
use crate::session::keys::KeysError;
use crate::session::service::spec::INSTANCES;
use crate::session::status::signal_number;
use crate::session::text;
use crate::session::wait;
use crate::session::wait::ConditionError;
use crate::term::Size;

pub use crate::session::text::bytes;

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

pub fn signal(text: &str) -> Result<u8, String> {
    signal_number(text)
        .ok_or_else(|| format!("{text:?} is no signal; write a name or a number, such as HUP, USR1 or 10"))
}

pub fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no number from 0 on"))
}

pub fn pid(text: &str) -> Result<u32, String> {
    let number: i128 = text.parse().map_err(|_| format!("{text:?} is no process id, which is a number"))?;
    let most = u32::MAX;
    u32::try_from(number).ok().filter(|pid| *pid > 0).ok_or_else(|| format!("{text} is not in 1..={most}"))
}

/// Checks a line of keys; what they are on the wire, the terminal's modes decide.
pub fn keys(text: &str) -> Result<String, KeysError> {
    Keys::parse(text).map(|_| text.to_owned())
}

pub fn pattern(text: &str) -> Result<Regex, ConditionError> {
    wait::pattern(text)
}

/// A schedule that comes.
pub fn cron(text: &str) -> Result<String, String> {
    match schedule::cron_fault(text) {
        Some(fault) => Err(format!("{text:?} is no schedule: {fault}; write five fields such as '0 3 * * *'")),
        None => Ok(text.to_owned()),
    }
}

/// Instances: a number, or a difference with its sign.
pub fn scale(text: &str) -> Result<verbs::Scale, String> {
    let is_relative = text.starts_with(['+', '-']);
    let by = text.parse().map_err(|_| format!("{text:?} is no number of instances; write 4, +2 or -1"))?;
    Ok(verbs::Scale { by, is_relative })
}

/// Copies: so many, `max` or 0 for one a processor, -1 for one less, as pm2 has it.
pub fn instances(text: &str) -> Result<u32, String> {
    let processors = i64::try_from(std::thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    let fault = || format!("{text:?} is no number of copies; write 4, or max for one a processor");
    let number = if text == "max" { Ok(0) } else { text.parse::<i64>().map_err(|_| fault()) }?;
    let number = if number > 0 { number } else { (processors + number).max(1) };
    u32::try_from(number)
        .ok()
        .filter(|number| *number <= INSTANCES)
        .ok_or_else(|| format!("{text} copies are too many; {INSTANCES} are the most"))
}

/// Milliseconds: bare, as pm2 has them, or with a unit.
pub fn milliseconds(text: &str) -> Result<u64, String> {
    text.parse().map_or_else(|_| text::duration_ms(text), Ok)
}

pub fn since(text: &str) -> Result<Since, String> {
    match text {
        "now" => Ok(Since::Now),
        "start" => Ok(Since::Start),
        _ => text.parse().map(Since::Offset).map_err(|_| "write now, start or an offset".to_owned()),
    }
}
