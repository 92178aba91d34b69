//! `rpm rename` and `rpm tag`.

use crate::cli::args;
use crate::cli::exit;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::protocol::verbs;

/// `rpm rename`.
pub fn rename(args: args::Rename) -> Result<u8, Error> {
    Client::connect()?.call(&verbs::Rename { target: args.target, name: Some(args.name), tags: None })?;
    Ok(exit::OK)
}

/// `rpm tag`.
pub fn tag(args: args::Tag) -> Result<u8, Error> {
    Client::connect()?.call(&verbs::Rename { target: args.target, name: None, tags: Some(args.tags) })?;
    Ok(exit::OK)
}
