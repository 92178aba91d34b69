//! From a verb's name to what it does: one function a verb, one file a family.
#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all handlers have the shape that the table calls"
)]

mod attaching;
pub(super) mod ending;
mod events;
mod history;
mod naming;
mod orphans;
mod procs;
mod services;
pub(in crate::daemon) mod starting;
mod tees;

use std::rc::Rc;

use serde_bytes::ByteBuf;

use crate::daemon::connection::Context;
use crate::daemon::session::Session;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::message;
use crate::protocol::message::Reply;
use crate::protocol::message::Request;
use crate::protocol::message::Verb;
use crate::protocol::verbs;

type Answer<V> = Result<<V as Verb>::Reply, WireError>;

/// Answers one request.
pub async fn handle(context: Rc<Context>, request: Request) {
    let result = dispatch(&context, &request).await;
    let (body, error) = match result {
        Ok(body) => (Some(ByteBuf::from(body)), None),
        Err(error) => (None, Some(error)),
    };
    // An attachment has replied already: its bytes must not overtake the reply.
    if error.is_some() || body.as_ref().is_some_and(|body| !body.is_empty()) {
        context.client.outbox.reply(&Reply { id: request.id, body, error });
    }
}

async fn dispatch(context: &Rc<Context>, request: &Request) -> Result<Vec<u8>, WireError> {
    macro_rules! verbs {
        (at once { $($verb:ident => $handler:expr,)* } later { $($slow:ident => $waits:expr,)* }) => {
            match request.verb.as_str() {
                $(verbs::$verb::NAME => {
                    let reply: Answer<verbs::$verb> = $handler(context, decode(request)?);
                    reply.map(|reply| message::encode(&reply))
                })*
                $(verbs::$slow::NAME => {
                    let reply: Answer<verbs::$slow> = $waits(context, decode(request)?).await;
                    reply.map(|reply| message::encode(&reply))
                })*
                verbs::Attach::NAME => attaching::attach(context, request.id, decode(request)?).await.map(|()| Vec::new()),
                verbs::ScreenOf::NAME => history::screen(context, request.id, decode(request)?).await.map(|()| Vec::new()),
                verbs::Logs::NAME => history::follow_logs(context, request.id, decode(request)?).map(|()| Vec::new()),
                other => Err(unsupported(other)),
            }
        };
    }
    verbs! {
        at once {
        List => list,
        Subscribe => subscribe,
        Events => events::subscribe,
        DaemonStatus => status,
        Release => attaching::release,
        Detach => attaching::detach,
        Resize => attaching::resize,
        Rename => naming::rename,
        Remove => ending::remove,
        Signal => ending::signal,
        Tees => tees::list,
        Read => tees::read,
        Register => procs::register,
        Unregister => procs::unregister,
        Definitions => services::definitions,
        } later {
        Run => starting::run,
        Watch => attaching::watch,
        Take => attaching::take,
        Send => attaching::send,
        Stop => ending::stop,
        Procs => procs::procs,
        Tree => procs::tree,
        KillTree => orphans::kill_tree,
        Orphans => orphans::orphans,
        Shutdown => ending::shutdown,
        Define => services::define,
        Act => services::act,
        Why => services::why,
        Save => services::save,
        Resurrect => services::resurrect,
        Flush => history::flush,
        Reload => reload,
        Tee => tees::tee,
        Untee => tees::untee,
        }
    }
}

fn decode<V: Verb>(request: &Request) -> Result<V, WireError> {
    message::decode(&request.body)
        .map_err(|_| WireError::new(Code::Invalid, format!("the body of `{}` cannot be read", V::NAME)))
}

fn unsupported(verb: &str) -> WireError {
    let verb: String = verb.chars().filter(char::is_ascii_graphic).take(40).collect();
    WireError::new(
        Code::Unsupported,
        format!("this daemon (version {}) does not know `{verb}`", env!("CARGO_PKG_VERSION")),
    )
    .hint("it is older than this `rpm`; its sessions go on running")
}

fn find(context: &Context, target: &str) -> Result<Rc<Session>, WireError> {
    let registry = context.hub.registry.borrow();
    let id = registry.one(target)?;
    registry.get(id).ok_or_else(|| {
        if let Some(status) = registry.status(id).filter(|status| status.service.is_some()) {
            let name = status.name;
            return WireError::new(
                Code::Ended,
                format!("service {name} does not run, and has not since it was defined or everything was shut down"),
            )
            .hint(format!("`rpm start {name}` starts it"));
        }
        WireError::new(Code::Ended, format!("session {target} was lost when its keeper died"))
            .hint("`rpm rm` forgets it")
    })
}

fn list(context: &Rc<Context>, verb: verbs::List) -> Answer<verbs::List> {
    let registry = context.hub.registry.borrow();
    if verb.targets.is_empty() {
        return Ok(verbs::Listing { sessions: registry.statuses(), ..verbs::Listing::default() });
    }
    let (ids, missing) = registry.select_each(&verb.targets)?;
    let errors = missing.into_iter().map(|missing| missing.error.into()).collect();
    Ok(verbs::Listing { sessions: ids.into_iter().filter_map(|id| registry.status(id)).collect(), errors })
}

fn subscribe(context: &Rc<Context>, _verb: verbs::Subscribe) -> Answer<verbs::Subscribe> {
    context.peer.is_subscribed.set(true);
    Ok(verbs::Listing { sessions: context.hub.registry.borrow().statuses(), ..verbs::Listing::default() })
}

fn status(context: &Rc<Context>, _verb: verbs::DaemonStatus) -> Answer<verbs::DaemonStatus> {
    Ok(context.hub.report())
}

async fn reload(context: &Rc<Context>, _verb: verbs::Reload) -> Answer<verbs::Reload> {
    context.hub.reload_settings().await.map(|()| verbs::Done {})
}

fn reply_now<T: serde::Serialize>(context: &Context, id: u64, body: &T) {
    let body = Some(ByteBuf::from(message::encode(body)));
    context.client.outbox.reply(&Reply { id, body, error: None });
}

fn gone() -> WireError {
    WireError::new(Code::Failed, "the session went away meanwhile")
}
