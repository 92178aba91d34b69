//! Commands and options that hands know from pm2 and its kind and that are called otherwise here, or are not needed: one
//! sentence each, with what does it.

use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;

/// Words that are no command here.
const WORDS: &[(&[&str], &str)] = &[
    (
        &["startOrRestart", "startOrReload", "startOrGracefulReload", "gracefulReload"],
        "`rpm apply FILE` starts what is new and restarts only what changed; `rpm reload NAME` replaces without a gap",
    ),
    (&["cleardump"], "the list of services is saved at every change; `rpm delete all` empties it"),
    (&["update", "updatePM2"], "nothing has to be reloaded: the next daemon is the new program, and services run on"),
    (
        &["reloadLogs"],
        "nobody has to reopen files: `rpm tee` notices when one was moved, and journals rotate themselves",
    ),
    (
        &["logrotate"],
        "journals rotate themselves: 10 files of 10M each, or what `log` of the service in runpm.toml says",
    ),
    (
        &["set", "multiset", "get", "unset", "conf"],
        "settings are in a file: `rpm config path` says where, `rpm config init` writes one",
    ),
    (
        &[
            "install",
            "uninstall",
            "module",
            "module:install",
            "package",
            "publish",
            "module:publish",
            "module:update",
            "module:generate",
        ],
        "there are no modules to install: rotation, watching and monitoring are part of it",
    ),
    (
        &["link", "unlink", "plus", "monitor", "unmonitor", "login", "logout", "open", "interact"],
        "nothing is sent to anybody: `rpm tui` shows it here, `rpm events --json` tells it to a program",
    ),
    (
        &["web", "serve", "expose"],
        "nothing listens on the network: `rpm ls --json` and `rpm events --json` are the interface; to serve files, `rpm start -- python3 -m http.server`",
    ),
    (
        &["deploy", "pull", "forward", "backward"],
        "deploying is not its task: pull, then `rpm apply` or `rpm reload NAME`",
    ),
    (
        &["sysmonit", "slist", "sysinfos"],
        "`rpm ls --wide` and `rpm procs` show load and memory of services and sessions",
    ),
    (&["imonit"], "`rpm tui` is the dashboard"),
    (&["trigger"], "there are no actions inside programs: `rpm signal USR1 NAME` or `rpm send NAME TEXT --enter`"),
    (
        &["inspect", "profile:cpu", "profile:mem", "deepUpdate", "autoinstall"],
        "programs are not instrumented; start node with `--inspect` in the command",
    ),
    (&["create"], "`rpm start -- COMMAND` makes a service, `rpm init` a file of services"),
    (&["examples"], "`rpm start --help` has some, and `rpm init` writes a runpm.toml to begin with"),
    (&["validate"], "`rpm config check FILE` says what is wrong with a file of services"),
    (&["follow"], "`rpm logs -f NAME`"),
    (&["clean"], "`rpm purge` forgets ended sessions; `rpm flush NAME` what was said"),
    (&["add"], "`rpm run -d -- COMMAND` runs once, `rpm start -- COMMAND` keeps running"),
    (&["pause"], "`rpm signal STOP NAME`, and `rpm signal CONT NAME` to go on"),
    (&["resume", "unpause"], "`rpm signal CONT NAME`"),
    (&["is-ready"], "`rpm start NAME --wait` ends with 0 once it is ready"),
    (&["upgrade"], "install the new program; the next daemon is it, and nothing is restarted"),
    (&["exec"], "`rpm run -- COMMAND` runs it in a session"),
    (&["new", "new-session"], "`rpm run` starts a session"),
    (&["detach"], "`C-b d` in the session leaves it"),
    (&["uptime", "stats"], "`rpm ls --wide`"),
];

/// Options that are none here.
const OPTIONS: &[(&[&str], &str)] = &[
    (&["--time", "--log-date-format"], "each line's time is kept always: `rpm logs --timestamps` shows it"),
    (
        &["--output", "-o", "--error", "-e", "--log", "-l", "--log-file"],
        "all that is said is kept in a journal: `rpm logs NAME`; `rpm tee NAME --to FILE` copies it to a file",
    ),
    (
        &["--merge-logs", "--combine-logs"],
        "instances have journals of their own; `rpm logs NAME` tells all as one, by time",
    ),
    (&["--disable-logs"], "`log = { disk = false }` in runpm.toml keeps nothing on disk"),
    (&["--log-type", "--format"], "`rpm logs --json` prints an object a line"),
    (&["--highlight"], "`rpm grep WORD NAME` finds it"),
    (
        &["--wait-ready", "--listen-timeout"],
        "a `readiness` in runpm.toml says how it is known to be ready; `rpm start NAME --wait --timeout TIME` waits for that",
    ),
    (&["--attach"], "`rpm logs -f NAME` or `rpm attach NAME` afterwards; `rpm run -- COMMAND` starts and attaches"),
    (&["--no-daemon"], "`rpm run -- COMMAND` stays in the foreground"),
    (
        &["--node-args", "--interpreter-args", "--args"],
        "write the whole command: `rpm start -- node --max-old-space-size=512 app.js`",
    ),
    (&["--uid", "--gid", "--user", "-u", "--hp"], "services are those of whoever starts them: use it as that user"),
    (&["--parallel"], "all are done at once already"),
    (&["--update-env"], "it starts with the environment of this shell; `rpm restart NAME --update-env` renews it"),
    (&["--shutdown-with-message"], "`stop = { command = … }` or `stop = { keys = … }` in runpm.toml asks it to end"),
    (&["--no-treekill"], "a service's whole tree is ended with it; `rpm run --detach-fully` starts what is nobody's"),
    (
        &[
            "--no-vizion",
            "--no-automation",
            "--no-pmx",
            "--deep-monitoring",
            "--trace",
            "--source-map-support",
            "--disable-trace",
        ],
        "programs are not instrumented; leave it out",
    ),
    (&["--filter-env"], "`--unset-env NAME` removes a variable, `--clear-env` all"),
    (&["--pid", "-p"], "`rpm pid NAME` prints it"),
    (&["--mini-list", "-m", "--silent", "-s", "--sort"], "`rpm ls --json` is for programs; leave it out"),
];

/// Returns the sentence for a command line that could not be read, if it is a habit of elsewhere.
pub fn sentence(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand)?;
            Some(format!("`{word}` is no command here; {}", find(WORDS, word)?))
        }
        ErrorKind::UnknownArgument => {
            let option = text(ContextKind::InvalidArg)?;
            let option = option.split(['=', ' ']).next().unwrap_or_default();
            Some(format!("`{option}` is no option here; {}", find(OPTIONS, option)?))
        }
        ErrorKind::MissingRequiredArgument => {
            let word = std::env::args().nth(1)?;
            missing(&word).map(str::to_owned)
        }
        _ => None,
    }
}

/// Says what a command without a name lacks, where people leave it out.
fn missing(word: &str) -> Option<&'static str> {
    Some(match word {
        "kill" => "`kill` ends those that are named, at once: `rpm kill NAME`; `rpm shutdown` ends all, the daemon too",
        "flush" => "`flush` wants to know whose history: `rpm flush NAME`, or `rpm flush all`",
        "stop" | "down" => "`stop` wants a name: `rpm stop NAME`, or `rpm stop all`",
        "restart" => "`restart` wants a name: `rpm restart NAME`, or `rpm restart all`",
        "reload" => "`reload` wants a name: `rpm reload NAME`, or `rpm reload all`",
        "reset" => "`reset` wants a name: `rpm reset NAME`, or `rpm reset all`",
        "delete" | "del" | "remove" => "`delete` wants a name: `rpm delete NAME`, or `rpm delete all`",
        "scale" => "`scale` wants a name and a number: `rpm scale NAME 4`, `rpm scale NAME +1`",
        "env" => "`env` wants a name or an id: `rpm env NAME`",
        "attach" | "connect" | "fg" => "`attach` wants a name: `rpm attach NAME`; `rpm ls` lists them",
        _ => return None,
    })
}

fn find(known: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    known.iter().find(|(words, _)| words.contains(&word)).map(|(_, sentence)| *sentence)
}

/// Words that mean one command alone and another one with a name: `status web` describes it, `kill` ends all.
#[must_use]
pub fn reread(mut line: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let is_named = line.get(2).is_some_and(|word| !word.as_encoded_bytes().starts_with(b"-"));
    if is_named && line.get(1).is_some_and(|word| word == "status") {
        line[1] = "describe".into();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;

    fn said(line: &str) -> String {
        let error = args::parse_from(line.split(' ').map(Into::into)).expect_err(line);
        sentence(&error).unwrap_or_default()
    }

    #[test]
    fn words_and_options_of_pm2_that_are_none_here_say_what_does_it() {
        for (words, _) in WORDS {
            for word in *words {
                assert!(said(&format!("rpm {word}")).starts_with(&format!("`{word}` is no command here; ")), "{word}");
            }
        }
        for (options, wanted) in OPTIONS {
            let verb = if ["--highlight", "--log-type"].contains(&options[0]) { "logs" } else { "start app.js" };
            for option in *options {
                // Some of them are options here, where they mean the same.
                let line = format!("rpm {verb} {option}");
                match args::parse_from(line.split(' ').map(Into::into)) {
                    Ok(_) => panic!("{line} is read"),
                    Err(_) => assert!(said(&line).ends_with(wanted), "{line}: {}", said(&line)),
                }
            }
        }
        assert_eq!(said("rpm lgos"), "", "what nobody knows is left to the parser");
    }

    #[test]
    fn a_command_of_pm2_is_a_command_here_or_says_what_does_it() {
        // Those of `pm2 --help`, version 7.
        let commands = "start trigger deploy startOrRestart startOrReload startOrGracefulReload pid create stop restart \
                        scale profile:mem profile:cpu reload id inspect delete sendSignal ping updatePM2 update install \
                        module:update module:generate uninstall package publish set multiset get conf config unset report \
                        link unlink monitor unmonitor open plus register login logout dump save cleardump send attach \
                        resurrect unstartup startup logrotate ecosystem init reset describe desc info show env list ls l \
                        ps status jlist sysmonit slist sysinfos prettylist monit imonit dashboard dash flush reloadLogs \
                        logs kill pull forward backward deepUpdate serve expose autoinstall examples";
        for word in commands.split_whitespace() {
            let line = format!("rpm {word}");
            let Err(error) = args::parse_from(line.split(' ').map(Into::into)) else { continue };
            let is_unknown = error.kind() == ErrorKind::InvalidSubcommand;
            assert!(!is_unknown || sentence(&error).is_some(), "{line}: {error}");
        }
    }

    #[test]
    fn status_of_a_name_describes_it() {
        let words = |line: &str| reread(line.split(' ').map(Into::into).collect());
        assert_eq!(words("rpm status web"), words("rpm describe web"));
        assert_eq!(words("rpm status --json")[1], "status");
        assert_eq!(words("rpm status")[1], "status");
    }
}
