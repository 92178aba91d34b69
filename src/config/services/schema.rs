//! The JSON schema of a file of services, and the tables of the manual.

use std::fmt::Write;

use serde_json::Value;
use serde_json::json;

use crate::config::services::TOP;
use crate::config::services::key::Info;
use crate::config::services::key::Type;
use crate::config::services::keys::CONDITIONS;
use crate::config::services::keys::KEYS;
use crate::config::services::nested::infos;

/// Returns the schema, draft 2020-12.
#[must_use]
pub fn schema() -> Value {
    let service = table(&infos(KEYS));
    let doc = |name: &str| TOP.iter().find(|(known, _)| *known == name).map_or("", |(_, doc)| doc);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "runpm.toml",
        "description": "Services of runpm.",
        "type": "object",
        "additionalProperties": false,
        "required": ["services"],
        "properties": {
            "$schema": { "type": "string", "description": doc("$schema") },
            "namespace": { "type": "string", "description": doc("namespace"), "default": "default" },
            "defaults": { "$ref": "#/$defs/service", "description": doc("defaults") },
            "services": {
                "type": "object",
                "description": doc("services"),
                "additionalProperties": { "$ref": "#/$defs/service" }
            }
        },
        "$defs": { "service": service }
    })
}

fn table(infos: &[Info]) -> Value {
    let property = |info: &Info| {
        let mut property = of(info.kind);
        property["description"] = json!(info.doc);
        if let Some(default) = default(info) {
            property["default"] = default;
        }
        (info.name.to_owned(), property)
    };
    let properties: serde_json::Map<String, Value> = infos.iter().map(property).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// Returns a default as JSON.
fn default(info: &Info) -> Option<Value> {
    let table = toml::from_str::<toml::Table>(&format!("it = {}", info.default)).ok()?;
    serde_json::to_value(table.get("it")?).ok()
}

fn of(kind: Type) -> Value {
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let or_text = |other: Value| json!({ "anyOf": [other, { "type": "string" }] });
    match kind {
        Type::Text | Type::Path => json!({ "type": "string" }),
        Type::Flag => json!({ "type": "boolean" }),
        Type::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Type::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Type::Bytes => json!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^[0-9]+[KMGkmg]?$" }
        ] }),
        Type::Duration => {
            json!({ "type": ["string", "integer"], "pattern": "^([0-9]+(ms|s|m|h|d)|0)$", "minimum": 0, "maximum": 0 })
        }
        Type::Choice(words) => json!({ "enum": words }),
        Type::Texts => texts(),
        Type::Paths | Type::Command => or_text(texts()),
        Type::Codes => {
            json!({ "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 255 } })
        }
        Type::Variables => {
            json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null"] } })
        }
        Type::Dependencies => {
            let words: Vec<&str> = CONDITIONS.iter().map(|(word, _)| *word).collect();
            json!({ "anyOf": [
                { "type": "string" },
                texts(),
                { "type": "object", "additionalProperties": { "enum": words } }
            ] })
        }
        Type::Mask => json!({ "type": "string", "pattern": "^[0-7]{1,4}$" }),
        Type::Limit => {
            let one = json!({ "type": ["integer", "string"] });
            json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 2, "maxItems": 2 }] })
        }
        Type::Signal | Type::Status | Type::Address => json!({ "type": ["string", "integer"] }),
        Type::Table(infos) => table(&infos()),
        Type::Either(long, short) => json!({ "anyOf": [of(*long), of(*short)] }),
    }
}

/// Returns the manual's tables of keys, in Markdown.
#[must_use]
pub fn manual() -> String {
    let mut text = String::from("| at the top of the file | |\n|---|---|\n");
    for (name, doc) in TOP {
        let _ = writeln!(text, "| `{name}` | {doc} |");
    }
    text += "\n### Keys of a service\n\n";
    rows(&mut text, &infos(KEYS));
    for info in infos(KEYS) {
        if let Some(inner) = inner(info.kind) {
            let _ = write!(text, "\n### `{}`\n\n{}.\n\n", info.name, sentence(info.doc));
            rows(&mut text, &inner);
        }
    }
    text
}

fn rows(text: &mut String, infos: &[Info]) {
    *text += "| key | value | default | |\n|---|---|---|---|\n";
    for info in infos {
        let default = if info.default.is_empty() { String::new() } else { format!("`{}`", info.default) };
        let _ = writeln!(text, "| `{}` | {} | {default} | {} |", info.name, what(info.kind), info.doc);
    }
}

fn sentence(doc: &str) -> String {
    let mut chars = doc.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Returns the keys of a table.
pub(super) fn inner(kind: Type) -> Option<Vec<Info>> {
    match kind {
        Type::Table(infos) => Some(infos()),
        Type::Either(long, _) => inner(*long),
        _ => None,
    }
}

/// Says what can be written, for the manual.
fn what(kind: Type) -> String {
    let fixed = match kind {
        Type::Text => "text",
        Type::Path => "path",
        Type::Flag => "`true` or `false`",
        Type::Count(..) | Type::Number(..) => return bounds(kind),
        Type::Bytes => "bytes",
        Type::Duration => "duration",
        Type::Choice(words) => return words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Type::Texts => "list of texts",
        Type::Paths => "path, or list of paths",
        Type::Codes => "list of exit codes",
        Type::Command => "list of words, or text",
        Type::Variables => "table",
        Type::Dependencies => "name, list, or table",
        Type::Signal => "signal",
        Type::Mask => "octal text",
        Type::Limit => "number, size, `\"unlimited\"`, or `[soft, hard]`",
        Type::Status => "status, or `\"FIRST-LAST\"`",
        Type::Address => "`\"HOST:PORT\"`, or port",
        Type::Table(_) => "table, below",
        Type::Either(long, short) => return format!("{}; or {}", what(*long), what(*short)),
    };
    fixed.to_owned()
}

fn bounds(kind: Type) -> String {
    match kind {
        Type::Count(least, most) => format!("{least} to {most}"),
        Type::Number(least, most) => format!("number, {least} to {most}"),
        _ => String::new(),
    }
}
