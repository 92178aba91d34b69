//! Resource limits: ours raised, each child's the client's own again.

use rustix::process::Resource;
use rustix::process::Rlimit;

use crate::session::service::policy;
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

/// Returns the Linux number of a resource that services name.
#[must_use]
pub const fn number_of(resource: policy::Resource) -> u32 {
    match resource {
        policy::Resource::Cpu => 0,
        policy::Resource::Fsize => 1,
        policy::Resource::Data => 2,
        policy::Resource::Stack => 3,
        policy::Resource::Core => 4,
        policy::Resource::Nproc => 6,
        policy::Resource::Nofile => 7,
        policy::Resource::Memlock => 8,
        policy::Resource::As => 9,
    }
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

/// Raises the soft descriptor limit to the hard one.
pub fn raise_descriptors() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Sets limits in a child between fork and exec: no allocation, no locks. A hard limit above ours
/// cannot be had and becomes ours.
pub fn apply(limits: &[Limit]) -> std::io::Result<()> {
    for limit in limits {
        let Some(resource) = RESOURCES.get(limit.resource as usize) else { continue };
        let ceiling = rustix::process::getrlimit(*resource).maximum;
        let maximum = lower(limit.hard, ceiling);
        rustix::process::setrlimit(*resource, Rlimit { current: lower(limit.soft, maximum), maximum })?;
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
