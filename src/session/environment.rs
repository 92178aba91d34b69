//! Where a session's environment comes from, and what is laid over it.
//!
//! Entries are bytes, `NAME=VALUE`, in order; nothing here needs them to be UTF-8. *Invariant:* a change that was asked
//! for touches its own name and no other: setting one variable never loses the rest.

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteBuf;

/// What a session's environment starts from, before changes are laid over it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The client's whole environment.
    #[default]
    Inherit,
    /// What a fresh login of the user would have.
    Login,
    /// Nothing.
    Clear,
}

/// One user, as the system's database and its login files know them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: Vec<u8>,
    /// Home directory.
    pub home: Vec<u8>,
    /// Login shell.
    pub shell: Vec<u8>,
    /// `PATH` after a login.
    pub path: Vec<u8>,
    /// File mode creation mask after a login.
    pub umask: u32,
}

/// Variables that a login keeps of whoever asks, beside `LC_*`: language, time zone, temporary folder, and which daemon
/// is met.
const KEPT: [&[u8]; 4] = [b"LANG", b"TZ", b"TMPDIR", b"RUNPM_DIR"];

/// Returns the name of an entry: all before the first `=`.
#[must_use]
pub fn name_of(entry: &[u8]) -> &[u8] {
    entry.split(|b| *b == b'=').next().unwrap_or_default()
}

/// Makes an entry.
#[must_use]
pub fn entry(name: &[u8], value: &[u8]) -> ByteBuf {
    ByteBuf::from([name, b"=", value].concat())
}

/// Builds the environment of a fresh login from the user's account and what is kept of `client`.
#[must_use]
pub fn login(account: &Account, client: &[ByteBuf]) -> Vec<ByteBuf> {
    let own: [(&[u8], &[u8]); 5] = [
        (b"USER", &account.name),
        (b"LOGNAME", &account.name),
        (b"HOME", &account.home),
        (b"SHELL", &account.shell),
        (b"PATH", &account.path),
    ];
    let mut env: Vec<ByteBuf> = own.iter().map(|(name, value)| entry(name, value)).collect();
    let is_kept = |entry: &&ByteBuf| {
        let name = name_of(entry);
        KEPT.contains(&name) || name.starts_with(b"LC_")
    };
    env.extend(client.iter().filter(is_kept).cloned());
    env
}

/// Lays changes over an environment, in order: `NAME=VALUE` sets, `NAME` alone removes; the later one wins.
pub fn change(env: &mut Vec<ByteBuf>, changes: &[ByteBuf]) {
    for change in changes {
        let name = name_of(change);
        env.retain(|entry| name_of(entry) != name);
        if change.contains(&b'=') {
            env.push(change.clone());
        }
    }
}

/// Says why an entry of an environment, or with `is_change` a change of one, cannot be used.
#[must_use]
pub fn fault(entry: &[u8], is_change: bool) -> Option<&'static str> {
    if entry.contains(&0) {
        Some("it contains a NUL byte")
    } else if name_of(entry).is_empty() {
        Some("its name is empty")
    } else if !is_change && !entry.contains(&b'=') {
        Some("it has no `=`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(entries: &[&[u8]]) -> Vec<ByteBuf> {
        entries.iter().map(|entry| ByteBuf::from(*entry)).collect()
    }

    #[test]
    fn w52_a_change_touches_its_own_name_and_the_later_one_wins() {
        let mut it = env(&[b"PATH=/bin", b"A=1", b"AB=2", b"A=3"]);
        change(&mut it, &env(&[b"A=x", b"B=\xff=", b"AB", b"A=y", b"C=1", b"C", b"NEVER"]));
        assert_eq!(it, env(&[b"PATH=/bin", b"B=\xff=", b"A=y"]));
    }

    #[test]
    fn a_login_is_the_account_and_the_callers_language_time_zone_and_folders() {
        let account = Account {
            name: b"ann".into(),
            home: b"/home/\xff".into(),
            shell: b"/bin/zsh".into(),
            path: b"/bin".into(),
            umask: 0o22,
        };
        let client = env(&[
            b"LANG=C",
            b"LC_TIME=\xfe",
            b"SECRET=1",
            b"PATH=/x",
            b"TZ=UTC",
            b"TMPDIR=/t",
            b"RUNPM_DIR=/r",
            b"LCX=1",
        ]);
        let wanted = env(&[
            b"USER=ann",
            b"LOGNAME=ann",
            b"HOME=/home/\xff",
            b"SHELL=/bin/zsh",
            b"PATH=/bin",
            b"LANG=C",
            b"LC_TIME=\xfe",
            b"TZ=UTC",
            b"TMPDIR=/t",
            b"RUNPM_DIR=/r",
        ]);
        assert_eq!(login(&account, &client), wanted);
    }

    #[test]
    fn entries_that_no_environment_can_hold_are_named() {
        for (entry, is_change, is_bad) in [
            (&b"A=1"[..], false, false),
            (b"A=", true, false),
            (b"A", true, false),
            (b"A", false, true),
            (b"", true, true),
            (b"=x", true, true),
            (b"A=\0", true, true),
            (b"\xff=\xff", false, false),
        ] {
            assert_eq!(fault(entry, is_change).is_some(), is_bad, "{entry:?} {is_change}");
        }
    }
}
