//! One client's connection: hello, then requests, input and acknowledgements until it goes.
//!
//! A peer's bytes are never trusted: a bad frame closes this connection and nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::rc::Weak;
use std::sync::Arc;
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::StreamCommon;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task;
use tokio::time::timeout;

use crate::daemon::handler;
use crate::daemon::hub::Hub;
use crate::daemon::hub::Peer;
use crate::daemon::outbox::Outbox;
use crate::daemon::session::Client;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::platform::endpoint;
use crate::protocol::frame::Bulk;
use crate::protocol::frame::Decoder;
use crate::protocol::frame::Kind;
use crate::protocol::hello::Hello;
use crate::protocol::message;
use crate::protocol::message::Event;
use crate::protocol::message::Request;
use crate::protocol::verbs;
use crate::session::id::AttachId;
use crate::session::terminal::Who;
use crate::session::text;

/// Longest wait for a hello.
const HELLO_WAIT: Duration = Duration::from_secs(2);
/// Longest pause inside a frame.
const FRAME_WAIT: Duration = Duration::from_secs(5);
/// Requests of one client that may be under way at once; more of them wait in its socket.
const REQUESTS: usize = 64;
/// The same in bytes.
const REQUEST_BYTES: usize = 4 << 20;
/// How often a client whose requests wait is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// One attachment of this connection.
#[derive(Clone)]
pub struct Channel {
    /// The session.
    pub session: Rc<Session>,
    /// The attachment.
    pub attach: AttachId,
}

/// A history that is being sent, and whose it is.
pub type Sending = (task::JoinHandle<()>, Weak<Session>);

/// What the handlers of one connection share.
pub struct Context {
    /// The daemon.
    pub hub: Rc<Hub>,
    /// This client.
    pub client: Client,
    /// Its entry in the hub.
    pub peer: Rc<Peer>,
    /// Session it runs in, if it said so.
    pub inside: Option<String>,
    /// Its attachments.
    pub channels: RefCell<HashMap<u32, Channel>>,
    /// Histories that are being sent to it, by channel.
    pub logs: RefCell<HashMap<u32, Sending>>,
    /// Requests that may still be begun before one is answered.
    requests: Arc<Semaphore>,
    /// The same in bytes.
    request_bytes: Arc<Semaphore>,
}

/// Serves one client.
pub async fn serve(hub: Rc<Hub>, stream: Stream) {
    let own = rustix::process::geteuid().as_raw();
    let peer = stream.peer_creds().ok().and_then(|creds| creds.euid());
    if peer != Some(own) {
        tracing::warn!(?peer, "turned a client away");
        return;
    }
    let stream = Rc::new(stream);
    let mut receiver = &*stream;
    let outbox = Rc::new(Outbox::default());
    let writer = {
        let (outbox, hub, sender) = (Rc::clone(&outbox), Rc::clone(&hub), Rc::clone(&stream));
        task::spawn_local(async move {
            let tell = |id| {
                if let Some(status) = hub.registry.borrow().status(id) {
                    outbox.notify(&verbs::Changed { status });
                }
            };
            outbox.run(&*sender, tell).await;
        })
    };
    let mut decoder = Decoder::default();
    if let Some(hello) = greet(&mut receiver, &mut decoder, &outbox).await {
        let (id, peer) = hub.join(Rc::clone(&outbox));
        let client = Client { who: hello.who.cleaned(), outbox: Rc::clone(&outbox) };
        let context = Context {
            hub,
            client,
            peer,
            inside: hello.inside,
            channels: RefCell::default(),
            logs: RefCell::default(),
            requests: Arc::new(Semaphore::new(REQUESTS)),
            request_bytes: Arc::new(Semaphore::new(REQUEST_BYTES)),
        };
        let context = Rc::new(context);
        tokio::select! {
            () = read(&context, &stream, &mut decoder) => {}
            () = outbox.closed() => {}
        }
        // From here on nothing can be entered into the channels.
        outbox.close();
        context.hub.leave(id);
        for channel in context.channels.borrow().values() {
            channel.session.mail(Mail::Detach(channel.attach));
        }
    }
    outbox.close();
    let _ = writer.await;
}

/// Exchanges hellos; a peer without a common protocol gets ours, which names us, and is left.
async fn greet<R: AsyncRead + Unpin>(receiver: &mut R, decoder: &mut Decoder, outbox: &Outbox) -> Option<Hello> {
    let ours = Hello::ours(std::process::id(), Who::default(), None);
    let frame = timeout(HELLO_WAIT, next_frame(receiver, decoder)).await.ok()??;
    outbox.push(Kind::Hello, &message::encode(&ours));
    let theirs: Hello = if frame.0 == Kind::Hello { message::decode(&frame.1).ok()? } else { return None };
    if ours.agree(&theirs).is_err() {
        tracing::warn!(version = %text::clean(&theirs.version), pid = theirs.pid, "a client speaks another protocol");
        // Give the writer its turn: the client has to learn who we are.
        task::yield_now().await;
        return None;
    }
    Some(theirs)
}

async fn next_frame<R: AsyncRead + Unpin>(receiver: &mut R, decoder: &mut Decoder) -> Option<(Kind, Vec<u8>)> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        match decoder.next_frame() {
            Ok(Some(frame)) => return Some(frame),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a client sent no frame of ours");
                return None;
            }
        }
        let read = receiver.read(&mut buffer);
        let len = if decoder.is_midway() { timeout(FRAME_WAIT, read).await.ok()? } else { read.await };
        match len {
            Ok(0) | Err(_) => return None,
            Ok(len) => decoder.push(&buffer[..len]),
        }
    }
}

async fn read(context: &Rc<Context>, receiver: &Stream, decoder: &mut Decoder) {
    while let Some((kind, payload)) = next_frame(&mut &*receiver, decoder).await {
        match kind {
            Kind::Request => match message::decode::<Request>(&payload) {
                Ok(request) => {
                    let Some(room) = room_for(context, receiver, payload.len()).await else { return };
                    let context = Rc::clone(context);
                    task::spawn_local(async move {
                        handler::handle(context, request).await;
                        drop(room);
                    });
                }
                Err(_) => return,
            },
            Kind::Bulk => match Bulk::decode(&payload) {
                Some(bulk) => input(context, bulk),
                None => return,
            },
            Kind::Event => match message::decode::<Event>(&payload) {
                Ok(event) => notice(context, &event),
                Err(_) => return,
            },
            Kind::Hello | Kind::Reply => return,
        }
    }
}

/// Waits until a request of so many bytes may be begun; without reading, so that what the client sends meanwhile stays where
/// it is. `None` when the client goes.
async fn room_for(context: &Context, stream: &Stream, len: usize) -> Option<[OwnedSemaphorePermit; 2]> {
    let room = async {
        let one = Arc::clone(&context.requests).acquire_owned().await.ok()?;
        let len = len.min(REQUEST_BYTES) as u32;
        Some([one, Arc::clone(&context.request_bytes).acquire_many_owned(len).await.ok()?])
    };
    tokio::select! {
        biased;
        room = room => room,
        () = hung_up(stream) => None,
    }
}

/// Waits until the client is gone, without reading.
async fn hung_up(stream: &Stream) {
    let Stream::UdSocket(socket) = stream;
    while !endpoint::is_hung_up(socket) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Passes typed bytes on; who has no such channel any more typed into nothing.
fn input(context: &Context, bulk: Bulk) {
    if let Some(channel) = context.channels.borrow().get(&bulk.channel) {
        channel.session.mail(Mail::Input { attach: channel.attach, bytes: bulk.bytes });
    }
}

fn notice(context: &Context, event: &Event) {
    if let Some(drawn) = event.get::<verbs::Drawn>()
        && let Some(channel) = context.channels.borrow().get(&drawn.channel)
    {
        channel.session.mail(Mail::Drawn { attach: channel.attach, frame: drawn.frame });
    }
    if let Some(pane) = event.get::<verbs::PaneSize>()
        && let Some(channel) = context.channels.borrow().get(&pane.channel)
    {
        channel.session.mail(Mail::PaneSize { attach: channel.attach, size: pane.size, pixels: pane.pixels });
    }
}
