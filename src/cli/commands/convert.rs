//! `rpm convert`: files of other tools as files of services.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::cli::report::say;
use crate::client::Error;
use crate::config;
use crate::config::Finding;
use crate::config::Grade;
use crate::config::convert;
use crate::config::convert::Converted;
use crate::config::convert::Input;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::session::text;

/// What node is asked: the exported value of a file, which may be a function.
const EXPORTED: &str = "const it = require(process.argv[1]); \
    console.log(JSON.stringify(typeof it === 'function' ? it() : it.default ?? it))";

/// Runs it.
pub fn run(args: &args::Convert) -> u8 {
    match converted(args) {
        Ok(made) => tell(args, &made),
        Err(error) => report::error(&Error::Refused(error)),
    }
}

fn converted(args: &args::Convert) -> Result<Converted, WireError> {
    let shown = args.file.display().to_string();
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = args.file.parent().unwrap_or(Path::new(""));
    let is_script = args.file.extension().is_some_and(|end| ["js", "cjs", "mjs", "ts"].iter().any(|it| end == *it));
    let text = if is_script { exported(args)? } else { read(&args.file)? };
    let input = Input { name: &name, text: &text, has_dotenv: folder.join(".env").is_file(), env: args.env.as_deref() };
    convert::convert(&input).map_err(|fault| {
        // What node printed is one line that nobody wrote; places in it say nothing.
        let file = if is_script { "" } else { &text };
        let finding = Finding::at(Grade::Error, file, &fault.span, fault.text);
        failed(text::clean(&format!("{shown}:{finding}")))
    })
}

fn failed(message: String) -> WireError {
    WireError::new(Code::Failed, message)
}

fn read(path: &Path) -> Result<String, WireError> {
    match config::read_file(path) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(failed(format!("there is no file {}", path.display()))),
        Err(error) => {
            let cause =
                std::error::Error::source(&error).map(|cause| format!("\n  cause: {cause}")).unwrap_or_default();
            Err(failed(format!("{error}{cause}")))
        }
    }
}

/// Lets node say what a script exports; only when asked to, because that runs the script.
fn exported(args: &args::Convert) -> Result<String, WireError> {
    let shown = args.file.display();
    let path = args.file.canonicalize().map_err(|_| failed(format!("there is no file {shown}")))?;
    if !args.node {
        let quoted = text::quote(&[shown.to_string()]);
        let error = failed(format!("{shown} is a program, and only node knows what it says"));
        return Err(error.hint(format!(
            "`rpm convert --node {quoted}` runs it; or node -p 'JSON.stringify(require({:?}))' > ecosystem.json, \
             then `rpm convert ecosystem.json`",
            path.display().to_string()
        )));
    }
    let output = Command::new("node").arg("-e").arg(EXPORTED).arg(&path).stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(format!("cannot run node\n  cause: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        // The name of the fault stands alone between the place in the source and the stack.
        let line = said.lines().find(|line| line.contains("Error: ")).or(said.lines().last()).unwrap_or_default();
        return Err(failed(format!("node cannot run {shown}\n  cause: {}", text::clean(line))));
    }
    // The script may have printed something of its own before.
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(printed.lines().last().unwrap_or_default().to_owned())
}

fn tell(args: &args::Convert, made: &Converted) -> u8 {
    match &args.output {
        Some(path) => {
            if let Err(error) = write(path, &made.text, args.force) {
                let is_there = error.kind() == std::io::ErrorKind::AlreadyExists;
                let told = failed(format!("cannot write {}\n  cause: {error}", path.display()));
                return report::error(&Error::Refused(if is_there { told.hint("--force replaces it") } else { told }));
            }
        }
        None if args.json => {}
        None => output::print(made.text.as_bytes()),
    }
    if args.json {
        let document = serde_json::json!({ "text": made.text, "services": made.services, "no_equivalent": made.lost });
        output::json("convert", &document);
        return exit::OK;
    }
    let services = if made.services == 1 { "1 service".to_owned() } else { format!("{} services", made.services) };
    let place = args.output.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default();
    let lost = match made.lost.len() {
        0 => "everything has an equivalent".to_owned(),
        1 => "1 thing has no equivalent, see its comment".to_owned(),
        n => format!("{n} things have no equivalent, see the comments"),
    };
    say(&format!("[{services}{place}; {lost}]"));
    exit::OK
}

fn write(path: &Path, text: &str, replaces: bool) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let options =
        if replaces { options.write(true).create(true).truncate(true) } else { options.write(true).create_new(true) };
    options.open(path)?.write_all(text.as_bytes())
}
