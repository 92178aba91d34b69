//! Journals of sessions whose keeper is gone: after its death, after a shutdown, after a reboot.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;

use crate::daemon::journals::join;
use crate::daemon::journals::writer;
use crate::journal::Folder;
use crate::journal::Reader;
use crate::journal::name;
use crate::session::journal::JournalStatus;
use crate::session::service::spec;
use crate::session::status::Status;

/// Finds what is left on disk: brings the lost sessions' journals up to date, and returns sessions of which only a journal
/// is left, the newest `kept` of them; older ones are removed. Services come back by themselves.
#[must_use]
pub fn left_behind(root: &Path, lost: &mut [Status], kept: usize) -> Vec<Status> {
    let moved = adopt(root);
    for journal in lost.iter_mut().filter_map(|status| status.journal.as_mut()) {
        if let Some(folder) = moved.get(&journal.folder) {
            journal.folder.clone_from(folder);
        }
    }
    for status in lost.iter_mut() {
        status.journal = status.journal.take().map(|journal| look(root, &journal.folder));
    }
    let known: HashSet<String> =
        lost.iter().filter_map(|status| Some(status.journal.as_ref()?.folder.clone())).collect();
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let orphans =
        folders.filter(|folder| name::is_folder(folder) && !name::is_service(folder) && !known.contains(folder));
    let read = |folder: String| {
        let mut status = about(root, &folder)?;
        status.journal = Some(look(root, &folder));
        Some(status)
    };
    let mut found: Vec<Status> = orphans.filter_map(read).collect();
    found.sort_by_key(|status| std::cmp::Reverse(status.started_ms));
    let surplus = found.split_off(kept.min(found.len()));
    for folder in surplus.into_iter().filter_map(|status| Some(status.journal?.folder)) {
        if let Err(error) = writer::remove(&root.join(&folder)) {
            tracing::warn!(folder, %error, "cannot remove an old journal");
        }
    }
    found.reverse();
    found
}

fn about(root: &Path, folder: &str) -> Option<Status> {
    let text = std::fs::read(root.join(folder).join(name::ABOUT)).unwrap_or_default();
    serde_json::from_slice(&text).ok()
}

/// Gives a service what the instance said that a reload put in place of an older one: beside that one it could not write to
/// the service's own folder. Returns which folders were moved to where.
fn adopt(root: &Path) -> HashMap<String, String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let others = folders.filter(|folder| name::is_folder(folder) && !name::is_service(folder));
    let mut replaced: Vec<(u64, String, String)> = others
        .filter_map(|folder| {
            let status = about(root, &folder)?;
            let service = status.service?;
            let own = name::of_service(&spec::journal_name(&service.service, service.instance));
            Some((status.started_ms, folder, own))
        })
        .collect();
    // In the order in which they spoke.
    replaced.sort_unstable();
    let mut moved = HashMap::new();
    for (_, folder, own) in replaced {
        match join::become_services(&root.join(&folder), &root.join(&own)) {
            Ok(()) => drop(moved.insert(folder, own)),
            Err(error) => tracing::warn!(folder, own, %error, "cannot move a service's journal"),
        }
    }
    moved
}

fn look(root: &Path, folder: &str) -> JournalStatus {
    let empty = JournalStatus { folder: folder.to_owned(), ..JournalStatus::default() };
    let Ok(reader) = Reader::open(Folder::new(root.join(folder))) else { return empty };
    let (bytes, segments) = reader.size();
    let (end, dropped) = reader.end().unwrap_or_default();
    let (oldest, since_ms) = (reader.oldest(), reader.since_us() / 1000);
    JournalStatus { bytes, segments: segments as u32, oldest, end, since_ms, dropped, ..empty }
}
