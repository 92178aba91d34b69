//! Services that are defined by a file, need each other, say when they are ready, and come in numbers.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::Place;
use crate::support::kill;
use crate::support::lives;
use crate::support::wait_until;

fn file(place: &Place, text: &str) -> PathBuf {
    let path = place.dir().join("runpm.toml");
    std::fs::write(&path, text).expect("a file");
    path
}

fn apply(place: &Place, text: &str, options: &[&str]) -> String {
    let path = file(place, text);
    place.ok(&[&["apply", path.to_str().expect("text")], options].concat())
}

fn state(place: &Place, name: &str) -> String {
    place.session(name)["service"]["state"].as_str().unwrap_or_default().to_owned()
}

fn pid(place: &Place, name: &str) -> u32 {
    place.session(name)["pid"].as_u64().expect("a pid") as u32
}

fn names(place: &Place) -> Vec<String> {
    let document: Value = serde_json::from_str(&place.ok(&["ls", "--json"])).expect("JSON");
    let sessions = document["sessions"].as_array().expect("a list").clone();
    let mut names: Vec<String> =
        sessions.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn v13_apply_does_what_a_file_says_once_and_touches_nothing_else() {
    let place = Place::new();
    let text = |value: &str, grace: &str| {
        format!(
            "[services.web]\ncommand = [\"sleep\", \"1000\"]\nenv = {{ A = \"{value}\" }}\n
             [services.db]\ncommand = \"sleep 1000\"\n[services.db.stop]\ngrace = \"{grace}\"\n"
        )
    };
    assert_eq!(apply(&place, &text("1", "5s"), &[]).matches("created").count(), 2);
    let before = (pid(&place, "web"), pid(&place, "db"));
    assert_eq!(apply(&place, &text("1", "5s"), &[]).matches("unchanged").count(), 2);
    assert_eq!((pid(&place, "web"), pid(&place, "db")), before);

    let said = apply(&place, &text("2", "9s"), &["--dry-run"]);
    assert!(said.contains("web changed (restarted)") && said.contains("db changed (goes on)"), "{said}");
    assert_eq!(pid(&place, "web"), before.0, "a dry run does nothing");
    apply(&place, &text("2", "9s"), &[]);
    assert!(pid(&place, "web") != before.0 && pid(&place, "db") == before.1);

    place.ok(&["start", "--name", "mine", "--", "sleep", "1000"]);
    let only_web = "[services.web]\ncommand = [\"sleep\", \"1000\"]\nenv = { A = \"2\" }\n";
    apply(&place, only_web, &[]);
    assert_eq!(names(&place), ["db", "mine", "web"], "nothing is removed that was not asked for");
    assert!(apply(&place, only_web, &["--prune"]).contains("db removed"));
    assert_eq!(names(&place), ["mine", "web"]);
}

#[test]
fn w66_a_file_with_a_fault_starts_nothing_and_a_script_is_started_as_pm2_does() {
    let place = Place::new();
    let path = file(&place, "[services.good]\ncommand = \"sleep 1000\"\n[services.bad]\ncommand = 7\n");
    let (code, said) = place.fails(&["start", path.to_str().expect("text")]);
    assert!(code != 0 && said.contains("runpm.toml:4"), "{said}");
    place.fails(&["ls", "good"]);

    let script = place.dir().join("app.sh");
    std::fs::write(&script, "echo $1; exec sleep 1000").expect("a file");
    place.ok(&["start", script.to_str().expect("text"), "--", "hello"]);
    wait_until("it speaks", || place.ok(&["logs", "--raw", "app"]) == "hello\n");
}

#[test]
fn complaint20_services_start_after_what_they_need_is_ready_and_stop_before_it() {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let text = format!(
        "[defaults]\nshell = true\ncwd = \"{dir}\"\n
         [services.init]\ncommand = \"echo init >> order\"\nrestart = \"no\"\n
         [services.db]\ncommand = \"echo db >> order; while [ ! -f go ]; do sleep 0.02; done; echo listening; trap 'echo end db >> order; exit' TERM; while :; do sleep 0.02; done\"\nreadiness = {{ log = \"^listening$\" }}\n
         [services.web]\ncommand = \"echo web >> order; trap 'echo end web >> order; exit' TERM; while :; do sleep 0.02; done\"\ndepends_on = {{ db = \"ready\", init = \"completed\" }}\n"
    );
    apply(&place, &text, &[]);
    wait_until("the database runs", || state(&place, "db") == "starting");
    assert_eq!(state(&place, "web"), "waiting");
    place.kill_daemon();
    assert_eq!(state(&place, "web"), "waiting");
    assert!(place.ok(&["why", "web"]).contains("it needs db ready"), "{}", place.ok(&["why", "web"]));

    std::fs::write(place.dir().join("go"), "").expect("a file");
    wait_until("the server runs", || state(&place, "web") == "up");
    place.ok(&["stop", "all"]);
    let order = std::fs::read_to_string(place.dir().join("order")).expect("a file");
    let order: Vec<&str> = order.lines().collect();
    assert_eq!(order[2..], ["web", "end web", "end db"], "{order:?}");
    assert!(place.ok(&["graph"]).contains("db"));
    let cycle = file(
        &place,
        "[services.a]\ncommand = \"true\"\ndepends_on = [\"b\"]\n[services.b]\ncommand = \"true\"\ndepends_on = [\"a\"]\n",
    );
    assert!(place.fails(&["apply", cycle.to_str().expect("text")]).1.contains('→'));
}

#[test]
fn readiness_is_told_by_whatever_means_a_service_has() {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let notify = "import os,socket,time\\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\\ns.connect(os.environ['NOTIFY_SOCKET'])\\ns.send(b'STATUS=warm\\\\nREADY=1')\\ntime.sleep(1000)";
    let tcp = "import socket,time\\ns=socket.socket()\\ns.bind(('127.0.0.1',0))\\ns.listen()\\nopen('port','w').write(str(s.getsockname()[1]))\\ntime.sleep(1000)";
    let unix = "import socket,time\\ns=socket.socket(socket.AF_UNIX)\\ns.bind('sock')\\ns.listen()\\ntime.sleep(1000)";
    let has_python = std::process::Command::new("python3").arg("-V").output().is_ok();
    let mut text = format!(
        "[defaults]\ncwd = \"{dir}\"\n
         [services.fd]\ncommand = [\"sh\", \"-c\", \"sleep 0.05; echo >&3; exec sleep 1000\"]\nreadiness = {{ fd = 3 }}\n
         [services.exec]\ncommand = [\"sh\", \"-c\", \"sleep 0.05; touch there; exec sleep 1000\"]\nreadiness = {{ exec = [\"test\", \"-f\", \"there\"] }}\n
         [services.delay]\ncommand = \"sleep 1000\"\nreadiness = {{ delay = \"50ms\" }}\n
         [services.never]\ncommand = \"sleep 1000\"\nreadiness = {{ log = \"x\" }}\n"
    );
    let mut ready = vec!["fd", "exec", "delay"];
    if has_python {
        let port = "exec = [\"sh\", \"-c\", \"test -s port\"]";
        let more = format!(
            "[services.notify]\ncommand = [\"python3\", \"-c\", \"{notify}\"]\nreadiness = {{ notify = true }}\n
             [services.tcp]\ncommand = [\"python3\", \"-c\", \"{tcp}\"]\nreadiness = {{ {port} }}\n
             [services.unix]\ncommand = [\"python3\", \"-c\", \"{unix}\"]\nreadiness = {{ unix = \"sock\" }}\n"
        );
        text.push_str(&more);
        ready.extend(["notify", "tcp", "unix"]);
    } else {
        crate::support::skip("no python3: sockets are not asked");
    }
    let path = file(&place, &text);
    let path = path.to_str().expect("text");
    place.ok(&["start", path, "--only", "fd", "--only", "exec", "--only", "delay", "--wait"]);
    place.ok(&["start", path]);
    for name in ready {
        wait_until(&format!("{name} is ready"), || state(&place, name) == "ready");
    }
    assert_eq!(state(&place, "never"), "starting");
    let (_, said) = place.fails(&["start", "never", "--wait", "--timeout", "100ms"]);
    assert!(said.contains("not ready in time"), "{said}");
    assert!(lives(pid(&place, "never")), "not being ready ends nothing");
    if has_python {
        assert_eq!(place.session("notify")["service"]["said"], "warm");
    }
}

#[test]
fn one_that_is_not_well_any_more_is_restarted_and_why_says_so() {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let text = format!(
        "[services.web]\ncwd = \"{dir}\"\ncommand = [\"sh\", \"-c\", \"touch well; exec sleep 1000\"]\n
         liveness = {{ exec = [\"test\", \"-f\", \"well\"], period = \"50ms\", failures = 2 }}\n"
    );
    apply(&place, &text, &["--wait"]);
    let before = pid(&place, "web");
    std::fs::remove_file(place.dir().join("well")).expect("it was there");
    wait_until("it is another one", || pid(&place, "web") != before);
    assert!(place.ok(&["why", "web"]).contains("not well"));
}

#[test]
fn services_scale_and_those_that_stay_run_on() {
    let place = Place::new();
    place.ok(&["start", "--name", "web", "--", "sh", "-c", "echo I am $RUNPM_INSTANCE; exec sleep 1000"]);
    let first = pid(&place, "web");
    place.ok(&["scale", "web", "3"]);
    assert_eq!(names(&place), ["web:0", "web:1", "web:2"]);
    assert_eq!(pid(&place, "web:0"), first);
    wait_until("each knows its number", || place.ok(&["logs", "--raw", "web:2"]) == "I am 2\n");
    place.kill_daemon();
    place.ok(&["scale", "web", "-2"]);
    assert_eq!((names(&place), pid(&place, "web")), (vec!["web".to_owned()], first));
    place.ok(&["scale", "web", "+1"]);
    place.ok(&["restart", "web"]);
    assert!(pid(&place, "web:0") != first && state(&place, "web:1") == "up");
    assert!(place.fails(&["scale", "web", "0"]).1.contains("rpm stop web"));
}

#[test]
fn a_reload_has_the_fresh_one_ready_before_the_old_one_ends_or_keeps_the_old_one() {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let text = |script: &str| {
        format!(
            "[services.web]\ncwd = \"{dir}\"\nshell = true\ncommand = \"{script}\"\nreadiness = {{ log = \"^ready$\" }}\n"
        )
    };
    let good = "echo start >> order; sleep 0.05; echo ready; trap 'echo end >> order; exit' TERM; while :; do sleep 0.02; done";
    apply(&place, &text(good), &["--wait"]);
    let before = pid(&place, "web");
    place.ok(&["reload", "web"]);
    assert!(pid(&place, "web") != before && !lives(before));
    assert_eq!(names(&place), ["web"]);
    let order = std::fs::read_to_string(place.dir().join("order")).expect("a file");
    assert_eq!(order, "start\nstart\nend\n");

    let before = pid(&place, "web");
    std::fs::write(place.dir().join("sleep"), "").expect("a file");
    place.ok(&["start", "--name", "other", "--pty", "--", "sleep", "1000"]);
    place.ok(&["reload", "other"]);
    kill(pid(&place, "other"));
    wait_until("it is supervised as before", || state(&place, "other") == "up");
    assert_eq!(pid(&place, "web"), before);
}

#[test]
fn complaint11_environments_say_where_values_came_from_and_hide_secrets() {
    let place = Place::new();
    std::fs::write(place.dir().join("vars"), "FROM_FILE=1\n").expect("a file");
    let text = "[services.web]\ncommand = \"sleep 1000\"\nenv_file = \"vars\"\nenv = { PLAIN = \"x\", API_KEY = \"secret1\" }\n";
    apply(&place, text, &[]);
    let said = place.ok(&["env", "web"]);
    assert!(said.contains("PLAIN=x") && said.contains("runpm.toml") && said.contains("inherited"), "{said}");
    assert!(!said.contains("secret1"));
    assert!(place.ok(&["env", "web", "--reveal"]).contains("API_KEY=secret1"));
}

#[test]
fn services_end_by_their_own_signal_command_or_keys() {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let wait = "while :; do sleep 0.02; done";
    let text = format!(
        "[defaults]\ncwd = \"{dir}\"\nshell = true\n
         [services.signal]\ncommand = \"trap 'echo usr1 >> ends; exit' USR1; trap '' TERM; echo set; {wait}\"\nreadiness = {{ log = \"^set$\" }}\nstop = {{ signal = \"USR1\" }}\n
         [services.command]\ncommand = \"while [ ! -f enough ]; do sleep 0.02; done; echo file >> ends\"\nstop = {{ command = \"touch enough\" }}\n
         [services.keys]\nkind = \"pty\"\ncommand = \"read x; echo $x >> ends\"\nstop = {{ keys = [\"q\", \"Enter\"] }}\n"
    );
    apply(&place, &text, &[]);
    wait_until("all are up", || ["ready", "up", "up"] == ["signal", "command", "keys"].map(|name| state(&place, name)));
    for name in ["command", "keys"] {
        assert!(place.ok(&["stop", name]).contains(name));
    }
    place.ok(&["stop", "signal"]);
    let ends = std::fs::read_to_string(place.dir().join("ends")).unwrap_or_default();
    for word in ["usr1", "file", "q"] {
        assert!(ends.lines().any(|line| line == word), "{word} in {ends:?}");
    }
}

#[test]
fn complaint22_a_burst_of_changes_is_one_restart_and_counts_as_no_failure() {
    let place = Place::new();
    let dir = place.dir().join("src");
    std::fs::create_dir_all(dir.join("node_modules")).expect("a folder");
    let cwd = dir.display().to_string();
    place.ok(&["start", "--name", "web", "--cwd", &cwd, "--watch", "--ignore-watch", "*.log", "--", "sleep", "1000"]);
    let before = pid(&place, "web");
    // Watching begins beside the start: bursts are made, with a pause after each, until one is seen.
    let mut burst_at = None::<std::time::Instant>;
    wait_until("it is another one", || {
        if burst_at.is_none_or(|at| at.elapsed() > std::time::Duration::from_secs(2)) {
            burst_at = Some(std::time::Instant::now());
            for n in 0..20 {
                std::fs::write(dir.join(format!("file{n}")), "x").expect("a file");
            }
        }
        pid(&place, "web") != before
    });
    wait_until("it is up", || state(&place, "web") == "up");
    assert!(place.ok(&["why", "web"]).contains("a watched file changed"));
    assert_eq!(place.session("web")["service"]["attempt"], 0);
}

#[test]
fn complaint21_a_schedule_starts_what_does_not_run_and_rests_when_it_is_stopped() {
    let place = Place::new();
    let dir = place.dir().display().to_string();
    let text = format!(
        "[services.job]\ncwd = \"{dir}\"\nshell = true\nautostart = false\nrestart = \"no\"\ncommand = \"echo x >> runs\"\nschedule = {{ cron = \"* * * * * *\" }}\n"
    );
    apply(&place, &text, &[]);
    let runs = || std::fs::read_to_string(place.dir().join("runs")).map_or(0, |text| text.lines().count());
    wait_until("it ran", || runs() >= 1);
    place.kill_daemon();
    let before = runs();
    wait_until("it runs on", || runs() > before);
    place.ok(&["stop", "job"]);
    let (now, at) = (runs(), std::time::Instant::now());
    wait_until("two of its times passed", || at.elapsed() > std::time::Duration::from_millis(2100));
    assert!(runs() <= now + 1, "it rests");
}

#[test]
fn complaint23_more_memory_than_allowed_in_the_whole_tree_restarts_and_why_says_so() {
    if std::process::Command::new("python3").arg("-V").output().is_err() {
        return crate::support::skip("no python3 to use memory");
    }
    let place = Place::new();
    let hungry = "[ -f fed ] && exec sleep 1000; touch fed; python3 -c 'x=b\"x\"*80000000\nimport time; time.sleep(1000)' & wait";
    let cwd = place.dir().display().to_string();
    place.ok(&["start", "--name", "web", "--cwd", &cwd, "--max-memory-restart", "60M", "--", "sh", "-c", hungry]);
    let before = pid(&place, "web");
    wait_until("it is another one", || pid(&place, "web") != before);
    assert!(place.ok(&["why", "web"]).contains("more memory"), "{}", place.ok(&["why", "web"]));
}
