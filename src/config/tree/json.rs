//! JSON as a tree; comments and trailing commas are allowed, as other tools allow them in their files.

use jsonc_parser::CollectOptions;
use jsonc_parser::ParseOptions;
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;

use crate::config::tree::DEPTH;
use crate::config::tree::Entry;
use crate::config::tree::Fault;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::config::tree::unique;

/// Reads a whole file.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let options = ParseOptions { allow_missing_commas: false, ..ParseOptions::default() };
    let parsed = jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let range = error.range();
        Fault { span: range.start..range.end, text: error.kind().to_string().to_lowercase() }
    })?;
    match parsed.value {
        Some(root) => node(&root, 0),
        None => Err(Fault { span: 0..0, text: "the file is empty".to_owned() }),
    }
}

fn node(value: &ast::Value<'_>, depth: usize) -> Result<Node, Fault> {
    let span = value.start()..value.end();
    if depth > DEPTH {
        return Err(Fault { span, text: "this is nested too deep".to_owned() });
    }
    let value = match value {
        ast::Value::StringLit(text) => Value::Text(text.value.clone().into_owned()),
        ast::Value::NumberLit(number) => match (number.value.parse(), number.value.parse()) {
            (Ok(whole), _) => Value::Integer(whole),
            (_, Ok(number)) => Value::Float(number),
            _ => return Err(Fault { span, text: "this is no number".to_owned() }),
        },
        ast::Value::BooleanLit(flag) => Value::Flag(flag.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(list) => {
            Value::List(list.elements.iter().map(|value| node(value, depth + 1)).collect::<Result<_, _>>()?)
        }
        ast::Value::Object(object) => {
            let entry = |property: &ast::ObjectProp<'_>| {
                Ok(Entry {
                    name: property.name.as_str().to_owned(),
                    span: property.name.start()..property.name.end(),
                    node: node(&property.value, depth + 1)?,
                })
            };
            unique(object.properties.iter().map(entry).collect::<Result<_, _>>()?)?
        }
    };
    Ok(Node { span, value })
}
