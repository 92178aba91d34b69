//! What is done to services: the row is the service, whichever session it has.
//!
//! Nothing that runs is stopped without a question that names it, several are not restarted without one, and a stop is a wish: the
//! service stays stopped. Sessions that are no services are left to their own actions.

use crate::protocol::verbs::Acts;
use crate::protocol::verbs::Deed;
use crate::session::id::SessionId;
use crate::session::service::death::Death;
use crate::session::service::definition::Definition;
use crate::session::service::plan;
use crate::session::status::End;
use crate::session::status::How;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::Answer;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Grouping;
use crate::tui::app::Overlay;
use crate::tui::app::Then;
use crate::tui::app::bulk;
use crate::tui::pane::Pane;

/// What is known of one service beside its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The service.
    pub id: SessionId,
    /// How it ended, the newest first.
    pub deaths: Vec<Death>,
    /// What it is.
    pub definition: Option<Definition>,
}

impl App {
    /// Returns the chosen services; says so if there are none.
    fn chosen_services(&mut self, deed: &str) -> Vec<Status> {
        let chosen: Vec<Status> = self.chosen().into_iter().filter_map(|id| self.sessions.get(id)).cloned().collect();
        let (services, others): (Vec<Status>, Vec<Status>) =
            chosen.into_iter().partition(|status| status.service.is_some());
        if let (true, Some(other)) = (services.is_empty(), others.first()) {
            self.say(format!(
                "{} is a session and no service; only a service can be {deed}.",
                text::clean(&other.name)
            ));
        }
        services
    }

    fn do_to_services(&mut self, services: &[Status], deed: Deed) {
        let ids = services.iter().map(|status| status.id).collect();
        self.ask(Ask::Act { ids, deed });
        self.list.marked.clear();
    }

    /// Starts those of the chosen services that do not run; one that waits for its next try is started now.
    pub(in crate::tui) fn start_services(&mut self) {
        let chosen = self.chosen_services("started");
        let is_one = chosen.len() == 1;
        let resting: Vec<Status> = chosen.iter().filter(|status| !runs(status)).cloned().collect();
        match (resting.is_empty(), chosen.first()) {
            (_, None) => {}
            (true, Some(first)) if is_one => {
                let text = format!("{} runs already; r restarts it.", text::clean(&first.name));
                self.say(text);
            }
            (true, Some(_)) => self.say("All of them run already; r restarts them."),
            (false, Some(_)) => self.do_to_services(&resting, Deed::Start),
        }
    }

    /// Restarts the chosen services; a session that has ended starts anew.
    pub(in crate::tui) fn restart_chosen(&mut self) {
        let is_service = |id: &SessionId| self.sessions.get(*id).is_some_and(|status| status.service.is_some());
        if self.chosen().iter().any(is_service) {
            self.renew_services(Deed::Restart, "restart", "restarted");
        } else {
            self.restart();
        }
    }

    /// Puts a fresh instance in the place of each chosen service as soon as it is ready.
    pub(in crate::tui) fn reload_services(&mut self) {
        self.renew_services(Deed::Reload, "reload", "reloaded");
    }

    /// One is done at once, several after a question.
    fn renew_services(&mut self, deed: Deed, verb: &str, done: &str) {
        let chosen = self.chosen_services(done);
        if chosen.len() == 1 {
            self.do_to_services(&chosen, deed);
        } else if !chosen.is_empty() {
            let rows: Vec<&Status> = chosen.iter().collect();
            let mut lines = vec![format!("{} {} services?", capital(verb), rows.len()), String::new()];
            lines.extend(bulk::names(&rows));
            let ids = rows.iter().map(|status| status.id).collect();
            let then = Then::Ask(Ask::Act { ids, deed });
            self.open(Overlay::Confirm { title: verb.to_owned(), is_hard: false, lines, then });
        }
    }

    /// Asks whether services are to be forgotten, if they are what is chosen.
    pub(in crate::tui) fn delete_services(&mut self) -> bool {
        let chosen: Vec<&Status> = self.chosen().into_iter().filter_map(|id| self.sessions.get(id)).collect();
        let services: Vec<&Status> = chosen.iter().filter(|status| status.service.is_some()).copied().collect();
        if services.is_empty() || services.len() < chosen.len() {
            return false;
        }
        let (what, running) = match services.as_slice() {
            [one] => (text::clean(&one.name), if one.end().is_none() { "It is stopped, and what" } else { "What" }),
            many => (format!("{} services", many.len()), "Those that run are stopped, and what"),
        };
        let mut lines = vec![format!("Delete {what}?"), String::new()];
        lines.extend(bulk::names(&services));
        let them = if services.len() == 1 { "it" } else { "them" };
        lines.extend([String::new(), format!("{running} was defined for {them} is forgotten; files stay.")]);
        let ids = services.iter().map(|status| status.id).collect();
        let then = Then::Ask(Ask::Act { ids, deed: Deed::Delete });
        self.open(Overlay::Confirm { title: "delete".to_owned(), is_hard: true, lines, then });
        true
    }

    pub(in crate::tui) fn on_service_answer(&mut self, ask: &Ask, answer: Answer) {
        match (ask, answer) {
            (_, Answer::Acts(acts)) => self.on_acts(acts),
            (Ask::Why { id }, Answer::Histories(found)) => {
                let deaths: Vec<Death> = found.into_iter().flat_map(|history| history.deaths).collect();
                // The newest first.
                self.explained(*id).deaths = deaths.into_iter().rev().collect();
            }
            (Ask::Definition { id }, Answer::Definitions(found)) => {
                for mut definition in found {
                    plan::hide_secrets(&mut definition.spec);
                    self.explained(*id).definition = Some(definition);
                }
            }
            _ => {}
        }
    }

    fn on_acts(&mut self, acts: Acts) {
        let faults: Vec<_> = acts.acts.into_iter().filter_map(|acted| acted.error).collect();
        if let Some(fault) = acts.unsaved {
            self.say(format!("It is done, but could not be written down: {fault}."));
        }
        if let Some(first) = faults.first() {
            self.complain(first);
        }
    }

    /// Opens all about the selected session; of a service, what is known of its ends is asked for.
    pub(in crate::tui) fn open_detail(&mut self) {
        self.open(Overlay::Detail { top: 0 });
        self.explain(true);
    }

    /// Asks how the selected service ended, while somebody looks at that.
    pub(in crate::tui) fn explain(&mut self, asks_definition: bool) {
        let is_open = matches!(self.overlay, Some(Overlay::Detail { .. }));
        let Some(id) = self.selected().filter(|status| is_open && status.service.is_some()).map(|status| status.id)
        else {
            return;
        };
        self.ask(Ask::Why { id });
        if asks_definition {
            self.ask(Ask::Definition { id });
        }
    }

    fn explained(&mut self, id: SessionId) -> &mut Explained {
        let is_other = self.explained.as_ref().is_none_or(|known| known.id != id);
        if is_other {
            self.explained = None;
        }
        self.damage.chrome();
        self.explained.get_or_insert(Explained { id, deaths: Vec::new(), definition: None })
    }

    /// A service has another session: everything that was about the old one is about that now.
    pub(in crate::tui) fn succeed(&mut self, old: SessionId, new: SessionId) {
        if self.list.marked.remove(&old) {
            self.list.marked.insert(new);
        }
        let panes: Vec<_> = self.panes.all().filter(|pane| pane.session == Some(old)).map(|pane| pane.id).collect();
        let is_selected = self.sessions.selected_id() == Some(old);
        if is_selected {
            self.lose_keyboard();
            self.show(Some(new));
        }
        let shown = self.panes.focused_id();
        for id in panes.into_iter().filter(|id| !is_selected || *id != shown) {
            self.unwatch_in(id);
            if let Some(pane) = self.panes.get_mut(id) {
                pane.aim(new.to_string());
                pane.session = Some(new);
            }
            self.watch_in(id);
        }
        self.logs_succeed(old, new);
        self.explain(true);
    }

    /// A session began or ended a run: what is seen of it goes on.
    pub(in crate::tui) fn on_other_run(&mut self, id: SessionId) {
        if self.sessions.selected_id() == Some(id) {
            self.explain(false);
        }
        if !self.sessions.get(id).is_some_and(runs) {
            return;
        }
        self.logs_go_on(id);
        let is_blind = |pane: &&Pane| pane.session == Some(id) && pane.channel() == 0;
        let blind: Vec<_> = self.panes.all().filter(is_blind).map(|pane| pane.id).collect();
        for pane in blind {
            self.watch_in(pane);
        }
    }

    /// Returns whether nothing of a session can be shown: a service that never ran.
    #[must_use]
    pub fn is_unborn(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|status| status.service.is_some() && status.pid == 0)
    }

    /// Returns whether an end wants attention: not that of a service that somebody stopped or restarted, nor of what is gone.
    pub(in crate::tui) fn is_news(&self, id: SessionId, end: &End) -> bool {
        let is_asked = matches!(end.how, How::Stopped | How::Killed);
        self.sessions.get(id).is_some_and(|status| status.service.is_none() || !is_asked)
    }

    /// Groups by namespace and goes to the first service.
    pub(in crate::tui) fn go_to_services(&mut self) {
        let is_service = |status: &&Status| status.service.is_some();
        if !self.sessions.rows().iter().any(|status| is_service(&status)) {
            self.say("There are no services yet; `rpm start` starts those of a runpm.toml.");
            return;
        }
        self.list.grouping = Grouping::Namespace;
        self.refresh_list();
        let first = self.list.rows().find(|id| self.sessions.get(*id).is_some_and(|status| is_service(&status)));
        self.show(first);
    }
}

/// Returns whether its program runs now.
pub(in crate::tui) const fn runs(status: &Status) -> bool {
    status.run_end().is_none()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
