//! Named places where tests end the process as `kill -9` would.
//!
//! A test writes the name into `failpoint` in the runtime folder; the process that arrives there removes
//! the file and dies. Release builds have no failpoints.

use std::path::Path;

/// Dies here, once, if a test asked for it.
pub fn hit(dir: &Path, name: &str) {
    if takes(dir, name) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Panics here, once, if a test asked for it.
///
/// # Panics
/// That is what it is for.
pub fn panic_at(dir: &Path, name: &str) {
    assert!(!takes(dir, name), "failpoint {name}");
}

/// Returns whether a test asked for this name, and takes the wish back.
fn takes(dir: &Path, name: &str) -> bool {
    if !cfg!(debug_assertions) {
        return false;
    }
    let path = dir.join("failpoint");
    let is_asked = std::fs::read_to_string(&path).is_ok_and(|wanted| wanted.trim() == name);
    is_asked && std::fs::remove_file(&path).is_ok()
}
