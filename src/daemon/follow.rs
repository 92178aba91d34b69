//! Raw followers: bytes from a cursor to a client, paced by the client, with the ring as the only queue.

use std::rc::Rc;

use tokio::task;

use crate::daemon::backlog::Backlog;
use crate::daemon::hub::Hub;
use crate::daemon::journals::Pages;
use crate::daemon::outbox::Outbox;
use crate::daemon::session::Cursor;
use crate::daemon::session::FRESH;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::daemon::session::Start;
use crate::history::Gap;
use crate::history::Position;
use crate::history::Step;
use crate::history::Stream;
use crate::platform::clock;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;
use crate::session::status::End;
use crate::term::Quiet;
use crate::term::Size;

/// Bytes of one message: what is in flight delays what comes after.
pub(super) const PIECE: usize = 16 << 10;

/// What the client was told last: of what, and of which moment.
pub(super) type Marked = Option<(Point, u64)>;

/// What a follower sends, and when it is done.
pub struct Follow {
    /// Where to.
    pub outbox: Rc<Outbox>,
    /// On which channel.
    pub channel: u32,
    /// Only this stream.
    pub stream: Option<Stream>,
    /// Say where bytes of another stream or time begin.
    pub marks: bool,
    /// Stop at this offset; without one, at the session's end.
    pub until: Option<u64>,
    /// A service that is stopped may be started again: only when it is deleted, or everything ends, is this over.
    pub stays: Option<Rc<Hub>>,
    /// A gap ends it: the client decides what to do. Otherwise it goes on behind the gap.
    pub ends_at_gap: bool,
    /// It starts with the oldest byte there is: what is overwritten before its first one was not missed.
    pub from_oldest: bool,
    /// It is drawn by a terminal, which a new run needs fresh.
    pub paints: bool,
    /// Where what the ring no longer has can be read.
    pub pages: Option<Pages>,
}

/// How a follower came to its end.
enum Outcome {
    /// The client is gone.
    Gone,
    /// It missed bytes and was told.
    Gap,
    /// Everything wanted was sent; with the session's end, if that is why.
    Complete(Option<End>),
}

impl Follow {
    /// Sends from the start until the end; the cursor is honoured as long as this runs.
    pub async fn run(mut self, session: Rc<Session>, start: Start) {
        let Start { dump, from, cursor, missed, is_quiet } = start;
        if missed > 0 {
            self.outbox.notify(&verbs::Missed { channel: self.channel, bytes: missed });
        }
        for piece in dump.chunks(PIECE) {
            if !self.outbox.send_bulk(self.channel, true, from, piece).await {
                return;
            }
        }
        if let Outcome::Complete(end) = self.send_all(&session, &cursor, from, is_quiet).await {
            self.outbox.notify(&verbs::Closed { channel: self.channel, end });
        }
        drop(cursor);
        session.mail(Mail::CursorMoved);
    }

    async fn send_all(&mut self, session: &Session, cursor: &Cursor, from: u64, is_quiet: bool) -> Outcome {
        let mut at = session.history.position(from);
        let mut pages = self.pages.take();
        let mut buffer = vec![0; PIECE];
        let mut quiet = Quiet::new();
        let mut marked = None;
        let mut has_begun = !self.from_oldest;
        loop {
            let changed = session.output.notified();
            if self.outbox.is_closed() {
                return Outcome::Gone;
            }
            let room = self.until.map_or(PIECE, |until| until.saturating_sub(at.offset).min(PIECE as u64) as usize);
            // With marks, sizes and the exit that lie behind the last byte are still told.
            if room == 0 && !self.marks {
                return Outcome::Complete(None);
            }
            let from = at.offset;
            match session.history.step(&mut at, &mut buffer[..room]) {
                Ok(Some(Step::Bytes(stream, len))) => {
                    has_begun = true;
                    self.mark(&mut marked, Point::Bytes(stream), from, at.time);
                    if !self.send(stream, from, &buffer[..len], is_quiet.then_some(&mut quiet)).await {
                        return Outcome::Gone;
                    }
                    advance(session, cursor, at);
                }
                Ok(Some(Step::Resize(rows, cols))) => {
                    self.mark(&mut marked, Point::Resize(Size::clamped(rows, cols)), from, at.time);
                }
                Ok(Some(Step::Exit)) => self.mark(&mut marked, Point::Exit, from, at.time),
                Ok(Some(Step::Start(_))) if self.renew(from).await => {}
                Ok(Some(Step::Start(_))) => return Outcome::Gone,
                Ok(None) | Err(_) if room == 0 => return Outcome::Complete(None),
                Ok(None) => {
                    if let Some(end) = end_at(session, at).filter(|_| !self.stays(session)) {
                        return Outcome::Complete(Some(end));
                    }
                    tokio::select! {
                        () = changed => {}
                        () = self.outbox.closed() => return Outcome::Gone,
                    }
                }
                Err(Gap { oldest }) => {
                    let pages = pages.as_mut().filter(|_| oldest > from);
                    match self.send_from_disk(pages, (session, cursor), &mut marked, at).await {
                        Backlog::Ring(position) => at = position,
                        Backlog::Gone => return Outcome::Gone,
                        Backlog::Lacking => match self.pass_gap((session, cursor), (from, oldest), has_begun) {
                            Some(position) => at = position,
                            None => return Outcome::Gap,
                        },
                    }
                }
            }
        }
    }
}

impl Follow {
    /// Returns whether a session that has ended may be started again.
    fn stays(&self, session: &Session) -> bool {
        let Some(hub) = &self.stays else { return false };
        !hub.is_ending.get() && hub.services.of(session.id).is_some()
    }

    /// Goes on behind a gap; nothing when that ends it.
    fn pass_gap(
        &self,
        (session, cursor): (&Session, &Cursor),
        (from, oldest): (u64, u64),
        has_begun: bool,
    ) -> Option<Position> {
        let at = session.history.position(oldest.max(from));
        if !has_begun {
            // The writer was under way when the cursor began to hold it back.
            cursor.offset.set(at.offset);
            session.mail(Mail::CursorMoved);
            return Some(at);
        }
        // Where only the index was overrun, the bytes are there: nothing was missed.
        if oldest > from && self.missed(oldest - from) { None } else { Some(at) }
    }

    /// Tells the client what it missed; returns whether that ends it.
    fn missed(&self, bytes: u64) -> bool {
        self.outbox.notify(&verbs::Missed { channel: self.channel, bytes });
        self.ends_at_gap
    }

    /// A new run begins. Painted, not said: a terminal gets it, a history of bytes does not have it. `false` when the client is
    /// gone.
    pub(super) async fn renew(&self, from: u64) -> bool {
        !self.paints || self.outbox.send_bulk(self.channel, true, from, FRESH).await
    }

    /// Sends bytes of a stream, if they are wanted; `false` when the client is gone.
    pub(super) async fn send(&self, stream: Stream, from: u64, bytes: &[u8], quiet: Option<&mut Quiet>) -> bool {
        if self.stream.is_some_and(|only| only != stream) {
            // Nothing is sent, so nothing waits: others get their turn here.
            task::yield_now().await;
            return true;
        }
        let Some(quiet) = quiet else { return self.outbox.send_bulk(self.channel, false, from, bytes).await };
        let mut quieted = Vec::new();
        quiet.filter(bytes, &mut quieted);
        self.outbox.send_bulk(self.channel, false, from, &quieted).await
    }

    /// Says what comes next, unless the client knows.
    fn mark(&self, marked: &mut Marked, point: Point, at: u64, time: u64) {
        self.mark_at(marked, point, at, (time, clock::wall_us_of(time)));
    }

    /// The same with the monotonic nanoseconds and the wall-clock microseconds of what comes.
    pub(super) fn mark_at(&self, marked: &mut Marked, point: Point, at: u64, (time, time_us): (u64, u64)) {
        let is_wanted = match point {
            Point::Bytes(stream) => self.stream.is_none_or(|only| only == stream),
            Point::Resize(_) | Point::Exit => true,
        };
        if self.marks && is_wanted && marked.replace((point, time)) != Some((point, time)) {
            self.outbox.notify(&verbs::Mark { channel: self.channel, at, time_us, point });
        }
    }
}

fn advance(session: &Session, cursor: &Cursor, at: Position) {
    cursor.offset.set(at.offset);
    if session.history.is_stalled() {
        session.mail(Mail::CursorMoved);
    }
}

/// The session's end, once it has come and everything that came before it was sent.
fn end_at(session: &Session, at: Position) -> Option<End> {
    let end = session.status.borrow().end().cloned()?;
    let exit_at = session.history.exit().map_or(0, |exit| exit.at);
    (at.offset >= exit_at).then_some(end)
}
