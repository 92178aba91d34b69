//! The logs view in the app: which histories are read, what of them is asked for, what keys do there.
//!
//! What comes is followed on a channel for each session, from memory and journal as one, as `rpm logs -f` does; older lines are asked
//! for a piece at a time when somebody goes up there. Leaving gives the channels back.

use crate::client::follow::Chunk;
use crate::protocol::error::WireError;
use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::text;
use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Span;
use crate::tui::logs::Logs;
use crate::tui::logs::STREAMS;
use crate::tui::logs::Source;

/// Last lines that are asked for, of all sessions together, and the fewest of each.
const LAST: (u64, u64) = (2000, 100);
/// Most sessions that are read at once.
const MOST: usize = 32;

/// The view, and where it was opened.
pub struct LogsView {
    /// The lines.
    pub logs: Logs,
    from: Focus,
}

impl App {
    /// Shows what the chosen sessions say.
    pub(in crate::tui) fn open_logs(&mut self) {
        let chosen = self.chosen();
        self.leave_logs();
        self.leave_copy();
        let rows = chosen.iter().filter_map(|id| self.sessions.get(*id)).take(MOST);
        let source = |status: &crate::session::status::Status| {
            let has_streams = status.kind == Kind::Pipe && !status.merged;
            Source::new(status.id, text::clean(&status.name), has_streams, status.first_byte())
        };
        let sources: Vec<Source> = rows.map(source).collect();
        if sources.is_empty() {
            return;
        }
        if chosen.len() > MOST {
            self.say(format!("Only the first {MOST} of them are shown."));
        }
        let from = if self.focus == Focus::Logs { Focus::List } else { self.focus };
        self.logs_view = Some(LogsView { logs: Logs::new(sources), from });
        self.set_focus(Focus::Logs);
        self.resize_logs();
        self.ask_logs();
    }

    /// Goes back to where it was opened.
    pub(in crate::tui) fn leave_logs(&mut self) {
        let Some(view) = self.logs_view.take() else { return };
        for channel in view.logs.sources.iter().map(|source| source.channel).filter(|channel| *channel > 0) {
            self.ask(Ask::Detach { channel });
        }
        let focus = match view.from {
            Focus::Typing if *self.control() == Control::None => Focus::View,
            from => from,
        };
        self.set_focus(focus);
    }

    /// Asks for the last lines of all.
    fn ask_logs(&mut self) {
        let Some(view) = &mut self.logs_view else { return };
        let lines = (LAST.0 / view.logs.sources.len() as u64).max(LAST.1);
        self.follow_sources(|source| source.next().map_or(Span::Last(lines), Span::From));
    }

    /// Asks for what sources without a channel say.
    fn follow_sources(&mut self, span: impl Fn(&Source) -> Span) {
        let Some(view) = &mut self.logs_view else { return };
        let stream = STREAMS[view.logs.streams].0;
        for source in view.logs.sources.iter_mut().filter(|source| source.channel == 0) {
            // One stream is asked for only where there are several.
            if self.sessions.get(source.id).is_none() || stream.is_some() && !source.has_streams {
                continue;
            }
            source.channel = self.panes.channel();
            let (channel, id, span) = (source.channel, source.id, span(source));
            self.effects.push(Effect::Ask(Ask::Logs { channel, id, span, stream }));
        }
        self.damage.chrome();
    }

    /// Asks for older lines, if there are any.
    fn ask_older(&mut self) {
        let Some(view) = &mut self.logs_view else { return };
        let stream = STREAMS[view.logs.streams].0;
        let Some(n) = view.logs.wants_older() else { return };
        let channel = self.panes.channel();
        let source = &mut view.logs.sources[n];
        let id = source.id;
        if let Some((from, until)) = source.read_older(channel) {
            self.effects.push(Effect::Ask(Ask::Logs { channel, id, span: Span::Between(from, until), stream }));
        }
    }

    pub(in crate::tui) fn on_log(&mut self, channel: u32, chunk: Chunk) {
        let Some(view) = &mut self.logs_view else { return };
        let Some((n, is_older)) = view.logs.of_channel(channel) else { return };
        self.damage.chrome();
        if !is_older {
            view.logs.take(n, chunk);
        } else if view.logs.take_older(n, chunk) && view.logs.wants_more() {
            self.ask_older();
        }
    }

    /// A history cannot be read.
    pub(in crate::tui) fn on_logs_refused(&mut self, channel: u32, error: &WireError) {
        let Some(view) = &mut self.logs_view else { return };
        let Some((n, is_older)) = view.logs.of_channel(channel) else { return };
        let source = &mut view.logs.sources[n];
        if is_older {
            source.refuse_older();
        } else {
            source.channel = 0;
        }
        self.complain(error);
    }

    /// The daemon is back: all goes on behind the last byte.
    pub(in crate::tui) fn logs_again(&mut self) {
        let Some(view) = &mut self.logs_view else { return };
        for source in &mut view.logs.sources {
            source.channel = 0;
            source.lose_older();
        }
        self.ask_logs();
    }

    /// A session that is read runs again, or is another one now.
    pub(in crate::tui) fn logs_go_on(&mut self, id: SessionId) {
        let is_read = |view: &LogsView| view.logs.of_session(id).is_some();
        let runs = self.sessions.get(id).is_some_and(|status| status.end().is_none());
        if runs && self.logs_view.as_ref().is_some_and(is_read) {
            self.ask_logs();
        }
    }

    /// A service goes on in another session.
    pub(in crate::tui) fn logs_succeed(&mut self, old: SessionId, new: SessionId) {
        let Some(view) = &mut self.logs_view else { return };
        let Some(n) = view.logs.of_session(old) else { return };
        let channel = view.logs.sources[n].channel;
        view.logs.succeed(n, new);
        if channel > 0 {
            self.ask(Ask::Detach { channel });
        }
        self.ask_logs();
    }

    pub(in crate::tui) fn resize_logs(&mut self) {
        let Some(area) = self.layout().whole else { return };
        if let Some(view) = &mut self.logs_view {
            view.logs.resize(usize::from(area.height.saturating_sub(1)), usize::from(area.width));
        }
    }

    /// Does something to the view.
    pub(in crate::tui) fn in_logs(&mut self, what: impl FnOnce(&mut Logs)) {
        if let Some(view) = &mut self.logs_view {
            what(&mut view.logs);
            self.damage.chrome();
        }
    }

    /// Moves the view, and asks for older lines where it comes near their end.
    pub(in crate::tui) fn move_logs(&mut self, what: impl FnOnce(&mut Logs) -> bool) {
        let Some(view) = &mut self.logs_view else { return };
        let wants_older = what(&mut view.logs);
        if wants_older {
            self.ask_older();
        }
        self.damage.chrome();
    }

    /// Shows what comes, or stops where it is.
    pub(in crate::tui) fn toggle_follow(&mut self) {
        if self.logs_view.as_ref().is_some_and(|view| view.logs.is_following) {
            self.in_logs(Logs::pause);
        } else {
            self.follow_logs();
        }
    }

    /// Goes to the newest line, and on with what comes.
    pub(in crate::tui) fn follow_logs(&mut self) {
        if self.logs_view.as_ref().is_some_and(|view| view.logs.is_cut()) {
            self.restart_logs();
        }
        self.in_logs(Logs::follow);
    }

    /// Reads all anew.
    fn restart_logs(&mut self) {
        let Some(view) = &mut self.logs_view else { return };
        let channels: Vec<u32> =
            view.logs.sources.iter().map(|source| source.channel).filter(|channel| *channel > 0).collect();
        view.logs.restart();
        for channel in channels {
            self.ask(Ask::Detach { channel });
        }
        self.ask_logs();
    }

    /// Goes from all streams to one of them, to the other, and back.
    pub(in crate::tui) fn next_stream(&mut self) {
        let Some(view) = &mut self.logs_view else { return };
        if !view.logs.sources.iter().any(|source| source.has_streams) {
            self.say("A terminal has one stream; there is nothing to tell apart.");
            return;
        }
        view.logs.streams = (view.logs.streams + 1) % STREAMS.len();
        self.restart_logs();
    }

    pub(in crate::tui) fn go_to_log_error(&mut self, is_back: bool) {
        let mut is_found = false;
        self.in_logs(|logs| is_found = logs.go_to_error(is_back));
        self.after_seek(is_found, is_back, "No line that way looks like an error.");
    }

    pub(in crate::tui) fn go_to_log_hit(&mut self, is_back: bool) {
        let (mut is_found, mut is_searched) = (false, false);
        self.in_logs(|logs| (is_found, is_searched) = (logs.go_to_hit(is_back), !logs.pattern.is_empty()));
        let text = if is_searched { "Nothing matches that way." } else { "Nothing was searched yet; / searches." };
        self.after_seek(is_found, is_back, text);
    }

    /// Older lines may have what was not found.
    fn after_seek(&mut self, is_found: bool, is_back: bool, text: &str) {
        let has_older = is_back && self.logs_view.as_ref().is_some_and(|view| view.logs.wants_older().is_some());
        match (is_found, has_older) {
            (true, _) => {}
            (false, true) => {
                self.ask_older();
                self.say("Older lines are being read; once more searches them.");
            }
            (false, false) => self.say(text),
        }
    }

    /// Returns the context of the view.
    pub(in crate::tui) fn logs_context(&self) -> Context {
        let is_finding = self.logs_view.as_ref().is_some_and(|view| view.logs.find.is_some());
        if is_finding { Context::Find } else { Context::Logs }
    }

    /// Ends typing what is searched.
    pub(in crate::tui) fn end_log_find(&mut self, is_kept: bool) {
        self.in_logs(|logs| logs.end_find(is_kept));
        let is_missing =
            self.logs_view.as_ref().is_some_and(|LogsView { logs, .. }| !logs.pattern.is_empty() && logs.hits().0 == 0);
        if is_missing && is_kept {
            self.say("Nothing matches in what was read so far.");
        }
    }
}
