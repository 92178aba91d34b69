//! Claims about the whole program: real processes, real terminals, one module a contract.

#[path = "../support/mod.rs"]
mod support;

mod attaching;
mod bad_input;
mod bulk;
mod ending;
mod once;
mod procs;
mod recovery;
mod single;
mod slow;
mod starting;
mod tree;
