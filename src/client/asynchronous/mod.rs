//! A client on tokio: many calls at once over one connection; what goes on (a followed session, changes, an attachment) has
//! a connection of its own, so that whoever reads slowly slows nothing else down.

mod attachment;
mod calls;
mod changes;
mod connection;
mod follow;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::client::envelope;
use crate::client::error::Error;
use crate::platform::endpoint::Place;
use crate::protocol::frame;
use crate::protocol::frame::Kind;
use crate::protocol::message::Verb;
use crate::protocol::verbs;

use self::calls::Call;
use self::connection::Address;

pub use attachment::Attachment;
pub use attachment::Output;
pub use changes::Change;
pub use changes::Changes;
pub use follow::Follow;

/// Calls that may wait for the connection before callers wait for a place.
const QUEUE: usize = 64;

/// A client that survives its daemon. Cloning is cheap and gives the same connection; needs a tokio runtime.
///
/// ```no_run
/// use runpm::client::Chunk;
/// use runpm::client::Client;
/// use runpm::client::Command;
/// use runpm::protocol::verbs::From;
///
/// # async fn example() -> Result<(), runpm::client::Error> {
/// let client = Client::connect_or_start().await?;
/// let build = client.call(&Command::new("make").pipes().request()?).await?;
/// let mut output = client.follow(&build.name, From::Start).await?;
/// while let Some(chunk) = output.next().await? {
///     match chunk {
///         Chunk::Bytes { at, stream, bytes, .. } => println!("{stream:?} at {at}: {} bytes", bytes.len()),
///         Chunk::End(end) => println!("{}", end.map_or_else(|| "removed".to_owned(), |end| end.word())),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    address: Arc<Address>,
    next_id: Arc<AtomicU64>,
    /// Closed when the last clone goes; the task that holds the connection ends then.
    calls_tx: mpsc::Sender<Call>,
}

impl Client {
    /// Connects to the running daemon, or starts one.
    pub async fn connect_or_start() -> Result<Self, Error> {
        Self::open(None, true).await
    }

    /// Connects to the running daemon; [`Error::NotRunning`] when there is none.
    pub async fn connect() -> Result<Self, Error> {
        Self::open(None, false).await
    }

    /// Connects to the running daemon of another place than `RUNPM_DIR` or the system says.
    pub async fn connect_at(place: Place) -> Result<Self, Error> {
        Self::open(Some(place), false).await
    }

    async fn open(place: Option<Place>, is_started: bool) -> Result<Self, Error> {
        let (address, connection) = Address::find(place, is_started).await?;
        let (calls_tx, calls_rx) = mpsc::channel(QUEUE);
        tokio::spawn(calls::run(address.clone(), connection, calls_rx));
        Ok(Self { address: Arc::new(address), next_id: Arc::new(AtomicU64::new(1)), calls_tx })
    }

    /// Asks, and asks again if the daemon is killed meanwhile; others may ask at the same time. Requests that must not be
    /// done twice carry a key. A future that is dropped asks no more; what it asked may be done all the same.
    pub async fn call<V: Verb>(&self, verb: &V) -> Result<V::Reply, Error> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut bytes = Vec::new();
        frame::encode(Kind::Request, &envelope::request(id, verb), &mut bytes)?;
        let (reply_tx, reply_rx) = oneshot::channel();
        let gone = || Error::Lost(std::io::ErrorKind::BrokenPipe.into());
        self.calls_tx.send(Call::new(id, bytes, reply_tx)).await.map_err(|_| gone())?;
        envelope::open::<V>(reply_rx.await.map_err(|_| gone())??)
    }

    /// Follows what a session says from a place in its history, byte for byte, across restarts of the daemon. Nothing is
    /// consumed: others see the same.
    pub async fn follow(&self, target: &str, from: verbs::From) -> Result<Follow, Error> {
        Follow::open(self.address.as_ref().clone(), target.to_owned(), from).await
    }

    /// Follows all sessions as a whole: what is new, what changed, what is gone.
    pub async fn subscribe(&self) -> Result<Changes, Error> {
        Changes::open(self.address.as_ref().clone()).await
    }

    /// Attaches to a session: its bytes from now on, after its screen if `request.is_tty`; keyboard and size unless
    /// `request.view`.
    pub async fn attach(&self, request: verbs::Attach) -> Result<Attachment, Error> {
        Attachment::open(self.address.as_ref().clone(), request).await
    }

    /// Returns where the daemon is met.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.address.place
    }
}
