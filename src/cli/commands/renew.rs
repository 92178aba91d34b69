//! `--update-env`: the environment of this shell in place of the one that services were started with.

use crate::cli::commands::apply;
use crate::cli::commands::definitions;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::protocol::message;
use crate::protocol::verbs;
use crate::session::service::spec::Origin;

/// Renews what services inherit; what they run goes on with the old one until it is restarted. Variables that this shell
/// does not have any more go; what files and options set stays.
pub fn environment(client: &mut Client, targets: &[String]) -> Result<(), Error> {
    let sessions = client.call(&verbs::List { targets: targets.to_vec() })?.sessions;
    let definitions = definitions::of(client, &sessions)?;
    let (mut entries, mut size) = (Vec::new(), 0);
    for mut definition in definitions {
        definition.spec.env.retain(|variable| variable.origin != Origin::Inherited);
        apply::inherit_environment(&mut definition.spec)?;
        let len = message::encode(&definition).len();
        if size + len > apply::REQUEST && !entries.is_empty() {
            send(client, std::mem::take(&mut entries))?;
            size = 0;
        }
        size += len;
        entries.push(verbs::Entry { definition, replaces: true, renews: true, ..verbs::Entry::default() });
    }
    if entries.is_empty() { Ok(()) } else { send(client, entries) }
}

fn send(client: &mut Client, entries: Vec<verbs::Entry>) -> Result<(), Error> {
    let acts = client.call(&verbs::Define { key: client::request_key(), entries, wait_ms: 0 })?;
    match acts.acts.into_iter().find_map(|acted| acted.error) {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}
