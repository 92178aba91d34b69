//! Descriptors of ours in the runtime's reactor.
#![expect(unsafe_code, reason = "registering a descriptor is only sound while it stays open")]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Watches a descriptor for as long as the result lives.
pub fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the result owns the descriptor, lends it out only as borrowed, and deregisters before it closes it.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest)? })
}
