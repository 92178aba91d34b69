//! What is done to one session or to all that are marked: one question, which names them.

use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Overlay;
use crate::tui::app::SECOND_NS;
use crate::tui::app::Then;
use crate::tui::app::services;

/// Milliseconds that a stop waits before it kills.
pub(super) const GRACE_MS: u64 = 5000;
/// How long removing can be undone.
const UNDO_NS: u64 = 10 * SECOND_NS;
/// Most sessions that a question names.
const NAMED: usize = 12;

impl App {
    fn chosen_rows(&self) -> Vec<&Status> {
        self.chosen().into_iter().filter_map(|id| self.sessions.get(id)).collect()
    }

    /// Asks whether the chosen sessions are to end.
    pub(in crate::tui) fn confirm_end(&mut self, is_hard: bool) {
        let chosen = self.chosen_rows();
        let Some(first) = chosen.first() else { return };
        let name = text::clean(&first.name);
        let (is_service, word) = (first.service.is_some(), first.word());
        let is_one = chosen.len() == 1;
        let living: Vec<&Status> = chosen.into_iter().filter(|status| status.end().is_none()).collect();
        if living.is_empty() {
            self.say(if is_one && is_service {
                format!("{name} does not run ({word}); S starts it, d deletes it.")
            } else if is_one {
                format!("{name} has ended already; d in the list removes it.")
            } else {
                "All of them have ended already; d in the list removes them.".to_owned()
            });
            return;
        }
        let lines = match living.as_slice() {
            [one] => lines_of_one(one, is_hard),
            many => lines_of_many(many, is_hard),
        };
        let ids: Vec<SessionId> = living.iter().map(|status| status.id).collect();
        let then = Then::Ask(Ask::Stop { ids, grace_ms: if is_hard { 0 } else { GRACE_MS } });
        let title = if is_hard { "kill" } else { "stop" };
        self.open(Overlay::Confirm { title: title.to_owned(), is_hard, lines, then });
    }

    pub(in crate::tui) fn confirmed(&mut self) {
        if let Some(Overlay::Confirm { then, .. }) = self.overlay.take() {
            match then {
                Then::Ask(ask) => self.ask(ask),
                Then::Remove(ids) => self.remove_soon(ids),
                Then::StartOver(id) => self.end_to_start_over(id),
                Then::Type(bytes) => self.type_bytes(&bytes),
            }
            self.list.marked.clear();
        }
        self.damage.chrome();
    }

    /// Removes the rows of chosen sessions that have ended.
    pub(in crate::tui) fn remove(&mut self) {
        if self.delete_services() {
            return;
        }
        let chosen = self.chosen_rows();
        let Some(first) = chosen.first() else { return };
        let ended: Vec<SessionId> =
            chosen.iter().filter(|status| status.end().is_some()).map(|status| status.id).collect();
        if ended.is_empty() {
            let text = format!("{} is {}; x stops it first.", text::clean(&first.name), first.word());
            self.say(text);
        } else if ended.len() == 1 {
            self.remove_soon(ended);
        } else {
            let mut lines = vec![format!("Remove {} ended sessions, with all they said?", ended.len()), String::new()];
            let rows: Vec<&Status> = chosen.into_iter().filter(|status| status.end().is_some()).collect();
            lines.extend(names(&rows));
            let then = Then::Remove(ended);
            self.open(Overlay::Confirm { title: "remove".to_owned(), is_hard: false, lines, then });
        }
    }

    /// Takes rows out of the list; what they are about is forgotten in ten seconds.
    fn remove_soon(&mut self, ids: Vec<SessionId>) {
        let at = self.sessions.selected_id().and_then(|id| self.list.rows().position(|row| row == id));
        let count = ids.len();
        self.removing.push((self.now.mono + UNDO_NS, ids));
        self.refresh_list();
        let is_gone = self.sessions.selected_id().is_none_or(|id| self.list.line_of(id).is_none());
        if is_gone {
            let next = at.and_then(|at| self.list.rows().nth(at)).or_else(|| self.list.rows().last());
            self.show(next);
        }
        let rows = if count == 1 { "row is" } else { "rows are" };
        self.say(format!("{count} {rows} removed; u within 10 s brings back what was removed last."));
    }

    /// Brings back what was removed last.
    pub(in crate::tui) fn undo_remove(&mut self) {
        let Some((_, ids)) = self.removing.pop() else {
            self.say("There is nothing to bring back.");
            return;
        };
        self.refresh_list();
        self.notice = None;
        self.show(ids.first().copied());
    }

    /// Forgets what was removed long enough ago.
    pub(in crate::tui) fn remove_now(&mut self, now: u64) {
        let due: Vec<SessionId> = self.removing.extract_if(.., |(at, _)| now >= *at).flat_map(|(_, ids)| ids).collect();
        if !due.is_empty() {
            self.ask(Ask::Remove { ids: due });
        }
    }

    /// Signals the chosen sessions.
    pub(in crate::tui) fn signal(&mut self, signal: u8) {
        let chosen = self.chosen_rows();
        let ids: Vec<SessionId> =
            chosen.iter().filter(|status| services::runs(status)).map(|status| status.id).collect();
        if ids.is_empty() {
            self.say("Nothing of what is chosen runs.");
            return;
        }
        let name = crate::session::status::signal_name(signal);
        self.say(format!("SIG{name} is sent to {} session{}.", ids.len(), if ids.len() == 1 { "" } else { "s" }));
        self.ask(Ask::Signal { ids, signal });
    }
}

fn lines_of_one(status: &Status, is_hard: bool) -> Vec<String> {
    let clean = text::clean;
    let question = if is_hard { "Kill" } else { "Stop" };
    let mut lines = vec![
        format!("{question} {}?", clean(&status.name)),
        String::new(),
        format!("command  {}", clean(&status.command)),
        format!("pid      {}", status.pid),
    ];
    let who: Vec<String> = status
        .attached
        .iter()
        .map(|client| format!("{}{}", client.who, if client.controls { " (typing)" } else { "" }))
        .collect();
    lines.push(format!("attached {}", if who.is_empty() { "nobody".to_owned() } else { who.join(", ") }));
    lines.extend([String::new(), how(is_hard, &[status]).to_owned()]);
    lines.extend(stays(&[status]));
    lines
}

/// A stop of a service is more than the end of what runs.
fn stays(rows: &[&Status]) -> Option<String> {
    let services = rows.iter().filter(|status| status.service.is_some()).count();
    match (services, rows.len()) {
        (0, _) => None,
        (1, 1) => Some("It is a service: it stays stopped until it is started again.".to_owned()),
        (n, all) if n == all => Some("They are services: they stay stopped until they are started again.".to_owned()),
        (n, _) => Some(format!("{n} of them are services and stay stopped until they are started again.")),
    }
}

fn lines_of_many(rows: &[&Status], is_hard: bool) -> Vec<String> {
    let question = if is_hard { "Kill" } else { "Stop" };
    let mut lines = vec![format!("{question} {} sessions?", rows.len()), String::new()];
    lines.extend(names(rows));
    lines.extend([String::new(), how(is_hard, rows).to_owned()]);
    lines.extend(stays(rows));
    lines
}

pub(super) fn names(rows: &[&Status]) -> Vec<String> {
    let line = |status: &&Status| format!("{}  {}", text::clean(&status.name), text::clean(&status.command));
    let mut lines: Vec<String> = rows.iter().take(NAMED).map(line).collect();
    if rows.len() > NAMED {
        lines.push(format!("and {} more", rows.len() - NAMED));
    }
    lines
}

fn how(is_hard: bool, rows: &[&Status]) -> &'static str {
    let has_service = rows.iter().any(|status| status.service.is_some());
    match (is_hard, rows.len() > 1, has_service) {
        (true, false, _) => "Every process of it is killed at once; nothing can be saved.",
        (true, true, _) => "Every process of them is killed at once; nothing can be saved.",
        (false, false, false) => "It is asked to end, and killed after 5 seconds.",
        (false, false, true) => "It is asked to end, and killed when its grace is over.",
        (false, true, false) => "They are asked to end, and killed after 5 seconds.",
        (false, true, true) => "They are asked to end, and killed when their grace is over.",
    }
}
