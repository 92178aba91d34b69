//! Claims about the whole program: real processes, real terminals, one module a contract.

#[path = "../support/mod.rs"]
mod support;

mod attaching;
mod bad_input;
mod ending;
mod environment;
mod once;
mod recovery;
mod settings;
mod single;
mod slow;
mod starting;
