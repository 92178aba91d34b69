//! `rpm events`: a line for each thing that happens, until nobody reads any more.
//!
//! A killed daemon is said, and followed by how every session stands then: nothing is missed silently.

use std::os::fd::AsFd;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use serde_json::Value;
use serde_json::json;

use crate::cli::args;
use crate::cli::exit;
use crate::cli::output;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::platform::clock;
use crate::platform::signals::Signals;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::message::Event;
use crate::protocol::verbs;
use crate::protocol::verbs::What;
use crate::session::status::Status;
use crate::session::text;

/// `rpm events`.
pub fn events(args: &args::Events) -> Result<u8, Error> {
    let signals = Signals::catch(&[libc::SIGINT, libc::SIGTERM, libc::SIGPIPE]).map_err(Error::Lost)?;
    if args.since.is_some_and(|since| since > 0) && args.epoch.is_none() {
        let error = WireError::new(Code::Invalid, "a number of an event counts within one life of the daemon only");
        return Err(error.hint("give its --epoch too, as --json tells it; --since 0 begins with the oldest").into());
    }
    let mut listening = Listening { client: Client::connect()?, args, since: args.since, epoch: args.epoch };
    if !listening.resume()? {
        return Ok(exit::OK);
    }
    loop {
        match listening.print_arrived() {
            Ok(false) => return Ok(exit::OK),
            Err(error) if error.is_lost() => {
                if !listening.come_back()? {
                    return Ok(exit::OK);
                }
                continue;
            }
            result => result?,
        };
        if !listening.wait(&signals)? {
            return Ok(exit::OK);
        }
    }
}

struct Listening<'a> {
    client: Client,
    args: &'a args::Events,
    /// The last event that was printed.
    since: Option<u64>,
    epoch: Option<u64>,
}

impl Listening<'_> {
    fn subscribe(&mut self) -> Result<(), Error> {
        let events = verbs::Events {
            since: self.since,
            epoch: self.epoch,
            targets: self.args.targets.clone(),
            kinds: self.args.kind.clone(),
        };
        let subscribed = self.client.call(&events)?;
        self.epoch = Some(subscribed.epoch);
        // Should the daemon die before anything happens, nothing of it was missed.
        self.since = Some(self.since.map_or(subscribed.last, |since| since.min(subscribed.last)));
        Ok(())
    }

    /// Waits for the daemon; `false` when a signal came or nobody reads what we print.
    fn wait(&mut self, signals: &Signals) -> Result<bool, Error> {
        let stdout = std::io::stdout();
        let connection = self.client.connection();
        // Asked for nothing, it still says when its reader is gone.
        let out = PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty());
        let mut fds = [PollFd::new(connection, connection.interest()), PollFd::new(signals, PollFlags::IN), out];
        match rustix::event::poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::Lost(errno.into())),
        }
        let is_over = !fds[1].revents().is_empty() || fds[2].revents().contains(PollFlags::ERR);
        // A broken connection is noticed by the next read.
        let _ = self.client.connection().flush();
        Ok(!is_over)
    }

    fn print_arrived(&mut self) -> Result<bool, Error> {
        while let Some(incoming) = self.client.connection().try_receive()? {
            if let Incoming::Event(event) = incoming
                && !self.print(&event)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn print(&mut self, event: &Event) -> bool {
        if let Some(overrun) = event.get::<verbs::Overrun>() {
            self.since = Some(overrun.next.saturating_sub(1));
            let line = format!("- {} events were missed", overrun.missed);
            return self.line(&json!({ "what": "missed", "missed": overrun.missed }), &line);
        }
        let Some(happened) = event.get::<verbs::Happened>() else { return true };
        self.since = Some(happened.seq);
        let line = format!(
            "{} {} {}",
            clock::time_of_day(happened.at_ms),
            text::clean(&happened.name),
            sentence(&happened.what)
        );
        let document = document(&happened, self.epoch);
        self.line(&document, &line)
    }

    fn line(&self, document: &Value, text: &str) -> bool {
        if self.args.json { output::json_line("event", document) } else { output::line(text) }
    }

    /// The daemon was killed: goes on with what the next one has noted.
    fn come_back(&mut self) -> Result<bool, Error> {
        self.client.reconnect()?;
        self.resume()
    }

    /// Subscribes behind the last place. Should that be of an earlier life of the daemon, it says so and how everything
    /// stands now.
    fn resume(&mut self) -> Result<bool, Error> {
        let Some(before) = self.epoch else {
            self.subscribe()?;
            return Ok(true);
        };
        let targets = self.args.targets.clone();
        let sessions = self.client.call(&verbs::List { targets })?.sessions;
        self.subscribe()?;
        if self.epoch == Some(before) {
            return Ok(true);
        }
        self.since = Some(0);
        let is_read =
            self.line(&json!({ "what": "daemon-restarted", "epoch": self.epoch }), "- the daemon was restarted");
        Ok(is_read && sessions.iter().all(|status| self.tell_state(status)))
    }

    fn tell_state(&self, status: &Status) -> bool {
        let document = json!({ "what": "session", "session": output::Session::from(status) });
        self.line(&document, &format!("- {} is {}", text::clean(&status.name), status.word()))
    }
}

/// An event as JSON: what it is and of which session, beside the fields of its kind.
fn document(happened: &verbs::Happened, epoch: Option<u64>) -> Value {
    let mut document = json!({
        "seq": happened.seq,
        "epoch": epoch,
        "at": clock::rfc3339(happened.at_ms),
        "at_ms": happened.at_ms,
        "id": happened.id.to_string(),
        "name": happened.name,
        "what": happened.what.kind(),
    });
    let fields = match &happened.what {
        What::Started { pid, command } => json!({ "pid": pid, "command": command }),
        What::Title { title } => json!({ "title": title }),
        What::Notification { title, body } => json!({ "title": title, "body": body }),
        What::Resized { size } => json!({ "rows": size.rows(), "cols": size.cols() }),
        What::Attached { who, controls, raw } => json!({ "who": who, "controls": controls, "raw": raw }),
        What::Detached { who } => json!({ "who": who }),
        What::Stolen { by, from } => json!({ "by": by, "from": from }),
        What::Sent { by, bytes } => json!({ "by": by, "bytes": bytes }),
        What::Stopping { by, kill_at_ms } => json!({ "by": by, "kill_at": clock::rfc3339(*kill_at_ms) }),
        What::Ended { end } => json!({ "end": output::Ending::of(Some(end)) }),
        What::Bell | What::Removed | What::Unknown => json!({}),
    };
    if let (Value::Object(all), Value::Object(fields)) = (&mut document, fields) {
        all.extend(fields);
    }
    document
}

/// What happened, for people.
fn sentence(what: &What) -> String {
    let sentence = match what {
        What::Started { pid, command } => format!("started: {command} (process {pid})"),
        What::Title { title } => format!("has the title {title:?}"),
        What::Bell => "rang the bell".to_owned(),
        What::Notification { title, body } if title.is_empty() => format!("says: {body}"),
        What::Notification { title, body } => format!("says: {title}: {body}"),
        What::Resized { size } => format!("was resized to {size}"),
        What::Attached { who, controls: true, .. } => format!("was attached to by {who}, who controls it"),
        What::Attached { who, .. } => format!("is watched by {who}"),
        What::Detached { who } => format!("was left by {who}"),
        What::Stolen { by, from } => format!("was taken over by {by} from {from}"),
        What::Sent { by, bytes } => format!("was sent {bytes} bytes by {by}"),
        What::Stopping { by, kill_at_ms } => {
            format!("was asked to end by {by}, will be killed at {}", clock::time_of_day(*kill_at_ms))
        }
        What::Ended { end } => end.word(),
        What::Removed => "was removed".to_owned(),
        What::Unknown => "did something that this version does not know".to_owned(),
    };
    text::clean(&sentence)
}
