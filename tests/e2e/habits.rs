//! Services as hands that know pm2 use them: its words, its JSON, its ways to name what runs.

use std::fs;

use serde_json::Value;

use crate::support::Place;
use crate::support::RPM;
use crate::support::wait_for;
use crate::support::wait_until;

/// What an instance prints and how long it stays.
const SAYS: &str = "echo i am $RUNPM_INSTANCE; exec sleep 1000";

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// What `jlist` prints: an array and nothing beside it.
fn jlist(place: &Place, targets: &[&str]) -> Vec<Value> {
    match json(&place.ok(&[&["jlist"], targets].concat())) {
        Value::Array(services) => services,
        other => panic!("{other}"),
    }
}

fn states(place: &Place) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let one = |it: &Value| (text(&it["name"]), text(&it["pm2_env"]["status"]));
    jlist(place, &[]).iter().map(one).collect()
}

#[test]
fn complaint25_jlist_is_the_array_that_scripts_of_pm2_read_and_nothing_else() {
    let place = Place::new();
    assert_eq!(place.ok(&["jlist"]), "[]\n", "no daemon, no banner");
    place.ok(&["start", "--name", "web", "-i", "2", "--namespace", "shop", "--", "sh", "-c", SAYS]);
    place.ok(&["start", "--name", "bad", "--max-restarts", "1", "--", "sh", "-c", "exit 3"]);
    place.start("a-session", "sleep 1000");
    let wait = |what: &str, name: &str, word: &str| {
        wait_until(what, || states(&place).iter().any(|(of, state)| of == name && state == word));
    };
    wait("it gives up", "bad", "errored");

    let services = jlist(&place, &[]);
    assert_eq!(services.len(), 3, "sessions are none of pm2's: {services:?}");
    let web = &services[0];
    assert_eq!((web["name"].as_str(), web["pm2_env"]["namespace"].as_str()), (Some("web"), Some("shop")), "{web}");
    assert_eq!((&web["pm2_env"]["status"], &web["pm2_env"]["restart_time"]), (&"online".into(), &0.into()));
    assert_eq!(web["pm_id"].to_string(), place.session("shop/web:0")["id"].as_str().expect("an id"));
    assert_eq!(web["pid"], place.session("shop/web:0")["pid"]);
    assert!(web["monit"]["memory"].as_u64().is_some_and(|bytes| bytes > 0), "{web}");
    assert!(web["monit"]["cpu"].is_number() && web["pm2_env"]["pm_uptime"].as_u64().is_some_and(|ms| ms > 0), "{web}");
    assert_eq!(services[1]["pm2_env"]["NODE_APP_INSTANCE"], 1);
    assert_eq!((&services[2]["pid"], &services[2]["pm2_env"]["exit_code"]), (&0.into(), &3.into()));
    assert!(web["pm2_env"].get("PATH").is_none(), "variables may be secrets");

    place.ok(&["stop", "shop/web:1"]);
    wait("it stops", "web", "stopped");
    assert_eq!(jlist(&place, &["shop"]).len(), 2);
    let both = [json(&place.ok(&["prettylist"])), json(&place.ok(&["ls", "--pm2"]))];
    assert!(both.iter().all(|list| list.as_array().map(Vec::len) == Some(3)), "{both:?}");
}

#[test]
fn pm2s_commands_typed_from_habit_do_what_they_did() {
    let place = Place::new();
    let pid = |name: &str| place.session(name)["pid"].to_string();
    // A program before the dashes, a whole command as a word, and one for a shell.
    place.ok(&["start", "sleep", "--name", "one", "--", "1000"]);
    place.ok(&["start", "sleep 1000", "--name", "two"]);
    place.ok(&["start", "cd / && exec sleep 1000", "--name", "three"]);
    assert_eq!(place.session("one")["argv"], serde_json::json!(["sleep", "1000"]));
    assert_eq!(place.session("one")["argv"], place.session("two")["argv"]);
    assert_eq!(place.session("three")["argv"][2], "cd / && exec sleep 1000");

    assert_eq!(place.ok(&["pid", "one"]).trim(), pid("one"));
    assert_eq!(place.ok(&["pid"]).lines().count(), 3);
    assert_eq!(format!("{:?}", place.ok(&["id", "two"]).trim()), place.session("two")["id"].to_string());
    assert_eq!(place.ok(&["ping"]), "pong\n");
    assert!(place.ok(&["status", "one"]).contains("command      sleep 1000\n"));
    assert!(place.ok(&["status"]).lines().count() == 4, "a table");

    // Several at once: by pattern, by range.
    let before = ["one", "two", "three"].map(pid);
    assert_eq!(place.ok(&["restart", "/^t/"]).lines().count(), 2);
    assert!(pid("one") == before[0] && pid("two") != before[1] && pid("three") != before[2]);
    let (code, said) = place.fails(&["restart", "/t(/"]);
    assert!(code == 2 && said.contains("is no regular expression: unclosed group"), "{said}");
    assert_eq!(place.ok(&["stop", "1-2"]).lines().count(), 2);
    assert_eq!(place.ok(&["pid", "one", "two"]), "0\n0\n");

    place.ok(&["sendSignal", "TERM", "three"]);
    wait_until("it is started again", || place.session("three")["service"]["restarts"] == 2);
    place.ok(&["delete", "all"]);
    assert_eq!(place.ok(&["jlist"]), "[]\n");
}

#[test]
fn stop_all_also_means_what_failed_or_is_done_so_that_none_comes_back() {
    let place = Place::new();
    place.ok(&["start", "--name", "bad", "--max-restarts", "1", "--", "sh", "-c", "exit 3"]);
    place.ok(&["start", "--name", "done", "--no-autorestart", "--", "true"]);
    place.ok(&["start", "--name", "up", "--", "sleep", "1000"]);
    let states = || jlist(&place, &[]).iter().map(|it| it["pm2_env"]["status"].clone()).collect::<Vec<_>>();
    wait_until("it gives up", || states() == ["errored", "stopped", "online"]);
    place.ok(&["stop", "all"]);
    place.ok(&["shutdown"]);
    place.ok(&["resurrect"]);
    let wanted = json(&place.ok(&["ls", "--json"]));
    let wanted = wanted["sessions"].as_array().expect("sessions").iter();
    assert!(wanted.clone().count() == 3 && wanted.clone().all(|it| it["service"]["wanted"] == "down"), "{wanted:?}");
}

#[test]
fn a_file_stands_for_its_services_and_one_of_pm2_says_how_it_becomes_one() {
    let place = Place::new();
    let write = |name: &str, text: &str| {
        let path = place.dir().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    };
    let own = write("runpm.toml", "[services.b]\ncommand = \"sleep 1000\"\n[services.a]\ncommand = \"sleep 1000\"\n");
    place.ok(&["start", &own]);
    place.ok(&["start", "--name", "c", "--", "sleep", "1000"]);
    let before = place.session("c")["pid"].clone();
    assert_eq!(place.ok(&["restart", &own]).lines().count(), 2);
    assert_eq!(place.ok(&["stop", &own]).lines().count(), 2);
    assert_eq!(place.ok(&["delete", &own]).lines().count(), 2);
    assert_eq!(place.session("c")["pid"], before, "what the file does not name is left alone");

    let pm2 = write("ecosystem.config.json", r#"{"apps": [{"name": "x", "script": "x.js"}]}"#);
    for verb in ["start", "apply", "restart", "delete"] {
        let (code, said) = place.fails(&[verb, &pm2]);
        assert!(code == 2 && said.contains("is a file of another tool") && said.contains("rpm convert"), "{said}");
    }
    let (_, said) = place.fails(&["start", &write("ecosystem.config.js", "module.exports = {}")]);
    assert!(said.contains("rpm convert --node"), "{said}");
    let (_, said) = place.fails(&["start", "nope.js"]);
    assert!(said.contains("there is no file \"nope.js\" here, and no service of that name"), "{said}");
    let (_, said) = place.fails(&["start", "nope.toml"]);
    assert!(said.contains("there is no file nope.toml"), "{said}");

    // What would be passed over is refused.
    for (args, wanted) in [
        (&["start", &own, "--env", "production"][..], "--env describes a new service"),
        (&["start", "c", "--max-restarts", "3"], "--max-restarts describes a new service"),
    ] {
        let (code, said) = place.fails(args);
        assert!(code == 2 && said.contains(wanted), "{said}");
    }
}

#[test]
fn sessions_of_a_file_get_their_ids_in_its_order() {
    let place = Place::new();
    let names: Vec<String> = (0..12).rev().map(|n| format!("s{n:02}")).collect();
    let text: Vec<String> = names.iter().map(|name| format!("[services.{name}]\ncommand = \"sleep 1000\"\n")).collect();
    let path = place.dir().join("runpm.toml");
    fs::write(&path, text.concat()).expect("a file");
    place.ok(&["start", path.to_str().expect("text")]);
    let listed = jlist(&place, &[]);
    let listed: Vec<&str> = listed.iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(listed, names);
}

#[test]
fn complaint8_update_env_takes_this_shells_environment_and_drops_what_it_lacks() {
    let place = Place::new();
    let script = "echo ${OLD-none} ${NEW-none} ${OWN-none}; exec sleep 1000";
    let rpm = |args: &[&str], variable: (&str, &str)| {
        let mut command = place.command(RPM);
        let output = command.args(args).env_remove("OLD").env(variable.0, variable.1).output().expect("rpm runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    rpm(&["start", "--name", "web", "--env", "OWN=3", "--", "sh", "-c", script], ("OLD", "1"));
    let said = |lines: usize| {
        wait_for("it says so", || Some(place.ok(&["logs", "web"])).filter(|text| text.lines().count() == lines))
    };
    assert_eq!(said(1), "1 none 3\n");
    rpm(&["restart", "web"], ("NEW", "2"));
    assert_eq!(said(2), "1 none 3\n1 none 3\n", "it keeps what it was started with");
    rpm(&["restart", "web", "--update-env"], ("NEW", "2"));
    assert_eq!(said(3), "1 none 3\n1 none 3\nnone 2 3\n");
    place.kill_daemon();
    rpm(&["restart", "web"], ("NEW", "9"));
    assert!(said(4).ends_with("none 2 3\nnone 2 3\n"), "the next daemon knows");
}

#[test]
fn a_service_described_as_toml_is_unchanged_when_that_is_applied() {
    let place = Place::new();
    place.ok(&[
        "start",
        "--name",
        "web",
        "--namespace",
        "shop",
        "-i",
        "2",
        "--tag",
        "blue",
        "--max-memory-restart",
        "300M",
        "--kill-timeout",
        "1500",
        "--env",
        "PORT=80",
        "--env",
        "API_TOKEN=hush",
        "--unset-env",
        "LANG",
        "--set",
        "readiness.delay=10ms",
        "--",
        "sh",
        "-c",
        SAYS,
    ]);
    let path = place.dir().join("made.toml");
    let path = path.to_str().expect("text");
    let text = place.ok(&["describe", "shop/web", "--toml", "--reveal"]);
    assert_eq!(text.matches("[services.web]").count(), 1, "two instances are one service: {text}");
    fs::write(path, &text).expect("a file");
    assert_eq!(place.ok(&["apply", path, "--dry-run"]), "shop/web unchanged\n");

    let hidden = place.run(&["describe", "shop/web", "--toml"]);
    let hidden = String::from_utf8_lossy(&hidden.stdout).into_owned();
    assert!(!hidden.contains("hush") && hidden.contains("# API_TOKEN is left out"), "{hidden}");
    fs::write(path, &hidden).expect("a file");
    assert!(place.ok(&["config", "check", path]).contains("is fine"));
    assert!(place.ok(&["describe", "shop/web"]).contains("readiness = { delay = \"10ms\" }"));
    let described = json(&place.ok(&["describe", "shop/web:1", "--json"]));
    assert_eq!(described["sessions"][0]["definition"]["stop"]["grace"], "1500ms", "{described}");
    assert!(!described.to_string().contains("hush"));
}

#[test]
fn complaint23_load_and_memory_are_of_the_whole_tree_and_measured_when_asked_for() {
    let place = Place::new();
    let script = "sh -c 'while :; do :; done' & exec sleep 1000";
    place.ok(&["start", "--name", "busy", "--", "sh", "-c", script]);
    let usage = wait_for("both run", || {
        let usage = json(&place.ok(&["ls", "-w", "--json", "busy"]))["sessions"][0]["usage"].take();
        Some(usage).filter(|usage| usage["processes"] == 2)
    });
    assert!(usage["cpu_percent"].as_f64().is_some_and(|percent| percent > 5.0), "its child works: {usage}");
    assert!(usage["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{usage}");
    assert_eq!(place.session("busy")["usage"], Value::Null, "not asked for, not measured");
    let head = place.ok(&["ls", "--wide"]);
    let head: Vec<&str> = head.lines().next().expect("a head").split_whitespace().collect();
    assert_eq!(head, ["ID", "NAME", "STATE", "PID", "UP", "RESTARTS", "CPU", "MEMORY", "PROCS", "COMMAND"]);
    assert!(place.ok(&["describe", "busy"]).contains(" in 2 processes\n"));
    place.ok(&["stop", "busy"]);
    assert_eq!(json(&place.ok(&["ls", "-w", "--json", "busy"]))["sessions"][0]["usage"], Value::Null);
}

#[test]
fn what_a_service_said_can_be_read_whether_it_runs_or_not() {
    let place = Place::new();
    let script = "echo out; echo err >&2; exec sleep 1000";
    place.ok(&["start", "--name", "web", "--", "sh", "-c", script]);
    wait_until("it spoke", || place.ok(&["logs", "web"]).lines().count() == 2);
    assert_eq!(
        (place.ok(&["logs", "web", "--err"]), place.ok(&["logs", "web", "--out"])),
        ("err\n".into(), "out\n".into())
    );
    place.ok(&["stop", "web"]);
    assert_eq!(place.ok(&["logs", "web"]).lines().count(), 2, "stopped");
    place.ok(&["delete", "web"]);
    place.ok(&["start", "--name", "web", "--", "sh", "-c", script]);
    wait_until("it spoke again", || place.ok(&["logs", "web"]).lines().count() == 4);

    let never = place.dir().join("never.toml");
    fs::write(&never, "[services.never]\ncommand = \"sleep 1000\"\nautostart = false\n").expect("a file");
    place.ok(&["apply", never.to_str().expect("text")]);
    assert_eq!(place.ok(&["logs", "never"]), "", "it has said nothing");
    assert_eq!(place.ok(&["logs", "-n", "1"]), "web   | err\n", "and is in nobody's way");

    place.ok(&["shutdown"]);
    assert_eq!(place.ok(&["logs", "web"]).lines().count(), 4, "everything was shut down, and no daemon ran");
    assert_eq!(place.ok(&["logs", "web", "--err", "-n", "1"]), "err\n");
    assert!(place.ok(&["grep", "-c", "^err"]).contains("web:2"));
}

#[test]
fn the_first_instance_keeps_its_journal_however_many_there_are() {
    let place = Place::new();
    place.ok(&["start", "--name", "web", "--", "sh", "-c", SAYS]);
    wait_until("it spoke", || place.ok(&["logs", "web"]) == "i am 0\n");
    place.ok(&["scale", "web", "3"]);
    wait_until("all spoke", || place.ok(&["logs", "web"]).lines().count() == 3);
    assert_eq!(place.ok(&["logs", "web:0"]), "i am 0\n");

    // The next keeper knows it by the new name.
    place.ok(&["shutdown"]);
    place.ok(&["resurrect"]);
    wait_until("it goes on", || place.ok(&["logs", "web:0"]) == "i am 0\ni am 0\n");
    place.ok(&["scale", "web", "1"]);
    place.ok(&["shutdown"]);
    place.ok(&["resurrect"]);
    wait_until("it goes on", || place.ok(&["logs", "web"]) == "i am 0\ni am 0\ni am 0\n");
    let folders = fs::read_dir(place.dir().join("journals")).expect("a folder");
    let names: Vec<String> = folders.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    assert!(names.contains(&"web.service".to_owned()) && !names.contains(&"web:0.service".to_owned()), "{names:?}");
}

#[test]
fn what_a_reloaded_instance_said_is_its_services_after_a_shutdown_and_nobody_elses() {
    let place = Place::new();
    place.ok(&["start", "--name", "web", "-i", "2", "--", "sh", "-c", SAYS]);
    place.ok(&["reload", "web"]);
    wait_until("both spoke", || place.ok(&["logs", "web"]).lines().count() == 4);
    place.ok(&["shutdown"]);
    assert_eq!(place.ok(&["ls"]).lines().count(), 3, "no session is left of the fresh ones");
    place.ok(&["resurrect"]);
    wait_until("both go on", || place.ok(&["logs", "web"]).lines().count() == 6);
    place.ok(&["delete", "all"]);
    place.ok(&["shutdown"]);
    assert_eq!(place.ok(&["ls"]), "", "not even now");
}

/// Says its pid when it begins and when it is asked to end.
const PARTS: &str = "exec 2>/dev/null; trap 'echo $$ bye; exit' TERM; echo $$ hello; while :; do sleep 0.05; done";

#[test]
fn k1_what_was_said_before_reloads_is_in_the_log_once_and_in_order_whoever_dies() {
    let place = Place::new();
    place.ok(&["start", "--name", "web", "--", "sh", "-c", PARTS]);
    let mut pids: Vec<String> = Vec::new();
    let note = |pids: &mut Vec<String>| {
        let known = pids.last().cloned();
        let pid =
            || Some(place.session("web")["pid"].to_string()).filter(|pid| pid != "0" && Some(pid) != known.as_ref());
        pids.push(wait_for("another one runs", pid));
    };
    let wanted = |pids: &[String]| {
        let said = pids.iter().map(|pid| format!("{pid} hello\n{pid} bye\n")).collect::<String>();
        said.strip_suffix(&format!("{} bye\n", pids.last().expect("one"))).expect("the last word").to_owned()
    };
    let log = || place.ok(&["logs", "-n", "1000", "web"]);
    let expect = |pids: &[String]| {
        wait_until("it is in the log", || log().lines().count() == 2 * pids.len() - 1);
        assert_eq!(log(), wanted(pids));
    };
    note(&mut pids);
    expect(&pids);
    for _ in 0..2 {
        place.ok(&["reload", "web"]);
        note(&mut pids);
        expect(&pids);
        place.kill_daemon();
        expect(&pids);
    }
    place.ok(&["restart", "web"]);
    note(&mut pids);
    expect(&pids);
    assert_eq!(
        place.ok(&["logs", "-n", "2", "web"]),
        wanted(&pids).lines().skip(5).map(|line| format!("{line}\n")).collect::<String>()
    );
    place.ok(&["shutdown"]);
    let said = wanted(&pids) + &format!("{} bye\n", pids.last().expect("one"));
    assert_eq!(log(), said, "of a keeper that is gone");
    place.ok(&["resurrect"]);
    note(&mut pids);
    expect(&pids);
    assert_eq!(place.session("web")["journal"]["dropped_bytes"], 0);
    place.ok(&["reload", "web"]);
    note(&mut pids);
    expect(&pids);
    wait_until("it is on disk", || {
        let session = place.session("web");
        session["journal"]["end_byte"] == session["output_bytes"]
    });
    place.cut_power();
    wait_until("it is started again", || log().lines().count() > 2 * pids.len() - 1);
    assert!(log().starts_with(&wanted(&pids)), "{}", log());
    let folders = fs::read_dir(place.dir().join("journals")).expect("a folder");
    let names: Vec<String> = folders.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    assert_eq!(names, ["web.service"]);
    place.ok(&["reload", "web"]);
    place.ok(&["delete", "web"]);
    place.ok(&["start", "--name", "web", "--", "sh", "-c", PARTS]);
    assert!(log().starts_with(&wanted(&pids)), "a service of the same name goes on: {}", log());
}

#[test]
fn the_last_lines_of_a_run_are_whole_where_the_run_begins_with_them() {
    let place = Place::new();
    place.ok(&["start", "--name", "web", "--", "sh", "-c", "echo one; echo two; exec sleep 1000"]);
    wait_until("it spoke", || place.ok(&["logs", "web"]).lines().count() == 2);
    place.ok(&["shutdown"]);
    place.ok(&["resurrect"]);
    wait_until("it spoke again", || place.ok(&["logs", "web"]).lines().count() == 4);
    for lines in 1..=4 {
        let output = place.run(&["logs", "web", "-n", &lines.to_string()]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wanted = ["one\n", "two\n", "one\n", "two\n"][4 - lines..].concat();
        assert_eq!((said, String::from_utf8_lossy(&output.stderr).into_owned()), (wanted, String::new()), "{lines}");
    }
}

#[test]
fn many_services_with_large_environments_are_applied_again_and_described() {
    let place = Place::new();
    let names: Vec<String> = (0..150).map(|n| format!("s{n}")).collect();
    let one = |name: &String| format!("[services.{name}]\ncommand = \"sleep 1000\"\nautostart = false\n");
    let path = place.dir().join("runpm.toml");
    fs::write(&path, names.iter().map(one).collect::<String>()).expect("a file");
    let path = path.to_str().expect("text");
    let rpm = |args: &[&str]| {
        let output = place.command(RPM).args(args).env("LARGE", "x".repeat(10_000)).output().expect("rpm runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(rpm(&["apply", path]).matches(" created, not started").count(), 150);
    assert_eq!(rpm(&["apply", path]).matches(" unchanged\n").count(), 150);
    assert_eq!(rpm(&["graph"]).lines().count(), 150);
    assert_eq!(rpm(&["describe", "all", "--toml"]).matches("[services.").count(), 150);
}

#[test]
fn init_writes_a_file_that_starts_and_replaces_none() {
    let place = Place::new();
    let path = place.dir().join("runpm.toml");
    let path = path.to_str().expect("text");
    assert_eq!(place.ok(&["init", path]), format!("{path}\n"));
    assert!(place.ok(&["start", path]).contains("hello created"));
    let (code, said) = place.fails(&["init", path]);
    assert!(code == 1 && said.contains("already; it was left alone"), "{said}");
}
