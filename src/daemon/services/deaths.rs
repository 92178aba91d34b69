//! How runs ended: put into the keeper's memory at once, appended to a file soon, told by `why`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::rc::Rc;

use tokio::task;

use crate::daemon::hub::Hub;
use crate::daemon::services::Services;
use crate::daemon::services::Unit;
use crate::daemon::session::History;
use crate::platform::clock;
use crate::session::service::death::Death;
use crate::session::service::death::KEPT;
use crate::session::service::death::LINE_BYTES;
use crate::session::service::death::LINES;
use crate::session::service::machine::Why;
use crate::session::status::How;
use crate::session::text;

/// Deaths that wait for the disk; when it takes none, the oldest are dropped.
const WAITING: usize = 20;
/// A file that is longer is written anew with the last deaths only.
const FILE: u64 = 1 << 20;

impl Hub {
    /// Notes the death of an instance's run, or that it could not be started.
    pub(super) fn note_death(&self, unit: &Unit, why: Why, by: &str) {
        let mut death = Death { why, by: by.to_owned(), at_ms: clock::wall_ms(), ..Death::default() };
        match (why, &*unit.session.borrow()) {
            (Why::NotStarted, _) => death.errno = unit.fault.borrow().map(|(_, errno)| errno),
            (_, Some(session)) => {
                let status = session.status.borrow();
                if let Some(end) = status.run_end() {
                    death.status = end.status;
                    death.at_ms = end.at_ms;
                    death.killed = end.how == How::Killed;
                    death.left.clone_from(&end.left);
                    if death.by.is_empty() {
                        death.by = end.by.clone().unwrap_or_default();
                    }
                }
                death.up_ms = death.at_ms.saturating_sub(status.started_ms);
                let to = session.history.exit().map_or(session.history.head(), |exit| exit.at);
                death.lines = last_lines(&session.history, session.run_from(), to);
            }
            (_, None) => {}
        }
        add(unit, death);
        self.services.store.bury();
    }
}

impl Services {
    /// Returns the deaths of an instance, oldest first.
    pub async fn deaths(&self, unit: &Unit) -> Vec<Death> {
        let (folder, name) = (self.store.deaths(), unit.name.clone());
        let mut deaths = task::spawn_blocking(move || read(&folder, &name)).await.unwrap_or_default();
        let last = deaths.last().map_or(0, |death| death.number);
        deaths.extend(unit.unsaved.borrow().iter().filter(|death| death.number > last).cloned());
        deaths
    }
}

/// Adds a death to those that wait for the disk.
pub fn add(unit: &Unit, mut death: Death) {
    unit.died.set(unit.died.get() + 1);
    unit.last.set(Some(death.why));
    death.number = unit.died.get();
    let mut unsaved = unit.unsaved.borrow_mut();
    unsaved.push(death);
    let surplus = unsaved.len().saturating_sub(WAITING);
    unsaved.drain(..surplus);
}

/// Returns the last lines of what was said between two offsets, without control characters.
fn last_lines(history: &History, from: u64, to: u64) -> Vec<String> {
    let from = to.saturating_sub(LINE_BYTES as u64).max(history.oldest()).max(from);
    let mut bytes = vec![0; to.saturating_sub(from) as usize];
    let len = history.read(from, &mut bytes).unwrap_or(0);
    let said = String::from_utf8_lossy(&bytes[..len]);
    let lines: Vec<&str> = said.lines().collect();
    let skipped = lines.len().saturating_sub(LINES);
    lines[skipped..].iter().map(|line| text::clean(line)).collect()
}

/// Takes what is to be appended: file name and deaths of each instance.
pub fn take(units: &[Rc<Unit>]) -> BTreeMap<String, Vec<Death>> {
    let waiting = units.iter().filter(|unit| !unit.unsaved.borrow().is_empty());
    waiting.map(|unit| (unit.name.clone(), unit.unsaved.borrow().clone())).collect()
}

/// They are on disk: the keeper need not keep them.
pub fn saved(unit: &Unit, last: u64) {
    unit.unsaved.borrow_mut().retain(|death| death.number > last);
}

/// Appends deaths to the files of their instances.
pub fn append(folder: &Path, deaths: &BTreeMap<String, Vec<Death>>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, deaths) in deaths {
        let path = folder.join(file_name(name));
        let mut file = fs::File::options().append(true).create(true).mode(0o600).open(&path)?;
        let lines: Result<Vec<String>, _> = deaths.iter().map(serde_json::to_string).collect();
        // A power cut may have torn the line before: it takes no other one with it.
        let bytes = format!("\n{}\n", lines.map_err(io::Error::other)?.join("\n")).into_bytes();
        file.write_all(&bytes)?;
        if file.metadata()?.len() > FILE {
            shorten(&path)?;
        }
    }
    Ok(())
}

/// Moves the deaths of one file behind those of another.
pub fn join(from: &Path, to: &Path) {
    if !to.exists() {
        let _ = fs::rename(from, to);
    } else if let Ok(bytes) = fs::read(from) {
        let appended = fs::File::options().append(true).open(to).and_then(|mut file| file.write_all(&bytes));
        if appended.is_ok() {
            let _ = fs::remove_file(from);
        }
    }
}

fn shorten(path: &Path) -> io::Result<()> {
    let kept = parse(&fs::read(path)?);
    let lines: Result<Vec<String>, _> = kept.iter().map(serde_json::to_string).collect();
    let fresh = path.with_extension("new");
    fs::write(&fresh, lines.map_err(io::Error::other)?.join("\n") + "\n")?;
    fs::rename(&fresh, path)
}

/// Reads the last deaths of an instance; lines that cannot be read are left out.
pub fn read(folder: &Path, name: &str) -> Vec<Death> {
    parse(&fs::read(folder.join(file_name(name))).unwrap_or_default())
}

fn parse(bytes: &[u8]) -> Vec<Death> {
    let read = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Death>(line).ok());
    // A daemon that died between the file and the keeper's memory wrote some twice.
    let mut deaths: BTreeMap<u64, Death> = read.map(|death| (death.number, death)).collect();
    while deaths.len() > KEPT {
        deaths.pop_first();
    }
    deaths.into_values().collect()
}

/// Names may have slashes; two names never have the same file.
pub fn file_name(name: &str) -> String {
    format!("{}.jsonl", name.replace('/', "%2F"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::services::tests::Folder;

    #[test]
    fn r7_w62_no_two_names_have_the_same_file() {
        assert_ne!(file_name("a/b"), file_name("a_b"));
        assert!(!file_name("a/b").contains('/'));
    }

    #[test]
    fn the_last_hundred_deaths_are_kept_each_once_and_damaged_lines_are_left_out() {
        let folder = Folder::new();
        for n in 1..=150 {
            let death = Death { number: n, up_ms: n, ..Death::default() };
            let twice = BTreeMap::from([("a/b".to_owned(), vec![death.clone(), death])]);
            append(folder.path(), &twice).expect("written");
        }
        let path = folder.path().join(file_name("a/b"));
        fs::write(&path, [fs::read(&path).expect("there"), b"{\"number\":1".to_vec()].concat()).expect("torn");
        let next = Death { number: 151, ..Death::default() };
        append(folder.path(), &BTreeMap::from([("a/b".to_owned(), vec![next])])).expect("written");

        let deaths = read(folder.path(), "a/b");

        assert_eq!(deaths.len(), KEPT);
        assert_eq!((deaths[0].number, deaths[KEPT - 1].number), (52, 151));
        assert_eq!(read(folder.path(), "other"), vec![]);
    }
}
