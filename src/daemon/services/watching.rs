//! Files whose change restarts a service.
//!
//! One watcher for all; its own thread says what changed, this one decides whose it is. A restart comes once nothing has
//! changed for a while, so that a build of a thousand files is one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use notify::EventKind;
use notify::RecommendedWatcher;
use notify::RecursiveMode;
use notify::Watcher;
use tokio::sync::mpsc;
use tokio::task;
use tokio::time::Instant;
use tokio::time::sleep_until;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::session::service::machine::Event;
use crate::session::service::machine::Why;
use crate::session::service::policy::Watch;
use crate::session::target;

/// Folders that nobody means.
const NEVER: [&str; 2] = [".git", "node_modules"];

/// Who watches what.
#[derive(Default)]
pub struct Watching {
    watchers: RefCell<BTreeMap<String, RecommendedWatcher>>,
}

impl Watching {
    /// Watches no longer.
    pub fn leave(&self, name: &str) {
        self.watchers.borrow_mut().remove(name);
    }
}

impl Hub {
    /// Watches the files of an instance, or no longer.
    pub fn watch(self: &Rc<Self>, unit: &Rc<Unit>) {
        let watchers = &self.services.watching.watchers;
        watchers.borrow_mut().remove(&unit.name);
        let Some(watch) = unit.definition.borrow().spec.watch.clone() else { return };
        let (changed_tx, changed_rx) = mpsc::unbounded_channel::<PathBuf>();
        let heard = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)) {
                event.paths.into_iter().for_each(|path| drop(changed_tx.send(path)));
            }
        };
        let watcher = match notify::recommended_watcher(heard) {
            Ok(watcher) => watcher,
            Err(error) => return tracing::error!(service = %unit.name, %error, "cannot watch files"),
        };
        let (hub, unit) = (Rc::clone(self), Rc::clone(unit));
        task::spawn_local(async move {
            let paths: Vec<PathBuf> = watch.paths.iter().map(|path| PathBuf::from(OsStr::from_bytes(path))).collect();
            let (roots, name) = (paths.clone(), unit.name.clone());
            // A large tree takes a while to enter.
            let watcher = task::spawn_blocking(move || enter(watcher, &roots, &name)).await;
            if let Ok(watcher) = watcher {
                hub.services.watching.watchers.borrow_mut().insert(unit.name.clone(), watcher);
                follow(hub, unit, watch, paths, changed_rx).await;
            }
        });
    }
}

fn enter(mut watcher: RecommendedWatcher, roots: &[PathBuf], name: &str) -> RecommendedWatcher {
    for root in roots {
        if let Err(error) = watcher.watch(root, RecursiveMode::Recursive) {
            tracing::error!(service = name, path = %root.display(), %error, "cannot watch");
        }
    }
    watcher
}

/// Restarts an instance after each burst of changes, until nobody watches for it any more.
async fn follow(
    hub: Rc<Hub>,
    unit: Rc<Unit>,
    watch: Watch,
    roots: Vec<PathBuf>,
    mut changed: mpsc::UnboundedReceiver<PathBuf>,
) {
    let pause = Duration::from_nanos(watch.debounce);
    let mut first: Option<PathBuf> = None;
    let mut quiet_at = Instant::now();
    loop {
        tokio::select! {
            path = changed.recv() => match path {
                None => return,
                Some(path) if is_meant(&path, &roots, &watch.ignore) => {
                    first.get_or_insert(path);
                    quiet_at = Instant::now() + pause;
                }
                Some(_) => {}
            },
            () = sleep_until(quiet_at), if first.is_some() => {
                if unit.is_forgotten.get() {
                    return;
                }
                let path = first.take().unwrap_or_default();
                let by = format!("a change of {}", path.display());
                hub.advance(&unit, Event::Restart { by, why: Why::Watch });
            }
        }
    }
}

/// Returns whether a change counts: no part of the path, below what is watched, is left out.
fn is_meant(path: &Path, roots: &[PathBuf], ignore: &[String]) -> bool {
    let inner = roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path);
    let parts: Vec<String> = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let is_left_out = |pattern: &String| {
        let pattern = pattern.trim_end_matches('/').trim_start_matches("**/");
        if pattern.contains('/') {
            let pattern = pattern.trim_start_matches('/');
            // A pattern of a path means all below it too.
            (1..=parts.len()).any(|len| target::matches(pattern, &parts[..len].join("/")))
        } else {
            parts.iter().any(|part| target::matches(pattern, part))
        }
    };
    !parts.iter().any(|part| NEVER.contains(&part.as_str())) && !ignore.iter().any(is_left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaint22_what_is_left_out_is_left_out() {
        let roots = [PathBuf::from("/srv/app")];
        let ignore = ["*.log".to_owned(), "dist/".to_owned(), "src/gen".to_owned()];
        for (path, is_wanted) in [
            ("src/main.rs", true),
            ("logs.txt", true),
            ("debug.log", false),
            ("a/b/c.log", false),
            ("dist/x.js", false),
            ("src/gen/x.rs", false),
            ("src/general.rs", true),
            (".git/index", false),
            ("a/node_modules/b/c.js", false),
        ] {
            assert_eq!(is_meant(&Path::new("/srv/app").join(path), &roots, &ignore), is_wanted, "{path}");
        }
    }
}
