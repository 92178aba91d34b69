//! Every difference between systems: shared memory, processes, terminals, sockets, locks, clocks.
//!
//! All `unsafe` and all `cfg` of an operating system are here. Linux is what is proven; nothing is written
//! for a system that nobody has run it on.

pub mod bell;
pub mod brand;
pub mod cgroup;
pub mod clock;
pub mod detach;
pub mod endpoint;
pub mod exec;
pub mod failpoint;
pub mod heap;
pub mod limits;
pub mod link;
pub mod memory;
pub mod process;
pub mod reactor;
pub mod reading;
pub mod schedule;
pub mod signals;
pub mod sink;
pub mod snapshot;
pub mod spawn;
pub mod tree;
pub mod tty;
pub mod user;
