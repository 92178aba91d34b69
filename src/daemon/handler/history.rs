//! Looking at history: nothing here changes what anybody else sees.

use std::rc::Rc;

use tokio::sync::oneshot;
use tokio::task;

use crate::daemon::backlog;
use crate::daemon::connection::Context;
use crate::daemon::follow::Follow;
use crate::daemon::handler::Answer;
use crate::daemon::handler::find;
use crate::daemon::handler::gone;
use crate::daemon::handler::reply_now;
use crate::daemon::hub::Hub;
use crate::daemon::journals;
use crate::daemon::journals::Pages;
use crate::daemon::logs::Beginning;
use crate::daemon::outbox::Outbox;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::daemon::session::Start;
use crate::daemon::session::check_stream;
use crate::journal::name;
use crate::platform::clock;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::message;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;
use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::term::Size;

/// Pieces of a large frame, so that others get their turn on the wire.
const PIECE: usize = 64 << 10;

pub(super) fn follow_logs(context: &Rc<Context>, request: u64, verb: verbs::Logs) -> Result<(), WireError> {
    let id = context.hub.registry.borrow().one(&verb.target)?;
    let Some(session) = context.hub.registry.borrow().get(id) else { return lost_logs(context, request, verb, id) };
    check_stream(&session, verb.stream)?;
    let attached = verbs::Attached {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        kind: session.handover.kind,
        ended: session.status.borrow().end().cloned(),
        ..verbs::Attached::default()
    };
    reply_now(context, request, &attached);
    let pages = backlog::pages(&context.hub, &session);
    let (channel, follows) = (verb.channel, verb.follow);
    let sending = task::spawn_local(send_log(
        Rc::clone(&context.hub),
        Rc::clone(&context.client.outbox),
        Rc::clone(&session),
        pages,
        verb,
    ));
    if follows {
        let mut logs = context.logs.borrow_mut();
        logs.retain(|_, (sending, _)| !sending.is_finished());
        logs.insert(channel, (sending, Rc::downgrade(&session)));
    }
    Ok(())
}

/// Returns where a log stops, given where it starts and where what was said ends.
fn until(verb: &verbs::Logs, from: u64, end: u64) -> Option<u64> {
    let most = verb.most.map(|most| from.saturating_add(most));
    (!verb.follow).then_some(end).into_iter().chain(most).min()
}

/// Of a session that was lost with its keeper its journal is left, if it had one; of a service without a session, too.
fn lost_logs(context: &Rc<Context>, request: u64, verb: verbs::Logs, id: SessionId) -> Result<(), WireError> {
    let status = context.hub.registry.borrow().status(id).ok_or_else(gone)?;
    let end = status.end().cloned();
    let unit = context.hub.services.of(id);
    let folder = match (status.journal, unit) {
        (Some(journal), _) => journal.folder,
        (None, Some(unit)) => name::of_service(&unit.definition.borrow().spec.journal_name(unit.instance)),
        (None, None) => return find(context, &verb.target).map(drop),
    };
    let attached =
        verbs::Attached { id, name: status.name, kind: status.kind, ended: end.clone(), ..verbs::Attached::default() };
    reply_now(context, request, &attached);
    let mut pages = Pages::new(context.hub.journals.path(&folder));
    let mut follow = Follow {
        outbox: Rc::clone(&context.client.outbox),
        channel: verb.channel,
        stream: verb.stream,
        marks: verb.marks,
        until: None,
        stays: None,
        ends_at_gap: false,
        from_oldest: false,
        paints: false,
        pages: None,
    };
    task::spawn_local(async move {
        let Beginning { at: from, missed, is_torn } = journals::start_of_lost(&mut pages, verb.from, verb.stream).await;
        follow.until = verb.most.map(|most| from.saturating_add(most));
        if is_torn {
            follow.outbox.notify(&verbs::Torn { channel: verb.channel, at: from });
        }
        if verb.marks && status.kind == Kind::Pty {
            let size = pages.look(move |reader| reader.size_at(from)).await.ok().flatten();
            let size = size.map_or(status.size, |(rows, cols)| Size::clamped(rows, cols));
            follow.outbox.notify(&verbs::Mark {
                channel: verb.channel,
                at: from,
                time_us: 0,
                point: Point::Resize(size),
            });
        }
        follow.run_lost(pages, from, missed, end).await;
    });
    Ok(())
}

/// Finds the start, which may take several turns, and sends from there.
async fn send_log(hub: Rc<Hub>, outbox: Rc<Outbox>, session: Rc<Session>, mut pages: Option<Pages>, verb: verbs::Logs) {
    let head = session.history.head();
    let Beginning { at: mut from, missed, mut is_torn } =
        journals::start(&session, pages.as_mut(), verb.from, verb.stream).await;
    let cursor = session.follow(from, session.history.ring());
    if from < session.history.oldest() && pages.is_some() {
        // It begins on disk, where nobody has to wait for it.
        cursor.offset.set(u64::MAX);
    } else if verb.follow {
        // The program may write a ring before the cursor holds it back; "from the start" means what is there when it does.
        session.mail(Mail::CursorMoved);
        task::yield_now().await;
        if verb.from == verbs::From::Start {
            let memory = session.history.oldest();
            if pages.is_none() && memory > from {
                (from, is_torn) = (memory, true);
            }
            cursor.offset.set(from);
        }
    }
    if is_torn {
        outbox.notify(&verbs::Torn { channel: verb.channel, at: from });
    }
    if verb.marks && session.handover.kind == Kind::Pty {
        let (size, time_us) =
            (size_at(&session, pages.as_mut(), from).await, clock::wall_us_of(session.history.time_at(from)));
        outbox.notify(&verbs::Mark { channel: verb.channel, at: from, time_us, point: Point::Resize(size) });
    }
    let follow = Follow {
        paints: false,
        outbox,
        channel: verb.channel,
        stream: verb.stream,
        marks: verb.marks,
        until: until(&verb, from, head.max(from)),
        stays: (verb.follow && verb.stays).then_some(hub),
        ends_at_gap: verb.follow && !verb.past_gaps,
        // With a journal nothing of it can be overwritten unseen.
        from_oldest: pages.is_none() && verb.follow && verb.from == verbs::From::Start,
        pages,
    };
    follow.run(session, Start { dump: Vec::new(), from, cursor, missed, is_quiet: false }).await;
}

/// What was said so far is shown to nobody any more, and its part on disk is removed.
pub(super) async fn flush(context: &Rc<Context>, verb: verbs::Flush) -> Answer<verbs::Flush> {
    let ids = context.hub.registry.borrow().select(&verb.targets)?;
    let mut answer = verbs::Flushed::default();
    for id in ids {
        let Some(session) = context.hub.registry.borrow().get(id) else {
            answer.errors.push(silent(context, id));
            continue;
        };
        let name = session.facts.borrow().name.clone();
        let before = session.status();
        if session.request_progress(verb.key).is_none() {
            session.begin_request(verb.key);
            session.flush();
            let flushed = if session.journal.is_some() { context.hub.journals.flush(id).await } else { Ok(()) };
            if let Err(error) = flushed {
                let message = format!("the journal of session {name} cannot be flushed: {error}");
                answer.errors.push(WireError::new(Code::Failed, message));
            }
            context.hub.changed(id);
        }
        let bytes = before.journal.map_or(0, |journal| journal.bytes);
        answer.sessions.push(verbs::FlushedSession { id, name, bytes });
    }
    Ok(answer)
}

/// Why nothing is flushed of what has no session.
fn silent(context: &Context, id: SessionId) -> WireError {
    let status = context.hub.registry.borrow().status(id);
    if let Some(name) = status.filter(|status| status.service.is_some()).map(|status| status.name) {
        let message = format!("service {name} has not run since everything was shut down, or ever");
        return WireError::new(Code::Ended, message).hint("flush it once it runs");
    }
    let message = "a session that was lost with its keeper says nothing more: there is nothing to go on with";
    WireError::new(Code::Ended, message).hint("`rpm rm` removes it with its journal")
}

/// Returns the size of the terminal where a byte was said.
async fn size_at(session: &Session, pages: Option<&mut Pages>, offset: u64) -> Size {
    if let Some(pages) = pages.filter(|_| offset < session.history.oldest()) {
        let size = pages.look(move |reader| reader.size_at(offset)).await.ok().flatten();
        return size.map_or(session.handover.size, |(rows, cols)| Size::clamped(rows, cols));
    }
    match session.history.size_at(offset) {
        Some((rows, cols)) => Size::clamped(rows, cols),
        None if session.history.oldest_entry() == 0 => session.handover.size,
        // It was last sized before the oldest entry, so it has had its present size at least since the last resize known.
        None => session.status.borrow().size,
    }
}

pub(super) async fn screen(context: &Rc<Context>, request: u64, verb: verbs::ScreenOf) -> Result<(), WireError> {
    let session = find(context, &verb.target)?;
    let (channel, (reply_tx, reply_rx)) = (verb.channel, oneshot::channel());
    session.mail(Mail::Screen { request: verb, reply: reply_tx });
    let (text, frame) = reply_rx.await.map_err(|_| gone())?;
    reply_now(context, request, &text);
    let (Some(channel), Some(frame)) = (channel, frame) else { return Ok(()) };
    let bytes = message::encode(&frame);
    let mut pieces = bytes.chunks(PIECE).peekable();
    while let Some(piece) = pieces.next() {
        if !context.client.outbox.send_bulk(channel, pieces.peek().is_some(), 0, piece).await {
            break;
        }
    }
    Ok(())
}
