//! A private `sshd` and logins to it; optionally with a wire between both that can be cut without either noticing.
//!
//! It has its own port, keys and configuration: nothing of the user's is read, nothing of it is left.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use portable_pty::CommandBuilder;

use crate::support::Outer;
use crate::support::Place;
use crate::support::RPM;
use crate::support::lives;
use crate::support::wait_for;

/// Name under which the host's key is known, whatever its address and port.
const HOST: &str = "rpm-test";
/// Both ends of the wire: addresses that are nobody's, in namespaces where nobody else is.
const NEAR: &str = "192.0.2.1";
const FAR: &str = "192.0.2.2";
/// A network card that does not exist; packets to it are dropped without a word.
const NOBODY: &str = "02:00:00:00:00:99";

/// Finds a program; `sshd` and `ip` are not always on a user's path.
pub fn find(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&paths).chain(usual).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// How the server learns of a client that is gone without a word.
#[derive(Clone, Copy)]
pub enum KeepAlive {
    /// Asks every second, and gives up after two questions without an answer.
    Seconds,
    /// Never asks: a dead connection looks like a quiet one for as long as TCP goes on trying.
    Never,
}

/// From where a login comes.
#[derive(Clone, Copy)]
pub enum From {
    /// Over the wire if there is one.
    Wire,
    /// From the server's own host, past the wire.
    Beside,
}

/// A running `sshd`; ends with its connections when it is dropped.
pub struct Sshd {
    dir: PathBuf,
    child: Child,
    port: u16,
    wire: Option<Wire>,
}

impl Sshd {
    /// Starts one on the loopback; `None` when this system cannot.
    pub fn start() -> Option<Self> {
        Self::launch(KeepAlive::Seconds, None)
    }

    /// Starts one at the far end of a wire; `None` when this system cannot.
    pub fn behind_a_wire(keep_alive: KeepAlive) -> Option<Self> {
        let wire = Wire::lay()?;
        Self::launch(keep_alive, Some(wire))
    }

    fn launch(keep_alive: KeepAlive, wire: Option<Wire>) -> Option<Self> {
        if let Some(missing) = ["sshd", "ssh", "ssh-keygen", "vim"].into_iter().find(|name| find(name).is_none()) {
            crate::support::skip(&format!("there is no {missing} here"));
            return None;
        }
        if id("-u") == "0" {
            // Only root's sshd insists on this folder; usually a boot script makes it.
            std::fs::create_dir_all("/run/sshd").expect("sshd's folder");
        }
        let dir = fresh_dir();
        for key in ["host_key", "user_key"] {
            make_key(&dir.join(key), key);
        }
        let public = std::fs::read_to_string(dir.join("host_key.pub")).expect("a key");
        std::fs::write(dir.join("known_hosts"), format!("{HOST} {public}")).expect("a file");
        // Somebody else may take a free port before sshd does.
        for _ in 0..10 {
            let port = if wire.is_some() { 2222 } else { free_port() };
            configure(&dir, port, keep_alive, wire.is_some());
            if let Some(child) = spawn(&dir, wire.as_ref()) {
                return Self { dir, child, port, wire }.if_it_gives_terminals();
            }
        }
        panic!("sshd does not start:\n{}", log(&dir));
    }

    /// A server that is not root's cannot hand over a terminal where the terminals' group is not set up for that.
    fn if_it_gives_terminals(self) -> Option<Self> {
        if id("-u") != "0" {
            let line = self.line(From::Wire, &["-tt"], "true");
            let mut login = Outer::spawn(CommandBuilder::from_argv(line.into_iter().map(Into::into).collect()), 24, 80);
            if login.wait_exit() != 0 {
                crate::support::skip(&format!(
                    "an sshd of our own lets nobody in:\n{}{}",
                    login.text(),
                    log(&self.dir)
                ));
                return None;
            }
        }
        Some(self)
    }

    /// A terminal that is logged in and runs `rpm` with these arguments.
    pub fn terminal(&self, place: &Place, args: &[&str]) -> Outer {
        self.login(place, From::Wire, None, args)
    }

    /// A login from somewhere, perhaps with an authentication agent that goes along.
    pub fn login(&self, place: &Place, from: From, agent: Option<&Path>, args: &[&str]) -> Outer {
        let mut options = vec!["-tt"];
        options.extend(agent.map(|_| "-A"));
        let line = self.line(from, &options, &remote(place, args));
        let mut command = CommandBuilder::from_argv(line.into_iter().map(Into::into).collect());
        command.env("TERM", "xterm-256color");
        command.env_remove("SSH_AUTH_SOCK");
        if let Some(agent) = agent {
            command.env("SSH_AUTH_SOCK", agent);
        }
        Outer::spawn(command, 24, 80)
    }

    /// A login without a terminal, as scripts do; the caller's end is a terminal only to be looked at.
    pub fn script(&self, place: &Place, args: &[&str]) -> Outer {
        let line = self.line(From::Wire, &["-T"], &remote(place, args));
        Outer::spawn(CommandBuilder::from_argv(line.into_iter().map(Into::into).collect()), 24, 80)
    }

    /// The command line of a login.
    fn line(&self, from: From, options: &[&str], command: &str) -> Vec<String> {
        let mut argv = Vec::new();
        let mut address = "127.0.0.1";
        if let Some(wire) = &self.wire {
            let (namespace, to) = match from {
                From::Wire => (&wire.near, FAR),
                From::Beside => (&wire.far, "127.0.0.1"),
            };
            argv.push(find("ip").expect("looked for before").display().to_string());
            argv.extend(["netns", "exec", namespace].map(str::to_owned));
            address = to;
        }
        argv.extend(["ssh", "-F", "none", "-p", &self.port.to_string(), "-l", &id("-un")].map(str::to_owned));
        argv.extend(options.iter().map(|option| (*option).to_owned()));
        let file = |name: &str| self.dir.join(name).display().to_string();
        let settings = [
            format!("IdentityFile={}", file("user_key")),
            format!("UserKnownHostsFile={}", file("known_hosts")),
            format!("HostKeyAlias={HOST}"),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            "BatchMode=yes".to_owned(),
            "EscapeChar=none".to_owned(),
            "LogLevel=ERROR".to_owned(),
        ];
        argv.extend(settings.into_iter().flat_map(|setting| ["-o".to_owned(), setting]));
        argv.extend([address.to_owned(), command.to_owned()]);
        argv
    }

    /// The server's processes between a process of a login and the listener.
    pub fn server_side(&self, pid: u32) -> Vec<u32> {
        let parents = std::iter::successors(Some(pid), |pid| Some(stat(*pid)?.parent));
        let chain: Vec<u32> = parents.skip(1).take_while(|pid| *pid > 1 && *pid != self.child.id()).collect();
        assert!(chain.first().is_some_and(|pid| is_sshd(*pid)), "{pid} is no login's process");
        chain.into_iter().filter(|pid| is_sshd(*pid)).collect()
    }

    /// The server's processes of all connections.
    pub fn connections(&self) -> Vec<u32> {
        let is_ours = |pid: &u32| {
            let mut parents = std::iter::successors(Some(*pid), |pid| Some(stat(*pid)?.parent));
            *pid != self.child.id() && is_sshd(*pid) && parents.any(|pid| pid == self.child.id())
        };
        processes().into_iter().filter(is_ours).collect()
    }

    /// From now on every packet on the wire is lost, and nobody is told.
    pub fn cut(&self) {
        let wire = self.wire.as_ref().expect("a wire");
        for (namespace, other) in [(&wire.near, FAR), (&wire.far, NEAR)] {
            ip(&format!("-n {namespace} neigh replace {other} lladdr {NOBODY} dev wire nud permanent"));
        }
    }

    /// Packets arrive again.
    pub fn mend(&self) {
        let wire = self.wire.as_ref().expect("a wire");
        for (namespace, other) in [(&wire.near, FAR), (&wire.far, NEAR)] {
            ip(&format!("-n {namespace} neigh del {other} dev wire"));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Connections whose client is gone clean up after themselves (an agent's socket, say), if they are let.
        let deadline = Instant::now() + Duration::from_secs(2);
        while !self.connections().is_empty() && Instant::now() < deadline && self.wire.is_none() {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        kill_all(&self.connections());
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- sshd\n{}", log(&self.dir));
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Two network namespaces and the wire between them.
struct Wire {
    near: String,
    far: String,
}

impl Wire {
    fn lay() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if find("ip").is_none() || id("-u") != "0" {
            crate::support::skip("network namespaces need `ip` and root");
            return None;
        }
        let name = format!("rpm-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let wire = Self { near: format!("{name}-near"), far: format!("{name}-far") };
        if !try_ip(&format!("netns add {}", wire.near)) {
            crate::support::skip("this system makes no network namespaces");
            return None;
        }
        ip(&format!("netns add {}", wire.far));
        ip(&format!("link add wire netns {} type veth peer name wire netns {}", wire.near, wire.far));
        for (namespace, address) in [(&wire.near, NEAR), (&wire.far, FAR)] {
            ip(&format!("-n {namespace} addr add {address}/24 dev wire"));
            ip(&format!("-n {namespace} link set wire up"));
            ip(&format!("-n {namespace} link set lo up"));
        }
        Some(wire)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for namespace in [&self.near, &self.far] {
            try_ip(&format!("netns del {namespace}"));
        }
    }
}

/// A running `ssh-agent` that holds one key.
pub struct Agent {
    dir: PathBuf,
    child: Child,
}

impl Agent {
    /// Starts one; its key is listed under this comment.
    pub fn start(comment: &str) -> Self {
        let dir = fresh_dir();
        let socket = dir.join("socket");
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("ssh-agent runs");
        let agent = Self { dir, child };
        wait_for("the agent's socket", || socket.exists().then_some(()));
        let key = agent.dir.join("key");
        make_key(&key, comment);
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket).stdin(Stdio::null());
        assert!(add.status().expect("ssh-add runs").success());
        agent
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// What `/proc/PID/stat` says that tests ask for.
pub struct Stat {
    pub parent: u32,
    pub session: u32,
    /// 0 without one.
    pub terminal: i32,
    /// Processor time taken, in ticks.
    pub ticks: u64,
}

/// Reads it; `None` once the process is gone.
pub fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: number(1)? as u32,
        session: number(3)? as u32,
        terminal: fields.get(4)?.parse().ok()?,
        ticks: number(11)? + number(12)?,
    })
}

/// All living processes.
pub fn processes() -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| lives(*pid)).collect()
}

/// Ends processes at once; the end of one may be the end of another, so none has to be there still.
pub fn kill_all(pids: &[u32]) {
    for pid in pids {
        let _ = Command::new("kill").arg("-KILL").arg(pid.to_string()).stderr(Stdio::null()).status();
    }
}

/// A fresh folder of our own; its path is short enough for a socket in it.
pub fn fresh_dir() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("rpm-ssh-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let dir = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir(&dir).expect("a fresh folder");
    dir
}

fn is_sshd(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("sshd"))
}

/// The command for the login's shell, whichever that is: quotes are all it has to know.
fn remote(place: &Place, args: &[&str]) -> String {
    let mut words = vec![format!("RUNPM_DIR={}", place.dir().display())];
    words.extend(["SHELL=/bin/sh", "ENV=", "PS1=$ ", RPM].map(str::to_owned));
    words.extend(args.iter().map(|arg| (*arg).to_owned()));
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    format!("exec env {}", quoted.join(" "))
}

fn configure(dir: &Path, port: u16, keep_alive: KeepAlive, is_far: bool) {
    let address = if is_far { "0.0.0.0" } else { "127.0.0.1" };
    let interval = match keep_alive {
        KeepAlive::Seconds => 1,
        KeepAlive::Never => 0,
    };
    let dir_name = dir.display();
    // The checks of modes are off because a temporary folder lies below one that everybody may write to.
    let text = format!(
        "ListenAddress {address}\nPort {port}\nHostKey {dir_name}/host_key\nAuthorizedKeysFile {dir_name}/user_key.pub\n\
         PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n\
         PermitUserRC no\nPrintMotd no\nPrintLastLog no\nUseDNS no\nAllowAgentForwarding yes\nTCPKeepAlive no\n\
         ClientAliveInterval {interval}\nClientAliveCountMax 2\n"
    );
    std::fs::write(dir.join("config"), text).expect("a file");
}

/// Starts sshd and waits until it listens; `None` when its port is taken.
fn spawn(dir: &Path, wire: Option<&Wire>) -> Option<Child> {
    let out = File::create(dir.join("log")).expect("a file");
    let sshd = find("sshd").expect("looked for before");
    let mut command = match wire {
        Some(wire) => {
            let mut command = Command::new(find("ip").expect("looked for before"));
            command.args(["netns", "exec", &wire.far]).arg(sshd);
            command
        }
        None => Command::new(sshd),
    };
    command.args(["-D", "-e", "-f"]).arg(dir.join("config"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out);
    let mut child = command.spawn().expect("sshd runs");
    wait_for("sshd listens", || {
        let said = log(dir);
        let ended = child.try_wait().expect("a child").is_some();
        assert!(!ended || said.contains("Address already in use"), "sshd ended: {said}");
        (ended || said.contains("Server listening")).then_some(!ended)
    })
    .then_some(child)
}

fn log(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("log")).unwrap_or_default()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn make_key(path: &Path, comment: &str) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]).arg(path).stdin(Stdio::null());
    assert!(command.status().expect("ssh-keygen runs").success());
}

fn id(what: &str) -> String {
    let output = Command::new("id").arg(what).output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn try_ip(args: &str) -> bool {
    let ip = find("ip").expect("looked for before");
    let output = Command::new(ip).args(args.split(' ')).output().expect("ip runs");
    if !output.status.success() {
        eprintln!("ip {args}: {}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

fn ip(args: &str) {
    assert!(try_ip(args), "ip {args}");
}
