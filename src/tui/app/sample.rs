//! What sessions did lately: output a second for the sparkline, load and memory, branch, last line.
//!
//! The daemon does not tell of output that nobody watches, so it is asked: two seconds after something was said, and ever more seldom
//! while nothing is, down to once a minute; and only while the list is there. Load and last lines are asked for sessions that said
//! something, and only where their columns are drawn.

use std::collections::HashMap;
use std::collections::VecDeque;

use crate::protocol::verbs::ProcessInfo;
use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Effect;
use crate::tui::app::SECOND_NS;
use crate::tui::app::services;
use crate::tui::view;

/// Pauses between samples: after something happened, and at most.
const PAUSE_NS: (u64, u64) = (2 * SECOND_NS, 60 * SECOND_NS);
/// Samples of a sparkline.
pub const SPARKS: usize = 8;
/// Most last lines that are asked for at once.
const LINES: usize = 60;

/// What is known of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Bytes a second, the newest last.
    pub rates: VecDeque<u64>,
    /// Thousandths of a processor, and bytes of memory.
    pub load: Option<(u32, u64)>,
    /// The branch its directory is on.
    pub branch: Option<String>,
    /// The last line of its screen.
    pub last_line: Option<String>,
    /// It seems to wait for input.
    pub waits: bool,
    bytes: u64,
    /// Its directory was looked at.
    is_looked_up: bool,
    /// It said something since its load and last line were asked.
    is_fresh: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Samples {
    known: HashMap<SessionId, Sample>,
    at: Option<u64>,
    taken_at: u64,
    pause: u64,
    is_asked: bool,
}

impl Samples {
    /// Returns what is known of a session.
    #[must_use]
    pub fn of(&self, id: SessionId) -> Option<&Sample> {
        self.known.get(&id)
    }

    pub(in crate::tui) const fn deadline(&self) -> Option<u64> {
        self.at
    }

    /// Takes the sessions there are; begins if it had not.
    pub(in crate::tui) fn start(&mut self, rows: &[Status], now: u64) {
        for status in rows {
            let fresh = Sample { bytes: status.output_bytes, is_fresh: true, ..Sample::default() };
            self.known.entry(status.id).or_insert(fresh);
        }
        self.is_asked = false;
        if rows.is_empty() {
            self.at = None;
        } else if self.at.is_none() {
            self.pause = PAUSE_NS.0;
            self.taken_at = now;
            self.at = Some(now + self.pause);
        }
    }

    pub(in crate::tui) fn forget(&mut self, id: SessionId) {
        self.known.remove(&id);
        if self.known.is_empty() {
            self.at = None;
        }
    }

    /// Somebody is here: what happens is wanted soon.
    pub(in crate::tui) fn wake(&mut self, now: u64) {
        if self.at.is_some() && self.pause > PAUSE_NS.0 {
            self.pause = PAUSE_NS.0;
            self.at = Some(now + self.pause);
        }
    }

    /// Takes what sessions have said by now; returns those that said something.
    fn take(&mut self, rows: &[Status], now: u64) -> Vec<SessionId> {
        let ms = (now.saturating_sub(self.taken_at) / 1_000_000).max(1);
        self.taken_at = now;
        let mut busy = Vec::new();
        for status in rows {
            let sample = self.known.entry(status.id).or_default();
            let said = status.output_bytes.saturating_sub(sample.bytes);
            sample.bytes = status.output_bytes;
            if sample.rates.len() == SPARKS {
                sample.rates.pop_front();
            }
            sample.rates.push_back(if said == 0 { 0 } else { (said * 1000 / ms).max(1) });
            if said > 0 {
                sample.is_fresh = true;
                sample.waits = false;
                busy.push(status.id);
            }
        }
        self.pause = if busy.is_empty() { (self.pause * 2).clamp(PAUSE_NS.0, PAUSE_NS.1) } else { PAUSE_NS.0 };
        self.at = Some(now + self.pause);
        self.is_asked = false;
        busy
    }

    /// Takes the next sample no later than this.
    pub(in crate::tui) fn hurry(&mut self, at: u64) {
        self.at = self.at.map(|known| known.min(at));
    }

    /// Takes whether a session seems to wait; returns whether that is news.
    pub(in crate::tui) fn set_waits(&mut self, id: SessionId, waits: bool) -> bool {
        self.known.get_mut(&id).is_some_and(|sample| std::mem::replace(&mut sample.waits, waits) != waits)
    }

    pub(in crate::tui) fn set_last_line(&mut self, id: SessionId, screen: &str) {
        if let Some(sample) = self.known.get_mut(&id) {
            let line = screen.lines().rev().find(|line| !line.trim().is_empty());
            sample.last_line = line.map(|line| text::clean(line.trim()));
        }
    }
}

impl App {
    /// Asks what sessions did.
    pub(in crate::tui) fn sample(&mut self) {
        // An answer that never comes must not end the asking.
        self.samples.at = Some(self.now.mono + PAUSE_NS.1);
        if !std::mem::replace(&mut self.samples.is_asked, true) {
            self.ask(Ask::Sample);
        }
    }

    pub(in crate::tui) fn on_sample(&mut self, rows: &[Status]) {
        let busy = self.samples.take(rows, self.now.mono);
        for status in rows {
            self.sessions.refresh(status);
        }
        self.find_waiting(&busy);
        self.watch_samples(&busy);
        let is_asked = self.list.is_wide && self.ask_more(rows);
        // A service may be busy without a word.
        let is_busy = |status: &Status| status.service.is_some() && services::runs(status);
        if !is_asked && rows.iter().any(is_busy) && view::shows_load(self) {
            self.ask(Ask::Procs);
        }
        if !busy.is_empty() {
            self.damage.chrome();
        }
    }

    /// Asks for what only the wide list shows, of sessions that said something since. Returns whether there were any.
    fn ask_more(&mut self, rows: &[Status]) -> bool {
        let mut asked = 0;
        for status in rows {
            let Some(sample) = self.samples.known.get_mut(&status.id) else { continue };
            if std::mem::take(&mut sample.is_fresh) && asked < LINES {
                asked += 1;
                self.effects.push(Effect::Ask(Ask::LastLine { id: status.id }));
            }
        }
        if asked > 0 {
            self.ask(Ask::Procs);
        }
        asked > 0
    }

    pub(in crate::tui) fn on_procs(&mut self, procs: Vec<ProcessInfo>) {
        for info in procs {
            let found = self.sessions.rows().iter().find(|status| Some(&status.name) == info.session.as_ref());
            if let Some(sample) = found.and_then(|status| self.samples.known.get_mut(&status.id)) {
                sample.load = Some((info.cpu_permille, info.memory));
            }
        }
        self.damage.chrome();
    }

    /// Has the branches of new sessions looked up.
    pub(in crate::tui) fn look_up_branches(&mut self) {
        let mut wanted = Vec::new();
        for status in self.sessions.rows() {
            let Some(sample) = self.samples.known.get_mut(&status.id) else { continue };
            if !std::mem::replace(&mut sample.is_looked_up, true) && !status.cwd.is_empty() {
                wanted.push((status.id, status.cwd.clone()));
            }
        }
        if !wanted.is_empty() {
            self.effects.push(Effect::Branches(wanted));
        }
    }

    pub(in crate::tui) fn on_branches(&mut self, found: Vec<(SessionId, Option<String>)>) {
        for (id, branch) in found {
            if let Some(sample) = self.samples.known.get_mut(&id) {
                sample.branch = branch.map(|branch| text::clean(&branch));
            }
        }
        self.damage.chrome();
    }
}
