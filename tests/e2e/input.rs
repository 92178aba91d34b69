//! Input that never blocks the daemon, and control that several people share.

use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use runpm::protocol::verbs;
use runpm::session::spec::Kind;

use crate::support::Place;
use crate::support::RPM;
use crate::support::lives;
use crate::support::skip;
use crate::support::wait_for;
use crate::support::wait_until;

#[test]
fn k4_w8_two_hundred_programs_that_read_nothing_cost_nobody_else_anything() {
    let place = Place::new();
    place.start("first", "sleep 1000");
    let mut connection = place.connect();
    // In whole lines: a terminal drops what is too long for one, and would never be full.
    let line = b"a line that nobody reads\n";
    let bytes = serde_bytes::ByteBuf::from(line.repeat(500_000 / line.len()));
    let mut senders = Vec::new();
    for n in 0..200 {
        let mut run = verbs::Run { key: runpm::client::request_key(), ..verbs::Run::default() };
        run.spec.kind = if n % 2 == 0 { Kind::Pty } else { Kind::Pipe };
        run.spec.name = Some(format!("deaf{n}"));
        run.spec.launch.argv = ["sleep", "1000"].map(|arg| serde_bytes::ByteBuf::from(arg.as_bytes())).to_vec();
        run.spec.launch.env = vec![
            serde_bytes::ByteBuf::from(format!("RUNPM_DIR={}", place.dir().display())),
            serde_bytes::ByteBuf::from(&b"PATH=/usr/bin:/bin"[..]),
        ];
        connection.call(&run).expect("started");
        let send = || verbs::Send {
            key: runpm::client::request_key(),
            target: format!("deaf{n}"),
            bytes: bytes.clone(),
            ..verbs::Send::default()
        };
        let mut sender = place.connect();
        sender.call(&send()).expect("half of the room");
        sender.call(&send()).expect("the other half");
        let third = sender.post(&send()).expect("sent");
        wait_until("it is taken off the wire", || {
            sender.flush().expect("a daemon");
            sender.unsent() == 0
        });
        senders.push((sender, third));
    }

    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let asked = Instant::now();
            connection.call(&verbs::DaemonStatus {}).expect("an answer");
            asked.elapsed()
        })
        .collect();

    times.sort_unstable();
    assert!(times[50] < Duration::from_millis(50), "half of them take {:?} and more", times[50]);
    // Where other tests run beside it, one may wait for a processor.
    assert!(times[100] < Duration::from_millis(500), "the slowest took {:?}", times[100]);
    // The queues are full indeed: what came third waits still, wherever it is.
    for (n, (sender, third)) in senders.iter_mut().enumerate() {
        let answer = sender.try_receive().expect("a daemon");
        assert!(answer.is_none(), "deaf{n} took request {third}: {answer:?}");
    }
}

#[test]
fn w8_who_sends_more_than_fits_waits_and_can_be_cancelled() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "deaf", "--", "sleep", "1000"]);
    let sender = |place: &Place| {
        let script = r#"head -c 3000000 /dev/zero | exec "$0" send --stdin deaf"#;
        place.command("sh").args(["-c", script, RPM]).stderr(Stdio::piped()).spawn().expect("sh runs")
    };
    let mut cancelled = sender(&place);
    let waits = |child: &mut std::process::Child| child.try_wait().expect("a child").is_none();
    // While it waits, everybody else is served.
    assert!(place.daemon()["sessions"] == 1 && waits(&mut cancelled));
    cancelled.kill().and_then(|()| cancelled.wait()).expect("our child");
    let mut waiting = sender(&place);
    assert!(place.daemon()["sessions"] == 1 && waits(&mut waiting));

    place.ok(&["kill", "deaf"]);

    let output = waiting.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("has ended") || said.contains("takes no input"), "{said}");
}

#[test]
fn everything_that_is_sent_arrives_in_order_however_slowly_it_is_read() {
    let place = Place::new();
    let script = "sleep 0.2; cksum";
    place.ok(&["run", "-d", "--pipe", "--name", "slow", "--", "sh", "-c", script]);
    let text: String = (0..600_000).map(|n| format!("{n}\n")).collect();
    let file = place.dir().join("text");
    std::fs::write(&file, &text).expect("a file");
    let script = r#""$0" send --stdin --eof slow < "$1""#;
    let status = place.command("sh").args(["-c", script, RPM]).arg(&file).status().expect("sh runs");
    assert!(status.success());
    place.wait_end("slow");
    let wanted = std::process::Command::new("sh").args(["-c", "cksum < \"$0\""]).arg(&file).output().expect("sh");
    assert_eq!(place.ok(&["logs", "--raw", "slow"]), String::from_utf8_lossy(&wanted.stdout));
}

#[test]
fn the_interrupt_key_is_not_behind_what_was_pasted() {
    let place = Place::new();
    // Line by line, as shells read: nothing of a line is taken while the program sleeps.
    let mut terminal =
        place.terminal(&["run", "--name", "s", "--", "sh", "-c", "stty -echo; echo up; exec sleep 1000"]);
    terminal.wait_text("up");
    terminal.type_in("a line that nobody reads\n".repeat(60_000));
    terminal.type_in("\x03");
    assert_eq!(terminal.wait_exit(), 130);
    assert_eq!(place.wait_end("s")["signal"], "INT");
}

#[test]
fn a_key_that_detaches_is_not_behind_what_was_pasted_either() {
    let place = Place::new();
    let mut terminal =
        place.terminal(&["run", "--name", "s", "--", "sh", "-c", "stty -echo; echo up; exec sleep 1000"]);
    terminal.wait_text("up");
    terminal.type_in("a line that nobody reads\n".repeat(60_000));
    terminal.type_in("\x02d");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn w19_who_shares_types_beside_the_other_and_the_size_goes_by_the_rule() {
    let place = Place::new();
    place.start("s", "stty -echo; echo ready; while read line; do echo got $line; done");
    let mut one = place.terminal_of(30, 90, &["attach", "s"]);
    one.wait_text("ready");
    let mut two = place.terminal_of(20, 100, &["attach", "--share", "s"]);
    two.wait_text("ready");
    let size = || {
        let session = place.session("s");
        format!("{}x{}", session["cols"], session["rows"])
    };
    wait_until("the size of who came last", || size() == "100x20");
    one.type_in("first\r");
    two.wait_text("got first");
    wait_until("the size of who typed last", || size() == "90x30");
    two.type_in("second\r");
    one.wait_text("got second");
    place.ok(&["resize", "s", "--owner", "smallest"]);
    wait_until("the smallest of both", || size() == "90x20");
    place.kill_daemon();
    wait_until("both are back", || place.session("s")["attached"].as_array().is_some_and(|all| all.len() == 2));
    assert_eq!(place.session("s")["size_owner"], "smallest");
    place.ok(&["resize", "s", "120x40", "--owner", "manual"]);
    wait_until("what was asked for", || size() == "120x40");
    one.resize(25, 85);
    one.type_in("third\r");
    two.wait_text("got third");
    assert_eq!(size(), "120x40");
    let (code, said) = place.fails(&["attach", "s"]);
    assert!(code == 77 && said.contains("--share"), "{said}");
}

#[test]
fn w20_who_is_attached_is_told_with_its_terminal_and_the_program_gets_pixels() {
    let place = Place::new();
    let python = "import fcntl,struct,sys,termios,time\nwhile True:\n r,c,x,y=struct.unpack('HHHH',fcntl.ioctl(0,termios.TIOCGWINSZ,b'\\0'*8));print('size',r,c,x,y,flush=True);time.sleep(0.05)";
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        return skip("there is no python3 to ask for pixels");
    }
    place.ok(&["run", "-d", "--name", "px", "--", "python3", "-c", python]);
    let mut terminal = place.terminal(&["attach", "px"]);
    terminal.wait_text("size");
    terminal.resize_with_pixels(30, 100, 1000, 600);
    terminal.wait_text("size 30 100 1000 600");
    let attached = wait_for("it is told", || {
        let attached = place.session("px")["attached"][0].clone();
        (attached["terminal"]["width_pixels"] == 1000).then_some(attached)
    });
    assert_eq!(attached["terminal"]["term"], "xterm-256color");
    let sixel = &attached["terminal"]["graphics"]["sixel"];
    assert!(sixel["status"].is_string() && sixel["evidence"].is_string(), "{sixel}");
    assert_eq!((&attached["terminal"]["rows"], &attached["user"]), (&30.into(), &"ann".into()));
    assert!(attached["tty"].as_str().is_some_and(|tty| tty.starts_with("pts/")) && attached["since"].is_string());
    assert_eq!(attached["is_tty"], true);
}

#[test]
fn who_has_no_terminal_resizes_nothing() {
    let place = Place::new();
    place.ok(&["run", "-d", "--name", "s", "--rows", "33", "--cols", "99", "--", "cat"]);
    let mut command = place.command(RPM);
    command.args(["attach", "s"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut client = command.spawn().expect("rpm runs");
    let attached =
        wait_for("attached", || Some(place.session("s")["attached"][0].clone()).filter(serde_json::Value::is_object));
    assert_eq!((&attached["is_tty"], &attached["controls"]), (&false.into(), &true.into()));
    assert_eq!((&place.session("s")["rows"], &place.session("s")["cols"]), (&33.into(), &99.into()));
    client.kill().and_then(|()| client.wait()).expect("our child");
    assert!(!lives(client.id()));
}

#[test]
fn a_signal_goes_to_what_is_in_front_and_bad_ones_are_named() {
    let place = Place::new();
    place.start("t", "trap 'echo HUP came' HUP; echo up; while :; do sleep 0.02; done");
    place.wait_screen("t", "up");
    place.ok(&["signal", "hup", "t"]);
    place.wait_screen("t", "HUP came");
    place.ok(&["signal", "INT", "t"]);
    assert_eq!(place.wait_end("t")["signal"], "INT");
    let (code, said) = place.fails(&["signal", "INT", "t"]);
    assert!(code == 1 && said.contains("has ended"), "{code} {said}");
    for bad in ["BOGUS", "0", "65", "-1"] {
        let (code, said) = place.fails(&["signal", bad, "t"]);
        assert!(code == 2, "{bad}: {code} {said}");
    }
}

#[test]
fn who_types_to_a_program_that_does_not_read_waits_as_long_as_it_wants() {
    let place = Place::new();
    place.ok(&["run", "-d", "--pipe", "--name", "deaf", "--", "sleep", "1000"]);
    let line = "x".repeat(100_000);
    let (code, sentence) = wait_for("it is full", || {
        let typed = place.run(&["send", "deaf", &line, "--timeout", "50ms"]);
        (!typed.status.success()).then(|| (typed.status.code(), String::from_utf8_lossy(&typed.stderr).into_owned()))
    });
    assert!(code == Some(92) && sentence.contains("deaf does not read what was typed before"), "{code:?} {sentence}");
}
