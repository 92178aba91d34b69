//! What a follower gets from disk: what the ring no longer has, and what is left of a session whose keeper is gone.

use std::rc::Rc;

use crate::daemon::follow::Follow;
use crate::daemon::follow::Marked;
use crate::daemon::follow::PIECE;
use crate::daemon::journals::Pages;
use crate::daemon::session::Cursor;
use crate::daemon::session::Session;
use crate::history::Kind;
use crate::history::Position;
use crate::journal::Page;
use crate::journal::What;
use crate::journal::resume;
use crate::protocol::verbs;
use crate::protocol::verbs::Point;
use crate::session::status::End;
use crate::term::Size;

/// Where reading from disk came to.
pub enum Backlog {
    /// The ring goes on here.
    Ring(Position),
    /// The disk does not have it either.
    Lacking,
    /// The client is gone.
    Gone,
}

impl Follow {
    /// Sends from disk what the ring no longer has from `at` on. Meanwhile nobody is held back: there is nothing to wait for.
    pub(super) async fn send_from_disk(
        &self,
        pages: Option<&mut Pages>,
        (session, cursor): (&Session, &Cursor),
        marked: &mut Marked,
        at: Position,
    ) -> Backlog {
        let Some(pages) = pages else { return Backlog::Lacking };
        cursor.offset.set(u64::MAX);
        let known = (at.time > 0).then_some(at.time);
        let until = self.until.unwrap_or(u64::MAX);
        let (mut offset, mut time) = (at.offset, known);
        if let Err(error) = pages.seek(offset, known).await {
            tracing::warn!(session = %session.id, %error, "a journal cannot be read");
            return Backlog::Lacking;
        }
        // As soon as the ring has it, the ring is followed: there a program can be held back.
        while offset < session.history.oldest() && offset < until {
            let (page, next) = match pages.next(until).await {
                Ok((page, _)) if page.pieces.is_empty() => break,
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(session = %session.id, %error, "a journal cannot be read");
                    break;
                }
            };
            match self.send_page(&page, marked, session.history.oldest()).await {
                Sent::Gone => return Backlog::Gone,
                Sent::UpTo(gap) => {
                    offset = gap;
                    break;
                }
                Sent::All => offset = next,
            }
            time = page.pieces.last().map(|piece| piece.record.time).or(time);
        }
        if offset == at.offset && offset < session.history.oldest() {
            return Backlog::Lacking;
        }
        let position = resume(&session.history, offset, time);
        cursor.offset.set(offset);
        session.mail(crate::daemon::session::Mail::CursorMoved);
        Backlog::Ring(position)
    }

    /// Sends a page; up to a gap that the ring may close, which has everything from `memory` on.
    async fn send_page(&self, page: &Page, marked: &mut Marked, memory: u64) -> Sent {
        for piece in &page.pieces {
            let record = &piece.record;
            match record.what {
                What::Entry(Kind::Bytes(stream)) => {
                    self.mark_at(marked, Point::Bytes(stream), record.offset, (record.time, record.wall_us));
                    let mut at = record.offset;
                    for bytes in page.bytes_of(piece).chunks(PIECE) {
                        if !self.send(stream, at, bytes, None).await {
                            return Sent::Gone;
                        }
                        at += bytes.len() as u64;
                    }
                }
                What::Entry(Kind::Resize(rows, cols)) => {
                    let point = Point::Resize(Size::clamped(rows, cols));
                    self.mark_at(marked, point, record.offset, (record.time, record.wall_us));
                }
                What::Entry(Kind::Exit) => {
                    self.mark_at(marked, Point::Exit, record.offset, (record.time, record.wall_us));
                }
                What::Entry(Kind::Start(_)) => {
                    if !self.renew(record.offset).await {
                        return Sent::Gone;
                    }
                }
                What::Gap { bytes, .. } => {
                    if memory <= record.offset {
                        return Sent::UpTo(record.offset);
                    }
                    // The rest of it is in the ring.
                    let end = (record.offset + bytes).min(memory);
                    self.outbox.notify(&verbs::Missed { channel: self.channel, bytes: end - record.offset });
                    if end < record.offset + bytes {
                        return Sent::UpTo(end);
                    }
                }
            }
        }
        Sent::All
    }

    /// Sends what is left of a session whose keeper is gone, from an offset to the end.
    pub async fn run_lost(self, mut pages: Pages, from: u64, missed: u64, end: Option<End>) {
        if missed > 0 {
            self.outbox.notify(&verbs::Missed { channel: self.channel, bytes: missed });
        }
        let mut marked = None;
        let mut is_read = pages.seek(from, None).await;
        while is_read.is_ok() {
            match pages.next(self.until.unwrap_or(u64::MAX)).await {
                Ok((page, _)) if page.pieces.is_empty() => break,
                Ok((page, _)) => {
                    if matches!(self.send_page(&page, &mut marked, u64::MAX).await, Sent::Gone) {
                        return;
                    }
                }
                Err(error) => is_read = Err(error),
            }
        }
        if let Err(error) = is_read {
            tracing::warn!(%error, "a journal cannot be read");
        }
        self.outbox.notify(&verbs::Closed { channel: self.channel, end });
    }
}

enum Sent {
    All,
    /// Only up to a gap.
    UpTo(u64),
    Gone,
}

/// Returns the pages of a session's journal, if it has one.
pub fn pages(hub: &Rc<crate::daemon::hub::Hub>, session: &Session) -> Option<Pages> {
    session.journal.as_ref().map(|journal| Pages::new(hub.journals.path(&journal.folder)))
}
