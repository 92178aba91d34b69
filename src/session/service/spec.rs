//! The definition of a service, as it is wanted and as it is saved.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::session::environment::Policy;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::CrashLoop;
use crate::session::service::policy::Dependency;
use crate::session::service::policy::LogCaps;
use crate::session::service::policy::ResourceLimit;
use crate::session::service::policy::Restart;
use crate::session::service::policy::Schedule;
use crate::session::service::policy::Stop;
use crate::session::service::policy::Watch;
use crate::session::service::probe::Liveness;
use crate::session::service::probe::Readiness;
use crate::session::spec;
use crate::session::spec::Kind;
use crate::term::Size;

/// Namespace of services that name none; it is not part of their full names.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Variable that tells an instance its number, unless the service names another.
pub const INSTANCE_VAR: &str = "RUNPM_INSTANCE";

/// Most instances of one service.
pub const INSTANCES: u32 = 1000;

/// A program and its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    /// Program and arguments; with `shell` one text, what a shell is to run.
    pub words: Vec<ByteBuf>,
    /// `/bin/sh -c` runs it.
    pub shell: bool,
}

impl Command {
    /// Makes one from words.
    #[must_use]
    pub fn of<T: AsRef<[u8]>>(words: &[T]) -> Self {
        Self { words: words.iter().map(|word| ByteBuf::from(word.as_ref())).collect(), shell: false }
    }

    /// Makes one that a shell runs.
    #[must_use]
    pub fn shell(text: &str) -> Self {
        Self { words: vec![ByteBuf::from(text.as_bytes())], shell: true }
    }

    /// Returns what is executed.
    #[must_use]
    pub fn argv(&self) -> Vec<ByteBuf> {
        let shell: &[&[u8]] = if self.shell { &[b"/bin/sh", b"-c"] } else { &[] };
        shell.iter().map(|word| ByteBuf::from(*word)).chain(self.words.iter().cloned()).collect()
    }
}

/// Where a variable's value came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The environment of whoever started or applied it; never a reason to call a service changed.
    #[default]
    Inherited,
    /// A file of variables: place in [`ServiceSpec::env_file`], from 0.
    File(u16),
    /// `env` of the file of services.
    Config,
    /// The command line.
    Cli,
}

/// One variable, or the removal of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Variable {
    /// Its name; bytes, as the system has it.
    pub name: ByteBuf,
    /// Its value; `None` takes it away from what came before.
    pub value: Option<ByteBuf>,
    /// Where it came from.
    pub origin: Origin,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceSpec {
    /// Its name; unique in its namespace. Without `/` and `:`, which stand in full names and those of instances.
    pub name: String,
    /// What it belongs to, [`DEFAULT_NAMESPACE`] unless said; two projects may both have a `web`.
    pub namespace: String,
    /// The file that defines it, absolute; empty when it was started from the command line. `apply --prune` removes
    /// services of the same file only, and a file never silently takes over a service of another one.
    pub source: ByteBuf,
    /// Free words to select by.
    pub tags: Vec<String>,
    /// What runs.
    pub command: Command,
    /// Working directory, absolute. Default: the folder of the file, or where the command line was.
    pub cwd: ByteBuf,
    /// What the environment starts from, before `env`. Default: that of whoever started it.
    pub env_policy: Policy,
    /// Variables in the order in which they are laid over each other: inherited, files, config, command line. The later
    /// one wins. Values of origin `File` may be left out of what is saved: `env_file` says where to read them again.
    pub env: Vec<Variable>,
    /// Files of variables, absolute, read whenever the service is applied or started by a client.
    pub env_file: Vec<ByteBuf>,
    /// Pipes, the default, or a terminal. Both can be attached to.
    pub kind: Kind,
    /// First size of the terminal (`pty` only).
    pub size: Size,
    /// Copies that run, from 1. Default 1.
    pub instances: u32,
    /// Variable with the number of the instance, from 0. Default [`INSTANCE_VAR`]; empty for none.
    pub instance_var: String,
    /// `apply` and boot start it. Default true.
    pub autostart: bool,
    /// When it is started again. Default always.
    pub restart: Restart,
    /// Exit codes that are no failure. Default 0.
    pub success_codes: Vec<u8>,
    /// Exit codes after which it is not started again, whatever `restart` says. Default none.
    pub stop_codes: Vec<u8>,
    /// Pauses between starts.
    pub backoff: Backoff,
    /// When it counts as crashing again and again.
    pub crash_loop: CrashLoop,
    /// How it is ended.
    pub stop: Stop,
    /// What it needs before it starts; it is stopped before them.
    pub depends_on: Vec<Dependency>,
    /// How it is known to be ready; without one it is ready once it runs.
    pub readiness: Option<Readiness>,
    /// How it is known to be still well; failing that, it is restarted.
    pub liveness: Option<Liveness>,
    /// Files whose change restarts it.
    pub watch: Option<Watch>,
    /// Times at which it is started or restarted.
    pub schedule: Option<Schedule>,
    /// Bytes of memory of the whole tree (resident) above which it is restarted.
    pub max_memory: Option<u64>,
    /// Niceness, -20 to 19, added to nothing: it is set. Default: that of whoever started it.
    pub nice: Option<i8>,
    /// File mode creation mask. Default: that of whoever started it.
    pub umask: Option<u32>,
    /// Resource limits that differ from those of whoever started it.
    pub limits: Vec<ResourceLimit>,
    /// What is kept of its output on disk.
    pub log: LogCaps,
}

impl Default for ServiceSpec {
    fn default() -> Self {
        Self {
            name: String::new(),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            source: ByteBuf::new(),
            tags: Vec::new(),
            command: Command::default(),
            cwd: ByteBuf::new(),
            env_policy: Policy::Inherit,
            env: Vec::new(),
            env_file: Vec::new(),
            kind: Kind::Pipe,
            size: Size::default(),
            instances: 1,
            instance_var: INSTANCE_VAR.to_owned(),
            autostart: true,
            restart: Restart::Always,
            success_codes: vec![0],
            stop_codes: Vec::new(),
            backoff: Backoff::default(),
            crash_loop: CrashLoop::default(),
            stop: Stop::default(),
            depends_on: Vec::new(),
            readiness: None,
            liveness: None,
            watch: None,
            schedule: None,
            max_memory: None,
            nice: None,
            umask: None,
            limits: Vec::new(),
            log: LogCaps::default(),
        }
    }
}

impl ServiceSpec {
    /// Returns the name that is unique among all services: `web`, or `shop/web` in a namespace of its own.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_name(&self.namespace, &self.name)
    }

    /// Returns the name of an instance's session: that of the service, or with several `web:0`, `web:1`, …
    #[must_use]
    pub fn instance_name(&self, instance: u32) -> String {
        if self.instances > 1 { format!("{}:{instance}", self.full_name()) } else { self.full_name() }
    }

    /// Returns the name that an instance's journal goes by, however many instances there are: the first one's is that of the
    /// service.
    #[must_use]
    pub fn journal_name(&self, instance: u32) -> String {
        journal_name(&self.full_name(), instance)
    }
}

/// Returns the name that the journal of a service's instance goes by.
#[must_use]
pub fn journal_name(service: &str, instance: u32) -> String {
    if instance > 0 { format!("{service}:{instance}") } else { service.to_owned() }
}

/// Returns the unique name of a service in a namespace.
#[must_use]
pub fn full_name(namespace: &str, name: &str) -> String {
    if namespace.is_empty() || namespace == DEFAULT_NAMESPACE { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// Says why a service or a namespace cannot be called so, or returns nothing.
#[must_use]
pub fn name_fault(name: &str) -> Option<&'static str> {
    /// Room for a namespace and the number of an instance in the name of a session.
    const LIMIT: usize = 48;
    if name.contains(['/', ':']) {
        Some("`/` and `:` stand between namespace, service and instance")
    } else if name.len() > LIMIT {
        Some("it is longer than 48 bytes")
    } else {
        spec::name_fault(name)
    }
}
