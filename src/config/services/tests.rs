//! What a file of services means, what is said of one that is wrong, and that all of its keys are documented alike.

use super::*;
use crate::session::environment::Policy;
use crate::session::service::policy::Action;
use crate::session::service::policy::Backoff;
use crate::session::service::policy::Condition;
use crate::session::service::policy::CrashLoop;
use crate::session::service::policy::Dependency;
use crate::session::service::policy::LogCaps;
use crate::session::service::policy::Resource;
use crate::session::service::policy::ResourceLimit;
use crate::session::service::policy::Restart;
use crate::session::service::policy::Schedule;
use crate::session::service::policy::Stop;
use crate::session::service::policy::Watch;
use crate::session::service::probe::Liveness;
use crate::session::service::probe::Pace;
use crate::session::service::probe::Probe;
use crate::session::service::probe::Readiness;
use crate::session::service::probe::Rhythm;
use crate::session::service::probe::StatusRange;
use crate::session::service::spec::Command;
use crate::session::spec::Kind;
use crate::term::Size;

use proptest::prelude::*;

fn parsed(name: &str, text: &str) -> Loaded {
    let read = |path: &Path| match path.to_str() {
        Some("/srv/shop/.env") => Ok("A=file\nB=file\n".to_owned()),
        Some("/srv/shop/bad.env") => Ok("A=1\noops\n".to_owned()),
        _ => Err("it is not there".to_owned()),
    };
    let path = Path::new("/srv/shop").join(name);
    parse(text, &Source { path: &path, home: Some(PathBuf::from("/home/ann")), read: &read })
}

fn toml(text: &str) -> Loaded {
    parsed("runpm.toml", text)
}

fn said(text: &str) -> Vec<String> {
    toml(text).findings.iter().map(ToString::to_string).collect()
}

fn one(body: &str) -> ServiceSpec {
    let loaded = toml(&format!("[services.web]\n{body}"));
    assert_eq!(loaded.findings, [], "{body}");
    loaded.specs.into_iter().next().expect("a service")
}

fn variable(name: &str, value: Option<&str>, origin: Origin) -> Variable {
    let value = value.map(|value| ByteBuf::from(value.as_bytes()));
    Variable { name: ByteBuf::from(name.as_bytes()), value, origin }
}

/// Every key of every table, and what it becomes.
const FULL: &str = r#"
namespace = "shop"
[defaults]
tags = ["all"]
env = { A = "defaults", C = "defaults" }
stop = { grace = "2s" }

[services.db]
command = "redis-server --port '6379 0'"
liveness = { tcp = 6379 }
restart = "on-failure"

[services.web]
tags = ["front", "http"]
shell = true
command = "exec ./serve | tee log"
cwd = "app/../site"
env_policy = "login"
env_file = ".env"
env = { A = "web", PORT = 8080, DEBUG = true, "odd name" = "x" }
env_remove = ["HOME"]
kind = "pty"
size = "120x40"
instances = 3
instance_var = "NODE_APP_INSTANCE"
autostart = false
restart = "on-failure"
success_codes = [0, 143]
stop_codes = [3]
backoff = { initial = "0", factor = 1.5, cap = "1m", jitter = 0, reset_after = "30s" }
crash_loop = { failures = 3, window = "10s", give_up = true }
stop = { signal = "SIGINT", command = "./drain > log", keys = ["C-c", "q"] }
depends_on = { db = "healthy", "default/logger" = "started" }
readiness = { http = "http://127.0.0.1:8080/up", status = "200-204", initial = "10ms", growth = 2, cap = "2s", timeout = "1m" }
liveness = { exec = ["curl", "-f", "localhost"], period = "5s", timeout = "500ms", failures = 2 }
watch = { paths = ["src", "~/shared"], ignore = ["*.tmp"], debounce = "1s" }
schedule = { cron = "0 3 * * *", zone = "Europe/Berlin", action = "restart" }
max_memory = "300M"
nice = -5
umask = "027"
limits = { nofile = [1024, 4096], core = "unlimited", stack = "8M" }
log = { disk = false, segment = "1M", segments = 3, total = 5_000_000 }
"#;

fn full_web() -> ServiceSpec {
    const MS: u64 = 1_000_000;
    ServiceSpec {
        name: "web".to_owned(),
        namespace: "shop".to_owned(),
        source: ByteBuf::from(b"/srv/shop/runpm.toml"),
        tags: vec!["front".to_owned(), "http".to_owned()],
        command: Command::shell("exec ./serve | tee log"),
        cwd: ByteBuf::from(b"/srv/shop/site"),
        env_policy: Policy::Login,
        env: vec![
            variable("A", Some("file"), Origin::File(0)),
            variable("B", Some("file"), Origin::File(0)),
            variable("C", Some("defaults"), Origin::Config),
            variable("A", Some("web"), Origin::Config),
            variable("PORT", Some("8080"), Origin::Config),
            variable("DEBUG", Some("true"), Origin::Config),
            variable("odd name", Some("x"), Origin::Config),
            variable("HOME", None, Origin::Config),
        ],
        env_file: vec![ByteBuf::from(b"/srv/shop/.env")],
        kind: Kind::Pty,
        size: Size::clamped(40, 120),
        instances: 3,
        instance_var: "NODE_APP_INSTANCE".to_owned(),
        autostart: false,
        restart: Restart::OnFailure,
        success_codes: vec![0, 143],
        stop_codes: vec![3],
        backoff: Backoff {
            initial: 0,
            factor_percent: 150,
            cap: 60_000 * MS,
            jitter_percent: 0,
            reset_after: 30_000 * MS,
        },
        crash_loop: CrashLoop { failures: 3, window: 10_000 * MS, give_up: true },
        stop: Stop {
            signal: 2,
            command: Some(Command::of(&["/bin/sh", "-c", "./drain > log"])),
            keys: vec!["C-c".to_owned(), "q".to_owned()],
            grace: 2000 * MS,
        },
        depends_on: vec![
            Dependency { name: "shop/db".to_owned(), condition: Condition::Healthy },
            Dependency { name: "logger".to_owned(), condition: Condition::Started },
        ],
        readiness: Some(Readiness {
            probe: Probe::Http {
                url: "http://127.0.0.1:8080/up".to_owned(),
                status: StatusRange { first: 200, last: 204 },
            },
            pace: Pace { initial: 10 * MS, growth_percent: 200, cap: 2000 * MS, timeout: 60_000 * MS },
        }),
        liveness: Some(Liveness {
            probe: Probe::Exec(Command::of(&["curl", "-f", "localhost"])),
            rhythm: Rhythm { period: 5000 * MS, timeout: 500 * MS, failures: 2 },
        }),
        watch: Some(Watch {
            paths: vec![ByteBuf::from(b"/srv/shop/src"), ByteBuf::from(b"/home/ann/shared")],
            ignore: vec!["*.tmp".to_owned()],
            debounce: 1000 * MS,
        }),
        schedule: Some(Schedule {
            cron: "0 3 * * *".to_owned(),
            zone: "Europe/Berlin".to_owned(),
            action: Action::Restart,
        }),
        max_memory: Some(300 << 20),
        nice: Some(-5),
        umask: Some(0o027),
        limits: vec![
            ResourceLimit { resource: Resource::Core, soft: None, hard: None },
            ResourceLimit { resource: Resource::Nofile, soft: Some(1024), hard: Some(4096) },
            ResourceLimit { resource: Resource::Stack, soft: Some(8 << 20), hard: Some(8 << 20) },
        ],
        log: LogCaps { disk: false, segment: 1 << 20, segments: 3, total: 5_000_000 },
    }
}

#[test]
fn v1_v13_every_key_means_what_it_says_and_defaults_are_below_a_services_own() {
    let loaded = toml(FULL);
    assert_eq!(loaded.findings, []);
    assert_eq!(loaded.specs[1], full_web());
    let db = &loaded.specs[0];
    assert_eq!(db.command, Command::of(&["redis-server", "--port", "6379 0"]));
    assert_eq!(
        (db.full_name().as_str(), &db.tags[..], db.cwd.as_slice()),
        ("shop/db", &["all".to_owned()][..], &b"/srv/shop"[..])
    );
    assert_eq!((db.instance_name(0).as_str(), loaded.specs[1].instance_name(2).as_str()), ("shop/db", "shop/web:2"));
    for key in keys::KEYS {
        assert!(FULL.contains(&format!("\n{} = ", key.info.name)), "{} is not in the example", key.info.name);
    }
}

#[test]
fn w69_what_is_written_is_read_as_the_same_services() {
    let loaded = toml(FULL);
    let written = text(&loaded.specs);
    let again = toml(&written);
    assert_eq!(again.findings, [], "{written}");
    assert_eq!(again.specs, loaded.specs, "{written}");
    assert_eq!(text(&again.specs), written);
}

#[test]
fn what_is_as_it_would_be_anyway_is_not_written() {
    let spec = ServiceSpec { name: "web".to_owned(), command: Command::of(&["a", "b c"]), ..ServiceSpec::default() };
    assert_eq!(text_of(&spec), "[services.web]\ncommand = [\"a\", \"b c\"]\n");
}

#[test]
fn the_same_keys_in_json_are_the_same_services() {
    let table: ::toml::Table = ::toml::from_str(FULL).expect("TOML");
    let mut json = serde_json::to_value(&table).expect("JSON");
    json["$schema"] = "https://example.org/runpm.schema.json".into();
    let loaded = parsed("runpm.json", &json.to_string());
    assert_eq!(loaded.findings, []);
    let sorted = |mut spec: ServiceSpec| {
        spec.source = ByteBuf::new();
        spec.env.sort_by_key(|variable| (variable.name.clone(), variable.origin == Origin::Config));
        spec.depends_on.sort_by(|a, b| a.name.cmp(&b.name));
        spec
    };
    let wanted: Vec<ServiceSpec> = toml(FULL).specs.into_iter().map(sorted).collect();
    assert_eq!(loaded.specs.into_iter().map(sorted).collect::<Vec<_>>(), wanted);
}

#[test]
fn short_forms_mean_the_long_ones() {
    let path = |text: &str| ByteBuf::from(text.as_bytes());
    assert_eq!(one("command = 'a \"b c\" d\\ e'").command, Command::of(&["a", "b c", "d e"]));
    let watched = |body: &str| one(&format!("command = 'x'\n{body}")).watch.map(|watch| watch.paths);
    assert_eq!(watched("cwd = 'app'\nwatch = true"), Some(vec![path("/srv/shop/app")]));
    assert_eq!(watched("watch = ['/etc/x', 'y']"), Some(vec![path("/etc/x"), path("/srv/shop/y")]));
    assert_eq!(watched("watch = false"), None);
    let ready = |body: &str| one(&format!("command = 'x'\nreadiness = {body}")).readiness.map(|it| it.probe);
    assert_eq!(ready("'notify'"), Some(Probe::Notify));
    assert_eq!(ready("{ fd = 3 }"), Some(Probe::Fd(3)));
    assert_eq!(ready("{ log = '^ready' }"), Some(Probe::Log("^ready".to_owned())));
    assert_eq!(ready("{ tcp = 80 }"), Some(Probe::Tcp("127.0.0.1:80".to_owned())));
    assert_eq!(ready("{ tcp = ':80' }"), Some(Probe::Tcp("127.0.0.1:80".to_owned())));
    assert_eq!(ready("{ tcp = '[::1]:80' }"), Some(Probe::Tcp("[::1]:80".to_owned())));
    assert_eq!(ready("{ unix = 'run/x.sock' }"), Some(Probe::Unix(path("/srv/shop/run/x.sock"))));
    assert_eq!(ready("{ delay = '2s' }"), Some(Probe::Delay(2_000_000_000)));
    let cron = one("command = 'x'\nschedule = '@daily'").schedule.expect("a schedule");
    assert_eq!((cron.cron.as_str(), cron.action), ("@daily", Action::Start));
}

#[test]
fn v10_the_defaults_of_the_list_are_those_of_a_service() {
    let spec = one("command = 'x'");
    let mut again = spec.clone();
    let base = Base::default();
    for key in keys::KEYS.iter().filter(|key| !key.info.default.is_empty()) {
        let node = tree::parse(&format!("it = {}", key.info.default), Format::Toml).expect("a default");
        (key.set)(&mut again, node.get("it").expect("a value"), &base).expect(key.info.name);
        assert_eq!(again, spec, "{}", key.info.name);
    }
    // The tables inside: all their defaults together are nothing to write.
    for info in keys::KEYS.iter().map(|key| key.info) {
        let Some(inner) = schema::inner(info.kind).filter(|_| !["watch", "schedule"].contains(&info.name)) else {
            continue;
        };
        let pairs: Vec<String> = inner
            .iter()
            .filter(|info| !info.default.is_empty() && info.name != "status")
            .map(|info| format!("{} = {}", info.name, info.default))
            .collect();
        let probe = if ["readiness", "liveness"].contains(&info.name) { "tcp = 80, " } else { "" };
        let table = format!("command = 'x'\n{} = {{ {probe}{} }}", info.name, pairs.join(", "));
        let written = text_of(&one(&table));
        assert!(!pairs.iter().any(|pair| written.contains(pair.as_str())), "{written}");
    }
}

#[test]
fn v13_a_bad_value_is_named_with_its_place_and_what_was_expected() {
    for (body, wanted) in [
        ("instances = 0", "3:13: error: web: `instances` expects a number from 1 to 1000, not 0"),
        (
            "restart = 'never'",
            "3:11: error: web: `restart` expects \"no\" or \"on-failure\" or \"always\", not \"never\"",
        ),
        (
            "stop = { grace = 5 }",
            "3:18: error: web: `stop.grace` expects a duration with its unit, such as \"5ms\" or \"5s\", not 5",
        ),
        (
            "stop = { signal = 'SIGFOO' }",
            "3:19: error: web: `stop.signal` expects a signal such as \"TERM\", \"INT\" or \"QUIT\", not \"SIGFOO\"",
        ),
        ("stop = { keys = ['C-Nope'] }", "3:18: error: web: `stop.keys` has no key \"C-Nope\""),
        (
            "max_memory = 'lots'",
            "3:14: error: web: `max_memory` expects a number of bytes such as \"512K\" or \"10M\", not \"lots\"",
        ),
        (
            "readiness = { log = 'a(b' }",
            "3:21: error: web: `readiness.log` cannot be read as a regular expression: unclosed group, at its character 2",
        ),
        ("readiness = { tcp = 80, http = 'http://x/' }", "is a second way to ask"),
        ("readiness = { tcp = 0 }", "`readiness.tcp` expects \"HOST:PORT\" or a port, not 0"),
        ("readiness = { http = 'https://x/' }", "use `exec` with a command"),
        ("readiness = { exec = 'true', status = 200 }", "has a `status`, which belongs to `http`"),
        ("readiness = {}", "3:13: error: web: `readiness` does not say how to ask: notify, fd, log"),
        ("schedule = { cron = '61 * * * *' }", "3:21: error: web: `schedule.cron` cannot be read: "),
        ("schedule = '0 0 30 2 *'", "it never comes"),
        ("schedule = { cron = '@daily', zone = 'Mars' }", "expects a time zone"),
        ("umask = 22", "3:9: error: web: `umask` expects a mask in octal as text, such as \"022\", not 22"),
        ("env = { 'A=' = '1' }", "3:9: error: web: `env` has \"A=\", which cannot be the name of a variable"),
        ("env = { A = [1] }", "`env` expects a text for `A`, not a list"),
        ("env = { RUNPM_SESSION = 'x' }", "it marks the session's processes"),
        ("limits = { nofile = [5, 1] }", "soft limit above the hard one"),
        ("limits = { nofile = -1 }", "`limits.nofile` expects"),
        ("success_codes = [256]", "3:18: error: web: `success_codes` expects a number from 0 to 255, not 256"),
        ("backoff = { factor = 0.5 }", "`backoff.factor` expects a number from 1 to 100, not 0.5"),
        ("nice = 20", "expects a number from -20 to 19, not 20"),
        ("watch = 5", "expects true, a list of paths, or a table, not 5"),
        ("namespace = 'a/b'", "`namespace` cannot be \"a/b\""),
        ("env_file = 'none.env'", "/srv/shop/none.env cannot be read: it is not there"),
        ("env_file = 'bad.env'", "/srv/shop/bad.env:2: there is no `=`"),
        ("log = 5", "3:7: error: web: `log` is a table, not a whole number"),
        ("depends_on = ['x', 'x']", "names `x` twice"),
        ("size = 'big'", "expects a size such as \"120x40\""),
    ] {
        let text = format!("[services.web]\ncommand = 'x'\n{body}\n");
        let loaded = toml(&text);
        let said = said(&text).join("\n");
        assert!(said.contains(wanted), "{body}:\n{said}");
        assert!(!loaded.is_usable(), "{body}");
    }
}

#[test]
fn a_command_that_a_shell_would_understand_otherwise_is_refused() {
    for (command, why) in [
        ("'a | b'", "has `|`"),
        ("'a $HOME'", "has `$`"),
        ("'a \"$(b)\"'", "has `$`"),
        ("'a *.c'", "has `*`"),
        ("'~/bin/x'", "has `~`"),
        ("'A=1 b'", "that is what `env` is for"),
        ("\"a 'b\"", "has a quote that is not closed"),
        ("''", "names no program"),
        ("[]", "names no program"),
        ("['']", "names no program"),
        ("[5]", "expects a text, not 5"),
        ("5", "expects a list such as"),
        ("\"a\\u0000\"", "contains a NUL byte"),
    ] {
        let said = said(&format!("[services.web]\ncommand = {command}\n")).join("\n");
        assert!(said.contains("2:11: error: web: `command` ") || command == "[5]", "{said}");
        assert!(said.contains(why), "{command}: {said}");
    }
    assert_eq!(one("command = \"a 'b | $c' d=e f#g\"").command, Command::of(&["a", "b | $c", "d=e", "f#g"]));
    let said = said("[services.web]\nshell = true\ncommand = ['a', 'b']\n").join("\n");
    assert!(said.contains("with `shell = true` it is one text"), "{said}");
}

#[test]
fn w66_an_unknown_key_is_a_warning_with_its_line_and_what_was_meant() {
    let text = "[services.web]\ncomand = 'x'\ncommand = 'y'\nstop = { gracee = '1s' }\n[service.b]\n";
    assert_eq!(
        said(text),
        [
            "2:1: warning: `comand` is no key of [services.web]; did you mean `command`?",
            "4:10: warning: `gracee` is no key of [stop]; did you mean `grace`?",
            "5:10: warning: `service` is no table of a file of services; did you mean `services`?",
        ]
        .map(|line| line.replace("5:10", "5:2"))
    );
    assert!(toml(text).is_usable());
    let said = said("[defaults]\nautorestart = true\n[services.a]\ncommand = 'x'\n[services.b]\ncommand = 'x'\n");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("2:1: warning: `autorestart` is no key of [defaults]"), "{said:?}");
}

#[test]
fn w68_r7_names_that_mean_something_else_or_would_collide_are_refused() {
    for name in ["all", "12", "a/b", "a:1", "a b", "-x", "", &"x".repeat(49)] {
        let text = format!("[services.{name:?}]\ncommand = 'x'\n");
        assert!(said(&text).join("\n").contains("1:11: error: no service can be called"), "{name:?}");
    }
}

#[test]
fn services_that_do_not_fit_together_are_refused() {
    let set = |edges: &[(&str, &str)]| {
        let service = |(name, rest): &(&str, &str)| format!("[services.{name}]\ncommand = 'x'\n{rest}\n");
        said(&edges.iter().map(service).collect::<String>()).join("\n")
    };
    let cycle = set(&[("a", "depends_on = ['b']"), ("b", "depends_on = ['c']"), ("c", "depends_on = ['a']")]);
    assert_eq!(cycle, "3:14: error: these services wait for each other: a → b → c → a");
    let unknown = set(&[("cache", ""), ("web", "depends_on = ['cahce']")]);
    assert_eq!(
        unknown,
        "6:14: error: web: `depends_on` names `cahce`, and there is no such service; did you mean `cache`?"
    );
    // Another namespace may be another file's.
    assert_eq!(set(&[("web", "depends_on = ['infra/db']")]), "");
    let well = set(&[("db", ""), ("web", "depends_on = { db = 'healthy' }")]);
    assert!(well.contains("wants `db` healthy, which has no `liveness`"), "{well}");
    let done = set(&[("migrate", ""), ("web", "depends_on = { migrate = 'completed' }")]);
    assert!(done.contains("warning") && done.contains("started again and again"), "{done}");
    assert_eq!(set(&[("migrate", "restart = 'no'"), ("web", "depends_on = { migrate = 'completed' }")]), "");
}

#[test]
fn a_file_that_is_none_starts_nothing() {
    for (text, wanted) in [
        ("", "error: there are no services"),
        ("[services.web]\ncommand = = 5", "2:11: error: "),
        ("services = 5", "1:12: error: each service is a table"),
        ("[services]\nweb = 5", "web: is a table, not a whole number"),
        ("[services.web]\n", "1:11: error: web has no command"),
        ("[[app]]\nname = 'x'\n", "1:3: error: `app` is of another tool"),
        ("namespace = 5\n[services.web]\ncommand = 'x'", "`namespace` cannot be \"\""),
    ] {
        assert!(said(text).join("\n").contains(wanted), "{text:?}: {:?}", said(text));
        assert!(!toml(text).is_usable(), "{text:?}");
    }
    assert!(!parsed("runpm.json", "{\"services\": {\"web\": }}").is_usable());
}

#[test]
fn v13_the_file_is_that_of_the_folder_or_above_and_never_one_that_others_can_write() {
    use std::os::unix::fs::PermissionsExt;
    let root = std::env::temp_dir().join(format!("runpm-find-{}", std::process::id()));
    let (inner, own) = (root.join("a/b/c"), root.join("home/runpm.toml"));
    std::fs::create_dir_all(&inner).and_then(|()| std::fs::create_dir_all(root.join("home"))).expect("folders");
    let write = |path: &Path| {
        std::fs::write(path, "").expect("a file");
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).expect("a mode");
    };
    // Whatever lies above the temporary folder is not the test's.
    let file = || find(&inner, &own);
    write(&own);
    assert_eq!(file().file, Some(own.clone()));
    write(&root.join("a/runpm.toml"));
    assert_eq!(file(), Found { file: Some(root.join("a/runpm.toml")), passed_over: vec![] });
    let theirs = inner.join("runpm.json");
    write(&theirs);
    assert_eq!(file().file, Some(theirs.clone()));
    std::fs::set_permissions(&theirs, PermissionsExt::from_mode(0o666)).expect("a mode");
    assert_eq!(file(), Found { file: Some(root.join("a/runpm.toml")), passed_over: vec![theirs] });
    std::fs::remove_dir_all(&root).expect("gone");
}

#[test]
fn a_file_is_read_from_disk_with_its_variables_beside_it() {
    let root = std::env::temp_dir().join(format!("runpm-load-{}", std::process::id()));
    std::fs::create_dir_all(&root).expect("a folder");
    std::fs::write(root.join("v.env"), "A=1\n").expect("a file");
    std::fs::write(root.join(FILE_NAME), "[services.a]\ncommand = 'x'\nenv_file = 'v.env'\n").expect("a file");
    let loaded = load(&root.join(FILE_NAME)).expect("a file");
    assert_eq!(loaded.findings, []);
    assert_eq!(loaded.specs[0].env, [variable("A", Some("1"), Origin::File(0))]);
    let folder = root.canonicalize().expect("a folder");
    assert_eq!(loaded.specs[0].source, folder.join(FILE_NAME).as_os_str().as_encoded_bytes());
    assert!(load(&root.join("none.toml")).is_err() && load(&root).is_err());
    for foreign in ["ecosystem.config.js", "process-compose.yaml"] {
        std::fs::write(root.join(foreign), "module.exports = {}").expect("a file");
        let said = load(&root.join(foreign)).expect("a file").findings;
        assert!(said[0].to_string().contains("`rpm convert` makes a runpm.toml of it"), "{said:?}");
    }
    std::fs::remove_dir_all(&root).expect("gone");
}

#[test]
fn the_schema_and_the_manual_are_those_of_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = format!("{:#}\n", schema());
    let held = root.join("assets/runpm.schema.json");
    let manual_path = root.join("docs/manual/services.md");
    let page = std::fs::read_to_string(&manual_path).unwrap_or_default();
    let (start, end) = ("<!-- keys: written by a test -->\n", "<!-- end of keys -->\n");
    let parts = page.split_once(start).and_then(|(head, rest)| Some((head, rest.split_once(end)?.1)));
    let (head, tail) = parts.expect("the marks in the manual");
    let wanted = format!("{head}{start}{}{end}{tail}", manual());
    if std::env::var_os("RUNPM_BLESS").is_some() {
        std::fs::write(&held, &schema).expect("written");
        std::fs::write(&manual_path, &wanted).expect("written");
    }
    let hint = "run it with RUNPM_BLESS=1 and look at the difference";
    assert_eq!(std::fs::read_to_string(&held).unwrap_or_default(), schema, "{hint}");
    assert_eq!(std::fs::read_to_string(&manual_path).unwrap_or_default(), wanted, "{hint}");
}

#[test]
fn the_examples_of_the_documentation_are_fine() {
    let page = include_str!("../../../docs/manual/services.md");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert_eq!(said(block), [] as [&str; 0], "{block}");
    }
    let example = toml(include_str!("../../../docs/examples/services/runpm.toml"));
    assert_eq!((example.findings, example.specs.len()), (vec![], 5));
}

#[test]
fn every_way_a_spec_differs_is_shown() {
    let spec = one("command = 'x'");
    let full = full_web();
    let found = crate::session::service::plan::differences(&spec, &full, &shown);
    let keys: Vec<&str> = found.iter().map(|difference| difference.key.as_str()).collect();
    for info in keys::KEYS.iter().map(|key| key.info) {
        let is_there = keys.contains(&info.name) || keys.iter().any(|key| key.starts_with(&format!("{}.", info.name)));
        assert!(is_there || info.name == "env_remove", "{}: {keys:?}", info.name);
    }
    assert!(keys.contains(&"env.HOME") && keys.contains(&"env_file.B"), "{keys:?}");
}

#[test]
fn what_an_older_version_saved_can_be_read() {
    let old = rmp_serde::to_vec_named(&BTreeMap::from([("name", "web")])).expect("bytes");
    let spec: ServiceSpec = rmp_serde::from_slice(&old).expect("a service");
    assert_eq!(spec, ServiceSpec { name: "web".to_owned(), ..ServiceSpec::default() });
    let bytes = rmp_serde::to_vec_named(&full_web()).expect("bytes");
    assert_eq!(rmp_serde::from_slice::<ServiceSpec>(&bytes).expect("a service"), full_web());
}

proptest! {
    #[test]
    fn no_text_makes_reading_fail(text in "(\\[services\\.a\\]\n|\\[|\\]|\\{|=|\"|'|command|stop|env|watch|depends_on|\n|1|ü|\\PC){0,40}") {
        for finding in toml(&text).findings {
            prop_assert!(finding.line <= text.lines().count() + 1);
        }
        for finding in parsed("runpm.json", &text).findings {
            prop_assert!(finding.line <= text.lines().count() + 1);
        }
    }

    #[test]
    fn any_text_survives_writing_and_reading(words in proptest::collection::vec("[^\0]{0,12}", 1..6), value in "[^\0]*", name in "[^=\0]{1,8}") {
        let mut spec = one("command = 'x'");
        spec.command = Command::of(&words);
        prop_assume!(!words[0].is_empty());
        spec.env.push(variable(&name, Some(&value), Origin::Config));
        let written = text_of(&spec);
        let again = toml(&written);
        prop_assert_eq!(&again.specs[..], &[spec][..], "{}", written);
    }
}
