//! Claims about the whole program: real processes, real terminals, one module a contract.

#[path = "../support/mod.rs"]
mod support;

mod async_client;
mod attaching;
mod bad_input;
mod ending;
mod environment;
mod once;
mod pictures;
mod recovery;
mod settings;
mod single;
mod slow;
mod starting;
