//! Files of other tools as files of services: pm2, process-compose, Procfiles.
//!
//! *Invariant:* nothing is dropped silently: what has no equivalent stands as a comment above the service it belongs to.
//! Paths stay as they were written, so that the result belongs beside the file it was made from.

mod compose;
mod pm2;
mod probe;
mod procfile;
#[cfg(test)]
mod tests;

use serde_bytes::ByteBuf;

use crate::config::services;
use crate::config::services::split;
use crate::config::tree;
use crate::config::tree::Fault;
use crate::config::tree::Format;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::session::service::spec::Command;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;
use crate::session::service::spec::name_fault;
use crate::session::state::Nanos;

/// Nanoseconds of a millisecond.
const MS: Nanos = 1_000_000;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// pm2: an ecosystem file as JSON or YAML.
    Pm2,
    /// process-compose.
    ProcessCompose,
    /// foreman, overmind, Heroku.
    Procfile,
}

/// A file of another tool.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Its name, without the folder.
    pub name: &'a str,
    /// What it says.
    pub text: &'a str,
    /// There is a file `.env` beside it, which process-compose and foreman read unasked.
    pub has_dotenv: bool,
    /// pm2's `--env`: lay the variables of `env_NAME` over those of `env`.
    pub env: Option<&'a str>,
}

/// A file of services, made from another.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Whose file it was.
    pub tool: Tool,
    /// The text of `runpm.toml`, with its comments.
    pub text: String,
    /// How many services it has.
    pub services: usize,
    /// What has no equivalent, one sentence each; all of it is in the comments.
    pub lost: Vec<String>,
}

/// Converts a file, or says why it cannot be read, and where.
pub fn convert(input: &Input<'_>) -> Result<Converted, Fault> {
    let (tool, draft) = if input.name.to_ascii_lowercase().starts_with("procfile") {
        (Tool::Procfile, procfile::read(input)?)
    } else {
        let is_yaml = [".yaml", ".yml"].iter().any(|end| input.name.to_ascii_lowercase().ends_with(end));
        let root = tree::parse(input.text, if is_yaml { Format::Yaml } else { Format::Json })?;
        let is_pm2 = matches!(root.value, Value::List(_)) || root.get("apps").is_some() || root.get("script").is_some();
        if is_pm2 {
            (Tool::Pm2, pm2::read(&root, input)?)
        } else if root.get("processes").is_some() {
            (Tool::ProcessCompose, compose::read(&root, input)?)
        } else {
            return Err(root.fault(
                "this is no file of pm2 (`apps`) or process-compose (`processes`); those and Procfiles can be converted",
            ));
        }
    };
    if draft.services.is_empty() {
        return Err(Fault { span: 0..0, text: "there is nothing to run in it".to_owned() });
    }
    Ok(draft.finish(tool, input.name))
}

/// A file of services while it is made.
#[derive(Default)]
struct Draft {
    /// What is said of the file as a whole.
    lost: Vec<String>,
    services: Vec<Service>,
}

/// One service while it is made.
struct Service {
    spec: ServiceSpec,
    /// Comments that say what it is.
    about: Vec<String>,
    /// Comments that say what has no equivalent.
    lost: Vec<String>,
}

impl Service {
    /// Starts one; a name that cannot be one here is changed, and that is said.
    fn new(name: &str, taken: &[Self]) -> Self {
        let mut lost = Vec::new();
        let plain = |c: char| if c.is_alphanumeric() || "._-+".contains(c) { c } else { '-' };
        let mut fit: String = name.chars().map(plain).take(40).collect();
        if name_fault(&fit).is_some() {
            let rest = fit.trim_matches(['-', '.', '_', '+']);
            fit = if rest.is_empty() { "service".to_owned() } else { format!("s-{rest}") };
        }
        let is_taken = |name: &str| taken.iter().any(|other| other.spec.name == name);
        if is_taken(&fit) {
            fit = (2..u32::MAX).map(|n| format!("{fit}-{n}")).find(|name| !is_taken(name)).unwrap_or(fit);
        }
        if fit != name {
            lost.push(format!("its name {name:?} cannot be used, or was there before"));
        }
        Self { spec: ServiceSpec { name: fit, ..ServiceSpec::default() }, about: Vec::new(), lost }
    }

    /// Says that a key has no equivalent, what it was, and what to do instead.
    fn lose(&mut self, key: &str, node: &Node, instead: &str) {
        self.lost.push(lost(key, node, instead));
    }

    /// Sets a variable.
    fn env(&mut self, name: &str, value: &str) {
        self.spec.env.retain(|known| known.name != name.as_bytes());
        let value = Some(ByteBuf::from(value.as_bytes()));
        self.spec.env.push(Variable { name: ByteBuf::from(name.as_bytes()), value, origin: Origin::Config });
    }

    /// Sets the variables of a table, or of a list of `NAME=VALUE`.
    fn env_of(&mut self, key: &str, node: &Node) {
        match &node.value {
            Value::List(items) => {
                for item in items {
                    match item.text().and_then(|text| text.split_once('=')) {
                        Some((name, value)) if !name.is_empty() => self.env(name, value),
                        _ => self.lose(key, item, "write NAME=VALUE"),
                    }
                }
            }
            Value::Table(entries) => {
                for entry in entries {
                    match (&entry.node.value, entry.node.scalar()) {
                        (_, Some(value)) if !entry.name.is_empty() => self.env(&entry.name, &value),
                        // JavaScript makes text of everything; a null is an unset variable.
                        (Value::Null, _) => {}
                        _ => self.lose(&format!("{key}.{}", entry.name), &entry.node, "variables are texts"),
                    }
                }
            }
            _ if is_off(node) => {}
            _ => self.lose(key, node, "variables are a table, or a list of NAME=VALUE"),
        }
    }

    /// Returns whether a variable's value has something that other tools expand.
    fn has_dollar(&self) -> bool {
        self.spec.env.iter().any(|variable| variable.value.as_ref().is_some_and(|value| value.contains(&b'$')))
    }
}

/// Makes a command of a line that the other tool gave to a shell: words where that is the same, so that signals reach the
/// program itself.
fn command_of(line: &str) -> Command {
    match split(line) {
        Ok(split) if split.shell.is_none() && split.words.first().is_some_and(|first| !first.contains('=')) => {
            Command::of(&split.words)
        }
        _ => Command::shell(line.trim()),
    }
}

/// Makes a path as it was written.
fn bytes(text: &str) -> ByteBuf {
    ByteBuf::from(text.as_bytes())
}

/// Returns whether a value means that something is off, so that leaving it out changes nothing.
fn is_off(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Flag(false) => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Table(entries) => entries.is_empty(),
        Value::Integer(_) | Value::Float(_) | Value::Flag(true) => false,
    }
}

/// Returns a whole number, also one that is written as text.
fn number(node: &Node) -> Option<i64> {
    node.scalar()?.trim().parse().ok()
}

fn lost(key: &str, node: &Node, instead: &str) -> String {
    let tail = if instead.is_empty() { String::new() } else { format!(": {instead}") };
    format!("{key} = {}{tail}", compact(node))
}

/// Writes a value on one line.
fn compact(node: &Node) -> String {
    let whole = services::write_node(node);
    if whole.chars().count() > 300 { whole.chars().take(299).chain(['…']).collect() } else { whole }
}

impl Draft {
    fn finish(self, tool: Tool, name: &str) -> Converted {
        let comment = |text: &str, sign: &str| {
            // A name or value with a line break must not end the comment.
            let plain: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            format!("#{sign}{plain}\n")
        };
        let mut text = comment(&format!("Made from {name} by `rpm convert`."), " ");
        let mut all = Vec::new();
        if !self.lost.is_empty() {
            text += "#\n# No equivalent:\n";
            text.extend(self.lost.iter().map(|lost| comment(lost, "   ")));
        }
        all.extend(self.lost);
        let services = self.services.len();
        for service in self.services {
            text += "\n";
            text.extend(service.about.iter().map(|about| comment(about, " ")));
            if !service.lost.is_empty() {
                text += "# No equivalent:\n";
                text.extend(service.lost.iter().map(|lost| comment(lost, "   ")));
            }
            text += &services::text_of(&service.spec);
            all.extend(service.lost.into_iter().map(|lost| format!("{}: {lost}", service.spec.name)));
        }
        Converted { tool, text, services, lost: all }
    }
}
