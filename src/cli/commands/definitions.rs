//! Definitions of many services: environments are large, and an answer has to fit into a frame.

use crate::client::Error;
use crate::client::blocking::Client;
use crate::protocol::verbs;
use crate::session::service::definition::Definition;
use crate::session::service::spec::ServiceSpec;
use crate::session::status::Status;

/// Services asked for at once, with what they inherit.
const FEW: usize = 10;
/// The same, without.
const MANY: usize = 250;

/// Returns all services, without what they inherit.
pub fn all(client: &mut Client) -> Result<Vec<ServiceSpec>, Error> {
    let sessions = client.call(&verbs::List::default())?.sessions;
    Ok(ask(client, &services(&sessions), true)?.into_iter().map(|definition| definition.spec).collect())
}

/// Returns the services that these sessions are instances of, with all they have.
pub fn of(client: &mut Client, sessions: &[Status]) -> Result<Vec<Definition>, Error> {
    ask(client, &services(sessions), false)
}

/// Returns the full names of services, each once.
pub fn services(sessions: &[Status]) -> Vec<String> {
    let names = sessions.iter().filter_map(|status| status.service.as_ref());
    let mut names: Vec<String> = names.map(|service| service.service.clone()).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn ask(client: &mut Client, names: &[String], is_brief: bool) -> Result<Vec<Definition>, Error> {
    let mut definitions = Vec::new();
    for targets in names.chunks(if is_brief { MANY } else { FEW }) {
        let request = verbs::Definitions { targets: targets.to_vec(), is_brief };
        definitions.extend(client.call(&request)?.definitions);
    }
    Ok(definitions)
}
