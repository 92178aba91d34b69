//! `rpm config`: where the settings are, what they are, what is wrong with them.

use crate::cli::args;
use crate::cli::commands::service_file;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::cli::report::say;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::config;
use crate::platform::endpoint::Place;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::text;
use crate::tui;

/// Runs it.
pub fn run(verb: &args::Config) -> Result<u8, Error> {
    let place = Place::open()?;
    Ok(match verb {
        args::Config::Path(args) => path(&place, args),
        args::Config::Show(args) => show(&place, args),
        args::Config::Check(args) => match args.file.as_deref().and_then(|file| service_file::check(file, args.json)) {
            Some(code) => code,
            None => check(&place, args),
        },
        args::Config::Reload => reload(&place)?,
        args::Config::Init => init(&place),
        args::Config::Schema => service_file::schema(),
    })
}

fn path(place: &Place, args: &args::Json) -> u8 {
    let path = place.config();
    if args.json {
        output::json("config", &serde_json::json!({ "path": path.display().to_string(), "exists": path.exists() }));
    } else {
        output::print(format!("{}\n", path.display()).as_bytes());
    }
    exit::OK
}

fn show(place: &Place, args: &args::ConfigShow) -> u8 {
    if args.json || args.effective {
        let loaded = config::load(place);
        tell(&place.config().display().to_string(), &loaded.findings);
        if args.json {
            output::json("settings", &loaded.settings);
        } else {
            output::print(config::text(&loaded.settings).as_bytes());
        }
        return exit::OK;
    }
    match config::read_file(&place.config()) {
        Ok(Some(text)) => {
            output::print(text.as_bytes());
            exit::OK
        }
        Ok(None) => {
            say(&format!(
                "rpm: there is no {}, so the defaults count\n  try: `rpm config init` writes one, `rpm config show --effective` shows the defaults",
                place.config().display()
            ));
            exit::OK
        }
        Err(error) => refuse(&error, None),
    }
}

/// Fails if there is anything to say, so that scripts and editors can ask.
fn check(place: &Place, args: &args::ConfigCheck) -> u8 {
    let path = args.file.clone().unwrap_or_else(|| place.config());
    let loaded = match config::read_file(&path) {
        Ok(Some(text)) => {
            let mut loaded = config::parse(&text);
            loaded.findings.extend(tui::check(&loaded.settings));
            loaded.findings.sort_by_key(|finding| (finding.line, finding.column));
            loaded
        }
        Ok(None) if args.file.is_some() => {
            let message = format!("there is no file {}", path.display());
            return report::error(&WireError::new(Code::Failed, message).into());
        }
        Ok(None) => config::Loaded::default(),
        Err(error) => return refuse(&error, None),
    };
    let code = if loaded.findings.is_empty() { exit::OK } else { exit::FAILURE };
    if args.json {
        let document = serde_json::json!({ "path": path.display().to_string(), "findings": loaded.findings });
        output::json("check", &document);
    } else if loaded.findings.is_empty() {
        let what = if path.exists() { "is fine" } else { "is not there: the defaults count" };
        output::print(format!("{} {what}\n", path.display()).as_bytes());
    } else {
        for finding in &loaded.findings {
            output::print(format!("{}:{}\n", path.display(), text::clean(&finding.to_string())).as_bytes());
        }
    }
    code
}

/// What the dashboards would refuse is refused here as well, so that all have the same settings.
fn reload(place: &Place) -> Result<u8, Error> {
    let mut loaded = config::load(place);
    loaded.findings.extend(tui::check(&loaded.settings));
    tell(&place.config().display().to_string(), &loaded.findings);
    if loaded.findings.iter().any(|finding| finding.grade == config::Grade::Error) {
        let message = "the settings are left as they were";
        return Ok(report::error(&WireError::new(Code::Failed, message).hint("mend what is said above").into()));
    }
    Client::connect()?.call(&verbs::Reload {})?;
    output::print(b"the settings were read again\n");
    Ok(exit::OK)
}

fn init(place: &Place) -> u8 {
    match config::init(place) {
        Ok(path) => {
            output::print(format!("{}\n", path.display()).as_bytes());
            exit::OK
        }
        Err(error @ config::Error::Exists { .. }) => refuse(&error, Some("edit it, or move it away first")),
        Err(error) => refuse(&error, None),
    }
}

/// Says on the way what does not count.
fn tell(path: &str, findings: &[config::Finding]) {
    for finding in findings {
        say(&text::clean(&format!("rpm: {path}:{finding}")));
    }
}

fn refuse(error: &config::Error, todo: Option<&str>) -> u8 {
    let cause = std::error::Error::source(error).map(|cause| format!("\n  cause: {cause}")).unwrap_or_default();
    let refused = WireError::new(Code::Failed, format!("{error}{cause}"));
    report::error(&match todo {
        Some(todo) => refused.hint(todo).into(),
        None => refused.into(),
    })
}
