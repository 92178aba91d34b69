//! The mark of a session that its processes inherit and cannot take off by accident: a hard limit that no program uses.
//!
//! `RLIMIT_RTTIME` bounds the processor time of realtime threads between two waits. It is inherited by fork and exec
//! whatever a process does to its session, parents, environment and descriptors, nobody without privileges can raise it,
//! and read with one system call it costs less than a tenth of opening a file. A mark is a value so high that it never
//! bounds anything (more than two thousand years): its top byte is a level, the rest names the session. A keeper that
//! was started inside a session of another one uses the level below, because it cannot raise the limit either.
//!
//! A user's own limit is kept, and leaves no room for a mark: such a session is found by other means.
#![expect(unsafe_code, reason = "reading another process's limit has no safe wrapper")]

use std::io;

use rustix::process::Resource;
use rustix::process::Rlimit;

use crate::platform::process;
use crate::session::id::RequestKey;

/// Level of a keeper that is in no session itself.
const TOP: u64 = 0x40;
/// Bits of a mark that name its session.
const NAME: u64 = (1 << LEVEL) - 1;
/// Where a mark's level is.
const LEVEL: u32 = 56;

/// Whom a process says to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Brand {
    /// The session whose spawn had a key with these low bits.
    Session(u64),
    /// Nobody, on purpose: it outlives everything.
    Nobody,
}

impl Brand {
    /// Returns the brand of a session's processes.
    #[must_use]
    pub const fn of_session(key: RequestKey) -> Self {
        match key.0 & NAME {
            0 => Self::Nobody,
            name => Self::Session(name),
        }
    }

    const fn of_value(value: u64) -> Option<Self> {
        if is_mark(value) { Some(Self::of_session(RequestKey(value))) } else { None }
    }
}

/// Returns whether a hard limit is a mark and no limit that anybody wanted.
#[must_use]
pub const fn is_mark(value: u64) -> bool {
    matches!(value >> LEVEL, 1..=TOP)
}

/// The mark of a keeper whose own hard limit is this one; none where the limit is the user's or all levels are used.
fn below(ceiling: Option<u64>, name: u64) -> Option<u64> {
    let level = match ceiling {
        None => TOP,
        Some(outer) if is_mark(outer) => (outer >> LEVEL) - 1,
        Some(_) => 0,
    };
    (level > 0).then_some(level << LEVEL | name & NAME)
}

/// Marks this process as one of a session. Between fork and exec: no allocation, no locks. Without room for a mark it does
/// nothing.
pub fn stamp(key: RequestKey) {
    if let Brand::Session(name) = Brand::of_session(key) {
        let ceiling = rustix::process::getrlimit(Resource::Rttime).maximum;
        put(below(ceiling, name));
    }
}

/// Marks this process as nobody's, in a way that those it starts inherit. Like [`stamp`].
pub fn disown() {
    let ceiling = rustix::process::getrlimit(Resource::Rttime).maximum;
    // A session's mark can be lowered to nobody's of the same level.
    let mark = ceiling.filter(|value| is_mark(*value)).map(|value| value & !NAME);
    put(mark.or_else(|| below(ceiling, 0)));
}

fn put(mark: Option<u64>) {
    let Some(mark) = mark else { return };
    let soft = rustix::process::getrlimit(Resource::Rttime).current;
    let limit = Rlimit { current: Some(soft.map_or(mark, |soft| soft.min(mark))), maximum: Some(mark) };
    let _ = rustix::process::setrlimit(Resource::Rttime, limit);
}

/// Reads a process's brand; none where it bears none or is gone. An error means that it could not be looked at.
pub fn of(pid: u32) -> io::Result<Option<Brand>> {
    let Ok(id) = libc::pid_t::try_from(pid) else { return Ok(None) };
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads into a live local; a null pointer means that nothing is set.
    let done = unsafe { libc::prlimit64(id, libc::RLIMIT_RTTIME, std::ptr::null(), &raw mut limit) };
    if done == 0 {
        return Ok(Brand::of_value(limit.rlim_max));
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        // One that acts as another user; its file is for all to read.
        error if error.raw_os_error() == Some(libc::EPERM) => {
            Ok(process::contents(pid, "limits")?.as_deref().and_then(of_file))
        }
        error => Err(error),
    }
}

/// Reads the line `Max realtime timeout  SOFT  HARD  us`.
fn of_file(text: &[u8]) -> Option<Brand> {
    let text = std::str::from_utf8(text).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max realtime timeout"))?;
    Brand::of_value(line.split_ascii_whitespace().nth(1)?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_its_session_on_every_level_and_fits_below_the_one_above() {
        let mut ceiling = None;
        for level in (1..=TOP).rev() {
            let mark = below(ceiling, u64::MAX).expect("a level is left");
            assert!(is_mark(mark) && mark >> LEVEL == level);
            assert!(
                ceiling.is_none_or(|outer: u64| mark < outer & !NAME),
                "also below nobody's mark of the level above"
            );
            assert_eq!(Brand::of_value(mark), Some(Brand::Session(NAME)));
            assert_eq!(Brand::of_value(mark & !NAME), Some(Brand::Nobody));
            ceiling = Some(mark);
        }
        assert_eq!(below(ceiling, 1), None);
    }

    #[test]
    fn what_a_user_set_is_no_mark_and_leaves_no_room_for_one() {
        for own in [0, 200_000, (1 << LEVEL) - 1, (TOP + 1) << LEVEL, u64::MAX - 1] {
            assert!(!is_mark(own));
            assert_eq!(below(Some(own), 1), None);
            assert_eq!(Brand::of_value(own), None);
        }
    }

    #[test]
    fn the_file_says_the_same_as_the_call() {
        let file = |hard: &str| format!("Max nice priority  0  0\nMax realtime timeout      unlimited  {hard}  us\n");
        let mark = below(None, 7).expect("room").to_string();
        assert_eq!(of_file(file(&mark).as_bytes()), Some(Brand::Session(7)));
        assert_eq!(of_file(file("unlimited").as_bytes()), None);
        assert_eq!(
            of(std::process::id()).expect("we live"),
            of_file(&std::fs::read("/proc/self/limits").expect("a file"))
        );
    }
}
