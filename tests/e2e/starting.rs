//! What a session's program gets: the client's environment, directory, mask and limits, and nothing of the daemon's.

use crate::support::Place;
use crate::support::RPM;

fn said_by(place: &Place, name: &str) -> String {
    place.wait_end(name);
    place.ok(&["logs", "--raw", name])
}

#[test]
fn w52_a_session_gets_the_clients_environment_directory_mask_and_limits() {
    let place = Place::new();
    // The daemon is started by another client with other values.
    place.start("first", "sleep 1000");
    let folder = place.dir().join("work");
    std::fs::create_dir(&folder).expect("a folder");
    let script = r#"umask 027; ulimit -n 77; FRUIT=plum exec "$0" run -d --pipe --name second -- sh -c 'pwd; umask; ulimit -n; echo $FRUIT; echo ${TMUX-none}'"#;
    let status = place.command("sh").current_dir(&folder).args(["-c", script, RPM]).env("TMUX", "").status();
    assert!(status.expect("sh runs").success());
    let said = said_by(&place, "second");
    assert_eq!(said, format!("{}\n0027\n77\nplum\n\n", folder.display()));
}

#[test]
fn a_terminal_session_has_an_honest_terminal_and_no_foreign_markers() {
    let place = Place::new();
    let mut command = place.command(RPM);
    command.env("TMUX", "/tmp/x").env("LINES", "5").env("TERM", "screen");
    let script = "echo $TERM $COLORTERM ${TMUX-none} ${LINES-none}; stty size; tty; ps -o tty= -p $$";
    command.args(["run", "-d", "--name", "t", "--rows", "33", "--cols", "101", "--", "sh", "-c", script]);
    assert!(command.status().expect("rpm runs").success());
    let said = said_by(&place, "t");
    assert!(said.starts_with("xterm-256color truecolor none none\r\n33 101\r\n/dev/pts/"), "{said}");
}

#[test]
fn no_signal_is_blocked_or_ignored_in_a_session() {
    let place = Place::new();
    for kind in ["--pty", "--pipe"] {
        place.ok(&["run", "-d", kind, "--name", &kind[2..], "--", "grep", "^Sig[BI]", "/proc/self/status"]);
        let said = said_by(&place, &kind[2..]).replace('\r', "");
        assert_eq!(said, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", "{kind}");
    }
}

#[test]
fn no_descriptor_of_ours_leaks_into_a_session() {
    let place = Place::new();
    place.start("other", "sleep 1000");
    place.ok(&["run", "-d", "--pipe", "--name", "fds", "--", "ls", "/proc/self/fd"]);
    // The fourth is the folder that `ls` reads.
    assert_eq!(said_by(&place, "fds"), "0\n1\n2\n3\n");
}

#[test]
fn k6_w30_w31_pipes_are_byte_exact_and_prompts_appear_at_once() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "odd", "--", "printf", r"a\n\n\nb\r\nc\000\377no newline"]);
    place.wait_end("odd");
    assert_eq!(place.run(&["logs", "--raw", "odd"]).stdout, b"a\n\n\nb\r\nc\0\xffno newline");

    place.ok(&["run", "-d", "--pipe", "--name", "ask", "--", "sh", "-c", "printf 'name? '; read n; echo hello $n"]);
    place.wait_screen("ask", "name?");
    place.ok(&["send", "ask", "ann\n"]);
    place.wait_end("ask");
    assert_eq!(place.ok(&["logs", "--raw", "ask"]), "name? hello ann\n");
}

#[test]
fn k6_a_terminals_bytes_are_kept_as_it_delivered_them() {
    let place = Place::new();
    place.start("raw", r"stty raw; printf 'x\000\377\r\r\nend'");
    place.wait_end("raw");
    assert_eq!(place.run(&["logs", "--raw", "raw"]).stdout, b"x\0\xff\r\r\nend");
}

#[test]
fn pipes_end_their_input_when_asked() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "wc", "--", "wc", "-c"]);
    place.ok(&["send", "wc", "12345", "--eof"]);
    assert_eq!(place.wait_end("wc")["code"], 0);
    assert_eq!(place.ok(&["logs", "--raw", "wc"]).trim(), "5");
    let (code, said) = place.fails(&["send", "wc", "more"]);
    assert!(code == 1 && said.contains("has ended"), "{said}");
}

#[test]
fn w24_commands_are_shown_so_that_a_shell_takes_them_back() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "q", "--", "printf", "%s", "it's", "a b", ""]);
    let session = place.wait_end("q");
    assert_eq!(session["command"], r"printf %s 'it'\''s' 'a b' ''");
}

#[test]
fn w23_names_are_readable_unique_and_in_order() {
    let place = Place::new();
    for _ in 0..3 {
        place.ok(&["run", "-d", "--", "sleep", "1000"]);
    }
    let text = place.ok(&["ls"]);
    let names: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(names, ["sleep", "sleep-2", "sleep-3"]);
    let (code, said) = place.fails(&["run", "-d", "--name", "sleep", "--", "true"]);
    assert!(code == 1 && said.contains("rpm attach sleep"), "{said}");
}

#[test]
fn the_end_of_a_runs_input_is_the_end_of_its_programs() {
    let place = Place::new();
    for kind in ["--pipe", "--pty"] {
        let script = format!("printf 'one\\ntwo\\n' | \"$0\" run {kind} -- sh -c 'wc -l; exit 4'");
        let output = place.command("sh").args(["-c", &script, RPM]).output().expect("sh runs");
        assert_eq!(output.status.code(), Some(4), "{kind}");
        assert!(String::from_utf8_lossy(&output.stdout).contains('2'), "{kind}: {output:?}");
    }
}

#[test]
fn what_the_user_gives_in_so_many_words_wins() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "e", "--env", "TERM=vt220", "--env", "X=a=b", "--", "sh", "-c", "echo $TERM $X"]);
    assert_eq!(said_by(&place, "e"), "vt220 a=b\r\n");
    let (code, said) = place.fails(&["send", "e", "late"]);
    assert!(code == 1 && said.contains("has ended"), "{said}");
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let place = Place::new();
    let shell = |script: &str| {
        let output = place.command("bash").args(["-c", script, RPM]).output().expect("bash runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(shell(r#""$0" run --pipe -- seq 1 100000 | head -2 > /dev/null; echo ${PIPESTATUS[0]}"#), "0\n");
    assert_eq!(
        shell(
            r#""$0" run -d --name quiet -- cat > /dev/null; "$0" attach quiet < /dev/null | true; echo ${PIPESTATUS[0]}"#
        ),
        "0\n"
    );
}
