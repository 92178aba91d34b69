//! Subscribing to what happens.

use std::rc::Rc;

use tokio::task;

use crate::daemon::connection::Context;
use crate::daemon::events;
use crate::daemon::events::Filter;
use crate::daemon::handler::Answer;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;

pub(super) fn subscribe(context: &Rc<Context>, verb: verbs::Events) -> Answer<verbs::Events> {
    if let Some(kind) = verb.kinds.iter().find(|kind| !verbs::KINDS.contains(&kind.as_str())) {
        let kind: String = kind.chars().filter(|c| !c.is_control()).take(40).collect();
        let error = WireError::new(Code::Invalid, format!("{kind:?} is no kind of event"));
        return Err(error.hint(format!("kinds are {}", verbs::KINDS.join(", "))));
    }
    let log = &context.hub.events;
    let reply = verbs::Subscribed { epoch: log.epoch, last: log.last() };
    let since = match (verb.since, verb.epoch) {
        (Some(_), Some(epoch)) if epoch != log.epoch => 0,
        (Some(since), _) if since > log.last() => {
            let message = format!("event {since} has not happened yet: the newest is number {}", log.last());
            return Err(WireError::new(Code::Invalid, message).hint("go on behind an event that was told, or behind 0"));
        }
        (Some(since), _) => since,
        (None, _) => log.last(),
    };
    // A name must exist; a pattern may come to fit.
    let (patterns, names): (Vec<_>, Vec<_>) =
        verb.targets.into_iter().partition(|target| target.starts_with('@') || target.contains(['*', '?']));
    let is_all = patterns.is_empty() && names.is_empty() || names.iter().any(|name| name == "all");
    let ids = context.hub.registry.borrow().select(&names)?;
    let filter = Filter { is_all, ids, patterns, kinds: verb.kinds };
    if let (Some(since), Some(epoch)) = (verb.since, verb.epoch)
        && epoch != log.epoch
    {
        for happened in events::owed(&context.hub, (epoch, since), &filter) {
            context.peer.outbox.notify(&happened);
        }
    }
    let peer = Rc::clone(&context.peer);
    let turn = peer.subscription.get() + 1;
    peer.subscription.set(turn);
    peer.renewed.notify_waiters();
    task::spawn_local(events::send(Rc::clone(&context.hub), peer, turn, since, filter));
    Ok(reply)
}
