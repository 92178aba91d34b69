//! Attachments of one connection: made, left, controlled; typing and sizes.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task;

use crate::daemon::backlog;
use crate::daemon::connection::Channel;
use crate::daemon::connection::Context;
use crate::daemon::follow::Follow;
use crate::daemon::handler::Answer;
use crate::daemon::handler::find;
use crate::daemon::handler::gone;
use crate::daemon::handler::reply_now;
use crate::daemon::session::AttachReply;
use crate::daemon::session::INPUT_LIMIT;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::Done;
use crate::session::spec;

pub(super) async fn attach(context: &Rc<Context>, request: u64, verb: verbs::Attach) -> Result<(), WireError> {
    let session = find(context, &verb.target)?;
    refuse_itself(context, &session)?;
    refuse_too_many(context)?;
    let (channel, stream, is_tty) = (verb.channel, verb.stream, verb.terminal.is_some());
    // A terminal has one stream: nothing to tell apart.
    let marks = verb.marks && session.handover.kind == spec::Kind::Pipe;
    leave(context, channel);
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Attach { client: context.client.clone(), request: verb, reply: reply_tx });
    let (attach, attached, start) = attached(reply_rx).await?;
    enter(context, channel, Channel { session: Rc::clone(&session), attach });
    reply_now(context, request, &attached);
    if let Some(start) = start {
        let follow = Follow {
            outbox: Rc::clone(&context.client.outbox),
            channel,
            stream,
            marks,
            until: None,
            // A terminal is painted anew instead: the client attaches again.
            stays: None,
            ends_at_gap: is_tty,
            from_oldest: false,
            paints: is_tty && session.handover.kind == spec::Kind::Pty,
            pages: if is_tty { None } else { backlog::pages(&context.hub, &session) },
        };
        task::spawn_local(follow.run(session, start));
    }
    Ok(())
}

/// Each attachment is a place in lists and a queue.
fn refuse_too_many(context: &Context) -> Result<(), WireError> {
    if context.channels.borrow().len() < CHANNELS {
        return Ok(());
    }
    Err(WireError::new(Code::Invalid, format!("one connection may have {CHANNELS} attachments")))
}

/// A client inside a session that shows that very session would draw what it draws, for ever.
fn refuse_itself(context: &Context, session: &Session) -> Result<(), WireError> {
    let key = format!("{:016x}", session.run.borrow().key.0);
    if context.inside.as_deref() != Some(key.as_str()) {
        return Ok(());
    }
    let hint = "use another terminal; in one that only inherited the mark of the session, unset RUNPM_SESSION";
    Err(WireError::new(Code::Invalid, "this is that session: showing it inside itself would loop").hint(hint))
}

async fn attached(
    reply: oneshot::Receiver<AttachReply>,
) -> Result<(crate::session::id::AttachId, verbs::Attached, Option<crate::daemon::session::Start>), WireError> {
    reply.await.unwrap_or_else(|_| Err(gone()))
}

pub(super) async fn watch(context: &Rc<Context>, verb: verbs::Watch) -> Answer<verbs::Watch> {
    let session = find(context, &verb.target)?;
    refuse_itself(context, &session)?;
    refuse_too_many(context)?;
    let channel = verb.channel;
    leave(context, channel);
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Watch { client: context.client.clone(), request: verb, reply: reply_tx });
    let (attach, reply, _) = attached(reply_rx).await?;
    enter(context, channel, Channel { session, attach });
    Ok(reply)
}

fn channel(context: &Context, number: u32) -> Result<Channel, WireError> {
    let found = context.channels.borrow().get(&number).cloned();
    found.ok_or_else(|| WireError::new(Code::Invalid, format!("channel {number} is not attached")))
}

pub(super) async fn take(context: &Rc<Context>, verb: verbs::Take) -> Answer<verbs::Take> {
    let channel = channel(context, verb.channel)?;
    let (reply_tx, reply_rx) = oneshot::channel();
    channel.session.mail(Mail::Take { attach: channel.attach, request: verb, reply: reply_tx });
    reply_rx.await.unwrap_or_else(|_| Err(gone())).map(|()| Done {})
}

pub(super) fn release(context: &Rc<Context>, verb: verbs::Release) -> Answer<verbs::Release> {
    let channel = channel(context, verb.channel)?;
    channel.session.mail(Mail::Release(channel.attach));
    Ok(Done {})
}

pub(super) fn detach(context: &Rc<Context>, verb: verbs::Detach) -> Answer<verbs::Detach> {
    leave(context, verb.channel);
    if let Some((sending, session)) = context.logs.borrow_mut().remove(&verb.channel) {
        sending.abort();
        task::spawn_local(async move {
            // Whoever it held back goes on once it is gone.
            let _ = sending.await;
            if let Some(session) = session.upgrade() {
                session.mail(Mail::CursorMoved);
            }
        });
    }
    Ok(Done {})
}

/// Notes what a channel is attached to. A client that left meanwhile was detached from all it had then, not from this.
fn enter(context: &Context, channel: u32, attached: Channel) {
    if context.client.outbox.is_closed() {
        attached.session.mail(Mail::Detach(attached.attach));
    } else {
        context.channels.borrow_mut().insert(channel, attached);
    }
}

/// Ends what a channel was attached to.
fn leave(context: &Context, channel: u32) {
    if let Some(channel) = context.channels.borrow_mut().remove(&channel) {
        channel.session.mail(Mail::Detach(channel.attach));
    }
}

pub(super) fn resize(context: &Rc<Context>, verb: verbs::Resize) -> Answer<verbs::Resize> {
    let session = find(context, &verb.target)?;
    if session.status.borrow().end().is_some() {
        return Err(WireError::new(Code::Ended, format!("session {} has ended", verb.target)));
    }
    if session.handover.kind == spec::Kind::Pipe {
        return Err(WireError::new(Code::Invalid, format!("session {} has pipes, no terminal to resize", verb.target)));
    }
    session.mail(Mail::Resize { size: verb.size, owner: verb.owner });
    Ok(Done {})
}

/// Attachments of one connection.
const CHANNELS: usize = 256;

/// Longest line of keys.
const KEYS: usize = 4096;

/// Types, as soon as there is room: who sends much waits for the program to read, and nobody else does.
/// Waits until somebody's patience is over; 0 is endless.
async fn over(patience_ms: u64) {
    match patience_ms {
        0 => std::future::pending().await,
        ms => tokio::time::sleep(Duration::from_millis(ms)).await,
    }
}

fn unread(session: &Session) -> WireError {
    let name = session.facts.borrow().name.clone();
    let message = format!("{name} does not read what was typed before; nothing more was typed");
    WireError::new(Code::TimedOut, message).hint("look what it does, or wait longer")
}

pub(super) async fn send(context: &Rc<Context>, verb: verbs::Send) -> Answer<verbs::Send> {
    let session = find(context, &verb.target)?;
    session.takes_input()?;
    if verb.bytes.len() > INPUT_LIMIT {
        let message = format!("{} bytes at once are too many, {INPUT_LIMIT} fit", verb.bytes.len());
        return Err(WireError::new(Code::Invalid, message).hint("send them in parts"));
    }
    if verb.keys.as_ref().is_some_and(|keys| keys.len() > KEYS) {
        return Err(WireError::new(Code::Invalid, format!("a line of keys may have {KEYS} bytes")));
    }
    // A lone `C-c` waits behind nothing; keys are few. The end of the input comes after who waits already.
    let wanted = if *verb.bytes == [3] { 0 } else { (verb.bytes.len() as u32).max(u32::from(verb.eof)) };
    let room = Arc::clone(&session.input_room.borrow());
    let room = tokio::select! {
        room = room.acquire_many_owned(wanted) => room,
        // Whoever asked is gone: what was not typed yet is not typed any more.
        () = context.client.outbox.closed() => return Err(gone()),
        () = over(verb.patience_ms) => return Err(unread(&session)),
    };
    let Ok(room) = room else { return session.takes_input().and(Err(gone())) };
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Send { by: context.client.who.to_string(), request: verb, room, reply: reply_tx });
    reply_rx.await.unwrap_or_else(|_| Err(gone()))
}
