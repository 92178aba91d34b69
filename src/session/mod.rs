//! What a session is: its spec, its life, who controls it, what others see, how users name it.
//!
//! PURE: events and time come in, effects go out; no I/O, clock, async or threads.

pub mod control;
pub mod environment;
pub mod graphics;
pub mod id;
pub mod journal;
pub mod key;
pub mod keys;
pub mod originator;
pub mod service;
pub mod sizing;
pub mod spec;
pub mod state;
pub mod status;
pub mod target;
pub mod tee;
pub mod terminal;
pub mod text;
pub mod wait;
