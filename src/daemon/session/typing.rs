//! Typing without being attached, and what of a session is told as events.
//!
//! Keys and pastes depend on the modes of the terminal, so they wait until the screen has caught up with what was said before them.

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot;

use crate::daemon::session::actor::Actor;
use crate::daemon::session::attach::Gets;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::What;
use crate::session::keys;
use crate::session::keys::Keys;
use crate::session::keys::KeysError;
use crate::session::spec::Kind;
use crate::term::Effect;
use crate::term::Modes;
use crate::term::Screen;
use crate::term::Size;

/// Bells within this time are one event.
const BELL_NS: u64 = 100_000_000;

/// Somebody who types.
pub struct Typing {
    pub(super) by: String,
    pub(super) request: verbs::Send,
    /// What it takes of the room for requests.
    pub(super) room: OwnedSemaphorePermit,
    pub(super) reply: oneshot::Sender<Result<verbs::Sent, WireError>>,
}

/// What subscribers to events know.
#[derive(Default)]
pub struct Told {
    size: Option<Size>,
    /// When the bell was told last.
    bell: Option<u64>,
}

impl Actor {
    /// Somebody types without being attached.
    pub(super) fn on_typed(&mut self, typing: Typing, now: u64) {
        let needs_modes = typing.request.keys.is_some() || typing.request.paste;
        if needs_modes && self.session.handover.kind == Kind::Pty && !self.has_ended() {
            self.pend_typing(typing, now);
        } else {
            self.type_encoded(typing);
        }
    }

    /// Types what the terminal's modes make of it.
    pub(super) fn type_encoded(&mut self, typing: Typing) {
        let Typing { by, mut request, room, reply } = typing;
        let at = self.session.history.head();
        let repeated = self.session.request_progress(request.key).is_some();
        let result = self.encode(&mut request).and_then(|()| self.on_send(&request, room));
        let is_controlled = self.control.holders().next().is_some();
        if result.is_ok() && !repeated && is_controlled {
            let bytes = request.bytes.len() as u64;
            self.hub.note(&self.session, What::Sent { by, bytes });
        }
        let _ = reply.send(result.map(|()| verbs::Sent { at, repeated }));
    }

    /// Replaces keys, paste and Enter by their bytes.
    fn encode(&self, request: &mut verbs::Send) -> Result<(), WireError> {
        let kind = self.session.handover.kind;
        let modes = self.output.screen().map_or_else(Modes::default, Screen::modes);
        if let Some(line) = request.keys.take() {
            let keys = Keys::parse(&line);
            let bytes = keys.and_then(|keys| if kind == Kind::Pipe { keys.pipe_bytes() } else { keys.bytes(modes) });
            request.bytes.extend(bytes.map_err(|error| no_keys(&error))?);
        } else if request.paste {
            request.bytes = keys::paste(&request.bytes, kind, modes).into();
        }
        if request.enter {
            request.bytes.push(if kind == Kind::Pipe { b'\n' } else { b'\r' });
        }
        Ok(())
    }

    /// Tells what the program asks of the world.
    pub(super) fn note_effects(&mut self, effects: &[Effect], now: u64) {
        // Of several titles in one slice only the last one was ever to be seen.
        let last_title = effects.iter().rposition(|effect| matches!(effect, Effect::Title(_)));
        for (n, effect) in effects.iter().enumerate() {
            let what = match effect {
                Effect::Bell if self.told.bell.is_none_or(|bell| now >= bell + BELL_NS) => {
                    self.told.bell = Some(now);
                    What::Bell
                }
                Effect::Title(title) if last_title == Some(n) => What::Title { title: title.clone() },
                Effect::Notify { title, body } => What::Notification { title: title.clone(), body: body.clone() },
                Effect::ClipboardWrite { selection, base64 } => {
                    self.tell_clipboard(selection, base64);
                    continue;
                }
                _ => continue,
            };
            self.hub.note(&self.session, what);
        }
    }

    /// Hands text for the clipboard to those who control the session; raw ones have it among their bytes.
    fn tell_clipboard(&self, selection: &str, base64: &str) {
        let holders = self.control.holders().filter_map(|id| self.attachments.get(&id));
        for holder in holders.filter(|holder| matches!(holder.gets, Gets::Frames(_))) {
            let (selection, base64) = (selection.to_owned(), base64.to_owned());
            holder.client.outbox.offer(&verbs::Clipboard { channel: holder.channel, selection, base64 });
        }
    }

    /// Tells a new size of the terminal, once the screen has it.
    pub(super) fn note_size(&mut self) {
        if self.told.size.is_none() && self.session.is_new {
            self.told.size = Some(self.session.handover.size);
        }
        let Some(size) = self.output.screen().map(Screen::size) else { return };
        // After a restart of the daemon, sizes of the past are gone through once more.
        if !self.output.has_caught_up() && self.told.size.is_none() {
            return;
        }
        let before = self.told.size.replace(size);
        if before.is_some_and(|before| before != size) {
            self.hub.note(&self.session, What::Resized { size });
        }
    }
}

fn no_keys(error: &KeysError) -> WireError {
    let hint = match error {
        KeysError::NoTerminal { .. } => {
            "pipes take 'text', bytes, Space, Tab and Enter; `rpm send --eof` ends the input"
        }
        KeysError::Unsayable { .. } => "its program asked for no keyboard protocol that can say it",
        KeysError::Unknown { .. } | KeysError::Open { .. } => {
            "keys are C-c, M-x, Enter, Up, F5, 0x1b, 'text' and so on"
        }
    };
    WireError::new(Code::Invalid, error.to_string()).hint(hint)
}
