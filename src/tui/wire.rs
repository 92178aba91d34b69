//! The dashboard's side of the connection: what was asked, what was answered, and the next connection when one breaks.
//!
//! Connecting may have to wait for a daemon that is being restarted, so it happens on a thread of its own while keys and screen go on.
//! A question that does something carries a key and is asked again on the next connection; the others are forgotten with the old one.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use rustix::pipe::PipeFlags;
use serde_bytes::ByteBuf;

use crate::client;
use crate::client::Error;
use crate::client::Typing;
use crate::client::blocking::Client;
use crate::client::blocking::Connection;
use crate::client::blocking::Incoming;
use crate::client::follow;
use crate::client::follow::Follower;
use crate::client::inherit;
use crate::history::Stream;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::message::Notice;
use crate::protocol::message::Reply;
use crate::protocol::message::Verb;
use crate::protocol::verbs;
use crate::protocol::verbs::Deed;
use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::spec::Spec;
use crate::term::Size;
use crate::tui::app::Answer;
use crate::tui::app::Ask;
use crate::tui::app::Msg;
use crate::tui::app::Program;
use crate::tui::app::Span;

/// Pause before the next try, when there is no daemon at all.
const RETRY_NS: u64 = 1_000_000_000;
/// How long a reload waits until the fresh instance is ready.
const RELOAD_MS: u64 = 60_000;
/// How long a program may leave unread what was typed before.
const PATIENCE_MS: u64 = 5000;

type Post = Box<dyn Fn(&mut Connection) -> Result<u64, Error>>;
type Open = Box<dyn Fn(Reply) -> Result<Answer, Error>>;

/// Something that was asked.
struct Question {
    ask: Ask,
    post: Post,
    open: Open,
    is_durable: bool,
}

/// A thread that connects.
struct Attempt {
    result: mpsc::Receiver<Result<Client, Error>>,
    /// Readable at its end once there is a result.
    done: OwnedFd,
}

/// See the module.
pub struct Wire {
    client: Option<Client>,
    asked: HashMap<u64, Question>,
    /// Asked before, to be asked again.
    again: Vec<Question>,
    attempt: Option<Attempt>,
    retry_at: Option<u64>,
    /// What may be typed on each channel.
    typing: HashMap<u32, Typing>,
    /// Histories that are read in pieces.
    followers: HashMap<u32, Follower>,
    /// The connection broke, and nobody was told yet.
    broken: Option<String>,
}

impl Wire {
    /// Starts with a connection.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client: Some(client),
            asked: HashMap::new(),
            again: Vec::new(),
            attempt: None,
            retry_at: None,
            typing: HashMap::new(),
            followers: HashMap::new(),
            broken: None,
        }
    }

    /// Returns the connection, for polling.
    pub fn connection(&mut self) -> Option<&mut Connection> {
        self.client.as_mut().map(Client::connection)
    }

    /// Returns the descriptor that tells of a finished try to connect.
    #[must_use]
    pub fn attempt(&self) -> Option<BorrowedFd<'_>> {
        self.attempt.as_ref().map(|attempt| attempt.done.as_fd())
    }

    /// Returns when the next try is due.
    #[must_use]
    pub const fn deadline(&self) -> Option<u64> {
        self.retry_at
    }

    /// Asks.
    pub fn ask(&mut self, ask: Ask) {
        match &ask {
            Ask::Logs { channel, id, span, stream } => {
                self.followers.insert(*channel, Follower::new(logs(*channel, *id, *span, *stream)));
            }
            Ask::Detach { channel } => drop(self.followers.remove(channel)),
            _ => {}
        }
        let question = question(ask);
        self.put(question);
    }

    fn put(&mut self, question: Question) {
        let Some(client) = &mut self.client else {
            self.again.extend(question.is_durable.then_some(question));
            return;
        };
        match (question.post)(client.connection()) {
            Ok(id) => {
                self.asked.insert(id, question);
            }
            Err(error) => {
                self.again.extend(question.is_durable.then_some(question));
                self.broke(&error);
            }
        }
    }

    /// Tells.
    pub fn notify<N: Notice>(&mut self, notice: &N) {
        self.perform(|connection| connection.notify(notice));
    }

    /// Types, as far as the daemon allows; the rest goes when it allows more.
    pub fn input(&mut self, channel: u32, bytes: &[u8]) {
        if let Some(typing) = self.typing.get_mut(&channel) {
            let bytes = typing.type_in(bytes);
            self.perform(|connection| connection.input(channel, &bytes));
        }
    }

    /// An attachment was made or ended: what it may type.
    fn note_credit(&mut self, ask: &Ask, answer: &Result<Answer, Error>) {
        match (ask, answer) {
            (Ask::Watch { channel, .. }, Ok(Answer::Attached(attached))) => {
                self.typing.insert(*channel, Typing::new(attached.credit, attached.kind == Kind::Pty));
            }
            (Ask::Detach { channel }, _) => drop(self.typing.remove(channel)),
            _ => {}
        }
    }

    fn on_credit(&mut self, credit: verbs::Credit) {
        if let Some(typing) = self.typing.get_mut(&credit.channel) {
            let bytes = typing.credited(credit.bytes);
            self.perform(|connection| connection.input(credit.channel, &bytes));
        }
    }

    /// Sends what waits.
    pub fn flush(&mut self) {
        self.perform(Connection::flush);
    }

    fn perform(&mut self, work: impl FnOnce(&mut Connection) -> Result<(), Error>) {
        if let Some(client) = &mut self.client
            && let Err(error) = work(client.connection())
        {
            self.broke(&error);
        }
    }

    fn broke(&mut self, error: &Error) {
        self.client = None;
        self.typing.clear();
        self.followers.clear();
        self.again.extend(self.asked.drain().map(|(_, question)| question).filter(|question| question.is_durable));
        self.broken = Some(reason(error));
        self.retry_at = Some(0);
    }

    /// Returns the next thing that the daemon sent, or that became of the connection.
    pub fn next_msg(&mut self) -> Option<Msg> {
        loop {
            if let Some(reason) = self.broken.take() {
                return Some(Msg::Lost(reason));
            }
            match self.client.as_mut()?.connection().try_receive() {
                Ok(Some(incoming)) => {
                    if let Some(msg) = self.translate(incoming) {
                        return Some(msg);
                    }
                }
                Ok(None) => return None,
                Err(error) => self.broke(&error),
            }
        }
    }

    fn translate(&mut self, incoming: Incoming) -> Option<Msg> {
        let channel = if self.followers.is_empty() { None } else { follow::channel_of(&incoming) };
        if let Some((channel, follower)) = channel.and_then(|it| self.followers.get_mut(&it).map(|known| (it, known))) {
            let chunk = follower.take(incoming)?;
            if follower.is_over() {
                self.followers.remove(&channel);
            }
            return Some(Msg::Log { channel, chunk });
        }
        match incoming {
            Incoming::Bulk(bulk) => Some(Msg::Bulk(bulk)),
            Incoming::Reply(reply) => {
                let question = self.asked.remove(&reply.id)?;
                let result = (question.open)(reply);
                self.note_credit(&question.ask, &result);
                let result = result.map_err(|error| match error {
                    Error::Refused(error) => error,
                    other => WireError::new(Code::Failed, other.to_string()),
                });
                Some(Msg::Reply(question.ask, result))
            }
            Incoming::Event(event) if event.get::<verbs::Credit>().is_some() => {
                event.get().into_iter().for_each(|credit| self.on_credit(credit));
                None
            }
            Incoming::Event(event) => None
                .or_else(|| event.get().map(|verbs::Changed { status }| Msg::Changed(Box::new(status))))
                .or_else(|| event.get().map(|verbs::Removed { id }| Msg::Removed(id)))
                .or_else(|| event.get().map(Msg::Stolen))
                .or_else(|| event.get().map(Msg::Clipboard))
                .or_else(|| event.get().map(|verbs::Reloaded {}| Msg::ReloadSettings))
                .or_else(|| event.get().map(|happened| Msg::Happened(Box::new(happened))))
                .or_else(|| event.get().map(Msg::Closed)),
        }
    }

    /// Starts a try to connect that is due.
    pub fn retry(&mut self, now: u64) {
        if self.retry_at.is_some_and(|at| now >= at) && self.attempt.is_none() {
            self.retry_at = None;
            self.attempt = start(Client::connect);
        }
    }

    /// Starts a daemon, unless one is being waited for.
    pub fn start_daemon(&mut self) {
        if self.client.is_none() && self.attempt.is_none() {
            self.retry_at = None;
            self.attempt = start(Client::connect_or_start);
        }
    }

    /// Takes the result of a try to connect.
    pub fn attempted(&mut self, now: u64) -> Option<Msg> {
        let result = self.attempt.as_ref()?.result.try_recv().ok()?;
        self.attempt = None;
        match result {
            Ok(client) => {
                self.client = Some(client);
                for question in std::mem::take(&mut self.again) {
                    self.put(question);
                }
                Some(Msg::Connected)
            }
            Err(error) => {
                let next = now + RETRY_NS;
                self.retry_at = Some(next);
                Some(Msg::StillLost { reason: reason(&error), next })
            }
        }
    }
}

/// Runs a way to connect on a thread.
fn start(connect: fn() -> Result<Client, Error>) -> Option<Attempt> {
    let (done, at_end) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).ok()?;
    let (result_tx, result) = mpsc::channel();
    let work = move || {
        let _ = result_tx.send(connect());
        // Closing it wakes the loop.
        drop(at_end);
    };
    thread::Builder::new().name("connect".to_owned()).spawn(work).ok()?;
    Some(Attempt { result, done })
}

fn reason(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{error}{cause}")
}

fn question(ask: Ask) -> Question {
    let copy = ask.clone();
    match copy {
        Ask::Subscribe => plain(ask, verbs::Subscribe {}, |listing| Answer::Listing(listing.sessions)),
        Ask::Watch { channel, target } => {
            plain(ask, verbs::Watch { channel, target, terminal: inherit::terminal() }, Answer::Attached)
        }
        Ask::Take { channel, steal, size } => {
            plain(ask, verbs::Take { channel, steal, share: false, size, agent: inherit::agent() }, |_| Answer::Done)
        }
        Ask::Release { channel } => plain(ask, verbs::Release { channel }, |_| Answer::Done),
        Ask::Detach { channel } => plain(ask, verbs::Detach { channel }, |_| Answer::Done),
        Ask::History { channel, id, from, most } => {
            let target = id.to_string();
            let logs = verbs::Logs { channel, target, from, most, past_gaps: true, ..verbs::Logs::default() };
            plain(ask, logs, |_| Answer::Done)
        }
        Ask::Logs { channel, id, span, stream } => plain(ask, logs(channel, id, span, stream), |_| Answer::Done),
        Ask::Act { ids, deed } => act(ask, &ids, deed),
        Ask::Why { id } => plain(ask, verbs::Why { targets: names(&[id]) }, |reply| Answer::Histories(reply.services)),
        Ask::Definition { id } => plain(ask, verbs::Definitions { targets: names(&[id]), is_brief: false }, |reply| {
            Answer::Definitions(reply.definitions)
        }),
        Ask::Events => {
            let kinds = ["bell", "notification", "ended"].map(str::to_owned).to_vec();
            plain(ask, verbs::Events { kinds, ..verbs::Events::default() }, |_| Answer::Done)
        }
        Ask::Sample => plain(ask, verbs::List::default(), |listing| Answer::Listing(listing.sessions)),
        Ask::Procs { ids } => plain(ask, procs(&ids), |reply| Answer::Procs(reply.processes)),
        Ask::LastLine { id } => {
            let screen = verbs::ScreenOf { target: id.to_string(), ..verbs::ScreenOf::default() };
            plain(ask, screen, |reply| Answer::Text(reply.text))
        }
        Ask::Run { size, program } => {
            let run = verbs::Run { key: client::request_key(), spec: spec(size, program), ..verbs::Run::default() };
            durable(ask, run, Answer::Started)
        }
        Ask::Signal { ids, signal } => {
            let signal =
                verbs::Signal { key: client::request_key(), targets: names(&ids), signal, ..verbs::Signal::default() };
            durable(ask, signal, |reply| Answer::Outcomes(reply.outcomes))
        }
        Ask::Send { id, text, is_keys } => durable(ask, send(id, text, is_keys), |_| Answer::Done),
        Ask::Rename { id, name, tags } => {
            durable(ask, verbs::Rename { target: id.to_string(), name, tags }, |_| Answer::Done)
        }
        Ask::Stop { ids, grace_ms } => {
            // A service has a grace of its own.
            let (key, targets, is_default) = (client::request_key(), names(&ids), grace_ms > 0);
            let stop = verbs::Stop { key, targets, grace_ms, is_default, ..verbs::Stop::default() };
            durable(ask, stop, |reply| Answer::Outcomes(reply.outcomes))
        }
        Ask::Remove { ids } => {
            durable(ask, verbs::Remove { targets: names(&ids), ..verbs::Remove::default() }, |reply| {
                Answer::Outcomes(reply.outcomes)
            })
        }
    }
}

fn procs(ids: &[SessionId]) -> verbs::Procs {
    verbs::Procs { targets: names(ids), ..verbs::Procs::default() }
}

fn act(ask: Ask, ids: &[SessionId], deed: Deed) -> Question {
    // A reload waits for the fresh instance; else the changes tell what became of it.
    let wait_ms = if deed == Deed::Reload { RELOAD_MS } else { 0 };
    let act = verbs::Act { key: client::request_key(), deed, targets: names(ids), wait_ms, ..Default::default() };
    durable(ask, act, Answer::Acts)
}

fn logs(channel: u32, id: SessionId, span: Span, stream: Option<Stream>) -> verbs::Logs {
    let (from, most) = match span {
        Span::Last(lines) => (verbs::From::Lines(lines), None),
        Span::From(offset) => (verbs::From::Offset(offset), None),
        Span::Between(from, until) => (verbs::From::Offset(from), Some(until - from)),
    };
    let target = id.to_string();
    verbs::Logs {
        channel,
        target,
        from,
        follow: most.is_none(),
        most,
        stream,
        marks: true,
        past_gaps: true,
        stays: false,
    }
}

/// Types names of keys, or a line.
fn send(id: SessionId, text: String, is_keys: bool) -> verbs::Send {
    let (key, target) = (client::request_key(), id.to_string());
    let base = verbs::Send { key, target, patience_ms: PATIENCE_MS, ..verbs::Send::default() };
    if is_keys {
        verbs::Send { keys: Some(text), ..base }
    } else {
        verbs::Send { bytes: ByteBuf::from(text.into_bytes()), enter: true, ..base }
    }
}

fn names(ids: &[SessionId]) -> Vec<String> {
    ids.iter().map(SessionId::to_string).collect()
}

/// Returns what to start: a program with our environment, or a shell.
fn spec(size: Size, program: Option<Box<Program>>) -> Spec {
    let program = program.unwrap_or_default();
    let argv: Vec<ByteBuf> = program.argv.into_iter().map(|arg| ByteBuf::from(arg.into_bytes())).collect();
    let argv = if argv.is_empty() { vec![inherit::shell()] } else { argv };
    let launch = inherit::launch(argv, program.cwd.as_deref().map(Path::new));
    Spec { name: program.name, kind: program.kind, tags: program.tags, size, launch, ..Spec::default() }
}

fn plain<V: Verb + 'static>(ask: Ask, verb: V, answer: fn(V::Reply) -> Answer) -> Question {
    Question {
        ask,
        post: Box::new(move |connection| connection.post(&verb)),
        open: Box::new(move |reply| client::blocking::open::<V>(reply).map(answer)),
        is_durable: false,
    }
}

fn durable<V: Verb + 'static>(ask: Ask, verb: V, answer: fn(V::Reply) -> Answer) -> Question {
    Question { is_durable: true, ..plain(ask, verb, answer) }
}
