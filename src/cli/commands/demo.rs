//! `rpm demo`: three harmless sessions to play with, and nothing of them left afterwards.

use crate::cli::report::say;
use crate::client;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::inherit;
use crate::protocol::verbs;
use crate::session::spec::Spec;
use crate::term::Size;

/// What they have in common.
const TAG: &str = "rpm-demo";

/// The one that tells what to try.
const GUIDE: &str = "demo-shell";

/// Name and script of each.
const SESSIONS: [(&str, &str); 3] = [
    ("demo-clock", "while :; do date; sleep 1; done"),
    (
        "demo-build",
        "n=1; while [ $n -le 40 ]; do echo \"compiling part $n of 40\"; n=$((n+1)); sleep 0.2; done; printf '\\033]9;the build is done\\007'; echo 'error: the last part is missing'; exit 2",
    ),
    (
        GUIDE,
        "echo 'This is a shell of yours. What to try, with the prefix C-b:'; echo '  C-b ?   every key        C-b s   back to the list'; echo '  C-b %   another pane     C-b [   history, / searches, y copies'; echo '  C-b d   leaves; the demo is cleaned up then'; exec \"${SHELL:-sh}\"",
    ),
];

/// Starts them, runs `dashboard` at the guide, ends and forgets them.
pub fn demo(dashboard: impl FnOnce(&str) -> Result<u8, Error>) -> Result<u8, Error> {
    let mut client = Client::connect_or_start()?;
    // What a demo that was cut off has left.
    clean(&mut client)?;
    for (name, script) in SESSIONS {
        let argv = ["sh", "-c", script].map(|arg| arg.as_bytes().to_vec().into()).to_vec();
        let launch = inherit::launch(argv, None);
        let tags = vec![TAG.to_owned()];
        let spec = Spec { name: Some(name.to_owned()), tags, size: Size::default(), launch, ..Spec::default() };
        client.call(&verbs::Run { key: client::request_key(), spec, ..verbs::Run::default() })?;
    }
    // The one with the guide: somebody who has sessions would be shown one of those.
    let result = dashboard(GUIDE);
    clean(&mut client)?;
    say("[the three sessions of the demo are gone; `rpm run -- COMMAND` starts one of yours]");
    result
}

fn clean(client: &mut Client) -> Result<(), Error> {
    let found = client.call(&verbs::List::default())?.sessions;
    let targets: Vec<String> = found
        .iter()
        .filter(|status| status.tags.iter().any(|tag| tag == TAG))
        .map(|status| status.id.to_string())
        .collect();
    if targets.is_empty() {
        return Ok(());
    }
    let key = client::request_key();
    client.call(&verbs::Stop { key, targets: targets.clone(), grace_ms: 500, ..verbs::Stop::default() })?;
    client.call(&verbs::Remove { targets, ..verbs::Remove::default() })?;
    Ok(())
}
