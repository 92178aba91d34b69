//! Named places where tests end the process as `kill -9` would.
//!
//! A test writes the name into `failpoint` in the runtime folder; the process that arrives there removes
//! the file and dies. Release builds have no failpoints.

use std::path::Path;

/// Dies here, once, if a test asked for it.
pub fn hit(dir: &Path, name: &str) {
    if !cfg!(debug_assertions) {
        return;
    }
    let path = dir.join("failpoint");
    if std::fs::read_to_string(&path).is_ok_and(|wanted| wanted.trim() == name) {
        let _ = std::fs::remove_file(&path);
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
