//! What a program's output asks of the world beside its screen, and the bounded queue in which it waits.
//!
//! Replies are kept in order and never dropped before other effects are; past their cap further ones are lost, which a program that
//! floods queries without reading answers cannot notice. Text is cleaned and capped before it gets here.

use std::collections::VecDeque;

/// Most effects that wait to be taken.
const MAX_EFFECTS: usize = 256;
/// Most bytes of replies that wait to be taken.
const MAX_REPLY_BYTES: usize = 4096;

/// Something a program's output asks for that is not drawing.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Effect {
    /// The answer to a terminal query, to be written to the program's input.
    Reply(Vec<u8>),
    /// The bell.
    Bell,
    /// The window title changed.
    Title(String),
    /// The program told its working directory (OSC 7).
    Directory(String),
    /// A desktop notification (OSC 9, 99 or 777).
    Notify {
        /// Headline; empty if the program gave none.
        title: String,
        /// Text.
        body: String,
    },
    /// Text for the clipboard (OSC 52), still in base64 as the program wrote it.
    ClipboardWrite {
        /// Which clipboards, as letters of OSC 52.
        selection: String,
        /// The content in base64.
        base64: String,
    },
    /// A mark of the shell (OSC 133).
    PromptMark(PromptMark),
}

/// What a shell says about its prompt and commands (OSC 133).
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum PromptMark {
    /// The prompt starts here.
    PromptStart,
    /// The prompt ends and the user's input starts here.
    InputStart,
    /// The command's output starts here.
    OutputStart,
    /// The command ended, with its exit code if the shell told it.
    CommandEnd(Option<i32>),
}

/// The bounded queue of effects of one screen.
#[derive(Default)]
pub(super) struct Effects {
    queue: VecDeque<Effect>,
    reply_bytes: usize,
}

impl Effects {
    /// Queues an effect; a full queue loses its oldest that is not a reply.
    pub(super) fn push(&mut self, effect: Effect) {
        if let Effect::Reply(bytes) = &effect {
            if self.reply_bytes + bytes.len() > MAX_REPLY_BYTES {
                return;
            }
            self.reply_bytes += bytes.len();
        }
        if matches!(effect, Effect::ClipboardWrite { .. }) {
            // Only the last one counts, and each may be large.
            self.queue.retain(|waiting| !matches!(waiting, Effect::ClipboardWrite { .. }));
        }
        if self.queue.len() >= MAX_EFFECTS {
            let oldest = self.queue.iter().position(|waiting| !matches!(waiting, Effect::Reply(_)));
            match oldest {
                Some(index) => drop(self.queue.remove(index)),
                None => return,
            }
        }
        self.queue.push_back(effect);
    }

    /// Takes everything that waits, oldest first.
    pub(super) fn take(&mut self) -> Vec<Effect> {
        self.reply_bytes = 0;
        self.queue.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_outlive_a_flood_of_bells() {
        let mut effects = Effects::default();
        effects.push(Effect::Reply(b"x".to_vec()));

        (0..10_000).for_each(|_| effects.push(Effect::Bell));

        let taken = effects.take();
        assert_eq!(taken.len(), MAX_EFFECTS);
        assert_eq!(taken[0], Effect::Reply(b"x".to_vec()));
    }

    #[test]
    fn replies_are_capped_in_bytes() {
        let mut effects = Effects::default();

        (0..10_000).for_each(|_| effects.push(Effect::Reply(vec![0; 100])));

        let bytes: usize =
            effects.take().iter().map(|effect| if let Effect::Reply(b) = effect { b.len() } else { 0 }).sum();
        assert!(bytes <= MAX_REPLY_BYTES);
    }
}
