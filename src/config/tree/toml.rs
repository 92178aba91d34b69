//! TOML as a tree.

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::config::tree::DEPTH;
use crate::config::tree::Entry;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;

/// Reads a whole file.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let root = DeTable::parse(text).map_err(|error| {
        let sentence = error.message().lines().map(str::trim).collect::<Vec<_>>().join(", ");
        Fault { span: error.span().unwrap_or_default(), text: sentence }
    })?;
    let span = root.span();
    Ok(Node { value: table(root.into_inner(), 0)?, span })
}

fn table(table: DeTable<'_>, depth: usize) -> Result<Value, Fault> {
    let mut entries = Vec::new();
    for (name, value) in table {
        entries.push(Entry { span: name.span(), name: name.into_inner().into_owned(), node: node(value, depth + 1)? });
    }
    // The library sorts by name.
    entries.sort_by_key(|entry| entry.span.start);
    Ok(Value::Table(entries))
}

fn node(value: Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Fault> {
    let span = value.span();
    if depth > DEPTH {
        return Err(Fault { span, text: "this is nested too deep".to_owned() });
    }
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => return Err(Fault { span, text: "this number is out of range".to_owned() }),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => return Err(Fault { span, text: "this is no number".to_owned() }),
        },
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(values) => {
            Value::List(values.into_iter().map(|value| node(value, depth + 1)).collect::<Result<_, _>>()?)
        }
        DeValue::Table(inner) => table(inner, depth)?,
    };
    Ok(Node { span, value })
}
