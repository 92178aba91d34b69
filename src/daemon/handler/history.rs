//! Looking at history: nothing here changes what anybody else sees.

use std::rc::Rc;

use tokio::sync::oneshot;
use tokio::task;

use crate::daemon::connection::Context;
use crate::daemon::follow::Follow;
use crate::daemon::handler::Answer;
use crate::daemon::handler::find;
use crate::daemon::handler::gone;
use crate::daemon::handler::reply_now;
use crate::daemon::logs;
use crate::daemon::session::Mail;
use crate::daemon::session::check_stream;
use crate::protocol::error::WireError;
use crate::protocol::verbs;

pub(super) fn follow_logs(context: &Rc<Context>, request: u64, verb: verbs::Logs) -> Result<(), WireError> {
    let session = find(context, &verb.target)?;
    check_stream(&session, verb.stream)?;
    let head = session.history.head();
    let (from, missed) = logs::start(&session.history, verb.from);
    let attached = verbs::Attached {
        id: session.id,
        name: session.facts.borrow().name.clone(),
        kind: session.handover.kind,
        credit: 0,
        controls: false,
        ended: session.status.borrow().end().cloned(),
    };
    let cursor = session.follow(from, session.history.ring());
    reply_now(context, request, &attached);
    let follow = Follow {
        outbox: Rc::clone(&context.client.outbox),
        channel: verb.channel,
        stream: verb.stream,
        marks: verb.marks,
        until: (!verb.follow).then_some(head),
        ends_at_gap: verb.follow && !verb.past_gaps,
    };
    task::spawn_local(
        follow.run(session, crate::daemon::session::Start { dump: Vec::new(), cursor, missed, is_quiet: false }),
    );
    Ok(())
}

pub(super) async fn screen(context: &Rc<Context>, verb: verbs::ScreenOf) -> Answer<verbs::ScreenOf> {
    let session = find(context, &verb.target)?;
    let (reply_tx, reply_rx) = oneshot::channel();
    session.mail(Mail::Screen { ansi: verb.ansi, reply: reply_tx });
    reply_rx.await.map_err(|_| gone())
}
