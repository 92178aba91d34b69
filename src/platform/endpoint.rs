//! Where a user's daemon is met: folders, socket, locks, and who may come in.
//!
//! The folder is 0700 and owned by us or it is refused; the socket is 0600; the peer's user id is compared on
//! both sides as well, so that a loosened mode alone opens nothing.

use std::env;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;

use rustix::event::PollFd;
use rustix::event::PollFlags;

/// Longest path that fits into a socket address, `unix(7)`.
pub const SOCKET_PATH_LIMIT: usize = 107;

/// Why the daemon's place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The folder cannot be made or read.
    #[error("cannot use the folder {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder is not safe.
    #[error("the folder {path} {fault}")]
    Unsafe {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The socket's path does not fit.
    #[error("the socket path {path} has {len} bytes, {SOCKET_PATH_LIMIT} are possible")]
    TooLong {
        /// Which.
        path: PathBuf,
        /// Its length.
        len: usize,
    },
    /// Another user is at the other end.
    #[error("the other end of {path} belongs to user {uid}")]
    Foreign {
        /// Path of the socket.
        path: PathBuf,
        /// The other's user id.
        uid: u32,
    },
    /// Real and effective user differ.
    #[error("this program must not run with another user's rights (set-user-id)")]
    SetUid,
}

impl EndpointError {
    /// Returns what to do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "set RUNPM_DIR to a folder of your own",
            Self::Unsafe { .. } => "make it yours alone (chmod 700), or set RUNPM_DIR to another folder",
            Self::TooLong { .. } => "set RUNPM_DIR to a shorter path",
            Self::Foreign { .. } => "remove the socket, or set RUNPM_DIR to a folder of your own",
            Self::SetUid => "run it as yourself",
        }
    }
}

/// The folders of one user's daemon.
#[derive(Debug, Clone)]
pub struct Place {
    /// Socket, locks and links.
    pub runtime: PathBuf,
    /// Logs.
    pub state: PathBuf,
    /// `RUNPM_DIR` moved everything into one folder.
    pub is_private: bool,
}

impl Place {
    /// Finds the folders and makes sure that they are ours alone.
    pub fn open() -> Result<Self, EndpointError> {
        let place = Self::find();
        if rustix::process::getuid() != rustix::process::geteuid() {
            return Err(EndpointError::SetUid);
        }
        ensure(&place.runtime)?;
        ensure(&place.state)?;
        let path = place.socket();
        let len = path.as_os_str().len();
        if len > SOCKET_PATH_LIMIT { Err(EndpointError::TooLong { path, len }) } else { Ok(place) }
    }

    fn find() -> Self {
        if let Some(dir) = env::var_os("RUNPM_DIR").filter(|dir| !dir.is_empty()) {
            // Absolute, because keeper and daemon sit in `/`.
            let dir = std::path::absolute(&dir).unwrap_or_else(|_| dir.into());
            return Self { runtime: dir.clone(), state: dir, is_private: true };
        }
        let uid = rustix::process::getuid().as_raw();
        let fallback = env::temp_dir().join(format!("runpm-{uid}"));
        let folders = directories::ProjectDirs::from("", "", "runpm");
        let runtime =
            folders.as_ref().and_then(|dirs| dirs.runtime_dir()).map_or_else(|| fallback.clone(), Path::to_path_buf);
        let state = folders.as_ref().and_then(|dirs| dirs.state_dir()).map_or(fallback, Path::to_path_buf);
        Self { runtime, state, is_private: false }
    }

    /// Folder of what is known of services.
    #[must_use]
    pub fn services(&self) -> PathBuf {
        self.state.join("services")
    }

    /// Path of the daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("daemon.sock")
    }

    /// Where the daemon's standard error goes: panics.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.state.join("daemon.log")
    }

    /// All logs of the daemon, one a day, the newest last.
    #[must_use]
    pub fn logs(&self) -> Vec<PathBuf> {
        let is_log = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.strip_prefix("daemon.").is_some_and(|rest| rest == "log" || rest.strip_suffix(".log").is_some())
        };
        let entries = std::fs::read_dir(&self.state).into_iter().flatten().flatten();
        let mut logs: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_log).collect();
        logs.sort_unstable();
        logs
    }

    /// Folder of all journals.
    #[must_use]
    pub fn journals(&self) -> PathBuf {
        self.state.join("journals")
    }

    /// Path of the keeper's log.
    #[must_use]
    pub fn keeper_log(&self) -> PathBuf {
        self.state.join("keeper.log")
    }

    /// Path of the user's settings; the file need not exist.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        let folders = directories::ProjectDirs::from("", "", "runpm").filter(|_| !self.is_private);
        folders.map_or_else(|| self.state.clone(), |folders| folders.config_dir().to_path_buf()).join("config.toml")
    }

    /// Names of the sessions the keeper owns, to report them should it die.
    #[must_use]
    pub fn roll(&self) -> PathBuf {
        self.runtime.join("sessions")
    }

    /// What should have started by itself and did not.
    #[must_use]
    pub fn unstarted(&self) -> PathBuf {
        self.runtime.join("unstarted")
    }

    /// Processes that others started and announced.
    #[must_use]
    pub fn processes(&self) -> PathBuf {
        self.runtime.join("processes")
    }

    /// Waits for the lock under which one client at a time starts a keeper.
    pub fn start_lock(&self) -> io::Result<File> {
        let file = lock_file(&self.runtime.join("start.lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Takes the lock that a keeper holds for life; `None` when one lives.
    pub fn keeper_lock(&self) -> io::Result<Option<File>> {
        let file = lock_file(&self.runtime.join("keeper.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Makes the listening socket; only the holder of the keeper's lock may, because a stale one is removed.
    pub fn listen(&self, _lock: &File) -> io::Result<UnixListener> {
        let path = self.socket();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // No chmod after the bind: it would leave a moment in between.
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(&path);
        rustix::process::umask(mask);
        listener
    }

    /// Connects to the daemon and makes sure that it is the same user's.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(self.socket())?;
        match foreign_peer(&stream)? {
            Some(uid) => Err(io::Error::other(EndpointError::Foreign { path: self.socket(), uid })),
            None => Ok(stream),
        }
    }
}

/// Returns the peer's user id if it is not ours.
pub fn foreign_peer<S: AsFd>(stream: &S) -> io::Result<Option<u32>> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?.uid;
    Ok((peer != rustix::process::getuid()).then(|| peer.as_raw()))
}

/// Returns whether the other end of a socket is closed, whatever still waits to be read.
pub fn is_hung_up<S: AsFd>(stream: &S) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::RDHUP)];
    let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Opens a lock file; close-on-exec, so that no child inherits the lock.
fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Opens a log to append to, for our eyes only.
pub fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Makes a folder, or checks that an existing one is ours and nobody else's.
fn ensure(path: &Path) -> Result<(), EndpointError> {
    let failed = |source| EndpointError::Folder { path: path.to_owned(), source };
    let unsafe_folder = |fault: String| Err(EndpointError::Unsafe { path: path.to_owned(), fault });
    match DirBuilder::new().mode(0o700).recursive(true).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let meta = std::fs::symlink_metadata(path).map_err(failed)?;
    let uid = rustix::process::getuid().as_raw();
    if meta.is_symlink() {
        return unsafe_folder("is a symbolic link".to_owned());
    }
    if !meta.is_dir() {
        return unsafe_folder("is no folder".to_owned());
    }
    if meta.uid() != uid {
        return unsafe_folder(format!("belongs to user {}, not to you ({uid})", meta.uid()));
    }
    if meta.mode() & 0o022 != 0 {
        return unsafe_folder(format!("can be written by others (mode {:o})", meta.mode() & 0o7777));
    }
    if meta.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
