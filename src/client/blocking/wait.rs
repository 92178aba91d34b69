//! Waiting for something of a session, and typing and waiting in one go.
//!
//! It follows the history from an exact offset, so a killed daemon costs nothing but the time until the next one answers,
//! and nothing is polled. What decides is pure: `session::wait`.
//!
//! ```no_run
//! use runpm::client::blocking::Client;
//! use runpm::client::blocking::wait;
//! use runpm::client::blocking::wait::Request;
//! use runpm::session::wait::Plan;
//! use runpm::session::wait::pattern;
//!
//! let mut client = Client::connect()?;
//! let texts = vec![pattern("listening on port (\\d+)").expect("a pattern")];
//! let plan = Plan { texts, timeout: Some(30_000_000_000), ..Plan::default() };
//! let report = wait::wait(&mut client, &Request { target: "web".to_owned(), plan, ..Request::default() })?;
//! println!("{:?}, go on at {}", report.outcome, report.offset);
//! # Ok::<(), runpm::client::Error>(())
//! ```

use std::time::Duration;

use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::client::error::Error;
use crate::client::follow::Chunk;
use crate::client::follow::Follower;
use crate::platform::clock;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::frame::Bulk;
use crate::protocol::message;
use crate::protocol::verbs;
use crate::session::status::Status;
use crate::session::wait::Outcome;
use crate::session::wait::Plan;
use crate::session::wait::Start;
use crate::session::wait::View;
use crate::session::wait::Waiter;
use crate::term::Frame;
use crate::term::Mirror;

/// The channel of the history.
const HISTORY: u32 = 1;
/// The channel of the screen.
const SCREEN: u32 = 2;

/// From where output counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Since {
    /// From now on.
    #[default]
    Now,
    /// From the oldest byte in memory.
    Start,
    /// From this byte.
    Offset(u64),
}

/// What to wait for, and where.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Name, id or unique prefix.
    pub target: String,
    /// What to wait for.
    pub plan: Plan,
    /// From where output counts; for readiness, the present state does.
    pub since: Since,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// What happened.
    pub outcome: Outcome,
    /// Where the next wait goes on: behind the match, else behind the last byte that was looked at.
    pub offset: u64,
    /// Rows of the screen: as matched if they were looked at, else right after the outcome.
    pub screen: Vec<String>,
}

/// Waits.
///
/// # Errors
/// The session does not exist, the offset is not in memory, or the daemon is gone for good.
pub fn wait(client: &mut Client, request: &Request) -> Result<Report, Error> {
    let status = look(client, &request.target)?;
    if let Some(end) = status.end().filter(|end| end.status.is_none()) {
        // Nothing is left of a session that was lost with its keeper, but that.
        let waiter = Waiter::new(Plan { exit: request.plan.exit, ..Plan::default() }, Start::default(), 0);
        return Ok(Report { outcome: waiter.ended(Some(end.clone())), offset: 0, screen: Vec::new() });
    }
    Waiting::new(client, &status, request)?.run(None)
}

/// Types, and waits for what comes after that: output from before it was typed is never matched.
///
/// Returns also what the daemon said to the request. `since` of the request is not used.
///
/// # Errors
/// As [`wait`], and what typing can come to.
pub fn send_and_wait(
    client: &mut Client,
    send: verbs::Send,
    request: &Request,
) -> Result<(verbs::Sent, Report), Error> {
    let status = look(client, &request.target)?;
    let send = verbs::Send { target: status.id.to_string(), ..send };
    let mut waiting = Waiting::new(client, &status, request)?;
    let sent = waiting.send(&send)?;
    waiting.run(Some(sent)).map(|report| (sent, report))
}

fn look(client: &mut Client, target: &str) -> Result<Status, Error> {
    let listing = client.call(&verbs::List { targets: vec![target.to_owned()] })?;
    let mut sessions = listing.sessions.into_iter();
    match (sessions.next(), sessions.next()) {
        (Some(status), None) => Ok(status),
        (None, _) => Err(WireError::new(Code::NoSuchSession, format!("{target} selects no session")).into()),
        (Some(_), Some(_)) => {
            let error = WireError::new(Code::Ambiguous, format!("{target} selects several sessions"));
            Err(error.hint("wait for one at a time").into())
        }
    }
}

struct Waiting<'c> {
    client: &'c mut Client,
    target: String,
    follower: Follower,
    plan: Plan,
    start: Start,
    waiter: Waiter,
    mirror: Mirror,
    frame: Vec<u8>,
    rows: Option<Vec<String>>,
}

impl<'c> Waiting<'c> {
    fn new(client: &'c mut Client, status: &Status, request: &Request) -> Result<Self, Error> {
        let (now, head) = (clock::monotonic_ns(), status.output_bytes);
        let since = offset(status, request.since)?;
        let said_at = |ms: u64| now.saturating_sub(clock::wall_ms().saturating_sub(ms).saturating_mul(1_000_000));
        let last_output = (status.output_ms > 0).then(|| said_at(status.output_ms));
        let quiet_since = match request.since {
            Since::Now => now,
            Since::Start | Since::Offset(_) => last_output.unwrap_or_else(|| said_at(status.started_ms)),
        };
        let start = Start { now, since, head, quiet_since, last_output };
        // Readiness is a matter of all that was said.
        let is_from_oldest = request.plan.ready || request.since == Since::Start;
        let (first, from) =
            if is_from_oldest { (status.oldest, verbs::From::Start) } else { (since, verbs::From::Offset(since)) };
        let waiter = Waiter::new(request.plan.clone(), start, first);
        let target = status.id.to_string();
        let follower = Follower::new(verbs::Logs {
            channel: HISTORY,
            target: target.clone(),
            from,
            follow: true,
            past_gaps: true,
            ..verbs::Logs::default()
        });
        let (mirror, plan) = (Mirror::new(), request.plan.clone());
        let (frame, rows) = (Vec::new(), None);
        let mut waiting = Self { client, target, follower, plan, start, waiter, mirror, frame, rows };
        waiting.returning(Self::follow)?;
        Ok(waiting)
    }

    /// Does something that a killed daemon may interrupt, with the next daemon again.
    fn returning<T>(&mut self, mut act: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        loop {
            match act(self) {
                Err(error) if error.is_lost() => self.client.reconnect()?,
                result => return result,
            }
        }
    }

    /// Follows the history from the next byte on, and the screen if it is looked at.
    fn follow(&mut self) -> Result<(), Error> {
        let attached = self.client.connection().call(&self.follower.request())?;
        self.follower.agreed(attached.id);
        if self.plan.view == View::Screen {
            self.frame.clear();
            let target = self.target.clone();
            self.client.connection().call(&verbs::Watch { channel: SCREEN, target, terminal: None })?;
        }
        Ok(())
    }

    /// Types; the history is followed already, so nothing that comes of it can be overwritten unseen.
    fn send(&mut self, send: &verbs::Send) -> Result<verbs::Sent, Error> {
        let mut is_followed = true;
        self.returning(|waiting| {
            if !std::mem::replace(&mut is_followed, false) {
                waiting.follow()?;
            }
            waiting.client.connection().call(send)
        })
    }

    fn run(mut self, sent: Option<verbs::Sent>) -> Result<Report, Error> {
        // A request that was done before this daemon lived answers with a later offset: the one from before it was first
        // made is the safe one.
        if let Some(sent) = sent.filter(|sent| !sent.repeated) {
            let now = clock::monotonic_ns();
            self.start = Start { now, since: sent.at, quiet_since: now, ..self.start };
            self.waiter = Waiter::new(self.plan.clone(), self.start, self.waiter.next());
        }
        let outcome = loop {
            let now = clock::monotonic_ns();
            if let Some(outcome) = self.waiter.tick(now) {
                break outcome;
            }
            let timeout = self.waiter.deadline().map(|at| Duration::from_nanos(at.saturating_sub(now)));
            match self.client.connection().receive_within(timeout) {
                Ok(None) => {}
                Ok(Some(incoming)) => {
                    if let Some(outcome) = self.take(incoming)? {
                        break outcome;
                    }
                }
                Err(error) if error.is_lost() => {
                    self.client.reconnect()?;
                    self.returning(Self::follow)?;
                }
                Err(error) => return Err(error),
            }
        };
        Ok(self.report(outcome))
    }

    fn take(&mut self, incoming: Incoming) -> Result<Option<Outcome>, Error> {
        match incoming {
            Incoming::Bulk(bulk) if bulk.channel == SCREEN => self.draw(bulk),
            incoming => Ok(self.follower.take(incoming).and_then(|chunk| self.said(chunk))),
        }
    }

    fn said(&mut self, chunk: Chunk) -> Option<Outcome> {
        match chunk {
            Chunk::Bytes { at, bytes, .. } => self.waiter.bytes(at, &bytes, clock::monotonic_ns()),
            // If nobody wanted them it goes on behind them.
            Chunk::Missed { bytes, .. } => self.waiter.needs_bytes().then_some(Outcome::Gap(bytes)),
            Chunk::Resize { .. } | Chunk::Exit { .. } | Chunk::Torn { .. } => None,
            Chunk::End(end) => {
                if self.plan.view == View::Screen {
                    // The last frame may still be on its way.
                    let rows = self.screen();
                    if let Some(outcome) = self.look_at(rows) {
                        return Some(outcome);
                    }
                }
                Some(self.waiter.ended(end))
            }
        }
    }

    /// Takes a piece of a frame; a whole one is drawn, acknowledged and looked at.
    fn draw(&mut self, bulk: Bulk) -> Result<Option<Outcome>, Error> {
        self.frame.extend(bulk.bytes);
        if bulk.more {
            return Ok(None);
        }
        let frame: Frame = message::decode(&std::mem::take(&mut self.frame))?;
        self.mirror.apply(&frame);
        let drawn = verbs::Drawn { channel: SCREEN, frame: bulk.at };
        // A lost connection is noticed by the next read.
        let _ = self.client.connection().notify(&drawn);
        Ok(self.look_at(rows(&self.mirror)))
    }

    fn look_at(&mut self, rows: Vec<String>) -> Option<Outcome> {
        let outcome = self.waiter.screen(&rows);
        self.rows = Some(rows);
        outcome
    }

    fn screen(&mut self) -> Vec<String> {
        let screen = self.client.call(&verbs::ScreenOf { target: self.target.clone(), ..verbs::ScreenOf::default() });
        screen.map(|screen| screen.text.lines().map(str::to_owned).collect()).unwrap_or_default()
    }

    fn report(mut self, outcome: Outcome) -> Report {
        use crate::session::wait::Match;
        let offset = match &outcome {
            Outcome::Matched(Match::Text(_, found) | Match::Count(found)) => found.offset,
            _ => self.waiter.next(),
        };
        let screen = match self.rows.take() {
            Some(rows) if matches!(outcome, Outcome::Matched(Match::Text(..))) => rows,
            _ => self.screen(),
        };
        Report { outcome, offset, screen }
    }
}

/// Returns where output begins to count, if that is still there.
fn offset(status: &Status, since: Since) -> Result<u64, WireError> {
    let refuse = |why: String| {
        Err(WireError::new(Code::Invalid, why).hint("--since takes now, start or an offset of `rpm ls --json`"))
    };
    match since {
        Since::Now => Ok(status.output_bytes),
        Since::Start => Ok(status.oldest),
        Since::Offset(offset) if offset < status.oldest => {
            refuse(format!("byte {offset} was overwritten; the oldest in memory is {}", status.oldest))
        }
        Since::Offset(offset) if offset > status.output_bytes => {
            refuse(format!("byte {offset} was not said yet; the next one is {}", status.output_bytes))
        }
        Since::Offset(offset) => Ok(offset),
    }
}

/// Rows as text, without trailing blanks and trailing blank rows.
fn rows(mirror: &Mirror) -> Vec<String> {
    let size = mirror.size();
    let row = |row| {
        let mut text = String::new();
        for col in 0..size.cols() {
            let cell = mirror.cell(row, col);
            match (cell.text, cell.width) {
                (_, 0) => {}
                ("", _) => text.push(' '),
                (glyph, _) => text.push_str(glyph),
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    };
    let mut rows: Vec<String> = (0..size.rows()).map(row).collect();
    rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
    rows
}
