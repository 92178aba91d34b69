//! A hundred services: starting, stopping, coming back after a crash, memory and wake-ups; beside pm2 and supervisord.
//!
//! `PM2=/path/to/pm2 SUPERVISORD=/path/to/supervisord cargo bench --bench services`; a peer that is not named is left
//! out. Prints figures, judges nothing: `docs/performance.md` quotes them.

#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use runpm::client::blocking::Connection;
use runpm::protocol::verbs;
use support::Place;

/// Services of a set.
const SET: usize = 100;

fn main() {
    println!("| figure | rpm | pm2 | supervisord |\n|---|---:|---:|---:|");
    let (ours, pm2, supervisord) = (rpm(), peer("PM2", pm2), peer("SUPERVISORD", supervisord));
    let row = |figure: &str, get: fn(&Set) -> String| {
        let cell = |set: Option<&Set>| set.map_or("-".to_owned(), get);
        println!("| {figure} | {} | {} | {} |", get(&ours), cell(pm2.as_ref()), cell(supervisord.as_ref()));
    };
    row("start 100", |set| ms(set.start));
    row("stop 100", |set| ms(set.stop));
    row("memory with 100 (PSS of the manager)", |set| format!("{} KiB", set.memory));
    crashes();
    idle();
}

/// What a set of services costs.
struct Set {
    start: Duration,
    stop: Duration,
    /// KiB.
    memory: u64,
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

fn file(place: &Place, options: &str) -> String {
    let mut text = String::new();
    for n in 0..SET {
        let _ = writeln!(text, "[services.s{n}]\ncommand = [\"sleep\", \"1000\"]\n{options}");
    }
    let path = place.dir().join("runpm.toml");
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

fn rpm() -> Set {
    let place = Place::new();
    place.ok(&["daemon", "start"]);
    let path = file(&place, "");
    let start = timed(|| drop(place.ok(&["apply", &path])));
    let memory = pss(place.keeper_pid()) + pss(place.daemon_pid());
    let stop = timed(|| drop(place.ok(&["stop", "all"])));
    Set { start, stop, memory }
}

fn peer(variable: &str, measure: fn(&Path, &Path) -> Set) -> Option<Set> {
    let program = std::env::var_os(variable)?;
    let folder = std::env::temp_dir().join(format!("runpm-bench-{}-{variable}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let set = measure(Path::new(&program), &folder);
    let _ = fs::remove_dir_all(folder);
    Some(set)
}

fn quietly(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.expect("it starts").success(), "{command:?}");
}

fn number(path: &Path) -> u32 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn pm2(program: &Path, folder: &Path) -> Set {
    let pm2 = |args: &[&str]| quietly(Command::new(program).env("PM2_HOME", folder).args(args));
    let app = |n: usize| format!(r#"{{"name":"s{n}","script":"/bin/sleep","args":"1000","interpreter":"none"}}"#);
    let apps: Vec<String> = (0..SET).map(app).collect();
    let path = folder.join("ecosystem.json");
    fs::write(&path, format!(r#"{{"apps":[{}]}}"#, apps.join(","))).expect("a file");
    pm2(&["ping"]);
    let start = timed(|| pm2(&["start", path.to_str().expect("text")]));
    let memory = pss(number(&folder.join("pm2.pid")));
    let stop = timed(|| pm2(&["stop", "all"]));
    pm2(&["kill"]);
    Set { start, stop, memory }
}

fn supervisord(program: &Path, folder: &Path) -> Set {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut text = format!(
        "[supervisord]\nlogfile={}\npidfile={}\nchildlogdir={}\n[unix_http_server]\nfile={}\n\
         [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
         [supervisorctl]\nserverurl=unix://{}\n",
        at("log"),
        at("pid"),
        folder.display(),
        at("socket"),
        at("socket")
    );
    for n in 0..SET {
        // Up at once: its usual second of watching would be most of the figure.
        let _ = writeln!(text, "[program:s{n}]\ncommand=/bin/sleep 1000\nautostart=false\nstartsecs=0");
    }
    let path = folder.join("conf");
    fs::write(&path, text).expect("a file");
    quietly(Command::new(program).arg("-c").arg(&path));
    let control = program.with_file_name("supervisorctl");
    let ctl = |args: &[&str]| quietly(Command::new(&control).arg("-c").arg(&path).args(args));
    support::wait_until("it answers", || folder.join("socket").exists());
    let start = timed(|| ctl(&["start", "all"]));
    let memory = pss(number(&folder.join("pid")));
    let stop = timed(|| ctl(&["stop", "all"]));
    ctl(&["shutdown"]);
    Set { start, stop, memory }
}

fn pid(connection: &mut Connection, name: &str) -> Option<u32> {
    let listing = connection.call(&verbs::List { targets: vec![name.to_owned()] }).expect("a list");
    listing.sessions.first().filter(|session| session.end().is_none()).map(|session| session.pid)
}

/// From `kill -9` of a healthy service to the number of its next process, alone and beside services that crash at once.
fn crashes() {
    let place = Place::new();
    place.ok(&["start", "--name", "healthy", "--restart-delay", "0", "--", "sleep", "1000"]);
    for neighbours in [0, 50] {
        for n in 0..neighbours {
            place.ok(&["start", "--name", &format!("crash{n}"), "--", "sh", "-c", "exit 1"]);
        }
        let mut connection = place.connect();
        let mut times: Vec<Duration> = (0..20)
            .map(|_| {
                let before = support::wait_for("it runs", || pid(&mut connection, "healthy"));
                let process = rustix::process::Pid::from_raw(before as i32).expect("a pid");
                let start = Instant::now();
                rustix::process::kill_process(process, rustix::process::Signal::KILL).expect("it lives");
                while pid(&mut connection, "healthy").is_none_or(|now| now == before) {}
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("| crash to next process, {neighbours} crash-looping neighbours, median | {} | | |", ms(times[10]));
        println!("| the same, worst of 20 | {} | | |", ms(times[19]));
    }
}

fn switches(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let count = text.lines().filter(|line| line.contains("ctxt_switches"));
    count.filter_map(|line| line.rsplit('\t').next()?.trim().parse::<u64>().ok()).sum()
}

fn idle() {
    let place = Place::new();
    place.ok(&["apply", &file(&place, "")]);
    let pids = [place.keeper_pid(), place.daemon_pid()];
    let all = || pids.iter().map(|pid| switches(*pid)).sum::<u64>();
    std::thread::sleep(Duration::from_secs(5));
    let before = all();
    std::thread::sleep(Duration::from_secs(10));
    println!("| wake-ups in 10 idle seconds with 100 | {} | | |", all() - before);
}
