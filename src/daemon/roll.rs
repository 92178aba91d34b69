//! The roll: names and ends of the sessions on disk, so that a dead keeper's sessions are reported by name.
//!
//! Nothing else is read from it. A line a session; a new one is added before anybody is told of it, and all are replaced
//! soon after. It lives in the runtime folder: a reboot ends it with them.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::platform::clock;
use crate::session::id::SessionId;
use crate::session::status::End;
use crate::session::status::How;
use crate::session::status::State;
use crate::session::status::Status;

/// Ids of lost sessions start above any that a new keeper gives.
const LOST_IDS: u64 = 1_000_000;

/// Writes all sessions, with the ends of those that have one.
pub fn write(path: &Path, statuses: &[Status]) {
    let fresh = path.with_extension("new");
    // Services are written down by themselves, and come back.
    let written = statuses
        .iter()
        .filter(|status| status.service.is_none())
        .map(line)
        .collect::<io::Result<Vec<_>>>()
        .and_then(|lines| std::fs::write(&fresh, lines.concat()))
        .and_then(|()| std::fs::rename(&fresh, path));
    if let Err(error) = written {
        tracing::warn!(%error, "cannot write the roll of sessions");
    }
}

/// Adds a session: what that costs does not grow with their number.
pub fn add(path: &Path, status: &Status) {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let added = file.and_then(|mut file| file.write_all(&line(status)?));
    if let Err(error) = added {
        tracing::warn!(%error, "cannot add to the roll of sessions");
    }
}

fn line(status: &Status) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(status).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads what a dead keeper owned; a damaged line is none. Ids are given anew, above all that a keeper gives.
pub fn lost(path: &Path) -> Vec<Status> {
    number(read(path))
}

/// Gives each session a name of its own; of several that had the same, the last one keeps it.
pub fn tell_apart(mut statuses: Vec<Status>) -> Vec<Status> {
    let mut taken: HashSet<String> = HashSet::new();
    for status in statuses.iter_mut().rev() {
        let name = status.name.clone();
        let mut number = 1;
        while !taken.insert(status.name.clone()) {
            number += 1;
            status.name = format!("{name}-{number}");
        }
    }
    statuses
}

/// Makes lost sessions of any: ids above all that a keeper gives, and an end for those that had none.
pub fn number(mut statuses: Vec<Status>) -> Vec<Status> {
    for (n, status) in (1..).zip(&mut statuses) {
        status.id = SessionId(LOST_IDS + n);
        status.attached.clear();
        if status.end().is_none() {
            let end = End { status: None, how: How::Lost, by: None, at_ms: clock::wall_ms(), left: Vec::new() };
            status.state = State::Ended { end };
        }
    }
    statuses
}

/// Reads what was lost earlier and is still shown: a restarted daemon has no other record of it.
pub fn still_lost(path: &Path) -> Vec<Status> {
    read(path).into_iter().filter(|status| status.id.0 > LOST_IDS).collect()
}

fn read(path: &Path) -> Vec<Status> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n');
    // The line of a session that was added and then written with all others stands for it once.
    let statuses: BTreeMap<SessionId, Status> =
        lines.filter_map(|line| serde_json::from_slice(line).ok()).map(|status: Status| (status.id, status)).collect();
    statuses.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read_beside_what_was_written_and_a_torn_line_costs_itself_only() {
        let path = std::env::temp_dir().join(format!("rpm-roll-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let status = |id: u64, name: &str| -> Status {
            let text = format!(r#"{{"id":{id},"name":"{name}","state":{{"word":"running"}}}}"#);
            serde_json::from_str(&text).expect("a status")
        };
        add(&path, &status(7, "first"));
        write(&path, &[status(1, "a"), status(2, "b")]);
        add(&path, &status(3, "c"));
        let torn = std::fs::read(&path).expect("a file");
        std::fs::write(&path, [&torn[..], br#"{"id":4,"na"#].concat()).expect("a file");

        let names: Vec<String> = lost(&path).into_iter().map(|status| status.name).collect();
        std::fs::remove_file(&path).expect("our file");

        assert_eq!(names, ["a", "b", "c"]);
    }
}
