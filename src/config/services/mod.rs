//! Files of services: `runpm.toml`, or the same keys as JSON.
//!
//! *Invariant:* with an error anywhere nothing of a file is started: half of what was meant may do harm. Every key is one
//! entry of a list (`keys.rs`), from which reading, writing, the JSON schema and the manual's tables are made.

mod check;
mod key;
mod keys;
mod nested;
mod probes;
mod schema;
mod set;
#[cfg(test)]
mod tests;
mod value;
mod variables;
mod write;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use serde_bytes::ByteBuf;

use crate::config;
use crate::config::Finding;
use crate::config::Grade;
use crate::config::tree;
use crate::config::tree::Entry;
use crate::config::tree::Fault;
use crate::config::tree::Format;
use crate::config::tree::Node;
use crate::config::tree::Value;
use crate::platform::endpoint::Place;
use crate::platform::user;
use crate::session::service::plan::Shown;
use crate::session::service::spec::DEFAULT_NAMESPACE;
use crate::session::service::spec::Origin;
use crate::session::service::spec::ServiceSpec;
use crate::session::service::spec::Variable;
use crate::session::service::spec::name_fault;

pub use schema::manual;
pub use schema::schema;
pub use set::set;
pub use value::split;
pub use value::write_name;
pub use value::write_node;
pub use value::write_text;
pub use variables::parse_file as parse_variables;
pub use write::text;
pub use write::text_of;

use key::Base;

/// What a file of services is called.
pub const FILE_NAME: &str = "runpm.toml";

/// Tables and keys at the top of a file, and what they are for.
const TOP: [(&str, &str); 4] = [
    ("namespace", "what all its services belong to, unless they say otherwise"),
    ("defaults", "keys for all its services; a service's own win, and variables are added"),
    ("services", "the services: one table each, `[services.NAME]`"),
    ("$schema", "where editors find the schema (JSON); not read"),
];

/// Endings of files that people start with other tools.
const FOREIGN: [&str; 6] = ["js", "cjs", "mjs", "ts", "yaml", "yml"];

/// What a file says.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Its services in their order; meaningless when there are errors.
    pub specs: Vec<ServiceSpec>,
    /// What is wrong with it, in the order of its lines.
    pub findings: Vec<Finding>,
}

impl Loaded {
    /// Returns whether its services may be started: there is no error, warnings aside.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.findings.iter().all(|finding| finding.grade == Grade::Warning)
    }
}

/// Where a file is, and how to read the files it names.
pub struct Source<'a> {
    /// The file, absolute.
    pub path: &'a Path,
    /// Home directory, for `~/`.
    pub home: Option<PathBuf>,
    /// Reads a file of variables, or says why it cannot.
    pub read: &'a dyn Fn(&Path) -> Result<String, String>,
}

/// What was found for a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The file that counts.
    pub file: Option<PathBuf>,
    /// Nearer ones that do not, because another user can write them.
    pub passed_over: Vec<PathBuf>,
}

/// Returns where the user's own file belongs; it need not exist.
#[must_use]
pub fn own_file(place: &Place) -> PathBuf {
    place.config().with_file_name(FILE_NAME)
}

/// Finds the file that counts in a folder: its own or that of a folder above, else `own`, the user's.
///
/// A file that another user can write is passed over, because whoever writes it says what runs; root's is not.
#[must_use]
pub fn find(folder: &Path, own: &Path) -> Found {
    let above = folder.ancestors().flat_map(|folder| [FILE_NAME, "runpm.json"].map(|name| folder.join(name)));
    let mut found = Found::default();
    for path in above.chain([own.to_owned()]).filter(|path| path.is_file()) {
        if user::is_trusted(&path) {
            found.file = Some(path);
            break;
        }
        found.passed_over.push(path);
    }
    found
}

/// Reads a file of services and the files of variables it names. Fails when it cannot be read; see also
/// [`Loaded::findings`].
pub fn load(path: &Path) -> Result<Loaded, config::Error> {
    let failed = |source| config::Error::Read { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(failed)?;
    let absolute = folder.join(path.file_name().unwrap_or_default());
    let Some(text) = config::read_file(&absolute)? else {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::NotFound)));
    };
    let read = |file: &Path| match config::read_file(file) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err("it is not there".to_owned()),
        Err(error) => Err(std::error::Error::source(&error).map_or_else(String::new, ToString::to_string)),
    };
    let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
    Ok(parse(&text, &Source { path: &absolute, home, read: &read }))
}

/// Reads services from the text of a file.
#[must_use]
pub fn parse(text: &str, source: &Source<'_>) -> Loaded {
    let is_json = source.path.extension() == Some(OsStr::new("json"));
    let format = if is_json { Format::Json } else { Format::Toml };
    let mut reader = Reader { text, source, loaded: Loaded::default(), places: Vec::new() };
    if FOREIGN.iter().any(|end| source.path.extension() == Some(OsStr::new(end))) {
        let text = "this is a file of another tool: `rpm convert` makes a runpm.toml of it".to_owned();
        reader.error(&Fault { span: 0..0, text });
        return reader.loaded;
    }
    match tree::parse(text, format) {
        Ok(root) => reader.root(&root),
        Err(fault) => reader.error(&Fault { text: format!("{}; nothing of the file counts", fault.text), ..fault }),
    }
    reader.loaded.findings.sort_by_key(|finding| (finding.line, finding.column));
    reader.loaded
}

/// Returns whether a text is meant as a file of services, by its name or what it says.
#[must_use]
pub fn is_services(path: &Path, text: &str) -> bool {
    let is_named = |end: &&str| path.extension() == Some(OsStr::new(end));
    if path.file_name() == Some(OsStr::new(FILE_NAME)) || FOREIGN.iter().chain(&["json"]).any(is_named) {
        return true;
    }
    let names =
        |root: &Node| root.entries().iter().any(|entry| ["services", "defaults"].contains(&entry.name.as_str()));
    tree::parse(text, Format::Toml).is_ok_and(|root| names(&root))
}

/// Returns a spec key by key, for `plan`; variables aside, which that shows itself.
#[must_use]
pub fn shown(spec: &ServiceSpec) -> Shown {
    let keys = keys::KEYS.iter().filter(|key| !["env", "env_remove"].contains(&key.info.name));
    keys.filter_map(|key| Some((key.info.name.to_owned(), (key.get)(spec)?))).collect()
}

/// A service's place in the file: its name, and its table.
type Placed = (std::ops::Range<usize>, Node);

struct Reader<'a> {
    text: &'a str,
    source: &'a Source<'a>,
    loaded: Loaded,
    places: Vec<Placed>,
}

impl Reader<'_> {
    fn root(&mut self, root: &Node) {
        let names = TOP.map(|(name, _)| name);
        for entry in root.entries() {
            match entry.name.as_str() {
                "app" | "apps" => self.error(&Fault {
                    span: entry.span.clone(),
                    text: format!(
                        "`{}` is of another tool: each service is a table [services.NAME] here, and `rpm convert` makes them of pm2's",
                        entry.name
                    ),
                }),
                name if !names.contains(&name) => {
                    let unknown = key::unknown(entry, "table of a file of services", &names);
                    self.find(Grade::Warning, &unknown.span, unknown.text);
                }
                _ => {}
            }
        }
        let namespace = root.get("namespace").map(|node| self.namespace(node)).unwrap_or_default();
        let namespace = if namespace.is_empty() { DEFAULT_NAMESPACE.to_owned() } else { namespace };
        let nothing = Node { span: 0..0, value: Value::Table(Vec::new()) };
        let defaults = root.get("defaults").unwrap_or(&nothing);
        match root.get("services").map(|node| (&node.value, node)) {
            Some((Value::Table(entries), _)) => {
                for entry in entries {
                    self.service(entry, defaults, &namespace);
                }
                for (grade, fault) in check::all(&self.loaded.specs, &self.places) {
                    self.find(grade, &fault.span, fault.text);
                }
            }
            Some((_, node)) => self.error(&node.fault("each service is a table: write [services.NAME]")),
            None if !self.loaded.is_usable() => {}
            None => self.error(&Fault { span: 0..0, text: "there are no services: write [services.NAME]".to_owned() }),
        }
    }

    /// Reads the namespace of the whole file.
    fn namespace(&mut self, node: &Node) -> String {
        let name = node.text().unwrap_or_default().to_owned();
        if let Some(why) = name_fault(&name) {
            self.error(&node.fault(format!("`namespace` cannot be {name:?}: {why}")));
        }
        name
    }

    fn service(&mut self, entry: &Entry, defaults: &Node, namespace: &str) {
        let place = format!("services.{}", write_name(&entry.name));
        if let Some(why) = name_fault(&entry.name) {
            let text = format!("no service can be called {:?}: {why}", entry.name);
            self.error(&Fault { span: entry.span.clone(), text });
        }
        let peek = |name: &str| entry.node.get(name).or_else(|| defaults.get(name));
        let base = Base {
            folder: self.source.path.parent().unwrap_or(Path::new("/")).to_owned(),
            home: self.source.home.clone(),
            shell: peek("shell").is_some_and(|node| node.value == Value::Flag(true)),
            namespace: peek("namespace").and_then(Node::text).unwrap_or(namespace).to_owned(),
            ..Base::default()
        };
        let mut spec = ServiceSpec {
            name: entry.name.clone(),
            namespace: namespace.to_owned(),
            source: ByteBuf::from(self.source.path.as_os_str().as_encoded_bytes()),
            cwd: ByteBuf::from(base.folder.as_os_str().as_encoded_bytes()),
            ..ServiceSpec::default()
        };
        let mut faults = key::read(keys::KEYS, "defaults", &mut spec, defaults, &base);
        faults.extend(key::read(keys::KEYS, &place, &mut spec, &entry.node, &base));
        let is_command_bad = faults.iter().any(|fault| fault.text.starts_with("`command`"));
        for fault in faults {
            self.error(&Fault { text: format!("{}: {}", entry.name, fault.text), ..fault });
        }
        for unknown in base.unknown.take() {
            self.find(Grade::Warning, &unknown.span, unknown.text);
        }
        if spec.command.words.is_empty() && !is_command_bad {
            let text = format!("{} has no command: write command = [\"program\", \"argument\"]", entry.name);
            self.error(&Fault { span: entry.span.clone(), text });
        }
        self.variables(&mut spec, peek("env_file"));
        self.loaded.specs.push(spec);
        self.places.push((entry.span.clone(), entry.node.clone()));
    }

    /// Reads the files of variables; what they say comes before `env`.
    fn variables(&mut self, spec: &mut ServiceSpec, node: Option<&Node>) {
        let span = node.map(|node| node.span.clone()).unwrap_or_default();
        let mut read: BTreeMap<Vec<u8>, Variable> = BTreeMap::new();
        for (at, file) in (0_u16..).zip(&spec.env_file) {
            let path = PathBuf::from(String::from_utf8_lossy(file).into_owned());
            let said = match (self.source.read)(&path) {
                Ok(text) => {
                    variables::parse_file(&text).map_err(|(line, why)| format!("{}:{line}: {why}", path.display()))
                }
                Err(why) => Err(format!("{} cannot be read: {why}", path.display())),
            };
            match said {
                Ok(found) => read.extend(found.into_iter().map(|(name, value)| {
                    let (name, value) = (ByteBuf::from(name.into_bytes()), Some(ByteBuf::from(value.into_bytes())));
                    (name.to_vec(), Variable { name, value, origin: Origin::File(at) })
                })),
                Err(text) => {
                    let text = format!("{}: `env_file`: {text}", spec.name);
                    self.find(Grade::Error, &span, text);
                }
            }
        }
        spec.env.splice(0..0, read.into_values());
    }

    fn error(&mut self, fault: &Fault) {
        self.find(Grade::Error, &fault.span, fault.text.clone());
    }

    /// Keys of `[defaults]` are read for each service, and are said once.
    fn find(&mut self, grade: Grade, span: &std::ops::Range<usize>, text: String) {
        let finding = Finding::at(grade, self.text, span, text);
        if !self.loaded.findings.contains(&finding) {
            self.loaded.findings.push(finding);
        }
    }
}
