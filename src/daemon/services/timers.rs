//! One wait for all timers of all services.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::daemon::hub::Hub;
use crate::platform::clock;
use crate::session::service::machine::Event;
use crate::session::state::Nanos;

/// When what is due. *Invariant:* one timer an instance.
#[derive(Default)]
pub struct Timers {
    queue: RefCell<BTreeSet<(Nanos, String)>>,
    due: RefCell<HashMap<String, Nanos>>,
    /// The first one changed.
    bell: Notify,
}

impl Timers {
    /// Sets the timer of an instance, or takes it away.
    pub fn set(&self, name: &str, at: Option<Nanos>) {
        let mut due = self.due.borrow_mut();
        if due.get(name).copied() == at {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        if let Some(before) = due.remove(name) {
            queue.remove(&(before, name.to_owned()));
        }
        if let Some(at) = at {
            due.insert(name.to_owned(), at);
            queue.insert((at, name.to_owned()));
            if queue.first().is_some_and(|(first, _)| *first == at) {
                self.bell.notify_one();
            }
        }
    }

    fn first(&self) -> Option<Nanos> {
        self.queue.borrow().first().map(|(at, _)| *at)
    }

    /// Takes one that is due.
    fn take(&self, now: Nanos) -> Option<String> {
        let (_, name) = self.queue.borrow().first().filter(|(at, _)| *at <= now).cloned()?;
        self.set(&name, None);
        Some(name)
    }
}

/// Waits for timers as long as the daemon lives.
pub async fn run(hub: Rc<Hub>) {
    loop {
        let timers = &hub.services.timers;
        let bell = timers.bell.notified();
        match timers.first() {
            None => bell.await,
            Some(at) => {
                let left = Duration::from_nanos(at.saturating_sub(clock::monotonic_ns()));
                tokio::select! {
                    () = bell => continue,
                    () = tokio::time::sleep_until(Instant::now() + left) => {}
                }
            }
        }
        while let Some(name) = timers.take(clock::monotonic_ns()) {
            if let Some(unit) = hub.services.unit(&name) {
                hub.advance(&unit, Event::Due);
            }
        }
    }
}
