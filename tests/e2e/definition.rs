//! Files of services: what is said of them, and how those of other tools become them.

use std::fs;

use crate::support::Place;
use crate::support::skip;

fn file(place: &Place, name: &str, text: &str) -> String {
    let path = place.dir().join(name);
    fs::write(&path, text).expect("a file");
    path.to_str().expect("text").to_owned()
}

#[test]
fn w66_config_check_names_all_faults_of_a_file_of_services_and_fails() {
    let place = Place::new();
    let good = file(&place, "good.toml", "[services.web]\ncommand = \"serve --port 80\"\n");
    assert!(place.ok(&["config", "check", &good]).ends_with("good.toml is fine: 1 service\n"));

    let bad = file(&place, "runpm.toml", "[services.web]\ncomand = 'x'\nstop = { grace = 5 }\nenv_file = 'none'\n");
    let output = place.run(&["config", "check", &bad]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "runpm.toml:1:11: error: web has no command",
        "runpm.toml:2:1: warning: `comand` is no key of [services.web]; did you mean `command`?",
        "runpm.toml:3:18: error: web: `stop.grace` expects a duration with its unit",
        "runpm.toml:4:12: error: web: `env_file`: ",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let output = place.run(&["config", "check", &bad, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), json["check"]["findings"][0]["line"].as_u64()), (Some(1), Some(1)));

    let schema: serde_json::Value = serde_json::from_str(&place.ok(&["config", "schema"])).expect("JSON");
    assert!(schema["$defs"]["service"]["properties"]["stop"]["properties"]["grace"].is_object(), "{schema}");
}

#[test]
fn convert_makes_a_file_that_is_fine_and_says_what_it_lost() {
    let place = Place::new();
    for (name, text, services, lost) in [
        ("ecosystem.json", r#"{"apps": [{"name": "a", "script": "a.js", "wait_ready": true, "pid_file": "x"}]}"#, 1, 2),
        ("Procfile", "web: serve -p $PORT\nworker: work\n", 2, 1),
        ("process-compose.yaml", "processes:\n  a:\n    command: x | y\n    availability: {restart: always}\n", 1, 0),
    ] {
        let path = file(&place, name, text);
        let made = place.dir().join(format!("{name}.made.toml"));
        let made = made.to_str().expect("text");
        let output = place.run(&["convert", &path, "-o", made]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{said}");
        assert!(place.ok(&["config", "check", made]).contains("is fine"), "{name}");

        assert_eq!(place.ok(&["convert", &path]), fs::read_to_string(made).expect("a file"));
        let json: serde_json::Value = serde_json::from_str(&place.ok(&["convert", &path, "--json"])).expect("JSON");
        assert_eq!(json["convert"]["services"], services, "{json}");
        assert_eq!(json["convert"]["no_equivalent"].as_array().map(Vec::len), Some(lost), "{json}");

        // What is there is not lost by a second time.
        fs::write(made, "mine").expect("a file");
        let (code, said) = place.fails(&["convert", &path, "-o", made]);
        assert!(code == 1 && said.contains("--force replaces it"), "{said}");
        assert_eq!(fs::read_to_string(made).expect("a file"), "mine");
        place.ok(&["convert", &path, "-o", made, "--force"]);
        assert_ne!(fs::read_to_string(made).expect("a file"), "mine");
    }
}

#[test]
fn convert_refuses_with_a_place_and_runs_a_program_only_when_told_to() {
    let place = Place::new();
    let none = place.dir().join("none.json");
    for (path, wanted) in [
        (none.to_str().expect("text").to_owned(), "there is no file"),
        (file(&place, "bad.json", "{\"apps\": [\n{}]}"), "bad.json:2:1: error: this app has no `script`"),
        (file(&place, "broken.yaml", "a: [1\nb: }"), "broken.yaml:"),
        (file(&place, "other.yaml", "services: {}"), "those and Procfiles can be converted"),
    ] {
        let (code, said) = place.fails(&["convert", &path]);
        assert!(code == 1 && said.contains(wanted), "{said}");
    }

    let mark = place.dir().join("it-ran");
    let text = format!(
        "console.log('loading'); require('fs').writeFileSync({:?}, ''); module.exports = {{ apps: [{{ script: 'a.js', name: 'a' }}] }}",
        mark.display().to_string()
    );
    let path = file(&place, "ecosystem.config.js", &text);
    let (code, said) = place.fails(&["convert", &path]);
    assert!(code == 1 && said.contains("rpm convert --node") && said.contains("node -p"), "{said}");
    assert!(!mark.exists(), "it was run unasked");
    if std::process::Command::new("node").arg("-v").output().is_err() {
        skip("there is no node");
        return;
    }
    assert!(place.ok(&["convert", "--node", &path]).contains("[services.a]\ncommand = [\"node\", \"a.js\"]\n"));
    let path = file(&place, "broken.config.js", "throw new Error('no such luck')");
    let (code, said) = place.fails(&["convert", "--node", &path]);
    assert!(
        code == 1 && said.contains("rpm: node cannot run") && said.contains("cause: Error: no such luck"),
        "{said}"
    );
    let output = place.run(&["convert", "--json", none.to_str().expect("text")]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(json["error"]["message"].as_str().is_some_and(|said| said.starts_with("there is no file")), "{json}");
}
