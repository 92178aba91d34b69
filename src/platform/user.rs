//! The user as a login would find them: the user database, and the files that give a login its path and mask.
//!
//! The database may be a network service, so a lookup may wait: never on the daemon's thread.
#![expect(unsafe_code, reason = "getpwuid_r has no safe wrapper here")]

use std::ffi::CStr;
use std::io;

use crate::session::environment::Account;

/// `PATH` where no file says another, as `login(1)` and `sshd(8)` have it.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// The same for root.
const ROOT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Longest record of the user database.
const RECORD: usize = 1 << 20;

/// Looks up the user that this process runs as.
pub fn account() -> io::Result<Account> {
    let uid = rustix::process::getuid().as_raw();
    let mut account = look_up(uid)?;
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (environment, login) = (read("/etc/environment"), read("/etc/login.defs"));
    account.path = path(&environment, &login, uid == 0).into_bytes();
    account.umask = umask(&login);
    Ok(account)
}

/// Returns what this user is called, if anything.
#[must_use]
pub fn name() -> Option<String> {
    let account = look_up(rustix::process::getuid().as_raw()).ok()?;
    String::from_utf8(account.name).ok().filter(|name| !name.is_empty())
}

fn look_up(uid: u32) -> io::Result<Account> {
    let mut room = vec![0_u8; 1024];
    loop {
        // SAFETY: `passwd` is plain data for which all zeroes is a value.
        let mut record: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: every pointer is to a live local, and the length is the buffer's.
        let code =
            unsafe { libc::getpwuid_r(uid, &raw mut record, room.as_mut_ptr().cast(), room.len(), &raw mut found) };
        if code == libc::ERANGE && room.len() < RECORD {
            room.resize(room.len() * 2, 0);
        } else if code != 0 {
            return Err(io::Error::from_raw_os_error(code));
        } else if found.is_null() {
            return Err(io::Error::other(format!("the user database has no user {uid}")));
        } else {
            // SAFETY: the call succeeded, so each field points at a text in `room`, which is still there, or is null.
            let text = |field: *const libc::c_char| unsafe {
                if field.is_null() { Vec::new() } else { CStr::from_ptr(field).to_bytes().to_vec() }
            };
            let (name, home, shell) = (text(record.pw_name), text(record.pw_dir), text(record.pw_shell));
            // An empty shell means this one, `passwd(5)`.
            let shell = if shell.is_empty() { b"/bin/sh".to_vec() } else { shell };
            return Ok(Account { name, home, shell, ..Account::default() });
        }
    }
}

/// `/etc/environment` is read by every login through PAM and wins; `login.defs(5)` is `login(1)`'s own.
fn path(environment: &str, login: &str, is_root: bool) -> String {
    let from_environment = environment.lines().find_map(|line| {
        let value = line.trim().trim_start_matches("export ").strip_prefix("PATH=")?;
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    });
    let key = if is_root { "ENV_SUPATH" } else { "ENV_PATH" };
    let from_login = || Some(setting(login, key)?.trim_start_matches("PATH=").to_owned());
    let default = if is_root { ROOT_PATH } else { PATH };
    from_environment.or_else(from_login).filter(|path| !path.is_empty()).unwrap_or_else(|| default.to_owned())
}

fn umask(login: &str) -> u32 {
    setting(login, "UMASK").and_then(|text| u32::from_str_radix(text, 8).ok()).map_or(0o022, |mask| mask & 0o777)
}

fn setting<'a>(login: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = login.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.find_map(|line| line.strip_prefix(key)?.strip_prefix([' ', '\t']).map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logins_path_and_mask_come_from_where_the_system_keeps_them() {
        let login = "# ENV_PATH PATH=/no\nENV_SUPATH\tPATH=/sbin\nENV_PATH   PATH=/bin:/games\nUMASK\t\t027\n";
        assert_eq!(path("", login, false), "/bin:/games");
        assert_eq!(path("", login, true), "/sbin");
        assert_eq!(path("A=1\nPATH=\"/opt:/bin\"\n", login, true), "/opt:/bin");
        assert_eq!(path("PATH=\n", "", false), PATH);
        assert_eq!((umask(login), umask(""), umask("UMASK x")), (0o27, 0o22, 0o22));
    }

    #[test]
    fn this_user_has_an_account() {
        let account = account().expect("an account");
        assert!(!account.name.is_empty() && account.home.starts_with(b"/") && account.shell.starts_with(b"/"));
    }
}
