//! Services that are asked over real sockets, and that speak up themselves.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::support::Place;
use crate::support::kill;
use crate::support::lives;
use crate::support::signal;
use crate::support::wait_for;
use crate::support::wait_until;

fn apply(place: &Place, text: &str) {
    let path = place.dir().join("runpm.toml");
    std::fs::write(&path, text).expect("a file");
    place.ok(&["apply", path.to_str().expect("text")]);
}

fn is(place: &Place, name: &str, state: &str) -> bool {
    place.service(name)["state"] == state
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Answers every request with the status that is set.
struct Server {
    status: Arc<AtomicU16>,
    asked: Arc<AtomicU32>,
}

impl Server {
    fn start(port: u16, status: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let server = Self { status: Arc::new(AtomicU16::new(status)), asked: Arc::default() };
        let (status, asked) = (Arc::clone(&server.status), Arc::clone(&server.asked));
        // Ends with the test's process: it waits in `accept`.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 1024]);
                let answer = format!("HTTP/1.1 {} x\r\nContent-Length: 0\r\n\r\n", status.load(Ordering::SeqCst));
                let _ = stream.write_all(answer.as_bytes());
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        server
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[test]
fn readiness_over_tcp_unix_and_http_comes_with_the_first_good_answer_and_ends_nothing() {
    let place = Place::new();
    let (tcp, http) = (free_port(), free_port());
    let text = format!(
        "[defaults]\ncommand = \"sleep 1000\"\n
         [services.tcp]\nreadiness = {{ tcp = {tcp} }}\n
         [services.unix]\nreadiness = {{ unix = \"sock\" }}\n
         [services.http]\nreadiness = {{ http = \"http://127.0.0.1:{http}/\", status = \"200-204\" }}\n"
    );
    apply(&place, &text);
    let pids = || ["tcp", "unix", "http"].map(|name| place.session(name)["pid"].clone());
    let before = pids();
    let server = Server::start(http, 503);
    wait_until("it was asked again and again", || server.asked() >= 3);
    for name in ["tcp", "unix", "http"] {
        assert!(is(&place, name, "starting"), "{name}");
    }

    let _tcp = TcpListener::bind(("127.0.0.1", tcp)).expect("the port is free");
    let _unix = UnixListener::bind(place.dir().join("sock")).expect("a socket");
    server.status.store(204, Ordering::SeqCst);
    for name in ["tcp", "unix", "http"] {
        wait_until(&format!("{name} is ready"), || is(&place, name, "ready"));
    }
    assert_eq!(pids(), before);
    let asked = server.asked();
    place.kill_daemon();
    assert!(is(&place, "http", "ready"), "what was ready stays so");
    assert_eq!(server.asked(), asked, "who is ready is not asked again");
}

#[test]
fn liveness_over_http_restarts_after_so_many_failures_in_a_row_and_not_before_ready() {
    let place = Place::new();
    let port = free_port();
    let text = format!(
        "[services.web]\ncommand = [\"sh\", \"-c\", \"sleep 0.2; echo >&3; exec sleep 1000\"]\nreadiness = {{ fd = 3 }}\n
         liveness = {{ http = \"http://127.0.0.1:{port}/\", period = \"30ms\", failures = 3 }}\n"
    );
    let server = Server::start(port, 200);
    apply(&place, &text);
    wait_until("it is asked", || server.asked() > 5);
    assert_eq!(place.service("web")["restarts"], 0);
    server.status.store(500, Ordering::SeqCst);
    wait_until("it is another one", || place.service("web")["restarts"] == 1);
    server.status.store(200, Ordering::SeqCst);
    wait_until("and ready", || is(&place, "web", "ready"));
    let why: Value = serde_json::from_str(&place.ok(&["why", "--json", "web"])).expect("JSON");
    let death = &why["services"][0]["deaths"][0];
    assert_eq!((&death["why"], &death["by"]), (&"unwell".into(), &"its liveness".into()));
}

/// A service that says where its socket is, and nothing to it: the test speaks for it.
const TELLER: &str = "command = [\"sh\", \"-c\", \"echo $NOTIFY_SOCKET ${WATCHDOG_USEC:-none}; exec sleep 1000\"]\nreadiness = \"notify\"\n";

/// Where the newest run of it listens, and for how long it may be silent.
fn told(place: &Place, name: &str, run: usize) -> (String, String) {
    wait_for("it says where its socket is", || {
        let said = place.ok(&["logs", "--raw", name]);
        let line = said.lines().nth(run)?.to_owned();
        let (path, usec) = line.split_once(' ')?;
        Some((path.to_owned(), usec.to_owned()))
    })
}

fn say(path: &str, message: &str) {
    let socket = UnixDatagram::unbound().expect("a socket");
    socket.send_to(message.as_bytes(), path).expect("somebody listens");
}

#[test]
fn sd_notify_ready_and_status_count_and_what_is_unknown_is_ignored() {
    let place = Place::new();
    apply(&place, &format!("[services.web]\n{TELLER}"));
    let (path, usec) = told(&place, "web", 0);
    assert_eq!(usec, "none", "nobody asked for a watchdog");
    let pid = place.session("web")["pid"].clone();
    say(&path, "X_FOO=1\nMAINPID=1\nWATCHDOG=trigger0\nREADY=0\nnonsense\n\u{0}");
    say(&path, "STATUS=warming up");
    wait_until("it is told", || place.service("web")["said"] == "warming up");
    assert!(is(&place, "web", "starting"));
    say(&path, "READY=1\nSTATUS=serving");
    wait_until("it is ready", || is(&place, "web", "ready"));
    assert_eq!(place.service("web")["said"], "serving");

    place.kill_daemon();
    assert!(is(&place, "web", "ready"));
    say(&path, "STATUS=still serving");
    wait_until("the next daemon hears it", || place.service("web")["said"] == "still serving");
    assert_eq!((place.session("web")["pid"].clone(), place.service("web")["restarts"].clone()), (pid, 0.into()));
    place.ok(&["stop", "web"]);
    wait_until("its socket goes with the run", || !std::path::Path::new(&path).exists());
}

#[test]
fn a_watchdog_restarts_who_was_ready_and_fell_silent_or_asks_for_it() {
    let place = Place::new();
    apply(
        &place,
        &format!("[services.web]\n{TELLER}liveness = {{ watchdog = \"1500ms\" }}\nbackoff = {{ initial = \"0\" }}\n"),
    );
    let (path, usec) = told(&place, "web", 0);
    assert_eq!(usec, "1500000");
    let began = Instant::now();
    wait_until("it is silent, and not ready yet", || began.elapsed() > Duration::from_secs(2));
    assert!(is(&place, "web", "starting"));
    say(&path, "READY=1");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                // Between two daemons nobody listens.
                let socket = UnixDatagram::unbound().expect("a socket");
                let _ = socket.send_to(b"WATCHDOG=1", &path);
                std::thread::park_timeout(Duration::from_millis(50));
            }
        });
        let began = Instant::now();
        place.kill_daemon();
        wait_until("longer than it may be silent", || began.elapsed() > Duration::from_millis(2500));
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(place.service("web")["restarts"], 0, "it speaks");
    wait_until("it fell silent", || place.service("web")["restarts"] == 1);

    let (path, _) = told(&place, "web", 1);
    say(&path, "READY=1\nWATCHDOG_USEC=3600000000");
    wait_until("it is ready", || is(&place, "web", "ready"));
    say(&path, "WATCHDOG=trigger");
    wait_until("it asked for it", || place.service("web")["restarts"] == 2);
    let why: Value = serde_json::from_str(&place.ok(&["why", "--json", "web"])).expect("JSON");
    let by: Vec<&str> = why["services"][0]["deaths"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|death| death["by"].as_str())
        .collect();
    assert_eq!(by, ["its watchdog: silent for 1500 ms", "its watchdog: it said so"]);
}

#[test]
fn a_watchdog_goes_on_with_the_one_that_a_reload_put_in_place() {
    let place = Place::new();
    let text = "[services.web]\ncommand = [\"sh\", \"-c\", \"echo $NOTIFY_SOCKET x; exec sleep 1000\"]\nliveness = { watchdog = \"1h\" }\n";
    apply(&place, text);
    told(&place, "web", 0);
    place.ok(&["reload", "web"]);
    let pid = place.session("web")["pid"].as_u64().expect("a pid");
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("it lives");
    let entry = environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(b"NOTIFY_SOCKET="));
    let path = String::from_utf8_lossy(entry.expect("a socket")).into_owned();
    say(&path, "STATUS=new");
    wait_until("it is heard under its name", || place.service("web")["said"] == "new");
    place.kill_daemon();
    say(&path, "STATUS=newer");
    wait_until("also by the next daemon", || place.service("web")["said"] == "newer");
}

#[test]
fn k1_what_a_service_says_while_no_daemon_lives_is_heard_by_the_next_one() {
    let place = Place::new();
    let gate = place.dir().join("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().expect("mkfifo runs").success());
    let newline = "read go < gate; echo >&3; exec 3>&-; exec sleep 1000";
    let text = format!(
        "[services.web]\n{TELLER}liveness = {{ watchdog = \"1h\" }}\nbackoff = {{ initial = \"0\" }}\n
         [services.fd]\ncommand = [\"sh\", \"-c\", \"{newline}\"]\nreadiness = {{ fd = 3 }}\n"
    );
    apply(&place, &text);
    let (path, _) = told(&place, "web", 0);
    say(&path, "STATUS=half way");
    wait_until("it is told", || place.service("web")["said"] == "half way");
    let pid = place.session("fd")["pid"].as_u64().expect("a pid");
    let (keeper, daemon) = (place.keeper_pid(), place.daemon_pid());
    // It starts no daemon while it sleeps.
    signal(keeper, "STOP");
    kill(daemon);
    wait_until("it is dead", || !lives(daemon));
    say(&path, "READY=1");
    say(&path, "WATCHDOG_USEC=100000");
    std::fs::write(&gate, "go\n").expect("it is opened");
    let pipe = format!("/proc/{pid}/fd/3");
    wait_until("it has closed its descriptor", || std::fs::symlink_metadata(&pipe).is_err());
    signal(keeper, "CONT");
    wait_until("the newline is heard", || is(&place, "fd", "ready"));
    assert_eq!(place.session("fd")["pid"], pid);
    // Ready, silent for longer than it said that it would be, and so restarted.
    wait_until("all it said is heard", || place.service("web")["restarts"] == 1);
    let why: Value = serde_json::from_str(&place.ok(&["why", "--json", "web"])).expect("JSON");
    assert_eq!(why["services"][0]["deaths"][0]["by"], "its watchdog: silent for 100 ms");
}

#[test]
fn k1_what_a_service_said_of_itself_is_known_to_the_next_daemon() {
    let place = Place::new();
    apply(&place, &format!("[services.web]\n{TELLER}"));
    let (path, _) = told(&place, "web", 0);
    say(&path, "READY=1\nSTATUS=serving 7");
    wait_until("it is ready", || is(&place, "web", "ready"));
    place.kill_daemon();
    assert_eq!(place.service("web")["said"], "serving 7");
    let pid = place.session("web")["pid"].clone();
    place.ok(&["restart", "web"]);
    wait_until("it is another one", || place.session("web")["pid"] != pid);
    place.kill_daemon();
    assert_eq!(place.service("web")["said"], Value::Null, "the run before said that");
}
