//! Resource limits: ours raised, each child's the client's own again.

use std::os::fd::AsRawFd;
use std::os::fd::BorrowedFd;

use rustix::process::Resource;
use rustix::process::Rlimit;

use crate::platform::brand;
use crate::session::spec::Limit;

/// The limits that travel, in the order of their Linux numbers.
const RESOURCES: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];

/// Returns this process's limits.
#[must_use]
pub fn current() -> Vec<Limit> {
    let read = |(number, resource)| {
        let limit = rustix::process::getrlimit(resource);
        Limit { resource: number, soft: limit.current, hard: limit.maximum }
    };
    (0..).zip(RESOURCES).map(read).collect()
}

/// Soft limit of descriptors after a login; programs that use `select(2)` fail with more.
const LOGIN_DESCRIPTORS: u64 = 1024;

/// Returns this process's limits as a login would have them: what [`raise_descriptors`] did is taken back.
#[must_use]
pub fn login() -> Vec<Limit> {
    let mut limits = current();
    for limit in &mut limits {
        if RESOURCES.get(limit.resource as usize) == Some(&Resource::Nofile) {
            limit.soft = lower(limit.hard, Some(LOGIN_DESCRIPTORS));
        }
    }
    limits
}

/// Descriptors that are left free for what is needed for a moment: a look at the processes, a handle, a client in the door.
const RESERVE: u64 = 16;

/// Returns how many clients may be connected: a quarter of the descriptors. Sessions and tees need fewer in the daemon than
/// in the keeper, which runs out of them first.
#[must_use]
pub fn client_share() -> usize {
    rustix::process::getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| (limit / 4) as usize)
}

/// Returns whether a descriptor that would stay open is one of those that have to be left free: the kernel gives out the
/// lowest number, so all below it are used.
#[must_use]
pub fn is_reserve(fd: BorrowedFd<'_>) -> bool {
    let limit = rustix::process::getrlimit(Resource::Nofile).current;
    limit.is_some_and(|limit| u64::try_from(fd.as_raw_fd()).is_ok_and(|fd| fd + RESERVE >= limit))
}

/// Raises the soft descriptor limit to the hard one.
pub fn raise_descriptors() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Sets limits in a child between fork and exec: no allocation, no locks. A hard limit above ours
/// cannot be had and becomes ours. A mark of the client's own session is no limit.
pub fn apply(limits: &[Limit]) -> std::io::Result<()> {
    for limit in limits {
        let Some(resource) = RESOURCES.get(limit.resource as usize) else { continue };
        let ceiling = rustix::process::getrlimit(*resource).maximum;
        let is_meant = |value: &u64| *resource != Resource::Rttime || !brand::is_mark(*value);
        let maximum = lower(limit.hard.filter(is_meant), ceiling);
        let current = lower(limit.soft.filter(is_meant), maximum);
        rustix::process::setrlimit(*resource, Rlimit { current, maximum })?;
    }
    Ok(())
}

/// The lower of two limits; none is unlimited.
fn lower(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
