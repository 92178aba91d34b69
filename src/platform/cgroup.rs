//! Control groups, version 2: one a session, where a part of the hierarchy is ours to divide.
//!
//! A group knows every process that was ever started in it, whatever that did to its session, parents or environment,
//! and ends them all at once. Three file writes are all it takes, so there is no library for it.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;

use crate::platform::process;

/// A keeper's part of the hierarchy.
pub struct Branch {
    path: PathBuf,
}

impl Branch {
    /// Looks for a group that is ours to divide and makes our part of it; the error says in words why there is none.
    pub fn claim() -> Result<Self, String> {
        let own = own_group()?;
        // The root of the whole hierarchy has no such file. It belongs to the system, never to a user's keeper.
        if !own.join("cgroup.events").exists() {
            return Err("the control group of the keeper is the root of the hierarchy".to_owned());
        }
        remove_stale(&own);
        let pid = std::process::id();
        let start = process::stat(pid).map_or(0, |stat| stat.start_time);
        let branch = Self { path: own.join(format!("{PREFIX}{pid}-{start}")) };
        let tried = fs::create_dir(&branch.path).and_then(|()| branch.try_out(&own));
        tried.map(|()| branch).map_err(|error| format!("{} is not ours to divide: {error}", own.display()))
    }

    /// A group must be able to hold processes and to be killed; ours must let them move.
    fn try_out(&self, own: &Path) -> io::Result<()> {
        let kind = fs::read_to_string(self.path.join("cgroup.type"))?;
        if kind.trim() != "domain" {
            return Err(io::Error::other(format!("a group in it is of type {}", kind.trim())));
        }
        File::options().write(true).open(self.path.join("cgroup.kill"))?;
        File::options().write(true).open(own.join("cgroup.procs")).map(drop)
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a group; returns its path and where a process writes `0` to enter it.
    pub fn add(&self, name: &str) -> io::Result<(PathBuf, OwnedFd)> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        let door = File::options().write(true).open(path.join("cgroup.procs"));
        match door {
            Ok(door) => Ok((path, door.into())),
            Err(error) => {
                remove(&path);
                Err(error)
            }
        }
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// What keepers' groups are called, before the number and start time of the keeper.
const PREFIX: &str = "runpm-";

/// Removes the branches of keepers that died without a word. Groups with processes in them stay.
fn remove_stale(own: &Path) {
    for entry in fs::read_dir(own).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let keeper = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'));
        let Some((Ok(pid), Ok(start))) = keeper.map(|(pid, start)| (pid.parse::<u32>(), start.parse::<u64>())) else {
            continue;
        };
        if process::stat(pid).is_none_or(|stat| stat.start_time != start) {
            remove(&entry.path());
        }
    }
}

/// Removes a group and those in it, as far as they are empty.
pub fn remove(group: &Path) {
    for inner in inner_groups(group).unwrap_or_default() {
        remove(&inner);
    }
    let _ = fs::remove_dir(group);
}

/// Returns the processes of a group and of those in it; nobody of one that is gone, or that only has threads: their
/// processes are in the one around it. An error means that they could not be looked at.
pub fn members(group: &Path) -> io::Result<Vec<u32>> {
    let text = match fs::read_to_string(group.join("cgroup.procs")) {
        Err(error) if process::is_shortage(&error) => return Err(error),
        text => text.unwrap_or_default(),
    };
    let mut pids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    for inner in inner_groups(group)? {
        pids.extend(members(&inner)?);
    }
    Ok(pids)
}

fn inner_groups(group: &Path) -> io::Result<Vec<PathBuf>> {
    let mut groups = Vec::new();
    let entries = match fs::read_dir(group) {
        Err(error) if process::is_shortage(&error) => return Err(error),
        entries => entries.into_iter().flatten().flatten(),
    };
    for entry in entries {
        groups.extend(entry.file_type().is_ok_and(|kind| kind.is_dir()).then(|| entry.path()));
    }
    Ok(groups)
}

/// Ends every process of a group and of those in it.
pub fn kill(group: &Path) {
    let written = File::options().write(true).open(group.join("cgroup.kill")).and_then(|mut file| file.write_all(b"1"));
    if let Err(error) = written
        && group.exists()
    {
        tracing::warn!(group = %group.display(), %error, "cannot kill a control group");
    }
}

/// Leaves a session's group, if this process is in one: what is to outlive the session must not be killed with it.
pub fn leave() {
    let Ok(own) = own_group() else { return };
    let branch = own
        .ancestors()
        .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX)));
    if let Some(outside) = branch.and_then(Path::parent) {
        let _ = fs::write(outside.join("cgroup.procs"), "0");
    }
}

/// Returns the group of this process in the version 2 hierarchy.
fn own_group() -> Result<PathBuf, String> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).ok_or("there is no version 2 hierarchy")?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let (root, point) = mounts.lines().rev().find_map(mount).ok_or("no version 2 hierarchy is mounted")?;
    let below = Path::new(own).strip_prefix(root).map_err(|_| "the group of the keeper is not in what is mounted")?;
    Ok(Path::new(point).join(below))
}

/// Root and mount point of a line of `mountinfo`, `proc_pid_mountinfo(5)`, if it is of a version 2 hierarchy.
fn mount(line: &str) -> Option<(&str, &str)> {
    let (fields, kind) = line.split_once(" - ")?;
    let mut fields = fields.split(' ').skip(3);
    kind.starts_with("cgroup2 ").then_some((fields.next()?, fields.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_2_hierarchy_is_found_among_mounts() {
        let line = "41 31 0:38 /user.slice /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw";
        assert_eq!(mount(line), Some(("/user.slice", "/sys/fs/cgroup/unified")));
        assert_eq!(mount("32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu"), None);
        assert_eq!(mount(""), None);
    }
}
