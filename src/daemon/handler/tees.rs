//! Copies of a stream: checked and opened here, made by the keeper, seen in their memories.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use serde_bytes::ByteBuf;
use tokio::task;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::handler::find;
use crate::daemon::keeper_link::TeeRequest;
use crate::daemon::session::Session;
use crate::daemon::tees::Claim;
use crate::daemon::tees::Tee;
use crate::history::Gap;
use crate::history::Step;
use crate::history::Stream;
use crate::platform::clock;
use crate::platform::failpoint;
use crate::platform::sink;
use crate::platform::sink::Open;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::protocol::verbs::TeeFrom;
use crate::session::id::TeeId;
use crate::session::spec;
use crate::session::spec::Kind;
use crate::session::spec::Launch;
use crate::session::tee::Policy;
use crate::session::tee::Source;
use crate::session::tee::Target;
use crate::session::tee::TeeFile;
use crate::session::tee::TeeOrder;
use crate::session::text;

/// Most tees of one session; each is a process.
const TEES: usize = 64;
/// A tee that needs longer than this for its end, twice what it takes itself, is killed.
const PATIENCE: Duration = Duration::from_secs(4);
/// Most bytes of one answer.
const READ: usize = 512 << 10;

pub(super) async fn tee(context: &Rc<Context>, verb: verbs::Tee) -> Answer<verbs::Tee> {
    let hub = &context.hub;
    if let Some(tee) = hub.tees.by_key(verb.key) {
        return Ok(verbs::TeeStarted { id: tee.handover.id, from: tee.from });
    }
    if hub.is_ending.get() {
        return Err(WireError::new(Code::ShuttingDown, "the daemon is shutting down"));
    }
    let session = find(context, &verb.target)?;
    check(&session, &verb)?;
    if hub.tees.of(session.id).len() >= TEES {
        let message = format!("session {} has {TEES} tees already", session.facts.borrow().name);
        return Err(WireError::new(Code::Failed, message).hint("`rpm untee` removes those that are done"));
    }
    let from = start(&session, &verb)?;
    // Nothing is overwritten while the tee is made, as for a follower.
    let cursor = session.follow(from, session.history.ring());
    let opened = open(&verb).await?;
    let (file, known) = opened.map_or((None, None), |Opened { fd, file, .. }| (Some(fd), file));
    let _claim = known.as_ref().map(|file| claim(context, &verb, file)).transpose()?;
    let file = match file {
        Some(fd) if verb.spec.truncate && known.is_some() => Some(emptied(fd, &verb).await?),
        file => file,
    };
    let started_ms = clock::wall_ms();
    let order = TeeOrder { spec: verb.spec.clone(), from, launch: command(&verb), started_ms, file: known };
    let failed = |errno: i32| WireError::new(Code::Failed, format!("cannot start the tee: {}", reason(errno)));
    let input = if verb.spec.source == Source::In {
        Some(sink::pipe().map_err(|error| failed(error.raw_os_error().unwrap_or(libc::EIO)))?)
    } else {
        None
    };
    let hold = if verb.spec.source == Source::In { 0 } else { from + 1 };
    let ask = TeeRequest { key: verb.key, session: session.id, order: &order, hold, file, input };
    let id = hub.keeper.tee(ask).await.map_err(failed)?;
    failpoint::hit(hub.dir(), "teed-unanswered");
    drop(cursor);
    Ok(verbs::TeeStarted { id, from })
}

fn check(session: &Session, verb: &verbs::Tee) -> Result<(), WireError> {
    let invalid = |message: String, hint: &str| Err(WireError::new(Code::Invalid, message).hint(hint));
    if let Some((message, hint)) = verb.spec.fault() {
        return invalid(message, hint);
    }
    if session.handover.kind == Kind::Pty && verb.spec.source.stream().is_some() {
        let message = format!("session {} has a terminal: its output is one stream", session.facts.borrow().name);
        return invalid(message, "leave out --stream; only `rpm run --pipe` keeps output and errors apart");
    }
    let strings = verb.launch.iter().flat_map(|launch| launch.env.iter().chain([&launch.cwd]));
    if strings.into_iter().any(|bytes| bytes.contains(&0)) {
        return invalid("a NUL byte cannot be part of an environment or a directory".to_owned(), "leave it out");
    }
    Ok(())
}

/// Returns the first byte wanted.
fn start(session: &Session, verb: &verbs::Tee) -> Result<u64, WireError> {
    let head = session.history.head();
    let from = match verb.from {
        TeeFrom::Now => head,
        TeeFrom::Start => session.history.oldest(),
        TeeFrom::Offset(offset) => offset,
    };
    let name = &session.facts.borrow().name;
    if from > head {
        let message = format!("session {name} has said {head} bytes, there is no byte {from} yet");
        return Err(WireError::new(Code::Invalid, message).hint("leave out --from to begin with what comes next"));
    }
    let has_ended = session.history.exit().is_some();
    if has_ended && (verb.spec.source == Source::In || verb.from == TeeFrom::Now) {
        let hint =
            if verb.spec.source == Source::In { "its input was not kept" } else { "--from start copies what it said" };
        return Err(WireError::new(Code::Ended, format!("session {name} has ended: nothing more will come")).hint(hint));
    }
    if verb.spec.source == Source::In && verb.from != TeeFrom::Now {
        let message = "input is not kept: a tee of it begins now".to_owned();
        return Err(WireError::new(Code::Invalid, message).hint("leave out --from"));
    }
    Ok(from)
}

/// A file that was opened.
struct Opened {
    fd: OwnedFd,
    is_regular: bool,
    /// Which one, if two writers would be in each other's way.
    file: Option<TeeFile>,
}

/// Opens the file; that may take its time, but only of those who wait for it.
async fn open(verb: &verbs::Tee) -> Result<Option<Opened>, WireError> {
    let Target::File(path) = &verb.spec.target else { return Ok(None) };
    let owned = path.to_vec();
    let opened = away(path, move || {
        let fd = sink::open(&owned, Open::Append)?;
        let is_regular = sink::regular_size(&fd)?.is_some();
        let file = if sink::is_one_writers(&fd)? {
            let identity = sink::identity(&fd)?;
            let path = ByteBuf::from(sink::real_path(&owned)?);
            Some(TeeFile { path, device: identity.device, inode: identity.inode })
        } else {
            None
        };
        Ok(Opened { fd, is_regular, file })
    });
    let opened = opened.await?;
    if !opened.is_regular && (verb.spec.max_size > 0 || verb.spec.policy == Policy::Block) {
        let shown = text::quote(&[path]);
        let message = format!("{shown} is no ordinary file: it cannot be rotated, and must not make a program wait");
        return Err(WireError::new(Code::Invalid, message).hint("leave out --max-size and --policy block"));
    }
    Ok(Some(opened))
}

/// Does something with a file where it keeps nobody else waiting, and says what went wrong.
async fn away<T, F>(path: &[u8], work: F) -> Result<T, WireError>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    let result = task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::from_raw_os_error(libc::EIO)));
    result.map_err(|error| {
        let (why, hint) = match error.raw_os_error().unwrap_or(libc::EIO) {
            libc::EISDIR => ("it is a directory".to_owned(), Some("name a file in it")),
            libc::ENXIO => ("nobody reads it".to_owned(), Some("start the reader of the FIFO first")),
            libc::ELOOP => ("it is a symbolic link, which is not followed".to_owned(), Some("name what it points at")),
            libc::ENOENT => ("its folder does not exist".to_owned(), Some("make the folder first")),
            errno => (reason(errno), None),
        };
        let error = WireError::new(Code::Failed, format!("cannot copy to {}: {why}", text::quote(&[path])));
        WireError { hint: hint.map(str::to_owned), ..error }
    })
}

/// Two who add to one file would mix their lines, and rotate under each other.
fn claim<'a>(context: &'a Rc<Context>, verb: &verbs::Tee, file: &TeeFile) -> Result<Claim<'a>, WireError> {
    let claimed = context.hub.tees.claim(verb.key, verb.spec.keep, file);
    claimed.map_err(|other| {
        let shown = text::quote(&[&file.path]);
        let Some(other) = other else {
            let message = format!("cannot copy to {shown}: another tee to it is just being made");
            return WireError::new(Code::Failed, message).hint("name another file");
        };
        let (id, name) = (other.handover.id, name(context, &other));
        let message = format!("cannot copy to {shown}: tee {id} of session {name} has that file");
        WireError::new(Code::Failed, message).hint(format!("name another file, or `rpm untee {id}` first"))
    })
}

async fn emptied(fd: OwnedFd, verb: &verbs::Tee) -> Result<OwnedFd, WireError> {
    let Target::File(path) = &verb.spec.target else { return Ok(fd) };
    away(path, move || {
        if sink::regular_size(&fd)?.is_some() {
            sink::empty(&fd)?;
        }
        Ok(fd)
    })
    .await
}

/// A tee is no member of the session, so it does not bear its name.
fn command(verb: &verbs::Tee) -> Option<Launch> {
    let Target::Command(command) = &verb.spec.target else { return None };
    let launch = verb.launch.clone().unwrap_or_default();
    let argv = [b"/bin/sh", &b"-c"[..], command].map(|arg| ByteBuf::from(arg.to_vec())).to_vec();
    Some(Launch { argv, env: spec::environment(&launch.env, Kind::Pipe, &[]), ..launch })
}

fn reason(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Returns what there is of the history of a tee's session.
fn extent(context: &Context, tee: &Tee) -> Range<u64> {
    let session = context.hub.registry.borrow().get(tee.handover.session);
    session.map_or(0..0, |session| session.history.oldest()..session.history.head())
}

fn named(context: &Context, tee: &Tee) -> verbs::TeeInfo {
    let mut info = tee.info(extent(context, tee));
    info.name = name(context, tee);
    info
}

fn name(context: &Context, tee: &Tee) -> String {
    let session = context.hub.registry.borrow().get(tee.handover.session);
    session.map(|session| session.facts.borrow().name.clone()).unwrap_or_default()
}

pub(super) fn list(context: &Rc<Context>, verb: verbs::Tees) -> Answer<verbs::Tees> {
    let tees = &context.hub.tees;
    let chosen = if verb.targets.is_empty() {
        tees.all()
    } else {
        let ids = context.hub.registry.borrow().select(&verb.targets)?;
        ids.into_iter().flat_map(|id| tees.of(id)).collect()
    };
    Ok(verbs::TeeListing { tees: chosen.iter().map(|tee| named(context, tee)).collect() })
}

pub(super) async fn untee(context: &Rc<Context>, verb: verbs::Untee) -> Answer<verbs::Untee> {
    let hub = &context.hub;
    let mut ids: BTreeSet<TeeId> = BTreeSet::new();
    // Numbers are targets as well: a lone name is one only without them.
    let (sessions, missing) = match hub.registry.borrow().select_each(&verb.targets) {
        Err(error) if !verb.ids.is_empty() => (Vec::new(), vec![WireError::from(error)]),
        selected => {
            let (sessions, missing) = selected?;
            (sessions, missing.into_iter().map(|missing| missing.error.into()).collect())
        }
    };
    for session in sessions {
        ids.extend(hub.tees.of(session).iter().map(|tee| tee.handover.id));
    }
    let is_repeated = hub.registry.borrow().sessions().any(|session| session.request_progress(verb.key).is_some());
    let mut answer = verbs::Unteed { errors: missing, ..verbs::Unteed::default() };
    for id in &verb.ids {
        if hub.tees.get(*id).is_some() {
            ids.insert(*id);
        } else if !is_repeated {
            let error = WireError::new(Code::NoSuchSession, format!("there is no tee {id}"));
            answer.errors.push(error.hint("`rpm tees` lists them"));
        }
    }
    let tees = ids.into_iter().filter_map(|id| hub.tees.get(id));
    // What is said from now on is not wanted, and so not missed.
    let tees: Vec<_> = tees.map(|tee| (extent(context, &tee), name(context, &tee), tee)).collect();
    for (_, _, tee) in &tees {
        if let Some(session) = hub.registry.borrow().get(tee.handover.session) {
            session.begin_request(verb.key);
        }
        hub.keeper.send(&ToKeeper::Untee { id: tee.handover.id }, &[]);
    }
    for (wanted, name, tee) in tees {
        if tokio::time::timeout(PATIENCE, hub.tees.forgotten(&tee)).await.is_err() {
            hub.keeper.send(&ToKeeper::Untee { id: tee.handover.id }, &[]);
            hub.tees.forgotten(&tee).await;
        }
        answer.tees.push(verbs::TeeInfo { name, ..tee.info(wanted) });
    }
    Ok(answer)
}

pub(super) fn read(context: &Rc<Context>, verb: verbs::Read) -> Answer<verbs::Read> {
    let session = find(context, &verb.target)?;
    let history = &session.history;
    let limit = if verb.limit == 0 { READ } else { READ.min(verb.limit as usize) };
    // In this order: an end that is told has nothing after it that was not looked at.
    let end = session.status.borrow().end().cloned();
    let head = history.head();
    if verb.from > head {
        let message = format!("there is no byte {} yet, only {head}", verb.from);
        return Err(WireError::new(Code::Invalid, message).hint("ask from `next` of the answer before"));
    }
    let (bytes, at, next) = piece(&session, verb.from, limit, verb.stream);
    let missed = at - verb.from;
    let exit_at = history.exit().map_or(0, |exit| exit.at);
    let ended = end.filter(|_| next >= exit_at && next >= head);
    Ok(verbs::ReadBytes { at, bytes: ByteBuf::from(bytes), next, missed, head, ended })
}

/// Copies up to `limit` bytes; returns them with where they begin and where to go on. What is looked through for them is
/// bounded too.
fn piece(session: &Session, from: u64, limit: usize, stream: Option<Stream>) -> (Vec<u8>, u64, u64) {
    let history = &session.history;
    let mut begin = from;
    let mut at = history.position(from);
    let mut bytes = Vec::new();
    while bytes.len() < limit && at.offset - begin < READ as u64 {
        let start = bytes.len();
        bytes.resize(limit.min(start + (64 << 10)), 0);
        let step = history.step(&mut at, &mut bytes[start..]);
        let kept = match step {
            Ok(Some(Step::Bytes(of, len))) if stream.is_none_or(|only| only == of) => len,
            _ => 0,
        };
        bytes.truncate(start + kept);
        match step {
            // A gap behind bytes that were copied is for the next answer.
            Err(Gap { oldest }) if at.offset == begin && oldest > begin => {
                begin = oldest;
                at = history.position(begin);
            }
            Err(Gap { oldest }) if oldest <= at.offset => at = history.position(at.offset),
            Err(_) | Ok(None) => break,
            Ok(Some(_)) => {}
        }
    }
    (bytes, begin, at.offset)
}
