//! What a session's environment is made of: the policies, changes in their order, and bytes that are no text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use runpm::client::Error;
use runpm::protocol::error::Code;
use runpm::protocol::verbs;
use runpm::session::id::RequestKey;
use serde_bytes::ByteBuf;

use crate::support::Place;
use crate::support::RPM;

/// The environment of a session that was started with these options, sorted.
fn environment(place: &Place, name: &str, options: &[&str]) -> Vec<String> {
    let mut command = place.command(RPM);
    command.args(["run", "-d", "--pipe", "--name", name]).args(options).args(["--", "/usr/bin/env"]);
    command.env("FRUIT", "plum").env("LC_TIME", "C").env("TZ", "UTC").env("LANG", "C.UTF-8");
    assert!(command.output().expect("rpm runs").status.success(), "{options:?}");
    place.wait_end(name);
    let mut lines: Vec<String> = place.ok(&["logs", "--raw", name]).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn names(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.split('=').next()).collect()
}

#[test]
fn d8_a_session_inherits_logs_in_or_starts_with_nothing() {
    let place = Place::new();
    let inherited = environment(&place, "i", &[]);
    assert!(inherited.contains(&"FRUIT=plum".to_owned()) && inherited.contains(&"USER=ann".to_owned()));

    let login = environment(&place, "l", &["--env-policy", "login"]);
    let wanted = [
        "HOME",
        "LANG",
        "LC_TIME",
        "LOGNAME",
        "PATH",
        "RUNPM_DIR",
        "RUNPM_SESSION",
        "SHELL",
        "SSH_AUTH_SOCK",
        "TZ",
        "USER",
    ];
    assert!(names(&login).iter().all(|name| wanted.contains(name) || name.starts_with("LC_")), "{login:?}");
    for name in wanted {
        assert!(names(&login).contains(&name), "{name}: {login:?}");
    }
    let id = std::process::Command::new("id").arg("-un").output().expect("id runs").stdout;
    assert!(login.contains(&format!("USER={}", String::from_utf8_lossy(&id).trim())), "{login:?}");

    for option in [&["--env-policy", "clear"][..], &["--clear-env"]] {
        let cleared = environment(&place, option[0].trim_start_matches('-'), option);
        assert_eq!(names(&cleared), ["RUNPM_SESSION"]);
    }
}

#[test]
fn w52_setting_a_variable_keeps_the_rest_and_the_later_change_wins() {
    let place = Place::new();
    let options =
        ["--env", "A=1", "--env", "B=2", "--unset-env", "A", "--env", "B=3", "--unset-env", "TZ", "--env", "FRUIT"];
    let inherited = environment(&place, "i", &options);
    for wanted in ["B=3", "FRUIT=plum", "USER=ann"] {
        assert!(inherited.contains(&wanted.to_owned()), "{wanted}: {inherited:?}");
    }
    assert!(names(&inherited).contains(&"PATH"));
    assert!(!names(&inherited).contains(&"A") && !names(&inherited).contains(&"TZ"), "{inherited:?}");
    assert_eq!(inherited.iter().filter(|line| line.starts_with("B=")).count(), 1);
    // Copied into an environment that has nothing else.
    let cleared = environment(&place, "c", &["--env-policy", "clear", "--env", "FRUIT"]);
    assert_eq!(names(&cleared), ["FRUIT", "RUNPM_SESSION"]);
    // Ours too.
    place.ok(&[
        "run",
        "-d",
        "--name",
        "t",
        "--unset-env",
        "COLORTERM",
        "--",
        "sh",
        "-c",
        "echo ${COLORTERM-none} $TERM",
    ]);
    place.wait_screen("t", "none xterm-256color");
}

#[test]
fn w39_arguments_values_and_directories_are_bytes() {
    let place = Place::new();
    let odd = OsStr::from_bytes(b"a\xff\xfe b");
    let folder = place.dir().join(odd);
    std::fs::create_dir(&folder).expect("a folder");
    let mut command = place.command(RPM);
    command.args(["run", "-d", "--pipe", "--name", "odd", "--cwd"]).arg(&folder).env("INHERITED", odd);
    let entry = [b"GIVEN=".as_slice(), odd.as_bytes()].concat();
    command.arg("--env").arg(OsStr::from_bytes(&entry)).args(["--env", "INHERITED", "--", "sh", "-c"]);
    command.arg(r#"printf '%s|' "$1" "$GIVEN" "$INHERITED"; pwd"#).arg("sh").arg(odd);
    assert!(command.output().expect("rpm runs").status.success());
    place.wait_end("odd");
    let said = place.run(&["logs", "--raw", "odd"]).stdout;
    let wanted =
        [odd.as_bytes(), b"|", odd.as_bytes(), b"|", odd.as_bytes(), b"|", folder.as_os_str().as_bytes(), b"\n"];
    assert_eq!(said, wanted.concat());
}

#[test]
fn w96_changes_that_make_no_sense_are_refused_with_a_sentence_and_two() {
    let place = Place::new();
    for (options, part) in [
        (&["--env", "=x"][..], "NAME=VALUE"),
        (&["--env", ""], "NAME=VALUE"),
        (&["--env", "NOWHERE_TO_BE_SEEN"], "NOWHERE_TO_BE_SEEN copies a variable that is not set here"),
        (&["--unset-env", "A=1"], "NAME"),
        (&["--env-policy", "all"], "inherit, login, clear"),
        (&["--env", "RUNPM_SESSION=1"], "RUNPM_SESSION cannot be used"),
    ] {
        let args = [&["run", "-d"][..], options, &["--", "true"]].concat();
        let (code, said) = place.fails(&args);
        assert!(code == 2 && said.contains(part), "{options:?}: {code} {said}");
    }
    assert_eq!(place.ok(&["ls", "--json"]).matches("\"id\"").count(), 0);
}

#[test]
fn k13_entries_that_no_environment_can_hold_are_refused_by_the_daemon_too() {
    let place = Place::new();
    place.ok(&["daemon", "start"]);
    let mut connection = place.connect();
    for (n, (env, overlay)) in
        [(&b"A=\0"[..], &b"B=1"[..]), (b"NOTHING", b"B=1"), (b"=x", b"B=1"), (b"A=1", b"=x"), (b"A=1", b"B=\0")]
            .into_iter()
            .enumerate()
    {
        let mut run = verbs::Run { key: RequestKey(n as u64 + 1), ..verbs::Run::default() };
        run.spec.launch.argv = vec![ByteBuf::from(&b"true"[..])];
        run.spec.launch.env = vec![ByteBuf::from(env)];
        run.spec.overlay = vec![ByteBuf::from(overlay)];
        let refused = connection.call(&run);
        assert!(matches!(&refused, Err(Error::Refused(error)) if error.code == Code::Invalid), "{env:?}: {refused:?}");
    }
}
