//! Claims about the whole program: real processes, real terminals, one module a contract.

#[path = "../support/mod.rs"]
mod support;

mod async_client;
mod attaching;
mod automation;
mod bad_input;
mod bounds;
mod bulk;
mod complaints;
mod compositions;
mod conventions;
mod crowd;
mod dashboard;
mod definition;
mod dormant;
mod ending;
mod ends;
mod environment;
mod events;
mod example_set;
mod habits;
mod input;
mod journal;
mod looks;
mod naming;
mod once;
mod outer_terminal;
mod pictures;
mod pieces;
mod pipes;
mod probes;
mod procs;
mod recovery;
mod services;
mod sets;
mod settings;
mod shell;
mod single;
mod slow;
mod starting;
mod tees;
mod tree;
mod views;
mod words;
