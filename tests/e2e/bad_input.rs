//! Bad input gets a sentence and an exit code; nothing is lost and the daemon does not notice.

use std::io::Read;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;

use crate::support::Place;
use crate::support::RPM;

#[test]
fn unknown_and_ambiguous_targets_name_what_there_is() {
    let place = Place::new();
    place.start("worker", "sleep 1000");
    place.start("web-1", "sleep 1000");
    place.start("web-2", "sleep 1000");
    let (code, said) = place.fails(&["attach", "wroker"]);
    assert!(code == 66 && said.contains("did you mean worker?"), "{said}");
    let (code, said) = place.fails(&["screen", "web"]);
    assert!(code == 66 && said.contains("web-1, web-2"), "{said}");
    let (code, said) = place.fails(&["stop", "\u{1b}[2Jx"]);
    assert!(code == 66 && !said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn a_command_that_cannot_start_says_why() {
    let place = Place::new();
    let script = place.dir().join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").expect("a file");
    let path = script.display().to_string();
    let (code, said) = place.fails(&["run", "-d", "--", "no-such-command-x"]);
    assert!(code == 127 && said.contains("no-such-command-x: command not found"), "{said}");
    let (code, said) = place.fails(&["run", "-d", "--", &path]);
    assert!(code == 126 && said.contains("not executable"), "{said}");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("our file");
    let (code, said) = place.fails(&["run", "-d", "--", &path]);
    assert!(code == 127 && said.contains("interpreter"), "{said}");
    let (code, said) = place.fails(&["run", "-d", "--cwd", "/no/such/folder", "--", "true"]);
    assert!(code == 126 && said.contains("/no/such/folder"), "{said}");
    assert_eq!(place.ok(&["ls"]), "");
}

#[test]
fn w20_sizes_are_clamped() {
    let place = Place::new();
    for (wish, size) in [(("0", "0"), (2, 4)), (("65535", "65535"), (500, 1000))] {
        let name = format!("s{}", wish.0);
        place.ok(&[
            "run",
            "-d",
            "--name",
            &name,
            "--rows",
            wish.0,
            "--cols",
            wish.1,
            "--",
            "sh",
            "-c",
            "stty size; read x",
        ]);
        place.wait_screen(&name, &size.0.to_string());
        let session = place.session(&name);
        assert_eq!((session["rows"].as_u64(), session["cols"].as_u64()), (Some(size.0), Some(size.1)));
    }
    place.ok(&["resize", "s0", "99999x99999"]);
    let (code, said) = place.fails(&["resize", "s0", "12"]);
    assert!(code == 2 && said.contains("120x40"), "{said}");
}

#[test]
fn names_with_control_characters_are_refused() {
    let place = Place::new();
    for name in ["a\u{1b}[2J", "a b", "all", "17", ""] {
        let (code, said) = place.fails(&["run", "-d", "--name", name, "--", "true"]);
        assert!(code == 2 && said.contains("cannot be a name") && !said.contains('\u{1b}'), "{name:?}: {said}");
    }
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let place = Place::new();
    std::fs::set_permissions(place.dir(), PermissionsExt::from_mode(0o777)).expect("our folder");
    let (code, said) = place.fails(&["ls"]);
    assert!(code == 69 && said.contains("can be written by others") && said.contains("chmod 700"), "{said}");
    std::fs::set_permissions(place.dir(), PermissionsExt::from_mode(0o700)).expect("our folder");
    let link = place.dir().with_extension("link");
    std::os::unix::fs::symlink(place.dir(), &link).expect("a link");
    let output = place.command(RPM).env("RUNPM_DIR", &link).arg("ls").output().expect("rpm runs");
    std::fs::remove_file(&link).expect("our link");
    assert!(String::from_utf8_lossy(&output.stderr).contains("symbolic link"));
}

#[test]
fn w79_a_socket_path_that_does_not_fit_is_named() {
    let place = Place::new();
    let long = place.dir().join("x".repeat(100));
    let output = place.command(RPM).env("RUNPM_DIR", &long).arg("ls").output().expect("rpm runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("107 are possible") && said.contains("shorter"), "{said}");
}

#[test]
fn w77_w95_another_version_is_named_with_what_helps_and_left_alone() {
    use runpm::protocol::frame;
    use runpm::protocol::hello::Hello;
    use runpm::protocol::message;
    for (min, max, wanted) in [(7, 9, "use the `rpm` of version 9.9.9"), (0, 0, "its own `rpm`")] {
        let place = Place::new();
        let listener = UnixListener::bind(place.dir().join("daemon.sock")).expect("a socket");
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut hello = Hello::ours(4711, runpm::session::terminal::Who::default(), None);
            (hello.version, hello.protocol_min, hello.protocol_max) = ("9.9.9".to_owned(), min, max);
            let mut bytes = Vec::new();
            frame::encode(frame::Kind::Hello, &message::encode(&hello), &mut bytes).expect("short");
            stream.write_all(&bytes).expect("a client");
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let (code, said) = place.fails(&["ls"]);
        assert!(code == 76 && said.contains("9.9.9") && said.contains("4711") && said.contains(wanted), "{said}");
        other.join().expect("no panic");
    }
}

#[test]
fn k13_hostile_peers_are_cut_off_and_nobody_notices() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    let daemon = place.daemon_pid();
    let socket = place.dir().join("daemon.sock");
    let speak = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&socket).expect("a daemon");
        let _ = stream.write_all(bytes);
        stream
    };
    // A frame of 4 GiB, garbage, a request before hello: each is answered by the end of the connection.
    for bytes in [&[0xff, 0xff, 0xff, 0xff, 1][..], b"GET / HTTP/1.1\r\n\r\n", &[0, 0, 0, 1, 2, 0xc0]] {
        let mut end = Vec::new();
        let _ = speak(bytes).read_to_end(&mut end);
    }
    // Half a frame holds nobody else up.
    let half = speak(&[0, 0, 0, 50, 1, 0x80]);
    assert_eq!(place.session("a")["state"], "running");
    drop(half);
    assert_eq!(place.daemon_pid(), daemon);
}

#[test]
fn k13_another_user_can_do_nothing() {
    let place = Place::new();
    place.start("a", "sleep 1000");
    let socket = place.dir().join("daemon.sock");
    // As ssh-agent's own test does: loosen everything that modes protect, then come as somebody else.
    if !rustix::process::geteuid().is_root() {
        crate::support::skip("becoming another user needs root");
        return;
    }
    std::fs::set_permissions(place.dir(), PermissionsExt::from_mode(0o755)).expect("ours");
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o777)).expect("ours");
    let script = "$SIG{PIPE} = 'IGNORE'; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or exit 2; connect($s, sockaddr_un($ARGV[0])) or exit 3; \
                  syswrite $s, \"\\0\\0\\0\\1\\1\\x80\"; my $n = sysread $s, my $d, 99; exit($n ? 1 : 0)";
    let status = std::process::Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "perl", "-MSocket", "-e", script])
        .arg(&socket)
        .status()
        .expect("setpriv runs");
    assert_eq!(status.code(), Some(0));
    assert_eq!(place.session("a")["state"], "running");
}

#[test]
fn w96_every_command_that_fails_says_so_with_its_code() {
    let place = Place::new();
    for args in [
        &["screen", "x"][..],
        &["attach", "x"],
        &["send", "x", "y"],
        &["stop", "x"],
        &["rm", "x"],
        &["daemon", "status"],
    ] {
        let (code, said) = place.fails(args);
        assert!(code == 69 && said.contains("no daemon is running"), "{args:?}: {said}");
    }
    place.start("run", "sleep 1000");
    let (code, said) = place.fails(&["rm", "run"]);
    assert!(code == 1 && said.contains("rpm stop run"), "{said}");
    let (code, _) = place.fails(&["tui"]);
    assert_eq!(code, 2);
    let (code, said) = place.fails(&["-qa"]);
    assert!(code == 2 && said.contains("not Red Hat's package manager"), "{said}");
}

#[test]
fn a_program_with_another_users_rights_refuses_to_run() {
    let place = Place::new();
    if !rustix::process::geteuid().is_root() {
        crate::support::skip("set-user-id for another user needs root");
        return;
    }
    let copy = place.dir().join("rpm-of-root");
    std::fs::copy(RPM, &copy).expect("a copy");
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o4755)).expect("our file");
    std::fs::set_permissions(place.dir(), PermissionsExt::from_mode(0o755)).expect("our folder");
    let mut command = place.command("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&copy).arg("ls");
    let output = command.output().expect("setpriv runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(69) && said.contains("set-user-id"), "{said}");
}

#[test]
fn a_command_line_of_half_a_mebibyte_is_started_and_shown_shortened() {
    let place = Place::new();
    let script = r#""$0" run -d --name long -- true $(seq 1 100000)"#;
    assert!(place.command("sh").args(["-c", script, RPM]).status().expect("sh runs").success());
    let session = place.wait_end("long");
    let command = session["command"].as_str().unwrap_or_default();
    assert!(command.starts_with("true 1 2 3") && command.ends_with('…') && command.len() < 1000, "{command}");
    assert!(place.ok(&["ls"]).contains("long"));
}

#[test]
fn running_out_of_descriptors_refuses_new_sessions_and_harms_no_old_one() {
    let place = Place::new();
    // Keeper and daemon raise their limit to the hard one, so that is what is lowered.
    let script = r#"ulimit -n 64; "$0" run -d --name first -- sh -c 'echo up; read x; exit 5'"#;
    assert!(place.command("sh").args(["-c", script, RPM]).status().expect("sh runs").success());
    let refused = (0..30).find_map(|n| {
        let output = place.run(&["run", "-d", "--name", &format!("more{n}"), "--", "sleep", "1000"]);
        (!output.status.success()).then_some(output)
    });
    let said = String::from_utf8_lossy(&refused.expect("64 descriptors do not last").stderr).into_owned();
    assert!(said.contains("cannot start") || said.contains("terminal"), "{said}");
    place.wait_screen("first", "up");
    place.ok(&["send", "first", "", "--enter"]);
    assert_eq!(place.wait_end("first")["code"], 5);
}

#[test]
fn w96_what_is_empty_or_impossible_is_said_and_never_taken_silently() {
    let place = Place::new();
    place.start("py", "sleep 1000");
    let (code, said) = place.fails(&["send", "py", "--keys", " "]);
    assert!(code == 2 && said.contains("there is nothing to send"), "{said}");
    let (code, said) = place.fails(&["run", "-d", "--originator", "", "--", "true"]);
    assert!(code == 2 && said.contains(r#""" cannot be an originator"#), "{said}");
    let (code, said) = place.fails(&["run", "--detach-fully", "--", "/no/such"]);
    assert!(code == 127 && said.contains("check the name"), "{said}");
    let cases = [
        (&["--history", "99G"], "--history 99G is not possible, 1G is taken"),
        (&["--history", "1"], "--history 1 is not possible, 64K is taken"),
        (&["--rows", "0"], "--rows 0 is not possible, 2 is taken"),
    ];
    for (option, sentence) in cases {
        let output = place.run(&[&["run", "-d"], &option[..], &["--", "true"]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // A ring of that size may be more than this system gives.
        assert!(said.contains(sentence), "{option:?}: {said}");
    }
}
