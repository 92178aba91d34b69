//! The roll: names and ends of the sessions on disk, so that a dead keeper's sessions are reported by name.
//!
//! Nothing else is read from it. It is replaced whole and lives in the runtime folder: a reboot ends it with them.

use std::collections::HashSet;
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
    let sessions: Vec<&Status> = statuses.iter().filter(|status| status.service.is_none()).collect();
    let written = serde_json::to_vec(&sessions)
        .map_err(std::io::Error::other)
        .and_then(|bytes| std::fs::write(&fresh, bytes))
        .and_then(|()| std::fs::rename(&fresh, path));
    if let Err(error) = written {
        tracing::warn!(%error, "cannot write the roll of sessions");
    }
}

/// Reads what a dead keeper owned; a damaged roll is an empty one. Ids are given anew, above all that a keeper gives.
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
    serde_json::from_slice(&std::fs::read(path).unwrap_or_default()).unwrap_or_default()
}
