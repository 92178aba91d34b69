//! The allocator's own memory: kept in few places, and given back after bursts.
//!
//! Each thread of glibc's gets an arena of its own, and what a burst of requests used stays with the process. A daemon that
//! lives for months and has little to do is better off without both.
#![expect(unsafe_code, reason = "mallopt(3) and malloc_trim(3) have no safe wrapper")]

/// Arenas for all threads: one for the thread that serves, one for those that wait for disks.
#[cfg(target_env = "gnu")]
const ARENAS: libc::c_int = 2;

/// Has to be called before the first thread is started.
pub fn be_thrifty() {
    // SAFETY: sets a number of the allocator's.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// Gives free memory back to the system. Takes about a millisecond for each ten MiB: not for a thread that serves.
pub fn give_back() {
    // SAFETY: touches free memory only, under the allocator's own locks.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}
