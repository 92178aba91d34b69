//! Claims about the whole program: real processes, real terminals, one module a contract.

#[path = "../support/mod.rs"]
mod support;

mod attaching;
mod automation;
mod bad_input;
mod ending;
mod events;
mod input;
mod once;
mod pipes;
mod recovery;
mod single;
mod slow;
mod starting;
mod tees;
mod tree;
mod views;
