//! Starting an ended session's program again: a new first process and new descriptors, the same memories.
//!
//! Whoever follows the history goes on following: offsets, index and tees know nothing of runs but an entry where one
//! begins. *Invariant:* within one turn of the loop the old run's exit is taken back and the new run is there, or
//! nothing has changed.

use std::os::fd::OwnedFd;

use crate::keeper::Keeper;
use crate::keeper::owned::Around;
use crate::keeper::read_order;
use crate::platform::exec::SpawnError;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::Stage;
use crate::protocol::keeper::ToDaemon;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;

impl Keeper {
    /// Starts the program of an ended session again; a key that was used answers with what it started.
    pub(super) fn respawn(&mut self, key: RequestKey, id: SessionId, fds: Vec<OwnedFd>) {
        let (message, fds) = match self.try_respawn(key, id, fds) {
            Ok(told) => told,
            Err(SpawnError { stage, errno }) => (ToDaemon::SpawnFailed { key, stage, errno }, Vec::new()),
        };
        if let Some(daemon) = &mut self.daemon {
            daemon.send(&message, fds);
        }
        self.tell(id);
    }

    fn try_respawn(
        &mut self,
        key: RequestKey,
        id: SessionId,
        mut fds: Vec<OwnedFd>,
    ) -> Result<(ToDaemon, Vec<OwnedFd>), SpawnError> {
        let refused = |errno| SpawnError { stage: Stage::Request, errno };
        let parcel = fds.pop();
        let mut around = Around { pad: &mut self.pad, branch: self.branch.as_ref().ok(), held: fds };
        let owned = self.sessions.get_mut(&id).ok_or(refused(libc::ESRCH))?;
        if owned.handover.key != key {
            if self.is_stopping {
                return Err(refused(libc::ESHUTDOWN));
            }
            let order = Order { kind: owned.handover.kind, ..read_order(parcel)? };
            owned.respawn(key, &order, &mut around)?;
            self.poll.forget_all(&owned.take_ended());
            if let Some(owned) = self.sessions.get(&id) {
                self.watch_session(id, owned);
            }
        }
        let owned = self.sessions.get(&id).ok_or(refused(libc::ESRCH))?;
        let fds = owned.descriptors().map_err(|error| {
            // A program that nobody can be given is of no use; its end is told like any other.
            owned.end_now();
            SpawnError { stage: Stage::Memory, errno: error.raw_os_error().unwrap_or(libc::EMFILE) }
        })?;
        Ok((ToDaemon::Session(owned.handover_now()), fds))
    }
}
