//! pm2's ways to name what runs: a program before `--`, or a whole command as one word.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::services;

/// `start npm -- run serve`, `start "npm run serve"`: returns the words of the command, if it is one of these.
pub fn of(targets: &[String], arguments: &[OsString]) -> Option<Vec<OsString>> {
    let [target] = targets else { return None };
    // No name has a blank.
    if target.trim().contains(' ') {
        let split = services::split(target).ok().filter(|split| split.shell.is_none());
        let words = split.map(|split| split.words.into_iter().map(OsString::from).collect());
        let mut words: Vec<OsString> =
            words.unwrap_or_else(|| ["/bin/sh", "-c", target.as_str()].map(OsString::from).to_vec());
        words.extend(arguments.iter().cloned());
        return Some(words);
    }
    if arguments.is_empty() || !is_program(target) {
        return None;
    }
    Some(std::iter::once(OsString::from(target)).chain(arguments.iter().cloned()).collect())
}

fn is_program(name: &str) -> bool {
    let can_run =
        |path: &Path| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    if name.contains('/') {
        return can_run(Path::new(name));
    }
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| can_run(&folder.join(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_before_the_dashes_and_commands_in_one_word_are_what_pm2_takes_them_for() {
        let of = |target: &str, arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            of(&[target.to_owned()], &arguments)
                .map(|words| words.join(&OsString::from("|")).into_string().expect("text"))
        };
        assert_eq!(of("sleep", &["5"]).as_deref(), Some("sleep|5"));
        assert_eq!(of("sleep", &[]), None, "that would be the name of a service");
        assert_eq!(of("nobody-has-this", &["5"]), None);
        assert_eq!(of("sleep 5", &[]).as_deref(), Some("sleep|5"));
        assert_eq!(of("sh -c 'sleep 5'", &[]).as_deref(), Some("sh|-c|sleep 5"));
        assert_eq!(of("cd x && sleep 5", &[]).as_deref(), Some("/bin/sh|-c|cd x && sleep 5"));
    }
}
