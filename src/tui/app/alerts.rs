//! What wants attention: bells, notifications, ends; activity, silence and words in sessions that are watched for them.
//!
//! A session keeps its newest alert until somebody looks at it, and the same thing is told once, so nothing flaps. What the focused pane
//! shows needs no alert.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use regex::Regex;

use crate::protocol::verbs::Happened;
use crate::protocol::verbs::What;
use crate::session::id::SessionId;
use crate::session::text;
use crate::term::Lines;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::overlay::Prompt;

/// Why a session wants attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// One word.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
}

/// Words that a session is watched for.
struct Watched {
    regex: Regex,
    lines: Lines,
    /// Offset of the next byte that is wanted.
    next: u64,
    /// Channel on which bytes come; 0 without.
    channel: u32,
}

/// See the module.
#[derive(Default)]
pub struct Alerts {
    open: BTreeMap<SessionId, Alert>,
    activity: BTreeSet<SessionId>,
    /// Watched for so many milliseconds of silence; whether it was told.
    silence: BTreeMap<SessionId, (u64, bool)>,
    words: BTreeMap<SessionId, Watched>,
}

impl Alerts {
    /// Returns the alert of a session.
    #[must_use]
    pub fn of(&self, id: SessionId) -> Option<&Alert> {
        self.open.get(&id)
    }

    /// Returns how many sessions want attention.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// Returns what a session is watched for.
    #[must_use]
    pub fn watches(&self, id: SessionId) -> Vec<&'static str> {
        let all = [
            (self.activity.contains(&id), "activity"),
            (self.silence.contains_key(&id), "silence"),
            (self.words.contains_key(&id), "words"),
        ];
        all.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect()
    }

    pub(in crate::tui) fn forget(&mut self, id: SessionId) {
        self.open.remove(&id);
        self.activity.remove(&id);
        self.silence.remove(&id);
        self.words.remove(&id);
    }
}

impl App {
    fn is_looked_at(&self, id: SessionId) -> bool {
        self.sessions.selected_id() == Some(id) && self.focus != Focus::List && self.focus != Focus::Grid
    }

    pub(in crate::tui) fn alert(&mut self, id: SessionId, kind: &'static str, text: &str) {
        let text = text::clean(text);
        let alert = Alert { kind, text: text.clone() };
        if self.is_looked_at(id) || self.alerts.open.get(&id) == Some(&alert) {
            return;
        }
        self.alerts.open.insert(id, alert);
        if self.settings.ring {
            self.effects.push(Effect::Ring);
        }
        let name = self.sessions.get(id).map(|status| status.name.clone()).unwrap_or_default();
        self.say(format!("{name}: {text}"));
    }

    /// Somebody looks at a session: its alert is gone.
    pub(in crate::tui) fn seen(&mut self, id: SessionId) {
        if self.alerts.open.remove(&id).is_some() {
            self.damage.chrome();
        }
    }

    pub(in crate::tui) fn on_happened(&mut self, happened: Happened) {
        let wants = |kind: &str| self.settings.alerts.iter().any(|known| known == kind);
        match happened.what {
            What::Bell if wants("bell") => self.alert(happened.id, "bell", "the bell rang"),
            What::Notification { title, body } => {
                if self.settings.pass_notifications {
                    self.effects.push(Effect::Notify { title: text::clean(&title), body: text::clean(&body) });
                }
                if wants("notification") {
                    let text = if title.is_empty() { body } else { format!("{title}: {body}") };
                    self.alert(happened.id, "notification", &text);
                }
            }
            What::Ended { end } if wants("exit") && self.is_news(happened.id, &end) => {
                self.alert(happened.id, "exit", &end.word());
            }
            _ => {}
        }
    }

    /// Takes what samples say of watched sessions.
    pub(in crate::tui) fn watch_samples(&mut self, busy: &[SessionId]) {
        for id in busy {
            if self.alerts.activity.contains(id) {
                self.alert(*id, "activity", "it said something");
            }
            self.read_words(*id);
        }
        let (now, mut silent, mut due) = (self.now.wall_ms, Vec::new(), None);
        for (id, (limit, is_told)) in &mut self.alerts.silence {
            let Some(status) = self.sessions.get(*id).filter(|status| status.end().is_none()) else { continue };
            let since = status.output_ms.max(status.started_ms);
            let is_silent = now.saturating_sub(since) >= *limit;
            if is_silent && !*is_told {
                silent.push((*id, *limit));
            }
            *is_told = is_silent;
            if !is_silent {
                let left = (since + *limit).saturating_sub(now);
                due = Some(due.map_or(left, |known: u64| known.min(left)));
            }
        }
        for (id, limit) in silent {
            self.alert(id, "silence", &format!("it has been silent for {}", text::age(limit)));
        }
        if let Some(left) = due {
            self.samples.hurry(self.now.mono + (left + 1) * 1_000_000);
        }
    }

    fn read_words(&mut self, id: SessionId) {
        if self.alerts.words.get(&id).is_none_or(|watched| watched.channel > 0) {
            return;
        }
        let channel = self.panes.channel();
        if let Some(watched) = self.alerts.words.get_mut(&id) {
            watched.channel = channel;
            let from = crate::protocol::verbs::From::Offset(watched.next);
            self.effects.push(Effect::Ask(Ask::History { channel, id, from, most: None }));
        }
    }

    /// Bytes of a session that is watched for words; `false` if they are of another channel.
    pub(in crate::tui) fn on_words(&mut self, channel: u32, at: u64, bytes: &[u8]) -> bool {
        let found = self.alerts.words.iter_mut().find(|(_, watched)| watched.channel == channel && channel > 0);
        let Some((id, watched)) = found else { return false };
        let (id, mut hit) = (*id, None);
        watched.next = at + bytes.len() as u64;
        watched.lines.feed(at, 0, bytes, |line| {
            let text = String::from_utf8_lossy(&line.text).into_owned();
            if watched.regex.is_match(&text) {
                hit = Some(text);
            }
        });
        if let Some(text) = hit {
            self.alert(id, "words", &text);
        }
        true
    }

    pub(in crate::tui) fn on_words_end(&mut self, channel: u32) {
        for watched in self.alerts.words.values_mut().filter(|watched| watched.channel == channel) {
            watched.channel = 0;
        }
    }

    /// Channels are gone with the daemon.
    pub(in crate::tui) fn lose_words(&mut self) {
        self.alerts.words.values_mut().for_each(|watched| watched.channel = 0);
    }

    pub(in crate::tui) fn watch_activity(&mut self) {
        let Some(id) = self.sessions.selected_id() else { return };
        let is_on = !self.alerts.activity.remove(&id) && self.alerts.activity.insert(id);
        self.say(if is_on { "It is watched for activity." } else { "It is no longer watched for activity." });
    }

    /// Asks for how long, or stops watching for silence.
    pub(in crate::tui) fn watch_silence(&mut self) {
        let Some(id) = self.sessions.selected_id() else { return };
        if self.alerts.silence.remove(&id).is_some() {
            self.say("It is no longer watched for silence.");
            return;
        }
        let usual = self.settings.silence.to_string();
        self.open_prompt(Prompt::Silence, "watch for silence of (30s, 5m, 1h)", &usual);
    }

    pub(in crate::tui) fn watch_for_silence(&mut self, limit: &str) {
        let Some(id) = self.sessions.selected_id() else { return };
        match text::duration_ms(limit) {
            Ok(limit) => {
                self.alerts.silence.insert(id, (limit, false));
                self.samples.hurry(self.now.mono);
                self.say(format!("It is watched for {} of silence.", text::age(limit)));
            }
            Err(fault) => self.say(fault),
        }
    }

    /// Asks for words, or stops watching for them.
    pub(in crate::tui) fn watch_words(&mut self) {
        let Some(id) = self.sessions.selected_id() else { return };
        if self.alerts.words.remove(&id).is_some() {
            self.say("It is no longer watched for words.");
            return;
        }
        self.open_prompt(Prompt::Words, "watch for words (a regular expression)", "");
    }

    pub(in crate::tui) fn watch_for(&mut self, pattern: &str) {
        let Some(status) = self.selected() else { return };
        let (id, next) = (status.id, status.output_bytes);
        match regex::RegexBuilder::new(pattern).size_limit(1 << 20).build() {
            Ok(regex) => {
                self.alerts.words.insert(id, Watched { regex, lines: Lines::new(false), next, channel: 0 });
                self.say(format!("It is watched for {pattern}."));
            }
            Err(_) => self.say("That is no regular expression; a ( or [ may have to be written \\( or \\[."),
        }
    }

    /// Goes to the next session that wants attention.
    pub(in crate::tui) fn next_alert(&mut self, is_back: bool) {
        let rows: Vec<SessionId> = self.sessions.rows().iter().map(|status| status.id).collect();
        let at = self.sessions.selected_id().and_then(|id| rows.iter().position(|row| *row == id)).unwrap_or(0);
        let round = rows.iter().cycle().skip(at + 1).take(rows.len());
        let mut order: Vec<SessionId> = round.copied().collect();
        if is_back {
            order.reverse();
            let first = order.len().min(1);
            order.rotate_left(first);
        }
        let waits = |id: &&SessionId| self.samples.of(**id).is_some_and(|sample| sample.waits);
        // A guess is worth less than what is known.
        let alerted = order.iter().find(|id| self.alerts.open.contains_key(*id));
        match alerted.or_else(|| order.iter().find(waits)).copied() {
            Some(id) => {
                self.seen(id);
                self.go_to(id);
            }
            None => self.say("Nothing wants attention."),
        }
    }
}
