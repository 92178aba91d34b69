//! Text of a structured file as one tree whatever its format, with the place of every key and value.
//!
//! TOML, JSON and YAML come out the same, keys in the order of the file, so that what reads a file knows no format.

mod json;
mod toml;
mod yaml;

use std::ops::Range;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML 1.0.
    Toml,
    /// JSON, with comments and trailing commas.
    Json,
    /// YAML 1.2, with the merge key `<<`.
    Yaml,
}

/// Deeper nesting is refused: nobody means it.
const DEPTH: usize = 32;

/// More nodes are refused: references of YAML can make a few bytes many.
const NODES: usize = 200_000;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Bytes of the file; may be empty.
    pub span: Range<usize>,
    /// What stands there.
    pub value: Value,
}

/// What can stand in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing (JSON, YAML).
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// Text; also dates and whatever else has no type of its own here.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Named values in the order of the file, each name once.
    Table(Vec<Entry>),
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Place of the name.
    pub span: Range<usize>,
    /// The value.
    pub node: Node,
}

/// Why something cannot be used, and where that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the file.
    pub span: Range<usize>,
    /// One sentence.
    pub text: String,
}

impl Node {
    /// Returns the value of a name, if this is a table that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.name == name).map(|entry| &entry.node)
    }

    /// Returns the entries of a table, none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        if let Value::Table(entries) = &self.value { entries } else { &[] }
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// Returns a text, number or flag as text.
    #[must_use]
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Flag(flag) => Some(flag.to_string()),
            Value::Null | Value::List(_) | Value::Table(_) => None,
        }
    }

    /// Returns what it is in words, for who expected something else.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Flag(_) => "a flag",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// Makes a fault at its place.
    #[must_use]
    pub fn fault(&self, text: impl Into<String>) -> Fault {
        Fault { span: self.span.clone(), text: text.into() }
    }
}

/// Reads a whole file.
pub fn parse(text: &str, format: Format) -> Result<Node, Fault> {
    let root = match format {
        Format::Toml => toml::parse(text),
        Format::Json => json::parse(text),
        Format::Yaml => yaml::parse(text),
    }?;
    Ok(root)
}

/// Refuses a table that has a name twice.
fn unique(entries: Vec<Entry>) -> Result<Value, Fault> {
    let mut names = std::collections::HashSet::new();
    for entry in &entries {
        if !names.insert(entry.name.as_str()) {
            return Err(Fault { span: entry.span.clone(), text: format!("`{}` is there twice", entry.name) });
        }
    }
    Ok(Value::Table(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::List(nodes) => format!("[{}]", nodes.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Value::Table(entries) => {
                let shown = |entry: &Entry| format!("{}={}", entry.name, shown(&entry.node));
                format!("{{{}}}", entries.iter().map(shown).collect::<Vec<_>>().join(" "))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn all_formats_give_the_same_tree_in_the_order_of_the_file() {
        let same = "{z={a=[Integer(1) Float(2.5) Text(\"ü\")]} b=Flag(true) a=Text(\"x\")}";
        for (format, text) in [
            (Format::Toml, "z = { a = [1, 2.5, \"ü\"] }\nb = true\na = 'x'\n"),
            (Format::Json, "{\"z\": {\"a\": [1, 2.5, \"\\u00fc\",]}, // why\n\"b\": true, \"a\": \"x\"}"),
            (Format::Yaml, "# why\nz:\n  a: [1, 2.5, ü]\nb: true\na: x\n"),
        ] {
            let node = parse(text, format).expect("a tree");
            assert_eq!(shown(&node), same, "{format:?}");
            let place = &node.entries()[2].node.span;
            assert!(text[place.start..].trim_start_matches(['"', '\'']).starts_with('x'), "{format:?} {place:?}");
        }
    }

    #[test]
    fn merge_keys_and_anchors_of_yaml_are_followed() {
        let text = "base: &base\n  a: 1\n  b: 2\nit:\n  <<: *base\n  b: 3\n";
        assert_eq!(
            shown(&parse(text, Format::Yaml).expect("a tree")),
            "{base={a=Integer(1) b=Integer(2)} it={b=Integer(3) a=Integer(1)}}"
        );
    }

    #[test]
    fn what_is_no_file_is_a_fault_with_its_place() {
        for (format, text, at) in [
            (Format::Toml, "a = 1\nb = = 2\n", 10),
            (Format::Json, "{\"a\": 1,\n\"b\" 2}", 13),
            (Format::Json, "{\"a\": 1, \"a\": 2}", 9),
            (Format::Yaml, "a: 1\nb: [1, 2\nc: }\n", 18),
        ] {
            let fault = parse(text, format).expect_err("a fault");
            assert!(fault.span.start.abs_diff(at) <= 4, "{text:?} {fault:?}");
        }
    }

    #[test]
    fn nesting_and_references_without_end_are_refused() {
        let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
        assert!(parse(&deep, Format::Yaml).is_err());
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert!(parse(&deep, Format::Json).is_err());
        assert!(parse(&format!("a = {deep}"), Format::Toml).is_err());

        let line = |n: u32| format!("a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(10));
        let laughs = format!("a0: &a0 ha\n{}", (1..12).map(line).collect::<String>());
        let fault = parse(&laughs, Format::Yaml).expect_err("too much");
        assert!(fault.text.contains("references"), "{fault:?}");
    }
}
