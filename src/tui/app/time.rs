//! What happens by itself: messages go, sizes are told, ages are drawn, samples are taken. Nothing happens while nothing is due.

use crate::session::status::State;
use crate::session::status::Status;
use crate::tui::app::App;
use crate::tui::app::Copying;
use crate::tui::app::Link;
use crate::tui::app::SECOND_NS;

/// How often ages are drawn anew.
const AGES_NS: u64 = 60 * SECOND_NS;
/// A start that is so near is counted down.
const NEAR_MS: u64 = 100_000;

impl App {
    /// Returns when [`Msg::Tick`] should come, in monotonic nanoseconds.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let notice = self.notice.as_ref().map(|notice| notice.until);
        let is_listed = self.layout().list.is_some();
        let ages = (self.ages_at != u64::MAX && is_listed).then_some(self.ages_at);
        let sample = self.samples.deadline().filter(|_| self.ages_at != u64::MAX && self.link == Link::Up);
        let removal = self.removing.iter().map(|(at, _)| *at).min();
        let fresh = self.copying.as_ref().and_then(Copying::deadline);
        let all = [
            notice,
            removal,
            fresh,
            self.settle_at,
            ages,
            sample,
            self.which_key_at,
            self.link.deadline(self.now.mono),
        ];
        all.into_iter().flatten().min()
    }

    pub(super) fn on_tick(&mut self) {
        let now = self.now.mono;
        if self.notice.as_ref().is_some_and(|notice| now >= notice.until) {
            self.notice = None;
            self.damage.chrome();
        }
        if self.settle_at.is_some_and(|at| now >= at) {
            self.tell_sizes();
        }
        if now >= self.ages_at {
            self.damage.chrome();
            self.plan_ages();
        }
        if self.which_key_at.is_some_and(|at| now >= at) {
            self.which_key_at = None;
            self.is_which_key_shown = true;
            self.damage.chrome();
        }
        if self.samples.deadline().is_some_and(|at| now >= at) {
            self.sample();
        }
        self.remove_now(now);
        self.ask_fresh();
        if self.link.on_tick(now) {
            self.damage.chrome();
        }
    }

    /// Plans the next drawing of ages: each minute, and each second while one counts down.
    pub(super) fn plan_ages(&mut self) {
        let now = self.now.wall_ms;
        let is_near = |status: &Status| {
            status.service.as_ref().is_some_and(|service| (now..now + NEAR_MS).contains(&service.next_start_ms))
        };
        let is_counted = |status: &Status| matches!(status.state, State::Stopping { .. }) || is_near(status);
        let is_counting = self.sessions.rows().iter().any(is_counted);
        let pause = if is_counting { SECOND_NS } else { AGES_NS };
        self.ages_at = if self.sessions.rows().is_empty() { u64::MAX } else { self.now.mono + pause };
    }
}
