//! Where a log starts when there is a journal behind the ring.

use crate::daemon::journals::Journal;
use crate::daemon::journals::Pages;
use crate::daemon::logs;
use crate::daemon::logs::Beginning;
use crate::daemon::session::Session;
use crate::history::Stream;
use crate::journal::Backwards;
use crate::platform::clock;
use crate::protocol::verbs::From;

/// Finds where to start. A disk that cannot be read is one without the older part; what was flushed was not wanted.
pub async fn start(session: &Session, pages: Option<&mut Pages>, from: From, stream: Option<Stream>) -> Beginning {
    let history = &session.history;
    let begun = session.journal.as_ref().map_or(0, Journal::floor);
    let (memory, floor) = (history.oldest(), session.facts.borrow().flushed.unwrap_or(0).max(begun));
    let on_disk = session.journal.as_ref().map_or(memory, |journal| journal.oldest().min(memory));
    let oldest = on_disk.max(floor);
    let beginning = |at: u64, is_torn| Beginning { at: at.max(floor), missed: 0, is_torn: is_torn && at > floor };
    match from {
        From::Start => beginning(oldest, true),
        From::Offset(offset) => {
            let at = offset.clamp(oldest, history.head().max(oldest));
            Beginning { at, missed: oldest.saturating_sub(offset), is_torn: false }
        }
        From::Bytes(bytes) => beginning(history.head().saturating_sub(bytes).max(oldest), false),
        From::Lines(0) => beginning(history.head(), false),
        From::Lines(lines) => match (logs::last_lines(history, lines, stream).await, pages) {
            (Ok(offset), _) => beginning(offset, false),
            (Err((offset, back)), Some(pages)) if on_disk < offset => {
                // They may begin where memory does: then the disk ends with a whole line.
                match lines_before(pages, offset, back, stream).await {
                    Some(found) => beginning(found, found <= on_disk),
                    None => beginning(offset, true),
                }
            }
            (Err((offset, _)), _) => beginning(offset, true),
        },
        From::Since(wall_us) => {
            let mut offset = history.since(clock::monotonic_of_us(wall_us));
            // Otherwise the time lies in what the ring has.
            if let Some(pages) = pages.filter(|_| offset <= memory) {
                let found = pages.look(move |reader| reader.since(wall_us)).await;
                offset = found.ok().flatten().map_or(offset, |found| found.min(offset));
            }
            beginning(offset, offset <= on_disk)
        }
    }
}

async fn lines_before(pages: &mut Pages, offset: u64, mut back: Backwards, stream: Option<Stream>) -> Option<u64> {
    pages.look(move |reader| reader.lines_before(offset, &mut back, stream)).await.ok().flatten()
}

/// The same for a journal whose session is gone.
pub async fn start_of_lost(pages: &mut Pages, from: From, stream: Option<Stream>) -> Beginning {
    let found = pages.look(move |reader| {
        let (oldest, (end, _)) = (reader.oldest(), reader.end()?);
        let floor = reader.floor();
        let beginning = |at| Beginning { at, missed: 0, is_torn: at > floor && at <= oldest };
        Ok(match from {
            From::Start => beginning(oldest),
            From::Offset(offset) => {
                let at = offset.clamp(oldest, end.max(oldest));
                Beginning { at, missed: oldest.saturating_sub(offset), is_torn: false }
            }
            From::Bytes(bytes) => Beginning { at: end.saturating_sub(bytes).max(oldest), ..Beginning::default() },
            From::Lines(0) => Beginning { at: end, ..Beginning::default() },
            From::Lines(lines) => {
                beginning(reader.lines_before(end, &mut Backwards::new(lines), stream)?.unwrap_or(end))
            }
            From::Since(wall_us) => beginning(reader.since(wall_us)?.unwrap_or(end)),
        })
    });
    found.await.unwrap_or_default()
}
