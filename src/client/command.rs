//! What to start, put together step by step, as [`std::process::Command`] does it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

use serde_bytes::ByteBuf;

use crate::client::error::Error;
use crate::client::inherit;
use crate::client::request_key;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::environment;
use crate::session::environment::Policy;
use crate::session::spec::Kind;
use crate::session::spec::Spec;
use crate::term::Size;

/// A program to start in a session. It gets this process's environment, directory, mask and limits unless told otherwise;
/// text may be any bytes.
#[derive(Debug, Clone)]
pub struct Command {
    argv: Vec<ByteBuf>,
    cwd: Option<PathBuf>,
    policy: Policy,
    spec: Spec,
}

impl Command {
    /// Names the program.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let argv = vec![ByteBuf::from(program.as_ref().as_bytes())];
        Self { argv, cwd: None, policy: Policy::Inherit, spec: Spec::default() }
    }

    /// A line for `/bin/sh`.
    #[must_use]
    pub fn shell(line: impl AsRef<OsStr>) -> Self {
        Self::new("/bin/sh").arg("-c").arg(line)
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.argv.push(ByteBuf::from(arg.as_ref().as_bytes()));
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets the working directory.
    #[must_use]
    pub fn cwd(mut self, cwd: impl AsRef<Path>) -> Self {
        self.cwd = Some(cwd.as_ref().to_owned());
        self
    }

    /// Sets what the environment starts from.
    #[must_use]
    pub const fn env_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets a variable; the rest stays.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.spec.overlay.push(environment::entry(name.as_ref().as_bytes(), value.as_ref().as_bytes()));
        self
    }

    /// Removes a variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.spec.overlay.push(ByteBuf::from(name.as_ref().as_bytes()));
        self
    }

    /// Wishes a name; without one it is made from the program's.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.spec.name = Some(name.into());
        self
    }

    /// Adds a word to select the session by.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.spec.tags.push(tag.into());
        self
    }

    /// Names the tool that this is for.
    #[must_use]
    pub fn originator(mut self, tool: impl Into<String>) -> Self {
        self.spec.originator = Some(tool.into());
        self
    }

    /// Gives it pipes instead of a terminal: output and errors stay apart, byte for byte.
    #[must_use]
    pub const fn pipes(mut self) -> Self {
        self.spec.kind = Kind::Pipe;
        self
    }

    /// Sets the first size of its terminal.
    #[must_use]
    pub const fn size(mut self, size: Size) -> Self {
        self.spec.size = size;
        self
    }

    /// Sets the bytes of output kept in memory.
    #[must_use]
    pub const fn history(mut self, bytes: u64) -> Self {
        self.spec.history = bytes;
        self
    }

    /// Makes the request, with a key of its own: the same request starts one session however often it is sent. Fails only
    /// for [`Policy::Login`], when the system does not know the user.
    pub fn request(&self) -> Result<verbs::Run, Error> {
        let mut launch = inherit::launch(self.argv.clone(), self.cwd.as_deref());
        launch.env = inherit::environment_by(self.policy).map_err(|error| {
            WireError::new(Code::Failed, format!("cannot make a login's environment: {error}"))
                .hint("inherit this process's instead")
        })?;
        Ok(verbs::Run { key: request_key(), spec: Spec { launch, ..self.spec.clone() }, follows: false })
    }
}
