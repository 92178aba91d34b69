//! Values as they are written: reading them with a sentence for what is wrong, and writing them as TOML.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use serde_bytes::ByteBuf;

use crate::config::services::key::Base;
use crate::config::tree::Entry;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::service::spec::Command;
use crate::session::state::Nanos;
use crate::session::status;
use crate::session::text;

/// Nanoseconds of a millisecond.
const MS: Nanos = 1_000_000;

/// Refuses a value, saying what was expected.
pub fn expected<T>(node: &Node, what: &str) -> Result<T, Fault> {
    let got = match (&node.value, node.scalar()) {
        (Value::Text(text), _) => format!("{:?}", text::clean(&text.chars().take(60).collect::<String>())),
        (_, Some(scalar)) => scalar,
        _ => node.what().to_owned(),
    };
    Err(node.fault(format!("expects {what}, not {got}")))
}

/// Reads a text without NUL bytes.
pub fn string(node: &Node) -> Result<String, Fault> {
    match node.text() {
        Some(text) if text.contains('\0') => Err(node.fault("contains a NUL byte")),
        Some(text) => Ok(text.to_owned()),
        None => expected(node, "a text"),
    }
}

/// Reads a flag.
pub fn flag(node: &Node) -> Result<bool, Fault> {
    if let Value::Flag(flag) = node.value { Ok(flag) } else { expected(node, "true or false") }
}

/// Reads a whole number within bounds.
pub fn count<T: TryFrom<i64>>(node: &Node, least: i64, most: i64) -> Result<T, Fault> {
    let what =
        if most == i64::MAX { format!("a number from {least}") } else { format!("a number from {least} to {most}") };
    match node.value {
        Value::Integer(number) if (least..=most).contains(&number) => {
            T::try_from(number).or_else(|_| expected(node, &what))
        }
        _ => expected(node, &what),
    }
}

/// Reads a factor such as `1.5` in percent.
pub fn percent_of_factor(node: &Node, least: u32, most: u32) -> Result<u32, Fault> {
    let number = match node.value {
        Value::Integer(number) => i32::try_from(number).map_or(f64::NAN, f64::from),
        Value::Float(number) => number,
        _ => f64::NAN,
    };
    if number >= f64::from(least) && number <= f64::from(most) {
        return Ok((number * 100.0).round() as u32);
    }
    expected(node, &format!("a number from {least} to {most}"))
}

/// Reads a number of bytes.
pub fn bytes(node: &Node) -> Result<u64, Fault> {
    match &node.value {
        Value::Integer(number) if *number > 0 => Ok(number.unsigned_abs()),
        Value::Text(written) if text::bytes(written).is_ok() => text::bytes(written).map_err(|text| node.fault(text)),
        _ => expected(node, "a number of bytes such as \"512K\" or \"10M\""),
    }
}

/// Reads a duration.
pub fn duration(node: &Node) -> Result<Nanos, Fault> {
    match &node.value {
        Value::Text(written) if written == "0" => Ok(0),
        Value::Integer(0) => Ok(0),
        Value::Text(written) => match text::duration_ms(written) {
            Ok(ms) => Ok(ms * MS),
            Err(_) => expected(node, "a duration such as \"500ms\", \"5s\" or \"2m\""),
        },
        Value::Integer(number) => {
            expected(node, &format!("a duration with its unit, such as \"{number}ms\" or \"{number}s\""))
        }
        _ => expected(node, "a duration such as \"500ms\", \"5s\" or \"2m\""),
    }
}

/// Reads one of some words.
pub fn choice<T: Copy>(node: &Node, words: &[(&str, T)]) -> Result<T, Fault> {
    let known = words.iter().find(|(word, _)| node.text() == Some(word));
    if let Some((_, value)) = known {
        return Ok(*value);
    }
    let words: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    expected(node, &words.join(" or "))
}

/// Reads a list, each item by `read`.
pub fn list<T>(node: &Node, what: &str, read: impl Fn(&Node) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    if let Value::List(items) = &node.value { items.iter().map(read).collect() } else { expected(node, what) }
}

/// Reads a list of texts.
pub fn strings(node: &Node) -> Result<Vec<String>, Fault> {
    list(node, "a list of texts", string)
}

/// Reads a path as bytes, absolute.
pub fn path(node: &Node, base: &Base) -> Result<ByteBuf, Fault> {
    let written = string(node)?;
    if written.is_empty() {
        return Err(node.fault("is empty"));
    }
    Ok(ByteBuf::from(base.path(&written).as_os_str().as_bytes()))
}

/// Reads one path or a list of them.
pub fn paths(node: &Node, base: &Base) -> Result<Vec<ByteBuf>, Fault> {
    match &node.value {
        Value::Text(_) => Ok(vec![path(node, base)?]),
        _ => list(node, "a path, or a list of paths", |node| path(node, base)),
    }
}

/// Reads a signal.
pub fn signal(node: &Node) -> Result<u8, Fault> {
    let number = match &node.value {
        Value::Text(name) => status::signal_number(name),
        Value::Integer(number) => u8::try_from(*number).ok().filter(|number| (1..=64).contains(number)),
        _ => None,
    };
    number.map_or_else(|| expected(node, "a signal such as \"TERM\", \"INT\" or \"QUIT\""), Ok)
}

/// Reads a command: a list of words, or a text, which is split into words, or with `shell` goes to a shell.
pub fn command(node: &Node, base: &Base) -> Result<Command, Fault> {
    let words = match &node.value {
        Value::Text(text) if base.shell && !text.trim().is_empty() => return Ok(Command::shell(&string(node)?)),
        Value::Text(_) => words(node, &string(node)?)?,
        Value::List(_) if base.shell => {
            return Err(node.fault("is a list, but with `shell = true` it is one text that a shell reads"));
        }
        Value::List(_) => strings(node)?,
        _ => return expected(node, "a list such as [\"program\", \"argument\"], or a text"),
    };
    if words.first().is_none_or(String::is_empty) {
        return Err(node.fault("names no program"));
    }
    Ok(Command::of(&words))
}

/// Reads a command that belongs to another one: what a shell is to run becomes a command of the shell, and a list is one
/// also with `shell = true`.
pub fn inner_command(node: &Node, base: &Base) -> Result<Command, Fault> {
    let is_list = matches!(node.value, Value::List(_));
    let base = &Base { shell: base.shell && !is_list, ..base.clone() };
    Ok(Command { words: command(node, base)?.argv(), shell: false })
}

/// Splits a text into words. What a shell would do more with is refused rather than taken literally, because it was not
/// meant literally.
fn words(node: &Node, text: &str) -> Result<Vec<String>, Fault> {
    match split(text) {
        Err(why) => Err(node.fault(why)),
        Ok(Split { shell: Some(c), .. }) => Err(meant_for_a_shell(node, c)),
        Ok(Split { words, .. }) if words.first().is_some_and(|program| program.contains('=')) => {
            Err(node.fault("sets a variable before its program: that is what `env` is for"))
        }
        Ok(Split { words, .. }) => Ok(words),
    }
}

/// A text split at blanks.
pub struct Split {
    /// The words, without their quotes.
    pub words: Vec<String>,
    /// The first character that means more to a shell.
    pub shell: Option<char>,
}

/// Splits a text at blanks, with quotes and backslashes as in a shell, or says why it cannot.
pub fn split(text: &str) -> Result<Split, &'static str> {
    let mut split = Split { words: Vec::new(), shell: None };
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let is_special = match (quote, c) {
            (Some('"') | None, '$' | '`') | (None, '|' | '&' | ';' | '<' | '>' | '*' | '?' | '(' | ')') => true,
            (None, '~' | '#') => word.is_none(),
            _ => false,
        };
        if is_special {
            split.shell = split.shell.or(Some(c));
        }
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => match chars.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("ends with a backslash"),
            },
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, c) if c.is_whitespace() => split.words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("has a quote that is not closed");
    }
    split.words.extend(word);
    Ok(split)
}

fn meant_for_a_shell(node: &Node, c: char) -> Fault {
    node.fault(format!("has `{c}`, which a shell would understand: add `shell = true`, or write a list of words"))
}

/// Writes a text, on one line whatever is in it.
#[must_use]
pub fn write_text(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(written, "\\u{:04x}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written + "\""
}

/// Writes bytes as text; what is no UTF-8 cannot be said in the format.
pub fn write_bytes_text(bytes: &[u8]) -> String {
    write_text(&String::from_utf8_lossy(bytes))
}

/// Writes a list of things that are written already.
pub fn write_list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// Writes a duration with the largest unit that is exact.
pub fn write_duration(nanos: Nanos) -> String {
    let ms = nanos / MS;
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let unit = units.into_iter().find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
    let written = unit.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit));
    write_text(&written)
}

/// Writes a number of bytes.
pub fn write_size(bytes: u64) -> String {
    write_text(&text::exact_size(bytes))
}

/// Writes a command; that a shell runs it is another key.
pub fn write_command(command: &Command) -> String {
    match &command.words[..] {
        [text] if command.shell => write_bytes_text(text),
        words => write_list(words.iter().map(|word| write_bytes_text(word))),
    }
}

/// Writes a name, in quotes where it needs them.
#[must_use]
pub fn write_name(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { write_text(name) }
}

/// Writes a value of any kind on one line; what TOML does not have, nothing, is `null`.
#[must_use]
pub fn write_node(node: &Node) -> String {
    match &node.value {
        Value::List(items) => write_list(items.iter().map(write_node)),
        Value::Table(entries) => {
            let pair = |entry: &Entry| format!("{} = {}", write_name(&entry.name), write_node(&entry.node));
            format!("{{ {} }}", entries.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Value::Text(text) => write_text(text),
        Value::Float(number) => format!("{number:?}"),
        Value::Null => "null".to_owned(),
        Value::Flag(_) | Value::Integer(_) => node.scalar().unwrap_or_default(),
    }
}
