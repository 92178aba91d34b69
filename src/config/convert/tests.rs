//! What becomes of files that people have, and that nothing of them gets lost unsaid.

use std::path::Path;

use super::*;
use crate::config::services::Loaded;
use crate::config::services::Source;
use crate::session::service::policy::Action;
use crate::session::service::policy::Condition;
use crate::session::service::policy::Restart;
use crate::session::service::probe::Probe;
use crate::session::service::probe::StatusRange;
use crate::session::spec::Kind;

fn input<'a>(name: &'a str, text: &'a str) -> Input<'a> {
    Input { name, text, has_dotenv: false, env: None }
}

/// Reads what was made as the file it is.
fn read(made: &Converted) -> Loaded {
    let none = |_: &Path| Ok(String::new());
    let loaded = services::parse(&made.text, &Source { path: Path::new("/srv/runpm.toml"), home: None, read: &none });
    assert_eq!(loaded.findings, [], "{}", made.text);
    assert_eq!(loaded.specs.len(), made.services, "{}", made.text);
    for lost in &made.lost {
        let said = lost.split_once(": ").map_or(lost.as_str(), |(_, said)| said);
        assert!(made.text.contains(said), "{said}\n{}", made.text);
    }
    loaded
}

fn made(name: &str, text: &str) -> (Converted, Vec<ServiceSpec>) {
    let made = convert(&input(name, text)).expect("a file");
    let specs = read(&made).specs;
    (made, specs)
}

fn argv(spec: &ServiceSpec) -> Vec<String> {
    spec.command.argv().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn env<'a>(spec: &'a ServiceSpec, name: &str) -> Option<&'a [u8]> {
    spec.env.iter().find(|it| it.name == name.as_bytes())?.value.as_ref().map(|value| &value[..])
}

/// As `pm2 init` makes it, grown over the years.
const ECOSYSTEM: &str = r#"{
  "apps": [
    {
      "name": "api server",
      "script": "./dist/server.js",
      "args": "--port 3000 --title 'my api'",
      "node_args": ["--max-old-space-size=400"],
      "cwd": "/srv/api",
      "instances": "max",
      "exec_mode": "cluster",
      "watch": ["src", "config"],
      "ignore_watch": ["node_modules", "*.log"],
      "watch_delay": 1000,
      "max_memory_restart": "300M",
      "env": { "NODE_ENV": "development", "PORT": 3000, "DEBUG": false },
      "env_production": { "NODE_ENV": "production" },
      "exp_backoff_restart_delay": 100,
      "max_restarts": 10,
      "min_uptime": "5s",
      "kill_timeout": 3000,
      "wait_ready": true,
      "listen_timeout": 10000,
      "out_file": "./logs/out.log",
      "error_file": "./logs/err.log",
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DD HH:mm Z",
      "cron_restart": "0 3 * * *",
      "vizion": false,
      "increment_var": "PORT"
    },
    {
      "name": "worker",
      "script": "worker.py",
      "interpreter": "/usr/bin/python3.11",
      "instances": 4,
      "autorestart": false,
      "stop_exit_codes": [0, 3],
      "restart_delay": 4000,
      "namespace": "jobs",
      "filter_env": ["SECRET"],
      "somethingnew": 5,
    },
    { "script": "npm", "args": "run start", "name": "worker", "disable_logs": true }
  ],
  "deploy": { "production": { "user": "node", "host": "example.org" } }
}"#;

#[test]
fn an_ecosystem_file_of_pm2_becomes_services() {
    let (made, specs) = made("ecosystem.config.json", ECOSYSTEM);
    let [api, worker, npm] = &specs[..] else { panic!("{specs:?}") };
    assert_eq!(
        argv(api),
        ["node", "--max-old-space-size=400", "./dist/server.js", "--port", "3000", "--title", "my api"]
    );
    assert_eq!((api.name.as_str(), &api.cwd[..], api.instances), ("api-server", &b"/srv/api"[..], 1));
    assert_eq!(api.instance_var, "NODE_APP_INSTANCE");
    assert_eq!((env(api, "NODE_ENV"), env(api, "PORT")), (Some(&b"development"[..]), Some(&b"3000"[..])));
    assert_eq!((api.max_memory, api.stop.grace, api.stop.signal), (Some(300 << 20), 3000 * MS, 2));
    assert_eq!((api.backoff.initial, api.backoff.factor_percent, api.backoff.cap), (100 * MS, 150, 15_000 * MS));
    assert_eq!((api.crash_loop.failures, api.crash_loop.window, api.crash_loop.give_up), (10, 50_000 * MS, true));
    assert_eq!(api.schedule.as_ref().map(|it| (it.cron.as_str(), it.action)), Some(("0 3 * * *", Action::Restart)));
    let watch = api.watch.as_ref().expect("a watch");
    assert_eq!((&watch.paths[0][..], watch.ignore.len(), watch.debounce), (&b"/srv/src"[..], 2, 1000 * MS));

    assert_eq!(argv(worker), ["/usr/bin/python3.11", "worker.py"]);
    assert_eq!((worker.full_name().as_str(), worker.instances, worker.restart), ("jobs/worker", 4, Restart::No));
    assert_eq!(
        (&worker.stop_codes[..], worker.backoff.initial, worker.backoff.cap),
        (&[0, 3][..], 4000 * MS, 4000 * MS)
    );
    assert!(worker.env.iter().any(|it| it.name == b"SECRET"[..] && it.value.is_none()));
    assert_eq!(
        (argv(npm), npm.name.as_str(), npm.log.disk),
        (vec!["npm".into(), "run".into(), "start".into()], "worker-2", false)
    );

    let lost = made.lost.join("\n");
    for key in [
        "deploy",
        "\"api server\"",
        "instances = \"max\"",
        "exec_mode",
        "env_production = { NODE_ENV = \"production\" }",
        "wait_ready",
        "listen_timeout",
        "out_file",
        "error_file",
        "merge_logs",
        "log_date_format",
        "increment_var",
        "filter_env",
        "somethingnew = 5",
        "\"worker\" cannot be used",
    ] {
        assert!(lost.contains(key), "{key}:\n{lost}");
    }
    assert!(!lost.contains("vizion"), "{lost}");
}

#[test]
fn every_key_of_pm2_is_converted_or_named() {
    let documented = [
        "args",
        "interpreter",
        "interpreter_args",
        "node_args",
        "cwd",
        "instances",
        "exec_mode",
        "instance_var",
        "increment_var",
        "watch",
        "ignore_watch",
        "watch_delay",
        "max_memory_restart",
        "filter_env",
        "log_file",
        "out_file",
        "error_file",
        "log_date_format",
        "merge_logs",
        "combine_logs",
        "time",
        "log_type",
        "disable_logs",
        "pid_file",
        "autorestart",
        "cron_restart",
        "restart_delay",
        "exp_backoff_restart_delay",
        "min_uptime",
        "max_restarts",
        "kill_timeout",
        "shutdown_with_message",
        "wait_ready",
        "listen_timeout",
        "stop_exit_codes",
        "treekill",
        "namespace",
        "vizion",
        "pmx",
        "source_map_support",
        "post_update",
        "force",
        "uid",
        "gid",
        "user",
        "append_env_to_name",
        "env_staging",
        "whatever_comes_next",
    ];
    let bare = convert(&input("e.json", r#"[{"script": "a"}]"#)).expect("a file");
    for key in documented {
        // Something that means something for none, and so is to be named wherever it is not understood.
        for value in ["\"7x\"", "77", "true", "[\"x\"]", "{\"a\": 1}"] {
            let text = format!("[{{\"script\": \"a\", {key:?}: {value}}}]");
            let (made, _) = made("e.json", &text);
            let is_default = ["autorestart", "args", "interpreter", "interpreter_args", "node_args"].contains(&key);
            assert!(made.text != bare.text || is_default, "{key} = {value} is gone");
        }
    }
}

#[test]
fn the_environment_that_pm2_was_started_with_can_be_chosen() {
    let made = convert(&Input { env: Some("production"), ..input("e.json", ECOSYSTEM) }).expect("a file");
    let specs = read(&made).specs;
    assert_eq!(env(&specs[0], "NODE_ENV"), Some(&b"production"[..]));
    assert!(!made.lost.join("\n").contains("env_production"));
}

#[test]
fn interpreters_are_those_that_pm2_chooses() {
    for (app, wanted) in [
        (r#"{"script": "a.mjs"}"#, &["node", "a.mjs"][..]),
        (r#"{"script": "a.sh"}"#, &["bash", "a.sh"]),
        (r#"{"script": "./bin/serve", "args": ["-p", 80]}"#, &["./bin/serve", "-p", "80"]),
        (r#"{"script": "a.js", "interpreter": "none"}"#, &["a.js"]),
        (r#"{"script": "serve -s build"}"#, &["serve", "-s", "build"]),
        (r#"{"script": "a.ts", "interpreter": "deno", "interpreter_args": "run -A"}"#, &["deno", "run", "-A", "a.ts"]),
    ] {
        assert_eq!(argv(&made("ecosystem.json", app).1[0]), wanted, "{app}");
    }
    let yaml = "apps:\n  - script: ./app.js\n    name: web\n    env:\n      A: 1\n";
    assert_eq!(argv(&made("ecosystem.config.yml", yaml).1[0]), ["node", "./app.js"]);
}

const COMPOSE: &str = r#"
version: "0.5"
log_level: debug
environment:
  - "LOG=info"
  - "PATH_ALL=/x"
processes:
  db:
    command: "postgres -D ./data"
    is_daemon: false
    readiness_probe:
      http_get: { host: 127.0.0.1, scheme: http, path: "/ready", port: 8080, status_code: 204 }
      initial_delay_seconds: 5
      period_seconds: 2
      timeout_seconds: 1
      success_threshold: 1
      failure_threshold: 5
    liveness_probe:
      exec: { command: "pg_isready -q | cat" }
      period_seconds: 15
      failure_threshold: 4
    shutdown:
      command: "pg_ctl stop"
      timeout_seconds: 20
      signal: 2
    availability: { restart: "always", backoff_seconds: 2, max_restarts: 5 }
  migrate:
    command: "./migrate && echo $DONE"
    depends_on: { db: { condition: process_healthy } }
    description: "once, before
      the others"
  web:
    command: "./web --port 80"
    working_dir: "web"
    namespace: front
    replicas: 3
    environment: ["A=1", "B=x=y", "C=${LOG}"]
    depends_on:
      migrate: { condition: process_completed_successfully }
      db: { condition: process_started }
      logger: { condition: process_log_ready }
    availability: { restart: on_failure, exit_on_end: true }
    shutdown: { parent_only: true }
    log_location: ./web.log
  logger:
    command: "logger"
    disabled: true
    is_tty: true
    ready_log_line: "ready (1)"
  tick:
    command: "./tick"
    availability: { restart: no }
    schedule: { cron: "*/5 * * * *", timezone: UTC, run_on_start: true }
    liveness_probe: { http_get: { host: x, scheme: https, port: 1 } }
    vars: { A: 1 }
"#;

#[test]
fn a_file_of_process_compose_becomes_services() {
    let (made, specs) = made("process-compose.yaml", COMPOSE);
    let [db, migrate, web, logger, tick] = &specs[..] else { panic!("{}", made.text) };
    assert_eq!((argv(db), env(db, "LOG")), (vec!["postgres".into(), "-D".into(), "./data".into()], Some(&b"info"[..])));
    let ready = db.readiness.as_ref().expect("readiness");
    let status = StatusRange { first: 204, last: 204 };
    assert_eq!(ready.probe, Probe::Http { url: "http://127.0.0.1:8080/ready".to_owned(), status });
    assert_eq!((ready.pace.timeout, ready.pace.cap), (15_000 * MS, 1000 * MS));
    let live = db.liveness.as_ref().expect("liveness");
    assert_eq!(live.probe, Probe::Exec(Command::of(&["/bin/sh", "-c", "pg_isready -q | cat"])));
    assert_eq!((live.rhythm.period, live.rhythm.failures), (15_000 * MS, 4));
    assert_eq!((db.stop.signal, db.stop.grace, db.stop.command.is_some()), (2, 20_000 * MS, true));
    assert_eq!((db.restart, db.backoff.cap, db.crash_loop.failures), (Restart::Always, 2000 * MS, 5));

    assert_eq!(argv(migrate), ["/bin/sh", "-c", "./migrate && echo $DONE"]);
    assert_eq!((migrate.restart, migrate.depends_on[0].condition), (Restart::No, Condition::Ready));
    assert_eq!((web.full_name().as_str(), web.instances, &web.cwd[..]), ("front/web", 3, &b"/srv/web"[..]));
    let needs: Vec<_> = web.depends_on.iter().map(|it| (it.name.as_str(), it.condition)).collect();
    assert_eq!(needs, [("migrate", Condition::Completed), ("db", Condition::Started), ("logger", Condition::Ready)]);
    assert_eq!((env(web, "B"), web.restart), (Some(&b"x=y"[..]), Restart::OnFailure));
    assert_eq!((logger.autostart, logger.kind), (false, Kind::Pty));
    assert_eq!(logger.readiness.as_ref().map(|it| &it.probe), Some(&Probe::Log("ready \\(1\\)".to_owned())));
    assert_eq!((tick.restart, tick.schedule.as_ref().map(|it| it.action)), (Restart::No, Some(Action::Start)));

    let lost = made.lost.join("\n");
    for key in [
        "log_level = \"debug\"",
        "readiness_probe.timeout_seconds",
        "availability.exit_on_end",
        "shutdown.parent_only",
        "log_location",
        "values are taken literally",
        "schedule.run_on_start",
        "liveness_probe = { http_get",
        "vars = ",
    ] {
        assert!(lost.contains(key), "{key}:\n{lost}");
    }
    assert!(made.text.contains("# once, before the others\n"), "{}", made.text);
}

#[test]
fn a_procfile_becomes_services_with_their_ports() {
    let text =
        "# all of it\nweb: bundle exec puma -p $PORT\n\nworker:  bin/worker --queue high\r\nrelease: ./migrate\n";
    let made = convert(&Input { has_dotenv: true, ..input("Procfile.dev", text) }).expect("a file");
    let specs = read(&made).specs;
    let shown: Vec<_> =
        specs.iter().map(|it| (it.name.as_str(), argv(it).join(" "), env(it, "PORT").map(<[u8]>::to_vec))).collect();
    assert_eq!(
        shown,
        [
            ("web", "/bin/sh -c bundle exec puma -p $PORT".to_owned(), Some(b"5000".to_vec())),
            ("worker", "bin/worker --queue high".to_owned(), Some(b"5100".to_vec())),
            ("release", "./migrate".to_owned(), Some(b"5200".to_vec())),
        ]
    );
    assert_eq!((specs[2].restart, &specs[0].env_file[0][..]), (Restart::No, &b"/srv/.env"[..]));
    assert_eq!(made.lost, ["foreman ends all when one ends: here each is restarted on its own"]);
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    for (name, text, at, why) in [
        ("Procfile", "web: x\nnonsense\n", 7, "NAME: COMMAND"),
        ("Procfile", "web:\n", 0, "NAME: COMMAND"),
        ("Procfile", "# none\n", 0, "nothing to run"),
        ("e.json", "{\"apps\": [{\"name\": \"x\"}]}", 10, "no `script`"),
        ("e.json", "{\"apps\": [5]}", 10, "no app of pm2"),
        ("e.json", "{\"apps\": []}", 0, "nothing to run"),
        ("e.json", "{\"apps\": ", 0, ""),
        ("x.yaml", "services:\n  web:\n    image: nginx\n", 0, "no file of pm2"),
        ("x.yaml", "processes:\n  a: { working_dir: x }\n", 13, "no `command`"),
        ("x.yaml", "a: [1\nb: }", 0, ""),
    ] {
        let fault = convert(&input(name, text)).expect_err(text);
        assert!(fault.text.contains(why), "{text}: {fault:?}");
        assert!(why.is_empty() || fault.span.start == at, "{text}: {fault:?}");
    }
}

#[test]
fn hostile_names_and_values_stay_in_their_comments_and_quotes() {
    let text = r#"[{"script": "a", "name": "x\n[services.evil]\ncommand = 'rm'", "pid_file": "a\nb = 5", "env": {"A\nB": "\"\n'"}}]"#;
    let (made, specs) = made("e\n[services.worse]", text);
    assert_eq!(specs.len(), 1, "{}", made.text);
    assert_eq!(env(&specs[0], "A\nB"), Some(&b"\"\n'"[..]));
}

#[test]
fn every_key_of_process_compose_is_converted_or_named() {
    let bare = convert(&input("x.yaml", "processes:\n  a: { command: a }\n")).expect("a file");
    let tables = [
        (
            "",
            &[
                "entrypoint",
                "working_dir",
                "environment",
                "env_file",
                "namespace",
                "replicas",
                "disabled",
                "is_daemon",
                "is_foreground",
                "is_tty",
                "is_interactive",
                "is_elevated",
                "description",
                "depends_on",
                "availability",
                "shutdown",
                "readiness_probe",
                "liveness_probe",
                "ready_log_line",
                "success_exit_codes",
                "schedule",
                "watch",
                "vars",
                "log_location",
                "log_configuration",
                "disable_ansi_colors",
                "launch_timeout_seconds",
                "extends",
                "is_template_disabled",
                "is_dotenv_disabled",
                "ports",
                "whatever_comes_next",
            ][..],
        ),
        ("availability", &["restart", "backoff_seconds", "max_restarts", "exit_on_end", "exit_on_skipped", "new"]),
        ("shutdown", &["command", "timeout_seconds", "signal", "parent_only", "send_keys", "new"]),
    ];
    let mut gone = Vec::new();
    for (table, keys) in tables {
        for key in keys {
            for value in ["7x", "77", "true", "[x]", "{a: 1}"] {
                let inner = format!("{key}: {value}");
                let inner = if table.is_empty() { inner } else { format!("{table}: {{ {inner} }}") };
                let text = format!("processes:\n  a: {{ command: a, {inner} }}\n");
                let made = convert(&input("x.yaml", &text)).expect("a file");
                if made.text == bare.text {
                    gone.push(inner);
                }
            }
        }
    }
    // A dependency without a condition that is known is one that has to be started.
    assert_eq!(gone, [] as [&str; 0]);
    for key in ["readiness_probe", "liveness_probe"] {
        for inner in ["initial_delay_seconds", "success_threshold", "timeout_seconds", "new"] {
            let probe =
                |rest: &str| format!("processes:\n  a: {{ command: a, {key}: {{ exec: {{ command: x }}{rest} }} }}\n");
            let (with, without) = (made("x.yaml", &probe(&format!(", {inner}: 7"))).0, made("x.yaml", &probe("")).0);
            assert!(with.text != without.text, "{key}.{inner} is gone");
        }
    }
}
