//! What is said to people: true, complete, and with what to do next.

use crate::support::Place;
use crate::support::RPM;

#[test]
fn a_pipe_session_has_no_terminal_size() {
    let place = Place::new();
    place.start("t", "read x");
    place.ok(&["run", "-d", "--pipe", "--name", "p", "--", "sh", "-c", "read x"]);
    assert!(place.ok(&["describe", "t"]).contains("\nsize         80x24"));
    assert!(!place.ok(&["describe", "p"]).contains("\nsize "));
    let of = |name: &str| ["rows", "cols", "size_owner"].map(|field| place.session(name)[field].is_null());
    assert_eq!((of("t"), of("p")), ([false; 3], [true; 3]));
}

#[test]
fn who_has_no_name_in_the_environment_is_looked_up() {
    let place = Place::new();
    place.start("s", "read x");
    let mut stop = place.command(RPM);
    stop.args(["kill", "s"]).env("USER", "").env("LOGNAME", "");
    assert!(stop.status().expect("rpm runs").success());
    let name = std::process::Command::new("id").arg("-un").output().expect("id runs").stdout;
    let by = place.session("s")["by"].as_str().expect("who").to_owned();
    assert!(by.starts_with(String::from_utf8_lossy(&name).trim()), "{by}");
}

#[test]
fn who_bears_the_mark_of_a_session_is_told_how_to_get_rid_of_it() {
    let place = Place::new();
    place.start("s", "echo mark $RUNPM_SESSION.; read x");
    place.wait_screen("s", "mark ");
    let screen = place.screen("s");
    let mark = screen.split_once("mark ").and_then(|(_, rest)| rest.split_once('.')).expect("a mark").0;
    let attach = place.command(RPM).args(["attach", "s"]).env("RUNPM_SESSION", mark).output().expect("rpm runs");
    let said = String::from_utf8_lossy(&attach.stderr).into_owned();
    assert!(attach.status.code() == Some(2) && said.contains("unset RUNPM_SESSION"), "{said}");
}

#[test]
fn names_that_are_not_listed_are_counted() {
    let place = Place::new();
    for n in 0..10 {
        place.start(&format!("web{n}"), "read x");
    }
    let (code, said) = place.fails(&["screen", "web"]);
    let sentence = "could be web0, web1, web2, web3, web4, web5, web6, web7, or one of 2 more sessions";
    assert!(code == 66 && said.contains(sentence), "{said}");
    let (_, said) = place.fails(&["screen", "WEB99"]);
    assert!(said.contains("did you mean"), "{said}");
}
