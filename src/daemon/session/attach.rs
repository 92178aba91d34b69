//! Attachments: who looks, who types, whose size counts.
//!
//! *Invariant:* attaching, watching and reading never change what anybody else sees; only taking control sets a size.

use std::rc::Rc;

use tokio::sync::oneshot;

use crate::daemon::hub;
use crate::daemon::logs;
use crate::daemon::session::AttachReply;
use crate::daemon::session::Client;
use crate::daemon::session::Cursor;
use crate::daemon::session::Session;
use crate::daemon::session::Start;
use crate::daemon::session::actor::Actor;
use crate::daemon::session::frames::Viewer;
use crate::daemon::session::input::CREDIT;
use crate::daemon::session::input::Typed;
use crate::daemon::session::typing::Typing;
use crate::history::Stream;
use crate::platform::clock;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::keeper::ToKeeper;
use crate::protocol::verbs;
use crate::session::control::Claim;
use crate::session::control::Grant;
use crate::session::control::SHARERS;
use crate::session::id::AttachId;
use crate::session::sizing;
use crate::session::sizing::SizeOwner;
use crate::session::sizing::Wish;
use crate::session::spec::Kind;
use crate::session::status;
use crate::session::status::State;
use crate::session::terminal::Pixels;
use crate::session::terminal::Terminal;
use crate::session::text;
use crate::term;
use crate::term::Frame;
use crate::term::Size;

/// How long a raw attachment waits for the program's terminal to have the new size before it paints.
const SIZE_WAIT_NS: u64 = 50_000_000;
/// How far a program may get ahead of a raw attachment that reads: what is in flight delays `C-c`.
const WINDOW: u64 = 256 << 10;

/// What an attachment gets.
pub enum Gets {
    /// Raw bytes; queries among them are answered by its terminal, or taken out of them.
    Raw { answers: bool },
    /// Frames.
    Frames(Viewer),
}

/// One client on this session.
pub struct Attachment {
    pub(super) client: Client,
    pub(super) channel: u32,
    pub(super) gets: Gets,
    /// Bytes that it typed and that are still queued, or not yet given back as credit.
    pub(super) typed: Typed,
    terminal: Option<Terminal>,
    stream: Option<Stream>,
    /// Size of its terminal or pane, and when it was last used; once it has control.
    wish: Option<Wish>,
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
    waiting: Waiting,
}

enum Waiting {
    Attach { attach: AttachId, request: verbs::Attach, reply: oneshot::Sender<AttachReply> },
    Screen { request: verbs::ScreenOf, reply: oneshot::Sender<(verbs::ScreenText, Option<Frame>)> },
    Type(Typing),
}

impl Actor {
    /// Returns whether somebody gets frames.
    pub(super) fn is_watched(&self) -> bool {
        self.attachments.values().any(|attachment| matches!(attachment.gets, Gets::Frames(_)))
    }

    /// Returns whether a terminal behind a raw controller answers queries.
    pub(super) fn outer_terminal_answers(&self) -> bool {
        let mut holders = self.control.holders().filter_map(|id| self.attachments.get(&id));
        holders.any(|attachment| matches!(attachment.gets, Gets::Raw { answers: true }))
    }

    pub(super) fn on_attach(
        &mut self,
        client: Client,
        request: verbs::Attach,
        reply: oneshot::Sender<AttachReply>,
        now: u64,
    ) {
        if let Err(error) = check_stream(&self.session, request.stream) {
            let _ = reply.send(Err(error));
            return;
        }
        let attach = self.hub.next_attach();
        let wants_control = !request.view && !self.has_ended();
        let terminal = request.terminal.clone();
        let answers = terminal.is_some() && !request.view && (request.steal || !self.outer_terminal_answers());
        let attachment = Attachment {
            stream: request.stream,
            terminal: terminal.clone(),
            ..Attachment::new(client, request.channel, Gets::Raw { answers })
        };
        self.attachments.insert(attach, attachment);
        if wants_control {
            let shares = request.share || request.returns && self.session.facts.borrow().shared;
            let claim = Claim { who: attach, stream: request.stream, shares };
            let size = terminal.as_ref().map(|terminal| (terminal.size, terminal.pixels));
            let agent = request.agent.as_deref().map(Vec::as_slice);
            if let Err(error) = self.take_control(claim, request.steal, size, agent, now) {
                self.attachments.remove(&attach);
                let _ = reply.send(Err(error));
                return;
            }
        }
        self.note_attached(attach);
        let size =
            terminal.map(|terminal| terminal.size).filter(|size| wants_control && self.is_sized_by(attach, *size));
        match self.session.handover.kind {
            Kind::Pty => self.pend(size, Waiting::Attach { attach, request, reply }, now),
            Kind::Pipe => self.start_raw(attach, &request, reply),
        }
        self.tell_attached(now);
    }

    pub(super) fn on_watch(&mut self, client: Client, request: verbs::Watch, reply: oneshot::Sender<AttachReply>) {
        let now = clock::monotonic_ns();
        let attach = self.hub.next_attach();
        let viewer = Viewer::new(self.session.history.head());
        let attachment =
            Attachment { terminal: request.terminal, ..Attachment::new(client, request.channel, Gets::Frames(viewer)) };
        self.attachments.insert(attach, attachment);
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
        let claim = Claim { who: attach, stream: None, shares: request.share };
        let agent = request.agent.as_deref().map(Vec::as_slice);
        self.take_control(claim, request.steal, Some((request.size, None)), agent, now)?;
        self.tell_attached(now);
        Ok(())
    }

    /// Gives control to an attachment, tells who lost it, and lets the program have the new size.
    fn take_control(
        &mut self,
        claim: Claim,
        steal: bool,
        size: Option<(Size, Option<Pixels>)>,
        agent: Option<&[u8]>,
        now: u64,
    ) -> Result<(), WireError> {
        match self.control.take(claim, steal) {
            Grant::Taken => {}
            Grant::Stolen(losers) => losers.into_iter().for_each(|loser| self.tell_stolen(loser, claim.who)),
            Grant::Full => {
                let message = format!("{SHARERS} clients share control of session {} already", self.name());
                return Err(WireError::new(Code::Controlled, message).hint("add --view to watch"));
            }
            Grant::Refused(holder) => {
                let who = self.attachments.get(&holder).map(|holder| holder.client.who.to_string()).unwrap_or_default();
                let idle = text::age(now.saturating_sub(self.input.last_typed()) / 1_000_000);
                let idle = if idle == "now" { "typing now".to_owned() } else { format!("idle for {idle}") };
                let message = format!("session {} is controlled by {who}, {idle}", self.name());
                let hint = "add --steal to take over, --share to type beside them, or --view to watch";
                return Err(WireError::new(Code::Controlled, message).hint(hint));
            }
        }
        self.note_sharing(claim.shares);
        self.input.typed_at(now);
        if let Some(agent) = agent {
            hub::point_agent(&self.session, agent);
        }
        if let (Some((size, pixels)), Some(attachment)) = (size, self.attachments.get_mut(&claim.who)) {
            attachment.wish = Some(Wish { size, pixels, active_at: now });
        }
        self.follow_sizes();
        Ok(())
    }

    /// Remembers whether control is shared: clients that come back to the next daemon do so one by one.
    fn note_sharing(&self, shares: bool) {
        let mut facts = self.session.facts.borrow_mut();
        if facts.shared != shares {
            facts.shared = shares;
            self.session.store.put_facts(&facts);
        }
    }

    /// A controller's terminal or pane has another size.
    pub(super) fn on_pane_size(&mut self, attach: AttachId, size: Size, pixels: Option<Pixels>, now: u64) {
        if let Some(attachment) = self.attachments.get_mut(&attach).filter(|_| self.control.is_held_by(attach)) {
            attachment.wish = Some(Wish { size, pixels, active_at: now });
            self.follow_sizes();
            self.tell_attached(now);
        }
    }

    /// A controller typed: with the rule `latest` the size goes with it.
    pub(super) fn on_active(&mut self, attach: AttachId, now: u64) {
        let is_alone = self.control.holders().nth(1).is_none();
        if let Some(Attachment { wish: Some(wish), .. }) = self.attachments.get_mut(&attach) {
            wish.active_at = now;
            if !is_alone {
                self.follow_sizes();
            }
        }
    }

    /// Lets the terminal have the size that the rule gives.
    pub(super) fn follow_sizes(&mut self) {
        let holders = self.control.holders().filter_map(|id| self.attachments.get(&id));
        let wishes: Vec<Wish> = holders.filter_map(|attachment| attachment.wish).collect();
        let owner = self.session.facts.borrow().size_owner;
        if let Some((size, pixels)) = sizing::choose(owner, &wishes).filter(|chosen| self.asked_size != Some(*chosen)) {
            self.resize(size, pixels);
        }
    }

    /// Returns whether the terminal has, or will have, this size of this attachment.
    fn is_sized_by(&self, attach: AttachId, size: Size) -> bool {
        let has_wish = self.attachments.get(&attach).is_some_and(|attachment| attachment.wish.is_some());
        has_wish && self.asked_size.is_some_and(|(asked, _)| asked == size)
    }

    /// Somebody sets the size, or whose it is.
    pub(super) fn on_resize(&mut self, size: Option<Size>, owner: Option<SizeOwner>, now: u64) {
        if let Some(owner) = owner {
            self.session.facts.borrow_mut().size_owner = owner;
            self.session.status.borrow_mut().size_owner = owner;
            self.session.store.put_facts(&self.session.facts.borrow());
            self.follow_sizes();
            self.publish(now);
        }
        if let Some(size) = size {
            self.resize(size, None);
        }
    }

    fn tell_stolen(&mut self, loser: AttachId, thief: AttachId) {
        let by = self.attachments.get(&thief).map(|thief| thief.client.who.to_string()).unwrap_or_default();
        let Some(attachment) = self.attachments.get_mut(&loser) else { return };
        attachment.wish = None;
        let from = attachment.client.who.to_string();
        self.hub.note(&self.session, verbs::What::Stolen { by: by.clone(), from: from.clone() });
        attachment.client.outbox.notify(&verbs::Stolen { channel: attachment.channel, by, at_ms: clock::wall_ms() });
        if matches!(attachment.gets, Gets::Raw { .. }) {
            self.attachments.remove(&loser);
            self.hub.note(&self.session, verbs::What::Detached { who: from });
        }
    }

    pub(super) fn on_release(&mut self, attach: AttachId, now: u64) {
        if self.control.release(attach) {
            if let Some(attachment) = self.attachments.get_mut(&attach) {
                attachment.wish = None;
            }
            self.follow_sizes();
            self.tell_attached(now);
        }
    }

    pub(super) fn on_detach(&mut self, attach: AttachId, now: u64) {
        let held = self.control.release(attach);
        if let Some(attachment) = self.attachments.remove(&attach) {
            self.hub.note(&self.session, verbs::What::Detached { who: attachment.client.who.to_string() });
            if held {
                self.follow_sizes();
            }
            self.tell_attached(now);
        }
    }

    pub(super) fn on_screen(
        &mut self,
        request: verbs::ScreenOf,
        reply: oneshot::Sender<(verbs::ScreenText, Option<Frame>)>,
        now: u64,
    ) {
        self.pend(None, Waiting::Screen { request, reply }, now);
    }

    /// Asks the keeper for a size.
    fn resize(&mut self, size: Size, pixels: Option<Pixels>) {
        if self.session.handover.kind == Kind::Pty && !self.has_ended() {
            self.asked_size = Some((size, pixels));
            self.hub.keeper.send(&ToKeeper::Resize { id: self.session.id, size, pixels }, &[]);
        }
    }

    /// Types once the modes of the screen are known.
    pub(super) fn pend_typing(&mut self, typing: Typing, now: u64) {
        self.pend(None, Waiting::Type(typing), now);
    }

    fn pend(&mut self, size: Option<Size>, waiting: Waiting, now: u64) {
        let offset = self.session.history.head();
        self.pending.push(Pending { offset, size, deadline: now + SIZE_WAIT_NS, waiting });
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
            match pending.waiting {
                Waiting::Attach { attach, request, reply } => self.start_raw(attach, &request, reply),
                Waiting::Type(typing) => self.type_encoded(typing),
                Waiting::Screen { request, reply } => {
                    if let Some(screen) = self.output.screen() {
                        let _ = reply.send(screen_of(screen, &request));
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
        let history = &self.session.history;
        let is_answering = self.attachments.get(&attach).is_some_and(|a| matches!(a.gets, Gets::Raw { answers: true }));
        // Somebody else's terminal answers, or nobody's has to any more.
        let is_quiet = request.terminal.is_some() && !is_answering || request.view || self.has_ended();
        let start = |dump, from, missed| Start { dump, from, cursor: self.raw_cursor(from), missed, is_quiet };
        let wanted = request.resume.filter(|offset| *offset <= history.head());
        let ground = self.ground();
        let start = match (wanted, &request.terminal, self.output.screen()) {
            (Some(offset), ..) if offset >= history.oldest() => start(Vec::new(), offset, 0),
            // Nothing was said yet: the terminal may keep what it shows.
            _ if history.head() == 0 => start(Vec::new(), 0, 0),
            (_, Some(terminal), Some(screen)) if self.session.handover.kind == Kind::Pty => {
                let dump = if terminal.size == screen.size() {
                    term::attach_dump(screen, request.history_rows as usize)
                } else {
                    term::crop_dump(screen, terminal.size)
                };
                let missed = request.resume.map_or(0, |offset| ground.saturating_sub(offset));
                start(dump, ground, missed)
            }
            // No terminal, or no screen: nothing to paint, the stream itself is what is wanted.
            (Some(offset), ..) => start(Vec::new(), history.oldest(), history.oldest() - offset),
            (None, Some(terminal), _) => start(Vec::new(), logs::screenful(history, terminal.size.rows() - 1), 0),
            (None, None, _) => start(Vec::new(), ground, 0),
        };
        let _ = reply.send(Ok((attach, self.attached(attach), Some(start))));
    }

    /// Where a stream may begin so that it begins between two sequences.
    fn ground(&self) -> u64 {
        match self.session.handover.kind {
            Kind::Pty => self.output.ground(),
            Kind::Pipe => self.session.history.head(),
        }
    }

    fn raw_cursor(&self, offset: u64) -> Rc<Cursor> {
        self.session.follow(offset, WINDOW)
    }

    fn attached(&self, attach: AttachId) -> verbs::Attached {
        verbs::Attached {
            id: self.session.id,
            name: self.name(),
            kind: self.session.handover.kind,
            credit: CREDIT,
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
        self.hub.note(
            &self.session,
            verbs::What::Attached { who: who.to_string(), controls: self.control.is_held_by(attach), raw },
        );
    }

    /// Renews the list of who is attached, and tells subscribers.
    fn tell_attached(&mut self, now: u64) {
        let list = self.attachments.iter().map(|(id, attachment)| status::Attached {
            who: attachment.client.who.clone(),
            terminal: attachment.terminal_now(),
            controls: self.control.is_held_by(*id),
            shares: self.control.is_shared_by(*id),
            stream: attachment.stream,
            raw: matches!(attachment.gets, Gets::Raw { .. }),
            since_ms: attachment.since_ms,
        });
        self.session.status.borrow_mut().attached = list.collect();
        self.publish(now);
    }
}

impl Attachment {
    fn new(client: Client, channel: u32, gets: Gets) -> Self {
        let typed = Typed::default();
        Self { client, channel, gets, typed, terminal: None, stream: None, wish: None, since_ms: clock::wall_ms() }
    }

    /// Its terminal as it is by now: a controller tells when its size changes.
    fn terminal_now(&self) -> Option<Terminal> {
        let mut terminal = self.terminal.clone()?;
        if let (Some(wish), Gets::Raw { .. }) = (self.wish, &self.gets) {
            (terminal.size, terminal.pixels) = (wish.size, wish.pixels);
        }
        Some(terminal)
    }
}

/// A stream of its own exists in a pipe session only, and standard error only where it is not merged.
pub fn check_stream(session: &Session, stream: Option<Stream>) -> Result<(), WireError> {
    let Some(stream) = stream else { return Ok(()) };
    let name = &session.facts.borrow().name;
    let why = match (session.handover.kind, stream) {
        (Kind::Pty, _) => "has a terminal: its program's output and errors are one stream",
        (Kind::Pipe, Stream::Terminal) => "has pipes: its streams are out and err",
        (Kind::Pipe, Stream::Err) if session.facts.borrow().merged => "was started with --merge: its errors are in out",
        (Kind::Pipe, _) => return Ok(()),
    };
    Err(WireError::new(Code::Invalid, format!("session {name} {why}")))
}

/// Answers who asked for a screen: a frame, or text.
fn screen_of(screen: &term::Screen, request: &verbs::ScreenOf) -> (verbs::ScreenText, Option<Frame>) {
    let size = screen.size();
    if request.channel.is_none() {
        let text = if request.ansi { screen.ansi() } else { screen.text() };
        return (verbs::ScreenText { text, size, above: 0 }, None);
    }
    let (frame, above) = Frame::of(screen, request.above);
    (verbs::ScreenText { text: String::new(), size, above }, Some(frame))
}
