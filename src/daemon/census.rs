//! Looks at all processes on behalf of everybody who needs one: stops share looks, and nobody looks while nobody asks.
//!
//! A look reads a file for every process there is, so it is taken in a thread of its own and this one goes on serving.
//! A look begins after the last request that it answers; the next one waits a multiple of what the last one took.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::task;
use tokio::time::Instant;

use crate::daemon::hub::Hub;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::platform::process;
use crate::platform::process::Stat;
use crate::platform::snapshot::Owners;
use crate::platform::snapshot::Snapshot;
use crate::platform::tree;
use crate::platform::tree::Purpose;
use crate::platform::tree::Request;

/// From the end of a look to the next one, at least.
const PAUSE: Duration = Duration::from_millis(2);
/// The same, in times of what the last one took: looks never take more than a third of the time.
const REST: u32 = 2;

/// See the module.
#[derive(Default)]
pub struct Census {
    wanted: RefCell<Vec<(Rc<Session>, Purpose)>>,
    lookers: RefCell<Vec<oneshot::Sender<Arc<Snapshot>>>>,
    bell: Notify,
}

impl Census {
    /// Asks for a session; the answer is [`Mail::Surveyed`].
    pub fn ask(&self, session: &Rc<Session>, purpose: Purpose) {
        self.wanted.borrow_mut().push((Rc::clone(session), purpose));
        self.bell.notify_one();
    }

    /// Returns all processes as they were at some moment after this call.
    pub async fn look(&self) -> Arc<Snapshot> {
        let (reply, answer) = oneshot::channel();
        self.lookers.borrow_mut().push(reply);
        self.bell.notify_one();
        answer.await.unwrap_or_default()
    }
}

/// Serves those who ask, for as long as the daemon lives.
pub async fn run(hub: Rc<Hub>) {
    loop {
        hub.census.bell.notified().await;
        let wanted = hub.census.wanted.take();
        let lookers = hub.census.lookers.take();
        if wanted.is_empty() && lookers.is_empty() {
            continue;
        }
        let start = Instant::now();
        let requests: Vec<Request> =
            wanted.iter().map(|(session, purpose)| Request { mark: session.mark(), purpose: *purpose }).collect();
        let (owners, is_look) = (owners(&hub), !lookers.is_empty());
        let survey = task::spawn_blocking(move || look(&owners, &requests, is_look)).await;
        let (snapshot, found) = survey.unwrap_or_else(|error| {
            tracing::error!(%error, "a look at the processes failed");
            (Snapshot::default(), Vec::new())
        });
        let mut found = found.into_iter();
        for (session, purpose) in wanted {
            let members = found.next();
            if let Some(members) = &members {
                session.learn(&snapshot, members);
            }
            session.mail(Mail::Surveyed { purpose, members });
        }
        let snapshot = Arc::new(snapshot);
        for looker in lookers {
            let _ = looker.send(Arc::clone(&snapshot));
        }
        tokio::time::sleep(PAUSE.max(start.elapsed() * REST)).await;
    }
}

fn look(owners: &Owners, requests: &[Request], is_look: bool) -> (Snapshot, Vec<Vec<Stat>>) {
    if is_look && requests.iter().all(|request| request.purpose == Purpose::Rest) {
        let snapshot = Snapshot::take(owners);
        let found = requests.iter().map(|request| tree::members(&snapshot, &request.mark)).collect();
        return (snapshot, found);
    }
    tree::survey(owners, requests)
}

/// Returns whether the keeper has adopted anybody.
pub fn has_strangers(hub: &Hub) -> bool {
    let children = process::children_of(hub.report.keeper_pid);
    // Where the list cannot be had, not even this daemon is in it.
    let known: HashSet<u32> = hub.registry.borrow().sessions().map(|session| session.leader().pid).collect();
    let own = std::process::id();
    let tees = hub.tees.processes();
    let is_known = |pid: &u32| *pid == own || known.contains(pid) || tees.contains(pid);
    !children.contains(&own) || !children.iter().all(is_known)
}

/// Returns who is known already among the keeper's children.
fn owners(hub: &Hub) -> Owners {
    let leaders = hub.registry.borrow().sessions().map(|session| session.leader()).collect();
    Owners { keeper: hub.report.keeper_pid, leaders, detached: hub.registered.detached() }
}
