//! Services as the text of a file that reads as the same services.

use std::fmt::Write;

use crate::config::services::keys::KEYS;
use crate::config::services::value;
use crate::config::tree;
use crate::config::tree::Entry;
use crate::config::tree::Format;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::service::spec::ServiceSpec;

/// A line that is longer is broken, where a value can be.
const WIDTH: usize = 100;

/// Writes services; keys that are as their defaults are left out. Inherited variables and those of `env_file` are not
/// written: the one are nobody's wish, the others are in their file. Bytes that are no UTF-8 cannot be said in the format
/// and are replaced.
#[must_use]
pub fn text(specs: &[ServiceSpec]) -> String {
    specs.iter().map(text_of).collect::<Vec<_>>().join("\n")
}

/// Writes one service.
#[must_use]
pub fn text_of(spec: &ServiceSpec) -> String {
    let default = ServiceSpec::default();
    let head = format!("services.{}", value::write_name(&spec.name));
    let mut text = format!("[{head}]\n");
    let mut tables = String::new();
    for key in KEYS {
        let Some(written) = (key.get)(spec) else { continue };
        if Some(&written) == (key.get)(&default).as_ref() {
            continue;
        }
        let line = format!("{} = {written}\n", key.info.name);
        if line.len() <= WIDTH {
            text += &line;
        } else if let Some(pairs) = pairs(&written) {
            let _ = writeln!(tables, "\n[{head}.{}]", key.info.name);
            tables.extend(pairs.into_iter().map(|pair| pair + "\n"));
        } else if let Some(items) = items(&written) {
            let items: String = items.into_iter().map(|item| format!("    {item},\n")).collect();
            let _ = write!(text, "{} = [\n{items}]\n", key.info.name);
        } else {
            text += &line;
        }
    }
    text + &tables
}

/// Takes an inline table apart, in its order.
fn pairs(written: &str) -> Option<Vec<String>> {
    let it = read_back(written)?;
    let Value::Table(entries) = &it.value else { return None };
    let pair = |entry: &Entry| format!("{} = {}", value::write_name(&entry.name), value::write_node(&entry.node));
    Some(entries.iter().map(pair).collect())
}

/// Takes a list apart.
fn items(written: &str) -> Option<Vec<String>> {
    let it = read_back(written)?;
    let Value::List(items) = &it.value else { return None };
    Some(items.iter().map(value::write_node).collect())
}

fn read_back(written: &str) -> Option<Node> {
    tree::parse(&format!("it = {written}"), Format::Toml).ok()?.get("it").cloned()
}
