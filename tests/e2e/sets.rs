//! Sets of services as people use them: what starts with its file, what waits, what is followed, what is kept.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Stdio;

use crate::support::Place;
use crate::support::RPM;
use crate::support::wait_until;

/// Writes a file of services; returns its path.
fn file(place: &Place, text: &str) -> String {
    let path = place.dir().join("set.toml");
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

fn state(place: &Place, name: &str) -> String {
    place.session(name)["service"]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_does_not_start_by_itself_stays_down_with_its_file_and_comes_by_name_or_need() {
    let place = Place::new();
    let file = file(
        &place,
        "[services.web]\ncommand = \"sleep 1000\"\ndepends_on = [\"lazy\"]\n\
         [services.lazy]\ncommand = \"sleep 1000\"\nautostart = false\n\
         [services.job]\ncommand = \"sleep 1000\"\nautostart = false\n",
    );
    let told = place.ok(&["start", &file]);
    assert!(told.contains("job created, not started (autostart = false)\n"), "{told}");
    wait_until("what it needs came first", || state(&place, "web") == "up");
    assert_eq!((state(&place, "lazy"), state(&place, "job")), ("up".into(), "stopped".into()));
    place.ok(&["start", &file]);
    assert_eq!(state(&place, "job"), "stopped", "it is there already, and not asked for");

    place.ok(&["start", &file, "--only", "job"]);
    assert_eq!(state(&place, "job"), "up");
    place.ok(&["stop", "job", "web"]);
    place.ok(&["start", "job"]);
    assert_eq!((state(&place, "job"), state(&place, "web")), ("up".into(), "stopped".into()));
    place.ok(&["start", &file]);
    assert_eq!((state(&place, "job"), state(&place, "web")), ("up".into(), "up".into()), "it goes on");
}

#[test]
fn logs_f_stays_with_a_service_that_is_stopped_and_started_again_until_it_is_deleted() {
    let place = Place::new();
    place.ok(&["start", "--name", "web", "--", "sh", "-c", "echo run; exec sleep 1000"]);
    let job = "[services.job]\nshell = true\ncommand = \"echo done\"\nrestart = \"no\"\n";
    place.ok(&["start", &file(&place, job)]);
    wait_until("it is done", || state(&place, "job") == "exited");
    let mut follow = place.command(RPM);
    follow.args(["logs", "-f"]).stdout(Stdio::piped());
    let mut follower = follow.spawn().expect("rpm runs");
    let mut heard = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    let mut next = || heard.next().map(|line| line.expect("text"));
    let first = [next(), next()];
    assert!(first.contains(&Some("web | run".into())) && first.contains(&Some("job | done".into())), "{first:?}");

    place.ok(&["stop", "web"]);
    place.ok(&["start", "job"]);
    assert_eq!(next().as_deref(), Some("job | done"), "what ended by itself is followed too");
    place.ok(&["start", "web"]);
    assert_eq!(next().as_deref(), Some("web | run"));
    place.kill_daemon();
    place.ok(&["restart", "web"]);
    assert_eq!(next().as_deref(), Some("web | run"));

    place.ok(&["delete", "web", "job"]);
    assert_eq!(next(), None);
    assert!(follower.wait().expect("it ends").success());
}

#[test]
fn logs_f_of_a_stopped_service_ends_when_everything_is_shut_down() {
    let mut place = Place::new();
    place.ok(&["start", "--name", "web", "--", "sh", "-c", "echo run; exec sleep 1000"]);
    place.ok(&["stop", "web"]);
    let mut follow = place.command(RPM);
    let mut follower = follow.args(["logs", "-f", "web"]).stdout(Stdio::piped()).spawn().expect("rpm runs");
    let mut heard = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    assert_eq!(heard.next().expect("a line").expect("text"), "run");
    place.ok(&["shutdown"]);
    place.is_abandoned = false;
    assert!(heard.next().is_none());
    assert!(follower.wait().expect("it ends").success());
}

#[test]
fn who_waits_for_what_failed_says_so_and_has_it_tried_again_when_asked() {
    let place = Place::new();
    let ok = place.dir().join("ok");
    let file = file(
        &place,
        &format!(
            "[services.migrate]\nshell = true\ncommand = \"test -e {}\"\nrestart = \"no\"\n\
             [services.api]\ncommand = \"sleep 1000\"\ndepends_on = {{ migrate = \"completed\" }}\n",
            ok.display()
        ),
    );
    place.ok(&["start", &file]);
    let why = || place.ok(&["why", "api"]);
    let failed = "api: waiting: it needs migrate completed, which is exited 1\n";
    wait_until("it is told how that ended", || why().starts_with(failed));

    assert_eq!(place.ok(&["stop", "api"]), "api stopped\n", "nothing of it ran, and nothing was lost");
    std::fs::write(&ok, "").expect("a file");
    let told = place.ok(&["start", "api"]);
    assert!(told.starts_with("api waiting: it needs migrate completed, which is "), "{told}");
    wait_until("it is freed", || state(&place, "api") == "up");

    std::fs::remove_file(&ok).expect("it was there");
    place.ok(&["stop", "api"]);
    place.ok(&["restart", "migrate"]);
    wait_until("it failed again", || place.session("migrate")["code"] == 1);
    place.ok(&["start", "api"]);
    wait_until("it was tried, and failed", || why().starts_with(failed));
    std::fs::write(&ok, "").expect("a file");
    for verb in ["start", "restart"] {
        place.ok(&[verb, "api"]);
    }
    wait_until("it is tried again also for who waits already", || state(&place, "api") == "up");
}

#[test]
fn complaint4_an_empty_list_replaces_no_snapshot_and_a_missing_one_names_those_there_are() {
    let place = Place::new();
    assert!(place.fails(&["resurrect", "friday"]).1.contains("`rpm save NAME` makes one"));
    place.ok(&["start", "--name", "web", "--", "sleep", "1000"]);
    place.ok(&["save", "monday"]);
    place.ok(&["save", "monday.1"]);
    place.ok(&["delete", "web"]);

    let (_, told) = place.fails(&["save", "monday"]);
    assert!(told.contains("an empty list of services would replace one that is not empty"), "{told}");
    let (_, told) = place.fails(&["resurrect", "friday"]);
    assert!(told.contains("there is no snapshot called friday") && told.contains("monday, monday.1"), "{told}");

    place.ok(&["resurrect", "monday"]);
    assert_eq!(state(&place, "web"), "up");
    place.ok(&["start", "--name", "db", "--", "sleep", "1000"]);
    place.ok(&["save", "monday"]);
    place.ok(&["delete", "all"]);
    place.ok(&["resurrect", "monday.1"]);
    let all: serde_json::Value = serde_json::from_str(&place.ok(&["ls", "--json"])).expect("JSON");
    let names: Vec<_> = all["sessions"].as_array().expect("a list").iter().map(|session| &session["name"]).collect();
    assert_eq!(names, ["web"], "the copy that is kept of one snapshot is not another one");
}

#[test]
fn what_readiness_waits_for_and_when_a_schedule_is_due_is_told() {
    let place = Place::new();
    let file = file(
        &place,
        "[services.slow]\ncommand = \"sleep 1000\"\nreadiness = { exec = [\"false\"], timeout = \"100ms\" }\n\
         [services.job]\ncommand = \"true\"\nrestart = \"no\"\nautostart = false\n\
         schedule = { cron = \"0 3 1 1 *\", zone = \"UTC\" }\n",
    );
    place.ok(&["start", &file]);
    assert!(
        place.ok(&["why", "slow"]).starts_with("slow: starting: not ready yet, it waits for false to exit with 0\n")
    );
    wait_until("it is late", || place.ok(&["describe", "slow"]).contains("not ready in time"));
    let told = place.ok(&["describe", "job"]);
    let due = told.lines().find(|line| line.starts_with("scheduled")).unwrap_or_default();
    assert!(due.contains("-01-01T") && due.contains(", in "), "{told}");
    place.ok(&["start", "job"]);
    place.ok(&["stop", "job"]);
}
