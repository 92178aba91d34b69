//! Attachments: who looks, who types, whose size counts.
//!
//! *Invariant:* attaching, watching and reading never change what anybody else sees; only taking control sets a size.

use std::rc::Rc;

use tokio::sync::oneshot;

use crate::daemon::hub;
use crate::daemon::session::AttachReply;
use crate::daemon::session::Client;
use crate::daemon::session::Cursor;
use crate::daemon::session::Start;
use crate::daemon::session::actor::Actor;
use crate::daemon::session::frames::Viewer;
use crate::daemon::session::typing::Typing;
use crate::platform::clock;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::control::Grant;
use crate::session::id::AttachId;
use crate::session::spec::Kind;
use crate::session::status;
use crate::session::status::State;
use crate::term;
use crate::term::Size;

/// How long a raw attachment waits for the program's terminal to have the new size before it paints.
const SIZE_WAIT_NS: u64 = 50_000_000;
/// How far a program may get ahead of a raw attachment that reads: what is in flight delays `C-c`.
const WINDOW: u64 = 256 << 10;

/// What an attachment gets.
pub enum Gets {
    /// Raw bytes; its terminal answers queries if it is one.
    Raw { is_tty: bool },
    /// Frames.
    Frames(Viewer),
}

/// One client on this session.
pub struct Attachment {
    pub(super) client: Client,
    pub(super) channel: u32,
    pub(super) gets: Gets,
    since_ms: u64,
}

/// A request that waits until the screen has caught up with what was said before it.
pub struct Pending {
    /// Offset to reach.
    offset: u64,
    /// Size to reach.
    size: Option<Size>,
    /// When it is answered regardless of the size.
    pub(super) deadline: u64,
    wish: Wish,
}

enum Wish {
    Attach { attach: AttachId, request: verbs::Attach, reply: oneshot::Sender<AttachReply> },
    Screen { ansi: bool, reply: oneshot::Sender<verbs::ScreenText> },
    Type(Typing),
}

impl Actor {
    /// Returns whether somebody gets frames.
    pub(super) fn is_watched(&self) -> bool {
        self.attachments.values().any(|attachment| matches!(attachment.gets, Gets::Frames(_)))
    }

    /// Returns whether a terminal behind a raw controller answers queries.
    pub(super) fn outer_terminal_answers(&self) -> bool {
        let holder = self.control.holder().and_then(|id| self.attachments.get(&id));
        holder.is_some_and(|attachment| matches!(attachment.gets, Gets::Raw { is_tty: true }))
    }

    pub(super) fn on_attach(
        &mut self,
        client: Client,
        request: verbs::Attach,
        reply: oneshot::Sender<AttachReply>,
        now: u64,
    ) {
        let attach = self.hub.next_attach();
        let gets = Gets::Raw { is_tty: request.is_tty && !request.view };
        self.attachments.insert(attach, Attachment::new(client, request.channel, gets));
        let wants_control = !request.view && !self.has_ended();
        let size = request.size.filter(|_| request.is_tty);
        let refused = if wants_control {
            self.take_control(attach, request.steal, size, request.agent.as_deref().map(Vec::as_slice), now).err()
        } else {
            None
        };
        if let Some(error) = refused {
            self.attachments.remove(&attach);
            let _ = reply.send(Err(error));
            return;
        }
        self.note_attached(attach);
        let size = size.filter(|_| wants_control && self.session.handover.kind == Kind::Pty);
        self.pend(size, Wish::Attach { attach, request, reply }, now);
        self.tell_attached(now);
    }

    pub(super) fn on_watch(&mut self, client: Client, channel: u32, reply: oneshot::Sender<AttachReply>) {
        let now = clock::monotonic_ns();
        let attach = self.hub.next_attach();
        let viewer = Viewer::new(self.session.history.head());
        self.attachments.insert(attach, Attachment::new(client, channel, Gets::Frames(viewer)));
        let _ = reply.send(Ok((attach, self.attached(attach), None)));
        self.note_attached(attach);
        self.tell_attached(now);
    }

    pub(super) fn on_take(&mut self, attach: AttachId, request: &verbs::Take, now: u64) -> Result<(), WireError> {
        if self.has_ended() {
            return Err(WireError::new(Code::Ended, format!("session {} has ended", self.name())));
        }
        if !self.attachments.contains_key(&attach) {
            return Err(WireError::new(Code::Invalid, "that channel is not attached"));
        }
        self.take_control(attach, request.steal, Some(request.size), request.agent.as_deref().map(Vec::as_slice), now)?;
        self.tell_attached(now);
        Ok(())
    }

    /// Gives control to an attachment, tells who lost it, and lets the program have the new size.
    fn take_control(
        &mut self,
        attach: AttachId,
        steal: bool,
        size: Option<Size>,
        agent: Option<&[u8]>,
        now: u64,
    ) -> Result<(), WireError> {
        match self.control.take(attach, steal) {
            Grant::Taken => {}
            Grant::Stolen(loser) => self.tell_stolen(loser, attach),
            Grant::Refused(holder) => {
                let who = self.attachments.get(&holder).map(|holder| holder.client.who.clone()).unwrap_or_default();
                let message = format!("session {} is controlled by {who}", self.name());
                return Err(
                    WireError::new(Code::Controlled, message).hint("add --steal to take over, or --view to watch")
                );
            }
        }
        self.input.typed_at(now);
        if let Some(agent) = agent {
            hub::point_agent(&self.session, agent);
        }
        if let Some(size) = size {
            self.resize(size);
        }
        Ok(())
    }

    fn tell_stolen(&mut self, loser: AttachId, thief: AttachId) {
        let by = self.attachments.get(&thief).map(|thief| thief.client.who.clone()).unwrap_or_default();
        let Some(attachment) = self.attachments.get(&loser) else { return };
        let from = attachment.client.who.clone();
        self.hub.note(&self.session, verbs::What::Stolen { by: by.clone(), from: from.clone() });
        attachment.client.outbox.notify(&verbs::Stolen { channel: attachment.channel, by, at_ms: clock::wall_ms() });
        if matches!(attachment.gets, Gets::Raw { .. }) {
            self.attachments.remove(&loser);
            self.hub.note(&self.session, verbs::What::Detached { who: from });
        }
    }

    pub(super) fn on_release(&mut self, attach: AttachId, now: u64) {
        if self.control.release(attach) {
            self.tell_attached(now);
        }
    }

    pub(super) fn on_detach(&mut self, attach: AttachId, now: u64) {
        self.control.release(attach);
        if let Some(attachment) = self.attachments.remove(&attach) {
            self.hub.note(&self.session, verbs::What::Detached { who: attachment.client.who });
            self.tell_attached(now);
        }
    }

    pub(super) fn on_screen(&mut self, ansi: bool, reply: oneshot::Sender<verbs::ScreenText>, now: u64) {
        self.pend(None, Wish::Screen { ansi, reply }, now);
    }

    /// Asks the keeper for a size, unless the terminal has it already or has it coming.
    pub(super) fn resize(&mut self, size: Size) {
        if self.session.handover.kind == Kind::Pty && !self.has_ended() {
            self.hub.keeper.send(&ToKeeper::Resize { id: self.session.id, size }, &[]);
        }
    }

    /// Types once the modes of the screen are known.
    pub(super) fn pend_typing(&mut self, typing: Typing, now: u64) {
        self.pend(None, Wish::Type(typing), now);
    }

    fn pend(&mut self, size: Option<Size>, wish: Wish, now: u64) {
        let offset = self.session.history.head();
        self.pending.push(Pending { offset, size, deadline: now + SIZE_WAIT_NS, wish });
    }

    /// Answers what waited for the screen to catch up.
    pub(super) fn settle_pending(&mut self, now: u64) {
        let parsed = self.output.parsed();
        let has = self.output.screen().map(term::Screen::size);
        let is_due = |pending: &mut Pending| {
            parsed >= pending.offset && (pending.size.is_none_or(|size| Some(size) == has) || now >= pending.deadline)
        };
        let due: Vec<Pending> = self.pending.extract_if(.., is_due).collect();
        for pending in due {
            match pending.wish {
                Wish::Attach { attach, request, reply } => self.start_raw(attach, &request, reply),
                Wish::Type(typing) => self.type_encoded(typing),
                Wish::Screen { ansi, reply } => {
                    if let Some(screen) = self.output.screen() {
                        let text = if ansi { screen.ansi() } else { screen.text() };
                        let _ = reply.send(verbs::ScreenText { text, size: screen.size() });
                    }
                }
            }
        }
        for pending in self.pending.iter_mut().filter(|pending| pending.offset > parsed) {
            // Too far behind to answer: look again with the next slice, not at a time that has passed.
            pending.deadline = pending.deadline.max(now + SIZE_WAIT_NS / 10);
        }
    }

    fn start_raw(&self, attach: AttachId, request: &verbs::Attach, reply: oneshot::Sender<AttachReply>) {
        let Some(screen) = self.output.screen() else { return };
        let history = &self.session.history;
        let wanted = request.resume.filter(|offset| *offset <= history.head());
        let start = match wanted {
            Some(offset) if offset >= history.oldest() => {
                Start { dump: Vec::new(), cursor: self.raw_cursor(offset), missed: 0 }
            }
            // Nothing was said yet: the terminal may keep what it shows.
            _ if history.head() == 0 => Start { dump: Vec::new(), cursor: self.raw_cursor(0), missed: 0 },
            // Not a terminal: nothing to paint on, the stream itself is what is wanted.
            _ if !request.is_tty => {
                let from = wanted.map_or(self.output.ground(), |_| history.oldest());
                let missed = wanted.map_or(0, |offset| from - offset);
                Start { dump: Vec::new(), cursor: self.raw_cursor(from), missed }
            }
            _ => {
                let dump = match request.size {
                    Some(outer) if outer != screen.size() => term::crop_dump(screen, outer),
                    _ => term::attach_dump(screen, request.history_rows as usize),
                };
                let missed = request.resume.map_or(0, |offset| self.output.ground().saturating_sub(offset));
                Start { dump, cursor: self.raw_cursor(self.output.ground()), missed }
            }
        };
        let _ = reply.send(Ok((attach, self.attached(attach), Some(start))));
    }

    fn raw_cursor(&self, offset: u64) -> Rc<Cursor> {
        self.session.follow(offset, WINDOW)
    }

    fn attached(&self, attach: AttachId) -> verbs::Attached {
        verbs::Attached {
            id: self.session.id,
            name: self.name(),
            controls: self.control.is_held_by(attach),
            ended: self.session.status.borrow().end().cloned(),
        }
    }

    pub(super) fn name(&self) -> String {
        self.session.facts.borrow().name.clone()
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.session.status.borrow().state, State::Ended { .. })
    }

    fn note_attached(&self, attach: AttachId) {
        let Some(attachment) = self.attachments.get(&attach) else { return };
        let who = attachment.client.who.clone();
        let raw = matches!(attachment.gets, Gets::Raw { .. });
        self.hub.note(&self.session, verbs::What::Attached { who, controls: self.control.is_held_by(attach), raw });
    }

    /// Renews the list of who is attached, and tells subscribers.
    fn tell_attached(&mut self, now: u64) {
        let holder = self.control.holder();
        let list = self.attachments.iter().map(|(id, attachment)| status::Attached {
            who: attachment.client.who.clone(),
            controls: holder == Some(*id),
            raw: matches!(attachment.gets, Gets::Raw { .. }),
            since_ms: attachment.since_ms,
        });
        self.session.status.borrow_mut().attached = list.collect();
        self.publish(now);
    }
}

impl Attachment {
    fn new(client: Client, channel: u32, gets: Gets) -> Self {
        Self { client, channel, gets, since_ms: clock::wall_ms() }
    }
}
