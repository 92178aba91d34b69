//! YAML as a tree; only the first document of a file counts.

use std::collections::HashMap;
use std::ops::Range;

use saphyr::LoadableYamlNode;
use saphyr::MarkedYaml;
use saphyr::Scalar;
use saphyr::YamlData;
use saphyr_parser::Event;
use saphyr_parser::Parser;

use crate::config::tree::DEPTH;
use crate::config::tree::Entry;
use crate::config::tree::Fault;
use crate::config::tree::NODES;
use crate::config::tree::Node;
use crate::config::tree::Value;

/// Reads a whole file.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let at = |index: usize| places.get(index).copied().unwrap_or(text.len());
    if !is_small(text) {
        return Err(Fault { span: 0..0, text: "its references make more of it than anybody means".to_owned() });
    }
    let documents = MarkedYaml::load_from_str(text).map_err(|error| {
        let place = at(error.marker().index());
        Fault { span: place..place, text: error.info().to_owned() }
    })?;
    let Some(root) = documents.first() else {
        return Err(Fault { span: 0..0, text: "the file is empty".to_owned() });
    };
    Reader { at: &at, nodes: 0 }.node(root, 0)
}

/// Returns whether a file stays small when its references are followed: the library copies what they refer to, and ten
/// lines can be made to mean thousands of millions. What is no YAML is small.
fn is_small(text: &str) -> bool {
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    let mut open: Vec<(usize, usize)> = vec![(0, 0)];
    for event in Parser::new_from_str(text) {
        let Ok((event, _)) = event else { return true };
        let (anchor, size) = match event {
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                open.push((anchor, 1));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().unwrap_or_default(),
            Event::Scalar(_, _, anchor, _) => (anchor, 1),
            Event::Alias(anchor) => (0, sizes.get(&anchor).copied().unwrap_or(1)),
            _ => continue,
        };
        if anchor > 0 {
            sizes.insert(anchor, size);
        }
        let Some((_, outer)) = open.last_mut() else { return false };
        *outer = outer.saturating_add(size);
        if *outer > NODES {
            return false;
        }
    }
    true
}

struct Reader<'a> {
    /// From characters to bytes.
    at: &'a dyn Fn(usize) -> usize,
    nodes: usize,
}

impl Reader<'_> {
    fn span(&self, node: &MarkedYaml<'_>) -> Range<usize> {
        (self.at)(node.span.start.index())..(self.at)(node.span.end.index())
    }

    fn node(&mut self, yaml: &MarkedYaml<'_>, depth: usize) -> Result<Node, Fault> {
        let span = self.span(yaml);
        self.nodes += 1;
        if depth > DEPTH || self.nodes > NODES {
            return Err(Fault { span, text: "this is nested too deep, or refers to too much".to_owned() });
        }
        let value = match &yaml.data {
            YamlData::Value(scalar) => of(scalar),
            YamlData::Sequence(nodes) => {
                let nodes: Result<_, _> = nodes.iter().map(|node| self.node(node, depth + 1)).collect();
                Value::List(nodes?)
            }
            YamlData::Mapping(pairs) => {
                let mut entries = Vec::new();
                for (name, value) in pairs {
                    let span = self.span(name);
                    let named = self.node(name, depth + 1)?;
                    let Some(name) = named.scalar() else {
                        return Err(named.fault("this is no name of a key"));
                    };
                    entries.push(Entry { name, span, node: self.node(value, depth + 1)? });
                }
                Value::Table(merged(entries))
            }
            YamlData::Tagged(_, inner) => return self.node(inner, depth + 1),
            YamlData::Representation(text, ..) => Value::Text(text.clone().into_owned()),
            YamlData::Alias(_) | YamlData::BadValue => {
                return Err(Fault { span, text: "this value cannot be understood".to_owned() });
            }
        };
        Ok(Node { span, value })
    }
}

fn of(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Flag(*flag),
        Scalar::Integer(number) => Value::Integer(*number),
        Scalar::FloatingPoint(number) => Value::Float(number.into_inner()),
        Scalar::String(text) => Value::Text(text.clone().into_owned()),
    }
}

/// Takes in what `<<` names; a table's own keys win.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let (bases, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.name == "<<");
    for base in bases {
        let tables = match base.node.value {
            Value::List(tables) => tables,
            value => vec![Node { span: base.node.span, value }],
        };
        for entry in tables.iter().flat_map(Node::entries) {
            if !own.iter().any(|known| known.name == entry.name) {
                own.push(entry.clone());
            }
        }
    }
    own
}
