//! What sessions did lately: output a second for the sparkline, load and memory, branch, last line.
//!
//! The daemon does not tell of output that nobody watches, so it is asked: two seconds after something was said, and ever more seldom
//! while nothing is, down to once a minute; and only while the list is there. Load and last lines are asked for rows that are seen and said
//! something, and only where their columns are drawn. A service may work without a word: it is asked about as long as it runs.

use std::collections::HashMap;
use std::collections::VecDeque;

use crate::protocol::verbs::ProcessInfo;
use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Effect;
use crate::tui::app::Item;
use crate::tui::app::SECOND_NS;
use crate::tui::app::services;
use crate::tui::view;

/// Pauses between samples: after something happened, and at most.
const PAUSE_NS: (u64, u64) = (2 * SECOND_NS, 60 * SECOND_NS);
/// Samples of a sparkline.
pub const SPARKS: usize = 8;

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
    /// It said something since its last line was asked.
    is_fresh: bool,
    /// It said something since its load was asked.
    is_stirred: bool,
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
            let fresh = Sample { bytes: status.output_bytes, is_fresh: true, is_stirred: true, ..Sample::default() };
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
                sample.is_stirred = true;
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
        self.ask_more();
        if !busy.is_empty() {
            self.damage.chrome();
        }
    }

    /// Returns the sessions whose rows are on the screen.
    pub(in crate::tui) fn seen_rows(&self) -> Vec<SessionId> {
        let Some(area) = self.layout().list else { return Vec::new() };
        let visible = usize::from(area.height.saturating_sub(1));
        let items = self.list.items.iter().skip(view::first_visible(self, visible)).take(visible);
        items.filter_map(|item| if let Item::Row(id) = item { Some(*id) } else { None }).collect()
    }

    /// Asks for what costs more than a look, where it is seen: last lines and load.
    fn ask_more(&mut self) {
        let (is_wide, shows_load) = (self.list.is_wide, view::shows_load(self));
        if !is_wide && !shows_load {
            return;
        }
        let mut loads = Vec::new();
        for id in self.seen_rows() {
            let Some(status) = self.sessions.get(id) else { continue };
            let is_up = services::runs(status);
            let is_working = is_up && status.service.is_some();
            let Some(sample) = self.samples.known.get_mut(&id) else { continue };
            if is_wide && std::mem::take(&mut sample.is_fresh) {
                self.effects.push(Effect::Ask(Ask::LastLine { id }));
            }
            if shows_load && (std::mem::take(&mut sample.is_stirred) || is_working) && is_up {
                loads.push(id);
            }
        }
        if !loads.is_empty() {
            self.ask(Ask::Procs { ids: loads });
        }
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
