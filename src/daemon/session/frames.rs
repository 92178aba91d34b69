//! Frames for watchers: the first change at once, then at most sixty a second, one in flight, latest wins.

use crate::daemon::session::actor::Actor;
use crate::daemon::session::attach::Attachment;
use crate::daemon::session::attach::Gets;
use crate::protocol::message;
use crate::session::id::AttachId;
use crate::term::Base;
use crate::term::Screen;

/// Time between two frames of a flood.
const PACE_NS: u64 = 16_600_000;
/// Longest that a synchronised update delays a frame.
const SYNC_NS: u64 = 150_000_000;
/// Pieces of a large frame, so that others get their turn on the wire.
const PIECE: usize = 64 << 10;

/// What one watcher has been sent.
pub struct Viewer {
    base: Base,
    /// Nothing is shown before the screen got here: what the watcher would see is older than its request.
    from: u64,
    /// The screen's generation at the last frame.
    generation: Option<u64>,
    number: u64,
    is_in_flight: bool,
    sent_at: u64,
    /// Since when a synchronised update holds this watcher's frame back.
    held_since: Option<u64>,
}

impl Viewer {
    /// Starts with nothing sent; the first frame comes when the screen has reached offset `from`.
    pub fn new(from: u64) -> Self {
        Self { base: Base::new(), from, generation: None, number: 0, is_in_flight: false, sent_at: 0, held_since: None }
    }

    fn is_stale(&self, screen: &Screen, parsed: u64) -> bool {
        !self.is_in_flight && parsed >= self.from && self.generation != Some(screen.generation())
    }

    /// When the next frame may go out. What was typed is answered at once.
    const fn due_at(&self, typed_at: u64) -> u64 {
        if typed_at > self.sent_at { 0 } else { self.sent_at + PACE_NS }
    }
}

impl Actor {
    /// Sends every watcher the frame that is due.
    pub(super) fn send_frames(&mut self, now: u64) {
        self.end_late_synchronisation(now);
        let Some(screen) = self.output.screen() else { return };
        let (parsed, typed_at) = (self.output.parsed(), self.input.last_typed());
        for attachment in self.attachments.values_mut() {
            let Attachment { client, channel, gets: Gets::Frames(viewer), .. } = attachment else { continue };
            if !viewer.is_stale(screen, parsed) || now < viewer.due_at(typed_at) {
                continue;
            }
            if screen.is_synchronised() {
                viewer.held_since.get_or_insert(now);
                continue;
            }
            viewer.held_since = None;
            viewer.generation = Some(screen.generation());
            let Some(frame) = viewer.base.frame(screen) else { continue };
            viewer.number += 1;
            viewer.sent_at = now;
            viewer.is_in_flight = true;
            let bytes = message::encode(&frame);
            let mut pieces = bytes.chunks(PIECE).peekable();
            while let Some(piece) = pieces.next() {
                client.outbox.push_bulk(*channel, pieces.peek().is_some(), viewer.number, piece);
            }
        }
    }

    /// A program that never ends its synchronised update has it ended for it.
    fn end_late_synchronisation(&mut self, now: u64) {
        let is_late = self.viewers().any(|viewer| viewer.held_since.is_some_and(|since| now >= since + SYNC_NS));
        if is_late {
            self.output.end_synchronised();
        }
    }

    /// When the next frame is due.
    pub(super) fn frames_deadline(&self) -> Option<u64> {
        let screen = self.output.screen()?;
        let (parsed, typed_at) = (self.output.parsed(), self.input.last_typed());
        let stale = self.viewers().filter(|viewer| viewer.is_stale(screen, parsed));
        let due = stale.map(|viewer| match viewer.held_since {
            Some(since) => since + SYNC_NS,
            None => viewer.due_at(typed_at),
        });
        due.min()
    }

    fn viewers(&self) -> impl Iterator<Item = &Viewer> {
        self.attachments.values().filter_map(|attachment| match &attachment.gets {
            Gets::Frames(viewer) => Some(viewer),
            Gets::Raw { .. } => None,
        })
    }

    pub(super) fn on_drawn(&mut self, attach: AttachId, frame: u64) {
        let Some(Attachment { gets: Gets::Frames(viewer), .. }) = self.attachments.get_mut(&attach) else { return };
        if viewer.number == frame {
            viewer.is_in_flight = false;
        }
    }
}
