//! Looking at history: nothing here changes what anybody else sees.

use std::rc::Rc;

use tokio::sync::oneshot;
use tokio::task;

use crate::daemon::connection::Context;
use crate::daemon::follow::Follow;
use crate::daemon::handler::find;
use crate::daemon::handler::gone;
use crate::daemon::handler::reply_now;
use crate::daemon::logs;
use crate::daemon::logs::Beginning;
use crate::daemon::outbox::Outbox;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::daemon::session::Start;
use crate::daemon::session::check_stream;
use crate::platform::clock;
use crate::protocol::error::WireError;
use crate::protocol::message;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;
use crate::session::spec::Kind;
use crate::term::Size;

/// Pieces of a large frame, so that others get their turn on the wire.
const PIECE: usize = 64 << 10;

pub(super) fn follow_logs(context: &Rc<Context>, request: u64, verb: verbs::Logs) -> Result<(), WireError> {
    let session = find(context, &verb.target)?;
    check_stream(&session, verb.stream)?;
    let attached = verbs::Attached {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        kind: session.handover.kind,
        ended: session.status.borrow().end().cloned(),
        ..verbs::Attached::default()
    };
    reply_now(context, request, &attached);
    task::spawn_local(send_log(Rc::clone(&context.client.outbox), session, verb));
    Ok(())
}

/// Finds the start, which may take several turns, and sends from there.
async fn send_log(outbox: Rc<Outbox>, session: Rc<Session>, verb: verbs::Logs) {
    let head = session.history.head();
    let Beginning { at: from, missed, mut is_torn } = logs::start(&session.history, verb.from, verb.stream).await;
    let cursor = session.follow(from, session.history.ring());
    if verb.follow {
        // The program may write a ring before the cursor holds it back; "from the start" means what is there when it does.
        session.mail(Mail::CursorMoved);
        task::yield_now().await;
        if verb.from == verbs::From::Start {
            cursor.offset.set(session.history.oldest().max(from));
            is_torn = cursor.offset.get() > 0;
        }
    }
    if is_torn {
        outbox.notify(&verbs::Torn { channel: verb.channel, at: cursor.offset.get() });
    }
    if verb.marks && session.handover.kind == Kind::Pty {
        let (size, time_us) = (size_at(&session, from), clock::wall_us_of(session.history.time_at(from)));
        outbox.notify(&verbs::Mark { channel: verb.channel, at: from, time_us, point: Point::Resize(size) });
    }
    let follow = Follow {
        outbox,
        channel: verb.channel,
        stream: verb.stream,
        marks: verb.marks,
        until: (!verb.follow).then_some(head.max(from)),
        ends_at_gap: verb.follow && !verb.past_gaps,
        from_oldest: verb.follow && verb.from == verbs::From::Start,
    };
    follow.run(session, Start { dump: Vec::new(), cursor, missed, is_quiet: false }).await;
}

/// Returns the size of the terminal where a byte was said.
fn size_at(session: &Session, offset: u64) -> Size {
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
