//! The set of `docs/examples/services` as it is, with ports of its own: started, through a kill of the daemon and the end
//! of everything. Where redis or node are not installed, something that behaves like them takes their place.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::Place;
use crate::support::RPM;
use crate::support::skip;
use crate::support::wait_until;

const SERVERS: [&str; 4] = ["store", "worker", "page", "hello"];
/// Answers `PING` and counts `INCR`.
const STORE: &str = r#"
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        count = 0
        for line in self.rfile:
            count += 1
            self.wfile.write(b"+PONG\r\n" if line.startswith(b"PING") else b":%d\r\n" % count)
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"#;
const CLIENT: &str = r#"
import socket, sys
store = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
store.sendall(b"PING\r\n")
assert store.recv(64) == b"+PONG\r\n"
"#;
const HELLO: &str = r#"
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello\n")
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
print("listening on " + os.environ["PORT"], flush=True)
server.serve_forever()
"#;

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// Puts programs into a folder that stands in for those that are missing.
fn stand_in(folder: &Path) {
    std::fs::create_dir(folder).expect("a folder");
    for (program, text) in [("redis-server", STORE), ("redis-cli", CLIENT), ("node", HELLO)] {
        if !has(program) {
            println!("{program} is not installed: a stand-in is used");
            let path = folder.join(program);
            std::fs::write(&path, format!("#!/usr/bin/env python3{text}")).expect("a file");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
        }
    }
}

/// Copies the set into a folder, with ports that nobody listens on; returns those of page and hello.
fn copy(to: &Path) -> [u16; 2] {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/services");
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().expect("cp runs").success());
    let ports = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let ports = ports.map(|listener| listener.local_addr().expect("an address").port());
    let file = to.join("runpm.toml");
    let mut text = std::fs::read_to_string(&file).expect("the set");
    for (example, ours) in ["16379", "18000", "18001"].iter().zip(ports) {
        assert!(text.contains(example));
        text = text.replace(example, &ours.to_string());
    }
    std::fs::write(file, text).expect("a file");
    [ports[1], ports[2]]
}

fn get(port: u16) -> String {
    let mut said = String::new();
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
        let _ = stream.read_to_string(&mut said);
    }
    said
}

fn service(place: &Place, name: &str) -> Value {
    place.session(&format!("example/{name}"))["service"].take()
}

fn pid(place: &Place, name: &str) -> u64 {
    place.session(&format!("example/{name}"))["pid"].as_u64().expect("a pid")
}

fn wait_ready(place: &Place, names: &[&str]) {
    for name in names {
        wait_until(&format!("{name} is ready"), || service(place, name)["state"] == "ready");
    }
}

fn counted(place: &Place) -> usize {
    place.ok(&["logs", "--raw", "example/worker"]).lines().filter(|line| line.starts_with("counted")).count()
}

#[test]
fn v12_v14_a_real_set_outlives_its_daemon_and_comes_back_after_the_end_of_everything() {
    if !has("python3") {
        return skip("no python3: two services of the set are written in it");
    }
    let place = Place::new();
    let folder = place.dir().join("set");
    let [page, hello] = copy(&folder);
    stand_in(&place.dir().join("bin"));
    let path = format!("{}:{}", place.dir().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut start = place.command(RPM);
    let output = start.arg("start").current_dir(&folder).env("PATH", path).output().expect("rpm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    wait_ready(&place, &SERVERS);
    assert!(get(page).contains("200 OK") && get(hello).ends_with("hello\n"));
    let (before, done) = (SERVERS.map(|name| pid(&place, name)), counted(&place));
    let crashes = service(&place, "crasher")["restarts"].as_u64().expect("a number");
    place.kill_daemon();
    assert_eq!(SERVERS.map(|name| pid(&place, name)), before);
    wait_until("the worker works on", || counted(&place) > done + 1);
    wait_until("the crasher is started on", || service(&place, "crasher")["restarts"].as_u64() > Some(crashes));
    assert!(place.ok(&["why", "example/crasher"]).contains("going to fail"));

    // The power goes: nobody gets a word in.
    place.ok(&["stop", "example/hello"]);
    place.cut_power();
    // What the unit of `rpm startup` runs.
    place.ok(&["resurrect"]);
    wait_ready(&place, &["store", "worker", "page"]);
    assert!(get(page).contains("200 OK"));
    assert_eq!(service(&place, "hello")["state"], "stopped");
    assert!(counted(&place) > done + 1, "what it said before is still there");
    wait_until("the crasher crashes", || service(&place, "crasher")["restarts"].as_u64() > Some(0));
}
