//! Whether a terminal's job in front sleeps in a read of that terminal, as `/proc` shows it.
//!
//! A guess: what `select` and `poll` wait for cannot be seen, and some systems show less than others. `false` where nothing is known.

use std::fs;
use std::path::Path;

/// Number of the system call `read`.
#[cfg(target_arch = "x86_64")]
const READ: &str = "0";
#[cfg(not(target_arch = "x86_64"))]
const READ: &str = "63";

/// Returns whether the job in front of the terminal of a session's first process sleeps in a read of it.
#[must_use]
pub fn seems_to_wait(first: u32) -> bool {
    let Some(front) = front_of(first) else { return false };
    let file = |name: &str| fs::read_to_string(format!("/proc/{front}/{name}")).unwrap_or_default();
    // "0 0x0 0x7ffd…": the call, and its arguments; "running", or not ours to read, says nothing.
    let call = file("syscall");
    let mut words = call.split_whitespace();
    match (words.next(), words.next()) {
        (Some(READ), Some(descriptor)) => {
            let number = u32::from_str_radix(descriptor.trim_start_matches("0x"), 16);
            number.is_ok_and(|number| is_terminal(front, number))
        }
        (Some(_), _) => false,
        // Systems that hide calls from all but parents still name where it sleeps.
        (None, _) => matches!(file("wchan").trim(), "n_tty_read" | "wait_woken") && is_terminal(front, 0),
    }
}

fn is_terminal(pid: u32, descriptor: u32) -> bool {
    let target = fs::read_link(format!("/proc/{pid}/fd/{descriptor}"));
    target.is_ok_and(|target| target.starts_with("/dev/pts") || target == Path::new("/dev/tty"))
}

/// Returns the process that leads the job in front of a process's terminal.
fn front_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which may hold anything: state, parent, group, session, terminal, group in front.
    let after = &stat[stat.rfind(')')? + 1..];
    after.split_whitespace().nth(5)?.parse().ok()
}
