//! What a session is called: kept by the keeper before anybody is told.

use std::rc::Rc;

use crate::daemon::connection::Context;
use crate::daemon::handler::Answer;
use crate::daemon::handler::find;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::Done;
use crate::session::spec::name_fault;

/// Most tags of a session.
const TAGS: usize = 64;

pub(super) fn rename(context: &Rc<Context>, verb: verbs::Rename) -> Answer<verbs::Rename> {
    let session = find(context, &verb.target)?;
    let invalid = |message: String| WireError::new(Code::Invalid, message);
    if session.facts.borrow().service.is_some() {
        let message = format!("{} is a service: its name and tags are those of its definition", verb.target);
        return Err(invalid(message).hint("change the definition; `rpm apply` does what it says"));
    }
    if let Some(name) = &verb.name {
        if let Some(fault) = name_fault(name) {
            return Err(invalid(format!("{name:?} cannot be a name: {fault}")));
        }
        let is_own = session.facts.borrow().name == *name;
        if !is_own && context.hub.registry.borrow().has_name(name) {
            return Err(invalid(format!("there is a session {name} already")).hint("names are unique; choose another"));
        }
    }
    let bad_tag = verb.tags.iter().flatten().find_map(|tag| Some((tag, name_fault(tag)?)));
    if let Some((tag, fault)) = bad_tag {
        return Err(invalid(format!("{tag:?} cannot be a tag: {fault}")));
    }
    if verb.tags.as_ref().is_some_and(|tags| tags.len() > TAGS) {
        return Err(invalid(format!("a session can have {TAGS} tags")));
    }
    session.rename(verb.name, verb.tags);
    context.hub.write_roll();
    context.hub.changed(session.id);
    Ok(Done {})
}
