//! Looks at all processes on behalf of everybody who needs one: stops share looks, and nobody looks while nobody asks.
//!
//! A look reads a file for every process there is, so it is taken in a thread of its own and this one goes on serving.
//! A look begins after the last request that it answers; the next one waits a multiple of what the last one took. One that
//! failed finds nothing out: whoever asked is told so, and a stop asks again.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
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
use crate::platform::brand;
use crate::platform::brand::Brand;
use crate::platform::cgroup;
use crate::platform::process;
use crate::platform::snapshot;
use crate::platform::snapshot::Adopted;
use crate::platform::snapshot::Owners;
use crate::platform::snapshot::Snapshot;
use crate::platform::tree;
use crate::platform::tree::Mark;
use crate::platform::tree::Purpose;
use crate::platform::tree::Request;
use crate::platform::tree::Survey;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;

/// From the end of a look to the next one, at least.
const PAUSE: Duration = Duration::from_millis(2);
/// The same, in times of what the last one took: looks never take more than a third of the time.
const REST: u32 = 2;
/// After a look that failed: what was short may be there again.
const RETRY: Duration = Duration::from_millis(50);

/// Lists of the keeper's children that are read before a full look is taken.
const LISTS: u32 = 4;

/// A look, or why it failed.
type Looked = Result<Arc<Snapshot>, String>;

/// See the module.
#[derive(Default)]
pub struct Census {
    wanted: RefCell<Vec<(Rc<Session>, Purpose)>>,
    lookers: RefCell<Vec<oneshot::Sender<Looked>>>,
    bell: Notify,
}

impl Census {
    /// Asks for a session; the answer is [`Mail::Surveyed`].
    pub fn ask(&self, session: &Rc<Session>, purpose: Purpose) {
        self.wanted.borrow_mut().push((Rc::clone(session), purpose));
        self.bell.notify_one();
    }

    /// Returns all processes as they were at some moment after this call.
    pub async fn look(&self) -> Result<Arc<Snapshot>, WireError> {
        let (reply, answer) = oneshot::channel();
        self.lookers.borrow_mut().push(reply);
        self.bell.notify_one();
        answer.await.unwrap_or_else(|_| Err("the daemon is ending".to_owned())).map_err(|reason| unseen(&reason))
    }
}

/// The error of who asked for processes that cannot be looked at.
pub fn unseen(reason: &str) -> WireError {
    WireError::new(Code::Failed, format!("the processes cannot be looked at: {reason}"))
}

/// Serves those who ask, for as long as the daemon lives.
pub async fn run(hub: Rc<Hub>) {
    // So that a lasting shortage is logged once.
    let mut is_blind = false;
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
        let (owners, must_look) = (owners(&hub), !lookers.is_empty());
        let count = requests.len();
        let survey = task::spawn_blocking(move || tree::survey(&owners, &requests, must_look)).await;
        let Survey { snapshot, found } =
            survey.unwrap_or_else(|error| Survey { snapshot: Err(io::Error::other(error)), found: vec![None; count] });
        if let Err(error) = &snapshot
            && !is_blind
        {
            tracing::error!(%error, "the processes cannot be looked at");
        }
        is_blind = snapshot.is_err();
        for ((session, purpose), members) in wanted.into_iter().zip(found) {
            if let (Ok(snapshot), Some(members)) = (&snapshot, &members) {
                session.learn(snapshot, members);
                if members.is_empty() {
                    *session.suspects.borrow_mut() = suspects(&hub, &session, snapshot);
                }
            }
            session.mail(Mail::Surveyed { purpose, members });
        }
        let snapshot = snapshot.map(Arc::new).map_err(|error| error.to_string());
        for looker in lookers {
            let _ = looker.send(snapshot.clone());
        }
        let pause = if is_blind { RETRY } else { PAUSE };
        tokio::time::sleep(pause.max(start.elapsed() * REST)).await;
    }
}

/// Returns adopted processes that bear no mark of anybody and are young enough to be a session's.
pub fn suspects(hub: &Hub, session: &Session, snapshot: &Snapshot) -> Vec<u32> {
    let unmarked: Vec<&Adopted> = snapshot.adopted().iter().filter(|adopted| adopted.is_unmarked()).collect();
    if unmarked.is_empty() {
        return Vec::new();
    }
    let marks: Vec<Mark> = hub.registry.borrow().sessions().map(|session| session.mark()).collect();
    let born = session.leader().start_time;
    let is_young =
        |adopted: &&&Adopted| snapshot.get(adopted.pid).is_some_and(|stat| stat.start_time >= born && !stat.is_zombie);
    // A control group that cannot be read says nothing: better named once too often.
    let grouped = marks.iter().filter_map(|mark| cgroup::members(mark.group.as_ref()?).ok());
    let grouped: HashSet<u32> = grouped.flatten().collect();
    let is_nobodys = |adopted: &&&Adopted| {
        !grouped.contains(&adopted.pid) && !marks.iter().any(|mark| tree::is_ours(snapshot, mark, adopted))
    };
    let suspects = unmarked.iter().filter(is_young).filter(is_nobodys);
    suspects.map(|adopted| adopted.pid).collect()
}

/// Returns whether it is certain that a session whose program has ended left nobody behind.
///
/// All orphans are the keeper's children. A list of them may lack somebody only if a child in it was reaped while it was
/// read, so one whose children are all still there lacks nobody. Where neighbours come and go all the time one of a few is
/// such a list, and a look at all processes, which takes much longer, has to wait for nobody.
pub fn is_alone(hub: &Hub, session: &Session) -> bool {
    let (brand, leader) = (session.mark().brand, session.leader().pid);
    let own = std::process::id();
    let look = || process::children_of(hub.report.keeper_pid);
    for _ in 0..LISTS {
        let Ok(children) = look() else { return false };
        // Where the list cannot be had, not even this daemon is in it.
        if !children.contains(&own) {
            return false;
        }
        let (known, tees) = (known(hub), hub.tees.processes());
        let is_elsewhere = |pid: &u32| known.contains(pid) || tees.contains(pid) || is_of_another(*pid, brand, leader);
        let are_elsewhere = children.iter().all(|pid| *pid == own || is_elsewhere(pid));
        let Ok(again) = look() else { return false };
        if are_elsewhere && children.iter().all(|pid| again.contains(pid)) {
            return true;
        }
    }
    false
}

/// The sessions' first processes that run.
fn known(hub: &Hub) -> HashSet<u32> {
    let registry = hub.registry.borrow();
    let running = registry.sessions().filter(|session| session.history.exit().is_none());
    running.map(|session| session.leader().pid).collect()
}

/// Returns whether a process bears another session's mark than this one, or is one that the keeper is just making.
fn is_of_another(pid: u32, brand: Brand, leader: u32) -> bool {
    let Some(stat) = process::stat(pid).filter(|stat| stat.session != leader) else { return false };
    match brand::of(pid) {
        Ok(Some(other)) => other != brand && brand != Brand::Nobody,
        Ok(None) => snapshot::is_own_helper(&stat),
        Err(_) => false,
    }
}

/// Returns who is known already among the keeper's children.
fn owners(hub: &Hub) -> Owners {
    let leaders = hub.registry.borrow().sessions().map(|session| session.leader()).collect();
    Owners { keeper: hub.report.keeper_pid, leaders, detached: hub.registered.detached() }
}
