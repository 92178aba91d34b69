//! Variables: `env`, `env_remove`, and files of them.

use serde_bytes::ByteBuf;

use crate::config::services::key::Base;
use crate::config::services::value;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;

/// Says why a variable cannot be called so, or returns nothing.
pub fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.contains(['=', '\0']) {
        Some("it contains `=` or NUL")
    } else if name == "RUNPM_SESSION" {
        Some("it marks the session's processes")
    } else {
        None
    }
}

/// Reads `env`.
pub fn read(it: &mut ServiceSpec, node: &Node, _: &Base) -> Result<(), Fault> {
    let Value::Table(entries) = &node.value else {
        return value::expected(node, "a table such as { PORT = \"8080\" }");
    };
    for entry in entries {
        let at = |text: String| Fault { span: entry.span.clone(), text };
        if let Some(why) = name_fault(&entry.name) {
            return Err(at(format!("has {:?}, which cannot be the name of a variable: {why}", entry.name)));
        }
        let value = match entry.node.value {
            Value::Null => None,
            _ => match entry.node.scalar() {
                Some(text) if text.contains('\0') => return Err(at(format!("has a NUL byte in `{}`", entry.name))),
                Some(text) => Some(text),
                None => return value::expected(&entry.node, &format!("a text for `{}`", entry.name)),
            },
        };
        set(it, &entry.name, value.as_deref());
    }
    Ok(())
}

/// Reads `env_remove`.
pub fn read_removed(it: &mut ServiceSpec, node: &Node, _: &Base) -> Result<(), Fault> {
    for name in value::strings(node)? {
        if let Some(why) = name_fault(&name) {
            return Err(node.fault(format!("has {name:?}, which cannot be the name of a variable: {why}")));
        }
        set(it, &name, None);
    }
    Ok(())
}

/// Sets or removes a variable as the file of services does; what it said before is forgotten.
fn set(it: &mut ServiceSpec, name: &str, value: Option<&str>) {
    it.env.retain(|known| known.origin != Origin::Config || known.name != name.as_bytes());
    let value = value.map(|value| ByteBuf::from(value.as_bytes()));
    it.env.push(Variable { name: ByteBuf::from(name.as_bytes()), value, origin: Origin::Config });
}

/// Variables that a written file can name: those of a file or of the command line.
fn own(it: &ServiceSpec) -> impl Iterator<Item = &Variable> {
    it.env.iter().filter(|variable| matches!(variable.origin, Origin::Config | Origin::Cli))
}

/// Writes `env`.
pub fn write(it: &ServiceSpec) -> Option<String> {
    let pair = |variable: &Variable| {
        let value = variable.value.as_ref()?;
        Some(format!("{} = {}", name_of(variable), value::write_bytes_text(value)))
    };
    let pairs: Vec<String> = own(it).filter_map(pair).collect();
    (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
}

/// Writes `env_remove`.
pub fn write_removed(it: &ServiceSpec) -> String {
    let removed = own(it).filter(|variable| variable.value.is_none());
    value::write_list(removed.map(|variable| value::write_bytes_text(&variable.name)))
}

fn name_of(variable: &Variable) -> String {
    value::write_name(&String::from_utf8_lossy(&variable.name))
}

/// A line of a file of variables that cannot be read: its number from 1, and why.
pub type LineFault = (usize, String);

/// Reads a file of variables: lines `NAME=VALUE`, empty ones, and comments from `#`. `export` before a name is left out.
///
/// A value in single quotes is taken literally; in double quotes `\n`, `\t`, `\r`, `\"`, `\\` and `\$` are what they are
/// in a shell, and both may go over several lines; without quotes it ends at ` #`. Nothing is expanded, because files
/// that were written for other tools differ in what they expand: `$` is a character.
pub fn parse_file(text: &str) -> Result<Vec<(String, String)>, LineFault> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut number = 1;
    while !rest.is_empty() {
        let line = rest.lines().next().unwrap_or_default();
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            rest = after_line(rest);
            number += 1;
            continue;
        }
        let Some((name, _)) = line.split_once('=') else {
            return Err((number, "there is no `=`".to_owned()));
        };
        let value = &rest[name.len() + 1..];
        let name = name.trim();
        let name = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(name).trim();
        if let Some(why) = name_fault(name).or(name.contains(char::is_whitespace).then_some("it contains blanks")) {
            return Err((number, format!("{name:?} cannot be the name of a variable: {why}")));
        }
        let (value, taken) = parse_value(value).map_err(|why| (number, format!("the value of `{name}` {why}")))?;
        if value.contains('\0') {
            return Err((number, format!("the value of `{name}` contains a NUL byte")));
        }
        let before = rest.len();
        rest = &rest[line.split_once('=').map_or(0, |(name, _)| name.len() + 1) + taken..];
        rest = after_line(rest);
        number += text[text.len() - before..text.len() - rest.len()].matches('\n').count().max(1);
        found.retain(|(known, _)| known != name);
        found.push((name.to_owned(), value));
    }
    Ok(found)
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// Reads a value up to its end; what is left of its line must be blank or a comment. Returns the bytes it took.
fn parse_value(text: &str) -> Result<(String, usize), &'static str> {
    let start = text.len() - text.trim_start_matches([' ', '\t']).len();
    let quote = text[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let line = text.lines().next().unwrap_or_default();
        let end = line.find(" #").or_else(|| line.find("\t#")).unwrap_or(line.len());
        return Ok((line[..end].trim().to_owned(), line.len()));
    };
    let mut value = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            let end = start + 1 + at + 1;
            let left = text[end..].lines().next().unwrap_or_default().trim();
            let is_end = left.is_empty() || left.starts_with('#');
            return if is_end { Ok((value, end)) } else { Err("goes on after its quotes") };
        }
        if c != '\\' || quote == '\'' {
            value.push(c);
            continue;
        }
        match chars.next().map(|(_, c)| c) {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some(c @ ('"' | '\\' | '$' | '`')) => value.push(c),
            Some(c) => value.extend(['\\', c]),
            None => break,
        }
    }
    Err("has a quote that is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_variables_are_read_as_other_tools_write_them() {
        for (text, wanted) in [
            ("A=1\nB = two words \n", &[("A", "1"), ("B", "two words")][..]),
            ("\u{feff}# why\n\n  export A='x # $y'\n", &[("A", "x # $y")]),
            ("A=\nB=x # note\nC=x#y\r\nD='' # empty\n", &[("A", ""), ("B", "x"), ("C", "x#y"), ("D", "")]),
            (r#"A="a\nb\"c\\ \$d \q""#, &[("A", "a\nb\"c\\ $d \\q")]),
            ("KEY=\"-----BEGIN\nabc=\n-----END\"\nB=2", &[("KEY", "-----BEGIN\nabc=\n-----END"), ("B", "2")]),
            ("URL=postgres://u:p@h/db?a=b&c=$d\n", &[("URL", "postgres://u:p@h/db?a=b&c=$d")]),
            ("A=1\nA=2\nexported=3\nexport\tB=4", &[("A", "2"), ("exported", "3"), ("B", "4")]),
            ("A='it\\'\n", &[("A", "it\\")]),
            ("ü=ß\n", &[("ü", "ß")]),
            ("", &[]),
        ] {
            let found = parse_file(text).expect(text);
            let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, wanted, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for (text, line) in [
            ("A=1\nB\n", 2),
            ("A='x\ny'\n=2\n", 3),
            ("\n\nA B=2", 3),
            ("A=\"x", 1),
            ("A='x' y\n", 1),
            ("RUNPM_SESSION=1", 1),
            ("A=\0", 1),
        ] {
            assert_eq!(parse_file(text).map_err(|(line, _)| line), Err(line), "{text:?}");
        }
    }
}
