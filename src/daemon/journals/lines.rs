//! Where a log starts when there is a journal behind the ring.

use crate::daemon::journals::Pages;
use crate::daemon::logs;
use crate::daemon::session::Session;
use crate::history::Stream;
use crate::journal::Backwards;
use crate::platform::clock;
use crate::protocol::verbs::From;

/// Returns the offset to start at, and how many wanted bytes are nowhere any more. A disk that cannot be read is one without
/// the older part.
pub async fn start(session: &Session, pages: Option<&mut Pages>, from: From, stream: Option<Stream>) -> (u64, u64) {
    let history = &session.history;
    let (memory, floor) = (history.oldest(), session.facts.borrow().flushed.unwrap_or(0));
    let on_disk = session.journal.as_ref().map_or(memory, |journal| journal.oldest().min(memory));
    let oldest = on_disk.max(floor);
    match from {
        From::Start => (oldest, 0),
        From::Offset(offset) => (offset.clamp(oldest, history.head().max(oldest)), oldest.saturating_sub(offset)),
        From::Lines(0) => (history.head(), 0),
        From::Lines(lines) => match (logs::last_lines(history, lines, stream).await, pages) {
            (Err((offset, back)), Some(pages)) if on_disk < offset => {
                (lines_before(pages, offset, back, stream).await.max(floor), 0)
            }
            (Ok(offset) | Err((offset, _)), _) => (offset.max(floor), 0),
        },
        From::Since(wall_us) => {
            let offset = history.since(clock::monotonic_of_us(wall_us));
            match pages {
                // The time lies in what the ring has.
                Some(pages) if offset <= memory => {
                    let found = pages.look(move |reader| reader.since(wall_us)).await;
                    (found.ok().flatten().map_or(offset, |found| found.min(offset)).max(floor), 0)
                }
                _ => (offset.max(floor), 0),
            }
        }
    }
}

async fn lines_before(pages: &mut Pages, offset: u64, mut back: Backwards, stream: Option<Stream>) -> u64 {
    pages.look(move |reader| reader.lines_before(offset, &mut back, stream)).await.unwrap_or(offset)
}

/// The same for a journal whose session is gone.
pub async fn start_of_lost(pages: &mut Pages, from: From, stream: Option<Stream>) -> (u64, u64) {
    let found = pages.look(move |reader| {
        let (oldest, (end, _)) = (reader.oldest(), reader.end()?);
        Ok(match from {
            From::Start => (oldest, 0),
            From::Offset(offset) => (offset.clamp(oldest, end.max(oldest)), oldest.saturating_sub(offset)),
            From::Lines(0) => (end, 0),
            From::Lines(lines) => (reader.lines_before(end, &mut Backwards::new(lines), stream)?, 0),
            From::Since(wall_us) => (reader.since(wall_us)?.unwrap_or(end), 0),
        })
    });
    found.await.unwrap_or((0, 0))
}
