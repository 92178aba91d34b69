//! Sessions that start by themselves: once in a keeper's life, when its first daemon starts.
//!
//! A daemon that dies in the middle is followed by one that goes on: each entry's key follows from the keeper and the entry,
//! so none is started twice; that all were asked for is noted in the keeper's memory, so none is started later.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::rc::Rc;

use serde_bytes::ByteBuf;

use crate::config::Autostart;
use crate::daemon::handler::starting;
use crate::daemon::hub::Hub;
use crate::platform::failpoint;
use crate::platform::limits;
use crate::platform::process;
use crate::platform::user;
use crate::protocol::verbs;
use crate::session::environment;
use crate::session::environment::Account;
use crate::session::environment::Policy;
use crate::session::id::RequestKey;
use crate::session::spec::Launch;
use crate::session::spec::Spec;
use crate::session::text;

/// Who asked for these sessions.
const ORIGINATOR: &str = "autostart";

/// Starts what the user's settings name, unless it was done in this keeper's life.
pub async fn start_all(hub: Rc<Hub>) {
    if hub.keeper.has_autostarted() {
        return;
    }
    let settings = hub.settings();
    let entries = &settings.autostart;
    if !entries.is_empty() {
        // The user database may be a service on the network.
        let account = tokio::task::spawn_blocking(user::account).await.map_err(io::Error::other).flatten();
        if let Err(error) = &account {
            tracing::error!(%error, "cannot look up this user; what needs a login is not started");
        }
        let keeper = hub.report.keeper_pid;
        let born = process::stat(keeper).map_or(0, |stat| stat.start_time);
        for (n, entry) in entries.iter().enumerate() {
            let key = key(&format!("{keeper} {born} {n} {entry:?}"));
            start(&hub, key, entry, account.as_ref().ok()).await;
            failpoint::hit(hub.dir(), "mid-autostart");
        }
    }
    hub.keeper.note_autostarted();
}

async fn start(hub: &Rc<Hub>, key: RequestKey, entry: &Autostart, account: Option<&Account>) {
    let name = entry.name.clone().unwrap_or_else(|| entry.command.join(" "));
    let Some(account) = account.cloned().or_else(|| (entry.env_policy != Policy::Login).then(Account::default)) else {
        tracing::error!(entry = %name, "not started: its login environment cannot be made");
        hub.unstarted.add(fault(&name, "its login environment cannot be made"));
        return;
    };
    // One of that name was lost with the keeper before: it stays in the list, under another name.
    let renamed = entry.name.as_deref().and_then(|name| hub.registry.borrow_mut().rename_lost(name));
    if let Some(renamed) = renamed {
        tracing::info!(session = %name, %renamed, "a lost session gave its name to its successor");
    }
    let verb = verbs::Run { key, spec: spec(entry, &account), follows: false };
    match starting::start(hub, verb).await {
        Ok(started) => tracing::info!(session = %started.name, pid = started.pid, "started by itself"),
        Err(error) => {
            tracing::error!(entry = %name, %error, "could not be started");
            hub.unstarted.add(fault(&name, &error.message));
        }
    }
}

fn fault(name: &str, why: &str) -> String {
    text::shorten(&format!("the autostart entry {:?} was not started: {why}", text::shorten(name, 80)), 400)
}

fn spec(entry: &Autostart, account: &Account) -> Spec {
    let own: Vec<ByteBuf> = std::env::vars_os()
        .map(|(name, value)| environment::entry(name.as_bytes(), value.as_bytes()))
        .filter(|entry| environment::fault(entry, false).is_none())
        .collect();
    let env = match entry.env_policy {
        Policy::Login => environment::login(account, &own),
        Policy::Inherit => own,
        Policy::Clear => Vec::new(),
    };
    let home = Path::new(OsStr::from_bytes(if account.home.is_empty() { b"/" } else { &account.home }));
    let cwd = entry.cwd.as_ref().map_or_else(|| home.to_owned(), |cwd| home.join(cwd));
    Spec {
        name: entry.name.clone(),
        kind: entry.kind,
        merge: entry.merge,
        size: entry.size,
        tags: entry.tags.clone(),
        originator: Some(ORIGINATOR.to_owned()),
        history: 0,
        launch: Launch {
            argv: entry.command.iter().map(|arg| ByteBuf::from(arg.as_bytes())).collect(),
            env,
            cwd: ByteBuf::from(cwd.into_os_string().into_vec()),
            // The keeper's own mask keeps its files private; the user's files are not ours to hide.
            umask: if account.umask == 0 { 0o022 } else { account.umask },
            limits: limits::login(),
        },
        journal: None,
        overlay: entry.env.iter().map(|(name, value)| environment::entry(name.as_bytes(), value.as_bytes())).collect(),
    }
}

/// FNV-1a: without a seed, so that the daemon that comes next knows a request again.
fn key(text: &str) -> RequestKey {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    // Zero means "no key".
    RequestKey(text.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
}
