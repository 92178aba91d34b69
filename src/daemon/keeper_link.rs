//! The daemon's end of the keeper: takes everything over, asks for spawns, sizes and forgetting.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::atomic::fence;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::history::Memory;
use crate::history::layout;
use crate::history::layout::flags;
use crate::platform::bell::Bell;
use crate::platform::link::Link;
use crate::platform::memory;
use crate::platform::memory::Access;
use crate::platform::memory::Mapping;
use crate::platform::reactor;
use crate::protocol::keeper::Handover;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::PACKET;
use crate::protocol::keeper::Stage;
use crate::protocol::keeper::TeeAsk;
use crate::protocol::keeper::ToDaemon;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::message;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::id::TeeId;
use crate::session::tee::TeeOrder;

/// A spawn that failed: where, and the error number.
pub type SpawnFailure = (Stage, i32);

/// Something that a run speaks into.
pub type Held = Rc<AsyncFd<OwnedFd>>;

/// What the keeper said when it greeted.
pub struct Greeting {
    /// Its process id.
    pub keeper_pid: u32,
    /// Daemons before this one.
    pub restarts: u32,
    /// How the last one ended.
    pub last_end: Option<String>,
    /// The listening socket.
    pub listener: OwnedFd,
    /// Folder of the sessions' control groups.
    pub groups: Option<String>,
    /// Why there is none.
    pub ungrouped: Option<String>,
}

/// What the keeper needs for a tee.
pub struct TeeRequest<'a> {
    /// A key that was used before starts nothing.
    pub key: RequestKey,
    /// Which session.
    pub session: SessionId,
    /// What the tee's process reads.
    pub order: &'a TeeOrder,
    /// The cursor that holds the trim line, plus one.
    pub hold: u64,
    /// The file, opened.
    pub file: Option<OwnedFd>,
    /// A pipe for input: to read, to write.
    pub input: Option<(OwnedFd, OwnedFd)>,
}

/// The keeper, as the daemon sees it.
pub struct KeeperLink {
    link: Link,
    /// A duplicate of the link's socket, in the reactor.
    readable: AsyncFd<OwnedFd>,
    shared: Mapping,
    /// The keeper rings it.
    bell: AsyncFd<OwnedFd>,
    /// We ring it.
    keeper_bell: Arc<Bell>,
    waiting: RefCell<HashMap<RequestKey, oneshot::Sender<Result<SessionId, SpawnFailure>>>>,
    teeing: RefCell<HashMap<RequestKey, oneshot::Sender<Result<TeeId, i32>>>>,
    is_lost: Cell<bool>,
}

impl KeeperLink {
    /// Takes the inherited socket and the greeting.
    pub async fn open(socket: OwnedFd) -> io::Result<(Self, Greeting)> {
        let readable = reactor::watch(socket.try_clone()?, Interest::READABLE)?;
        let link = Link::from_fd(socket, PACKET);
        let Some((hello, fds)) = receive(&link, &readable).await? else {
            return Err(io::Error::other("the keeper is gone"));
        };
        let ToDaemon::Hello { pid, restarts, last_end, groups, ungrouped, .. } = hello else {
            return Err(io::Error::other("the keeper did not greet"));
        };
        let [listener, shared, bell, keeper_bell] = <[OwnedFd; 4]>::try_from(fds)
            .map_err(|fds| io::Error::other(format!("the keeper sent {} descriptors, not 4", fds.len())))?;
        let shared = Mapping::open(shared, Access::Write)?;
        layout::check(&shared, flags::LEN).map_err(io::Error::other)?;
        let keeper = Self {
            link,
            readable,
            shared,
            bell: reactor::watch(bell, Interest::READABLE)?,
            keeper_bell: Arc::new(Bell::from_fd(keeper_bell)),
            waiting: RefCell::default(),
            teeing: RefCell::default(),
            is_lost: Cell::new(false),
        };
        Ok((keeper, Greeting { keeper_pid: pid, restarts, last_end, listener, groups, ungrouped }))
    }

    /// Receives the next message; `None` when the keeper is gone.
    pub async fn receive(&self) -> io::Result<Option<(ToDaemon, Vec<OwnedFd>)>> {
        receive(&self.link, &self.readable).await
    }

    /// Sends a message. The keeper reads at once, so a full socket means that it is gone or stopped.
    pub fn send(&self, message: &ToKeeper, fds: &[BorrowedFd<'_>]) {
        if let Err(error) = self.link.send(&message::encode(message), fds) {
            tracing::error!(%error, "cannot tell the keeper");
            self.is_lost.set(true);
        }
    }

    /// Asks for a session and waits for it; with what the keeper is to hold for its run.
    pub async fn spawn(&self, key: RequestKey, order: &Order, held: &[Held]) -> Result<SessionId, SpawnFailure> {
        let broken = (Stage::Request, libc::EIO);
        let parcel = memory::parcel(&message::encode(order)).map_err(|_| broken)?;
        let (done_tx, done_rx) = oneshot::channel();
        self.waiting.borrow_mut().insert(key, done_tx);
        self.send(&ToKeeper::Spawn { key }, &beside(held, &parcel));
        done_rx.await.unwrap_or(Err(broken))
    }

    /// Asks for another run of an ended session and waits for it.
    pub async fn respawn(
        &self,
        (key, id): (RequestKey, SessionId),
        order: &Order,
        held: &[Held],
    ) -> Result<SessionId, SpawnFailure> {
        let broken = (Stage::Request, libc::EIO);
        let parcel = memory::parcel(&message::encode(order)).map_err(|_| broken)?;
        let (done_tx, done_rx) = oneshot::channel();
        self.waiting.borrow_mut().insert(key, done_tx);
        self.send(&ToKeeper::Respawn { key, id }, &beside(held, &parcel));
        done_rx.await.unwrap_or(Err(broken))
    }

    /// Answers whoever waits for this spawn.
    pub fn spawned(&self, key: RequestKey, result: Result<SessionId, SpawnFailure>) {
        if let Some(done_tx) = self.waiting.borrow_mut().remove(&key) {
            let _ = done_tx.send(result);
        }
    }

    /// Asks for a tee and waits for it; with the file that was opened for it, or a pipe for input, both ends.
    pub async fn tee(&self, ask: TeeRequest<'_>) -> Result<TeeId, i32> {
        let parcel =
            memory::parcel(&message::encode(ask.order)).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
        let (done_tx, done_rx) = oneshot::channel();
        self.teeing.borrow_mut().insert(ask.key, done_tx);
        let has_input = ask.input.is_some();
        let message = ToKeeper::Tee(TeeAsk { key: ask.key, session: ask.session, hold: ask.hold, has_input });
        let input = ask.input.as_ref().map(|(reader, writer)| [reader.as_fd(), writer.as_fd()]);
        let mut fds = vec![parcel.as_fd()];
        fds.extend(ask.file.as_ref().map(AsFd::as_fd));
        fds.extend(input.into_iter().flatten());
        self.send(&message, &fds);
        done_rx.await.unwrap_or(Err(libc::EIO))
    }

    /// Answers whoever waits for this tee.
    pub fn teed(&self, key: RequestKey, result: Result<TeeId, i32>) {
        if let Some(done_tx) = self.teeing.borrow_mut().remove(&key) {
            let _ = done_tx.send(result);
        }
    }

    /// Acknowledges a handover.
    pub fn took(&self, _handover: &Handover) {
        self.send(&ToKeeper::Taken { count: 1 }, &[]);
    }

    /// Returns whether everything that starts by itself was asked for, by this daemon or one before it.
    pub fn has_autostarted(&self) -> bool {
        self.shared.load(flags::AUTOSTARTED) != 0
    }

    /// Notes that it was.
    pub fn note_autostarted(&self) {
        self.shared.store(flags::AUTOSTARTED, 1);
    }

    /// Tells the keeper that trim lines moved.
    pub fn ring(&self) {
        self.keeper_bell.ring();
    }

    /// Returns what tells the keeper so, for another thread.
    pub fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.keeper_bell)
    }

    /// Arms the bell. Look for news once more after this, then wait with [`Self::rung`].
    pub fn arm(&self) {
        self.shared.store(flags::ARMED, 1);
        fence(Ordering::SeqCst);
    }

    /// Waits for the bell.
    pub async fn rung(&self) -> io::Result<()> {
        let mut guard = self.bell.readable().await?;
        let _ = rustix::io::read(guard.get_inner(), &mut [0_u8; 8]);
        guard.clear_ready();
        Ok(())
    }
}

/// What is held, and the order last.
fn beside<'a>(held: &'a [Held], parcel: &'a OwnedFd) -> Vec<BorrowedFd<'a>> {
    held.iter().map(|fd| fd.get_ref().as_fd()).chain([parcel.as_fd()]).collect()
}

async fn receive(link: &Link, readable: &AsyncFd<OwnedFd>) -> io::Result<Option<(ToDaemon, Vec<OwnedFd>)>> {
    loop {
        let mut guard = readable.readable().await?;
        match guard.try_io(|_| link.receive()) {
            Ok(Ok(None)) => return Ok(None),
            Ok(Ok(Some((bytes, fds)))) => match message::decode(&bytes) {
                Ok(message) => return Ok(Some((message, fds))),
                // A newer keeper may say things that this daemon does not know.
                Err(error) => tracing::warn!(%error, "skipped a message of the keeper"),
            },
            Ok(Err(error)) => return Err(error),
            Err(_would_block) => {}
        }
    }
}
