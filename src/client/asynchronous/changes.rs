//! All sessions as a whole: first as they are, then each change, across restarts of the daemon.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use crate::client::asynchronous::connection::Address;
use crate::client::asynchronous::connection::Connection;
use crate::client::envelope::Incoming;
use crate::client::error::Error;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::status::Status;

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A session is new, or something of it is; all that may be seen of it.
    Session(Box<Status>),
    /// A session was forgotten.
    Removed(SessionId),
}

/// A subscription. Several changes of one session may come as one, the last.
#[derive(Debug)]
pub struct Changes {
    address: Address,
    connection: Connection,
    is_open: bool,
    known: BTreeSet<SessionId>,
    waiting: VecDeque<Change>,
}

impl Changes {
    pub(super) async fn open(address: Address) -> Result<Self, Error> {
        let connection = address.connect().await?;
        let mut changes =
            Self { address, connection, is_open: false, known: BTreeSet::new(), waiting: VecDeque::new() };
        changes.come_back().await?;
        Ok(changes)
    }

    /// Returns the next change: first each session as it is. May be dropped halfway: nothing is lost.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Ok(change);
            }
            if !self.is_open {
                self.come_back().await?;
                continue;
            }
            match self.connection.receive().await {
                Ok(Incoming::Event(event)) => self.on_event(&event),
                Ok(Incoming::Reply(_) | Incoming::Bulk(_)) => {}
                Err(error) if error.is_lost() => self.is_open = false,
                Err(error) => return Err(error),
            }
        }
    }

    fn on_event(&mut self, event: &Event) {
        if let Some(verbs::Changed { status }) = event.get() {
            self.known.insert(status.id);
            self.waiting.push_back(Change::Session(Box::new(status)));
        } else if let Some(verbs::Removed { id }) = event.get()
            && self.known.remove(&id)
        {
            self.waiting.push_back(Change::Removed(id));
        }
    }

    /// Subscribes on a fresh connection; what went away meanwhile is told too.
    async fn come_back(&mut self) -> Result<(), Error> {
        let listing = loop {
            self.connection = self.address.connect().await?;
            match self.connection.call(&verbs::Subscribe {}).await {
                Err(error) if error.is_lost() => {}
                result => break result?,
            }
        };
        let there: BTreeSet<SessionId> = listing.sessions.iter().map(|status| status.id).collect();
        let gone = self.known.difference(&there).copied().map(Change::Removed);
        self.waiting.extend(gone);
        self.waiting.extend(listing.sessions.into_iter().map(|status| Change::Session(Box::new(status))));
        self.known = there;
        self.is_open = true;
        Ok(())
    }
}
