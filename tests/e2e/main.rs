//! Claims about the whole program: real processes, real terminals, one module a contract.

#[path = "../support/mod.rs"]
mod support;

mod async_client;
mod attaching;
mod automation;
mod bad_input;
mod bounds;
mod bulk;
mod compositions;
mod dashboard;
mod definition;
mod ending;
mod ends;
mod environment;
mod events;
mod input;
mod journal;
mod looks;
mod naming;
mod once;
mod pictures;
mod pipes;
mod procs;
mod recovery;
mod services;
mod settings;
mod shell;
mod single;
mod slow;
mod starting;
mod tees;
mod tree;
mod views;
mod words;
